// The last 7 days of each chain: what is known, what was asked in vain, and when nobody asked.

// Worst first: what is not normal now, then by time in maintenance, then by unknown time.
function timelineRows() {
  const now = Object.fromEntries(facts.chains.map(({ chain, status }) => [chain, status]));
  const rank = { maintenance: 2, unknown: 1 };
  const by = new Map();
  for (const { chain, status, since, until } of facts.timeline) {
    const entry = by.get(chain) ?? { chain, maintenance: 0, unknown: 0, absent: 0, normal: 0, stretches: [] };
    const [from, to] = [moment(since), moment(until)];
    entry[status] += to - from;
    entry.stretches.push({ chain, status: WORDS[status], from, to });
    by.set(chain, entry);
  }
  return [...by.values()].sort((a, b) =>
    (rank[now[b.chain]] ?? 0) - (rank[now[a.chain]] ?? 0) || b.maintenance - a.maintenance || b.unknown - a.unknown || (a.chain < b.chain ? -1 : 1));
}

const timelineView = { all: false };
async function showTimeline() {
  const all = timelineRows();
  const incidents = all.filter(({ maintenance, unknown, absent }) => maintenance || unknown || absent);
  const chosen = timelineView.all ? all : incidents;
  tools("timeline", {
    sql: () => sqlOf("timeline"),
    rows: () => rowsOf("timeline", facts.timeline.filter(({ chain }) => chosen.some((entry) => entry.chain === chain))),
  });
  if (!all.length) return fill(bodyOf("timeline"), make("p", { class: "empty" }, "Nothing to draw yet: it begins with the second look at the chains."));
  const body = bodyOf("timeline");
  const box = make("label", { class: "inline" }, make("input", { type: "checkbox", checked: timelineView.all, onchange: (event) => { timelineView.all = event.target.checked; showTimeline(); } }), ` all ${all.length} chains`);
  const summary = incidents.length ? `${incidents.length} of ${all.length} chains were not normal at some time, the worst first.` : `All ${all.length} chains were normal for as long as is known.`;
  let place = find("timeline-chart");
  if (!place) {
    place = make("div", { id: "timeline-chart", class: "chart" });
    fill(body, make("p", { class: "summary", id: "timeline-summary" }), make("div", { class: "scroll tall", tabindex: "0", role: "region", "aria-label": "Chain status, last 7 days" }, place));
  }
  fill(find("timeline-summary"), summary, " ", ["maintenance", "unknown", "absent", "normal"].map((word) => make("span", { class: `key ${word}` }, WORDS[word])), make("span", { class: "key gap" }, "not polled"), " ", box);
  place.hidden = !chosen.length;
  if (!chosen.length) return undefined;
  const rows = chosen.flatMap(({ stretches }) => stretches).map((stretch) => ({
    ...stretch, label: `${stretch.chain}: ${stretch.status}, ${momentText(stretch.from)} to ${momentText(stretch.to)} ${zoneName()}, ${spanText((stretch.to - stretch.from) / 1000)}`,
  }));
  const end = Math.max(facts.nowMs, ...rows.map(({ to }) => to));
  const start = facts.nowMs - 7 * DAY;
  return draw(place, `timeline ${chosen.length}`, timelineChart(chosen.map(({ chain }) => chain)),
    { rows, spans: chosen.map(({ chain }) => ({ chain, from: start, to: end })) }, [start, end]);
}

function timelineChart(order) {
  const y = { field: "chain", type: "nominal", sort: order, axis: { title: null, grid: false, labelLimit: 90, ticks: false, domain: false } };
  const words = ["maintenance", "unknown", "absent", "normal"].map((word) => WORDS[word]);
  const x = { field: "from", type: "temporal", scale: timeScale(), axis: timeAxis({ orient: "top" }) };
  return {
    height: 15 * order.length,
    layer: [
      { data: { name: "spans" }, mark: { type: "bar", height: 9, filled: false, stroke: GREY, strokeDash: [2, 2], strokeOpacity: 0.7, strokeWidth: 1, aria: false }, encoding: { y, x, x2: { field: "to" } } },
      {
        data: { name: "rows" }, mark: { type: "bar", height: 10 },
        encoding: {
          y, x, x2: { field: "to" },
          color: { field: "status", type: "nominal", scale: { domain: words, range: [ORANGE, GREY, "#56B4E9", GREEN] }, legend: null },
          // So that what was only just seen is seen here too.
          stroke: { field: "status", type: "nominal", scale: { domain: words, range: [ORANGE, GREY, "#56B4E9", GREEN] }, legend: null },
          strokeWidth: { condition: { test: "datum.status === 'Normal'", value: 0 }, value: 2 },
          opacity: { condition: { test: "datum.status === 'Normal'", value: 0.22 }, value: 1 },
          tooltip: [{ field: "label", title: "" }], description: { field: "label" },
        },
      },
    ],
  };
}
