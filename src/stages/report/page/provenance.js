// Provenance: versions, commands and files of each experiment.

function provenanceOf(experiment) {
  const { provenance } = experiment;
  const facts = [['infoplane', provenance.crate_version], ['schema', provenance.schema_version], ['hash of the settings', provenance.config_hash]];
  const files = provenance.files;
  return el('details', {}, el('summary', {}, `${experiment.name}: versions, commands, files`),
    el('dl', {}, facts.filter(([, value]) => value != null).flatMap(([name, value]) => [el('dt', {}, name), el('dd', {}, el('code', {}, String(value)))])),
    ...(provenance.commands.length ? [el('h3', {}, 'Commands that reproduce it'), el('pre', { tabindex: '0' }, provenance.commands.join('\n'))] : []),
    ...(files.length ? [el('h3', {}, 'Input files'), table('BLAKE3 hash of each file', [['File', null, ([name]) => el('code', {}, name)], ['Hash', null, ([, hash]) => el('code', { class: 'hash' }, hash)]], files)] : []));
}

function drawTables() {
  drawCompression();
  drawClaims();
  byId('checks-table').replaceChildren(...shownExperiments().map(checksTable));
}

function drawProvenance() {
  byId('provenance-table').replaceChildren(...DATA.experiments.map(provenanceOf));
}
