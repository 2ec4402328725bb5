//! Personal data in a capture: replaced by pseudonyms of the same length, so that everything else stays where it is.
//!
//! A pseudonym is made from the value and a key of the user's (HMAC-SHA256, RFC 2104): equal values get equal pseudonyms,
//! within a capture and between captures that were made with the same key, and nobody without the key can test a guess.
//!
//! Values are found in two ways. Where a specification says that a serial number stands (`places`, `smbios`), it is
//! taken from there; what texts name by its form or by the words before it (`patterns`) is taken from the texts. All
//! that was found is then looked for everywhere, in every byte order and spelling (`known`).

pub mod key;
mod known;
mod patterns;
mod places;
mod pseudonym;
mod smbios;
mod spans;
#[cfg(test)]
mod tests;

use super::about::Replaced;
use super::recording::{Kept, Recording};
use crate::tree::{Tree, read_text};
use key::Key;
use known::Known;
use pseudonym::Secret;
use spans::Spans;

/// What a capture's personal data was replaced with, for the words beside it that are no part of the recording.
pub struct Redaction {
    key: Key,
    known: Known,
    /// What was replaced, by path.
    pub replaced: Vec<Replaced>,
}

/// Replaces personal data in a recording. `hosts` are names of the machine that are known from elsewhere.
pub fn redact(recording: &mut Recording, key: Key, hosts: &[String]) -> Redaction {
    let mut secrets: Vec<Secret> = hosts.iter().filter_map(|host| Secret::host(host)).collect();
    for (path, kept) in recording.iter() {
        secrets.extend(places::found(path, kept).into_iter().map(|place| place.secret));
        if let (true, Kept::File { bytes, .. }) = (patterns::apply_to(path), kept) {
            patterns::collect(bytes, &mut secrets);
        }
    }
    let known = Known::new(&key, secrets);
    let mut redaction = Redaction { key, known, replaced: Vec::new() };
    for (path, kept) in recording.iter_mut() {
        redaction.kept(path, kept);
    }
    redaction
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
        patterns::find(&bytes, &self.key, &mut spans);
        spans.apply(&mut bytes);
        // Pseudonyms are ASCII and no longer than what they replace, of which only ASCII is replaced.
        String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
    }

    fn kept(&mut self, path: &str, kept: &mut Kept) {
        let places = places::found(path, kept);
        let mut all = Spans::default();
        match kept {
            Kept::File { bytes, .. } => {
                all = self.bytes(path, bytes, 0, &places);
            }
            Kept::Pieces { pieces, .. } => {
                for (offset, run) in &mut pieces.runs {
                    let spans = self.bytes(path, run, *offset, &places);
                    all.count(&spans);
                }
            }
            Kept::Link(_) | Kept::Folder | Kept::Listed | Kept::Failed(_) => {}
        }
        for (what, count) in all.counts() {
            self.replaced.push(Replaced { path: format!("/{path}"), what: what.to_owned(), count });
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
        if patterns::apply_to(path) {
            patterns::find(bytes, &self.key, &mut spans);
        }
        let checksum = places::checksum_of_product_data(path, offset, bytes);
        spans.apply(bytes);
        if let Some(at) = checksum {
            places::mend_checksum(bytes, at);
        }
        spans
    }
}
