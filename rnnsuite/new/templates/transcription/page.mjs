// __NAME__ in a browser: a sound file to text.

import {guarded, labelled, make, say} from '../web/elements.mjs';
import {samplesOf} from '../web/microphone.mjs';
import {Alphabet, greedy} from '../device/transcribe.mjs';

export async function start(root, model, lite) {
  const settings = await model.json('alphabet.json');
  const alphabet = new Alphabet(settings);

  /** samples: at 16 kHz. */
  async function ask(samples) {
    const count = Math.max(Math.ceil(samples.length / settings.hop), 1) * settings.hop;
    const data = new Float32Array(count);
    data.set(samples);
    const {log_probabilities: logs} = await lite.run('sound', {samples: {shape: [1, count], data}});
    const classes = logs.shape[2];
    const rows = Array.from({length: count / settings.hop}, (_, step) =>
      [...logs.data.slice(step * classes, (step + 1) * classes)]);
    return {text: alphabet.text(greedy(rows).ids)};
  }

  const text = make('p', {class: 'answer large', 'aria-live': 'polite'});
  const chooser = make('input', {type: 'file', accept: 'audio/*'});
  chooser.addEventListener('change', () => guarded(async () => {
    say('Listening.');
    text.textContent = (await ask(await samplesOf(chooser.files[0]))).text;
    say('');
  }));
  root.append(labelled('A sound file', chooser), text);
  return ask;
}
