//! Personal data in a capture: replaced by pseudonyms of the same length, so that everything else stays where it is.
//!
//! A pseudonym is made from the value and a key of the user's (HMAC-SHA256, RFC 2104): equal values get equal pseudonyms,
//! within a capture and between captures that were made with the same key, and nobody without the key can test a guess.
//!
//! Values are found in two ways. Where a specification says that a serial number stands (`places`, `smbios`), it is
//! taken from there; what texts name by its form or by the words before it (`patterns`, `texts`) is taken from the texts. All
//! that was found is then looked for everywhere, in every byte order and spelling (`known`), in names of files too.

pub mod key;
mod known;
mod networks;
mod patterns;
mod places;
mod pseudonym;
mod smbios;
mod spans;
#[cfg(test)]
mod tests;
mod texts;

use std::collections::{BTreeMap, BTreeSet};

use super::about::Replaced;
use super::recording::{Kept, Recording};
use crate::tree::{Tree, read_text};
use key::Key;
use known::Known;
use pseudonym::Secret;
use spans::Spans;
use texts::{Kind, Matched};

/// What a capture's personal data was replaced with, for the words beside it that are no part of the recording.
pub struct Redaction {
    key: Key,
    known: Known,
    /// Parts of paths that are replaced.
    names: BTreeMap<String, String>,
    /// What there is to be found in long texts.
    matched: Matched,
    /// What was replaced, by path.
    pub replaced: Vec<Replaced>,
}

impl Redaction {
    /// What tells whether two captures have the same pseudonyms: equal for equal keys, and of no use to find the key.
    pub fn pseudonyms(&self) -> String {
        crate::evidence::hexadecimal(&self.key.stream("which key", b"", 8))
    }
}

/// Replaces personal data in a recording. `hosts` are names of the machine that are known from elsewhere.
pub fn redact(recording: &mut Recording, key: Key, hosts: &[String]) -> Redaction {
    let mut matched = Matched::new();
    let mut secrets: Vec<Secret> = hosts.iter().filter_map(|host| Secret::host(host)).collect();
    for (path, kept) in recording.iter() {
        secrets.extend(places::found(path, kept).into_iter().map(|place| place.secret));
        match kept {
            Kept::File { bytes, .. } => texts::collect(path, bytes, &mut secrets, &mut matched),
            Kept::Pieces { pieces, .. } => {
                for (_, bytes) in &pieces.runs {
                    texts::collect(path, bytes, &mut secrets, &mut Matched::new());
                }
            }
            Kept::Link(_) | Kept::Folder | Kept::Listed | Kept::Failed(_) => {}
        }
    }
    let names = names(recording);
    names.iter().for_each(|name| texts::collect("", name.as_bytes(), &mut secrets, &mut Matched::new()));
    let common = common(recording, &names);
    let known = Known::new(&key, secrets, &common);
    let mut redaction = Redaction { key, known, names: BTreeMap::new(), matched, replaced: Vec::new() };
    let others = names.into_iter().map(|name| (redaction.name(&name), name));
    redaction.names = others.filter(|(new, old)| new != old).map(|(new, old)| (old, new)).collect();
    for (path, kept) in recording.iter_mut() {
        redaction.kept(path, kept);
    }
    recording.rename(|path| redaction.path(path));
    redaction
}

/// The parts of all paths.
fn names(recording: &Recording) -> BTreeSet<String> {
    let mut names: BTreeSet<String> = BTreeSet::new();
    let mut add = |path: &str| {
        for name in path.split('/').filter(|name| !name.is_empty()) {
            if !names.contains(name) {
                names.insert(name.to_owned());
            }
        }
    };
    for (path, kept) in recording.iter() {
        add(path);
        if let Kept::Link(target) = kept {
            add(target);
        }
    }
    names
}

/// Words that mean something else than a host or a person: names of drivers and modules, and parts of paths that are words.
fn common(recording: &Recording, names: &BTreeSet<String>) -> BTreeSet<String> {
    let is_word = |name: &&String| name.bytes().all(|byte| byte.is_ascii_alphabetic());
    let mut words: BTreeSet<String> = names.iter().filter(is_word).map(|n| n.to_ascii_lowercase()).collect();
    for (path, _) in recording.iter() {
        let driver =
            ["sys/bus/pci/drivers/", "sys/module/"].iter().find_map(|start| path.strip_prefix(start));
        words.extend(driver.and_then(|rest| rest.split('/').next()).map(str::to_ascii_lowercase));
    }
    if let Some(Kept::File { bytes, .. }) = recording.get("proc/modules") {
        let text = String::from_utf8_lossy(bytes);
        // What begins such a line is a name, and what follows it are its size and its users.
        let first = |line: &str| {
            let mut words = line.split(' ');
            let name = words.next()?.to_ascii_lowercase();
            words.next()?.parse::<u64>().is_ok().then_some(name)
        };
        words.extend(text.lines().filter_map(first));
    }
    words
}

/// Names of the machine, as far as its files say.
pub fn hosts(tree: &dyn Tree) -> Vec<String> {
    let files = ["proc/sys/kernel/hostname", "etc/hostname"];
    files.iter().filter_map(|path| read_text(tree, path).ok()).filter(|name| !name.is_empty()).collect()
}

impl Redaction {
    /// Replaces personal data in one line or text.
    pub fn text(&self, text: &str) -> String {
        let mut bytes = text.as_bytes().to_vec();
        let mut spans = Spans::default();
        self.known.find(&bytes, &mut spans);
        texts::find(Kind::Any, &bytes, 0, &self.key, &mut spans);
        spans.apply(&mut bytes);
        // Pseudonyms are ASCII and no longer than what they replace, of which only ASCII is replaced.
        String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
    }

    /// Replaces personal data in the path of a file or the text of a link.
    pub fn path(&self, path: &str) -> String {
        let name = |name: &str| self.names.get(name).cloned().unwrap_or_else(|| name.to_owned());
        path.split('/').map(name).collect::<Vec<_>>().join("/")
    }

    /// The same in a part of a path.
    fn name(&self, name: &str) -> String {
        let mut bytes = name.as_bytes().to_vec();
        let mut spans = Spans::default();
        self.known.find(&bytes, &mut spans);
        texts::find(Kind::OfDevices, &bytes, 0, &self.key, &mut spans);
        spans.apply(&mut bytes);
        String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
    }

    fn kept(&mut self, path: &str, kept: &mut Kept) {
        let places = places::found(path, kept);
        let mut all = Spans::default();
        match kept {
            Kept::File { bytes, .. } => {
                let spans = self.bytes(path, bytes, 0, &places);
                all.count(&spans, 0);
            }
            Kept::Pieces { pieces, .. } => {
                for (offset, run) in &mut pieces.runs {
                    let spans = self.bytes(path, run, *offset, &places);
                    all.count(&spans, *offset);
                }
            }
            Kept::Link(target) => *target = self.path(target),
            Kept::Folder | Kept::Listed | Kept::Failed(_) => {}
        }
        let binary = path.ends_with("/config") || path.ends_with("/vpd");
        for (what, count) in all.counts() {
            let ranges = if binary { all.ranges(what) } else { Vec::new() };
            let path = format!("/{}", self.path(path));
            self.replaced.push(Replaced { path, what: what.to_owned(), count, ranges });
        }
    }

    /// Replaces in bytes that begin at `offset` of their file.
    fn bytes(&self, path: &str, bytes: &mut [u8], offset: u64, places: &[places::Place]) -> Spans {
        let mut spans = Spans::default();
        for place in places {
            let Some(start) = place.offset.checked_sub(offset).and_then(|start| usize::try_from(start).ok())
            else {
                continue;
            };
            let Some(old) = start.checked_add(place.length).and_then(|end| bytes.get(start..end)) else {
                continue;
            };
            spans.add(start, place.replacement(&self.key, old), place.what());
        }
        self.known.find(bytes, &mut spans);
        texts::find_in(path, bytes, &self.key, &self.matched, &mut spans);
        let checksum = places::checksum_of_product_data(path, offset, bytes);
        spans.apply(bytes);
        if let Some(at) = checksum {
            places::mend_checksum(bytes, at);
        }
        spans
    }
}
