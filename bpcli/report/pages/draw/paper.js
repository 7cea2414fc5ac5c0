// The paper: strokes by mouse, pen, finger or keyboard, kept as points so that they can be undone.

const PAPER = 200; // units a side, and pixels a side of the picture that is classified and saved
const SHARP = 2 * Math.ceil(globalThis.devicePixelRatio ?? 1); // pixels per unit on the visible canvas

/**
 * Strokes on a canvas, dark on light or light on dark, on a picture if one was put there. Each change calls
 * `changed(finished)`; during a stroke, finished is false.
 */
class Paper {
  constructor(canvas, light, changed) {
    [this.ground, this.ink] = light ? ["black", "white"] : ["white", "black"];
    this.canvas = canvas;
    this.picture = document.createElement("canvas");
    this.picture.width = this.picture.height = PAPER;
    canvas.width = canvas.height = SHARP * PAPER;
    this.look = canvas.getContext("2d");
    this.look.scale(SHARP, SHARP);
    this.context = this.picture.getContext("2d", { willReadFrequently: true });
    this.changed = changed;
    this.width = 16;
    this.strokes = [];
    this.stroke = null;
    this.under = null; // { canvas, ... }: the picture below the strokes
    this.guest = false; // whether the page drew the strokes: the first of the reader's takes their place
    this.redraw();
  }

  get isEmpty() {
    return !this.isDrawn && !this.under;
  }

  get isDrawn() {
    return this.strokes.length > 0;
  }

  /** Put a picture { canvas, ... } on the paper in place of everything. */
  put(picture) {
    this.strokes = [];
    this.under = picture;
    this.undo();
  }

  /** Begin a stroke at a point [x, y] of the paper. */
  press(point) {
    if (this.guest) this.strokes = [];
    this.guest = false;
    this.stroke = { width: this.width, points: [point] };
    this.strokes.push(this.stroke);
    this.redraw();
    this.changed(false);
  }

  /** Continue the current stroke, if there is one. */
  move(points) {
    if (!this.stroke) return;
    this.stroke.points.push(...points);
    this.redraw();
    this.changed(false);
  }

  /** End the stroke. */
  lift() {
    if (!this.stroke) return;
    this.stroke = null;
    this.changed(true);
  }

  /** Undo the last stroke. */
  undo() {
    this.stroke = null;
    this.guest = false;
    this.strokes.pop();
    this.redraw();
    this.changed(true);
  }

  /** Remove everything. */
  clear() {
    this.put(null);
  }

  redraw() {
    for (const context of [this.look, this.context]) {
      context.fillStyle = this.ground;
      context.strokeStyle = this.ink;
      context.fillRect(0, 0, PAPER, PAPER);
      if (this.under) context.drawImage(this.under.canvas, 0, 0, PAPER, PAPER);
      this.strokes.forEach((stroke) => ink(context, stroke));
    }
  }

  /** Return the picture as grey, from 0 (black) to 1 (white). */
  grey() {
    const { data } = this.context.getImageData(0, 0, PAPER, PAPER);
    const values = new Float32Array(PAPER * PAPER);
    for (let i = 0; i < values.length; i++) values[i] = data[4 * i] / 255;
    return { width: PAPER, height: PAPER, values };
  }
}

/** Draw a stroke as quadratic Bézier curves: its points are the control points, the curve passes through their midpoints. */
function ink(context, { width, points }) {
  context.lineWidth = width;
  context.lineCap = context.lineJoin = "round";
  context.beginPath();
  context.moveTo(...points[0]);
  for (let i = 1; i < points.length - 1; i++) {
    context.quadraticCurveTo(...points[i], ...middle(points[i], points[i + 1]));
  }
  context.lineTo(...points.at(-1));
  context.stroke();
}

function middle([x, y], [u, v]) {
  return [(x + u) / 2, (y + v) / 2];
}

/** Return the position of a pointer event in units of the paper, whatever its size on the screen. */
function place(canvas, event) {
  const box = canvas.getBoundingClientRect();
  return [((event.clientX - box.left) / box.width) * PAPER, ((event.clientY - box.top) / box.height) * PAPER];
}

/** Let mouse, pen and fingers draw, one at a time. */
function listenToPointers(paper) {
  const { canvas } = paper;
  let drawing = null;
  canvas.addEventListener("pointerdown", (event) => {
    if (drawing !== null || event.button !== 0) return;
    drawing = event.pointerId;
    canvas.setPointerCapture(drawing);
    paper.press(place(canvas, event));
  });
  canvas.addEventListener("pointermove", (event) => {
    if (event.pointerId !== drawing) return;
    const events = event.getCoalescedEvents?.() ?? [];
    paper.move((events.length ? events : [event]).map((each) => place(canvas, each)));
  });
  for (const end of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(end, (event) => {
      if (event.pointerId !== drawing) return;
      drawing = null;
      paper.lift();
    });
  }
}

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const STRIDE = 8;

/** Let the arrow keys move a pen, and the space bar set it down and lift it. */
function listenToKeys(paper, mark) {
  let pen = [PAPER / 2, PAPER / 4];
  const isDown = () => paper.stroke !== null && !paper.guest; // the page's own stroke is not the reader's
  const show = () => {
    mark.style.left = `${(pen[0] / PAPER) * 100}%`;
    mark.style.top = `${(pen[1] / PAPER) * 100}%`;
    mark.classList.toggle("down", isDown());
  };
  show();
  paper.canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === " " || event.key === "Enter") {
      if (isDown()) paper.lift();
      else paper.press(pen);
    } else if (event.key in ARROWS) {
      const stride = event.shiftKey ? STRIDE / 4 : STRIDE;
      pen = pen.map((at, axis) => Math.min(Math.max(at + stride * ARROWS[event.key][axis], 0), PAPER));
      if (isDown()) paper.move([pen]);
    } else return;
    event.preventDefault();
    show();
  });
  paper.canvas.addEventListener("blur", () => {
    if (isDown()) paper.lift();
    show();
  });
}
