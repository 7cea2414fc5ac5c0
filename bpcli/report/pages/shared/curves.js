// Curves over one quantity, drawn as SVG: they fit any width, and their colours come from the page's style.
//
//   chartOf(words)                                a chart without curves; `words` are its name for screen readers
//   drawCurves(chart, curves, { log, least, most, name })
//       curves are [{ kind, points: [[x, y], …] }] from x = 0 on; `kind` is the class of its line in the style;
//       a point whose y is not finite, or not above 0 where `log` is set, is left out

const FRAME = { width: 360, height: 190, left: 48, right: 12, top: 8, bottom: 24 };

function chartOf(words) {
  return svg("svg", { viewBox: `0 0 ${FRAME.width} ${FRAME.height}`, class: "chart", role: "img", "aria-label": words });
}

function drawCurves(chart, curves, { log = false, least = 0, most = null, name = chart.getAttribute("aria-label") } = {}) {
  const shown = curves.map(({ kind, points }) => ({ kind, points: points.filter(([, y]) => Number.isFinite(y) && (!log || y > 0)) }));
  const all = shown.flatMap(({ points }) => points);
  const right = Math.max(1, ...all.map(([x]) => x));
  const values = all.map(([, y]) => y);
  const ticks = log ? powers(values) : steps(least, most ?? Math.max(least + 1e-9, ...values));
  const [low, high] = [ticks[0], log ? ticks.at(-1) : Math.max(ticks.at(-1), ...values)];
  const height = (y) => (log ? Math.log(y / low) / Math.log(high / low) : (y - low) / (high - low));
  const place = ([x, y]) => [
    FRAME.left + (x / right) * (FRAME.width - FRAME.left - FRAME.right),
    FRAME.height - FRAME.bottom - height(y) * (FRAME.height - FRAME.top - FRAME.bottom),
  ];
  const lines = shown.map(({ kind, points }) => svg("path", { class: `curve ${kind}`, d: pathOf(points.map(place)) }));
  chart.replaceChildren(...ticks.flatMap((y) => level(y, place)), ...steps(0, right).map((x) => below(x, place([x, low])[0])), ...lines);
  chart.setAttribute("aria-label", name);
}

function pathOf(places) {
  return places.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
}

/** Return the line and the number of a tick of the y axis. */
function level(y, place) {
  const [left, height] = place([0, y]);
  const text = svg("text", { x: left - 6, y: height + 4, "text-anchor": "end" });
  text.textContent = short(y);
  return [svg("path", { class: "level", d: `M${left} ${height.toFixed(1)}H${FRAME.width - FRAME.right}` }), text];
}

/** Return the number of a tick of the x axis. */
function below(x, left) {
  const text = svg("text", { x: left.toFixed(1), y: FRAME.height - 6, "text-anchor": "middle" });
  text.textContent = short(x);
  return text;
}

/** Return a number in few characters. */
function short(number) {
  if (number >= 1e6) return `${Number((number / 1e6).toPrecision(3))}M`;
  if (number >= 1e3) return `${Number((number / 1e3).toPrecision(3))}k`;
  return number && number < 1e-3 ? number.toExponential(0).replace("-", "−") : String(Number(number.toPrecision(3)));
}

/** Return three to six round numbers from `least` on that end at `most` or just below. */
function steps(least, most) {
  const rough = (most - least) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((each) => each >= rough * 0.999);
  return Array.from({ length: Math.floor((most - least) / step + 1e-6) + 1 }, (_, i) => least + i * step);
}

/** Return round numbers around some values, as far apart as their logarithms: 1, 2, 5, 10 …, or every few powers of ten. */
function powers(values) {
  const [low, high] = values.length ? [Math.min(...values), Math.max(...values)] : [0.1, 1];
  const first = Math.floor(Math.log10(low) + 1e-9);
  const last = Math.max(Math.ceil(Math.log10(high) - 1e-9), first + 1);
  if (last - first < 3) {
    const all = Array.from({ length: last - first }, (_, i) => [1, 2, 5].map((factor) => factor * 10 ** (first + i))).flat();
    return between([...all, 10 ** last], low, high);
  }
  const every = Math.ceil((last - first) / 5);
  return Array.from({ length: Math.ceil((last - first) / every) + 1 }, (_, i) => 10 ** (first + i * every));
}

/** Return the numbers from the last that is at most `low` to the first that is at least `high`. */
function between(numbers, low, high) {
  const from = numbers.findLastIndex((each) => each <= low * 1.001);
  return numbers.slice(from, Math.max(numbers.findIndex((each) => each >= high * 0.999), from + 1) + 1);
}
