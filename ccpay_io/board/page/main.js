// Puts the page together: what is chosen stands in the address, so that a reload or a link keeps it.

function readAddress() {
  const given = new URLSearchParams(location.hash.slice(1));
  clock.local = given.get("clock") === "local";
  document.querySelector(`input[name=clock][value=${clock.local ? "local" : "utc"}]`).checked = true;
  const usual = coinNamed(given.get("coin") ?? "") ?? coinNamed("USDT") ?? coins[0];
  chosen.coinId = usual?.id ?? null;
  chosen.amount = /^\d{1,20}(\.\d{1,18})?$/.test(given.get("amount") ?? "") ? given.get("amount") : "";
  const fiat = given.get("fiat") ?? facts.fiat;
  chosen.fiat = fiat === "USD" || facts.fiats.some((entry) => entry.fiat === fiat) ? fiat : "USD";
  const zone = given.get("zone") ?? facts.timezone;
  chosen.zone = facts.zones.includes(zone) ? zone : "UTC";
  chosen.chain = given.get("chain");
}

function writeAddress() {
  const state = new URLSearchParams({ coin: chosen.coinId ?? "", amount: chosen.amount, fiat: chosen.fiat, zone: chosen.zone, chain: chosen.chain ?? "", clock: clock.local ? "local" : "utc" });
  window.history.replaceState(null, "", `#${state}`);
}

// The chain of the hours and of fee against price: the chosen one, or the cheapest usable one.
function settleChain() {
  const routes = routesNow();
  if (!routes.some(({ chain }) => chain === chosen.chain)) {
    chosen.chain = (routes.find(({ cost_rank: rank }) => rank !== null) ?? routes[0])?.chain ?? null;
  }
}

function showForm() {
  find("coin").value = coinName();
  find("amount").value = chosen.amount;
  find("fiat").value = chosen.fiat;
  find("complaint").textContent = "";
}

async function showChosen() {
  settleChain();
  writeAddress();
  showForm();
  showRoutes();
  if (series) await Promise.all([showHours(), showHistory(), showAgainst()]);
}

async function choose(changes) {
  if ("coinId" in changes && changes.coinId !== chosen.coinId) drawing.chains = null;
  Object.assign(chosen, changes);
  await showChosen();
  settled();
}

function complain(text) {
  find("complaint").textContent = text;
}

function listen() {
  find("question").addEventListener("submit", (event) => event.preventDefault());
  find("coin").addEventListener("change", (event) => {
    const coin = coinNamed(event.target.value);
    if (coin) choose({ coinId: coin.id });
    else complain(`There is no coin ${event.target.value.trim() || "without a name"} here.`);
  });
  find("coin").addEventListener("focus", (event) => event.target.select());
  find("amount").addEventListener("change", (event) => {
    const amount = event.target.value.trim();
    const fits = amount === "" || (/^\d{1,20}(\.\d{1,18})?$/.test(amount) && units(amount) > 0n);
    if (fits) choose({ amount });
    else complain("An amount is a plain number above nothing, such as 500 or 0.25.");
  });
  find("fiat").addEventListener("change", (event) => choose({ fiat: event.target.value }));
  for (const input of document.querySelectorAll("input[name=clock]")) {
    input.addEventListener("change", async () => {
      clock.local = input.value === "local" && input.checked;
      showOperations();
      showMovers();
      showSpikes();
      await Promise.all([showTimeline(), showChosen()]);
      settled();
    });
  }
  let width = innerWidth;
  addEventListener("resize", () => {
    if (innerWidth === width) return;
    width = innerWidth;
    Promise.all([showTimeline(), showHours(), showHistory(), showAgainst()]);
  });
}

// A page that `ccpay up` serves looks for a newer one; a file cannot, and its age says so.
function refreshItself() {
  if (location.protocol === "file:") return;
  setInterval(async () => {
    if (document.hidden || find("sql").open) return;
    try {
      const status = await (await fetch("status.json", { cache: "no-store" })).json();
      if (status.built_at !== facts.now) location.reload();
    } catch {
      // The server is gone; what is on the screen ages by itself.
    }
  }, 15000);
}

function showFooter() {
  fill(find("footer"),
    make("p", {}, "One file, no server: everything on this page is inside it and it asks for nothing from anywhere. Amounts are exact decimals; charts are drawn from floats. ",
      `Built ${momentText(facts.nowMs)} ${zoneName()}. `, "Charts: Vega and Vega-Lite, BSD-3-Clause."),
    make("p", {}, "For programs: ", make("code", {}, "status.json"), " beside this file. For questions of your own: ", make("code", {}, "ccpay query"), "."));
}

let turns = 0;
function settled() {
  turns += 1;
  document.documentElement.dataset.ready = String(turns);
}

const painted = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));

async function start() {
  await loadFacts();
  listCoins();
  readAddress();
  listFiats();
  listen();
  settleChain();
  showForm();
  showOperations();
  showRoutes();
  showMovers();
  showSpikes();
  showFooter();
  document.documentElement.dataset.shown = "1";
  setInterval(() => { tickAges(); showBanners(); }, 15000);
  document.addEventListener("visibilitychange", () => { tickAges(); showBanners(); });
  refreshItself();
  // What can be read is on the screen before what has to be drawn takes its time.
  await painted();
  await loadSeries();
  await Promise.all([showTimeline(), showChosen()]);
  settled();
}

start().catch((error) => {
  console.error(error);
  fill(find("banners"), make("p", { class: "banner dead" }, make("b", {}, "This page could not draw itself: "), String(error.message ?? error)));
});
