// A sentence as it is written, each of whose tokens shows what was looked at.

import {drawn, make} from './elements.mjs';

const SPACE = '\u2581';

/**
 * What a writer writes.
 *
 * @param {Writer} writer see device/writer.mjs.
 * @param {Tokenizer} tokenizer of what is written.
 * @param {object} inputs of the signature encode.
 * @param {Function} wrote is called with the text so far.
 * @returns {{text: string, pieces: string[], weights: number[][]}}
 */
export async function written(writer, tokenizer, inputs, wrote = () => {}) {
  const ids = [];
  const looked = [];
  for await (const {id, weights} of writer.tokens(inputs)) {
    if (id !== writer.settings.end) {
      ids.push(id);
      looked.push([...weights]);
      wrote(tokenizer.text(ids));
      await drawn();
    }
  }
  return {
    text: tokenizer.text(ids), pieces: ids.map((id) => tokenizer.pieces[id]), weights: looked,
  };
}

/** Tokens as buttons; `look` is called with the weights of the one pointed at, or none. */
export function tokensOf({pieces, weights}, look) {
  const marks = pieces.map((piece, place) => make('button', {
    type: 'button', class: 'token', 'aria-pressed': 'false',
    onmouseenter: () => look(weights[place]),
    onmouseleave: () => look([]),
    onfocus: () => look(weights[place]),
    onblur: () => look([]),
  }, piece.replaceAll(SPACE, '') || SPACE));
  return make('p', {class: 'tokens'}, ...marks.flatMap((mark) => [mark, ' ']));
}
