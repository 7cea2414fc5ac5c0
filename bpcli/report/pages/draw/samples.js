// Test pictures that travel in the page: a row to choose from, and a hundred on which lessons are weighed.

const SHOWN = 12; // in the row: the hard ones, and some others

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
