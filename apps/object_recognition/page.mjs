// Object recognition in a browser: a picture to its class, with where it was seen.

import {button, make} from '../web/elements.mjs';
import {Picture, pixels} from '../web/picture.mjs';
import {showShares} from '../web/shares.mjs';

export async function start(root, model, lite) {
  const {size} = await model.json('picture.json');
  const labels = await model.lines('labels.txt');

  /** picture: {data, height, width}. */
  async function ask(picture) {
    const {probabilities, weights} = await lite.run('pixels', {image: pixels(picture, size)});
    return {probabilities: [...probabilities.data], weights: [...weights.data]};
  }

  const shares = make('div', {class: 'answer', 'aria-live': 'polite'});
  let looked = [];
  let isLit = false;
  const light = button('Show what decided', () => {
    isLit = !isLit;
    chosen.highlight(isLit ? looked : []);
    light.textContent = isLit ? 'Show all of it' : 'Show what decided';
  }, {hidden: true});
  const chosen = new Picture(async (picture) => {
    const answer = await ask(picture);
    looked = answer.weights;
    isLit = false;
    light.hidden = false;
    light.textContent = 'Show what decided';
    showShares(shares, labels, answer.probabilities);
  });
  root.append(chosen.box, light, shares);
  return ask;
}
