// What would change the network's mind: the ink to add or to take away so that the runner-up wins.

const MOST_CHANGED = 64; // pixels

/**
 * Return the runner-up, what each pixel could do for it, and how few of the best pixels make the network change its answer.
 *
 * A pixel's gain is the derivative of the difference of both logits, times the way to full ink (> 0) or bare paper (< 0).
 * The straight line that this follows ends somewhere, so each picture with 1, 2, ... changed pixels is looked at.
 */
function changeOfMind(network, pixels, pass) {
  const [best, second] = strongestOf(pass.scores);
  const gains = gainsOf(network, pixels, pass, best, second);
  const order = strongest(gains, MOST_CHANGED);
  const [bare, side] = [paperOf(network), pixels.length];
  const changed = new Uint8Array(Math.max(order.length, 1) * side);
  for (let row = 0; row < changed.length / side; row++) {
    changed.set(pixels, row * side);
    order.slice(0, row + 1).forEach((i) => (changed[row * side + i] = gains[i] > 0 ? 255 - bare : bare));
  }
  const answers = winners(look(network, changed));
  const row = answers.findIndex((answer) => answer !== best);
  return { best, second, gains, count: row + 1, becomes: answers[row], changed: changed.subarray(row * side, (row + 1) * side) };
}

/** Return for each pixel how much ink there (> 0), or none (< 0), would bring the second class nearer to the first. */
function gainsOf(network, pixels, pass, best, second) {
  const delta = pass.logits.map((_, place) => (place === second) - (place === best));
  const slope = throughWeights(network.layers[0], deltasBelow(network, pass, delta)[0]);
  const bare = paperOf(network);
  return slope.map((each, i) => {
    const [inked, blank] = [255 - bare, bare].map((level) => each * network.scale * (level - pixels[i]));
    return inked >= blank ? Math.max(inked, 0) : -Math.max(blank, 0);
  });
}

/** Show what would change the mind about a picture; pixels are null where there is none. */
function showMind(network, { pixels, ...pass }) {
  element("mind-pictures").hidden = !pixels;
  if (!pixels) {
    element("mind-told").textContent = "Draw something first.";
    return;
  }
  const { best, second, gains, count, becomes, changed } = changeOfMind(network, pixels, pass);
  const name = (place) => network.classes[place];
  const pixelsTold = count === 1 ? "best pixel" : `${count || MOST_CHANGED} best pixels`;
  const enough = count ? `Changing the ${pixelsTold} is enough.` : `Even the ${pixelsTold} are not enough.`;
  const next = `next comes ${name(second)}, with the score ${pass.scores[second].toFixed(3)}`;
  element("mind-told").textContent = `It says ${name(best)}; ${next}. ${enough}`;
  paintField(element("mind-gain"), network.side, gains);
  element("mind-changed").parentElement.hidden = count === 0;
  element("mind-becomes").textContent = count ? `then it says ${name(becomes)}` : "";
  if (count) {
    Object.assign(element("mind-changed"), { width: network.side, height: network.side });
    paint(element("mind-changed"), changed.length, (i) => grey(changed[i] / 255));
  }
}
