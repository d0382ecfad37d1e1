// Downloads of a figure: PNG, SVG, and its numbers as CSV.

// PNGs have this many pixels for each pixel of the page, for print.
const PNG_SCALE = 3;
const LINE_HEIGHT = 18;
// Mean width of a character of the title and of the legend.
const CHARACTER_WIDTH = 7.6;

function save(url, name) {
  el('a', { href: url, download: name }).click();
}

function saveText(text, name, type) {
  const url = URL.createObjectURL(new Blob([text], { type }));
  save(url, name);
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

// Joins `parts` to lines that are at most `width` pixels wide. The parts may contain markup, which has no width.
function inLines(parts, separator, width) {
  const lengthOf = (text) => text.replace(/<[^>]*>/g, '').length;
  return parts.reduce((lines, part) => {
    const longer = lines.length ? `${lines.at(-1)}${separator}${part}` : part;
    const isTooLong = lines.length > 0 && lengthOf(longer) * CHARACTER_WIDTH > width;
    return isTooLong ? [...lines, part] : [...lines.slice(0, -1), longer];
  }, []);
}

// The figure with a title and a legend, which the page shows outside of the figure.
function withTitle(plot, title, legend) {
  const { layout, data } = plot;
  const width = layout.width - layout.margin.l - layout.margin.r;
  const lines = [...inLines(title.map(inFigure), ', ', width).map((line) => `<b>${line}</b>`), ...inLines(legend, '   ', width)];
  const more = lines.length * LINE_HEIGHT + 8;
  const words = { text: lines.join('<br>'), xref: 'paper', yref: 'paper', x: 0, y: 1, yshift: layout.margin.t - 4, xanchor: 'left', yanchor: 'bottom', showarrow: false, align: 'left', font: { size: 12.5 } };
  const larger = { ...layout, height: layout.height + more, margin: { ...layout.margin, t: layout.margin.t + more }, annotations: [...(layout.annotations ?? []), words] };
  return { data, layout: larger, config: CONFIG };
}

async function savePicture(figure, format) {
  const { plot, title, legend, name } = figure();
  const picture = withTitle(plot, title, legend);
  const { width, height } = picture.layout;
  const url = await Plotly.toImage(picture, { format, width, height, scale: format === 'png' ? PNG_SCALE : 1 });
  save(url, `${fileName(name)}.${format}`);
}

function saveCsv(figure) {
  const { columns, rows, name } = figure();
  saveText(csvText(columns, rows()), `${fileName(name)}.csv`, 'text/csv');
}

const fileName = (name) => name.replace(/[^\p{L}\p{N}._=,-]+/gu, '-');

// `figure` returns { plot, title, legend, name, columns, rows }: the current figure, with the parts of its title and of its legend,
// and the rows of its CSV file.
function downloads(label, figure) {
  const button = (format, act) => el('button', { type: 'button', 'aria-label': `Download ${format} of ${label}`, onclick: act }, format);
  return el('div', { class: 'downloads' }, el('span', { 'aria-hidden': 'true' }, 'Download'),
    button('PNG', () => savePicture(figure, 'png')), button('SVG', () => savePicture(figure, 'svg')), button('CSV', () => saveCsv(figure)));
}

// The symbols of layers as characters, in the order of SYMBOLS.
const SYMBOL_CHARACTERS = ['●', '■', '◆', '▲', '▼', '✚', '✖', '★'];
const entry = (colour, symbol, text) => `<span style="color:${colour}">${symbol}</span> ${inFigure(text)}`;
const layerEntries = (side, colour = layerColour) => side.layers.map((layer) =>
  entry(colour(layer), SYMBOL_CHARACTERS[SYMBOLS.indexOf(layerSymbol(layer))], layerName(side.experiment, layer)));
