//! A capture in one file: a tar archive packed with zstd.
//!
//! It may come from a stranger, or be cut off. It is unpacked into memory and never onto a disk, so no path or link in
//! it can lead anywhere; sizes, entries and the window of the decompressor are bounded, so it can neither fill the memory
//! nor keep the program busy. What is damaged is left out and said; of an archive that breaks off, what came before is
//! used, and what is missing counts as not captured.

use std::io::{self, Read};
use std::sync::Arc;

use tar::{Archive, Entry, EntryType};
use zstd::stream::read::Decoder;

use super::manifest::{self, Manifest};
use super::memory::{MemoryTree, join_link, normalize};

/// Most bytes that an archive may unpack to. The capture of a machine with 4,096 functions has about 50 MB; kernel logs
/// are the rest.
pub const UNPACKED_LIMIT: u64 = 512 << 20;
/// Most bytes of one file in it: a kernel log.
const FILE_LIMIT: u64 = 256 << 20;
/// Most entries: a machine with 4,096 functions has about 150,000.
const ENTRIES_LIMIT: usize = 1 << 20;
/// Longest path (kernel: PATH_MAX).
const PATH_LIMIT: usize = 4096;
/// Largest window that the decompressor may ask for, as a power of two: 128 MiB, the most that `zstd` itself takes
/// without being told to.
const WINDOW_LOG: u32 = 27;
/// Complaints that are said one by one.
const COMPLAINTS: usize = 4;

/// Where a capture keeps configuration space as lspci prints it.
pub const LSPCI: &str = "capture/lspci.txt";

/// What was read of an archive.
pub struct Unpacked {
    /// The files as a machine.
    pub tree: MemoryTree,
    /// Number of files and links.
    pub entries: usize,
    /// Why the archive could not be read to its end, if so.
    pub broken: Option<String>,
    /// What was left out, a line each.
    pub complaints: Vec<String>,
}

/// Reads an archive. Whatever is wrong with it, this ends, and gives what was readable.
pub fn unpack(packed: impl Read) -> Unpacked {
    let mut unpacking = Unpacking::default();
    let broken = match unpacking.run(packed) {
        Ok(()) => None,
        Err(error) => Some(words(&error)),
    };
    unpacking.finish(broken)
}

/// A library's message on one line.
fn words(error: &io::Error) -> String {
    let text = match error.kind() {
        io::ErrorKind::UnexpectedEof => "it is cut off".to_owned(),
        _ => error.to_string(),
    };
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[derive(Default)]
struct Unpacking {
    tree: MemoryTree,
    entries: usize,
    complaints: Vec<String>,
    more_complaints: usize,
}

impl Unpacking {
    fn run(&mut self, packed: impl Read) -> io::Result<()> {
        let mut decoder = Decoder::new(packed)?;
        decoder.window_log_max(WINDOW_LOG)?;
        let mut archive = Archive::new(Bounded { inner: decoder, left: UNPACKED_LIMIT });
        for entry in archive.entries()? {
            if self.entries == ENTRIES_LIMIT {
                return Err(io::Error::other(format!("it holds more than {ENTRIES_LIMIT} entries")));
            }
            self.entries += 1;
            self.take(&mut entry?)?;
        }
        // Behind the end of the archive only the checksum of the last frame is left.
        io::copy(&mut archive.into_inner(), &mut io::sink()).map(drop)
    }

    /// Takes one entry. An error ends the archive; what is only wrong with the entry is a complaint.
    fn take(&mut self, entry: &mut Entry<'_, impl Read>) -> io::Result<()> {
        let raw = entry.path_bytes().into_owned();
        let Some(path) = inside(&raw) else {
            self.complain(&raw, "a path that leads out of the archive or is no text");
            return Ok(());
        };
        // Programs that unpack keep the last of two, whoever reads on the way sees the first: none of them is to be trusted.
        let again = !path.is_empty() && self.tree.was_added(&path);
        if again && entry.header().entry_type() != EntryType::Directory {
            self.complain(&raw, "a second entry of this name");
            return Ok(());
        }
        match entry.header().entry_type() {
            EntryType::Regular | EntryType::Continuous => {
                let mut bytes = Vec::new();
                let read = entry.by_ref().take(FILE_LIMIT + 1).read_to_end(&mut bytes);
                // Of this text a part is worth something: it is read function by function.
                if path == LSPCI && (read.is_err() || (bytes.len() as u64) < entry.size()) {
                    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
                    self.tree.add_file(path.clone(), bytes[..whole].into());
                }
                read?;
                if bytes.len() as u64 > FILE_LIMIT {
                    return Err(io::Error::other(format!(
                        "{path} is longer than {} MiB, which is more than it can sensibly be",
                        FILE_LIMIT >> 20
                    )));
                }
                if (bytes.len() as u64) < entry.size() {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                self.tree.add_file(path, bytes.into());
            }
            EntryType::Directory => {
                if !path.is_empty() {
                    self.tree.add_folder(path);
                }
            }
            EntryType::Symlink => match link_text(entry) {
                Some(target) => self.tree.add_link(path, target),
                None => self.complain(&raw, "a link whose text is no path"),
            },
            EntryType::Link => {
                let target = entry.link_name_bytes().and_then(|name| inside(&name));
                match target.and_then(|target| self.tree.stored(&target).map(Arc::clone)) {
                    Some(bytes) => self.tree.add_file(path, bytes),
                    None => self.complain(&raw, "a hard link to nothing that came before it"),
                }
            }
            EntryType::XGlobalHeader => {}
            EntryType::Char | EntryType::Block => self.complain(&raw, "a device node"),
            EntryType::Fifo => self.complain(&raw, "a pipe"),
            EntryType::GNUSparse => self.complain(&raw, "a sparse file"),
            _ => self.complain(&raw, "an entry of an unknown kind"),
        }
        Ok(())
    }

    fn complain(&mut self, path: &[u8], what: &str) {
        if self.complaints.len() == COMPLAINTS {
            self.more_complaints += 1;
            return;
        }
        let shown: String = String::from_utf8_lossy(&path[..path.len().min(200)]).escape_debug().collect();
        self.complaints.push(format!("{shown}: left out: {what}"));
    }

    fn finish(mut self, broken: Option<String>) -> Unpacked {
        let manifest = self.tree.stored(manifest::PATH).map(|bytes| {
            let bytes = &bytes[..bytes.len().min(manifest::LIMIT)];
            Manifest::parse(&String::from_utf8_lossy(bytes))
        });
        if self.more_complaints > 0 {
            self.complaints.push(format!("{} more entries were left out", self.more_complaints));
        }
        // Without a manifest, what is missing of an archive that broke off or was left out is not known to be absent.
        let complete = broken.is_none() && self.complaints.is_empty();
        Unpacked {
            tree: self.tree.with_manifest(manifest, complete),
            entries: self.entries,
            broken,
            complaints: self.complaints,
        }
    }
}

/// The path in the tree, without `.` and a leading `./`; `None` if it leads out or is not one that can be shown.
fn inside(path: &[u8]) -> Option<String> {
    let path = std::str::from_utf8(path).ok().filter(|path| path.len() <= PATH_LIMIT)?;
    let bad = path.starts_with('/') || path.split('/').any(|part| part == "..");
    (!bad && !path.contains(char::is_control)).then(|| normalize(path))
}

/// The text of a link. Where it leads is decided when it is followed: never out of the tree.
fn link_text(entry: &Entry<'_, impl Read>) -> Option<String> {
    let target = String::from_utf8(entry.link_name_bytes()?.into_owned()).ok()?;
    let usable = !target.is_empty() && target.len() <= PATH_LIMIT && !target.contains(char::is_control);
    (usable && !join_link("", &target).is_empty()).then_some(target)
}

/// A stream of which no more than so many bytes are read; more is an error.
struct Bounded<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.left = self.left.checked_sub(read as u64).ok_or_else(|| {
            let limit = UNPACKED_LIMIT >> 20;
            io::Error::other(format!("it unpacks to more than {limit} MiB, which no capture does"))
        })?;
        Ok(read)
    }
}

#[cfg(test)]
#[path = "archive_tests.rs"]
mod tests;
