//! `capture/manifest.tsv`: what a folder cannot hold.
//!
//! Tab-separated columns `type mode st_size path note`. A note `read:ERRNO` replays that error. A file that a row
//! lists and that is not stored was not captured; so is everything below a folder that no row lists. Without a
//! manifest, missing means absent.

use std::collections::{HashMap, HashSet};

use nix::errno::Errno;

use super::NAMES_LIMIT;
use super::error::errno_by_name;

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
#[derive(Debug, Clone, Copy, Default)]
pub struct Row {
    /// Size as `stat` gave it.
    pub size: Option<u64>,
    /// The error that reading it gave.
    pub error: Option<Errno>,
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
            if let Some((parent, name)) = path.rsplit_once('/') {
                // One more than may be listed is kept, so that listing them fails.
                let children = manifest.children.entry(parent.to_owned()).or_default();
                if children.len() <= NAMES_LIMIT {
                    children.push(name.to_owned());
                }
            }
            match kind {
                "d" => {
                    manifest.folders.insert(path);
                }
                _ => {
                    let error = note.strip_prefix("read:").and_then(errno_by_name);
                    manifest.files.insert(path, Row { size: size.parse().ok(), error });
                }
            }
        }
        manifest
    }

    /// What is said of a file.
    pub fn row(&self, path: &str) -> Option<Row> {
        self.files.get(path).copied()
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
    use super::*;

    const TEXT: &str = "type\tmode\tst_size\tpath\tnote\n\
        d\t0755\t-\t/sys/devices/x\t\n\
        f\t0444\t4096\t/sys/devices/x/vpd\tread:EIO\n\
        f\t0600\t16384\t/sys/devices/x/resource0\tskipped\n\
        rubbish\n";

    #[test]
    fn tells_absent_from_not_captured() {
        let manifest = Manifest::parse(TEXT);
        assert_eq!(manifest.row("sys/devices/x/vpd").unwrap().error, Some(Errno::EIO));
        assert_eq!(manifest.row("sys/devices/x/resource0").unwrap().size, Some(16384));
        assert!(manifest.proves_absence("sys/devices/x/aer_dev_fatal"));
        assert!(!manifest.proves_absence("sys/devices/x/resource0"), "listed, not stored");
        assert!(!manifest.proves_absence("sys/firmware/acpi/tables/FACP"), "below what no row lists");
        assert_eq!(manifest.children("sys/devices/x"), ["vpd", "resource0"]);
    }
}
