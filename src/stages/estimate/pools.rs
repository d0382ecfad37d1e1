//! Pooling: which recorded snapshots are estimated together, and whether their values fit into memory.

use std::collections::BTreeSet;

use super::super::StageError;
use super::snapshots::{OpenRun, first_difference, snapshots};
use crate::estimate_id::Pool;
use crate::estimators::InputsAndLabels;

/// Recorded snapshots that are estimated together.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Group {
    /// The last snapshot of the group.
    pub(super) epoch: i32,
    pub(super) step: i64,
    /// For each snapshot, the indices of its opened run and of the snapshot in this run.
    pub(super) parts: Vec<(usize, usize)>,
}

/// Largest number of 32-bit numbers (pooled values and shuffles) in memory for the tables of one run: 2 GiB.
const MOST_NUMBERS: usize = 1 << 29;

/// Groups the snapshots of the opened `runs`.
pub(super) fn groups(runs: &[OpenRun<'_>], pool: Pool) -> Result<Vec<Group>, StageError> {
    let snapshots = snapshots(&runs[0].layers[0].1);
    let single = |index: usize| Group { epoch: snapshots[index].0, step: snapshots[index].1, parts: vec![(0, index)] };
    let stretch = |indices: std::ops::Range<usize>| Group {
        parts: indices.clone().map(|index| (0, index)).collect(),
        ..single(indices.end - 1)
    };
    let groups: Vec<Group> = match pool {
        Pool::Nothing => (0..snapshots.len()).map(single).collect(),
        Pool::Windows => {
            let ends = (1..=snapshots.len())
                .filter(|end| *end == snapshots.len() || snapshots[*end].1 > snapshots[end - 1].1 + 1);
            let mut begin = 0;
            let stretches = ends.map(|end| std::mem::replace(&mut begin, end)..end);
            stretches.filter(|indices| indices.len() > 1).map(stretch).collect()
        }
        Pool::Steps(first, last) => {
            let begin = snapshots.partition_point(|(_, step)| *step < first);
            let end = snapshots.partition_point(|(_, step)| *step <= last);
            if begin < end { vec![stretch(begin..end)] } else { Vec::new() }
        }
        Pool::Runs => {
            if let [only] = runs {
                let problem = format!(
                    "{} is the only run, but T must be random over several runs; record more `runs`",
                    only.recorded.id
                );
                return Err(StageError::Refused(problem));
            }
            expect_same_snapshots(runs)?;
            // A run that ended early lacks some snapshots; only snapshots of all runs are pooled.
            let recorded: Vec<Vec<(i32, i64)>> = runs.iter().map(|run| self::snapshots(&run.layers[0].1)).collect();
            let place = |snapshot| {
                recorded.iter().map(|of_run| of_run.binary_search(snapshot).ok()).collect::<Option<Vec<_>>>()
            };
            let pooled = |(index, snapshot)| {
                Some(Group { parts: place(snapshot)?.into_iter().enumerate().collect(), ..single(index) })
            };
            snapshots.iter().enumerate().filter_map(pooled).collect()
        }
    };
    let id = &runs[0].recorded.id;
    // For a window after the end of a training there is nothing to estimate.
    if pool != Pool::Runs && runs[0].ended_early && groups.iter().all(|group| group.parts.len() < 2) {
        return Ok(if pool == Pool::Nothing { groups } else { Vec::new() });
    }
    let wanted = match (pool, groups.first()) {
        (_, None) => match pool {
            Pool::Steps(first, last) => format!("no step from {first} to {last} is recorded"),
            _ => "no two consecutive steps are recorded".to_owned(),
        },
        (Pool::Steps(first, last), Some(only)) if only.parts.len() < 2 => {
            format!("only step {} of the steps from {first} to {last} is recorded", only.step)
        }
        _ => return Ok(groups),
    };
    let problem = format!(
        "{wanted} in run {id}, but T must be random over several steps; record them with `steps = {{ windows = [[first, last]] }}`"
    );
    Err(StageError::Refused(problem))
}

/// Runs can be pooled if they are recorded at the same steps, up to the end of the shorter run.
fn expect_same_snapshots(runs: &[OpenRun<'_>]) -> Result<(), StageError> {
    let mut to_their_end = runs.iter().filter(|run| !run.ended_early);
    let Some(first) = to_their_end.next() else { return Ok(()) };
    let snapshots = snapshots(&first.layers[0].1);
    match to_their_end.find(|run| self::snapshots(&run.layers[0].1) != snapshots) {
        None => Ok(()),
        Some(other) => Err(StageError::Refused(format!(
            "run {} is recorded at other steps than run {}{}; only runs recorded at the same steps can be pooled",
            other.recorded.id,
            first.recorded.id,
            first_difference(&snapshots, &self::snapshots(&other.layers[0].1))
        ))),
    }
}

/// Makes sure that the pooled values of each group, and `n_shuffles` shuffles of its rows, fit into memory; returns the largest
/// number of pooled values.
pub(super) fn expect_memory(runs: &[OpenRun<'_>], groups: &[Group], n_shuffles: usize) -> Result<usize, StageError> {
    let widest = runs[0].layers.iter().map(|(_, reader)| reader.n_units()).max().unwrap_or(0);
    // Groups of the same runs share their shuffles.
    let pools: BTreeSet<Vec<usize>> =
        groups.iter().map(|group| group.parts.iter().map(|(run, _)| *run).collect()).collect();
    let n_samples = |run: &usize| runs[*run].samples.len();
    let n_rows = |pool: &Vec<usize>| pool.iter().map(n_samples).sum::<usize>();
    let n_shuffled = |pool: &Vec<usize>| {
        let n_distinct = pool.iter().map(n_samples).max().unwrap_or(0);
        InputsAndLabels::numbers_of_shuffles(n_shuffles, n_rows(pool), n_distinct)
    };
    let total = pools.iter().map(n_shuffled).fold(0, usize::saturating_add);
    pools.iter().try_for_each(|pool| check_memory(pool.len(), n_rows(pool), widest, total))?;
    let n_values = |pool: &Vec<usize>| if pool.len() > 1 { n_rows(pool).saturating_mul(widest) } else { 0 };
    Ok(pools.iter().map(n_values).max().unwrap_or(0))
}

/// Whether this number of numbers is allowed in memory.
pub(super) fn fits(n_numbers: usize) -> bool {
    n_numbers <= MOST_NUMBERS
}

/// Returns an error if `n_pooled` snapshots with `n_rows` rows in total and up to `widest` values per row, or `n_shuffled`
/// numbers of shuffles, are too many.
fn check_memory(n_pooled: usize, n_rows: usize, widest: usize, n_shuffled: usize) -> Result<(), StageError> {
    let n_values = if n_pooled > 1 { n_rows.saturating_mul(widest) } else { 0 };
    let problem = if n_values > MOST_NUMBERS {
        let megabytes = |n_values: usize| n_values.saturating_mul(size_of::<f32>()) / 1_000_000;
        format!(
            "{n_pooled} snapshots pooled have {n_values} values ({} MB) in a layer of {widest} units; at most {MOST_NUMBERS} ({} MB) can be pooled: pool fewer snapshots, or record fewer samples",
            megabytes(n_values),
            megabytes(MOST_NUMBERS)
        )
    } else if n_shuffled > MOST_NUMBERS - n_values {
        format!(
            "shuffles would be {n_shuffled} numbers in memory; at most {} fit: use fewer `shuffles`, or record fewer samples",
            MOST_NUMBERS - n_values
        )
    } else {
        return Ok(());
    };
    Err(StageError::Refused(problem))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shuffles_count_as_memory_like_pooled_values() {
        let check = |n_pooled, n_shuffles| {
            let n_shuffled = InputsAndLabels::numbers_of_shuffles(n_shuffles, n_pooled << 16, 1 << 16);
            check_memory(n_pooled, n_pooled << 16, 100, n_shuffled).map_err(|e| e.to_string())
        };
        // 65 536 rows: 8192 shuffles are 2²⁹ numbers; pooled, each has the permutation of the samples in addition to the
        // permutation of the rows.
        assert!(check(1, 8192).is_ok() && check(81, 0).is_ok());
        assert!(check(1, 8193).unwrap_err().contains("use fewer `shuffles`"));
        assert!(check(80, 2).is_ok());
        assert!(check(80, 3).unwrap_err().contains("at most 12582912 fit"));
        assert!(check(82, 0).unwrap_err().contains("pool fewer"));
    }
}
