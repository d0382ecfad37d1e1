// The settings of the shown experiments, as tables of a pipeline file, folded at the top of the page.

let settingsAreOpen = false;

function settingsOf(experiment) {
  const details = el('details', { class: 'settings', open: settingsAreOpen }, el('summary', {}, `Settings of ${experiment.name}`),
    el('pre', { tabindex: '0' }, experiment.provenance.settings.join('\n')));
  details.addEventListener('toggle', () => { settingsAreOpen = details.open; });
  return details;
}

function drawSettings() {
  byId('settings').replaceChildren(...shownExperiments().filter((experiment) => experiment.provenance.settings.length).map(settingsOf));
}
