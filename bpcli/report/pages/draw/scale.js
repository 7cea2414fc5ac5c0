// Grey pictures { width, height, values }, row by row, and masks with values 0 and 1. As bpcli.data.picture.scale, and Pillow's resize.
// Here and in the next files, plain loops go over all pixels of the paper: a call for each pixel would take too long.

/** Return a picture with `value(i)` as its pixel i. */
function pictureOf({ width, height }, value) {
  const values = new Float32Array(width * height);
  for (let i = 0; i < values.length; i++) values[i] = value(i);
  return { width, height, values };
}

/** Return the mask of the pixels above a value. */
function above({ width, height, values }, least) {
  const found = new Float32Array(values.length);
  for (let i = 0; i < found.length; i++) found[i] = values[i] > least ? 1 : 0;
  return { width, height, values: found };
}

/** Return the values outside of a mask. */
function outside(values, mask) {
  const found = new Float32Array(values.length);
  let count = 0;
  for (let i = 0; i < found.length; i++) if (!mask[i]) found[count++] = values[i];
  return found.subarray(0, count);
}

/** Return the picture with light and dark exchanged. */
function inverted({ width, height, values }) {
  const found = new Float32Array(values.length);
  for (let i = 0; i < found.length; i++) found[i] = 1 - values[i];
  return { width, height, values: found };
}

function sumOf(values) {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum;
}

function largest(values) {
  let most = -Infinity;
  for (let i = 0; i < values.length; i++) if (values[i] > most) most = values[i];
  return most;
}

/** Return the nearest integer; a half is rounded to the even one, as in Python. */
function rint(x) {
  const low = Math.floor(x);
  if (x - low !== 0.5) return Math.round(x);
  return low % 2 === 0 ? low : low + 1;
}

const clip = (x, low, high) => Math.min(Math.max(x, low), high);

/** Pillow's filters: their reach in pixels of the coarser grid, and their weight by distance. */
const FILTERS = {
  box: { reach: 0.5, weigh: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) },
  bilinear: { reach: 1, weigh: (x) => Math.max(1 - Math.abs(x), 0) },
  bicubic: { reach: 2, weigh: (x) => cubic(Math.abs(x), -0.5) },
};

function cubic(x, a) {
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
  return 0;
}

const MIXTURES = new Map(); // a cache by the two sizes; there are few, because the paper keeps its size

/** Return for each of `to` pixels the index of the first of `from` pixels that it averages, and the weights from that pixel on. */
function mixtures(from, to, filter) {
  const key = `${from} ${to} ${filter.reach}`;
  if (!MIXTURES.has(key)) MIXTURES.set(key, mixed(from, to, filter));
  return MIXTURES.get(key);
}

function mixed(from, to, { reach, weigh }) {
  const scale = from / to;
  const stretch = Math.max(scale, 1);
  return Array.from({ length: to }, (_, index) => {
    const centre = (index + 0.5) * scale;
    const first = Math.max(Math.trunc(centre - reach * stretch + 0.5), 0);
    const end = Math.min(Math.trunc(centre + reach * stretch + 0.5), from);
    const weights = Float64Array.from({ length: end - first }, (_, i) => weigh((i + first - centre + 0.5) / stretch));
    const sum = sumOf(weights);
    return { first, weights: weights.map((weight) => weight / sum) };
  });
}

/** Return the picture resized, first its rows, then its columns. */
function resize(picture, width, height, filter) {
  const across = picture.width === width ? picture : resizeRows(picture, width, filter);
  return across.height === height ? across : resizeColumns(across, height, filter);
}

function resizeRows({ width: from, height, values }, width, filter) {
  const parts = mixtures(from, width, filter);
  const found = new Float32Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const { first, weights } = parts[x];
      let sum = 0;
      for (let i = 0; i < weights.length; i++) sum += values[y * from + first + i] * weights[i];
      found[y * width + x] = sum;
    }
  }
  return { width, height, values: found };
}

function resizeColumns({ width, height: from, values }, height, filter) {
  const parts = mixtures(from, height, filter);
  const found = new Float32Array(width * height);
  for (let y = 0; y < height; y++) {
    const { first, weights } = parts[y];
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (let i = 0; i < weights.length; i++) sum += values[(first + i) * width + x] * weights[i];
      found[y * width + x] = sum;
    }
  }
  return { width, height, values: found };
}

/** Return the picture with one pixel for each square of equal pixels: undo an enlargement without smoothing. */
function unzoomed(picture) {
  const { width, height, values } = picture;
  let [across, down] = [width, height];
  for (let i = 0; i < values.length; i++) {
    const [x, y] = [i % width, Math.floor(i / width)];
    if (x > 0 && values[i] !== values[i - 1]) across = divisor(across, x);
    if (y > 0 && values[i] !== values[i - width]) down = divisor(down, y);
    if (across === 1 || down === 1) return picture;
  }
  if (across === width || down === height) return picture; // equal rows or equal columns tell no factor
  return every(picture, divisor(across, down));
}

/** Return the greatest common divisor. */
function divisor(one, other) {
  return other ? divisor(other, one % other) : one;
}

function every({ width, height, values }, factor) {
  const size = { width: width / factor, height: height / factor };
  return pictureOf(size, (i) => values[(Math.floor(i / size.width) * width + (i % size.width)) * factor]);
}

/** Return the picture shrunk by area to a longest side of at most `longest` pixels. */
function shrink(picture, longest) {
  const factor = longest / Math.max(picture.width, picture.height);
  if (factor >= 1) return picture;
  const [width, height] = [picture.width, picture.height].map((side) => Math.max(1, rint(side * factor)));
  return resize(picture, width, height, FILTERS.box);
}

/** Return the picture convolved with [1 2 1]/4 in both directions, with its border repeated. */
function smooth(picture) {
  const { width, height } = picture;
  const across = new Float32Array(width * height);
  const found = new Float32Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0, i = y * width; x < width; x++, i++) {
      const left = x > 0 ? i - 1 : i;
      const right = x < width - 1 ? i + 1 : i;
      across[i] = picture.values[left] + 2 * picture.values[i] + picture.values[right];
    }
  }
  for (let y = 0; y < height; y++) {
    const up = y > 0 ? -width : 0;
    const down = y < height - 1 ? width : 0;
    for (let x = 0, i = y * width; x < width; x++, i++) {
      found[i] = (across[i + up] + 2 * across[i] + across[i + down]) / 16;
    }
  }
  return { width, height, values: found };
}

/** Return the picture after a maximum filter over an octagon of `steps` pixels: a square and a cross by turns. */
function spread({ width, height, values }, steps) {
  let found = values;
  for (let step = 0; step < steps; step++) {
    const tall = found.slice();
    for (let i = 0; i + width < found.length; i++) {
      if (found[i + width] > tall[i]) tall[i] = found[i + width];
      if (found[i] > tall[i + width]) tall[i + width] = found[i];
    }
    const sides = step % 2 ? found : tall;
    const wide = tall.slice();
    for (let y = 0; y < height; y++) {
      for (let i = y * width, last = i + width - 1; i < last; i++) {
        if (sides[i + 1] > wide[i]) wide[i] = sides[i + 1];
        if (sides[i] > wide[i + 1]) wide[i + 1] = sides[i];
      }
    }
    found = wide;
  }
  return { width, height, values: found };
}

/** Return the value of a rank, 0 for the least, by Hoare's quickselect; this reorders the values. */
function select(values, rank) {
  let [low, high] = [0, values.length - 1];
  while (low < high) {
    const pivot = values[(low + high) >> 1];
    let [i, j] = [low, high];
    while (i <= j) {
      while (values[i] < pivot) i++;
      while (values[j] > pivot) j--;
      if (i <= j) {
        const value = values[i];
        values[i++] = values[j];
        values[j--] = value;
      }
    }
    if (rank <= j) high = j;
    else if (rank >= i) low = i;
    else break;
  }
  return values[rank];
}

/** Return a quantile of numbers, interpolated linearly between two of them, as in NumPy. */
function quantile(values, share) {
  const copy = values.slice();
  const place = share * (copy.length - 1);
  const rank = Math.floor(place);
  const low = select(copy, rank);
  return place === rank ? low : low + (place - rank) * (select(copy, rank + 1) - low);
}
