// For the analyst: how fees moved, whether fee or price did it, and what moved most.

const drawing = { days: 28, unit: "usd", chains: null };
const RANGES = [["24 h", 1], ["7 days", 7], ["28 days", 28]];
const MOST_LINES = PALETTE.length;

// The chains that are drawn: those ticked, at first the four cheapest.
function drawnChains(all) {
  if (drawing.chains) return all.filter((chain) => drawing.chains.has(chain));
  const ranked = routesNow().filter(({ cost_rank: rank }) => rank !== null).map(({ chain }) => chain);
  const first = ranked.filter((chain) => all.includes(chain)).slice(0, 4);
  return first.length ? first : all.slice(0, 4);
}

function toggleChain(chain, on, all) {
  drawing.chains = new Set(drawnChains(all));
  if (on) drawing.chains.add(chain);
  else drawing.chains.delete(chain);
  showHistory();
}

function historyControls(lines, all, ticked) {
  const range = ([label, days]) => make("button", { type: "button", "aria-pressed": String(drawing.days === days), onclick: () => { drawing.days = days; showHistory(); } }, label);
  const unit = (value, label) => make("button", { type: "button", "aria-pressed": String(drawing.unit === value), onclick: () => { drawing.unit = value; showHistory(); } }, label);
  const box = (chain) => make("label", { class: "inline" }, make("input", { type: "checkbox", checked: ticked.includes(chain), disabled: !ticked.includes(chain) && ticked.length >= MOST_LINES, onchange: (event) => toggleChain(chain, event.target.checked, all) }), ` ${chain}`);
  return [
    make("div", { class: "group", role: "group", "aria-label": "Time shown" }, RANGES.map(range)),
    make("div", { class: "group", role: "group", "aria-label": "Unit" }, unit("usd", "USD"), unit("amount", "fee coin")),
    make("div", { class: "ticks", role: "group", "aria-label": "Chains" }, all.map(box)),
  ];
}

async function showHistory() {
  const lines = linesOf(chosen.coinId);
  const all = [...new Set(lines.map(({ chain }) => chain))].sort();
  const ticked = drawnChains(all);
  const since = facts.nowMs - drawing.days * DAY;
  const shownLines = ticked.flatMap((chain) => lines.filter((line) => line.chain === chain));
  const points = shownLines.map((line) => pointsOf(line, since));
  find("fees").querySelector("h2").textContent = chosen.coinId === null ? "Fee history" : `Fee history of ${coinName()}`;
  tools("fees", {
    sql: () => (drawing.days > 7 ? `${sqlOf("fees_daily", { coin: chosen.coinId }).trim()};\n\n` : "") + sqlOf("fees_hourly", { coin: chosen.coinId }),
    rows: () => ({
      columns: ["chain", "from", "to", "fee_amount", "fee_coin", "fee_usd"],
      rows: points.flat().filter(({ known }) => known).map(({ chain, t, until, amount, feeCoin, usd }) => [chain, new Date(t).toISOString(), new Date(until).toISOString(), Number(amount.toPrecision(6)), feeCoin, Number(usd.toPrecision(6))]),
    }),
  });
  if (!all.length) return fill(bodyOf("fees"), make("p", { class: "empty" }, "No fee with a price is known for a full hour of the last 28 days."));
  if (!find("fees-chart")) {
    fill(bodyOf("fees"), make("div", { class: "controls", id: "fees-controls" }), make("p", { class: "summary", id: "fees-summary" }), make("div", { id: "fees-chart", class: "chart" }), make("p", { class: "hint" }, "Drag to move, Shift and the wheel to zoom, double-click to go back. Hours for 7 days, means of days before. Where a line is broken, nothing is known. ▲ unusually high fee."));
  }
  fill(find("fees-controls"), historyControls(lines, all, ticked));
  fill(find("fees-summary"), ticked.length ? summaryOf(points.flat().filter(({ known }) => known)) : "Select at least one chain.");
  find("fees-chart").hidden = !ticked.length;
  if (!ticked.length) return undefined;
  const unitName = drawing.unit === "usd" ? "USD" : "units of the fee coin";
  const rows = points.flatMap(stepsOf).map((step) => ({ ...step, value: step[drawing.unit] }));
  const marks = facts.spikes
    .filter((spike) => spike.coin_id === chosen.coinId && ticked.includes(spike.chain) && moment(spike.opened_at) >= since)
    .map((spike) => ({ chain: spike.chain, t: moment(spike.opened_at), value: drawing.unit === "usd" ? Number(spike.peak_usd) : null,
      label: `${spike.chain}: unusually high from ${momentText(moment(spike.opened_at))}, peak ${money(units(spike.peak_usd))} USD, usual ${money(units(spike.baseline_usd))} USD, by ${spike.cause}` }))
    .filter(({ value }) => value !== null);
  return draw(find("fees-chart"), `fees ${unitName}`, historyChart(unitName), { rows, marks }, spanOf(rows, since));
}

// From the first thing that is known, when that is later than what was asked for.
function spanOf(rows, since) {
  const first = rows.reduce((least, { t }) => Math.min(least, t), facts.nowMs - HOUR);
  return [Math.max(since, first), facts.nowMs];
}

// Of the step under the pointer: a text for each of a thousand steps would take longer than the chart.
const labelOf = (step) => (step.what ? `${step.what}, ${momentText(step.t)} ${zoneName()}: ${step.value.toFixed(1)} % of the first value` : stepLabel(step));
const stepLabel = ({ chain, t, usd, amount, feeCoin }) => `${chain}, ${momentText(t)} ${zoneName()}: ${usd === null ? "not known" : `${digits(usd)} USD, ${digits(amount)} ${feeCoin ?? ""}`}`;

function summaryOf(points) {
  if (!points.length) return "Nothing is known of these chains in this time.";
  const by = Map.groupBy ? Map.groupBy(points, ({ chain }) => chain) : points.reduce((map, point) => map.set(point.chain, [...(map.get(point.chain) ?? []), point]), new Map());
  return [...by].map(([chain, list]) => {
    const values = list.map((point) => point[drawing.unit]);
    return `${chain} ${digits(Math.min(...values))} to ${digits(Math.max(...values))}`;
  }).join("; ") + (drawing.unit === "usd" ? " USD." : ".");
}

function historyChart(unitName) {
  const x = { field: "t", type: "temporal", scale: timeScale(), axis: timeAxis() };
  const y = { field: "value", type: "quantitative", scale: { zero: false, nice: true }, axis: valueAxis(unitName) };
  const color = { field: "chain", type: "nominal", scale: { range: PALETTE }, sort: null, legend: { symbolType: "stroke" } };
  return {
    height: 280, encoding: { x, color },
    layer: [
      { data: { name: "rows" }, params: [{ name: "zoom", select: { type: "interval", encodings: ["x"], zoom: "wheel![event.shiftKey]" }, bind: "scales" }],
        mark: { type: "line", interpolate: "step-after", strokeWidth: 1.6, invalid: "break-paths-show-domains", clip: true }, encoding: { y, order: { field: "t" } } },
      { data: { name: "rows" }, mark: { type: "point", opacity: 0, size: 60, clip: true, aria: false, tooltip: { content: "data" } }, encoding: { y } },
      { data: { name: "marks" }, mark: { type: "point", shape: "triangle-up", filled: true, size: 70, yOffset: -8, opacity: 1, clip: true }, encoding: { y: { ...y, field: "value" }, tooltip: [{ field: "label", title: "" }], description: { field: "label" } } },
    ],
  };
}

// Both as percent of their first known value, so that one can see which of them moved the cost.
async function showAgainst() {
  const lines = linesOf(chosen.coinId).filter(({ chain }) => chain === chosen.chain);
  const since = facts.nowMs - 28 * DAY;
  const points = lines.flatMap((line) => pointsOf(line, since)).filter(({ known, amount }) => known && amount > 0);
  find("against").querySelector("h2").textContent = chosen.chain ? `Fee against price: ${coinName()} on ${chosen.chain}` : "Fee against price";
  const priced = points.map((point) => ({ ...point, price: point.usd / point.amount }));
  tools("against", {
    sql: () => `${sqlOf("fees_daily", { coin: chosen.coinId }).trim()};\n\n${sqlOf("fees_hourly", { coin: chosen.coinId })}`,
    rows: () => ({ columns: ["chain", "from", "fee_amount", "fee_coin", "price_usd", "fee_usd"], rows: priced.map(({ chain, t, amount, feeCoin, price, usd }) => [chain, new Date(t).toISOString(), Number(amount.toPrecision(6)), feeCoin, Number(price.toPrecision(6)), Number(usd.toPrecision(6))]) }),
  });
  if (!points.length) return fill(bodyOf("against"), make("p", { class: "empty" }, "No fee with a price is known here."));
  if (!find("against-chart")) {
    fill(bodyOf("against"), make("p", { class: "summary", id: "against-summary" }), make("div", { id: "against-chart", class: "chart" }));
  }
  const [first, last] = [priced[0], priced[priced.length - 1]];
  const change = (key) => `${last[key] >= first[key] ? "+" : ""}${((last[key] / first[key] - 1) * 100).toFixed(1)} %`;
  fill(find("against-summary"), `Since ${momentText(first.t)}: the fee in ${last.feeCoin ?? "its coin"} ${change("amount")}, the price of ${last.feeCoin ?? "that coin"} ${change("price")}, the cost in USD ${change("usd")}.`);
  const names = { amount: "fee in its coin", price: "price of that coin", usd: "cost in USD" };
  const rows = Object.keys(names).flatMap((key) => stepsOf(priced.map((point) => ({ ...point, value: (point[key] / first[key]) * 100 }))).map(({ t, value, known }) => ({
    t, what: names[key], value: known ? value : null,
  })));
  return draw(find("against-chart"), "against", againstChart(Object.values(names)), { rows }, spanOf(rows, since));
}

function againstChart(names) {
  const y = { field: "value", type: "quantitative", scale: { zero: false }, axis: valueAxis("% of the first known value") };
  return {
    height: 200, data: { name: "rows" },
    encoding: {
      x: { field: "t", type: "temporal", scale: timeScale(), axis: timeAxis() },
      color: { field: "what", type: "nominal", scale: { domain: names, range: [PALETTE[0], PALETTE[4], GREY] }, legend: { symbolType: "stroke" } },
    },
    layer: [
      { mark: { type: "line", interpolate: "step-after", strokeWidth: 1.6, invalid: "break-paths-show-domains", clip: true }, encoding: { y, order: { field: "t" }, strokeDash: { field: "what", type: "nominal", scale: { domain: names, range: [[1, 0], [1, 0], [4, 3]] } } } },
      { mark: { type: "point", opacity: 0, size: 60, clip: true, aria: false, tooltip: { content: "data" } }, encoding: { y } },
    ],
  };
}

const signed = (value) => (value === null ? "–" : `${value > 0 ? "+" : ""}${value.toFixed(1)} %`);

function goTo(coinId, chain) {
  return make("button", { type: "button", class: "link", onclick: () => { choose({ coinId, chain }); find("fees").scrollIntoView({ behavior: "smooth" }); } }, chain);
}

function showMovers() {
  tools("movers", { sql: () => sqlOf("movers"), rows: () => rowsOf("movers") });
  if (!facts.movers.length) return fill(bodyOf("movers"), make("p", { class: "empty" }, facts.routes.length ? "No fee that is known now was another one 24 hours before." : "Nothing is known yet."));
  const row = (mover) => [mover.coin ?? String(mover.coin_id), goTo(mover.coin_id, mover.chain), signed(mover.cost_change_pct), signed(mover.fee_change_pct), signed(mover.price_change_pct), money(units(mover.fee_usd))];
  const draw = (some) => tableOf("Change of the cost in USD, and of fee and price by themselves", [["Coin"], ["Chain"], ["Cost", "number"], ["Fee", "number"], ["Price", "number"], ["USD now", "number"]], some.map(row));
  return fill(bodyOf("movers"), shortened(facts.movers, 8, draw, "movers"));
}

function showSpikes() {
  tools("spikes", { sql: () => sqlOf("spikes"), rows: () => rowsOf("spikes") });
  if (!facts.spikes.length) return fill(bodyOf("spikes"), make("p", { class: "empty" }, facts.routes.length ? "No fee was unusually high in the last 7 days." : "Nothing is known yet."));
  const row = (spike) => [spike.coin ?? String(spike.coin_id), goTo(spike.coin_id, spike.chain), momentText(moment(spike.opened_at)), spike.closed_at ? spanText((moment(spike.closed_at) - moment(spike.opened_at)) / 1000) : "still high",
    money(units(spike.peak_usd)), spike.ratio === null ? "–" : `${spike.ratio.toFixed(1)}×`, spike.cause];
  const draw = (some) => tableOf("Fees above twice what is usual, newest first", [["Coin"], ["Chain"], ["From"], ["For", "number"], ["Peak, USD", "number"], ["Of usual", "number"], ["By"]], some.map(row));
  return fill(bodyOf("spikes"), shortened(facts.spikes, 8, draw, "times"));
}
