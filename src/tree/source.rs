//! Which tree a person means by the argument of `--from`: told by what is there, not by how it is called.

use std::fmt::Write;
use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::stat::{Mode, SFlag, fstat, stat};

use super::archive::{self, LSPCI, Unpacked};
use super::error::{Cause, TreeError};
use super::hexdump::{self, Dump, INPUT_LIMIT};
use super::{Directory, Tree, printable};
use super::{bug_report, lspci_words};
use crate::pci::Bdf;

/// A machine, or what is known of one, and how it was found.
pub struct Source {
    /// Where everything else is read from.
    pub tree: Box<dyn Tree>,
    /// What it is.
    pub kind: Kind,
    /// The same for people: one line that names the path.
    pub description: String,
    /// What a reader should know about it, a line each.
    pub notes: Vec<String>,
}

/// What a source is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The machine that this program runs on.
    Live,
    /// A folder shaped like `/`.
    Directory,
    /// A capture in one file.
    Archive,
    /// Text with hex dumps of configuration space.
    Dump,
    /// What `nvidia-bug-report.sh` collected.
    BugReport,
    /// A copy of one function's `config`.
    RawConfig,
    /// A machine that is simulated.
    Simulation,
}

/// What an argument names: something that can be read, or the description of something that can be simulated.
pub enum Opened {
    /// A source.
    Source(Source),
    /// A scenario or a description of a machine, in TOML.
    Description {
        /// Its path, or `standard input`.
        name: String,
        /// The text.
        text: String,
        /// The moment that was written behind the path, `FILE@45s`.
        at: Option<String>,
    },
}

/// Where a capture keeps what a reader should know about it, a line each: what was noticed when it was made.
pub const NOTES: &str = "capture/notes.txt";

/// Notes that a capture keeps.
fn kept_notes(tree: &dyn Tree) -> Vec<String> {
    let text = super::read(tree, NOTES, super::ATTRIBUTE_LIMIT).map(printable).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// Why a source cannot be read. Every text is one line that starts with the path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// The operating system's answer, or something that is no file.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// A folder that is not shaped like `/`.
    #[error("{path}: expected a folder with sys/bus/pci/devices in it{hint}")]
    Shape {
        /// The folder.
        path: String,
        /// What to give instead; empty if that is not clear.
        hint: String,
    },
    /// A packed archive of which nothing can be used.
    #[error(
        "{path}: {reason}; expected a capture: a tar archive packed with zstd, with sys/bus/pci/devices in it"
    )]
    Archive {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A kind of file that exists, but not for this version.
    #[error("{path}: this is {what}, which this version cannot read yet")]
    NotYet {
        /// The file.
        path: String,
        /// What it is.
        what: &'static str,
    },
    /// Anything else.
    #[error(
        "{path}: {found}; expected the text of `lspci -xxxx`, a copy of a device's config file (64, 128, 256 or \
         4096 bytes), a scenario or machine in TOML, or a folder shaped like /"
    )]
    Unknown {
        /// The file.
        path: String,
        /// What was found instead.
        found: String,
    },
}

/// Opens what an argument names.
///
/// Nothing or `live` is this machine, `-` the standard input, everything else a path. Pipes and character devices are
/// read to their end however long that takes; nothing else blocks. At most [`INPUT_LIMIT`] bytes are read of a file.
///
/// `FILE@45s` is the moment of a scenario; a file that is really called so comes first.
pub fn open_any(argument: Option<&str>) -> Result<Opened, SourceError> {
    let missing = |path: &str| matches!(stat(Path::new(path)), Err(Errno::ENOENT | Errno::ENOTDIR));
    match argument.and_then(|argument| argument.rsplit_once('@').map(|split| (argument, split))) {
        Some((whole, (path, moment))) if missing(whole) && !missing(path) => match open_one(Some(path))? {
            Opened::Description { name, text, .. } => {
                Ok(Opened::Description { name, text, at: Some(moment.to_owned()) })
            }
            Opened::Source(_) => {
                let (path, found) =
                    (shown(path), format!("a moment (@{}) is of scenarios only", shown(moment)));
                Err(SourceError::Unknown { path, found })
            }
        },
        _ => open_one(argument),
    }
}

/// The same for those who cannot simulate.
pub fn open(argument: Option<&str>) -> Result<Source, SourceError> {
    match open_one(argument)? {
        Opened::Source(source) => Ok(source),
        Opened::Description { name: path, .. } => {
            Err(SourceError::NotYet { path, what: "a scenario or machine description (TOML)" })
        }
    }
}

fn open_one(argument: Option<&str>) -> Result<Opened, SourceError> {
    match argument {
        None | Some("live") => live().map(Opened::Source),
        Some("-") => file("standard input", std::io::stdin().lock()),
        Some(argument) => {
            let (path, name) = (Path::new(argument), shown(argument));
            let failed = |errno| TreeError::errno(&name, errno);
            // A pipe is opened only once: the one who writes it must not see a reader come and go.
            let kind = |bits| SFlag::from_bits_truncate(bits) & SFlag::S_IFMT;
            match kind(stat(path).map_err(failed)?.st_mode) {
                SFlag::S_IFDIR => directory(path, &name).map(Opened::Source),
                SFlag::S_IFIFO | SFlag::S_IFCHR => {
                    file(&name, File::from(open_path(path, OFlag::empty()).map_err(failed)?))
                }
                _ => {
                    let opened = open_path(path, OFlag::O_NONBLOCK).map_err(failed)?;
                    if kind(fstat(&opened).map_err(failed)?.st_mode) != SFlag::S_IFREG {
                        return Err(TreeError::new(name, Cause::NotRegular).into());
                    }
                    file(&name, File::from(opened))
                }
            }
        }
    }
}

fn open_path(path: &Path, flags: OFlag) -> nix::Result<OwnedFd> {
    nix::fcntl::open(path, OFlag::O_RDONLY | OFlag::O_CLOEXEC | OFlag::O_NOCTTY | flags, Mode::empty())
}

/// A path as part of one line: control characters are escaped.
fn shown(path: &str) -> String {
    if path.is_empty() {
        return "(empty path)".to_owned();
    }
    path.chars().fold(String::new(), |mut shown, c| {
        match c.is_control() {
            true => _ = write!(shown, "{}", c.escape_default()),
            false => shown.push(c),
        }
        shown
    })
}

fn live() -> Result<Source, SourceError> {
    let description = "this machine".to_owned();
    Ok(Source { tree: Box::new(Directory::live()?), kind: Kind::Live, description, notes: Vec::new() })
}

fn directory(path: &Path, name: &str) -> Result<Source, SourceError> {
    let named = |error: TreeError| TreeError { path: name.to_owned(), ..error };
    let tree = Directory::open(path).map_err(named)?;
    if tree.is_live() {
        return live();
    }
    // A manifest may know of the folder although nothing of it was stored.
    let devices = "sys/bus/pci/devices";
    match tree.enter(devices).map(drop).or_else(|_| tree.list(devices).map(drop)) {
        Ok(()) => {}
        Err(error) if error.is_absent() || error.cause == Cause::NotCaptured => {
            return Err(SourceError::Shape { path: name.to_owned(), hint: hint(path) });
        }
        Err(error) => return Err(TreeError { path: format!("{name}/{}", error.path), ..error }.into()),
    }
    let description = format!("{name}, a folder shaped like /");
    let notes = kept_notes(&tree);
    Ok(Source { tree: Box::new(tree), kind: Kind::Directory, description, notes })
}

/// What to give instead of a folder that lies somewhere inside the shape.
fn hint(path: &Path) -> String {
    const LEVELS: [(&str, &str); 4] = [
        ("bus/pci/devices", "sys"),
        ("pci/devices", "sys/bus"),
        ("devices", "sys/bus/pci"),
        (".", "sys/bus/pci/devices"),
    ];
    let Some((_, level)) = LEVELS.iter().find(|(below, _)| holds_functions(&path.join(below))) else {
        return String::new();
    };
    let whole = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let root = whole.ends_with(level).then(|| whole.ancestors().nth(level.split('/').count())).flatten();
    match root.map(|root| shown(&root.to_string_lossy())).as_deref() {
        Some("/") => "; this is part of the live machine: give `live`".to_owned(),
        Some(root) => format!("; this is its {level}: give {root}"),
        None => {
            format!("; this looks like a copy of /{level}: store it as {level} in a folder, and give that")
        }
    }
}

/// Whether a folder has an entry that is called like a function. Only its first thousand entries are looked at.
fn holds_functions(folder: &PathBuf) -> bool {
    let Ok(entries) = std::fs::read_dir(folder) else { return false };
    let mut names = entries.take(1000).flatten().map(|entry| entry.file_name());
    names.any(|name| name.to_str().is_some_and(|name| name.parse::<Bdf>().is_ok()))
}

fn file(name: &str, mut stream: impl Read) -> Result<Opened, SourceError> {
    // What is packed is told from its first bytes: it may be longer than what is read as text.
    let mut bytes = Vec::new();
    stream.by_ref().take(4).read_to_end(&mut bytes).map_err(|error| failed(name, &error))?;
    if bytes == ZSTANDARD {
        return archive(name, bytes.as_slice().chain(stream)).map(Opened::Source);
    }
    let (bytes, cut) = read_bounded(name, bytes, stream, INPUT_LIMIT)?;
    let mut opened = classify(name, bytes)?;
    if let (true, Opened::Source(source)) = (cut, &mut opened) {
        let note = format!("{name}: the packed data is damaged or cut off; only what came before is used");
        source.notes.insert(0, note);
    }
    Ok(opened)
}

/// First bytes of what zstd packed (RFC 8878, 3.1.1).
const ZSTANDARD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

fn failed(name: &str, error: &std::io::Error) -> TreeError {
    TreeError::errno(name, Errno::from_raw(error.raw_os_error().unwrap_or(Errno::EIO as i32)))
}

fn archive(name: &str, stream: impl Read) -> Result<Source, SourceError> {
    let Unpacked { mut tree, entries, broken, complaints } = archive::unpack(stream);
    // Of an archive that breaks off, the text of lspci comes before the functions.
    if let Some(reason) = broken.as_ref().filter(|_| !holds_config(&tree)) {
        let reason = format!("it is damaged: {reason}; nothing of its functions is left");
        let nothing = SourceError::Archive { path: name.to_owned(), reason };
        return lspci_text(name, &tree, broken.as_deref().unwrap_or_default()).ok_or(nothing);
    }
    if let Err(error) = tree.list("sys/bus/pci/devices") {
        let path = name.to_owned();
        return Err(match broken {
            Some(reason) => SourceError::Archive { path, reason },
            None if error.is_absent() || error.cause == Cause::NotCaptured => {
                let reason = format!("it holds no sys/bus/pci/devices among its {entries} entries");
                SourceError::Archive { path, reason }
            }
            None => TreeError { path: format!("{name}/{}", error.path), ..error }.into(),
        });
    }
    let filled = if broken.is_some() { fill_from_lspci(&mut tree) } else { 0 };
    let mut notes: Vec<String> = broken
        .map(|reason| {
            format!(
                "the capture is damaged: {reason}; only what came before is used, the rest is not captured"
            )
        })
        .into_iter()
        .collect();
    if filled > 0 {
        notes.push(format!(
            "configuration space of {filled} functions is taken from {LSPCI}, which came before"
        ));
    }
    notes.extend(complaints);
    notes.extend(kept_notes(&tree));
    let description = format!("{name}, a capture with {entries} entries");
    Ok(Source { tree: Box::new(tree), kind: Kind::Archive, description, notes })
}

/// Gives functions whose configuration space came too late in an archive that breaks off that of the text of lspci, which
/// comes before all of them. Gives their number.
fn fill_from_lspci(tree: &mut super::MemoryTree) -> usize {
    const DEVICES: &str = "sys/bus/pci/devices";
    let Some(text) = tree.stored(LSPCI).cloned() else { return 0 };
    let dump = hexdump::parse(&text);
    let Ok(names) = dump.tree.list(DEVICES) else { return 0 };
    let missing = |tree: &super::MemoryTree, path: &str| {
        let read = super::read(tree, path, 64);
        read.is_err_and(|error| error.cause == Cause::NotCaptured)
    };
    let mut filled = 0;
    for name in names {
        let path = format!("{DEVICES}/{name}/config");
        if missing(tree, &path) && tree.graft(&dump.tree, &path) && !missing(tree, &path) {
            filled += 1;
        }
    }
    filled
}

/// Whether configuration space of any function was read before the archive broke off.
fn holds_config(tree: &super::MemoryTree) -> bool {
    tree.contents().any(|(path, _)| path.contains("/config"))
}

/// Functions from the text of lspci in a capture, which stands before them.
fn lspci_text(name: &str, tree: &super::MemoryTree, reason: &str) -> Option<Source> {
    let bytes = tree.stored(LSPCI)?;
    let dump = hexdump::parse(bytes);
    if dump.functions == 0 {
        return None;
    }
    let mut notes = vec![format!(
        "the capture is damaged: {reason}; nothing of the functions was left but {LSPCI}, from which their configuration space \
         is taken; what else there was of them is not captured"
    )];
    notes.extend(dump.notes.iter().map(ToString::to_string));
    notes.extend(kept_notes(tree));
    let description = format!("{name}, what is left of a capture, with {} functions", dump.functions);
    let mut left = lspci_words::add(dump.tree, bytes);
    let logs = tree.contents().filter(|(path, _)| path.starts_with("var/log/"));
    let logs = logs.filter(|(path, _)| left.graft(tree, path)).count();
    if logs > 0 {
        notes.push(format!("{logs} files of the kernel log are left"));
    }
    Some(Source { tree: Box::new(left), kind: Kind::Archive, description, notes })
}

/// All bytes, unpacked if they are packed with gzip, and whether the packed data broke off before its end.
fn read_bounded(
    name: &str,
    mut bytes: Vec<u8>,
    stream: impl Read,
    limit: usize,
) -> Result<(Vec<u8>, bool), SourceError> {
    let failed = |error: std::io::Error| failed(name, &error);
    if bytes.starts_with(&[0x1f, 0x8b]) {
        // Unpacked, it may be as long as a plain file and no longer.
        let whole = std::io::Cursor::new(bytes).chain(stream);
        let (mut plain, mut cut) = (Vec::new(), false);
        let mut unpacked = MultiGzDecoder::new(std::io::BufReader::new(whole)).take(limit as u64 + 1);
        match unpacked.read_to_end(&mut plain).map_err(|error| (error.raw_os_error(), error)) {
            Err((Some(_), error)) => return Err(failed(error).into()),
            // What came before is worth reading: a log that was cut off on its way.
            Err((None, _)) if !plain.is_empty() => cut = true,
            Err((None, _)) => return Err(TreeError::new(name, Cause::Damaged).into()),
            Ok(_) => {}
        }
        if plain.len() > limit {
            return Err(TreeError::new(name, Cause::TooLong(limit)).into());
        }
        return Ok((plain, cut));
    }
    stream.take((limit + 1).saturating_sub(bytes.len()) as u64).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() > limit {
        return Err(TreeError::new(name, Cause::TooLong(limit)).into());
    }
    Ok((bytes, false))
}

/// Tells what a file is. The caller has looked for packed ones already.
fn classify(name: &str, bytes: Vec<u8>) -> Result<Opened, SourceError> {
    let source = |dump: Dump, kind, what: String| {
        let notes = dump.notes.iter().map(ToString::to_string).collect();
        Source { tree: Box::new(dump.tree), kind, description: format!("{name}, {what}"), notes }
    };
    let mut dump = hexdump::parse(&bytes);
    if dump.functions > 0 {
        dump.tree = lspci_words::add(dump.tree, &bytes);
    }
    if contains(&bytes, bug_report::MARK) {
        return report(name, dump, &bytes);
    }
    if dump.functions > 0 {
        let what = match dump.functions {
            1 => "text of lspci with one function".to_owned(),
            count => format!("text of lspci with {count} functions"),
        };
        return Ok(Opened::Source(source(dump, Kind::Dump, what)));
    }
    if !is_text(&bytes)
        && let Some(dump) = hexdump::raw(&bytes)
    {
        let what = format!("configuration space of one function, {} bytes", bytes.len());
        return Ok(Opened::Source(source(dump, Kind::RawConfig, what)));
    }
    let path = name.to_owned();
    if is_toml(&bytes)
        && let Ok(text) = str::from_utf8(&bytes)
    {
        return Ok(Opened::Description { name: path, text: text.to_owned(), at: None });
    }
    let found = match dump.notes.first() {
        _ if bytes.is_empty() => "is empty".to_owned(),
        Some(note) => format!("holds no configuration space ({note})"),
        None => "holds nothing that is known here".to_owned(),
    };
    Err(SourceError::Unknown { path, found })
}

/// What `nvidia-bug-report.sh` collected. Without configuration space it is still a machine's log.
fn report(name: &str, dump: Dump, bytes: &[u8]) -> Result<Opened, SourceError> {
    let functions = dump.functions;
    let (mut tree, found) = bug_report::add(dump.tree, bytes);
    if functions == 0 && found.parts.is_empty() {
        let found = "an NVIDIA bug report without configuration space and without a kernel log".to_owned();
        return Err(SourceError::Unknown { path: name.to_owned(), found });
    }
    let mut parts = vec![format!("{functions} function{}", if functions == 1 { "" } else { "s" })];
    parts.extend(found.parts);
    let mut notes = found.notes;
    if functions == 0 {
        tree.add_folder("sys/bus/pci/devices".to_owned());
        notes.push(
            "the report holds no hex rows of configuration space: nothing is known of any function"
                .to_owned(),
        );
    }
    notes.extend(dump.notes.iter().map(ToString::to_string));
    let description = format!("{name}, an NVIDIA bug report with {}", parts.join(", "));
    Ok(Opened::Source(Source { tree: Box::new(tree), kind: Kind::BugReport, description, notes }))
}

/// Whether the first 4 KiB have a word in them.
fn contains(bytes: &[u8], word: &[u8]) -> bool {
    bytes[..bytes.len().min(4096)].windows(word.len()).any(|window| window == word)
}

fn is_text(bytes: &[u8]) -> bool {
    str::from_utf8(bytes).is_ok_and(|text| !text.contains(|c: char| c.is_control() && !c.is_whitespace()))
}

/// Whether the first line that is not a comment is `[table]`, `[[table]]` or `key = value`.
fn is_toml(bytes: &[u8]) -> bool {
    let lines = bytes.split(|b| *b == b'\n').map(|line| line.trim_ascii());
    let Some(line) = lines.take(1000).find(|line| !line.is_empty() && !line.starts_with(b"#")) else {
        return false;
    };
    let is_key =
        |key: &[u8]| !key.is_empty() && key.iter().all(|b| b.is_ascii_alphanumeric() || b"-_.\"".contains(b));
    match line.strip_prefix(b"[").and_then(|line| line.strip_suffix(b"]")) {
        Some(table) => {
            let inner = table.strip_prefix(b"[").and_then(|table| table.strip_suffix(b"]"));
            is_key(inner.unwrap_or(table))
        }
        None => line.iter().position(|b| *b == b'=').is_some_and(|at| is_key(line[..at].trim_ascii())),
    }
}

#[cfg(test)]
#[path = "source_tests.rs"]
mod tests;
