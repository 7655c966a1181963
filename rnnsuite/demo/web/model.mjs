// A model's files, and its signatures in LiteRT.js.

import {LiteFile} from '../device/runner.mjs';
import {loadAndCompile, loadLiteRt, Tensor} from '../litert/core/dist/index.js';

export class Model {
  /**
   * @param {string} folder its address.
   * @param {string} file the .tflite file in it.
   * @param {Function} progress is told which share of the file has come.
   */
  constructor(folder, file, progress = () => {}) {
    this.folder = folder;
    this.file = file;
    this.progress = progress;
  }

  async text(name) {
    return (await found(this.folder + name)).text();
  }

  async json(name) {
    return JSON.parse(await this.text(name));
  }

  async lines(name) {
    return (await this.text(name)).split('\n').filter(Boolean);
  }

  /** The file's signatures, as device/runner.mjs has them. */
  async open() {
    // The runtime tells on standard error how it starts; a browser would show that as errors.
    globalThis.Module = {printErr: (text) =>
      /^(INFO|WARNING)/.test(text) ? console.debug(text) : console.error(text)};
    const runtime = loadLiteRt(new URL('../litert/core/wasm/', import.meta.url).href);
    const bytes = await this.#bytes();
    await runtime;
    return new LiteFile(await loadAndCompile(bytes, {accelerator: 'wasm'}), Tensor);
  }

  async #bytes() {
    const response = await found(this.folder + this.file);
    const size = Number(response.headers.get('content-length'));
    const parts = [];
    let count = 0;
    const reader = response.body.getReader();
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      parts.push(read.value);
      count += read.value.length;
      this.progress(size ? Math.min(count / size, 1) : 0);
    }
    const bytes = new Uint8Array(count);
    parts.reduce((place, part) => {
      bytes.set(part, place);
      return place + part.length;
    }, 0);
    return bytes;
  }
}

async function found(address) {
  const response = await fetch(address);
  if (!response.ok) {
    throw new Error(`${address} cannot be loaded (${response.status} ${response.statusText})`);
  }
  return response;
}
