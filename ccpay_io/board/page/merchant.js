// For the merchant: which chain to pay a coin out on, what that saves, and why others cannot be used.

const chosen = { coinId: null, amount: "", fiat: "USD", chain: null, zone: "UTC" };
let coins = [];

// Symbols need not be unique: those that are not get the id beside them.
function listCoins() {
  const names = new Map();
  for (const { coin_id: id, coin } of facts.routes) names.set(id, coin ?? String(id));
  const count = new Map();
  for (const name of names.values()) count.set(name.toUpperCase(), (count.get(name.toUpperCase()) ?? 0) + 1);
  coins = [...names].map(([id, name]) => ({ id, name, label: count.get(name.toUpperCase()) > 1 ? `${name} (${id})` : name }))
    .sort((a, b) => (a.label < b.label ? -1 : 1));
  fill(find("coins"), coins.map(({ label }) => make("option", { value: label })));
}

const coinNamed = (text) => {
  const wanted = text.trim().toUpperCase();
  return coins.find(({ label, id }) => label.toUpperCase() === wanted || String(id) === wanted) ?? coins.find(({ name }) => name.toUpperCase() === wanted);
};
const coinName = () => coins.find(({ id }) => id === chosen.coinId)?.label ?? "";

function listFiats() {
  const codes = ["USD", ...facts.fiats.map(({ fiat }) => fiat).filter((fiat) => fiat && fiat !== "USD")];
  fill(find("fiat"), codes.map((code) => make("option", { value: code }, code)));
  find("fiat").value = chosen.fiat;
}

// Units of the fiat per US dollar; null when it is not known.
function rate() {
  if (chosen.fiat === "USD") return units("1");
  return units(facts.fiats.find(({ fiat }) => fiat === chosen.fiat)?.usd_rate ?? null);
}

const inFiat = (usd) => (usd === null || rate() === null ? null : product(units(usd), rate()));

// The routes of the coin for the amount, ranked as the macro payout_route does.
function routesNow() {
  const amount = chosen.amount ? units(chosen.amount) : null;
  const routes = facts.routes.filter(({ coin_id: id }) => id === chosen.coinId).map((route) => {
    const [least, most] = [units(route.min_withdraw_amount), units(route.max_withdraw_amount)];
    const limit = amount === null ? null : least !== null && amount < least ? "below_minimum" : most !== null && amount > most ? "above_maximum" : null;
    return { ...route, reason_excluded: route.reason_excluded ?? limit, cost_rank: null };
  });
  const usable = routes.filter(({ reason_excluded: reason }) => reason === null);
  const costs = usable.map(({ fee_usd: usd }) => units(usd)).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const rank = new Map(costs.map((cost, at) => [cost, at + 1]).reverse());
  for (const route of usable) route.cost_rank = rank.get(units(route.fee_usd));
  return routes.sort((a, b) => (a.cost_rank ?? Infinity) - (b.cost_rank ?? Infinity) || (a.chain < b.chain ? -1 : 1));
}

const REASONS = {
  "blocked:maintenance": "in maintenance", "blocked:chain_absent": "the chain is no longer listed", "blocked:can_withdraw_false": "withdrawals are closed",
  below_minimum: "below the smallest withdrawal", above_maximum: "above the largest withdrawal", stale: "the fee is too old",
  no_fee: "no fee is known", no_price: "the fee coin has no price", stale_price: "the fee coin's price is too old", too_large: "the fee is too large to value",
};
function reasonText(reason) {
  if (REASONS[reason]) return REASONS[reason];
  if (reason.startsWith("unknown:")) return `no answer (${reason.slice(8)})`;
  const code = reason.replace("blocked:", "");
  return /^\d+$/.test(code) ? `refused with code ${code}` : reason;
}

// What stands beside the status of a chain that cannot be used.
function whyNot({ chain, reason_excluded: reason }) {
  const now = facts.chains.find((entry) => entry.chain === chain);
  if (reason === "blocked:maintenance" && now) return `since ${boundsText(moment(now.started_after), moment(now.started_by))}`;
  return reasonText(reason);
}

function amountText(text) {
  return text === null ? "none" : grouped(plain(text));
}

function costCell(usd) {
  const value = inFiat(usd);
  return make("span", { title: value === null ? "not known" : `${plain(fixed(value, 12))} ${chosen.fiat}` }, money(value));
}

function showRoutes() {
  const routes = routesNow();
  const usable = routes.filter(({ cost_rank: rank }) => rank !== null);
  const amount = chosen.amount ? `${chosen.amount} ` : "";
  find("routes").querySelector("h2").textContent = chosen.coinId === null ? "Chains, cheapest first" : `Paying out ${amount}${coinName()}: chains, cheapest first`;
  tools("routes", {
    sql: () => sqlOf("routes", { coin: chosen.coinId, amount: chosen.amount || "NULL" }),
    rows: () => rowsOf("routes", routes),
  });
  if (chosen.coinId === null) return fill(bodyOf("routes"), make("p", { class: "empty" }, "No fee has been polled yet."));
  const withDefault = usable.some(({ saves_vs_default_usd: saved }) => saved !== null);
  const columns = [["#", "number"], ["Chain"], ["Status"], [`Cost, ${chosen.fiat}`, "number"], ...(chosen.fiat === "USD" ? [] : [["Cost, USD", "number"]]), ["Fee", "number"],
    [`Saves against the dearest, ${chosen.fiat}`, "number"], ...(withDefault ? [[`… against your default, ${chosen.fiat}`, "number"]] : []), ["Limits", "number"], ["Memo"], ["Answered", "number"]];
  const row = (route) => {
    const out = route.cost_rank === null;
    const status = route.status ?? "unknown";
    return [
      out ? "–" : String(route.cost_rank), make("b", {}, route.chain),
      make("span", {}, chip(status), out ? make("small", {}, whyNot(route)) : null),
      costCell(route.fee_usd), ...(chosen.fiat === "USD" ? [] : [make("span", { title: `${route.fee_usd ?? "not known"} USD` }, money(units(route.fee_usd)))]),
      route.fee_amount === null ? "–" : `${plain(route.fee_amount)} ${route.fee_coin ?? ""}`,
      out ? "–" : costCell(route.saves_vs_worst_usd), ...(withDefault ? [out ? "–" : costCell(route.saves_vs_default_usd)] : []),
      `${amountText(route.min_withdraw_amount)} – ${route.max_withdraw_amount === null ? "no limit" : amountText(route.max_withdraw_amount)}`,
      route.needs_memo ? make("span", { class: "memo" }, "▲ give the receiver's memo or tag") : route.needs_memo === null ? "not known" : "no",
      ageOf(moment(route.observed_at), { late: lateAfter("fees") }),
    ];
  };
  const draw = (some) => tableOf(`Chains for ${coinName()}`, columns, some.map(row), { rowClass: (at) => (some[at].cost_rank === null ? "excluded" : some[at].cost_rank === 1 ? "best" : null) });
  const none = usable.length ? null : make("p", { class: "banner late" }, `No chain can be used for ${amount}${coinName()} now; each says why.`);
  return fill(bodyOf("routes"), none, routeSummary(usable), shortened(routes, Math.max(8, Math.min(usable.length, 12)), draw, "chains"));
}

function routeSummary(usable) {
  if (usable.length < 2) return null;
  const [best, worst] = [usable[0], usable[usable.length - 1]];
  const fiatAge = chosen.fiat === "USD" ? "" : facts.fiats.find(({ fiat }) => fiat === chosen.fiat)?.observed_at;
  return make("p", { class: "summary" }, make("b", {}, best.chain), ` costs ${money(inFiat(best.fee_usd))} ${chosen.fiat}, the dearest of ${usable.length} usable chains, ${worst.chain}, ${money(inFiat(worst.fee_usd))} ${chosen.fiat}.`,
    fiatAge ? [` Rate of ${chosen.fiat}: `, ageOf(moment(fiatAge), { late: lateAfter("fiats") }), "."] : null);
}
