// The legend: a button for each layer, which hides or shows it.

// A layer with different names in the shown experiments gets the name of each of them.
function legendName(layer) {
  const shown = sides.filter((side) => side.experiment.layers.includes(layer));
  if (shown.length === 0) return `layer ${layer}`;
  const names = [...new Set(shown.map((side) => layerName(side.experiment, layer)))];
  if (names.length === 1) return names[0];
  return `layer ${layer} (${shown.map((side) => `${layerName(side.experiment, layer)} in ${side.experiment.name}`).join(', ')})`;
}

function symbolIcon(layer, colour = layerColour(layer)) {
  const space = 'http://www.w3.org/2000/svg';
  const svg = document.createElementNS(space, 'svg');
  const path = document.createElementNS(space, 'path');
  svg.setAttribute('viewBox', '0 0 16 16');
  svg.setAttribute('aria-hidden', 'true');
  path.setAttribute('d', OUTLINES[layerSymbol(layer)]);
  path.style.fill = colour;
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
    el('button', { type: 'button', 'data-layer': layer, 'aria-pressed': String(!state.hidden.has(layer)), onclick: () => toggle(layer) }, symbolIcon(layer), legendName(layer)));
  const ramp = state.paths === 'epochs' && timeline.length
    ? [el('span', { id: 'ramp' }, `epoch ${significant(timeline[0])}`, rampStripe(), `${significant(timeline.at(-1))}, logarithmic`)] : [];
  byId('legend').replaceChildren(...buttons, ...ramp);
}

function rampStripe() {
  const stripe = el('i');
  stripe.style.background = `linear-gradient(to right, ${RAMPS[state.theme].join(', ')})`;
  return stripe;
}
