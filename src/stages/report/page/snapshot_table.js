// The numbers of the current snapshot in words and as a table, for screen readers and for copying.

// Screen readers get the snapshot once the slider rests.
const REST = 500;
let speechTimer = null;

function numbersInWords(side) {
  const snapshot = snapshotAt(side.times, state.time);
  if (!side.estimate || snapshot < 0) return `${side.experiment.name}: no snapshot.`;
  const layers = side.layers.map((layer) => {
    const [i_xt, i_ty] = QUANTITIES.map((quantity) => decimals(curves(side).get(layer)[quantity][snapshot] ?? NaN, 2));
    return `${layerName(side.experiment, layer)}: I(X;T) ${i_xt}, I(T;Y) ${i_ty}`;
  });
  const subject = sides.length === 2 ? `${side.experiment.name}, ` : '';
  return `${subject}${snapshotInWords(side.estimate, snapshot)}, in ${state.unit}. ${layers.join('; ')}.`;
}

function announce() {
  clearTimeout(speechTimer);
  if (state.playing) return;
  speechTimer = setTimeout(() => { byId('spoken').textContent = sides.map(numbersInWords).join(' '); }, REST);
}

function tableOfSnapshot(side) {
  const snapshot = snapshotAt(side.times, state.time);
  if (!side.estimate || snapshot < 0) return quiet(`${side.experiment.name} has no snapshot at or before this epoch.`);
  const run = isMean(side) ? null : side.estimate.runs.indexOf(side.run);
  const number = (quantity, kind, layer) => decimals(numberAt(side, quantity, kind, layer, snapshot, run), 3);
  const cell = (quantity) => (layer) => {
    if (run !== null) return number(quantity, 'runs', layer);
    const [low, high] = ['low', 'high'].map((end) => number(quantity, end, layer));
    return number(quantity, 'mean', layer) + (low === '–' ? '' : ` [${low}, ${high}]`);
  };
  const nullCell = (quantity) => (layer) => number(quantity, 'null', layer);
  const columns = [['Layer', 'name', (layer) => layerName(side.experiment, layer)],
    ...QUANTITIES.flatMap((quantity) => [
      [`${QUANTITY_SYMBOLS[quantity]}, ${state.unit}`, 'number', cell(quantity)],
      [`Permutation null of ${QUANTITY_SYMBOLS[quantity]}`, 'number', nullCell(quantity)],
    ])];
  return table(`${side.experiment.name}, ${side.estimate.id}, ${snapshotInWords(side.estimate, snapshot)}; ${runsInWords(side)}`, columns, side.layers);
}

// A closed table is not drawn, so that playing stays fast.
function drawSnapshotTable() {
  if (byId('snapshot-numbers').open) byId('snapshot-table').replaceChildren(...sides.map(tableOfSnapshot));
}
