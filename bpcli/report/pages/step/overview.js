// The whole step at a glance: forward, backward, proof, step, and why it learned little.

/** Return the classes that have room: the highest scores if there are many, and that of the picture among them. */
function rowsOfClasses({ network, pass, label }) {
  const shown = shownClasses(network, pass.scores);
  return shown.includes(label) ? shown : [...shown.slice(0, -1), label];
}

/** Fill the sections of the overview. */
function showOverview(subject, chosen) {
  const { step } = subject;
  element("verdict").append(...verdict(step));
  element("forward").append(...forwardSection(subject));
  element("backward").append(...backwardSection(subject));
  element("proof").append(...proofSection(subject));
  element("step").append(...ratePart(subject, chosen));
  element("why").append(...whySection(subject));
  element("why").hidden = !subject.findings.length && !subject.marks.some(({ units }) => units.length);
}

function verdict({ network: { classes }, pass, loss, label }) {
  const best = pass.scores.indexOf(Math.max(...pass.scores));
  const right = best === label ? "That is right" : `It should be ${classes[label]}`;
  return ["The network says ", make("b", {}, classes[best]), `, with the score ${digits(pass.scores[best], SHORT)}. ${right}. The loss is ${digits(loss, SHORT)}.`];
}

function forwardSection({ step, sources, names, pixels }) {
  const { network, pass } = step;
  const hidden = network.layers.slice(0, -1);
  const fields = hidden.map((_, l) => layerField(l, pass.a[l], names[l]));
  const seen = thumb(network, pixels, `The picture in ${network.side} by ${network.side} pixels`);
  const lists = hidden.map((_, l) => layerList(step, l, pass.a[l], `Layer ${l + 1}: the largest a`));
  const units = make("div", {}, make("div", { class: "figures flow" }, figure(seen, "what the network sees"), ...fields), ...lists);
  const line = hidden.length ? sources.z : sources.output;
  return [rule("", "z = Σ w·x + b, a = f(z)", line), make("div", { class: "columns" }, units, outputTable(step))];
}

/** Return the field of a hidden layer's activations. */
function layerField(l, a, name) {
  const used = a.reduce((count, value) => count + (value !== 0), 0);
  const most = reach(a);
  const colour = (i) => (a[i] < 0 ? diverging(a[i] / most) : grey(a[i] / most));
  return unitField(l, a, colour, `Activations of layer ${l + 1}`, `layer ${l + 1}: ${counted(used)} of ${counted(a.length)} ${name} units have a ≠ 0`);
}

function layerList(step, l, values, title) {
  return make("div", {}, make("h3", {}, title), unitLinks(step, l, values));
}

/** Return the outputs with their numbers, and the loss as the sum of their parts. */
function outputTable(step) {
  const { network, pass, y, deltas, loss } = step;
  const l = network.layers.length - 1;
  const shown = rowsOfClasses(step);
  const row = (unit) => [unitLink(l, unit, className(network, unit)), pass.z[l][unit], pass.scores[unit], y[unit], deltas[l][unit], lossPart(step, unit)];
  const rows = shown.map(row).map(([name, ...numbers]) => [name, ...numbers.map((each) => digits(each, SHORT))]);
  const others = network.classes.length - shown.length;
  const rest = loss - total(shown.map((unit) => lossPart(step, unit)));
  if (others) rows.push([`the other ${others}`, digits(rest, SHORT)]);
  rows.push(["C, the loss", digits(loss)]);
  return make("div", { class: "wide", tabindex: "0", role: "region", "aria-label": "The outputs" }, table("The outputs", ["class", "z", "p", "y", "δ", "part of C"], rows));
}

function backwardSection({ step, sources, deltaFormula }) {
  const { network, deltas } = step;
  const hidden = network.layers.slice(0, -1);
  const fields = hidden.map((_, l) => deltaField(l, deltas[l])).reverse();
  const lists = hidden.map((_, l) => layerList(step, l, deltas[l], `Layer ${l + 1}: the largest δ`)).reverse();
  const none = [make("p", {}, "There is no hidden layer, so δ goes no further down than the outputs.")];
  const below = [make("div", { class: "figures flow" }, ...fields), ...lists];
  const rules = [
    rule("BP1", `δ = ∂C/∂z of the outputs, here ${deltaFormula}: it stands in the table above`, sources.BP1),
    ...(hidden.length ? [rule("BP2", "δ = f′(z)·Σ w·δ over the layer above", sources.BP2)] : []),
    rule("BP3", "∂C/∂b = δ", hidden.length ? sources.BP3 : sources.outputBP3),
    rule("BP4", "∂C/∂w = x·δ", hidden.length ? sources.BP4 : sources.outputBP4),
  ];
  return [make("div", { class: "columns" }, make("div", {}, ...(hidden.length ? below : none)), make("div", {}, ...rules))];
}

function deltaField(l, delta) {
  const moving = delta.reduce((count, value) => count + (value !== 0), 0);
  const most = reach(delta);
  return unitField(l, delta, (i) => diverging(delta[i] / most), `δ of layer ${l + 1}`, `δ of layer ${l + 1}: ${counted(moving)} of ${counted(delta.length)} units learn`);
}

/** Return the largest gradient of each layer beside its central difference. */
function proofSection({ step }) {
  const rows = step.network.layers.map((_, l) => {
    const { below, unit } = heaviest(step, l);
    const name = `${inputName(step, l, below)} → ${fullName(step, l, unit)}`;
    const link = make("a", { href: placeOf(l, unit, below) }, name);
    return [link, digits(gradientsTo(step, l, unit)[below]), digits(centralDifference(step, l, below, unit).difference)];
  });
  return [
    make("p", {}, "Two forward passes, with one weight a little larger and a little smaller, say the same as backpropagation, for any weight that you open."),
    table("The largest gradient of each layer", ["weight", "∂C/∂w", "difference"], rows),
  ];
}

function whySection(subject) {
  const { findings, step } = subject;
  const told = findings.map(([what, cure]) => make("li", {}, `${what}. `, make("b", {}, "What helps: "), `${cure}.`));
  const layers = step.network.layers.map((_, l) => markedLayer(subject, l));
  return [make("ul", {}, ...told), make("div", { class: "figures flow" }, ...layers.filter(Boolean))];
}

/** Return the units of a layer that learn little, coloured by the reason, with their counts and the first of them as links. */
function markedLayer({ step, marks }, l) {
  const own = marks.filter(({ layer, units }) => layer === l + 1 && units.length);
  if (!own.length) return null;
  const count = step.network.layers[l].fanOut;
  const colours = new Uint32Array(count).fill(rgb(228, 232, 238));
  for (const { kind, units } of own.toReversed()) units.forEach((unit) => (colours[unit] = KINDS[kind].colour));
  const field = unitField(l, step.deltas[l], (i) => colours[i], `Units of layer ${l + 1} that learn little`, `layer ${l + 1}`);
  return make("div", { class: "marked" }, field, make("ul", { class: "legend" }, ...own.map((mark) => legend(l, mark))));
}

function legend(l, { kind, units }) {
  const first = units.slice(0, 3).flatMap((unit) => [" ", unitLink(l, unit)]);
  const swatch = make("span", { class: `swatch ${kind}`, "aria-hidden": "true" });
  return make("li", {}, swatch, make("b", {}, `${counted(units.length)} ${kind}`), `: ${KINDS[kind].means}.`, ...first, units.length > 3 ? " …" : "");
}
