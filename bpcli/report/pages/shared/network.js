// A fully connected network over typed arrays: forward pass, backward pass and gradient descent, for a batch of pictures.
//
// The mathematics of bpcli.core, and tested against it. Everything is plain data:
//
//   network    { layers, output, ... }; output is a row of OUTPUTS: the output function with its loss
//   layer      { fanIn, fanOut, weights, biases, activation }; `weights` holds fanIn numbers for each unit, unit after unit;
//              `activation` is a row of ACTIVATIONS, and `identity` for the last layer
//   matrix     a typed array, row after row; a row is a picture of the batch
//   pass       { rows, x, z, a, logits, scores }: z[l] and a[l] are the matrices (rows × fanOut) of layer l, x and a[l − 1]
//              are the inputs of layers 0 and l; logits is z of the last layer
//   gradients  [{ weights, biases }, ...], as the layers
//
// What is made here has the type of the weights, Float32Array or Float64Array. Sums are in double precision in any case.
//
//   forward(network, x, rows = 1)                the pass of a matrix of inputs
//   onward(network, z, rows = 1)                 the same from z of the first layer; its x is missing
//   lossesOf(network, pass, y)                   the loss of each row; y is a matrix of targets, such as oneHot makes
//   backward(network, pass, y, gradients?)       { deltas, gradients } of the mean loss over the rows; gradients are overwritten
//   deltasBelow(network, pass, delta)            δ of each layer, given any δ of the last; one of a logit is as good as a loss's
//   throughWeights(layer, delta, rows = 1)       δ·W, the derivative by the layer's inputs
//   descend(layers, gradients, { rate, momentum, decay }, velocity?)
//                                                a step in place: v ← μ·v − η·(g + λ·w), w ← w + v; λ on weights only
//   oneHot(labels, classes, like)                a matrix of targets of the type of the array `like`
//   zerosLike(layers), copyOf(layers)            gradients or velocities of zero; the weights and biases alone

const LEAK = 0.01;

/** Return erf(x), exact to rounding: 2/√π·e^−x²·Σ 2ⁿ·x²ⁿ⁺¹/(1·3·…·(2n + 1)), DLMF 7.6.2. */
function erf(x) {
  if (Math.abs(x) > 6) return Math.sign(x); // 1 − erf(6) is 2e-17
  let [term, sum] = [x, x];
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) sum += term *= (2 * x * x) / (2 * n + 1);
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

/** Return Φ(z), the distribution function of the standard normal. */
function normalCdf(z) {
  return (1 + erf(z / Math.SQRT2)) / 2;
}

/** f(z) of each activation, and f'(z) from a = f(z) and z; the same table as bpcli.core.activations. */
const ACTIVATIONS = {
  relu: { value: (z) => Math.max(z, 0), derivative: (a) => (a > 0 ? 1 : 0) },
  leaky_relu: { value: (z) => Math.max(z, LEAK * z), derivative: (a) => (a > 0 ? 1 : LEAK) },
  elu: { value: (z) => (z > 0 ? z : Math.expm1(z)), derivative: (a) => Math.min(a, 0) + 1 },
  gelu: {
    value: (z) => z * normalCdf(z),
    derivative: (a, z) => normalCdf(z) + (z * Math.exp((-z * z) / 2)) / Math.sqrt(2 * Math.PI),
  },
  sigmoid: { value: (z) => (1 + Math.tanh(z / 2)) / 2, derivative: (a) => a * (1 - a) },
  tanh: { value: Math.tanh, derivative: (a) => 1 - a * a },
  identity: { value: (z) => z, derivative: () => 1 },
};

const LOGISTIC = { scores: (z) => z.map(ACTIVATIONS.sigmoid.value), formula: "1\u00a0/\u00a0(1\u00a0+\u00a0exp(−z))" };
const SOFTMAX = {
  scores(z) {
    const top = largestOf(z);
    const powers = z.map((each) => Math.exp(each - top));
    const sum = total(powers);
    return powers.map((power) => power / sum);
  },
  formula: "exp(z), divided by the sum of exp(z) over all classes",
};
const LINEAR = { scores: (z) => z.slice(), formula: "z" };

/**
 * Each output function with a loss, as in bpcli.core.losses. For one row: `scores(z)`, `loss(z, p, y)`; for one unit:
 * `delta(p, y)`, the loss's derivative by z. `formula` says in words what makes a score of z.
 */
const OUTPUTS = {
  "sigmoid, binary_cross_entropy": {
    ...LOGISTIC,
    loss: (z, p, y) => total(z.map((each, i) => Math.max(each, 0) + Math.log1p(Math.exp(-Math.abs(each))) - y[i] * each)),
    delta: (p, y) => p - y,
  },
  "softmax, cross_entropy": {
    ...SOFTMAX,
    loss(z, p, y) {
      const top = largestOf(z);
      return top + Math.log(total(z.map((each) => Math.exp(each - top)))) - total(z.map((each, i) => y[i] * each));
    },
    delta: (p, y) => p - y,
  },
  "sigmoid, quadratic": { ...LOGISTIC, loss: quadratic, delta: (p, y) => (p - y) * p * (1 - p) },
  "identity, quadratic": { ...LINEAR, loss: quadratic, delta: (p, y) => p - y },
};

function quadratic(z, p, y) {
  return total(p.map((each, i) => (each - y[i]) ** 2)) / 2;
}

function total(values) {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}

function largestOf(values) {
  return values.reduce((most, value) => Math.max(most, value), -Infinity);
}

/** Return a new array of an array's type. */
function roomLike(array, length) {
  return new array.constructor(length);
}

/** Return the pass of a matrix of inputs. */
function forward(network, x, rows = 1) {
  return { ...onward(network, weighted(network.layers[0], x, rows), rows), x };
}

/** Return the pass from z of the first layer. */
function onward({ layers, output }, first, rows = 1) {
  const [z, a] = [[first], []];
  layers.forEach((layer, l) => {
    if (l > 0) z.push(weighted(layer, a[l - 1], rows));
    a.push(z[l].map((each) => layer.activation.value(each)));
  });
  const logits = z.at(-1);
  return { rows, z, a, logits, scores: byRows(rows, output.scores, logits) };
}

/** Return `change` of each row of a matrix, as a matrix. */
function byRows(rows, change, matrix) {
  const changed = roomLike(matrix, matrix.length);
  const width = matrix.length / rows;
  for (let start = 0; start < matrix.length; start += width) changed.set(change(matrix.subarray(start, start + width)), start);
  return changed;
}

/** Return z = x·W + b of one layer. Two units and four rows share what is read; that is three times as fast. */
function weighted({ fanIn, fanOut, weights, biases }, x, rows = 1) {
  const groups = inFours(x, rows);
  const sums = new Float64Array(4 * groups.length * fanOut);
  for (let unit = 0; unit < fanOut; unit += 2) {
    const other = Math.min(unit + 1, fanOut - 1);
    const own = weights.subarray(unit * fanIn, (unit + 1) * fanIn);
    const others = weights.subarray(other * fanIn, (other + 1) * fanIn);
    groups.forEach((four, group) => multiply(own, others, four, sums, 4 * group * fanOut + unit, other - unit, fanOut));
  }
  const z = roomLike(weights, rows * fanOut);
  for (let i = 0; i < z.length; i++) z[i] = sums[i] + biases[i % fanOut];
  return z;
}

/** Return the rows of a matrix in fours, in double precision; zeros fill up the last four. */
function inFours(matrix, rows) {
  const [width, groups] = [matrix.length / rows, Math.ceil(rows / 4)];
  const whole = new Float64Array(4 * groups * width);
  whole.set(matrix);
  const row = (place) => whole.subarray(place * width, (place + 1) * width);
  return Array.from({ length: groups }, (_, group) => [0, 1, 2, 3].map((own) => row(4 * group + own)));
}

/** Write the products of two units' weights with four rows into their columns of a matrix, from index `at` on. */
function multiply(own, others, [p, q, r, s], sums, at, aside, width) {
  let a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0;
  for (let i = 0; i < own.length; i++) {
    const w = own[i], v = others[i], one = p[i], two = q[i], three = r[i], four = s[i];
    a += w * one;
    b += w * two;
    c += w * three;
    d += w * four;
    e += v * one;
    f += v * two;
    g += v * three;
    h += v * four;
  }
  [sums[at], sums[at + width], sums[at + 2 * width], sums[at + 3 * width]] = [a, b, c, d];
  at += aside;
  [sums[at], sums[at + width], sums[at + 2 * width], sums[at + 3 * width]] = [e, f, g, h];
}

/** Return the loss of each row. */
function lossesOf({ output }, { rows, logits, scores }, y) {
  const width = logits.length / rows;
  return Float64Array.from({ length: rows }, (_, row) => {
    const [z, p, target] = [logits, scores, y].map((matrix) => Float64Array.from(matrix.subarray(row * width, (row + 1) * width)));
    return output.loss(z, p, target);
  });
}

/** Return δ of each layer and the gradients of the mean loss over the rows. */
function backward(network, pass, y, gradients = zerosLike(network.layers)) {
  const { layers, output } = network;
  const delta = pass.scores.map((p, i) => output.delta(p, y[i]) / pass.rows);
  const deltas = deltasBelow(network, pass, delta);
  layers.forEach((layer, l) => writeGradient(gradients[l], layer, l ? pass.a[l - 1] : pass.x, deltas[l], pass.rows));
  return { deltas, gradients };
}

/** Return δ of each layer, given that of the last: δ = (δ·W of the layer above) ⊙ f'(z), for each row. */
function deltasBelow({ layers }, { rows, z, a }, delta) {
  const deltas = [delta];
  for (let l = layers.length - 1; l > 0; l--) {
    const { derivative } = layers[l - 1].activation;
    const below = throughWeights(layers[l], deltas[0], rows);
    deltas.unshift(below.map((d, i) => (d ? d * derivative(a[l - 1][i], z[l - 1][i]) : 0)));
  }
  return deltas;
}

/** Return δ·W of one layer for each row. Many units do not fire: their δ is zero and skipped. */
function throughWeights({ fanIn, fanOut, weights }, delta, rows = 1) {
  const below = roomLike(weights, rows * fanIn);
  for (let row = 0; row < rows; row++) {
    const sum = new Float64Array(fanIn);
    for (let unit = 0; unit < fanOut; unit++) {
      const d = delta[row * fanOut + unit];
      if (d === 0) continue;
      for (let i = 0, w = unit * fanIn; i < fanIn; i++) sum[i] += d * weights[w++];
    }
    below.set(sum, row * fanIn);
  }
  return below;
}

/** Write ∂C/∂W = δᵀ·inputs and ∂C/∂b = Σ δ over the rows, for two units and four rows at a time. */
function writeGradient({ weights, biases }, { fanIn, fanOut }, inputs, delta, rows) {
  const groups = inFours(inputs, rows);
  const [own, others, d] = [new Float64Array(fanIn), new Float64Array(fanIn), new Float64Array(4 * groups.length * fanOut)];
  d.set(delta);
  for (let unit = 0; unit < fanOut; unit += 2) {
    const other = Math.min(unit + 1, fanOut - 1);
    own.fill(0);
    others.fill(0);
    groups.forEach((four, group) => addProducts(own, others, d, 4 * group * fanOut + unit, other - unit, fanOut, four));
    weights.set(own, unit * fanIn);
    weights.set(others, other * fanIn);
  }
  for (let unit = 0; unit < fanOut; unit++) {
    let sum = 0;
    for (let i = unit; i < delta.length; i += fanOut) sum += delta[i];
    biases[unit] = sum;
  }
}

/** Add four rows times their δ to the sums of two units; their columns of δ begin at index `at`. */
function addProducts(own, others, delta, at, aside, width, [p, q, r, s]) {
  const a = delta[at], b = delta[at + width], c = delta[at + 2 * width], d = delta[at + 3 * width];
  at += aside;
  const e = delta[at], f = delta[at + width], g = delta[at + 2 * width], h = delta[at + 3 * width];
  if (!(a || b || c || d || e || f || g || h)) return;
  for (let i = 0; i < own.length; i++) {
    const one = p[i], two = q[i], three = r[i], four = s[i];
    own[i] += a * one + b * two + c * three + d * four;
    others[i] += e * one + f * two + g * three + h * four;
  }
}

/** Do a step of gradient descent in place, with a velocity if momentum is wanted. */
function descend(layers, gradients, { rate, momentum = 0, decay = 0 }, velocity = null) {
  layers.forEach((layer, l) => {
    for (const [name, shrink] of [["weights", decay], ["biases", 0]]) {
      stepBy(layer[name], gradients[l][name], rate, shrink, velocity && velocity[l][name], momentum);
    }
  });
}

function stepBy(w, g, rate, decay, v, momentum) {
  if (!v) {
    for (let i = 0; i < w.length; i++) w[i] -= rate * (g[i] + decay * w[i]);
    return;
  }
  for (let i = 0; i < w.length; i++) {
    v[i] = momentum * v[i] - rate * (g[i] + decay * w[i]);
    w[i] += v[i];
  }
}

/** Return targets: 1 for the label of each row, 0 for the other classes. */
function oneHot(labels, classes, like) {
  const y = roomLike(like, labels.length * classes);
  labels.forEach((label, row) => (y[row * classes + label] = 1));
  return y;
}

function zerosLike(layers) {
  return layers.map(({ weights, biases }) => ({ weights: roomLike(weights, weights.length), biases: roomLike(biases, biases.length) }));
}

function copyOf(layers) {
  return layers.map(({ weights, biases }) => ({ weights: weights.slice(), biases: biases.slice() }));
}
