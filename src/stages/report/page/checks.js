// The table of the checks that did not pass.

function checksTable(experiment) {
  if (!experiment.checked) return quiet(`${experiment.name} is not checked: run infoplane check to see whether its estimates can be trusted.`);
  if (experiment.checks.length === 0) return quiet(`${experiment.name}: all checks pass.`);
  const isChosen = (name) => sides.some((side) => side.experiment === experiment && side.estimate && [side.estimate.id, side.estimate.all_scales].includes(name));
  const names = [...new Set(experiment.checks.map((check) => check.estimator))].sort((a, b) => isChosen(b) - isChosen(a));
  const groups = names.map((name) => experiment.checks.filter((check) => check.estimator === name));
  const row = (check, i, group) => el('tr', { class: isChosen(check.estimator) ? 'chosen' : null },
    i === 0 ? el('th', { scope: 'rowgroup', rowspan: group.length }, check.estimator) : null,
    el('td', {}, verdict(check.verdict)), el('td', {}, check.check), el('td', { class: 'number' }, `${check.n_found} of ${check.n_checked}`), el('td', { class: 'words' }, check.says));
  const caption = `${experiment.name}: checks that did not pass; those of the selected estimator first`;
  return framed(caption,
    el('thead', {}, el('tr', {}, ['Estimator', 'Verdict', 'Check'].map((heading) => el('th', { scope: 'col' }, heading)), el('th', { scope: 'col', class: 'number' }, 'Found in'), el('th', { scope: 'col' }, 'Message'))),
    ...groups.map((group) => el('tbody', {}, group.map(row))));
}
