// The curves tell their values, and a slider moves through the epochs: markers, confusion matrix and weights together.

const SVG = "http://www.w3.org/2000/svg";
const PACE = 600; // milliseconds an epoch

/** Return a new element with attributes inside a parent. */
function added(parent, name, attributes = {}) {
  const element = name.startsWith("svg:") ? document.createElementNS(SVG, name.slice(4)) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  parent.append(element);
  return element;
}

/** Make a curve a slider of its own; returns the function that marks an epoch in it. */
function liveCurve(place, { lines }, epochs, name, choose) {
  const svg = place.querySelector("svg");
  const { width, height } = svg.viewBox.baseVal;
  const rule = added(svg, "svg:line", { class: "marker", y1: 8, y2: height - 32 });
  const dots = lines.map(() => added(svg, "svg:circle", { class: "marker", r: 3.5 }));
  const words = added(place, "p", { class: "readout" });
  const attributes = { role: "slider", tabindex: 0, "aria-label": name, "aria-valuemin": epochs[0] };
  for (const [key, value] of Object.entries(attributes)) place.setAttribute(key, value);
  place.setAttribute("aria-valuemax", epochs.at(-1));
  let chosen = 0;
  const mark = (index) => {
    const text = `epoch ${epochs[index]}: ${told(lines, index)}`;
    rule.setAttribute("x1", lines[0].x[index]);
    rule.setAttribute("x2", lines[0].x[index]);
    dots.forEach((dot, line) => {
      dot.setAttribute("cx", lines[line].x[index]);
      dot.setAttribute("cy", lines[line].y[index]);
    });
    words.textContent = text;
    place.setAttribute("aria-valuenow", epochs[index]);
    place.setAttribute("aria-valuetext", text);
  };
  const under = ({ clientX }) => {
    const box = svg.getBoundingClientRect();
    return nearest(lines[0].x, ((clientX - box.left) / box.width) * width);
  };
  place.addEventListener("pointermove", (event) => mark(under(event)));
  place.addEventListener("pointerleave", () => mark(chosen));
  place.addEventListener("click", (event) => choose(under(event)));
  place.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return; // the browser's own, such as going back
    const index = moved(chosen, event.key, epochs.length);
    if (index === null) return;
    event.preventDefault();
    choose(index);
  });
  return (index) => mark((chosen = index));
}

/** Make the table of a confusion matrix; returns the function that fills it. */
function liveMatrix(place, classes) {
  const table = place.querySelector("table");
  const head = added(added(table, "thead"), "tr");
  added(head, "th", { scope: "col" }).textContent = "Label";
  for (const name of classes) added(added(head, "th", { scope: "col", title: name }), "span").textContent = name;
  const body = added(table, "tbody");
  const cells = classes.map((name) => {
    const row = added(body, "tr");
    added(row, "th", { scope: "row", title: name }).textContent = name;
    return classes.map(() => added(row, "td"));
  });
  return (confusion, epoch) => {
    const { images, wrong } = errors(confusion);
    place.querySelector("p").textContent =
      `After epoch ${epoch}, ${wrong.toLocaleString("en")} of ${images.toLocaleString("en")} validation images were wrong.`;
    confusion.forEach((row, label) => {
      const whole = row.reduce((sum, each) => sum + each, 0);
      row.forEach((count, answer) => {
        const kind = label === answer ? "hit" : "miss";
        cells[label][answer].textContent = count || "·";
        cells[label][answer].className = count ? `${kind} shade${shade(count, whole, kind)}` : "none";
      });
    });
  };
}

/** Make the pictures of some units' weights; returns the function that draws those of a snapshot. */
function liveWeights(place, units, side) {
  const canvases = units.map((unit) => {
    const item = added(place, "li");
    const canvas = blank(side, `Weights of unit ${unit}`);
    item.append(canvas);
    return canvas;
  });
  const sheets = new Map();
  let wanted = "";
  return async (url) => {
    wanted = url;
    if (!sheets.has(url)) sheets.set(url, await decoded(url));
    if (wanted !== url) return; // the slider has moved on meanwhile
    canvases.forEach((canvas, index) => cutOut(canvas, sheets.get(url), index, units.length));
  };
}

/** Show the slider over the snapshots; returns the function that shows the snapshot of an epoch. */
function liveSlider(story, choose) {
  const place = document.getElementById("replay");
  const slider = document.getElementById("epoch");
  const taken = story.snapshots.epochs.map(({ epoch }) => epoch);
  const draw = liveWeights(document.getElementById("replay-weights"), story.snapshots.units, story.side);
  const matrix = document.getElementById("replay-confusion");
  const fill = matrix && liveMatrix(matrix, story.classes);
  slider.max = taken.length - 1;
  const go = () => choose(story.epochs.indexOf(taken[slider.value]));
  slider.addEventListener("input", go);
  startPlay(slider, go);
  place.hidden = false;
  return (epoch) => {
    const index = upTo(taken, epoch);
    const { confusion, sheet } = story.snapshots.epochs[index];
    slider.value = index;
    const kept = taken[index] === story.kept ? ", whose network was kept" : "";
    const words = `${taken[index]} of ${story.epochs.at(-1)}${kept}`;
    slider.setAttribute("aria-valuetext", words);
    document.getElementById("epoch-words").textContent = words;
    if (fill && confusion) fill(confusion, taken[index]);
    draw(sheet);
  };
}

/** Have a button run the slider from its place, or from its start, to its end. */
function startPlay(slider, go) {
  const button = document.getElementById("play");
  let timer = 0;
  const stop = () => {
    clearInterval(timer);
    timer = 0;
    button.textContent = "Play";
  };
  const step = () => {
    slider.stepUp();
    go();
    if (slider.value === slider.max) stop();
  };
  button.addEventListener("click", () => {
    if (timer) return stop();
    if (slider.value === slider.max) slider.value = 0;
    go();
    button.textContent = "Pause";
    timer = setInterval(step, PACE);
  });
}

/** Bring curves and slider to life, at the epoch whose network was kept. */
function startReplay(story) {
  const marks = [];
  const choose = (index) => marks.forEach((mark) => mark(index));
  for (const place of document.querySelectorAll("[data-curve]")) {
    const { curve, name } = place.dataset;
    marks.push(liveCurve(place, story.curves[curve], story.epochs, name, choose));
  }
  if (document.getElementById("replay")) {
    const show = liveSlider(story, choose);
    marks.push((index) => show(story.epochs[index]));
  }
  choose(Math.max(story.epochs.indexOf(story.kept), 0));
}
