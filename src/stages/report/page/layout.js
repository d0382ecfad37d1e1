// Parts of all figures: axes, ranges, ceilings, and the configuration of plotly.

// One range for all shown sides and all epochs: from 0 (or the smallest number) to the ceiling (or the largest number).
function rangeOf(quantity, shown = sides) {
  let [low, high] = [0, 0];
  const include = (value) => {
    if (value < low) low = value;
    if (value > high) high = value;
  };
  for (const side of shown) {
    const { estimate } = side;
    if (!estimate) continue;
    const arrays = numbers(estimate)[quantity];
    if (!arrays) continue;
    include(estimate[`${quantity}_ceiling`] ?? 0);
    const kinds = isMean(side) && !showsRuns(side) ? ['mean', 'low', 'high'] : ['mean', 'runs'];
    for (const kind of kinds) arrays[kind]?.forEach(include);
  }
  if (high === low) high = low + 1;
  const margin = 0.035 * (high - low);
  return [(low - margin) * unitFactor(), (high + margin) * unitFactor()];
}

function axisLayout(ink, more) {
  return {
    color: ink.ink, gridcolor: ink.line, linecolor: ink.faint, tickcolor: ink.faint, zeroline: false, showline: true, ticks: 'outside',
    ticklen: 4, automargin: false, ...more,
  };
}

function baseLayout(node, ink, more) {
  return {
    width: node.clientWidth, height: node.clientHeight,
    paper_bgcolor: ink.paper, plot_bgcolor: ink.paper, showlegend: false, hovermode: 'closest', hoverdistance: 14,
    font: { family: getComputedStyle(document.body).fontFamily, size: 12.5, color: ink.ink },
    hoverlabel: { bgcolor: ink.paper, bordercolor: ink.faint, font: { color: ink.ink, size: 12.5 }, align: 'left' },
    modebar: { bgcolor: 'rgba(0,0,0,0)', color: ink.faint, activecolor: ink.ink },
    ...more,
  };
}

// One constant: plotly redraws everything if the configuration changes.
const CONFIG = {
  displaylogo: false, responsive: false, doubleClick: 'reset',
  // Only these buttons, and no server: plotly has a button that uploads the figure.
  plotlyServerURL: '', showLink: false,
  modeBarButtons: [['toImage', 'zoom2d', 'pan2d', 'zoomIn2d', 'zoomOut2d', 'resetScale2d']],
  toImageButtonOptions: { format: 'svg', filename: 'infoplane' },
};

function ceilingShapes(side, ink, quantity, [xref, yref]) {
  const ceiling = side.estimate[`${quantity}_ceiling`];
  if (ceiling == null) return [];
  const at = ceiling * unitFactor();
  const line = { type: 'line', line: { color: ink.faint, width: 1, dash: 'dash' }, layer: 'below' };
  return [xref === 'x'
    ? { ...line, xref, yref, x0: at, x1: at, y0: 0, y1: 1 }
    : { ...line, xref, yref, x0: 0, x1: 1, y0: at, y1: at }];
}
