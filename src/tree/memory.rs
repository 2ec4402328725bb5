//! A tree of bytes in memory: what a dump is turned into, what a machine is simulated in, and what tests are made of.
//!
//! It can do what a folder cannot: fail when it is read, take time, say something else at the next read.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use nix::errno::Errno;

use super::error::{Cause, Result, TreeError};
use super::manifest::{Manifest, piece_name};
use super::{File, NAMES_LIMIT, Pieces, Tree, Window};

/// Files and links by path.
#[derive(Debug, Clone, Default)]
pub struct MemoryTree {
    entries: Arc<BTreeMap<String, Entry>>,
    /// Folder of this tree in the whole one, empty or ending in `/`.
    prefix: String,
    /// What a missing entry means: false for a dump, which holds nothing but configuration space.
    complete: bool,
    /// What a capture says of files that are not as they are stored.
    manifest: Option<Arc<Manifest>>,
}

#[derive(Debug, Clone)]
enum Entry {
    File(Arc<[u8]>),
    /// A file with holes, and the size of the whole.
    Pieces(Pieces, u64),
    /// A file that ends before the size that `stat` gives.
    Short(Arc<[u8]>, u64),
    /// A file that can be opened and not be read.
    Failing(Errno, u64),
    /// A file of which every four bytes take this long.
    Slow(Arc<[u8]>, Duration),
    /// A file that gives the next of these each time it is opened, and the last one from then on.
    Changing(Arc<Changing>),
    Link(String),
    Folder,
}

#[derive(Debug)]
struct Changing {
    versions: Vec<Arc<[u8]>>,
    opened: AtomicUsize,
}

impl MemoryTree {
    /// A tree in which a missing file means that the machine does not have it.
    pub fn complete() -> Self {
        MemoryTree { complete: true, ..Self::default() }
    }

    /// A tree that holds part of a machine: what is missing was not captured.
    pub fn partial() -> Self {
        Self::default()
    }

    /// Adds a file.
    pub fn file(mut self, path: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        self.insert(path.into(), Entry::File(bytes.into().into()));
        self
    }

    /// Adds a file of which only some runs of bytes are known; `size` is that of the whole.
    pub fn pieces(mut self, path: impl Into<String>, mut runs: Vec<(u64, Vec<u8>)>, size: u64) -> Self {
        let entry = match runs.as_mut_slice() {
            [(0, run)] if run.len() as u64 == size => Entry::File(std::mem::take(run).into()),
            _ => Entry::Pieces(Pieces { runs, ended: None }, size),
        };
        self.insert(path.into(), entry);
        self
    }

    /// Adds a file that ends before the size that `stat` gives, as `config` does for users without privileges.
    pub fn short_file(mut self, path: impl Into<String>, bytes: impl Into<Vec<u8>>, size: u64) -> Self {
        self.insert(path.into(), Entry::Short(bytes.into().into(), size));
        self
    }

    /// Adds a file that can be opened and whose reads fail.
    pub fn failing(mut self, path: impl Into<String>, errno: Errno, size: u64) -> Self {
        self.insert(path.into(), Entry::Failing(errno, size));
        self
    }

    /// Adds a file of which every four bytes take `each` to read, as of a device that does not complete requests.
    pub fn slow(mut self, path: impl Into<String>, bytes: impl Into<Vec<u8>>, each: Duration) -> Self {
        self.insert(path.into(), Entry::Slow(bytes.into().into(), each));
        self
    }

    /// Adds a file that gives the next of `versions` each time it is opened, and the last one from then on.
    pub fn changing(mut self, path: impl Into<String>, versions: Vec<Vec<u8>>) -> Self {
        let versions = versions.into_iter().map(Arc::from).collect();
        self.insert(
            path.into(),
            Entry::Changing(Arc::new(Changing { versions, opened: AtomicUsize::new(0) })),
        );
        self
    }

    /// Adds a link.
    pub fn link(mut self, path: impl Into<String>, target: impl Into<String>) -> Self {
        self.insert(path.into(), Entry::Link(target.into()));
        self
    }

    fn insert(&mut self, path: String, entry: Entry) {
        Arc::make_mut(&mut self.entries).insert(path, entry);
    }

    /// Adds a file, for building a tree one by one.
    pub(crate) fn add_file(&mut self, path: String, bytes: Arc<[u8]>) {
        self.insert(path, Entry::File(bytes));
    }

    /// Adds a link, for building a tree one by one.
    pub(crate) fn add_link(&mut self, path: String, target: String) {
        self.insert(path, Entry::Link(target));
    }

    /// Adds a folder, which may be empty.
    pub(crate) fn add_folder(&mut self, path: String) {
        self.insert(path, Entry::Folder);
    }

    /// Whether a file or link of that path was added.
    pub(super) fn was_added(&self, path: &str) -> bool {
        matches!(self.entries.get(path), Some(entry) if !matches!(entry, Entry::Folder))
    }

    /// Takes what another tree has at a path, to where links of this one lead. Says whether there was something.
    pub(super) fn graft(&mut self, other: &MemoryTree, path: &str) -> bool {
        let Some(entry) = other.entries.get(path).cloned() else { return false };
        let Ok(place) = self.resolve(path) else { return false };
        self.insert(place, entry);
        true
    }

    /// Bytes of a file that was added, whatever a manifest says of it.
    pub(super) fn stored(&self, path: &str) -> Option<&Arc<[u8]>> {
        match self.entries.get(path)? {
            Entry::File(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// Files and links that were added, in the order of their paths: the bytes of a file or the text of a link.
    pub fn contents(&self) -> impl Iterator<Item = (&str, Content<'_>)> {
        self.entries.iter().filter_map(|(path, entry)| match entry {
            Entry::File(bytes) => Some((path.as_str(), Content::File(bytes))),
            Entry::Link(target) => Some((path.as_str(), Content::Link(target))),
            _ => None,
        })
    }

    /// Folders that were added by themselves, in the order of their paths; those above something else need not be.
    pub fn folders(&self) -> impl Iterator<Item = &str> {
        let entries = self.entries.iter();
        entries.filter(|(_, entry)| matches!(entry, Entry::Folder)).map(|(path, _)| path.as_str())
    }

    /// The tree with what a manifest says of it; `complete` is what missing means where there is none.
    pub(crate) fn with_manifest(mut self, manifest: Option<Manifest>, complete: bool) -> Self {
        self.manifest = manifest.map(Arc::new);
        self.complete = complete;
        self
    }

    /// Why `path`, which is in this folder, or `full`, which is the same with links followed, is not there.
    fn missing_at(&self, path: &str, full: &str) -> TreeError {
        let cause = match (&self.manifest, self.complete) {
            (Some(manifest), _) => manifest.why_missing(full),
            (None, true) => Cause::Errno(Errno::ENOENT),
            (None, false) => Cause::NotCaptured,
        };
        TreeError::new(format!("{}{path}", self.prefix), cause)
    }

    /// The path in the whole tree with every link followed.
    fn resolve(&self, path: &str) -> Result<String> {
        let mut full = normalize(&format!("{}{path}", self.prefix));
        for _ in 0..40 {
            let link = full.match_indices('/').map(|(i, _)| i).chain([full.len()]).find_map(|end| match self
                .entries
                .get(&full[..end])
            {
                Some(Entry::Link(target)) => Some((end, target.clone())),
                _ => None,
            });
            let Some((end, target)) = link else { return Ok(full) };
            full = normalize(&format!("{}{}", join_link(&full[..end], &target), &full[end..]));
        }
        Err(TreeError::new(full, Cause::Escapes))
    }
}

/// What is stored under a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content<'a> {
    /// Bytes of a file.
    File(&'a [u8]),
    /// Text of a link.
    Link(&'a str),
}

/// Path that a link at `path` with text `target` leads to, without leading `/`. `..` above the root stays at the root.
pub(crate) fn join_link(path: &str, target: &str) -> String {
    if target.starts_with('/') {
        return normalize(target);
    }
    let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
    normalize(&format!("{parent}/{target}"))
}

/// Resolves `.` and `..` by their letters.
pub(super) fn normalize(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

struct MemoryFile {
    bytes: Arc<[u8]>,
    /// Size that a manifest gives.
    size: Option<u64>,
}

impl File for MemoryFile {
    fn size(&self) -> u64 {
        self.size.unwrap_or(self.bytes.len() as u64)
    }

    fn is_copy(&self) -> bool {
        true
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(self.bytes.len());
        let length = buffer.len().min(self.bytes.len() - start);
        buffer[..length].copy_from_slice(&self.bytes[start..start + length]);
        Ok(length)
    }
}

fn plain(bytes: &Arc<[u8]>) -> MemoryFile {
    MemoryFile { bytes: bytes.clone(), size: None }
}

struct ShortFile(MemoryFile, u64);

impl File for ShortFile {
    fn size(&self) -> u64 {
        self.1
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize> {
        self.0.read_at(offset, buffer)
    }
}

struct FailingFile(String, Errno, u64);

impl File for FailingFile {
    fn size(&self) -> u64 {
        self.2
    }

    fn read_at(&self, _: u64, _: &mut [u8]) -> Result<usize> {
        Err(TreeError::errno(self.0.clone(), self.1))
    }
}

struct SlowFile(MemoryFile, Duration);

impl File for SlowFile {
    fn size(&self) -> u64 {
        self.0.size()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize> {
        let length = self.0.read_at(offset, buffer)?;
        let doublewords = u32::try_from(length.div_ceil(4)).unwrap_or(u32::MAX);
        std::thread::sleep(self.1.saturating_mul(doublewords));
        Ok(length)
    }
}

/// A file with holes.
pub(super) struct PiecesFile {
    path: String,
    pieces: Pieces,
    size: u64,
}

impl PiecesFile {
    /// The file at `path`; without `size`, it ends with its last piece.
    pub(super) fn new(path: &str, pieces: Pieces, size: Option<u64>) -> Self {
        let end = pieces.runs.iter().map(|(offset, run)| offset.saturating_add(run.len() as u64)).max();
        PiecesFile { path: path.to_owned(), size: size.or(end).unwrap_or(0), pieces }
    }
}

impl File for PiecesFile {
    fn size(&self) -> u64 {
        self.size
    }

    fn pieces(&self) -> Option<Pieces> {
        Some(self.pieces.clone())
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize> {
        let run = self
            .pieces
            .runs
            .iter()
            .find_map(|(start, run)| run.get(usize::try_from(offset.checked_sub(*start)?).ok()?..));
        let cause = match self.pieces.ended {
            Some((end, cause)) if offset >= end => cause,
            _ => Cause::NotCaptured,
        };
        let run = run.filter(|run| !run.is_empty()).ok_or_else(|| TreeError::new(&self.path, cause))?;
        let length = run.len().min(buffer.len());
        buffer[..length].copy_from_slice(&run[..length]);
        Ok(length)
    }
}

impl MemoryTree {
    /// The file at a path with links followed; what the manifest says of it comes first.
    fn open_at(&self, path: &str, full: &str) -> Result<Box<dyn File>> {
        let row = self.manifest.as_ref().and_then(|manifest| manifest.row(full));
        let size = row.and_then(|row| row.size);
        if let Some(cause) = row.and_then(|row| row.error) {
            return Err(TreeError::new(full, cause));
        }
        let piece = |offset| Some(self.stored(&piece_name(full, offset))?.to_vec());
        if let Some(pieces) = row.and_then(|row| row.assemble(piece)) {
            return Ok(Box::new(PiecesFile::new(full, pieces, size)));
        }
        match self.entries.get(full) {
            Some(Entry::File(bytes)) => Ok(Box::new(MemoryFile { bytes: bytes.clone(), size })),
            Some(Entry::Pieces(pieces, size)) => {
                Ok(Box::new(PiecesFile::new(full, pieces.clone(), Some(*size))))
            }
            Some(Entry::Short(bytes, size)) => Ok(Box::new(ShortFile(plain(bytes), *size))),
            Some(Entry::Slow(bytes, each)) => Ok(Box::new(SlowFile(plain(bytes), *each))),
            Some(Entry::Failing(errno, size)) => {
                Ok(Box::new(FailingFile(format!("{}{path}", self.prefix), *errno, *size)))
            }
            Some(Entry::Changing(changing)) => {
                let number = changing.opened.fetch_add(1, Ordering::Relaxed);
                let version = changing.versions.get(number).or(changing.versions.last());
                Ok(Box::new(plain(&version.cloned().unwrap_or_default())))
            }
            None if !self.holds(full) => Err(self.missing_at(path, full)),
            _ => Err(TreeError::errno(full, Errno::EISDIR)),
        }
    }

    /// Whether something lies below a path.
    fn holds(&self, full: &str) -> bool {
        let below = format!("{full}/");
        full.is_empty()
            || self.entries.range(below.clone()..).next().is_some_and(|(key, _)| key.starts_with(&below))
    }

    /// The first path from `from` on that lies below a folder, relative to it.
    fn first_below(&self, folder: &str, from: &str) -> Option<&str> {
        self.entries.range(from.to_owned()..).next()?.0.strip_prefix(folder)
    }

    /// Whether a path with links followed is a folder.
    fn is_folder(&self, full: &str) -> bool {
        matches!(self.entries.get(full), Some(Entry::Folder)) || self.holds(full)
    }

    /// A window that is stored as `NAME@0xOFFSET` and that covers the range.
    fn stored_window(&self, full: &str, offset: u64, length: usize) -> Option<Window> {
        let prefix = format!("{full}@0x");
        let stored = self.entries.range(prefix.clone()..).map_while(|(key, entry)| {
            let start = u64::from_str_radix(key.strip_prefix(&prefix)?, 16).ok();
            Some((start, entry))
        });
        for (start, entry) in stored {
            if let (Some(start), Entry::File(bytes)) = (start, entry)
                && let Some(skip) = offset.checked_sub(start).and_then(|skip| usize::try_from(skip).ok())
                && let Some(window) = skip.checked_add(length).and_then(|end| bytes.get(skip..end))
            {
                return Some(Window::stored(window.to_vec()));
            }
        }
        None
    }
}

impl Tree for MemoryTree {
    fn open(&self, path: &str) -> Result<Box<dyn File>> {
        self.open_at(path, &self.resolve(path)?)
    }

    fn read_link(&self, path: &str) -> Result<String> {
        // The parent's links are followed, the last one is the one that is asked for.
        let full = match path.rsplit_once('/') {
            Some((parent, name)) => normalize(&format!("{}/{name}", self.resolve(parent)?)),
            None => normalize(&format!("{}{path}", self.prefix)),
        };
        match self.entries.get(&full) {
            Some(Entry::Link(target)) => Ok(target.clone()),
            None if !self.holds(&full) => Err(self.missing_at(path, &full)),
            _ => Err(TreeError::errno(full, Errno::EINVAL)),
        }
    }

    fn list(&self, path: &str) -> Result<Vec<String>> {
        let full = self.resolve(path)?;
        let folder = if full.is_empty() { full.clone() } else { format!("{full}/") };
        let mut names: Vec<String> = Vec::new();
        let mut from = folder.clone();
        // From each name on to the next one: what lies below it is not looked at.
        while let Some(rest) = self.first_below(&folder, &from) {
            if names.len() > 2 * NAMES_LIMIT {
                return Err(TreeError::new(full, Cause::TooMany(NAMES_LIMIT)));
            }
            let name = match rest.split_once('/') {
                // '0' is the character behind '/'.
                Some((name, _)) => (name, format!("{folder}{name}0")),
                None => (rest, format!("{folder}{rest}\0")),
            };
            from = name.1;
            names.push(name.0.to_owned());
        }
        let listed = self.manifest.as_ref().filter(|manifest| manifest.has_folder(&full));
        names.retain(|name| !name.is_empty());
        if names.is_empty() && listed.is_none() && !self.is_folder(&full) {
            return Err(match self.entries.get(&full) {
                Some(_) => TreeError::errno(full, Errno::ENOTDIR),
                None => self.missing_at(path, &full),
            });
        }
        if let Some(manifest) = &self.manifest {
            if listed.is_some() {
                // Every name of the folder has a row: another one was not there when it was read.
                names.clear();
            }
            names.extend_from_slice(manifest.children(&full));
        }
        names.sort_unstable();
        names.dedup();
        if names.len() > NAMES_LIMIT {
            return Err(TreeError::new(full, Cause::TooMany(NAMES_LIMIT)));
        }
        Ok(names)
    }

    fn enter(&self, path: &str) -> Result<Box<dyn Tree>> {
        let full = self.resolve(path)?;
        if !self.is_folder(&full) {
            return Err(match self.entries.get(&full) {
                Some(_) => TreeError::errno(full, Errno::ENOTDIR),
                None => self.missing_at(path, &full),
            });
        }
        let prefix = if full.is_empty() { full } else { format!("{full}/") };
        Ok(Box::new(MemoryTree { prefix, ..self.clone() }))
    }

    fn window(&self, path: &str, offset: u64, length: usize) -> Result<Window> {
        let full = self.resolve(path)?;
        let file = match self.open_at(path, &full) {
            Ok(file) => file,
            Err(error) => return self.stored_window(&full, offset, length).ok_or(error),
        };
        let failed = || TreeError::errno(format!("{}{path}", self.prefix), Errno::EINVAL);
        if offset.checked_add(length as u64).is_none_or(|end| end > file.size()) {
            return Err(failed());
        }
        let mut bytes = vec![0; length];
        let read = file.read_at(offset, &mut bytes)?;
        if read < length {
            return Err(failed());
        }
        Ok(Window::stored(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> MemoryTree {
        MemoryTree::complete()
            .file("sys/devices/pci0000:00/0000:00:01.0/vendor", "0x8086\n")
            .link("sys/bus/pci/devices/0000:00:01.0", "../../../devices/pci0000:00/0000:00:01.0")
            .link("loop", "loop")
    }

    #[test]
    fn follows_links_and_enters_folders() {
        let tree = sample();
        assert_eq!(
            super::super::read_text(&tree, "sys/bus/pci/devices/0000:00:01.0/vendor").unwrap(),
            "0x8086"
        );
        let function = tree.enter("sys/bus/pci/devices/0000:00:01.0").unwrap();
        assert_eq!(super::super::read_text(&*function, "vendor").unwrap(), "0x8086");
        assert_eq!(tree.list("sys/bus/pci/devices").unwrap(), ["0000:00:01.0"]);
        assert_eq!(function.list("").unwrap(), ["vendor"]);
        assert_eq!(tree.open("loop/x").err().unwrap().cause, Cause::Escapes);
    }

    #[test]
    fn missing_is_absent_or_not_captured() {
        assert!(sample().open("nothing").err().unwrap().is_absent());
        assert_eq!(MemoryTree::partial().open("nothing").err().unwrap().cause, Cause::NotCaptured);
    }
}
