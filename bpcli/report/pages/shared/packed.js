// The network that travels in a page as JSON, as bpcli.report.packing writes it, and the inputs that it expects.

/** Return the bytes of a base64 text. */
function bytesOf(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** Return a number in half precision (IEEE 754 binary16) from its bits; bpcli writes finite numbers only. */
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

/** Return `count` numbers, which travel in half or in single precision. */
function numbersOf(base64, count) {
  const single = 4 * Math.ceil((4 * count) / 3); // base64: 4 characters for 3 bytes
  return base64.length < single ? halves(base64) : new Float32Array(bytesOf(base64).buffer);
}

/** Return the network of the page's JSON for network.js; whatever else it tells about its images is kept. */
function readNetwork({ sizes, activations, output, loss, layers, ...subject }) {
  return {
    ...subject,
    output: OUTPUTS[`${output}, ${loss}`],
    layers: layers.map(({ weights, biases }, index) => ({
      fanIn: sizes[index],
      fanOut: sizes[index + 1],
      weights: numbersOf(weights, sizes[index] * sizes[index + 1]),
      biases: new Float32Array(bytesOf(biases).buffer),
      activation: ACTIVATIONS[activations[index] ?? "identity"],
    })),
  };
}

/** Return the network's inputs from the bytes of pictures, one after the other. */
function normalized({ scale, shift, layers }, pixels) {
  const x = roomLike(layers[0].weights, pixels.length);
  for (let i = 0; i < x.length; i++) x[i] = scale * pixels[i] - shift;
  return x;
}

/** Return the pass of pictures, given as bytes. */
function look(network, pixels) {
  return forward(network, normalized(network, pixels), pixels.length / network.layers[0].fanIn);
}

/** Return the backward pass of a picture of a class: { pass, y, loss, deltas, gradients }. */
function backwardOf(network, pixels, place) {
  const pass = look(network, pixels);
  const y = oneHot([place], network.classes.length, pass.scores);
  return { pass, y, loss: lossesOf(network, pass, y)[0], ...backward(network, pass, y) };
}
