// The selected view in the fragment of the address, so that a link restores it: #epoch=320&estimate=…&run=…&compare=…

const URL_CHOICES = { paths: ['trail', 'epochs', 'none'], unit: ['bits', 'nats'] };
const URL_FLAGS = ['intervals', 'nulls', 'scales'];
// Browsers limit how often a page may change its address.
const URL_DELAY = 250;
let urlTimer = null;

const indexOfExperiment = (name) => DATA.experiments.findIndex((experiment) => experiment.name === name);

// Values that are the default are left out, except the estimate and the epoch.
function viewAsText() {
  const usual = initialChoices();
  const parameters = new URLSearchParams();
  const add = (name, value, isShown) => { if (isShown) parameters.set(name, value); };
  const [side, compared] = sides;
  add('experiment', side.experiment.name, state.experiment !== usual.experiment);
  add('epoch', timeline[currentIndex()], timeline.length > 0);
  add('estimate', side.estimate?.id, side.estimate);
  add('run', state.run, state.run !== usual.run);
  add('compare', compared?.experiment.name, compared);
  add('compare-estimate', compared?.estimate?.id, compared?.estimate);
  for (const name of Object.keys(URL_CHOICES)) add(name, state[name], state[name] !== usual[name]);
  for (const name of URL_FLAGS) add(name, state[name] ? 'on' : 'off', state[name] !== usual[name]);
  add('hidden', [...state.hidden].join(','), state.hidden.size > 0);
  if (state.overlay !== null) overlaid().forEach((experiment) => parameters.append('overlay', experiment.name));
  // Without this an overlay without experiments would be read as the default.
  if (state.overlay?.size === 0) parameters.set('overlay', '');
  return parameters.toString().replaceAll('%2C', ',');
}

function writeUrl() {
  clearTimeout(urlTimer);
  // While the animation plays, the address would change many times a second.
  if (state.playing) return;
  urlTimer = setTimeout(() => {
    try {
      history.replaceState(null, '', `#${viewAsText()}`);
    } catch {
      // A page inside another one may not be allowed to change its address; the page works without it.
    }
  }, URL_DELAY);
}

// Sets the state from the fragment. A value that the data does not have is ignored, and its default is kept.
function readUrl() {
  const parameters = new URLSearchParams(location.hash.slice(1));
  Object.assign(state, initialChoices());
  state.experiment = Math.max(0, indexOfExperiment(parameters.get('experiment')));
  const experiment = chosenExperiment();
  const estimate = estimateOf(experiment, parameters.get('estimate')) ?? firstEstimate(experiment);
  state.estimate = estimate?.id ?? null;
  const run = parameters.get('run');
  if (run === 'all' || estimate?.runs.includes(run)) state.run = run;
  const compared = indexOfExperiment(parameters.get('compare'));
  if (compared >= 0) chooseComparison(compared, parameters.get('compare-estimate'));
  const epoch = Number(parameters.get('epoch') || NaN);
  if (Number.isFinite(epoch) && epoch >= 0) state.time = epoch;
  for (const [name, allowed] of Object.entries(URL_CHOICES)) if (allowed.includes(parameters.get(name))) state[name] = parameters.get(name);
  for (const name of URL_FLAGS) if (['on', 'off'].includes(parameters.get(name))) state[name] = parameters.get(name) === 'on';
  const layers = (parameters.get('hidden') ?? '').split(',').filter((text) => /^\d{1,6}$/.test(text)).map(Number);
  state.hidden = new Set(layers.filter((layer) => DATA.experiments.some((other) => other.layers.includes(layer))));
  const names = parameters.getAll('overlay');
  const overlay = names.map(indexOfExperiment).filter((index) => index >= 0);
  if (overlay.length || (names.length && names.every((name) => name === ''))) state.overlay = new Set(overlay);
}

// The links to sections scroll, and do not replace the view in the address.
function goToSection(event) {
  const link = event.target.closest('a[href^="#"]');
  if (!link) return;
  event.preventDefault();
  scrollToSection(link.getAttribute('href').slice(1));
}

function scrollToSection(id) {
  const section = document.querySelector('main').querySelector(`section[id="${CSS.escape(id)}"]`);
  if (!section) return;
  section.tabIndex = -1;
  section.scrollIntoView();
  section.focus({ preventScroll: true });
}

function listenToUrl() {
  window.addEventListener('hashchange', () => {
    setPlaying(false);
    readUrl();
    refresh();
  });
  document.addEventListener('click', goToSection);
}
