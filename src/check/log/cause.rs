//! Whether an event follows from another one of the same boot, near enough to it.
//!
//! Of what happened several times the log keeps the first and the last time, and how often it was. What all came near one
//! cause follows from it. Otherwise a cause has to be near the first and near the last time, and there have to be as many
//! causes: an old cause does not explain a new event.

use crate::check::subject::Surroundings;
use crate::kernel_log::Event;
use crate::kernel_log::stamp::When;
use crate::pci::Bdf;
use crate::pci::header::{SecondaryBus, SubordinateBus};

/// How far apart cause and event may be where the log tells no time, in lines.
const LINES: i128 = 64;

/// How far apart cause and event may be, in seconds.
#[derive(Clone, Copy)]
pub(super) struct Window {
    /// The cause came so long before, at most.
    pub before: i64,
    /// The cause was noticed so long after, at most.
    pub after: i64,
    /// Each time needs a cause of its own; otherwise several may follow from one.
    pub each: bool,
}

/// Presence Detect Changed and Data Link Layer State Changed are handled together or one shortly after the other (kernel:
/// pciehp_handle_presence_or_link_change); drivers that read all-ones notice within seconds of it, before or after.
const PULLED: Window = Window { before: 10, after: 10, each: false };
/// After the attention button the kernel waits five seconds, then takes the drivers away, which may take its time (kernel:
/// pciehp_handle_button_press).
const ASKED: Window = Window { before: 60, after: 0, each: true };

/// Whether the causes explain all that the event stands for.
pub(super) fn explains(causes: &[&Event], event: &Event, window: Window) -> bool {
    let causes: Vec<&&Event> = causes.iter().filter(|cause| cause.boot == event.boot).collect();
    let times: u64 = causes.iter().map(|cause| cause.count).sum();
    let moments: Vec<(&When, u64)> = causes
        .iter()
        .flat_map(|cause| [(&cause.first, cause.line()), (&cause.last, cause.last_line)])
        .collect();
    let first = |cause: &(&When, u64)| is_near((&event.first, event.line()), *cause, window);
    let last = |cause: &(&When, u64)| is_near((&event.last, event.last_line), *cause, window);
    let of_one = !window.each && moments.iter().any(|cause| first(cause) && last(cause));
    of_one || event.count <= times && moments.iter().any(first) && moments.iter().any(last)
}

/// The times of an event and of a cause, each with its line in the log.
fn is_near(event: (&When, u64), cause: (&When, u64), window: Window) -> bool {
    // Any number may stand in a log: wide enough for every difference.
    let started = |when: &When| when.microseconds.map(i128::from);
    let clock = |when: &When| when.clock.as_ref().and_then(|clock| clock.microseconds).map(i128::from);
    let apart = |a: Option<i128>, b: Option<i128>| a.zip(b).map(|(a, b)| a - b);
    let times = apart(started(event.0), started(cause.0)).or_else(|| apart(clock(event.0), clock(cause.0)));
    let (apart, before, after) = match times {
        Some(apart) => (apart, i128::from(window.before) * 1_000_000, i128::from(window.after) * 1_000_000),
        None => {
            let lines = i128::from(event.1) - i128::from(cause.1);
            (lines, LINES, if window.after == 0 { 0 } else { LINES })
        }
    };
    (-after..=before).contains(&apart)
}

/// Events of the log that `is` picks.
pub(super) fn events<'a>(around: &Surroundings<'a>, is: impl Fn(&Event) -> bool) -> Vec<&'a Event> {
    around.log.into_iter().flat_map(|log| &log.events).filter(|event| is(event)).collect()
}

/// Whether the device of an event left its slot just then: presence was lost, which is more than a link that went down.
/// `each`: each time that it happened.
pub(super) fn card_left(around: &Surroundings<'_>, event: &Event, each: bool) -> bool {
    let Some(device) = event.device else { return false };
    let left = |other: &Event| {
        other.kind.id == "pciehp.card-not-present"
            && other.device.is_some_and(|port| port == device || is_below(around, device, port))
    };
    explains(&events(around, left), event, Window { each, ..PULLED })
}

/// Whether somebody asked for the slot of an event to be switched off just before.
pub(super) fn removal_asked(around: &Surroundings<'_>, event: &Event) -> bool {
    let asked = |kind: &str| {
        let of = |other: &Event| {
            other.kind.id == kind
                && other.device == event.device
                && (other.text("slot") == event.text("slot") || other.text("slot").is_none())
        };
        explains(&events(around, of), event, ASKED)
    };
    asked("pciehp.button") || asked("pciehp.latch-open")
}

/// Whether a function is, or was, below a port: by the port's bus numbers, since the function may be gone.
fn is_below(around: &Surroundings<'_>, device: Bdf, port: Bdf) -> bool {
    let Some(port) = around.machine.get(port) else { return false };
    let numbers = port.header::<SecondaryBus>().zip(port.header::<SubordinateBus>());
    let (from, to) = match numbers {
        Some((from, to)) => (from.number(), to.number()),
        None => {
            return around.machine.get(device).is_some_and(|device| {
                around.machine.path(device).iter().any(|above| above.address == port.address)
            });
        }
    };
    device.domain == port.address.domain && from != 0 && (from..=to).contains(&device.bus)
}
