// Text that goes on, by the signature step, as language.py does it.

import {choose, textSeed, uniform} from './sampling.mjs';

/** The tokens that come after others. */
export class Language {
  /**
   * @param {LiteFile} file see runner.mjs.
   * @param {object} settings end, banned and max_length, as language.json has them.
   */
  constructor(file, settings) {
    this.file = file;
    this.settings = settings;
    const {token, ...states} = file.zeros('step');
    this.zeros = states;
  }

  /** Logarithms of the probabilities of every token after this one, and the states. */
  async step(token, states) {
    const outputs = await this.file.run('step',
      {token: {shape: [1], data: Int32Array.of(token)}, ...states});
    const after = Object.fromEntries(Object.keys(states).map((key) => [key, outputs[key]]));
    return {logs: outputs.log_probabilities.data, states: after};
  }

  /** What comes after ids. */
  async read(ids) {
    let known = await this.step(this.settings.end, this.zeros);
    for (const token of ids) {
      known = await this.step(token, known.states);
    }
    return known;
  }

  /**
   * @param {number[]} ids of the text before.
   * @param {object} options temperature, topK, topP, seed and maxLength.
   * @yields {{id: number, log: number, logs: Float32Array}} one token after the other, the end the
   *     last one, with its logarithm and those of all.
   */
  async* tokens(ids, {temperature = 1, topK = 0, topP = 0.9, seed = 0, maxLength} = {}) {
    let {logs, states} = await this.read(ids);
    const draw = textSeed(ids, seed);
    for (let position = 0; position < (maxLength ?? this.settings.max_length); position++) {
      this.settings.banned.forEach((number) => (logs[number] = -Infinity));
      const high = logs.reduce((most, value) => Math.max(most, value), -Infinity);
      const sum = logs.reduce((total, value) => total + Math.exp(value - high), 0);
      logs = logs.map((value) => value - high - Math.log(sum));
      const id = choose(logs, uniform(draw, position), {temperature, topK, topP});
      yield {id, log: logs[id], logs};
      if (id === this.settings.end) {
        return;
      }
      ({logs, states} = await this.step(id, states));
    }
  }
}
