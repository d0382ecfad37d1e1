// The start: decompresses the plot library, then draws everything.

// The page contains the plot library as base64 of gzip.
async function loadPlotly() {
  const packed = new Blob([bytesOf(byId('plotly').textContent)]);
  const unpacked = packed.stream().pipeThrough(new DecompressionStream('gzip'));
  document.head.append(el('script', {}, await new Response(unpacked).text()));
}

// The speed that plays the whole training in ten to twenty seconds, for any number of snapshots.
function firstSpeed() {
  const n = Math.max(0, ...DATA.experiments[0].estimates.map((estimate) => estimate.epochs.length));
  const speeds = Array.from(byId('speed').options, (option) => Number(option.value));
  return speeds.findLast((speed) => speed * 10 <= n) ?? speeds[0];
}

// More experiments are counted in the title, and their names are in the select.
const MOST_NAMED = 3;

function drawTitle() {
  const names = DATA.experiments.map((experiment) => experiment.name);
  const [first] = DATA.experiments;
  const count = (n, noun) => `${n} ${noun}${n === 1 ? '' : 's'}`;
  const contents = names.length === 1
    ? [count(first.runs.length, 'run'), count(first.layers.length, 'layer'), count(first.estimates.length, 'estimate')].join(', ') : names.join(', ');
  const title = names.length === 1 ? names[0] : `${names.length} experiments`;
  document.title = `${names.length <= MOST_NAMED ? names.join(', ') : title}: infoplane report`;
  byId('title').textContent = title;
  byId('subtitle').textContent = [names.length <= MOST_NAMED ? contents : null, `infoplane ${DATA.infoplane}, schema ${DATA.schema_version}`].filter(Boolean).join('; ');
}

function start() {
  drawTitle();
  // An address may name a section instead of a view.
  const section = location.hash.includes('=') ? '' : location.hash.slice(1);
  readUrl();
  state.speed = firstSpeed();
  byId('app').hidden = false;
  drawProvenance();
  setTheme(state.theme);
  listen();
  if (section) scrollToSection(section);
  window.infoplane = { state: describeState, set, shown, csv };
}

const showAlert = (text) => document.body.prepend(el('p', { role: 'alert' }, text));

if ('DecompressionStream' in window) loadPlotly().then(start).catch((error) => showAlert(`This page cannot be drawn: ${error.message}`));
else showAlert('This page needs a newer browser: Chrome 80, Firefox 113, Safari 16.4, or later.');
