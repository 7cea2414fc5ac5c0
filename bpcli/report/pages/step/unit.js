// One unit with its sums opened: z forward, δ backward, and the gradients of its weights.

/** Return the view of a unit, to stand in place of the overview. */
function unitView(subject, l, unit) {
  const { step } = subject;
  return [
    unitHead(subject, l, unit),
    ...marksOf(subject, l, unit).map((kind) => make("p", { class: `mark ${kind}` }, make("b", {}, kind), `: ${KINDS[kind].means}. What helps: ${KINDS[kind].cure}.`)),
    make("div", { class: "columns" }, forwardPart(subject, l, unit), backwardPart(subject, l, unit)),
    weightsPart(subject, l, unit),
    make("section", { id: "weight", class: "inside" }),
  ];
}

/** Return the way back, and on to the neighbours, above the unit's name. */
function unitHead({ step }, l, unit) {
  const { classes, layers } = step.network;
  const name = l === layers.length - 1 ? `Unit ${unitName(l, unit)}, the output of ${classes[unit]}` : `Unit ${unitName(l, unit)}`;
  const ways = [make("a", { href: "#" }, "← the whole step")];
  if (unit > 0) ways.push(unitLink(l, unit - 1, `previous, ${unitName(l, unit - 1)}`));
  if (unit + 1 < layers[l].fanOut) ways.push(unitLink(l, unit + 1, `next, ${unitName(l, unit + 1)}`));
  return make("div", {}, make("nav", { "aria-label": "Units", class: "ways" }, ...ways), make("h2", { id: "unit-name", tabindex: "-1" }, name));
}

function forwardPart(subject, l, unit) {
  const { step, sources, names } = subject;
  const { network, pass, inputs } = step;
  const { weights, biases } = network.layers[l];
  const found = weightedInput(step, l, unit);
  const isLast = l === network.layers.length - 1;
  const rows = [
    ...sumRows(found, (i) => feeder(subject, l, i, found.products[i])),
    ["Σ w·x", digits(found.total), ""],
    ["b", digits(biases[unit]), ""],
    ["z = Σ w·x + b", digits(pass.z[l][unit]), ""],
    [`${isLast ? "p" : "a"} = ${names[l]}(z)`, digits(givenOn(step, l)[unit]), ""],
  ];
  return make(
    "section",
    {},
    make("h3", {}, "Forward"),
    rule("", "z = Σ w·x + b, a = f(z)", isLast ? sources.output : sources.z),
    ...(l ? [] : [productPictures(network, weightsTo(network.layers[l], unit), inputs[l], found)]),
    table("The sum z", ["from", "w", "x", "w·x", ""], rows),
    isLast ? scorePart(step, unit) : slopePart(step, l, unit),
  );
}

/** Return the rows of a sum of products: the largest by themselves, then the rest; `from` names an input. */
function sumRows({ weights, values, products, indices, rest, others }, from) {
  const most = reach(products);
  const rows = indices.map((i) => [from(i), digits(weights[i]), digits(values[i]), digits(products[i]), bar(products[i] / most)]);
  return others ? [...rows, [`the other ${counted(others)}`, digits(rest), ""]] : rows;
}

/** Return what feeds a layer, with its picture: a pixel among the others, or the weights of a unit if these lie on pixels. */
function feeder({ step, pixels }, l, i, product) {
  if (l > 1) return inputLink(step, l, i);
  const look = l ? weightsPicture(step, i) : pixelPicture(step, pixels, i, product);
  return make("span", { class: "feeder" }, look, inputLink(step, l, i));
}

/** Return the picture with one pixel in the colour of its product. */
function pixelPicture(step, pixels, place, product) {
  const { network } = step;
  const canvas = picture(network.side, network.side, inputName(step, 0, place));
  paint(canvas, pixels.length, (i) => (i === place ? diverging(Math.sign(product)) : grey(0.7 + (0.3 * pixels[i]) / 255)));
  return canvas;
}

/** Return weights × picture = products, each on the grid of pixels. */
function productPictures({ side }, weights, x, { products }) {
  const fields = [
    valueField(side, weights, "The unit's weights", "w, its weights"),
    valueField(side, x, "The picture as numbers around zero", "x, the picture"),
    valueField(side, products, "The products of weights and picture", "w·x: red adds to z"),
  ];
  const signs = ["×", "="].map((sign) => make("span", { "aria-hidden": "true" }, sign));
  return make("div", { class: "figures product" }, fields[0], signs[0], fields[1], signs[1], fields[2]);
}

/** Return how an output unit's score is made. */
function scorePart({ network }, unit) {
  return make("p", { class: "small" }, `The score p of ${network.classes[unit]} is ${network.output.formula}.`);
}

/** Return f around z as a curve, with the point and the line of its slope. */
function slopePart(step, l, unit) {
  const { value, derivative } = step.network.layers[l].activation;
  const z = step.pass.z[l][unit];
  const [a, slope] = [value(z), slopeOf(step, l, unit)];
  const width = Math.max(4, 1.25 * Math.abs(z));
  const points = Array.from({ length: 81 }, (_, i) => width * (i / 40 - 1)).map((each) => [each, value(each)]);
  const values = points.map(([, each]) => each);
  const frame = plotFrame([-width, width], [Math.min(...values), Math.max(...values)]);
  const line = [-width, width].map((each) => [each, a + slope * (each - z)]);
  const lines = [pathOf(frame, points, "curve"), pathOf(frame, line, "tangent"), dotOf(frame, [z, a], "dot")];
  const labels = labelsOf(frame, [-width, 0, width].map((each) => [each, digits(each, 3)]), [[a, digits(a, 3)]]);
  const plot = plotOf(frame, `f at z = ${digits(z, 4)}`, lines, labels);
  return make("div", { class: "slope" }, plot, make("p", { class: "small" }, `f, and at z its slope f′(z) = ${digits(slope)}: so much of δ gets through.`));
}

function backwardPart(subject, l, unit) {
  const isLast = l === subject.step.network.layers.length - 1;
  return make("section", {}, make("h3", {}, "Backward"), ...(isLast ? outputDelta : hiddenDelta)(subject, l, unit));
}

function outputDelta({ step, sources, deltaFormula }, l, unit) {
  const { pass, y, deltas, network } = step;
  const rows = [["p, the score", pass.scores[unit]], ["y, the target", y[unit]], [`δ = ${deltaFormula}`, deltas[l][unit]]];
  return [
    rule("BP1", "δ = ∂C/∂z of the outputs", sources.BP1),
    table("δ of this output", ["", "value"], rows.map(([name, value]) => [name, digits(value)])),
    make("p", { class: "small" }, `${deltas[l][unit] > 0 ? "δ > 0: less z would lower the loss." : deltas[l][unit] < 0 ? "δ < 0: more z would lower the loss." : "δ = 0: z is as it should be."}`),
  ];
}

function hiddenDelta({ step, sources }, l, unit) {
  const found = blame(step, l, unit);
  const above = (i) => unitLink(l + 1, i, fullName(step, l + 1, i));
  const rows = [
    ...sumRows(found, above),
    ["Σ w·δ", digits(found.total), ""],
    ["f′(z)", digits(slopeOf(step, l, unit)), ""],
    ["δ = f′(z)·Σ w·δ", digits(step.deltas[l][unit]), ""],
  ];
  return [
    rule("BP2", "δ = f′(z)·Σ w·δ over the layer above", sources.BP2),
    table("The sum δ", ["to", "w", "δ above", "w·δ", ""], rows),
  ];
}

/** Return the gradients of the unit's weights: the largest by themselves, and all on the pixels. */
function weightsPart({ step, sources }, l, unit) {
  const { network, inputs, deltas } = step;
  const isLast = l === network.layers.length - 1;
  const [own, delta] = [gradientsTo(step, l, unit), deltas[l][unit]];
  const rows = strongest(own, PRODUCTS).map((i) => [
    make("a", { href: placeOf(l, unit, i) }, inputName(step, l, i)), digits(inputs[l][i]), digits(delta), digits(own[i]),
  ]); // prettier-ignore
  const content = rows.length
    ? [table("The largest gradients of its weights", ["weight from", "x", "δ", "∂C/∂w = x·δ"], rows)]
    : [make("p", {}, "None of its weights moves: δ is 0.")];
  if (l === 0 && rows.length) content.push(weightField(step, unit, own));
  return make(
    "section",
    { class: "inside" },
    make("h3", {}, "Its weights"),
    rule("BP4", "∂C/∂w = x·δ: the product of two numbers just seen", isLast ? sources.outputBP4 : sources.BP4),
    rule("BP3", `∂C/∂b = δ = ${digits(delta)}`, isLast ? sources.outputBP3 : sources.BP3),
    make("div", { class: "columns" }, ...content),
  );
}

/** Return the gradients on the grid of pixels; a click chooses the weight of a pixel. */
function weightField({ network: { side } }, unit, gradients) {
  const whole = valueField(side, gradients, "The gradients of its weights", "∂C/∂w of each pixel's weight; choose one");
  whole.firstChild.addEventListener("click", (event) => {
    const [column, row] = cellUnder(event, event.target, side, side);
    location.hash = placeOf(0, unit, row * side + column);
  });
  return whole;
}
