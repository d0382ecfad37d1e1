// The overlay: several experiments in one plane. The legend names only the settings that differ.

// Number of experiments in the overlay before the reader selects some.
const FIRST_OVERLAID = 4;
const overlayPlot = () => byId('overlay-figure').querySelector('.plot');

const overlayIndices = () => (state.overlay === null ? DATA.experiments.map((_, i) => i).slice(0, FIRST_OVERLAID) : [...state.overlay].sort((a, b) => a - b));
const overlaid = () => overlayIndices().map((index) => DATA.experiments[index]);

// The values of the sweep's parameters that differ among `experiments`; the name of the experiment if there are none.
function differences(experiment, experiments) {
  const valueOf = (other, parameter) => other.varied.find(([name]) => name === parameter)?.[1];
  const parameters = unique(experiments.flatMap((other) => other.varied.map(([name]) => name)));
  const differing = parameters.filter((parameter) => new Set(experiments.map((other) => valueOf(other, parameter))).size > 1);
  const words = differing.map((parameter) => `${parameter.split('.').at(-1)} ${valueOf(experiment, parameter) ?? '–'}`);
  return words.join(', ') || experiment.name;
}

// Experiments with the same settings (of two sweeps) are labelled with their names.
function overlayLabels(experiments) {
  const labels = experiments.map((experiment) => differences(experiment, experiments));
  return labels.map((label, i) => (labels.indexOf(label) === labels.lastIndexOf(label) ? label : experiments[i].name));
}

// Up to eight experiments have the colours of the palette; more have a gradient of colours in their order.
const overlayColour = (i, n) => (n <= COLOURS.length ? layerColour(i + 1) : rampColour(i / (n - 1)));

function overlaySide(experiment) {
  const estimate = estimateOf(experiment, state.estimate) ?? null;
  const side = makeSide(experiment, estimate);
  return estimate && isInPlane(estimate) ? { ...side, run: 'mean' } : { ...side, run: 'mean', layers: [] };
}

function overlayTraces(side, colour, label, ink) {
  const snapshot = snapshotAt(side.times, state.time);
  if (snapshot < 0) return [];
  return side.layers.flatMap((layer) => {
    const { i_xt, i_ty, text } = curves(side).get(layer);
    const words = text.map((line) => `${inFigure(label)}<br>${line}`);
    const hovertemplate = '%{text}<extra></extra>';
    const path = { x: i_xt.slice(0, snapshot + 1), y: i_ty.slice(0, snapshot + 1), text: words.slice(0, snapshot + 1), mode: 'lines', line: { color: transparent(colour, 0.5), width: 1.4 }, hovertemplate };
    const point = { x: [i_xt[snapshot]], y: [i_ty[snapshot]], text: [words[snapshot]], mode: 'markers', cliponaxis: false, marker: { color: colour, symbol: layerSymbol(layer), size: 11, line: { color: ink.paper, width: 1 } }, hovertemplate };
    return state.paths === 'none' ? [point] : [path, point];
  });
}

// A colour of a palette (#rrggbb) or of a ramp (rgb(…)) with transparency.
const transparent = (colour, alpha) => (colour.startsWith('#') ? rgba(colour, alpha) : colour.replace('rgb(', 'rgba(').replace(')', `,${alpha})`));

function toggleOverlaid(index) {
  const chosen = new Set(overlayIndices());
  if (!chosen.delete(index)) chosen.add(index);
  state.overlay = chosen;
  drawOverlay();
  writeUrl();
  byId(`overlay-${index}`).focus();
}

function drawOverlayChoices() {
  const indices = overlayIndices();
  const labels = overlayLabels(DATA.experiments);
  byId('overlay-summary').textContent = `Select experiments (${indices.length} of ${labels.length})`;
  byId('overlay-choices').replaceChildren(...labels.map((label, i) =>
    el('label', { class: 'check', title: DATA.experiments[i].name }, el('input', { type: 'checkbox', id: `overlay-${i}`, checked: indices.includes(i), onchange: () => toggleOverlaid(i) }), label)));
}

function drawOverlayLegend(experiments, labels) {
  const colours = labels.map((label, i) => {
    const swatch = el('i', { 'aria-hidden': 'true' });
    swatch.style.background = overlayColour(i, labels.length);
    return el('span', {}, swatch, label);
  });
  const layers = unique(experiments.flatMap(shownLayers)).sort((a, b) => a - b);
  byId('overlay-legend').replaceChildren(...colours, ...layers.map((layer) => el('span', { class: 'symbol' }, symbolIcon(layer, 'var(--faint)'), legendName(layer))));
}

function overlayFigure() {
  const experiments = overlaid();
  const colours = overlayLabels(experiments).map((label, i, { length }) => entry(overlayColour(i, length), '●', label));
  const layers = unique(experiments.flatMap(shownLayers)).sort((a, b) => a - b);
  const time = timeline[currentIndex()];
  return {
    plot: overlayPlot(), title: [`${experiments.length} experiments`, state.estimate, 'mean over runs', `${timeAxis().title} ${significant(time)}`],
    legend: [...colours, ...layerEntries({ experiment: chosenExperiment(), layers }, () => inks().faint)],
    name: `overlay-${state.estimate}`, columns: CSV_COLUMNS, rows: () => experiments.map(overlaySide).flatMap(csvRows),
  };
}

function drawOverlay() {
  showSection('overlay', DATA.experiments.length > 1);
  if (DATA.experiments.length < 2) return;
  const experiments = overlaid();
  const labels = overlayLabels(experiments);
  const ink = inks();
  const overlaidSides = experiments.map(overlaySide);
  drawOverlayChoices();
  drawOverlayLegend(experiments, labels);
  if (!overlayPlot()) {
    byId('overlay-figure').append(el('div', { class: 'plot', role: 'img', 'aria-label': 'Information plane of the selected experiments' }), el('p', { class: 'quiet', id: 'overlay-missing' }), downloads('the overlay', overlayFigure));
  }
  const missing = overlaidSides.filter((side) => side.layers.length === 0 && shownLayers(side.experiment).length).map((side) => side.experiment.name);
  byId('overlay-missing').textContent = missing.length ? `Not in the plane: ${missing.join(', ')}.` : '';
  const traces = overlaidSides.flatMap((side, i) => overlayTraces(side, overlayColour(i, experiments.length), labels[i], ink));
  const plot = overlayPlot();
  const ranges = QUANTITIES.map((quantity) => rangeOf(quantity, overlaidSides));
  Plotly.react(plot, traces, baseLayout(plot, ink, {
    margin: { l: 58, r: 14, t: 30, b: 48 },
    xaxis: axisLayout(ink, { range: ranges[0], title: { text: `I(X;T), ${state.unit}`, standoff: 8 } }),
    yaxis: axisLayout(ink, { range: ranges[1], title: { text: `I(T;Y), ${state.unit}`, standoff: 8 } }),
    uirevision: JSON.stringify(ranges),
  }), CONFIG);
}
