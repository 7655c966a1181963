// Speech recognition in a browser: the microphone, or a sound file, to text as it is spoken.

import {button, drawn, fail, guarded, labelled, make, percent, say} from '../web/elements.mjs';
import {Microphone, samplesOf} from '../web/microphone.mjs';
import {Follower} from '../device/follow.mjs';
import {Alphabet, Transcriber} from '../device/transcribe.mjs';

export async function start(root, model, lite) {
  const settings = await model.json('alphabet.json');
  const alphabet = new Alphabet(settings);
  const size = settings.chunk;
  const follower = new Follower(lite, 'stream');
  const transcriber = () => new Transcriber(alphabet, settings.hop / settings.rate,
    {ahead: settings.ahead});

  async function heard(samples) {
    const outputs = await follower.step({samples: {shape: [1, size], data: samples}});
    const {shape: [, steps, classes], data} = outputs.log_probabilities;
    return Array.from({length: steps}, (_, step) =>
      [...data.slice(step * classes, (step + 1) * classes)]);
  }

  /** samples: at 16 kHz; wrote: is called with every event, as it comes. */
  async function ask(samples, wrote = () => {}) {
    follower.reset();
    const writing = transcriber();
    const events = [];
    const silence = Math.ceil(settings.ahead * settings.hop / size) * size;
    const count = Math.ceil(samples.length / size) * size + silence;
    const add = (found) => found.forEach((event) => {
      events.push(event);
      wrote(event);
    });
    for (let place = 0; place < count; place += size) {
      const block = new Float32Array(size);
      block.set(samples.subarray(place, place + size));
      add(writing.feed(await heard(block)));
      if (place / size % 10 === 0) {
        say(`Reading: ${percent(place / count)}`);
        await drawn();
      }
    }
    add(writing.end());
    const words = events.filter((event) => event.is_final);
    return {text: words.map(({text}) => text).join(' '), words, events};
  }

  const text = make('p', {class: 'answer large', id: 'heard', 'aria-live': 'polite'});
  const table = make('div', {class: 'scroll'});
  const page = new Transcript(text, table);
  let writing;
  let running = Promise.resolve();
  const microphone = new Microphone(size, (block) => {
    running = running.then(async () => writing.feed(await heard(block)).forEach(page.add, page))
      .catch((error) => fail(error.message));
  });
  const toggle = button('Listen', async () => {
    if (microphone.isOn) {
      await microphone.stop();
      await running;
      writing.end().forEach(page.add, page);
      toggle.textContent = 'Listen';
      return;
    }
    page.clear();
    follower.reset();
    writing = transcriber();
    await microphone.start();
    toggle.textContent = 'Stop';
    say('Listening.');
  }, {id: 'listen'});
  const chooser = make('input', {type: 'file', accept: 'audio/*'});
  chooser.addEventListener('change', () => guarded(async () => {
    page.clear();
    await ask(await samplesOf(chooser.files[0]), (event) => page.add(event));
    say('');
  }));
  root.append(toggle, labelled('or a sound file', chooser), text,
    make('h2', {}, 'When each word was said'), table);
  return ask;
}

/** Words that stand, and behind them what may still change. */
class Transcript {
  constructor(text, table) {
    this.text = text;
    this.table = table;
    this.clear();
  }

  clear() {
    this.words = [];
    this.text.replaceChildren();
    this.table.replaceChildren();
  }

  add(event) {
    if (event.is_final) {
      this.words.push(event);
    }
    const changing = event.is_final ? '' : event.text;
    this.text.replaceChildren(this.words.map(({text}) => text).join(' '), ' ',
      make('span', {class: 'soft'}, changing));
    this.table.replaceChildren(make('table', {},
      make('tr', {}, ...['word', 'from (s)', 'to (s)'].map((name) =>
        make('th', {scope: 'col'}, name))),
      ...this.words.map(({text, start, end}) => make('tr', {},
        ...[text, start.toFixed(2), end.toFixed(2)].map((cell) => make('td', {}, cell))))));
  }
}
