// Video captions in a browser: features of frames to a sentence.

import {tokensOf, written} from '../web/caption.mjs';
import {chart} from '../web/chart.mjs';
import {button, guarded, labelled, make} from '../web/elements.mjs';
import {readNpy} from '../web/numbers.mjs';
import {Tokenizer} from '../device/unigram.mjs';
import {Writer} from '../device/writer.mjs';

export async function start(root, model, lite) {
  const settings = await model.json('decode.json');
  const tokenizer = new Tokenizer(await model.text(settings.target), settings.max_tokens);
  const writer = new Writer(lite, settings);

  /** frames: rows of features, of which rows of zeros are none; wrote: with the text so far. */
  async function ask(frames, wrote) {
    const present = frames.filter((row) => row.some(Boolean));
    if (!present.length || present.some((row) => row.length !== settings.width)) {
      throw new Error(`Frames of ${settings.width} features are needed.`);
    }
    const shape = [1, present.length, settings.width];
    const features = {shape, data: Float32Array.from(present.flat())};
    return written(writer, tokenizer, {features}, wrote);
  }

  const chooser = make('input', {type: 'file', accept: '.npy'});
  const text = make('p', {class: 'answer large', 'aria-live': 'polite'});
  const tokens = make('div');
  const attention = make('div');
  const show = (frames) => guarded(async () => {
    const answer = await ask(frames, (part) => (text.textContent = part));
    const count = frames.length;
    const look = (weights) => attention.replaceChildren(weights.length ? chart({
      title: 'The share of the attention that each frame has',
      lines: [{values: weights.slice(0, count)}], named: (step) => `frame ${step}`,
    }) : '');
    tokens.replaceChildren(tokensOf(answer, look));
  });
  chooser.addEventListener('change', () => guarded(async () => {
    await show(readNpy(new Uint8Array(await chooser.files[0].arrayBuffer())));
  }));
  const hint = `A .npy file [frames, ${settings.width}], as the network that the model was ` +
    'trained behind gives them.';
  const noise = button('Try noise', () => show(noisy(settings.width)));
  root.append(labelled('Features of frames', chooser, hint), noise, text,
    make('p', {class: 'hint'}, 'Point at a word to see which frames were looked at for it.'),
    tokens, attention);
  return ask;
}

/** Features of no video at all: what the model writes to them means nothing. */
function noisy(width) {
  return Array.from({length: 20}, () => Array.from({length: width}, () => Math.random()));
}
