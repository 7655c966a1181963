// WAV bytes to samples, as wave.py reads them.

export const RATE = 16000;  // samples per second that models hear
const HALF_WIDTH = 16;  // zero crossings of the resampling kernel on either side of its centre
const HIGHEST_RATE = 192000;
const PCM = 1;
const FLOAT = 3;
const EXTENSIBLE = 0xfffe;

/** The samples of a WAV file in [-1, 1], channels mixed down, and their rate in Hz. */
export function read(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const name = (place) => String.fromCharCode(...bytes.subarray(place, place + 4));
  if (name(0) !== 'RIFF' || name(8) !== 'WAVE') {
    throw new Error('not a WAV file: no RIFF/WAVE header');
  }
  let place = 12;
  let header = null;
  let data = null;
  while (place + 8 <= bytes.length && data === null) {
    const size = view.getUint32(place + 4, true);
    if (name(place) === 'fmt ' && place + 24 <= bytes.length) {
      header = place + 8;
    } else if (name(place) === 'data') {
      data = bytes.subarray(place + 8, Math.min(place + 8 + size, bytes.length));
    }
    place += 8 + size + size % 2;
  }
  if (header === null || data === null) {
    throw new Error('not a whole WAV file: its header is cut short');
  }
  let kind = view.getUint16(header, true);
  const channels = view.getUint16(header + 2, true);
  const rate = view.getUint32(header + 4, true);
  const bits = view.getUint16(header + 14, true);
  if (kind === EXTENSIBLE && header + 26 <= bytes.length) {
    kind = view.getUint16(header + 24, true);
  }
  const isKnown = kind === PCM && [8, 16, 24, 32].includes(bits) || kind === FLOAT && bits === 32;
  if (!isKnown || !channels) {
    throw new Error(`WAV of format ${kind}, ${bits} bits, ${channels} channels at ${rate} Hz: ` +
      'only PCM of 8, 16, 24 or 32 bits and 32-bit float can be read');
  }
  if (!(rate > 0 && rate <= HIGHEST_RATE)) {
    throw new Error(`a rate of ${rate} Hz, which is not between 1 and ${HIGHEST_RATE} Hz`);
  }
  return {samples: mixed(data, kind, bits, channels), rate};
}

function mixed(data, kind, bits, channels) {
  const width = bits / 8;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const value = {
    8: (place) => (view.getUint8(place) - 128) / 128,
    16: (place) => view.getInt16(place, true) / 2 ** 15,
    24: (place) => (view.getUint8(place) + view.getInt16(place + 1, true) * 256) / 2 ** 23,
    32: (place) => kind === FLOAT ? view.getFloat32(place, true) :
      Math.fround(view.getInt32(place, true)) / 2 ** 31,
  }[bits];
  const samples = new Float32Array(Math.floor(data.length / (width * channels)));
  for (let number = 0; number < samples.length; number++) {
    let sum = 0;
    for (let channel = 0; channel < channels; channel++) {
      const sample = value((number * channels + channel) * width);
      sum = Math.fround(sum + Math.min(Math.max(Number.isFinite(sample) ? sample : 0, -1), 1));
    }
    samples[number] = sum / channels;
  }
  return samples;
}

/** Samples cut or filled up to a length: of a longer sound the loudest part. */
export function fit(samples, count) {
  if (samples.length <= count) {
    return padded(samples, count);
  }
  const grain = Math.max(Math.floor(count / 100), 1);
  const blocks = Math.ceil(samples.length / grain);
  const energy = new Float64Array(blocks + 1);
  for (let block = 0; block < blocks; block++) {
    let sum = 0;
    for (const sample of samples.subarray(block * grain, (block + 1) * grain)) {
      sum += sample * sample;
    }
    energy[block + 1] = energy[block] + sum;
  }
  const window = Math.min(Math.floor(count / grain), blocks);
  let best = 0;
  for (let start = 0; start + window <= blocks; start++) {
    if (energy[start + window] - energy[start] > energy[best + window] - energy[best]) {
      best = start;
    }
  }
  return padded(samples.subarray(best * grain, best * grain + count), count);
}

function padded(samples, count) {
  const longer = new Float32Array(count);
  longer.set(samples);
  return longer;
}

/** Samples at another rate, by a Hann-windowed sinc (J. O. Smith, Digital Audio Resampling). */
export function resample(samples, rate, count, to = RATE) {
  if (rate === to) {
    return fit(samples, count);
  }
  const passed = Math.min(1, to / rate);
  const width = Math.ceil(HALF_WIDTH / passed);
  const values = new Float32Array(count);
  for (let number = 0; number < count; number++) {
    const place = number * rate;
    const near = Math.floor(place / to);
    const rest = place % to / to;
    let sum = 0;
    for (let tap = near + 1 - width; tap <= near + width; tap++) {
      if (tap >= 0 && tap < samples.length) {
        const away = near - tap + rest;
        const angle = Math.PI * passed * away;
        const sinc = angle === 0 ? 1 : Math.sin(angle) / angle;
        const hann = 0.5 + 0.5 * Math.cos(Math.PI * Math.min(Math.max(away / width, -1), 1));
        sum += samples[tap] * Math.fround(passed * sinc * hann);
      }
    }
    values[number] = sum;
  }
  return values;
}

/** So many samples at 16 kHz of a WAV file of any rate and length. */
export function clip(bytes, count) {
  const {samples, rate} = read(bytes);
  return resample(fit(samples, Math.round(count * rate / RATE)), rate, count);
}

/** All samples at 16 kHz of a WAV file, silence behind them up to a multiple of a grain. */
export function whole(bytes, grain) {
  const {samples, rate} = read(bytes);
  const count = Math.ceil(samples.length * RATE / rate);
  return padded(resample(samples, rate, count), Math.max(Math.ceil(count / grain), 1) * grain);
}
