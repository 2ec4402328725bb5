//! Entries with one field a line: `journalctl -o verbose`, `-o export`, `-o json-pretty`, and `dmesg --json`.
//!
//! Sources: journalctl(1); systemd, shared/logs-show.c (output_verbose) and "Journal Export Formats" (a field that is not
//! printable is its name, eight bytes of length, the value); util-linux, lib/jsonwrt.c, for `dmesg --json`.

use memchr::memmem;
use serde_json::{Map, Value};

use super::calendar::{self, Clock};
use super::journal::{self, Entry};
use super::lines::{LINE_LIMIT, Line};
use crate::tree::printable;

/// Fields that tell something here.
const WANTED: [&str; 13] = [
    "MESSAGE",
    "PRIORITY",
    "_BOOT_ID",
    "_KERNEL_DEVICE",
    "_TRANSPORT",
    "SYSLOG_IDENTIFIER",
    "__REALTIME_TIMESTAMP",
    "_SOURCE_REALTIME_TIMESTAMP",
    "__MONOTONIC_TIMESTAMP",
    "_SOURCE_MONOTONIC_TIMESTAMP",
    "pri",
    "time",
    "msg",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    Verbose,
    Export,
    Json,
}

/// What becomes of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// It belongs to the entry.
    Taken,
    /// It ends the entry.
    Ended,
    /// The entry ended before it.
    Behind,
}

/// A value that goes on in the next line.
#[derive(Debug)]
enum Open {
    /// Nothing is.
    No,
    /// Text of several lines, of `verbose`.
    Text(String),
    /// Numbers of bytes, of JSON.
    Bytes(String, Vec<Value>),
    /// Length and value, of `export`, from that offset of the file on.
    Binary(String, u64, Vec<u8>),
}

/// An entry as far as it was read.
#[derive(Debug)]
pub struct Partial {
    style: Style,
    fields: Map<String, Value>,
    clock: Option<Clock>,
    open: Open,
    /// Line and offset of the message, or of the beginning.
    place: (u64, u64),
}

impl Partial {
    /// The entry that begins with this line, if one does.
    pub fn begin(line: &Line<'_>) -> Option<Partial> {
        let new = |style| Partial {
            style,
            fields: Map::new(),
            clock: None,
            open: Open::No,
            place: (line.number, line.offset),
        };
        match line.bytes.last()? {
            b'{' if matches!(line.bytes.trim_ascii(), b"{" | b"},{" | b"}, {") => Some(new(Style::Json)),
            b']' if memmem::find(line.bytes, b" [s=").is_some() => {
                let text = printable(line.bytes.to_vec());
                let (clock, cursor) = calendar::full(&text)?;
                let mut partial = new(Style::Verbose);
                partial.clock = Some(clock);
                partial.cursor(cursor.strip_prefix('[')?.strip_suffix(']')?);
                Some(partial)
            }
            _ if line.bytes.starts_with(b"__CURSOR=") => Some(new(Style::Export)),
            _ => None,
        }
    }

    /// `s=…;i=…;b=…;m=…;t=…;x=…`: which boot, and microseconds since its start, in hexadecimal (systemd, journal/sd-journal.c,
    /// sd_journal_get_cursor). Fields of the entry say the same and count more.
    fn cursor(&mut self, cursor: &str) {
        for (name, value) in cursor.split(';').filter_map(|part| part.split_once('=')) {
            match name {
                "b" => self.insert("_BOOT_ID", Value::from(value)),
                "m" => {
                    if let Ok(time) = u64::from_str_radix(value, 16) {
                        self.insert("__MONOTONIC_TIMESTAMP", Value::from(time));
                    }
                }
                _ => {}
            }
        }
    }

    /// Whether what comes next is not text.
    pub fn is_binary(&self) -> bool {
        matches!(self.open, Open::Binary(..))
    }

    /// Takes the next line.
    pub fn take(&mut self, line: &Line<'_>) -> Step {
        match self.style {
            Style::Verbose => self.take_verbose(line),
            Style::Export => self.take_export(line),
            Style::Json => self.take_json(line),
        }
    }

    fn take_verbose(&mut self, line: &Line<'_>) -> Step {
        let Some(rest) = line.bytes.strip_prefix(b"    ") else { return Step::Behind };
        if let Some((name, value)) = field(rest) {
            self.open = if name == "MESSAGE" { Open::Text(name.to_owned()) } else { Open::No };
            self.place_message(name, line);
            self.set(name, value);
        } else if let Open::Text(name) = &self.open {
            // Further lines are indented as far as the first one.
            if let Some(Value::String(text)) = self.fields.get_mut(name.as_str())
                && text.len() < LINE_LIMIT
            {
                text.push('\n');
                text.push_str(printable(rest.trim_ascii_start().to_vec()).as_str());
            }
        }
        Step::Taken
    }

    fn take_export(&mut self, line: &Line<'_>) -> Step {
        if let Open::Binary(name, start, bytes) = &mut self.open {
            // The line end that was read before this line, with a carriage return if there was one.
            let read = start.saturating_add(bytes.len() as u64);
            if !bytes.is_empty() || line.offset > read {
                if line.offset.saturating_sub(read) == 2 {
                    bytes.push(b'\r');
                }
                bytes.push(b'\n');
            }
            bytes.extend_from_slice(line.bytes);
            let length = bytes.first_chunk::<8>().map(|length| u64::from_le_bytes(*length));
            let cut = bytes.len() > 8 + LINE_LIMIT;
            match length {
                // The value is followed by a line end.
                Some(length) if bytes.len() as u64 - 8 >= length || cut => {
                    let end =
                        bytes.len().min(8usize.saturating_add(usize::try_from(length).unwrap_or(usize::MAX)));
                    let (name, value) = (std::mem::take(name), bytes[8..end].to_vec());
                    self.open = Open::No;
                    self.set(&name, &value);
                }
                _ => {}
            }
            return Step::Taken;
        }
        if line.bytes.is_empty() {
            return Step::Ended;
        }
        if let Some((name, value)) = field(line.bytes) {
            self.place_message(name, line);
            self.set(name, value);
            return Step::Taken;
        }
        match name(line.bytes) {
            Some(name) => {
                let start = line.offset + line.bytes.len() as u64 + 1;
                self.open = Open::Binary(name.to_owned(), start, Vec::new());
                self.place_message(name, line);
                Step::Taken
            }
            None => Step::Behind,
        }
    }

    fn take_json(&mut self, line: &Line<'_>) -> Step {
        let text = line.bytes.trim_ascii();
        if let Open::Bytes(name, values) = &mut self.open {
            let number = text.strip_suffix(b",").unwrap_or(text);
            if let Some(number) = str::from_utf8(number).ok().and_then(|n| n.parse::<u8>().ok()) {
                if values.len() < LINE_LIMIT {
                    values.push(Value::from(number));
                }
                return Step::Taken;
            }
            let (name, values) = (std::mem::take(name), std::mem::take(values));
            self.open = Open::No;
            self.insert(&name, Value::Array(values));
        }
        match text.first() {
            Some(b'}') if matches!(text, b"}" | b"},") => Step::Ended,
            Some(b']') => Step::Taken,
            Some(b'"') => {
                if let Some((name, value)) = member(text) {
                    if value == b"[" {
                        self.open = Open::Bytes(name.to_owned(), Vec::new());
                    } else if WANTED.contains(&name)
                        && let Ok(value) = serde_json::from_slice(value)
                    {
                        self.insert(name, value);
                    }
                    self.place_message(name, line);
                }
                Step::Taken
            }
            _ => Step::Behind,
        }
    }

    fn set(&mut self, name: &str, value: &[u8]) {
        let value = match str::from_utf8(value) {
            Ok(text) => Value::from(text),
            Err(_) => Value::Array(value.iter().map(|byte| Value::from(*byte)).collect()),
        };
        self.insert(name, value);
    }

    fn place_message(&mut self, name: &str, line: &Line<'_>) {
        if matches!(name, "MESSAGE" | "msg") {
            self.place = (line.number, line.offset);
        }
    }

    fn insert(&mut self, name: &str, value: Value) {
        if WANTED.contains(&name) {
            self.fields.insert(name.to_owned(), value);
        }
    }

    /// What it says, with line and offset of its message; `None` if it has no message.
    pub fn finish(mut self) -> Option<(Entry, u64, u64)> {
        if let Open::Bytes(name, values) = std::mem::replace(&mut self.open, Open::No) {
            self.insert(&name, Value::Array(values));
        }
        let mut entry = journal::of_fields(&self.fields)?;
        if entry.when.clock.is_none() {
            entry.when.clock = self.clock;
        }
        Some((entry, self.place.0, self.place.1))
    }
}

/// The name of a field (systemd.journal-fields(7)): capital letters, digits and underscores, at most 64.
fn name(bytes: &[u8]) -> Option<&str> {
    let is_name = (1..=64).contains(&bytes.len())
        && !bytes[0].is_ascii_digit()
        && bytes.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || *b == b'_');
    str::from_utf8(bytes).ok().filter(|_| is_name)
}

/// `NAME=value`.
fn field(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let end = bytes.iter().take(65).position(|b| *b == b'=')?;
    Some((name(&bytes[..end])?, &bytes[end + 1..]))
}

/// `"name" : value,`
fn member(text: &[u8]) -> Option<(&str, &[u8])> {
    let rest = text.strip_prefix(b"\"")?;
    let end = rest.iter().position(|b| *b == b'"')?;
    let value = rest[end + 1..].trim_ascii_start().strip_prefix(b":")?.trim_ascii();
    Some((str::from_utf8(&rest[..end]).ok()?, value.strip_suffix(b",").unwrap_or(value)))
}

#[cfg(test)]
#[path = "journal_fields_tests.rs"]
mod tests;
