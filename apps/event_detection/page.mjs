// Event detection in a browser: samples as they come to events with start, end and confidence.

import {chart} from '../web/chart.mjs';
import {button, drawn, make, percent, say} from '../web/elements.mjs';
import {GRAVITY, hasMotion, motionButton, RADIAN} from '../web/motion.mjs';
import {numbersBox, rows} from '../web/numbers.mjs';
import {Detector} from '../device/events.mjs';
import {Follower} from '../device/follow.mjs';

const TOGETHER = 50;  // steps between two drawings

/** Events of a stream of rows of numbers, by the rules of detect.json. */
class Events {
  constructor(lite, settings) {
    this.follower = new Follower(lite, 'stream');
    this.settings = settings;
    const {labels, rules} = settings;
    const step = settings.hop / settings.rate;
    const late = settings.look_ahead * step;
    const groups = rules.exclusive ? [labels] : labels.map((label) => [label]);
    this.detectors = groups.map((group) => new Detector(['', ...group], [''], step, {
      smoothing: 1e9, threshold: rules.threshold, pause: rules.pause * step,
      shortest: rules.shortest * step, longest: 1e9, refractory: 0, lead: late, tail: late,
    }));
    this.block = [];
  }

  /** The events that end with this row, and the probabilities of a new step, if it ends one. */
  async feed(row) {
    this.block.push(row);
    if (this.block.length < this.settings.hop) {
      return {events: [], shares: null};
    }
    const shape = [1, this.block.length, this.settings.channels];
    const values = {shape, data: Float32Array.from(this.block.flat())};
    this.block = [];
    const shares = [...(await this.follower.step({values})).probabilities.data];
    const fed = this.settings.rules.exclusive ? [shares] :
      shares.slice(1).map((share) => [1 - share, share]);
    return {events: this.detectors.flatMap((each, place) => each.feed([fed[place]])), shares};
  }

  end() {
    return this.detectors.flatMap((each) => each.end());
  }
}

export async function start(root, model, lite) {
  const settings = await model.json('detect.json');

  /** values: rows of numbers; read: is called with the share read. */
  async function ask(values, read = () => {}) {
    const detection = new Events(lite, settings);
    const answer = {events: [], probabilities: []};
    for (const [place, row] of values.entries()) {
      const {events, shares} = await detection.feed(row);
      answer.events.push(...events);
      if (shares) {
        answer.probabilities.push(shares);
        if (answer.probabilities.length % TOGETHER === 0) {
          read(place / values.length);
          await drawn();
        }
      }
    }
    answer.events.push(...detection.end());
    return answer;
  }

  const {area, box} = numbersBox('A recording', `A line for each sample, ${settings.channels} ` +
    `numbers, ${settings.rate} of them a second.`, () => example(settings));
  const drawing = make('div', {class: 'answer'});
  const list = make('ol', {class: 'log', 'aria-live': 'polite'});
  const tell = ({label, start: from, end, confidence}) => list.append(make('li', {},
    `${from.toFixed(2)} to ${end.toFixed(2)} s: ${label}, ${percent(confidence)}`));
  const show = async () => {
    const values = rows(area.value, settings.channels);
    const {events, probabilities} = await ask(values, (share) => say(`Reading: ${percent(share)}`));
    list.replaceChildren();
    events.forEach(tell);
    const spans = events.map((event) => ({start: event.start * settings.rate,
      end: event.end * settings.rate, label: event.label}));
    const step = settings.hop / settings.rate;
    drawing.replaceChildren(
      chart({title: 'The recording and its events', spans,
        lines: Array.from({length: settings.channels}, (_, column) =>
          ({values: values.map((row) => row[column]), kind: ['', 'second', 'third'][column % 3]})),
        named: (place) => `${(place / settings.rate).toFixed(1)} s`}),
      chart({title: 'How probable any event is', named: (place) => `${(place * step).toFixed(1)} s`,
        lines: [{values: probabilities.map(([none]) => 1 - none), kind: 'second'}]}));
    say(`${(values.length / settings.rate).toFixed(1)} s, ${events.length} events.`);
  };
  root.append(box, button('Find events', show), drawing, list);
  if (hasMotion() && settings.channels === 6) {
    root.append(live(lite, settings, tell));
  }
  return ask;
}

/** A button that follows this device's own movements. */
function live(lite, settings, tell) {
  return motionButton(settings.rate, () => {
    const detection = new Events(lite, settings);
    return async (row) => (await detection.feed(row)).events.forEach(tell);
  });
}

/** Of six channels, what the phone of someone who lies down feels; and nothing in others. */
function example({channels, rate}) {
  const count = 30 * rate;
  const [standing, lying] = [[1.02, -0.13, 0.08, 0, 0, 0], [0.19, 0.79, 0.58, 0, 0, 0]];
  const turned = [0, 0, 0, 0.76, 0.27, -0.46];
  return Array.from({length: count}, (_, place) => {
    const share = Math.min(Math.max((place - count / 2) / (3.6 * rate), 0), 1);
    const hump = Math.sin(Math.PI * share) ** 2;
    const over = (1 - Math.cos(Math.PI * share)) / 2;
    return Array.from({length: channels}, (_unused, column) => {
      const noise = (column < 3 ? 0.01 + 0.12 * hump : 0.006 + 0.2 * hump) * normal();
      const rest = column < 6 ? standing[column] * (1 - over) + lying[column] * over : 0;
      const value = rest + hump * (turned[column] ?? 0) + noise;
      return Math.round(value * (column < 3 ? GRAVITY : RADIAN));
    }).join(',');
  }).join('\n');
}

/** A number of the normal distribution, about. */
function normal() {
  return Math.sqrt(12 / 8) * (Array.from({length: 8}, Math.random).reduce((a, b) => a + b) - 4);
}
