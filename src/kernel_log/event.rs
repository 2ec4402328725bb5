//! What a log line says, as data: kinds of events and their wordings, and events themselves.

pub use super::field::{Field, Fields, Hexadecimal, Role, Type, VOCABULARY, Value, vocabulary};
use super::stamp::When;
use crate::pci::Bdf;

/// Where the trouble is that an event speaks of, as far as the event alone tells.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// The link, the slot, or whether the device answers at all.
    Bus,
    /// Power states and power supply.
    Power,
    /// The device itself: its engines, its own firmware.
    Device,
    /// Memory of the device.
    Memory,
    /// Firmware of the machine: ACPI, address windows, what the kernel may control.
    Firmware,
    /// A driver or the kernel.
    Driver,
    /// The program that uses the device.
    Application,
    /// Follows from something else, which the lines before it say.
    Consequence,
    /// Nothing is wrong, or a person did it.
    Information,
    /// Not told by this event; its number or what stands around it tells.
    Depends,
}

impl Level {
    /// As it is written in answers.
    pub const fn name(self) -> &'static str {
        match self {
            Level::Bus => "bus",
            Level::Power => "power",
            Level::Device => "device",
            Level::Memory => "memory",
            Level::Firmware => "firmware",
            Level::Driver => "driver",
            Level::Application => "application",
            Level::Consequence => "consequence",
            Level::Information => "information",
            Level::Depends => "depends",
        }
    }
}

/// A kind of event. Rules refer to it by its identifier.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    /// Speaker and event, such as `nvidia.fallen-off-the-bus`. Never changes its meaning.
    pub id: &'static str,
    /// Where the trouble is.
    pub level: Level,
    /// What it means, in one or two sentences.
    pub means: &'static str,
    /// Where the wordings were read.
    pub source: &'static str,
    /// All wordings that there are of it.
    pub wordings: &'static [Wording],
}

impl Kind {
    /// A kind, for the tables of the speakers.
    pub const fn new(
        id: &'static str,
        level: Level,
        means: &'static str,
        source: &'static str,
        wordings: &'static [Wording],
    ) -> Self {
        Kind { id, level, means, source, wordings }
    }
}

/// How a line stands to the event that it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// One line is the whole event.
    Whole,
    /// The first line of several; a further one of its kind begins a new event.
    First,
    /// A further line. Without an open event of the same kind and device it begins one: logs are cut and filtered.
    Further,
}

/// One wording of a kind.
#[derive(Debug, PartialEq, Eq)]
pub struct Wording {
    /// A piece of text that is in every line of this wording: lines without any such piece are not looked at.
    pub has: &'static str,
    /// Regular expression over the message, with `<dev>` and the like (`catalogue.rs`); its groups are fields.
    pub is: &'static str,
    /// Which part of the event it is.
    pub part: Part,
    /// Whose lines name the device if this one does not: the driver as it stands in front of other lines.
    pub of: &'static str,
}

impl Wording {
    /// One line that is the whole event.
    pub const fn whole(has: &'static str, is: &'static str) -> Self {
        Wording { has, is, part: Part::Whole, of: "" }
    }

    /// The first line of several.
    pub const fn first(has: &'static str, is: &'static str) -> Self {
        Wording { has, is, part: Part::First, of: "" }
    }

    /// A further line.
    pub const fn further(has: &'static str, is: &'static str) -> Self {
        Wording { has, is, part: Part::Further, of: "" }
    }

    /// Says whose lines name the device if this one does not.
    pub const fn of(self, driver: &'static str) -> Self {
        Wording { of: driver, ..self }
    }
}

/// How the device of an event became known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum KnownFrom {
    /// The line names it.
    Line,
    /// The kernel attached it to the record (`DEVICE=+pci:…`).
    Record,
    /// An earlier line says which device the controller or interface of that name is.
    Name,
    /// The nearest earlier line of the same driver names it.
    Before,
    /// The next line of the same message names it.
    After,
}

/// A line that an event was read from.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Evidence {
    /// Line of the log, from 1.
    pub line: u64,
    /// Offset of the line in the log, in bytes.
    pub offset: u64,
    /// The line without colours, verbatim as far as it can be shown; a record of /dev/kmsg, or one of the journal with one field a
    /// line, as dmesg prints it.
    pub text: String,
}

/// Something that happened, once or repeatedly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// What it is.
    pub kind: &'static Kind,
    /// The function that it is about.
    pub device: Option<Bdf>,
    /// How that is known; `None` with no device.
    pub known_from: Option<KnownFrom>,
    /// The driver in whose name the line was written.
    pub driver: Option<String>,
    /// What else the lines say. Of a repeated event, details are those of the first time.
    pub fields: Fields,
    /// How often it happened.
    pub count: u64,
    /// When it first happened.
    pub first: When,
    /// When it last happened.
    pub last: When,
    /// Line at which it last began.
    pub last_line: u64,
    /// Index into the boots of the log.
    pub boot: usize,
    /// The first line without what stands before the message.
    pub message: String,
    /// The lines of the first time, at most [`EVIDENCE_LIMIT`].
    pub evidence: Vec<Evidence>,
    /// The lines of the last time; empty if it happened once.
    pub last_evidence: Vec<Evidence>,
}

/// Most lines that are kept of one event.
pub const EVIDENCE_LIMIT: usize = 32;

impl Event {
    /// A field that is a number.
    pub fn number(&self, name: &str) -> Option<i64> {
        self.fields.get(name).and_then(Value::number)
    }

    /// A field that is text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.fields.get(name).and_then(Value::text)
    }

    /// A field that is the address of a function.
    pub fn address(&self, name: &str) -> Option<Bdf> {
        self.text(name)?.parse().ok()
    }

    /// Whether it was told from words alone, and not by a wording of the catalogue.
    pub fn is_from_words_alone(&self) -> bool {
        self.kind.wordings.is_empty()
    }

    /// Whether it was told from words that sound like trouble.
    pub fn is_complaint(&self) -> bool {
        self.is_from_words_alone() && self.kind.id != "driver.recovered"
    }

    /// Line at which it first began.
    pub fn line(&self) -> u64 {
        self.evidence.first().map_or(0, |line| line.line)
    }
}
