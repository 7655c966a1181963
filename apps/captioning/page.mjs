// Captions in a browser: a picture to a sentence, with what was looked at for every word.

import {tokensOf, written} from '../web/caption.mjs';
import {make} from '../web/elements.mjs';
import {Picture, pixels} from '../web/picture.mjs';
import {Tokenizer} from '../device/unigram.mjs';
import {Writer} from '../device/writer.mjs';

export async function start(root, model, lite) {
  const settings = await model.json('decode.json');
  const tokenizer = new Tokenizer(await model.text(settings.target), settings.max_tokens);
  const writer = new Writer(lite, settings);

  /** picture: {data, height, width}; wrote: is called with the text so far. */
  const ask = (picture, wrote) =>
    written(writer, tokenizer, {image: pixels(picture, settings.size)}, wrote);

  const text = make('p', {class: 'answer large', 'aria-live': 'polite'});
  const tokens = make('div');
  const hint = make('p', {class: 'hint', hidden: true},
    'Point at a word, or go to it with Tab: the picture shows what was looked at for it.');
  const chosen = new Picture(async (picture) => {
    tokens.replaceChildren();
    const answer = await ask(picture, (part) => (text.textContent = part));
    hint.hidden = false;
    tokens.replaceChildren(tokensOf(answer, (weights) => chosen.highlight(weights)));
  });
  root.append(chosen.box, text, hint, tokens);
  return ask;
}
