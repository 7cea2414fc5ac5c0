// Preparation of a picture as the square that the network sees. As bpcli.data.picture.digit, square and prepare.
// Three steps are left out: the paper is always larger than a network's square, so that it is neither left alone nor
// mended, and smaller than 400 pixels a side.

const FINE = 4;
const FAINTEST = 0.08;
const CLEAR = 6;
const PALE = 0.25;
const EVEN = 1000;
const SHADED_FROM = 40;
const COARSE = 16;
const SOFTEST = 0.36;
const STEEP = 3.6;
const SPARSEST = 0.05;

/** Return a grey picture as the network expects it, a square of bytes; or null and the reason why there is none. */
function prepare(picture, network) {
  return network.digits ? prepareDigit(picture, network) : prepareWhole(picture, network);
}

/** Return all of a picture in the middle of the square; its border's median fills the rest. */
function prepareWhole(picture, { side }) {
  if (picture.values.every((value) => value === picture.values[0])) return nothing("The paper is blank.");
  const fitted = fit(picture, side);
  const [left, top] = [fitted.width, fitted.height].map((length) => Math.floor((side - length) / 2));
  const pixels = new Uint8Array(side * side).fill(rint(255 * quantile(Float32Array.from(borderOf(picture)), 0.5)));
  put(pixels, side, fitted, left, top);
  return { pixels, reason: "" };
}

/** Write a picture's values as bytes into a square of a side. */
function put(pixels, side, { width, values }, left, top) {
  for (let i = 0; i < values.length; i++) {
    pixels[(top + Math.floor(i / width)) * side + left + (i % width)] = rint(255 * values[i]);
  }
}

/** Return the digit of a picture in MNIST's format. */
function prepareDigit(picture, network) {
  const grey = unzoomed(picture);
  const found = findInk(grey);
  if (found.solid < FAINTEST || found.contrast < CLEAR || !found.pieces.boxes.length) return nothing("The paper is blank.");
  const kept = oneDigit(found.pieces);
  if (sumOf(kept.values) < SPARSEST * sumOf(found.pieces.areas)) return nothing("There is nothing but specks.");
  if (isShade(grey, found, kept) || (Math.max(grey.width, grey.height) >= network.side && edgeSharpness(found, grey) < STEEP)) return nothing("There is nothing but light and shadow.");
  const cover = coverage(found, kept);
  if (!(largest(cover.values) > 0)) return nothing("The paper is blank.");
  const strokes = weigh(fit(crop(cover), network.box * FINE), network);
  return { pixels: centred(fit(crop(strokes), network.box), network.side), reason: "" };
}

/** Return whether marks on uneven paper are shading, not ink: without edges, or pale and on a photograph's border. */
function isShade(grey, { solid, contrast }, kept) {
  if (contrast >= EVEN) return false;
  const pale = solid < PALE && Math.min(kept.width, kept.height) >= SHADED_FROM;
  return (pale && borderOf(kept).some((value) => value > 0)) || steepness(grey, kept) < SOFTEST;
}

/** Return the largest step of light between neighbouring pixels around the marks, as a share of its range there. */
function steepness(grey, { width, height, values: kept }) {
  const [left, top, right, bottom] = boxOf(kept, width, height, (value) => value > 0);
  const room = Math.floor((Math.max(right - left, bottom - top) - 1) / 4) + 1;
  const corner = [Math.max(left - room, 0), Math.max(top - room, 0)];
  const around = part(grey, ...corner, Math.min(right + room, width), Math.min(bottom + room, height));
  const { width: across, values } = shrink(around, COARSE);
  let most = 0;
  for (let i = 0; i < values.length; i++) {
    if ((i + 1) % across) most = Math.max(most, Math.abs(values[i + 1] - values[i]));
    if (i + across < values.length) most = Math.max(most, Math.abs(values[i + across] - values[i]));
  }
  return most / Math.max(largest(values) + largest(values.map((value) => -value)), 1e-6);
}

function nothing(reason) {
  return { pixels: null, reason };
}

/** Return the smallest part of the picture with all pixels of at least a quarter of the maximum ink. */
function crop({ width, height, values }) {
  const least = 0.25 * largest(values);
  return part({ width, values }, ...boxOf(values, width, height, (value) => value >= least));
}

/** Return the box [left, top, right, bottom] of the pixels whose values are wanted. */
function boxOf(values, width, height, wanted) {
  const box = [width, height, 0, 0];
  for (let i = 0; i < values.length; i++) {
    if (wanted(values[i])) include(box, i % width, Math.floor(i / width));
  }
  return box;
}

/** Return the part of a picture between left, top, right and bottom; right and bottom are one past the last pixel. */
function part({ width, values }, left, top, right, bottom) {
  const size = { width: right - left, height: bottom - top };
  return pictureOf(size, (i) => values[(top + Math.floor(i / size.width)) * width + left + (i % size.width)]);
}

/** Return the picture resized to a longest side of `longest` pixels: shrunk by area or enlarged bicubically. */
function fit(ink, longest) {
  const factor = longest / Math.max(ink.width, ink.height);
  const [width, height] = [ink.width, ink.height].map((side) => Math.max(1, rint(side * factor)));
  const fitted = resize(ink, width, height, factor <= 1 ? FILTERS.box : FILTERS.bicubic);
  return pictureOf(fitted, (i) => clip(fitted.values[i], 0, 1));
}

/** Return the mean stroke width in pixels: twice the strokes' area over the length of their outline (Crofton's formula). */
function strokeWidth(ink) {
  const { width, height, values } = padded(ink, 1);
  let [area, steps] = [0, 0];
  for (let i = 0; i < width * height; i++) {
    const inside = values[i] > 0.5;
    area += inside;
    if (i + width < values.length) steps += inside !== values[i + width] > 0.5;
    if ((i + 1) % width) steps += inside !== values[i + 1] > 0.5;
  }
  return (2 * area) / ((Math.PI / 4) * Math.max(steps, 1));
}

/** Return a digit on the fine grid with strokes as wide as MNIST's: thickened if too thin, thinned if too thick. */
function weigh(ink, { strokes: [thinnest, thickest] }) {
  const width = strokeWidth(ink) / FINE;
  if (width < thinnest) return thicken(ink, rint(((thinnest - width) * FINE) / 2 + 0.5));
  if (width > thickest) return thin(ink, rint(((width - thickest) * FINE) / 2 + 0.5));
  return ink;
}

/** Return the picture with `room` pixels of a value on each side. */
function padded({ width, height, values }, room, value = 0) {
  const size = { width: width + 2 * room, height: height + 2 * room };
  return pictureOf(size, (i) => {
    const [x, y] = [(i % size.width) - room, Math.floor(i / size.width) - room];
    return x >= 0 && x < width && y >= 0 && y < height ? values[y * width + x] : value;
  });
}

/** Return strokes wider by `steps` pixels on either side. */
function thicken(ink, steps) {
  return spread(padded(ink, steps), steps);
}

/** Return strokes thinner by `steps` pixels on either side: the background thickened. */
function thin(ink, steps) {
  const grown = thicken(padded(inverted(ink), steps + 1, 1), steps);
  return inverted(part(grown, 2 * steps, 2 * steps, grown.width - 2 * steps, grown.height - 2 * steps));
}

/** Return a digit in a square of bytes, its centre of mass moved to the middle by whole pixels. */
function centred(ink, side) {
  const { width, height, values } = ink;
  let [mass, momentX, momentY] = [0, 0, 0];
  for (let i = 0; i < values.length; i++) {
    mass += values[i];
    momentX += values[i] * (i % width);
    momentY += values[i] * Math.floor(i / width);
  }
  const left = clip(rint(side / 2 - momentX / mass), 0, side - width);
  const top = clip(rint(side / 2 - momentY / mass), 0, side - height);
  const pixels = new Uint8Array(side * side);
  put(pixels, side, ink, left, top);
  return pixels;
}
