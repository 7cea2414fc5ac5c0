// Lessons: steps of gradient descent on one picture, the backward pass that they take, and what they cost elsewhere.

const MOVED = 8; // units whose weights are shown
const PAUSE = 70; // milliseconds between two steps that are watched

/** Return the backward pass of a picture of a class: { pass, y, loss, deltas, gradients }. */
function backwardOf(network, pixels, place) {
  const pass = look(network, pixels);
  const y = oneHot([place], network.classes.length, pass.scores);
  return { pass, y, loss: lossesOf(network, pass, y)[0], ...backward(network, pass, y) };
}

/** Do one step on a picture of a class, without momentum. */
function learn(network, { pixels, place, rate }) {
  descend(network.layers, backwardOf(network, pixels, place).gradients, { rate });
}

/** The lessons of one network, which can be undone: from the original weights, the others are learned again, to the bit. */
class Lessons {
  constructor(network) {
    this.network = network;
    const original = copyOf(network.layers);
    this.untaught = { ...network, layers: network.layers.map((layer, l) => ({ ...layer, ...original[l] })) };
    this.all = [];
  }

  get steps() {
    return total(this.all.map(({ steps }) => steps));
  }

  /** Begin a lesson of no steps yet. */
  begin(lesson) {
    this.all.push({ ...lesson, steps: 0 });
  }

  step() {
    const lesson = this.all.at(-1);
    learn(this.network, lesson);
    lesson.steps++;
  }

  undo() {
    this.all.pop();
    this.network.layers.forEach(({ weights, biases }, l) => {
      weights.set(this.untaught.layers[l].weights);
      biases.set(this.untaught.layers[l].biases);
    });
    for (const lesson of this.all) for (let step = 0; step < lesson.steps; step++) learn(this.network, lesson);
  }
}

/** Return the network's answers to samples. */
function answersTo(network, samples) {
  if (!samples.length) return [];
  const size = network.side ** 2;
  const pixels = new Uint8Array(samples.length * size);
  samples.forEach((sample, place) => pixels.set(upright(network, sample.pixels), place * size));
  return winners(look(network, pixels));
}

/** Show the backward pass of a lesson, before its next step. */
function showBackward(network, pixels, { place, rate }) {
  element("backward").hidden = !pixels;
  if (!pixels) return;
  const { pass, y, loss, deltas } = backwardOf(network, pixels, place);
  element("loss").textContent = `The loss of this drawing as ${network.classes[place]}: C = ${short(loss)}.`;
  const told = (each) => [network.classes[each], y[each], pass.scores[each].toFixed(3), short(deltas.at(-1)[each])];
  element("output-deltas").replaceChildren(...shownClasses(network, pass.scores).map((each) => row(told(each))));
  deltas.slice(0, -1).forEach((delta, l) => {
    const [canvas, caption] = element("deltas").children[l].children;
    paintField(canvas, 0, delta);
    caption.textContent = `hidden layer ${l + 1}: ${delta.filter(Boolean).length.toLocaleString("en")} units have a δ`;
  });
  const units = strongest(deltas[0], MOVED);
  element("moves").replaceChildren(...units.map((unit) => moved(network, pass.x, unit, deltas[0][unit], rate)));
}

/** Return a number with two or three digits, however small it is. */
function short(number) {
  const size = Math.abs(number);
  const text = size === 0 || (size >= 0.001 && size < 1000) ? size.toFixed(3) : size.toExponential(1).replace("-", "−");
  return (number < 0 ? "−" : "") + text;
}

/** Say how many steps were taken, and what they did to the loss of the drawing. */
function tellLesson(network, lessons, pixels, { place }) {
  const { steps, untaught } = lessons;
  const [now, before] = pixels ? [network, untaught].map((each) => backwardOf(each, pixels, place).loss) : [0, 0];
  const loss = pixels ? ` The loss of this drawing as ${network.classes[place]} is ${short(now)}; untaught it was ${short(before)}.` : "";
  const warning = Number.isFinite(now) ? "" : " The rate was too large: the numbers overflowed.";
  element("lesson").textContent = `${steps} step${steps === 1 ? "" : "s"} in all.${loss}${warning}`;
}

/** Return a figure of how the next step moves the weights of a unit of the first layer. */
function moved(network, x, unit, delta, rate) {
  const name = network.layers.length > 1 ? unit : network.classes[unit];
  const canvas = picture(network.side, network.side, `How the weights of ${name} move`);
  paintField(canvas, network.side, x.map((each) => -rate * delta * each));
  return figure(canvas, `${name}: ${short(delta)}`);
}

/** Show how many samples are misread now, and which of them were not before all lessons, or the other way round. */
function showCost(network, samples, before) {
  const now = answersTo(network, samples);
  const [was, is] = [before, now].map((answers) => samples.map(({ label }, i) => answers[i] !== label));
  const changed = [...samples.keys()].filter((i) => was[i] !== is[i]);
  const lost = changed.filter((i) => is[i]).length;
  const [wrongNow, wrongBefore] = [is, was].map((wrong) => wrong.filter(Boolean).length);
  const weighed = `Of ${samples.length} test pictures in this page it misreads ${wrongNow}; before the lessons ${wrongBefore}.`;
  const change = `Newly misread: ${lost}; mended: ${changed.length - lost}.`;
  element("cost").textContent = samples.length ? `${weighed} ${change}` : "";
  const [name, told] = [(i) => network.classes[samples[i].label], (i) => (is[i] ? `, now ${network.classes[now[i]]}` : ", now right")];
  element("changed").replaceChildren(...changed.map((i) => figure(thumb(network, samples[i].pixels, name(i)), name(i) + told(i))));
}
