//! Signs: what can be seen of trouble, in the log or in the machine's state. Rules are made of them.
//!
//! A sign of the log is a kind of event, perhaps with conditions on its fields. A sign of the state is the state of
//! presence, what a check found, or a fact about the port above ([`super::state`]).

use crate::kernel_log::event::{Event, Value};
use crate::kernel_log::{Level, xid};
use crate::machine::State;

use super::state::Fact;

/// Something that can be seen.
#[derive(Debug)]
pub struct Sign {
    /// Its name, which rules use.
    pub id: &'static str,
    /// What it says: a clause.
    pub says: &'static str,
    /// Of whom it tells: where it must have been seen.
    pub place: Place,
    /// Events that are it, any of them.
    pub events: &'static [Seen],
    /// Kinds of events that take it back if they come later, about the same device, slot and BAR.
    pub undone_by: &'static [&'static str],
    /// What of the machine's state is it, any of them.
    pub states: &'static [Now],
    /// Of an incident: for how many seconds after it something else may follow from it. How long is our own reading of logs,
    /// not a specification's. `None`: it tells of a condition that lasts until it is taken back.
    pub aftermath: Option<u64>,
    /// Signs after which nothing follows from it any more, although it did happen.
    pub over_by: &'static [&'static str],
    /// It is about a resource that has no address: it does not count where the machine's state shows that the resource which the line
    /// names has one, or that everything of the device has one.
    pub until_assigned: bool,
    /// How often and how closely it must be seen in the log to count; `None`: once is enough.
    pub rate: Option<Rate>,
}

/// How often something must be seen to count: several times so close together, or so often in all that the log is of. Where
/// the log has no times this is not asked: people quote one of many.
#[derive(Debug, Clone, Copy)]
pub struct Rate {
    /// At least so often.
    pub times: u64,
    /// At most so many seconds apart, on the average.
    pub seconds_apart: u64,
}

/// Ten minutes, in seconds: how long a program's mistake can be why something else happens.
pub const MINUTES: u64 = 600;
/// A day, in seconds: how long a device that failed and was not started anew, or a link that makes errors, can be why
/// something else happens.
pub const DAY: u64 = 86_400;

/// Where a sign must be seen to tell of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// At the device itself.
    Own,
    /// At a port above it.
    Above,
    /// At the device or at a port above it.
    OwnOrAbove,
    /// Anywhere in the machine.
    Anywhere,
}

/// A kind of event with conditions.
#[derive(Debug)]
pub struct Seen {
    /// The kind.
    pub kind: &'static str,
    /// What its fields must be, all of them.
    pub with: &'static [With],
}

/// A condition on the fields of an event.
#[derive(Debug)]
pub enum With {
    /// The number is one of these.
    Number(&'static str, &'static [i64]),
    /// The number is none of these.
    NotNumber(&'static str, &'static [i64]),
    /// The text, or an item of the list, is or begins with one of these.
    Word(&'static str, &'static [&'static str]),
    /// The text begins with none of these, or is not there.
    NotWord(&'static str, &'static [&'static str]),
    /// The field is there.
    Has(&'static str),
    /// The field is not there.
    Lacks(&'static str),
    /// Where the trouble is that the event speaks of, its number looked up.
    Level(Level),
    /// NVIDIA's first advice for the Xid is this; it has none for a number that its catalogue lacks.
    FirstAdvice(&'static str),
    /// It is not this.
    NotFirstAdvice(&'static str),
    /// The driver in whose name the line was written is none of these.
    NotDriver(&'static [&'static str]),
    /// The device is behind Intel's Volume Management Device, whose domains begin at 10000h (Linux:
    /// vmd_find_free_domain in drivers/pci/controller/vmd.c).
    VolumeManagement,
    /// A packet was logged, and it is a Precision Time Measurement message (`true`) or is not (`false`).
    TimeMeasurement(bool),
}

/// Something in the machine's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Now {
    /// Presence is this.
    Presence(State),
    /// That check finds something.
    Check(&'static str),
    /// That fact holds.
    Fact(Fact),
}

impl Seen {
    /// Events of that kind, whatever they say in detail.
    pub const fn any(kind: &'static str) -> Seen {
        Seen { kind, with: &[] }
    }

    /// Events of that kind that say this.
    pub const fn with(kind: &'static str, with: &'static [With]) -> Seen {
        Seen { kind, with }
    }

    /// Whether the event is one of these.
    pub fn is(&self, event: &Event) -> bool {
        event.kind.id == self.kind && self.with.iter().all(|with| with.holds(event))
    }
}

impl With {
    fn holds(&self, event: &Event) -> bool {
        let begins = |field: &str, words: &[&str]| match event.fields.get(field) {
            Some(Value::Text(text)) => words.iter().any(|word| text.starts_with(word)),
            Some(Value::List(items)) => items.iter().any(|i| words.iter().any(|word| i.starts_with(word))),
            _ => false,
        };
        match self {
            With::Number(field, numbers) => event.number(field).is_some_and(|n| numbers.contains(&n)),
            With::NotNumber(field, numbers) => event.number(field).is_some_and(|n| !numbers.contains(&n)),
            With::Word(field, words) => begins(field, words),
            With::NotWord(field, words) => !begins(field, words),
            With::Has(field) => event.fields.contains_key(field),
            With::Lacks(field) => !event.fields.contains_key(field),
            With::Level(level) => xid::level(event) == *level,
            With::FirstAdvice(advice) => first_advice(event) == *advice,
            With::NotFirstAdvice(advice) => first_advice(event) != *advice,
            With::NotDriver(drivers) => {
                event.driver.as_deref().is_none_or(|driver| !drivers.contains(&driver))
            }
            With::VolumeManagement => event.device.is_some_and(|device| device.domain >= 0x1_0000),
            With::TimeMeasurement(is) => {
                event.fields.contains_key("tlp") && is_time_measurement(event) == *is
                    || !is && !event.fields.contains_key("tlp")
            }
        }
    }
}

fn first_advice(event: &Event) -> &'static str {
    event.number("xid").and_then(xid::of).map_or("", |xid| xid.immediate)
}

/// A message request without data (fmt and type 0011_0rrr) whose code is PTM Request, 52h, or PTM Response, 53h (PCIe 6.2,
/// 2.2.8.10). Such a packet tells of a setting at the two ends, not of a bad device.
fn is_time_measurement(event: &Event) -> bool {
    let Some(Value::List(words)) = event.fields.get("tlp") else { return false };
    let word = |place: usize| {
        let text: &String = words.get(place)?;
        u32::from_str_radix(text.trim_start_matches("0x"), 16).ok()
    };
    match (word(0), word(1)) {
        (Some(first), Some(second)) => {
            matches!(first >> 24, 0x30..=0x37 | 0x70..=0x77) && matches!(second & 0xff, 0x52 | 0x53)
        }
        _ => false,
    }
}

/// What a sign is made from: nothing, to be filled in.
pub const BASE: Sign = Sign {
    id: "",
    says: "",
    place: Place::Own,
    events: &[],
    undone_by: &[],
    states: &[],
    aftermath: None,
    over_by: &[],
    until_assigned: false,
    rate: None,
};

/// The sign of that name.
pub fn find(id: &str) -> Option<&'static Sign> {
    all().find(|sign| sign.id == id)
}

/// All signs.
pub fn all() -> impl Iterator<Item = &'static Sign> {
    super::signs_bus::SIGNS.iter().chain(super::signs_device::SIGNS)
}
