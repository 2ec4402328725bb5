//! What to ask the provider for, each with what was actually found: a request that says what is asked and what is known is
//! answered, a list of guesses is not.

use crate::check::finding::{Status, Who};
use crate::check::registry;
use crate::inspect::value::size_text;
use crate::machine::{Function, aer, aspm, link};
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
    /// What is asked for.
    pub what: String,
    /// What was found of it, or why nothing was.
    pub found: String,
    /// Who can do it.
    pub who: Who,
}

/// What is asked for; where a check knows the words, they are the check's.
struct Question {
    of: &'static [Verdict],
    /// The check whose remedy it is; empty: `what` says it.
    check: &'static str,
    what: &'static str,
    who: Who,
    found: fn(&Looked<'_>) -> String,
}

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
        of: &[FallenOffBus, PowerStateStuck, ErrorStorm, FirmwareConfiguration],
        check: "aspm-enabled",
        what: "",
        who: Who::Firmware,
        found: aspm_found,
    },
    Question { of: ROOM, check: "bar-large-below-4g", what: "", who: Who::Firmware, found: above_4g_found },
    Question { of: ROOM, check: "rebar-below-max", what: "", who: Who::Firmware, found: resizable_found },
    Question {
        of: POWER,
        check: "",
        what: "check the power supply and the power cables of the card",
        who: Who::Provider,
        found: power_found,
    },
    Question {
        of: PATH,
        check: "",
        what: "check seating, riser and contacts of the card",
        who: Who::Provider,
        found: signal_found,
    },
    Question {
        of: &[FallenOffBus, LinkDown],
        check: "",
        what: "check cooling of the card and of the slot",
        who: Who::Provider,
        found: cooling_found,
    },
    Question { of: PATH, check: "osc-granted", what: "", who: Who::Firmware, found: errors_found },
    Question {
        of: &[MemoryFault],
        check: "",
        what: "exchange the card if rows can no longer be replaced (Xid 64), or if the errors come back after a reset",
        who: Who::Replacement,
        found: memory_found,
    },
    Question {
        of: &[SurpriseRemoved],
        check: "",
        what: "ask whether somebody worked at the machine at that time",
        who: Who::Provider,
        found: when_found,
    },
];

/// The list for a diagnosis; empty where nobody else has to do anything.
pub fn requests(sources: &Sources<'_>, diagnosis: &Diagnosis<'_>) -> Vec<Request> {
    let function = match (&diagnosis.subject, sources.scene) {
        (Subject::Function(address), Some(scene)) => scene.machine().get(*address),
        _ => None,
    };
    let looked =
        Looked { scene: sources.scene, function, port: port(sources, diagnosis, function), diagnosis };
    let mine = QUESTIONS.iter().filter(|question| question.of.contains(&diagnosis.verdict));
    mine.map(|question| {
        let check = registry::find(question.check);
        Request {
            what: check.map_or(question.what, |check| check.remedy).to_owned(),
            found: (question.found)(&looked),
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

fn aspm_found(looked: &Looked<'_>) -> String {
    let Some(scene) = looked.scene else { return NOT_READ.to_owned() };
    let words = |states: aspm::States| match (states.l0s, states.l1) {
        (false, false) => "off",
        (true, false) => "L0s on",
        (false, true) => "L1 on",
        (true, true) => "L0s and L1 on",
    };
    let end = |function: &Function| match aspm::aspm(function) {
        Some(aspm) => format!("{} at {}", words(aspm.enabled), function.address),
        None => format!("not read at {}", function.address),
    };
    let ends: Vec<String> = looked.port.into_iter().chain(looked.function).map(end).collect();
    let bridge = looked.function.or(looked.port).and_then(|f| f.host_bridge.as_deref());
    let control = aspm::control(scene.around.platform, bridge);
    let ends = if ends.is_empty() { "neither end was read".to_owned() } else { ends.join(", ") };
    format!("ASPM {ends}; {}", control.reason)
}

/// The kernel's copy of a function's memory BARs, which outlives the device: number and resource, the largest first.
fn memory(function: &Function) -> Vec<(usize, Resource)> {
    let text = function.reading.text("resource").unwrap_or_default();
    let all = resources(text).unwrap_or_default();
    let mut memory: Vec<(usize, Resource)> =
        all.into_iter().take(6).enumerate().filter(|(_, r)| r.is_memory() && r.size() > 0).collect();
    memory.sort_by_key(|(_, resource)| std::cmp::Reverse(resource.size()));
    memory
}

fn above_4g_found(looked: &Looked<'_>) -> String {
    let Some(scene) = looked.scene else { return NOT_READ.to_owned() };
    let largest = looked.function.and_then(|function| memory(function).first().copied());
    if let Some((bar, resource)) = largest {
        let size = size_text(resource.size());
        return match resource.is_assigned() {
            true if resource.start >= 1 << 32 => {
                format!(
                    "BAR {bar} of {size} lies above 4 GiB, at {:#x}: the setting seems to be on",
                    resource.start
                )
            }
            true => format!("BAR {bar} of {size} lies below 4 GiB, at {:#x}", resource.start),
            false => format!("BAR {bar} of {size} has no address"),
        };
    }
    let windows = scene.around.platform.host_bridges.iter().flat_map(|bridge| &bridge.windows);
    let high = |text: &&String| {
        text.strip_prefix("[mem 0x").and_then(|t| t.split('-').next()).is_some_and(|start| start.len() > 8)
    };
    match (windows.clone().next(), windows.clone().find(high)) {
        (None, _) => {
            "not known: neither the device's BARs nor the windows of host bridges were read".to_owned()
        }
        (_, Some(window)) => format!("a host bridge has a window above 4 GiB: {window}"),
        (_, None) => "no host bridge has a window above 4 GiB".to_owned(),
    }
}

fn resizable_found(looked: &Looked<'_>) -> String {
    if looked.scene.is_none() {
        return NOT_READ.to_owned();
    }
    let Some(function) = looked.function else {
        return "not known: the device is not listed any more".to_owned();
    };
    let control: Option<ResizableBarControl> = function.register(&SPECIFICATION);
    let capability: Option<ResizableBarCapability> = function.register(&SPECIFICATION);
    if let Some((control, capability)) = control.zip(capability) {
        let sizes = supported_sizes(capability, control);
        let largest = (0..44).rev().find(|bit| sizes >> bit & 1 == 1).map(|bit| 1u64 << (bit + 20));
        let size = control.size_bytes().map_or_else(|| "a reserved size".to_owned(), size_text);
        let most = largest.map_or_else(|| "an unknown size".to_owned(), size_text);
        return format!("BAR {} has {size}, the device offers {most}", control.bar_index());
    }
    match (function.answers(), memory(function).first()) {
        (true, _) => "the device has no Resizable BAR, or it was not read".to_owned(),
        (false, Some((bar, resource))) => format!(
            "the register cannot be read from a device that does not answer; the kernel's copy has BAR {bar} of {}",
            size_text(resource.size())
        ),
        (false, None) => "cannot be read from a device that does not answer".to_owned(),
    }
}

fn power_found(looked: &Looked<'_>) -> String {
    let Some(scene) = looked.scene else { return NOT_READ.to_owned() };
    let mut found = Vec::new();
    if let Some(port) = looked.port {
        found.push(match scene.finding(port.address, "power-slot-fault") {
            Some(finding) if matches!(finding.status, Status::Fail | Status::Warn) => {
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
    found.join("; ")
}

fn signal_found(looked: &Looked<'_>) -> String {
    let Some(scene) = looked.scene else {
        return match looked.diagnosis.has("signal-errors") {
            true => "the log has errors of the signal (evidence above)".to_owned(),
            false => "the log has no error of the signal".to_owned(),
        };
    };
    let Some(port) = looked.port else { return "the port above was not read".to_owned() };
    let mut found = Vec::new();
    if let Some(link) = link::link(port) {
        let width = link.current.width.map_or_else(|| "none".to_owned(), |width| format!("x{width}"));
        found.push(match link.state {
            link::LinkState::Down => format!("the link at {} is down", port.address),
            _ => format!("the link at {} has {width} lanes", port.address),
        });
    }
    if let Some(occupied) = link::slot_occupied(port) {
        found.push(
            (if occupied { "a card is seen in the slot" } else { "no card is seen in the slot" }).to_owned(),
        );
    }
    for check in ["aer-status-latched", "aer-correctable-latched", "link-lane-errors"] {
        if let Some(finding) =
            scene.finding(port.address, check).filter(|f| f.status != Status::Pass && !f.summary.is_empty())
        {
            found.push(format!("{}: {}", port.address, finding.summary));
        }
    }
    let correctable =
        aer::aer(scene.machine(), port, scene.around.platform, scene.around.interrupts).correctable;
    if let Some(total) = correctable.and_then(|counters| counters.total) {
        found.push(format!("{} counted {total} corrected errors", port.address));
    }
    found.join("; ")
}

fn cooling_found(looked: &Looked<'_>) -> String {
    match looked.diagnosis.has("driver-reads-all-ones") {
        true => "temperatures cannot be read from a device that does not answer; the management controller may have kept them",
        false => "not read: temperatures are not part of PCI Express",
    }
    .to_owned()
}

fn errors_found(looked: &Looked<'_>) -> String {
    match (looked.scene, looked.function.or(looked.port)) {
        (Some(scene), Some(function)) => {
            let owner =
                aer::aer(scene.machine(), function, scene.around.platform, scene.around.interrupts).ownership;
            let so = match owner.kernel {
                Some(true) => "errors would have been logged",
                Some(false) => "errors could not be logged, so that their absence proves nothing",
                None => "whether errors would have been logged is not known",
            };
            format!("{so}: {}", owner.reason)
        }
        _ if looked.diagnosis.has("errors-kept-by-firmware") => {
            "_OSC kept AER from Linux: errors could not be logged, so that their absence proves nothing"
                .to_owned()
        }
        _ => "the log does not say who handles errors".to_owned(),
    }
}

fn memory_found(looked: &Looked<'_>) -> String {
    let count = looked.diagnosis.observations.iter().filter(|o| o.sign.id == "memory-errors").count();
    format!("{count} kinds of memory errors in the log")
}

fn when_found(looked: &Looked<'_>) -> String {
    match looked.diagnosis.rule {
        Some(_) => "see the first cause for the time".to_owned(),
        None => "nothing".to_owned(),
    }
}
