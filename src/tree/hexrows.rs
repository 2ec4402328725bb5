//! The rows of one function while they are read.

use super::hexline::{Line, ROW, Row};
use crate::pci::Bdf;
use crate::pci::space::{CONFIG_SPACE_SIZE, CONVENTIONAL_SIZE, HEADER_SIZE};

/// Size of what `lspci -x` prints of a CardBus bridge, in bytes.
const CARDBUS_SIZE: u16 = 128;
/// Sizes that configuration space, or the part of it that may be read, can have, in bytes.
pub(super) const SIZES: [u16; 4] = [HEADER_SIZE, CARDBUS_SIZE, CONVENTIONAL_SIZE, CONFIG_SPACE_SIZE];

/// The rows of one function, in whatever order they come.
pub(super) struct Rows<'a> {
    /// Whose they are.
    pub address: Bdf,
    /// Line of the address.
    pub line: usize,
    /// Offset that the next row should have, at most the size of the space.
    pub next: u16,
    /// A blank line was seen after the last row, or after the address.
    pub gap: bool,
    /// A line in which other text may have cut a row in two.
    pub broken: Option<Broken<'a>>,
    bytes: Vec<u8>,
    /// How many bytes of each row are there.
    filled: [u8; CONFIG_SPACE_SIZE as usize / ROW],
    repeated: Tally,
    trailing: Tally,
}

/// A line that may be the first part of a row, with other text behind it.
pub(super) struct Broken<'a> {
    /// Its number.
    pub line: usize,
    /// White space and quote characters at its start.
    pub prefix: &'a [u8],
    /// What follows them.
    pub text: &'a [u8],
    /// The row it would be without a second part, if the offset and at least one byte are there.
    pub row: Option<Row<'a>>,
}

impl Broken<'_> {
    /// Whether the other text may start right behind the last digit of the row, so that a blank line completes it.
    pub fn is_glued(&self) -> bool {
        self.row.is_some_and(|row| row.bytes().len() == ROW - 1)
    }
}

/// How often something happened in one function, and where first.
#[derive(Default)]
struct Tally(Option<(usize, u16)>, usize);

impl Tally {
    fn count(&mut self, line: usize, offset: u16) {
        self.0.get_or_insert((line, offset));
        self.1 += 1;
    }
}

impl<'a> Rows<'a> {
    /// No rows yet.
    pub fn new(address: Bdf, line: usize) -> Self {
        let filled = [0; CONFIG_SPACE_SIZE as usize / ROW];
        let (repeated, trailing) = (Tally::default(), Tally::default());
        Rows {
            address,
            line,
            next: 0,
            gap: false,
            broken: None,
            bytes: Vec::new(),
            filled,
            repeated,
            trailing,
        }
    }

    /// Whether there is no row at all.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Stores a row that starts at a multiple of sixteen, unless there is one with that offset.
    pub fn store(&mut self, line: usize, row: &Row<'_>) {
        let (start, bytes) = (usize::from(row.offset), row.bytes());
        self.next = row.offset + ROW as u16;
        self.gap = false;
        if !row.rest.is_empty() {
            self.trailing.count(line, row.offset);
        }
        match self.filled.get_mut(start / ROW) {
            Some(filled @ 0) => *filled = bytes.len() as u8,
            _ => return self.repeated.count(line, row.offset),
        }
        if self.bytes.len() < start + bytes.len() {
            self.bytes.resize(start + bytes.len(), 0);
        }
        self.bytes[start..start + bytes.len()].copy_from_slice(bytes);
    }

    /// The row that a line completes, if another line was cut in two by other text. lspci prints rows of one width,
    /// so the length of the second part says how long the first one is, and the result must be the very row that is
    /// due: nothing is guessed.
    pub fn join(&self, line: &[u8]) -> Option<Vec<u8>> {
        let broken = self.broken.as_ref()?;
        let tail = match line.trim_ascii_end() {
            b"" => b"",
            line => line.strip_prefix(broken.prefix)?,
        };
        let width = if self.next < 0x100 { 2 } else { 3 } + ":".len() + ROW * " xx".len();
        let head = broken.text.get(..width.checked_sub(tail.len())?)?;
        let whole = [head, tail].concat();
        let fits = matches!(Line::of(&whole), Line::Row(row)
            if row.offset == self.next && row.rest.is_empty() && row.is_full());
        fits.then_some(whole)
    }

    /// The runs of bytes that are there, each with its offset, and the size of the space that they are of. Without the
    /// first row there are none: nobody could tell what the others mean. `note` is told the line and the text of what
    /// was odd.
    pub fn finish(self, mut note: impl FnMut(usize, String)) -> (Vec<(u64, Vec<u8>)>, u64) {
        let address = self.address;
        if let Tally(Some((line, offset)), count) = self.repeated {
            let text = format!(
                "{address}: {count} rows, the first at {offset:#x}, are repeated; what came first is kept"
            );
            note(line, text);
        }
        if let Tally(Some((line, offset)), count) = self.trailing {
            note(
                line,
                format!("{address}: text behind {count} rows, the first at {offset:#x}, is passed over"),
            );
        }
        let mut runs: Vec<(u64, Vec<u8>)> = Vec::new();
        for (row, filled) in self.filled.iter().enumerate().filter(|(_, filled)| **filled > 0) {
            let start = row * ROW;
            let bytes = &self.bytes[start..start + usize::from(*filled)];
            match runs.last_mut() {
                Some((offset, run)) if *offset as usize + run.len() == start => run.extend_from_slice(bytes),
                _ => runs.push((start as u64, bytes.to_vec())),
            }
        }
        let end = runs.last().map_or(0, |(offset, run)| *offset + run.len() as u64);
        let size = SIZES.into_iter().map(u64::from).find(|size| *size >= end).unwrap_or(end);
        for pair in runs.windows(2) {
            let (from, to) = (pair[0].0 + pair[0].1.len() as u64, pair[1].0);
            note(self.line, format!("{address}: bytes {from:#x} to {to:#x} are missing and stay unknown"));
        }
        if runs.first().is_none_or(|(offset, _)| *offset != 0) {
            note(
                self.line,
                format!("{address}: the row at 0x0 is missing; without it the others mean nothing"),
            );
            return (Vec::new(), 0);
        }
        if end < size {
            note(self.line, format!("{address}: the rows end at {end:#x}, in the middle of the space"));
        }
        (runs, size)
    }
}
