//! What pciscope knows, for the rules to look at.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use pciscope::machine::Function;
use pciscope::pci::decode::Placed;
use pciscope::pci::register::{Field, Meaning, Quantity};

/// A field that was compared: capability, register, field.
pub type FieldName = (&'static str, &'static str, &'static str);
/// Fields that were looked at, with the values that they had.
pub type Seen = RefCell<BTreeMap<FieldName, BTreeSet<u64>>>;

/// One capability, or the header, of one function.
pub struct View<'a> {
    pub function: &'a Function,
    /// Key of the capability, `header` for the header.
    pub key: &'static str,
    pub registers: &'a [Placed],
    /// Fields that somebody looked at.
    pub seen: &'a Seen,
}

impl View<'_> {
    /// A register by the name that lspci gives it; of several alike, the one with that number.
    pub fn place(&self, register: &str, index: Option<u16>) -> Option<&Placed> {
        self.registers
            .iter()
            .find(|p| p.register.short == register && (index.is_none() || p.group.map(|g| g.1) == index))
    }

    /// A field with its value.
    pub fn field(&self, register: &str, index: Option<u16>, field: &str) -> Option<(&'static Field, u64)> {
        let placed = self.place(register, index)?;
        let field = placed.register.fields.iter().find(|f| f.short == field)?;
        let raw = field.extract(placed.raw?);
        self.note(placed, field, raw);
        Some((field, raw))
    }

    /// The bits of a field.
    pub fn raw(&self, register: &str, field: &str) -> Option<u64> {
        self.field(register, None, field).map(|(_, raw)| raw)
    }

    /// All bits of a register of which every field takes part in the value.
    pub fn whole(&self, register: &str, index: Option<u16>) -> Option<u64> {
        let placed = self.place(register, index)?;
        let raw = placed.raw?;
        for field in placed.register.fields {
            self.note(placed, field, field.extract(raw));
        }
        Some(raw)
    }

    fn note(&self, placed: &Placed, field: &Field, value: u64) {
        let name = (self.key, placed.register.short, field.short);
        self.seen.borrow_mut().entry(name).or_default().insert(value);
    }

    /// What a field means, in the words of lspci where its own are a number with a unit.
    pub fn meaning(&self, register: &str, field: &str) -> Option<String> {
        let (field, raw) = self.field(register, None, field)?;
        Some(words(field, raw))
    }
}

/// What a field means.
pub fn words(field: &Field, raw: u64) -> String {
    match field.meaning {
        Meaning::Flag | Meaning::Number | Meaning::Unit(_) => raw.to_string(),
        Meaning::Hex => format!("{raw:x}"),
        Meaning::Choice(choices) | Meaning::ChoiceWhen(_, choices) => {
            choices.iter().find(|c| c.0 == raw).map_or_else(|| "reserved".to_owned(), |c| c.1.to_owned())
        }
        Meaning::Quantity(quantity) => quantity_words(quantity(raw)),
        // Rules work it out of the fields that lspci names.
        Meaning::OfRegister(_) => raw.to_string(),
    }
}

fn quantity_words(quantity: Quantity) -> String {
    let time = |n: u64| if n >= 1000 { format!("{}us", n / 1000) } else { format!("{n}ns") };
    match quantity {
        Quantity::Speed(Some(mts)) => format!("{}GT/s", f64::from(mts) / 1000.0),
        Quantity::Speed(None) => "unknown".to_owned(),
        Quantity::Width(Some(lanes)) => lanes.to_string(),
        Quantity::Width(None) => "reserved".to_owned(),
        Quantity::Bytes(Some(bytes)) => format!("{bytes} bytes"),
        Quantity::Nanoseconds(Some(n)) => format!("{n}ns"),
        Quantity::LessThanNanoseconds(n) => format!("<{}", time(n)),
        Quantity::MoreThanNanoseconds(n) => format!(">{}", time(n)),
        Quantity::NoLimit => "unlimited".to_owned(),
        Quantity::Speeds(set) => speeds(set),
        Quantity::Count(n) => n.to_string(),
        Quantity::Milliamperes(n) => format!("{n}mA"),
        Quantity::Offset(n) => format!("{n:08x}"),
        Quantity::RequesterId(id) => format!("{id:04x}"),
        Quantity::Sizes(set) => sizes(set),
        _ => "reserved".to_owned(),
    }
}

/// lspci tells the highest speed only; lower ones have to be supported anyway.
fn speeds(set: u8) -> String {
    const SPEEDS: [&str; 7] = ["2.5", "5", "8", "16", "32", "64", "128"];
    match set.checked_ilog2() {
        None => "Unknown".to_owned(),
        Some(0) => "2.5GT/s".to_owned(),
        Some(highest) => format!("2.5-{}GT/s", SPEEDS[highest as usize % 7]),
    }
}

/// Bit N of the set is 2^(N+20) bytes.
pub fn sizes(set: u64) -> String {
    let known = (0..44).filter(|bit| set >> bit & 1 == 1).map(|bit| size(1 << (bit + 20)));
    known.collect::<Vec<_>>().join(" ")
}

/// A size of at least a megabyte.
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["MB", "GB", "TB", "PB", "EB"];
    let steps = (bytes.max(1 << 20).ilog2() as usize - 20) / 10;
    format!("{}{}", bytes >> (20 + 10 * steps), UNITS[steps.min(4)])
}

#[test]
fn quantities_in_the_words_of_lspci() {
    assert_eq!(
        (speeds(0x1f).as_str(), speeds(1).as_str(), speeds(0).as_str()),
        ("2.5-32GT/s", "2.5GT/s", "Unknown")
    );
    assert_eq!(sizes(0b10000000100), "4MB 1GB");
    assert_eq!(quantity_words(Quantity::LessThanNanoseconds(2000)), "<2us");
}
