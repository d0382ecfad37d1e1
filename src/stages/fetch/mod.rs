//! Published files come into a folder from one of several mirrors. What is there is left alone, what is half there is gone
//! on with, and nothing takes its place that is not, by its SHA-256, what was published.

mod answer;
mod transfer;

use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use thiserror::Error;
use transfer::Mirror;

use super::{Outcome, Progress, StageError};
use crate::datasets::{PublishedFile, Source, Spec};
use crate::store::{Lock, Partial, StoreError, sha256_file};

/// How long to wait, and for what.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Longest time until a connection stands.
    pub connection: Duration,
    /// Longest time in which not a byte comes.
    pub silence: Duration,
    /// The times to wait before asking a mirror again, when one attempt after the other brings next to nothing; after
    /// these it is given up.
    pub waits: &'static [Duration],
}

/// What people and busy servers bear.
pub const PATIENCE: Patience = Patience {
    connection: Duration::from_secs(15),
    silence: Duration::from_secs(30),
    waits: &[Duration::from_secs(1), Duration::from_secs(3), Duration::from_secs(9), Duration::from_secs(27)],
};

/// An attempt that brings less than the file's size divided by this has brought next to nothing. So an end is certain:
/// a server that cuts every connection is asked some thousand times at most.
const LITTLE: u64 = 1000;

/// Why an attempt, or a mirror, did not give a file.
#[derive(Debug, Error)]
enum Fault {
    /// The next attempt may do better.
    #[error("{0}")]
    Again(String),
    /// Nobody is there; where somebody was, the next attempt may do better.
    #[error("{0}")]
    Absent(String),
    /// No attempt will do better.
    #[error("{0}")]
    Useless(String),
    /// The fault is on this side.
    #[error(transparent)]
    Here(#[from] StoreError),
}

/// The files and mirrors of a data set.
///
/// # Errors
/// It is made by a rule.
pub fn published(spec: &Spec) -> Result<(&'static [PublishedFile], &'static [&'static str]), StageError> {
    match spec.source {
        Source::Files { files, mirrors, .. } => Ok((files, mirrors)),
        Source::Rule(_) => {
            let name = spec.name;
            let problem =
                format!("`{name}` is made by a rule, nothing is to be fetched; use `infoplane data make {name}`");
            Err(StageError::Refused(problem))
        }
    }
}

/// Fetches what is not yet in `folder` of `files`; `mirrors` are addresses of folders that hold them, tried in order.
///
/// A fetch that was stopped, however it was, leaves `<name>.part`; the next one goes on with it, from whatever mirror.
///
/// # Errors
/// Another file has the name of one of them; no mirror gives one; the folder cannot be written, or somebody else is
/// fetching into it. Whole files, and the part of the one that failed, stay.
pub fn fetch(
    files: &[PublishedFile],
    mirrors: &[&str],
    folder: &Path,
    patience: Patience,
    progress: &dyn Progress,
) -> Result<Outcome, StageError> {
    let mirrors = mirrors.iter().map(|url| Mirror::new(url, patience)).collect::<Result<Vec<_>, _>>()?;
    if missing(files, folder)?.is_empty() {
        return Ok(Outcome::UpToDate);
    }
    let _lock = Lock::named(folder, "fetch").map_err(|e| match e {
        StoreError::Locked { path } => StageError::Refused(format!(
            "another infoplane is fetching into {}; wait until it is done, or choose another folder with `--folder DIR`",
            path.display()
        )),
        e => e.into(),
    })?;
    // Once more: whoever had the lock before may have fetched them.
    let missing = missing(files, folder)?;
    for file in &missing {
        let mut download = Download::begin(file, folder, progress)?;
        let came = from_some_mirror(&mut download, &mirrors);
        progress.end();
        came?;
        download.part.commit()?;
    }
    let (n, bytes) = (missing.len(), missing.iter().map(|file| file.bytes).sum::<u64>());
    let files = if n == 1 { "file" } else { "files" };
    Ok(Outcome::Done(format!("{n} {files}, {bytes} bytes → {}", folder.display())))
}

/// Which of the files are not there.
///
/// # Errors
/// A file of the same name is another one. It may be somebody's own: it is kept.
fn missing<'a>(files: &'a [PublishedFile], folder: &Path) -> Result<Vec<&'a PublishedFile>, StageError> {
    let mut missing = Vec::new();
    for file in files {
        let path = folder.join(file.name);
        let Ok(there) = path.metadata() else {
            missing.push(file);
            continue;
        };
        let other = |problem: String| {
            let path = path.display();
            let to_do = "move it away, or choose another folder with `--folder DIR`";
            Err(StageError::Refused(format!("{path} is there and is not the published file: {problem}; {to_do}")))
        };
        if !there.is_file() {
            return other("it is no file".to_owned());
        }
        if there.len() != file.bytes {
            return other(format!("it has {} bytes, expected {}", there.len(), file.bytes));
        }
        let sha256 = sha256_file(&path)?;
        if sha256 != file.sha256 {
            return other(format!("its sha256 is {sha256}, expected {}", file.sha256));
        }
    }
    Ok(missing)
}

/// A file on its way.
struct Download<'a> {
    file: &'a PublishedFile,
    part: Partial,
    /// Whether what is there came in several answers, perhaps of different servers, or of an earlier call.
    is_pieced: bool,
    progress: &'a dyn Progress,
}

impl<'a> Download<'a> {
    fn begin(file: &'a PublishedFile, folder: &Path, progress: &'a dyn Progress) -> Result<Self, StoreError> {
        let download = Self { file, part: Partial::open(folder, file.name)?, is_pieced: true, progress };
        download.show();
        Ok(download)
    }

    fn bytes(&self) -> u64 {
        self.part.bytes()
    }

    fn append(&mut self, content: &[u8]) -> Result<(), StoreError> {
        self.part.append(content)?;
        self.progress.advance(content.len() as u64);
        Ok(())
    }

    /// Forgets what is there.
    fn restart(&mut self) -> Result<(), StoreError> {
        self.is_pieced = false;
        if self.bytes() > 0 {
            self.part.clear()?;
            // A bar does not go back.
            self.progress.end();
            self.show();
        }
        Ok(())
    }

    fn show(&self) {
        self.progress.begin_bytes("fetch", self.file.bytes);
        self.progress.message(self.file.name);
        self.progress.advance(self.bytes());
    }

    /// Of a file that has its size: what is wrong with it, if anything.
    fn problem(&self) -> Result<Option<String>, StoreError> {
        let (got, expected) = (self.part.sha256()?, self.file.sha256);
        Ok((got != expected).then(|| format!("wrong content, removed: its sha256 is {got}, expected {expected}")))
    }
}

/// Completes a download from the first mirror that can do it.
fn from_some_mirror(download: &mut Download<'_>, mirrors: &[Mirror]) -> Result<(), StageError> {
    let name = download.file.name;
    if download.bytes() >= download.file.bytes {
        // Whole: the last call was stopped just before the end. Or it is something else.
        if download.bytes() == download.file.bytes && download.problem()?.is_none() {
            return Ok(());
        }
        download.restart()?;
    }
    let mut problems = Vec::new();
    for (i, mirror) in mirrors.iter().enumerate() {
        match from_mirror(download, mirror) {
            Ok(()) => return Ok(()),
            Err(Fault::Here(e)) => return Err(e.into()),
            Err(why) => {
                if let Some(next) = mirrors.get(i + 1) {
                    tracing::warn!("{name}: {}: {why}; going on with {}", mirror.url, next.url);
                }
                problems.push(format!("{}: {why}", mirror.url));
            }
        }
    }
    if mirrors.is_empty() {
        problems.push("no mirror is known".to_owned());
    }
    let (problems, bytes) = (problems.join("; "), download.bytes());
    let kept = if bytes > 0 { format!("{bytes} of {} bytes are kept; ", download.file.bytes) } else { String::new() };
    let to_do = "try again later, or name another source with `--mirror URL`";
    Err(StageError::Refused(format!("cannot fetch {name}: {problems}; {kept}{to_do}")))
}

/// Completes a download from one mirror, asking again while there is hope.
fn from_mirror(download: &mut Download<'_>, mirror: &Mirror) -> Result<(), Fault> {
    let little = download.file.bytes / LITTLE;
    let (mut reached, mut n_attempts, mut n_vain) = (download.bytes(), 0, 0);
    let (mut was_there, mut is_doubted) = (false, false);
    loop {
        n_attempts += 1;
        let why = match mirror.transfer(download) {
            Ok(()) => {
                let Some(problem) = download.problem()? else { return Ok(()) };
                let is_pieced = download.is_pieced;
                download.restart()?;
                if !is_pieced || is_doubted {
                    return Err(Fault::Useless(problem));
                }
                // The fault may lie in the piece that was there before: this mirror's own has to be seen once.
                (reached, n_vain, is_doubted) = (0, 0, true);
                continue;
            }
            Err(Fault::Again(why)) => why,
            Err(Fault::Absent(why)) if was_there => why,
            Err(fault) => return Err(fault),
        };
        was_there = true;
        if download.bytes() > reached + little {
            (reached, n_vain) = (download.bytes(), 0);
        }
        let Some(wait) = mirror.patience.waits.get(n_vain) else {
            return Err(Fault::Useless(format!("{why}, after {n_attempts} attempts")));
        };
        n_vain += 1;
        let next = format!("{}: {why}; once more in {}", download.file.name, seconds(*wait));
        tracing::debug!("{}: {next}", mirror.url);
        download.progress.message(&next);
        sleep(*wait);
        download.progress.message(download.file.name);
    }
}

fn seconds(time: Duration) -> String {
    format!("{} s", time.as_secs_f64())
}
