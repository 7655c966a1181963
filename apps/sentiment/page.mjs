// Sentiment in a browser: a text to its classes, with the tokens that decided.

import {labelled, latest, make, percent} from '../web/elements.mjs';
import {showShares} from '../web/shares.mjs';
import {Tokenizer as Subwords} from '../device/unigram.mjs';
import {Tokenizer as Words} from '../device/wordpiece.mjs';

const EXAMPLE = 'The plot was dull, but the acting was superb.';
const SPACE = '\u2581';

/** The tokenizer of words and their pieces, or of a language model's subwords. */
async function tokenizerOf(model) {
  const settings = await model.json('tokenizer.json');
  if ('keep' in settings) {
    return new Subwords(await model.text('vocabulary.tsv'), settings.max_tokens, settings);
  }
  return new Words(await model.text('vocabulary.txt'), settings);
}

export async function start(root, model, lite) {
  const labels = await model.lines('labels.txt');
  const tokenizer = await tokenizerOf(model);
  const pieces = tokenizer.pieces ?? tokenizer.vocabulary;

  async function ask(text) {
    const found = tokenizer.ids(text);
    const ids = found.length ? found : [0];  // no text is one padding id
    const input = {shape: [1, ids.length], data: Int32Array.from(ids)};
    const {probabilities, weights} = await lite.run('classify_ids', {ids: input});
    return {
      probabilities: [...probabilities.data],
      tokens: found.map((id) => pieces[id]),
      weights: [...weights.data].slice(0, found.length),
    };
  }

  const area = make('textarea', {rows: 5});
  area.value = EXAMPLE;
  const shares = make('div', {class: 'answer', 'aria-live': 'polite'});
  const tokens = make('p', {class: 'tokens'});
  const hint = 'The answer follows as you write.';
  root.append(labelled('A text, such as a review', area, hint), shares,
    make('h2', {}, 'The tokens that decided'),
    make('p', {class: 'hint'}, 'The deeper its colour, the more of the attention a token has.'),
    tokens);

  const show = async () => {
    const answer = await ask(area.value);
    showShares(shares, labels, answer.probabilities);
    const most = Math.max(...answer.weights, 1e-9);
    tokens.replaceChildren(...answer.tokens.flatMap((piece, place) => {
      const weight = answer.weights[place];
      const depth = Math.round(60 * weight / most);
      const style = `background: color-mix(in srgb, var(--accent) ${depth}%, transparent)`;
      const mark = make('span', {class: 'token', title: percent(weight), style},
        piece.replaceAll(SPACE, '').replace(/^##/, ''));
      return [piece.startsWith(SPACE) && place ? ' ' : '', mark];
    }));
  };
  area.addEventListener('input', latest(show));
  await show();
  return ask;
}
