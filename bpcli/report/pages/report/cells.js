// The cells of the confusion matrix open: each shows the images counted in it.

/** Return an empty canvas of a side in pixels, with a text for screen readers. */
function blank(side, words) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = side;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", words);
  return canvas;
}

/** Draw the image at a place of a sheet on a canvas. */
function cutOut(canvas, sheet, place, across) {
  const side = canvas.width;
  const left = (place % across) * side;
  const top = Math.floor(place / across) * side;
  canvas.getContext("2d").drawImage(sheet, left, top, side, side, 0, 0, side, side);
}

/** Return an image that is decoded. */
async function decoded(url) {
  const image = new Image();
  image.src = url;
  await image.decode();
  return image;
}

/** Return a list item: one image with its score and its index in the test file. */
function tile(sheet, place, layout, index, score) {
  const item = document.createElement("li");
  const canvas = blank(layout.side, `Test image ${index}`);
  cutOut(canvas, sheet, place, layout.across);
  item.append(canvas, score.toFixed(3));
  item.append(document.createElement("br"), `no. ${index}`);
  return item;
}

/** Show the images of a cell, such as "4-9", once its sheet is decoded. */
async function open(name, sheets) {
  const [label, answer] = name.split("-").map((place) => sheets.classes[place]);
  const cell = sheets.cells[name];
  const sheet = await decoded(cell.sheet);
  const tiles = cell.index.map((index, place) => tile(sheet, place, sheets, index, cell.scores[place]));
  document.getElementById("cell-title").textContent = `Label ${label}, answered ${answer}`;
  document.getElementById("cell-note").textContent =
    `${cell.index.length} of ${cell.of}, the lowest score first; below each its score and its place in the test file.`;
  document.getElementById("cell-digits").replaceChildren(...tiles);
  document.getElementById("cell").showModal();
}

/** Return whether a click was beside an element, as one on the page behind an open dialog is. */
function beside(whole, { clientX, clientY }) {
  const { left, right, top, bottom } = whole.getBoundingClientRect();
  return clientX < left || clientX > right || clientY < top || clientY > bottom;
}

/** Have the cells open. */
function startCells(sheets) {
  const dialog = document.getElementById("cell");
  for (const button of document.querySelectorAll("[data-cell]")) {
    button.addEventListener("click", () => open(button.dataset.cell, sheets));
  }
  document.getElementById("cell-close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => event.target === dialog && beside(dialog, event) && dialog.close());
}
