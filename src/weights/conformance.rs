//! Properties that every measure of the registry must have.

#![cfg(test)]

use std::collections::BTreeSet;

use super::fixtures::{f_net, t_net};
use super::inputs::{Ensemble, MembershipSplit, OnlineLosses};
use super::{MEASURES, Measure, MeasureError, Reading, Spec};
use crate::parameter::Parameters;

/// The results of a measure with its defaults for small networks.
fn found(spec: &Spec) -> Result<Vec<Reading>, MeasureError> {
    let (trained, initial) = (t_net(), f_net());
    match (spec.build)(&Parameters::default().or_defaults(spec.parameters)).unwrap() {
        Measure::OfNetwork(measure) => {
            let recorded = trained.recorded().with_initial(&initial.network)?.with_batch_size(8)?;
            let missing = measure.missing(&recorded);
            assert!(missing.iter().all(|missing| is_declared(spec, missing.quantity)), "{}: {missing:?}", spec.name);
            measure.measure(&recorded)
        }
        Measure::OfRuns(measure) => {
            let networks = [trained.network.clone(), initial.network.clone(), trained.network.clone()];
            let split = |mask: [bool; 2]| MembershipSplit { pairs: vec![[0, 1], [2, 3]], mask: mask.to_vec() };
            measure.measure(&Ensemble {
                networks: &networks,
                initial: Some(&networks),
                samples: trained.samples(),
                splits: &[split([true, false]), split([false, true]), split([true, true])],
            })
        }
        Measure::OfTraining(measure) => {
            measure.measure(&OnlineLosses { batches: &[(8, 0.9), (8, 0.6), (8, 0.4), (8, 0.35), (8, 0.3)] })
        }
    }
}

fn is_declared(spec: &Spec, quantity: &str) -> bool {
    spec.quantities.iter().any(|declared| declared.name == quantity)
}

#[test]
fn every_value_is_declared_with_its_unit_finite_and_unique() {
    for spec in MEASURES {
        let readings = found(spec).unwrap_or_else(|e| panic!("{}: {e}", spec.name));
        assert!(!readings.is_empty(), "{} finds nothing", spec.name);
        let mut places = BTreeSet::new();
        for reading in readings {
            let what = format!("{}: {} of {:?}", spec.name, reading.quantity, reading.layer);
            let declared = spec.quantities.iter().find(|declared| declared.name == reading.quantity);
            assert_eq!(declared.map(|declared| declared.unit), Some(reading.unit), "{what}");
            assert!(reading.value.is_finite(), "{what} is {}", reading.value);
            assert!(places.insert((reading.layer, reading.quantity)), "{what} is there twice");
        }
    }
}

#[test]
fn the_same_network_gives_the_same_numbers() {
    for spec in MEASURES {
        assert_eq!(found(spec).unwrap(), found(spec).unwrap(), "{}", spec.name);
    }
}

#[test]
fn names_of_measures_and_quantities_are_unique() {
    let names: BTreeSet<&str> = MEASURES.iter().map(|spec| spec.name).collect();
    assert_eq!(names.len(), MEASURES.len());
    for spec in MEASURES {
        let quantities: BTreeSet<&str> = spec.quantities.iter().map(|quantity| quantity.name).collect();
        assert_eq!(quantities.len(), spec.quantities.len(), "{}", spec.name);
        assert!(spec.parameters.iter().all(|p| !["samples", "snapshots", "groups", "activation"].contains(&p.name)));
    }
}
