// One weight: its gradient as a product, the proof by a central difference, and what the step does to it.

/** Return what the page tells of one weight of a unit. */
function weightView({ step }, l, unit, below, rate) {
  const { network, inputs, deltas } = step;
  const [x, delta, gradient] = [inputs[l][below], deltas[l][unit], gradientsTo(step, l, unit)[below]];
  const w = weightsTo(network.layers[l], unit)[below];
  const { above, under, difference } = centralDifference(step, l, below, unit);
  const proof = [
    ["x", digits(x)],
    ["δ", digits(delta)],
    ["∂C/∂w = x·δ", digits(gradient)],
    ["C(w + ε), ε = 0.00001", digits(above, 15)],
    ["C(w − ε)", digits(under, 15)],
    ["(C(w + ε) − C(w − ε))/2ε", digits(difference)],
  ];
  const moved = [["w", digits(w)], ["v = −η·∂C/∂w", digits(-rate * gradient)], ["w + v", digits(w - rate * gradient)]];
  return [
    make("h3", { id: "weight-name", tabindex: "-1" }, `The weight from ${inputName(step, l, below)} to ${fullName(step, l, unit)}`),
    weightChooser(step, l, unit, below),
    make(
      "div",
      { class: "columns" },
      make("div", {}, table("The gradient, and its proof", ["", "value"], proof), make("p", { class: "small" }, agreement(gradient, difference))),
      make("div", {}, table("The step of this weight", ["", "value"], moved), make("p", { class: "small" }, `η = ${digits(rate, 4)}`)),
    ),
  ];
}

/** Return in how many digits gradient and difference agree. */
function agreement(gradient, difference) {
  const off = Math.abs(gradient - difference);
  if (off === 0) return "Both are the same to the last digit.";
  if (gradient === 0) return "The weight has no effect here; what the difference shows is rounding.";
  const same = Math.max(0, Math.floor(-Math.log10(off / Math.abs(gradient))));
  return `Both agree in about ${same} digits. The losses have 16, and share most of them; the rest is what a difference can show.`;
}

/** Return the fields in which the reader chooses another weight of the unit: a pixel by row and column, or a unit below. */
function weightChooser({ network: { side, layers } }, l, unit, below) {
  const named = l
    ? [["From unit", below, layers[l].fanIn]]
    : [["From row", Math.floor(below / side), side], ["column", below % side, side]];
  const inputs = named.map(([, value, count]) => make("input", { type: "number", min: 0, max: count - 1, value, required: "" }));
  const labels = named.map(([name], i) => make("label", {}, `${name} `, inputs[i]));
  const form = make("form", { class: "tools" }, ...labels, make("button", {}, "Show this weight"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    location.hash = placeOf(l, unit, inputs.reduce((place, { value }) => place * side + Number(value), 0));
  });
  return form;
}
