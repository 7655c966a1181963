// From probabilities at every step to events in time, as events.py does it.

import {argmax, rounded, roundHalfEven} from './numbers.mjs';

/** `feed(rows)` gives the events that have ended, `end()` the last one. */
export class Detector {
  /**
   * @param {string[]} labels the classes in the order of the probabilities.
   * @param {string[]} background those that are no events.
   * @param {number} step seconds from one row to the next.
   * @param {object} options smoothing, threshold, pause, shortest, longest, refractory, lead and
   *     tail: see events.py.
   */
  constructor(labels, background, step, options = {}) {
    const {smoothing = 0.2, threshold = 0.4, pause = 0.1, shortest = 0.08, longest = 2.0,
      refractory = 0.3, lead = 0.0, tail = 0.0} = options;
    const steps = (seconds) => Math.max(roundHalfEven(seconds / step), 1);
    Object.assign(this, {labels, step, threshold, refractory, lead, tail});
    this.words = labels.map((label, place) => place).filter(
      (place) => !background.includes(labels[place]));
    this.smoothing = steps(smoothing);
    this.pause = steps(pause);
    this.shortest = steps(shortest);
    this.longest = steps(longest);
    this.time = 0;
    this.begun = 0;
    this.latest = 0;
    this.rows = [];
    this.last = null;
  }

  /** The events that end within these rows of probabilities, which follow the last ones. */
  feed(rows) {
    return rows.flatMap((row) => {
      const events = this.#row(row);
      this.time++;
      return events;
    });
  }

  /** The event that the end of the sound ends. */
  end() {
    return this.#close();
  }

  #row(row) {
    const isHappening = this.words.reduce((sum, place) => sum + row[place], 0) >= 0.5;
    if (!this.rows.length) {
      if (!isHappening) {
        return [];
      }
      this.begun = this.time;
    }
    this.rows.push(row);
    if (isHappening) {
      this.latest = this.time;
    }
    const isEnded = this.time - this.latest >= this.pause || this.rows.length >= this.longest;
    return isEnded ? this.#close() : [];
  }

  #close() {
    const rows = this.rows.slice(0, this.latest + 1 - this.begun);
    this.rows = [];
    if (rows.length < this.shortest) {
      return [];
    }
    const smoothed = rows.slice(-this.smoothing);
    const shares = this.words.map(
      (place) => smoothed.reduce((sum, row) => sum + row[place], 0) / smoothed.length);
    const best = argmax(shares);
    if (shares[best] < this.threshold) {
      return [];
    }
    const start = Math.max(this.begun * this.step - this.lead, 0);
    const end = Math.max((this.latest + 1) * this.step - this.tail, start + this.step);
    const event = {label: this.labels[this.words[best]], start: rounded(start, 3),
      end: rounded(end, 3), confidence: rounded(shares[best], 4)};
    const before = this.last;
    this.last = event;
    const isRepeated = before && before.label === event.label &&
      event.start - before.end < this.refractory;
    return isRepeated ? [] : [event];
  }
}
