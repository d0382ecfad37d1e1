// Views: the elements that the plane and the curves of a side are drawn into.

let views = [];

function makeView() {
  const figure = (kind, label) => {
    const plot = el('div', { class: 'plot', role: 'img', 'aria-label': label });
    const canvas = el('div', { class: 'canvas' }, plot);
    return { plot, canvas, holder: el('div', { class: `figure ${kind}` }, canvas) };
  };
  const plane = figure('plane', 'Information plane');
  const panel = figure('curves', 'I(X;T), I(T;Y), loss and accuracy over epochs');
  const view = {
    plane: plane.plot, curves: panel.plot, header: el('header'), quantity: el('p', { class: 'quantity' }),
    cursor: el('div', { class: 'cursor', hidden: true }), empty: el('div', { class: 'empty', hidden: true }),
    epoch: el('div', { class: 'epoch', 'aria-hidden': 'true' }),
  };
  plane.canvas.append(view.epoch, view.empty);
  plane.holder.append(downloads('the information plane', () => planeFigure(sides[views.indexOf(view)], view)));
  panel.canvas.append(view.cursor);
  panel.holder.append(downloads('the curves', () => curvesFigure(sides[views.indexOf(view)], view)));
  view.node = el('div', { class: 'side' }, view.header, plane.holder, panel.holder, view.quantity);
  listenToClicks(view);
  return view;
}

const sideTitle = (side) => [side.experiment.name, ...(side.estimate ? [side.estimate.id, ...runsInWords(side).split(', ')] : ['no estimates'])];
const sideName = (side) => [side.experiment.name, side.estimate?.id, side.run].filter(Boolean).join('-');

function planeFigure(side, view) {
  const snapshot = snapshotAt(side.times, state.time);
  const when = snapshot < 0 ? [] : [snapshotInWords(side.estimate, snapshot)];
  return { plot: view.plane, title: [...sideTitle(side), ...when], legend: layerEntries(side), name: `plane-${sideName(side)}`, columns: CSV_COLUMNS, rows: () => csvRows(side) };
}

function curvesFigure(side, view) {
  return {
    plot: view.curves, title: sideTitle(side), legend: layerEntries(side), name: `curves-${sideName(side)}`,
    columns: [...CSV_COLUMNS, ...FIT_COLUMNS], rows: () => csvRowsWithFits(side),
  };
}

function prepareViews() {
  while (views.length > sides.length) {
    const view = views.pop();
    [view.plane, view.curves].forEach((plot) => Plotly.purge(plot));
    view.node.remove();
  }
  while (views.length < sides.length) {
    views.push(makeView());
    byId('sides').append(views.at(-1).node);
  }
  byId('sides').classList.toggle('two', sides.length === 2);
  const axis = timeAxis();
  const ranges = { i_xt: rangeOf('i_xt'), i_ty: rangeOf('i_ty') };
  views.forEach((view) => Object.assign(view, { axis, ranges }));
}

function drawHeader(side, view) {
  const { estimate } = side;
  const words = estimate ? [estimate.id, samplesName(estimate.samples), runsInWords(side)] : ['no estimates'];
  view.header.replaceChildren(el('b', {}, side.experiment.name), ...words.map((word) => el('span', {}, word)));
  view.quantity.textContent = estimate?.quantity ? `Estimated quantity: ${estimate.quantity}.` : '';
}

function drawFigures() {
  sides.forEach((side, i) => {
    drawPlane(side, views[i]);
    drawCurves(side, views[i]);
    if (!views[i].listens) {
      // Plotly adds its events when it draws for the first time.
      views[i].curves.on('plotly_relayout', () => placeCursor(sides[i], views[i]));
      views[i].listens = true;
    }
  });
}
