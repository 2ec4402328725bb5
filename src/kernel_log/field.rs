//! What events say in detail: fields of one vocabulary, and their values.

use std::collections::BTreeMap;
use std::fmt;

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
    field("gpu_index", Decimal, Identifies),
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
    field("modeset_index", Decimal, Identifies),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vocabulary_is_in_order() {
        assert!(VOCABULARY.is_sorted_by(|a, b| a.name < b.name));
    }
}
