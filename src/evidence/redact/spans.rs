//! What is to be replaced in a run of bytes.

use std::collections::BTreeMap;

/// Replacements that do not overlap, of the same length as what they replace.
#[derive(Debug, Default)]
pub struct Spans {
    /// By the offset at which they start: the new bytes.
    new: BTreeMap<usize, Vec<u8>>,
    /// How often what was replaced.
    counts: BTreeMap<&'static str, usize>,
}

impl Spans {
    /// Adds a replacement unless part of it is replaced already: the first one to claim a byte has it.
    pub fn add(&mut self, start: usize, new: Vec<u8>, what: &'static str) {
        if new.is_empty() || !self.is_free(start, new.len()) {
            return;
        }
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

    /// Adds the numbers of others.
    pub fn count(&mut self, others: &Spans) {
        for (what, count) in &others.counts {
            *self.counts.entry(what).or_default() += count;
        }
    }

    /// How often what was replaced.
    pub fn counts(&self) -> impl Iterator<Item = (&'static str, usize)> + '_ {
        self.counts.iter().map(|(what, count)| (*what, *count))
    }
}
