//! The source files, parsed: the paths, types and bindings of each, without what is compiled for tests only.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use syn::visit::{self, Visit};

/// A path in pieces; one of this crate begins with `crate`.
pub(super) type Pieces = Vec<String>;

/// A source file.
pub(super) struct Source {
    /// Its path below `src/`.
    pub(super) name: String,
    /// Its text.
    pub(super) text: String,
    /// The module that it is.
    pub(super) module: Pieces,
    /// Every path that it names: from `crate` if it is of this crate, otherwise as written.
    pub(super) paths: BTreeSet<Pieces>,
    /// The types that it declares.
    pub(super) types: Vec<String>,
    /// Its bindings and parameters.
    pub(super) bindings: BTreeSet<String>,
}

pub(super) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Fails with the lines `found`, if there are any, and the rule that they break.
#[track_caller]
pub(super) fn assert_none(found: &[String], rule: &str) {
    assert!(found.is_empty(), "{rule}:\n  {}", found.join("\n  "));
}

/// Every source file, parsed once; files of tests (`#![cfg(test)]`) have nothing but their name and text.
pub(super) fn sources() -> &'static [Source] {
    static SOURCES: OnceLock<Vec<Source>> = OnceLock::new();
    SOURCES.get_or_init(read)
}

fn read() -> Vec<Source> {
    let mut files = Vec::new();
    collect(&root().join("src"), &mut files);
    files.sort();
    let modules: BTreeSet<Pieces> = files.iter().map(|file| module(file)).collect();
    let source = |file: PathBuf| {
        let text = fs::read_to_string(root().join("src").join(&file)).unwrap();
        let mut found = Found { module: module(&file), ..Found::default() };
        found.visit_file(&syn::parse_file(&text).unwrap());
        Source {
            name: file.to_str().unwrap().to_owned(),
            text,
            module: module(&file),
            paths: found.paths.iter().map(|(place, path)| resolved(place, path, &found.imports, &modules)).collect(),
            types: found.types,
            bindings: found.bindings,
        }
    };
    files.into_iter().map(source).collect()
}

/// The files below `folder`, their paths relative to `src/`.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path.strip_prefix(root().join("src")).unwrap().to_owned());
        }
    }
}

/// `crate::stages::report` for `stages/report/mod.rs`.
fn module(file: &Path) -> Pieces {
    let stem = file.with_extension("");
    let pieces = stem.iter().map(|piece| piece.to_str().unwrap().to_owned());
    let pieces = pieces.filter(|piece| !["lib", "main", "mod"].contains(&piece.as_str()));
    [String::from("crate")].into_iter().chain(pieces).collect()
}

/// Where `path`, written in the module `place`, leads.
fn resolved(place: &Pieces, path: &Pieces, imports: &BTreeMap<String, Pieces>, modules: &BTreeSet<Pieces>) -> Pieces {
    let n_up = path.iter().take_while(|piece| *piece == "super").count();
    let (first, rest) = (&path[0], &path[1..]);
    let child: Pieces = [place.as_slice(), std::slice::from_ref(first)].concat();
    let (start, rest) = match first.as_str() {
        "crate" | "infoplane" => (&place[..1], rest),
        "super" => (&place[..place.len() - n_up], &path[n_up..]),
        "self" => (place.as_slice(), rest),
        _ => match imports.get(first) {
            Some(import) if import.first() != Some(first) => {
                return [resolved(place, import, &BTreeMap::new(), modules).as_slice(), rest].concat();
            }
            _ if modules.contains(&child) => (child.as_slice(), rest),
            _ => return path.clone(),
        },
    };
    [start, rest].concat()
}

/// What a file has, as it is found.
#[derive(Default)]
struct Found {
    /// The module, with those inside the file.
    module: Pieces,
    /// Every path with the module that it is written in.
    paths: BTreeSet<(Pieces, Pieces)>,
    /// What `use` gives a name.
    imports: BTreeMap<String, Pieces>,
    types: Vec<String>,
    bindings: BTreeSet<String>,
}

impl Found {
    fn path(&mut self, path: Pieces) {
        self.paths.insert((self.module.clone(), path));
    }

    fn uses(&mut self, start: &[String], tree: &syn::UseTree) {
        let with = |piece: &syn::Ident| [start, &[piece.to_string()]].concat();
        let (name, path) = match tree {
            syn::UseTree::Path(path) => return self.uses(&with(&path.ident), &path.tree),
            syn::UseTree::Group(group) => return group.items.iter().for_each(|tree| self.uses(start, tree)),
            syn::UseTree::Name(name) if name.ident == "self" => (start.last().unwrap().clone(), start.to_vec()),
            syn::UseTree::Name(name) => (name.ident.to_string(), with(&name.ident)),
            syn::UseTree::Rename(rename) => (rename.rename.to_string(), with(&rename.ident)),
            _ => (String::from("*"), [start, &[String::from("*")]].concat()),
        };
        self.imports.insert(name, path.clone());
        self.path(path);
    }

    /// The paths among the words of a macro or an attribute, and the types that it declares.
    fn words(&mut self, tokens: &str) {
        let text = tokens.replace(" :: ", "::");
        let mut before = "";
        for word in text.split(|c: char| !c.is_alphanumeric() && c != '_' && c != ':').filter(|word| !word.is_empty()) {
            if ["struct", "enum"].contains(&before) {
                self.types.push(word.to_owned());
            }
            let path: Pieces = word.split(':').filter(|piece| !piece.is_empty()).map(str::to_owned).collect();
            if path.len() > 1 {
                self.path(path);
            }
            before = word;
        }
    }
}

/// Whether one of the attributes is `cfg(test)`.
fn for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        syn::Meta::List(list) => list.path.is_ident("cfg") && list.tokens.to_string() == "test",
        _ => false,
    })
}

impl<'ast> Visit<'ast> for Found {
    fn visit_file(&mut self, file: &'ast syn::File) {
        if !for_tests(&file.attrs) {
            visit::visit_file(self, file);
        }
    }

    fn visit_item(&mut self, item: &'ast syn::Item) {
        use syn::Item::{Const, Enum, Fn, Impl, Mod, Static, Struct, Type, Use};
        let (attributes, declared) = match item {
            Enum(item) => (&item.attrs, Some(&item.ident)),
            Struct(item) => (&item.attrs, Some(&item.ident)),
            syn::Item::Trait(item) => (&item.attrs, Some(&item.ident)),
            Type(item) => (&item.attrs, Some(&item.ident)),
            Const(syn::ItemConst { attrs, .. }) | Static(syn::ItemStatic { attrs, .. }) => (attrs, None),
            Fn(syn::ItemFn { attrs, .. }) | Impl(syn::ItemImpl { attrs, .. }) => (attrs, None),
            Mod(syn::ItemMod { attrs, .. }) | Use(syn::ItemUse { attrs, .. }) => (attrs, None),
            _ => return visit::visit_item(self, item),
        };
        if !for_tests(attributes) {
            self.types.extend(declared.map(ToString::to_string));
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        if !for_tests(&function.attrs) {
            visit::visit_impl_item_fn(self, function);
        }
    }

    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        self.module.push(module.ident.to_string());
        visit::visit_item_mod(self, module);
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.uses(&[], &item.tree);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.path(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, called: &'ast syn::Macro) {
        self.words(&called.tokens.to_string());
        visit::visit_macro(self, called);
    }

    fn visit_meta_list(&mut self, list: &'ast syn::MetaList) {
        self.words(&list.tokens.to_string());
        visit::visit_meta_list(self, list);
    }

    fn visit_pat_ident(&mut self, pattern: &'ast syn::PatIdent) {
        self.bindings.insert(pattern.ident.to_string());
        visit::visit_pat_ident(self, pattern);
    }
}
