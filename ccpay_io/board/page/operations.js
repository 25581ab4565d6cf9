// For operations: what is not normal, whether that is the API, us or a chain, and for how long.

const LATE_CADENCES = 3, DEAD_S = 3600;

const feedOf = (name) => facts.feeds.find(({ feed }) => feed === name);
const answeredAt = (name) => moment(feedOf(name)?.observed_at ?? null);
const lateAfter = (name) => LATE_CADENCES * facts.cadences[name];

// How a feed stands by the reader's clock: fresh, late, dead, or none where nothing was ever answered.
function freshness(name) {
  const age = ageSeconds(answeredAt(name));
  if (age === null) return "none";
  if (age <= lateAfter(name)) return "fresh";
  return age > Math.max(DEAD_S, lateAfter(name)) ? "dead" : "late";
}

const staleFeeds = () => ["chains", "fees"].filter((name) => ["late", "dead"].includes(freshness(name)));

const FEED_NAMES = { chains: "chain statuses", fees: "fees", prices: "coin prices", fiats: "fiat rates", networks: "coin networks", coins: "swap coins", watchlist: "watchlist" };

function showBanners() {
  const lines = [];
  if (!facts.feeds.length) {
    lines.push(make("p", { class: "banner late" }, make("b", {}, "Nothing has been published yet. "), "Run ", make("code", {}, "ccpay poll all"), " or ", make("code", {}, "ccpay up"), ", then build the board again."));
  }
  const never = facts.feeds.length ? ["chains", "fees", "prices", "fiats"].filter((name) => answeredAt(name) === null) : [];
  if (never.length) {
    lines.push(make("p", { class: "banner late" }, make("b", {}, "Partly known: "), `there is no answer yet about ${never.map((name) => FEED_NAMES[name]).join(", ")}.`));
  }
  const stale = staleFeeds();
  document.documentElement.dataset.stale = stale.join(" ");
  for (const name of stale) {
    const at = answeredAt(name);
    lines.push(make("p", { class: `banner ${freshness(name)}`, "data-feed": name },
      make("b", {}, `Stale ${FEED_NAMES[name]}: `),
      `last answered ${momentText(at)} ${zoneName()}, ${spanText(ageSeconds(at))} ago; expected every ${spanText(facts.cadences[name])}. “Now” below means that time.`));
  }
  if (facts.feeds.some(({ observed_at: at }) => at && ageSeconds(moment(at)) < -60)) {
    lines.push(make("p", { class: "banner late" }, make("b", {}, "This machine's clock is behind the data: "), "ages on this page cannot be trusted."));
  }
  const place = find("banners");
  if (place.textContent !== lines.map((line) => line.textContent).join("")) {
    fill(place, lines);
    showTiles();
  }
}

function showHead() {
  const sandbox = facts.environment === "sandbox";
  find("environment").hidden = !sandbox;
  find("environment").textContent = sandbox ? "Sandbox: made-up data, not CCPayment's" : "";
  find("local-name").textContent = ZONE === "UTC" ? "local time (UTC)" : `local time (${ZONE})`;
  const at = moment(facts.published_at);
  fill(find("as-of"), at === null ? "no data yet" : ["Published ", make("time", { datetime: facts.published_at }, `${momentText(at)} ${zoneName()}`), ", ", ageOf(at)]);
}

function tile(id, title, value, ...notes) {
  return make("section", { class: "tile", id, "aria-label": title },
    make("h2", {}, title), make("p", { class: "value" }, value), notes.filter(Boolean).map((note) => make("p", { class: "note" }, note)));
}

function showTiles() {
  if (!facts.feeds.length) return showNoTiles();
  const listed = facts.chains.filter(({ status }) => status !== "absent");
  const count = (word) => listed.filter(({ status }) => status === word).length;
  const absent = facts.chains.length - listed.length;
  return fill(find("tiles"),
    tile("tile-chains", "Chains in maintenance", [make("b", { class: count("maintenance") ? "bad" : "" }, String(count("maintenance"))), ` of ${listed.length}`],
      make("span", { class: count("unknown") ? "unclear" : "" }, `${count("unknown")} unknown, counted apart`),
      `${count("normal")} normal${absent ? `, ${absent} no longer listed` : ""}`),
    sourceTile(),
    coverageTile(),
    alertTile());
}

// Before anything is known there are no numbers, not even zeros.
function showNoTiles() {
  const titles = { "tile-chains": "Chains in maintenance", "tile-source": "CCPayment's API", "tile-polls": "Polls received today (UTC)", "tile-alerts": "Open alerts" };
  fill(find("tiles"), Object.entries(titles).map(([id, title]) => tile(id, title, "–", "no data yet")));
}

// What was counted for a page that has grown old.
const asOf = () => (staleFeeds().length ? `as of ${momentText(facts.nowMs)} ${zoneName()}` : null);

// Whether the API answers is not known by a page that has heard nothing for long.
function sourceTile() {
  const open = facts.alerts.filter(({ kind }) => kind === "source_health");
  const heard = freshness("chains") === "fresh";
  const value = open.length ? make("b", { class: "bad" }, "Failing") : heard ? "Answering" : "Not known";
  return tile("tile-source", "CCPayment's API", value,
    open.length ? `${open[0].subject} since ${momentText(moment(open[0].opened_at))}` : heard ? "no open alert about the source" : "nothing has been heard of it since",
    ["chain statuses ", ageOf(answeredAt("chains"), { late: lateAfter("chains") })],
    ["fees ", ageOf(answeredAt("fees"), { late: lateAfter("fees") })]);
}

function coverageTile() {
  const sum = (key) => facts.feeds.reduce((total, feed) => total + (feed[key] ?? 0), 0);
  const share = (received, planned) => (planned ? `${Math.floor((1000 * received) / planned) / 10} %` : "–");
  return tile("tile-polls", "Polls received today (UTC)", share(sum("received_today"), sum("planned_today")),
    `${grouped(String(sum("received_today")))} of ${grouped(String(sum("planned_today")))} expected`,
    `yesterday ${share(sum("received_yesterday"), sum("planned_yesterday"))}`, asOf());
}

function alertTile() {
  const by = (word) => facts.alerts.filter(({ severity }) => severity === word).length;
  return tile("tile-alerts", "Open alerts", facts.alerts.length ? make("b", { class: by("critical") ? "bad" : "" }, String(facts.alerts.length)) : "0",
    facts.alerts.length ? `${by("critical")} critical, ${by("warning")} warning, ${by("info")} info` : "nothing is open", asOf());
}

function coinsOf(chain) {
  if (!chain.coin_count) return "0";
  const more = chain.coin_count - chain.coins.length;
  return make("details", {}, make("summary", {}, String(chain.coin_count)), `${chain.coins.join(", ")}${more > 0 ? ` and ${more} more` : ""}`);
}

// For how long at least; at most, where sampling leaves hardly anything of that.
function lasted(after, by) {
  if (by === null) return "–";
  const until = answeredAt("chains") ?? facts.nowMs;
  const least = (until - by) / 1000;
  return least < 60 && after !== null ? `at most ${spanText((until - after) / 1000)}` : spanText(least);
}

function showNotNormal() {
  const order = { maintenance: 0, unknown: 1, absent: 2 };
  const since = (chain) => moment(chain.started_by) ?? 0;
  const found = facts.chains
    .filter(({ status }) => status !== "normal")
    .sort((a, b) => order[a.status] - order[b.status] || since(a) - since(b) || (a.chain < b.chain ? -1 : 1));
  tools("not-normal", { sql: () => sqlOf("chains"), rows: () => rowsOf("chains", found) });
  if (!facts.chains.length) return fill(bodyOf("not-normal"), make("p", { class: "empty" }, "No chain has been seen yet."));
  if (!found.length) return fill(bodyOf("not-normal"), make("p", { class: "summary" }, chip("normal"), ` All ${facts.chains.length} chains are normal.`), endedLately(7));
  const columns = [["Chain"], ["Status"], ["Since"], ["For", "number"], ["Coins", "number"]];
  const row = (chain) => {
    const by = moment(chain.started_by);
    const known = chain.status === "unknown" ? `last known ${chain.last_known_status ?? "never"}` : "";
    return [
      make("span", { title: chain.chain_full_name ?? "" }, chain.chain, chain.is_watched ? make("small", {}, " watched") : null),
      make("span", {}, chip(chain.status), make("small", {}, [known, chain.unknown_reason].filter(Boolean).join(", "))),
      boundsText(moment(chain.started_after), by),
      lasted(moment(chain.started_after), by),
      coinsOf(chain),
    ];
  };
  return fill(bodyOf("not-normal"), shortened(found, 9, (some) => tableOf("Chains that are not normal now", columns, some.map(row)), "chains"), endedLately(Math.max(0, 5 - found.length)));
}

// What is over, of the stretches that the timeline has.
function endedLately(most) {
  const ended = facts.timeline
    .filter(({ chain, status, until }) => status === "maintenance" && facts.timeline.some((next) => next.chain === chain && next.since === until))
    .sort((a, b) => moment(b.until) - moment(a.until)).slice(0, most);
  if (!ended.length) return null;
  const row = ({ chain, since, until }) => [chain, momentText(moment(until)), `${moment(since) <= facts.nowMs - 7 * DAY ? "at least " : ""}${spanText((moment(until) - moment(since)) / 1000)}`];
  return make("div", { class: "lately" }, tableOf("Maintenances of the last 7 days that are over", [["Over again"], ["Seen normal at"], ["After", "number"]], ended.map(row)));
}

function showFeeds() {
  tools("feeds", { sql: () => sqlOf("feeds"), rows: () => rowsOf("feeds") });
  if (!facts.feeds.length) return fill(bodyOf("feeds"), make("p", { class: "empty" }, "Nothing has been polled yet."));
  const columns = [["Feed"], ["Last answer"], ["Every", "number"], ["Today", "number"], ["Yesterday", "number"], ["Not received today"]];
  const row = (feed) => {
    const trouble = [["failed", feed.failed_today], ["skipped", feed.skipped_today], ["partial", feed.partial_today]]
      .filter(([, number]) => number).map(([word, number]) => `${number} ${word}`);
    const missed = (feed.planned_today ?? 0) - (feed.received_today ?? 0);
    const code = feed.top_api_code_today ? `, mostly code ${feed.top_api_code_today}` : "";
    return [
      FEED_NAMES[feed.feed] ?? feed.feed,
      ageOf(moment(feed.observed_at), { late: lateAfter(feed.feed) }),
      spanText(facts.cadences[feed.feed]),
      `${feed.received_today ?? 0} of ${feed.planned_today ?? 0}`,
      feed.planned_yesterday ? `${feed.received_yesterday ?? 0} of ${feed.planned_yesterday}` : "–",
      trouble.length ? trouble.join(", ") + code : missed > 0 ? `${missed} not attempted` : "nothing",
    ];
  };
  return fill(bodyOf("feeds"), tableOf("Feeds: freshness, and polls received of planned (UTC days)", columns, facts.feeds.map(row)));
}

function showAlerts() {
  tools("alerts", { sql: () => sqlOf("alerts"), rows: () => rowsOf("alerts") });
  if (!facts.alerts.length) return fill(bodyOf("alerts"), make("p", { class: "empty" }, facts.feeds.length ? "No alert is open." : "Nothing is known yet."));
  const row = (alert) => [
    make("span", { class: `severity ${alert.severity}` }, alert.severity),
    alert.subject,
    alert.kind.replace("_", " "),
    momentText(moment(alert.opened_at)),
    [alert.acked_by && `acknowledged by ${alert.acked_by}`, alert.inhibited_by && "explained by another", alert.silenced_s > 0 && `silenced for ${spanText(alert.silenced_s)}`].filter(Boolean).join(", ") || (alert.notice_count === 1 ? "1 notice" : `${alert.notice_count} notices`),
  ];
  const draw = (some) => tableOf("Open alerts", [["Severity"], ["About"], ["Kind"], ["Opened"], ["State"]], some.map(row));
  return fill(bodyOf("alerts"), shortened(facts.alerts, 6, draw, "alerts"));
}

function showOperations() {
  showHead();
  showTiles();
  showBanners();
  showNotNormal();
  showFeeds();
  showAlerts();
  showAvailability();
}
