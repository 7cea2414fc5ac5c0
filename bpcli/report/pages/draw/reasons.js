// What a picture's ink does to the network's logits.

/** Return the byte of bare paper in the network's input: a digit is white on black, whatever its ink. */
function paperOf({ digits, light }) {
  return digits || light ? 0 : 255;
}

/** Return the pass of the empty picture, on which there is no ink. */
function emptyPass(network) {
  return look(network, new Uint8Array(network.side ** 2).fill(paperOf(network)));
}

/** Return the indices of the highest and of the second highest score. */
function strongestOf(scores) {
  return Array.from(scores.keys()).sort((one, other) => scores[other] - scores[one]).slice(0, 2);
}

/** Return the class of the highest score of each row of a pass. */
function winners({ rows, scores }) {
  const classes = scores.length / rows;
  return Array.from({ length: rows }, (_, row) => strongestOf(scores.subarray(row * classes, (row + 1) * classes))[0]);
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
  const [first] = network.layers;
  const [empty, whole] = [emptyPass(network), look(network, pixels)];
  const ink = whole.x.map((x, i) => x - empty.x[i]);
  const z = new Float32Array(PATH * first.fanOut);
  for (let i = 0; i < z.length; i++) {
    const [unit, share] = [i % first.fanOut, (Math.floor(i / first.fanOut) + 0.5) / PATH];
    z[i] = empty.z[0][unit] + share * (whole.z[0][unit] - empty.z[0][unit]);
  }
  const path = onward(network, z, PATH);
  return places.map((place) => {
    const sum = sumOfRows(deltasOfLogit(network, path, place)[0], PATH);
    return throughWeights(first, sum).map((gradient, i) => (gradient * ink[i]) / PATH);
  });
}

/** Return δ = ∂logit/∂z of each layer for one class, for each row of a pass. */
function deltasOfLogit(network, pass, place) {
  const classes = pass.logits.length / pass.rows;
  return deltasBelow(network, pass, oneHot(new Array(pass.rows).fill(place), classes, pass.logits));
}

function sumOfRows(matrix, rows) {
  const sum = new Float32Array(matrix.length / rows);
  for (let i = 0; i < matrix.length; i++) sum[i % sum.length] += matrix[i];
  return sum;
}
