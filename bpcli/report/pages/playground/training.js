// A training, step by step: the same steps as bpcli's, on pictures that are kept as a sparse matrix.
//
//   set        { inputs, labels }: pictures as a sparse matrix, x = pixel/255, with the index of each one's class
//   training   { setting, data, network, velocity, gradients, epoch, order, place, steps, seen, recent, history, sizes,
//              diverged }; `place` is how many pictures of the epoch are done, `seen` how many in all,
//              `recent` what the batches since the last such point of history add up to, `sizes` δ of the last batch
//   data       { pixels, classes, training, heldOut }, the last two are sets

const FLAT = 0.01; // a unit whose derivative is at most this for every picture is dead, as in bpcli.report.units
const SLACK = 0.05; // of an activation's largest derivative: below, a unit is saturated, as in bpcli.gradcheck.one_step
const ENOUGH = 200; // training pictures of which a point of the curves tells; of fewer, chance would tell more
const CHUNK = 100; // pictures that are looked at together
const NOTHING_YET = { count: 0, loss: 0, right: 0 };

/** Return a set of samples, [{ pixels, label }]. */
function setOf(samples) {
  const width = samples[0].pixels.length;
  const x = new Float32Array(samples.length * width);
  samples.forEach(({ pixels }, row) => pixels.forEach((byte, i) => (x[row * width + i] = byte / 255)));
  return { inputs: sparse(x, samples.length), labels: samples.map(({ label }) => label) };
}

/** Return a training that has not begun, from given weights or from those that the setting draws. */
function begin(setting, data, layers = firstLayers(setting, data.pixels, data.classes)) {
  const network = { layers, output: OUTPUTS[objectiveOf(setting)] };
  const [velocity, gradients] = [zerosLike(layers), zerosLike(layers)];
  const training = { setting, data, network, velocity, gradients, steps: 0, seen: 0, history: [], diverged: false };
  Object.assign(training, { sizes: layers.map(() => NaN), recent: NOTHING_YET });
  beginEpoch(training, 0);
  return training;
}

function beginEpoch(training, epoch) {
  const { seed, digits } = training.setting;
  Object.assign(training, { epoch, order: orderOf(seed, epoch, digits), place: 0 });
}

/** Do a step on the next batch of pictures; the last batch of an epoch may be smaller. */
function step(training) {
  if (training.place === training.order.length) beginEpoch(training, training.epoch + 1);
  const { setting, data, network, velocity, gradients } = training;
  const batch = training.order.subarray(training.place, training.place + setting.batch_size);
  const { pass, targets } = passOf(network, data.training, batch);
  const { deltas } = backward(network, pass, targets, gradients);
  const { learning_rate: rate, momentum, weight_decay } = setting;
  descend(network.layers, gradients, { rate, momentum, decay: weight_decay / setting.digits }, velocity);
  training.place += batch.length;
  training.seen += batch.length;
  training.steps++;
  count(training, pass, targets, deltas);
}

/** Add what a batch's pass says, before its step, to what the training knows. */
function count(training, pass, targets, deltas) {
  const loss = total(lossesOf(training.network, pass, targets));
  const right = pass.rows - wrongRows(pass, targets).length;
  const { recent } = training;
  training.recent = { count: recent.count + pass.rows, loss: recent.loss + loss, right: recent.right + right };
  training.sizes = deltas.map((delta) => (pass.rows * delta.reduce((sum, d) => sum + Math.abs(d), 0)) / delta.length);
  training.diverged = !Number.isFinite(loss);
}

/** Return the pass of some pictures of a set, given by their indices, with their targets. */
function passOf(network, { inputs, labels }, rows) {
  const pass = forward(network, rowsOf(inputs, rows), rows.length);
  const classes = pass.logits.length / pass.rows;
  return { pass, targets: oneHot(Array.from(rows, (row) => labels[row]), classes, pass.logits) };
}

/** Return the rows whose highest score is not the target's: [{ row, answer, score }]. */
function wrongRows({ rows, scores }, targets) {
  const [width, wrong] = [scores.length / rows, []];
  for (let row = 0; row < rows; row++) {
    let answer = 0;
    for (let i = 1; i < width; i++) if (scores[row * width + i] > scores[row * width + answer]) answer = i;
    if (!targets[row * width + answer]) wrong.push({ row, answer, score: scores[row * width + answer] });
  }
  return wrong;
}

/** Return how a network does on a set: { loss, accuracy, wrong, layers: [{ dead, saturated }] }; `dead` is a list of units. */
function assess(network, set) {
  const n = set.labels.length;
  const activities = network.layers.slice(0, -1).map(({ fanOut }) => ({ steepest: new Float64Array(fanOut), slack: 0 }));
  const [wrong, steep] = [[], steepestOf(network)];
  let loss = 0;
  for (let first = 0; first < n; first += CHUNK) {
    const rows = Int32Array.from({ length: Math.min(CHUNK, n - first) }, (_, i) => first + i);
    const { pass, targets } = passOf(network, set, rows);
    loss += total(lossesOf(network, pass, targets));
    for (const each of wrongRows(pass, targets)) wrong.push({ ...each, row: first + each.row });
    activities.forEach((activity, l) => watch(activity, network.layers[l], pass.a[l], pass.z[l], SLACK * steep[l]));
  }
  const layers = activities.map(({ steepest, slack }) => ({
    dead: [...steepest.keys()].filter((unit) => steepest[unit] <= FLAT),
    saturated: slack / (n * steepest.length),
  }));
  return { loss: loss / n, accuracy: 1 - wrong.length / n, wrong, layers };
}

/** Return the largest derivative that each hidden layer's activation can have. */
function steepestOf({ layers }) {
  return layers.slice(0, -1).map(({ activation }) => (activation === ACTIVATIONS.sigmoid ? 1 / 4 : 1));
}

/** Note the derivatives of a layer's units for some pictures. */
function watch(activity, { fanOut, activation }, a, z, slack) {
  for (let i = 0; i < a.length; i++) {
    const slope = activation.derivative(a[i], z[i]);
    if (slope > activity.steepest[i % fanOut]) activity.steepest[i % fanOut] = slope;
    if (Math.abs(slope) < slack) activity.slack++;
  }
}

/** Return how many pictures are seen before the next point of the curves: they lie closer in the beginning. */
function spacing({ setting, seen }) {
  return Math.max(setting.batch_size, Math.min(seen / 5, Math.max(2000, seen / 100)));
}

/** Add a point to the history of a training, with how it does on the held-out pictures now; return that. */
function addPoint(training) {
  const { recent, sizes, seen, history, network, data, setting } = training;
  const now = assess(network, data.heldOut);
  const enough = recent.count >= Math.min(ENOUGH, setting.digits);
  const known = enough ? { loss: recent.loss / recent.count, accuracy: recent.right / recent.count } : null;
  history.push({ seen, training: known, heldOut: { loss: now.loss, accuracy: now.accuracy }, sizes });
  if (enough) training.recent = NOTHING_YET;
  return now;
}

/** Return how many pictures had been seen when the accuracy on held-out pictures first reached a share; null if never. */
function reachedAt({ history }, share) {
  return history.find(({ heldOut }) => heldOut.accuracy >= share)?.seen ?? null;
}
