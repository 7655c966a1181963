// The last values of a series, scaled, with the calendar, as window.py has them.

const DAY = 86400;
const SMALLEST = 1e-6;

/** One series to what a forecasting file's signature reads. */
export class Window {
  /** @param {object} settings as window.json has them. */
  constructor(settings) {
    this.settings = settings;
    this.lookback = settings.lookback;
    this.horizon = settings.horizon;
  }

  /**
   * @param {number[]} values NaN where an observation is missing.
   * @param {number[]} times seconds since 1970.
   * @param {number[][]} covariates a row for each time and each of the horizon.
   * @returns {object} inputs {shape, data} by name, for a batch of one.
   */
  inputs(values, times, covariates = []) {
    const {mean, observed, center, scale} = this.#scaled(values);
    const column = (array) => ({shape: [1, array.length], data: Float32Array.from(array)});
    const inputs = {values: column(mean), observed: column(observed), center: column([center]),
      scale: column([scale])};
    const features = this.#features(times, covariates, Math.max(this.lookback - values.length, 0));
    if (features[0].length) {
      inputs.features = {shape: [1, features.length, features[0].length],
        data: Float32Array.from(features.flat())};
    }
    return inputs;
  }

  #scaled(given) {
    const {power = 1} = this.settings;
    let values = given.map(Math.fround);
    if (power < 1) {
      values = values.map((value) => Math.log1p(value < 0 ? 0 : value));
      values = power ? values.map((value) => Math.expm1(power * value) / power) : values;
    }
    const more = Math.max(this.lookback - values.length, 0);
    values = [...new Array(more).fill(NaN), ...values].slice(-this.lookback);
    const known = values.filter(Number.isFinite);
    const center = this.#center(known);
    const scale = this.#scale(known, center);
    return {
      mean: values.map((value) => Number.isFinite(value) ? (value - center) / scale : 0),
      observed: values.map((value) => Number(Number.isFinite(value))), center, scale,
    };
  }

  /** The times of the horizon. */
  times(times) {
    return this.#moved(times, times.length - 1, range(1, this.horizon + 1));
  }

  #features(times, covariates, more) {
    const before = this.#moved(times, 0, range(-more, 0));
    const whole = [...[...before, ...times].slice(-this.lookback), ...this.times(times)];
    const width = this.settings.covariates.length;
    const rows = [...range(0, more).map(() => new Array(width).fill(0)), ...covariates];
    const beside = rows.slice(-whole.length);
    return whole.map((time, place) => [
      ...this.settings.waves.flatMap(([period, harmonic]) => {
        const angle = 2 * Math.PI * harmonic * ((time % period + period) % period) / period;
        return [Math.sin(angle), Math.cos(angle)];
      }),
      ...(width ? beside[place].map((value) => Number.isFinite(value) ? value : 0) : []),
    ]);
  }

  /** Times so many steps from one of them. */
  #moved(times, place, steps) {
    const start = times[place];
    if (this.settings.unit !== 'month') {
      const step = times.length > 1 ? times.at(-1) - times.at(-2) : this.settings.step;
      return steps.map((count) => start + step * count);
    }
    const date = new Date(start * 1000);
    const month = date.getUTCFullYear() * 12 + date.getUTCMonth();
    const rest = start - begin(month);
    const wasLast = Math.floor(rest / DAY) + 1 === days(month);
    return steps.map((count) => {
      const moved = month + this.settings.step * count;
      const last = (days(moved) - 1) * DAY + rest % DAY;
      return begin(moved) + (wasLast ? last : Math.min(rest, last));
    });
  }

  #center(known) {
    const kind = this.settings.center;
    if (kind === 'none' || !known.length) {
      return 0;
    }
    return {last: () => known.at(-1), mean: () => mean(known), median: () => quantile(known, 0.5)}[
      kind]();
  }

  #scale(known, center) {
    const kind = this.settings.scale;
    if (kind === 'none' || !known.length) {
      return 1;
    }
    const spread = {
      range: () => quantile(known, 0.75) - quantile(known, 0.25),
      absolute: () => mean(known.map((value) => Math.abs(value - center))),
    }[kind] ?? (() => Math.sqrt(mean(known.map((value) => (value - mean(known)) ** 2))));
    const size = spread();
    return size > SMALLEST * Math.abs(center) ? size : 1;
  }
}

function range(first, end) {
  return Array.from({length: end - first}, (_, place) => first + place);
}

function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  const place = (sorted.length - 1) * share;
  const low = Math.floor(place);
  const high = sorted[Math.min(low + 1, sorted.length - 1)];
  return sorted[low] + (place - low) * (high - sorted[low]);
}

/** The first second of a month, counted from the year 0. */
function begin(month) {
  const date = new Date(0);
  date.setUTCFullYear(Math.floor(month / 12), (month % 12 + 12) % 12, 1);
  return date.getTime() / 1000;
}

function days(month) {
  return (begin(month + 1) - begin(month)) / DAY;
}
