// The table of claims, with a filter by verdict.

const VERDICTS = ['holds', 'fails', 'undecided'];

function claimsOf(experiment) {
  if (!experiment.claims?.length) return [quiet(`${experiment.name} has no claims: its pipeline has no [[expect]], or infoplane verify has not been run.`)];
  const shown = experiment.claims.filter((claim) => state.verdict === 'all' || claim.verdict === state.verdict);
  const where = (claim) => [claim.quantity, claim.layer == null ? null : claim.layer_name ?? `layer ${claim.layer}`, claim.estimator].filter(Boolean).join(', ');
  const columns = [
    ['Verdict', null, (claim) => verdict(claim.verdict)],
    ['Figure', 'name', (claim) => claim.figure],
    ['Claim', 'words', (claim) => [claim.claim, claim.paper ? el('small', {}, `paper: ${claim.paper}`) : null]],
    ['Measure', 'short', (claim) => [claim.measure, el('small', {}, where(claim))]],
    ['Required', 'short', (claim) => claim.wanted],
    ['Mean [95 %]', 'number', (claim) => significant(claim.mean) + interval(claim.low, claim.high, significant)],
    ['Runs', 'number', (claim) => `${claim.n_met} of ${claim.n_runs}${claim.n_failed ? `, ${claim.n_failed} failed` : ''}`],
    ['Registered', null, (claim) => claim.registered ?? '–'],
    ['Reason', 'words', (claim) => [claim.reason, claim.compression ? el('small', {}, `compression: ${claim.compression}`) : null]],
  ];
  const caption = `${experiment.name}: estimates and entropies in bits, losses in nats; Runs counts those whose own number agrees with the claim`;
  return [shown.length ? table(caption, columns, shown) : quiet(`${experiment.name} has no claim with the verdict “${state.verdict}”.`)];
}

function drawClaims() {
  const claims = shownExperiments().flatMap((experiment) => experiment.claims ?? []);
  const count = (word) => claims.filter((claim) => word === 'all' || claim.verdict === word).length;
  const choose = (word) => {
    state.verdict = word;
    drawClaims();
    byId('claims-table').querySelector(`[data-verdict="${word}"]`).focus();
  };
  const filters = ['all', ...VERDICTS].map((word) =>
    el('button', { type: 'button', 'data-verdict': word, 'aria-pressed': String(state.verdict === word), onclick: () => choose(word) }, el('span', { class: word }, word), ` ${count(word)}`));
  byId('claims-table').replaceChildren(
    claims.length ? el('div', { class: 'filters', role: 'group', 'aria-label': 'Claims by verdict' }, filters) : '', ...shownExperiments().flatMap(claimsOf));
}
