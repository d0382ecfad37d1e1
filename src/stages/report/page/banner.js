// The banner: the results of the checks of the selected estimates, with a colour that follows their share at the latest snapshot.

// Share of the checks of a snapshot from which on the banner changes its colour.
const LEAST_SHARE_OF_CHECKS = 0.05;
const GRADES = { failed: 'Checks violated', doubtful: 'Caution', passed: 'Checks passed', unchecked: 'Not checked' };

const shareOf = (n, counts) => (counts.checked ? n / counts.checked : 0);

function grade({ latest, total }) {
  if (shareOf(latest.violated, latest) >= LEAST_SHARE_OF_CHECKS) return 'failed';
  const isDoubtful = latest.violated > 0 || shareOf(latest.warnings, latest) >= LEAST_SHARE_OF_CHECKS || shareOf(total.violated, total) >= LEAST_SHARE_OF_CHECKS;
  return isDoubtful ? 'doubtful' : 'passed';
}

// Counts of an estimate, together with the checks that compare all its scales.
function checkCounts(side) {
  const names = [side.estimate.id, side.estimate.all_scales];
  const found = side.experiment.check_counts.filter((counts) => names.includes(counts.estimator));
  const sum = (part) => found.reduce((total, counts) => ({
    checked: total.checked + counts[part].checked, warnings: total.warnings + counts[part].warnings, violated: total.violated + counts[part].violated,
  }), { checked: 0, warnings: 0, violated: 0 });
  return { latest: sum('latest'), total: sum('total') };
}

const countsInWords = ({ checked, warnings, violated }) => `${violated} of ${checked} violated, ${warnings} with a warning`;

function bannerOf(side) {
  const name = sides.length === 2 ? `${side.experiment.name}, ${side.estimate?.id ?? 'no estimates'}` : side.estimate?.id ?? 'no estimates';
  if (!side.experiment.checked || !side.estimate) return { kind: 'unchecked', text: `${name}: run infoplane check to see whether its estimates can be trusted.` };
  const counts = checkCounts(side);
  const epoch = side.estimate.epochs.at(-1);
  return { kind: grade(counts), text: `${name}: ${countsInWords(counts.latest)} at the latest snapshot (epoch ${epoch}); ${countsInWords(counts.total)} at all snapshots. ` };
}

function drawBanner() {
  byId('banner').replaceChildren(...sides.map(bannerOf).map(({ kind, text }) =>
    el('p', { class: kind }, el('b', {}, `${GRADES[kind]}. `), text, kind === 'unchecked' ? null : el('a', { href: '#checks' }, 'All checks'))));
}
