// Notes above the plane: findings of the checks, failures, and missing data.

const checksOf = (experiment, estimate) => experiment.checks.filter((check) => check.estimator === estimate.id || check.estimator === estimate.all_scales);

function checkNotes(side) {
  if (!side.estimate) return [];
  return ['violated', 'warning'].flatMap((verdict) => {
    const found = checksOf(side.experiment, side.estimate).filter((check) => check.verdict === verdict);
    if (found.length === 0) return [];
    const [first, ...others] = found;
    const more = others.length ? `; also ${others.map((check) => `${check.check} (${check.n_found} of ${check.n_checked})`).join(', ')}` : '';
    const subject = sides.length === 2 ? `${side.experiment.name}, ${side.estimate.id}` : side.estimate.id;
    return [{ kind: verdict, text: `${subject}, check ${first.check}, ${verdict} in ${first.n_found} of ${first.n_checked}: ${first.says}${more}. `, link: '#checks' }];
  });
}

function drawNotes() {
  const notes = state.fallbacks.map((text) => ({ kind: 'fallback', text: `${text}.` }));
  for (const side of sides) {
    if (side.isFallback) notes.push({ kind: 'fallback', text: `${side.experiment.name}, ${side.estimate.id}, has no run ${state.run}; showing the mean.` });
    if (side.estimate?.n_failed) notes.push({ kind: 'warning', text: `${side.estimate.id}: ${side.estimate.n_failed} estimates failed and are excluded.` });
    notes.push(...checkNotes(side));
  }
  for (const experiment of shownExperiments()) {
    if (!experiment.checked) notes.push({ kind: 'warning', text: `${experiment.name} is not checked, so there are no verdicts on its compression; run infoplane check, then infoplane aggregate.` });
    if (experiment.n_trainings_failed) notes.push({ kind: 'warning', text: `${experiment.name}: ${experiment.n_trainings_failed} of ${experiment.runs.length} trainings failed; their estimates are included in the means.` });
  }
  // Differences between experiments matter only when two are shown; missing data always does.
  notes.push(...DATA.notes.filter((note) => sides.length === 2 || note.kind !== 'difference'));
  byId('notes').replaceChildren(...notes.map(({ kind, text, link }) => el('p', { class: kind }, text, link ? el('a', { href: link }, 'All checks') : null)));
}
