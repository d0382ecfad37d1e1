// The measures of weights over epochs: a panel for each, which names its random variable.

const WHOLE_NETWORK = 'whole network';

function measureTraces(side, measure, axis, axes, ink) {
  const x = times(measure).map(axis.place);
  const name = (layer) => (layer == null ? WHOLE_NETWORK : layerName(side.experiment, layer));
  const shown = measure.lines.filter((line) => line.layer == null || shownLayers(side.experiment).includes(line.layer));
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

const MEASURE_COLUMNS = ['experiment', 'measure', 'quantity', 'unit', 'random', 'layer', 'epoch', 'step', 'mean', 'low', 'high', 'null'];

function measureRows(experiment) {
  return experiment.weights.flatMap((measure) => measure.lines.flatMap((line) => {
    const columns = ['mean', 'low', 'high', 'null'].map((kind) => floats(line[kind]));
    return measure.steps.map((step, i) => [experiment.name, measure.id, measure.quantity, measure.unit, measure.randomness, line.layer ?? '',
      measure.epochs[i], step, ...columns.map((column) => exact(column?.[i]))]);
  }));
}

function drawMeasures(side, axis, holder) {
  const { experiment } = side;
  const panels = experiment.weights.map((measure) => ({
    title: `random: ${inFigure(measure.randomness)} – ${inFigure(measure.id)}`,
    yTitle: `${inFigure(measure.quantity).replaceAll('_', ' ')}, ${measure.unit}`,
    yaxis: measure.unit === 'samples' ? { type: 'log' } : { rangemode: 'tozero' },
    traces: (axes, ink) => measureTraces(side, measure, axis, axes, ink),
  }));
  const label = `${experiment.name}: measures of weights over epochs`;
  const legend = [entry(inks().ink, '—', WHOLE_NETWORK), ...layerEntries({ experiment, layers: shownLayers(experiment) })];
  drawGrid(holder, label, panels, axis, { title: [label], legend, name: `weights-${experiment.name}`, columns: MEASURE_COLUMNS, rows: () => measureRows(experiment) });
}

function drawWeights() {
  const holder = byId('weights-figures');
  clearGrids(holder);
  const hasMeasures = DATA.experiments.some((experiment) => experiment.weights.length);
  showSection('weights', hasMeasures);
  if (!hasMeasures) return;
  const axis = timeAxis();
  for (const side of sidesOfExperiments()) {
    holder.append(el('h3', {}, side.experiment.name));
    if (side.experiment.weights.length) drawMeasures(side, axis, holder);
    else holder.append(quiet(`${side.experiment.name} has no measures of weights: its pipeline has no [[weights]], and infoplane weights has not been run.`));
  }
}
