// The view: scores as bars, the square that the network sees, the units that fire, and what each score is based on.

const STRONGEST = 8; // units whose weights are shown
const MOST = 12; // classes that are shown: if there are more, those of the highest scores
const NARROWEST = 24; // pixels of a class name beside its bar, which a finger can hit
const WIDEST = 150; // a wider name is cut off
const LARGE = 3; // characters of an answer in large type

const element = (id) => document.getElementById(id);

/** Return a canvas with a text for screen readers. */
function picture(width, height, words) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", words);
  return canvas;
}

/** Paint the first `count` pixels of a canvas, each in a colour packed by `rgb`; the others are transparent. */
function paint(canvas, count, colour) {
  const image = new ImageData(canvas.width, canvas.height);
  const colours = new Uint32Array(image.data.buffer);
  for (let i = 0; i < count; i++) colours[i] = colour(i);
  canvas.getContext("2d").putImageData(image, 0, 0);
}

/** Return an opaque colour in one number, its bytes in the order of ImageData (all machines with browsers are little-endian). */
function rgb(red, green, blue) {
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

/** Return the grey for a value from 0 to 1. */
function grey(share) {
  const level = Math.round(255 * share);
  return rgb(level, level, level);
}

/** Return a colour: blue at −1, white at 0, red at 1. */
function diverging(share) {
  const size = Math.min(Math.abs(share), 1);
  const towards = (level) => 250 + Math.round((level - 250) * size);
  return share < 0 ? rgb(towards(24), towards(78), towards(163)) : rgb(towards(178), towards(36), towards(30));
}

/** Return the largest absolute value, or 1 if all are zero. */
function reach(values) {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
}

/** Return the indices of the classes that are shown: all in order, or the highest scores if there are too many. */
function shownClasses({ classes }, scores) {
  const places = [...classes.keys()];
  if (places.length <= MOST) return places;
  return places.sort((one, other) => (scores[other] ?? 0) - (scores[one] ?? 0)).slice(0, MOST);
}

/** Create the elements that depend on the network: a bar and a map for each class, a field of units for each hidden layer. */
function buildView(network) {
  const { side, classes } = network;
  const shown = shownClasses(network, []);
  element("scores").append(...shown.map(bar));
  element("scores").style.setProperty("--name", `${nameWidth(classes)}px`);
  element("truth").append(...classes.map((name, place) => new Option(name, place)));
  element("many").hidden = shown.length === classes.length;
  element("many").textContent = `The ${MOST} highest scores of ${classes.length}`;
  element("maps").append(...shown.map((place) => figure(picture(side, side, `Pixels for ${classes[place]}`), classes[place])));
  element("sums").append(...shown.map(sumRow));
  element("formula").textContent = network.output.formula;
  Object.assign(element("seen"), { width: side, height: side });
  element("seen").setAttribute("aria-label", `The ${network.numerals ? "digit" : "picture"} in ${side} by ${side} pixels`);
  element("seen").classList.toggle("pale", paperOf(network) > 0);
  element("paper").parentElement.classList.toggle("dark", network.light);
  const hidden = network.layers.slice(0, -1);
  element("layers").append(...hidden.map((layer, index) => field(layer, `Units of hidden layer ${index + 1}`)));
  element("deltas").append(...hidden.map((layer, index) => field(layer, `δ of hidden layer ${index + 1}`)));
  element("units").hidden = hidden.length === 0;
  element("strongest").append(
    ...Array.from({ length: hidden.length ? Math.min(STRONGEST, hidden[0].fanOut) : 0 }, () => opener(side)),
  );
}

function bar() {
  const item = document.createElement("li");
  item.innerHTML = '<button type="button" class="name"></button><span class="track"><span class="fill"></span></span><span class="score">–</span>';
  return item;
}

/** Return the width in pixels of the column of names: that of the widest name in bold, within limits. */
function nameWidth(classes) {
  const context = document.createElement("canvas").getContext("2d");
  context.font = `bold ${getComputedStyle(element("scores")).font}`;
  const widest = Math.max(...classes.map((name) => context.measureText(name).width));
  return Math.min(Math.max(Math.ceil(widest), NARROWEST), WIDEST);
}

/** Return a figure whose picture is a button. */
function opener(side) {
  const button = document.createElement("button");
  button.type = "button";
  button.append(picture(side, side, ""));
  return figure(button, "");
}

function figure(canvas, text) {
  const whole = document.createElement("figure");
  const caption = document.createElement("figcaption");
  caption.textContent = text;
  whole.append(canvas, caption);
  return whole;
}

function field({ fanOut }, words) {
  const across = Math.ceil(Math.sqrt(fanOut));
  return figure(picture(across, Math.ceil(fanOut / across), words), "");
}

/** Show an answer: { pixels, reason, a, scores }; pixels are null where there is no digit. */
function showAnswer(network, answer) {
  showScores(network, answer.scores, answer.reason === "");
  paint(element("seen"), answer.pixels?.length ?? 0, (i) => grey(answer.pixels[i] / 255));
  element("reason").textContent = answer.reason;
  const hidden = answer.a.slice(0, -1);
  hidden.forEach((a, index) => showUnits(element("layers").children[index], a));
  showStrongest(network, hidden);
}

function showScores(network, scores, sure) {
  const { classes } = network;
  const best = sure ? scores.indexOf(Math.max(...scores)) : -1;
  write(element("answer"), classes[best] ?? "–");
  element("answer").classList.toggle("long", element("answer").textContent.length > LARGE);
  element("certainty").textContent = best < 0 ? "" : `score ${scores[best].toFixed(3)}`;
  const places = shownClasses(network, scores);
  for (const [row, item] of [...element("scores").children].entries()) {
    const place = places[row];
    const score = scores[place] ?? 0;
    item.querySelector(".name").value = place;
    write(item.querySelector(".name"), scores.length || classes.length <= MOST ? classes[place] : "");
    item.classList.toggle("best", place === best);
    item.querySelector(".fill").style.transform = `scaleX(${Math.min(Math.max(score, 0), 1)})`;
    item.querySelector(".score").textContent = scores.length ? score.toFixed(3) : "–";
  }
}

/** Write a name; a name that may be too long is also shown as a tooltip. */
function write(whole, name) {
  whole.textContent = name;
  whole.title = name.length > LARGE ? name : "";
}

function showUnits(whole, a) {
  const [canvas, caption] = whole.children;
  const most = reach(a);
  paint(canvas, a.length, (i) => (a[i] < 0 ? diverging(a[i] / most) : grey(a[i] / most)));
  const firing = a.reduce((count, value) => count + (value > 0), 0);
  caption.textContent = `${firing.toLocaleString("en")} of ${a.length.toLocaleString("en")} units fire`;
}

/** Show the weights of the units of the first hidden layer that fire most. */
function showStrongest(network, hidden) {
  const a = hidden[0] ?? [];
  const order = Array.from(a.keys()).sort((one, other) => a[other] - a[one]);
  for (const [place, whole] of [...element("strongest").children].entries()) {
    const unit = order[place];
    whole.hidden = unit === undefined || a[unit] <= 0;
    if (!whole.hidden) showWeights(whole, network.layers[0], unit, a[unit]);
  }
}

function showWeights(whole, { fanIn, weights }, unit, activation) {
  const [button, caption] = whole.children;
  const own = weights.subarray(unit * fanIn, (unit + 1) * fanIn);
  const most = reach(own);
  button.value = unit;
  paint(button.firstChild, fanIn, (i) => diverging(own[i] / most));
  button.firstChild.setAttribute("aria-label", `Weights of unit ${unit}`);
  caption.textContent = `${unit}: ${activation.toFixed(1)}`;
}

/** Show for each class which ink raised its logit (red) and which lowered it (blue), all on one scale. */
function showMaps({ classes }, places, shares) {
  const most = Math.max(...shares.map(reach));
  for (const [row, whole] of [...element("maps").children].entries()) {
    const [canvas, caption] = whole.children;
    const [own, name] = [shares[row], classes[places[row]]];
    paint(canvas, own.length, (i) => diverging(own[i] / most));
    canvas.setAttribute("aria-label", `Pixels for ${name}`);
    caption.textContent = name;
  }
}

function sumRow() {
  return row(["", "", "", "", "", ""]);
}

/** Show for each class the sum that makes its score: its bias, what blank paper adds, and what the ink adds, are z. */
function showSums({ classes, layers }, places, { logits, scores }, empty) {
  for (const [row, whole] of [...element("sums").children].entries()) {
    const [name, ...numbers] = whole.children;
    const place = places[row];
    const bias = layers.at(-1).biases[place];
    write(name, classes[place]);
    const sum = () => addingUp([bias, empty[place] - bias], logits[place]);
    const texts = empty ? [...sum(), scores[place].toFixed(3)] : numbers.map(() => "–");
    texts.forEach((text, column) => (numbers[column].textContent = text));
  }
}

/** Return a row of a table: its heading, and numbers. */
function row([name, ...numbers]) {
  const whole = document.createElement("tr");
  whole.innerHTML = `<th scope="row"></th>${"<td></td>".repeat(numbers.length)}`;
  [name, ...numbers].forEach((text, column) => (whole.children[column].textContent = text));
  return whole;
}

function signed(number, digits = 2) {
  return `${number < 0 ? "−" : "+"}${Math.abs(number).toFixed(digits)}`;
}
