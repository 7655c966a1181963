// Sound: of the microphone as it comes, and of files.

import {RATE, resample} from '../device/wave.mjs';

/** Blocks of samples at 16 kHz of the microphone. */
export class Microphone {
  /**
   * @param {number} size samples of a block.
   * @param {Function} heard is called with every block, a Float32Array.
   */
  constructor(size, heard) {
    this.size = size;
    this.heard = heard;
    this.rest = new Float32Array(0);
  }

  get isOn() {
    return Boolean(this.context);
  }

  async start() {
    if (!navigator.mediaDevices?.getUserMedia || typeof AudioWorkletNode === 'undefined') {
      throw new Error('This browser gives this page no microphone: it needs https or localhost.');
    }
    this.stream = await navigator.mediaDevices.getUserMedia({audio: {channelCount: 1}})
      .catch((error) => {
        throw new Error(`No microphone: ${error.message || error.name}.`);
      });
    await this.#connect(new AudioContext({sampleRate: RATE})).catch(async (error) => {
      if (error.name !== 'NotSupportedError') {
        throw error;
      }
      await this.#connect(new AudioContext());  // browsers that do not resample a microphone
    });
  }

  async #connect(context) {
    await context.audioWorklet.addModule(new URL('worklet.mjs', import.meta.url).href);
    const source = context.createMediaStreamSource(this.stream);
    const tap = new AudioWorkletNode(context, 'tap', {numberOfOutputs: 0});
    const resampler = new Resampler(context.sampleRate);
    tap.port.onmessage = ({data}) => this.#add(resampler.feed(data));
    source.connect(tap);
    this.context = context;
  }

  #add(samples) {
    let all = joined(this.rest, samples);
    while (all.length >= this.size) {
      this.heard(all.slice(0, this.size));
      all = all.subarray(this.size);
    }
    this.rest = all.slice();
  }

  async stop() {
    this.stream?.getTracks().forEach((track) => track.stop());
    await this.context?.close();
    this.context = undefined;
    this.rest = new Float32Array(0);
  }
}

/** Brings a stream of samples to 16 kHz, piece by piece. */
export class Resampler {
  constructor(rate) {
    this.rate = rate;
    this.before = new Float32Array(0);
    this.second = Math.round(rate / 100);  // pieces of 10 ms, with as much on either side
  }

  feed(samples) {
    if (this.rate === RATE) {
      return samples;
    }
    this.before = joined(this.before, samples);
    const parts = [];
    const size = this.second;
    while (this.before.length >= 3 * size) {
      const count = Math.round(3 * size * RATE / this.rate);
      const piece = resample(this.before.subarray(0, 3 * size), this.rate, count);
      parts.push(piece.slice(count / 3, 2 * count / 3));
      this.before = this.before.slice(size);
    }
    return joined(...parts);
  }
}

/** All samples of a sound file at 16 kHz, channels mixed down. */
export async function samplesOf(file) {
  const context = new OfflineAudioContext(1, 1, RATE);
  const buffer = await context.decodeAudioData(await file.arrayBuffer()).catch(() => {
    throw new Error(`${file.name} is no sound that this browser can read.`);
  });
  const mixed = new Float32Array(buffer.length);
  for (let channel = 0; channel < buffer.numberOfChannels; channel++) {
    buffer.getChannelData(channel).forEach((sample, place) => {
      mixed[place] += sample / buffer.numberOfChannels;
    });
  }
  return mixed;
}

function joined(...parts) {
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  parts.reduce((place, part) => {
    all.set(part, place);
    return place + part.length;
  }, 0);
  return all;
}
