// Time: snapshots in order, and the logarithmic axis of epochs.

// True if there are several snapshots within one epoch.
const isWithinEpochs = ({ epochs }) => new Set(epochs).size < epochs.length;

// The times of the snapshots of an estimate or of the losses, in epochs. Several snapshots within one epoch are placed by their
// step.
function times(series) {
  const { epochs, steps } = series;
  if (!isWithinEpochs(series)) return epochs;
  const perEpoch = Math.min(...steps.map((step, i) => step / epochs[i]).filter((ratio) => ratio > 0 && Number.isFinite(ratio)));
  return Number.isFinite(perEpoch) ? steps.map((step) => step / perEpoch) : steps;
}

const isInSteps = (estimate) => estimate.epochs.length > 1 && estimate.epochs.every((epoch) => epoch === 0);

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
    title: sides.some((side) => side.estimate && isInSteps(side.estimate)) ? 'step' : 'epoch',
    layout: {
      range: [(axisTimes.includes(0) ? first - gap : first) - margin, last + margin],
      tickvals: labelled, ticktext: text, minor: { tickvals: minor, ticks: 'outside', ticklen: 3, showgrid: false },
    },
  };
}
