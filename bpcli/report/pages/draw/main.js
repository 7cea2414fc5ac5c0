// The page's program: with each stroke, the drawing is prepared, classified and shown.

const NOTHING = { pixels: null, reason: "", a: [], scores: [] };

/** Return the network's answer to a grey picture. */
function answerTo(network, grey) {
  const { pixels: square, reason } = prepare(grey, network);
  if (!square) return { ...NOTHING, reason };
  const pixels = network.deslant ? deslant(square) : square;
  const found = { pixels, ...look(network, pixels) };
  const seen = Math.max(...found.scores) >= network.least;
  return { ...found, reason: seen ? "" : `No ${network.numerals ? "digit" : "class"}: no score reaches ${network.least}.` };
}

function start() {
  const network = readNetwork(JSON.parse(element("network").textContent));
  const silent = network.layers.map((layer) => new Float32Array(layer.fanOut));
  let latest = NOTHING;
  let pending = false;

  /** Classify the drawing once for all events between two frames. */
  const answer = () => {
    pending = false;
    latest = paper.isEmpty ? NOTHING : answerTo(network, paper.grey());
    showAnswer(network, latest.pixels ? latest : { ...latest, a: silent });
    element("hint").hidden = !paper.isEmpty;
    for (const name of ["undo", "clear", "save", "keep"]) element(name).disabled = paper.isEmpty;
  };
  const explain = () => {
    if (!element("why").open) return;
    const places = shownClasses(network, latest.scores);
    showMaps(network, places, latest.pixels ? contributions(network, latest.pixels, places) : places.map(() => []));
    showSums(network, places, latest, latest.pixels && emptyPass(network).logits);
  };
  const finish = () => {
    answer();
    explain();
    if (latest.scores.length) element("truth").value = latest.scores.indexOf(Math.max(...latest.scores));
    element("spoken").textContent = latest.reason || `${element("answer").textContent}, ${element("certainty").textContent}`;
  };
  const paper = new Paper(element("paper"), network.light, (finished) => {
    if (finished) finish();
    else if (!pending) {
      pending = true;
      requestAnimationFrame(answer);
    }
  });

  buildView(network);
  listenToPointers(paper);
  listenToKeys(paper, element("pen"));
  element("undo").addEventListener("click", () => paper.undo());
  element("clear").addEventListener("click", () => paper.clear());
  element("save").addEventListener("click", () => {
    download(network.numerals ? "digit.png" : "picture.png", "image/png", pngOf(paper.picture));
  });
  collect(network, () => paper.picture);
  element("width").addEventListener("input", (event) => (paper.width = Number(event.target.value)));
  element("why").addEventListener("toggle", explain);
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key === "z") paper.undo();
  });
  answer();
}
