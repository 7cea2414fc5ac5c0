// Widths of digits, as in bpcli.core.width.

const INK = 4; // a pixel belongs to the digit's box if it is at least this part of the brightest

/** Return a square of bytes with the box of its ink set to a width, and upright if `deslanted`. */
function setWidth(pixels, width, deslanted) {
  const side = Math.sqrt(pixels.length);
  const middle = centre(pixels);
  const slope = deslanted ? slant(pixels) : 0;
  const move = (y) => slope * (y - middle.y);
  const scale = boxWidth(pixels, move) / width;
  const cover = Math.max(scale, 1);
  return Uint8Array.from(pixels, (_, place) => {
    const y = Math.floor(place / side);
    const x = ((place % side) - side / 2) * scale + middle.x + move(y);
    const row = pixels.slice(side * y, side * (y + 1));
    return Math.round((inkUntil(row, x + (1 + cover) / 2) - inkUntil(row, x + (1 - cover) / 2)) / cover);
  });
}

/** Return the width of the box of the ink once its rows are moved to the left. */
function boxWidth(pixels, move) {
  const side = Math.sqrt(pixels.length);
  const brightest = pixels.reduce((most, ink) => Math.max(most, ink), 0);
  let [left, right] = [Infinity, -Infinity];
  pixels.forEach((ink, place) => {
    if (INK * ink < brightest) return;
    const x = (place % side) - move(Math.floor(place / side));
    left = Math.min(left, x);
    right = Math.max(right, x);
  });
  return right - left + 1;
}

/** Return the ink of a row to the left of x. */
function inkUntil(row, x) {
  const at = Math.min(Math.max(x, 0), row.length);
  const whole = Math.min(Math.floor(at), row.length - 1);
  let sum = (at - whole) * row[whole];
  for (let column = 0; column < whole; column++) sum += row[column];
  return sum;
}
