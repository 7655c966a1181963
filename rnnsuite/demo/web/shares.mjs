// Classes and their probabilities as bars.

import {make, percent} from './elements.mjs';

/** Probabilities by class, the greatest first. */
export function ranked(labels, probabilities) {
  return labels.map((label, number) => [label, probabilities[number]]).sort((a, b) => b[1] - a[1]);
}

/** Shows the most probable classes in an element. */
export function showShares(root, labels, probabilities, most = 6) {
  root.replaceChildren(...ranked(labels, probabilities).slice(0, most).map(([label, share]) =>
    make('div', {class: 'share'},
      make('span', {class: 'name'}, label),
      make('meter', {min: 0, max: 1, value: share, 'aria-label': `${label}: ${percent(share)}`}),
      make('span', {class: 'number'}, percent(share)))));
}
