// What is shown: scores as bars, the 28×28 that the network sees, the units that fire, how each score was made.

const SIDE = 28;
const STRONGEST = 8; // units whose weights are shown

const element = (id) => document.getElementById(id);

/** A canvas of so many pixels, with words for who can't see it. */
function picture(width, height, words) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", words);
  return canvas;
}

/** Paints a canvas with a colour, as `rgb` packs it, for each of its first `count` pixels; the others stay clear. */
function paint(canvas, count, colour) {
  const image = new ImageData(canvas.width, canvas.height);
  const colours = new Uint32Array(image.data.buffer);
  for (let i = 0; i < count; i++) colours[i] = colour(i);
  canvas.getContext("2d").putImageData(image, 0, 0);
}

/** An opaque colour in one number, its bytes in the order of ImageData (all machines with browsers are little-endian). */
function rgb(red, green, blue) {
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

/** Grey for values from 0 to 1. */
function grey(share) {
  const level = Math.round(255 * share);
  return rgb(level, level, level);
}

/** Blue at −1, white at 0, red at 1. */
function diverging(share) {
  const size = Math.min(Math.abs(share), 1);
  const towards = (level) => 250 + Math.round((level - 250) * size);
  return share < 0 ? rgb(towards(24), towards(78), towards(163)) : rgb(towards(178), towards(36), towards(30));
}

/** The largest size among numbers, 1 if all are zero. */
function reach(values) {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
}

/** Makes the elements that depend on the network: ten bars, ten maps, a field of units for each hidden layer. */
function buildView(network) {
  element("scores").append(...Array.from({ length: 10 }, (_, digit) => bar(digit)));
  element("maps").append(...Array.from({ length: 10 }, (_, digit) => figure(picture(SIDE, SIDE, `Pixels for ${digit}`), `${digit}`)));
  const hidden = network.layers.slice(0, -1);
  element("layers").append(...hidden.map((layer, index) => field(layer, index)));
  element("units").hidden = hidden.length === 0;
  element("strongest").append(
    ...Array.from({ length: hidden.length ? Math.min(STRONGEST, hidden[0].fanOut) : 0 }, () => figure(picture(SIDE, SIDE, ""), "")),
  );
}

function bar(digit) {
  const item = document.createElement("li");
  item.innerHTML = '<span class="digit"></span><span class="track"><span class="fill"></span></span><span class="score">–</span>';
  item.querySelector(".digit").textContent = digit;
  return item;
}

function figure(canvas, text) {
  const whole = document.createElement("figure");
  const caption = document.createElement("figcaption");
  caption.textContent = text;
  whole.append(canvas, caption);
  return whole;
}

function field({ fanOut }, index) {
  const across = Math.ceil(Math.sqrt(fanOut));
  return figure(picture(across, Math.ceil(fanOut / across), `Units of hidden layer ${index + 1}`), "");
}

/** Shows an answer: { pixels, reason, hidden, scores }; pixels are null where there is no digit. */
function showAnswer(network, answer) {
  showScores(answer.scores, answer.reason === "");
  paint(element("seen"), answer.pixels ? SIDE * SIDE : 0, (i) => grey(answer.pixels[i] / 255));
  element("reason").textContent = answer.reason;
  answer.hidden.forEach((a, index) => showUnits(element("layers").children[index], a));
  showStrongest(network, answer.hidden);
}

function showScores(scores, sure) {
  const best = sure ? scores.indexOf(Math.max(...scores)) : -1;
  element("answer").textContent = best < 0 ? "–" : best;
  element("certainty").textContent = best < 0 ? "" : `score ${scores[best].toFixed(3)}`;
  for (const [digit, item] of [...element("scores").children].entries()) {
    const score = scores[digit] ?? 0;
    item.classList.toggle("best", digit === best);
    item.querySelector(".fill").style.transform = `scaleX(${Math.min(Math.max(score, 0), 1)})`;
    item.querySelector(".score").textContent = scores.length ? score.toFixed(3) : "–";
  }
}

function showUnits(whole, a) {
  const [canvas, caption] = whole.children;
  const most = reach(a);
  paint(canvas, a.length, (i) => (a[i] < 0 ? diverging(a[i] / most) : grey(a[i] / most)));
  const firing = a.reduce((count, value) => count + (value > 0), 0);
  caption.textContent = `${firing.toLocaleString("en")} of ${a.length.toLocaleString("en")} units fire`;
}

/** Shows what the units of the first hidden layer that fire most look for. */
function showStrongest(network, hidden) {
  const a = hidden[0] ?? [];
  const order = Array.from(a.keys()).sort((one, other) => a[other] - a[one]);
  for (const [place, whole] of [...element("strongest").children].entries()) {
    const unit = order[place];
    whole.hidden = unit === undefined || a[unit] <= 0;
    if (!whole.hidden) showWeights(whole, network.layers[0], unit, a[unit]);
  }
}

function showWeights(whole, { weights }, unit, activation) {
  const [canvas, caption] = whole.children;
  const own = weights.subarray(unit * PIXELS, (unit + 1) * PIXELS);
  const most = reach(own);
  paint(canvas, PIXELS, (i) => diverging(own[i] / most));
  canvas.setAttribute("aria-label", `Weights of unit ${unit}`);
  caption.textContent = `${unit}: ${activation.toFixed(1)}`;
}

/** Shows for each digit which ink spoke for it (red) and which against it (blue), all to one scale. */
function showMaps(shares) {
  const most = Math.max(...shares.map(reach));
  for (const [digit, whole] of [...element("maps").children].entries()) {
    const [canvas, caption] = whole.children;
    const own = shares[digit];
    paint(canvas, own.length, (i) => diverging(own[i] / most));
    caption.textContent = `${digit}: ${signed(own)}`;
  }
}

function signed(values) {
  const sum = values.reduce((total, value) => total + value, 0);
  return `${sum < 0 ? "−" : "+"}${Math.abs(sum).toFixed(1)}`;
}
