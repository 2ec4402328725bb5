//! What is to be replaced in a run of bytes.

use std::collections::BTreeMap;

/// Replacements that do not overlap, of the same length as what they replace.
#[derive(Debug, Default)]
pub struct Spans {
    /// By the offset at which they start: the new bytes.
    new: BTreeMap<usize, Vec<u8>>,
    /// How often what was replaced.
    counts: BTreeMap<&'static str, usize>,
    /// Where what was replaced in a file: offset and length.
    places: Vec<(&'static str, [u64; 2])>,
}

impl Spans {
    /// Adds a replacement unless part of it is replaced already: the first one to claim a byte has it.
    pub fn add(&mut self, start: usize, new: Vec<u8>, what: &'static str) {
        if new.is_empty() || !self.is_free(start, new.len()) {
            return;
        }
        self.places.push((what, [start as u64, new.len() as u64]));
        self.new.insert(start, new);
        *self.counts.entry(what).or_default() += 1;
    }

    fn is_free(&self, start: usize, length: usize) -> bool {
        let before = self.new.range(..start + length).next_back();
        before.is_none_or(|(at, new)| at + new.len() <= start)
    }

    /// Replaces.
    pub fn apply(&self, bytes: &mut [u8]) {
        for (start, new) in &self.new {
            if let Some(old) = bytes.get_mut(*start..start + new.len()) {
                old.copy_from_slice(new);
            }
        }
    }

    /// Adds the numbers of others, and their places, which begin at `offset` of the file.
    pub fn count(&mut self, others: &Spans, offset: u64) {
        for (what, count) in &others.counts {
            *self.counts.entry(what).or_default() += count;
        }
        self.places
            .extend(others.places.iter().map(|(what, [start, length])| (*what, [offset + start, *length])));
    }

    /// Where something was replaced, in the order of the offsets.
    pub fn ranges(&self, what: &str) -> Vec<[u64; 2]> {
        let mine = self.places.iter().filter(|(of, _)| *of == what);
        let mut ranges: Vec<[u64; 2]> = mine.map(|(_, range)| *range).collect();
        ranges.sort_unstable();
        ranges
    }

    /// How often what was replaced.
    pub fn counts(&self) -> impl Iterator<Item = (&'static str, usize)> + '_ {
        self.counts.iter().map(|(what, count)| (*what, *count))
    }
}
