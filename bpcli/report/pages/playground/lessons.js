// Lessons: a setting, what to watch, what one should see, and the same with one thing changed.
//
// The figures are those of three seeds on MNIST, as `python -m benchmarks.playground` prints them.

const USUAL = { learning_rate: 0.3, batch_size: 10 }; // small steps, so that one sees what happens in the first hundreds

const LESSONS = {
  quadratic: {
    title: "A cost that learns slowly when it is badly wrong",
    setting: { init: "nielsen_large", loss: "quadratic", learning_rate: 0.3, momentum: 0 },
    watch: `Large first weights make most outputs sure of the wrong thing. The quadratic cost's δ has the factor σ'(z), which
      is almost 0 there: watch δ of the output layer, and the accuracy (Nielsen, chapter 3).`,
    see: `After 9,000 digits it is still right on fewer than half of those that it never saw. Cross-entropy, with all else
      equal, gets there after 1,000 to 1,500, more than six times as fast, and is right on about 80 % after 9,000.`,
    contrast: { title: "The same with cross-entropy", setting: { loss: "binary_cross_entropy" } },
  },
  rate: {
    title: "Too large a learning rate",
    setting: { learning_rate: 20, momentum: 0 },
    watch: `η = 20: each step goes far beyond the place where the slope that it follows still holds. Watch the loss.`,
    see: `The loss rises instead of falling, to more than twice what it was before the first step, and the network goes on
      guessing: it is right on about one digit in ten. With η = 0.3 it is right on more than 85 % after 3,000 digits.`,
    contrast: { title: "The same with η = 0.3", setting: { learning_rate: 0.3 } },
  },
  dead: {
    title: "Dead units",
    setting: { activation: "relu", init: "he", learning_rate: 0.5, momentum: 0 },
    watch: `A step that is too large can push a ReLU's bias so low that z < 0 for every picture. Its derivative is 0
      then, so no gradient brings it back. Watch the count of dead units, and their weights, which stop changing.`,
    see: `After 3,000 digits more than 20 of the 30 units are dead. With η = 0.05 none is, and it is right on more than 80 %.`,
    contrast: { title: "The same with η = 0.05", setting: { learning_rate: 0.05 } },
  },
  large: {
    title: "First weights that are too large",
    setting: { init: "nielsen_large", learning_rate: 0.1, momentum: 0 },
    watch: `Weights of spread 1 from about a hundred bright pixels make |z| so large that σ'(z) is almost 0: the hidden
      units are saturated. Watch their share, and δ of the hidden layer.`,
    see: `After 15,000 digits more than 70 % are saturated still, and it is right on about 76 %. With weights of spread 1/√n,
      n the number of a unit's inputs, fewer than 15 % are saturated, and it is right on about 90 %.`,
    contrast: { title: "The same with small first weights", setting: { init: "nielsen_default" } },
  },
  none: {
    title: "No hidden layer",
    setting: { hidden: [] },
    watch: `Each output sees the pixels directly, and its weights become a picture of its digit: red where ink speaks
      for it, blue where ink speaks against it. Watch the maps, then the mistakes.`,
    see: `At first it learns quickly: 80 % after 500 to 850 digits. After 30,000 it is right on 88 to 89 %, and on 93 % of the
      digits that it trains on: it can do no better by much. With 60 hidden units it is right on about 93 %, and on 99 % of
      those.`,
    contrast: { title: "The same with 60 hidden units", setting: { hidden: [60] } },
  },
  overfitting: {
    title: "Overfitting on 200 digits",
    setting: { digits: 200 },
    watch: `With 200 digits it is easier to learn each by heart than to learn what makes a 4 a 4. Watch both losses part.`,
    see: `After 20,000 digits, each of them a hundred times, it is right on all 200, but only on about 80 % of those that it
      never saw, and their loss has risen by a fifth from its least. With 3,000 digits it is right on more than 90 %.`,
    contrast: { title: "The same with 3,000 digits", setting: { digits: 3000 } },
  },
};

/** Return the setting of a lesson, or of its contrast. */
function lessonSetting({ setting, contrast }, contrasted = false) {
  return { ...STANDARD, ...USUAL, ...setting, ...(contrasted && contrast.setting) };
}
