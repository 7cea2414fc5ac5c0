// The page's program: the step is calculated once; the part of the address after # says what is shown of it.

/** Return what the page tells about: the step, and what Python says of it. */
function readSubject(data) {
  const { activations, output, loss } = data.network;
  const network = doubled(readNetwork(data.network));
  const deltaFormula = output === "sigmoid" && loss === "quadratic" ? "(p − y)·p·(1 − p)" : "p − y";
  return { ...data, step: stepOn(network, Uint8Array.from(data.pixels), data.label), names: [...activations, output], deltaFormula };
}

/** Return the unit and the weight that a place names, { l, unit, below }; null where it names none that there is. */
function readPlace({ network: { layers } }, place) {
  const found = /^#unit=(\d+):(\d+)(?:&weight=(\d+))?$/.exec(place);
  if (!found) return null;
  const [l, unit, below] = [Number(found[1]) - 1, Number(found[2]), found[3] === undefined ? null : Number(found[3])];
  const known = layers[l] && unit < layers[l].fanOut;
  return known ? { l, unit, below: below !== null && below < layers[l].fanIn ? below : null } : null;
}

/** Show the view of a place: the overview, or a unit, and focus where the reader goes on. */
function follow(subject, chosen, seen) {
  const place = readPlace(subject.step, location.hash);
  const name = place ? unitName(place.l, place.unit) : "";
  if (!seen.name && name) Object.assign(seen, { scroll: scrollY, focus: document.activeElement });
  if (place && name !== seen.name) element("unit").replaceChildren(...unitView(subject, place.l, place.unit));
  element("overview").hidden = Boolean(place);
  element("unit").hidden = !place;
  document.title = `${name ? `Unit ${name}` : "One step of learning"} – bpcli`;
  if (place) showPlace(subject, chosen, place, name !== seen.name);
  else if (seen.name) {
    scrollTo(0, seen.scroll ?? 0);
    seen.focus?.focus({ preventScroll: true });
  }
  seen.name = name;
}

/** Show the chosen weight of the unit, by default that of the largest gradient. */
function showPlace({ step, ...subject }, chosen, { l, unit, below }, isNew) {
  const weight = below ?? strongest(gradientsTo(step, l, unit), 1)[0] ?? 0;
  element("weight").replaceChildren(...weightView({ step, ...subject }, l, unit, weight, chosen.rate));
  if (isNew) scrollTo(0, 0);
  const target = element(below === null ? "unit-name" : "weight-name");
  target.focus({ preventScroll: true });
  if (below !== null) target.scrollIntoView({ block: "start" });
}

/** Let the reader open a unit by layer and number. */
function listenToChooser({ network: { layers } }) {
  const [layer, unit] = ["layer", "number"].map(element);
  layer.append(...layers.map((_, l) => new Option(l < layers.length - 1 ? `${l + 1}` : `${l + 1}, the outputs`, l)));
  const limit = () => (unit.max = layers[layer.value].fanOut - 1);
  limit();
  layer.addEventListener("input", limit);
  element("chooser").addEventListener("submit", (event) => {
    event.preventDefault();
    location.hash = placeOf(Number(layer.value), Number(unit.value));
  });
}

function start() {
  const data = JSON.parse(element("data").textContent);
  const subject = readSubject(data);
  const [chosen, seen] = [{ rate: data.rate }, { name: "" }];
  showOverview(subject, chosen);
  listenToChooser(subject.step);
  if (!location.hash && data.unit) history.replaceState(null, "", placeOf(data.unit[0] - 1, data.unit[1]));
  addEventListener("hashchange", () => follow(subject, chosen, seen));
  addEventListener("keydown", ({ key }) => {
    if (key === "Escape" && seen.name) location.hash = "";
  });
  follow(subject, chosen, seen);
}
