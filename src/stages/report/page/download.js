// Downloads of a figure: PNG, SVG, and its numbers as CSV.

// PNGs have this many pixels for each pixel of the page, for print.
const PNG_SCALE = 3;
const TITLE_HEIGHT = 46;

function save(url, name) {
  el('a', { href: url, download: name }).click();
}

function saveText(text, name, type) {
  const url = URL.createObjectURL(new Blob([text], { type }));
  save(url, name);
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

// A picture that leaves the page has a title and a legend, which the page shows next to the figure.
function withTitle(plot, title, legend) {
  const { layout, data } = plot;
  const height = layout.height + TITLE_HEIGHT;
  const margin = { ...layout.margin, t: layout.margin.t + TITLE_HEIGHT };
  const inPixels = { xref: 'paper', yref: 'paper', x: 0, y: 1, xanchor: 'left', yanchor: 'bottom', showarrow: false, align: 'left' };
  const lines = [
    { ...inPixels, text: `<b>${inFigure(title)}</b>`, yshift: layout.margin.t + 16, font: { size: 14 } },
    { ...inPixels, text: legend, yshift: layout.margin.t - 6, font: { size: 12.5 } },
  ];
  return { data, layout: { ...layout, height, margin, annotations: [...(layout.annotations ?? []), ...lines] }, config: CONFIG };
}

async function savePicture(figure, format) {
  const { plot, title, legend, name } = figure();
  const { width, height } = plot.layout;
  const scale = format === 'png' ? PNG_SCALE : 1;
  const url = await Plotly.toImage(withTitle(plot, title, legend), { format, width, height: height + TITLE_HEIGHT, scale });
  save(url, `${fileName(name)}.${format}`);
}

function saveCsv(figure) {
  const { columns, rows, name } = figure();
  saveText(csvText(columns, rows()), `${fileName(name)}.csv`, 'text/csv');
}

const fileName = (name) => name.replace(/[^\p{L}\p{N}._=,-]+/gu, '-');

// `figure` returns { plot, title, legend, name, columns, rows }: the figure as it is now, and the rows of its CSV file.
function downloads(label, figure) {
  const button = (format, act) => el('button', { type: 'button', 'aria-label': `Download ${format} of ${label}`, onclick: act }, format);
  return el('div', { class: 'downloads' }, el('span', { 'aria-hidden': 'true' }, 'Download'),
    button('PNG', () => savePicture(figure, 'png')), button('SVG', () => savePicture(figure, 'svg')), button('CSV', () => saveCsv(figure)));
}

// The symbols of layers as characters, in the order of SYMBOLS.
const SYMBOL_CHARACTERS = ['●', '■', '◆', '▲', '▼', '✚', '✖', '★'];
const entry = (colour, symbol, text) => `<span style="color:${colour}">${symbol}</span> ${inFigure(text)}`;
const layerEntries = (side) => side.layers.map((layer) =>
  entry(layerColour(layer), SYMBOL_CHARACTERS[SYMBOLS.indexOf(layerSymbol(layer))], layerName(side.experiment, layer))).join('   ');
