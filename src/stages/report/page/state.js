// What the page shows: the data inside it, the choices made so far, and the one or two sides they lead to.

const QUANTITY_SYMBOLS = { i_xt: 'I(X;T)', i_ty: 'I(T;Y)' };
const QUANTITIES = ['i_xt', 'i_ty'];

const byId = (id) => document.getElementById(id);
// Characters of names that are not seen, or reorder what is read, are shown by their number.
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;
const visible = (text) => text.replace(UNSEEN, (c) => `\\u{${c.codePointAt(0).toString(16)}}`);
const DATA = JSON.parse(byId('data').textContent, (key, value) => (typeof value === 'string' ? visible(value) : value));
// Texts in figures may hold tags, which names may not.
const inFigure = (text) => String(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;');
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
