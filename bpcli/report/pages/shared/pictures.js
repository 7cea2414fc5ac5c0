// Small pictures that pages paint: pixels, weights, and the images that travel as one PNG.

const element = (id) => document.getElementById(id);

/** Return a canvas with a text for screen readers. */
function picture(width, height, words) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", words);
  return canvas;
}

/** Return the cell [column, row] of a canvas that an event points at; its border counts to the nearest. */
function cellUnder({ offsetX, offsetY }, canvas, columns, rows) {
  const within = (share, count) => Math.min(Math.max(Math.floor(share * count), 0), count - 1);
  return [within(offsetX / canvas.clientWidth, columns), within(offsetY / canvas.clientHeight, rows)];
}

/** Paint the first `count` pixels of a canvas, each in a colour packed by `rgb`; the others are transparent. */
function paint(canvas, count, colour) {
  const image = new ImageData(canvas.width, canvas.height);
  const colours = new Uint32Array(image.data.buffer);
  for (let i = 0; i < count; i++) colours[i] = colour(i);
  canvas.getContext("2d").putImageData(image, 0, 0);
}

/** Return an opaque colour in one number, its bytes in the order of ImageData (all machines with browsers are little-endian). */
function rgb(red, green, blue) {
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

/** Return the grey for a value from 0 to 1. */
function grey(share) {
  const level = Math.round(255 * share);
  return rgb(level, level, level);
}

/** Return a colour: blue at −1, white at 0, red at 1. */
function diverging(share) {
  const size = Math.min(Math.abs(share), 1);
  const towards = (level) => 250 + Math.round((level - 250) * size);
  return share < 0 ? rgb(towards(24), towards(78), towards(163)) : rgb(towards(178), towards(36), towards(30));
}

/** Return the largest absolute value, or 1 if all are zero. */
function reach(values) {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
}

/** Paint values, one a cell, in as many columns as a side, or in about a square. */
function paintField(canvas, side, values) {
  const across = side || Math.ceil(Math.sqrt(values.length));
  Object.assign(canvas, { width: across, height: Math.ceil(values.length / across) });
  const most = reach(values);
  paint(canvas, values.length, (i) => diverging(values[i] / most));
}

/** Return a figure of a picture, or of a button with one, with its caption. */
function figure(canvas, text) {
  const whole = document.createElement("figure");
  const caption = document.createElement("figcaption");
  caption.textContent = text;
  whole.append(canvas, caption);
  return whole;
}

/** Return the page's samples, [{ pixels, label }], once the browser has decoded their PNG; none if there are none. */
async function readSamples({ samples, side }) {
  if (!samples) return [];
  const sheet = new Image();
  sheet.src = samples.sheet;
  await sheet.decode();
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: sheet.width, height: sheet.height });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(sheet, 0, 0);
  return samples.labels.map((label, place) => {
    const [column, row] = [place % samples.across, Math.floor(place / samples.across)];
    const { data } = context.getImageData(column * side, row * side, side, side);
    return { label, pixels: Uint8Array.from({ length: side * side }, (_, i) => data[4 * i]) };
  });
}

/** Return a picture of a sample as the network sees it. */
function thumb({ side }, pixels, words) {
  const canvas = picture(side, side, words);
  paint(canvas, pixels.length, (i) => grey(pixels[i] / 255));
  return canvas;
}
