// Translation in a browser: a sentence to its translation, with the alignment of both.

import {button, drawn, labelled, make, percent} from '../web/elements.mjs';
import {Tokenizer} from '../device/unigram.mjs';
import {Writer} from '../device/writer.mjs';

const EXAMPLE = 'Two dogs are playing in the snow.';

export async function start(root, model, lite) {
  const settings = await model.json('decode.json');
  const vocabularies = await Promise.all([settings.source, settings.target].map(
    (name) => model.text(name)));
  const [source, target] = vocabularies.map((each) => new Tokenizer(each, settings.max_tokens));
  const writer = new Writer(lite, settings);

  /** wrote: is called with the text so far. */
  async function ask(text, wrote = () => {}) {
    const ids = source.ids(text);
    const given = ids.length ? ids : [0];  // no text is one padding id, to which nothing is written
    const written = [];
    const alignment = [];
    const inputs = {ids: {shape: [1, given.length], data: Int32Array.from(given)}};
    for await (const {id, weights} of writer.tokens(inputs)) {
      if (id !== settings.end) {
        written.push(id);
        alignment.push([...weights].slice(0, given.length));
        wrote(target.text(written));
        await drawn();
      }
    }
    return {
      text: target.text(written),
      source: ids.map((id) => source.pieces[id]),
      target: written.map((id) => target.pieces[id]),
      alignment,
    };
  }

  const area = make('textarea', {rows: 3});
  area.value = EXAMPLE;
  const text = make('p', {class: 'answer large', 'aria-live': 'polite'});
  const table = make('div', {class: 'scroll'});
  const show = async () => {
    table.replaceChildren();
    const answer = await ask(area.value, (part) => (text.textContent = part));
    text.textContent = answer.text;
    table.replaceChildren(answer.target.length ? alignmentTable(answer) : '');
  };
  area.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      translate.click();
    }
  });
  const translate = button('Translate', show);
  root.append(labelled('A sentence', area, 'Ctrl and Enter translate it, too.'), translate, text,
    make('h2', {}, 'What was looked at for every piece'), table);
  return ask;
}

/** A row for each piece written, a column for each read; the deeper, the more attention. */
function alignmentTable({source, target, alignment}) {
  const head = make('tr', {}, make('td'), ...source.map((piece) =>
    make('th', {scope: 'col'}, piece)));
  return make('table', {}, head, ...target.map((piece, row) => make('tr', {},
    make('th', {scope: 'row'}, piece),
    ...alignment[row].map((weight, column) => make('td', {
      class: 'cell', title: `${piece} from ${source[column]}: ${percent(weight)}`,
      style: `background: color-mix(in srgb, var(--accent) ${100 * weight}%, transparent)`,
    })))));
}
