// The tokenizer of words and characters of words.py: the same ids.

const UNKNOWN = 1;
const END = 3;
const CHARACTERS = 20;  // so many a token are read of a text

/** `tokenizer.ids(text)` gives at most `most` ids, `tokenizer.text(ids)` a text. */
export class Tokenizer {
  /**
   * @param {string[]} pieces in the order of the ids.
   * @param {string} unit "words" or "characters".
   * @param {number} most ids of a text at most.
   * @param {{lower?: boolean, keep?: string}} options whether letters become small; "first" or
   *     "last", what of a longer text is read.
   */
  constructor(pieces, unit, most, {lower = false, keep = 'first'} = {}) {
    this.pieces = pieces;
    this.unit = unit;
    this.most = most;
    this.lower = lower;
    this.keep = keep;
    this.numbers = new Map(pieces.map((piece, number) => [piece, number]));
    if (unit === 'words') {
      this.numbers.set('\n', END);
    }
  }

  ids(text) {
    let read = this.#part([...text], CHARACTERS * this.most).join('');
    read = this.lower ? read.toLowerCase() : read;
    const tokens = this.unit === 'characters' ? [...read] : this.#words(read);
    return this.#part(tokens.map((token) => this.numbers.get(token) ?? UNKNOWN), this.most);
  }

  #part(values, most) {
    return this.keep === 'first' ? values.slice(0, most) :
      values.slice(Math.max(values.length - most, 0));
  }

  #words(text) {
    const spaced = text.replaceAll('\n', ' \n ').replace(/[\t\r\f\v]|\p{Z}/gu, ' ');
    return spaced.split(' ').filter(Boolean).flatMap((word) =>
      this.numbers.has(word) ? [word] :
        word.replace(/\p{P}|\p{S}/gu, ' $& ').split(/ +/).filter(Boolean));
  }

  /** The text of ids; padding and start are no part of it, an end is a line end. */
  text(ids) {
    const shown = ids.filter((number) => number === UNKNOWN || number >= END);
    const tokens = shown.map((number) => number === END ? '\n' : this.pieces[number]);
    return this.unit === 'characters' ? tokens.join('') :
      tokens.join(' ').replace(/ ?\n ?/g, '\n');
  }

  /** The text that an id adds behind others. */
  added(number) {
    return (this.unit === 'words' ? ' ' : '') + this.pieces[number];
  }
}
