"""The page of `infoplane report`, in a real browser and without a network: it shows the numbers of the Parquet tables."""

import bisect
import shutil
import time
from xml.etree import ElementTree

import numpy as np
import polars as pl
import pytest
from conftest import pipeline
from playwright.sync_api import expect, sync_playwright

PIPELINE = pipeline(runs=3, epochs=30, record="{ log_spaced = 12 }") + """[[estimate]]
estimator = "binning"
n_edges = [8, 30]
[[estimate]]
estimator = "kde"
noise_variance = 0.1
[[expect]]
figure = "Fig. 1"
claim = "the last hidden layer learns of the label"
estimate = "binning-n-edges-30"
quantity = "i_ty"
layer = 2
measure = "end"
above = 0.05
[[expect]]
figure = "Fig. 2"
claim = "the output <b>never</b> knows the label"
estimate = "binning-n-edges-30"
quantity = "i_ty"
layer = "output"
measure = "end"
below = 0.01
"""
# A pipeline with another depth, other epochs and fewer tables, to compare with the first.
DEEPER = PIPELINE.replace("hidden = [6, 3]", "hidden = [6, 4, 3]").replace("epochs = 30", "epochs = 20").replace("n_edges = [8, 30]", "n_edges = 30")
DEEPER = DEEPER.replace("epochs = { log_spaced = 12 }", "epochs = { list = [0, 3, 9, 20] }")
LAYERS = [1, 2, 3]

# The numbers are 32-bit floats in the page, which have 24 bits: half a unit of the last place is 6e-8 of the number.
REL = 1e-6
# No 3D interfaces: machines without a graphics card have no WebGL, and the page must not need it.
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-3d-apis",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
]
SHOWN = "infoplane.shown()"


@pytest.fixture(scope="module")
def folder(tmp_path_factory, in_folder):
    folder = tmp_path_factory.mktemp("report")
    infoplane = in_folder(folder)
    for name, text in [("p", PIPELINE), ("deeper", DEEPER)]:
        (folder / f"{name}.toml").write_text(text)
        infoplane.ok(f"run {name}.toml")
        infoplane.ok(f"check outputs/{name}")
    infoplane.ok("report outputs/p")
    infoplane.ok("report outputs/p outputs/deeper --out both")
    return folder


@pytest.fixture(scope="module")
def browser():
    found = [path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))]
    assert found, "no chromium; install the package `chromium`"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found[0], args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def opened(browser):
    """Opens a page offline. At the end, the page must have logged no error and requested nothing except its file."""
    contexts, complaints, requests = [], [], []

    def open_page(path, fragment="", **of_context):
        context = browser.new_context(offline=True, viewport={"width": 1400, "height": 900}, **of_context)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(path.as_uri() + fragment)
        if of_context.get("java_script_enabled", True):
            # The page is drawn once the plot library is decompressed.
            until(page, "window.infoplane !== undefined")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []
    assert [url for url in requests if not url.startswith(("file:", "data:", "blob:"))] == []
    assert len([url for url in requests if url.startswith("file:")]) == len(contexts)


@pytest.fixture
def page(opened, folder):
    return opened(folder / "outputs/p/report.html")


def summary(folder, estimator, name="p"):
    rows = pl.read_parquet(folder / f"outputs/{name}/summary.parquet").filter(pl.col("estimator") == estimator)
    assert not rows.is_empty()
    return rows.rename({"i_xt_bits_mean": "i_xt", "i_ty_bits_mean": "i_ty"})


def snapshots(table):
    return table.select("epoch", "step").unique().sort("step").rows()


def until(page, condition):
    """Waits until `condition` holds in the page. Playwright's own function evaluates text, which the page's policy forbids."""
    deadline = time.monotonic() + 60
    while not page.evaluate(condition):
        assert time.monotonic() < deadline, condition
        page.wait_for_timeout(20)


def choose(page, method, scale):
    page.get_by_label("Estimator", exact=True).select_option(method)
    scales = page.get_by_label("Scale", exact=True)
    # A select with one option is disabled.
    if scales.is_enabled():
        scales.select_option(scale)
    assert scales.locator("option:checked").text_content() == scale


def assert_shown(page, table, snapshot, which=0):
    """The page shows the rows of `table` at `snapshot`, one for each layer."""
    epoch, step = snapshot
    # The page handles a key at once, but draws at the next frame.
    until(page, f"infoplane.shown({which}).every((row) => row.step === {step})")
    shown = page.evaluate(f"infoplane.shown({which})")
    rows = table.filter(pl.col("step") == step).sort("layer").to_dicts()
    assert [row["layer"] for row in shown] == [row["layer"] for row in rows]
    for drawn, row in zip(shown, rows, strict=True):
        assert (drawn["epoch"], drawn["step"]) == (epoch, row["step"])
        assert (drawn["i_xt"], drawn["i_ty"]) == pytest.approx((row["i_xt"], row["i_ty"]), rel=REL)


def test_the_keyboard_moves_the_epoch_and_the_numbers_are_those_of_the_summary(page, folder):
    table = summary(folder, "binning-n-edges-30")
    choose(page, "binning n_edges", "n_edges = 30")
    slider = page.get_by_label("Recorded snapshot")
    slider.focus()
    page.keyboard.press("Home")
    all_snapshots = snapshots(table)
    assert len(all_snapshots) > 5
    for i, snapshot in enumerate(all_snapshots):
        assert_shown(page, table, snapshot)
        assert slider.input_value() == str(i)
        assert slider.get_attribute("aria-valuetext") == "epoch {}, step {}".format(*snapshot)
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Home")
    assert_shown(page, table, all_snapshots[0])
    # The keys also work when no control has the focus.
    slider.blur()
    page.keyboard.press("End")
    assert_shown(page, table, all_snapshots[-1])
    page.keyboard.press("ArrowLeft")
    assert_shown(page, table, all_snapshots[-2])


def test_each_estimator_shows_its_own_table(page, folder):
    columns = ["estimator", "family", "variant", "scale_kind", "scale"]
    estimates = pl.read_parquet(folder / "outputs/p/summary.parquet").select(columns).unique().sort("family", "variant", "scale").rows()
    assert {family for _, family, *_ in estimates} == {"binning", "kde"} and len(estimates) >= 3
    for estimator, family, variant, kind, scale in estimates:
        choose(page, f"{family} {variant}", f"{kind} = {scale:g}")
        assert page.evaluate("infoplane.state().estimate") == estimator
        table = summary(folder, estimator)
        assert_shown(page, table, snapshots(table)[-1])
    # Scales are in the order of their numbers.
    choose(page, "binning n_edges", "n_edges = 8")
    assert page.get_by_label("Scale", exact=True).inner_text().split("\n") == ["n_edges = 8", "n_edges = 30"]


def test_one_run_shows_the_estimates_of_this_run(page, folder):
    choose(page, "binning n_edges", "n_edges = 30")
    estimates = pl.read_parquet(folder / "outputs/p/estimates/binning-n-edges-30/*.parquet")
    estimates = estimates.rename({"i_xt_bits": "i_xt", "i_ty_bits": "i_ty"})
    for run in ("r0001", "r0002"):
        page.get_by_label("Runs", exact=True).select_option(run)
        of_run = estimates.filter(pl.col("run") == run)
        for snapshot in (snapshots(of_run)[3], snapshots(of_run)[-1]):
            page.evaluate("(epoch) => infoplane.set({ epoch })", snapshot[0])
            assert_shown(page, of_run, snapshot)


def test_each_run_is_a_separate_dot(page, folder):
    choose(page, "binning n_edges", "n_edges = 8")
    page.get_by_label("Runs", exact=True).select_option("all")
    estimates = pl.read_parquet(folder / "outputs/p/estimates/binning-n-edges-8/*.parquet")
    last = estimates.filter(pl.col("step") == estimates["step"].max())
    expected = {(row["run"], row["layer"]): (row["i_xt_bits"], row["i_ty_bits"]) for row in last.to_dicts()}
    shown = {(row["run"], row["layer"]): (row["i_xt"], row["i_ty"]) for row in page.evaluate(SHOWN) if row["run"] != "mean"}
    assert len(expected) == 9
    assert shown.keys() == expected.keys()
    for key, numbers in expected.items():
        assert shown[key] == pytest.approx(numbers, rel=REL)


def test_nats_show_the_same_numbers_in_another_unit(page, folder):
    choose(page, "binning n_edges", "n_edges = 30")
    page.get_by_label("Unit", exact=True).select_option("nats")
    expect(page.locator(".plane .xtitle")).to_have_text("I(X;T), nats")
    table = summary(folder, "binning-n-edges-30")
    assert_shown(page, table, snapshots(table)[-1])


def test_play_advances_and_pause_stops(page):
    # Slowly, so that the animation is still running at the next click.
    page.get_by_label("Speed", exact=True).select_option("1")
    page.evaluate("infoplane.set({ snapshot: 0 })")
    page.get_by_role("button", name="Play").click()
    until(page, "infoplane.state().snapshot >= 1")
    page.get_by_role("button", name="Pause").click()
    until(page, "!infoplane.state().playing")
    snapshot = page.evaluate("infoplane.state().snapshot")
    page.wait_for_timeout(1500)
    assert page.evaluate("infoplane.state().snapshot") == snapshot
    # Started with the keyboard, the animation stops at the last snapshot.
    page.get_by_label("Speed", exact=True).select_option("32")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press(" ")
    until(page, "infoplane.state().snapshot === infoplane.state().n_snapshots - 1 && !infoplane.state().playing")


def test_a_click_on_a_curve_goes_to_its_epoch(page):
    page.evaluate("infoplane.set({ snapshot: 3 })")
    box = page.locator(".curves .plot").bounding_box()
    page.mouse.click(box["x"] + box["width"] - 20, box["y"] + 80)
    until(page, "infoplane.state().epoch === 30")


def test_no_button_leads_out_of_the_page(page):
    # Plotly has one that uploads the figure to a server.
    titles = page.locator(".plane .modebar-btn").evaluate_all("(buttons) => buttons.map((button) => button.dataset.title)")
    assert titles[0].startswith("Download") and titles[1:] == ["Zoom", "Pan", "Zoom in", "Zoom out", "Reset axes"]
    links = page.locator("a[href]").evaluate_all("(links) => links.map((link) => link.getAttribute('href'))")
    assert links and all(link.startswith("#") for link in links)


def test_a_hidden_layer_is_not_drawn(page):
    page.get_by_role("button", name="layer 2").click()
    assert [row["layer"] for row in page.evaluate(SHOWN)] == [1, 3]
    page.get_by_role("button", name="layer 2").click()
    assert [row["layer"] for row in page.evaluate(SHOWN)] == LAYERS


def test_claims_have_the_verdicts_of_their_table(page, folder):
    claims = pl.read_parquet(folder / "outputs/p/claims.parquet")
    rows = page.locator("#claims tbody tr")
    seen = [(row.locator("td").nth(0).inner_text(), row.locator("td").nth(2).inner_text().split("\n")[0]) for row in rows.all()]
    assert seen == claims.select("verdict", "claim").rows()
    assert set(claims["verdict"]) == {"holds", "fails"}
    page.locator("#claims").get_by_role("button", name="fails").click()
    expect(rows).to_have_count(claims.filter(pl.col("verdict") == "fails").height)


def test_the_findings_of_the_checks_are_shown(page, folder):
    severity = {"warning": 1, "violated": 2}
    found = {}
    for row in pl.read_parquet(folder / "outputs/p/checks.parquet").filter(pl.col("verdict").is_in(list(severity))).to_dicts():
        key = (row["estimator"], row["check"])
        found[key] = max(found.get(key, "warning"), row["verdict"], key=severity.get)
    assert found
    bodies = "Array.from(document.querySelectorAll('#checks tbody'), (body) => [body.querySelector('th').innerText, Array.from(body.rows, (row) => Array.from(row.querySelectorAll('td'), (td) => td.innerText))])"
    shown = {(estimator, check): verdict for estimator, rows in page.evaluate(bodies) for verdict, check, *_ in rows}
    assert {key: verdict for key, verdict in shown.items() if verdict in severity} == found
    # Those of the selected estimator are reported above the plane as well.
    for estimator in ("binning-n-edges-8", "binning-n-edges-30"):
        page.evaluate("(estimate) => infoplane.set({ estimate })", estimator)
        notes = page.locator("#notes").inner_text()
        for (of, check), verdict in found.items():
            if of == estimator:
                assert check in notes and verdict in notes


def download(page, tmp_path, button):
    """The file that the button with this name saves."""
    with page.expect_download() as saved:
        page.get_by_role("button", name=button, exact=True).click()
    path = tmp_path / saved.value.suggested_filename
    saved.value.save_as(path)
    return path


def test_the_csv_of_the_plane_has_the_rows_of_the_summary(page, folder, tmp_path):
    choose(page, "binning n_edges", "n_edges = 30")
    drawn = pl.read_csv(download(page, tmp_path, "Download CSV of the information plane")).sort("layer", "step")
    table = summary(folder, "binning-n-edges-30").sort("layer", "step")
    assert drawn.select("layer", "epoch", "step").rows() == table.select("layer", "epoch", "step").rows()
    assert drawn["i_xt_bits"].to_list() == pytest.approx(table["i_xt"].to_list(), rel=REL)
    assert drawn["i_ty_bits"].to_list() == pytest.approx(table["i_ty"].to_list(), rel=REL)


def test_the_csv_of_the_curves_has_the_losses_of_each_snapshot(page, folder, tmp_path):
    choose(page, "binning n_edges", "n_edges = 30")
    drawn = pl.read_csv(download(page, tmp_path, "Download CSV of the curves")).sort("layer", "step")
    table = summary(folder, "binning-n-edges-30").sort("layer", "step")
    assert drawn["loss_train"].to_list() == pytest.approx(table["loss_train_nats_mean"].to_list(), rel=REL)
    assert drawn["accuracy_test"].to_list() == pytest.approx(table["accuracy_test_mean"].to_list(), rel=REL)


def test_the_csv_of_the_gradients_has_the_numbers_of_the_summary(page, folder, tmp_path):
    drawn = pl.read_csv(download(page, tmp_path, "Download CSV of p: gradients and weights over epochs")).sort("layer", "step")
    table = summary(folder, "binning-n-edges-30").sort("layer", "step")
    assert drawn["weight_norm"].to_list() == pytest.approx(table["weight_norm_mean"].to_list(), rel=REL)
    means = (table["gradient_mean_norm_mean"] / table["weight_norm_mean"]).to_list()
    assert drawn["gradient_mean_by_weight_norm"].to_list() == pytest.approx(means, rel=REL, nan_ok=True)


def test_the_histograms_are_those_of_the_activations_of_the_first_run(page, folder, tmp_path):
    drawn = pl.read_csv(download(page, tmp_path, "Download CSV of p: histograms of activations over epochs, first run"))
    assert drawn["layer"].unique().sort().to_list() == LAYERS
    for layer in LAYERS:
        recorded = pl.read_parquet(folder / f"outputs/p/recording/activations/layer={layer}/run=r0000/*.parquet")
        last = drawn.filter(pl.col("layer") == layer, pl.col("step") == recorded["step"].max())
        values = recorded.filter(pl.col("step") == recorded["step"].max())["t"].to_numpy().ravel()
        counts, _ = np.histogram(values, bins=len(last), range=(last["low"][0], last["high"][-1]))
        # Ends of bins have six digits in the CSV, so a value next to an end may be counted in the neighbour.
        assert np.abs(counts / len(values) - last["share"].to_numpy()).max() < 2e-3
        assert last["share"].sum() == pytest.approx(1, abs=len(last) / 65535)


@pytest.mark.parametrize(
    "figure",
    ["the information plane", "the curves", "p: histograms of activations over epochs, first run", "p: gradients and weights over epochs"],
)
def test_each_figure_is_saved_as_png_and_svg_with_its_title(page, tmp_path, figure):
    png = download(page, tmp_path, f"Download PNG of {figure}").read_bytes()
    assert png.startswith(b"\x89PNG") and len(png) > 10_000
    svg = ElementTree.parse(download(page, tmp_path, f"Download SVG of {figure}"))
    words = " ".join("".join(text.itertext()) for text in svg.iter("{http://www.w3.org/2000/svg}text"))
    assert "epoch" in words and ("p, " in words or "p: " in words)


def test_the_player_covers_no_figure(page):
    """An axis is part of its figure; at no place of the page does the player cover a figure."""
    boxes = """() => [document.getElementById('player'), ...document.querySelectorAll('.plot, .grid')].map((node) => {
      const { left, right, top, bottom } = node.getBoundingClientRect();
      return { left, right, top, bottom };
    })"""
    for y in range(0, int(page.evaluate("document.documentElement.scrollHeight")), 300):
        page.evaluate("(y) => window.scrollTo({ top: y, behavior: 'instant' })", y)
        player, *figures = page.evaluate(boxes)
        assert len(figures) >= 4
        for figure in figures:
            assert player["bottom"] <= figure["top"] or figure["bottom"] <= player["top"]


STATE = "(({ playing, speed, theme, verdict, ...view }) => view)(infoplane.state())"


def test_the_address_restores_the_view(opened, folder):
    page = opened(folder / "both/report.html")
    page.evaluate("infoplane.set({ experiment: 'deeper', estimate: 'binning-n-edges-30', compare: { experiment: 'p', estimate: 'binning-n-edges-8' } })")
    page.evaluate("infoplane.set({ run: 'r0001', epoch: 9, unit: 'nats', paths: 'none', nulls: false })")
    page.get_by_role("button", name="layer 2").click()
    until(page, "location.hash.includes('hidden=2')")
    fragment = page.evaluate("location.hash")
    assert "epoch=9" in fragment and "estimate=binning-n-edges-30" in fragment and "run=r0001" in fragment
    restored = opened(folder / "both/report.html", fragment)
    assert restored.evaluate(STATE) == page.evaluate(STATE)
    # A second address in the same tab, and the way back.
    restored.evaluate("location.hash = '#epoch=5&estimate=binning-n-edges-30&experiment=p'")
    until(restored, "infoplane.state().experiment === 'p'")
    assert restored.evaluate("infoplane.state().comparison") is None
    restored.go_back()
    until(restored, "infoplane.state().experiment === 'deeper'")
    assert restored.evaluate(STATE) == page.evaluate(STATE)


def test_the_address_restores_an_overlay_without_experiments(opened, folder):
    page = opened(folder / "both/report.html")
    page.locator("#overlay summary").click()
    for name in ("p", "deeper"):
        page.get_by_label(name, exact=True).uncheck()
    until(page, "location.hash.endsWith('&overlay=')")
    restored = opened(folder / "both/report.html", page.evaluate("location.hash"))
    assert restored.locator("#overlay-summary").inner_text() == "Select experiments (0 of 2)"
    assert restored.evaluate("document.querySelector('#overlay-figure .plot').data") == []
    restored.locator("#overlay summary").click()
    restored.get_by_label("p", exact=True).check()
    assert len(restored.evaluate("document.querySelector('#overlay-figure .plot').data")) > 0


def test_the_arrow_keys_scroll_a_wide_table_and_leave_the_epoch(browser, folder):
    page = browser.new_context(offline=True, viewport={"width": 390, "height": 780}).new_page()
    page.goto((folder / "outputs/p/report.html").as_uri())
    until(page, "window.infoplane !== undefined")
    page.evaluate("infoplane.set({ snapshot: 3 })")
    tables = page.locator("#claims-table .wide")
    tables.first.focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    until(page, "document.querySelector('#claims-table .wide').scrollLeft > 0")
    assert page.evaluate("infoplane.state().snapshot") == 3
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("infoplane.state().snapshot") == 4
    page.context.close()


def test_steps_between_the_ends_of_epochs_are_fractions_of_epochs(opened, folder, in_folder):
    steps = [0, 1, 3, 10, 14, 24]
    text = PIPELINE[: PIPELINE.index("[[expect]]")].replace("epochs = { log_spaced = 12 }", f"steps = {{ list = {steps} }}")
    (folder / "steps.toml").write_text(text.replace("runs = 3", "runs = 1").replace("epochs = 30", "epochs = 4"))
    infoplane = in_folder(folder)
    infoplane.ok("run steps.toml")
    infoplane.ok("report outputs/steps")
    page = opened(folder / "outputs/steps/report.html")
    # 3481 training samples in batches of 512 are seven steps per epoch.
    expected = [np.log10(step / 7) for step in steps[1:]]
    lines = page.evaluate("document.querySelector('.curves .plot').data.map(({ x }) => Array.from(x))")
    longest = [x for x in lines if len(x) == len(steps)]
    assert longest
    for x in longest:
        assert x[1:] == pytest.approx(expected, abs=1e-6)
        assert x[0] < x[1]


@pytest.mark.parametrize(
    "fragment",
    [
        "#epoch=soon&estimate=none&run=r9999&compare=nothing&unit=bytes&paths=x&intervals=maybe&hidden=7,-1,x&overlay=%00",
        "#experiment=__proto__&estimate=constructor&run=<img src=x onerror=alert(1)>&epoch=-1",
        "#epoch=1e999&compare=%F0%28&estimate=&hidden=,,,",
        "#%%%=&&&===",
    ],
)
def test_unknown_values_in_the_address_are_ignored(opened, folder, fragment):
    page = opened(folder / "both/report.html", fragment)
    plain = opened(folder / "both/report.html")
    assert page.evaluate(STATE) == plain.evaluate(STATE)
    assert page.locator("img").count() == 0


def test_a_link_to_a_section_keeps_the_view_in_the_address(page):
    until(page, "location.hash.includes('estimate=')")
    before = page.evaluate("location.hash")
    page.get_by_role("navigation").get_by_role("link", name="Checks").click()
    assert page.evaluate("document.activeElement.id") == "checks"
    assert page.evaluate("location.hash") == before


def test_settings_are_tables_at_the_top_of_the_page(page):
    page.get_by_text("Settings of p", exact=True).click()
    text = page.locator("#settings pre").inner_text()
    for lines in ["runs = 3\nseed = 5\n", "[network]\nhidden = [6, 3]\n", '[training]\n', "learning_rate = 0.004\n", "[record]\n"]:
        assert lines in text
    for lines in ['[data]\nname = "tishby"\ntrain_fraction = 0.85\n', '\npart_mb = 256\n', '\nprecision = "f32"\n', "shuffles = 5"]:
        assert lines in text
    estimates = [table.split("\n\n")[0].splitlines() for table in text.split("[[estimate]]\n")[1:]]
    # By name, as the page lists them.
    assert sorted(lines[:2] for lines in estimates) == [
        ['estimator = "binning"', "n_edges = 30"],
        ['estimator = "binning"', "n_edges = 8"],
        ['estimator = "kde"', "noise_variance = 0.1"],
        ['estimator = "kde"', "noise_variance = 0.1"],
    ]
    assert sorted(lines[2] for lines in estimates if "kde" in lines[0]) == ['bound = "lower"', 'bound = "upper"']
    assert "{" not in text


def test_the_banner_counts_the_checks_of_the_latest_snapshot(page, folder):
    for estimator, every_scale in [("binning-n-edges-8", "binning-n-edges"), ("kde-upper-noise-variance-0.1", "kde-upper-noise-variance")]:
        page.evaluate("(estimate) => infoplane.set({ estimate })", estimator)
        rows = pl.read_parquet(folder / "outputs/p/checks.parquet").filter(pl.col("estimator").is_in([estimator, every_scale]))
        of_last = rows.filter(pl.col("step") == rows["step"].max())
        numbers = [(of.filter(pl.col("verdict") == "violated").height, of.height, of.filter(pl.col("verdict") == "warning").height) for of in (of_last, rows)]
        expected = "{} of {} violated, {} with a warning"
        banner = page.locator("#banner p")
        assert expected.format(*numbers[0]) + " at the latest snapshot (epoch 30)" in banner.inner_text()
        assert expected.format(*numbers[1]) + " at all snapshots" in banner.inner_text()
        violated, checked, warnings = numbers[0]
        grade = "failed" if violated >= 0.05 * checked else "doubtful" if violated or warnings >= 0.05 * checked else None
        if grade:
            assert banner.get_attribute("class") == grade


def test_the_numbers_of_the_snapshot_are_a_table_and_are_announced(page, folder):
    choose(page, "binning n_edges", "n_edges = 30")
    page.evaluate("infoplane.set({ epoch: 0 })")
    page.get_by_text("Numbers of this snapshot as a table").click()
    first = summary(folder, "binning-n-edges-30").filter(pl.col("epoch") == 0).sort("layer")
    cells = page.locator("#snapshot-table tbody tr").evaluate_all("(rows) => rows.map((row) => [row.cells[1].innerText, row.cells[3].innerText])")
    assert [[cell.split()[0] for cell in row] for row in cells] == [[f"{x:.3f}", f"{y:.3f}"] for x, y in first.select("i_xt", "i_ty").rows()]
    until(page, "document.getElementById('spoken').textContent.startsWith('epoch 0, in bits')")
    spoken = page.locator("#spoken")
    assert spoken.get_attribute("aria-live") == "polite"
    assert f"layer 1: I(X;T) {first['i_xt'][0]:.2f}" in spoken.text_content()


def test_the_overlay_has_the_points_of_each_selected_experiment(opened, folder):
    page = opened(folder / "both/report.html")
    page.evaluate("infoplane.set({ estimate: 'binning-n-edges-30', epoch: 30, paths: 'none' })")
    points = "document.querySelector('#overlay-figure .plot').data.map(({ x, y }) => [x[0], y[0]])"
    expected = []
    for name in ("p", "deeper"):
        table = summary(folder, "binning-n-edges-30", name)
        expected += table.filter(pl.col("step") == table["step"].max()).sort("layer").select("i_xt", "i_ty").rows()
    assert sorted(map(tuple, page.evaluate(points))) == [pytest.approx(point, rel=REL) for point in sorted(expected)]
    page.locator("#overlay summary").click()
    page.get_by_label("deeper", exact=True).uncheck()
    assert len(page.evaluate(points)) == len(LAYERS)
    assert "deeper" not in page.locator("#overlay-legend").inner_text()


def test_the_legend_of_the_overlay_names_only_the_settings_that_differ(opened, folder, in_folder):
    text = PIPELINE[: PIPELINE.index("[[expect]]")].replace("batch = 512", "batch = [256, 512]").replace("4e-3", "[4e-3, 8e-3]")
    (folder / "grid.toml").write_text(text.replace("runs = 3", "runs = 1").replace("epochs = 30", "epochs = 12"))
    infoplane = in_folder(folder)
    infoplane.ok("run grid.toml")
    infoplane.ok("report outputs/grid")
    page = opened(folder / "outputs/grid/report.html")
    names = page.get_by_label("Experiment", exact=True).locator("option").all_inner_texts()
    assert len(names) == 4
    of_one_rate = [name for name in names if "0.004" in name]
    page.evaluate("(overlay) => infoplane.set({ overlay })", of_one_rate)
    entries = page.locator("#overlay-legend > span:not(.symbol)").all_inner_texts()
    assert entries == ["batch 256", "batch 512"]


def test_a_phone_scrolls_tables_only_and_gives_a_hint(browser, folder):
    context = browser.new_context(offline=True, viewport={"width": 390, "height": 780})
    page = context.new_page()
    page.goto((folder / "outputs/p/report.html").as_uri())
    until(page, "window.infoplane !== undefined")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    expect(page.locator("#claims .scroll-hint")).to_be_visible()
    page.set_viewport_size({"width": 1400, "height": 900})
    expect(page.locator("#checks .scroll-hint")).to_be_hidden()
    context.close()


@pytest.mark.parametrize(("scheme", "other"), [("dark", "light"), ("light", "dark")])
def test_the_colours_follow_the_system_until_the_reader_chooses(opened, folder, scheme, other):
    page = opened(folder / "outputs/p/report.html", color_scheme=scheme)
    colours = "[document.body, document.querySelector('.plane .main-svg')].map((node) => getComputedStyle(node).backgroundColor)"
    body, plot = page.evaluate(colours)
    assert page.evaluate("infoplane.state().theme") == scheme
    assert body == plot
    assert (sum(map(int, body.removeprefix("rgb(").removesuffix(")").split(","))) < 128) == (scheme == "dark")
    page.get_by_role("button", name="colours").click()
    assert page.evaluate("infoplane.state().theme") == other
    body_after, plot_after = page.evaluate(colours)
    assert body_after == plot_after != body


def test_every_control_has_a_name_and_can_be_reached_with_tab(page):
    page.locator("body").click(position={"x": 2, "y": 2})
    reached = set()
    for _ in range(80):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id"))
    wanted = page.evaluate(
        "Array.from(document.querySelectorAll('main button, main select, main input'), (node) => node)"
        ".filter((node) => node.id && !node.disabled && node.offsetParent).map((node) => [node.id, (node.labels?.[0]?.innerText || node.ariaLabel || node.innerText).trim()])"
    )
    assert len(wanted) > 10
    assert [identity for identity, _ in wanted if identity not in reached] == []
    assert [identity for identity, name in wanted if not name] == []


def test_two_experiments_share_the_epoch(opened, folder):
    page = opened(folder / "both/report.html")
    page.evaluate("infoplane.set({ experiment: 'p', estimate: 'binning-n-edges-30' })")
    page.get_by_label("Compare with").select_option(label="deeper")
    first, second = summary(folder, "binning-n-edges-30"), summary(folder, "binning-n-edges-30", "deeper")
    epochs = [[epoch for epoch, _ in snapshots(table)] for table in (first, second)]
    for epoch in (0, 5, 9, 30):
        page.evaluate("(epoch) => infoplane.set({ epoch })", epoch)
        for which, table in enumerate((first, second)):
            # The nearest recorded epoch at or before.
            at = bisect.bisect_right(epochs[which], epoch) - 1
            assert_shown(page, table, snapshots(table)[at], which)
    ranges = page.evaluate("Array.from(document.querySelectorAll('.plane .plot'), (plot) => [plot.layout.xaxis.range, plot.layout.yaxis.range])")
    assert len(ranges) == 2 and ranges[0] == ranges[1]


def test_without_javascript_there_is_a_figure(opened, folder):
    page = opened(folder / "outputs/p/report.html", java_script_enabled=False)
    expect(page.locator("noscript svg").first).to_be_visible()
    assert "need JavaScript" in page.locator("noscript p").inner_text()
    expect(page.locator("#app")).to_be_hidden()


def test_estimates_without_the_input_layer_keep_the_numbers_of_their_layers(opened, folder, in_folder):
    """The input is layer 0, and pre-activations have no such layer."""
    text = PIPELINE[: PIPELINE.index("[[expect]]")].replace("[record]", '[record]\nlayers = ["input", "hidden"]\npre_activations = true')
    (folder / "layers.toml").write_text(text)
    infoplane = in_folder(folder)
    infoplane.ok("run layers.toml")
    infoplane.ok("estimate binning outputs/layers --n-edges 30 --values pre-activations --pool runs")
    infoplane.ok("estimate binning outputs/layers --n-edges 30 --values pre-activations")
    infoplane.ok("aggregate outputs/layers")
    infoplane.ok("report outputs/layers")
    page = opened(folder / "outputs/layers/report.html")
    table = pl.read_parquet(folder / "outputs/layers/summary.parquet")
    for estimate in ["binning-n-edges-30", "binning-n-edges-30-pre-activations"]:
        page.evaluate("id => infoplane.set({ estimate: id, snapshot: 0 })", estimate)
        rows = table.filter(pl.col("estimator") == estimate, pl.col("step") == 0).sort("layer")
        shown = {point["layer"]: point["i_xt"] for point in page.evaluate(SHOWN)}
        expected = dict(zip(rows["layer"], rows["i_xt_bits_mean"]))
        assert shown == pytest.approx({layer: bits for layer, bits in expected.items() if bits is not None}, rel=REL)
    # The tables over runs do not come from the pooled estimate, which has no losses.
    assert page.evaluate("JSON.parse(document.getElementById('data').textContent).experiments[0].fits.loss_train") is not None


def test_the_plane_reaches_to_the_ceiling_of_the_widest_layer(page, folder):
    """Two output units of nine cells have 6.3 bits at most, six hidden ones the 12 of the input."""
    of = "JSON.parse(document.getElementById('data').textContent).experiments[0].estimates"
    ceiling = page.evaluate(f"{of}.find(estimate => estimate.id === 'binning-n-edges-8').i_xt_ceiling")
    by_layer = summary(folder, "binning-n-edges-8").group_by("layer").agg(pl.col("i_xt_ceiling_bits").min())
    assert by_layer["i_xt_ceiling_bits"].min() < 7
    assert ceiling == pytest.approx(by_layer["i_xt_ceiling_bits"].max(), rel=REL) and ceiling == pytest.approx(12.0)
