// The state of the page: its data, the choices made so far, and the one or two sides that show them.

const QUANTITY_SYMBOLS = { i_xt: 'I(X;T)', i_ty: 'I(T;Y)' };
const QUANTITIES = ['i_xt', 'i_ty'];

const byId = (id) => document.getElementById(id);
// Invisible characters of names, and characters that change the reading order, are shown by their number.
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;
const visible = (text) => text.replace(UNSEEN, (c) => `\\u{${c.codePointAt(0).toString(16)}}`);
const DATA = JSON.parse(byId('data').textContent, (key, value) => (typeof value === 'string' ? visible(value) : value));
// Texts in figures can contain markup; names must not be read as markup.
const inFigure = (text) => String(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;');
const prefersDark = window.matchMedia('(prefers-color-scheme: dark)');

// The choices that the address of the page can contain, before any is made.
const initialChoices = () => ({
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
  // Indices of experiments; null for the first ones.
  overlay: null,
  fallbacks: [],
});

const state = {
  ...initialChoices(),
  verdict: 'all',
  speed: 16,
  playing: false,
  theme: prefersDark.matches ? 'dark' : 'light',
};
// One or two sides, each an experiment with one of its estimates, and the snapshots of both in order.
let sides = [];
let timeline = [];
