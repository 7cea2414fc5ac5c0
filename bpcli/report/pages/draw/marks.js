// Connected marks, and the selection of those of the digit. As bpcli.data.picture.pieces and bpcli.data.picture.marks.

const SPECK = 0.02;
const OUTER_WORTH = 0.1;
const FILLING = 0.75;
const NEARBY = 0.3;

/** Return the 8-connected components of a mask: each pixel's label, and each one's box [left, top, right, bottom] and area. */
function findPieces({ width, height, values }) {
  const pieces = { width, height, labels: new Int32Array(width * height), boxes: [], areas: [] };
  for (let i = 0; i < values.length; i++) if (values[i] && !pieces.labels[i]) fill(pieces, values, i);
  return pieces;
}

/** Label all pixels that are connected with a pixel. */
function fill({ width, height, labels, boxes, areas }, values, start) {
  const label = boxes.length + 1;
  const box = [width, height, 0, 0];
  const stack = [start];
  let area = 0;
  labels[start] = label;
  while (stack.length) {
    const i = stack.pop();
    const [x, y] = [i % width, Math.floor(i / width)];
    area++;
    include(box, x, y);
    for (let v = Math.max(y - 1, 0); v <= Math.min(y + 1, height - 1); v++) {
      for (let u = Math.max(x - 1, 0); u <= Math.min(x + 1, width - 1); u++) {
        const neighbour = v * width + u;
        if (!values[neighbour] || labels[neighbour]) continue;
        labels[neighbour] = label;
        stack.push(neighbour);
      }
    }
  }
  boxes.push(box);
  areas.push(area);
}

/** Extend a box [left, top, right, bottom] to include a pixel. */
function include(box, x, y) {
  if (x < box[0]) box[0] = x;
  if (y < box[1]) box[1] = y;
  if (x >= box[2]) box[2] = x + 1;
  if (y >= box[3]) box[3] = y + 1;
}

function onBorder([left, top, right, bottom], { width, height }) {
  return left === 0 || top === 0 || right === width || bottom === height;
}

/** Return whether a piece reaches from one side of the picture to the opposite one. */
function crosses([left, top, right, bottom], { width, height }) {
  return (left === 0 && right === width) || (top === 0 && bottom === height);
}

/** Return the mask of the marks of the most prominent digit; empty if there is none. */
function oneDigit(pieces) {
  const { boxes, areas, labels } = pieces;
  const edges = outer(pieces);
  const worth = areas.map((area, i) => (edges[i] ? OUTER_WORTH : 1) * area);
  const main = worth.indexOf(Math.max(...worth));
  const tight = onBorder(boxes[main], pieces); // only a tightly cropped digit has parts on the border
  const filling = fills(boxes[main], pieces);
  const belongs = (box, i) => tight || !edges[i] || (filling && !crosses(box, pieces));
  const candidates = boxes.map((box, i) => areas[i] >= SPECK * areas[main] && belongs(box, i));
  const chosen = connectedTo(main, boxes, candidates);
  const kept = Uint8Array.from([0, ...chosen]); // by label
  const values = new Float32Array(labels.length);
  for (let i = 0; i < values.length; i++) values[i] = kept[labels[i]];
  return { width: pieces.width, height: pieces.height, values };
}

/** Return whether a piece fills most of the picture's height or width. */
function fills([left, top, right, bottom], { width, height }) {
  return Math.max((right - left) / width, (bottom - top) / height) >= FILLING;
}

/** Return which pieces are on the border and hardly in the middle. */
function outer({ width, height, labels, boxes, areas }) {
  const inside = areas.map(() => 0);
  for (let y = height >> 2; y < height - (height >> 2); y++) {
    for (let x = width >> 2; x < width - (width >> 2); x++) {
      const label = labels[y * width + x];
      if (label) inside[label - 1]++;
    }
  }
  return boxes.map((box, i) => onBorder(box, { width, height }) && inside[i] < 0.1 * areas[i]);
}

/** Return which pieces are the main piece or candidates near it, directly or through other candidates. */
function connectedTo(main, boxes, candidates) {
  const chosen = boxes.map((_, i) => i === main);
  for (;;) {
    const group = boxes.filter((_, i) => chosen[i]);
    const near = NEARBY * sizeOf(group);
    const joining = boxes.map((box, i) => candidates[i] && !chosen[i] && group.some((each) => gap(box, each) <= near));
    if (!joining.includes(true)) return chosen;
    joining.forEach((joins, i) => (chosen[i] ||= joins));
  }
}

/** Return the longer side of the box around some boxes. */
function sizeOf(boxes) {
  const [left, top] = [0, 1].map((axis) => Math.min(...boxes.map((box) => box[axis])));
  const [right, bottom] = [2, 3].map((axis) => Math.max(...boxes.map((box) => box[axis])));
  return Math.max(right - left, bottom - top);
}

/** Return the gap in pixels between two boxes, 0 if they touch or overlap. */
function gap(one, other) {
  return Math.max(one[0] - other[2], other[0] - one[2], one[1] - other[3], other[1] - one[3], 0);
}
