//! Downloads published files into a folder from one of several mirrors. Existing files are kept, interrupted downloads are
//! resumed, and only files with the published SHA-256 are accepted.

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

/// Time limits.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Longest time to connect.
    pub connection: Duration,
    /// Longest time without receiving a byte.
    pub silence: Duration,
    /// The waiting times before further requests to a mirror, after consecutive attempts with almost no progress; after the
    /// last one the mirror is given up.
    pub waits: &'static [Duration],
}

/// Waiting times that are acceptable to users and busy servers.
pub const PATIENCE: Patience = Patience {
    connection: Duration::from_secs(15),
    silence: Duration::from_secs(30),
    waits: &[Duration::from_secs(1), Duration::from_secs(3), Duration::from_secs(9), Duration::from_secs(27)],
};

/// An attempt that receives less than the file's size divided by this number made almost no progress. So the download ends for
/// certain: a server that cuts every connection is asked about a thousand times at most.
const LITTLE: u64 = 1000;

/// Why an attempt, or a mirror, did not provide a file.
#[derive(Debug, Error)]
enum Fault {
    /// The next attempt may succeed.
    #[error("{0}")]
    Again(String),
    /// The server does not respond; if it has responded before, the next attempt may succeed.
    #[error("{0}")]
    Absent(String),
    /// No further attempt will succeed.
    #[error("{0}")]
    Useless(String),
    /// The fault is on this computer.
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
            let problem = format!(
                "`{name}` is made by a rule, so there is nothing to download; use `infoplane data make {name}`"
            );
            Err(StageError::Refused(problem))
        }
    }
}

/// Downloads the `files` that are missing in `folder`; `mirrors` are addresses of folders with the files, tried in order.
///
/// An interrupted download leaves `<name>.part`; the next call resumes it from any mirror.
///
/// # Errors
/// Another file has the name of a published file, no mirror provides a file, the folder cannot be written, or another process
/// is downloading into it. Complete files, and the part of the failed file, are kept.
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
            "another infoplane process is downloading into {}; wait until it is done, or choose another folder with `--folder DIR`",
            path.display()
        )),
        e => e.into(),
    })?;
    // Checked again: the process that had the lock may have downloaded them.
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

/// The missing files.
///
/// # Errors
/// An existing file with this name is not the published file. It is kept, because it may belong to the user.
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
            Err(StageError::Refused(format!("{path} exists and is not the published file: {problem}; {to_do}")))
        };
        if !there.is_file() {
            return other("it is not a file".to_owned());
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

/// A file that is being downloaded.
struct Download<'a> {
    file: &'a PublishedFile,
    part: Partial,
    /// Whether the present part came in several responses, perhaps from different servers or in an earlier call.
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

    /// Discards the present part.
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

    /// What is wrong with a file of the correct size, if anything.
    fn problem(&self) -> Result<Option<String>, StoreError> {
        let (got, expected) = (self.part.sha256()?, self.file.sha256);
        Ok((got != expected).then(|| format!("wrong content, removed: its sha256 is {got}, expected {expected}")))
    }
}

/// Completes a download from the first mirror that can do it.
fn from_some_mirror(download: &mut Download<'_>, mirrors: &[Mirror]) -> Result<(), StageError> {
    let name = download.file.name;
    if download.bytes() >= download.file.bytes {
        // It is complete (the last call was stopped just before the end), or it is another file.
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
                    tracing::warn!("{name}: {}: {why}; continuing with {}", mirror.url, next.url);
                }
                problems.push(format!("{}: {why}", mirror.url));
            }
        }
    }
    if mirrors.is_empty() {
        problems.push("there is no known mirror".to_owned());
    }
    let (problems, bytes) = (problems.join("; "), download.bytes());
    let kept = if bytes > 0 { format!("{bytes} of {} bytes are kept; ", download.file.bytes) } else { String::new() };
    let to_do = "try again later, or name another source with `--mirror URL`";
    Err(StageError::Refused(format!("cannot fetch {name}: {problems}; {kept}{to_do}")))
}

/// Completes a download from one mirror, with further attempts as long as they may succeed.
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
                // The fault may be in the part from before, so the entire file is downloaded once from this mirror.
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
        let next = format!("{}: {why}; next attempt in {}", download.file.name, seconds(*wait));
        tracing::debug!("{}: {next}", mirror.url);
        download.progress.message(&next);
        sleep(*wait);
        download.progress.message(download.file.name);
    }
}

fn seconds(time: Duration) -> String {
    format!("{} s", time.as_secs_f64())
}
