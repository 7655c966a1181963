// Opens a page's model, then the page of its application.

import {fail, make, percent, say} from './elements.mjs';

const {app, file} = document.body.dataset;

function missing() {
  if (location.protocol === 'file:') {
    return 'A browser gives a page from a file no model: run "rnnsuite demo", or put the folder ' +
      'on a web server.';
  }
  if (typeof WebAssembly !== 'object') {
    return 'This browser has no WebAssembly, by which the model computes: update it, or switch ' +
      'WebAssembly on.';
  }
  return '';
}

async function start() {
  const reason = missing();
  if (reason) {
    throw new Error(reason);
  }
  const bar = make('progress', {max: 1, value: 0, 'aria-label': 'How much of the model has come'});
  document.querySelector('#demo').append(bar);
  const {Model} = await import('./model.mjs');
  const model = new Model(`models/${app}/`, file, (share) => {
    bar.value = share;
    say(`Loading the model: ${percent(share)}`);
  });
  const started = performance.now();
  const {start: begin} = await import(`../pages/${app}.mjs`);
  const lite = await model.open();
  say(`Ready after ${((performance.now() - started) / 1000).toFixed(1)} s. It computes in this ` +
    'browser: nothing that you enter leaves it.');
  bar.remove();
  return begin(document.querySelector('#demo'), model, lite);
}

try {
  // What asks the model without the page, for tests and for whoever likes the console.
  globalThis.ask = await start();
  document.body.dataset.state = 'ready';
} catch (error) {
  document.querySelector('#demo progress')?.remove();
  say('');
  fail(error.message ?? String(error));
  document.body.dataset.state = 'failed';
  throw error;
}
