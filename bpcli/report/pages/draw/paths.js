// The strongest paths from pixels through units to one class, as lines from left to right.

const PATHS = 8; // units of the last hidden layer that are followed
const ROOTS = 3; // pixels that are shown for each unit of the first

/** Return what one unit's sum is made of; `change` is what the ink changed in each of its inputs, `empty` the pass of blank paper. */
function termsOf({ layers }, pass, empty, layer, unit) {
  const { fanIn, weights, biases } = layers[layer];
  const own = weights.subarray(unit * fanIn, (unit + 1) * fanIn);
  const [inputs, bare] = [pass, empty].map((each) => (layer ? each.a[layer - 1] : each.x));
  const change = inputs.map((input, i) => input - bare[i]);
  const products = change.map((each, i) => each * own[i]);
  return { weights: own, change, products, bias: biases[unit], blank: empty.z[layer][unit] - biases[unit], z: pass.z[layer][unit] };
}

/** Return the strongest links [{ layer, from, to, term }], followed back from a class; a term is part of z of unit `to`. */
function strongestPaths(network, pass, empty, place) {
  const last = network.layers.length - 1;
  const links = [];
  let units = [place];
  for (let layer = last; layer >= 0; layer--) {
    const count = layer === last ? PATHS : layer === 0 ? ROOTS : 1;
    const found = units.flatMap((to) => {
      const { products } = termsOf(network, pass, empty, layer, to);
      return strongest(products, count).map((from) => ({ layer, from, to, term: products[from] }));
    });
    links.push(...found);
    units = [...new Set(found.map(({ from }) => from))];
  }
  return links;
}

/** Return the indices of the values of the largest size, without zeros. */
function strongest(values, count) {
  const order = Array.from(values.keys()).filter((i) => values[i] !== 0);
  return order.sort((one, other) => Math.abs(values[other]) - Math.abs(values[one])).slice(0, count);
}

/** Show the paths to the class of a bar: as lines where the page is wide enough for columns, and in words. */
function showPaths(network, links, bar) {
  const svg = element("paths");
  const columns = matchMedia("(min-width: 1100px)").matches;
  svg.replaceChildren(...(columns ? links.map((link) => lineOf(network, link, links, svg, bar)) : []));
  const last = links.filter(({ layer }) => layer > 0 && layer === network.layers.length - 1);
  const told = last.map(({ from, term }) => `unit ${from} ${signed(term)}`).join(", ");
  element("paths-told").textContent = told && `What the ink changed most in the answer's sum: ${told}.`;
}

function lineOf(network, link, links, svg, bar) {
  const line = document.createElementNS("http://www.w3.org/2000/svg", "line");
  const most = reach(links.filter(({ layer }) => layer === link.layer).map(({ term }) => term));
  const ends = [endOf(network, link.layer, link.from, bar), endOf(network, link.layer + 1, link.to, bar)];
  const corner = svg.getBoundingClientRect();
  ends.forEach(([x, y], end) => {
    line.setAttribute(`x${end + 1}`, x - corner.left);
    line.setAttribute(`y${end + 1}`, y - corner.top);
  });
  line.setAttribute("stroke-width", 0.5 + (2.5 * Math.abs(link.term)) / most);
  line.setAttribute("class", link.term < 0 ? "against" : "for");
  return line;
}

/** Return where a unit is on the screen: level 0 are the pixels, the last level the bars of the classes. */
function endOf(network, level, unit, bar) {
  if (level === network.layers.length) {
    const box = bar.getBoundingClientRect();
    return [box.left - 4, box.top + box.height / 2];
  }
  const canvas = level ? element("layers").children[level - 1].querySelector("canvas") : element("seen");
  const box = canvas.getBoundingClientRect();
  const [column, row] = [unit % canvas.width, Math.floor(unit / canvas.width)];
  return [box.left + ((column + 0.5) / canvas.width) * box.width, box.top + ((row + 0.5) / canvas.height) * box.height];
}
