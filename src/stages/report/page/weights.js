// The measures of weights over epochs: a panel for each, which says what is random in it.

const PANELS_IN_ROW = 3;
const PANEL_HEIGHT = 250;
const WHOLE_NETWORK = 'whole network';

function measureTraces(side, measure, axis, axes, ink) {
  const x = times(measure).map(axis.place);
  const name = (layer) => (layer == null ? WHOLE_NETWORK : layerName(side.experiment, layer));
  const shown = measure.lines.filter((line) => line.layer == null || side.layers.includes(line.layer));
  return shown.flatMap((line) => {
    const colour = line.layer == null ? ink.ink : layerColour(line.layer);
    const decode = (kind) => (line[kind] ? Array.from(floats(line[kind]), finite) : null);
    const [mean, low, high, shuffled] = ['mean', 'low', 'high', 'null'].map(decode);
    const text = x.map((_, i) => [`<b>${inFigure(name(line.layer))}</b>, epoch ${measure.epochs[i]}, step ${measure.steps[i]}`,
      `${inFigure(measure.quantity)} ${significant(mean?.[i])}${interval(low?.[i], high?.[i], significant)} ${measure.unit}`].join('<br>'));
    const traces = [];
    if (state.intervals && low && high) traces.push({ ...bandTrace(x, low, high, line.layer == null ? 'rgba(128,128,128,0.25)' : rgba(colour, 0.2)), ...axes });
    if (state.nulls && shuffled) traces.push({ x, y: shuffled, ...axes, mode: 'lines', line: { color: colour, width: 1.3, dash: 'dot' }, hoverinfo: 'skip' });
    if (mean) traces.push({ x, y: mean, text, ...axes, mode: x.length > 1 ? 'lines' : 'markers', line: { color: colour, width: 1.8, dash: measure.has_warnings ? 'dash' : 'solid' }, marker: { color: colour }, hovertemplate: '%{text}<extra></extra>' });
    return traces;
  });
}

function drawMeasures(side, axis, holder) {
  const ink = inks();
  const { weights } = side.experiment;
  const n_rows = Math.ceil(weights.length / PANELS_IN_ROW);
  const plot = el('div', { class: 'measures', role: 'img', 'aria-label': `${side.experiment.name}: measures of weights over epochs` });
  holder.append(el('h3', {}, side.experiment.name), plot);
  plot.style.height = `${n_rows * PANEL_HEIGHT}px`;
  const layout = baseLayout(plot, ink, { margin: { l: 58, r: 14, t: 30, b: 40 }, annotations: [] });
  const traces = weights.flatMap((measure, i) => {
    const [column, row] = [i % PANELS_IN_ROW, Math.floor(i / PANELS_IN_ROW)];
    const suffix = i === 0 ? '' : String(i + 1);
    const across = [column / PANELS_IN_ROW + (column > 0 ? 0.045 : 0), (column + 1) / PANELS_IN_ROW - 0.01];
    const down = [1 - (row + 1) / n_rows + 0.2 / n_rows, 1 - row / n_rows - 0.06 / n_rows];
    layout[`xaxis${suffix}`] = axisLayout(ink, { ...axis.layout, domain: across, anchor: `y${suffix}` });
    layout[`yaxis${suffix}`] = axisLayout(ink, { domain: down, anchor: `x${suffix}`, ...(measure.unit === 'samples' ? { type: 'log' } : { rangemode: 'tozero' }), title: { text: `${inFigure(measure.quantity).replaceAll('_', ' ')}, ${measure.unit}`, standoff: 8, font: { size: 11 } } });
    layout.annotations.push({ text: `random: ${inFigure(measure.randomness)} – ${inFigure(measure.id)}`, showarrow: false, xref: 'paper', yref: 'paper', x: across[0], y: down[1], xanchor: 'left', yanchor: 'bottom', font: { size: 12, color: ink.ink } });
    return measureTraces(side, measure, axis, { xaxis: `x${suffix}`, yaxis: `y${suffix}` }, ink);
  });
  Plotly.react(plot, traces, layout, CONFIG);
}

function drawWeights() {
  const holder = byId('weights-figures');
  holder.querySelectorAll('.measures').forEach((plot) => Plotly.purge(plot));
  holder.replaceChildren();
  const has = DATA.experiments.some((experiment) => experiment.weights.length);
  [byId('weights'), byId('to-weights')].forEach((node) => { node.hidden = !has; });
  if (!has) return;
  const experiments = sides.filter((side, i) => sides.findIndex((other) => other.experiment === side.experiment) === i);
  const axis = timeAxis();
  for (const side of experiments) {
    if (side.experiment.weights.length) drawMeasures(side, axis, holder);
    else holder.append(quiet(`${side.experiment.name} has no measures of weights: its pipeline has no [[weights]], and infoplane weights has not been run.`));
  }
}
