// Test pictures that travel in the page as one PNG: a row to choose from, and a hundred on which lessons are weighed.

const SHOWN = 12; // in the row: the hard ones, and some others

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

/** Show the row of samples; `choose` is called with the one that is clicked. */
function showSamples(network, samples, choose) {
  element("samples").hidden = samples.length === 0;
  const buttons = samples.slice(0, SHOWN).map((sample) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(thumb(network, sample.pixels, `Test picture of ${network.classes[sample.label]}`));
    button.addEventListener("click", () => choose(sample));
    return button;
  });
  element("row").append(...buttons);
}

/** Return a sample as paper shows it, as dark on light or light on dark as people draw. */
function asDrawn({ side, digits, light }, { pixels }) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = side;
  paint(canvas, pixels.length, (i) => grey(digits && !light ? 1 - pixels[i] / 255 : pixels[i] / 255));
  return canvas;
}
