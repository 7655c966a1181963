// The signatures of a portable .tflite file by LiteRT.js, as runner.py has them.
//
// An array is {shape, data}: its sizes, and a Float32Array or Int32Array.

const ARRAYS = {float32: Float32Array, int32: Int32Array};
const LENGTH = 'length';  // an input that need not be given: how long the others are

/** `run(name, inputs)` gives the outputs of a signature by name. */
export class LiteFile {
  /**
   * @param {object} model what loadAndCompile of LiteRT.js gives.
   * @param {Function} Tensor the class of LiteRT.js.
   */
  constructor(model, Tensor) {
    this.Tensor = Tensor;
    this.signatures = new Map(Object.entries(model.signatures).map(([name, runner]) => {
      const described = (details) => new Map(details.map(
        (each) => [each.name, {shape: [...each.shape], type: each.dtype}]));
      const takes = described(runner.getInputDetails());
      return [name, {runner, takes, gives: described(runner.getOutputDetails())}];
    }));
  }

  /** The signatures of so many lengths that together are `name`, the shortest first. */
  lengths(name) {
    const found = [...this.signatures.keys()].filter((key) =>
      key.startsWith(`${name}_`) && /^\d+$/.test(key.slice(name.length + 1)));
    return found.map((key) => ({length: Number(key.slice(name.length + 1)), key}))
      .sort((a, b) => a.length - b.length);
  }

  /** What a signature of one size takes, filled with zeros. */
  zeros(name) {
    const {takes} = this.signatures.get(name);
    return Object.fromEntries([...takes].map(([key, {shape, type}]) => [key, empty(shape, type)]));
  }

  async run(name, inputs) {
    if (this.signatures.has(name)) {
      return this.#run(name, inputs);
    }
    const parts = this.lengths(name);
    const shapes = parts.map(({key}) => this.signatures.get(key));
    const [one, other] = shapes.map(({takes}) => takes);
    const own = [...one.keys()].filter((key) =>
      key !== LENGTH && `${one.get(key).shape}` !== `${other.get(key).shape}`);
    const length = inputs[own[0]].shape[1];
    const part = parts.find((each) => each.length >= length);
    if (!part) {
      throw new RangeError(`${name} takes at most ${parts.at(-1).length} steps, not ${length}`);
    }
    const {takes, gives} = this.signatures.get(part.key);
    const filled = {...inputs};
    own.forEach((key) => (filled[key] = resized(inputs[key], takes.get(key).shape)));
    if (takes.has(LENGTH)) {
      filled[LENGTH] = {shape: [1], data: Int32Array.of(length)};
    }
    const outputs = await this.#run(part.key, filled);
    const others = shapes.find((each) => each.gives !== gives).gives;
    for (const [key, {shape}] of gives) {
      if (`${shape}` !== `${others.get(key).shape}`) {
        const steps = Math.floor(length * shape[1] / part.length);
        outputs[key] = resized(outputs[key], [shape[0], steps, ...shape.slice(2)]);
      }
    }
    return outputs;
  }

  async #run(name, inputs) {
    const {runner, takes, gives} = this.signatures.get(name);
    const tensors = Object.fromEntries([...takes].map(([key, {shape, type}]) => {
      const {data} = inputs[key];
      const size = shape.reduce((product, each) => product * each, 1);
      if (data.length !== size) {
        throw new RangeError(`${key} must have the shape ${shape}, not ${inputs[key].shape}`);
      }
      return [key, new this.Tensor(ARRAYS[type].from(data), shape)];
    }));
    const results = await runner.run(tensors);
    const outputs = {};
    for (const [key, tensor] of Object.entries(results)) {
      outputs[key] = {shape: gives.get(key).shape, data: (await tensor.data()).slice()};
      tensor.delete();
    }
    Object.values(tensors).forEach((tensor) => tensor.delete());
    return outputs;
  }
}

function empty(shape, type) {
  return {shape, data: new ARRAYS[type](shape.reduce((product, each) => product * each, 1))};
}

/** [1, n, ...] with zeros behind, or cut, to another n: values lie one step after the other. */
function resized({data}, shape) {
  const longer = new data.constructor(shape.reduce((product, each) => product * each, 1));
  longer.set(data.subarray(0, longer.length));
  return {shape, data: longer};
}
