// Text that goes on in a browser, word by word, with what could have come instead.

import {button, drawn, labelled, make, percent, say} from '../web/elements.mjs';
import {Language} from '../device/language.mjs';
import {Tokenizer as Subwords} from '../device/unigram.mjs';
import {Tokenizer as Words} from '../device/words.mjs';

const EXAMPLE = 'The river rises in the mountains and';
const SHOWN = 6;  // alternatives of a word

async function tokenizerOf(model, settings) {
  const {unit, max_tokens: most, lower, keep} = settings;
  if (unit === 'subwords') {
    return new Subwords(await model.text(settings.vocabulary), most, {lower, keep});
  }
  return new Words(await model.json(settings.vocabulary), unit, most, {lower, keep});
}

export async function start(root, model, lite) {
  const settings = await model.json('language.json');
  if (settings.direction !== 'forward') {
    throw new Error('This model reads backwards: it has no page.');
  }
  const tokenizer = await tokenizerOf(model, settings);
  const language = new Language(lite, settings);
  const drawing = {temperature: settings.temperature, topK: settings.top_k,
    topP: settings.top_p, seed: settings.seed};

  /** options: as Language.tokens takes them; wrote: is called with every token. */
  async function ask(text, options = {}, wrote = () => {}) {
    const ids = tokenizer.ids(text);
    const pieces = [];
    let log = 0;
    const started = performance.now();
    for await (const token of language.tokens(ids, {...drawing, ...options})) {
      log += token.log;
      if (token.id !== settings.end) {
        pieces.push(tokenizer.added(token.id));
        if (wrote(token) === false) {
          break;
        }
        await drawn();
      }
    }
    return {text: pieces.join(''), log, seconds: (performance.now() - started) / 1000,
      words: pieces.length};
  }

  const page = new Page(tokenizer, settings, ask);
  root.append(...page.parts());
  return ask;
}

class Page {
  constructor(tokenizer, settings, ask) {
    this.tokenizer = tokenizer;
    this.settings = settings;
    this.ask = ask;
    this.isStopped = true;
    this.seed = settings.seed;
  }

  parts() {
    const {temperature, top_p: topP, max_length: most} = this.settings;
    const number = (value, attributes) => make('input', {type: 'number', value, ...attributes});
    this.area = make('textarea', {rows: 4});
    this.area.value = EXAMPLE;
    this.temperature = number(temperature, {min: 0, max: 3, step: 0.1});
    this.share = number(topP, {min: 0.05, max: 1, step: 0.05});
    this.count = number(most, {min: 1, max: 500});
    this.text = make('p', {class: 'answer large', 'aria-live': 'off'});
    this.others = make('div', {class: 'answer'});
    this.stop = make('button', {type: 'button', onclick: () => (this.isStopped = true)}, 'Stop');
    return [
      labelled('A text', this.area),
      make('div', {class: 'row'}, labelled('Temperature', this.temperature),
        labelled('Probability drawn from', this.share), labelled('Words at most', this.count)),
      make('p', {class: 'hint'}, 'A temperature of 0 takes the most probable word each time.'),
      button('Go on', () => this.write()), this.stop, this.text,
      make('p', {class: 'hint'}, 'Choose a word to see what could have come in its place.'),
      this.others,
    ];
  }

  async write() {
    this.isStopped = false;
    this.text.replaceChildren(this.area.value);
    this.others.replaceChildren();
    const options = {temperature: Number(this.temperature.value), topP: Number(this.share.value),
      maxLength: Number(this.count.value), seed: this.seed++};
    const answer = await this.ask(this.area.value, options, (token) => {
      this.text.append(this.#word(token));
      return !this.isStopped;
    });
    const speed = (answer.words / answer.seconds).toFixed(0);
    say(`${answer.words} words in ${answer.seconds.toFixed(1)} s, ${speed} a second.`);
  }

  #word({id, logs}) {
    const word = make('button', {type: 'button', class: 'token', 'aria-pressed': 'false',
      onclick: () => this.#choose(word, logs)}, this.tokenizer.added(id));
    return word;
  }

  /** Shows what could stand in the place of a word; another one ends the text there. */
  #choose(word, logs) {
    this.text.querySelectorAll('button').forEach((each) =>
      each.setAttribute('aria-pressed', String(each === word)));
    const likeliest = [...logs.keys()].sort((a, b) => logs[b] - logs[a]).slice(0, SHOWN);
    this.others.replaceChildren(...likeliest.map((id) => button(
      `${this.tokenizer.added(id).trim() || 'end'} ${percent(Math.exp(logs[id]))}`, () => {
        const before = [];
        for (let node = word.previousSibling; node; node = node.previousSibling) {
          before.unshift(node.textContent);
        }
        this.area.value = before.join('') + this.tokenizer.added(id);
        return this.write();
      })));
  }
}
