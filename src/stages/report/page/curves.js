// The curves over epochs: I(X;T), I(T;Y), loss and accuracy.

// A band as closed polygons, one for each range of snapshots without a gap.
function bandTrace(x, low, high, colour, yaxis) {
  const [xs, ys] = [[], []];
  let begin = 0;
  const isThere = (i) => low[i] !== null && high[i] !== null;
  while (begin < x.length) {
    if (!isThere(begin)) {
      begin += 1;
      continue;
    }
    let end = begin;
    while (end < x.length && isThere(end)) end += 1;
    const [forwards, backwards] = [x.slice(begin, end), x.slice(begin, end).reverse()];
    xs.push(...forwards, ...backwards, null);
    ys.push(...low.slice(begin, end), ...high.slice(begin, end).reverse(), null);
    begin = end;
  }
  return { x: xs, y: ys, yaxis, mode: 'lines', fill: 'toself', fillcolor: colour, line: { width: 0 }, hoverinfo: 'skip' };
}

// The 95 % intervals over runs of a number of the network; null without intervals, and if they are switched off.
function intervalBand(ends, x, colour, axes, least = -Infinity) {
  if (!ends || !state.intervals) return null;
  const [low, high] = ['low', 'high'].map((end) => Array.from(floats(ends[end]), finite));
  const { yaxis, ...rest } = axes;
  return { ...bandTrace(x, low.map((value) => (value === null ? null : Math.max(value, least))), high, colour, yaxis), ...rest };
}

// Smallest and largest mean over the other scales of the same estimator and samples, at the snapshots of this estimate.
function rangeOverScales(side, quantity, layer) {
  const others = side.experiment.estimates.filter((other) =>
    other !== side.estimate && other.all_scales === side.estimate.all_scales && other[quantity]);
  const [low, high] = [side.times.map(() => null), side.times.map(() => null)];
  for (const estimate of others) {
    const other = { ...side, estimate, times: times(estimate) };
    const values = new Map(curve(other, quantity, 'mean', layer).map((value, i) => [other.times[i], value]));
    side.times.forEach((time, i) => {
      const value = values.get(time) ?? null;
      if (value === null) return;
      low[i] = low[i] === null ? value : Math.min(low[i], value);
      high[i] = high[i] === null ? value : Math.max(high[i], value);
    });
  }
  return [low, high];
}

// All runs of a layer as one trace, with a gap between runs.
function runLines(side, quantity, layer, x, yaxis) {
  const [xs, ys] = [[], []];
  side.estimate.runs.forEach((_, run) => {
    xs.push(...x, null);
    ys.push(...curve(side, quantity, 'runs', layer, run), null);
  });
  return { x: xs, y: ys, yaxis, mode: 'lines', line: { color: rgba(layerColour(layer), side.estimate.runs.length < 5 ? 0.6 : 0.22), width: 0.8 }, hoverinfo: 'skip' };
}

function curveTraces(side, quantity, x, yaxis) {
  if (!side.estimate || !numbers(side.estimate)[quantity]) return [];
  const [behind, lines] = [[], []];
  for (const layer of side.layers) {
    const colour = layerColour(layer);
    if (state.scales) behind.push(bandTrace(x, ...rangeOverScales(side, quantity, layer), rgba(colour, 0.09), yaxis));
    if (showsRuns(side)) behind.push(runLines(side, quantity, layer, x, yaxis));
    if (isMean(side) && state.intervals) {
      behind.push(bandTrace(x, curve(side, quantity, 'low', layer), curve(side, quantity, 'high', layer), rgba(colour, 0.24), yaxis));
    }
    if (state.nulls) {
      const y = curve(side, quantity, 'null', layer);
      const hovertemplate = `<b>${inFigure(layerName(side.experiment, layer))}</b>, shuffled<br>${QUANTITY_SYMBOLS[quantity]}  %{y:.3f} ${state.unit}<br>mean over runs<extra></extra>`;
      if (y.some((value) => value !== null)) behind.push({ x, y, yaxis, mode: 'lines', line: { color: colour, width: 1.3, dash: 'dot' }, hovertemplate });
    }
    const { [quantity]: y, text } = curves(side).get(layer);
    // A single snapshot is drawn as a point.
    lines.push({ x, y, text, yaxis, mode: x.length > 1 ? 'lines' : 'markers', line: { color: colour, width: 1.8 }, marker: { color: colour }, hovertemplate: '%{text}<extra></extra>' });
  }
  return [...behind, ...lines];
}

const FITS = [
  { name: 'loss', unit: 'loss, nats', stem: 'loss' },
  { name: 'squared error', unit: 'sq. error', stem: 'squared_error' },
  { name: 'accuracy', unit: 'accuracy', stem: 'accuracy' },
];

function fitRows(experiment) {
  return FITS.map((fit) => ({ ...fit, train: floats(experiment.fits[`${fit.stem}_train`]), test: floats(experiment.fits[`${fit.stem}_test`]) }))
    .filter((fit) => hasNumbers(fit.train) || hasNumbers(fit.test));
}

function fitTraces(experiment, fit, axis, yaxis, ink) {
  const { epochs, steps } = experiment.fits;
  const x = times(experiment.fits).map(axis.place);
  const bands = ['train', 'test'].map((part) => intervalBand(experiment.fits.intervals[`${fit.stem}_${part}`], x, rgba(ink.ink, 0.18), { yaxis }));
  const lines = [['train', fit.train, 'solid'], ['test', fit.test, 'dash']].filter(([, values]) => hasNumbers(values)).map(([part, values, dash]) => ({
    x, y: Array.from(values, finite), yaxis, mode: 'lines', line: { color: ink.ink, width: 1.3, dash },
    text: epochs.map((epoch, i) => `${fit.name}, ${part}, epoch ${epoch}, step ${steps[i]}`), hovertemplate: '%{text}<br>%{y:.4g}, mean over runs<extra></extra>',
  }));
  return [...bands.filter(Boolean), ...lines];
}

function drawCurves(side, view) {
  const ink = inks();
  const { axis } = view;
  const fits = fitRows(side.experiment);
  const x = side.times.map(axis.place);
  // From the top: two tall panels, then one thin strip for each measure of the fit.
  const strip = 0.115;
  const gap = 0.035;
  const tall = (1 - fits.length * (strip + gap) - gap) / 2;
  const domains = [[1 - tall, 1], [1 - 2 * tall - gap, 1 - tall - gap]];
  fits.forEach(() => {
    const top = domains.at(-1)[0] - gap;
    domains.push([Math.max(0, top - strip), top]);
  });
  const axisName = (i) => (i === 0 ? 'y' : `y${i + 1}`);
  const traces = QUANTITIES.flatMap((quantity, i) => curveTraces(side, quantity, x, axisName(i)));
  fits.forEach((fit, i) => traces.push(...fitTraces(side.experiment, fit, axis, axisName(i + 2), ink)));
  const shapes = side.estimate ? QUANTITIES.flatMap((quantity, i) => ceilingShapes(side, ink, quantity, ['paper', axisName(i)])) : [];
  const title = isInSteps(side.experiment.fits) ? 'step' : 'epoch';
  const layout = baseLayout(view.curves, ink, {
    margin: { l: 58, r: 14, t: 30, b: 48 }, shapes, annotations: [], hoverdistance: 10,
    xaxis: axisLayout(ink, { ...axis.layout, anchor: axisName(domains.length - 1), title: { text: title, standoff: 8 } }),
    uirevision: JSON.stringify([view.ranges, axis.layout.range]),
  });
  domains.forEach((domain, i) => {
    const quantity = QUANTITIES[i];
    layout[i === 0 ? 'yaxis' : `yaxis${i + 1}`] = axisLayout(ink, {
      domain, anchor: 'x',
      title: { text: quantity ? `${QUANTITY_SYMBOLS[quantity]}, ${state.unit}` : fits[i - 2].unit, standoff: 8, font: { size: quantity ? 12.5 : 11 } },
      ...(quantity ? { range: view.ranges[quantity] } : { nticks: 3, rangemode: 'tozero' }),
    });
    if (quantity && side.estimate && !numbers(side.estimate)[quantity]) {
      layout.annotations.push({ text: `${inFigure(side.estimate.id)} does not estimate ${QUANTITY_SYMBOLS[quantity]}`, showarrow: false, xref: 'paper', yref: 'paper', x: 0.5, y: (domain[0] + domain[1]) / 2, font: { color: ink.faint } });
    }
  });
  if (fits.length) {
    layout.annotations.push({ text: '— train  - - test', showarrow: false, xref: 'paper', yref: 'paper', x: 0.995, y: domains[2][1], xanchor: 'right', yanchor: 'top', font: { size: 11, color: ink.faint }, bgcolor: ink.paper });
  }
  Plotly.react(view.curves, traces, layout, CONFIG);
  placeCursor(side, view);
}

// The cursor is a separate element over the figure, so that it moves without drawing the figure again.
function placeCursor(side, view) {
  const { layout } = view.curves;
  if (!layout?.xaxis) return;
  const { l, r, t, b } = layout.margin;
  const [from, to] = layout.xaxis.range;
  const share = (view.axis.place(Math.min(state.time, timeline.at(-1) ?? 0)) - from) / (to - from);
  view.cursor.hidden = !(share >= 0 && share <= 1) || timeline.length === 0;
  view.cursor.style.left = `${l + share * (layout.width - l - r)}px`;
  view.cursor.style.top = `${t}px`;
  view.cursor.style.height = `${layout.height - t - b}px`;
}

// Plotly reports clicks on points only. A click anywhere in the panel selects its epoch; a drag zooms.
function listenToClicks(view) {
  let pressed = null;
  view.curves.addEventListener('mousedown', (event) => {
    pressed = event.button === 0 && event.target.closest('.draglayer') ? [event.clientX, event.clientY] : null;
  }, true);
  window.addEventListener('mouseup', (event) => {
    if (!pressed) return;
    const moved = Math.hypot(event.clientX - pressed[0], event.clientY - pressed[1]);
    pressed = null;
    if (moved > 4 || !view.curves.isConnected) return;
    const { layout } = view.curves;
    const { l, r } = layout.margin;
    const share = (event.clientX - view.curves.getBoundingClientRect().left - l) / (layout.width - l - r);
    const [from, to] = layout.xaxis.range;
    goToNearest(from + share * (to - from), view.axis);
  }, true);
}

function goToNearest(at, axis) {
  const distance = (time) => Math.abs(axis.place(time) - at);
  setTime(timeline.reduce((a, b) => (distance(b) < distance(a) ? b : a)));
}
