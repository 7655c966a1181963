// Series as drawings: lines, bands between two lines, and marked spans.

const SVG = 'http://www.w3.org/2000/svg';
const WIDTH = 720;
const HEIGHT = 220;
const LEFT = 56;
const BOTTOM = 24;

function draw(tag, attributes, text = '') {
  const element = document.createElementNS(SVG, tag);
  Object.entries(attributes).forEach(([name, value]) => element.setAttribute(name, value));
  element.textContent = text;
  return element;
}

/**
 * A drawing over time.
 *
 * @param {object} parts
 * @param {string} parts.title what it shows, for those who do not see it.
 * @param {{values: number[], from?: number, kind?: string}[]} parts.lines NaN where there is none;
 *     `from` is the step of the first value, `kind` a class of style.css.
 * @param {{low: number[], high: number[], from: number, kind: string}[]} parts.bands
 * @param {{start: number, end: number, label: string}[]} parts.spans in steps.
 * @param {Function} parts.named gives the text of a step on the axis.
 * @returns {SVGElement}
 */
export function chart({title, lines, bands = [], spans = [], named = String}) {
  const all = [...lines.map(({values}) => values), ...bands.flatMap(({low, high}) => [low, high])]
    .flatMap((values) => Array.from(values)).filter(Number.isFinite);
  const low = all.reduce((least, value) => Math.min(least, value), Infinity);
  const high = all.reduce((most, value) => Math.max(most, value), -Infinity);
  const steps = Math.max(2, ...lines.map(({values, from = 0}) => from + values.length),
    ...bands.map(({high: values, from}) => from + values.length));
  const x = (step) => LEFT + (WIDTH - LEFT - 8) * step / (steps - 1);
  const y = (value) => HEIGHT - BOTTOM - (HEIGHT - BOTTOM - 8) *
    (high > low ? (value - low) / (high - low) : 0.5);
  const point = (value, step) => `${x(step).toFixed(1)},${y(value).toFixed(1)}`;

  const image = draw('svg', {viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img', class: 'chart'});
  image.append(draw('title', {}, title));
  spans.forEach(({start, end, label}) => {
    const width = Math.max(x(Math.min(end, steps - 1)) - x(start), 2);
    const height = HEIGHT - BOTTOM - 8;
    const span = draw('rect', {x: x(start), y: 8, width, height, class: 'span'});
    span.append(draw('title', {}, label));
    image.append(span, draw('text', {x: x(start) + 2, y: 20, class: 'label'}, label));
  });
  bands.forEach(({low: below, high: above, from, kind}) => {
    const there = Array.from(above, (value, step) => point(value, from + step));
    const back = Array.from(below, (value, step) => point(value, from + step)).reverse();
    image.append(draw('polygon', {points: [...there, ...back].join(' '), class: `band ${kind}`}));
  });
  lines.forEach(({values, from = 0, kind = ''}) => {
    runs(values).forEach(([start, part]) => {
      const points = part.map((value, step) => point(value, from + start + step)).join(' ');
      image.append(draw('polyline', {points, class: `line ${kind}`}));
    });
  });
  if (all.length) {
    [low, high].forEach((value) => image.append(draw('text',
      {x: LEFT - 6, y: y(value) + 4, class: 'axis end'}, short(value))));
  }
  image.append(draw('text', {x: LEFT, y: HEIGHT - 6, class: 'axis'}, named(0)));
  image.append(draw('text', {x: WIDTH - 8, y: HEIGHT - 6, class: 'axis end'}, named(steps - 1)));
  return image;
}

function short(value) {
  return Math.abs(value) < 0.01 ? value.toFixed(2) : Number(value.toPrecision(4));
}

/** Where finite values begin, and those that follow each other. */
function runs(values) {
  const found = [];
  Array.from(values).forEach((value, step) => {
    if (!Number.isFinite(value)) {
      return;
    }
    const last = found.at(-1);
    if (last && last[0] + last[1].length === step) {
      last[1].push(value);
    } else {
      found.push([step, [value]]);
    }
  });
  return found;
}
