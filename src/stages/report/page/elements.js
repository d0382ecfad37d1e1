// HTML elements: a function that makes them, and the selects, tables and words that several sections share.

function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, '');
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children.flat().filter((child) => child != null));
  return node;
}

function fillSelect(select, options, chosen) {
  select.replaceChildren(...options.map(({ value, label }) => el('option', { value }, label)));
  select.value = chosen;
  select.disabled = options.length < 2;
}

const unique = (values) => [...new Set(values)];
const asOptions = (values, label = (value) => value) => values.map((value) => ({ value, label: label(value) }));

// A frame that scrolls if the table is wider than the page, with a hint that it does.
const frameObserver = new ResizeObserver((entries) => entries.forEach(({ target }) =>
  target.parentElement?.classList.toggle('is-wide', target.scrollWidth > target.clientWidth + 1)));

function framed(caption, ...parts) {
  const frame = el('div', { class: 'wide', tabindex: '0', role: 'region', 'aria-label': caption }, el('table', {}, el('caption', {}, caption), ...parts));
  frameObserver.observe(frame);
  return el('div', { class: 'framed' }, el('p', { class: 'scroll-hint', 'aria-hidden': 'true' }, 'This table is wider than the page. Scroll it sideways →'), frame);
}

// `columns`: [heading, class, cell of a row].
function table(caption, columns, rows) {
  return framed(caption,
    el('thead', {}, el('tr', {}, columns.map(([heading, kind]) => el('th', { scope: 'col', class: kind }, heading)))),
    el('tbody', {}, rows.map((row) => el('tr', {}, columns.map(([, kind, cell]) => el('td', { class: kind }, cell(row)))))));
}

const VERDICT_CLASSES = { 'does not compress': 'does-not', 'cannot tell (saturated)': 'cannot-tell', 'contradicted (checks)': 'contradicted' };
const verdict = (word) => el('span', { class: `verdict ${VERDICT_CLASSES[word] ?? word}` }, word);
const quiet = (text) => el('p', { class: 'quiet' }, text);
const shownExperiments = () => [...new Set(sides.map((side) => side.experiment))];

// An epoch that may exist in some of the runs only.
const epochOfRuns = (epoch, k, n) => `${whole(epoch)}${epoch !== null && k < n ? ` (${k} of ${n} runs)` : ''}`;
