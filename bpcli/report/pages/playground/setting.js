// The setting of a training: plain data under bpcli's names, which travels in the address of the page.
//
//   { hidden: [30], activation, output, init, loss, learning_rate, momentum, weight_decay, batch_size, digits, seed }
//
// `digits` says how many of the page's training pictures are used.

const STANDARD = {
  hidden: [30], activation: "sigmoid", output: "sigmoid", init: "glorot", loss: "binary_cross_entropy",
  learning_rate: 0.5, momentum: 0.5, weight_decay: 0, batch_size: 32, digits: 3000, seed: 0,
};
const WORDS = {
  activation: Object.keys(ACTIVATIONS),
  init: Object.keys(INITIALIZERS),
  objective: Object.keys(OUTPUTS), // the output function with the loss
};
const NUMBERS = {
  learning_rate: { least: 1e-6, most: 1000 },
  momentum: { least: 0, most: 0.999 },
  weight_decay: { least: 0, most: 1e6 },
  batch_size: { least: 1, most: 500, whole: true },
  digits: { least: 10, most: Infinity, whole: true },
  seed: { least: 0, most: 2 ** 32 - 1, whole: true },
};
const MOST_HIDDEN = { layers: 2, units: 100 };
const AT_ONCE = ["learning_rate", "momentum", "weight_decay", "batch_size"]; // a training goes on when they change

/** Return the name of a setting's output function and loss, as in OUTPUTS. */
function objectiveOf({ output, loss }) {
  return `${output}, ${loss}`;
}

/** Return the address that sets a page up: its hash. */
function hashOf(setting, lesson = null) {
  const parts = Object.entries(setting).map(([key, value]) => `${key}=${key === "hidden" ? value.join("-") || "none" : value}`);
  return `#${[...(lesson ? [`lesson=${lesson}`] : []), ...parts].join("&")}`;
}

/**
 * Return what a hash asks for: { setting, lesson, flaws }.
 *
 * What it leaves out comes from the lesson or is standard; so is what can't be, and `flaws` says that.
 */
function readHash(hash, lessons, pictures) {
  const asked = new URLSearchParams(hash.replace(/^#/, ""));
  const [name, flaws] = [asked.get("lesson"), []];
  const lesson = Object.hasOwn(lessons, name ?? "") ? name : null;
  if (name && !lesson) flaws.push(`There is no lesson “${name}”.`);
  asked.delete("lesson");
  const setting = lesson ? lessonSetting(lessons[lesson]) : { ...STANDARD };
  const base = { ...setting, digits: Math.min(setting.digits, pictures) };
  for (const [key, text] of asked) {
    const value = Object.hasOwn(STANDARD, key) ? valueOf(key, text, pictures) : undefined;
    if (value === undefined) flaws.push(`${key}=${text} can’t be; ${meaningOf(key, pictures)}.`);
    else setting[key] = value;
  }
  setting.digits = Math.min(setting.digits, pictures);
  if (objectiveOf(setting) in OUTPUTS) return { setting, lesson, flaws };
  flaws.push(`The output ${setting.output} has no loss ${setting.loss}.`);
  return { setting: { ...setting, output: base.output, loss: base.loss }, lesson, flaws };
}

/** Return the value that a text is for a key; undefined if it is none. */
function valueOf(key, text, pictures) {
  if (key === "hidden") return hiddenOf(text);
  if (key in NUMBERS) return numberOf(key, text, pictures);
  const names = WORDS[key] ?? WORDS.objective.flatMap((pair) => pair.split(", "));
  return names.includes(text) ? text : undefined;
}

function hiddenOf(text) {
  if (text === "none") return [];
  const units = text.split("-").map(Number);
  const fits = (each) => Number.isInteger(each) && each >= 1 && each <= MOST_HIDDEN.units;
  return units.length <= MOST_HIDDEN.layers && units.every(fits) ? units : undefined;
}

function numberOf(key, text, pictures) {
  const { least, most, whole } = limitsOf(key, pictures);
  const value = text.trim() === "" ? NaN : Number(text);
  return value >= least && value <= most && (!whole || Number.isInteger(value)) ? value : undefined;
}

/** Return the limits of a number; a page with fewer pictures than the standard takes all of them. */
function limitsOf(key, pictures) {
  const limits = NUMBERS[key];
  if (key !== "digits") return limits;
  return { ...limits, least: Math.min(limits.least, pictures), most: Math.max(pictures, STANDARD.digits) };
}

/** Return what a key expects, in words. */
function meaningOf(key, pictures) {
  if (key === "hidden") return `expected none, or one or two numbers from 1 to ${MOST_HIDDEN.units}, such as 30-20`;
  if (!Object.hasOwn(STANDARD, key)) return `expected one of ${Object.keys(STANDARD).join(", ")}`;
  if (!(key in NUMBERS)) return `expected ${(WORDS[key] ?? WORDS.objective).join(" or ")}`;
  const { least, most, whole } = limitsOf(key, pictures);
  return `expected a ${whole ? "whole " : ""}number from ${least} to ${most}`;
}

/** Return the command that trains such a network with bpcli, on the whole data set: MNIST, or that of a `folder`. */
function commandOf(setting, folder = false) {
  const { hidden, activation, output, init, loss, learning_rate, momentum, weight_decay, batch_size, seed } = setting;
  const values = {
    ...(folder ? { "data.folder": "FOLDER" } : {}),
    "data.normalize": "unit", "model.hidden": `[${hidden}]`, "model.activation": activation, "model.output": output,
    "model.init": init, loss, "optimizer.learning_rate": learning_rate, "optimizer.momentum": momentum,
    "optimizer.weight_decay": weight_decay, "schedule.kind": "constant", "train.batch_size": batch_size, seed,
  };
  return `bpcli train ${Object.entries(values).map(([key, value]) => `-s '${key}=${value}'`).join(" ")}`;
}
