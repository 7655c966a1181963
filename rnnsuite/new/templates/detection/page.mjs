// __NAME__ in a browser: rows of numbers to the events in them.

import {chart} from '../web/chart.mjs';
import {button, make, percent} from '../web/elements.mjs';
import {numbersBox, rows} from '../web/numbers.mjs';
import {Detector} from '../device/events.mjs';

export async function start(root, model, lite) {
  const {labels, width, rules} = await model.json('detect.json');

  /** values: rows of numbers, one a step. */
  async function ask(values) {
    const input = {shape: [1, values.length, width], data: Float32Array.from(values.flat())};
    const {data} = (await lite.run('classify', {series: input})).probabilities;
    const classes = labels.length + 1;
    const probabilities = values.map((_, step) =>
      [...data.slice(step * classes, (step + 1) * classes)]);
    const detector = new Detector(['', ...labels], [''], 1, {smoothing: 1e9, longest: 1e9,
      refractory: 0, threshold: rules.threshold, pause: rules.pause, shortest: rules.shortest});
    return {probabilities, events: [...detector.feed(probabilities), ...detector.end()]};
  }

  const example = () => Array.from({length: 40}, (_, step) => {
    const value = step >= 15 && step < 25 ? (step - 19.5) * 0.4 : 0;
    return Array.from({length: width}, (_unused, column) => column ? 0.1 : value.toFixed(2));
  }).join('\n');
  const {area, box} = numbersBox('A series', `A line for each step, ${width} numbers.`, example);
  const drawing = make('div', {class: 'answer'});
  const list = make('ol', {class: 'log', 'aria-live': 'polite'});
  const show = async () => {
    const values = rows(area.value, width);
    const {events} = await ask(values);
    const lines = values[0].map((_, column) => ({values: values.map((row) => row[column])}));
    drawing.replaceChildren(chart({title: 'The series and its events', lines, spans: events}));
    list.replaceChildren(...events.map(({label, start: from, end, confidence}) => make('li', {},
      `steps ${from} to ${end - 1}: ${label}, ${percent(confidence)}`)));
  };
  root.append(box, button('Detect', show), drawing, list);
  return ask;
}
