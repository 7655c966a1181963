// The subword tokenizer of unigram.py: the same ids. Strings are read by code points.

import {casefold} from './casefold.mjs';

export const UNKNOWN = 1;
export const START = 2;
export const END = 3;
const SPACE = '\u2581';  // stands for a space in pieces
const CHARACTERS = 20;  // so many a token are read of a text
const PENALTY = 10;  // of a character that no piece has, under the least score
const FOREIGN = ' \u2047 ';  // what an unknown piece reads as

/** The words of a text in NFKC; control characters and all kinds of spaces divide them. */
export function normalize(text) {
  return text.normalize('NFKC').split(/[\u2581\p{Cc}\p{Zs}\p{Zl}\p{Zp}]+/u).filter(Boolean);
}

/** At most so many of an array: the first, the last, or half of them from either end. */
export function shortened(values, most, keep) {
  if (keep === 'ends' && values.length > most) {
    const tail = Math.floor(most / 2);
    return [...values.slice(0, most - tail), ...values.slice(values.length - tail)];
  }
  return keep === 'first' ? values.slice(0, most) : values.slice(Math.max(values.length - most, 0));
}

/** `tokenizer.ids(text)` gives at most `most` ids, `tokenizer.text(ids)` a text. */
export class Tokenizer {
  /**
   * @param {string} vocabulary a line for each piece, its score behind a tab.
   * @param {number} most ids of a text at most.
   * @param {{lower?: boolean, keep?: string}} options whether case is folded; "first", "last" or
   *     "ends", what of a longer text is read.
   */
  constructor(vocabulary, most, {lower = false, keep = 'first'} = {}) {
    const lines = vocabulary.split('\n').slice(0, -1).map((line) => line.split('\t'));
    this.most = most;
    this.lower = lower;
    this.keep = keep;
    this.pieces = lines.map(([piece]) => piece);
    const known = lines.map(([piece, score], number) =>
      [piece, {number, score: Math.fround(score)}]);
    this.numbers = new Map(known.slice(END + 1));
    this.longest = 0;
    let least = Infinity;
    for (const [piece, {score}] of this.numbers) {
      this.longest = Math.max(this.longest, [...piece].length);
      least = Math.min(least, score);
    }
    this.unknown = Math.fround(least - PENALTY);
  }

  ids(text) {
    let normal = normalize(text).join(' ');
    if (this.lower) {
      normal = casefold(normal);
    }
    const read = shortened([...normal], CHARACTERS * this.most, this.keep).join('');
    const marked = read.split(' ').filter(Boolean).map((word) => SPACE + word).join('');
    const ids = this.#best([...marked]).filter((number, place, all) =>
      number !== UNKNOWN || all[place - 1] !== UNKNOWN);
    return shortened(ids, this.most, this.keep);
  }

  /** The pieces whose scores have the greatest sum; each place knows the best way to it. */
  #best(characters) {
    const best = [{score: 0}];
    const offer = (end, score, start, number) => {
      if (best[end] === undefined || score > best[end].score) {
        best[end] = {score, start, number};
      }
    };
    for (let start = 0; start < characters.length; start++) {
      const {score} = best[start];
      const last = Math.min(start + this.longest, characters.length);
      let isSingle = false;
      let text = '';
      for (let end = start + 1; end <= last; end++) {
        text += characters[end - 1];
        const piece = this.numbers.get(text);
        if (piece) {
          isSingle ||= end === start + 1;
          offer(end, Math.fround(score + piece.score), start, piece.number);
        }
      }
      if (!isSingle) {
        offer(start + 1, Math.fround(score + this.unknown), start, UNKNOWN);
      }
    }
    const ids = [];
    for (let place = characters.length; place; place = best[place].start) {
      ids.push(best[place].number);
    }
    return ids.reverse();
  }

  /** The text that an id adds behind others. */
  added(number) {
    return this.pieces[number].replaceAll(SPACE, ' ');
  }

  /** The text of ids; padding, start and end are no part of it. */
  text(ids) {
    let text = '';
    for (const number of ids) {
      if (number === UNKNOWN || number > END) {
        const piece = number === UNKNOWN ? FOREIGN : this.pieces[number];
        text += text || !piece.startsWith(SPACE) ? piece : piece.slice(1);
      }
    }
    return text.replaceAll(SPACE, ' ');
  }
}
