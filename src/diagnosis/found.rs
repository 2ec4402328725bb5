//! What to ask the provider for, each with what was actually found: a request that says what is asked and what is known is
//! answered, a list of guesses is not.

use crate::check::bars::LARGE;
use crate::check::finding::{Status, Who};
use crate::check::registry;
use crate::inspect::value::size_text;
use crate::kernel_log::{Event, Level};
use crate::machine::{Function, above_4g, aer, aspm, link};
use crate::pci::Bdf;
use crate::pci::bars::{Resource, resources};
use crate::pci::capability::express::{self, DeviceCapabilities};
use crate::pci::extended::rebar::{
    ResizableBarCapability, ResizableBarControl, SPECIFICATION, supported_sizes,
};

use super::judge::Diagnosis;
use super::observe::{Sources, Subject};
use super::state::Scene;
use super::verdict::Verdict::{self, *};

/// A request to somebody who may change firmware settings or touch the machine.
#[derive(Debug)]
pub struct Request {
    /// What it is about: the same word as of the requests of a report, such as `aspm`.
    pub topic: &'static str,
    /// What is asked for.
    pub what: String,
    /// Whether what was found shows that it is needed; `Some(false)`: it is so already. `None`: that is not known.
    pub needed: Option<bool>,
    /// What was found of it, or why nothing was.
    pub found: String,
    /// Who can do it.
    pub who: Who,
}

/// What is asked for; where a check knows the words, they are the check's.
struct Question {
    topic: &'static str,
    of: &'static [Verdict],
    /// The check whose remedy it is; empty: `what` says it.
    check: &'static str,
    what: &'static str,
    who: Who,
    found: fn(&Looked<'_>) -> Found,
}

/// Whether it is needed, as far as that is known, and what was found.
type Found = (Option<bool>, String);

struct Looked<'a> {
    scene: Option<&'a Scene<'a>>,
    function: Option<&'a Function>,
    port: Option<&'a Function>,
    diagnosis: &'a Diagnosis<'a>,
}

/// Verdicts of which the way to the device may be the reason.
const PATH: &[Verdict] = &[FallenOffBus, LinkDown, DegradedLink, ErrorStorm, ContainedByDpc, ResetFailed];
const POWER: &[Verdict] = &[FallenOffBus, LinkDown, ResetFailed, PowerStateStuck, SlotPower];
const ROOM: &[Verdict] = &[FallenOffBus, BarNotAssigned, FirmwareConfiguration];

static QUESTIONS: &[Question] = &[
    Question {
        topic: "aspm",
        of: &[FallenOffBus, PowerStateStuck, ErrorStorm, FirmwareConfiguration],
        check: "aspm-enabled",
        what: "",
        who: Who::Firmware,
        found: aspm_found,
    },
    Question {
        topic: "above-4g-decoding",
        of: ROOM,
        check: "bar-large-below-4g",
        what: "",
        who: Who::Firmware,
        found: above_4g_found,
    },
    Question {
        topic: "resizable-bar",
        of: ROOM,
        check: "",
        what: "set `Re-Size BAR Support` (`Resizable BAR`) to Enabled in firmware setup",
        who: Who::Firmware,
        found: resizable_found,
    },
    Question {
        topic: "slot-power",
        of: POWER,
        check: "",
        what: "check the power supply and the power cables of the card",
        who: Who::Provider,
        found: power_found,
    },
    Question {
        topic: "card-and-riser",
        of: PATH,
        check: "",
        what: "check seating, riser and contacts of the card",
        who: Who::Provider,
        found: signal_found,
    },
    Question {
        topic: "management-controller",
        of: &[FallenOffBus, LinkDown],
        check: "",
        what: "check cooling of the card and of the slot",
        who: Who::Provider,
        found: cooling_found,
    },
    Question {
        topic: "error-reporting",
        of: PATH,
        check: "osc-granted",
        what: "",
        who: Who::Firmware,
        found: errors_found,
    },
    Question {
        topic: "memory",
        of: &[MemoryFault],
        check: "",
        what: "exchange the card if rows can no longer be replaced (Xid 64), or if the errors come back after a reset",
        who: Who::Replacement,
        found: memory_found,
    },
    Question {
        topic: "visit",
        of: &[SurpriseRemoved],
        check: "",
        what: "ask whether somebody worked at the machine at that time",
        who: Who::Provider,
        found: when_found,
    },
];

/// What questions are about, for whoever has other words for the same.
#[cfg(test)]
pub fn topics() -> Vec<&'static str> {
    QUESTIONS.iter().map(|question| question.topic).collect()
}

/// The list for a diagnosis; empty where nobody else has to do anything.
pub fn requests(sources: &Sources<'_>, diagnosis: &Diagnosis<'_>) -> Vec<Request> {
    let function = match (&diagnosis.subject, sources.scene) {
        (Subject::Function(address), Some(scene)) => scene.machine().get(*address),
        _ => None,
    };
    let looked =
        Looked { scene: sources.scene, function, port: port(sources, diagnosis, function), diagnosis };
    // Where software is the reason, nobody else has to do anything.
    let software = matches!(diagnosis.level, Level::Driver | Level::Application);
    // Where an option keeps Linux from asking firmware for control of errors, firmware need not be set up otherwise.
    let option = sources.scene.and_then(|scene| aer::kept_by_option(scene.around.platform));
    let theirs = |question: &&Question| !(question.topic == "error-reporting" && option.is_some());
    let mine = QUESTIONS
        .iter()
        .filter(|question| !software && question.of.contains(&diagnosis.verdict))
        .filter(theirs);
    mine.map(|question| {
        let check = registry::find(question.check);
        let (needed, found) = (question.found)(&looked);
        Request {
            topic: question.topic,
            needed,
            what: check.map_or(question.what, |check| check.remedy).to_owned(),
            found,
            who: check.map_or(question.who, |check| check.who),
        }
    })
    .collect()
}

/// The port directly above, also of a device that is not listed any more: the one whose buses hold it.
fn port<'a>(
    sources: &Sources<'a>,
    diagnosis: &Diagnosis<'_>,
    function: Option<&'a Function>,
) -> Option<&'a Function> {
    let machine = sources.scene?.machine();
    if let Some(port) = function.and_then(|function| machine.parent(function)) {
        return Some(port);
    }
    let (above, _) = sources.above(&diagnosis.subject);
    let nearest: Option<Bdf> = above.into_iter().max_by_key(|port| (port.bus, *port));
    machine.get(nearest?)
}

const NOT_READ: &str = "not known: the machine's state was not read";

fn not_read() -> Found {
    (None, NOT_READ.to_owned())
}

/// A link is in L1 only if both ends allow it (PCIe 6.2, 5.4.1.3.1): of a device that does not answer, the port's end tells.
fn aspm_found(looked: &Looked<'_>) -> Found {
    let Some(scene) = looked.scene else { return not_read() };
    let words = |states: aspm::States| match (states.l0s, states.l1) {
        (false, false) => "off",
        (true, false) => "L0s on",
        (false, true) => "L1 on",
        (true, true) => "L0s and L1 on",
    };
    let ends: Vec<(&Function, Option<aspm::States>)> = looked
        .port
        .into_iter()
        .chain(looked.function)
        .map(|function| (function, aspm::aspm(function).map(|aspm| aspm.enabled)))
        .collect();
    let known: Vec<aspm::States> = ends.iter().filter_map(|(_, enabled)| *enabled).collect();
    let needed = (!known.is_empty()).then(|| known.iter().any(|states| states.l0s || states.l1));
    let end = |(function, enabled): &(&Function, Option<aspm::States>)| match enabled {
        Some(enabled) => format!("{} at {}", words(*enabled), function.address),
        None => format!("not read at {}", function.address),
    };
    let bridge = looked.function.or(looked.port).and_then(|f| f.host_bridge.as_deref());
    let control = aspm::control(scene.around.platform, bridge);
    let words: Vec<String> = ends.iter().map(end).collect();
    let words = if words.is_empty() { "neither end was read".to_owned() } else { words.join(", ") };
    (needed, format!("ASPM {words}; {}", control.reason))
}

/// The kernel's copy of a function's memory BARs, which outlives the device: number and resource, the largest first.
fn memory(function: &Function) -> Vec<(usize, Resource)> {
    let text = function.reading.text("resource").unwrap_or_default();
    let all = resources(text).unwrap_or_default();
    let mut memory: Vec<(usize, Resource)> =
        all.into_iter().take(6).enumerate().filter_map(|(bar, line)| Some((bar, line?))).collect();
    memory.retain(|(_, resource)| resource.is_memory() && resource.size() > 0);
    memory.sort_by_key(|(_, resource)| std::cmp::Reverse(resource.size()));
    memory
}

/// The smallest size that a Resizable BAR can offer (PCIe 6.2, 7.8.6.2).
const SMALLEST_RESIZABLE: u64 = 1 << 20;

/// Signs that addresses are lacking.
pub const NO_ROOM: &[&str] = &[
    "no-address",
    "no-window",
    "address-missed",
    "address-conflict",
    "reservation-overlaps",
    "register-without-address",
];

/// Lines that say that there was no room, as they came.
fn no_room<'a>(looked: &'a Looked<'_>) -> Vec<&'a Event> {
    let about = looked.diagnosis.observations.iter().filter(|o| NO_ROOM.contains(&o.sign.id));
    let mut events: Vec<&Event> = about.filter_map(|o| o.event()).collect();
    events.sort_by_key(|event| (event.boot, event.line()));
    events
}

/// Why the setting is not what is lacking although a BAR has no address.
fn room_found(looked: &Looked<'_>) -> Option<Found> {
    let lines = no_room(looked);
    let lacking = above_4g::lacking(looked.function, lines.iter().map(|event| &*event.message));
    if !lacking.is_empty() && lacking.iter().all(|bar| !bar.wide) {
        let text = "every BAR without an address has 32 bits: it cannot lie above 4 GiB".to_owned();
        return Some((Some(false), text));
    }
    let scene = looked.scene?;
    if let Some(option) = above_4g::windows_ignored(scene.around.platform) {
        let text =
            format!("not known: with {option} on its command line Linux does not use firmware's windows");
        return Some((None, text));
    }
    let room = above_4g::room(scene.machine(), scene.around.platform, looked.function)?;
    let large = lacking.iter().filter_map(|bar| bar.size).max();
    match room.window.zip(large) {
        Some((window, size)) if window < size => {
            Some((None, format!("{}, smaller than the BAR of {}", room.says, size_text(size))))
        }
        _ => Some((Some(false), format!("{}: it is on", room.says))),
    }
}

fn above_4g_found(looked: &Looked<'_>) -> Found {
    match above_4g_lacking(looked) {
        (Some(true), found) => room_found(looked).unwrap_or((Some(true), found)),
        other => other,
    }
}

fn above_4g_lacking(looked: &Looked<'_>) -> Found {
    if let Some(first) = no_room(looked).first().filter(|_| looked.function.is_none()) {
        return (Some(true), format!("addresses were lacking: {}", first.message));
    }
    let Some(scene) = looked.scene else { return not_read() };
    let largest = looked.function.and_then(|function| memory(function).first().copied());
    if let Some((bar, resource)) = largest {
        let size = size_text(resource.size());
        return match resource.is_assigned() {
            // Where BARs went without an address the kernel has no size of the largest, so that this proves nothing.
            true if resource.size() < LARGE && looked.diagnosis.verdict == FallenOffBus => {
                let text = format!("no BAR is large: the largest, BAR {bar}, has {size}");
                (Some(false), text)
            }
            true if resource.start >= 1 << 32 => {
                let text =
                    format!("BAR {bar} of {size} lies above 4 GiB, at {:#x}: it is on", resource.start);
                (Some(false), text)
            }
            true => (None, format!("BAR {bar} of {size} lies below 4 GiB, at {:#x}", resource.start)),
            false => (Some(true), format!("BAR {bar} of {size} has no address")),
        };
    }
    let windows = scene.around.platform.host_bridges.iter().flat_map(|bridge| &bridge.windows);
    let high = |text: &&String| {
        text.strip_prefix("[mem 0x").and_then(|t| t.split('-').next()).is_some_and(|start| start.len() > 8)
    };
    match (windows.clone().next(), windows.clone().find(high)) {
        (None, _) => {
            let text = "not known: neither the device's BARs nor the windows of host bridges were read";
            (None, text.to_owned())
        }
        (_, Some(window)) => {
            (Some(false), format!("a host bridge has a window above 4 GiB: {window}: it is on"))
        }
        (_, None) => (Some(true), "no host bridge has a window above 4 GiB".to_owned()),
    }
}

fn resizable_found(looked: &Looked<'_>) -> Found {
    if looked.scene.is_none() {
        return not_read();
    }
    let Some(function) = looked.function else {
        return (None, "not known: the device is not listed any more".to_owned());
    };
    let control: Option<ResizableBarControl> = function.register(&SPECIFICATION);
    let capability: Option<ResizableBarCapability> = function.register(&SPECIFICATION);
    if let Some((control, capability)) = control.zip(capability) {
        let sizes = supported_sizes(capability, control);
        let largest = (0..44).rev().find(|bit| sizes >> bit & 1 == 1).map(|bit| 1u64 << (bit + 20));
        let size = control.size_bytes().map_or_else(|| "a reserved size".to_owned(), size_text);
        let most = largest.map_or_else(|| "an unknown size".to_owned(), size_text);
        let needed = largest.zip(control.size_bytes()).map(|(most, size)| size < most);
        return (needed, format!("BAR {} has {size}, the device offers {most}", control.bar_index()));
    }
    let text = match (function.answers(), memory(function).first()) {
        (true, _) if function.extended_list_known() => {
            return (Some(false), "the device has no Resizable BAR".to_owned());
        }
        (true, _) => "not known: the device's list of capabilities was not read to its end".to_owned(),
        (false, Some((bar, resource))) if resource.size() < SMALLEST_RESIZABLE => {
            let text =
                format!("the largest BAR, BAR {bar}, has {}: none is resizable", size_text(resource.size()));
            return (Some(false), text);
        }
        (false, Some((bar, resource))) => format!(
            "the register cannot be read from a device that does not answer; the kernel's copy has BAR {bar} of {}",
            size_text(resource.size())
        ),
        (false, None) => "cannot be read from a device that does not answer".to_owned(),
    };
    (None, text)
}

fn power_found(looked: &Looked<'_>) -> Found {
    let Some(scene) = looked.scene else { return not_read() };
    let mut found = Vec::new();
    let mut needed = None;
    if let Some(port) = looked.port {
        found.push(match scene.finding(port.address, "power-slot-fault") {
            Some(finding) if matches!(finding.status, Status::Fail | Status::Warn) => {
                needed = Some(true);
                format!("{}: {}", port.address, finding.summary)
            }
            Some(finding) if finding.status == Status::Pass => {
                format!("no power fault is latched at {}", port.address)
            }
            _ => format!("{} tells nothing of the slot's power", port.address),
        });
    }
    let limit = looked.function.and_then(|f| f.register::<DeviceCapabilities>(&express::SPECIFICATION));
    if let Some(limit) = limit {
        found.push(format!(
            "the device captured a slot power limit of {} units",
            limit.captured_slot_power_limit_value()
        ));
    }
    found.push("voltages of the power supply are not readable over PCI Express".to_owned());
    (needed, found.join("; "))
}

fn signal_found(looked: &Looked<'_>) -> Found {
    let logged = looked.diagnosis.has("signal-errors").then_some(true);
    let Some(scene) = looked.scene else {
        let text = match logged {
            Some(_) => "the log has errors of the signal (evidence above)",
            None => "the log has no error of the signal",
        };
        return (logged, text.to_owned());
    };
    let Some(port) = looked.port else { return (logged, "the port above was not read".to_owned()) };
    let mut found = Vec::new();
    let mut needed = logged;
    // What a port holds that does not answer itself is not known.
    if let Some(link) = link::link(port).filter(|_| port.answers()) {
        let width = link.current.width.map_or_else(|| "none".to_owned(), |width| format!("x{width}"));
        found.push(match link.state {
            link::LinkState::Down => {
                needed = Some(true);
                format!("the link at {} is down", port.address)
            }
            _ => format!("the link at {} has {width} lanes", port.address),
        });
    }
    if let Some(occupied) = link::slot_occupied(port).filter(|_| port.answers()) {
        found.push(
            (if occupied { "a card is seen in the slot" } else { "no card is seen in the slot" }).to_owned(),
        );
    }
    for check in ["aer-status-latched", "aer-correctable-latched", "link-lane-errors"] {
        if let Some(finding) =
            scene.finding(port.address, check).filter(|f| f.status != Status::Pass && !f.summary.is_empty())
        {
            needed = Some(true);
            found.push(format!("{}: {}", port.address, finding.summary));
        }
    }
    for (address, total) in corrected(looked.function, Some(port)) {
        found.push(corrected_text(address, total));
    }
    if found.is_empty() {
        found.push(format!("{} does not answer, so that its end of the link is not known", port.address));
    }
    (needed, found.join("; "))
}

/// Where the kernel counted corrected errors, and how many: at the device that reported them first, then at the port. Zeros say
/// nothing unless the kernel handles errors, and of a port that does not answer nothing is counted any more.
pub fn corrected(function: Option<&Function>, port: Option<&Function>) -> Vec<(Bdf, u64)> {
    let both = function.into_iter().chain(port.filter(|port| port.answers()));
    let counted = both.filter_map(|f| Some((f.address, aer::counters(f, COUNTER)?.total?)));
    counted.filter(|(_, total)| *total > 0).collect()
}

/// The same in a clause.
pub fn corrected_text(address: Bdf, total: u64) -> String {
    let errors = if total == 1 { "error" } else { "errors" };
    format!("{address} counted {total} corrected {errors}")
}

/// The kernel's file of corrected errors that a function reported (kernel: `aer_stats_dev_attr` in drivers/pci/pcie/aer.c).
pub const COUNTER: &str = "aer_dev_correctable";

fn cooling_found(looked: &Looked<'_>) -> Found {
    let text = match looked.diagnosis.has("driver-reads-all-ones") {
        true => {
            "temperatures cannot be read from a device that does not answer; the management controller may have kept them"
        }
        false => "not read: temperatures are not part of PCI Express",
    };
    (None, text.to_owned())
}

fn errors_found(looked: &Looked<'_>) -> Found {
    match (looked.scene, looked.function.or(looked.port)) {
        (Some(scene), Some(function)) => {
            let owner =
                aer::aer(scene.machine(), function, scene.around.platform, scene.around.interrupts).ownership;
            let so = match owner.kernel {
                Some(true) => "errors would have been logged",
                Some(false) => "errors could not be logged, so that their absence proves nothing",
                None => "whether errors would have been logged is not known",
            };
            (owner.kernel.map(|kernel| !kernel), format!("{so}: {}", owner.reason))
        }
        _ if looked.diagnosis.has("errors-kept-by-firmware") => {
            let text =
                "_OSC kept AER from Linux: errors could not be logged, so that their absence proves nothing";
            (Some(true), text.to_owned())
        }
        _ => (None, "the log does not say who handles errors".to_owned()),
    }
}

/// Most lines that are quoted.
const QUOTED: usize = 3;

fn memory_found(looked: &Looked<'_>) -> Found {
    let about = looked.diagnosis.observations.iter().filter(|o| o.sign.id == "memory-errors");
    let events: Vec<&Event> = about.filter_map(|o| o.event()).collect();
    let quoted = events.iter().take(QUOTED).map(|event| match event.count {
        1 => event.message.clone(),
        count => format!("{} ({count} times)", event.message),
    });
    let mut found: Vec<String> = quoted.collect();
    match events.len().saturating_sub(QUOTED) {
        0 => {}
        1 => found.push("1 more such event".to_owned()),
        more => found.push(format!("{more} more such events")),
    }
    (None, found.join("; "))
}

fn when_found(looked: &Looked<'_>) -> Found {
    let logged =
        looked.diagnosis.observations.iter().filter_map(|o| o.event()).min_by_key(|e| (e.boot, e.line()));
    let text = match (looked.diagnosis.rule, logged) {
        (Some(_), Some(_)) => "see the first cause for the time",
        (Some(_), None) => "when it went is not known: no line of the log tells",
        (None, _) => "nothing",
    };
    (None, text.to_owned())
}
