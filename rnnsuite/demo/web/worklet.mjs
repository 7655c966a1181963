// Runs beside the page, where sound comes in: passes on the samples of the first channel.

class Tap extends AudioWorkletProcessor {
  process([[samples]]) {
    if (samples) {
      this.port.postMessage(samples.slice());
    }
    return true;
  }
}

registerProcessor('tap', Tap);
