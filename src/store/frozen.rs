//! Claims registered before the data exist: `frozen_claims.json` of an experiment, and the copy that a recording
//! keeps from its start.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::error::StoreError;
use super::files::{FileRecord, hash_bytes, read_bytes, read_small, write_bytes};
use super::layout::Experiment;
use super::manifest::{Manifest, verified_hash};
use super::words::Registration;

/// Path of the copy in a recording. The claim file, which is written first, lists it, so claims frozen later are not
/// included.
const COPY: &str = ".meta/frozen_claims.json";

/// The registered claims of an experiment.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FrozenClaims {
    /// The claims, in the order of the pipeline.
    pub claims: Vec<FrozenClaim>,
}

/// A registered claim.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FrozenClaim {
    /// The claim as a sentence.
    pub claim: String,
    /// BLAKE3 hash of `meaning` as one line of JSON.
    pub blake3: String,
    /// What the claim requires, in readable form.
    pub meaning: serde_json::Value,
}

impl FrozenClaim {
    /// A claim as a sentence, with its meaning.
    pub fn new(claim: &str, meaning: serde_json::Value) -> Self {
        Self { claim: claim.to_owned(), blake3: hash_bytes(meaning.to_string().as_bytes()), meaning }
    }
}

impl FrozenClaims {
    /// The claims that were frozen for `experiment`, if any.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn of_experiment(experiment: &Experiment) -> Result<Option<Self>, StoreError> {
        Self::read(&experiment.root().join(Experiment::FROZEN_CLAIMS))
    }

    /// The claims that were frozen when the recording of `experiment` was started, if any.
    ///
    /// # Errors
    /// The copy cannot be read, or was changed.
    pub fn of_recording(experiment: &Experiment) -> Result<Option<Self>, StoreError> {
        let root = experiment.recording();
        let claim = Manifest::read(&root.join(".meta/settings.json"))?;
        if claim.is_none_or(|claim| !claim.files.iter().any(is_frozen)) {
            return Ok(None);
        }
        verified_hash(&root, "settings", COPY)?;
        Self::read(&root.join(COPY))
    }

    fn read(path: &Path) -> Result<Option<Self>, StoreError> {
        let Some(content) = read_small(path)? else { return Ok(None) };
        let damaged = |e| StoreError::Rows {
            path: path.to_owned(),
            problem: format!("not written by `infoplane freeze`: {e}; restore the file"),
        };
        let frozen: Self = serde_json::from_slice(&content).map_err(damaged)?;
        let is_whole = |claim: &&FrozenClaim| {
            FrozenClaim::new(&claim.claim, claim.meaning.clone()).blake3 == claim.blake3
                && claim.meaning["claim"] == claim.claim
        };
        match frozen.claims.iter().find(|claim| !is_whole(claim)) {
            None => Ok(Some(frozen)),
            Some(edited) => Err(StoreError::Rows {
                path: path.to_owned(),
                problem: format!(
                    "the claim “{}” was edited: its hash does not match its meaning; restore the file",
                    edited.claim
                ),
            }),
        }
    }

    /// Writes the claims for `experiment`.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, experiment: &Experiment) -> Result<(), StoreError> {
        let mut content = serde_json::to_vec_pretty(self).expect("claims are plain data with text keys");
        content.push(b'\n');
        write_bytes(experiment.root(), Experiment::FROZEN_CLAIMS, &content).map(drop)
    }

    /// Copies the frozen claims of `experiment`, if any, into its recording, which is about to start.
    ///
    /// # Errors
    /// The file cannot be read, or the copy cannot be written.
    pub fn copy_into_recording(experiment: &Experiment) -> Result<Option<FileRecord>, StoreError> {
        if Self::of_experiment(experiment)?.is_none() {
            return Ok(None);
        }
        let content = read_bytes(&experiment.root().join(Experiment::FROZEN_CLAIMS))?;
        write_bytes(&experiment.recording(), COPY, &content).map(Some)
    }

    /// Whether both have the same claims, in any order.
    pub fn are(&self, others: &Self) -> bool {
        let hashes = |frozen: &Self| frozen.claims.iter().map(|claim| claim.blake3.clone()).collect::<BTreeSet<_>>();
        hashes(self) == hashes(others)
    }

    /// Compares the claims of a pipeline with the registered ones: for each claim, by its hash, whether it is
    /// registered; and the registered claims that the pipeline no longer has. A claim with the words of one of these
    /// was changed in its meaning.
    pub fn compare(frozen: Option<Self>, made: &[FrozenClaim]) -> (BTreeMap<String, Registration>, Vec<FrozenClaim>) {
        let mut left = frozen.map_or_else(Vec::new, |frozen| frozen.claims);
        let mut registered = BTreeMap::new();
        let mut others = Vec::new();
        for claim in made {
            match left.iter().position(|frozen| frozen.blake3 == claim.blake3) {
                Some(place) => {
                    left.remove(place);
                    registered.insert(claim.blake3.clone(), Registration::Before);
                }
                None => others.push(claim),
            }
        }
        for claim in others {
            let place = left.iter().position(|frozen| frozen.claim == claim.claim);
            let registration = if place.is_some() { Registration::Changed } else { Registration::No };
            place.map(|place| left.remove(place));
            registered.entry(claim.blake3.clone()).or_insert(registration);
        }
        (registered, left)
    }
}

/// Whether a file of a recording is the copy of the frozen claims.
pub fn is_frozen(file: &FileRecord) -> bool {
    file.path == COPY
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn claims_with_the_same_words_are_distinguished_by_their_meaning() {
        let claim = |words: &str, above: f64| FrozenClaim::new(words, json!({ "claim": words, "above": above }));
        let registered = |frozen: &[FrozenClaim], made: &[FrozenClaim]| {
            let (by_hash, dropped) = FrozenClaims::compare(Some(FrozenClaims { claims: frozen.to_vec() }), made);
            let of_made: Vec<Registration> = made.iter().map(|claim| by_hash[&claim.blake3]).collect();
            (of_made, dropped.len())
        };
        let (first, second, third) = (claim("falls", 1.0), claim("falls", 2.0), claim("falls", 3.0));
        use Registration::{Before, Changed, No};
        let frozen = [first.clone(), second.clone()];
        assert_eq!(registered(&frozen, &[second.clone(), first.clone()]), (vec![Before, Before], 0));
        assert_eq!(registered(&frozen, &[third.clone(), first.clone()]), (vec![Changed, Before], 0));
        assert_eq!(registered(&frozen, &[second.clone(), third.clone(), first]), (vec![Before, No, Before], 0));
        assert_eq!(registered(&frozen, &[claim("rises", 1.0)]), (vec![No], 2));
        assert_eq!(registered(&[], &[second]), (vec![No], 0));
    }
}
