// Background estimation: the paper's brightness at each pixel, and the ink as the share of light it absorbs. As bpcli.data.picture.background.

const CELLS = 24;
const TREND_CELLS = 16;
const PAPER_SHARE = 0.8;
const STIFFNESS = 0.04;
const WIDEST_STROKES = [0.15, 0.4];
const FLAT = 1.5 / 255;
const FLAT_SHARE = 0.25;
const FLAT_BORDER = 0.5;
const DARKEST_PAPER = 0.05;

/** Return whether much of a picture is as light as its lightest pixel: drawn or cleaned, not a photograph. */
function isFlat({ values }) {
  const least = Math.fround(largest(values) - FLAT);
  let count = 0;
  for (let i = 0; i < values.length; i++) if (values[i] >= least) count++;
  return count / values.length >= FLAT_SHARE;
}

/** Return whether a picture is flat, and so is at least half of its border: it is paper that is flat. */
function isFlatAround(grey) {
  const least = Math.fround(largest(grey.values) - FLAT);
  const sides = borderOf(grey);
  return isFlat(grey) && sides.filter((value) => value >= least).length >= FLAT_BORDER * sides.length;
}

/** Return the trend of the paper under dark ink: a quadratic surface at the PAPER_SHARE quantile of light. */
function paperTrend(grey) {
  const cells = toCells(grey, TREND_CELLS);
  const terms = surfaces(cells.height, cells.width);
  const coefficients = quantileFit(terms, cells.values);
  return stretch(pictureOf(cells, (i) => dot(terms[i], coefficients)), grey);
}

/** Return the terms 1, x, y, x², xy and y² of a quadratic surface; x, y are from −1 to 1. */
function surfaces(height, width) {
  return Array.from({ length: height * width }, (_, i) => {
    const x = even(i % width, width);
    const y = even(Math.floor(i / width), height);
    return Float64Array.of(1, x, y, x * x, x * y, y * y);
  });
}

/** Return the position of one of `count` points spread evenly from −1 to 1. */
function even(index, count) {
  return count === 1 ? -1 : (2 * index) / (count - 1) - 1;
}

/** Return the coefficients for the PAPER_SHARE quantile by iteratively reweighted least squares; all but the first are penalised. */
function quantileFit(terms, values) {
  const start = quantile(values, PAPER_SHARE);
  let residual = Float64Array.from(values, (value) => value - start);
  let coefficients = new Float64Array(6);
  for (let round = 0; round < 8; round++) {
    const weights = residual.map((r) => (r > 0 ? PAPER_SHARE : 1 - PAPER_SHARE) / Math.max(Math.abs(r), 3e-3));
    coefficients = reweighted(terms, values, weights, coefficients);
    residual = residual.map((_, i) => values[i] - dot(terms[i], coefficients));
  }
  return coefficients;
}

function reweighted(terms, values, weights, before) {
  const size = before.length;
  const matrix = Array.from(before, () => new Float64Array(size));
  const right = new Float64Array(size);
  for (let i = 0; i < terms.length; i++) {
    const term = terms[i];
    for (let row = 0; row < size; row++) {
      const weight = weights[i] * term[row];
      for (let column = 0; column < size; column++) matrix[row][column] += weight * term[column];
      right[row] += weight * values[i];
    }
  }
  before.forEach((coefficient, row) => {
    const stiff = row > 0 ? STIFFNESS * values.length : 0;
    matrix[row][row] += stiff / Math.max(Math.abs(coefficient), 3e-3) + 1e-2;
  });
  return solve(matrix, right);
}

/** Solve a positive definite system by Gaussian elimination; it needs no pivoting. */
function solve(matrix, right) {
  const size = right.length;
  for (let pivot = 0; pivot < size; pivot++) {
    for (let row = pivot + 1; row < size; row++) {
      const factor = matrix[row][pivot] / matrix[pivot][pivot];
      for (let column = pivot; column < size; column++) matrix[row][column] -= factor * matrix[pivot][column];
      right[row] -= factor * right[pivot];
    }
  }
  const found = right.slice();
  for (let row = size - 1; row >= 0; row--) {
    for (let column = row + 1; column < size; column++) found[row] -= matrix[row][column] * found[column];
    found[row] /= matrix[row][row];
  }
  return found;
}

function dot(one, other) {
  let sum = 0;
  for (let i = 0; i < one.length; i++) sum += one[i] * other[i];
  return sum;
}

/** Return whether a picture shows light ink on dark paper: the sign of three votes, each from −1 to 1. */
function isLight(grey) {
  const negative = inverted(grey);
  const [trend, otherTrend] = [paperTrend(grey), paperTrend(negative)];
  const edges = sharpness(grey);
  let [votes, dark, light] = [0, null, null];
  for (const widest of WIDEST_STROKES) {
    [dark, light] = [standingOut(grey, trend, widest), standingOut(negative, otherTrend, widest)];
    const [darkVote, lightVote] = [dot(edges, dark), dot(edges, light)];
    votes += (lightVote - darkVote) / Math.max(lightVote + darkVote, 1e-9);
  }
  const solid = Math.max(largest(dark), largest(light), 1e-6);
  const reached = Math.min(1, (2 * mean(borderOf(pictureOf(grey, (i) => edges[i])))) / Math.max(mean(edges), 1e-12));
  return votes + (reached * mean(borderOf(pictureOf(grey, (i) => dark[i] - light[i])))) / solid > 0;
}

/** Return how much darker each pixel is than both the paper's trend and the paper around it, at least 0. */
function standingOut(grey, trend, widest) {
  const between = paperBetween(grey, widest);
  const found = new Float32Array(grey.values.length);
  for (let i = 0; i < found.length; i++) {
    found[i] = Math.max(Math.min(trend.values[i], between.values[i]) - grey.values[i], 0);
  }
  return found;
}

/** Return the sum of the squared differences between each pixel and its four neighbours. */
function sharpness({ width, values }) {
  const total = new Float32Array(values.length);
  for (let i = 0; i < values.length; i++) {
    if (i + width < values.length) addStep(total, values, i, i + width);
    if ((i + 1) % width) addStep(total, values, i, i + 1);
  }
  return total;
}

function addStep(total, values, one, other) {
  const step = (values[other] - values[one]) ** 2;
  total[one] += step;
  total[other] += step;
}

/** Return the values along all four sides, with the corners twice. */
function borderOf({ width, height, values }) {
  const sides = [];
  for (let x = 0; x < width; x++) sides.push(values[x], values[(height - 1) * width + x]);
  for (let y = 0; y < height; y++) sides.push(values[y * width], values[(y + 1) * width - 1]);
  return sides;
}

function mean(values) {
  return sumOf(values) / values.length;
}

/** Return the paper: its trend, corrected by the surrounding pixels that are not ink (normalised convolution). */
function paperAround(grey, trend, inked) {
  const { width, height } = grey;
  const free = inverted(inked);
  const light = { width, height, values: new Float32Array(width * height) };
  for (let i = 0; i < light.values.length; i++) {
    light.values[i] = (free.values[i] * grey.values[i]) / Math.max(trend.values[i], DARKEST_PAPER);
  }
  const [lights, frees] = [light, free].map((part) => blended(toCells(part, CELLS)));
  const paper = stretch(pictureOf(lights, (i) => lights.values[i] / frees.values[i]), grey);
  for (let i = 0; i < paper.values.length; i++) paper.values[i] *= trend.values[i];
  return paper;
}

/** Return the sum of means over squares of four sizes; each has a thousandth of the weight of the next narrower one. */
function blended(cells) {
  const { width, height } = cells;
  const values = new Float64Array(width * height).fill(1e-12);
  [2, 4, 8, CELLS].forEach((reach, rank) => {
    const means = meanAround(cells, reach);
    for (let i = 0; i < values.length; i++) values[i] += 1e-3 ** rank * means[i];
  });
  return { width, height, values };
}

/** Return means over squares of 2·reach + 1 cells a side, with zeros beyond the grid. */
function meanAround({ width, height, values }, reach) {
  const size = 2 * reach + 1;
  const across = new Float64Array(width * height);
  const found = new Float64Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let u = Math.max(x - reach, 0); u <= Math.min(x + reach, width - 1); u++) across[y * width + x] += values[y * width + u] / size;
    }
  }
  for (let y = 0; y < height; y++) {
    for (let v = Math.max(y - reach, 0); v <= Math.min(y + reach, height - 1); v++) {
      for (let x = 0; x < width; x++) found[y * width + x] += across[v * width + x] / size;
    }
  }
  return found;
}

/** Return the paper if strokes are at most a share `widest` of the picture wide: the grey closing of its cells. */
function paperBetween(grey, widest) {
  const reach = rint((widest * CELLS) / 2);
  const lightest = largestAround(toCells(grey, CELLS), reach);
  const closed = largestAround(pictureOf(lightest, (i) => -lightest.values[i]), reach);
  return stretch(pictureOf(closed, (i) => -closed.values[i]), grey);
}

/** Return the largest value within squares of 2·reach + 1 cells a side: first along the rows, then along the columns. */
function largestAround({ width, height, values }, reach) {
  const across = new Float32Array(values.length);
  const found = new Float32Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const [x, row] = [i % width, i - (i % width)];
    let most = values[i];
    for (let u = row + Math.max(x - reach, 0), last = row + Math.min(x + reach, width - 1); u <= last; u++) {
      if (values[u] > most) most = values[u];
    }
    across[i] = most;
  }
  for (let i = 0; i < values.length; i++) {
    const [x, y] = [i % width, Math.floor(i / width)];
    let most = across[i];
    for (let v = Math.max(y - reach, 0), last = Math.min(y + reach, height - 1); v <= last; v++) {
      if (across[v * width + x] > most) most = across[v * width + x];
    }
    found[i] = most;
  }
  return { width, height, values: found };
}

/** Return the share of the paper's light that is missing: 0 on bare paper, 1 in black ink, below 0 if lighter. */
function darkness({ width, height, values }, paper) {
  const found = new Float32Array(values.length);
  for (let i = 0; i < found.length; i++) {
    found[i] = (paper.values[i] - values[i]) / Math.max(paper.values[i], DARKEST_PAPER);
  }
  return { width, height, values: found };
}

function toCells(grey, most) {
  return resize(grey, Math.min(grey.width, most), Math.min(grey.height, most), FILTERS.box);
}

function stretch(cells, { width, height }) {
  return resize(cells, width, height, FILTERS.bilinear);
}
