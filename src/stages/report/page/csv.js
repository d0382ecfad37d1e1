// The drawn numbers as a CSV file.

const CSV_COLUMNS = ['experiment', 'estimator', 'samples', 'run', 'layer', 'epoch', 'step', 'i_xt_bits', 'i_xt_bits_low', 'i_xt_bits_high', 'i_xt_null_bits',
  'i_ty_bits', 'i_ty_bits_low', 'i_ty_bits_high', 'i_ty_null_bits'];

function csvRows(side) {
  const { estimate, experiment } = side;
  if (!estimate) return [];
  const n = side.times.length;
  const wanted = side.run === 'all' ? ['mean', ...estimate.runs] : [side.run];
  const rows = [];
  for (const name of wanted) {
    const run = estimate.runs.indexOf(name);
    for (const layer of side.layers) {
      const row = experiment.layers.indexOf(layer);
      for (let snapshot = 0; snapshot < n; snapshot += 1) {
        const numbersOf = (quantity) => {
          const arrays = numbers(estimate)[quantity];
          const at = row * n + snapshot;
          // Shuffled estimates and intervals exist for the mean over runs only.
          return run < 0
            ? ['mean', 'low', 'high', 'null'].map((kind) => exact(arrays?.[kind]?.[at]))
            : [exact(arrays?.runs?.[run * experiment.layers.length * n + at]), '', '', ''];
        };
        rows.push([experiment.name, estimate.id, estimate.samples, name, layer, estimate.epochs[snapshot], estimate.steps[snapshot] ?? '', ...QUANTITIES.flatMap(numbersOf)]);
      }
    }
  }
  return rows;
}

// A text that a spreadsheet would take for a formula has an apostrophe before it.
const isFormula = (text) => /^[=+\-@\t\r]/.test(text) && !Number.isFinite(Number(text));
function csvCell(value) {
  const text = isFormula(String(value)) ? `'${value}` : String(value);
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const csv = () => `${[CSV_COLUMNS, ...sides.flatMap(csvRows)].map((row) => row.map(csvCell).join(',')).join('\n')}\n`;

function downloadCsv() {
  const url = URL.createObjectURL(new Blob([csv()], { type: 'text/csv' }));
  const names = sides.map((side) => `${side.experiment.name}-${side.estimate?.id ?? 'none'}`);
  el('a', { href: url, download: `${names.join('-and-')}-${sides[0].run}.csv` }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}
