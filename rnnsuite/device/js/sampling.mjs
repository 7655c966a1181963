// How language.py draws tokens: the same numbers of the same seed.

import {argmax} from './numbers.mjs';

const GOLDEN = 0x9e3779b1;

/** A hash of 32 bits (C. Wellons, "lowbias32", 2018). */
function hashed(value) {
  let x = value >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d) >>> 0;
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b) >>> 0;
  return (x ^ (x >>> 16)) >>> 0;
}

/** A seed of a text's tokens and of another one. */
export function textSeed(ids, seed) {
  let sum = 0;
  ids.forEach((number, place) => {
    sum = (sum + hashed((Math.imul(number, GOLDEN) + place) >>> 0)) >>> 0;
  });
  return hashed((sum + Math.imul(seed, GOLDEN)) >>> 0) >>> 1;
}

/** A number in [0, 1) from a text's seed and the place of a token. */
export function uniform(seed, position) {
  return (hashed((hashed(seed) + position) >>> 0) >>> 8) / 2 ** 24;
}

/** A token of softmax(logs / temperature), by a number in [0, 1). */
export function choose(logs, number, {temperature = 1, topK = 0, topP = 1} = {}) {
  if (temperature <= 0) {
    return argmax(logs);
  }
  const scale = Math.fround(Math.max(temperature, 1e-6));
  let warm = Array.from(logs, (value) => Math.fround(Math.fround(value) / scale));
  let order = null;
  if (topK > 0 || topP < 1) {
    order = [...warm.keys()].sort((a, b) => warm[b] - warm[a]);  // stable
    warm = order.map((place) => warm[place]);
    if (topK > 0) {
      warm.fill(-Infinity, topK);
    }
    const least = Math.max(topP, 1e-9);
    let before = 0;
    const shares = softmax(warm);
    warm = warm.map((value, place) => {
      const isLeft = before < least;
      before = Math.fround(before + shares[place]);
      return isLeft ? value : -Infinity;
    });
  }
  const sums = [];
  softmax(warm).reduce((sum, share, place) => (sums[place] = Math.fround(sum + share)), 0);
  const drawn = number * sums.at(-1);
  const found = sums.findIndex((sum) => sum > drawn);
  const place = found < 0 ? sums.length - 1 : found;
  return order === null ? place : order[place];
}

function softmax(logs) {
  const high = Math.max(...logs);
  const shares = logs.map((value) => Math.fround(Math.exp(Math.fround(value - high))));
  const sum = shares.reduce((total, share) => total + share, 0);
  return shares.map((share) => Math.fround(share / sum));
}
