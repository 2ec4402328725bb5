//! All kinds of events, and finding the one that a line is.

use std::borrow::Cow;
use std::sync::{LazyLock, OnceLock};

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use regex::bytes::{Captures, Regex, RegexBuilder};

use super::complaint;
use super::event::{Fields, Hexadecimal, Kind, Part, Type, Value, Wording, vocabulary};
use super::speaker;
use crate::pci::Bdf;

/// What stands for what in the wordings. `<dev>` is how the kernel begins a line about a device: the driver (or the bus,
/// if none is bound), the address, before 5.1 the port service, of network drivers the interface
/// (kernel: include/linux/dev_printk.h, drivers/base/core.c dev_driver_string; net/core/dev.c __netdev_printk).
const SHORTHAND: &[(&str, &str)] = &[
    ("<dev>", r"^(?P<driver>[\w.+-]+) (?P<device><bdf>)(?::pcie[0-9a-f]{2,3})?(?: [^:\[\]]{1,64})?: "),
    // AER's prefix comes and goes with the kernel's version (reference: drivers/pci/pcie/aer.c, dev_fmt and pci_printk).
    ("<aer>", r"^(?P<driver>[\w.+-]+) (?P<device><bdf>)(?::pcie[0-9a-f]{2,3})?: (?:AER: )?\s*"),
    ("<gpu>", r"(?P<device>[0-9a-fA-F]{4,8}:[0-9a-fA-F]{2}:[0-9a-fA-F]{2}(?:\.[0-7])?)"),
    ("<word>", r"[\w.+-]+"),
    ("<bdf>", r"[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]"),
];

/// Every kind of event.
pub fn kinds() -> impl Iterator<Item = &'static Kind> {
    speaker::ALL.iter().flat_map(|kinds| kinds.iter()).chain(complaint::KINDS)
}

/// The kind of that name.
pub fn kind(id: &str) -> Option<&'static Kind> {
    kinds().find(|kind| kind.id == id)
}

/// A wording with its kind, compiled when a line first needs it.
struct Entry {
    kind: &'static Kind,
    wording: &'static Wording,
    regex: OnceLock<Option<Regex>>,
}

impl Entry {
    fn regex(&self) -> Option<&Regex> {
        self.regex.get_or_init(|| compile(self.wording.is).ok()).as_ref()
    }
}

struct Table {
    entries: Vec<Entry>,
    /// The pieces of text that wordings have; `None` if they could not be built, which a test rules out.
    pieces: Option<AhoCorasick>,
    /// Which entries have each piece.
    having: Vec<Vec<usize>>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let entries: Vec<Entry> = kinds()
        .flat_map(|kind| kind.wordings.iter().map(move |wording| (kind, wording)))
        .map(|(kind, wording)| Entry { kind, wording, regex: OnceLock::new() })
        .collect();
    let mut pieces: Vec<&str> = Vec::new();
    let mut having: Vec<Vec<usize>> = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        match pieces.iter().position(|piece| *piece == entry.wording.has) {
            Some(at) => having[at].push(index),
            None => {
                pieces.push(entry.wording.has);
                having.push(vec![index]);
            }
        }
    }
    // Lines that only name a device are looked at too; they are no event.
    for piece in NAMING_PIECES {
        pieces.push(piece);
        having.push(Vec::new());
    }
    Table { entries, pieces: search(&pieces).ok(), having }
});

/// A table as fast as it can be, whatever memory it takes: it is looked at for every byte.
fn search(pieces: &[&str]) -> Result<AhoCorasick, aho_corasick::BuildError> {
    AhoCorasick::builder().kind(Some(AhoCorasickKind::DFA)).byte_classes(false).build(pieces)
}

fn compile(wording: &str) -> Result<Regex, regex::Error> {
    let mut text = wording.to_owned();
    for (short, long) in SHORTHAND {
        text = text.replace(short, long);
    }
    RegexBuilder::new(&text).unicode(false).build()
}

/// Pieces of text of lines that say which device a driver speaks of.
const NAMING_PIECES: [&str; 21] = [
    "nvidia 0",
    "nvme 0",
    "amdgpu 0",
    "i915 0",
    "mlx5_core 0",
    "i40e 0",
    "ixgbe 0",
    "ice 0",
    "igb 0",
    "igc 0",
    "e1000e 0",
    "bnxt_en 0",
    "r8169 0",
    "tg3 0",
    "bnx2x 0",
    "mpt3sas 0",
    "iwlwifi 0",
    "megaraid_sas 0",
    "mpt2sas 0",
    "sas_cm",
    "nvme nvme",
];

/// Whether a line can be an event, or name the device of one: cheap, and never wrong when it says no.
pub fn may_matter(line: &[u8]) -> bool {
    TABLE.pieces.as_ref().is_none_or(|pieces| pieces.is_match(line)) || complaint::may_be(line)
}

/// What one line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The kind of event.
    pub kind: &'static Kind,
    /// Which part of it the line is.
    pub part: Part,
    /// Whose lines name the device if this one does not; empty if nobody's.
    pub of: &'static str,
    /// The driver in whose name it was written.
    pub driver: Option<String>,
    /// The device that the line names.
    pub device: Option<Bdf>,
    /// Everything else that it says.
    pub fields: Fields,
}

/// What a message says; `None` if it is none of the kinds.
pub fn parse(text: &str) -> Option<Said> {
    parse_marked(text, None)
}

/// The same of a message with its severity as syslog counts, 0 (emergency) to 7 (debug), if that is known.
pub fn parse_marked(text: &str, severity: Option<u8>) -> Option<Said> {
    known(text).or_else(|| complaint::parse(text, severity))
}

fn known(text: &str) -> Option<Said> {
    let table = &*TABLE;
    let mut candidates: Vec<usize> = match &table.pieces {
        Some(pieces) => {
            let found = pieces.find_overlapping_iter(text);
            found.flat_map(|m| table.having[m.pattern().as_usize()].iter().copied()).collect()
        }
        None => (0..table.entries.len()).collect(),
    };
    candidates.sort_unstable();
    candidates.dedup();
    candidates.into_iter().find_map(|at| {
        let entry = &table.entries[at];
        let regex = entry.regex()?;
        let captures = regex.captures(text.as_bytes())?;
        Some(said(entry, regex, &captures))
    })
}

/// How many kinds have a wording that the message fits. More than one is a defect of the tables.
#[cfg(test)]
pub fn fitting(text: &str) -> Vec<&'static str> {
    let fits = |e: &&Entry| e.regex().is_some_and(|r| r.is_match(text.as_bytes()));
    let mut ids: Vec<&str> = TABLE.entries.iter().filter(fits).map(|e| e.kind.id).collect();
    ids.dedup();
    ids
}

fn said(entry: &Entry, regex: &Regex, captures: &Captures<'_>) -> Said {
    let mut said = Said {
        kind: entry.kind,
        part: entry.wording.part,
        of: entry.wording.of,
        driver: None,
        device: None,
        fields: Fields::new(),
    };
    for name in regex.capture_names().flatten() {
        let Some(group) = captures.name(name) else { continue };
        let text = String::from_utf8_lossy(group.as_bytes());
        match name {
            "driver" => said.driver = Some(text.into_owned()),
            "device" => said.device = address(&text),
            _ => {
                // A name that ends in a digit is the same field in another alternative of the expression.
                let plain = name.trim_end_matches(|c: char| c.is_ascii_digit());
                if let Some(field) = vocabulary(plain)
                    && let Some(value) = value(field.kind, text)
                {
                    said.fields.insert(field.name, value);
                }
            }
        }
    }
    // A bit that was the first one is marked so behind its name.
    if said.fields.contains_key("first")
        && let Some(Value::List(errors)) = said.fields.get("errors")
    {
        said.fields.insert("first", Value::Text(errors.join(" ")));
    }
    said
}

fn value(kind: Type, text: Cow<'_, str>) -> Option<Value> {
    let text = text.trim();
    Some(match kind {
        Type::Text => Value::Text(text.to_owned()),
        Type::Decimal => Value::Number(text.parse().ok()?),
        Type::Hex => {
            let digits = text.strip_prefix("0x").unwrap_or(text);
            Value::Hexadecimal(Hexadecimal(u64::from_str_radix(digits, 16).ok()?))
        }
        Type::Address => Value::Text(address(text)?.to_string()),
        Type::Item => Value::List(vec![text.to_owned()]),
        Type::Words => Value::List(text.split_whitespace().map(str::to_owned).collect()),
    })
}

/// An address as drivers write it: without the function (NVIDIA's Xid lines; function 0 is meant), without the domain
/// (IOMMU drivers; domain 0 is meant), in upper or lower case.
fn address(text: &str) -> Option<Bdf> {
    let text = text.strip_prefix("PCI:").unwrap_or(text);
    if text.contains('.') {
        return text.parse().ok();
    }
    format!("{text}.0").parse().ok()
}

#[cfg(test)]
#[path = "catalogue_tests.rs"]
mod tests;
