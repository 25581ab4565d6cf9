// Elements, made so that a text from outside is always shown as text and never read as HTML.

const find = (id) => document.getElementById(id);

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const fill = (element, ...children) => element.replaceChildren(...children.flat().filter(Boolean));
const bodyOf = (id) => find(id).querySelector(".body");

// A table in a frame that scrolls by itself where the screen is narrow, and takes the focus for that.
// `columns` are [title, class]; `rows` are lists of cells, text or elements.
function tableOf(caption, columns, rows, { rowClass } = {}) {
  const cells = (row, number) =>
    make("tr", { class: rowClass ? rowClass(number) : null },
      row.map((cell, at) =>
        make(at === 0 ? "th" : "td", { class: columns[at][1], scope: at === 0 ? "row" : null, "data-title": columns[at][0] || null }, cell ?? "–")));
  return make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    make("table", {},
      make("caption", {}, caption),
      make("thead", {}, make("tr", {}, columns.map(([title, kind]) => make("th", { scope: "col", class: kind }, title)))),
      make("tbody", {}, rows.map(cells))));
}

const GLYPHS = { normal: "●", maintenance: "◆", unknown: "◌", absent: "○" };
const WORDS = { normal: "Normal", maintenance: "Maintenance", unknown: "Unknown", absent: "Not listed" };

function chip(status) {
  const word = WORDS[status] ?? status;
  return make("span", { class: `chip ${status}` },
    make("span", { "aria-hidden": "true" }, GLYPHS[status] ?? "◌"), ` ${word}`);
}

// Keeps an age on the screen true: updated by `tick`.
const ages = new Set();
function ageOf(ms, { late } = {}) {
  if (ms === null) return make("span", { class: "age never" }, "never");
  const element = make("time", { class: "age", datetime: new Date(ms).toISOString() });
  const entry = { element, ms, late };
  ages.add(entry);
  showAge(entry);
  return element;
}

function showAge({ element, ms, late }) {
  const seconds = ageSeconds(ms);
  element.textContent = seconds < 0 ? "in the future" : `${spanText(seconds)} ago`;
  element.classList.toggle("late", late !== undefined && seconds > late);
}

function tickAges() {
  for (const entry of ages) {
    if (entry.element.isConnected) showAge(entry);
    else ages.delete(entry);
  }
}

// The first so many, and a button for the rest.
function shortened(all, few, draw, noun) {
  const place = make("div");
  let open = false;
  const show = () => {
    const more = make("button", { type: "button", class: "more", "aria-expanded": String(open), onclick: () => { open = !open; show(); place.querySelector(".more").focus(); } },
      open ? `Show ${few} ${noun}` : `Show all ${all.length} ${noun}`);
    fill(place, draw(open ? all : all.slice(0, few)), all.length > few ? more : null);
  };
  show();
  return place;
}
