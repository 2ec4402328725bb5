//! The simulated machine as a folder on the disk.
//!
//! Part of a machine may come from a stranger's tree, so that nothing of it is trusted: no path leaves the folder, nothing is
//! written through a link, and no link that is written leads out.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::path::Path;

use super::output::{files, shorter_than_stat};
use super::state::{Content, Machine};
use crate::tree::manifest;

/// Writes the machine to an empty or new folder, with `capture/manifest.tsv` for what a folder cannot hold. Gives a
/// line for everything that the folder does not show. Nothing is written if a path would leave the folder.
pub fn write(machine: &Machine, folder: &Path) -> io::Result<Vec<String>> {
    if folder.read_dir().is_ok_and(|mut entries| entries.next().is_some()) {
        let text = "the folder is not empty; give a new one";
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, text));
    }
    let mut files = files(machine);
    files.remove(manifest::PATH);
    let text = manifest_text(&files, &shorter_than_stat(machine));
    files.insert(manifest::PATH.to_owned(), Content::Bytes(text.into_bytes()));
    check_paths(&files)?;
    let mut lost = Vec::new();
    for (path, content) in &files {
        let place = folder.join(path);
        std::fs::create_dir_all(place.parent().unwrap_or(folder))?;
        match content {
            Content::Bytes(bytes) => new_file(&place, bytes)?,
            Content::Link(target) if leads_out(path, target) => {
                lost.push(format!("{path}: the link to {target} may lead out of the folder; it is left out"));
            }
            Content::Link(target) => std::os::unix::fs::symlink(target, &place)?,
            Content::Error(errno, _) => {
                lost.push(format!("{path}: reading it must fail with {errno:?}; the file is missing"));
            }
            Content::Slow(bytes, microseconds) => {
                new_file(&place, bytes)?;
                lost.push(format!("{path}: must take {microseconds} µs for every four bytes"));
            }
            Content::Changing(versions) => {
                new_file(&place, versions.last().map_or(&[][..], Vec::as_slice))?;
                lost.push(format!("{path}: must change between reads; the last value is stored"));
            }
        }
    }
    Ok(lost)
}

/// Never an existing file, and never what a link leads to (O_EXCL in open(2)).
fn new_file(place: &Path, bytes: &[u8]) -> io::Result<()> {
    std::fs::OpenOptions::new().write(true).create_new(true).open(place)?.write_all(bytes)
}

/// Refuses paths that lead out of the folder, and files that would lie below a link or a file.
fn check_paths(files: &BTreeMap<String, Content>) -> io::Result<()> {
    let wrong = |path: &str, what: String| {
        let text = format!("{path:?} in the machine {what}; nothing was written");
        Err(io::Error::new(io::ErrorKind::InvalidInput, text))
    };
    for path in files.keys() {
        if !is_inside(path) {
            return wrong(path, "is no path below its root".to_owned());
        }
        let mut above = path.match_indices('/').map(|(end, _)| &path[..end]);
        if let Some(other) = above.find(|above| files.contains_key(*above)) {
            let kind = match files.get(other) {
                Some(Content::Link(target)) => format!("a link to {target}"),
                _ => "a file".to_owned(),
            };
            return wrong(path, format!("lies below {other:?}, which is {kind}"));
        }
    }
    Ok(())
}

/// Whether a path has names alone: no `..`, no leading `/`, and nothing that breaks a line of the manifest.
pub fn is_inside(path: &str) -> bool {
    !path.contains(char::is_control) && path.split('/').all(|name| !matches!(name, "" | "." | ".."))
}

/// Whether a link at `path` with the text `target` leads out of the folder, or may. `..` behind a name is not looked
/// into, because the name may be a link; the kernel puts it first in all of sysfs (kernfs_get_target_path in
/// fs/kernfs/symlink.c).
pub fn leads_out(path: &str, target: &str) -> bool {
    let mut rest = target;
    let mut levels = path.matches('/').count();
    while let Some(behind) = rest.strip_prefix("..").filter(|b| b.is_empty() || b.starts_with('/')) {
        let Some(left) = levels.checked_sub(1) else { return true };
        levels = left;
        rest = behind.trim_start_matches('/');
    }
    target.starts_with('/') || rest.split('/').any(|name| name == "..")
}

/// `capture/manifest.tsv`: type, mode, st_size, path, note. It lists the folders that the machine has, empty ones too.
fn manifest_text(files: &BTreeMap<String, Content>, sizes: &[(String, u64)]) -> String {
    let mut rows: BTreeMap<&str, String> = BTreeMap::new();
    let folders: BTreeSet<&str> =
        files.keys().flat_map(|path| path.match_indices('/').map(|(end, _)| &path[..end])).collect();
    for folder in folders {
        rows.insert(folder, format!("d\t0755\t-\t/{folder}\t"));
    }
    for (path, content) in files {
        let is_attribute = path.starts_with("sys/")
            && !path.ends_with("/config")
            && !path.contains("/resource")
            && !path.starts_with("sys/firmware/");
        let size = |stored: usize| match sizes.iter().find(|(of, _)| of == path) {
            Some((_, size)) => *size,
            None if is_attribute => 4096,
            None => stored as u64,
        };
        let row = match content {
            Content::Link(target) => format!("l\t0777\t-\t/{path}\t{target}"),
            Content::Error(errno, size) => format!("f\t0444\t{size}\t/{path}\tread:{errno:?}"),
            Content::Bytes(bytes) | Content::Slow(bytes, _) => {
                format!("f\t0444\t{}\t/{path}\t", size(bytes.len()))
            }
            Content::Changing(versions) => {
                format!("f\t0444\t{}\t/{path}\t", size(versions.last().map_or(0, Vec::len)))
            }
        };
        rows.insert(path, row);
    }
    let rows: Vec<String> = rows.into_values().collect();
    format!("type\tmode\tst_size\tpath\tnote\n{}\n", rows.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_that_lead_out_are_known() {
        let device = "sys/bus/pci/devices/0000:00:01.0";
        for (target, out) in [
            ("../../../devices/pci0000:00/0000:00:01.0", false),
            ("../../../../etc/passwd", false),
            ("../../../../../etc/passwd", true),
            ("/etc/passwd", true),
            ("..", false),
            // `subsystem` may itself be a link to a folder near the root.
            ("0000:00:02.0/subsystem/../../x", true),
            ("..x/y", false),
        ] {
            assert_eq!(leads_out(device, target), out, "{target}");
        }
        assert!(leads_out("etc", ".."));
    }

    #[test]
    fn paths_have_names_alone() {
        for path in ["", "/etc/passwd", "../x", "sys/../../x", "sys//x", "sys/./x", "sys/x\ny", "sys/"] {
            assert!(!is_inside(path), "{path:?}");
        }
        assert!(is_inside("sys/devices/pci0000:00/0000:00:01.0/resource0@0x2000"));
    }
}
