// The digit with which the page opens: it draws itself, unless the reader wants no motion.

// prettier-ignore
const THREE = [[62, 58], [70, 46], [86, 38], [104, 38], [120, 46], [126, 62], [120, 80], [104, 90], [90, 94], [106, 96],
  [124, 106], [132, 124], [128, 144], [112, 158], [92, 160], [74, 154], [62, 142]];
const WRITING = 1400; // milliseconds

/** Draw a digit on an empty paper as a pen would; the reader's first stroke takes its place. */
function drawItself(paper) {
  const begin = performance.now();
  paper.press(THREE[0]);
  paper.guest = true;
  const { stroke } = paper;
  const write = (now) => {
    if (paper.stroke !== stroke) return;
    const share = Math.min(Math.max(now - begin, 0) / WRITING, 1);
    paper.move(between(THREE, stroke.points.length, share * (THREE.length - 1)));
    if (share < 1) requestAnimationFrame(write);
    else paper.lift();
  };
  requestAnimationFrame(write);
}

/** Return the points of a line from the index `from` to a place between two of them. */
function between(line, from, to) {
  return line.slice(from, Math.floor(to) + 1);
}
