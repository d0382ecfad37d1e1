// Filters and sorts the table of claims. Without scripts the page shows the whole table.
const table = document.querySelector('main table');
const rows = [...table.tBodies[0].rows];
const headers = [...table.tHead.rows[0].cells];
const text = (row, column) => row.cells[column].textContent;

// The table is wider than a page of text.
document.documentElement.style.setProperty('--content-max-width', '100%');
table.style.fontSize = '0.8em';
headers.find((header) => header.textContent === 'claim').style.minWidth = '18em';

const words = document.createElement('input');
words.type = 'search';
words.placeholder = 'words in any column';
const selects = ['paper', 'verdict'].map((name) => {
  const column = headers.findIndex((header) => header.textContent === name);
  const value = (row) => text(row, column);
  const select = document.createElement('select');
  select.append(new Option(`${name}: any`, ''));
  new Set(rows.map(value)).forEach((choice) => select.append(new Option(choice, choice)));
  return { select, isShown: (row) => !select.value || value(row) === select.value };
});
const count = document.createElement('output');
const controls = document.createElement('p');
controls.append(words, ' ', ...selects.flatMap(({ select }) => [select, ' ']), count);
table.before(controls);

function filter() {
  const wanted = words.value.toLowerCase().split(' ');
  const isShown = (row) =>
    selects.every((choice) => choice.isShown(row)) && wanted.every((word) => row.textContent.toLowerCase().includes(word));
  rows.forEach((row) => (row.hidden = !isShown(row)));
  count.value = `${rows.filter((row) => !row.hidden).length} of ${rows.length} claims`;
}
controls.addEventListener('input', filter);
filter();

headers.forEach((header, column) => {
  const button = document.createElement('button');
  button.textContent = header.textContent;
  button.title = 'Sort by this column';
  header.replaceChildren(button);
  button.addEventListener('click', () => {
    const sign = header.getAttribute('aria-sort') === 'ascending' ? -1 : 1;
    headers.forEach((other) => other.removeAttribute('aria-sort'));
    header.setAttribute('aria-sort', sign > 0 ? 'ascending' : 'descending');
    const compare = (a, b) => text(a, column).localeCompare(text(b, column), 'en', { numeric: true });
    table.tBodies[0].append(...rows.toSorted((a, b) => sign * compare(a, b)));
  });
});
