//! `log`: what the kernel log says, event by event.

use std::collections::BTreeMap;

use crate::kernel_log::event::{Evidence, KnownFrom, Level, Value};
use crate::kernel_log::stamp::When;
pub use crate::kernel_log::xid::level;
use crate::kernel_log::{Boot, Event, Log};

/// Answer of `log`.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct LogAnswer {
    /// Boots in the order in which they stand in the log.
    pub boots: Vec<Boot>,
    /// Events in the order in which they first happened, boot by boot.
    pub events: Vec<EventAnswer>,
    /// Lines of the log that were read.
    pub lines: u64,
    /// Whether anything in it is of a kernel log. If not, that there are no events means nothing.
    pub recognized: bool,
    /// Records that were written before the first one and are no longer in the kernel's buffer, as its number tells
    /// (/dev/kmsg only). It holds the last 128 KiB to some MiB (CONFIG_LOG_BUF_SHIFT, log_buf_len=).
    pub missing_before: u64,
    /// Events that were left out because nothing is wrong with them (`--all` prints them).
    pub left_out: usize,
    /// What a reader should know.
    pub notes: Vec<String>,
}

/// One event.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct EventAnswer {
    /// Which kind of event; `explain` tells what it means.
    pub kind: &'static str,
    /// Where the trouble is, as far as the event alone tells.
    pub level: Level,
    /// The function that it is about; `null` if the log does not tell.
    pub device: Option<String>,
    /// How the function is known.
    pub known_from: Option<KnownFrom>,
    /// In whose name the line was written.
    pub driver: Option<String>,
    /// What else the lines say.
    pub fields: BTreeMap<&'static str, Value>,
    /// How often it happened.
    pub count: u64,
    /// When it first happened.
    pub first: Moment,
    /// When it last happened.
    pub last: Moment,
    /// Index into `boots`.
    pub boot: usize,
    /// The first line without what stands before the message.
    pub message: String,
    /// The lines of the first time.
    pub evidence: Vec<Evidence>,
}

/// A moment.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Moment {
    /// Microseconds since the machine started; `null` if the log does not tell.
    pub microseconds: Option<u64>,
    /// Time of day, as it was written; `null` if the log does not tell.
    pub clock: Option<String>,
}

impl From<&When> for Moment {
    fn from(when: &When) -> Self {
        Moment { microseconds: when.microseconds, clock: when.clock.as_ref().map(|c| c.text.clone()) }
    }
}

/// Chooses events: of the functions that `wanted` accepts, and of those only trouble unless `all`.
pub fn log(log: Log, all: bool, wanted: impl Fn(&Event) -> bool) -> LogAnswer {
    let (mut events, mut left_out) = (Vec::new(), 0);
    for event in log.events.into_iter().filter(wanted) {
        if all || level(&event) != Level::Information {
            events.push(answer(event));
        } else {
            left_out += 1;
        }
    }
    LogAnswer {
        boots: log.boots,
        events,
        lines: log.lines,
        recognized: log.recognized,
        missing_before: log.missing_before,
        left_out,
        notes: log.notes,
    }
}

fn answer(event: Event) -> EventAnswer {
    EventAnswer {
        kind: event.kind.id,
        level: level(&event),
        device: event.device.map(|d| d.to_string()),
        known_from: event.known_from,
        driver: event.driver,
        fields: event.fields,
        count: event.count,
        first: Moment::from(&event.first),
        last: Moment::from(&event.last),
        boot: event.boot,
        message: event.message,
        evidence: event.evidence,
    }
}
