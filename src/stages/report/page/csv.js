// Numbers of the figures as CSV.

const CSV_COLUMNS = ['experiment', 'estimator', 'samples', 'run', 'layer', 'epoch', 'step', 'i_xt_bits', 'i_xt_bits_low', 'i_xt_bits_high', 'i_xt_null_bits',
  'i_ty_bits', 'i_ty_bits_low', 'i_ty_bits_high', 'i_ty_null_bits'];
const FIT_COLUMNS = ['loss_train', 'loss_test', 'squared_error_train', 'squared_error_test', 'accuracy_train', 'accuracy_test'];

// A row for each run, layer and snapshot that a side shows.
function csvRows(side) {
  const { estimate, experiment } = side;
  if (!estimate) return [];
  const n = side.times.length;
  const names = side.run === 'all' ? ['mean', ...estimate.runs] : [side.run];
  const rows = [];
  for (const name of names) {
    const run = estimate.runs.indexOf(name);
    for (const layer of side.layers) {
      const row = experiment.layers.indexOf(layer);
      for (let snapshot = 0; snapshot < n; snapshot += 1) {
        const numbersOf = (quantity) => {
          const arrays = numbers(estimate)[quantity];
          const at = row * n + snapshot;
          // Nulls and intervals exist for the mean over runs only.
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

// Rows of a side with the losses and accuracies of their snapshot, which are means over runs.
function csvRowsWithFits(side) {
  const { fits } = side.experiment;
  const columns = FIT_COLUMNS.map((name) => floats(fits[name]));
  const place = new Map(fits.steps.map((step, i) => [step, i]));
  const step = CSV_COLUMNS.indexOf('step');
  return csvRows(side).map((row) => [...row, ...columns.map((column) => exact(column?.[place.get(row[step])]))]);
}

// A text that a spreadsheet would run as a formula begins with an apostrophe.
const isFormula = (text) => /^[=+\-@\t\r]/.test(text) && !Number.isFinite(Number(text));
function csvCell(value) {
  const text = isFormula(String(value)) ? `'${value}` : String(value);
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const csvText = (columns, rows) => `${[columns, ...rows].map((row) => row.map(csvCell).join(',')).join('\n')}\n`;
const csv = () => csvText(CSV_COLUMNS, sides.flatMap(csvRows));
