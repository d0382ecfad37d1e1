// Time: snapshots in order, and the logarithmic axis of epochs.

// True if there are several snapshots within one epoch.
const isWithinEpochs = ({ epochs }) => new Set(epochs).size < epochs.length;

// The number of steps of an epoch if the snapshots leave only one possibility: each is in epoch floor(step / n).
function stepsPerEpoch({ epochs, steps }) {
  if (steps.some((step) => step == null)) return null;
  const least = Math.max(...steps.map((step, i) => Math.floor(step / (epochs[i] + 1)) + 1));
  const most = Math.floor(Math.min(...steps.map((step, i) => (epochs[i] > 0 ? step / epochs[i] : Infinity))));
  return least === most ? most : null;
}

// All tables of an experiment count time in the same unit.
for (const experiment of DATA.experiments) {
  const { fits, gradients, estimates, histograms, weights } = experiment;
  const perEpoch = stepsPerEpoch(fits);
  const timeUnit = perEpoch === null && isWithinEpochs(fits) ? 'step' : 'epoch';
  for (const series of [fits, ...(gradients ? [gradients] : []), ...estimates, ...histograms, ...weights]) Object.assign(series, { perEpoch, timeUnit });
}

// The times of the snapshots of a table: epochs, with a fraction for steps between the ends of epochs; or steps, if the snapshots
// do not tell how many steps an epoch has.
function times({ epochs, steps, perEpoch, timeUnit }) {
  if (steps.some((step) => step == null)) return epochs;
  if (perEpoch !== null) return steps.map((step) => step / perEpoch);
  return timeUnit === 'step' ? steps : epochs;
}

const isInSteps = ({ timeUnit }) => timeUnit === 'step';

// The last snapshot at or before `time`, −1 if there is none.
function snapshotAt(snapshots, time) {
  let found = -1;
  for (let i = 0; i < snapshots.length && snapshots[i] <= time; i += 1) found = i;
  return found;
}

const currentIndex = () => Math.max(0, snapshotAt(timeline, state.time));

// The time axis is logarithmic; epoch 0 is drawn left of the first positive time.
function timeAxis() {
  const axisTimes = [...timeline, ...sides.flatMap((side) => times(side.experiment.fits))];
  const positive = axisTimes.filter((time) => time > 0);
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
  // An axis shorter than a decade is labelled at its ends.
  if (labelled.length < 2 && positive.length) {
    labelled.splice(0, labelled.length, ...new Set([first, last]));
    text.splice(0, text.length, ...labelled.map((at) => String(Number((10 ** at).toPrecision(3)))));
  }
  if (axisTimes.includes(0)) {
    labelled.unshift(first - gap);
    text.unshift('0');
  }
  return {
    place,
    title: sides.some((side) => isInSteps(side.experiment.fits)) ? 'step' : 'epoch',
    layout: {
      range: [(axisTimes.includes(0) ? first - gap : first) - margin, last + margin],
      tickvals: labelled, ticktext: text, minor: { tickvals: minor, ticks: 'outside', ticklen: 3, showgrid: false },
    },
  };
}
