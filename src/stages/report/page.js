// The page of `infoplane report`: choices, pictures and tables, all from the data inside the page.
(() => {
'use strict';

// Okabe & Ito's colours, which people with colour-blindness can tell apart; the black one is light on a dark page.
const COLOURS = ['#D55E00', '#0072B2', '#009E73', '#E69F00', '#CC79A7', '#56B4E9', '#F0E442', '#000000'];
const BLACK_ON_DARK = '#D0D4D8';
const SYMBOLS = ['circle', 'square', 'diamond', 'triangle-up', 'triangle-down', 'cross', 'x', 'star'];
// The same symbols for the legend, in a box of 16 by 16.
const OUTLINES = {
  'circle': 'M13 8A5 5 0 1 1 3 8A5 5 0 1 1 13 8Z',
  'square': 'M3.5 3.5H12.5V12.5H3.5Z',
  'diamond': 'M8 1.8L14.2 8L8 14.2L1.8 8Z',
  'triangle-up': 'M8 2.5L14 13H2Z',
  'triangle-down': 'M8 13.5L14 3H2Z',
  'cross': 'M6 2.5H10V6H13.5V10H10V13.5H6V10H2.5V6H6Z',
  'x': 'M3 5.5L5.5 3L8 5.5L10.5 3L13 5.5L10.5 8L13 10.5L10.5 13L8 10.5L5.5 13L3 10.5L5.5 8Z',
  'star': 'M8 1.8L9.8 6H14.2L10.7 8.8L12 13.4L8 10.7L4 13.4L5.3 8.8L1.8 6H6.2Z',
};
// Viridis, from the first epoch to the last; on a dark page without its darkest end.
const RAMPS = {
  light: ['#440154', '#472d7b', '#3b528b', '#2c728e', '#21918c', '#28ae80', '#5ec962', '#addc30', '#e3cf1b'],
  dark: ['#6a4c93', '#5b6cb0', '#3f87ad', '#2a9d9a', '#28ae80', '#5ec962', '#addc30', '#d8e219', '#fde725'],
};
const N_RAMP_STEPS = 24;
const SYMBOL_OF = { i_xt: 'I(X;T)', i_ty: 'I(T;Y)' };
const QUANTITIES = ['i_xt', 'i_ty'];

const byId = (id) => document.getElementById(id);
const DATA = JSON.parse(byId('data').textContent);
const prefersDark = window.matchMedia('(prefers-color-scheme: dark)');

const state = {
  experiment: 0,
  estimate: null,
  run: 'mean',
  time: Infinity,
  paths: 'trail',
  unit: 'bits',
  beside: null,
  intervals: true,
  nulls: true,
  scales: false,
  hidden: new Set(),
  verdict: 'all',
  speed: 16,
  playing: false,
  theme: prefersDark.matches ? 'dark' : 'light',
  fallbacks: [],
};
// One or two views, each an experiment with one of its estimates, and the snapshots of both in order.
let sides = [];
let timeline = [];

// ---- Elements -------------------------------------------------------------------------------------------------------

function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, '');
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children.flat().filter((child) => child != null));
  return node;
}

function fillSelect(select, options, chosen) {
  select.replaceChildren(...options.map(({ value, label }) => el('option', { value }, label)));
  select.value = chosen;
  select.disabled = options.length < 2;
}

// ---- Numbers --------------------------------------------------------------------------------------------------------

function floats(base64) {
  if (base64 == null) return null;
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i += 1) bytes[i] = text.charCodeAt(i);
  return new Float32Array(bytes.buffer);
}

// What has been decoded; only what is looked at is.
const decoded = new WeakMap();

function numbers(estimate) {
  if (!decoded.has(estimate)) {
    const of = (quantity) => {
      const packed = estimate[quantity];
      if (!packed) return null;
      return {
        mean: floats(packed.mean), low: floats(packed.low), high: floats(packed.high), runs: floats(packed.runs),
        null: floats(estimate[`${quantity}_null`]),
      };
    };
    decoded.set(estimate, { i_xt: of('i_xt'), i_ty: of('i_ty') });
  }
  return decoded.get(estimate);
}

const isFinished = (array) => array != null && array.some(Number.isFinite);
const factor = () => (state.unit === 'nats' ? Math.LN2 : 1);
const finite = (value) => (Number.isFinite(value) ? value : null);

const decimals = (value, n) => (Number.isFinite(value) ? value.toFixed(n).replace('-', '−') : '–');
const inUnit = (bits) => decimals(bits == null ? NaN : bits * factor(), 3);
const whole = (value) => (value == null ? '–' : String(Math.round(value)));
const significant = (value) => (value == null ? '–' : String(Number(value.toPrecision(4))).replace('-', '−'));
const pValue = (p) => (p == null ? '–' : p < 0.001 ? p.toExponential(1).replace('-', '−') : p.toFixed(3));
const interval = (low, high, format) => (low == null || high == null ? '' : ` [${format(low)}, ${format(high)}]`);

// The shortest decimal that is the same 32-bit float again.
function exact(value) {
  if (!Number.isFinite(value)) return '';
  for (let digits = 6; digits < 9; digits += 1) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return String(short);
  }
  return String(Number(value.toPrecision(9)));
}

// ---- Time -----------------------------------------------------------------------------------------------------------

// Where the snapshots of an estimate lie, in epochs. Snapshots within an epoch share its number, and are placed by their step.
function times(estimate) {
  const { epochs, steps } = estimate;
  if (new Set(epochs).size === epochs.length) return epochs;
  const perEpoch = Math.min(...steps.map((step, i) => step / epochs[i]).filter((ratio) => ratio > 0 && Number.isFinite(ratio)));
  return Number.isFinite(perEpoch) ? steps.map((step) => step / perEpoch) : steps;
}

const isInSteps = (estimate) => estimate.epochs.length > 1 && estimate.epochs.every((epoch) => epoch === 0);

// The last snapshot at or before `time`, −1 where there is none.
function snapshotAt(snapshots, time) {
  let found = -1;
  for (let i = 0; i < snapshots.length && snapshots[i] <= time; i += 1) found = i;
  return found;
}

const nowIndex = () => Math.max(0, snapshotAt(timeline, state.time));

// The axis of time: logarithmic, with epoch 0 left of the first positive time.
function timeAxis() {
  const all = [...timeline, ...sides.flatMap((side) => side.experiment.fits?.epochs ?? [])];
  const positive = all.filter((time) => time > 0);
  const first = positive.length ? Math.log10(Math.min(...positive)) : 0;
  const last = positive.length ? Math.log10(Math.max(...positive)) : 0;
  const gap = Math.max(0.2, 0.09 * (last - first));
  const margin = Math.max(0.02 * (last - first + gap), 0.02);
  const place = (time) => (time > 0 ? Math.log10(time) : first - gap);
  const labelled = [];
  const minor = [];
  for (let decade = Math.floor(first); decade <= last; decade += 1) {
    for (let digit = 1; digit < 10; digit += 1) {
      const at = decade + Math.log10(digit);
      if (at < first - 1e-9 || at > last + margin) continue;
      (digit === 1 ? labelled : minor).push(at);
    }
  }
  const text = labelled.map((at) => String(Number((10 ** at).toPrecision(3))));
  // Less than a decade has no power of ten but its own beginning and end.
  if (labelled.length < 2 && positive.length) {
    labelled.splice(0, labelled.length, ...new Set([first, last]));
    text.splice(0, text.length, ...labelled.map((at) => String(Number((10 ** at).toPrecision(3)))));
  }
  if (all.includes(0)) {
    labelled.unshift(first - gap);
    text.unshift('0');
  }
  return {
    place,
    time: (at) => (at < first - gap / 2 ? 0 : 10 ** at),
    layout: {
      range: [(all.includes(0) ? first - gap : first) - margin, last + margin],
      tickvals: labelled, ticktext: text, minor: { tickvals: minor, ticks: 'outside', ticklen: 3, showgrid: false },
    },
  };
}

// ---- What is chosen -------------------------------------------------------------------------------------------------

const experiment = () => DATA.experiments[state.experiment];
const estimateOf = (of, id) => of.estimates.find((estimate) => estimate.id === id);
const isInPlane = (estimate) => isFinished(numbers(estimate).i_xt?.mean) && isFinished(numbers(estimate).i_ty?.mean);
const firstEstimate = (of) => of.estimates.find(isInPlane) ?? of.estimates[0] ?? null;
const samplesName = (samples) => ({ all: 'all samples', train: 'training samples', test: 'test samples' })[samples] ?? samples;
const layerName = (of, layer) => (layer === of.layers.at(-1) ? `output (layer ${layer})` : `layer ${layer}`);
const layerColour = (layer) => {
  const colour = COLOURS[(layer + COLOURS.length - 1) % COLOURS.length];
  return colour === '#000000' && state.theme === 'dark' ? BLACK_ON_DARK : colour;
};
const layerSymbol = (layer) => SYMBOLS[(layer + SYMBOLS.length - 1) % SYMBOLS.length];

// The estimate of another experiment that is most like `wanted`: the same, of the same family, or the first.
function nearest(of, wanted) {
  const family = of.estimates.filter((estimate) => estimate.family === wanted?.family);
  return estimateOf(of, wanted?.id) ?? family.find((estimate) => estimate.samples === wanted.samples) ?? family[0] ?? firstEstimate(of);
}

function chooseExperiment(index) {
  const before = estimateOf(experiment(), state.estimate);
  state.experiment = index;
  const estimate = nearest(experiment(), before);
  state.estimate = estimate?.id ?? null;
  if (before && estimate && estimate.id !== before.id) {
    state.fallbacks.push(`${experiment().name} has no ${before.id}: ${estimate.id} is shown`);
  }
}

// An estimate with the changed choice as it is asked for, and of the others as many as there are.
function chooseEstimate(changed) {
  const current = estimateOf(experiment(), state.estimate);
  const wanted = { family: current.family, setting: current.setting, samples: current.samples, ...changed };
  const [asked] = Object.keys(changed);
  const score = (estimate) =>
    (estimate.family === wanted.family ? 4 : 0) + (estimate.samples === wanted.samples ? 2 : 0) + (estimate.setting === wanted.setting ? 1 : 0);
  const candidates = experiment().estimates.filter((estimate) => estimate[asked] === wanted[asked]);
  const best = candidates.reduce((a, b) => (score(b) > score(a) ? b : a));
  state.estimate = best.id;
  const isOtherScale = asked !== 'family' && best.setting !== wanted.setting;
  if (best.samples !== wanted.samples || isOtherScale) {
    const name = [wanted.family, wanted.setting].filter(Boolean).join(' ');
    state.fallbacks.push(`there is no ${name} of ${samplesName(wanted.samples)}: ${best.id} of ${samplesName(best.samples)} is shown`);
  }
}

function makeSide(of, estimate) {
  if (!estimate) return { experiment: of, estimate: null, run: 'mean', times: [], layers: [] };
  const hasRun = ['mean', 'all'].includes(state.run) || estimate.runs.includes(state.run);
  const run = hasRun ? state.run : 'mean';
  return { experiment: of, estimate, run, isFallback: !hasRun, times: times(estimate), layers: of.layers.filter((layer) => !state.hidden.has(layer)) };
}

function makeSides() {
  sides = [makeSide(experiment(), estimateOf(experiment(), state.estimate))];
  if (state.beside) {
    const other = DATA.experiments[state.beside.experiment];
    sides.push(makeSide(other, estimateOf(other, state.beside.estimate)));
  }
  timeline = [...new Set(sides.flatMap((side) => side.times))].sort((a, b) => a - b);
}

// One number of a side in the chosen unit. `run` is the index of a run, or null for the mean.
function numberAt(side, quantity, kind, layer, snapshot, run = null) {
  const arrays = numbers(side.estimate)[quantity];
  const { length } = side.times;
  const { layers } = side.experiment;
  const row = layers.indexOf(layer);
  const at = kind === 'runs' ? (run * layers.length + row) * length + snapshot : row * length + snapshot;
  const value = arrays?.[kind]?.[at];
  return value === undefined ? NaN : value * factor();
}

// A number over all snapshots.
function course(side, quantity, kind, layer, run = null) {
  return side.times.map((_, snapshot) => finite(numberAt(side, quantity, kind, layer, snapshot, run)));
}

// Of what a side shows as its line: the chosen run, or the mean.
function mainCourse(side, quantity, layer) {
  const run = side.estimate.runs.indexOf(side.run);
  return run < 0 ? course(side, quantity, 'mean', layer) : course(side, quantity, 'runs', layer, run);
}

const isMean = (side) => side.run === 'mean' || side.run === 'all';
const hasInterval = (side) => isMean(side) && QUANTITIES.some((quantity) => isFinished(numbers(side.estimate)[quantity]?.low));

function runsInWords(side) {
  const { runs } = side.estimate;
  if (runs.length === 1) return `${runs[0] === 'pooled' ? 'the runs pooled' : 'one run'}: no interval`;
  if (!isMean(side)) return `run ${side.run}`;
  const drawn = hasInterval(side) ? `mean over ${runs.length} runs, 95 % bootstrap interval${runs.length < 10 ? ' (too narrow for so few)' : ''}` : `mean over ${runs.length} runs, no interval`;
  return side.run === 'all' ? `${drawn}, and every run` : drawn;
}

function hoverText(side, layer, snapshot, run = null) {
  const { estimate } = side;
  const kind = run === null ? 'mean' : 'runs';
  const lines = QUANTITIES.map((quantity) => {
    const value = numberAt(side, quantity, kind, layer, snapshot, run);
    const ends = ['low', 'high'].map((end) => (run === null ? numberAt(side, quantity, end, layer, snapshot) : NaN));
    const within = ends.every(Number.isFinite) ? `  [${decimals(ends[0], 3)}, ${decimals(ends[1], 3)}]` : '';
    return `${SYMBOL_OF[quantity]}  ${decimals(value, 3)}${within} ${state.unit}`;
  });
  const who = run !== null ? `run ${estimate.runs[run]}` : estimate.runs.length > 1 ? `mean over ${estimate.runs.length} runs` : estimate.runs[0];
  return [`<b>${layerName(side.experiment, layer)}</b>, epoch ${estimate.epochs[snapshot]}, step ${estimate.steps[snapshot] ?? '–'}`, ...lines, who].join('<br>');
}

// The courses of a side with what is said of each point; kept until a choice changes.
function courses(side) {
  if (!side.courses) {
    const run = side.estimate.runs.indexOf(side.run);
    side.courses = new Map(side.layers.map((layer) => [layer, {
      i_xt: mainCourse(side, 'i_xt', layer),
      i_ty: mainCourse(side, 'i_ty', layer),
      text: side.times.map((_, snapshot) => hoverText(side, layer, snapshot, run < 0 ? null : run)),
    }]));
  }
  return side.courses;
}

// ---- Colours --------------------------------------------------------------------------------------------------------

function rgba(hex, alpha) {
  const [r, g, b] = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
  return `rgba(${r},${g},${b},${alpha})`;
}

function rampColour(share) {
  const ramp = RAMPS[state.theme];
  const at = Math.min(Math.max(share, 0), 1) * (ramp.length - 1);
  const [below, above] = [Math.floor(at), Math.ceil(at)].map((i) => [1, 3, 5].map((k) => parseInt(ramp[i].slice(k, k + 2), 16)));
  return `rgb(${below.map((part, k) => Math.round(part + (above[k] - part) * (at % 1))).join(',')})`;
}

function inks() {
  const style = getComputedStyle(document.documentElement);
  return Object.fromEntries(['paper', 'ink', 'faint', 'line'].map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

// ---- The plane ------------------------------------------------------------------------------------------------------

// The same for both sides and all epochs: from 0, or the smallest number, to the ceiling, or the largest number.
function rangeOf(quantity) {
  let [low, high] = [0, 0];
  const include = (value) => {
    if (value < low) low = value;
    if (value > high) high = value;
  };
  for (const { estimate, run } of sides) {
    if (!estimate) continue;
    const arrays = numbers(estimate)[quantity];
    if (!arrays) continue;
    include(estimate[`${quantity}_ceiling`] ?? 0);
    const kinds = run === 'mean' ? ['mean', 'low', 'high'] : ['mean', 'runs'];
    for (const kind of kinds) arrays[kind]?.forEach(include);
  }
  if (high === low) high = low + 1;
  const margin = 0.035 * (high - low);
  return [(low - margin) * factor(), (high + margin) * factor()];
}

function axisLayout(ink, more) {
  return {
    color: ink.ink, gridcolor: ink.line, linecolor: ink.faint, tickcolor: ink.faint, zeroline: false, showline: true, ticks: 'outside',
    ticklen: 4, automargin: false, ...more,
  };
}

function baseLayout(node, ink, more) {
  return {
    width: node.clientWidth, height: node.clientHeight,
    paper_bgcolor: ink.paper, plot_bgcolor: ink.paper, showlegend: false, hovermode: 'closest', hoverdistance: 14,
    font: { family: getComputedStyle(document.body).fontFamily, size: 12.5, color: ink.ink },
    hoverlabel: { bgcolor: ink.paper, bordercolor: ink.faint, font: { color: ink.ink, size: 12.5 }, align: 'left' },
    modebar: { bgcolor: 'rgba(0,0,0,0)', color: ink.faint, activecolor: ink.ink },
    ...more,
  };
}

// Always the same: with another configuration plotly makes a picture anew, with the same one it moves what has changed.
const CONFIG = {
  displaylogo: false, responsive: false, doubleClick: 'reset',
  // These and no others, and no server: plotly has a button that sends the picture to its makers.
  plotlyServerURL: '', showLink: false,
  modeBarButtons: [['toImage', 'zoom2d', 'pan2d', 'zoomIn2d', 'zoomOut2d', 'resetScale2d']],
  toImageButtonOptions: { format: 'svg', filename: 'infoplane' },
};

function ceilingShapes(side, ink, quantity, [xref, yref]) {
  const ceiling = side.estimate[`${quantity}_ceiling`];
  if (ceiling == null) return [];
  const at = ceiling * factor();
  const line = { type: 'line', line: { color: ink.faint, width: 1, dash: 'dash' }, layer: 'below' };
  return [xref === 'x'
    ? { ...line, xref, yref, x0: at, x1: at, y0: 0, y1: 1 }
    : { ...line, xref, yref, x0: 0, x1: 1, y0: at, y1: at }];
}

function trailTraces(side, snapshot) {
  return side.layers.map((layer) => {
    const { i_xt, i_ty, text } = courses(side).get(layer);
    return {
      x: i_xt.slice(0, snapshot + 1), y: i_ty.slice(0, snapshot + 1), text: text.slice(0, snapshot + 1), mode: 'lines',
      line: { color: rgba(layerColour(layer), 0.42), width: 1.7 }, hovertemplate: '%{text}<extra></extra>',
    };
  });
}

// Every epoch a line through its layers, coloured by the logarithm of the epoch: Fig. 3 of Shwartz-Ziv & Tishby 2017.
// Few traces, one a colour, are quick to draw; one an epoch is not.
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
      const { i_xt, i_ty, text } = courses(side).get(layer);
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

function nowTraces(side, snapshot, ink) {
  const at = side.layers.map((layer) => {
    const { i_xt, i_ty, text } = courses(side).get(layer);
    return { layer, x: i_xt[snapshot], y: i_ty[snapshot], text: text[snapshot] };
  });
  const line = { x: at.map((p) => p.x), y: at.map((p) => p.y), mode: 'lines', line: { color: ink.faint, width: 1 }, hoverinfo: 'skip' };
  const markers = at.map(({ layer, x, y, text }) => ({
    x: [x], y: [y], text: [text], mode: 'markers', cliponaxis: false,
    marker: { color: layerColour(layer), symbol: layerSymbol(layer), size: 12, line: { color: ink.paper, width: 1.2 } },
    ...(hasInterval(side) && state.intervals ? { error_x: errorBar(side, 'i_xt', layer, snapshot), error_y: errorBar(side, 'i_ty', layer, snapshot) } : {}),
    hovertemplate: '%{text}<extra></extra>', meta: { layer, snapshot, runs: [isMean(side) ? 'mean' : side.run] },
  }));
  return [line, ...markers];
}

// What stays where it is from snapshot to snapshot, and what moves.
function planeTraces(side, snapshot, ink) {
  if (snapshot < 0 || !isInPlane(side.estimate)) return { still: [], moving: [] };
  const trails = state.paths === 'trail' ? trailTraces(side, snapshot) : [];
  const dots = side.run === 'all' ? runDots(side, snapshot) : [];
  return { still: state.paths === 'epochs' ? everyEpochTraces(side) : [], moving: [...trails, ...dots, ...nowTraces(side, snapshot, ink)] };
}

function whyEmpty(side, snapshot) {
  const { estimate, experiment: of } = side;
  if (!estimate) return `There are no estimates in ${of.name}.`;
  const { i_xt, i_ty } = numbers(estimate);
  const failed = estimate.n_failed ? ` (${estimate.n_failed} failed)` : '';
  if (!i_xt && !i_ty) return `${estimate.id} has neither I(X;T) nor I(T;Y).`;
  if (!i_xt) return `${estimate.id} has no I(X;T), so it has no place in the plane; its I(T;Y) is in the courses.`;
  if (!i_ty) return `${estimate.id} has no I(T;Y), so it has no place in the plane; its I(X;T) is in the courses.`;
  if (!isInPlane(estimate)) return `Of ${estimate.id} there is no estimate that did not fail${failed}.`;
  if (snapshot < 0) return `Nothing is recorded at or before this epoch.`;
  if (side.layers.length === 0) return 'All layers are hidden.';
  const points = side.layers.map((layer) => courses(side).get(layer)).filter((c) => c.i_xt[snapshot] !== null && c.i_ty[snapshot] !== null);
  if (points.length === 0) return `There is no estimate here: of ${isMean(side) ? 'any run' : side.run} at this epoch.`;
  return null;
}

// What lies over the picture: the epoch, and why there is nothing to see.
function drawOverPlane(side, view, snapshot) {
  const reason = whyEmpty(side, snapshot);
  view.empty.hidden = reason === null;
  view.empty.textContent = reason ?? '';
  view.epoch.textContent = snapshot < 0 ? '' : `epoch ${side.estimate.epochs[snapshot]}`;
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
    ceilings[0] != null && { ...label, text: `at most ${decimals(ceilings[0] * factor(), 2)}`, x: ceilings[0] * factor(), y: 0.14, yref: 'paper', xanchor: 'right', yanchor: 'bottom', textangle: -90 },
    ceilings[1] != null && { ...label, text: `at most ${decimals(ceilings[1] * factor(), 3)}`, x: 0, xref: 'paper', y: ceilings[1] * factor(), xanchor: 'left', yanchor: 'bottom', xshift: 4 },
  ].filter(Boolean);
  const layout = baseLayout(view.plane, ink, {
    margin: { l: 58, r: 14, t: 30, b: 48 }, shapes, annotations,
    xaxis: axisLayout(ink, { range: ranges.i_xt, title: { text: `I(X;T), ${state.unit}`, standoff: 8 } }),
    yaxis: axisLayout(ink, { range: ranges.i_ty, title: { text: `I(T;Y), ${state.unit}`, standoff: 8 } }),
    uirevision: JSON.stringify(ranges),
  });
  const { still, moving } = planeTraces(side, snapshot, ink);
  // A move that is still under way would put the old numbers into the new picture.
  view.isStale = view.isMoving;
  Plotly.react(view.plane, [...still, ...moving], layout, CONFIG);
}

// Moves what moves, and leaves axes and paths alone: several times as fast as to draw the plane.
async function movePlane(side, view) {
  if (view.isMoving) {
    view.isLate = true;
    return;
  }
  const snapshot = snapshotAt(side.times, state.time);
  const { still, moving } = planeTraces(side, snapshot, inks());
  if (still.length + moving.length !== view.plane.data.length || moving.length === 0) {
    drawPlane(side, view);
    return;
  }
  drawOverPlane(side, view, snapshot);
  const data = moving.map(({ x, y, text, error_x, error_y, meta }) => ({ x, y, text, meta, ...(error_x ? { error_x, error_y } : {}) }));
  const traces = moving.map((_, i) => still.length + i);
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

// ---- The courses over epochs ----------------------------------------------------------------------------------------

// A band as closed polygons, one for each stretch without a gap.
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
    const [forth, back] = [x.slice(begin, end), x.slice(begin, end).reverse()];
    xs.push(...forth, ...back, null);
    ys.push(...low.slice(begin, end), ...high.slice(begin, end).reverse(), null);
    begin = end;
  }
  return { x: xs, y: ys, yaxis, mode: 'lines', fill: 'toself', fillcolor: colour, line: { width: 0 }, hoverinfo: 'skip' };
}

// Smallest and largest mean over the other scales of the same family and samples, at the snapshots of this one.
function rangeOverScales(side, quantity, layer) {
  const others = side.experiment.estimates.filter((other) =>
    other !== side.estimate && other.all_scales === side.estimate.all_scales && other[quantity]);
  const [low, high] = [side.times.map(() => null), side.times.map(() => null)];
  for (const estimate of others) {
    const other = { ...side, estimate, times: times(estimate) };
    const values = new Map(course(other, quantity, 'mean', layer).map((value, i) => [other.times[i], value]));
    side.times.forEach((time, i) => {
      const value = values.get(time) ?? null;
      if (value === null) return;
      low[i] = low[i] === null ? value : Math.min(low[i], value);
      high[i] = high[i] === null ? value : Math.max(high[i], value);
    });
  }
  return [low, high];
}

// All runs of a layer as one trace with gaps between them.
function runLines(side, quantity, layer, x, yaxis) {
  const [xs, ys] = [[], []];
  side.estimate.runs.forEach((_, run) => {
    xs.push(...x, null);
    ys.push(...course(side, quantity, 'runs', layer, run), null);
  });
  return { x: xs, y: ys, yaxis, mode: 'lines', line: { color: rgba(layerColour(layer), 0.22), width: 0.8 }, hoverinfo: 'skip' };
}

function courseTraces(side, quantity, x, yaxis) {
  if (!side.estimate || !numbers(side.estimate)[quantity]) return [];
  const [behind, lines] = [[], []];
  for (const layer of side.layers) {
    const colour = layerColour(layer);
    if (state.scales) behind.push(bandTrace(x, ...rangeOverScales(side, quantity, layer), rgba(colour, 0.09), yaxis));
    if (side.run === 'all') behind.push(runLines(side, quantity, layer, x, yaxis));
    if (isMean(side) && state.intervals) {
      behind.push(bandTrace(x, course(side, quantity, 'low', layer), course(side, quantity, 'high', layer), rgba(colour, 0.24), yaxis));
    }
    if (state.nulls) {
      const y = course(side, quantity, 'null', layer);
      const hovertemplate = `<b>${layerName(side.experiment, layer)}</b>, shuffled<br>${SYMBOL_OF[quantity]}  %{y:.3f} ${state.unit}<br>mean over runs<extra></extra>`;
      if (y.some((value) => value !== null)) behind.push({ x, y, yaxis, mode: 'lines', line: { color: colour, width: 1.3, dash: 'dot' }, hovertemplate });
    }
    const { [quantity]: y, text } = courses(side).get(layer);
    // A single snapshot makes no line.
    lines.push({ x, y, text, yaxis, mode: x.length > 1 ? 'lines' : 'markers', line: { color: colour, width: 1.8 }, marker: { color: colour }, hovertemplate: '%{text}<extra></extra>' });
  }
  return [...behind, ...lines];
}

const FITS = [
  { name: 'loss', unit: 'loss, nats', stem: 'loss' },
  { name: 'squared error', unit: 'sq. error', stem: 'squared_error' },
  { name: 'accuracy', unit: 'accuracy', stem: 'accuracy' },
];

function fitRows(of) {
  if (!of.fits) return [];
  return FITS.map((fit) => ({ ...fit, train: floats(of.fits[`${fit.stem}_train`]), test: floats(of.fits[`${fit.stem}_test`]) }))
    .filter((fit) => isFinished(fit.train) || isFinished(fit.test));
}

function fitTraces(of, fit, axis, yaxis, ink) {
  const x = of.fits.epochs.map(axis.place);
  return [['train', fit.train, 'solid'], ['test', fit.test, 'dash']].filter(([, values]) => isFinished(values)).map(([part, values, dash]) => ({
    x, y: Array.from(values, finite), yaxis, mode: 'lines', line: { color: ink.ink, width: 1.3, dash },
    text: of.fits.epochs.map((epoch) => `${fit.name}, ${part}, epoch ${epoch}`), hovertemplate: '%{text}<br>%{y:.4g}, mean over runs<extra></extra>',
  }));
}

function drawCourses(side, view) {
  const ink = inks();
  const { axis } = view;
  const fits = fitRows(side.experiment);
  const x = side.times.map(axis.place);
  // From the top: two tall panels and the strips of the fits, a thin one each.
  const strip = 0.115;
  const gap = 0.035;
  const tall = (1 - fits.length * (strip + gap) - gap) / 2;
  const domains = [[1 - tall, 1], [1 - 2 * tall - gap, 1 - tall - gap]];
  fits.forEach(() => {
    const top = domains.at(-1)[0] - gap;
    domains.push([Math.max(0, top - strip), top]);
  });
  const axisName = (i) => (i === 0 ? 'y' : `y${i + 1}`);
  const traces = QUANTITIES.flatMap((quantity, i) => courseTraces(side, quantity, x, axisName(i)));
  fits.forEach((fit, i) => traces.push(...fitTraces(side.experiment, fit, axis, axisName(i + 2), ink)));
  const shapes = side.estimate ? QUANTITIES.flatMap((quantity, i) => ceilingShapes(side, ink, quantity, ['paper', axisName(i)])) : [];
  const title = isInSteps(side.estimate ?? { epochs: [] }) ? 'step' : 'epoch';
  const layout = baseLayout(view.courses, ink, {
    margin: { l: 58, r: 14, t: 30, b: 48 }, shapes, annotations: [], hoverdistance: 10,
    xaxis: axisLayout(ink, { ...axis.layout, anchor: axisName(domains.length - 1), title: { text: title, standoff: 8 } }),
    uirevision: JSON.stringify([view.ranges, axis.layout.range]),
  });
  domains.forEach((domain, i) => {
    const quantity = QUANTITIES[i];
    layout[i === 0 ? 'yaxis' : `yaxis${i + 1}`] = axisLayout(ink, {
      domain, anchor: 'x',
      title: { text: quantity ? `${SYMBOL_OF[quantity]}, ${state.unit}` : fits[i - 2].unit, standoff: 8, font: { size: quantity ? 12.5 : 11 } },
      ...(quantity ? { range: view.ranges[quantity] } : { nticks: 3, rangemode: 'tozero' }),
    });
    if (quantity && side.estimate && !numbers(side.estimate)[quantity]) {
      layout.annotations.push({ text: `${side.estimate.id} has no ${SYMBOL_OF[quantity]}`, showarrow: false, xref: 'paper', yref: 'paper', x: 0.5, y: (domain[0] + domain[1]) / 2, font: { color: ink.faint } });
    }
  });
  if (fits.length) {
    layout.annotations.push({ text: '— train  - - test', showarrow: false, xref: 'paper', yref: 'paper', x: 0.995, y: domains[2][1], xanchor: 'right', yanchor: 'top', font: { size: 11, color: ink.faint }, bgcolor: ink.paper });
  }
  Plotly.react(view.courses, traces, layout, CONFIG);
  placeCursor(side, view);
}

// The cursor is an element of its own over the picture: to move it costs nothing, to draw the picture again does.
function placeCursor(side, view) {
  const { layout } = view.courses;
  if (!layout?.xaxis) return;
  const { l, r, t, b } = layout.margin;
  const [from, to] = layout.xaxis.range;
  const share = (view.axis.place(Math.min(state.time, timeline.at(-1) ?? 0)) - from) / (to - from);
  view.cursor.hidden = !(share >= 0 && share <= 1) || timeline.length === 0;
  view.cursor.style.left = `${l + share * (layout.width - l - r)}px`;
  view.cursor.style.top = `${t}px`;
  view.cursor.style.height = `${layout.height - t - b}px`;
}

// Plotly tells of clicks on points only; a click anywhere in the panel means its epoch. A drag is a zoom.
function listenToClicks(view) {
  let pressed = null;
  view.courses.addEventListener('mousedown', (event) => {
    pressed = event.button === 0 && event.target.closest('.draglayer') ? [event.clientX, event.clientY] : null;
  }, true);
  window.addEventListener('mouseup', (event) => {
    if (!pressed) return;
    const moved = Math.hypot(event.clientX - pressed[0], event.clientY - pressed[1]);
    pressed = null;
    if (moved > 4 || !view.courses.isConnected) return;
    const { layout } = view.courses;
    const { l, r } = layout.margin;
    const share = (event.clientX - view.courses.getBoundingClientRect().left - l) / (layout.width - l - r);
    const [from, to] = layout.xaxis.range;
    goToNearest(from + share * (to - from), view.axis);
  }, true);
}

function goToNearest(at, axis) {
  const distance = (time) => Math.abs(axis.place(time) - at);
  setTime(timeline.reduce((a, b) => (distance(b) < distance(a) ? b : a)));
}

// ---- Views: the elements that pictures are drawn into ----------------------------------------------------------------

let views = [];

function makeView() {
  const picture = (kind, label) => {
    const plot = el('div', { class: 'plot', role: 'img', 'aria-label': label });
    return { plot, holder: el('div', { class: `picture ${kind}` }, plot) };
  };
  const plane = picture('plane', 'Information plane');
  const panel = picture('courses', 'I(X;T), I(T;Y), loss and accuracy over epochs');
  const view = {
    plane: plane.plot, courses: panel.plot, header: el('header'), quantity: el('p', { class: 'quantity' }),
    cursor: el('div', { class: 'cursor', hidden: true }), empty: el('div', { class: 'empty', hidden: true }),
    epoch: el('div', { class: 'epoch', 'aria-hidden': 'true' }),
  };
  plane.holder.append(view.epoch, view.empty);
  panel.holder.append(view.cursor);
  view.node = el('div', { class: 'side' }, view.header, plane.holder, panel.holder, view.quantity);
  listenToClicks(view);
  return view;
}

function prepareViews() {
  while (views.length > sides.length) {
    const view = views.pop();
    [view.plane, view.courses].forEach((plot) => Plotly.purge(plot));
    view.node.remove();
  }
  while (views.length < sides.length) {
    views.push(makeView());
    byId('sides').append(views.at(-1).node);
  }
  byId('sides').classList.toggle('two', sides.length === 2);
  const axis = timeAxis();
  const ranges = { i_xt: rangeOf('i_xt'), i_ty: rangeOf('i_ty') };
  views.forEach((view) => Object.assign(view, { axis, ranges }));
}

function drawHeader(side, view) {
  const { estimate } = side;
  const words = estimate ? [estimate.id, samplesName(estimate.samples), runsInWords(side)] : ['no estimates'];
  view.header.replaceChildren(el('b', {}, side.experiment.name), ...words.map((word) => el('span', {}, word)));
  view.quantity.textContent = estimate?.quantity ? `What the number is: ${estimate.quantity}.` : '';
}

function drawPictures() {
  sides.forEach((side, i) => {
    drawPlane(side, views[i]);
    drawCourses(side, views[i]);
    if (!views[i].listens) {
      // Plotly's own events exist once something is drawn.
      views[i].courses.on('plotly_relayout', () => placeCursor(sides[i], views[i]));
      views[i].listens = true;
    }
  });
}

// ---- The snapshot -----------------------------------------------------------------------------------------------------

function setTime(time) {
  state.time = time;
  drawSnapshot();
}

function setIndex(index) {
  if (timeline.length) setTime(timeline[Math.min(Math.max(index, 0), timeline.length - 1)]);
}

function drawSnapshot() {
  sides.forEach((side, i) => {
    movePlane(side, views[i]);
    placeCursor(side, views[i]);
  });
  drawPlayer();
}

function drawPlayer() {
  const slider = byId('snapshot');
  const index = nowIndex();
  slider.max = Math.max(0, timeline.length - 1);
  slider.value = index;
  const side = sides.find((s) => s.times.includes(timeline[index])) ?? sides[0];
  const snapshot = snapshotAt(side.times, timeline[index] ?? -1);
  const words = snapshot < 0 ? 'no snapshot is recorded' : `epoch ${side.estimate.epochs[snapshot]}, step ${side.estimate.steps[snapshot] ?? '–'}`;
  byId('now').textContent = words;
  slider.setAttribute('aria-valuetext', words);
  for (const id of ['play', 'back', 'forth', 'snapshot']) byId(id).disabled = timeline.length < 2;
}

function setPlaying(playing) {
  if (playing === state.playing) return;
  state.playing = playing;
  byId('play').textContent = playing ? 'Pause' : 'Play';
  if (!playing) return;
  if (nowIndex() >= timeline.length - 1) setIndex(0);
  let last = performance.now();
  const frame = (now) => {
    if (!state.playing) return;
    // A slow machine leaves snapshots out, and keeps the speed.
    const due = Math.floor(((now - last) * state.speed) / 1000);
    if (due > 0) {
      last += (due * 1000) / state.speed;
      setIndex(nowIndex() + due);
    }
    if (nowIndex() >= timeline.length - 1) setPlaying(false);
    else requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}

function onKey(event) {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const { target } = event;
  const isSlider = target.id === 'snapshot';
  const isBusy = target.closest('select, textarea, pre, input:not(#snapshot)') !== null;
  if (event.key === ' ' && !isBusy && !target.closest('button, a, summary')) {
    event.preventDefault();
    setPlaying(!state.playing);
    return;
  }
  if (isBusy || isSlider) return;
  const jumps = { ArrowLeft: nowIndex() - 1, ArrowRight: nowIndex() + 1, Home: 0, End: timeline.length - 1 };
  if (!(event.key in jumps)) return;
  event.preventDefault();
  setPlaying(false);
  setIndex(jumps[event.key]);
}

// ---- Legend and notes -----------------------------------------------------------------------------------------------

function legendName(layer) {
  const outputs = sides.filter((side) => side.experiment.layers.at(-1) === layer);
  if (outputs.length === 0) return `layer ${layer}`;
  return outputs.length === sides.length ? 'output' : `layer ${layer} (output of ${[...new Set(outputs.map((side) => side.experiment.name))].join(', ')})`;
}

function symbolPicture(layer) {
  const space = 'http://www.w3.org/2000/svg';
  const svg = document.createElementNS(space, 'svg');
  const path = document.createElementNS(space, 'path');
  svg.setAttribute('viewBox', '0 0 16 16');
  svg.setAttribute('aria-hidden', 'true');
  path.setAttribute('d', OUTLINES[layerSymbol(layer)]);
  path.setAttribute('fill', layerColour(layer));
  svg.append(path);
  return svg;
}

function drawLegend() {
  const layers = [...new Set(sides.flatMap((side) => side.experiment.layers))].sort((a, b) => a - b);
  const toggle = (layer) => {
    if (!state.hidden.delete(layer)) state.hidden.add(layer);
    refresh();
    byId('legend').querySelector(`[data-layer="${layer}"]`).focus();
  };
  const buttons = layers.map((layer) =>
    el('button', { type: 'button', 'data-layer': layer, 'aria-pressed': String(!state.hidden.has(layer)), onclick: () => toggle(layer) }, symbolPicture(layer), legendName(layer)));
  const ramp = state.paths === 'epochs' && timeline.length
    ? [el('span', { id: 'ramp' }, `epoch ${significant(timeline[0])}`, rampPicture(), `${significant(timeline.at(-1))}, logarithmic`)] : [];
  byId('legend').replaceChildren(...buttons, ...ramp);
}

function rampPicture() {
  const stripe = el('i');
  stripe.style.background = `linear-gradient(to right, ${RAMPS[state.theme].join(', ')})`;
  return stripe;
}

const checksOf = (of, estimate) => of.checks.filter((check) => check.estimator === estimate.id || check.estimator === estimate.all_scales);

function checkNotes(side) {
  if (!side.estimate) return [];
  return ['violated', 'warning'].flatMap((verdict) => {
    const found = checksOf(side.experiment, side.estimate).filter((check) => check.verdict === verdict);
    if (found.length === 0) return [];
    const [first, ...others] = found;
    const more = others.length ? `; also ${others.map((check) => `${check.check} (${check.n_found} of ${check.n_checked})`).join(', ')}` : '';
    const name = sides.length === 2 ? `${side.experiment.name}, ${side.estimate.id}` : side.estimate.id;
    return [{ kind: verdict, text: `${name}, check ${first.check}, ${verdict} in ${first.n_found} of ${first.n_checked}: ${first.says}${more}. `, link: '#checks' }];
  });
}

function drawNotes() {
  const notes = state.fallbacks.map((text) => ({ kind: 'fallback', text: `${text}.` }));
  for (const side of sides) {
    if (side.isFallback) notes.push({ kind: 'fallback', text: `${side.experiment.name}, ${side.estimate.id}, has no run ${state.run}: the mean is shown.` });
    if (side.estimate?.n_failed) notes.push({ kind: 'warning', text: `${side.estimate.id}: ${side.estimate.n_failed} estimates failed and are left out.` });
    notes.push(...checkNotes(side));
  }
  for (const of of shownExperiments()) {
    if (of.n_trainings_failed) notes.push({ kind: 'warning', text: `${of.name}: ${of.n_trainings_failed} of ${of.runs.length} trainings failed; their estimates are in the means.` });
  }
  // What only some experiments have matters where two are compared; what is left out always does.
  const isOfComparison = (text) => text.includes(' is only in ');
  notes.push(...(DATA.notes ?? []).filter((text) => sides.length === 2 || !isOfComparison(text)).map((text) => ({ kind: 'comparison', text })));
  byId('notes').replaceChildren(...notes.map(({ kind, text, link }) => el('p', { class: kind }, text, link ? el('a', { href: link }, 'All checks') : null)));
}

// ---- Tables ---------------------------------------------------------------------------------------------------------

// `columns`: [heading, class, cell of a row].
function table(caption, columns, rows, rowClass = () => null) {
  return el('div', { class: 'wide', tabindex: '0', role: 'region', 'aria-label': caption }, el('table', {},
    el('caption', {}, caption),
    el('thead', {}, el('tr', {}, columns.map(([heading, kind]) => el('th', { scope: 'col', class: kind }, heading)))),
    el('tbody', {}, rows.map((row) => el('tr', { class: rowClass(row) }, columns.map(([, kind, cell]) => el('td', { class: kind }, cell(row))))))));
}

const verdict = (word) => el('span', { class: `verdict ${word.replace(' ', '-')}` }, word);
const quiet = (text) => el('p', { class: 'quiet' }, text);
const shownExperiments = () => [...new Set(sides.map((side) => side.experiment))];

// An epoch that only some of the runs have.
const ofSome = (epoch, k, n) => `${whole(epoch)}${epoch !== null && k < n ? ` (${k} of ${n} runs)` : ''}`;

function drawCompression() {
  const columns = [
    ['Layer', 'name', (row) => row.layerName],
    ['Runs', 'number', (row) => `${row.n_runs}${row.n_failed ? `, ${row.n_failed} left out` : ''}`],
    ['Largest at epoch', 'number', (row) => whole(row.i_xt_peak_epoch_median)],
    [`Largest I(X;T), ${state.unit}`, 'number', (row) => inUnit(row.i_xt_peak_bits_mean)],
    ['at the end', 'number', (row) => inUnit(row.i_xt_end_bits_mean)],
    ['Compression [95 %]', 'number', (row) => inUnit(row.compression_bits_mean) + interval(row.compression_bits_low, row.compression_bits_high, inUnit)],
    ['Wilcoxon p', 'number', (row) => pValue(row.wilcoxon_p)],
    ['Sign p', 'number', (row) => pValue(row.sign_p)],
    ['Fitted at epoch', 'number', (row) => ofSome(row.fitted_epoch_median, row.n_fitted, row.n_runs)],
    ['Diffusion from epoch', 'number', (row) => ofSome(row.diffusion_epoch_median, row.n_diffused, row.n_runs)],
    ['Verdict', null, (row) => el('span', {}, verdict(row.verdict), row.reason ? `: ${row.reason}` : '')],
  ];
  byId('compression-table').replaceChildren(...sides.map((side) => {
    const rows = (side.experiment.compression ?? []).filter((row) => row.estimator === side.estimate?.id)
      .map((row) => ({ ...row, layerName: layerName(side.experiment, row.layer) }));
    const name = `${side.experiment.name}, ${side.estimate?.id ?? 'no estimates'}`;
    return rows.length ? table(`${name}: compression is I(X;T) at the epoch where the other half of the runs is at its largest, less the last; a run’s own largest lies above it for mere noise`, columns, rows) : quiet(`There is none of ${name}.`);
  }));
}

const VERDICTS = ['holds', 'fails', 'undecided'];

function claimsOf(of) {
  if (!of.claims?.length) return [quiet(`${of.name} makes no claims: its pipeline has no [[expect]], or they are not judged yet (infoplane verify).`)];
  const shown = of.claims.filter((claim) => state.verdict === 'all' || claim.verdict === state.verdict);
  const where = (claim) => [claim.quantity, claim.layer == null ? null : `layer ${claim.layer}`, claim.estimator].filter(Boolean).join(', ');
  const columns = [
    ['Verdict', null, (claim) => verdict(claim.verdict)],
    ['Figure', 'name', (claim) => claim.figure],
    ['Claim', 'words', (claim) => [claim.claim, claim.paper ? el('small', {}, `paper: ${claim.paper}`) : null]],
    ['Number', 'short', (claim) => [`${claim.measure}`, el('small', {}, where(claim))]],
    ['Wanted', 'short', (claim) => claim.wanted],
    ['Mean [95 %]', 'number', (claim) => significant(claim.mean) + interval(claim.low, claim.high, significant)],
    ['Runs', 'number', (claim) => `${claim.n_met} of ${claim.n_runs}${claim.n_failed ? `, ${claim.n_failed} failed` : ''}`],
    ['Reason', 'words', (claim) => claim.reason ?? ''],
  ];
  const caption = `${of.name}: estimates and entropies in bits, losses in nats; runs are those whose own number is as claimed`;
  return [shown.length ? table(caption, columns, shown) : quiet(`${of.name} has no claim that is ${state.verdict}.`)];
}

function drawClaims() {
  const all = shownExperiments().flatMap((of) => of.claims ?? []);
  const count = (word) => all.filter((claim) => word === 'all' || claim.verdict === word).length;
  const choose = (word) => {
    state.verdict = word;
    drawClaims();
    byId('claims-table').querySelector(`[data-verdict="${word}"]`).focus();
  };
  const filters = ['all', ...VERDICTS].map((word) =>
    el('button', { type: 'button', 'data-verdict': word, 'aria-pressed': String(state.verdict === word), onclick: () => choose(word) }, el('span', { class: word }, word), ` ${count(word)}`));
  byId('claims-table').replaceChildren(
    all.length ? el('div', { class: 'filters', role: 'group', 'aria-label': 'Claims by verdict' }, filters) : '', ...shownExperiments().flatMap(claimsOf));
}

function checksTable(of) {
  if (!of.checked) return quiet(`${of.name} is not checked: infoplane check was not run, so that nothing is known of what its numbers can mean.`);
  if (of.checks.length === 0) return quiet(`${of.name}: all checks pass.`);
  const chosen = (name) => sides.some((side) => side.experiment === of && side.estimate && [side.estimate.id, side.estimate.all_scales].includes(name));
  const names = [...new Set(of.checks.map((check) => check.estimator))].sort((a, b) => chosen(b) - chosen(a));
  const groups = names.map((name) => of.checks.filter((check) => check.estimator === name));
  const row = (check, i, group) => el('tr', { class: chosen(check.estimator) ? 'chosen' : null },
    i === 0 ? el('th', { scope: 'rowgroup', rowspan: group.length }, check.estimator) : null,
    el('td', {}, verdict(check.verdict)), el('td', {}, check.check), el('td', { class: 'number' }, `${check.n_found} of ${check.n_checked}`), el('td', { class: 'words' }, check.says));
  const caption = `${of.name}: what does not pass; of the chosen estimator first`;
  return el('div', { class: 'wide', tabindex: '0', role: 'region', 'aria-label': caption }, el('table', {}, el('caption', {}, caption),
    el('thead', {}, el('tr', {}, ['Estimator', 'Verdict', 'Check'].map((heading) => el('th', { scope: 'col' }, heading)), el('th', { scope: 'col', class: 'number' }, 'Found in'), el('th', { scope: 'col' }, 'Says'))),
    ...groups.map((group) => el('tbody', {}, group.map(row)))));
}

function provenanceOf(of) {
  const from = of.provenance ?? {};
  const facts = [['made by', from.creator], ['infoplane', from.crate_version], ['schema', from.schema_version], ['hash of the settings', from.config_hash]];
  const files = from.files ?? [];
  return el('details', {}, el('summary', {}, `${of.name}: versions, commands, settings, files`),
    el('dl', {}, facts.filter(([, value]) => value != null).flatMap(([name, value]) => [el('dt', {}, name), el('dd', {}, el('code', {}, String(value)))])),
    ...(from.commands?.length ? [el('h3', {}, 'To make it again'), el('pre', { tabindex: '0' }, from.commands.join('\n'))] : []),
    ...(from.settings ? [el('h3', {}, 'Settings'), el('pre', { tabindex: '0' }, from.settings)] : []),
    ...(files.length ? [el('h3', {}, 'Files that were read'), table('BLAKE3 of each', [['File', null, ([name]) => el('code', {}, name)], ['Hash', null, ([, hash]) => el('code', { class: 'hash' }, hash)]], files)] : []));
}

function drawTables() {
  drawCompression();
  drawClaims();
  byId('checks-table').replaceChildren(...shownExperiments().map(checksTable));
}

function drawProvenance() {
  byId('provenance-table').replaceChildren(...DATA.experiments.map(provenanceOf));
}

// ---- CSV ------------------------------------------------------------------------------------------------------------

const CSV_COLUMNS = ['experiment', 'estimator', 'samples', 'run', 'layer', 'epoch', 'step', 'i_xt_bits', 'i_xt_bits_low', 'i_xt_bits_high', 'i_xt_null_bits',
  'i_ty_bits', 'i_ty_bits_low', 'i_ty_bits_high', 'i_ty_null_bits'];

function csvRows(side) {
  const { estimate, experiment: of } = side;
  if (!estimate) return [];
  const n = side.times.length;
  const wanted = side.run === 'all' ? ['mean', ...estimate.runs] : [side.run];
  const rows = [];
  for (const name of wanted) {
    const run = estimate.runs.indexOf(name);
    for (const layer of side.layers) {
      const row = of.layers.indexOf(layer);
      for (let snapshot = 0; snapshot < n; snapshot += 1) {
        const numbersOf = (quantity) => {
          const arrays = numbers(estimate)[quantity];
          const at = row * n + snapshot;
          // The shuffles are means over runs, and so are the ends of the interval.
          return run < 0
            ? ['mean', 'low', 'high', 'null'].map((kind) => exact(arrays?.[kind]?.[at]))
            : [exact(arrays?.runs?.[run * of.layers.length * n + at]), '', '', ''];
        };
        rows.push([of.name, estimate.id, estimate.samples, name, layer, estimate.epochs[snapshot], estimate.steps[snapshot] ?? '', ...QUANTITIES.flatMap(numbersOf)]);
      }
    }
  }
  return rows;
}

const csvCell = (value) => (/[",\n]/.test(String(value)) ? `"${String(value).replaceAll('"', '""')}"` : String(value));
const csv = () => `${[CSV_COLUMNS, ...sides.flatMap(csvRows)].map((row) => row.map(csvCell).join(',')).join('\n')}\n`;

function downloadCsv() {
  const url = URL.createObjectURL(new Blob([csv()], { type: 'text/csv' }));
  const names = sides.map((side) => `${side.experiment.name}-${side.estimate?.id ?? 'none'}`);
  el('a', { href: url, download: `${names.join('-and-')}-${sides[0].run}.csv` }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

// ---- Controls -------------------------------------------------------------------------------------------------------

const unique = (values) => [...new Set(values)];
const asOptions = (values, label = (value) => value) => values.map((value) => ({ value, label: label(value) }));

function runOptions(estimate) {
  if (!estimate) return [{ value: 'mean', label: '–' }];
  const { runs } = estimate;
  if (runs.length === 1) return [{ value: 'mean', label: runs[0] === 'pooled' ? 'runs pooled' : `${runs[0]}, the only run` }];
  if (!QUANTITIES.some((quantity) => numbers(estimate)[quantity]?.runs)) return [{ value: 'mean', label: `mean over ${runs.length} runs; single runs are left out` }];
  return [{ value: 'mean', label: `mean over ${runs.length} runs` }, { value: 'all', label: 'all runs as dots' }, ...asOptions(runs, (run) => `${run}${hasFailed(estimate, run) ? ' (failed)' : ''}`)];
}

function hasFailed(estimate, run) {
  const size = (array) => array.length / estimate.runs.length;
  const at = estimate.runs.indexOf(run);
  const arrays = QUANTITIES.map((quantity) => numbers(estimate)[quantity]?.runs).filter(Boolean);
  return !arrays.some((array) => isFinished(array.subarray(at * size(array), (at + 1) * size(array))));
}

function drawControls() {
  const of = experiment();
  const estimate = estimateOf(of, state.estimate);
  const family = of.estimates.filter((other) => other.family === estimate?.family);
  const hasPlane = (name) => of.estimates.some((other) => other.family === name && other.i_xt && other.i_ty);
  fillSelect(byId('experiment'), DATA.experiments.map((other, i) => ({ value: String(i), label: other.name })), String(state.experiment));
  fillSelect(byId('estimator'), asOptions(unique(of.estimates.map((other) => other.family)), (name) => (hasPlane(name) ? name : `${name} (not in the plane)`)), estimate?.family);
  fillSelect(byId('scale'), asOptions(unique(family.map((other) => other.setting)), (setting) => setting || '–'), estimate?.setting);
  fillSelect(byId('samples'), asOptions(unique(family.map((other) => other.samples))), estimate?.samples);
  fillSelect(byId('run'), runOptions(estimate), sides[0].run);
  const besides = DATA.experiments.map((other, i) => ({ value: String(i), label: other === of ? `${other.name}, another estimator` : other.name }));
  fillSelect(byId('beside'), [{ value: '', label: 'nothing' }, ...besides], state.beside ? String(state.beside.experiment) : '');
  byId('beside-estimate-choice').hidden = !state.beside;
  if (state.beside) fillSelect(byId('beside-estimate'), asOptions(DATA.experiments[state.beside.experiment].estimates.map((other) => other.id)), state.beside.estimate);
  for (const id of ['paths', 'unit', 'speed']) byId(id).value = String(state[id]);
  for (const id of ['intervals', 'nulls', 'scales']) byId(id).checked = state[id];
  const others = family.filter((other) => other.all_scales === estimate?.all_scales);
  byId('scales').disabled = others.length < 2;
}

function chooseBeside(index, id = null) {
  if (index === null) {
    state.beside = null;
    return;
  }
  const other = DATA.experiments[index];
  const current = estimateOf(experiment(), state.estimate);
  // Beside itself an experiment is of interest with another estimator only.
  const like = other === experiment() ? other.estimates.find((estimate) => estimate !== current && isInPlane(estimate)) ?? current : nearest(other, current);
  const chosen = estimateOf(other, id) ?? like;
  if (id === null && like && current && other !== experiment() && like.id !== current.id) state.fallbacks.push(`${other.name} has no ${current.id}: ${like.id} is shown`);
  state.beside = { experiment: index, estimate: chosen?.id ?? null };
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
  onChoice('estimator', (select) => chooseEstimate({ family: select.value }));
  onChoice('scale', (select) => chooseEstimate({ setting: select.value, family: byId('estimator').value }));
  onChoice('samples', (select) => chooseEstimate({ samples: select.value, family: byId('estimator').value }));
  for (const id of ['run', 'paths', 'unit']) onChoice(id, (select) => { state[id] = select.value; });
  for (const id of ['intervals', 'nulls', 'scales']) onChoice(id, (box) => { state[id] = box.checked; });
  onChoice('beside', (select) => chooseBeside(select.value === '' ? null : Number(select.value)));
  onChoice('beside-estimate', (select) => { state.beside.estimate = select.value; });
  byId('speed').addEventListener('change', (event) => { state.speed = Number(event.target.value); });
  byId('choices').addEventListener('submit', (event) => event.preventDefault());
  byId('csv').addEventListener('click', downloadCsv);
  byId('theme').addEventListener('click', () => setTheme(state.theme === 'dark' ? 'light' : 'dark'));
  prefersDark.addEventListener('change', (event) => setTheme(event.matches ? 'dark' : 'light'));
  byId('snapshot').addEventListener('input', (event) => {
    setPlaying(false);
    setIndex(Number(event.target.value));
  });
  byId('play').addEventListener('click', () => setPlaying(!state.playing));
  for (const [id, by] of [['back', -1], ['forth', 1]]) {
    byId(id).addEventListener('click', () => {
      setPlaying(false);
      setIndex(nowIndex() + by);
    });
  }
  document.addEventListener('keydown', onKey);
  new ResizeObserver(onResize).observe(byId('sides'));
  listenToPrinting();
}

function onResize() {
  const isSame = ({ clientWidth, clientHeight, layout }) => clientWidth === 0 || (clientWidth === layout.width && clientHeight === layout.height);
  if (!views.every((view) => isSame(view.plane) && isSame(view.courses))) drawPictures();
}

// Paper is white, has no closed details, and is narrower than most screens.
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
  drawNotes();
  drawLegend();
  sides.forEach((side, i) => drawHeader(side, views[i]));
  drawTables();
  drawPictures();
  drawPlayer();
}

// ---- For tests ------------------------------------------------------------------------------------------------------

const indexOfExperiment = (name) => DATA.experiments.findIndex((of) => of.name === name);

function set(changes) {
  state.fallbacks = [];
  if ('experiment' in changes) chooseExperiment(indexOfExperiment(changes.experiment));
  if ('estimate' in changes) state.estimate = changes.estimate;
  if ('beside' in changes) chooseBeside(changes.beside === null ? null : indexOfExperiment(changes.beside.experiment), changes.beside?.estimate);
  for (const name of ['run', 'paths', 'unit', 'intervals', 'nulls', 'scales', 'speed', 'verdict']) {
    if (name in changes) state[name] = changes[name];
  }
  if ('snapshot' in changes) state.time = times(estimateOf(experiment(), state.estimate))[changes.snapshot];
  if ('epoch' in changes) state.time = changes.epoch;
  if ('theme' in changes) setTheme(changes.theme);
  else refresh();
  if ('playing' in changes) setPlaying(changes.playing);
}

// What the picture holds, in bits whatever the unit.
function shown(which = 0) {
  const { estimate } = sides[which];
  return views[which].plane.data.filter((trace) => trace.meta).flatMap(({ x, y, meta }) => meta.runs.map((run, i) => ({
    layer: meta.layer, run, i_xt: x[i], i_ty: y[i], epoch: estimate.epochs[meta.snapshot], step: estimate.steps[meta.snapshot],
  }))).filter((row) => row.i_xt !== null && row.i_ty !== null)
    .map((row) => ({ ...row, i_xt: row.i_xt / factor(), i_ty: row.i_ty / factor() }));
}

function describeState() {
  const [side] = sides;
  const snapshot = snapshotAt(side.times, state.time);
  return {
    experiment: side.experiment.name, estimate: side.estimate?.id ?? null, run: side.run, snapshot, n_snapshots: side.times.length,
    epoch: side.estimate?.epochs[snapshot] ?? null, step: side.estimate?.steps[snapshot] ?? null,
    beside: sides[1] ? { experiment: sides[1].experiment.name, estimate: sides[1].estimate?.id ?? null } : null,
    paths: state.paths, unit: state.unit, intervals: state.intervals, nulls: state.nulls, scales: state.scales, hidden: [...state.hidden],
    playing: state.playing, speed: state.speed, theme: state.theme, verdict: state.verdict,
  };
}

window.infoplane = { state: describeState, set, shown, csv };

// ---- Start ----------------------------------------------------------------------------------------------------------

// The whole training in some ten to twenty seconds, however many snapshots it has.
function firstSpeed() {
  const n = Math.max(0, ...DATA.experiments[0].estimates.map((estimate) => estimate.epochs.length));
  const speeds = Array.from(byId('speed').options, (option) => Number(option.value));
  return speeds.findLast((speed) => speed * 10 <= n) ?? speeds[0];
}

function start() {
  const names = DATA.experiments.map((of) => of.name);
  document.title = `${names.join(', ')}: infoplane report`;
  byId('title').textContent = names.length === 1 ? names[0] : `${names.length} experiments`;
  const [first] = DATA.experiments;
  byId('subtitle').textContent = names.length === 1
    ? `${first.runs.length} ${first.runs.length === 1 ? 'run' : 'runs'}, ${first.layers.length} layers, ${first.estimates.length} tables of estimates; infoplane ${DATA.infoplane}, schema ${DATA.schema_version}`
    : `${names.join(', ')}; infoplane ${DATA.infoplane}, schema ${DATA.schema_version}`;
  state.estimate = firstEstimate(first)?.id ?? null;
  state.speed = firstSpeed();
  byId('app').hidden = false;
  drawProvenance();
  setTheme(state.theme);
  listen();
}

start();
})();
