// The player: slider, buttons and keys that change the snapshot.

function setTime(time) {
  state.time = time;
  drawSnapshot();
}

function setIndex(index) {
  if (timeline.length) setTime(timeline[Math.min(Math.max(index, 0), timeline.length - 1)]);
}

function drawSnapshot() {
  sides.forEach((side, i) => {
    movePlane(side, views[i]);
    placeCursor(side, views[i]);
  });
  if (!state.playing) drawOverlay();
  drawPlayer();
}

function drawPlayer() {
  const slider = byId('snapshot');
  const index = currentIndex();
  slider.max = Math.max(0, timeline.length - 1);
  slider.value = index;
  const side = sides.find((candidate) => candidate.times.includes(timeline[index])) ?? sides[0];
  const snapshot = snapshotAt(side.times, timeline[index] ?? -1);
  const words = snapshot < 0 ? 'no snapshot is recorded' : `epoch ${side.estimate.epochs[snapshot]}, step ${side.estimate.steps[snapshot] ?? '–'}`;
  byId('now').textContent = words;
  slider.setAttribute('aria-valuetext', words);
  for (const id of ['play', 'previous', 'next', 'snapshot']) byId(id).disabled = timeline.length < 2;
  drawSnapshotTable();
  announce();
  writeUrl();
}

function setPlaying(playing) {
  if (playing === state.playing) return;
  state.playing = playing;
  byId('play').textContent = playing ? 'Pause' : 'Play';
  if (!playing) {
    drawOverlay();
    announce();
    writeUrl();
    return;
  }
  if (currentIndex() >= timeline.length - 1) setIndex(0);
  let last = performance.now();
  const frame = (now) => {
    if (!state.playing) return;
    // A slow machine skips snapshots to keep the speed.
    const due = Math.floor(((now - last) * state.speed) / 1000);
    if (due > 0) {
      last += (due * 1000) / state.speed;
      setIndex(currentIndex() + due);
    }
    if (currentIndex() >= timeline.length - 1) setPlaying(false);
    else requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}

function onKey(event) {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const { target } = event;
  const isSlider = target.id === 'snapshot';
  const isBusy = target.closest('select, textarea, pre, input:not(#snapshot)') !== null;
  if (event.key === ' ' && !isBusy && !target.closest('button, a, summary')) {
    event.preventDefault();
    setPlaying(!state.playing);
    return;
  }
  // A table that is wider than the page scrolls by these keys.
  const isTable = target.closest('.wide') !== null;
  if (isBusy || isSlider || isTable) return;
  const jumps = { ArrowLeft: currentIndex() - 1, ArrowRight: currentIndex() + 1, Home: 0, End: timeline.length - 1 };
  if (!(event.key in jumps)) return;
  event.preventDefault();
  setPlaying(false);
  setIndex(jumps[event.key]);
}
