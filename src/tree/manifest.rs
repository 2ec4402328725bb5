//! `capture/manifest.tsv`: what a folder cannot hold.
//!
//! Tab-separated columns `type mode st_size path note`; the type is `f` for a file, `d` for a folder of which every name
//! has a row, `l` for a link, `-` for a name that was only listed. Mode and size may be `-`. Notes:
//!
//! - `read:ERRNO` replays that error (other causes have words too: [`Cause::word`]);
//! - `pieces:0x0,0x40`: only these runs of the file were read; they are stored as `NAME@0x0` and so on, and what lies
//!   between them was not captured. ` read@0x100:EIO` behind it: where and why reading ended.
//!
//! Other notes mean nothing. A file that a row lists and that is not stored was not captured; so is everything below a
//! folder that no row lists. Without a manifest, missing means absent.

use std::collections::{HashMap, HashSet};

use super::error::Cause;
use super::{NAMES_LIMIT, Pieces};

/// Where it lies in a tree.
pub const PATH: &str = "capture/manifest.tsv";
/// Most bytes of a manifest that are read.
pub const LIMIT: usize = 64 << 20;

/// The table, by path without leading `/`.
#[derive(Debug, Default)]
pub struct Manifest {
    files: HashMap<String, Row>,
    folders: HashSet<String>,
    children: HashMap<String, Vec<String>>,
}

/// What is said of one file.
#[derive(Debug, Clone, Default)]
pub struct Row {
    /// Size as `stat` gave it.
    pub size: Option<u64>,
    /// The error that reading it gave.
    pub error: Option<Cause>,
    /// Offsets of the runs that are stored of it; `None` for a file that is stored whole.
    pub pieces: Option<Vec<u64>>,
    /// Where reading it ended, and why.
    pub ended: Option<(u64, Cause)>,
}

/// Most runs of one file: every second doubleword of a configuration space.
const PIECES_LIMIT: usize = 512;

impl Row {
    fn parse(size: &str, note: &str) -> Self {
        let mut row = Row { size: size.parse().ok(), ..Row::default() };
        if let Some(word) = note.strip_prefix("read:") {
            row.error = Cause::of_word(word);
        } else if let Some(rest) = note.strip_prefix("pieces:") {
            let (offsets, end) = rest.split_once(' ').unwrap_or((rest, ""));
            row.pieces = Some(offsets.split(',').filter_map(hexadecimal).take(PIECES_LIMIT).collect());
            row.ended = end.strip_prefix("read@").and_then(|end| {
                let (offset, word) = end.split_once(':')?;
                Some((hexadecimal(offset)?, Cause::of_word(word)?))
            });
        }
        row
    }

    /// The file that this row says is stored in pieces; `piece` gives the bytes of the one that starts at an offset.
    pub fn assemble(&self, mut piece: impl FnMut(u64) -> Option<Vec<u8>>) -> Option<Pieces> {
        let offsets = self.pieces.as_ref()?;
        let runs = offsets.iter().filter_map(|offset| Some((*offset, piece(*offset)?))).collect();
        Some(Pieces { runs, ended: self.ended })
    }
}

/// Name under which a run of a file is stored that starts at `offset`.
pub fn piece_name(path: &str, offset: u64) -> String {
    format!("{path}@{offset:#x}")
}

fn hexadecimal(text: &str) -> Option<u64> {
    u64::from_str_radix(text.strip_prefix("0x")?, 16).ok()
}

impl Manifest {
    /// Reads the table. Lines that do not have the columns are skipped.
    pub fn parse(text: &str) -> Self {
        let mut manifest = Manifest::default();
        for line in text.lines().skip(1) {
            let mut columns = line.split('\t');
            let (Some(kind), Some(_mode), Some(size), Some(path)) =
                (columns.next(), columns.next(), columns.next(), columns.next())
            else {
                continue;
            };
            let note = columns.next().unwrap_or_default();
            let path = path.trim_matches('/').to_owned();
            // That something was looked for and is absent does not make it a name of the folder.
            let absent = note == "read:ENOENT" || note == "read:ENOTDIR";
            if let Some((parent, name)) = path.rsplit_once('/').filter(|_| !absent) {
                // One more than may be listed is kept, so that listing them fails.
                let children = manifest.children.entry(parent.to_owned()).or_default();
                if children.len() <= NAMES_LIMIT {
                    children.push(name.to_owned());
                }
            }
            match kind {
                "d" if !note.starts_with("read:") => {
                    manifest.folders.insert(path);
                }
                _ => {
                    manifest.files.insert(path, Row::parse(size, note));
                }
            }
        }
        manifest
    }

    /// What is said of a file.
    pub fn row(&self, path: &str) -> Option<&Row> {
        self.files.get(path)
    }

    /// Why something is not there: the error that a row records, absent, or not captured.
    pub fn why_missing(&self, path: &str) -> Cause {
        match self.row(path).and_then(|row| row.error) {
            Some(cause) => cause,
            None if self.proves_absence(path) => Cause::Errno(nix::errno::Errno::ENOENT),
            None => Cause::NotCaptured,
        }
    }

    /// Whether the rows tell of this path: it has a row, or the folder that would hold it has one.
    pub fn tells_of(&self, path: &str) -> bool {
        let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
        self.files.contains_key(path) || self.folders.contains(path) || self.folders.contains(parent)
    }

    /// Whether a row lists the folder, so that all its names have rows too.
    pub fn has_folder(&self, path: &str) -> bool {
        self.folders.contains(path)
    }

    /// Whether a missing file means that the machine did not have it.
    pub fn proves_absence(&self, path: &str) -> bool {
        let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
        !self.files.contains_key(path) && !self.folders.contains(path) && self.folders.contains(parent)
    }

    /// Names that rows list in a folder, stored or not.
    pub fn children(&self, folder: &str) -> &[String] {
        self.children.get(folder).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use nix::errno::Errno;

    use super::*;

    const TEXT: &str = "type\tmode\tst_size\tpath\tnote\n\
        d\t0755\t-\t/sys/devices/x\t\n\
        f\t0444\t4096\t/sys/devices/x/vpd\tread:EIO\n\
        f\t0600\t16384\t/sys/devices/x/resource0\tskipped\n\
        rubbish\n";

    #[test]
    fn tells_absent_from_not_captured() {
        let manifest = Manifest::parse(TEXT);
        assert_eq!(manifest.row("sys/devices/x/vpd").unwrap().error, Some(Cause::Errno(Errno::EIO)));
        assert_eq!(manifest.row("sys/devices/x/resource0").unwrap().size, Some(16384));
        assert!(manifest.proves_absence("sys/devices/x/aer_dev_fatal"));
        assert!(!manifest.proves_absence("sys/devices/x/resource0"), "listed, not stored");
        assert!(!manifest.proves_absence("sys/firmware/acpi/tables/FACP"), "below what no row lists");
        assert_eq!(manifest.children("sys/devices/x"), ["vpd", "resource0"]);
    }

    #[test]
    fn a_file_with_holes_is_put_together() {
        let text = "type\tmode\tst_size\tpath\tnote\n\
            f\t-\t4096\t/config\tpieces:0x0,0x40 read@0x80:ETIMEDOUT\n";
        let manifest = Manifest::parse(text);
        let row = manifest.row("config").unwrap();
        let pieces = row.assemble(|offset| (offset == 0x40).then(|| vec![1, 2, 3, 4])).unwrap();
        assert_eq!(pieces.runs, [(0x40, vec![1, 2, 3, 4])]);
        assert_eq!(pieces.ended, Some((0x80, Cause::Errno(Errno::ETIMEDOUT))));
        assert_eq!(row.size, Some(4096));
    }
}
