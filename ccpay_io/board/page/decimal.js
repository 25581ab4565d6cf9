// Exact decimals: amounts arrive as text and are compared, multiplied and rounded as integers.

const PLACES = 18;

// Units of 0.000000000000000001 as a BigInt; null for null.
function units(text) {
  if (text === null || text === undefined) return null;
  const [whole, part = ""] = String(text).split(".");
  const sign = whole.startsWith("-") ? -1n : 1n;
  return sign * BigInt(whole.replace("-", "") + part.padEnd(PLACES, "0").slice(0, PLACES));
}

// a x b, rounded half up to 12 places, as the warehouse does it. Neither is negative.
function product(a, b) {
  const cut = 10n ** 24n;
  return ((a * b + cut / 2n) / cut) * 10n ** 6n;
}

// Text with so many places, half to even, as Python rounds what `ccpay route` prints.
function fixed(value, places) {
  const step = 10n ** BigInt(PLACES - places);
  const size = value < 0n ? -value : value;
  let whole = size / step;
  const rest = size % step;
  if (rest * 2n > step || (rest * 2n === step && whole % 2n === 1n)) whole += 1n;
  const digits = String(whole).padStart(places + 1, "0");
  const text = places ? `${digits.slice(0, -places)}.${digits.slice(-places)}` : digits;
  return value < 0n && whole ? `-${text}` : text;
}

// Cents for what is worth cents; four digits for what is worth less.
function money(value) {
  if (value === null) return "–";
  const size = value < 0n ? -value : value;
  if (size === 0n || size >= 10n ** 16n) return grouped(fixed(value, 2));
  const leading = PLACES - String(size).length + 1;
  return plain(fixed(value, Math.min(PLACES, leading + 3)));
}

function plain(text) {
  return text.includes(".") ? text.replace(/0+$/, "").replace(/\.$/, "") : text;
}

function grouped(text) {
  const [whole, part] = text.split(".");
  const spaced = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return part === undefined ? spaced : `${spaced}.${part}`;
}
