// __NAME__ in a browser: a text to the one that is written to it.

import {button, drawn, labelled, make} from '../web/elements.mjs';
import {Tokenizer} from '../device/unigram.mjs';
import {Writer} from '../device/writer.mjs';

export async function start(root, model, lite) {
  const settings = await model.json('decode.json');
  const tokenizer = new Tokenizer(await model.text(settings.target), settings.max_tokens);
  const writer = new Writer(lite, settings);

  /** wrote: is called with the text so far. */
  async function ask(text, wrote = () => {}) {
    const ids = tokenizer.ids(text);
    const given = ids.length ? ids : [0];  // no text is one padding id, to which nothing is written
    const inputs = {ids: {shape: [1, given.length], data: Int32Array.from(given)}};
    const written = [];
    for await (const {id} of writer.tokens(inputs)) {
      if (id !== settings.end) {
        written.push(id);
        wrote(tokenizer.text(written));
        await drawn();
      }
    }
    return {text: tokenizer.text(written)};
  }

  const area = make('textarea', {rows: 3});
  area.value = '3 March 2024';
  const answer = make('p', {class: 'answer large', 'aria-live': 'polite'});
  const show = async () => {
    answer.textContent = (await ask(area.value, (part) => (answer.textContent = part))).text;
  };
  root.append(labelled('A text', area), button('Write', show), answer);
  return ask;
}
