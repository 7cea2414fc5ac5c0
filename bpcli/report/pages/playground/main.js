// The page's program: it trains in slices of time, and shows the training between them.

const SLICE = 40; // milliseconds of training, after which the page listens to its reader
const OFTEN = { curves: 200, mistakes: 600 }; // milliseconds between two pictures of the training
const SELDOM = { curves: 1000, mistakes: 3000 }; // where the reader wants less motion

async function start() {
  const page = JSON.parse(element("page").textContent);
  const samples = await readSamples(page);
  const [own, heldOut] = [samples.slice(0, page.training), samples.slice(page.training)];
  const sets = { training: setOf(own), heldOut: setOf(heldOut) };
  const data = { pixels: page.side ** 2, classes: page.classes.length, ...sets };
  const play = { page, data, heldOut, charts: buildView(LESSONS), training: null, before: null, goal: 0 };
  listen(play);
  setUp(play, true);
  return play;
}

function listen(play) {
  element("start").addEventListener("click", () => (isRunning(play) ? pause(play) : run(play, Infinity)));
  element("step").addEventListener("click", () => run(play, play.training.seen + 1));
  element("epoch").addEventListener("click", () => run(play, play.training.seen + restOfEpoch(play.training)));
  element("reset").addEventListener("click", () => setUp(play, true));
  element("form").addEventListener("change", () => {
    history.replaceState(null, "", askedInForm() + lessonInHash(play));
    setUp(play);
  });
  element("form").addEventListener("submit", (event) => event.preventDefault());
  addEventListener("hashchange", () => setUp(play, true));
  addEventListener("click", ({ target }) => {
    if (target.hash && target.hash === location.hash) setUp(play, true); // which changes no hash
  });
  const wide = matchMedia("(min-width: 900px)");
  const unfold = () => (element("settings").open = wide.matches);
  wide.addEventListener("change", unfold);
  unfold();
}

function lessonInHash({ lesson }) {
  return lesson ? `&lesson=${lesson}` : "";
}

/** Do what the address asks for: a training goes on if that is possible, or begins `anew`. */
function setUp(play, anew = false) {
  const { setting, lesson, flaws } = readHash(location.hash, LESSONS, play.page.training);
  play.lesson = lesson;
  showLesson(LESSONS, lesson);
  showSetting(setting, flaws, play.page);
  const changed = Object.keys(setting).filter((key) => String(setting[key]) !== String(play.training?.setting[key]));
  if (anew || changed.some((key) => !AT_ONCE.includes(key))) renew(play, setting);
  else Object.assign(play.training, { setting });
}

/** Begin a training; the one that there was stays in the curves. */
function renew(play, setting) {
  if (play.training?.steps) play.before = { setting: play.training.setting, history: play.training.history };
  play.goal = 0;
  clearTimeout(play.timer);
  play.training = begin(setting, play.data);
  play.now = addPoint(play.training);
  play.next = spacing(play.training);
  element("speed").textContent = "–";
  describeWeights(play.training, play.page.classes);
  describeDeltas(play.charts.at(-1), play.training);
  show(play);
  tell("Ready.");
  showButtons(play);
}

function isRunning({ training, goal }) {
  return training.seen < goal && !training.diverged;
}

function restOfEpoch({ place, order }) {
  return place === order.length ? order.length : order.length - place;
}

/** Train until so many pictures have been seen; a training that runs already stops there. */
function run(play, goal) {
  const waiting = isRunning(play);
  play.goal = goal;
  if (!isRunning(play)) return;
  if (goal > play.training.seen + 1) tell("Training.");
  showButtons(play);
  if (waiting) return;
  const now = performance.now();
  Object.assign(play, { began: { time: now, seen: play.training.seen }, shown: { curves: now, mistakes: now } });
  clearTimeout(play.timer); // that of a pause which no slice has seen yet
  slice(play);
}

function pause(play) {
  play.goal = play.training.seen;
}

/** Train for a moment, and come back later if there is more to do. */
function slice(play) {
  const end = performance.now() + SLICE;
  while (isRunning(play) && performance.now() < end) advance(play);
  if (isRunning(play)) {
    showIfDue(play);
    play.timer = setTimeout(slice, 0, play);
  } else finish(play);
}

function advance(play) {
  const { training } = play;
  step(training);
  if (training.seen < play.next && !training.diverged) return;
  play.now = addPoint(training);
  play.next = training.seen + spacing(training);
}

function showIfDue(play) {
  const [now, pauses] = [performance.now(), matchMedia("(prefers-reduced-motion: reduce)").matches ? SELDOM : OFTEN];
  if (now - play.shown.curves < pauses.curves) return;
  const due = now - play.shown.mistakes >= pauses.mistakes;
  show(play, { speed: speedOf(play, now), mistakes: due });
  play.shown = { curves: now, mistakes: due ? now : play.shown.mistakes };
}

/** Return how many pictures a second the training has seen since it was started; null if that was too short to tell. */
function speedOf({ began, training }, now) {
  return now - began.time < SLICE ? null : (1000 * (training.seen - began.seen)) / (now - began.time);
}

/** Show the end of a stretch of training, with how the network does now. */
function finish(play) {
  const { training } = play;
  const last = training.history.at(-1).seen;
  play.goal = 0;
  if (last < training.seen) play.now = addPoint(training);
  show(play, { speed: speedOf(play, performance.now()) });
  showButtons(play);
  const right = percent(play.now.accuracy);
  tell(training.diverged ? "The loss is no number any more: reset it." : `Paused after ${thousands(training.seen)}: right on ${right}.`);
}

function show({ training, before, now, page, heldOut, charts }, { speed = null, mistakes = true } = {}) {
  showNumbers(training, speed);
  showCurves(charts, training, before);
  showWeights(training, now, page.side, matchMedia("(prefers-color-scheme: dark)").matches);
  showLayers(training, now);
  if (mistakes) showMistakes(now, heldOut, page);
}

function showButtons(play) {
  element("start").textContent = isRunning(play) ? "Pause" : "Start";
}

function tell(text) {
  element("status").textContent = text;
}
