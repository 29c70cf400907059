"use strict";

const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const dataOf = (element) => JSON.parse(element.querySelector('script[type="application/json"]').textContent);
const thousands = (value) => Math.round(value).toLocaleString("en-GB");

// ---- sliders: the samples of training, and the way from one image to another

function slider(figure, count, show) {
  const range = figure.querySelector("input[type=range]");
  const play = figure.querySelector(".play");
  let timer = 0;
  const stop = () => {
    clearInterval(timer);
    timer = 0;
    play.textContent = "▶";
    play.setAttribute("aria-label", "Play");
  };
  const step = (forth) => {
    const next = Number(range.value) + forth;
    range.value = String((next + count) % count);
    show(Number(range.value));
  };
  range.addEventListener("input", () => {
    stop();
    show(Number(range.value));
  });
  play.addEventListener("click", () => {
    if (timer) return stop();
    timer = setInterval(step, Math.max(60, Math.min(400, 6000 / count)), 1);
    play.textContent = "❚❚";
    play.setAttribute("aria-label", "Pause");
  });
  if (count < 2) range.disabled = play.disabled = true;
  return { step, stop, range };
}

function film(figure) {
  const { frames, per_epoch } = dataOf(figure);
  const image = figure.querySelector(".screen img");
  const output = figure.querySelector("output");
  for (const frame of frames) new Image().src = frame.shot.uri; // decoded before it is asked for
  const show = (index) => {
    const { iteration, shot } = frames[index];
    const epoch = per_epoch ? `, epoch ${(iteration / per_epoch).toFixed(1)}` : "";
    image.src = shot.uri;
    image.alt = `Sample grid of iteration ${thousands(iteration)}`;
    output.textContent = `iteration ${thousands(iteration)}${epoch}`;
    range.setAttribute("aria-valuetext", output.textContent);
  };
  const { step, stop, range } = slider(figure, frames.length, show);
  show(frames.length - 1);
  figure.querySelector(".screen").addEventListener("click", () => range.focus());
  document.addEventListener("keydown", (event) => {
    const forth = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const box = figure.getBoundingClientRect();
    const seen = box.bottom > 0 && box.top < innerHeight;
    const busy = event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, dialog, .scroll");
    if (!forth || !seen || busy || frames.length < 2) return;
    event.preventDefault();
    stop();
    step(forth);
  });
}

async function walk(figure) {
  const [rows, steps, width, height, padding] = ["rows", "steps", "width", "height", "padding"].map((key) => Number(figure.dataset[key]));
  const strip = figure.querySelector(".strip");
  const stage = figure.querySelector(".stage");
  const output = figure.querySelector("output");
  await strip.decode();
  const pens = Array.from({ length: rows }, (_, row) => {
    const canvas = Object.assign(document.createElement("canvas"), { width, height });
    canvas.className = width < 160 ? "pixels" : "";
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `Row ${row + 1} at this place of its way`);
    stage.append(canvas);
    return canvas.getContext("2d");
  });
  const show = (step) => {
    pens.forEach((pen, row) => {
      const left = padding + step * (width + padding);
      const top = padding + row * (height + padding);
      pen.clearRect(0, 0, width, height);
      pen.drawImage(strip, left, top, width, height, 0, 0, width, height);
    });
    output.textContent = `${Math.round((100 * step) / (steps - 1))} % of the way`;
  };
  slider(figure, steps, show);
  all("[hidden]", figure).forEach((part) => (part.hidden = false));
  show(0);
}

// ---- curves

const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const colour = (index) => style(`--c${index % 8}`);
const TOUCH = matchMedia("(pointer: coarse)").matches; // where a finger scrolls the page, and does not zoom a chart
const COMPARES = document.body.hasAttribute("data-compares"); // then a colour is a run's, in every chart
const DASHES = ["solid", "dash", "dot", "dashdot"];
// What Plotly shows, it takes for HTML.
const plain = (text) => text.replace(/[&<>]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[sign]);

// The mean of what is near on both sides, the nearest counting most, so that it does not lag behind.
function smoothed(values, radius) {
  return values.map((value, place) => {
    if (value === null) return null;
    let sum = 0;
    let whole = 0;
    for (let other = Math.max(0, place - radius); other <= Math.min(values.length - 1, place + radius); other++) {
      if (values[other] === null) continue;
      const weight = 1 + radius - Math.abs(other - place);
      sum += weight * values[other];
      whole += weight;
    }
    return sum / whole;
  });
}

function abscissa(series, over) {
  if (over === "epoch" && series.per_epoch) return series.x.map((x) => x / series.per_epoch);
  if (over === "images" && series.batch) return series.x.map((x) => x * series.batch);
  return series.x;
}

function traces(panel, { smooth, over }) {
  const before = (index) => panel.series.slice(0, index).filter((other) => other.run === panel.series[index].run).length;
  return panel.series.flatMap((series, index) => {
    const place = COMPARES ? series.run : index;
    const hue = panel.unit === "images/s" && !COMPARES ? style("--c6") : colour(place);
    const dash = DASHES[(Math.floor(place / 8) + (COMPARES ? before(index) : 0)) % 4];
    const line = { color: hue, width: 1.8, dash };
    const few = series.x.length < 12;
    const curve = { type: "scatter", mode: few ? "lines+markers" : "lines", x: abscissa(series, over), name: plain(series.name), line, marker: { size: 6 } };
    const full = { ...curve, y: series.y, hovertemplate: "%{y:.4g}" };
    const radius = Math.round(series.x.length / 25);
    if (!smooth || !panel.noisy || radius < 1) return [full];
    const faint = { ...curve, y: series.y, opacity: 0.28, line: { ...line, width: 1 }, showlegend: false, hoverinfo: "skip", legendgroup: index };
    return [faint, { ...curve, y: smoothed(series.y, radius), hovertemplate: "%{y:.4g}", legendgroup: index }];
  });
}

function layout(panel, { log, over }) {
  const ink = style("--ink");
  const axis = { gridcolor: style("--line"), linecolor: style("--line"), zeroline: false, tickfont: { color: style("--soft") }, automargin: true };
  const title = { iteration: "iterations", epoch: "epochs", images: "images seen" }[over];
  return {
    font: { family: style("--sans"), size: 12, color: ink },
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    margin: { l: 44, r: 8, t: 8, b: 40 },
    height: 272,
    autosize: true,
    dragmode: TOUCH ? false : "zoom",
    hovermode: "x unified",
    hoverlabel: { bgcolor: style("--card"), bordercolor: style("--line"), font: { color: ink } },
    showlegend: panel.legend || panel.series.length > 1,
    legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0, font: { size: 12 } },
    xaxis: { ...axis, title: { text: title, font: { size: 12, color: style("--soft") }, standoff: 8 }, rangemode: "tozero", hoverformat: over === "epoch" ? ".2f" : ",.0f" },
    yaxis: { ...axis, type: log && panel.positive ? "log" : "linear", dtick: undefined, nticks: 6, exponentformat: "power" },
    uirevision: `${log}${over}`,
  };
}

const BUTTONS = ["select2d", "lasso2d", "autoScale2d", "zoomIn2d", "zoomOut2d", "hoverClosestCartesian", "hoverCompareCartesian", "toggleSpikelines"];

function draw(Plotly) {
  const field = (name) => document.getElementById(name);
  const choice = () => ({ smooth: field("smooth")?.checked ?? true, log: field("log")?.checked ?? false, over: field("over")?.value ?? "iteration" });
  const charts = all(".chart:has(.plot)").map((figure) => ({ panel: dataOf(figure), place: figure.querySelector(".plot") }));
  const config = { displaylogo: false, responsive: true, modeBarButtonsToRemove: BUTTONS, doubleClick: "reset", displayModeBar: TOUCH ? false : "hover" };
  const show = () => Promise.all(charts.map(({ panel, place }) => Plotly.react(place, traces(panel, choice()), layout(panel, choice()), config)));
  for (const name of ["smooth", "log", "over"]) field(name)?.addEventListener("change", show);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
  return show();
}

// The library is kept small by gzip, and run as a script whose digest the page's policy names.
async function library() {
  const packed = Uint8Array.from(atob(document.getElementById("library").textContent), (sign) => sign.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const script = document.createElement("script");
  script.textContent = await new Response(stream).text();
  document.head.append(script);
  return window.Plotly;
}

async function curves() {
  if (!document.querySelector(".plot")) return;
  if (!window.DecompressionStream) {
    for (const place of all(".plot")) {
      place.classList.add("off");
      place.textContent = "This browser is too old to draw the curve; its figures are below.";
      place.nextElementSibling.nextElementSibling.open = true;
    }
    return;
  }
  await draw(await library());
}

// ---- small things

for (const dot of all(".dot")) dot.style.background = `var(--c${Number(dot.dataset.run) % 8})`;

for (const button of all(".copy")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const code = button.previousElementSibling;
    try {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(code); // not allowed here: one key is left to press
      button.textContent = "Press Ctrl+C";
    }
    setTimeout(() => (button.textContent = "Copy"), 2000);
  });
}

const large = document.getElementById("large");
for (const button of all(".enlarge")) {
  button.addEventListener("click", () => {
    const [from, to] = [button.querySelector("img"), large.querySelector("img")];
    Object.assign(to, { src: from.src, alt: from.alt, className: from.className });
    large.showModal();
  });
}
large.addEventListener("click", () => large.close());

all(".film").forEach(film);
Promise.all([...all(".walk").map(walk), curves()]).then(() => (document.documentElement.dataset.ready = "yes"));
