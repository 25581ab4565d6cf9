// The data inside this page: facts as JSON, series as matrices of floats (packing.py).

const HOUR = 3600000, DAY = 24 * HOUR;
let facts, series, weeks;

async function unpacked(name) {
  const element = find(`data-${name}`);
  const text = atob(element.textContent);
  element.remove();
  const bytes = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

async function loadFacts() {
  facts = JSON.parse(new TextDecoder().decode(await unpacked("facts")));
  for (const [name, { columns, rows }] of Object.entries(facts.tables)) {
    facts[name] = rows.map((row) => Object.fromEntries(columns.map((column, at) => [column, row[at]])));
  }
  facts.nowMs = moment(facts.now);
}

// Four planes of bytes become floats again.
function floats(bytes, from, count) {
  const joined = new Uint8Array(4 * count);
  for (let plane = 0; plane < 4; plane++) {
    for (let at = 0, place = from + plane * count; at < count; at++, place++) joined[4 * at + plane] = bytes[place];
  }
  return new Float32Array(joined.buffer);
}

async function loadSeries() {
  const bytes = await unpacked("fees");
  let from = 0;
  series = [facts.hours, facts.days].map((width) => {
    const count = facts.lines.length * width;
    const [amount, usd] = [from, from + 4 * count].map((start) => floats(bytes, start, count));
    from += 8 * count;
    return { width, amount, usd };
  });
  const week = await unpacked("week");
  const size = facts.entities.length * 168;
  weeks = Object.fromEntries(facts.zones.map((zone, number) => {
    const start = number * 5 * size;
    return [zone, { median: floats(week, start, size), count: week.subarray(start + 4 * size, start + 5 * size) }];
  }));
}

const linesOf = (coinId) =>
  facts.lines
    .map(([entity, feeCoinId, feeCoin], line) => ({ line, entity, feeCoinId, feeCoin, chain: facts.entities[entity][1], coinId: facts.entities[entity][0] }))
    .filter((entry) => entry.coinId === coinId);

// The known points of a line from a moment on: days first, then hours. A day or hour that is not
// known ends the line: `usd` and `amount` are null there. Each point says how long it holds.
function pointsOf({ line, chain, feeCoin }, since) {
  const [hourly, daily] = series;
  const firstHour = facts.first_hour * HOUR;
  const points = [];
  const add = ({ width, amount, usd }, first, step, until) => {
    for (let slot = 0; slot < width; slot++) {
      const t = (first + slot) * step;
      if (t + step <= since || t >= until) continue;
      const at = line * width + slot;
      points.push({ t, until: Math.min(t + step, until), usd: usd[at], amount: amount[at], chain, feeCoin, known: !Number.isNaN(usd[at]) });
    }
  };
  add(daily, facts.first_day, DAY, firstHour);
  add(hourly, facts.first_hour, HOUR, facts.nowMs);
  return points;
}

// The same as steps: where something ends, the line goes on to the end of its last step, then stops.
function stepsOf(points) {
  const steps = [];
  points.forEach((point, at) => {
    if (!point.known) return;
    steps.push({ ...point });
    const next = points[at + 1];
    if (!next || !next.known || next.t > point.until) {
      steps.push({ ...point, t: point.until }, { ...point, t: point.until, usd: null, amount: null, known: false });
    }
  });
  return steps;
}
