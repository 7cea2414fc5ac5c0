// Deslanting of digits by their moments, as in bpcli.core.deslant.

const STEEPEST = 1;

/** Return a square of bytes with each row shifted sideways, so that x and y of the ink are uncorrelated. */
function deslant(pixels) {
  const side = Math.sqrt(pixels.length);
  const slope = slant(pixels);
  const middle = centre(pixels).y;
  return Uint8Array.from(pixels, (_, place) => {
    const y = Math.floor(place / side);
    const x = (place % side) + slope * (y - middle);
    const left = Math.floor(x);
    const at = (column) => (column >= 0 && column < side ? pixels[side * y + column] : 0);
    return Math.round(at(left) + (x - left) * (at(left + 1) - at(left)));
  });
}

/** Return μ₁₁/μ₀₂, pixels to the right for each pixel down. */
function slant(pixels) {
  const { x, y } = centre(pixels);
  const side = Math.sqrt(pixels.length);
  let lean = 0;
  let height = 0;
  pixels.forEach((ink, place) => {
    const down = Math.floor(place / side) - y;
    lean += ink * down * ((place % side) - x);
    height += ink * down * down;
  });
  return height > 0 ? Math.min(Math.max(lean / height, -STEEPEST), STEEPEST) : 0;
}

/** Return the centre of mass. */
function centre(pixels) {
  const side = Math.sqrt(pixels.length);
  let [x, y, mass] = [0, 0, 0];
  pixels.forEach((ink, place) => {
    x += ink * (place % side);
    y += ink * Math.floor(place / side);
    mass += ink;
  });
  return { x: x / Math.max(mass, 1), y: y / Math.max(mass, 1) };
}
