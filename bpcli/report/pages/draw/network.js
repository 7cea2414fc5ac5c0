// The network: its parameters out of the page, and the forward pass, as bpcli.core.network does it for one picture.

const PIXELS = 784;
const LEAK = 0.01;

/** f(z) of each activation, and f'(z) taken from a = f(z); the same table as bpcli.core.activations. */
const ACTIVATIONS = {
  relu: { value: (z) => Math.max(z, 0), slope: (a) => (a > 0 ? 1 : 0) },
  leaky_relu: { value: (z) => Math.max(z, LEAK * z), slope: (a) => (a > 0 ? 1 : LEAK) },
  sigmoid: { value: (z) => (1 + Math.tanh(z / 2)) / 2, slope: (a) => a * (1 - a) },
  tanh: { value: Math.tanh, slope: (a) => 1 - a * a },
  identity: { value: (z) => z, slope: () => 1 },
};

/** The scores of each output function, from the logits. */
const OUTPUTS = {
  sigmoid: (logits) => logits.map(ACTIVATIONS.sigmoid.value),
  identity: (logits) => logits.slice(),
  softmax(logits) {
    const top = Math.max(...logits);
    const powers = logits.map((z) => Math.exp(z - top));
    const sum = powers.reduce((total, power) => total + power);
    return powers.map((power) => power / sum);
  },
};

/** The bytes of a base64 text. */
function bytesOf(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** A number in half precision (IEEE 754 binary16) from its bits; never infinite, `bpcli draw` sees to that. */
function half(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = (bits & 1023) / 1024;
  return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction) : 2 ** -14 * fraction);
}

/** Numbers in half precision, as browsers that lack Float16Array read them too. */
function halves(base64) {
  const table = Float32Array.from({ length: 65536 }, (_, bits) => half(bits));
  return Float32Array.from(new Uint16Array(bytesOf(base64).buffer), (bits) => table[bits]);
}

/** The network of the page's JSON: weights row by row of the units, so that each unit's lie side by side. */
function readNetwork({ sizes, activations, output, scale, shift, deslant, least, layers }) {
  return {
    least,
    scale,
    shift,
    deslant,
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

/** A picture of 784 bytes as the network takes it. */
function normalized(network, pixels) {
  return Float32Array.from(pixels, (byte) => network.scale * byte - network.shift);
}

/** z = W·x + b of one layer. */
function weighted({ fanIn, fanOut, weights, biases }, x) {
  const z = new Float32Array(fanOut);
  for (let unit = 0, w = 0; unit < fanOut; unit++) {
    let sum = biases[unit];
    for (let i = 0; i < fanIn; i++) sum += weights[w++] * x[i];
    z[unit] = sum;
  }
  return z;
}

/** The activations f(z) of some layers, one upon the other, given the z of the first; the last are the logits. */
function activations(layers, z) {
  const found = [z.map(layers[0].activation.value)];
  for (const layer of layers.slice(1)) found.push(weighted(layer, found.at(-1)).map(layer.activation.value));
  return found;
}

/** What the network makes of 784 bytes: the activations of the hidden layers, the logits and the scores. */
function forward(network, pixels) {
  const found = activations(network.layers, weighted(network.layers[0], normalized(network, pixels)));
  const logits = Array.from(found.pop());
  return { hidden: found, logits, scores: network.output(logits) };
}

/** ∂logit/∂z of one digit, z those of the first layer, given every layer's activations. */
function slopes(layers, found, digit) {
  let delta = found.at(-1).map((_, unit) => (unit === digit ? 1 : 0));
  for (let index = layers.length - 1; index > 0; index--) {
    const { slope } = layers[index - 1].activation;
    delta = backward(layers[index], delta).map((d, unit) => d * slope(found[index - 1][unit]));
  }
  return delta;
}

/** Wᵀ·δ; most units do not fire, and their δ is zero. */
function backward({ fanIn, fanOut, weights }, delta) {
  const below = new Float32Array(fanIn);
  for (let unit = 0; unit < fanOut; unit++) {
    const d = delta[unit];
    if (d === 0) continue;
    for (let i = 0, w = unit * fanIn; i < fanIn; i++) below[i] += d * weights[w++];
  }
  return below;
}

const PATH = 100; // steps on the way from the empty picture to the drawn one

/**
 * How much each pixel's ink raised or lowered each digit's logit, ten arrays of 784.
 *
 * Integrated gradients (Sundararajan, Taly, Yan 2017, arXiv:1703.01365) from the empty picture: they add up to the
 * difference between the logits of the picture and those of the empty one. On the way, z of the first layer is linear
 * and its δ can be summed before Wᵀ is applied, so that the large weights are read once and not at each step.
 */
function contributions({ layers, scale, shift }, pixels) {
  const [first] = layers;
  const ink = Float32Array.from(pixels, (byte) => scale * byte);
  const empty = weighted(first, ink.map(() => -shift));
  const whole = weighted(first, ink.map((value) => value - shift));
  const sums = Array.from({ length: layers.at(-1).fanOut }, () => new Float32Array(first.fanOut));
  for (let step = 0; step < PATH; step++) {
    const share = (step + 0.5) / PATH;
    const found = activations(layers, empty.map((z, unit) => z + share * (whole[unit] - z)));
    sums.forEach((sum, digit) => add(sum, slopes(layers, found, digit)));
  }
  return sums.map((sum) => backward(first, sum).map((slope, i) => (slope * ink[i]) / PATH));
}

function add(sum, values) {
  for (let i = 0; i < sum.length; i++) sum[i] += values[i];
}
