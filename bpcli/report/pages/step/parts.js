// What the page is put together from: numbers, equations with the lines of bpcli that calculate them, tables, links to units.

const [DIGITS, SHORT] = [8, 7]; // of a number, and where there is less room
const [SMALL, LARGE] = [1e-4, 1e8]; // smaller and larger numbers have an exponent
const LONG = 20; // characters of a class name in a table

/** What the page tells of units that learn little: the colour in a field of units, what it means, and the cure. */
const KINDS = {
  dead: { colour: rgb(200, 40, 40), means: "learn from none of a sample of test pictures", cure: "a smaller learning rate, model.init: he, or model.activation: leaky_relu" },
  silent: { colour: rgb(110, 120, 140), means: "f′(z) = 0 for this picture: δ = 0, and their weights stay", cure: "no fault: for other pictures, others are silent" },
  saturated: { colour: rgb(225, 150, 20), means: "f′(z) is below 5 % of the largest: little of δ gets through", cure: "smaller initial weights (model.init: glorot), or relu" },
  cancelled: { colour: rgb(140, 80, 200), means: "the products of Σ w·δ nearly cancel: the layer above pulls both ways", cure: "no fault: they serve classes that pull both ways on this picture" },
  wrong: { colour: rgb(200, 40, 40), means: "wrong and saturated: p − y is large, but σ′(z) makes δ small", cure: "loss: binary_cross_entropy, whose δ is p − y itself" },
};

/** Return a number as text, to eight digits, as Python's format .8g does it. */
function digits(number, count = DIGITS) {
  if (!Number.isFinite(number)) return Number.isNaN(number) ? "not a number" : number > 0 ? "∞" : "−∞";
  const rounded = Number(number.toPrecision(count));
  const size = Math.abs(rounded);
  const text = size && (size < SMALL || size >= LARGE) ? rounded.toExponential() : String(rounded + 0);
  return text.replace("e+", "e").replaceAll("-", "−");
}

/** Return a count as text: 1,024. */
function counted(number) {
  return number.toLocaleString("en");
}

/** Return an equation with its name, and the line of bpcli that calculates it. */
function rule(name, equation, source) {
  const [place, line] = source.split("  ");
  return make("p", { class: "rule" }, make("b", {}, name), " ", make("span", { class: "equation" }, equation), " ", make("code", {}, place), " ", make("code", {}, line));
}

/** Return a table: `heads` are its columns, `rows` lists of cells, the first of which is the row's head. */
function table(caption, heads, rows) {
  const cells = ([head, ...others]) => {
    const span = heads.length - others.length; // the head of a sum reaches to its number
    return make("tr", {}, make("th", { scope: "row", colspan: span }, head), ...others.map((each) => make("td", {}, each)));
  };
  const head = make("tr", {}, ...heads.map((each) => make("th", { scope: "col" }, each)));
  return make("table", {}, make("caption", { class: "hidden" }, caption), make("thead", {}, head), make("tbody", {}, ...rows.map(cells)));
}

/** Return a unit's name: its layer, counted from 1, and its number. */
function unitName(l, unit) {
  return `${l + 1}:${unit}`;
}

/** Return the name of what feeds a layer: a pixel by row and column, or a unit. */
function inputName({ network: { side } }, l, below) {
  return l ? unitName(l - 1, below) : `pixel ${Math.floor(below / side)},${below % side}`;
}

/** Return a unit's name with that of its class, if it is an output. */
function fullName({ network }, l, unit) {
  return l === network.layers.length - 1 ? `${unitName(l, unit)} (${className(network, unit)})` : unitName(l, unit);
}

/** Return the name of a class, cut off if it is too long for a table. */
function className({ classes }, unit) {
  return classes[unit].length > LONG ? `${classes[unit].slice(0, LONG - 1)}…` : classes[unit];
}

/** Return the place of a unit's view, and of one of its weights. */
function placeOf(l, unit, below = null) {
  return `#unit=${unitName(l, unit)}${below === null ? "" : `&weight=${below}`}`;
}

function unitLink(l, unit, ...text) {
  return make("a", { href: placeOf(l, unit) }, ...(text.length ? text : [unitName(l, unit)]));
}

/** Return a link to what feeds a layer; a pixel has none. */
function inputLink(step, l, below) {
  const name = inputName(step, l, below);
  return l ? unitLink(l - 1, below, name) : name;
}

/** Return the picture of a unit's weights, if they lie on pixels. */
function weightsPicture({ network }, unit) {
  const canvas = picture(network.side, network.side, `Weights of unit ${unitName(0, unit)}`);
  paintField(canvas, network.side, weightsTo(network.layers[0], unit));
  return canvas;
}

/** Return links to units of a layer with a number each, and the pictures of their weights on pixels. */
function unitLinks(step, l, values, count = PRODUCTS) {
  const link = (unit) => {
    const look = l === 0 ? [weightsPicture(step, unit)] : [];
    return make("li", {}, unitLink(l, unit, ...look, make("span", {}, fullName(step, l, unit))), make("span", { class: "number" }, digits(values[unit], SHORT)));
  };
  return make("ol", { class: "units" }, ...strongest(values, count).map(link));
}

/** Return a field of the units of a layer, one a cell; a click opens a unit, and pointing at one tells its number. */
function unitField(l, values, colour, words, told) {
  const across = Math.ceil(Math.sqrt(values.length));
  const canvas = picture(across, Math.ceil(values.length / across), words);
  paint(canvas, values.length, colour);
  const whole = figure(canvas, told);
  const at = (event) => {
    const [column, row] = cellUnder(event, canvas, across, canvas.height);
    return row * across + column;
  };
  canvas.addEventListener("click", (event) => {
    if (at(event) < values.length) location.hash = placeOf(l, at(event));
  });
  canvas.addEventListener("pointermove", (event) => {
    const unit = at(event);
    whole.lastChild.textContent = unit < values.length ? `${unitName(l, unit)}: ${digits(values[unit], SHORT)}` : told;
  });
  canvas.addEventListener("pointerleave", () => (whole.lastChild.textContent = told));
  return whole;
}

/** Return a field of values, one a cell, coloured from blue to red. */
function valueField(side, values, words, told) {
  const canvas = picture(1, 1, words);
  paintField(canvas, side, values);
  return figure(canvas, told);
}

/** Return a bar for a product: red to the right if it adds, blue to the left if it takes away. */
function bar(share) {
  const [width, height] = [60, 10];
  const length = (Math.abs(share) * width) / 2;
  const own = { x: share < 0 ? width / 2 - length : width / 2, y: 0, width: length, height, class: share < 0 ? "against" : "for" };
  const axis = svg("line", { x1: width / 2, y1: 0, x2: width / 2, y2: height, class: "axis" });
  return svg("svg", { viewBox: `0 0 ${width} ${height}`, class: "bar", "aria-hidden": "true" }, svg("rect", own), axis);
}

/** Return the marks of a unit: the kinds of learning little that it is an example of. */
function marksOf({ marks }, l, unit) {
  return marks.filter(({ layer, units }) => layer === l + 1 && units.includes(unit)).map(({ kind }) => kind);
}
