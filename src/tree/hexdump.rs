//! Text of `lspci -x`, `-xxx` or `-xxxx`, alone or inside other text, as a tree.
//!
//! A function starts with a line `[domain:]bus:device.function …` of any length and ends with a blank line. Between
//! them rows `offset: xx xx …` count and everything else is passed over: decoded text of `-v`, remarks, messages.
//! Lines may be indented or quoted as in mail.
//!
//! What the text does not say is absent from the tree, never zero. Configuration space is kept up to the first byte
//! that is missing; a [`Note`] says where that was, and wherever else the text is not what lspci prints.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::MemoryTree;
use super::hexline::{Line, ROW, Row, split};
use super::hexrows::{Broken, Rows, SIZES};
use crate::pci::Bdf;

/// Most bytes of text that are read.
pub const INPUT_LIMIT: usize = 256 << 20;
/// Most functions that are kept: all that one domain can have.
pub const FUNCTION_LIMIT: usize = 65_536;
/// Most notes that are kept.
pub const NOTE_LIMIT: usize = 1000;

/// What a text holds.
#[derive(Debug, Clone)]
pub struct Dump {
    /// `sys/bus/pci/devices/ADDRESS/config` of every function; nothing else is known.
    pub tree: MemoryTree,
    /// How many functions there are.
    pub functions: usize,
    /// Where the text was not what lspci prints, in the order in which it was noticed.
    pub notes: Vec<Note>,
}

/// Something a reader of the dump should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Line of the text, counted from 1; `None` where it is not about a line.
    pub line: Option<usize>,
    /// What it is: one line, starting in lower case.
    pub text: String,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.text),
            None => f.write_str(&self.text),
        }
    }
}

/// Reads a text, which need not be UTF-8. A text without dumps gives no functions; nothing is an error.
pub fn parse(input: &[u8]) -> Dump {
    parse_up_to(input, INPUT_LIMIT)
}

pub(super) fn parse_up_to(input: &[u8], limit: usize) -> Dump {
    let mut reader = Reader::default();
    let read = match input.get(..limit) {
        Some(start) if input.len() > limit => {
            reader.note(None, format!("the text is longer than {limit} bytes; the rest is not read"));
            // A line that was cut could look like a short row.
            &start[..start.iter().rposition(|b| *b == b'\n').unwrap_or(0)]
        }
        _ => input,
    };
    let read = read.strip_prefix(b"\xef\xbb\xbf").unwrap_or(read);
    for (index, line) in read.split(|b| *b == b'\n').enumerate() {
        reader.line(index + 1, line);
    }
    reader.finish()
}

/// Takes bytes for a copy of one function's `config`. Its address is not in there, so 0000:00:00.0 stands for it.
///
/// `None` if the size is not 64, 128, 256 or 4096 bytes, or the header type is none that exists while the function
/// answers at all.
pub fn raw(bytes: &[u8]) -> Option<Dump> {
    let answers = bytes.iter().any(|b| *b != 0xff);
    let header_type = bytes.get(0x0e)? & 0x7f;
    if !SIZES.iter().any(|size| usize::from(*size) == bytes.len()) || answers && header_type > 2 {
        return None;
    }
    let address = Bdf { domain: 0, bus: 0, device: 0, function: 0 };
    let text = format!("raw configuration space does not say whose it is; {address} is made up");
    let tree = MemoryTree::partial().file(path(address), bytes);
    Some(Dump { tree, functions: 1, notes: vec![Note { line: None, text }] })
}

fn path(address: Bdf) -> String {
    format!("sys/bus/pci/devices/{address}/config")
}

/// Reads line by line.
#[derive(Default)]
struct Reader<'a> {
    tree: MemoryTree,
    known: BTreeSet<Bdf>,
    /// Addresses that no row followed, with their lines.
    bare: BTreeMap<Bdf, usize>,
    function: Option<Rows<'a>>,
    /// The rows that are passed over for want of an address were noted.
    orphans: bool,
    /// There are too many functions, and that was noted.
    full: bool,
    notes: Vec<Note>,
}

impl<'a> Reader<'a> {
    fn note(&mut self, line: Option<usize>, text: String) {
        match self.notes.len() {
            count if count < NOTE_LIMIT => self.notes.push(Note { line, text }),
            NOTE_LIMIT => self.notes.push(Note { line, text: "more notes are left out".to_owned() }),
            _ => {}
        }
    }

    fn line(&mut self, number: usize, raw: &'a [u8]) {
        let (prefix, text) = split(raw);
        let line = Line::of(text);
        if self.completes(number, raw, &line) {
            return;
        }
        match line {
            Line::Blank => {
                self.drop_broken();
                if let Some(function) = &mut self.function {
                    function.gap = true;
                }
            }
            Line::Address(address) => {
                self.close();
                self.orphans = false;
                self.function = Some(Rows::new(address, number));
            }
            Line::Impossible(word) if self.function.is_some() => {
                self.close();
                let word = String::from_utf8_lossy(word);
                self.note(Some(number), format!("{word} cannot be the address of a function"));
            }
            Line::Impossible(_) => {}
            Line::Row(row) => self.row(number, prefix, text, row),
            Line::Other => {
                // Text of its own after a blank line is not about the function any more; decoded lines are indented.
                let indented = prefix.contains(&b'\t') || prefix.ends_with(b"  ");
                if self.function.as_ref().is_some_and(|function| function.gap && !indented) {
                    self.close();
                }
                if let Some(function) = &mut self.function
                    && function.broken.as_ref().is_none_or(|broken| broken.row.is_none())
                    && text.first().is_some_and(u8::is_ascii_hexdigit)
                {
                    function.broken = Some(Broken { line: number, prefix, text, row: None });
                }
            }
        }
    }

    fn row(&mut self, number: usize, prefix: &'a [u8], text: &'a [u8], row: Row<'a>) {
        if self.function.as_ref().is_some_and(|function| function.gap && function.next != row.offset) {
            self.close();
        }
        let aligned = usize::from(row.offset).is_multiple_of(ROW);
        self.drop_broken();
        match &mut self.function {
            None if aligned && row.rest.is_empty() && !self.orphans => {
                self.orphans = true;
                self.note(
                    Some(number),
                    "hex rows without an address line before them are passed over".to_owned(),
                );
            }
            None => {}
            Some(function) if !aligned => {
                let text =
                    format!("{}: no row starts at {:#x}; it is left out", function.address, row.offset);
                self.note(Some(number), text);
            }
            Some(function) if row.rest.is_empty() && row.is_full() => function.store(number, &row),
            Some(function) => function.broken = Some(Broken { line: number, prefix, text, row: Some(row) }),
        }
    }

    /// Whether the line is the second part of a row; then the row is stored.
    fn completes(&mut self, number: usize, raw: &[u8], line: &Line<'_>) -> bool {
        let Some(function) = &mut self.function else { return false };
        let tail = match line {
            Line::Row(row) if row.offset == function.next => return false,
            Line::Row(_) | Line::Other => raw,
            Line::Blank if function.broken.as_ref().is_some_and(Broken::is_glued) => b"",
            _ => return false,
        };
        let Some(whole) = function.join(tail) else { return false };
        let Line::Row(row) = Line::of(&whole) else { return false };
        let number = function.broken.take().map_or(number, |broken| broken.line);
        function.store(number, &row);
        let text =
            format!("{}: row {:#x}, cut in two by other text, is joined", function.address, row.offset);
        self.note(Some(number), text);
        true
    }

    /// Decides on a row that is short or has other text in it, now that no second part follows. A short one may be the
    /// last; with sixteen bytes and text behind them it is whole.
    fn drop_broken(&mut self) {
        let Some(function) = &mut self.function else { return };
        let Some(Broken { line, row: Some(row), .. }) = function.broken.take() else { return };
        if row.is_full() || row.rest.is_empty() {
            return function.store(line, &row);
        }
        let text =
            format!("{}: row {:#x} is not hex up to its end; it is left out", function.address, row.offset);
        self.note(Some(line), text);
    }

    /// Ends the function and keeps it if it has configuration space.
    fn close(&mut self) {
        self.drop_broken();
        let Some(function) = self.function.take() else { return };
        let (address, line) = (function.address, function.line);
        if function.is_empty() {
            if self.bare.len() < FUNCTION_LIMIT {
                self.bare.entry(address).or_insert(line);
            }
            return;
        }
        let (runs, size) = function.finish(|line, text| self.note(Some(line), text));
        if runs.is_empty() {
            return;
        }
        if self.known.contains(&address) {
            let bytes: usize = runs.iter().map(|(_, run)| run.len()).sum();
            let text = format!("{address} comes a second time, here with {bytes} bytes; the first is kept");
            return self.note(Some(line), text);
        }
        if self.known.len() >= FUNCTION_LIMIT {
            if !std::mem::replace(&mut self.full, true) {
                self.note(
                    Some(line),
                    format!("there are more than {FUNCTION_LIMIT} functions; the rest is left out"),
                );
            }
            return;
        }
        self.known.insert(address);
        self.tree = std::mem::take(&mut self.tree).pieces(path(address), runs, size);
    }

    fn finish(mut self) -> Dump {
        self.close();
        self.bare.retain(|address, _| !self.known.contains(address));
        if let Some((first, line)) = self.bare.iter().min_by_key(|(_, line)| **line) {
            let others = match self.bare.len() {
                1 => String::new(),
                count => format!(" and {} more addresses", count - 1),
            };
            let text = format!("no hex rows follow {first}{others}; `lspci -xxxx` prints them");
            self.note(Some(*line), text);
        }
        Dump { tree: self.tree, functions: self.known.len(), notes: self.notes }
    }
}

#[cfg(test)]
#[path = "hexdump_tests.rs"]
mod tests;
