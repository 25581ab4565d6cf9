// Moments as text, in UTC or in the reader's own time zone, and ages, which only the reader's clock
// can tell: nobody rebuilds this page when the pipeline is dead.

const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
const clock = { local: false };

const zoneName = () => (clock.local ? ZONE : "UTC");
const moment = (text) => (text ? Date.parse(text) : null);

const formats = new Map();
function formatted(ms, options) {
  const key = zoneName() + JSON.stringify(options);
  if (!formats.has(key)) {
    formats.set(key, new Intl.DateTimeFormat("en-GB", { timeZone: zoneName(), hourCycle: "h23", ...options }));
  }
  return formats.get(key);
}

function partsOf(ms) {
  const format = formatted(ms, { year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" });
  return Object.fromEntries(format.formatToParts(ms).map((part) => [part.type, part.value]));
}

function dayText(ms) {
  const { year, month, day } = partsOf(ms);
  return `${year}-${month}-${day}`;
}

function hourText(ms) {
  const { hour, minute } = partsOf(ms);
  return `${hour}:${minute}`;
}

const momentText = (ms) => `${dayText(ms)} ${hourText(ms)}`;

// When something began, seen by sampling: after one moment and by another.
function boundsText(after, by) {
  if (by === null) return "before monitoring began";
  if (after === null) return `${momentText(by)} or earlier`;
  if (by - after < 60000) return momentText(by);
  if (dayText(after) === dayText(by)) return `${momentText(after)}–${hourText(by)}`;
  return `${momentText(after)} – ${momentText(by)}`;
}

function spanText(seconds) {
  const s = Math.max(0, seconds);
  if (s < 90) return `${Math.round(s)} s`;
  if (s < 5400) return `${Math.round(s / 60)} min`;
  if (s < 48 * 3600) return `${(s / 3600).toFixed(s < 36000 ? 1 : 0)} h`;
  return `${(s / 86400).toFixed(s < 864000 ? 1 : 0)} d`;
}

const ageSeconds = (ms) => (ms === null ? null : (Date.now() - ms) / 1000);
