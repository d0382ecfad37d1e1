// Grids of small panels over epochs, used by the sections below the plane.

const PANELS_IN_ROW = 3;
const PANEL_HEIGHT = 250;

const panelsInRow = (width) => (width < 620 ? 1 : width < 980 ? 2 : PANELS_IN_ROW);

// Draws `panels` into a new figure in `holder`. A panel is { title, yTitle, yaxis, traces(axes) } and may have shapes(axes).
function drawGrid(holder, label, panels, axis, download) {
  const ink = inks();
  const plot = el('div', { class: 'grid', role: 'img', 'aria-label': label });
  holder.append(plot);
  const n_columns = Math.min(panelsInRow(plot.clientWidth), panels.length);
  const n_rows = Math.ceil(panels.length / n_columns);
  plot.style.height = `${n_rows * PANEL_HEIGHT}px`;
  const margin = { l: 58, r: 14, t: 30, b: 40 };
  const layout = baseLayout(plot, ink, { margin, annotations: [], shapes: [] });
  // Room for the axis of a panel that has another one on its left.
  const gap = margin.l / (plot.clientWidth - margin.l - margin.r);
  const traces = panels.flatMap((panel, i) => {
    const [column, row] = [i % n_columns, Math.floor(i / n_columns)];
    const suffix = i === 0 ? '' : String(i + 1);
    const axes = { xaxis: `x${suffix}`, yaxis: `y${suffix}` };
    const across = [column / n_columns + (column > 0 ? gap : 0), (column + 1) / n_columns - 0.01];
    const down = [1 - (row + 1) / n_rows + 0.2 / n_rows, 1 - row / n_rows - 0.06 / n_rows];
    layout[`xaxis${suffix}`] = axisLayout(ink, { ...axis.layout, domain: across, anchor: axes.yaxis, title: row === n_rows - 1 ? { text: axis.title, standoff: 6, font: { size: 11 } } : undefined });
    layout[`yaxis${suffix}`] = axisLayout(ink, { domain: down, anchor: axes.xaxis, ...panel.yaxis, title: { text: panel.yTitle, standoff: 8, font: { size: 11 } } });
    layout.annotations.push({ text: panel.title, showarrow: false, xref: 'paper', yref: 'paper', x: across[0], y: down[1], xanchor: 'left', yanchor: 'bottom', font: { size: 12, color: ink.ink } });
    layout.shapes.push(...(panel.shapes?.(axes, ink) ?? []));
    return panel.traces(axes, ink);
  });
  Plotly.newPlot(plot, traces, layout, CONFIG);
  holder.append(downloads(label, () => ({ plot, ...download })));
}

// Removes the figures of a section before they are drawn again.
function clearGrids(holder) {
  holder.querySelectorAll('.grid').forEach((plot) => Plotly.purge(plot));
  holder.replaceChildren();
}

// A section, and the link to it, are shown only if there is something to show.
function showSection(id, isShown) {
  [byId(id), byId(`to-${id}`)].forEach((node) => { node.hidden = !isShown; });
}

const sidesOfExperiments = () => sides.filter((side, i) => sides.findIndex((other) => other.experiment === side.experiment) === i);
const shownLayers = (experiment) => experiment.layers.filter((layer) => !state.hidden.has(layer));
