// What numpy has and JavaScript has not.

/** log(exp(a) + exp(b)). */
export function logAddExp(a, b) {
  const high = Math.max(a, b);
  return high === -Infinity ? high : high + Math.log1p(Math.exp(Math.min(a, b) - high));
}

/** The place of the first greatest value. */
export function argmax(values) {
  let best = 0;
  for (let place = 1; place < values.length; place++) {
    if (values[place] > values[best]) {
      best = place;
    }
  }
  return best;
}

/** A number with so many digits behind the point. */
export function rounded(value, digits) {
  return Number(value.toFixed(digits));
}

/** The whole number next to a value; of two, the even one. */
export function roundHalfEven(value) {
  const low = Math.floor(value);
  const rest = value - low;
  return rest === 0.5 ? low + Math.abs(low % 2) : Math.round(value);
}
