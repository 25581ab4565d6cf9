// Charts by Vega-Lite, as SVG with a text for each mark. Colours of text and lines are the page's own,
// so that they follow light, dark and paper.

// Told apart by people who see colours differently, and three to one against both papers.
const BLUE = "#0072B2", ORANGE = "#D55E00", GREEN = "#009E73", GREY = "#8A8F98";
const PALETTE = ["#2F86C5", "#D9631E", "#12997A", "#C06FA0", "#B98500", "#5E9BD6", "#8A6FD1", "#94733B"];

// Of the library's log: it warns of every chart that has no rows yet.
const ERRORS = 1;

const CONFIG = {
  background: null,
  font: "system-ui, sans-serif",
  view: { stroke: null },
  axis: {
    labelColor: "currentColor", titleColor: "currentColor", domainColor: "currentColor", tickColor: "currentColor",
    gridColor: "currentColor", gridOpacity: 0.12, domainOpacity: 0.3, tickOpacity: 0.3, labelFontSize: 11, titleFontSize: 11, titleFontWeight: "normal",
  },
  legend: { labelColor: "currentColor", titleColor: "currentColor", labelFontSize: 12, orient: "top", title: null, symbolStrokeWidth: 3 },
};

let library;
function loadLibrary() {
  library ??= unpacked("library").then((bytes) => {
    const script = document.createElement("script");
    script.textContent = new TextDecoder().decode(bytes);
    document.head.append(script);
  });
  return library;
}

const drawn = new Map();

// Draws a chart, or gives the one that is there new data. `form` names what its specification
// depends on: the chart is made anew when that is another one. `span` is the time that it shows.
async function draw(element, form, specification, data, span) {
  await loadLibrary();
  const key = `${form} ${zoneName()}`;
  const before = drawn.get(element.id);
  // Asking an element for its width lays the page out, so that is done only when it may be another.
  if (before && before.key === key && before.screen === innerWidth) {
    for (const [name, rows] of Object.entries(data)) before.view.data(name, rows);
    if (span) before.view.signal("since", span[0]).signal("until", span[1]);
    await before.view.runAsync();
    return;
  }
  before?.view.finalize();
  const width = element.clientWidth;
  const full = { $schema: "https://vega.github.io/schema/vega-lite/v6.json", config: CONFIG, autosize: { type: "fit-x", contains: "padding" }, width, datasets: data, ...specification };
  if (span) full.params = [{ name: "since", value: span[0] }, { name: "until", value: span[1] }];
  const { view } = await vegaEmbed(element, full, { renderer: "svg", actions: false, ast: true, defaultStyle: false, tooltip, logLevel: ERRORS });
  drawn.set(element.id, { key, view, screen: innerWidth });
}

// A tooltip of our own: the library's would write HTML and bring a style of its own.
function tooltip(handler, event, item, value) {
  const box = find("tooltip") ?? document.body.appendChild(make("div", { id: "tooltip", role: "tooltip", hidden: true }));
  box.hidden = !value;
  if (!value) return;
  box.textContent = "t" in value ? labelOf({ ...value, t: Number(value.t) }) : Object.values(value)[0];
  const { clientWidth, clientHeight } = document.documentElement;
  box.style.left = `${Math.min(event.clientX + 14, clientWidth - box.offsetWidth - 8)}px`;
  box.style.top = `${Math.min(event.clientY + 14, clientHeight - box.offsetHeight - 8)}px`;
}

// The span as expressions: the interpreter, which a page without eval needs, cannot read moments
// that stand in a specification.
const timeScale = () => ({ type: clock.local ? "time" : "utc", domainMin: { expr: "since" }, domainMax: { expr: "until" }, nice: false });
// Its title stands above it, where no label is.
const valueAxis = (title) => ({ title, tickCount: 5, titleAngle: 0, titleAlign: "left", titleAnchor: "end", titleX: 4, titleY: -6, titleBaseline: "bottom" });
const timeAxis = (extra = {}) => ({ title: zoneName(), tickCount: 8, labelOverlap: true, ...extra });
