// What pages show: the classes that have room, the largest of many values, new elements.

const MOST = 12; // classes that are shown: if there are more, those of the highest scores

/** Return the indices of the classes that are shown: all in order, or the highest scores if there are too many. */
function shownClasses({ classes }, scores) {
  const places = [...classes.keys()];
  if (places.length <= MOST) return places;
  return places.sort((one, other) => (scores[other] ?? 0) - (scores[one] ?? 0)).slice(0, MOST);
}

/** Return the indices of the values of the largest size, without zeros. */
function strongest(values, count) {
  const order = Array.from(values.keys()).filter((i) => values[i] !== 0);
  return order.sort((one, other) => Math.abs(values[other]) - Math.abs(values[one])).slice(0, count);
}

/** Return a new element with attributes and children; a child may be a text. */
function make(tag, attributes = {}, ...children) {
  return furnish(document.createElement(tag), attributes, children);
}

/** Return a new element of an SVG. */
function svg(tag, attributes = {}, ...children) {
  return furnish(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function furnish(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}
