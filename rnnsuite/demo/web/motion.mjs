// A phone's accelerometer and gyroscope, as rows of six numbers.

import {button, guarded} from './elements.mjs';

const METRES = 9.80665;  // per second squared, in a g
export const GRAVITY = 720;  // a g, in the steps of the sensor of UCI-HAR's and HAPT's recordings
export const RADIAN = 3274;  // a radian per second, in its steps

/** Whether this device says how it moves. */
export function hasMotion() {
  return typeof DeviceMotionEvent !== 'undefined' && window.matchMedia('(pointer: coarse)').matches;
}

/**
 * Calls `felt` so many times a second with acceleration [x, y, z] and rotation [x, y, z], in the
 * units of UCI-HAR's and HAPT's recordings.
 *
 * @returns {Function} that ends it.
 */
async function follow(rate, felt) {
  if (typeof DeviceMotionEvent.requestPermission === 'function') {
    if (await DeviceMotionEvent.requestPermission() !== 'granted') {
      throw new Error('The sensors of this device were not allowed.');
    }
  }
  let now = null;
  const listen = ({accelerationIncludingGravity: pull, rotationRate: turn}) => {
    if (pull?.x !== null && turn) {
      now = [...[pull.x, pull.y, pull.z].map((value) => value * GRAVITY / METRES),
        ...[turn.beta, turn.gamma, turn.alpha].map((value) =>
          (value ?? 0) * RADIAN * Math.PI / 180)];
    }
  };
  window.addEventListener('devicemotion', listen);
  const started = performance.now();
  let count = 0;
  const timer = setInterval(() => {
    const due = Math.floor((performance.now() - started) * rate / 1000);
    for (; now && count < due; count++) {
      felt(now);
    }
    count = due;
  }, 1000 / rate);
  return () => {
    clearInterval(timer);
    window.removeEventListener('devicemotion', listen);
  };
}

/**
 * A button that follows this device's own movements until it is pressed again.
 *
 * @param {number} rate rows a second.
 * @param {Function} begin gives a function that is called with each row, after the one before.
 */
export function motionButton(rate, begin) {
  const label = 'Follow this device';
  let end = null;
  const toggle = button(label, async () => {
    if (end) {
      end();
      end = null;
      toggle.textContent = label;
      return;
    }
    const feed = begin();
    let running = Promise.resolve();
    end = await follow(rate, (row) => {
      running = running.then(() => guarded(() => feed(row)));
    });
    toggle.textContent = 'Stop';
  });
  return toggle;
}
