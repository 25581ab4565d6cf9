// The last 90 days of each chain: a bar per day, and what they come to.

// One bar per day: how available the chain was.
function strip(chain) {
  const days = 90, width = 4;
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", `0 0 ${days * width} 18`);
  svg.setAttribute("class", "strip");
  svg.setAttribute("aria-hidden", "true");
  const first = Math.floor(facts.nowMs / DAY) - days + 1;
  const offset = Math.round(Date.parse(chain.first_day) / DAY) - first;
  for (let day = 0; day < days; day++) {
    const value = chain.daily_availability_pct[day - offset] ?? null;
    const bar = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    for (const [name, number] of Object.entries({ x: day * width, y: 1, width: width - 1, height: 16 })) bar.setAttribute(name, number);
    bar.setAttribute("class", value === null ? "nothing" : value >= 99.99 ? "full" : value >= 95 ? "some" : "poor");
    const title = document.createElementNS("http://www.w3.org/2000/svg", "title");
    title.textContent = `${new Date((first + day) * DAY).toISOString().slice(0, 10)}: ${value === null ? "nothing known" : `${value} % available`}`;
    bar.append(title);
    svg.append(bar);
  }
  return svg;
}

function showAvailability() {
  tools("availability", { sql: () => sqlOf("availability"), rows: () => rowsOf("availability") });
  if (!facts.availability.length) return fill(bodyOf("availability"), make("p", { class: "empty" }, "No chain has been watched yet."));
  const percent = (value) => (value === null ? "–" : `${value.toFixed(2)} %`);
  const columns = [["Chain"], ["90 UTC days, today at the right", "wide"], ["Available", "number"], ["Time known", "number"], ["Maintenances", "number"], ["Hours in them", "number"]];
  const row = (chain) => [chain.chain, strip(chain), percent(chain.availability_pct), percent(chain.coverage_pct), String(chain.episode_count), chain.maintenance_h.toFixed(1)];
  const draw = (some) => tableOf("Availability: normal time in percent of the known time, the least available chains first", columns, some.map(row));
  return fill(bodyOf("availability"), shortened(facts.availability, 8, draw, "chains"));
}
