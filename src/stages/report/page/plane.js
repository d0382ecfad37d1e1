// The information plane of a side at the current snapshot.

function trailTraces(side, snapshot) {
  return side.layers.map((layer) => {
    const { i_xt, i_ty, text } = curves(side).get(layer);
    return {
      x: i_xt.slice(0, snapshot + 1), y: i_ty.slice(0, snapshot + 1), text: text.slice(0, snapshot + 1), mode: 'lines',
      line: { color: rgba(layerColour(layer), 0.42), width: 1.7 }, hovertemplate: '%{text}<extra></extra>',
    };
  });
}

// One line per epoch through the layers, coloured by the logarithm of the epoch: Fig. 3 of Shwartz-Ziv & Tishby 2017.
// Epochs of one colour share a trace, because plotly is slow with many traces.
function everyEpochTraces(side) {
  if (side.everyEpoch) return side.everyEpoch;
  const last = Math.log10(1 + side.times.at(-1)) || 1;
  const stepOf = (time) => Math.min(N_RAMP_STEPS - 1, Math.floor((N_RAMP_STEPS * Math.log10(1 + time)) / last));
  const groups = new Map();
  side.times.forEach((time, snapshot) => {
    const step = stepOf(time);
    if (!groups.has(step)) groups.set(step, { x: [], y: [], text: [] });
    const group = groups.get(step);
    for (const layer of side.layers) {
      const { i_xt, i_ty, text } = curves(side).get(layer);
      group.x.push(i_xt[snapshot]);
      group.y.push(i_ty[snapshot]);
      group.text.push(text[snapshot]);
    }
    for (const column of [group.x, group.y, group.text]) column.push(null);
  });
  side.everyEpoch = [...groups].map(([step, group]) => {
    const colour = rampColour(step / (N_RAMP_STEPS - 1));
    return { ...group, mode: 'lines+markers', line: { color: colour, width: 0.6 }, marker: { color: colour, size: 3.5 }, hovertemplate: '%{text}<extra></extra>' };
  });
  return side.everyEpoch;
}

function runDots(side, snapshot) {
  const { runs } = side.estimate;
  return side.layers.map((layer) => ({
    x: runs.map((_, run) => finite(numberAt(side, 'i_xt', 'runs', layer, snapshot, run))),
    y: runs.map((_, run) => finite(numberAt(side, 'i_ty', 'runs', layer, snapshot, run))),
    text: runs.map((_, run) => hoverText(side, layer, snapshot, run)),
    mode: 'markers', marker: { color: layerColour(layer), symbol: layerSymbol(layer), size: 6, opacity: 0.6 }, cliponaxis: false,
    hovertemplate: '%{text}<extra></extra>', meta: { layer, snapshot, runs },
  }));
}

function errorBar(side, quantity, layer, snapshot) {
  const [value, low, high] = ['mean', 'low', 'high'].map((kind) => numberAt(side, quantity, kind, layer, snapshot));
  return { type: 'data', symmetric: false, array: [finite(high - value)], arrayminus: [finite(value - low)], color: layerColour(layer), thickness: 1.5, width: 0 };
}

const POINT_SIZE = 12;
// A point below another one is larger, so that both are visible.
const POINT_GROWTH = 6;
// Points closer than this share of the axes cover each other.
const COVER = 0.012;

function pointSize(points, i, ranges) {
  const isClose = (a, b, [low, high]) => Math.abs(a - b) < COVER * (high - low);
  const above = points.slice(i + 1).filter(({ x, y }) => isClose(x, points[i].x, ranges.i_xt) && isClose(y, points[i].y, ranges.i_ty));
  return POINT_SIZE + POINT_GROWTH * above.length;
}

function snapshotTraces(side, snapshot, ink) {
  const ranges = { i_xt: rangeOf('i_xt'), i_ty: rangeOf('i_ty') };
  const points = side.layers.map((layer) => {
    const { i_xt, i_ty, text } = curves(side).get(layer);
    return { layer, x: i_xt[snapshot], y: i_ty[snapshot], text: text[snapshot] };
  });
  const line = { x: points.map(({ x }) => x), y: points.map(({ y }) => y), mode: 'lines', line: { color: ink.faint, width: 1 }, hoverinfo: 'skip' };
  const markers = points.map(({ layer, x, y, text }, i) => ({
    x: [x], y: [y], text: [text], mode: 'markers', cliponaxis: false,
    marker: { color: layerColour(layer), symbol: layerSymbol(layer), size: pointSize(points, i, ranges), line: { color: ink.paper, width: 1.2 } },
    ...(hasInterval(side) && state.intervals ? { error_x: errorBar(side, 'i_xt', layer, snapshot), error_y: errorBar(side, 'i_ty', layer, snapshot) } : {}),
    hovertemplate: '%{text}<extra></extra>', meta: { layer, snapshot, runs: [isMean(side) ? 'mean' : side.run] },
  }));
  return [line, ...markers];
}

// Fixed traces are the same at all snapshots; moving traces change with the snapshot.
function planeTraces(side, snapshot, ink) {
  if (snapshot < 0 || !isInPlane(side.estimate)) return { fixed: [], moving: [] };
  const trails = state.paths === 'trail' ? trailTraces(side, snapshot) : [];
  const dots = showsRuns(side) ? runDots(side, snapshot) : [];
  return { fixed: state.paths === 'epochs' ? everyEpochTraces(side) : [], moving: [...trails, ...dots, ...snapshotTraces(side, snapshot, ink)] };
}

function whyEmpty(side, snapshot) {
  const { estimate, experiment } = side;
  if (!estimate) return `There are no estimates in ${experiment.name}.`;
  const { i_xt, i_ty } = numbers(estimate);
  const failed = estimate.n_failed ? ` (${estimate.n_failed} failed)` : '';
  if (!i_xt && !i_ty) return `${estimate.id} estimates neither I(X;T) nor I(T;Y).`;
  if (!i_xt) return `${estimate.id} does not estimate I(X;T), so it cannot be drawn in the plane; its I(T;Y) is in the curves.`;
  if (!i_ty) return `${estimate.id} does not estimate I(T;Y), so it cannot be drawn in the plane; its I(X;T) is in the curves.`;
  if (!isInPlane(estimate)) return `All estimates of ${estimate.id} are missing${failed}.`;
  if (snapshot < 0) return 'Nothing is recorded at or before this epoch.';
  if (side.layers.length === 0) return 'All layers are hidden.';
  const points = side.layers.map((layer) => curves(side).get(layer)).filter(({ i_xt: x, i_ty: y }) => x[snapshot] !== null && y[snapshot] !== null);
  if (points.length === 0) return `There is no estimate for ${isMean(side) ? 'any run' : side.run} at this epoch.`;
  return null;
}

// The epoch of a snapshot, with its step if there are several snapshots within one epoch.
function snapshotInWords(estimate, snapshot) {
  const step = isWithinEpochs(estimate) ? `, step ${estimate.steps[snapshot]}` : '';
  return `epoch ${estimate.epochs[snapshot]}${step}`;
}

// The texts over the plane: the snapshot, and why the plane is empty.
function drawOverPlane(side, view, snapshot) {
  const reason = whyEmpty(side, snapshot);
  view.empty.hidden = reason === null;
  view.empty.textContent = reason ?? '';
  view.epoch.textContent = snapshot < 0 ? '' : snapshotInWords(side.estimate, snapshot);
}

function drawPlane(side, view) {
  const ink = inks();
  const snapshot = snapshotAt(side.times, state.time);
  drawOverPlane(side, view, snapshot);
  const ranges = view.ranges;
  const shapes = side.estimate ? [...ceilingShapes(side, ink, 'i_xt', ['x', 'paper']), ...ceilingShapes(side, ink, 'i_ty', ['paper', 'y'])] : [];
  const ceilings = QUANTITIES.map((quantity) => side.estimate?.[`${quantity}_ceiling`]);
  const label = { showarrow: false, font: { size: 11.5, color: ink.faint } };
  const annotations = [
    ceilings[0] != null && { ...label, text: `${side.estimate.ceiling_names[0]} ${decimals(ceilings[0] * unitFactor(), 2)}`, x: ceilings[0] * unitFactor(), y: 0.14, yref: 'paper', xanchor: 'right', yanchor: 'bottom', textangle: -90 },
    ceilings[1] != null && { ...label, text: `${side.estimate.ceiling_names[1]} ${decimals(ceilings[1] * unitFactor(), 3)}`, x: 0, xref: 'paper', y: ceilings[1] * unitFactor(), xanchor: 'left', yanchor: 'bottom', xshift: 4 },
  ].filter(Boolean);
  const layout = baseLayout(view.plane, ink, {
    margin: { l: 58, r: 14, t: 30, b: 48 }, shapes, annotations,
    xaxis: axisLayout(ink, { range: ranges.i_xt, title: { text: `I(X;T), ${state.unit}`, standoff: 8 } }),
    yaxis: axisLayout(ink, { range: ranges.i_ty, title: { text: `I(T;Y), ${state.unit}`, standoff: 8 } }),
    uirevision: JSON.stringify(ranges),
  });
  const { fixed, moving } = planeTraces(side, snapshot, ink);
  // An unfinished move would put old numbers into the new figure.
  view.isStale = view.isMoving;
  Plotly.react(view.plane, [...fixed, ...moving], layout, CONFIG);
}

// Updates only the moving traces, which is several times faster than drawing the plane.
async function movePlane(side, view) {
  if (view.isMoving) {
    view.isLate = true;
    return;
  }
  const snapshot = snapshotAt(side.times, state.time);
  const { fixed, moving } = planeTraces(side, snapshot, inks());
  if (fixed.length + moving.length !== view.plane.data.length || moving.length === 0) {
    drawPlane(side, view);
    return;
  }
  drawOverPlane(side, view, snapshot);
  const data = moving.map(({ x, y, text, error_x, error_y, marker, meta }) => ({ x, y, text, meta, ...(marker ? { marker } : {}), ...(error_x ? { error_x, error_y } : {}) }));
  const traces = moving.map((_, i) => fixed.length + i);
  view.isMoving = true;
  await Plotly.animate(view.plane, { data, traces }, { mode: 'immediate', transition: { duration: 0 }, frame: { duration: 0, redraw: false } }).catch(() => { view.isStale = true; });
  view.isMoving = false;
  const current = sides[views.indexOf(view)];
  const { isStale, isLate } = view;
  Object.assign(view, { isStale: false, isLate: false });
  if (!current) return;
  if (isStale) drawPlane(current, view);
  else if (isLate) movePlane(current, view);
}
