// The network: its parameters from the page, and the forward pass of bpcli.core.network for one picture.

const LEAK = 0.01;

/** Return erf(x); Abramowitz, Stegun 1964, 7.1.26: |error| ≤ 1.5e-7. */
function erf(x) {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return Math.sign(x) * (1 - series * Math.exp(-x * x));
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

/** The scores of each output function, from the logits z, and its formula in words. */
const OUTPUTS = {
  sigmoid: { formula: "1\u00a0/\u00a0(1\u00a0+\u00a0exp(−z))", scores: (logits) => logits.map(ACTIVATIONS.sigmoid.value) },
  identity: { formula: "z", scores: (logits) => logits.slice() },
  softmax: {
    formula: "exp(z), divided by the sum of exp(z) over all classes",
    scores(logits) {
      const top = Math.max(...logits);
      const powers = logits.map((z) => Math.exp(z - top));
      const sum = powers.reduce((total, power) => total + power);
      return powers.map((power) => power / sum);
    },
  },
};

/** Return the bytes of a base64 text. */
function bytesOf(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** Return a number in half precision (IEEE 754 binary16) from its bits; `bpcli draw` writes finite numbers only. */
function half(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = (bits & 1023) / 1024;
  return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction) : 2 ** -14 * fraction);
}

/** Return numbers in half precision, in browsers without Float16Array too. */
function halves(base64) {
  const table = Float32Array.from({ length: 65536 }, (_, bits) => half(bits));
  return Float32Array.from(new Uint16Array(bytesOf(base64).buffer), (bits) => table[bits]);
}

/** Return the network of the page's JSON; the weights of each unit are contiguous. */
function readNetwork({ sizes, activations, output, layers, ...subject }) {
  return {
    ...subject,
    output: OUTPUTS[output],
    layers: layers.map(({ weights, biases }, index) => ({
      fanIn: sizes[index],
      fanOut: sizes[index + 1],
      weights: halves(weights),
      biases: new Float32Array(bytesOf(biases).buffer),
      activation: ACTIVATIONS[activations[index] ?? "identity"],
    })),
  };
}

/** Return the network's input from a picture, a square of bytes. */
function normalized(network, pixels) {
  return Float32Array.from(pixels, (byte) => network.scale * byte - network.shift);
}

/** Return z = W·x + b of one layer. */
function weighted({ fanIn, fanOut, weights, biases }, x) {
  const z = new Float32Array(fanOut);
  for (let unit = 0, w = 0; unit < fanOut; unit++) {
    let sum = biases[unit];
    for (let i = 0; i < fanIn; i++) sum += weights[w++] * x[i];
    z[unit] = sum;
  }
  return z;
}

/** Return z and a = f(z) of consecutive layers, given the z of the first; the last a are the logits. */
function activations(layers, z) {
  const found = { z: [z], a: [z.map((each) => layers[0].activation.value(each))] };
  for (const layer of layers.slice(1)) {
    found.z.push(weighted(layer, found.a.at(-1)));
    found.a.push(found.z.at(-1).map((each) => layer.activation.value(each)));
  }
  return found;
}

/** Return the activations of the hidden layers, the logits and the scores for a square of bytes. */
function forward(network, pixels) {
  const { a } = activations(network.layers, weighted(network.layers[0], normalized(network, pixels)));
  const logits = Array.from(a.pop());
  return { hidden: a, logits, scores: network.output.scores(logits) };
}

/** Return δ = ∂logit/∂z of one class at the first layer, given every layer's z and a. */
function deltaOfFirst(layers, { z, a }, place) {
  let delta = a.at(-1).map((_, unit) => (unit === place ? 1 : 0));
  for (let index = layers.length - 1; index > 0; index--) {
    const { derivative } = layers[index - 1].activation;
    const below = backward(layers[index], delta);
    delta = below.map((d, unit) => d * derivative(a[index - 1][unit], z[index - 1][unit]));
  }
  return delta;
}

/** Return Wᵀ·δ; most units do not fire, so their δ is zero and skipped. */
function backward({ fanIn, fanOut, weights }, delta) {
  const below = new Float32Array(fanIn);
  for (let unit = 0; unit < fanOut; unit++) {
    const d = delta[unit];
    if (d === 0) continue;
    for (let i = 0, w = unit * fanIn; i < fanIn; i++) below[i] += d * weights[w++];
  }
  return below;
}

/** Return the byte of bare paper in the network's input: a digit is white on black, whatever its ink. */
function paperOf({ digits, light }) {
  return digits || light ? 0 : 255;
}

/** Return the logits of the empty picture, on which there is no ink. */
function emptyLogits(network, pixels) {
  return forward(network, pixels.map(() => paperOf(network))).logits;
}

const PATH = 100; // steps on the path from the empty picture to the drawn one

/**
 * Return how much each pixel's ink raised or lowered the logits of some classes, given by their indices: an array for each.
 *
 * Integrated gradients (Sundararajan, Taly, Yan 2017, arXiv:1703.01365) from the empty picture: they add up to the
 * difference between the logits of the picture and those of the empty one. Along the path, z of the first layer is
 * linear. So its δ are summed first and Wᵀ is applied once: the large weights are read once and not at each step.
 */
function contributions(network, pixels, places) {
  const { layers, scale } = network;
  const [first] = layers;
  const bare = paperOf(network);
  const ink = Float32Array.from(pixels, (byte) => scale * (byte - bare));
  const empty = weighted(first, normalized(network, pixels.map(() => bare)));
  const whole = weighted(first, normalized(network, pixels));
  const sums = places.map(() => new Float32Array(first.fanOut));
  for (let step = 0; step < PATH; step++) {
    const share = (step + 0.5) / PATH;
    const found = activations(layers, empty.map((z, unit) => z + share * (whole[unit] - z)));
    sums.forEach((sum, i) => add(sum, deltaOfFirst(layers, found, places[i])));
  }
  return sums.map((sum) => backward(first, sum).map((gradient, i) => (gradient * ink[i]) / PATH));
}

function add(sum, values) {
  for (let i = 0; i < sum.length; i++) sum[i] += values[i];
}
