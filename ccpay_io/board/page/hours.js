// At which hours of the week a payout is cheapest, and on how many samples that stands.

const DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

function weekOf(chain) {
  const entity = facts.entities.findIndex(([id, name]) => id === chosen.coinId && name === chain);
  if (entity < 0) return [];
  const { median, count } = weeks[chosen.zone];
  return Array.from({ length: 168 }, (_, slot) => ({
    dow: Math.floor(slot / 24) + 1, day: DAYS[Math.floor(slot / 24)], hour: slot % 24, usd: median[entity * 168 + slot], n: count[entity * 168 + slot],
  })).filter(({ n }) => n > 0);
}

const digits = (value) => (value === 0 ? "0" : Math.abs(value) >= 0.01 ? value.toFixed(value >= 1000 ? 0 : 3) : value.toPrecision(3));

async function showHours() {
  const chains = [...new Set(linesOf(chosen.coinId).map(({ chain }) => chain))];
  tools("hours", {
    sql: () => sqlOf(`hours ${chosen.zone}`, { coin: chosen.coinId, chain: quoted(chosen.chain) }),
    rows: () => ({ columns: ["iso_dow", "local_hour", "sample_count", "fee_usd_p50"], rows: weekOf(chosen.chain).map(({ dow, hour, n, usd }) => [dow, hour, n, Number(usd.toPrecision(6))]) }),
  });
  find("hours").querySelector("h2").textContent = chosen.chain ? `Cheapest hours for ${coinName()} on ${chosen.chain}` : "Cheapest hours";
  const week = chains.includes(chosen.chain) ? weekOf(chosen.chain) : [];
  if (!week.length) return fill(bodyOf("hours"), make("p", { class: "empty" }, "No fee with a price is known for a full hour of the last 28 days."));
  const sorted = week.slice().sort((a, b) => a.usd - b.usd || a.dow - b.dow || a.hour - b.hour);
  const middle = sorted[Math.floor(sorted.length / 2)].usd;
  const body = bodyOf("hours");
  if (!find("hours-chart")) {
    fill(body, make("div", { class: "controls", id: "hours-controls" }), make("p", { class: "summary", id: "hours-summary" }),
      make("div", { class: "row week" }, make("div", { id: "hours-chart", class: "chart" }), make("div", { id: "hours-list" })));
  }
  fill(find("hours-controls"),
    make("label", {}, "Chain ", selectOf("hours-chain", chains, chosen.chain, (value) => choose({ chain: value }))),
    make("label", {}, "Hours in ", selectOf("hours-zone", facts.zones, chosen.zone, (value) => choose({ zone: value }))));
  const samples = sorted.reduce((sum, { n }) => sum + n, 0);
  const flat = sorted[sorted.length - 1].usd - sorted[0].usd < 0.001 * middle;
  fill(find("hours-summary"), `${flat ? "No hour is cheaper than another. " : ""}Median of the fee at full hours of the last 28 days, in USD: ${samples} samples in ${week.length} hours of the week. Few samples say little.`);
  const row = ({ day, hour, usd, n }) => [`${day} ${String(hour).padStart(2, "0")}:00`, digits(usd), `${((usd / middle - 1) * 100).toFixed(1)} %`, String(n)];
  fill(find("hours-list"), tableOf("The cheapest hours", [[`Hour, ${chosen.zone}`], ["Median, USD", "number"], ["Against the usual", "number"], ["Samples", "number"]], sorted.slice(0, 7).map(row)));
  const cells = week.map((cell) => ({
    ...cell, against: (cell.usd / middle - 1) * 100,
    label: `${cell.day} ${String(cell.hour).padStart(2, "0")}:00 ${chosen.zone}: ${digits(cell.usd)} USD, ${((cell.usd / middle - 1) * 100).toFixed(1)} % against the usual, ${cell.n} samples`,
  }));
  return draw(find("hours-chart"), "hours", weekChart(), { cells });
}

function weekChart() {
  return {
    data: { name: "cells" }, height: 7 * 24, mark: { type: "rect" },
    encoding: {
      x: { field: "hour", type: "ordinal", scale: { domain: Array.from({ length: 24 }, (_, hour) => hour) }, axis: { title: "hour of the day", labelAngle: 0, ticks: false, domain: false } },
      y: { field: "day", type: "ordinal", scale: { domain: DAYS }, axis: { title: null, ticks: false, domain: false } },
      color: { field: "against", type: "quantitative", scale: { domainMid: 0, range: [BLUE, "#F2F2F0", ORANGE], type: "linear", interpolate: "rgb" }, legend: { title: "% against the median of all hours", orient: "bottom", gradientLength: 220, titleLimit: 300, format: "+.0f" } },
      tooltip: [{ field: "label", title: "" }], description: { field: "label" },
    },
  };
}

function selectOf(id, values, value, onChange) {
  const select = make("select", { id, onchange: (event) => onChange(event.target.value) }, values.map((each) => make("option", { value: each, selected: each === value }, each)));
  return select;
}
