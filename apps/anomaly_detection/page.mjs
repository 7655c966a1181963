// Anomaly detection in a browser: observations to scores and alarms, one after the other.

import {chart} from '../web/chart.mjs';
import {button, drawn, make, percent, say} from '../web/elements.mjs';
import {numbersBox, rows} from '../web/numbers.mjs';
import {Follower} from '../device/follow.mjs';

const KINDS = ['', 'second', 'third'];  // of lines, see style.css
const TOGETHER = 100;  // observations between two drawings

export async function start(root, model, lite) {
  const settings = await model.json('detect.json');
  const width = settings.names.length;
  const follower = new Follower(lite, 'stream');

  /** values: rows of numbers, NaN where one is missing; read: is called with the share read. */
  async function ask(values, read = () => {}) {
    follower.reset();
    const answer = {scores: [], alarms: [], channels: [], threshold: settings.threshold};
    for (const [place, row] of values.entries()) {
      const outputs = await follower.step(
        {values: {shape: [1, 1, width], data: Float32Array.from(row)}});
      answer.scores.push(outputs.score.data[0]);
      answer.alarms.push(Boolean(outputs.alarm.data[0]));
      answer.channels.push([...outputs.channels.data]);
      if (place % TOGETHER === 0) {
        read(place / values.length);
        await drawn();
      }
    }
    return answer;
  }

  const hint = width > 1 ? `A line for each observation, with ${settings.names.join(', ')}.` :
    'A line for each observation, in equal steps of time; what comes first shows what is usual.';
  const {area, box} = numbersBox('Observations', hint, () => example(width));
  const drawing = make('div', {class: 'answer'});
  const list = make('ol', {class: 'log', 'aria-live': 'polite'});
  const show = async () => {
    const values = rows(area.value, width);
    const answer = await ask(values, (share) => say(`Reading: ${percent(share)}`));
    const spans = spansOf(answer.alarms);
    const named = (step) => `observation ${step}`;
    drawing.replaceChildren(
      chart({title: 'The observations and alarms', spans, named,
        lines: settings.names.map((_, column) =>
          ({values: values.map((row) => row[column]), kind: KINDS[column % 3]}))}),
      chart({title: 'The score, and the threshold of alarms', named, spans: [],
        lines: [{values: answer.scores}, {values: answer.scores.map(() => answer.threshold),
          kind: 'third'}]}));
    list.replaceChildren(...spans.map(({start, end}) => make('li', {},
      `observations ${start} to ${end}: score ${Math.max(...answer.scores.slice(start, end + 1))
        .toFixed(1)}, in ${nameOf(answer.channels[start], settings.scored)}`)));
    say(`${values.length} observations, ${spans.length} alarms.`);
  };
  root.append(box, button('Look for anomalies', show), drawing, list);
  return ask;
}

function nameOf(channels, names) {
  return names[channels.indexOf(Math.max(...channels))];
}

/** Alarms that follow each other, as spans of observations. */
function spansOf(alarms) {
  const spans = [];
  alarms.forEach((isOn, place) => {
    if (isOn && alarms[place - 1]) {
      spans.at(-1).end = place;
    } else if (isOn) {
      spans.push({start: place, end: place, label: 'alarm'});
    }
  });
  return spans;
}

/** A rhythm that fails for a while. */
function example(width) {
  return Array.from({length: 2000}, (_, place) => {
    const isOdd = place >= 1500 && place < 1540;
    const value = 20 + 5 * Math.sin(2 * Math.PI * place / 96) + Math.sin(place * 12.9898) +
      (isOdd ? 25 : 0);
    return new Array(width).fill(value.toFixed(2)).join(',');
  }).join('\n');
}
