//! What the kernel log says, in the order of time: what speaks of trouble, and what happened to the devices that have it.

use crate::inspect::log::{Moment, level};
use crate::kernel_log::event::Level;
use crate::kernel_log::stamp::When;
use crate::kernel_log::{Boot, Event};
use crate::pci::Bdf;

use super::Material;
use super::patients::Patient;

/// What the log says.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct Timeline {
    /// Whether there is a log; without one an empty list says nothing.
    pub log: bool,
    /// The boot that it shows; `null` without a log, or if the log has no boots.
    pub boot: Option<Boot>,
    /// Boots of the log that are not shown.
    pub other_boots: usize,
    /// Events in the order of time.
    pub entries: Vec<Entry>,
    /// Events that were left out because there are too many.
    pub left_out: usize,
}

/// An event.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct Entry {
    /// Which kind; `explain` tells what it means.
    pub kind: &'static str,
    /// What the kind means.
    pub means: &'static str,
    /// Where the trouble is, as far as the event alone tells.
    pub level: Level,
    /// The function that it is about; `null` if the log does not tell.
    #[schemars(with = "Option<String>")]
    pub device: Option<Bdf>,
    /// Whether it is one of those that have trouble.
    pub mine: bool,
    /// When it first happened.
    pub first: Moment,
    /// When it last happened.
    pub last: Moment,
    /// The date of the first time, in UTC, where the log itself has none and the machine's start is known; else `null`.
    pub date: Option<String>,
    /// How often.
    pub count: u64,
    /// The first line, as the log has it.
    pub line: String,
}

/// Most events that are shown.
const LIMIT: usize = 60;

fn is_mine(event: &Event, patients: &[Patient]) -> bool {
    let of = |p: &Patient, a: Bdf| {
        p.address == a || p.port == Some(a) || p.others.contains(&a) || p.behind.contains(&a)
    };
    let near = |a: Bdf| patients.iter().any(|p| of(p, a));
    let others = ["reporter", "source", "limited_at", "other"];
    event.device.into_iter().chain(others.iter().filter_map(|name| event.address(name))).any(near)
}

/// The boot that a report is about: the last one that speaks of the patients, else the last.
fn boot(events: &[Event], boots: usize, patients: &[Patient]) -> usize {
    let spoken = |e: &&Event| is_mine(e, patients) && level(e) != Level::Information;
    let last = events.iter().filter(spoken).map(|e| e.boot).max();
    last.unwrap_or(boots.saturating_sub(1))
}

/// The timeline.
pub fn timeline(material: Material<'_>, patients: &[Patient]) -> Timeline {
    let Some(log) = material.log() else {
        return Timeline { log: false, boot: None, other_boots: 0, entries: Vec::new(), left_out: 0 };
    };
    let shown = boot(&log.events, log.boots.len(), patients);
    let telling = |e: &&Event| e.boot == shown && (level(e) != Level::Information || is_history(e, patients));
    let all: Vec<&Event> = log.events.iter().filter(telling).collect();
    // Of too many, those of the patients.
    let mut kept: Vec<&Event> = all.clone();
    if kept.len() > LIMIT {
        kept.retain(|e| is_mine(e, patients));
        kept.truncate(LIMIT);
    }
    let entry = |event: &&Event| Entry {
        kind: event.kind.id,
        means: event.kind.means,
        level: level(event),
        device: event.device,
        mine: is_mine(event, patients),
        first: Moment::from(&event.first),
        last: Moment::from(&event.last),
        date: material.date(event, &event.first),
        count: event.count,
        line: event.evidence.first().map_or(event.message.clone(), |line| line.text.clone()),
    };
    Timeline {
        log: true,
        boot: log.boots.get(shown).cloned(),
        other_boots: log.boots.len().saturating_sub(1),
        left_out: all.len() - kept.len(),
        entries: kept.iter().map(entry).collect(),
    }
}

/// What happened to a patient without being trouble: it was found, given memory, taken out.
fn is_history(event: &Event, patients: &[Patient]) -> bool {
    let kinds = ["pci.function-found", "iommu.group", "acpi.osc-not-supported"];
    let first = |a: Bdf| patients.iter().any(|p| p.address == a);
    match event.kind.id {
        "acpi.osc-not-supported" => !patients.is_empty(),
        kind => kinds.contains(&kind) && event.device.is_some_and(first),
    }
}

/// What the log says of a patient's trouble, the first first.
pub fn trouble<'a>(material: Material<'a>, patient: &Patient) -> Vec<&'a Event> {
    let Some(log) = material.log() else { return Vec::new() };
    let mine = std::slice::from_ref(patient);
    let shown = boot(&log.events, log.boots.len(), mine);
    let wrong = |e: &&Event| e.boot == shown && is_mine(e, mine) && level(e) != Level::Information;
    log.events.iter().filter(wrong).collect()
}

/// A moment in words.
pub fn moment(when: &When) -> String {
    match (&when.clock, when.microseconds) {
        (Some(clock), _) => clock.text.clone(),
        (None, Some(time)) => format!("{}.{:06} s after the start", time / 1_000_000, time % 1_000_000),
        (None, None) => "an unknown time".to_owned(),
    }
}
