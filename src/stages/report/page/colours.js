// Colours and symbols of layers and epochs, on light and dark paper.

// The palette of Okabe and Ito, safe for colour-blind readers; black becomes light grey on a dark page.
const COLOURS = ['#D55E00', '#0072B2', '#009E73', '#E69F00', '#CC79A7', '#56B4E9', '#F0E442', '#000000'];
const BLACK_ON_DARK = '#D0D4D8';
const SYMBOLS = ['circle', 'square', 'diamond', 'triangle-up', 'triangle-down', 'cross', 'x', 'star'];
// The same symbols as SVG paths for the legend, in a box of 16 by 16.
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
// Viridis, from the first epoch to the last; the dark page omits its darkest colours.
const RAMPS = {
  light: ['#440154', '#472d7b', '#3b528b', '#2c728e', '#21918c', '#28ae80', '#5ec962', '#addc30', '#e3cf1b'],
  dark: ['#6a4c93', '#5b6cb0', '#3f87ad', '#2a9d9a', '#28ae80', '#5ec962', '#addc30', '#d8e219', '#fde725'],
};
const N_RAMP_STEPS = 24;

const layerColour = (layer) => {
  const colour = COLOURS[(layer + COLOURS.length - 1) % COLOURS.length];
  return colour === '#000000' && state.theme === 'dark' ? BLACK_ON_DARK : colour;
};
const layerSymbol = (layer) => SYMBOLS[(layer + SYMBOLS.length - 1) % SYMBOLS.length];

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
