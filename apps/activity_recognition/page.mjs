// Activity recognition in a browser: a clip to an action, or a phone's movements as they come.

import {chart} from '../web/chart.mjs';
import {button, make} from '../web/elements.mjs';
import {GRAVITY, hasMotion, motionButton, RADIAN} from '../web/motion.mjs';
import {numbersBox, rows} from '../web/numbers.mjs';
import {showShares} from '../web/shares.mjs';
import {Follower} from '../device/follow.mjs';

const RATE = 50;  // rows a second of a phone, as the sensors of most recordings give them

export async function start(root, model, lite) {
  const settings = await model.json('clip.json');
  const labels = await model.lines('labels.txt');
  const longest = lite.lengths('clip').at(-1)?.length ?? Infinity;

  /** values: rows of numbers, one a frame. */
  async function ask(values) {
    if (values.length > longest) {
      throw new Error(`A clip has at most ${longest} frames, not ${values.length}.`);
    }
    const shape = [1, values.length, settings.width];
    const input = {shape, data: Float32Array.from(values.flat())};
    const {probabilities} = await lite.run('clip', {values: input});
    return {probabilities: [...probabilities.data]};
  }

  const {area, box} = numbersBox('A clip', `A line for each frame, ${settings.width} numbers; at ` +
    `most ${longest} frames.`, () => example(settings.width));
  const shares = make('div', {class: 'answer', 'aria-live': 'polite'});
  const drawing = make('div');
  const show = async () => {
    const values = rows(area.value, settings.width);
    showShares(shares, labels, (await ask(values)).probabilities);
    drawing.replaceChildren(chart({
      title: 'The clip', named: (step) => `frame ${step}`,
      lines: Array.from({length: Math.min(settings.width, 9)}, (_, column) =>
        ({values: values.map((row) => row[column]), kind: ['', 'second', 'third'][column % 3]})),
    }));
  };
  root.append(box, button('Recognise', show), shares, drawing);
  if (hasMotion() && settings.width === 6) {
    root.append(live(lite, labels, shares));
  }
  return ask;
}

/** A button that follows this device's own movements. */
function live(lite, labels, shares) {
  const follower = new Follower(lite, 'stream');
  return motionButton(RATE, () => {
    follower.reset();
    let block = [];
    return async (row) => {
      block.push(row);
      if (block.length === follower.size) {
        const values = {shape: [1, block.length, 6], data: Float32Array.from(block.flat())};
        block = [];
        showShares(shares, labels, (await follower.step({values})).probabilities.data);
      }
    };
  });
}

/** Steps of a walk, as a phone at the belt might feel them. */
function example(width) {
  return Array.from({length: 256}, (_, frame) => Array.from({length: width}, (_unused, column) => {
    const rest = column === 0 ? 1 : 0;
    const step = 2 * Math.PI * frame * (column % 2 ? 2 : 1) / 27 + column;
    return Math.round((rest + 0.3 * Math.sin(step)) * (column < 3 ? GRAVITY : RADIAN));
  }).join(',')).join('\n');
}
