// Views: the elements that the plane and the curves of a side are drawn into.

let views = [];

function makeView() {
  const figure = (kind, label) => {
    const plot = el('div', { class: 'plot', role: 'img', 'aria-label': label });
    return { plot, holder: el('div', { class: `figure ${kind}` }, plot) };
  };
  const plane = figure('plane', 'Information plane');
  const panel = figure('curves', 'I(X;T), I(T;Y), loss and accuracy over epochs');
  const view = {
    plane: plane.plot, curves: panel.plot, header: el('header'), quantity: el('p', { class: 'quantity' }),
    cursor: el('div', { class: 'cursor', hidden: true }), empty: el('div', { class: 'empty', hidden: true }),
    epoch: el('div', { class: 'epoch', 'aria-hidden': 'true' }),
  };
  plane.holder.append(view.epoch, view.empty);
  panel.holder.append(view.cursor);
  view.node = el('div', { class: 'side' }, view.header, plane.holder, panel.holder, view.quantity);
  listenToClicks(view);
  return view;
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
      // Plotly's own events exist once something is drawn.
      views[i].curves.on('plotly_relayout', () => placeCursor(sides[i], views[i]));
      views[i].listens = true;
    }
  });
}
