// Writes a sentence with the signatures encode and step, as writer.py does it.

import {argmax} from './numbers.mjs';

/** The ids of a sentence, and the attention of each. */
export class Writer {
  /**
   * @param {LiteFile} file see runner.mjs.
   * @param {{start: number, end: number, max_length: number}} settings as decode.json has them.
   */
  constructor(file, settings) {
    this.file = file;
    this.settings = settings;
  }

  /**
   * @param {object} inputs of the signature encode.
   * @yields {{id: number, weights: Float32Array}} one token after the other, the end included.
   */
  async* tokens(inputs) {
    if (inputs.ids && !inputs.ids.data.some(Boolean)) {
      return;  // nothing is written to no text
    }
    const state = await this.file.run('encode', inputs);
    let token = this.settings.start;
    for (let count = 0; count < this.settings.max_length && token !== this.settings.end; count++) {
      const given = {token: {shape: [1], data: Int32Array.of(token)}, ...state};
      const outputs = await this.file.run('step', given);
      token = argmax(outputs.logits.data);
      yield {id: token, weights: outputs.weights.data};
      for (const key of Object.keys(state).filter((name) => name in outputs)) {
        state[key] = outputs[key];
      }
    }
  }
}
