// The table of compression.

// With fewer runs, the p value of the Wilcoxon test cannot be below 0.05.
const LEAST_RUNS = 6;

function drawCompression() {
  const columns = [
    ['Layer', 'name', (row) => row.layerName],
    ['Verdict', 'words', (row) => el('span', {}, verdict(row.verdict), row.reason ? `: ${row.reason}` : '')],
    ['Runs', 'number', (row) => `${row.n_runs}${row.n_failed ? `, ${row.n_failed} excluded` : ''}`],
    ['Peak epoch', 'number', (row) => whole(row.i_xt_peak_epoch_median)],
    [`Peak I(X;T), ${state.unit}`, 'number', (row) => inUnit(row.i_xt_peak_bits_mean)],
    ['Final I(X;T)', 'number', (row) => inUnit(row.i_xt_end_bits_mean)],
    ['Compression [95 %]', 'number', (row) => inUnit(row.compression_bits_mean) + interval(row.compression_bits_low, row.compression_bits_high, inUnit)],
    ['Wilcoxon p (Holm)', 'number', (row) => (row.n_runs < LEAST_RUNS ? `needs ${LEAST_RUNS} runs` : `${pValue(row.p)} (${pValue(row.p_holm)})`)],
    ['Epoch of 90 % of I(T;Y)', 'number', (row) => epochOfRuns(row.fitted_epoch_median, row.n_fitted, row.n_runs)],
    ['Diffusion starts at epoch', 'number', (row) => epochOfRuns(row.diffusion_epoch_median, row.n_diffused, row.n_runs)],
  ];
  byId('compression-table').replaceChildren(...sides.map((side) => {
    const rows = (side.experiment.compression ?? []).filter((row) => row.estimator === side.estimate?.id)
      .map((row) => ({ ...row, layerName: layerName(side.experiment, row.layer) }));
    const name = `${side.experiment.name}, ${side.estimate?.id ?? 'no estimates'}`;
    return rows.length ? table(`${name}: compression is I(X;T) at the peak epoch minus I(X;T) at the end. The peak epoch is found on the other half of the runs, so that noise alone gives zero on average`, columns, rows) : quiet(`There are no numbers for ${name}.`);
  }));
}
