// Numbers of a side over layers and snapshots, in the chosen unit, and the hover text of each point.

// One number of a side in the chosen unit. `run` is the index of a run, or null for the mean.
function numberAt(side, quantity, kind, layer, snapshot, run = null) {
  const arrays = numbers(side.estimate)[quantity];
  const { length } = side.times;
  const { layers } = side.experiment;
  const row = layers.indexOf(layer);
  const at = kind === 'runs' ? (run * layers.length + row) * length + snapshot : row * length + snapshot;
  const value = arrays?.[kind]?.[at];
  return value === undefined ? NaN : value * unitFactor();
}

// One number at all snapshots.
function curve(side, quantity, kind, layer, run = null) {
  return side.times.map((_, snapshot) => finite(numberAt(side, quantity, kind, layer, snapshot, run)));
}

// The line that a side shows: the chosen run, or the mean.
function mainCurve(side, quantity, layer) {
  const run = side.estimate.runs.indexOf(side.run);
  return run < 0 ? curve(side, quantity, 'mean', layer) : curve(side, quantity, 'runs', layer, run);
}

const isMean = (side) => side.run === 'mean' || side.run === 'all';
// The mean of fewer than five runs is drawn together with the runs, as in the figures of `infoplane plot`.
const showsRuns = (side) => side.run === 'all' || (side.run === 'mean' && side.estimate?.runs.length > 1 && side.estimate.runs.length < 5);
const hasInterval = (side) => isMean(side) && QUANTITIES.some((quantity) => hasNumbers(numbers(side.estimate)[quantity]?.low));

function runsInWords(side) {
  const { runs } = side.estimate;
  if (runs.length === 1) return `${runs[0] === 'pooled' ? 'runs pooled' : 'one run'}: no interval`;
  if (!isMean(side)) return `run ${side.run}`;
  const drawn = hasInterval(side) ? `mean over ${runs.length} runs, 95 % interval over networks (Student's t)` : `mean over ${runs.length} runs, no interval`;
  return showsRuns(side) ? `${drawn}, and every run` : drawn;
}

function hoverText(side, layer, snapshot, run = null) {
  const { estimate } = side;
  const kind = run === null ? 'mean' : 'runs';
  const lines = QUANTITIES.map((quantity) => {
    const value = numberAt(side, quantity, kind, layer, snapshot, run);
    const ends = ['low', 'high'].map((end) => (run === null ? numberAt(side, quantity, end, layer, snapshot) : NaN));
    const within = ends.every(Number.isFinite) ? `  [${decimals(ends[0], 3)}, ${decimals(ends[1], 3)}]` : '';
    return `${QUANTITY_SYMBOLS[quantity]}  ${decimals(value, 3)}${within} ${state.unit}`;
  });
  const who = run !== null ? `run ${inFigure(estimate.runs[run])}` : estimate.runs.length > 1 ? `mean over ${estimate.runs.length} runs` : inFigure(estimate.runs[0]);
  return [`<b>${inFigure(layerName(side.experiment, layer))}</b>, epoch ${estimate.epochs[snapshot]}, step ${estimate.steps[snapshot] ?? '–'}`, ...lines, who].join('<br>');
}

// The curves of a side with the hover text of each point; kept until a choice changes.
function curves(side) {
  if (!side.curves) {
    const run = side.estimate.runs.indexOf(side.run);
    side.curves = new Map(side.layers.map((layer) => [layer, {
      i_xt: mainCurve(side, 'i_xt', layer),
      i_ty: mainCurve(side, 'i_ty', layer),
      text: side.times.map((_, snapshot) => hoverText(side, layer, snapshot, run < 0 ? null : run)),
    }]));
  }
  return side.curves;
}
