//! Which source of names is used, and how that is said.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::text::Text;
use super::{Date, Embedded, Names};

/// Where distributions put pci.ids, in the order in which it is looked for.
const SYSTEM_FILES: &[&str] = &[
    "/usr/share/misc/pci.ids",
    "/usr/share/hwdata/pci.ids",
    "/usr/share/pci.ids",
    "/usr/local/share/pci.ids",
];

/// A pci.ids file larger than this is refused. The real one had 1.5 MB in 2025.
const LARGEST_FILE: u64 = 16 << 20;

/// How much of a file is read for its date.
const HEADER_BYTES: u64 = 4096;

/// The source in use.
#[derive(Debug)]
pub(super) enum Chosen {
    Embedded,
    System,
    Given { path: PathBuf, date: Option<Date>, text: Text },
}

/// What is known about the system's file.
#[derive(Debug)]
pub(super) enum System {
    /// It was not looked for.
    NotLookedFor,
    /// None of the usual files can be read.
    NotFound,
    /// A file that can be read. What is in it is read when a name is first asked for, if it is the source in use.
    Found { path: PathBuf, date: Option<Date>, text: OnceLock<Result<Text, NamesError>> },
}

/// Why a pci.ids file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum NamesError {
    /// The operating system did not let it be read.
    #[error("cannot read {}: {source}: expected a pci.ids file", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// There is too much of it.
    #[error("{} is larger than {} MiB: expected a pci.ids file", path.display(), LARGEST_FILE >> 20)]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// There is no vendor in it.
    #[error("{} is not a pci.ids file: expected lines like `8086  Intel Corporation`", path.display())]
    NoVendors {
        /// The file.
        path: PathBuf,
    },
}

impl Names {
    /// The table in the program. Nothing is read.
    pub fn embedded() -> Names {
        Names { embedded: Embedded::built_in(), system: System::NotLookedFor, chosen: Chosen::Embedded }
    }

    /// Decides for a source: `ids` if given, otherwise the later of the system's pci.ids and the table in the
    /// program, which wins when both are of one day and when the system's has no date.
    ///
    /// Of the system's file only the beginning is read, 4 KiB.
    ///
    /// # Errors
    ///
    /// If `ids` is given and cannot be read, has more than 16 MiB or no vendor in it. Nothing about the system's
    /// file is an error: without it, the table in the program is used.
    pub fn choose(ids: Option<&Path>) -> Result<Names, NamesError> {
        let system_files: Vec<&Path> = SYSTEM_FILES.iter().map(Path::new).collect();
        Self::choose_from(ids, Embedded::built_in(), &system_files)
    }

    fn choose_from(
        ids: Option<&Path>,
        embedded: Embedded,
        system_files: &[&Path],
    ) -> Result<Names, NamesError> {
        if let Some(path) = ids {
            let (text, date) = read(path)?;
            let chosen = Chosen::Given { path: path.to_owned(), date, text };
            return Ok(Names { embedded, system: System::NotLookedFor, chosen });
        }
        let system = System::find(system_files);
        let chosen = match &system {
            System::Found { date, .. } if *date > embedded.date() || !embedded.is_plausible() => {
                Chosen::System
            }
            _ => Chosen::Embedded,
        };
        Ok(Names { embedded, system, chosen })
    }

    /// The text file in use; `None` if it is the table in the program, because that was chosen or because the
    /// system's file turned out to be unusable.
    pub(super) fn text(&self) -> Option<&Text> {
        match &self.chosen {
            Chosen::Embedded => None,
            Chosen::System => self.system.text()?.as_ref().ok(),
            Chosen::Given { text, .. } => Some(text),
        }
    }

    /// Says which source is in use, and which is not, on one line. Reads the system's file if that is the one.
    pub fn source(&self) -> String {
        let embedded = dated("embedded pci.ids", self.embedded.date());
        match (&self.chosen, &self.system) {
            (Chosen::Given { path, date, .. }, _) => dated(&path.display().to_string(), *date),
            (Chosen::System, System::Found { path, date, .. }) => match self.system.text() {
                Some(Err(error)) => format!("{embedded} ({error})"),
                _ => format!("{} (preferred to {embedded})", dated(&path.display().to_string(), *date)),
            },
            (_, System::Found { path, date, .. }) => match date {
                Some(date) => format!("{embedded} (system's {} is {date})", path.display()),
                None => format!("{embedded} (system's {} has no date)", path.display()),
            },
            (_, System::NotFound) => format!("{embedded} (the system has no pci.ids)"),
            (_, System::NotLookedFor) => embedded,
        }
    }

    /// What the user should be told: that the table in the program is not what it should be. One line.
    pub fn warning(&self) -> Option<String> {
        let vendors = self.embedded.counts()[0];
        let given = matches!(self.chosen, Chosen::Given { .. });
        (!given && !self.embedded.is_plausible()).then(|| {
            format!(
                "the table of device names in this program has only {vendors} vendors: names come from {}",
                match self.text() {
                    Some(_) => self.source(),
                    None => "nowhere else, because the system has no pci.ids that can be read".to_owned(),
                }
            )
        })
    }

    /// The lines about names that `pciscope -V -v` prints.
    pub fn version_lines(&self) -> Vec<String> {
        let [vendors, devices, subsystems, ..] = self.embedded.counts();
        vec![
            format!("device names: {}", self.source()),
            format!(
                "{}: {vendors} vendors, {devices} devices, {subsystems} subsystems, checksum {:016x}",
                dated("embedded pci.ids", self.embedded.date()),
                self.embedded.checksum()
            ),
            match &self.system {
                System::NotLookedFor => "system's pci.ids: not looked for".to_owned(),
                System::NotFound => format!("system's pci.ids: none of {}", SYSTEM_FILES.join(", ")),
                System::Found { path, date, .. } => {
                    format!("system's pci.ids: {}", dated(&path.display().to_string(), *date))
                }
            },
        ]
    }
}

impl System {
    /// Takes the first of the files that is a file and whose beginning can be read.
    fn find(files: &[&Path]) -> System {
        let beginning = |path: &Path| {
            // Only a file, and that before it is opened: a pipe would block.
            std::fs::metadata(path).ok().filter(|metadata| metadata.is_file())?;
            read_at_most(path, HEADER_BYTES).ok()
        };
        let found = files.iter().find_map(|path| Some((path, beginning(path)?)));
        found.map_or(System::NotFound, |(path, beginning)| System::Found {
            path: path.to_path_buf(),
            date: Date::of_file(&beginning),
            text: OnceLock::new(),
        })
    }

    fn text(&self) -> Option<&Result<Text, NamesError>> {
        match self {
            System::Found { path, text, .. } => Some(text.get_or_init(|| read(path).map(|(text, _)| text))),
            _ => None,
        }
    }
}

/// Reads a whole pci.ids file and its date.
fn read(path: &Path) -> Result<(Text, Option<Date>), NamesError> {
    let bytes = read_at_most(path, LARGEST_FILE + 1)
        .map_err(|source| NamesError::Unreadable { path: path.to_owned(), source })?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(NamesError::TooLarge { path: path.to_owned() });
    }
    let date = Date::of_file(&bytes[..bytes.len().min(HEADER_BYTES as usize)]);
    let text = Text::new(bytes);
    if text.has_vendors() { Ok((text, date)) } else { Err(NamesError::NoVendors { path: path.to_owned() }) }
}

fn read_at_most(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    // Room for all of it from the start makes it one or two reads. A pipe has no length and takes more.
    let length = file.metadata().map_or(0, |metadata| metadata.len()).min(limit);
    let mut bytes = Vec::with_capacity(length as usize);
    file.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn dated(what: &str, date: Option<Date>) -> String {
    match date {
        Some(date) => format!("{what} {date}"),
        None => format!("{what} of unknown date"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use tempfile::TempDir;

    /// A folder with one file, `pci.ids`.
    fn file(contents: impl AsRef<[u8]>) -> (TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pci.ids");
        fs::write(&path, contents).unwrap();
        (folder, path)
    }

    fn dated_file(head: &str) -> (TempDir, PathBuf) {
        file(format!("{head}\n8086  Intel of the file\n\t10d3  Card of the file\n"))
    }

    fn choose(system: &Path, embedded: Embedded) -> Names {
        Names::choose_from(None, embedded, &[Path::new("/nonexistent/pci.ids"), system]).unwrap()
    }

    fn undated() -> Embedded {
        let mut bytes = Embedded::built_in_bytes().to_vec();
        bytes[8..24].copy_from_slice(b"unknown\0\0\0\0\0\0\0\0\0");
        Embedded::from_bytes(bytes.leak())
    }

    #[test]
    fn the_later_one_is_used() {
        for (head, embedded, expected) in [
            ("# Version: 2023.04.10", Embedded::built_in(), "Intel Corporation"),
            ("# Version: 2025.07.11", Embedded::built_in(), "Intel Corporation"),
            ("# Version: 2025.07.12", Embedded::built_in(), "Intel of the file"),
            ("# Date: 2026-01-01 03:15:02", Embedded::built_in(), "Intel of the file"),
            ("# no date", Embedded::built_in(), "Intel Corporation"),
            ("# Version: 2001.01.01", undated(), "Intel of the file"),
            ("# no date", undated(), "Intel Corporation"),
            ("# Version: 2001.01.01", Embedded::from_bytes(b""), "Intel of the file"),
            ("# no date", Embedded::from_bytes(b""), "Intel of the file"),
        ] {
            let (_folder, path) = dated_file(head);
            let names = choose(&path, embedded);
            assert_eq!(names.vendor(0x8086).as_deref(), Some(expected), "{head} {:?}", embedded.date());
            assert!(names.source().contains(path.to_str().unwrap()), "{}", names.source());
            assert_eq!(names.warning().is_some(), !embedded.is_plausible());
            assert_eq!(names.version_lines().len(), 3);
        }
    }

    #[test]
    fn the_source_is_named() {
        let (_folder, path) = dated_file("# Version: 2023.04.10");
        let name = path.display();
        assert_eq!(
            choose(&path, Embedded::built_in()).source(),
            format!("embedded pci.ids 2025.07.11 (system's {name} is 2023.04.10)")
        );
        assert_eq!(
            choose(&path, undated()).source(),
            format!("{name} 2023.04.10 (preferred to embedded pci.ids of unknown date)")
        );
        assert_eq!(Names::choose(Some(&path)).unwrap().source(), format!("{name} 2023.04.10"));
        assert_eq!(Names::embedded().source(), "embedded pci.ids 2025.07.11");
        let none = Names::choose_from(None, Embedded::built_in(), &[]).unwrap();
        assert_eq!(none.source(), "embedded pci.ids 2025.07.11 (the system has no pci.ids)");
        assert_eq!(
            none.version_lines()[1],
            "embedded pci.ids 2025.07.11: 2445 vendors, 19836 devices, 17219 subsystems, \
             checksum 554ed1601930a29f"
        );
        let nothing = Names::choose_from(None, Embedded::from_bytes(b""), &[]).unwrap();
        assert_eq!(nothing.vendor(0x8086), None);
        assert!(nothing.warning().unwrap().contains("only 0 vendors"));
    }

    #[test]
    fn a_file_of_the_users_wins_whatever_its_date() {
        let (_folder, path) = dated_file("# Version: 1999.01.01");
        let names = Names::choose(Some(&path)).unwrap();
        assert_eq!(names.device(0x8086, 0x10d3).as_deref(), Some("Card of the file"));
        assert_eq!(names.vendor(0x10de), None, "what it does not have is not looked for elsewhere");
    }

    #[test]
    fn a_file_of_the_users_that_is_unusable_is_an_error() {
        let message = |path: &Path| Names::choose(Some(path)).unwrap_err().to_string();
        let (folder, path) = file("<html>\n");
        let expected = "is not a pci.ids file: expected lines like `8086  Intel Corporation`";
        assert_eq!(message(&path), format!("{} {expected}", path.display()));
        assert!(message(folder.path()).starts_with(&format!("cannot read {}: ", folder.path().display())));
        assert!(message(&folder.path().join("none")).ends_with("expected a pci.ids file"));
        let large = folder.path().join("large");
        fs::File::create(&large).unwrap().set_len(LARGEST_FILE + 1).unwrap();
        assert_eq!(
            message(&large),
            format!("{} is larger than 16 MiB: expected a pci.ids file", large.display())
        );
    }

    #[test]
    fn a_system_file_that_turns_out_to_be_unusable_is_not_used() {
        let (_folder, path) = file("# Version: 2099.01.01\n<html>\n");
        let names = choose(&path, Embedded::built_in());
        assert_eq!(names.vendor(0x8086).as_deref(), Some("Intel Corporation"));
        assert!(names.source().starts_with("embedded pci.ids 2025.07.11 ("), "{}", names.source());

        let (_folder, path) = dated_file("# Version: 2099.01.01");
        let names = choose(&path, Embedded::built_in());
        fs::remove_file(&path).unwrap();
        assert_eq!(names.vendor(0x8086).as_deref(), Some("Intel Corporation"), "gone since it was found");
        assert!(names.source().contains("cannot read"), "{}", names.source());
    }

    #[test]
    fn a_folder_in_the_place_of_the_systems_file_is_passed_over() {
        let (folder, _) = file("");
        let names = choose(folder.path(), Embedded::built_in());
        assert_eq!(names.source(), "embedded pci.ids 2025.07.11 (the system has no pci.ids)");
    }
}
