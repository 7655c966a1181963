// The WordPiece tokenizer of wordpiece.py: the same ids. Strings are read by code points.

import {casefold} from './casefold.mjs';

const UNKNOWN = '[UNK]';
const CONTINUATION = '##';
const MAX_WORD_BYTES = 100;
const SPACES = /<[bB][rR][ \t]*\/?>|\0/g;
const IDEOGRAPH = /[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]/u;
// Unicode's Default_Ignorable_Code_Point, which case folding by NFKC_Casefold removes.
const IGNORABLE = new RegExp(
  '[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e' +
  '\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8' +
  '\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}]', 'gu');

/** NFKC, HTML line breaks and NUL to spaces and, where `lower`, Unicode case folding. */
export function normalize(text, lower = true) {
  const plain = text.replace(SPACES, ' ').normalize('NFKC');
  if (!lower) {
    return plain;
  }
  const folded = casefold(plain.normalize('NFD')).normalize('NFKC');
  return casefold(folded).replace(IGNORABLE, '').normalize('NFKC');
}

/** Words, with every punctuation mark, symbol and CJK ideograph as a word of its own. */
export function splitWords(text) {
  const words = [''];
  for (const character of text) {
    if (/\p{Z}|\p{Cc}|\p{Cf}|\p{Cs}|\p{Co}/u.test(character)) {
      words.push('');
    } else if (/\p{P}|\p{S}/u.test(character) || IDEOGRAPH.test(character)) {
      words.push(character, '');
    } else {
      words[words.length - 1] += character;
    }
  }
  return words.filter(Boolean);
}

/** `tokenizer.ids(text)` gives at most `maxTokens` ids: of a longer text both ends. */
export class Tokenizer {
  /**
   * @param {string} vocabulary one piece a line, in the order of their ids.
   * @param {{lower?: boolean, max_tokens?: number}} settings as tokenizer.json has them.
   */
  constructor(vocabulary, {lower = true, max_tokens: maxTokens = 512} = {}) {
    this.lower = lower;
    this.maxTokens = maxTokens;
    this.vocabulary = vocabulary.split('\n').slice(0, -1);
    this.numbers = new Map(this.vocabulary.map((piece, number) => [piece, number]));
  }

  ids(text) {
    const words = splitWords(normalize(text, this.lower));
    const ids = words.flatMap((word) => this.wordIds(word));
    if (ids.length <= this.maxTokens) {
      return ids;
    }
    const tail = Math.floor(this.maxTokens / 2);
    return [...ids.slice(0, this.maxTokens - tail), ...ids.slice(ids.length - tail)];
  }

  /** The longest pieces that cover a word from the left; one unknown id where none do. */
  wordIds(word) {
    const unknown = [this.numbers.get(UNKNOWN)];
    if (new TextEncoder().encode(word).length > MAX_WORD_BYTES) {
      return unknown;
    }
    const characters = [...word];
    const ids = [];
    let start = 0;
    while (start < characters.length) {
      const prefix = start ? CONTINUATION : '';
      let end = characters.length;
      while (end > start && !this.numbers.has(prefix + characters.slice(start, end).join(''))) {
        end--;
      }
      if (end === start) {
        return unknown;
      }
      ids.push(this.numbers.get(prefix + characters.slice(start, end).join('')));
      start = end;
    }
    return ids;
  }
}
