// From the classes of every step to text, as transcribe.py does it. Class 0 is the blank.

import {argmax, logAddExp, rounded, roundHalfEven} from './numbers.mjs';

const SPACE = '\u2581';  // before the first piece of a word, among subwords
const BETWEEN = ',';  // symbols in the key of a prefix

/** Symbols to text. */
export class Alphabet {
  /** @param {{pieces: string[], is_subwords: boolean}} settings as alphabet.json has them. */
  constructor({pieces, is_subwords: isSubwords}) {
    this.pieces = pieces;
    this.isSubwords = isSubwords;
  }

  /** The text of symbols, spaces single. */
  text(ids) {
    const text = ids.map((number) => this.pieces[number]).join('');
    const spaced = this.isSubwords ? text.replaceAll(SPACE, ' ') : text;
    return spaced.split(' ').filter(Boolean).join(' ');
  }

  /** Words as [text, step of the first symbol, step of the last]. steps: of every symbol. */
  words(ids, steps) {
    const spelled = [];
    let isOpen = false;
    let begun = null;  // the step of a word's mark that stands by itself, among subwords
    ids.forEach((number, place) => {
      const step = steps[place];
      const piece = this.pieces[number];
      const begins = this.isSubwords ? piece.startsWith(SPACE) : piece === ' ';
      const letters = this.isSubwords ? piece.replaceAll(SPACE, '') : piece.replace(/^ +| +$/g, '');
      isOpen = isOpen && !begins;
      if (letters && !isOpen) {
        spelled.push([letters, begun === null || begins ? step : begun, step]);
        isOpen = true;
      } else if (letters) {
        const [text, first] = spelled.at(-1);
        spelled[spelled.length - 1] = [text + letters, first, step];
      }
      begun = begins && this.isSubwords && !letters ? step : null;
    });
    return spelled;
  }
}

/** The symbols of the likeliest alignment, and the first step of each. logs: rows of classes. */
export function greedy(logs) {
  const ids = [];
  const steps = [];
  let before = 0;
  logs.forEach((row, step) => {
    const best = argmax(row);
    if (best && best !== before) {
      ids.push(best);
      steps.push(step);
    }
    before = best;
  });
  return {ids, steps};
}

/** Prefix beam search, step by step (Hannun et al., arXiv 1408.2873, algorithm 1). */
export class PrefixSearch {
  /** beam: live prefixes. likeliest: classes of a step that may go on a prefix. */
  constructor(beam = 8, likeliest = 16) {
    this.beam = beam;
    this.likeliest = likeliest;
    this.begin();
  }

  /** Forgets everything. */
  begin() {
    this.step = 0;
    this.written = [];
    this.live = [{ids: [], steps: [], blank: 0, symbol: -Infinity}];
  }

  /** Reads the next step, logarithms of every class. */
  feed(logs) {
    const after = new Map();
    const add = (ids, blank, symbol, steps) => {
      const key = ids.join(BETWEEN);
      const old = after.get(key);
      if (!old) {
        after.set(key, {ids, steps, blank, symbol});
        return;
      }
      if (logAddExp(blank, symbol) > logAddExp(old.blank, old.symbol)) {
        old.steps = steps;  // those of the likelier way
      }
      old.blank = logAddExp(old.blank, blank);
      old.symbol = logAddExp(old.symbol, symbol);
    };
    const classes = [...logs.keys()].sort((a, b) => logs[b] - logs[a]).slice(0, this.likeliest);
    for (const {ids, steps, blank, symbol} of this.live) {
      const repeated = ids.length ? symbol + logs[ids.at(-1)] : -Infinity;
      add(ids, logAddExp(blank, symbol) + logs[0], repeated, steps);
    }
    for (const {ids, steps, blank, symbol} of this.live) {
      for (const number of classes) {
        if (number && Number.isFinite(logs[number])) {
          const before = ids.at(-1) === number ? blank : logAddExp(blank, symbol);
          add([...ids, number], -Infinity, before + logs[number], [...steps, this.step]);
        }
      }
    }
    const score = ({blank, symbol}) => logAddExp(blank, symbol);
    this.live = [...after.values()].sort((a, b) => score(b) - score(a)).slice(0, this.beam);
    this.step++;
  }

  /** The most probable text so far: its symbols, and the step of each. */
  get best() {
    const [{ids, steps}] = this.live;
    return {
      ids: [...this.written.map(([number]) => number), ...ids],
      steps: [...this.written.map(([, step]) => step), ...steps],
    };
  }

  /** What all live prefixes begin with stands from now on, but for the last symbol. */
  settle(patience = null) {
    let live = this.live;
    if (patience !== null) {
      const [best] = live;
      const old = best.steps.filter((step) => step < this.step - patience).length;
      live = live.filter(({ids}) => best.ids.slice(0, old).every((id, place) => ids[place] === id));
    }
    const [{ids, steps}] = live;
    const shortest = Math.min(...live.map((prefix) => prefix.ids.length));
    let same = 0;
    while (same < shortest - 1 && live.every((prefix) => prefix.ids[same] === ids[same])) {
      same++;
    }
    this.written.push(...ids.slice(0, same).map((number, place) => [number, steps[place]]));
    this.live = live.map((prefix) => (
      {...prefix, ids: prefix.ids.slice(same), steps: prefix.steps.slice(same)}));
  }
}

/** Writes down a stream: words that stand, and behind them text that may still change. */
export class Transcriber {
  /**
   * @param {Alphabet} alphabet the symbols.
   * @param {number} seconds of a step.
   * @param {object} options ahead, beam, pause and patience: see transcribe.py.
   */
  constructor(alphabet, seconds, {ahead = 0, beam = 8, pause = 0.6, patience = 3.0} = {}) {
    this.alphabet = alphabet;
    this.seconds = seconds;
    this.waiting = ahead;
    this.search = new PrefixSearch(beam);
    this.pause = pause;
    this.patience = roundHalfEven(patience / seconds);
    this.finished = 0;
    this.offset = 0;
    this.shown = '';
  }

  /** Reads rows of logarithms: words that stand now, and the text that may change. */
  feed(logs) {
    const own = logs.slice(this.waiting);
    this.waiting -= logs.length - own.length;
    own.forEach((row) => this.search.feed(row));
    if (!own.length) {
      return [];
    }
    this.search.settle(this.patience);
    const {ids, steps} = this.search.best;
    const quiet = this.search.step - (steps.at(-1) ?? 0);
    if (ids.length && quiet * this.seconds > this.pause) {
      return this.end();
    }
    return [...this.#standing(), ...this.#changing(ids, steps)];
  }

  #standing() {
    const ids = this.search.written.map(([number]) => number);
    const steps = this.search.written.map(([, step]) => step);
    const fresh = this.alphabet.words(ids, steps).slice(this.finished, -1);
    this.finished += fresh.length;
    return fresh.map((word) => this.#final(word));
  }

  #changing(ids, steps) {
    const words = this.alphabet.words(ids, steps).slice(this.finished);
    const text = words.map(([word]) => word).join(' ');
    if (text === this.shown) {
      return [];
    }
    this.shown = text;
    return [{text, is_final: false}];
  }

  /** What is left at the end. */
  end() {
    const {ids, steps} = this.search.best;
    const words = this.alphabet.words(ids, steps).slice(this.finished);
    const finals = words.map((word) => this.#final(word));
    this.offset += this.search.step;
    this.search.begin();
    this.finished = 0;
    this.shown = '';
    return finals;
  }

  #final([text, first, last]) {
    const start = rounded((this.offset + first) * this.seconds, 3);
    const end = rounded((this.offset + last + 1) * this.seconds, 3);
    return {text, start, end, is_final: true};
  }
}
