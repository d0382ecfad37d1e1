// Histograms of the activations of each layer, snapshot by snapshot, in the first run.

// The ticks of the scale, as in the figure `histograms`, from the largest share. Shares below the last one have the lightest shade.
const SHARE_TICKS = DATA.share_ticks;
const LEAST_SHARE = SHARE_TICKS.at(-1)[0];
// From few to many, on light and on dark paper.
const SHADES = {
  light: [[0, '#e6ecf5'], [1, '#081d58']],
  dark: [[0, '#222b38'], [1, '#cfe3ff']],
};
// The data stores each share as a whole number of 65535ths.
const SHARE_UNIT = 65535;

const shares = (layer) => Array.from(new Uint16Array(bytesOf(layer.shares).buffer), (whole) => whole / SHARE_UNIT);

// The edges of columns, halfway between the places of snapshots.
function edges(places) {
  if (places.length === 1) return [places[0] - 0.1, places[0] + 0.1];
  const middle = places.slice(1).map((place, i) => (place + places[i]) / 2);
  return [2 * places[0] - middle[0], ...middle, 2 * places.at(-1) - middle.at(-1)];
}

function histogramTrace(layer, axis, axes) {
  const n = layer.epochs.length;
  const values = shares(layer);
  const n_bins = values.length / n;
  const width = (layer.high - layer.low) / n_bins;
  const z = Array.from({ length: n_bins }, (_, bin) => layer.epochs.map((_, i) => {
    const share = values[i * n_bins + bin];
    return share > 0 ? Math.log10(Math.max(share, LEAST_SHARE)) : null;
  }));
  const text = Array.from({ length: n_bins }, (_, bin) => layer.epochs.map((epoch, i) =>
    `epoch ${epoch}, step ${layer.steps[i]}<br>${significant(layer.low + bin * width)} to ${significant(layer.low + (bin + 1) * width)}: ${(100 * values[i * n_bins + bin]).toFixed(2)} %`));
  return {
    type: 'heatmap', ...axes, x: edges(times(layer).map(axis.place)), y: Array.from({ length: n_bins + 1 }, (_, i) => layer.low + i * width),
    z, text, zmin: Math.log10(LEAST_SHARE), zmax: 0, colorscale: SHADES[state.theme], showscale: false, hoverongaps: false, hovertemplate: '%{text}<extra></extra>',
  };
}

const HISTOGRAM_COLUMNS = ['experiment', 'layer', 'epoch', 'step', 'low', 'high', 'share'];

function histogramRows(experiment) {
  return experiment.histograms.flatMap((layer) => {
    const values = shares(layer);
    const n_bins = values.length / layer.epochs.length;
    const width = (layer.high - layer.low) / n_bins;
    return values.map((share, at) => {
      const [snapshot, bin] = [Math.floor(at / n_bins), at % n_bins];
      return [experiment.name, layer.layer, layer.epochs[snapshot], layer.steps[snapshot], ...[bin, bin + 1].map((edge) => significantCell(layer.low + edge * width)), significantCell(share)];
    });
  });
}
const significantCell = (value) => String(Number(value.toPrecision(6)));

function shareScale() {
  const place = (share) => `${Math.round(100 * (1 - Math.log10(share) / Math.log10(LEAST_SHARE)))}%`;
  const stripe = el('i');
  stripe.style.background = `linear-gradient(to right, ${SHADES[state.theme].map(([, colour]) => colour).join(', ')})`;
  const ticks = SHARE_TICKS.map(([share, label]) => {
    const tick = el('span', {}, label);
    tick.style.left = place(share);
    return tick;
  });
  return el('div', { class: 'share-scale' }, 'Share of the activations', el('div', {}, stripe, ...ticks));
}

function drawHistogramsOf(side, axis, holder) {
  const { experiment } = side;
  const shown = experiment.histograms.filter(({ layer }) => shownLayers(experiment).includes(layer));
  const panels = shown.map((layer) => ({
    title: inFigure(layerName(experiment, layer.layer)), yTitle: 'activation', yaxis: {}, traces: (axes) => [histogramTrace(layer, axis, axes)],
  }));
  if (!panels.length) return;
  const label = `${experiment.name}: histograms of activations over epochs, first run`;
  drawGrid(holder, label, panels, axis, { title: [label], legend: [`shade: share of the activations in a bin, logarithmic, ${SHARE_TICKS.at(-1)[1]} to ${SHARE_TICKS[0][1]}`], name: `histograms-${experiment.name}`, columns: HISTOGRAM_COLUMNS, rows: () => histogramRows(experiment) });
}

function drawHistograms() {
  const holder = byId('histograms-figures');
  clearGrids(holder);
  const hasAny = DATA.experiments.some((experiment) => experiment.histograms.length);
  showSection('histograms', hasAny);
  if (!hasAny) return;
  holder.append(shareScale());
  const axis = timeAxis();
  for (const side of sidesOfExperiments()) {
    if (sides.length === 2) holder.append(el('h3', {}, side.experiment.name));
    if (side.experiment.histograms.length) drawHistogramsOf(side, axis, holder);
    else holder.append(quiet(`${side.experiment.name}: this page has no histograms, because its activations were removed or the page would be too large.`));
  }
}
