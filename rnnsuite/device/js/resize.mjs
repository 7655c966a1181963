// Pixels to the size that a model takes, as resize.py does it: bilinear with antialiasing.

import {roundHalfEven} from './numbers.mjs';

/**
 * @param {ArrayLike<number>} pixels red, green, blue (and what else a pixel has) row by row.
 * @param {number} height of the picture.
 * @param {number} width of the picture.
 * @param {number} size pixels of a side.
 * @param {number} depth numbers of a pixel, of which three count; 4 on a canvas.
 * @returns {Float32Array} size x size x 3 whole numbers of 0 to 255.
 */
export function resize(pixels, height, width, size, depth = 3) {
  const rows = new Float32Array(size * width * 3);
  triangles(height, size).forEach(({first, weights}, row) => {
    for (let column = 0; column < width; column++) {
      for (let color = 0; color < 3; color++) {
        rows[(row * width + column) * 3 + color] = weights.reduce((sum, weight, place) =>
          sum + weight * pixels[((first + place) * width + column) * depth + color], 0);
      }
    }
  });
  const square = new Float32Array(size * size * 3);
  triangles(width, size).forEach(({first, weights}, column) => {
    for (let row = 0; row < size; row++) {
      for (let color = 0; color < 3; color++) {
        const value = weights.reduce((sum, weight, place) =>
          sum + weight * rows[(row * width + first + place) * 3 + color], 0);
        square[(row * size + column) * 3 + color] =
          roundHalfEven(Math.min(Math.max(Math.fround(value), 0), 255));
      }
    }
  });
  return square;
}

/** For each new place the first old one that counts, and the weights from there on. */
function triangles(length, size) {
  const scale = length / size;
  const reach = Math.max(scale, 1);
  return Array.from({length: size}, (_, place) => {
    const middle = (place + 0.5) * scale;
    const first = Math.max(0, Math.floor(middle - reach));
    const last = Math.min(length, Math.ceil(middle + reach));
    const weights = Array.from({length: last - first}, (_, step) =>
      Math.max(0, 1 - Math.abs(first + step + 0.5 - middle) / reach));
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return {first, weights: weights.map((weight) => Math.fround(weight / sum))};
  });
}
