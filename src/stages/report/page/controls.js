// Controls above the plane: their options and their effects; the colours of the page, and printing.

function runOptions(estimate) {
  if (!estimate) return [{ value: 'mean', label: '–' }];
  const { runs } = estimate;
  if (runs.length === 1) return [{ value: 'mean', label: runs[0] === 'pooled' ? 'runs pooled' : `${runs[0]}, the only run` }];
  if (!QUANTITIES.some((quantity) => numbers(estimate)[quantity]?.runs)) return [{ value: 'mean', label: `mean over ${runs.length} runs; single runs are not in this page` }];
  return [{ value: 'mean', label: `mean over ${runs.length} runs` }, { value: 'all', label: 'all runs as dots' }, ...asOptions(runs, (run) => `${run}${hasFailed(estimate, run) ? ' (failed)' : ''}`)];
}

function hasFailed(estimate, run) {
  const size = (array) => array.length / estimate.runs.length;
  const at = estimate.runs.indexOf(run);
  const arrays = QUANTITIES.map((quantity) => numbers(estimate)[quantity]?.runs).filter(Boolean);
  return !arrays.some((array) => hasNumbers(array.subarray(at * size(array), (at + 1) * size(array))));
}

function drawControls() {
  const experiment = chosenExperiment();
  const estimate = estimateOf(experiment, state.estimate);
  const candidates = experiment.estimates.filter((other) => methodOf(other) === methodOf(estimate));
  const hasPlane = (name) => experiment.estimates.some((other) => methodOf(other) === name && other.i_xt && other.i_ty);
  fillSelect(byId('experiment'), DATA.experiments.map((other, i) => ({ value: String(i), label: other.name })), String(state.experiment));
  fillSelect(byId('estimator'), asOptions(unique(experiment.estimates.map(methodOf)), (name) => (hasPlane(name) ? name : `${name} (not in the plane)`)), methodOf(estimate));
  fillSelect(byId('scale'), asOptions(unique(candidates.map(settingOf)), (setting) => setting || '–'), settingOf(estimate));
  fillSelect(byId('samples'), asOptions(unique(candidates.map((other) => other.samples))), estimate?.samples);
  fillSelect(byId('run'), runOptions(estimate), sides[0].run);
  const comparisons = DATA.experiments.map((other, i) => ({ value: String(i), label: other === experiment ? `${other.name}, another estimator` : other.name }));
  fillSelect(byId('compare'), [{ value: '', label: '–' }, ...comparisons], state.comparison ? String(state.comparison.experiment) : '');
  byId('compare-estimate-choice').hidden = !state.comparison;
  if (state.comparison) fillSelect(byId('compare-estimate'), asOptions(DATA.experiments[state.comparison.experiment].estimates.map((other) => other.id)), state.comparison.estimate);
  for (const id of ['paths', 'unit', 'speed']) byId(id).value = String(state[id]);
  for (const id of ['intervals', 'nulls', 'scales']) byId(id).checked = state[id];
  byId('scales').disabled = experiment.estimates.filter((other) => other.all_scales === estimate?.all_scales).length < 2;
}

function onChoice(id, act) {
  byId(id).addEventListener('change', (event) => {
    state.fallbacks = [];
    act(event.target);
    refresh();
  });
}

function listen() {
  onChoice('experiment', (select) => chooseExperiment(Number(select.value)));
  onChoice('estimator', (select) => chooseEstimate({ method: select.value }));
  onChoice('scale', (select) => chooseEstimate({ setting: select.value }));
  onChoice('samples', (select) => chooseEstimate({ samples: select.value }));
  for (const id of ['run', 'paths', 'unit']) onChoice(id, (select) => { state[id] = select.value; });
  for (const id of ['intervals', 'nulls', 'scales']) onChoice(id, (box) => { state[id] = box.checked; });
  onChoice('compare', (select) => chooseComparison(select.value === '' ? null : Number(select.value)));
  onChoice('compare-estimate', (select) => { state.comparison.estimate = select.value; });
  byId('speed').addEventListener('change', (event) => { state.speed = Number(event.target.value); });
  byId('choices').addEventListener('submit', (event) => event.preventDefault());
  byId('theme').addEventListener('click', () => setTheme(state.theme === 'dark' ? 'light' : 'dark'));
  prefersDark.addEventListener('change', (event) => setTheme(event.matches ? 'dark' : 'light'));
  byId('snapshot').addEventListener('input', (event) => {
    setPlaying(false);
    setIndex(Number(event.target.value));
  });
  byId('play').addEventListener('click', () => setPlaying(!state.playing));
  for (const [id, offset] of [['previous', -1], ['next', 1]]) {
    byId(id).addEventListener('click', () => {
      setPlaying(false);
      setIndex(currentIndex() + offset);
    });
  }
  document.addEventListener('keydown', onKey);
  byId('snapshot-numbers').addEventListener('toggle', drawSnapshotTable);
  listenToUrl();
  new ResizeObserver(onResize).observe(byId('sides'));
  listenToPrinting();
}

function onResize() {
  const isSame = ({ clientWidth, clientHeight, layout }) => clientWidth === 0 || (clientWidth === layout.width && clientHeight === layout.height);
  if (views.every((view) => isSame(view.plane) && isSame(view.curves))) return;
  drawFigures();
  drawPanels();
}

// The figures below the plane, each in its section.
function drawPanels() {
  drawOverlay();
  drawHistograms();
  drawGradients();
  drawWeights();
}

// A printed page is white, shows all details, and is narrower than most screens.
function listenToPrinting() {
  let before = null;
  window.addEventListener('beforeprint', () => {
    before = { theme: state.theme, closed: [...document.querySelectorAll('details:not([open])')] };
    before.closed.forEach((details) => { details.open = true; });
    byId('app').style.width = '1030px';
    setTheme('light');
  });
  window.addEventListener('afterprint', () => {
    before?.closed.forEach((details) => { details.open = false; });
    byId('app').style.width = '';
    setTheme(before?.theme ?? state.theme);
  });
}

function setTheme(theme) {
  state.theme = theme;
  document.documentElement.dataset.theme = theme;
  byId('theme').textContent = theme === 'dark' ? 'Light' : 'Dark';
  byId('theme').setAttribute('aria-label', `${byId('theme').textContent} colours`);
  refresh();
}

function refresh() {
  makeSides();
  prepareViews();
  drawControls();
  drawBanner();
  drawSettings();
  drawNotes();
  drawLegend();
  sides.forEach((side, i) => drawHeader(side, views[i]));
  drawTables();
  drawFigures();
  drawPanels();
  drawPlayer();
}
