//! What a log line says, as data: kinds of events, their wordings, their fields.

use std::collections::BTreeMap;
use std::fmt;

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

/// The value of a field.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, schemars::JsonSchema)]
#[serde(untagged)]
pub enum Value {
    /// A number; negative ones are error numbers of the kernel.
    Number(i64),
    /// A number that is written in hexadecimal: an identifier, a register.
    Hexadecimal(Hexadecimal),
    /// A word or words, verbatim.
    Text(String),
    /// Several, in the order in which they came.
    List(Vec<String>),
}

impl Value {
    /// The number, if it is one.
    pub fn number(&self) -> Option<i64> {
        match self {
            Value::Number(number) => Some(*number),
            Value::Hexadecimal(Hexadecimal(number)) => i64::try_from(*number).ok(),
            _ => None,
        }
    }

    /// The text, if it is one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Whether it is, or a list contains, this word.
    pub fn has(&self, word: &str) -> bool {
        match self {
            Value::Number(_) | Value::Hexadecimal(_) => false,
            Value::Text(text) => text == word,
            Value::List(items) => items.iter().any(|item| item == word),
        }
    }
}

/// A number that JSON gives as text, such as `0x8086`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hexadecimal(pub u64);

impl fmt::Display for Hexadecimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

impl serde::Serialize for Hexadecimal {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl schemars::JsonSchema for Hexadecimal {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Hexadecimal".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^0x[0-9a-f]+$" })
    }
}

/// Fields by name; the names are in [`VOCABULARY`].
pub type Fields = BTreeMap<&'static str, Value>;

/// How the text of a field is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// Words.
    Text,
    /// A decimal number, which may be negative.
    Decimal,
    /// A hexadecimal number, with or without `0x`.
    Hex,
    /// The address of a function, written in full.
    Address,
    /// One more of a list.
    Item,
    /// Words with spaces between them, as a list.
    Words,
}

/// Whether two events that differ in this field are the same event repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// They are different events.
    Identifies,
    /// They are the same: the field is a detail of one occurrence.
    Varies,
}

/// A field that events can have.
#[derive(Debug)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// How it is read.
    pub kind: Type,
    /// Whether it tells events apart.
    pub role: Role,
}

const fn field(name: &'static str, kind: Type, role: Role) -> Field {
    Field { name, kind, role }
}

use Role::{Identifies, Varies};
use Type::{Address, Decimal, Hex, Item, Text, Words};

/// Every field that events have, in alphabetical order. A name means the same in all kinds.
pub const VOCABULARY: &[Field] = &[
    field("acpi", Text, Identifies),
    field("action", Text, Identifies),
    field("address", Hex, Varies),
    field("agent", Text, Identifies),
    field("bandwidth", Text, Varies),
    field("bar", Decimal, Identifies),
    field("bar_name", Text, Identifies),
    field("callbacks", Decimal, Varies),
    field("capable_bandwidth", Text, Identifies),
    field("capable_speed", Text, Identifies),
    field("capable_width", Decimal, Identifies),
    field("class", Hex, Identifies),
    field("command", Hex, Varies),
    field("controller", Text, Identifies),
    field("controller_status", Hex, Identifies),
    field("count", Decimal, Varies),
    field("current", Text, Identifies),
    field("detail", Text, Varies),
    field("device_id", Hex, Identifies),
    field("error", Decimal, Identifies),
    field("errors", Item, Identifies),
    field("exception", Hex, Varies),
    field("features", Words, Identifies),
    field("first", Text, Varies),
    field("flags", Text, Varies),
    field("from", Text, Identifies),
    field("gpu_identifier", Text, Identifies),
    field("group", Decimal, Varies),
    field("head", Text, Identifies),
    field("header_type", Hex, Identifies),
    field("index", Hex, Varies),
    field("init_status", Hex, Identifies),
    field("instance", Text, Identifies),
    field("interface", Text, Identifies),
    field("irq", Decimal, Identifies),
    field("layer", Text, Identifies),
    field("limited_at", Text, Identifies),
    field("link_status", Hex, Varies),
    field("mask", Hex, Varies),
    field("megabytes", Decimal, Identifies),
    field("message", Text, Varies),
    field("milliseconds", Decimal, Varies),
    field("minor", Decimal, Identifies),
    field("multiple", Text, Varies),
    field("name", Text, Identifies),
    field("offset", Hex, Varies),
    field("operation", Text, Identifies),
    field("other", Address, Identifies),
    field("pasid", Text, Varies),
    field("pci_status", Hex, Identifies),
    field("pid", Text, Varies),
    field("port", Text, Identifies),
    field("port_type", Text, Identifies),
    field("process", Text, Varies),
    field("queue", Decimal, Varies),
    field("reason", Text, Identifies),
    field("reason_code", Hex, Identifies),
    field("reporter", Address, Identifies),
    field("resource", Text, Identifies),
    field("result", Text, Identifies),
    field("ring", Text, Identifies),
    field("rm_status", Hex, Identifies),
    field("root_status", Hex, Varies),
    field("sequence", Decimal, Varies),
    field("severity", Text, Identifies),
    field("slot", Text, Identifies),
    field("source", Address, Identifies),
    field("source_id", Hex, Identifies),
    field("source_line", Decimal, Identifies),
    field("speed", Text, Identifies),
    field("state", Text, Identifies),
    field("status", Hex, Varies),
    field("sxid", Decimal, Identifies),
    field("tag", Decimal, Varies),
    field("tlp", Words, Varies),
    field("to", Text, Identifies),
    field("type", Text, Identifies),
    field("uncorrectable_severity", Hex, Varies),
    field("value", Hex, Identifies),
    field("vendor_id", Hex, Identifies),
    field("version", Text, Identifies),
    field("was", Hex, Identifies),
    field("watts", Decimal, Varies),
    field("what", Text, Identifies),
    field("width", Decimal, Identifies),
    field("xid", Decimal, Identifies),
];

/// The field of that name.
pub fn vocabulary(name: &str) -> Option<&'static Field> {
    VOCABULARY.binary_search_by(|field| field.name.cmp(name)).ok().map(|at| &VOCABULARY[at])
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
    /// The line, verbatim as far as it can be shown.
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

    /// Line at which it first began.
    pub fn line(&self) -> u64 {
        self.evidence.first().map_or(0, |line| line.line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vocabulary_is_in_order() {
        assert!(VOCABULARY.is_sorted_by(|a, b| a.name < b.name));
    }
}
