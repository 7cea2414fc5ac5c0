// Which epoch is meant, and what is said of it: no element of the page is touched here.

const SHADES = 8;
const FULL = { hit: 8, miss: 400 }; // shades for the whole of a label: a miss is dark from a fiftieth of it on

/** Return the index of the number nearest to x; the first of two that are as near. */
function nearest(numbers, x) {
  return numbers.reduce((best, each, index) => (Math.abs(each - x) < Math.abs(numbers[best] - x) ? index : best), 0);
}

/** Return the index of the last of some rising epochs that is not after an epoch; the first if all are. */
function upTo(epochs, epoch) {
  return Math.max(epochs.filter((each) => each <= epoch).length - 1, 0);
}

/** Return where a key leads from an index of so many, as in a slider; null for any other key. */
function moved(index, key, count) {
  const page = Math.max(Math.floor(count / 10), 1);
  const last = count - 1;
  const places = {
    ArrowLeft: index - 1, ArrowDown: index - 1, ArrowRight: index + 1, ArrowUp: index + 1,
    PageDown: index - page, PageUp: index + page, Home: 0, End: last,
  };
  return key in places ? Math.min(Math.max(places[key], 0), last) : null;
}

/** Return the values of a curve's lines at an index, in words. */
function told(lines, index) {
  return lines.map((line) => `${line.name} ${line.text[index]}`).join(", ");
}

/** Return the shade, 0 to 8, of a count among so many images of a label; `kind` is hit or miss. */
function shade(count, images, kind) {
  return Math.min(Math.ceil((count / Math.max(images, 1)) * FULL[kind]), SHADES);
}

/** Return how many images a confusion matrix counts, and how many of them outside its diagonal. */
function errors(confusion) {
  const images = confusion.flat().reduce((sum, each) => sum + each, 0);
  const right = confusion.reduce((sum, row, label) => sum + row[label], 0);
  return { images, wrong: images - right };
}
