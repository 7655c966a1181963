// __NAME__ in a browser: rows of numbers to a class.

import {button, make} from '../web/elements.mjs';
import {numbersBox, rows} from '../web/numbers.mjs';
import {showShares} from '../web/shares.mjs';

export async function start(root, model, lite) {
  const {width} = await model.json('series.json');
  const labels = await model.lines('labels.txt');

  /** values: rows of numbers, one a step. */
  async function ask(values) {
    const input = {shape: [1, values.length, width], data: Float32Array.from(values.flat())};
    const {probabilities} = await lite.run('classify', {series: input});
    return {probabilities: [...probabilities.data]};
  }

  const example = () => Array.from({length: 20}, (_, step) =>
    Array.from({length: width}, () => (step / 20).toFixed(2)).join(',')).join('\n');
  const {area, box} = numbersBox('A series', `A line for each step, ${width} numbers.`, example);
  const shares = make('div', {class: 'answer', 'aria-live': 'polite'});
  const show = async () => {
    showShares(shares, labels, (await ask(rows(area.value, width))).probabilities);
  };
  root.append(box, button('Classify', show), shares);
  return ask;
}
