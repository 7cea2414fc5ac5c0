// Ink detection in a picture: the share of each pixel that ink covers, and the marks that ink forms. As bpcli.data.picture.ink.

const GLANCE = 128;
const CORE = 30;
const FEWEST = 5;
const CORE_SHARE = 0.1;
const SOLID = 0.6;
const EDGE = 0.45;
const FAINT_EDGE = 0.25;
const FIRM_EDGES = [0.6, 0.75];
const ROUGH_EDGES = [0.45, 0.25];
const WIDE_STROKE = 0.25;
const PEN_ROOM = 2;
const CRISPER = 1.35;
const FLAT_WORTH = 0.9;
const LINED_FROM = 40;
const SMOOTHED_FROM = 100;

/** Return the ink on a picture, with the paper divided out; the paper is taken as flat if that gives crisp marks. */
function findInk(grey) {
  const light = showsLightInk(grey);
  return { light, ...darkInk(light ? inverted(grey) : grey) };
}

/** Return the dark ink on a picture. */
function darkInk(grey) {
  const flat = isFlat(grey) ? inkOn(grey, evenPaper(grey)) : null;
  if (flat && !anyOnBorder(flat)) return flat;
  const uneven = inkOnUneven(grey);
  return flat && crispness(flat) >= FLAT_WORTH * crispness(uneven) ? flat : uneven;
}

/** Return whether a picture shows light ink: by which side alone is flat around it, else by the votes. */
function showsLightInk(grey) {
  const [flatLight, flatDark] = [grey, inverted(grey)].map(isFlatAround);
  return flatLight !== flatDark ? flatDark : isLight(shrink(grey, GLANCE));
}

/** Return paper that is everywhere as light as the picture's lightest pixel. */
function evenPaper({ width, height, values }) {
  return { width, height, values: new Float32Array(values.length).fill(largest(values)) };
}

function anyOnBorder({ pieces }) {
  return pieces.boxes.some((box) => onBorder(box, pieces));
}

/** Return the dark ink on paper with a trend; if marks may be shadows, the shadow model is tried too. */
function inkOnUneven(grey) {
  const found = inkOnRough(grey, paperTrend(grey));
  if (!anyOnBorder(found)) return found;
  const other = inkOnRough(grey, paperBetween(grey, WIDE_STROKE));
  return crispness(other) > CRISPER * crispness(found) ? other : found;
}

/** Return the dark ink on a picture, from a first estimate of its paper. */
function inkOnRough(grey, paper) {
  let estimate = paper;
  for (const edge of ROUGH_EDGES) {
    const steady = steadied(darkness(grey, estimate));
    const rough = spread(above(steady, edge * solidDarkness(steady.values)), PEN_ROOM);
    estimate = paperAround(grey, paper, rough);
  }
  return inkOn(grey, estimate);
}

/** Return the dark ink on a picture, given its paper. */
function inkOn(grey, paper) {
  const dark = darkness(grey, paper);
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

/** Return the darkness of solid ink: a quantile of the pixels at least half as dark as the core; 0 without ink. */
function solidDarkness(values) {
  const rank = Math.min(CORE, Math.trunc(CORE_SHARE * values.length) + 1);
  let core = select(values.slice(), values.length - rank);
  if (core <= 0) core = values.filter((value) => value !== 0).length >= FEWEST ? largest(values) : 0;
  return core > 0 ? quantile(moreThan(values, 0.5 * core), SOLID) : 0;
}

function moreThan(values, least) {
  const found = new Float32Array(values.length);
  let count = 0;
  for (let i = 0; i < values.length; i++) if (values[i] > least) found[count++] = values[i];
  return found.subarray(0, count);
}

/** Return the standard deviation of bare paper's noise, from its lighter pixels, which have no ink. */
function grain(paper) {
  let sum = 0;
  for (let i = 0; i < paper.length; i++) if (paper[i] < 0) sum += paper[i] * paper[i];
  return paper.length ? Math.sqrt(sum / paper.length) : 0;
}

/** Return the connected marks above a threshold that depends on the paper; on clean paper, faint strokes count. */
function findMarks(steady, solid, bare) {
  const dirt = bare.length ? quantile(bare, 0.98) : 0;
  const lowest = FAINT_EDGE * solid > 1.5 * dirt ? FAINT_EDGE : EDGE;
  const piecesAbove = (edge) => findPieces(above(steady, edge * solid));
  if (Math.max(steady.width, steady.height) < LINED_FROM) return piecesAbove(lowest);
  const faintest = Math.fround(FIRM_EDGES.at(-1) * solid);
  for (const edge of [lowest, EDGE, ...FIRM_EDGES]) {
    const pieces = piecesAbove(edge);
    if (!through(pieces, steady).some((end) => end < faintest)) return pieces;
  }
  return piecesAbove(EDGE);
}

/** Return the darkness at the ends of each piece that runs right through the picture, infinity for others. */
function through(pieces, { width, height, values }) {
  const [top, bottom, left, right] = Array.from({ length: 4 }, () => pieces.boxes.map(() => -Infinity));
  const reach = (end, i) => {
    const piece = pieces.labels[i] - 1;
    if (piece >= 0) end[piece] = Math.max(end[piece], values[i]);
  };
  for (let x = 0; x < width; x++) {
    reach(top, x);
    reach(bottom, (height - 1) * width + x);
  }
  for (let y = 0; y < height; y++) {
    reach(left, y * width);
    reach(right, (y + 1) * width - 1);
  }
  return pieces.boxes.map((box, i) =>
    crosses(box, pieces) ? Math.max(Math.min(top[i], bottom[i]), Math.min(left[i], right[i])) : Infinity,
  );
}

/** Return the crispness of the marks: the mean step of darkness across their edges, as a share of solid ink's. */
function crispness({ dark, solid, pieces }) {
  const clipped = dark.values.map((value) => clip(value, 0, solid));
  return meanStep(clipped, pieces) / Math.max(solid, 1e-6);
}

/** Return the mean difference of values across the edges of the marks; 0 without edges. */
function meanStep(values, { width, labels }) {
  const inside = (i) => labels[i] > 0;
  const steps = [];
  for (let i = 0; i < values.length; i++) {
    if (i + width < values.length && inside(i) !== inside(i + width)) steps.push(Math.abs(values[i + width] - values[i]));
    if ((i + 1) % width && inside(i) !== inside(i + 1)) steps.push(Math.abs(values[i + 1] - values[i]));
  }
  return steps.length ? mean(steps) : 0;
}

/** Return the share of each pixel that the ink of the kept marks covers, 0 to 1. */
function coverage({ dark, solid, grain: noise }, kept) {
  const low = Math.min(3 * noise, 0.5 * solid);
  const found = spread(kept, 1);
  for (let i = 0; i < found.values.length; i++) {
    if (found.values[i]) found.values[i] = clip((dark.values[i] - low) / Math.max(solid - low, 1e-6), 0, 1);
  }
  return found;
}

/** Return the mean step of light across the marks' edges as a share of solid ink's, times the picture's size. */
function edgeSharpness({ solid, light, pieces }, grey) {
  const paper = largest((light ? inverted(grey) : grey).values);
  return (Math.max(grey.width, grey.height) * meanStep(grey.values, pieces)) / Math.max(solid * paper, 1e-6);
}
