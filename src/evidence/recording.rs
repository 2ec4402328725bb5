//! What was read of a machine: each answer by its path, errors included.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use nix::errno::Errno;

use crate::tree::manifest::piece_name;
use crate::tree::{Cause, Pieces};

/// The answer to a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// A file, read to its end.
    File {
        /// Its bytes.
        bytes: Vec<u8>,
        /// Its size as `stat` gave it, which in sysfs is not how many bytes there are.
        size: Option<u64>,
    },
    /// A file of which only some runs of bytes were read.
    Pieces {
        /// What was read, and why not more.
        pieces: Pieces,
        /// Its size as `stat` gave it.
        size: Option<u64>,
    },
    /// A link, with its text.
    Link(String),
    /// A folder, of which every name is in the recording too.
    Folder,
    /// A name that was listed and nothing more.
    Listed,
    /// It could not be read.
    Failed(Cause),
}

/// All answers by path, without a leading `/`.
#[derive(Debug, Clone, Default)]
pub struct Recording {
    answers: BTreeMap<String, Kept>,
}

impl Recording {
    /// Keeps an answer. The first one to a question stays; that a name was listed is no answer. What is not captured
    /// in the source is not captured here, and paths that a line of the manifest cannot hold are left out.
    pub fn keep(&mut self, path: &str, kept: Kept) {
        let nothing = matches!(kept, Kept::Failed(Cause::NotCaptured));
        if nothing || path.is_empty() || path.contains(char::is_control) {
            return;
        }
        match self.answers.entry(path.to_owned()) {
            Entry::Vacant(vacant) => {
                vacant.insert(kept);
            }
            Entry::Occupied(mut occupied) => {
                if matches!(occupied.get(), Kept::Listed) {
                    occupied.insert(kept);
                }
            }
        }
    }

    /// Keeps bytes that were read of a file one after the other.
    pub fn append(&mut self, path: &str, offset: u64, more: &[u8], size: u64) {
        self.keep(path, Kept::File { bytes: Vec::new(), size: Some(size) });
        if let Some(Kept::File { bytes, .. }) = self.answers.get_mut(path)
            && bytes.len() as u64 == offset
        {
            bytes.extend(more);
        }
    }

    /// Keeps that a file, of which some may have been read, could not be read to its end.
    pub fn fail(&mut self, path: &str, cause: Cause) {
        if matches!(self.answers.get(path), Some(Kept::File { .. })) {
            self.answers.remove(path);
        }
        self.keep(path, Kept::Failed(cause));
    }

    /// Keeps the names of a folder.
    pub fn keep_names(&mut self, path: &str, names: &[String]) {
        self.keep(path, Kept::Folder);
        for name in names {
            self.keep(&format!("{path}/{name}"), Kept::Listed);
        }
    }

    /// Forgets everything below a folder.
    pub fn remove_below(&mut self, folder: &str) {
        let below = format!("{folder}/");
        self.answers.retain(|path, _| !path.starts_with(&below));
    }

    /// The answer about a path.
    pub fn get(&self, path: &str) -> Option<&Kept> {
        self.answers.get(path)
    }

    /// All answers in the order of their paths.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Kept)> {
        self.answers.iter().map(|(path, kept)| (path.as_str(), kept))
    }

    /// The same, to change bytes and texts in.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&str, &mut Kept)> {
        self.answers.iter_mut().map(|(path, kept)| (path.as_str(), kept))
    }

    /// Gives every path another name.
    pub fn rename(&mut self, name: impl Fn(&str) -> String) {
        let answers = std::mem::take(&mut self.answers);
        self.answers = answers.into_iter().map(|(path, kept)| (name(&path), kept)).collect();
    }

    /// What is stored as files and links: path and bytes, or path and text of the link.
    pub fn stored(&self) -> impl Iterator<Item = (String, Stored<'_>)> {
        self.answers.iter().flat_map(|(path, kept)| -> Vec<(String, Stored<'_>)> {
            match kept {
                Kept::File { bytes, .. } => vec![(path.clone(), Stored::File(bytes))],
                Kept::Link(target) => vec![(path.clone(), Stored::Link(target))],
                Kept::Pieces { pieces, .. } => pieces
                    .runs
                    .iter()
                    .map(|(offset, bytes)| (piece_name(path, *offset), Stored::File(bytes)))
                    .collect(),
                Kept::Folder | Kept::Listed | Kept::Failed(_) => Vec::new(),
            }
        })
    }

    /// Folders that were there and of which no file is stored: all that there is of a function may be errors.
    pub fn bare_folders(&self) -> BTreeSet<&str> {
        let parent = |path: &'_ str| path.rfind('/').unwrap_or(0);
        let mut bare = BTreeSet::new();
        let mut filled = BTreeSet::new();
        for (path, kept) in self.iter() {
            match kept {
                Kept::File { .. } | Kept::Pieces { .. } | Kept::Link(_) => {
                    _ = filled.insert(&path[..parent(path)])
                }
                Kept::Folder => _ = bare.insert(path),
                Kept::Failed(cause) if !matches!(cause, Cause::Errno(Errno::ENOENT | Errno::ENOTDIR)) => {
                    bare.insert(&path[..parent(path)]);
                }
                Kept::Listed | Kept::Failed(_) => {}
            }
        }
        bare.retain(|path| !path.is_empty() && !filled.contains(path));
        bare
    }

    /// The text of `capture/manifest.tsv`; `tree/manifest.rs` tells what it means.
    pub fn manifest(&self) -> String {
        let mut text = "type\tmode\tst_size\tpath\tnote\n".to_owned();
        for (path, kept) in &self.answers {
            let (kind, size, note) = match kept {
                Kept::File { size, .. } => ('f', *size, String::new()),
                Kept::Pieces { pieces, size } => ('f', *size, pieces_note(pieces)),
                Kept::Link(target) => ('l', None, target.clone()),
                Kept::Folder => ('d', None, String::new()),
                Kept::Listed => ('-', None, String::new()),
                Kept::Failed(cause) => ('f', None, format!("read:{}", cause.word())),
            };
            let size = size.map_or("-".to_owned(), |size| size.to_string());
            // Writing to a string does not fail.
            let _ = writeln!(text, "{kind}\t-\t{size}\t/{path}\t{note}");
        }
        text
    }
}

/// What is stored under a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored<'a> {
    /// Bytes of a file.
    File(&'a [u8]),
    /// Text of a link.
    Link(&'a str),
}

fn pieces_note(pieces: &Pieces) -> String {
    let offsets: Vec<String> = pieces.runs.iter().map(|(offset, _)| format!("{offset:#x}")).collect();
    let end = pieces.ended.map(|(offset, cause)| format!(" read@{offset:#x}:{}", cause.word()));
    format!("pieces:{}{}", offsets.join(","), end.unwrap_or_default())
}
