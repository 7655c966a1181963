// __NAME__ in a browser: rows of numbers to the steps that follow.

import {chart} from '../web/chart.mjs';
import {button, make} from '../web/elements.mjs';
import {numbersBox, rows} from '../web/numbers.mjs';

export async function start(root, model, lite) {
  const {past, width} = await model.json('window.json');

  /** values: rows of numbers, the oldest first. */
  async function ask(values) {
    const before = Array.from({length: Math.max(past - values.length, 0)}, () => values[0]);
    const data = Float32Array.from([...before, ...values].slice(-past).flat());
    const answer = await lite.run('forecast', {series: {shape: [1, past, width], data}});
    return Object.fromEntries(Object.entries(answer).map(([name, {data: numbers}]) => [name,
      Array.from({length: numbers.length / width}, (_, step) =>
        [...numbers.slice(step * width, (step + 1) * width)])]));
  }

  const example = () => Array.from({length: past}, (_, step) =>
    Array.from({length: width}, () => Math.sin(step / 4).toFixed(2)).join(',')).join('\n');
  const hint = `A line for each step, ${width} numbers, the oldest first; the last ${past} count.`;
  const {area, box} = numbersBox('A series', hint, example);
  const drawings = make('div', {class: 'answer'});
  const show = async () => {
    const values = rows(area.value, width);
    const {low, median, high} = await ask(values);
    const from = values.length;
    drawings.replaceChildren(...values[0].map((_, column) => {
      const [known, ...parts] = [values, low, median, high].map((each) =>
        each.map((row) => row[column]));
      return chart({
        title: `Column ${column + 1}: ${from} steps and the ${median.length} that follow`,
        lines: [{values: known}, {values: parts[1], from, kind: 'new'}],
        bands: [{low: parts[0], high: parts[2], from, kind: ''}],
      });
    }));
  };
  root.append(box, button('Forecast', show), drawings);
  return ask;
}
