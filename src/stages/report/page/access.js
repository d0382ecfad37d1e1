// The interface for tests and other scripts: `infoplane` in the console of the browser.

function set(changes) {
  state.fallbacks = [];
  if ('experiment' in changes) chooseExperiment(indexOfExperiment(changes.experiment));
  if ('estimate' in changes) state.estimate = changes.estimate;
  if ('compare' in changes) chooseComparison(changes.compare === null ? null : indexOfExperiment(changes.compare.experiment), changes.compare?.estimate);
  if ('overlay' in changes) state.overlay = new Set(changes.overlay.map(indexOfExperiment));
  for (const name of ['run', 'paths', 'unit', 'intervals', 'nulls', 'scales', 'speed', 'verdict']) {
    if (name in changes) state[name] = changes[name];
  }
  if ('snapshot' in changes) state.time = times(estimateOf(chosenExperiment(), state.estimate))[changes.snapshot];
  if ('epoch' in changes) state.time = changes.epoch;
  if ('theme' in changes) setTheme(changes.theme);
  else refresh();
  if ('playing' in changes) setPlaying(changes.playing);
}

// The points in the plane, always in bits. Single runs are left out, unless all runs or one run is selected.
function shown(which = 0) {
  const { estimate, run: chosen } = sides[which];
  const isChosen = ({ meta }) => meta && (chosen !== 'mean' || meta.runs[0] === 'mean');
  return views[which].plane.data.filter(isChosen).flatMap(({ x, y, meta }) => meta.runs.map((run, i) => ({
    layer: meta.layer, run, i_xt: x[i], i_ty: y[i], epoch: estimate.epochs[meta.snapshot], step: estimate.steps[meta.snapshot],
  }))).filter((row) => row.i_xt !== null && row.i_ty !== null)
    .map((row) => ({ ...row, i_xt: row.i_xt / unitFactor(), i_ty: row.i_ty / unitFactor() }));
}

function describeState() {
  const [side] = sides;
  const snapshot = snapshotAt(side.times, state.time);
  return {
    experiment: side.experiment.name, estimate: side.estimate?.id ?? null, run: side.run, snapshot, n_snapshots: side.times.length,
    epoch: side.estimate?.epochs[snapshot] ?? null, step: side.estimate?.steps[snapshot] ?? null,
    comparison: sides[1] ? { experiment: sides[1].experiment.name, estimate: sides[1].estimate?.id ?? null } : null,
    paths: state.paths, unit: state.unit, intervals: state.intervals, nulls: state.nulls, scales: state.scales, hidden: [...state.hidden],
    playing: state.playing, speed: state.speed, theme: state.theme, verdict: state.verdict,
  };
}
