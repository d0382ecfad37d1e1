//! Makes a table of samples from a rule or from published files.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::super::{Outcome, StageError};
use super::{clear, is_there, write};
use crate::config::{MADE_FROM, MADE_OF, NamedData};
use crate::datasets::{Dataset, DatasetError, PublishedFile, Source, Spec};
use crate::import::{inflate, members, mistaken};
use crate::memory::Room;
use crate::parameter::{Kind, Parameters, Value};
use crate::store::schema::{Row, SampleRow};
use crate::store::{Footer, data_file, hash_bytes, raw_folder, read_bytes, read_footer};

/// Footer entry: every file that was read, `name=hash of its content`.
const FILES: &str = "infoplane.dataset_files";

/// Makes a data set and writes it to `out`. Published files are read from the given folder, or from the folder that
/// `infoplane data fetch` writes to. They are not needed after the table is made.
///
/// # Errors
/// Parameters contradict each other, a file is missing or does not match its hash, or the table cannot be written.
pub fn make(named: &NamedData, out: &Path) -> Result<Outcome, StageError> {
    clear(out);
    let identity = named.identity();
    let mut published = Published::new(named.spec, named.folder.as_deref());
    if let Source::Rule(_) = named.spec.source {
        let footer = Footer::from([(MADE_FROM.to_owned(), hash_bytes(identity.as_bytes()))]);
        return if is_there(out, &footer)? {
            Ok(Outcome::UpToDate)
        } else {
            write(out, &made(named, &mut published)?, &[], &footer)
        };
    }
    let before = read_footer(out, SampleRow::TABLE).ok().filter(|footer| named.is_in(footer));
    if before.and_then(|footer| published.are(footer.get(FILES)?).then_some(())).is_some() {
        return Ok(Outcome::UpToDate);
    }
    let data = made(named, &mut published)?;
    let files = published.hashes();
    let footer = Footer::from([
        (MADE_FROM.to_owned(), hash_bytes(format!("{identity} {files}").as_bytes())),
        (MADE_OF.to_owned(), identity),
        (FILES.to_owned(), files),
    ]);
    if is_there(out, &footer)? { Ok(Outcome::UpToDate) } else { write(out, &data, &[], &footer) }
}

/// The data set in memory.
pub(super) fn in_memory(named: &NamedData) -> Result<Dataset, StageError> {
    made(named, &mut Published::new(named.spec, named.folder.as_deref()))
}

fn made(named: &NamedData, published: &mut Published) -> Result<Dataset, StageError> {
    let made = named.spec.make(&named.parameters, &mut |name| published.content(name));
    made.map_err(|e| StageError::Refused(published.explain(e)))
}

/// The state of a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Its table exists.
    Made,
    /// It is made by a rule, or its files exist.
    CanBeMade,
    /// Its files do not exist.
    ToBeFetched,
}

/// The state of the data set, with its default parameters and in the default folders.
pub fn state(spec: &'static Spec) -> State {
    if data_file(spec.name).exists() {
        return State::Made;
    }
    if has_files(spec) { State::CanBeMade } else { State::ToBeFetched }
}

/// Whether the files of a data set exist.
fn has_files(spec: &'static Spec) -> bool {
    match spec.source {
        Source::Files { files, .. } => Published::new(spec, None).have_all(files),
        Source::Rule(_) => true,
    }
}

/// The state of each published part of a data set, if it has parts.
pub fn parts(spec: &'static Spec) -> Vec<(&'static str, State)> {
    let choices = spec.parameters.iter().find(|parameter| parameter.name == "part").map(|parameter| parameter.kind);
    let Some(Kind::Choice(parts)) = choices else { return Vec::new() };
    let of_all = state(spec);
    let state = |part: &'static str| {
        let given = [("part".to_owned(), Value::parse(part))];
        let parameters = Parameters::new(spec.parameters, given).expect("every choice can be chosen");
        let table = NamedData { spec, parameters, folder: None }.path();
        match (table.exists(), of_all) {
            (true, _) => State::Made,
            // The files are not needed once a table is made.
            (false, State::Made) if !has_files(spec) => State::ToBeFetched,
            (false, State::Made) => State::CanBeMade,
            (false, state) => state,
        }
    };
    parts.iter().map(|part| (*part, state(part))).collect()
}

/// The published files of a data set.
struct Published {
    name: &'static str,
    files: &'static [PublishedFile],
    /// The folder, and those below it.
    places: Vec<PathBuf>,
    /// The contents of the archives among the files, after they are first needed.
    members: Option<BTreeMap<String, Vec<u8>>>,
    /// Every file that was read: its name, its path, and the hash of its content.
    read: Vec<(String, String, String)>,
}

impl Published {
    fn new(spec: &'static Spec, folder: Option<&Path>) -> Self {
        let files = match spec.source {
            Source::Rule(_) => &[],
            Source::Files { files, .. } => files,
        };
        let folder = folder.map_or_else(|| raw_folder(spec.name), Path::to_owned);
        Self { name: spec.name, files, places: with_folders_below(folder), members: None, read: Vec::new() }
    }

    /// The content of a published file, or of a file in an archive among them, unpacked.
    fn content(&mut self, name: &str) -> Result<Vec<u8>, DatasetError> {
        let (place, content) = match self.read_file(name)? {
            Some(found) => found,
            None => self.read_member(name)?,
        };
        self.read.push((name.to_owned(), place, hash_bytes(&content)));
        Ok(content)
    }

    fn read_file(&self, name: &str) -> Result<Option<(String, Vec<u8>)>, DatasetError> {
        let Some(path) = self.path(name) else { return Ok(None) };
        let place = path.display().to_string();
        let failed = |problem: String| DatasetError::File { file: place.clone(), problem };
        let content = read_bytes(&path).map_err(|e| failed(format!("cannot be read: {e}")))?;
        let n_packed = content.len();
        let mut room = Room::of_file();
        let content = inflate(content, &mut room).map_err(|e| failed(e.to_string()))?;
        if let Some(what) = mistaken(name, &content).filter(|_| !name.ends_with(".tar")) {
            return Err(failed(format!("this is {what}; remove it and run `infoplane data fetch {}`", self.name)));
        }
        // Offsets in error messages refer to the unpacked content.
        Ok(Some((if content.len() == n_packed { place } else { format!("{place}, unpacked") }, content)))
    }

    /// The path of the file, compressed or not.
    fn path(&self, name: &str) -> Option<PathBuf> {
        // Programs that unpack archives on macOS and Windows write `train-images.idx3-ubyte`.
        let dotted = name.replacen("-idx", ".idx", 1);
        let names = [name.to_owned(), format!("{name}.gz"), format!("{dotted}.gz"), dotted];
        let mut paths = self.places.iter().flat_map(|place| names.iter().map(|name| place.join(name)));
        paths.find(|path| path.is_file())
    }

    /// The first file of images of another data set in the folders.
    fn other_images(&self) -> Option<String> {
        let entries = self.places.iter().flat_map(|place| fs::read_dir(place).into_iter().flatten().flatten());
        let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
        names.filter(|name| name.contains("images-idx3-ubyte") || name.contains("images.idx3-ubyte")).min()
    }

    fn read_member(&mut self, name: &str) -> Result<(String, Vec<u8>), DatasetError> {
        let missing = || DatasetError::Missing { file: name.to_owned() };
        if self.members.is_none() {
            let mut found = BTreeMap::new();
            for archive in self.files.iter().filter_map(|file| file.name.strip_suffix(".gz")) {
                if !archive.ends_with(".tar") {
                    continue;
                }
                if let Some((place, content)) = self.read_file(archive)? {
                    let packed = members(&content);
                    found.extend(packed.map_err(|e| DatasetError::File { file: place, problem: e.to_string() })?);
                }
            }
            self.members = Some(found);
        }
        let content = self.members.as_ref().and_then(|members| members.get(name)).cloned().ok_or_else(missing)?;
        Ok((format!("{} in its archive", self.places[0].join(name).display()), content))
    }

    /// `name=hash` of every file that was read.
    fn hashes(&self) -> String {
        self.read.iter().map(|(name, _, hash)| format!("{name}={hash}")).collect::<Vec<_>>().join(" ")
    }

    /// Whether the existing files have these hashes.
    fn are(&mut self, hashes: &str) -> bool {
        let is_same = |entry: &str| {
            let (name, hash) = entry.split_once('=')?;
            match self.content(name) {
                Ok(content) => Some(hash_bytes(&content) == hash),
                Err(DatasetError::Missing { .. }) => Some(true),
                Err(_) => Some(false),
            }
        };
        let are_same = hashes.split(' ').map(is_same).all(|is_same| is_same == Some(true));
        self.read.clear();
        are_same
    }

    fn have_all(&self, files: &[PublishedFile]) -> bool {
        files.iter().all(|file| self.path(file.name.trim_end_matches(".gz")).is_some())
    }

    /// The message for a reading error.
    fn explain(&self, error: DatasetError) -> String {
        let (name, folder) = (self.name, self.places[0].display());
        match error {
            DatasetError::Parameter(e) => format!("`{name}`: {e}"),
            DatasetError::Missing { file } => {
                let other = self.other_images().map_or_else(String::new, |other| {
                    format!("; there is `{other}`: import the IDX files of other data sets with `infoplane data import IMAGES LABELS`")
                });
                format!(
                    "there is no file `{file}` of `{name}` in {folder}, compressed or not; run `infoplane data fetch {name}`, or name the folder of the files with `--folder` (in a pipeline with `folder`){other}"
                )
            }
            DatasetError::File { file, problem } => {
                let place = self.read.iter().find(|(name, ..)| *name == file).map_or(&file, |(_, place, _)| place);
                format!("{place}: {problem}")
            }
        }
    }
}

/// A folder and those below it, three deep as archives are unpacked; links are not followed.
fn with_folders_below(folder: PathBuf) -> Vec<PathBuf> {
    const DEPTH: usize = 3;
    const MOST: usize = 1000;
    let mut places = vec![folder];
    let mut first = 0;
    for _ in 0..DEPTH {
        let mut below = Vec::new();
        for place in &places[first..] {
            let entries = fs::read_dir(place).into_iter().flatten().flatten();
            let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
            below.extend(folders.map(|entry| entry.path()).take(MOST));
        }
        below.sort();
        first = places.len();
        places.extend(below);
        places.truncate(MOST);
        first = first.min(places.len());
    }
    places
}
