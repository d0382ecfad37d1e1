// Gradients and weights over epochs: mean, standard deviation and signal-to-noise ratio of the gradients, and the norm of the weights.

const GRADIENT_PANELS = [
  { kind: 'mean', title: 'mean of the gradients', yTitle: 'mean / norm of weights', type: 'log' },
  { kind: 'std', title: 'standard deviation of the gradients', yTitle: 'std. dev. / norm of weights', type: 'log' },
  { kind: 'snr', title: 'signal-to-noise ratio', yTitle: 'mean / std. dev.', type: 'log' },
  { kind: 'weight_norm', title: 'norm of the weights', yTitle: 'Frobenius norm', type: 'linear' },
];

function gradientTraces(side, panel, axis, axes) {
  const { gradients } = side.experiment;
  const x = times(gradients).map(axis.place);
  const shown = gradients.lines.filter((line) => shownLayers(side.experiment).includes(line.layer) && line[panel.kind]);
  const positive = shown.flatMap((line) => Array.from(floats(line[panel.kind]))).filter((value) => value > 0);
  // A logarithmic axis has no place for the lower end of an interval that contains 0.
  const least = panel.type === 'log' ? positive.reduce((a, b) => Math.min(a, b), Infinity) / 10 : -Infinity;
  const bands = shown.map((line) => intervalBand(line.intervals[panel.kind], x, rgba(layerColour(line.layer), 0.16), axes, least)).filter(Boolean);
  return [...bands, ...shown.map((line) => {
    // A logarithmic axis has no place for 0.
    const y = Array.from(floats(line[panel.kind]), (value) => (panel.type === 'log' && value <= 0 ? null : finite(value)));
    const colour = layerColour(line.layer);
    const text = x.map((_, i) => `<b>${inFigure(layerName(side.experiment, line.layer))}</b>, epoch ${gradients.epochs[i]}, step ${gradients.steps[i]}`);
    return { x, y, text, ...axes, mode: x.length > 1 ? 'lines' : 'markers', line: { color: colour, width: 1.6 }, marker: { color: colour }, hovertemplate: `%{text}<br>${panel.title} %{y:.4g}, mean over runs<extra></extra>` };
  })];
}

const GRADIENT_COLUMNS = ['experiment', 'layer', 'epoch', 'step', 'gradient_mean_by_weight_norm', 'gradient_std_by_weight_norm', 'gradient_snr', 'weight_norm'];

function gradientRows(experiment) {
  const { gradients } = experiment;
  return gradients.lines.flatMap((line) => {
    const columns = GRADIENT_PANELS.map(({ kind }) => floats(line[kind]));
    return gradients.steps.map((step, i) => [experiment.name, line.layer, gradients.epochs[i], step, ...columns.map((column) => exact(column?.[i]))]);
  });
}

function drawGradientsOf(side, axis, holder) {
  const { experiment } = side;
  const { gradients } = experiment;
  const switches = (axes, ink) => [{ type: 'line', xref: `${axes.xaxis} domain`, yref: axes.yaxis, x0: 0, x1: 1, y0: 1, y1: 1, line: { color: ink.faint, width: 1, dash: 'dash' } }];
  const panels = GRADIENT_PANELS.filter(({ kind }) => gradients.lines.some((line) => line[kind])).map((panel) => ({
    ...panel, yaxis: panel.type === 'log' ? { type: 'log', exponentformat: 'power', dtick: 1 } : { rangemode: 'tozero' },
    traces: (axes) => gradientTraces(side, panel, axis, axes),
    shapes: panel.kind === 'snr' ? switches : undefined,
  }));
  if (gradients.over) holder.append(quiet(`Recorded: ${gradients.over}.`));
  const label = `${experiment.name}: gradients and weights over epochs`;
  drawGrid(holder, label, panels, axis, {
    title: [label], legend: layerEntries({ experiment, layers: shownLayers(experiment) }), name: `gradients-${experiment.name}`,
    columns: GRADIENT_COLUMNS, rows: () => gradientRows(experiment),
  });
}

function drawGradients() {
  const holder = byId('gradients-figures');
  clearGrids(holder);
  const shown = DATA.experiments.some((experiment) => experiment.gradients);
  showSection('gradients', shown);
  if (!shown) return;
  const axis = timeAxis();
  for (const side of sidesOfExperiments()) {
    if (sides.length === 2) holder.append(el('h3', {}, side.experiment.name));
    if (side.experiment.gradients) drawGradientsOf(side, axis, holder);
    else holder.append(quiet(`${side.experiment.name} has no recorded gradients or norms of weights.`));
  }
}
