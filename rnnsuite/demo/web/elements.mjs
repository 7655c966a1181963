// What pages are put together from.

/**
 * An element.
 *
 * @param {string} tag its name.
 * @param {object} attributes by name; those that begin with "on" are listeners.
 * @param {...(Node|string)} children in order.
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) {
      element.addEventListener(name.slice(2), value);
    } else if (value !== false && value !== undefined) {
      element.setAttribute(name, value === true ? '' : value);
    }
  }
  element.append(...children);
  return element;
}

let numbered = 0;

/** A control with its label, and a hint under it. */
export function labelled(label, control, hint = '') {
  control.id ||= `control-${++numbered}`;
  const parts = [make('label', {for: control.id}, label), control];
  if (hint) {
    control.setAttribute('aria-describedby', `${control.id}-hint`);
    parts.push(make('p', {class: 'hint', id: `${control.id}-hint`}, hint));
  }
  return make('div', {class: 'field'}, ...parts);
}

/** A button that cannot be pressed again before what it does has ended. */
export function button(label, action, attributes = {}) {
  return make('button', {type: 'button', ...attributes, onclick: async ({currentTarget}) => {
    currentTarget.disabled = true;
    await guarded(action);
    currentTarget.disabled = false;
  }}, label);
}

/** Runs an action; an error becomes a message of the page. */
export async function guarded(action) {
  fail('');
  try {
    return await action();
  } catch (error) {
    fail(error.message ?? String(error));
    return undefined;
  }
}

/** Says politely how far something is. */
export function say(text) {
  document.querySelector('#status').textContent = text;
}

/** Says what went wrong; nothing to take it back. */
export function fail(text) {
  const alert = document.querySelector('#alert');
  alert.textContent = text;
  alert.hidden = !text;
}

/** The last of many calls in a short time, after the one before has ended. */
export function latest(action, milliseconds = 250) {
  let timer;
  let running = Promise.resolve();
  return () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      running = running.then(() => guarded(action));
    }, milliseconds);
  };
}

/** Lets the browser draw. */
export function drawn() {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

export function percent(share) {
  return `${(100 * share).toFixed(1)} %`;
}
