// The page's program: with each stroke, the drawing is prepared, classified and shown.

const NOTHING = { pixels: null, reason: "", a: [], scores: [] };

/** Return the network's answer to a grey picture. */
function answerTo(network, grey) {
  const { pixels: square, reason } = prepare(grey, network);
  return square ? answerToSquare(network, square) : { ...NOTHING, reason };
}

/** Return the network's answer to a square of bytes, such as a test picture. */
function answerToSquare(network, square) {
  const pixels = upright(network, square);
  const found = { pixels, ...look(network, pixels) };
  const seen = Math.max(...found.scores) >= network.least;
  return { ...found, reason: seen ? "" : `No ${network.numerals ? "digit" : "class"}: no score reaches ${network.least}.` };
}

/** Return a square of bytes as the network sees it: upright and of one width, if it was trained so. */
function upright(network, square) {
  if (network.width) return setWidth(square, network.width, network.deslant);
  return network.deslant ? deslant(square) : square;
}

function start() {
  const network = readNetwork(JSON.parse(element("network").textContent));
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const page = { network, still, lessons: new Lessons(network), latest: NOTHING, pending: false, busy: false, chosen: false, fair: [] };
  page.paper = new Paper(element("paper"), network.light, (finished) => (finished ? finish(page) : soon(page)));
  buildView(network);
  listenToPointers(page.paper);
  listenToKeys(page.paper, element("pen"));
  collect(network, () => page.paper.picture);
  listenToTools(page);
  listenToTeacher(page);
  listenToReader(page);
  finish(page);
  readSamples(network).then((samples) => {
    page.fair = samples.slice(network.samples?.hard);
    showSamples(network, samples, (sample) => page.paper.put({ ...sample, canvas: asDrawn(network, sample) }));
  });
  if (network.numerals && !still) drawItself(page.paper);
}

/** Classify the drawing once for all events between two frames. */
function soon(page) {
  if (page.pending) return;
  page.pending = true;
  requestAnimationFrame(() => answer(page));
}

/** Classify the drawing, and show what follows it during a stroke. */
function answer(page) {
  const { network, paper } = page;
  page.pending = false;
  page.latest = paper.isEmpty ? NOTHING : paper.isDrawn ? answerTo(network, paper.grey()) : answerToSquare(network, paper.under.pixels);
  const silent = network.layers.map((layer) => new Float32Array(layer.fanOut));
  showAnswer(network, page.latest.pixels ? page.latest : { ...page.latest, a: silent });
  element("hint").hidden = !paper.isEmpty;
  for (const name of ["undo", "clear", "save"]) element(name).disabled = paper.isEmpty;
  element("keep").disabled = !paper.isDrawn || paper.guest;
  enableLessons(page);
}

/** Show all that waits for the end of a stroke. */
function finish(page) {
  answer(page);
  const { latest, paper } = page;
  if (latest.pixels) element("truth").value = paper.isDrawn ? strongestOf(latest.scores)[0] : paper.under.label;
  explain(page);
  if (page.lessons.all.length) tellLesson(page.network, page.lessons, latest.pixels, lessonFor(latest));
  speak(page);
}

/** Tell a screen reader the answer, and what goes before it. */
function speak({ latest }, before = "") {
  element("spoken").textContent = before + (latest.reason || `${element("answer").textContent}, ${element("certainty").textContent}`);
}

/** Show what is behind the answer. */
function explain({ network, latest, chosen }) {
  const [empty, places] = [emptyPass(network), shownClasses(network, latest.scores)];
  const drawn = latest.pixels ? latest : null;
  const [best] = strongestOf(latest.scores);
  showPaths(network, drawn ? strongestPaths(network, drawn, empty, best) : [], element("scores").children[places.indexOf(best)]);
  if (drawn && !chosen) element("opened-unit").value = (network.layers.length > 1 ? strongest(drawn.a[0], 1)[0] : best) ?? 0;
  showOpened(network, drawn, empty);
  showBackward(network, latest.pixels, lessonFor(latest));
  if (element("mind").open) showMind(network, latest);
  if (!element("why").open) return;
  showMaps(network, places, drawn ? contributions(network, drawn.pixels, places) : places.map(() => []));
  showSums(network, places, latest, drawn && empty.logits);
}

/** Return what the reader wants the network to learn: a picture, its class, and a rate. */
function lessonFor({ pixels }) {
  return { pixels, place: Number(element("truth").value), rate: element("rate").valueAsNumber };
}

function enableLessons({ latest, busy, lessons }) {
  for (const name of ["one", "ten"]) element(name).disabled = busy || !latest.pixels || !element("rate").validity.valid;
  element("unlearn").disabled = busy || lessons.all.length === 0;
}

/** Take steps on the drawing, each of which is watched unless the reader wants no motion. */
async function teach(page, steps) {
  const { lessons, latest, still } = page;
  page.busy = true;
  lessons.begin(lessonFor(latest));
  for (let step = 0; step < steps; step++) {
    lessons.step();
    answer(page);
    if (!still) await new Promise((resume) => setTimeout(resume, PAUSE));
  }
  page.busy = false;
  showLesson(page);
}

/** Show what the lessons made of the network. */
function showLesson(page) {
  answer(page);
  explain(page);
  const { network, lessons, latest, fair } = page;
  tellLesson(network, lessons, latest.pixels, lessonFor(latest));
  showCost(network, fair, answersTo(lessons.untaught, fair));
  speak(page, `${element("lesson").textContent} ${element("cost").textContent} `);
}

function listenToTools({ network, paper }) {
  const clicked = { undo: () => paper.undo(), clear: () => paper.clear(), save: () => savePicture(network, paper.picture) };
  for (const [name, action] of Object.entries(clicked)) element(name).addEventListener("click", action);
  element("width").addEventListener("input", (event) => (paper.width = Number(event.target.value)));
  document.addEventListener("keydown", (event) => {
    const typing = event.target.matches("input[type=number]");
    if ((event.ctrlKey || event.metaKey) && event.key === "z" && !typing) paper.undo();
  });
}

function listenToTeacher(page) {
  element("one").addEventListener("click", () => teach(page, 1));
  element("ten").addEventListener("click", () => teach(page, 10));
  element("unlearn").addEventListener("click", () => {
    page.lessons.undo();
    showLesson(page);
  });
  for (const name of ["truth", "rate"]) {
    element(name).addEventListener("input", () => {
      enableLessons(page);
      explain(page);
    });
  }
}

/** Let the reader open sections, units and the sums of classes. */
function listenToReader(page) {
  for (const name of ["why", "mind"]) element(name).addEventListener("toggle", () => explain(page));
  addEventListener("resize", () => explain(page));
  listenToUnits(page.network, page.still, () => {
    page.chosen = true;
    explain(page);
  });
}

function savePicture({ numerals }, picture) {
  download(numerals ? "digit.png" : "picture.png", "image/png", pngOf(picture));
}
