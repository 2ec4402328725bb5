//! A tree that notes what is read of it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nix::errno::Errno;

use crate::tree::{Cause, File, Result, Tree, TreeError, Window, join_link};

use super::recording::{Kept, Recording};

/// Most links that are followed for one path.
const LINKS: usize = 40;

/// A tree that notes every answer of another one.
///
/// Answers are noted under real paths: what lies behind a link is stored once, where it is.
#[derive(Clone)]
pub struct Recorder {
    root: Arc<dyn Tree>,
    /// Folder of this tree in the whole one, without links, empty or ending in `/`.
    prefix: String,
    notes: Arc<Mutex<Notes>>,
}

#[derive(Default)]
struct Notes {
    recording: Recording,
    /// Texts of links that were met on the way to something, and what is no link.
    links: HashMap<String, Option<String>>,
}

impl Recorder {
    /// A recorder over a whole tree.
    pub fn new(root: Arc<dyn Tree>) -> Self {
        Recorder { root, prefix: String::new(), notes: Arc::default() }
    }

    /// What was noted so far.
    pub fn take(&self) -> Recording {
        std::mem::take(&mut self.notes().recording)
    }

    /// Notes an answer that was found in another way.
    pub fn keep(&self, path: &str, kept: Kept) {
        let path = self.real(path);
        self.notes().recording.keep(&path, kept);
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The path in the whole tree, links on the way followed, the last component as it is.
    fn real(&self, path: &str) -> String {
        self.follow(path, false)
    }

    /// The same for a folder, which may be a link itself.
    fn real_folder(&self, path: &str) -> String {
        self.follow(path, true)
    }

    fn follow(&self, path: &str, last: bool) -> String {
        let mut full = join_link("", &format!("{}{path}", self.prefix));
        for _ in 0..LINKS {
            let whole = Some(full.len()).filter(|length| last && *length > 0);
            let ends: Vec<usize> = full.match_indices('/').map(|(end, _)| end).chain(whole).collect();
            let link = ends.into_iter().find_map(|end| Some((end, self.link(&full[..end])?)));
            let Some((end, target)) = link else { break };
            full = join_link("", &format!("{}{}", join_link(&full[..end], &target), &full[end..]));
        }
        full
    }

    /// The text of a link on the way; `None` for what is no link.
    fn link(&self, path: &str) -> Option<String> {
        if let Some(known) = self.notes().links.get(path) {
            return known.clone();
        }
        let target = self.root.read_link(path).ok();
        let mut notes = self.notes();
        if let Some(target) = &target {
            notes.recording.keep(path, Kept::Link(target.clone()));
        }
        notes.links.insert(path.to_owned(), target.clone());
        target
    }

    /// Notes that something could not be read.
    fn failed(&self, path: &str, error: TreeError) -> TreeError {
        self.notes().recording.fail(path, error.cause);
        error
    }
}

impl Tree for Recorder {
    fn open(&self, path: &str) -> Result<Box<dyn File>> {
        let path = self.real(path);
        let file = self.root.open(&path).map_err(|error| self.failed(&path, error))?;
        if let Some(pieces) = file.pieces() {
            self.notes().recording.keep(&path, Kept::Pieces { pieces, size: Some(file.size()) });
            return Ok(file);
        }
        Ok(Box::new(RecordedFile { file, path, notes: self.notes.clone() }))
    }

    fn read_link(&self, path: &str) -> Result<String> {
        let path = self.real(path);
        let target = self.root.read_link(&path).map_err(|error| match error.cause {
            // That something is no link is no failure to read it: it is answered from what is there.
            Cause::Errno(Errno::EINVAL) => error,
            _ => self.failed(&path, error),
        })?;
        self.notes().recording.keep(&path, Kept::Link(target.clone()));
        Ok(target)
    }

    fn list(&self, path: &str) -> Result<Vec<String>> {
        let path = self.real_folder(path);
        let names = self.root.list(&path).map_err(|error| self.failed(&path, error))?;
        self.notes().recording.keep_names(&path, &names);
        Ok(names)
    }

    fn enter(&self, path: &str) -> Result<Box<dyn Tree>> {
        let path = self.real_folder(path);
        self.root.enter(&path).map(drop).map_err(|error| self.failed(&path, error))?;
        let prefix = if path.is_empty() { path } else { format!("{path}/") };
        Ok(Box::new(Recorder { prefix, ..self.clone() }))
    }

    fn window(&self, path: &str, offset: u64, length: usize) -> Result<Window> {
        let path = self.real(path);
        let window = self.root.window(&path, offset, length).map_err(|error| self.failed(&path, error))?;
        // Registers are read once, as doublewords, and what was read is handed on.
        let words = (0..length / 4).map_while(|word| window.u32(word * 4));
        let bytes: Vec<u8> = words.flat_map(u32::to_le_bytes).collect();
        let kept = Kept::File { bytes: bytes.clone(), size: None };
        self.notes().recording.keep(&crate::tree::manifest::piece_name(&path, offset), kept);
        Ok(Window::stored(bytes))
    }
}

struct RecordedFile {
    file: Box<dyn File>,
    path: String,
    notes: Arc<Mutex<Notes>>,
}

impl File for RecordedFile {
    fn size(&self) -> u64 {
        self.file.size()
    }

    fn is_copy(&self) -> bool {
        self.file.is_copy()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize> {
        let answer = self.file.read_at(offset, buffer);
        let size = self.file.size();
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        match &answer {
            Ok(read) => {
                notes.recording.append(&self.path, offset, buffer.get(..*read).unwrap_or_default(), size);
            }
            Err(error) => notes.recording.fail(&self.path, error.cause),
        }
        answer
    }
}
