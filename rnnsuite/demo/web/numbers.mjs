// Numbers that people paste or choose as files: CSV, and arrays of numpy.

import {button, guarded, labelled, make} from './elements.mjs';

/**
 * Rows of numbers of a text; a line without any number is a header.
 *
 * @param {string} text numbers between commas, semicolons, tabs or spaces; an empty cell between
 *     commas is missing, NaN.
 * @param {number} width numbers of a row; 0 for any.
 */
export function rows(text, width = 0) {
  const found = [];
  text.split(/\r?\n/).forEach((line, place) => {
    if (!line.trim() || /^\s*#/.test(line)) {
      return;
    }
    const cells = line.trim().split(/\s*[,;\t]\s*|\s+/);
    const values = cells.map((cell) => cell === '' || /^nan$/i.test(cell) ? NaN : Number(cell));
    const isNumber = values.map((value, cell) => !Number.isNaN(value) || cells[cell] === '' ||
      /^nan$/i.test(cells[cell]));
    if (!isNumber.every(Boolean)) {
      if (!found.length && !values.some(Number.isFinite)) {
        return;  // a header
      }
      throw new Error(`Line ${place + 1}: "${cells[isNumber.indexOf(false)]}" is no number.`);
    }
    if (width && values.length !== width) {
      throw new Error(`Line ${place + 1} has ${values.length} numbers, not ${width}.`);
    }
    found.push(values);
  });
  if (!found.length) {
    throw new Error('There are no numbers yet.');
  }
  return found;
}

/** A box for numbers with a file chooser and an example; `read` is called with a file's text. */
export function numbersBox(label, hint, example) {
  const area = make('textarea', {rows: 8, spellcheck: 'false', class: 'numbers'});
  const chooser = make('input', {type: 'file', accept: '.csv,.txt,.tsv,text/*'});
  chooser.addEventListener('change', () => guarded(async () => {
    area.value = await chooser.files[0].text();
  }));
  const fill = button('Example', () => {
    area.value = example();
  }, {class: 'second'});
  const box = make('div', {}, labelled(label, area, hint), labelled('or a file', chooser), fill);
  return {area, box};
}

/** A two-dimensional array of numpy's .npy format, as rows. */
export function readNpy(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 12 || String.fromCharCode(...bytes.subarray(1, 6)) !== 'NUMPY') {
    throw new Error('This is no .npy file.');
  }
  const isLong = bytes[6] > 1;
  const size = isLong ? view.getUint32(8, true) : view.getUint16(8, true);
  const start = (isLong ? 12 : 10) + size;
  const header = new TextDecoder().decode(bytes.subarray(start - size, start));
  const type = /'descr': *'<(f4|f8)'/.exec(header)?.[1];
  const shape = /'shape': *\((\d+), *(\d+)\)/.exec(header);
  if (!type || !shape || /'fortran_order': *True/.test(header)) {
    throw new Error('Only arrays [frames, numbers] of float32 or float64, row by row, can be ' +
      'read.');
  }
  const [count, width] = [Number(shape[1]), Number(shape[2])];
  const wide = type === 'f4' ? 4 : 8;
  if (bytes.length < start + count * width * wide) {
    throw new Error('This .npy file is cut short.');
  }
  const value = (place) => wide === 4 ? view.getFloat32(place, true) : view.getFloat64(place, true);
  return Array.from({length: count}, (_, row) => Array.from({length: width},
    (_unused, column) => value(start + (row * width + column) * wide)));
}
