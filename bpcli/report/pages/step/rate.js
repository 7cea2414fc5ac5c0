// The step: the loss that the gradient predicts beside the loss after it, for any rate, as numbers and as curves.

const POINTS = 60; // of a curve
const [WIDE, HIGH] = [320, 200]; // of a plot, in its own units
const [LEFT, BELOW] = [52, 20]; // beside it, for what its axes say

/** Return the frame of a plot: the ranges of both axes, and how a point [x, y] lies in it. */
function plotFrame([left, right], [bottom, top]) {
  const room = 0.08 * (top - bottom || 1);
  const [low, high] = [bottom - room, top + room];
  const at = ([x, y]) => [((x - left) / (right - left)) * WIDE, HIGH - ((y - low) / (high - low)) * HIGH];
  return { left, right, low, high, at };
}

/** Return a plot: lines, which end at its frame, and labels beside it. */
function plotOf({ left, right, low, high, at }, words, lines, labels) {
  const axes = [];
  if (low < 0 && high > 0) axes.push(segment(at([left, 0]), at([right, 0])));
  if (left < 0 && right > 0) axes.push(segment(at([0, low]), at([0, high])));
  const frame = svg("rect", { width: WIDE, height: HIGH, class: "frame" });
  const inside = svg("svg", { width: WIDE, height: HIGH, viewBox: `0 0 ${WIDE} ${HIGH}` }, ...axes, ...lines);
  const box = `${-LEFT} -1 ${LEFT + WIDE + 1} ${HIGH + BELOW + 1}`;
  return svg("svg", { viewBox: box, role: "img", "aria-label": words, class: "plot" }, frame, inside, ...labels);
}

/** Return labels below a plot, [x, text], and to its left, [y, text]. */
function labelsOf({ left, low, at }, below, aside) {
  const [bottom, edge] = [at([left, low])[1] + 15, -5];
  const anchors = ["start", "middle", "end"];
  const texts = below.map(([x, text], i) => svg("text", { x: at([x, low])[0], y: bottom, "text-anchor": anchors[i] }, text));
  return [...texts, ...aside.map(([y, text]) => svg("text", { x: edge, y: at([left, y])[1] + 4, "text-anchor": "end" }, text))];
}

function segment([x1, y1], [x2, y2]) {
  return svg("line", { x1, y1, x2, y2, class: "axis" });
}

/** Return points as a line; it breaks where there is no number. */
function pathOf({ at }, points, name) {
  let pen = "M";
  const way = points.map((point) => {
    const [x, y] = at(point);
    if (!Number.isFinite(y)) return (pen = "M") && "";
    const text = `${pen}${x.toFixed(2)} ${Math.max(-1e4, Math.min(1e4, y)).toFixed(2)}`;
    pen = "L";
    return text;
  });
  return svg("path", { d: way.join(""), class: name });
}

function dotOf({ at }, point, name) {
  const [cx, cy] = at(point);
  return Number.isFinite(cy) ? svg("circle", { cx, cy, r: 4, class: name }) : "";
}

/** Return the loss along the step as a curve, and the straight line that the gradient predicts; the rate is in the middle. */
function lossPlot(step, steep, rate) {
  const rates = Array.from({ length: POINTS + 1 }, (_, i) => (2 * rate * i) / POINTS);
  const curve = rates.map((each) => [each, after(step, each).loss]);
  const line = [0, 2 * rate].map((each) => [each, step.loss - each * steep]);
  const lowest = Math.max(-step.loss, Math.min(...line.map(([, y]) => y)));
  const found = curve.map(([, y]) => y).filter(Number.isFinite);
  const frame = plotFrame([0, 2 * rate], [Math.min(lowest, ...found), Math.max(step.loss, Math.min(4 * step.loss, Math.max(...found)))]);
  const words = "The loss along the step, and the straight line that the gradient predicts";
  const [here, told] = [after(step, rate).loss, step.loss - rate * steep];
  const lines = [pathOf(frame, line, "tangent"), pathOf(frame, curve, "curve"), dotOf(frame, [rate, told], "guess"), dotOf(frame, [rate, here], "dot")];
  const below = [0, rate, 2 * rate].map((each) => [each, digits(each, 3)]);
  const aside = [0, step.loss].filter((each) => frame.low < each && each < frame.high).map((each) => [each, digits(each, 3)]);
  return plotOf(frame, words, lines, labelsOf(frame, below, aside));
}

/** Return the section of the step; `chosen.rate` is η, which its slider moves. */
function ratePart({ step, sources, update }, chosen) {
  const steep = steepness(step);
  const home = chosen.rate;
  const [least, most] = [Math.min(-5, Math.floor(Math.log10(home))), Math.max(1, Math.ceil(Math.log10(home)))];
  const slider = make("input", { type: "range", id: "eta", min: least, max: most, step: 0.02, value: Math.log10(home) });
  const results = make("div", { id: "after" });
  const show = (rate) => {
    chosen.rate = rate;
    slider.setAttribute("aria-valuetext", `η = ${digits(rate, 3)}`);
    results.replaceChildren(...rateResults(step, steep, rate));
  };
  const until = straightUntil(step, steep);
  const button = (rate) => {
    const made = make("button", { type: "button" }, `η = ${digits(rate, 3)}`);
    made.addEventListener("click", () => {
      slider.value = Math.log10(rate);
      show(rate);
    });
    return made;
  };
  slider.addEventListener("input", () => show(10 ** slider.valueAsNumber));
  show(home);
  return [
    rule("", "w ← w + v, v = −η·∂C/∂w", sources.step),
    make("p", {}, update, ` ${straightTold(until)}`),
    make("div", { class: "tools" }, make("label", { for: "eta" }, "Rate η"), slider, button(home), ...(until === null ? [] : [button(until)])),
    results,
  ];
}

function straightTold(until) {
  if (until === null) return "";
  return `Up to η = ${digits(until, 3)}, the loss is off the straight line by at most a tenth of the predicted fall.`;
}

function rateResults(step, steep, rate) {
  const { loss, scores } = after(step, rate);
  const rows = [
    ["η", digits(rate)],
    ["C before the step", digits(step.loss)],
    ["predicted, C − η·‖∂C/∂w‖²", digits(step.loss - rate * steep)],
    ["C after the step", digits(loss)],
  ];
  const moved = rowsOfClasses(step).map((unit) => [className(step.network, unit), digits(step.pass.scores[unit]), digits(scores[unit])]);
  return [
    make("div", {}, table("The loss after the step", ["", "value"], rows), make("figure", {}, lossPlot(step, steep, rate), make("figcaption", {}, "C for rates up to 2η: the curve is true, the dashed line is what the gradient predicts"))),
    table("The scores after the step", ["class", "p before", "p after"], moved),
  ];
}
