// What the page shows: the data inside it, the choices made so far, and the one or two sides they lead to.

const QUANTITY_SYMBOLS = { i_xt: 'I(X;T)', i_ty: 'I(T;Y)' };
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
  comparison: null,
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
// One or two sides, each an experiment with one of its estimates, and the snapshots of both in order.
let sides = [];
let timeline = [];
