// One unit opened: its weights times what the ink changed in the layer below, and the whole sum.

/** Let the reader choose a unit: by layer and number, in a field, among the strongest, or at a bar. `changed` is called. */
function listenToUnits({ layers }, still, changed) {
  const [layer, unit] = ["opened-layer", "opened-unit"].map(element);
  const last = layers.length - 1;
  layer.append(...layers.map((_, l) => new Option(l < last ? `hidden ${l + 1}` : "output", l)));
  const open = (l, number) => {
    layer.value = l;
    unit.max = layers[l].fanOut - 1;
    unit.value = Math.min(number, unit.max);
    changed();
  };
  const show = (l, number) => {
    open(l, number);
    element("opened").scrollIntoView({ block: "nearest", behavior: still ? "auto" : "smooth" });
  };
  unit.max = layers[0].fanOut - 1;
  layer.addEventListener("input", () => open(Number(layer.value), Number(unit.value)));
  unit.addEventListener("input", changed);
  listenToFields(layers, show);
  for (const [id, l] of [["strongest", 0], ["scores", last]]) {
    element(id).addEventListener("click", ({ target }) => {
      const button = target.closest("button");
      if (button) show(l, Number(button.value));
    });
  }
}

/** Let the reader choose a unit in the fields of the hidden layers. */
function listenToFields(layers, show) {
  [...element("layers").children].forEach((whole, l) => {
    const canvas = whole.querySelector("canvas");
    canvas.addEventListener("click", (event) => {
      const [column, row] = cellUnder(event, canvas, canvas.width, canvas.height);
      const unit = row * canvas.width + column;
      if (unit < layers[l].fanOut) show(l, unit);
    });
  });
}

/** Show the sum of the chosen unit; before anything is drawn, only its weights. */
function showOpened(network, pass, empty) {
  const [layer, unit] = ["opened-layer", "opened-unit"].map((id) => element(id).valueAsNumber ?? Number(element(id).value));
  const last = network.layers.length - 1;
  if (!(Number.isInteger(unit) && unit >= 0 && unit < network.layers[layer].fanOut)) return;
  const { weights, change, products, bias, blank, z } = termsOf(network, pass ?? empty, empty, layer, unit);
  const title = layer === last ? `The sum of ${network.classes[unit]}` : `Unit ${unit} of hidden layer ${layer + 1}`;
  element("opened-title").textContent = title;
  element("opened-from").textContent = layer ? "what the ink changed in the units below" : "your ink";
  const across = layer ? 0 : network.side;
  paintField(element("opened-weights"), across, weights);
  paintField(element("opened-inputs"), across, change);
  paintField(element("opened-products"), across, products);
  element("opened-sum").textContent = pass ? sumTold(network, pass, layer, unit, addingUp([bias, blank], z)) : "";
}

function sumTold(network, pass, layer, unit, [bias, blank, ink, z]) {
  const last = layer === network.layers.length - 1;
  const score = () => `the score ${pass.scores[unit].toFixed(3)}: ${network.output.formula}`;
  const value = last ? score() : `its activation f(z) = ${pass.a[layer][unit].toFixed(2)}`;
  return `Bias ${bias}, blank paper ${blank}, ink ${ink}: together z = ${z}, which makes ${value}.`;
}

/** Return the texts of a sum's first parts, of what is left of it, and of the whole: as they are rounded they add up. */
function addingUp(parts, whole) {
  const hundredths = [...parts, whole].map((number) => Math.round(100 * number));
  const sum = hundredths.pop();
  return [...hundredths, sum - total(hundredths), sum].map((number) => signed(number / 100));
}
