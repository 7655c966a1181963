// A picture that people choose, drop or paste, and where a model looked on it.

import {resize} from '../device/resize.mjs';
import {fail, guarded, labelled, make} from './elements.mjs';

const SHOWN = 360;  // pixels of the longer side
const LARGEST = 4096;

/** A chooser of a picture, which is drawn with an overlay on top. */
export class Picture {
  /** @param {Function} changed is called with {data, height, width} of every new picture. */
  constructor(changed) {
    this.changed = changed;
    this.canvas = make('canvas', {role: 'img', 'aria-label': 'No picture yet', hidden: true});
    const chooser = make('input', {type: 'file', accept: 'image/*'});
    chooser.addEventListener('change', () => this.#read(chooser.files[0]));
    const hint = 'PNG, JPEG, WebP or GIF. It can also be dropped or pasted here.';
    this.box = make('div', {class: 'picture'}, labelled('A picture', chooser, hint), this.canvas);
    this.box.addEventListener('dragover', (event) => event.preventDefault());
    this.box.addEventListener('drop', (event) => {
      event.preventDefault();
      this.#read(event.dataTransfer.files[0]);
    });
    document.addEventListener('paste', (event) => this.#read(event.clipboardData.files[0]));
  }

  #read(file) {
    if (file) {
      guarded(async () => {
        const bitmap = await createImageBitmap(file).catch(() => {
          throw new Error(`${file.name} is no picture that this browser can read.`);
        });
        await this.#show(bitmap, file.name);
      });
    }
  }

  async #show(bitmap, name) {
    fail('');
    const most = Math.max(bitmap.width, bitmap.height);
    const scale = Math.min(1, LARGEST / most);
    const [width, height] = [bitmap.width, bitmap.height].map((size) =>
      Math.max(Math.round(size * scale), 1));
    const whole = new OffscreenCanvas(width, height);
    const context = whole.getContext('2d', {willReadFrequently: true});
    context.drawImage(bitmap, 0, 0, width, height);
    this.whole = whole;
    const shown = Math.min(1, SHOWN / Math.max(width, height));
    this.canvas.width = Math.max(Math.round(width * shown), 1);
    this.canvas.height = Math.max(Math.round(height * shown), 1);
    this.canvas.hidden = false;
    this.canvas.setAttribute('aria-label', name);
    this.highlight([]);
    await this.changed(context.getImageData(0, 0, width, height));
  }

  /** Lights up where weights are great: rows x columns over the picture; none for all of it. */
  highlight(weights) {
    const {canvas} = this;
    const context = canvas.getContext('2d');
    context.drawImage(this.whole, 0, 0, canvas.width, canvas.height);
    const side = Math.round(Math.sqrt(weights.length));
    const most = Math.max(...weights, 1e-9);
    for (let place = 0; place < side * side; place++) {
      const [x, y] = [place % side, Math.floor(place / side)];
      context.fillStyle = `rgba(0, 0, 0, ${0.7 * (1 - weights[place] / most)})`;
      const [left, top] = [x * canvas.width / side, y * canvas.height / side];
      context.fillRect(left, top, canvas.width / side, canvas.height / side);
    }
  }
}

/** What a signature takes of a picture {data, height, width}, four numbers a pixel. */
export function pixels({data, height, width}, size) {
  const depth = data.length / (height * width);
  return {shape: [1, size, size, 3], data: resize(data, height, width, size, depth)};
}
