//! Whether a capture is what was stored: digests of its files, texts of its links, and the signature.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use super::sign::{self, Refused, Signer};
use super::store::{DIGESTS, SIGNATURE, digest, hexadecimal};
use crate::tree::Content;
use crate::tree::archive::{Unpacked, unpack};
use crate::tree::manifest;

/// Most bytes of one file, and most files, as when a capture is read.
const FILE_LIMIT: u64 = 256 << 20;
const FILES_LIMIT: usize = 1 << 20;
/// Problems that are listed one by one.
const PROBLEMS: usize = 20;

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Verified {
    /// The capture.
    pub path: String,
    /// Files whose digests are right.
    pub files: usize,
    /// What is not as it was stored, a line each.
    pub problems: Vec<String>,
    /// The signature.
    pub signature: Signature,
}

/// What is known of the signature.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Signature {
    /// There is none.
    Unsigned,
    /// It is good.
    Good {
        /// The name that the list of signers gives the key; `null` without a list.
        signer: Option<String>,
        /// Kind and fingerprint of the key.
        key: String,
    },
    /// It is not of these digests, or not by one of these signers.
    Bad {
        /// Why.
        reason: String,
    },
    /// It could not be looked at.
    Unknown {
        /// Why.
        reason: String,
    },
}

/// A capture as files and links, by path.
#[derive(Default)]
struct Stored {
    files: BTreeMap<String, [u8; 32]>,
    links: BTreeMap<String, String>,
    folders: BTreeSet<String>,
    digests: Option<Vec<u8>>,
    signature: Option<Vec<u8>>,
    manifest: Option<Vec<u8>>,
    problems: Vec<String>,
}

impl Stored {
    fn file(&mut self, path: &str, bytes: Vec<u8>) {
        if path != DIGESTS && path != SIGNATURE {
            self.files.insert(path.to_owned(), digest(&bytes));
        }
        match path {
            DIGESTS => self.digests = Some(bytes),
            SIGNATURE => self.signature = Some(bytes),
            manifest::PATH => self.manifest = Some(bytes),
            _ => {}
        }
    }
}

/// Checks the capture at a path. `signers` is a list of signers for `ssh-keygen`. An error is the operating system's.
pub fn verify(path: &Path, signers: Option<&Path>) -> io::Result<Verified> {
    let mut stored = Stored::default();
    match fs::metadata(path)?.is_dir() {
        true => folder(path, "", &mut stored)?,
        false => archive(path, &mut stored)?,
    }
    let mut problems = std::mem::take(&mut stored.problems);
    let (mut files, mut signature) = (0, Signature::Unsigned);
    match &stored.digests {
        None => problems.push(format!("{DIGESTS} is missing: this is no capture, or not all of one")),
        Some(digests) => {
            files = compare(&stored, digests, &mut problems);
            links(&stored, &mut problems);
            folders(&stored, digests, &mut problems);
            if let Some(text) = &stored.signature {
                signature = match sign::verify(digests, text, signers) {
                    Ok(Signer::Known { name, key }) => Signature::Good { signer: Some(name), key },
                    Ok(Signer::Key(key)) => Signature::Good { signer: None, key },
                    Err(Refused::Bad(reason)) => Signature::Bad { reason },
                    Err(Refused::Unknown(reason)) => Signature::Unknown { reason },
                };
            }
        }
    }
    if problems.len() > PROBLEMS {
        let more = problems.len() - PROBLEMS;
        problems.truncate(PROBLEMS);
        problems.push(format!("{more} more files are not as they were"));
    }
    Ok(Verified { path: shown(&path.to_string_lossy()), files, problems, signature })
}

fn archive(path: &Path, stored: &mut Stored) -> io::Result<()> {
    let Unpacked { tree, broken, complaints, .. } = unpack(File::open(path)?);
    for (path, content) in tree.contents() {
        match content {
            Content::File(bytes) => stored.file(path, bytes.to_vec()),
            Content::Link(target) => _ = stored.links.insert(path.to_owned(), target.to_owned()),
        }
    }
    stored.folders.extend(tree.folders().map(str::to_owned));
    stored.problems.extend(broken.map(|reason| format!("the archive is damaged: {reason}")));
    stored.problems.extend(complaints);
    Ok(())
}

/// Everything below a folder; links are looked at and not followed.
fn folder(root: &Path, below: &str, stored: &mut Stored) -> io::Result<()> {
    for entry in fs::read_dir(root.join(below))? {
        let entry = entry?;
        if stored.files.len() + stored.links.len() + stored.folders.len() >= FILES_LIMIT {
            return Err(io::Error::other(format!("more than {FILES_LIMIT} files")));
        }
        let Ok(name) = entry.file_name().into_string() else {
            stored
                .problems
                .push(format!("{}: a name that is no text", shown(&entry.path().to_string_lossy())));
            continue;
        };
        let path = if below.is_empty() { name } else { format!("{below}/{name}") };
        let kind = entry.file_type()?;
        if kind.is_dir() {
            folder(root, &path, stored)?;
            stored.folders.insert(path);
        } else if kind.is_symlink() {
            let target = fs::read_link(entry.path())?;
            stored.links.insert(path, target.to_string_lossy().into_owned());
        } else if kind.is_file() {
            let mut bytes = Vec::new();
            File::open(entry.path())?.take(FILE_LIMIT + 1).read_to_end(&mut bytes)?;
            if bytes.len() as u64 > FILE_LIMIT {
                stored.problems.push(format!("{}: longer than {} MiB", shown(&path), FILE_LIMIT >> 20));
            } else {
                stored.file(&path, bytes);
            }
        } else {
            stored.problems.push(format!("{}: no file", shown(&path)));
        }
    }
    Ok(())
}

/// Compares every file with the list, and the list with the files. Gives how many are right.
fn compare(stored: &Stored, digests: &[u8], problems: &mut Vec<String>) -> usize {
    let mut listed = BTreeSet::new();
    let mut right = 0;
    for line in String::from_utf8_lossy(digests).lines() {
        let Some((path, digest)) = entry(line) else {
            problems.push(format!("{DIGESTS}: a line that is no digest and path: {}", shown(line)));
            continue;
        };
        match stored.files.get(&path) {
            None => problems.push(format!("{}: missing", shown(&path))),
            Some(found) if hexadecimal(found) != digest => {
                problems.push(format!("{}: its SHA-256 is not the one that was noted", shown(&path)));
            }
            Some(_) => right += 1,
        }
        listed.insert(path);
    }
    let added = stored.files.keys().filter(|path| !listed.contains(*path));
    problems.extend(added.map(|path| format!("{}: was not there when the capture was made", shown(path))));
    right
}

/// `digest  path`, with a backslash in front of the line where the path has escapes (GNU coreutils manual, md5sum
/// invocation).
fn entry(line: &str) -> Option<(String, String)> {
    let (escaped, line) = line.strip_prefix('\\').map_or((false, line), |line| (true, line));
    let (digest, path) = line.split_once("  ")?;
    let path = if escaped { path.replace("\\\\", "\\") } else { path.to_owned() };
    let plain =
        digest.len() == 64 && digest.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    plain.then(|| (path, digest.to_owned()))
}

/// Links have no digests: their texts are in the manifest, which has one.
fn links(stored: &Stored, problems: &mut Vec<String>) {
    let Some(manifest) = &stored.manifest else { return };
    let text = String::from_utf8_lossy(manifest);
    let rows = text.lines().filter_map(|line| {
        let mut columns = line.splitn(5, '\t');
        let (kind, path, target) = (columns.next()?, columns.nth(2)?, columns.next()?);
        (kind == "l").then(|| (path.trim_start_matches('/'), target))
    });
    let noted: BTreeMap<&str, &str> = rows.collect();
    for (path, target) in &noted {
        match stored.links.get(*path) {
            None => problems.push(format!("{}: the link is missing", shown(path))),
            Some(found) if found != target => {
                problems.push(format!("{}: the link leads to another place", shown(path)));
            }
            Some(_) => {}
        }
    }
    let added = stored.links.keys().filter(|path| !noted.contains_key(path.as_str()));
    problems.extend(added.map(|path| format!("{}: was not there when the capture was made", shown(path))));
}

/// Folders have no digests either. Those that were there are in the manifest, or above something that is listed; another
/// one, though empty, would be a device or a program that the machine did not have.
fn folders(stored: &Stored, digests: &[u8], problems: &mut Vec<String>) {
    let Some(manifest) = &stored.manifest else { return };
    let (manifest, digests) = (String::from_utf8_lossy(manifest), String::from_utf8_lossy(digests));
    let (mut promised, mut known) = (BTreeSet::new(), BTreeSet::new());
    for line in manifest.lines().skip(1) {
        let mut columns = line.splitn(5, '\t');
        let (Some(kind), Some(path)) = (columns.next(), columns.nth(2)) else { continue };
        let (path, note) = (path.trim_matches('/'), columns.next().unwrap_or_default());
        match (kind, note) {
            // What was looked for and is not there says nothing of the folder that would hold it.
            (_, "read:ENOENT" | "read:ENOTDIR") => {}
            ("d", _) => _ = promised.insert(path),
            _ => above(path, &mut known),
        }
    }
    let files: Vec<String> = digests.lines().filter_map(|line| Some(entry(line)?.0)).collect();
    promised.iter().copied().chain(files.iter().map(String::as_str)).for_each(|path| above(path, &mut known));
    known.extend(&promised);
    let mut there: BTreeSet<&str> = stored.folders.iter().map(String::as_str).collect();
    stored.files.keys().chain(stored.links.keys()).for_each(|path| above(path, &mut there));
    // A signature or list of digests that was put there is told of by itself, and its folder is always there.
    above(DIGESTS, &mut known);
    stored.folders.iter().for_each(|path| above(path, &mut there));
    let added = there.iter().filter(|path| !known.contains(*path));
    problems.extend(added.map(|path| format!("{}: was not there when the capture was made", shown(path))));
    let missing = promised.iter().filter(|path| !there.contains(*path));
    problems.extend(missing.map(|path| format!("{}: the folder is missing", shown(path))));
}

/// Every folder above a path.
fn above<'a>(path: &'a str, to: &mut BTreeSet<&'a str>) {
    to.extend(path.match_indices('/').map(|(end, _)| &path[..end]));
}

/// A stranger's path as part of one line.
fn shown(path: &str) -> String {
    path.chars().take(300).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
