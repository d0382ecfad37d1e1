// The choice of experiment, estimate and comparison, and the sides that show it.

const chosenExperiment = () => DATA.experiments[state.experiment];
const estimateOf = (experiment, id) => experiment.estimates.find((estimate) => estimate.id === id);
const isInPlane = (estimate) => hasNumbers(numbers(estimate).i_xt?.mean) && hasNumbers(numbers(estimate).i_ty?.mean);
const firstEstimate = (experiment) => experiment.estimates.find(isInPlane) ?? experiment.estimates[0] ?? null;
const samplesName = (samples) => ({ all: 'all samples', train: 'training samples', test: 'test samples', distribution: 'the exact distribution' })[samples] ?? samples;
const layerName = (experiment, layer) => experiment.layer_names[experiment.layers.indexOf(layer)] ?? `layer ${layer}`;

// An estimate is chosen by its method (estimator and variant), its setting (the scale and all values that differ from the defaults)
// and its samples.
const methodOf = (estimate) => [estimate?.family, estimate?.variant].filter(Boolean).join(' ');

function settingOf(estimate) {
  if (!estimate) return '';
  const { scale_kind: kind, scale, correction, values, pool } = estimate;
  const parts = [
    scale === null ? null : `${kind} = ${scale}`, correction === 'none' ? null : correction,
    values === 'activations' ? null : values, pool === 'none' ? null : `pool = ${pool}`,
  ];
  return parts.filter(Boolean).join(', ');
}

// The estimate of another experiment that is most similar to `wanted`: the same estimate, an estimate of the same estimator, or the first one.
function nearest(experiment, wanted) {
  const candidates = experiment.estimates.filter((estimate) => wanted && methodOf(estimate) === methodOf(wanted));
  return estimateOf(experiment, wanted?.id) ?? candidates.find((estimate) => estimate.samples === wanted.samples) ?? candidates[0] ?? firstEstimate(experiment);
}

function chooseExperiment(index) {
  const before = estimateOf(chosenExperiment(), state.estimate);
  state.experiment = index;
  const estimate = nearest(chosenExperiment(), before);
  state.estimate = estimate?.id ?? null;
  if (before && estimate && estimate.id !== before.id) {
    state.fallbacks.push(`${chosenExperiment().name} has no ${before.id}; showing ${estimate.id}`);
  }
}

// The estimate that has the changed choice, and as many of the other choices as possible.
function chooseEstimate(changed) {
  const choicesOf = (estimate) => ({ method: methodOf(estimate), setting: settingOf(estimate), samples: estimate.samples });
  const wanted = { ...choicesOf(estimateOf(chosenExperiment(), state.estimate)), ...changed };
  const agrees = (estimate, name) => choicesOf(estimate)[name] === wanted[name];
  const score = (estimate) => (agrees(estimate, 'method') ? 4 : 0) + (agrees(estimate, 'samples') ? 2 : 0) + (agrees(estimate, 'setting') ? 1 : 0);
  const [changedName] = Object.keys(changed);
  const candidates = chosenExperiment().estimates.filter((estimate) => agrees(estimate, changedName));
  const best = candidates.reduce((a, b) => (score(b) > score(a) ? b : a));
  state.estimate = best.id;
  const isOtherSetting = changedName !== 'method' && !agrees(best, 'setting');
  if (!agrees(best, 'samples') || isOtherSetting) {
    const name = [wanted.method, wanted.setting].filter(Boolean).join(' ');
    state.fallbacks.push(`there is no ${name} for ${samplesName(wanted.samples)}; showing ${best.id} for ${samplesName(best.samples)}`);
  }
}

function makeSide(experiment, estimate) {
  if (!estimate) return { experiment, estimate: null, run: 'mean', times: [], layers: [] };
  const hasRun = ['mean', 'all'].includes(state.run) || estimate.runs.includes(state.run);
  const run = hasRun ? state.run : 'mean';
  return { experiment, estimate, run, isFallback: !hasRun, times: times(estimate), layers: experiment.layers.filter((layer) => !state.hidden.has(layer)) };
}

function makeSides() {
  sides = [makeSide(chosenExperiment(), estimateOf(chosenExperiment(), state.estimate))];
  if (state.comparison) {
    const other = DATA.experiments[state.comparison.experiment];
    sides.push(makeSide(other, estimateOf(other, state.comparison.estimate)));
  }
  timeline = [...new Set(sides.flatMap((side) => side.times))].sort((a, b) => a - b);
}

function chooseComparison(index, id = null) {
  if (index === null) {
    state.comparison = null;
    return;
  }
  const other = DATA.experiments[index];
  const current = estimateOf(chosenExperiment(), state.estimate);
  // An experiment is compared with itself only by another estimator.
  const like = other === chosenExperiment() ? other.estimates.find((estimate) => estimate !== current && isInPlane(estimate)) ?? current : nearest(other, current);
  const chosen = estimateOf(other, id) ?? like;
  if (id === null && like && current && other !== chosenExperiment() && like.id !== current.id) state.fallbacks.push(`${other.name} has no ${current.id}; showing ${like.id}`);
  state.comparison = { experiment: index, estimate: chosen?.id ?? null };
}
