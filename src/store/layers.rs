//! Names of the layers of a recording, from its table of layers or from the footers of its activations.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use super::error::StoreError;
use super::layout::Experiment;
use super::manifest::verified_hash;
use super::recording::Recording;
use super::schema::LayerRow;
use super::table::{Footer, read_footer, read_rows};
use crate::estimate_id::Values;
use crate::layer_id::LayerId;

/// Footer entries of activations: name and kind of the layer, and the shape and reduction of a row before it became a
/// list.
const NAME_KEY: &str = "infoplane.layer_name";
const KIND_KEY: &str = "infoplane.layer_kind";
const SHAPE_KEY: &str = "infoplane.layer_shape";
const REDUCTION_KEY: &str = "infoplane.layer_reduction";
/// The reduction of a layer that is recorded without reduction.
const NOT_REDUCED: &str = "none";

/// Words that mean several layers.
const KEYWORDS: [&str; 2] = ["hidden", "all"];

type Names = BTreeMap<LayerId, Arc<str>>;

/// Maximum number of characters in a name; names are drawn next to points and curves.
const LONGEST_NAME: usize = 64;

/// The names of the layers of a recording; a layer without a name is identified by its number.
#[derive(Debug, Clone, Default)]
pub struct LayerNames {
    names: Names,
    /// Layers of which less is recorded than the next layer gets as input.
    reduced: BTreeSet<LayerId>,
}

impl LayerNames {
    /// Reads the names of the layers of a recording: from its table of layers, otherwise from the footers of the
    /// activations of its first run.
    ///
    /// # Errors
    /// A file is damaged or was changed; a name is empty, too long, not unique, or has characters other than
    /// letters, digits, spaces and `._-/:()[]+#`.
    pub fn read(experiment: &Experiment, recording: &Recording) -> Result<Self, StoreError> {
        let root = experiment.recording();
        let path = root.join(Experiment::LAYERS);
        let mut found = Self::default();
        let mut names = Vec::new();
        if path.exists() {
            verified_hash(&root, "settings", Experiment::LAYERS)?;
            for row in read_rows::<LayerRow>(&path)? {
                found.add_reduction(row.layer, row.reduction.as_deref());
                names.push((row.layer, row.layer_name));
            }
            return Self::checked(&path, names).map(|names| Self { names, ..found });
        }
        let Some(run) = recording.runs().first() else { return Ok(found) };
        for values in [Values::Activations, Values::PreActivations] {
            for layer in run.layers(values.table()) {
                // Activations are large: users may have deleted them after the estimates.
                let part = run.parts(values.table(), Some(layer)).into_iter().find(|part| part.exists());
                let Some(part) = part else { continue };
                let mut footer = read_footer(&part, values.table())?;
                found.add_reduction(layer, footer.get(REDUCTION_KEY).map(String::as_str));
                let name = footer.remove(NAME_KEY);
                names.extend(name.map(|name| (layer, name)).filter(|named| !names.contains(named)));
            }
        }
        Self::checked(&root.join(Values::Activations.table()), names).map(|names| Self { names, ..found })
    }

    fn add_reduction(&mut self, layer: LayerId, reduction: Option<&str>) {
        if reduction.is_some_and(|reduction| reduction != NOT_REDUCED) {
            self.reduced.insert(layer);
        }
    }

    /// Whether less of a layer is recorded than the next layer gets as input, for example a mean over positions.
    pub fn is_reduced(&self, layer: LayerId) -> bool {
        self.reduced.contains(&layer)
    }

    fn checked(path: &Path, names: impl IntoIterator<Item = (LayerId, String)>) -> Result<Names, StoreError> {
        let mut checked = BTreeMap::new();
        let refused = |problem: String| StoreError::Rows { path: path.to_owned(), problem };
        for (layer, name) in names {
            let n_letters = name.chars().count();
            if !(1..=LONGEST_NAME).contains(&n_letters) || !name.chars().all(is_plain) || name.trim() != name {
                return Err(refused(format!(
                    "layer {layer} has the name `{}`; a name has 1 to {LONGEST_NAME} characters: letters (Latin, Greek, Cyrillic), digits, spaces (not at the ends) or `._-/:()[]+#`",
                    plain(&name)
                )));
            }
            if KEYWORDS.contains(&name.as_str()) {
                return Err(refused(format!(
                    "layer {layer} has the name `{name}`, which means several layers in a claim; choose another name"
                )));
            }
            if checked.values().any(|other: &Arc<str>| **other == *name) {
                return Err(refused(format!("two layers have the name `{name}`; give every layer a unique name")));
            }
            if checked.insert(layer, Arc::from(name)).is_some() {
                return Err(refused(format!("layer {layer} has two names; give it one")));
            }
        }
        Ok(checked)
    }

    /// The last layer of the network, if layers have names; it may be above the last recorded layer.
    pub fn output(&self) -> Option<LayerId> {
        self.names.keys().next_back().copied()
    }

    /// The name of a layer, if it has one.
    pub fn get(&self, layer: LayerId) -> Option<Arc<str>> {
        self.names.get(&layer).cloned()
    }

    /// Everything that the recording says about its layers, for the keys of results that depend on it.
    pub fn in_words(&self) -> Vec<String> {
        let names = self.names.iter().map(|(layer, name)| format!("{layer}: {name}"));
        names.chain(self.reduced.iter().map(|layer| format!("{layer} is reduced"))).collect()
    }

    /// All names, in the order of the layers.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.names.values().map(|name| &**name)
    }

    /// The layer with this name.
    pub fn layer(&self, name: &str) -> Option<LayerId> {
        self.names.iter().find(|(_, other)| ***other == *name).map(|(layer, _)| *layer)
    }
}

impl LayerRow {
    /// The entries of the footer of a file of this layer.
    pub fn footer(&self) -> Footer {
        let entries = [
            (NAME_KEY, Some(&self.layer_name)),
            (KIND_KEY, self.layer_kind.as_ref()),
            (SHAPE_KEY, self.shape.as_ref()),
            (REDUCTION_KEY, self.reduction.as_ref()),
        ];
        entries.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?.clone()))).collect()
    }
}

/// Letters that terminals, figures and pages show from left to right and with one glyph each, and the signs allowed in
/// names.
fn is_plain(c: char) -> bool {
    let is_letter =
        matches!(c, '\u{c0}'..='\u{24f}' | '\u{370}'..='\u{3ff}' | '\u{400}'..='\u{4ff}') && c.is_alphabetic();
    c.is_ascii_alphanumeric() || is_letter || " ._-/:()[]+#".contains(c)
}

/// A text from a foreign file, for a message: shortened, with `?` for every character that is not a plain letter or
/// sign.
pub fn plain(text: &str) -> String {
    let is_shown = |c: char| is_plain(c) || c.is_ascii_graphic();
    let shown: String = text.chars().take(LONGEST_NAME).map(|c| if is_shown(c) { c } else { '?' }).collect();
    if text.chars().nth(LONGEST_NAME).is_some() { format!("{shown}…") } else { shown }
}

/// The layer as text: its name, or `layer 3` if it has none. A name that could be mistaken for the number of another
/// layer, as in PyTorch's `Sequential`, follows the layer's own number.
pub fn layer_in_words(layer: LayerId, name: Option<&str>) -> String {
    let number = format!("layer {layer}");
    match name {
        None => number,
        Some(name) if is_like_a_number(name) && name != number => format!("{number} ({name})"),
        Some(name) => name.to_owned(),
    }
}

fn is_like_a_number(name: &str) -> bool {
    name.strip_prefix("layer").unwrap_or(name).chars().all(|c| c.is_ascii_digit() || " _-.".contains(c))
}

/// The layer as text below a heading `layer`: see [`layer_in_words`], but a layer without a name is only its number.
pub fn layer_in_cell(layer: LayerId, name: Option<&str>) -> String {
    match name {
        Some(name) if !is_like_a_number(name) => name.to_owned(),
        Some(name) if name != layer_in_words(layer, None) => format!("{layer} ({name})"),
        _ => layer.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(names: &[(usize, &str)]) -> Result<LayerNames, String> {
        let names = names.iter().map(|(layer, name)| (LayerId::from_index(*layer), (*name).to_owned()));
        let names = LayerNames::checked(Path::new("layers.parquet"), names).map_err(|e| e.to_string())?;
        Ok(LayerNames { names, ..LayerNames::default() })
    }

    #[test]
    fn names_of_modules_are_understood() {
        let names = named(&[(1, "features.0"), (2, "encoder/block[3]:attn"), (3, "Entropie größer")]).unwrap();
        assert_eq!(names.get(LayerId::from_index(2)).as_deref(), Some("encoder/block[3]:attn"));
        assert_eq!(names.layer("features.0"), Some(LayerId::FIRST));
        assert_eq!((names.get(LayerId::from_index(4)), names.layer("other")), (None, None));
    }

    #[test]
    fn a_layer_without_a_name_goes_by_its_number() {
        let check = |name, words: &str, cell: &str| {
            assert_eq!(
                (layer_in_words(LayerId::FIRST, name), layer_in_cell(LayerId::FIRST, name)),
                (words.into(), cell.into())
            );
        };
        check(Some("conv1"), "conv1", "conv1");
        check(Some("layer 1"), "layer 1", "1");
        check(None, "layer 1", "1");
        check(Some("0"), "layer 1 (0)", "1 (0)");
        check(Some("layer 2"), "layer 1 (layer 2)", "1 (layer 2)");
    }

    #[test]
    fn names_that_would_disturb_a_terminal_a_picture_or_a_page_are_refused() {
        let long = "a".repeat(LONGEST_NAME + 1);
        for name in ["", " ", "a\nb", "\u{1b}[31mred", "<b>", "a & b", "\"", "\u{202e}", "\u{3164}", "שכבה", &long]
        {
            let refused = named(&[(1, name)]).unwrap_err();
            assert!(refused.contains("layer 1 has the name `") && !refused.chars().any(char::is_control), "{refused}");
        }
        assert!(named(&[(1, "a"), (2, "a")]).unwrap_err().contains("two layers have the name `a`"));
        assert!(named(&[(1, "a"), (1, "b")]).unwrap_err().contains("layer 1 has two names"));
    }
}
