//! Where bytes come from.
//!
//! Everything pciscope knows of a machine it reads as files under one root. [`Tree`] is that root: the live machine at
//! `/`, a folder shaped like it ([`Directory`]), or bytes in memory that a dump or a capture was turned into
//! ([`MemoryTree`], by [`hexdump`] and [`archive`]).
//! There is one reader and no special path for any of them. [`source::open`] tells by content which one is meant.
//!
//! Errors are kept as the operating system gave them, because here they mean different things: `ENOENT` is absent,
//! `EINVAL` from `current_link_speed` is a device that the kernel marked disconnected, `EACCES` is a missing privilege,
//! `ENODEV` a device that was removed meanwhile.

pub mod archive;
pub mod bug_report;
mod directory;
mod dmidecode;
mod error;
pub mod hexdump;
mod hexline;
mod hexrows;
mod lspci_words;
pub(crate) mod manifest;
mod memory;
pub(crate) mod raw;
pub mod source;
mod window;

pub use directory::Directory;
pub use error::{Cause, Result, TreeError, errno_by_name, errno_name as error_name};
pub(crate) use memory::join_link;
pub use memory::{Content, MemoryTree};
pub use window::Window;

/// Most bytes that are read of an ordinary attribute. A sysfs attribute is at most one page; text files of `/proc` are
/// longer on large machines.
pub const ATTRIBUTE_LIMIT: usize = 64 << 10;

/// Most names that are read of a folder: those of one PCI domain with every function number in use.
pub const NAMES_LIMIT: usize = 65_536;

/// A folder with everything below it. A folder in a tree is a tree again.
///
/// Paths are relative, with `/` between components and no leading `/`. Nothing here can write.
pub trait Tree: Send + Sync {
    /// Opens a file for reading.
    fn open(&self, path: &str) -> Result<Box<dyn File>>;

    /// The text of a symbolic link.
    fn read_link(&self, path: &str) -> Result<String>;

    /// The names in a folder, sorted.
    fn list(&self, path: &str) -> Result<Vec<String>>;

    /// The folder at `path` as a tree of its own. Links are followed, but never out of the tree.
    fn enter(&self, path: &str) -> Result<Box<dyn Tree>>;

    /// Maps `length` bytes at `offset` of a resource file (the registers behind a BAR) for aligned 32-bit reads.
    fn window(&self, path: &str, offset: u64, length: usize) -> Result<Window>;
}

/// What is there of a file with holes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pieces {
    /// Runs of bytes with their offsets, in ascending order.
    pub runs: Vec<(u64, Vec<u8>)>,
    /// Where reading it ended, and why, if that is known: a device that failed in the middle.
    pub ended: Option<(u64, Cause)>,
}

/// An open file.
pub trait File: Send {
    /// Its size as `stat` says: of `config`, how much configuration space the function has.
    fn size(&self) -> u64;

    /// What is there of a file with holes. `None` for every other file.
    fn pieces(&self) -> Option<Pieces> {
        None
    }

    /// Whether it is an ordinary copy, of which more bytes cost nothing: what counts is how often it is read. Of a
    /// device every doubleword costs.
    fn is_copy(&self) -> bool {
        false
    }

    /// Reads at `offset`. Fewer bytes than asked for means that the file ends there.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize>;
}

/// Bytes that the first read of an attribute asks for: nearly every one is shorter.
const FIRST_READ: usize = 1024;

/// Reads a whole file; one longer than `limit` is an error, so that nothing grows without bound.
pub fn read(tree: &dyn Tree, path: &str, limit: usize) -> Result<Vec<u8>> {
    let file = tree.open(path)?;
    let bytes = vec![0; 4096.min(limit + 1)];
    read_on(&*file, path, bytes, 0, limit)
}

/// Text that may be shown: bytes that are not UTF-8, and control characters other than line ends and tabs, become
/// U+FFFD, so that nothing that a stranger put into a file reaches a terminal.
pub fn printable(bytes: Vec<u8>) -> String {
    let text = String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
    let bad = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    if text.contains(bad) { text.replace(bad, "\u{fffd}") } else { text }
}

/// Reads a text attribute, [`printable`], without the white space around it.
pub fn read_text(tree: &dyn Tree, path: &str) -> Result<String> {
    let file = tree.open(path)?;
    let mut first = [0; FIRST_READ];
    let length = file.read_at(0, &mut first)?;
    let mut bytes = first[..length].to_vec();
    // An attribute is written in one go, so that a short read has all of it. Longer files of /proc are cut between
    // lines wherever the kernel's buffer was full: they end when nothing more comes.
    if length == FIRST_READ {
        bytes.resize(4 * FIRST_READ, 0);
        bytes = read_on(&*file, path, bytes, length, ATTRIBUTE_LIMIT)?;
    }
    let mut text = printable(bytes);
    text.truncate(text.trim_end().len());
    Ok(if text.starts_with(char::is_whitespace) { text.trim_start().to_owned() } else { text })
}

/// Reads the rest of a file of which `length` bytes are known, until nothing more comes.
fn read_on(
    file: &dyn File,
    path: &str,
    mut bytes: Vec<u8>,
    mut length: usize,
    limit: usize,
) -> Result<Vec<u8>> {
    loop {
        let read = file.read_at(length as u64, &mut bytes[length..])?;
        length += read;
        if length > limit {
            return Err(TreeError::new(path, Cause::TooLong(limit)));
        }
        if read == 0 {
            bytes.truncate(length);
            return Ok(bytes);
        }
        if length == bytes.len() {
            bytes.resize((bytes.len() * 4).min(limit + 1), 0);
        }
    }
}

#[cfg(test)]
mockall::mock! {
    /// A tree for the errors that no folder can make.
    pub Tree {}
    impl Tree for Tree {
        fn open(&self, path: &str) -> Result<Box<dyn File>>;
        fn read_link(&self, path: &str) -> Result<String>;
        fn list(&self, path: &str) -> Result<Vec<String>>;
        fn enter(&self, path: &str) -> Result<Box<dyn Tree>>;
        fn window(&self, path: &str, offset: u64, length: usize) -> Result<Window>;
    }
}

#[cfg(test)]
mockall::mock! {
    /// A file for the errors that no folder can make.
    pub File {}
    impl File for File {
        fn size(&self) -> u64;
        fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize>;
    }
}
