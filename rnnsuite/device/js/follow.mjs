// Feeds a signature with states step by step, as follow.py does it.

/** What a signature takes and gives under the same name is a state, which begins as zeros. */
export class Follower {
  /**
   * @param {LiteFile} file see runner.mjs.
   * @param {string} signature the one with states.
   */
  constructor(file, signature) {
    this.file = file;
    this.signature = signature;
    const {gives} = file.signatures.get(signature);
    const zeros = Object.entries(file.zeros(signature));
    this.zeros = Object.fromEntries(zeros.filter(([name]) => gives.has(name)));
    this.size = zeros.find(([name]) => !gives.has(name))[1].shape[1];
    this.reset();
  }

  /** Begins another stream. */
  reset() {
    this.states = {...this.zeros};
  }

  /** The outputs of the next step that are no states; inputs are [1, size, ...]. */
  async step(inputs) {
    const outputs = await this.file.run(this.signature, {...inputs, ...this.states});
    for (const name of Object.keys(this.states)) {
      this.states[name] = outputs[name];
      delete outputs[name];
    }
    return outputs;
  }
}
