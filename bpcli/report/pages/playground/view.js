// The view of a training: numbers, curves, weights, layers and mistakes. It shows what there is and decides nothing.

const MILESTONES = [0.5, 0.8, 0.9, 0.95];
const MISTAKES = 24; // that are shown
const NARROW = 480; // CSS pixels
const GAP = 1; // pixels between two maps
const PARTING = [[201, 206, 216], [58, 65, 78]].map((levels) => rgb(...levels)); // between maps, light and dark
const CHARTS = {
  loss: { title: "Loss", value: ({ loss }) => loss, options: {} },
  accuracy: { title: "Right", value: ({ accuracy }) => accuracy, options: { most: 1 } },
  error: { title: "Wrong (logarithmic)", value: ({ accuracy }) => 1 - accuracy, options: { log: true } },
};
const DELTAS = "Mean |δ| of each layer (logarithmic)";

const percent = (share) => unbroken(`${(100 * share).toFixed(1)} %`);
const thousands = (count) => count.toLocaleString("en");

/** Return a text whose percentages are not broken into two lines. */
function unbroken(text) {
  return text.replaceAll(" %", "\u00a0%");
}

/** Return a name as a reader expects it: "binary cross entropy". */
function spaced(name) {
  return name.replaceAll("_", " ");
}

/** Create the elements that don't depend on a training; return the charts. */
function buildView(lessons) {
  element("lessons").append(...Object.entries(lessons).map(([name, lesson]) => lessonLink(name, lesson)));
  for (const [key, names] of Object.entries(WORDS)) element(key).append(...names.map((name) => new Option(spaced(name), name)));
  const titles = [...Object.values(CHARTS).map(({ title }) => title), DELTAS];
  const charts = titles.map((title) => figure(chartOf(title), title));
  element("charts").append(...charts);
  element("milestones").tBodies[0].append(...MILESTONES.map((share) => tableRow([`${100 * share} %`, "", ""])));
  return charts.map((whole) => whole.firstChild);
}

function lessonLink(name, lesson) {
  return make("a", { href: hashOf(lessonSetting(lesson), name), "data-lesson": name }, lesson.title);
}

/** Return a row of a table: its heading, and cells. */
function tableRow([name, ...cells]) {
  return make("tr", {}, make("th", { scope: "row" }, name), ...cells.map((text) => make("td", {}, text)));
}

function markCurrent(link, current) {
  if (current) link.setAttribute("aria-current", "true");
  else link.removeAttribute("aria-current");
}

/** Show a lesson's text, or none. */
function showLesson(lessons, name) {
  for (const link of element("lessons").children) markCurrent(link, link.dataset.lesson === name);
  element("lesson").hidden = name === null;
  if (name === null) return;
  const lesson = lessons[name];
  element("lesson-title").textContent = lesson.title;
  element("watch").textContent = unbroken(lesson.watch);
  element("see").textContent = unbroken(lesson.see);
  element("as-told").href = hashOf(lessonSetting(lesson), name);
  element("contrast").textContent = lesson.contrast.title;
  element("contrast").href = hashOf(lessonSetting(lesson, true), name);
}

/** Show a setting in the form. */
function showSetting(setting, flaws, { folder }) {
  const [hidden1 = 0, hidden2 = 0] = setting.hidden;
  const values = { ...setting, hidden1, hidden2, objective: objectiveOf(setting) };
  for (const field of element("form").elements) field.value = values[field.id];
  element("flaws").textContent = flaws.join(" ");
  element("command").textContent = commandOf(setting, folder);
}

/** Return the setting that the form asks for, as a hash. */
function askedInForm() {
  const texts = Object.fromEntries(Array.from(element("form").elements, (field) => [field.id, field.value]));
  const { hidden1, hidden2, objective, ...others } = texts;
  const [output, loss] = objective.split(", ");
  return hashOf({ hidden: [hidden1, hidden2].filter((units) => Number(units) !== 0), ...others, output, loss });
}

/** Show the numbers that change with every step. */
function showNumbers({ seen, steps, epoch, history }, speed) {
  const { heldOut } = history.at(-1);
  element("accuracy").textContent = percent(heldOut.accuracy);
  element("loss").textContent = Number.isFinite(heldOut.loss) ? heldOut.loss.toPrecision(3) : "not a number";
  element("seen").textContent = thousands(seen);
  element("epochs").textContent = seen ? thousands(epoch + 1) : "0";
  element("steps").textContent = thousands(steps);
  if (speed) element("speed").textContent = thousands(Math.round(speed));
}

/** Name the lines of the chart of δ. */
function describeDeltas(chart, training) {
  const keys = training.network.layers.map((_, l) => make("span", { class: `key layer${l}` }, layerName(training, l)));
  chart.nextSibling.replaceChildren(`${DELTAS} `, ...keys);
}

/** Show the curves of a training, and of the run before. */
function showCurves(charts, training, before) {
  Object.values(CHARTS).forEach(({ title, value, options }, index) => {
    const [own, held] = ["training", "heldOut"].map((name) => pointsOf(training, ({ [name]: part }) => part && value(part)));
    const earlier = before ? pointsOf(before, ({ heldOut }) => value(heldOut)) : [];
    const curves = [{ kind: "before", points: earlier }, { kind: "training", points: own }, { kind: "held", points: held }];
    drawCurves(charts[index], curves, { ...options, name: `${title}: ${inWords(own, held)}` });
  });
  const layers = training.network.layers.map((_, l) => ({ kind: `layer${l}`, points: pointsOf(training, ({ sizes }) => sizes[l]) }));
  const last = layers.map(({ points }, l) => `${layerName(training, l)} ${number(points.at(-1)?.[1])}`);
  drawCurves(charts.at(-1), layers, { log: true, name: `Mean δ: ${last.join(", ")}` });
  showMilestones(training, before);
  element("before-key").hidden = !before;
  element("difference").textContent = before ? differences(training.setting, before.setting) : "";
}

function pointsOf({ history }, value) {
  return history.map((point) => [point.seen, value(point) ?? NaN]);
}

/** Return the last values of two curves in words. */
function inWords(own, held) {
  return `training ${number(own.at(-1)?.[1])}, unseen ${number(held.at(-1)?.[1])}`;
}

function number(value) {
  return Number.isFinite(value) ? String(Number(value.toPrecision(3))) : "none yet";
}

/** Return what was otherwise in the run before. */
function differences(now, then) {
  const changed = Object.keys(now).filter((key) => String(now[key]) !== String(then[key]));
  return changed.length ? ` (${changed.map((key) => `${spaced(key)} ${spaced(String(then[key])) || "none"}`).join(", ")})` : "";
}

function showMilestones(training, before) {
  const rows = element("milestones").tBodies[0].rows;
  MILESTONES.forEach((share, index) => {
    const when = (run) => (run ? reachedAt(run, share) : null);
    [training, before].forEach((run, column) => {
      const at = when(run);
      rows[index].cells[column + 1].textContent = at === null ? "–" : thousands(at);
    });
  });
}

/** Show the first layer's weights as pictures, side by side; those of dead units are framed. */
function showWeights({ network: { layers } }, now, side, dark) {
  const { fanIn, fanOut, weights } = layers[0];
  const across = fanOut <= 10 ? 5 : element("maps").clientWidth < NARROW ? 6 : 10;
  const [pitch, rows] = [side + GAP, Math.ceil(fanOut / across)];
  const canvas = element("maps");
  const width = across * pitch + GAP;
  Object.assign(canvas, { width, height: rows * pitch + GAP });
  const scales = Array.from({ length: fanOut }, (_, unit) => reach(weights.subarray(unit * fanIn, (unit + 1) * fanIn)));
  const dead = new Set(now.layers[0]?.dead);
  paint(canvas, canvas.width * canvas.height, (i) => {
    const [x, y] = [i % width, Math.floor(i / width)];
    const unit = Math.floor(y / pitch) * across + Math.floor(x / pitch);
    const [column, row] = [(x % pitch) - GAP, (y % pitch) - GAP];
    if (column < 0 || row < 0 || unit >= fanOut) return PARTING[Number(dark)];
    if (dead.has(unit) && crossed(column, row, side)) return grey(0);
    return diverging(weights[unit * fanIn + row * side + column] / scales[unit]);
  });
}

/** Return whether a pixel is on one of the two diagonals. */
function crossed(column, row, side) {
  return column === row || column + row === side - 1;
}

/** Say what the maps show. */
function describeWeights({ network: { layers } }, classes) {
  const alone = layers.length === 1;
  const whose = alone ? `the outputs, ${classes[0]} first` : `the ${layers[0].fanOut} units of the first hidden layer`;
  const about = `The weights of ${whose}, laid out as the pixels that they belong to: red is positive, blue negative, and each map
    has its own scale.`;
  element("weights-about").textContent = alone ? about : `${about} A cross marks a dead unit.`;
  element("maps").setAttribute("aria-label", `Weights of ${whose}, as pictures`);
}

function layerName({ network: { layers } }, l) {
  return l === layers.length - 1 ? "output" : `hidden ${l + 1}`;
}

/** Show each layer's units, δ, and dead and saturated units. */
function showLayers(training, now) {
  const rows = training.network.layers.map(({ fanOut }, l) => {
    const [delta, about] = [training.sizes[l], now.layers[l]];
    const size = Number.isFinite(delta) ? delta.toExponential(1).replace("-", "−") : "–";
    return tableRow([layerName(training, l), fanOut, size, about ? about.dead.length : "–", about ? percent(about.saturated) : "–"]);
  });
  element("layers").replaceChildren(...rows);
}

/** Show the mistakes about which the network is surest. */
function showMistakes({ wrong }, heldOut, page) {
  const some = [...wrong].sort((one, other) => other.score - one.score).slice(0, MISTAKES);
  const name = (place) => page.classes[place];
  const figures = some.map(({ row, answer }) => {
    const { pixels, label } = heldOut[row];
    return figure(thumb(page, pixels, `${name(label)}, read as ${name(answer)}`), `${name(label)} → ${name(answer)}`);
  });
  element("mistakes").replaceChildren(...figures);
  element("wrong-about").textContent = `It misreads ${thousands(wrong.length)} of ${thousands(heldOut.length)} unseen
    ${page.things}${wrong.length > MISTAKES ? `; here are the ${MISTAKES} about which it is surest` : ""}.`;
}
