// Forecasts in a browser: values of a series to those that follow, with bands.

import {chart} from '../web/chart.mjs';
import {button, make} from '../web/elements.mjs';
import {numbersBox} from '../web/numbers.mjs';
import {Window} from '../device/window.mjs';

const LEVELS = 7;

export async function start(root, model, lite) {
  const settings = await model.json('window.json');
  const window = new Window(settings);

  async function ask({values, times, covariates}) {
    const {mean, quantiles} = await lite.run('forecast_window',
      window.inputs(values, times, covariates));
    const width = quantiles.shape[2];
    return {
      times: window.times(times),
      mean: [...mean.data],
      quantiles: Array.from({length: window.horizon}, (_, step) =>
        [...quantiles.data.slice(step * width, (step + 1) * width)]),
    };
  }

  const hint = 'A line for each observation: its value, or its time (a date, or a number) and ' +
    `its value between commas; nothing where one is missing. The last ${window.lookback} count.`;
  const {area, box} = numbersBox('Observations', hint, example);
  const drawing = make('div', {class: 'answer'});
  const table = make('div', {class: 'scroll'});
  const show = async () => {
    if (settings.covariates.length) {
      throw new Error(`This model also reads ${settings.covariates.join(', ')}: ask it by ask().`);
    }
    const {values, times} = parsed(area.value, settings);
    const answer = await ask({values, times});
    const column = (place) => answer.quantiles.map((row) => row[place]);
    const known = values.slice(-Math.max(3 * window.horizon, 100));
    const {levels} = settings;
    const last = levels.length - 1;
    const middle = levels.indexOf(0.5);
    drawing.replaceChildren(chart({
      title: `${known.length} observations and the ${window.horizon} steps that follow`,
      lines: [{values: known},
        {values: middle < 0 ? answer.mean : column(middle), from: known.length, kind: 'new'}],
      bands: Array.from({length: Math.floor(levels.length / 2)}, (_, place) =>
        ({low: column(place), high: column(last - place), from: known.length, kind: ''})),
      named: (step) => step < known.length ? `${step - known.length}` :
        `+${step - known.length + 1}`,
    }), make('p', {class: 'hint'}, 'Bands hold the middle ' + levels.slice(0, Math.floor(
      levels.length / 2)).map((level) => `${Math.round(100 * (1 - 2 * level))} %`).join(', ') +
      ' of what may come.'));
    table.replaceChildren(make('table', {},
      make('tr', {}, ...['step', 'mean', ...levels.map((level) => `${100 * level} %`)].map(
        (name) => make('th', {scope: 'col'}, name))),
      ...answer.quantiles.map((row, step) => make('tr', {},
        ...[`+${step + 1}`, answer.mean[step], ...row].map((value) => make('td', {},
          typeof value === 'number' ? String(Number(value.toPrecision(LEVELS))) : value))))));
  };
  root.append(box, button('Forecast', show), drawing, table);
  return ask;
}

/** Values and times of a text; without times, steps of the model's unit from 1970 on. */
function parsed(text, settings) {
  const values = [];
  const times = [];
  text.split(/\r?\n/).forEach((line, place) => {
    const cells = line.split(/[,;\t]/).map((cell) => cell.trim());
    const value = cells.at(-1);
    const number = value === '' || /^nan$/i.test(value) ? NaN : Number(value);
    if (!line.trim() || (Number.isNaN(number) && value && !/^nan$/i.test(value))) {
      if (line.trim() && values.length) {
        throw new Error(`Line ${place + 1}: "${value}" is no number.`);
      }
      return;  // an empty line, or a header
    }
    values.push(number);
    if (cells.length > 1) {
      const time = Number(cells[0]);
      times.push(Number.isNaN(time) ? Date.parse(cells[0]) / 1000 : time);
    }
  });
  if (values.filter(Number.isFinite).length < 2) {
    throw new Error('At least two observations are needed.');
  }
  if (times.some(Number.isNaN) || (times.length && times.length !== values.length)) {
    throw new Error('Some lines have no time that can be read, such as 2024-01-31 or ' +
      '2024-01-31T06:00.');
  }
  if (times.length) {
    return {values, times};
  }
  const step = settings.unit === 'month' ? 2629746 : settings.step;
  return {values, times: values.map((_, place) => place * step)};
}

/** Two weeks of hours with a daily and a weekly rhythm. */
function example() {
  return Array.from({length: 336}, (_, hour) => {
    const day = Math.sin(2 * Math.PI * (hour % 24 - 8) / 24);
    const week = hour % 168 < 120 ? 1 : 0.7;
    return (week * (300 + 80 * day) + 8 * Math.sin(hour * 12.9898)).toFixed(1);
  }).join('\n');
}
