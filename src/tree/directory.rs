//! The live machine at `/`, or a folder shaped like it.
//!
//! A folder may come from a stranger. No link in it leads out of it: paths are resolved with `openat2` and
//! `RESOLVE_IN_ROOT`, or, on kernels before 5.6 or under a filter that forbids it, component by component with
//! `O_NOFOLLOW`. Only regular files are opened, without blocking; what a file is is looked at before it is opened, because
//! opening alone does something to some devices (a watchdog starts). Windows of resource files are read, not mapped.
//!
//! Some tools store links as small text files (`../../../devices/…`): a folder that was unpacked so reads the same.

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, OpenHow, ResolveFlag};
use nix::sys::stat::{FileStat, Mode, SFlag, fstat};

use super::error::{Cause, Result, TreeError};
use super::manifest::{self, Manifest};
use super::memory::{PiecesFile, join_link, normalize};
use super::raw::Mapping;
use super::{File, NAMES_LIMIT, Tree, Window};

/// Most links that are followed for one path.
const LINKS: u32 = 40;
/// What keeps opening a file from waiting and from taking over a terminal.
const READING: OFlag = OFlag::O_NONBLOCK.union(OFlag::O_NOCTTY);
/// Longest run of a file that is stored in pieces: a configuration space has no more bytes.
const PIECE_LIMIT: usize = 4096;
/// Longest text of a link.
const LINK_LENGTH: usize = 4096;

/// A folder of the file system that is read as a machine.
pub struct Directory {
    whole: Arc<Whole>,
    /// The folder itself; `None` for the root of the tree.
    folder: Option<OwnedFd>,
    /// Path of the folder in the tree, without leading `/`, empty for the root.
    path: Arc<str>,
}

/// What all folders of one tree share.
struct Whole {
    root: OwnedFd,
    live: bool,
    manifest: Option<Manifest>,
    /// Set once the kernel said that it has no `openat2`.
    no_openat2: AtomicBool,
}

impl Directory {
    /// The machine that this program runs on.
    pub fn live() -> Result<Self> {
        let root = open_path("/").map_err(|e| TreeError::errno("/", e))?;
        Ok(Self::new(root, true, None))
    }

    /// A folder shaped like `/`. The root of the file system itself counts as the live machine.
    pub fn open(path: &Path) -> Result<Self> {
        let name = path.display().to_string();
        let root = open_path(path).map_err(|e| TreeError::errno(&name, e))?;
        let same = |a: FileStat, b: FileStat| (a.st_dev, a.st_ino) == (b.st_dev, b.st_ino);
        let at_root = open_path("/").and_then(|slash| Ok(same(fstat(&slash)?, fstat(&root)?)));
        if at_root == Ok(true) {
            return Self::live();
        }
        let mut tree = Self::new(root, false, None);
        match super::read(&tree, manifest::PATH, manifest::LIMIT) {
            Ok(bytes) => {
                let manifest = Manifest::parse(&String::from_utf8_lossy(&bytes));
                if let Some(whole) = Arc::get_mut(&mut tree.whole) {
                    whole.manifest = Some(manifest);
                }
            }
            Err(error) if error.is_absent() => {}
            Err(error) => return Err(TreeError { path: format!("{name}/{}", error.path), ..error }),
        }
        Ok(tree)
    }

    fn new(root: OwnedFd, live: bool, manifest: Option<Manifest>) -> Self {
        let whole = Whole { root, live, manifest, no_openat2: AtomicBool::new(false) };
        Directory { whole: Arc::new(whole), folder: None, path: "".into() }
    }

    /// Whether this is the machine that the program runs on, whose reads can block.
    pub fn is_live(&self) -> bool {
        self.whole.live
    }

    fn full(&self, path: &str) -> String {
        join(&self.path, path)
    }

    fn base(&self) -> &OwnedFd {
        self.folder.as_ref().unwrap_or(&self.whole.root)
    }

    /// Opens something below this folder without ever leaving the tree.
    fn open_below(&self, path: &str, flags: OFlag) -> nix::Result<OwnedFd> {
        // A handle only to find other things by takes no flags about reading.
        let reading = if flags.contains(OFlag::O_PATH) { OFlag::empty() } else { READING };
        let flags = flags | OFlag::O_CLOEXEC | reading;
        let here = if path.is_empty() { "." } else { path };
        if self.whole.live {
            return nix::fcntl::openat(self.base(), here, flags, Mode::empty());
        }
        if self.folder.is_some() {
            // Attributes are not links, so this nearly always answers. If something on the way is a link, or the path
            // goes up, it is looked up from the root of the tree, where links may lead anywhere inside it.
            match self.open_without_links(here, flags) {
                Err(Errno::ELOOP | Errno::EXDEV) => {}
                other => return other,
            }
        }
        self.open_in_root(&self.full(path), flags)
    }

    fn open_without_links(&self, path: &str, flags: OFlag) -> nix::Result<OwnedFd> {
        if is_name(path) && !flags.contains(OFlag::O_PATH) {
            // Nothing to resolve: a name in the folder leads nowhere else.
            return nix::fcntl::openat(self.base(), path, flags | OFlag::O_NOFOLLOW, Mode::empty());
        }
        let resolve = ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_SYMLINKS;
        match self.openat2(self.base(), path, flags, resolve) {
            Err(Errno::ENOSYS | Errno::EPERM) => {
                self.whole.no_openat2.store(true, Ordering::Relaxed);
                Err(Errno::ELOOP)
            }
            other => other,
        }
    }

    fn open_in_root(&self, path: &str, flags: OFlag) -> nix::Result<OwnedFd> {
        let here = if path.is_empty() { "." } else { path };
        let resolve = ResolveFlag::RESOLVE_IN_ROOT | ResolveFlag::RESOLVE_NO_MAGICLINKS;
        match self.openat2(&self.whole.root, here, flags, resolve) {
            Err(Errno::ENOSYS | Errno::EPERM) => {
                self.whole.no_openat2.store(true, Ordering::Relaxed);
                open_by_component(&self.whole.root, path, flags)
            }
            other => other,
        }
    }

    fn openat2(
        &self,
        base: &OwnedFd,
        path: &str,
        flags: OFlag,
        resolve: ResolveFlag,
    ) -> nix::Result<OwnedFd> {
        if self.whole.no_openat2.load(Ordering::Relaxed) {
            return Err(Errno::ENOSYS);
        }
        for _ in 0..16 {
            // EAGAIN: something was renamed meanwhile and the kernel could not prove that the path stays inside.
            match nix::fcntl::openat2(base, path, OpenHow::new().flags(flags).resolve(resolve)) {
                Err(Errno::EAGAIN) => {}
                other => return other,
            }
        }
        Err(Errno::EAGAIN)
    }

    /// The path by which the manifest names something: rows name real paths, those asked for may lead through links.
    fn listed_path(&self, manifest: &Manifest, path: &str) -> String {
        let mut listed = normalize(&self.full(path));
        let root = Directory { whole: self.whole.clone(), folder: None, path: "".into() };
        for _ in 0..LINKS {
            if manifest.tells_of(&listed) {
                break;
            }
            let ends: Vec<usize> = listed.match_indices('/').map(|(end, _)| end).collect();
            let target = ends.iter().find_map(|end| Some((*end, root.read_link(&listed[..*end]).ok()?)));
            let Some((end, target)) = target else { break };
            listed = normalize(&format!("{}{}", join_link(&listed[..end], &target), &listed[end..]));
        }
        listed
    }

    /// The error for something that could not be opened, as absent or not captured.
    fn failed(&self, path: &str, errno: Errno) -> TreeError {
        let cause = match (errno, &self.whole.manifest) {
            (Errno::ENOENT, Some(manifest)) => manifest.why_missing(&self.listed_path(manifest, path)),
            (Errno::ELOOP, _) if !self.whole.live => Cause::Escapes,
            (errno, _) => Cause::Errno(errno),
        };
        TreeError::new(self.full(path), cause)
    }

    /// Opens a file. Its size comes from the manifest, or from the look at it; of the live machine it is asked for when
    /// needed.
    fn open_file(&self, path: &str) -> Result<(OwnedFd, Option<u64>)> {
        if let Some(manifest) = &self.whole.manifest
            && let Some(row) = manifest.row(&self.listed_path(manifest, path))
        {
            if let Some(cause) = row.error {
                return Err(TreeError::new(self.full(path), cause));
            }
            let (descriptor, size) = self.open_regular(path)?;
            return Ok((descriptor, row.size.or(size)));
        }
        self.open_regular(path)
    }

    fn open_regular(&self, path: &str) -> Result<(OwnedFd, Option<u64>)> {
        let mut size = None;
        if !self.whole.live {
            let stat = self.look(path).map_err(|e| self.failed(path, e))?;
            match SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT {
                SFlag::S_IFREG => size = Some(stat.st_size.max(0) as u64),
                SFlag::S_IFDIR => return Err(TreeError::errno(self.full(path), Errno::EISDIR)),
                _ => return Err(TreeError::new(self.full(path), Cause::NotRegular)),
            }
        }
        let descriptor = self.open_below(path, OFlag::O_RDONLY).map_err(|e| self.failed(path, e))?;
        Ok((descriptor, size))
    }

    /// Looks at something without opening it. Who can write to the folder may replace it before it is opened; looking
    /// again afterwards would not help, as it is the opening that some devices mind, and nothing that is opened here can
    /// block or be taken over as a terminal.
    fn look(&self, path: &str) -> nix::Result<FileStat> {
        if let Some(folder) = &self.folder
            && is_name(path)
        {
            // Nearly everything is asked for like this, and one call tells.
            let stat = nix::sys::stat::fstatat(folder, path, AtFlags::AT_SYMLINK_NOFOLLOW)?;
            if SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT != SFlag::S_IFLNK {
                return Ok(stat);
            }
        }
        fstat(self.open_below(path, OFlag::O_PATH)?)
    }

    fn list_folder(&self, path: &str) -> Result<Vec<String>> {
        let descriptor =
            self.open_below(path, OFlag::O_RDONLY | OFlag::O_DIRECTORY).map_err(|e| self.failed(path, e))?;
        let folder = nix::dir::Dir::from_fd(descriptor).map_err(|e| TreeError::errno(self.full(path), e))?;
        let mut names = Vec::new();
        for entry in folder {
            let entry = entry.map_err(|e| TreeError::errno(self.full(path), e))?;
            if let Ok(name) = entry.file_name().to_str()
                && !matches!(name, "." | "..")
            {
                if names.len() == NAMES_LIMIT {
                    return Err(TreeError::new(self.full(path), Cause::TooMany(NAMES_LIMIT)));
                }
                names.push(name.to_owned());
            }
        }
        Ok(names)
    }

    /// A link that was stored as a text file.
    fn link_as_text(&self, path: &str) -> Option<String> {
        if self.whole.live {
            return None;
        }
        let bytes = super::read(self, path, LINK_LENGTH).ok()?;
        let text = String::from_utf8(bytes).ok()?;
        let text = text.trim_end_matches('\n');
        (text.starts_with("../") && !text.contains(['\n', '\0'])).then(|| text.to_owned())
    }

    fn enter_following(&self, path: &str, links: u32) -> Result<Box<dyn Tree>> {
        match self.open_below(path, OFlag::O_PATH | OFlag::O_DIRECTORY) {
            Ok(descriptor) => {
                // Rows of a manifest name real paths, not those through links.
                let target = self.whole.manifest.as_ref().and_then(|_| self.read_link(path).ok());
                let full = self.full(path);
                let path = target.map_or(full.clone(), |target| join_link(&full, &target)).into();
                Ok(Box::new(Directory { whole: self.whole.clone(), folder: Some(descriptor), path }))
            }
            Err(Errno::ENOTDIR) if links > 0 => match self.link_as_text(path) {
                Some(target) => {
                    let root = Directory { whole: self.whole.clone(), folder: None, path: "".into() };
                    root.enter_following(&join_link(&self.full(path), &target), links - 1)
                }
                None => Err(self.failed(path, Errno::ENOTDIR)),
            },
            Err(errno) => Err(self.failed(path, errno)),
        }
    }

    /// A window that a capture stored as `resourceN@0xOFFSET` and that covers the range.
    fn stored_window(&self, path: &str, offset: u64, length: usize) -> Option<Window> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let entries = self.list_folder(folder).ok()?;
        let starts = entries.iter().filter_map(|entry| {
            let start = entry.strip_prefix(name)?.strip_prefix("@0x")?;
            Some((entry, u64::from_str_radix(start, 16).ok()?))
        });
        for (entry, start) in starts.filter(|(_, start)| *start <= offset) {
            let stored = if folder.is_empty() { entry.clone() } else { format!("{folder}/{entry}") };
            if let Ok((descriptor, _)) = self.open_file(&stored)
                && let Ok(window) = read_window(&descriptor, offset - start, length)
            {
                return Some(window);
            }
        }
        None
    }
}

impl Directory {
    /// A file of which the manifest says that it is stored in pieces.
    fn pieces(&self, path: &str) -> Option<PiecesFile> {
        let manifest = self.whole.manifest.as_ref()?;
        let row = manifest.row(&self.listed_path(manifest, path))?;
        let pieces = row.assemble(|offset| {
            let name = manifest::piece_name(path, offset);
            super::read(self, &name, PIECE_LIMIT).ok()
        })?;
        Some(PiecesFile::new(&self.full(path), pieces, row.size))
    }
}

impl Tree for Directory {
    fn open(&self, path: &str) -> Result<Box<dyn File>> {
        if let Some(file) = self.pieces(path) {
            return Ok(Box::new(file));
        }
        let (descriptor, size) = self.open_file(path)?;
        let copy = !self.whole.live;
        Ok(Box::new(DirectoryFile { descriptor, size, copy, folder: self.path.clone(), name: path.into() }))
    }

    fn read_link(&self, path: &str) -> Result<String> {
        // The folder that holds the link is opened safely, then only the link itself is read.
        let target =
            match (self.whole.live || self.folder.is_some() && !path.contains('/'), path.rsplit_once('/')) {
                (false, Some((parent, name))) => self
                    .open_below(parent, OFlag::O_RDONLY | OFlag::O_DIRECTORY)
                    .and_then(|folder| nix::fcntl::readlinkat(&folder, name)),
                _ => nix::fcntl::readlinkat(self.base(), path),
            };
        match target {
            Ok(target) => Ok(target.to_string_lossy().into_owned()),
            Err(Errno::EINVAL) => self.link_as_text(path).ok_or_else(|| self.failed(path, Errno::EINVAL)),
            Err(errno) => Err(self.failed(path, errno)),
        }
    }

    fn list(&self, path: &str) -> Result<Vec<String>> {
        let listed = self.whole.manifest.as_ref().map(|m| (m, self.listed_path(m, path)));
        let mut names = match (self.list_folder(path), &listed) {
            (Ok(names), _) => names,
            // A folder of which nothing was stored, such as an empty one that version control cannot keep.
            (Err(error), Some((manifest, path))) if error.cause == Cause::NotCaptured => {
                if !manifest.has_folder(path) {
                    return Err(error);
                }
                Vec::new()
            }
            (Err(error), _) => return Err(error),
        };
        if let Some((manifest, path)) = &listed {
            if manifest.has_folder(path) {
                // Every name of the folder has a row: another one was not there when it was read.
                names.clear();
            }
            names.extend_from_slice(manifest.children(path));
        }
        names.sort_unstable();
        names.dedup();
        if names.len() > NAMES_LIMIT {
            return Err(TreeError::new(self.full(path), Cause::TooMany(NAMES_LIMIT)));
        }
        Ok(names)
    }

    fn enter(&self, path: &str) -> Result<Box<dyn Tree>> {
        self.enter_following(path, LINKS)
    }

    fn window(&self, path: &str, offset: u64, length: usize) -> Result<Window> {
        let failed = |errno| TreeError::errno(self.full(path), errno);
        match self.open_file(path) {
            Ok((descriptor, _)) if self.whole.live => {
                let file = std::fs::File::from(descriptor);
                Mapping::new(&file, offset, length).map(Window::mapped).map_err(failed)
            }
            Ok((descriptor, _)) => read_window(&descriptor, offset, length).map_err(failed),
            Err(error) => self.stored_window(path, offset, length).ok_or(error),
        }
    }
}

/// Whether a path is the name of something in the folder itself.
fn is_name(path: &str) -> bool {
    !matches!(path, "" | "." | "..") && !path.contains('/')
}

/// Path of something in a folder; either may be empty.
fn join(folder: &str, path: &str) -> String {
    match (folder, path) {
        ("", path) => path.to_owned(),
        (folder, "") => folder.to_owned(),
        (folder, path) => format!("{folder}/{path}"),
    }
}

fn open_path<P: ?Sized + nix::NixPath>(path: &P) -> nix::Result<OwnedFd> {
    nix::fcntl::open(path, OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty())
}

fn read_window(descriptor: &OwnedFd, offset: u64, length: usize) -> nix::Result<Window> {
    let stat = fstat(descriptor)?;
    if SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT != SFlag::S_IFREG {
        return Err(Errno::EINVAL);
    }
    let mut bytes = vec![0; length];
    let read = read_fully(descriptor, offset, &mut bytes)?;
    if read < length { Err(Errno::EINVAL) } else { Ok(Window::stored(bytes)) }
}

fn read_fully(descriptor: &OwnedFd, offset: u64, buffer: &mut [u8]) -> nix::Result<usize> {
    let mut done = 0;
    while done < buffer.len() {
        let position = i64::try_from(offset).map_err(|_| Errno::EINVAL)? + done as i64;
        match nix::sys::uio::pread(descriptor, &mut buffer[done..], position) {
            Ok(0) => break,
            Ok(read) => done += read,
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(done)
}

/// Walks a path without `openat2`: every component is opened with `O_NOFOLLOW`, links are followed by their text and
/// `..` never goes above the root.
fn open_by_component(root: &OwnedFd, path: &str, flags: OFlag) -> nix::Result<OwnedFd> {
    let mut path = normalize(path);
    for _ in 0..LINKS {
        let mut folder = root.try_clone().map_err(|_| Errno::EMFILE)?;
        let parts: Vec<&str> = path.split('/').filter(|p| !p.is_empty()).collect();
        let Some((last, parents)) = parts.split_last() else { return Ok(folder) };
        let mut link = None;
        for (depth, part) in parents.iter().enumerate() {
            let flags = OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
            let next = nix::fcntl::openat(&folder, *part, flags, Mode::empty())?;
            if let Some(target) = link_text(&next)? {
                link = Some((depth, target));
                break;
            }
            folder = next;
        }
        if link.is_none() {
            match nix::fcntl::openat(&folder, *last, flags | OFlag::O_NOFOLLOW, Mode::empty()) {
                Err(Errno::ELOOP | Errno::ENOTDIR) => {
                    let target = nix::fcntl::readlinkat(&folder, *last).map_err(|_| Errno::ENOTDIR)?;
                    link = Some((parents.len(), target.to_string_lossy().into_owned()));
                }
                // A handle only to find things by is one of the link itself.
                Ok(found) if flags.contains(OFlag::O_PATH) => match link_text(&found)? {
                    Some(target) => link = Some((parents.len(), target)),
                    None => return Ok(found),
                },
                other => return other,
            }
        }
        let Some((depth, target)) = link else { return Err(Errno::ELOOP) };
        let rest = parts[depth + 1..].join("/");
        path = normalize(&format!("{}/{rest}", join_link(&parts[..=depth].join("/"), &target)));
    }
    Err(Errno::ELOOP)
}

fn link_text(descriptor: &OwnedFd) -> nix::Result<Option<String>> {
    let stat = nix::sys::stat::fstatat(descriptor, "", AtFlags::AT_EMPTY_PATH)?;
    if SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT != SFlag::S_IFLNK {
        return Ok(None);
    }
    Ok(Some(nix::fcntl::readlinkat(descriptor.as_fd(), "")?.to_string_lossy().into_owned()))
}

struct DirectoryFile {
    descriptor: OwnedFd,
    /// Known for folders; on the live machine it is asked for when needed.
    size: Option<u64>,
    copy: bool,
    /// Path of the folder in the tree, and of the file in the folder.
    folder: Arc<str>,
    name: Box<str>,
}

impl DirectoryFile {
    fn failed(&self, errno: Errno) -> TreeError {
        TreeError::errno(join(&self.folder, &self.name), errno)
    }
}

impl File for DirectoryFile {
    fn size(&self) -> u64 {
        self.size.unwrap_or_else(|| fstat(&self.descriptor).map_or(0, |stat| stat.st_size.max(0) as u64))
    }

    fn is_copy(&self) -> bool {
        self.copy
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize> {
        let position = i64::try_from(offset).map_err(|_| self.failed(Errno::EINVAL))?;
        loop {
            match nix::sys::uio::pread(&self.descriptor, buffer, position) {
                Err(Errno::EINTR) => {}
                Ok(read) => return Ok(read),
                Err(errno) => return Err(self.failed(errno)),
            }
        }
    }
}

#[cfg(test)]
#[path = "directory_tests.rs"]
mod tests;
