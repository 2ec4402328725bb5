//! Writing a capture: one archive, or a folder. It appears whole or not at all.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::about::About;
use super::recording::{Recording, Stored};
use crate::tree::source::NOTES;

/// Where the digests lie in a capture.
pub const DIGESTS: &str = "capture/sha256sums";
/// Where the signature of the digests lies in a capture.
pub const SIGNATURE: &str = "capture/sha256sums.sig";
/// How hard zstd tries. 3 is its own default.
const LEVEL: i32 = 3;

/// The shape of a capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A tar archive packed with zstd.
    Archive,
    /// A folder.
    Folder,
}

/// Why a capture could not be written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Something is in the way. Evidence is not overwritten.
    #[error("{path}: is there already; a capture overwrites nothing: give another name with -o")]
    Exists {
        /// Path of the capture.
        path: String,
    },
    /// The operating system's answer.
    #[error("{path}: {}; nothing was kept", words(error))]
    Io {
        /// Path of the capture.
        path: String,
        /// The answer.
        error: io::Error,
    },
    /// It was written whole and could not be given its name.
    #[error("{path}: {}; the capture is whole and lies in {partial}: rename it", words(error))]
    Unnamed {
        /// Path that the capture should have.
        path: String,
        /// Path that it has.
        partial: String,
        /// The answer.
        error: io::Error,
    },
    /// The signature could not be made.
    #[error("{0}; nothing was kept")]
    Sign(String),
}

/// The answer without the number behind it, in lower case as everywhere.
fn words(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(number) => crate::tree::Cause::Errno(nix::errno::Errno::from_raw(number)).to_string(),
        None => error.to_string(),
    }
}

/// Files that are stored beside the tree: path and bytes.
type Extra = (&'static str, Vec<u8>);

/// Signs the text of the digests; gives the signature.
pub type Sign<'a> = &'a dyn Fn(&[u8]) -> Result<Vec<u8>, String>;

/// Writes a capture to `path`, under another name first. `seconds` is the time of the files, since 1970. Returns the size
/// of an archive in bytes, or of all files in a folder.
pub fn store(
    recording: &Recording,
    about: &About,
    seconds: u64,
    form: Form,
    path: &Path,
    sign: Option<Sign<'_>>,
) -> Result<u64, StoreError> {
    let shown = || path.display().to_string();
    let failed = |error| StoreError::Io { path: shown(), error };
    if path.symlink_metadata().is_ok() {
        return Err(StoreError::Exists { path: shown() });
    }
    let mut extra: Vec<Extra> = vec![
        (crate::tree::manifest::PATH, recording.manifest().into_bytes()),
        (super::about::PATH, about_text(about).map_err(failed)?),
    ];
    if !about.notes.is_empty() {
        let notes = about.notes.iter().fold(String::new(), |text, note| text + note + "\n");
        extra.push((NOTES, notes.into_bytes()));
    }
    extra.push((super::lspci_text::PATH, super::lspci_text::text(recording).into_bytes()));
    let digests = digests(recording, &extra);
    if let Some(sign) = sign {
        extra.push((SIGNATURE, sign(digests.as_bytes()).map_err(StoreError::Sign)?));
    }
    extra.push((DIGESTS, digests.into_bytes()));
    let partial = partial(path);
    let written = match form {
        Form::Archive => write_archive(recording, &extra, seconds, &partial),
        Form::Folder => write_folder(recording, &extra, &partial),
    };
    let size = written.map_err(|error| {
        // What is left of it is of no use; that it cannot be removed changes nothing about the reason.
        let _ = match form {
            Form::Archive => fs::remove_file(&partial),
            Form::Folder => fs::remove_dir_all(&partial),
        };
        failed(error)
    })?;
    // Reading it again may not be possible: what is whole stays, whatever comes of its name.
    give_name(&partial, path, form, &STEPS).map_err(|error| StoreError::Unnamed {
        path: shown(),
        partial: partial.display().to_string(),
        error,
    })?;
    Ok(size)
}

/// A way to give a file another name that does not replace what has the name.
type Step = fn(&Path, &Path) -> io::Result<()>;

/// The ways: without a moment between looking and renaming, and with links.
const STEPS: [Step; 2] = [rename_to_nothing, |partial, path| fs::hard_link(partial, path)];

/// Renames unless something has the name already: renameat2(2) with RENAME_NOREPLACE.
#[cfg(target_env = "gnu")]
fn rename_to_nothing(partial: &Path, path: &Path) -> io::Result<()> {
    use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};
    Ok(renameat2(AT_FDCWD, partial, AT_FDCWD, path, RenameFlags::RENAME_NOREPLACE)?)
}

/// The crate that calls the system does not know it with other C libraries.
#[cfg(not(target_env = "gnu"))]
fn rename_to_nothing(_: &Path, _: &Path) -> io::Result<()> {
    Err(nix::errno::Errno::ENOSYS.into())
}

/// Gives what was written its name. Nothing may have come under the name meanwhile: plain renaming would replace a file.
///
/// File systems that do not know the flag answer EINVAL (renameat2(2)), those without hard links EPERM (link(2)) or
/// EOPNOTSUPP, and filters of system calls ENOSYS or EPERM.
fn give_name(partial: &Path, path: &Path, form: Form, [rename, link]: &[Step; 2]) -> io::Result<()> {
    use nix::errno::Errno;
    let is_unknown = |error: &io::Error| {
        let number = error.raw_os_error().map(Errno::from_raw);
        matches!(number, Some(Errno::EINVAL | Errno::ENOSYS | Errno::EPERM | Errno::EOPNOTSUPP))
    };
    match rename(partial, path) {
        Err(error) if is_unknown(&error) => {}
        answer => return answer,
    }
    if form == Form::Archive {
        match link(partial, path) {
            Err(error) if is_unknown(&error) => {}
            // The capture has its name now; that it has another one too is no reason to call it failed.
            Ok(()) => return fs::remove_file(partial).or(Ok(())),
            Err(error) => return Err(error),
        }
    }
    match path.symlink_metadata() {
        Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
        Err(_) => fs::rename(partial, path),
    }
}

fn about_text(about: &About) -> io::Result<Vec<u8>> {
    let mut text = serde_json::to_string_pretty(about)?;
    text.push('\n');
    Ok(text.into_bytes())
}

/// The name under which a capture is written, in the same folder.
fn partial(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.partial-{}", std::process::id()))
}

/// Text that `sha256sum -c` takes: the digest of every file, in the order of the paths.
fn digests(recording: &Recording, extra: &[Extra]) -> String {
    let mut files: Vec<(String, [u8; 32])> = recording
        .stored()
        .filter_map(|(path, stored)| match stored {
            Stored::File(bytes) => Some((path, digest(bytes))),
            Stored::Link(_) => None,
        })
        .collect();
    files.extend(extra.iter().map(|(path, bytes)| ((*path).to_owned(), digest(bytes))));
    files.sort_unstable();
    files.iter().fold(String::new(), |mut text, (path, digest)| {
        // Writing to a string does not fail. A backslash in a name is escaped, and the line begins with one (GNU
        // coreutils manual, md5sum invocation).
        let (mark, path) =
            if path.contains('\\') { ("\\", path.replace('\\', "\\\\")) } else { ("", path.clone()) };
        let _ = writeln!(text, "{mark}{}  {path}", hexadecimal(digest));
        text
    })
}

/// SHA-256 of bytes.
pub fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Bytes as lower-case hexadecimal digits.
pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn write_archive(recording: &Recording, extra: &[Extra], seconds: u64, path: &Path) -> io::Result<u64> {
    let file = File::options().write(true).create_new(true).open(path)?;
    let mut encoder = zstd::Encoder::new(io::BufWriter::new(file), LEVEL)?;
    encoder.include_checksum(true)?;
    let mut archive = tar::Builder::new(encoder);
    // What says what the rest is comes first, then the kernel log, which tells most in few bytes: of an archive that is cut
    // off, they are there. Digests do not get smaller when they are packed.
    let (digests, first): (Vec<&Extra>, Vec<&Extra>) =
        extra.iter().partition(|(path, _)| [DIGESTS, SIGNATURE].contains(path));
    let (logs, others): (Vec<_>, Vec<_>) =
        recording.stored().partition(|(path, _)| path.starts_with("var/log/"));
    for (path, bytes) in first {
        append(&mut archive, path, bytes, seconds)?;
    }
    append_stored(&mut archive, logs, seconds)?;
    // A block of zstd is unpacked whole or not at all: this one ends here.
    archive.get_mut().flush()?;
    for (path, bytes) in digests {
        append(&mut archive, path, bytes, seconds)?;
    }
    for path in recording.bare_folders() {
        let mut header = header(0, seconds);
        header.set_entry_type(tar::EntryType::Directory);
        header.set_mode(0o755);
        archive.append_data(&mut header, format!("{path}/"), io::empty())?;
    }
    append_stored(&mut archive, others, seconds)?;
    let file = archive.into_inner()?.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.sync_all()?;
    Ok(file.metadata()?.len())
}

fn append_stored(
    archive: &mut tar::Builder<impl Write>,
    files: Vec<(String, Stored<'_>)>,
    seconds: u64,
) -> io::Result<()> {
    for (path, stored) in files {
        match stored {
            Stored::File(bytes) => append(archive, &path, bytes, seconds)?,
            Stored::Link(target) => {
                let mut header = header(0, seconds);
                header.set_entry_type(tar::EntryType::Symlink);
                header.set_mode(0o777);
                archive.append_link(&mut header, path, target)?;
            }
        }
    }
    Ok(())
}

fn header(size: u64, seconds: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_size(size);
    header.set_mode(0o644);
    header.set_mtime(seconds);
    header.set_uid(0);
    header.set_gid(0);
    header
}

fn append(archive: &mut tar::Builder<impl Write>, path: &str, bytes: &[u8], seconds: u64) -> io::Result<()> {
    archive.append_data(&mut header(bytes.len() as u64, seconds), path, bytes)
}

fn write_folder(recording: &Recording, extra: &[Extra], path: &Path) -> io::Result<u64> {
    fs::create_dir(path)?;
    let mut size = 0;
    let mut file = |name: &str, bytes: &[u8]| -> io::Result<()> {
        let name = path.join(name);
        fs::create_dir_all(name.parent().unwrap_or(path))?;
        size += bytes.len() as u64;
        fs::write(name, bytes)
    };
    for (name, bytes) in extra {
        file(name, bytes)?;
    }
    for name in recording.bare_folders() {
        fs::create_dir_all(path.join(name))?;
    }
    for (name, stored) in recording.stored() {
        match stored {
            Stored::File(bytes) => file(&name, bytes)?,
            Stored::Link(target) => {
                let name = path.join(name);
                fs::create_dir_all(name.parent().unwrap_or(path))?;
                std::os::unix::fs::symlink(target, name)?;
            }
        }
    }
    Ok(size)
}

#[cfg(test)]
mod tests {
    use nix::errno::Errno;

    use super::*;

    #[test]
    fn a_capture_gets_its_name_on_every_file_system_and_replaces_nothing() {
        fn invalid(_: &Path, _: &Path) -> io::Result<()> {
            Err(Errno::EINVAL.into())
        }
        fn not_permitted(_: &Path, _: &Path) -> io::Result<()> {
            Err(Errno::EPERM.into())
        }
        let ways: [[Step; 2]; 3] = [STEPS, [invalid, STEPS[1]], [invalid, not_permitted]];
        for (number, ways) in ways.iter().enumerate() {
            let folder = tempfile::tempdir().unwrap();
            let [partial, path] = ["partial", "name"].map(|name| folder.path().join(name));
            fs::write(&partial, "evidence").unwrap();
            give_name(&partial, &path, Form::Archive, ways).unwrap();
            assert_eq!(fs::read(&path).unwrap(), b"evidence", "way {number}");
            assert!(!partial.exists(), "way {number}");
            // The next one finds something under the name.
            fs::write(&partial, "more").unwrap();
            let error = give_name(&partial, &path, Form::Archive, ways).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::AlreadyExists, "way {number}");
            assert_eq!(fs::read(&path).unwrap(), b"evidence", "way {number}");
            assert_eq!(fs::read(&partial).unwrap(), b"more", "way {number}: what was read is not lost");
            // An empty folder would be replaced by another one.
            let [partial, path] = ["partial-folder", "folder"].map(|name| folder.path().join(name));
            [&partial, &path].iter().for_each(|name| fs::create_dir(name).unwrap());
            assert!(give_name(&partial, &path, Form::Folder, ways).is_err(), "way {number}");
            fs::remove_dir(&path).unwrap();
            give_name(&partial, &path, Form::Folder, ways).unwrap();
            assert!(path.is_dir() && !partial.exists(), "way {number}");
        }
    }

    #[test]
    fn a_capture_without_a_name_is_told_of() {
        let error = StoreError::Unnamed {
            path: "/mnt/c.tar.zst".to_owned(),
            partial: "/mnt/.c.tar.zst.partial-7".to_owned(),
            error: Errno::EROFS.into(),
        };
        let text = error.to_string();
        assert!(text.contains("/mnt/.c.tar.zst.partial-7") && !text.contains("nothing was kept"), "{text}");
    }
}
