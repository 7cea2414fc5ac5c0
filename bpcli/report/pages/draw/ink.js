// The ink of a picture: how much of it covers each pixel, and the marks that it makes. As bpcli.data.picture.ink.

const GLANCE = 128;
const CORE = 30;
const SOLID = 0.6;
const EDGE = 0.45;
const FAINT_EDGE = 0.25;
const FIRM_EDGES = [0.6, 0.75];
const ROUGH_EDGES = [0.45, 0.25];
const WIDE_STROKE = 0.25;
const PEN_ROOM = 2;
const CRISPER = 1.35;
const SMOOTHED_FROM = 100;

/** The ink on a picture, with the paper divided out; a second estimate of the paper where marks may be shadows. */
function findInk(grey) {
  const darkOnLight = isLight(shrink(grey, GLANCE)) ? inverted(grey) : grey;
  const found = inkOn(darkOnLight, paperTrend(darkOnLight));
  if (!found.pieces.boxes.some((box) => onBorder(box, grey))) return found;
  const other = inkOn(darkOnLight, paperBetween(darkOnLight, WIDE_STROKE));
  return crispness(other) > CRISPER * crispness(found) ? other : found;
}

/** The dark ink on a picture, from a first estimate of its paper. */
function inkOn(grey, paper) {
  let dark = darkness(grey, paper);
  for (const edge of ROUGH_EDGES) {
    const steady = steadied(dark);
    const rough = spread(above(steady, edge * solidDarkness(steady.values)), PEN_ROOM);
    dark = darkness(grey, paperAround(grey, paper, rough));
  }
  const steady = steadied(dark);
  const solid = solidDarkness(steady.values);
  const marked = spread(above(steady, EDGE * solid), PEN_ROOM).values;
  const bare = outside(steady.values, marked);
  const noise = grain(outside(dark.values, marked));
  return { dark, solid, grain: noise, contrast: solid / Math.max(grain(bare), 1e-6), pieces: findMarks(steady, solid, bare) };
}

function steadied(dark) {
  return Math.min(dark.width, dark.height) >= SMOOTHED_FROM ? smooth(dark) : dark;
}

/** The darkness of solid ink: a quantile of what is half as dark as the darkest pixels or more. */
function solidDarkness(values) {
  const rank = Math.min(CORE, (values.length >> 2) + 1);
  const core = select(values.slice(), values.length - rank);
  return core > 0 ? quantile(moreThan(values, 0.5 * core), SOLID) : 0;
}

function moreThan(values, least) {
  const found = new Float32Array(values.length);
  let count = 0;
  for (let i = 0; i < values.length; i++) if (values[i] > least) found[count++] = values[i];
  return found.subarray(0, count);
}

/** The deviation of the noise of bare paper, taken from its light side, which is free of ink. */
function grain(paper) {
  let sum = 0;
  for (let i = 0; i < paper.length; i++) if (paper[i] < 0) sum += paper[i] * paper[i];
  return paper.length ? Math.sqrt(sum / paper.length) : 0;
}

/** The connected marks, where faint strokes count if the paper allows. */
function findMarks(steady, solid, bare) {
  const dirt = bare.length ? quantile(bare, 0.98) : 0;
  const lowest = FAINT_EDGE * solid > 1.5 * dirt ? FAINT_EDGE : EDGE;
  const piecesAbove = (edge) => findPieces(above(steady, edge * solid));
  for (const edge of [lowest, EDGE, ...FIRM_EDGES]) {
    const pieces = piecesAbove(edge);
    if (!pieces.boxes.some((box) => crosses(box, steady))) return pieces;
  }
  return piecesAbove(EDGE);
}

/** How crisp the marks' edges are: the mean step of darkness across them, as a share of solid ink's. */
function crispness({ dark, solid, pieces }) {
  const { width, values } = dark;
  const inside = (i) => pieces.labels[i] > 0;
  const steps = [];
  for (let i = 0; i < values.length; i++) {
    if (i + width < values.length && inside(i) !== inside(i + width)) steps.push(Math.abs(values[i + width] - values[i]));
    if ((i + 1) % width && inside(i) !== inside(i + 1)) steps.push(Math.abs(values[i + 1] - values[i]));
  }
  return steps.length ? mean(steps) / Math.max(solid, 1e-6) : 0;
}

/** The share of each pixel that the ink of the kept marks covers, 0 to 1. */
function coverage({ dark, solid, grain: noise }, kept) {
  const low = Math.min(3 * noise, 0.5 * solid);
  const found = spread(kept, 1);
  for (let i = 0; i < found.values.length; i++) {
    if (found.values[i]) found.values[i] = clip((dark.values[i] - low) / Math.max(solid - low, 1e-6), 0, 1);
  }
  return found;
}
