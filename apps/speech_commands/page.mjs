// Speech commands in a browser: words of the microphone as they end, or those of a sound file.

import {button, drawn, fail, labelled, make, percent, say} from '../web/elements.mjs';
import {Microphone, samplesOf} from '../web/microphone.mjs';
import {showShares} from '../web/shares.mjs';
import {Detector} from '../device/events.mjs';
import {Follower} from '../device/follow.mjs';

const TAIL = 0.1;  // seconds after a word in which it still may go on
const SHOWN = 100;  // milliseconds between two drawings of the probabilities

export async function start(root, model, lite) {
  const settings = await model.json('sound.json');
  const labels = await model.lines('labels.txt');
  const size = settings.stream_samples;
  const step = size / settings.rate;
  const background = labels.filter((label) => label.startsWith('_'));
  const follower = new Follower(lite, 'stream');
  const detector = () => new Detector(labels, background, step, {tail: TAIL});

  async function heard(samples) {
    const input = {shape: [1, size], data: samples};
    return (await follower.step({samples: input})).probabilities.data;
  }

  /** samples: at 16 kHz; the events of all of it. */
  async function ask(samples) {
    follower.reset();
    const found = detector();
    const events = [];
    const times = [];
    for (let place = 0; place < samples.length; place += size) {
      const block = new Float32Array(size);
      block.set(samples.subarray(place, place + size));
      const started = performance.now();
      const shares = await heard(block);
      times.push(performance.now() - started);
      events.push(...found.feed([[...shares]]));
      if (times.length % 50 === 0) {
        await drawn();
      }
    }
    events.push(...found.end());
    return {events, milliseconds: times.sort((a, b) => a - b)[Math.floor(times.length / 2)]};
  }

  const shares = make('div', {class: 'answer'});
  const list = make('ol', {class: 'log', id: 'heard', 'aria-live': 'polite'});
  const tell = ({label, start: from, end, confidence}) => list.append(make('li', {},
    `${label}, ${from.toFixed(2)} to ${end.toFixed(2)} s, ${percent(confidence)}`));
  const words = labels.filter((label) => !label.startsWith('_')).join(', ');
  root.append(make('p', {}, `It knows: ${words}.`),
    new Listening(size, heard, follower, detector, tell,
      (now) => showShares(shares, labels, now, 4)).toggle,
    fileChooser(async (samples) => {
      list.replaceChildren();
      const {events, milliseconds} = await ask(samples);
      events.forEach(tell);
      say(`${events.length} words; ${milliseconds.toFixed(2)} ms for each ${1000 * step} ms.`);
    }), shares, make('h2', {}, 'Heard'), list);
  return ask;
}

/** The microphone's blocks, through the model in the order in which they come. */
class Listening {
  constructor(size, heard, follower, detector, tell, show) {
    Object.assign(this, {heard, follower, detector, tell, show});
    this.microphone = new Microphone(size, (block) => this.#add(block));
    this.toggle = button('Listen', () => this.#turn(), {id: 'listen'});
    this.running = Promise.resolve();
    this.shown = 0;
  }

  async #turn() {
    if (this.microphone.isOn) {
      await this.microphone.stop();
      await this.running;
      this.found.end().forEach(this.tell);
      this.toggle.textContent = 'Listen';
      return;
    }
    this.follower.reset();
    this.found = this.detector();
    await this.microphone.start();
    this.toggle.textContent = 'Stop';
    say('Listening.');
  }

  #add(block) {
    this.running = this.running.then(async () => {
      const shares = await this.heard(block);
      this.found.feed([[...shares]]).forEach(this.tell);
      if (performance.now() - this.shown > SHOWN) {
        this.shown = performance.now();
        this.show(shares);
      }
    }).catch((error) => fail(error.message));
  }
}

function fileChooser(read) {
  const chooser = make('input', {type: 'file', accept: 'audio/*'});
  chooser.addEventListener('change', async () => {
    fail('');
    try {
      await read(await samplesOf(chooser.files[0]));
    } catch (error) {
      fail(error.message);
    }
  });
  return labelled('or a sound file', chooser);
}
