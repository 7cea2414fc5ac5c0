// Random numbers from a seed, and the first weights of a network: the formulas are those of bpcli.core.initializers.

const [WEIGHTS, ORDER] = [0, 1]; // what numbers are drawn for: each has a stream of its own

/** The standard deviation of a layer's weights, and of its biases. */
const INITIALIZERS = {
  glorot_relu: { spread: (fanIn, fanOut, isOutput) => (isOutput ? 1 : 2) / Math.sqrt(fanIn + fanOut), biases: 0 },
  he: { spread: (fanIn) => Math.sqrt(2 / fanIn), biases: 0 },
  glorot: { spread: (fanIn, fanOut) => Math.sqrt(2 / (fanIn + fanOut)), biases: 0 },
  nielsen_large: { spread: () => 1, biases: 1 },
  nielsen_default: { spread: (fanIn) => 1 / Math.sqrt(fanIn), biases: 1 },
};

/** Return a function that draws numbers from 0 up to 1, the same for the same keys: mulberry32 by T. Ettinger, public domain. */
function generator(...keys) {
  let state = keys.reduce((whole, key) => scrambled(whole ^ scrambled(key + 0x9e3779b9)), 0);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    return scrambled(state) / 2 ** 32;
  };
}

/** Return 32 bits that look random, from others. */
function scrambled(bits) {
  let mixed = Math.imul(bits ^ (bits >>> 15), bits | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  return (mixed ^ (mixed >>> 14)) >>> 0;
}

/** Write normally distributed numbers to an array, two by two (Box, Muller 1958). */
function drawNormal(numbers, spread, draw) {
  for (let i = 0; i < numbers.length; i += 2) {
    const [radius, angle] = [spread * Math.sqrt(-2 * Math.log(1 - draw())), 2 * Math.PI * draw()];
    numbers[i] = radius * Math.cos(angle);
    if (i + 1 < numbers.length) numbers[i + 1] = radius * Math.sin(angle);
  }
}

/** Return the layers of a setting with their first weights, for pictures of so many pixels and classes. */
function firstLayers({ hidden, activation, init, seed }, pixels, classes) {
  const sizes = [pixels, ...hidden, classes];
  const draw = generator(seed, WEIGHTS);
  const { spread, biases } = INITIALIZERS[init];
  return sizes.slice(1).map((fanOut, l) => {
    const [fanIn, isOutput] = [sizes[l], l === hidden.length];
    const own = ACTIVATIONS[isOutput ? "identity" : activation];
    const layer = { fanIn, fanOut, weights: new Float32Array(fanIn * fanOut), biases: new Float32Array(fanOut), activation: own };
    drawNormal(layer.weights, spread(fanIn, fanOut, isOutput), draw);
    if (biases) drawNormal(layer.biases, biases, draw);
    return layer;
  });
}

/** Return the order in which an epoch sees its pictures (Fisher, Yates). */
function orderOf(seed, epoch, count) {
  const order = Int32Array.from({ length: count }, (_, i) => i);
  const draw = generator(seed, ORDER, epoch);
  for (let i = count - 1; i > 0; i--) {
    const other = Math.floor(draw() * (i + 1));
    [order[i], order[other]] = [order[other], order[i]];
  }
  return order;
}
