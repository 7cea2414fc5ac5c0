// One training step on one picture, in double precision: the numbers of bpcli.gradcheck.one_step, and tested against them.
//
//   step   { network, label, pass, y, loss, deltas, gradients, inputs }; inputs[l] is what layer l multiplies by its weights
//   sum    { weights, values, products, indices, rest, others, total }; indices are those of the largest products

const PRODUCTS = 10; // of a sum that stand by themselves
const EPSILON = 1e-5; // the change of a weight for a central difference
const BENT = 0.1; // of the fall that the gradient predicts: where the loss is off by more, the line is no longer straight

/** Return a network whose numbers are in double precision. */
function doubled(network) {
  const double = ({ weights, biases }) => ({ weights: Float64Array.from(weights), biases: Float64Array.from(biases) });
  return { ...network, layers: network.layers.map((layer) => ({ ...layer, ...double(layer) })) };
}

/** Return the step of a network in double precision on the bytes of a picture. */
function stepOn(network, pixels, label) {
  const found = backwardOf(network, pixels, label);
  return { network, label, ...found, inputs: [found.pass.x, ...found.pass.a.slice(0, -1)] };
}

/** Return what the units of a layer give on: their activations, or the scores. */
function givenOn({ network, pass }, l) {
  return l === network.layers.length - 1 ? pass.scores : pass.a[l];
}

/** Return the weights that lead to a unit, as a view. */
function weightsTo({ fanIn, weights }, unit) {
  return weights.subarray(unit * fanIn, (unit + 1) * fanIn);
}

/** Return the weights that lead from one input of a layer to each of its units. */
function weightsFrom({ fanIn, fanOut, weights }, below) {
  return Float64Array.from({ length: fanOut }, (_, unit) => weights[unit * fanIn + below]);
}

/** Return Σ w·value, with its largest products by themselves. */
function sumOf(weights, values) {
  const products = values.map((value, i) => value * weights[i]);
  const indices = strongest(products, PRODUCTS);
  const small = products.slice();
  for (const i of indices) small[i] = 0;
  return { weights, values, products, indices, rest: total(small), others: products.length - indices.length, total: total(products) };
}

/** Return Σ w·x of a unit; z is this and the bias. */
function weightedInput({ network, inputs }, l, unit) {
  return sumOf(weightsTo(network.layers[l], unit), inputs[l]);
}

/** Return Σ w·δ of a hidden unit over the layer above; δ is this times f'(z). */
function blame({ network, deltas }, l, unit) {
  return sumOf(weightsFrom(network.layers[l + 1], unit), deltas[l + 1]);
}

/** Return f'(z) of a hidden unit. */
function slopeOf({ network, pass }, l, unit) {
  return network.layers[l].activation.derivative(pass.a[l][unit], pass.z[l][unit]);
}

/** Return ∂C/∂w of each weight that leads to a unit, as a view. */
function gradientsTo({ network, gradients }, l, unit) {
  return weightsTo({ fanIn: network.layers[l].fanIn, weights: gradients[l].weights }, unit);
}

/** Return the part of the loss that an output unit has: they add up to C. */
function lossPart({ network, pass, y, loss }, unit) {
  const { output } = network;
  if (output === OUTPUTS["softmax, cross_entropy"]) return y[unit] * loss; // −ln p of the picture's class
  return output.loss(...[pass.logits, pass.scores, y].map((values) => values.subarray(unit, unit + 1)));
}

function lossOn(network, x, y) {
  return lossesOf(network, forward(network, x), y)[0];
}

/** Return the losses for w + ε and w − ε, and (C(w + ε) − C(w − ε))/2ε, of the weight that leads from `below` to a unit. */
function centralDifference({ network, pass, y }, l, below, unit) {
  const own = weightsTo(network.layers[l], unit);
  const before = own[below];
  const [above, under] = [EPSILON, -EPSILON].map((change) => {
    own[below] = before + change;
    return lossOn(network, pass.x, y);
  });
  own[below] = before;
  return { above, under, difference: (above - under) / (2 * EPSILON) };
}

/** Return the weight of a layer with the largest gradient, { below, unit }: the largest input times the largest δ. */
function heaviest({ inputs, deltas }, l) {
  const [below, unit] = [inputs[l], deltas[l]].map((values) => strongest(values, 1)[0] ?? 0);
  return { below, unit };
}

/** Return ‖∂C/∂w‖²: the gradient predicts that a step of the rate η lowers the loss by η times as much. */
function steepness({ gradients }) {
  return total(gradients.flatMap(({ weights, biases }) => [scalar(weights, weights), scalar(biases, biases)]));
}

function scalar(one, other) {
  let sum = 0;
  for (let i = 0; i < one.length; i++) sum += one[i] * other[i];
  return sum;
}

/**
 * Return loss and scores after a step of some rate, without changing the weights: the gradient of one picture is x·δ.
 * So z of each layer becomes W·x' + b − η·δ·(x·x' + 1), where x and x' are its inputs before the step and after it.
 */
function after({ network, pass, y, inputs, deltas }, rate) {
  let [z, now] = [pass.z[0], pass.x];
  network.layers.forEach((layer, l) => {
    const length = rate * (scalar(inputs[l], now) + 1);
    z = (l ? weighted(layer, now) : z).map((each, unit) => each - length * deltas[l][unit]);
    now = z.map((each) => layer.activation.value(each));
  });
  const scores = network.output.scores(z);
  return { scores, loss: network.output.loss(z, scores, y) };
}

/** Return how far the loss after a step is off the straight line, as a part of the fall that the line predicts. */
function bend(step, steep, rate) {
  const off = Math.abs(after(step, rate).loss - (step.loss - rate * steep)) / (rate * steep);
  return Number.isFinite(off) ? off : Infinity;
}

/** Return the rate up to which the line is straight, to three digits; null where it is up to 1,000, or nothing moves. */
function straightUntil(step, steep) {
  if (!steep) return null;
  const start = Math.max(1e-7, 1e-12 / steep); // below it, rounding is all that differs
  const exponents = Array.from({ length: 60 }, (_, i) => Math.log10(start) + i / 5).filter((each) => each <= 3);
  const far = exponents.findIndex((each) => bend(step, steep, 10 ** each) > BENT);
  if (far < 0) return null;
  let [low, high] = [exponents[Math.max(far - 1, 0)], exponents[far]];
  for (let i = 0; i < 20; i++) {
    const middle = (low + high) / 2;
    if (bend(step, steep, 10 ** middle) > BENT) high = middle;
    else low = middle;
  }
  return 10 ** low;
}
