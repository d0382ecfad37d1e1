//! Every figure: of empty tables, and of small tables whose lines and labels are counted.
#![cfg(test)]

use super::*;
use crate::estimate_id::EstimateId;
use crate::layer_id::LayerId;
use crate::store::CompressionVerdict;
use crate::store::quantities::by_weight_norm;

/// A row of nothing.
pub(crate) fn summary_row() -> SummaryRow {
    SummaryRow {
        experiment: String::new(),
        estimator: EstimateId::of_table("a").into(),
        quantity: None,
        layer: LayerId::INPUT,
        layer_name: None,
        epoch: 0,
        step: None,
        n_runs: 0,
        n_failed: 0,
        i_xt_bits_mean: None,
        i_xt_bits_std: None,
        i_xt_bits_median: None,
        i_xt_bits_low: None,
        i_xt_bits_high: None,
        i_ty_bits_mean: None,
        i_ty_bits_std: None,
        i_ty_bits_median: None,
        i_ty_bits_low: None,
        i_ty_bits_high: None,
        i_tt_bits_mean: None,
        i_xt_resampled_bits_std_mean: None,
        i_ty_resampled_bits_std_mean: None,
        i_xt_given_y_bits_mean: None,
        i_t_predicted_bits_mean: None,
        h_predicted_given_t_bits_mean: None,
        h_t_bits_mean: None,
        i_xt_null_bits_mean: None,
        i_ty_null_bits_mean: None,
        i_xt_ceiling_bits: None,
        i_ty_ceiling_bits: None,
        h_x_bits: None,
        h_y_bits: None,
        n_trainings_failed: None,
        n_trainings_degenerate: None,
        loss_train_nats_mean: None,
        loss_test_nats_mean: None,
        squared_error_train_mean: None,
        squared_error_test_mean: None,
        accuracy_train_mean: None,
        accuracy_test_mean: None,
        gradients_over: None,
        gradient_mean_norm_mean: None,
        gradient_std_norm_mean: None,
        gradient_snr_mean: None,
        weight_norm_mean: None,
        n_checks_warning: None,
        n_checks_violated: None,
    }
}

const EPOCHS: [i32; 3] = [0, 1, 100];

/// Three layers at three epochs, I(X;T) falling, in one experiment.
fn summary(experiment: &str, estimator: &str) -> Vec<SummaryRow> {
    let row = |layer: LayerId, epoch: i32| {
        let i_xt = 10.0 - layer.index() as f64 - f64::from(epoch) / 100.0;
        SummaryRow {
            experiment: experiment.to_owned(),
            estimator: EstimateId::of_table(estimator).into(),
            layer,
            layer_name: None,
            epoch,
            n_runs: 3,
            i_xt_bits_mean: Some(i_xt),
            i_xt_bits_low: Some(i_xt - 0.5),
            i_xt_bits_high: Some(i_xt + 0.5),
            i_ty_bits_mean: Some(0.5),
            i_ty_bits_low: Some(0.4),
            i_ty_bits_high: Some(0.6),
            i_xt_null_bits_mean: Some(i_xt),
            i_ty_null_bits_mean: Some(0.01),
            i_xt_ceiling_bits: Some(12.0),
            i_ty_ceiling_bits: Some(1.0),
            h_x_bits: Some(12.0),
            h_y_bits: Some(1.0),
            loss_train_nats_mean: Some(0.7 - f64::from(epoch) / 200.0),
            accuracy_train_mean: Some(0.9),
            accuracy_test_mean: Some(0.8),
            gradients_over: Some("after_step".to_owned()),
            gradient_mean_norm_mean: Some(0.1),
            gradient_std_norm_mean: Some(0.2),
            gradient_snr_mean: Some(0.5),
            weight_norm_mean: Some(3.0),
            ..summary_row()
        }
    };
    let layers = LayerId::above_input().take(3);
    layers.flat_map(|layer| EPOCHS.iter().map(move |epoch| row(layer, *epoch))).collect()
}

/// How often a line, dot or area has the colour of the first layer.
fn of_first_layer(svg: &str) -> usize {
    svg.matches("#d55e00").count() + svg.matches("#D55E00").count()
}

fn svg(name: &str, tables: Tables<'_>) -> String {
    let svg = find(name).unwrap().draw(tables).unwrap().svg;
    let is_number = |word: &str| word != "NaN" && word != "inf";
    assert!(svg.split(|c: char| !c.is_alphanumeric()).all(is_number), "{name}");
    svg
}

/// The texts of a figure: their size, place and content.
fn texts(svg: &str) -> Vec<(u32, f64, f64, String)> {
    let attribute = |tag: &str, name: &str| {
        let value = tag.split(&format!(" {name}=\"")).nth(1).and_then(|rest| rest.split('"').next());
        value.and_then(|value| value.parse::<f64>().ok())
    };
    let text = |rest: &str| {
        let (tag, content) = rest.split_once('>').unwrap();
        let tag = format!(" {tag}");
        let content = content.split('<').next().unwrap().to_owned();
        let place = |name| attribute(&tag, name).unwrap();
        (place("font-size") as u32, place("x"), place("y"), content)
    };
    svg.split("<text ").skip(1).map(text).collect()
}

#[test]
fn every_path_of_the_plane_is_labelled_and_no_label_is_on_another() {
    // All layers end at one place.
    let rows: Vec<SummaryRow> = summary("x", "a")
        .into_iter()
        .map(|row| SummaryRow { i_xt_bits_mean: if row.epoch == 100 { Some(11.0) } else { row.i_xt_bits_mean }, ..row })
        .collect();
    let drawn = texts(&svg("information-plane", Tables { summary: &rows, ..Tables::default() }));
    let names = ["layer 1", "layer 2", "output"];
    let labels: Vec<&(u32, f64, f64, String)> = drawn.iter().filter(|text| names.contains(&text.3.as_str())).collect();
    assert_eq!(labels.len(), names.len(), "{drawn:?}");
    for (i, a) in labels.iter().enumerate() {
        // A letter is at least half as wide as high.
        let is_apart = |b: &&&(u32, f64, f64, String)| (a.1 - b.1).abs() > 7.0 * 6.5 || (a.2 - b.2).abs() > 13.0;
        assert!(labels[i + 1..].iter().all(|b| is_apart(&b)), "{labels:?}");
    }
}

#[test]
fn the_plane_shows_the_largest_possible_values() {
    let more = |row: SummaryRow| SummaryRow { i_xt_bits_mean: row.i_xt_bits_mean.map(|bits| bits + 0.5), ..row };
    let rows: Vec<SummaryRow> = summary("x", "a").into_iter().map(more).collect();
    let drawn = svg("information-plane", Tables { summary: &rows, ..Tables::default() });
    // 9.5 of 12 bits and 0.5 of 1 bit are reached: only the first limit is on its axis.
    assert!(drawn.contains(">H(X) = 12.00 bits<") && drawn.contains(">H(Y) = 1.00 bits ↑<"), "{drawn}");
    assert_eq!(drawn.matches("stroke-dasharray=\"6 4\"").count(), 1);
    let named = |h_x: Option<f64>, h_y: Option<f64>| {
        let row = |row: &SummaryRow| SummaryRow { h_x_bits: h_x, h_y_bits: h_y, ..row.clone() };
        let rows: Vec<SummaryRow> = rows.iter().map(row).collect();
        svg("information-plane", Tables { summary: &rows, ..Tables::default() })
    };
    // Fewer codes than inputs, and labels that are probabilities.
    let drawn = named(Some(13.0), Some(1.5));
    assert!(drawn.contains(">at most 12.00 bits<") && drawn.contains(">I(X;Y) = 1.00 bits ↑<"), "{drawn}");
    // Files of earlier versions.
    let drawn = named(None, None);
    assert!(drawn.contains(">at most 12.00 bits<") && drawn.contains(">at most 1.00 bits ↑<"), "{drawn}");
}

#[test]
fn the_colour_bar_begins_at_the_untrained_network() {
    let rows = summary("x", "a");
    let trained: Vec<SummaryRow> = rows.iter().filter(|row| row.epoch > 0).cloned().collect();
    let zeros = |rows: &[SummaryRow]| {
        let svg = svg("information-plane", Tables { summary: rows, ..Tables::default() });
        texts(&svg).iter().filter(|text| text.3 == "0").count()
    };
    // Both axes begin at 0.
    assert_eq!((zeros(&rows), zeros(&trained)), (3, 2));
}

#[test]
fn titles_have_one_size_and_texts_are_inside_the_figure() {
    let rows: Vec<SummaryRow> =
        summary("x", "a").into_iter().map(|row| SummaryRow { epoch: 100 * row.epoch, n_runs: 5, ..row }).collect();
    let tables = Tables { summary: &rows, siblings: &rows, ..Tables::default() };
    for name in ["information-plane", "curves", "estimators", "fit", "gradients"] {
        let svg = svg(name, tables);
        let width: f64 = svg.split("width=\"").nth(1).unwrap().split('"').next().unwrap().parse().unwrap();
        assert!(svg.contains("<svg stroke-linejoin=\"round\" "), "{name}");
        let drawn = texts(&svg);
        let title = drawn.iter().find(|text| text.3.starts_with("x: ")).unwrap();
        assert_eq!((title.0, title.1), (18, width / 2.0), "{name}");
        assert_eq!(drawn.iter().filter(|text| text.0 == 18).count(), 1, "{name}");
        if name != "information-plane" {
            assert!(drawn.iter().any(|text| text.3 == "10\u{2009}000"), "{name}: {drawn:?}");
        }
    }
}

#[test]
fn empty_tables_are_an_error_and_no_panic() {
    for spec in PLOTS {
        let drawn = spec.draw(Tables::default());
        assert!(
            matches!(drawn, Err(PlotError::Nothing(_) | PlotError::Missing(_))),
            "{}: {:?}",
            spec.name,
            drawn.map(|p| p.svg)
        );
    }
}

#[test]
fn rows_without_numbers_are_an_error() {
    let rows = [SummaryRow { n_failed: 1, ..summary_row() }, SummaryRow { n_failed: 1, epoch: 1, ..summary_row() }];
    for spec in PLOTS {
        let drawn = spec.draw(Tables { summary: &rows, siblings: &rows, ..Tables::default() });
        assert!(matches!(drawn, Err(PlotError::Nothing(_) | PlotError::Missing(_))), "{}", spec.name);
    }
}

#[test]
fn curves_have_a_line_and_a_ribbon_per_layer_and_a_dotted_null_where_it_differs() {
    let rows = summary("x", "binning-n-edges-30");
    let alone = svg("curves", Tables { summary: &rows, siblings: &rows, ..Tables::default() });
    // Two panels with a line and a ribbon each; the null of I(T;Y), not that of I(X;T); the legend.
    assert_eq!(of_first_layer(&alone), 2 * 2 + 1 + 1);
    for label in
        ["layer 1", "layer 2", "output", "95 % interval over 3 runs", "permutation null", "ceiling", "I(X;T) (bits)"]
    {
        assert!(alone.contains(&format!(">{label}<")), "{label}");
    }
    assert!(!alone.contains("layer 3") && !alone.contains("n_edges 30 to"));

    let others =
        [rows.clone(), summary("x", "binning-n-edges-50"), summary("x", "kde-upper-noise-variance-1")].concat();
    let among_scales = svg("curves", Tables { summary: &rows, siblings: &others, ..Tables::default() });
    assert!(among_scales.contains(">n_edges 30 to 50<"));
    assert_eq!(of_first_layer(&among_scales), of_first_layer(&alone) + 2);
}

/// The estimate of one run, `more` bits above the mean of `row`.
fn estimate(row: &SummaryRow, run: &str, more: f64) -> EstimateRow {
    EstimateRow {
        estimator: row.estimator.clone(),
        run: run.to_owned(),
        layer: row.layer,
        layer_name: None,
        epoch: row.epoch,
        step: row.step.unwrap_or(row.epoch.into()),
        quantity: None,
        randomness: None,
        n_pooled: None,
        i_xt_bits: row.i_xt_bits_mean.map(|bits| bits + more),
        i_ty_bits: row.i_ty_bits_mean,
        i_xt_error_bits: None,
        i_ty_error_bits: None,
        i_tt_bits: None,
        i_xt_given_y_bits: None,
        i_t_predicted_bits: None,
        h_predicted_given_t_bits: None,
        h_t_bits: None,
        h_t_given_x_bits: None,
        i_xt_ceiling_bits: None,
        i_ty_ceiling_bits: None,
        h_x_bits: None,
        h_y_bits: None,
        n_shuffles: None,
        n_resamples: None,
        i_xt_resampled_bits_mean: None,
        i_xt_resampled_bits_std: None,
        i_ty_resampled_bits_mean: None,
        i_ty_resampled_bits_std: None,
        i_xt_null_bits_mean: None,
        i_xt_null_bits_std: None,
        i_ty_null_bits_mean: None,
        i_ty_null_bits_std: None,
        i_tt_null_bits_mean: None,
        i_tt_null_bits_std: None,
        i_xt_untrained_bits: None,
        i_ty_untrained_bits: None,
        n_samples: 1,
        n_codes: 1,
        n_distinct: None,
        atom_share: None,
        outside_share: None,
        failure: None,
    }
}

/// The estimates of two runs with the means of `rows`.
fn two_runs(rows: &[SummaryRow]) -> Vec<EstimateRow> {
    let estimates = |(run, more): (&'static str, f64)| rows.iter().map(move |row| estimate(row, run, more));
    [("r0000", -0.2), ("r0001", 0.2)].into_iter().flat_map(estimates).collect()
}

#[test]
fn fewer_than_five_networks_are_drawn_one_by_one() {
    let rows = summary("x", "a");
    let estimates = two_runs(&rows);
    let thin = |name: &str, n_runs: i32| {
        let rows: Vec<SummaryRow> = rows.iter().map(|row| SummaryRow { n_runs, ..row.clone() }).collect();
        let svg = svg(name, Tables { summary: &rows, siblings: &rows, estimates: &estimates, ..Tables::default() });
        let n_lines = svg.matches("stroke-width=\"0.8\"").count();
        assert_eq!(n_lines > 0, svg.contains(">single runs<"), "{name}");
        let has_interval = n_lines == 0 && n_runs > 2;
        assert!(name != "curves" || has_interval == svg.contains("95 % interval"), "{n_lines}");
        n_lines
    };
    // Two networks in three layers; the curves have two panels.
    assert_eq!((thin("curves", 2), thin("curves", 4), thin("curves", 5), thin("curves", 1)), (12, 12, 0, 0));
    assert_eq!((thin("estimators", 2), thin("estimators", 5)), (6, 0));
    let plane = |n_runs: i32| {
        let rows: Vec<SummaryRow> = rows.iter().map(|row| SummaryRow { n_runs, ..row.clone() }).collect();
        svg("information-plane", Tables { summary: &rows, estimates: &estimates, ..Tables::default() })
    };
    assert!(plane(2).contains("single runs") && !plane(5).contains("single runs"));
}

/// The rows of [`summary`] at two windows of two steps each, in epochs of four steps.
fn windows() -> Vec<SummaryRow> {
    let rows = summary("x", "a").into_iter().filter(|row| row.epoch == 0);
    let at = |row: SummaryRow| {
        [(0, 1), (0, 2), (3, 12), (3, 13)].map(|(epoch, step)| {
            let i_xt_bits_mean = row.i_xt_bits_mean.map(|bits| bits - step as f64 / 10.0);
            SummaryRow { epoch, step: Some(step), i_xt_bits_mean, ..row.clone() }
        })
    };
    rows.flat_map(at).collect()
}

#[test]
fn snapshots_of_one_epoch_are_drawn_by_their_step() {
    let rows = windows();
    let plane = svg("information-plane", Tables { summary: &rows, ..Tables::default() });
    assert_eq!(plane.matches("stroke-width=\"0.3\"").count(), 4);
    let curves = svg("curves", Tables { summary: &rows, siblings: &rows, ..Tables::default() });
    // Two panels with a line, a ribbon and a null each; the legend.
    assert_eq!(of_first_layer(&curves), 2 * 3 + 1);
    let timeline = timeline::Timeline::new(&rows);
    let curve = series::curve(&rows, LayerId::FIRST, |row| row.i_xt_bits_mean, &timeline);
    assert_eq!(curve.iter().map(|point| point.0).collect::<Vec<_>>(), [1.0, 2.0, 12.0, 13.0]);

    let estimates: Vec<EstimateRow> = rows.iter().map(|row| estimate(row, "r0000", 0.0)).collect();
    let snapshots = svg("snapshots", Tables { estimates: &estimates, ..Tables::default() });
    for title in ["step 1", "step 12", "step 13"] {
        assert!(snapshots.contains(&format!(">{title}<")), "{title}");
    }
    // A dot in each panel; the dot of the legend has a fill and a rim.
    assert_eq!(of_first_layer(&snapshots), 3 + 2);
}

#[test]
fn the_error_names_the_missing_table_and_the_command_that_writes_it() {
    let rows = summary("x", "a");
    let tables = Tables { summary: &rows, ..Tables::default() };
    let problem = |name: &str| find(name).unwrap().draw(tables).unwrap_err().to_string();
    assert!(problem("snapshots").contains("`estimates/` is missing"), "{}", problem("snapshots"));
    assert!(problem("bound").contains("run `infoplane bound` to write it"), "{}", problem("bound"));
}

#[test]
fn estimators_have_a_panel_each_and_one_legend() {
    let rows = [summary("x", "a"), summary("x", "b"), summary("x", "c")].concat();
    let svg = svg("estimators", Tables { summary: &rows, siblings: &rows, ..Tables::default() });
    assert_eq!(of_first_layer(&svg), 3 + 1);
    assert_eq!(svg.matches(">output<").count(), 1);
    assert!([">a<", ">b<", ">c<"].iter().all(|title| svg.contains(title)));
    assert!(!svg.contains("Left out"));
}

#[test]
fn lines_of_layers_without_own_names_end_with_their_numbers() {
    let drawn = |names: [&str; 3]| {
        let name = |layer: LayerId| Some(names[layer.index() - 1].into());
        let rows = summary("x", "a").into_iter();
        let rows: Vec<SummaryRow> = rows.map(|row| SummaryRow { layer_name: name(row.layer), ..row }).collect();
        texts(&svg("estimators", Tables { summary: &rows, ..Tables::default() }))
    };
    let heights = |names: [&str; 3]| {
        let drawn = drawn(names);
        ["1", "2", "out"].map(|label| drawn.iter().find(|text| text.0 == 12 && text.3 == label).map(|text| text.2))
    };
    // I(X;T) of the first layer is the largest, and y grows downwards.
    let found = heights(["layer 1", "layer 2", "output"]).map(|height| height.expect("a number for each line"));
    assert!(found.is_sorted(), "{found:?}");
    assert_eq!(heights(["conv", "pool", "dense"]), [None; 3]);
}

#[test]
fn estimators_far_above_the_ceiling_have_their_own_axis() {
    // The ceiling of all is 12 bits; the estimates of `b` are 100 bits higher.
    let far = summary("x", "b")
        .into_iter()
        .map(|row| SummaryRow { i_xt_bits_mean: row.i_xt_bits_mean.map(|bits| bits + 100.0), ..row });
    let rows: Vec<SummaryRow> = summary("x", "a").into_iter().chain(far).collect();
    let drawn = svg("estimators", Tables { summary: &rows, siblings: &rows, ..Tables::default() });
    assert!(drawn.contains(">a<") && drawn.contains(">b *<") && drawn.contains(">* Above 15 bits, "), "{drawn}");
    let ticks = |label: &str| texts(&drawn).iter().filter(|text| text.3 == label).count();
    assert_eq!((ticks("8"), ticks("80")), (1, 1), "each panel has its own numbers");
}

#[test]
fn estimators_without_a_panel_are_named_with_the_reason() {
    let no_estimate = summary("x", "b").into_iter().map(|row| SummaryRow { i_xt_bits_mean: None, ..row });
    let once = summary("x", "c").into_iter().filter(|row| row.epoch == 0);
    let rows: Vec<SummaryRow> = summary("x", "a").into_iter().chain(no_estimate).chain(once).collect();
    let drawn = svg("estimators", Tables { summary: &rows, siblings: &rows, ..Tables::default() });
    assert!(drawn.contains(">Left out, no estimate of I(X;T): b.<"), "{drawn}");
    assert!(drawn.contains(">Left out, I(X;T) at one snapshot only: c.<"));
    let many: Vec<SummaryRow> = (1..30).flat_map(|k| summary("x", &format!("a-k-{k}"))).collect();
    let drawn = svg("estimators", Tables { summary: &many, siblings: &many, ..Tables::default() });
    assert!(drawn.contains("at most 24 panels: a-k-25, a-k-26, a-k-27, a-k-28, a-k-29."), "{drawn}");
}

#[test]
fn losses_and_gradients_have_intervals_over_three_runs_or_more() {
    let interval = |quantity: &str, layer: Option<LayerId>| {
        EPOCHS.map(|epoch| TrainingSummaryRow {
            experiment: "x".to_owned(),
            quantity: quantity.to_owned(),
            layer,
            epoch,
            step: epoch.into(),
            n_runs: 5,
            mean: 0.4,
            std: Some(0.4),
            low: Some(-0.1),
            high: Some(0.9),
        })
    };
    let training_summary = [
        interval("loss_train", None),
        interval(by_weight_norm::MEAN, Some(LayerId::FIRST)),
        interval("weight_norm", Some(LayerId::FIRST)),
    ]
    .concat();
    let drawn = |name: &str, n_runs: i32| {
        let rows: Vec<SummaryRow> = summary("x", "a").into_iter().map(|row| SummaryRow { n_runs, ..row }).collect();
        svg(name, Tables { summary: &rows, training_summary: &training_summary, ..Tables::default() })
    };
    for name in ["fit", "gradients"] {
        assert!(drawn(name, 3).contains(">95 % interval over 3 runs<"), "{name}");
        assert!(!drawn(name, 2).contains("95 %"), "{name}");
    }
    // Two ribbons of the first layer.
    assert_eq!(of_first_layer(&drawn("gradients", 3)), of_first_layer(&drawn("gradients", 2)) + 2);
}

#[test]
fn compression_of_many_estimators_is_not_higher_than_a_page() {
    let rows: Vec<CompressionRow> = (1..40)
        .flat_map(|k| LayerId::above_input().take(6).map(move |layer| (k, layer)))
        .map(|(k, layer)| CompressionRow {
            estimator: EstimateId::of_table(&format!("a-k-{k}")).into(),
            layer,
            ..compression_row(1, CompressionVerdict::Compresses)
        })
        .collect();
    let svg = svg("compression", Tables { compression: &rows, ..Tables::default() });
    let number = |name: &str| -> f64 {
        svg.split(&format!("{name}=\"")).nth(1).unwrap().split('"').next().unwrap().parse().unwrap()
    };
    assert!(number("height") <= 1.45 * number("width"));
    assert!((1..40).all(|k| svg.contains(&format!(">a-k-{k}<"))));
}

#[test]
fn a_fit_without_test_loss_still_has_its_test_accuracy() {
    let rows = [summary("x", "a"), summary("x", "b")].concat();
    let svg = svg("fit", Tables { summary: &rows, ..Tables::default() });
    assert!(svg.contains(">loss<") && svg.contains(">accuracy<") && !svg.contains(">squared error<"));
    assert!(svg.contains(">training<") && svg.contains(">test<"));
}

#[test]
fn gradients_have_three_panels_and_a_line_at_one() {
    let rows = summary("x", "a");
    let drawn = svg("gradients", Tables { summary: &rows, ..Tables::default() });
    // Mean, standard deviation, their quotient, the weights, the legend.
    assert_eq!(of_first_layer(&drawn), 5);
    let only_weights: Vec<SummaryRow> = rows
        .iter()
        .map(|row| SummaryRow { gradient_mean_norm_mean: None, gradient_snr_mean: None, ..row.clone() })
        .collect();
    let drawn = svg("gradients", Tables { summary: &only_weights, ..Tables::default() });
    assert!(drawn.contains(">norm of the weights<") && !drawn.contains(">signal-to-noise ratio<"));
}

/// `norm_part` of the network and of a layer, and another number of the same measure, at three epochs.
fn weight_summary() -> Vec<WeightSummaryRow> {
    let row = |layer: Option<LayerId>, quantity: &str, epoch: i32| WeightSummaryRow {
        experiment: "x".to_owned(),
        weights: "code".to_owned(),
        measure: "code".to_owned(),
        randomness: "code".to_owned(),
        layer,
        layer_name: None,
        epoch,
        step: i64::from(epoch),
        quantity: quantity.to_owned(),
        unit: "bits".to_owned(),
        n_runs: 2,
        n_failed: 0,
        n_warned: 0,
        mean: Some(f64::from(epoch)),
        std: None,
        low: Some(f64::from(epoch) - 1.0),
        high: Some(f64::from(epoch) + 1.0),
        null_mean: layer.is_none().then_some(0.5),
        ceiling: None,
    };
    let places = [(None, "norm_part"), (Some(LayerId::FIRST), "norm_part"), (None, "code_length")];
    places.iter().flat_map(|(layer, quantity)| EPOCHS.map(|epoch| row(*layer, quantity, epoch))).collect()
}

#[test]
fn weights_have_a_panel_for_each_measure_which_says_what_is_random() {
    let (rows, measured) = (summary("x", "a"), weight_summary());
    let tables = Tables { summary: &rows, weight_summary: &measured, ..Tables::default() };
    let drawn = svg("weights", tables);
    // Line and interval in the panel of the measure, a line in each panel of information, the legend.
    assert_eq!(of_first_layer(&drawn), 2 + 2 + 1);
    assert!(drawn.contains(">random: code – code<") && drawn.contains(">norm part (bits)<"), "{drawn}");
    assert!(!drawn.contains("code length"), "{drawn}");

    let once: Vec<WeightSummaryRow> = measured.into_iter().filter(|row| row.epoch == 0).collect();
    let tables = Tables { summary: &rows, weight_summary: &once, ..Tables::default() };
    let problem = find("weights").unwrap().draw(tables).unwrap_err().to_string();
    assert!(problem.contains("measure of weights at two snapshots"), "{problem}");
}

#[test]
fn histograms_shade_what_is_there() {
    let histogram = |layer, epoch| Histogram {
        layer: LayerId::from_index(layer),
        layer_name: None,
        epoch,
        step: epoch.into(),
        low: -1.0,
        high: 1.0,
        shares: vec![0.25, 0.0, 0.75],
    };
    let histograms = [histogram(1, 0), histogram(1, 1), histogram(2, 0), histogram(2, 1)];
    let svg = svg("histograms", Tables { histograms: &histograms, ..Tables::default() });
    assert!(svg.contains(">layer 1<") && svg.contains(">output<") && svg.contains(">share<"));
}

fn setting(experiment: &str, parameter: &str, value: &str) -> SettingRow {
    let number = value.parse().ok();
    let [experiment, parameter, value] = [experiment, parameter, value].map(str::to_owned);
    SettingRow { experiment, parameter, value, number }
}

#[test]
fn experiments_of_a_sweep_are_in_the_order_of_their_number() {
    let rows = [summary("batch-1024", "a"), summary("batch-256", "a")].concat();
    let settings = [setting("batch-1024", "training.batch", "1024"), setting("batch-256", "training.batch", "256")];
    let tables = Tables { summary: &rows, settings: &settings, ..Tables::default() };
    for name in ["panels", "ends"] {
        let svg = svg(name, tables);
        let place = |label: &str| svg.find(&format!(">{label}<")).unwrap_or_else(|| panic!("{name} lacks {label}"));
        assert!(place("batch 256") < place("batch 1024"), "{name}");
    }
    let single = summary("x", "a");
    for name in ["panels", "ends"] {
        assert!(find(name).unwrap().draw(Tables { summary: &single, ..Tables::default() }).is_err(), "{name}");
    }
}

#[test]
fn the_ceiling_of_curves_is_drawn_if_the_estimates_nearly_reach_it() {
    let drawn = |i_xt_ceiling: f64| {
        let rows: Vec<SummaryRow> = summary("x", "a")
            .into_iter()
            .map(|row| SummaryRow { i_xt_ceiling_bits: Some(i_xt_ceiling), i_ty_ceiling_bits: None, ..row })
            .collect();
        svg("curves", Tables { summary: &rows, siblings: &rows, ..Tables::default() })
    };
    // The interval of the first layer ends at 9.5 bits, which is 75 % of 12.67 bits.
    let (near, far) = (drawn(12.6), drawn(12.7));
    assert!(near.contains(">ceiling 12.60 bits<") && near.contains(">ceiling<"));
    assert!(far.contains(">ceiling 12.70 bits, above the axis<") && !far.contains(">ceiling<"));
    assert!(near.contains(">12<") && !far.contains(">12<"), "the axis ends at the estimates");
}

#[test]
fn labels_of_ends_are_on_no_dot() {
    let rows = [summary("batch-1024", "a"), summary("batch-256", "a"), summary("batch-64", "a")].concat();
    // The experiments end in three rows of dots, one above the other.
    let rows: Vec<SummaryRow> = rows
        .into_iter()
        .map(|row| {
            let more = if row.experiment.ends_with("24") { 0.0 } else { row.experiment.len() as f64 / 400.0 };
            SummaryRow { i_ty_bits_mean: row.i_ty_bits_mean.map(|bits| bits + more), ..row }
        })
        .collect();
    let drawn = svg("ends", Tables { summary: &rows, ..Tables::default() });
    let labels: Vec<_> = texts(&drawn).into_iter().filter(|text| text.3 == "layer 1" || text.3 == "output").collect();
    assert_eq!(labels.len(), 2, "{labels:?}");
    let dots = drawn.split("<circle ").skip(1).map(|rest| {
        let number = |name: &str| rest.split(&format!("{name}=\"")).nth(1).and_then(|rest| rest.split('"').next());
        (number("cx").unwrap().parse::<f64>().unwrap(), number("cy").unwrap().parse::<f64>().unwrap())
    });
    let dots: Vec<(f64, f64)> = dots.collect();
    assert!(dots.len() >= 9, "{dots:?}");
    for (_, x, y, label) in &labels {
        // Half of a label is at least 20 units wide; its baseline is 4.5 units below its middle.
        let is_on = |dot: &&(f64, f64)| (dot.0 - x).abs() < 20.0 && (dot.1 - (y - 4.5)).abs() < 6.0;
        assert_eq!(dots.iter().find(is_on), None, "{label} at {x}, {y}");
    }
}

#[test]
fn the_bound_has_the_layers_and_their_beta() {
    let point = |beta: f64, i_xt_bits: f64, i_ty_bits: f64| BoundRow {
        beta,
        i_xt_bits,
        i_ty_bits,
        n_clusters: 2,
        n_iterations: 1,
        residual: 0.0,
        lagrangian_gap_bits: 0.0,
        failure: None,
    };
    let layer = |run: &str, beta: f64| BoundLayerRow {
        estimator: EstimateId::of_table("binning-n-edges-30").into(),
        run: run.to_owned(),
        layer: LayerId::FIRST,
        layer_name: None,
        epoch: 10,
        step: 10,
        i_xt_bits: Some(3.0),
        i_ty_bits: Some(0.7),
        i_ty_bound_bits: Some(0.8),
        gap_bits: Some(0.1),
        beta: Some(beta),
        divergence_nats: Some(0.1),
        beta_one_step: None,
        divergence_one_step_nats: None,
        i_xt_fitted_bits: Some(2.0),
        i_ty_fitted_bits: Some(0.75),
        failure: None,
    };
    let bound = [point(1.0, 0.0, 0.0), point(10.0, 2.0, 0.75), point(100.0, 4.0, 0.9)];
    let layers = [layer("r0000", 12.0), layer("r0001", 31.4)];
    let svg = svg("bound", Tables { bound: &bound, bound_layers: &layers, ..Tables::default() });
    assert!(svg.contains("β 12 … 31") && svg.contains("binning-n-edges-30") && svg.contains(">output<"));
}

fn compression_row(layer: usize, verdict: CompressionVerdict) -> CompressionRow {
    CompressionRow {
        experiment: "x".to_owned(),
        estimator: EstimateId::of_table("a").into(),
        quantity: None,
        layer: LayerId::from_index(layer),
        layer_name: None,
        n_runs: 3,
        n_failed: 0,
        i_xt_peak_bits_mean: None,
        i_xt_peak_epoch_median: None,
        i_xt_end_bits_mean: None,
        drop_bits_mean: None,
        compression_bits_mean: Some(1.0),
        compression_bits_std: Some(1.0),
        compression_bits_low: Some(-0.5),
        compression_bits_high: Some(2.5),
        rise_bits_mean: None,
        rise_bits_low: None,
        rise_bits_high: None,
        n_compressing: 2,
        sign_p: None,
        p: None,
        p_holm: None,
        minimum_effect_bits: Some(0.05),
        fitted_epoch_median: None,
        n_fitted: 0,
        diffusion_epoch_median: None,
        n_diffused: 0,
        verdict,
        reason: None,
    }
}

#[test]
fn compression_that_is_not_certain_is_a_ring() {
    let row = compression_row;
    let white = |rows: &[CompressionRow]| {
        let svg = svg("compression", Tables { compression: rows, ..Tables::default() });
        assert!(svg.contains(">a<") && svg.contains(">layer 1<") && svg.contains(">output<"));
        svg.matches("fill=\"#ffffff\"").count()
    };
    let certain = white(&[row(1, CompressionVerdict::Compresses), row(2, CompressionVerdict::Compresses)]);
    assert_eq!(white(&[row(1, CompressionVerdict::Compresses), row(2, CompressionVerdict::Undecided)]), certain + 1);

    let network = |run: &str, bits: f64| PhaseRow {
        experiment: "x".to_owned(),
        estimator: EstimateId::of_table("a").into(),
        quantity: None,
        run: run.to_owned(),
        layer: LayerId::FIRST,
        layer_name: None,
        end_epoch: 10,
        i_xt_start_bits: None,
        i_xt_peak_bits: None,
        i_xt_peak_epoch: None,
        i_xt_end_bits: None,
        drop_bits: None,
        others_peak_epoch: None,
        compression_bits: Some(bits),
        i_ty_start_bits: None,
        i_ty_end_bits: None,
        fitted_epoch: None,
        diffusion_epoch: None,
        failure: None,
    };
    let phases = [network("r0000", 0.9), network("r0001", 1.0), network("r0002", 1.1)];
    let shows_networks = |n_runs: i32| {
        let rows = [CompressionRow { n_runs, ..row(1, CompressionVerdict::Compresses) }];
        let svg = svg("compression", Tables { compression: &rows, phases: &phases, ..Tables::default() });
        svg.contains(">single runs<")
    };
    assert_eq!([1, 2, 4, 5].map(shows_networks), [false, true, true, false]);
}

fn stability_row(layer: i64, parameter: &str, value: &str, n_holds: i32, n_undecided: i32) -> StabilityRow {
    StabilityRow {
        figure: Some("Fig. 3".to_owned()),
        claim: "the layer compresses".to_owned(),
        quantity: "i_xt".to_owned(),
        layer: Some(layer),
        measure: "peak − end".to_owned(),
        wanted: "above 0".to_owned(),
        parameter: parameter.to_owned(),
        value: value.to_owned(),
        n_settings: 4,
        n_holds,
        n_fails: 4 - n_holds - n_undecided,
        n_undecided,
        n_runs: 8,
        n_met: 2,
        mean: None,
    }
}

#[test]
fn stability_counts_the_settings_of_every_value() {
    let rows = [
        stability_row(1, "network.activation", "tanh", 4, 0),
        stability_row(1, "network.activation", "relu", 1, 0),
        stability_row(2, "network.activation", "tanh", 0, 4),
    ];
    let effect = |source: &str, share: f64| EffectRow {
        layer: 2,
        source: source.to_owned(),
        n_levels: Some(2),
        share,
        n_values: 8,
        compression_bits_mean: 1.0,
        compression_bits_std: None,
        remark: None,
    };
    let effects = [effect("network.activation", 0.7), effect("runs", 0.4), effect("interactions", -0.1)];
    let svg = svg("stability", Tables { stability: &rows, effects: &effects, ..Tables::default() });
    for label in ["4/4", "1/4", "?/4", "tanh", "relu", "activation", "layer 1", "output", "70 %", "interactions −10 %"]
    {
        assert!(svg.contains(&format!(">{label}<")), "{label}");
    }
    assert_eq!(svg.matches(">Fig. 3: the layer compresses<").count(), 1);
}
