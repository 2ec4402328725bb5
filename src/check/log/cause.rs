//! Whether an event follows from another one of the same boot, near enough to it.
//!
//! Of what happened several times the log keeps the first and the last time, and how often it was. What all came near one
//! cause follows from it. Otherwise a cause has to be near the first and near the last time, and there have to be as many
//! causes: an old cause does not explain a new event.
//!
//! A log may hold a hundred thousand events of one kind and as many that may be why. So what may be why is sorted once, by whom
//! it is about and by time; each event then looks only there.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::check::subject::Surroundings;
use crate::kernel_log::Event;
use crate::kernel_log::stamp::When;
use crate::pci::Bdf;
use crate::pci::header::{SecondaryBus, SubordinateBus};

use super::resources::bar_number;

/// How far apart cause and event may be where the log tells no time, in lines.
const LINES: i128 = 64;

/// How far apart cause and event may be, in seconds.
#[derive(Debug, Clone, Copy)]
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
/// aer-inject raises the interrupt at once; a recovery that fails takes up to a minute (kernel: pci_dev_wait in
/// drivers/pci/pci.c, PCIE_RESET_READY_POLL_MS).
const INJECTED: Window = Window { before: 60, after: 0, each: false };

/// Most ports above one device: each has a bus of its own, and a domain has 256 (PCIe 6.2, 7.5.1.3.2).
const PORTS: usize = 256;
/// Kinds by which somebody asks for a slot to be switched off.
const ASKING: [&str; 2] = ["pciehp.button", "pciehp.latch-open"];

/// A slot: boot, how it was asked, the port, its name where the line has one.
type Slot<'a> = (usize, &'static str, Option<Bdf>, Option<&'a str>);

/// What may be why something else happened.
#[derive(Debug, Default)]
pub(super) struct Causes<'a> {
    /// When cards left their slots, by boot and port.
    left: HashMap<(usize, Bdf), Moments>,
    /// Those ports, by domain and bus of what is, or was, below them.
    over: BTreeMap<(u32, u8), Vec<Bdf>>,
    /// Those of them whose bus numbers were not read.
    without_numbers: BTreeSet<Bdf>,
    /// When somebody asked for a slot to be switched off.
    asked: HashMap<Slot<'a>, Moments>,
    /// When aer-inject made errors, by boot and function: of the one that it made them of, and of the ports above.
    injected: HashMap<(usize, Bdf), Moments>,
    /// The last line at which the recovery changed that the driver asks for, by boot and GPU.
    recovery: HashMap<(usize, Option<Bdf>), u64>,
    /// The last line at which a BAR got an address, by boot, function and number.
    assigned: HashMap<(usize, Option<Bdf>, u8), u64>,
}

impl<'a> Causes<'a> {
    /// Sorts out the log.
    pub(super) fn new(around: &Surroundings<'a>) -> Self {
        let mut causes = Causes::default();
        for event in around.log.into_iter().flat_map(|log| &log.events) {
            causes.take(around, event);
        }
        let all =
            causes.left.values_mut().chain(causes.asked.values_mut()).chain(causes.injected.values_mut());
        all.for_each(Moments::sort);
        let ports: BTreeSet<Bdf> = causes.left.keys().map(|(_, port)| *port).collect();
        for port in ports {
            causes.take_port(around, port);
        }
        causes
    }

    fn take(&mut self, around: &Surroundings<'a>, event: &'a Event) {
        let boot = event.boot;
        match (event.kind.id, event.device) {
            ("pciehp.card-not-present", Some(port)) => self.left.entry((boot, port)).or_default().add(event),
            ("aer.injected", _) => {
                let Some(source) = event.address("source") else { return };
                // What a port says follows from an error below it.
                let path = around.machine.get(source).map(|f| around.machine.path(f)).unwrap_or_default();
                let mut concerned: BTreeSet<Bdf> = path.iter().map(|above| above.address).collect();
                concerned.insert(source);
                for device in concerned {
                    self.injected.entry((boot, device)).or_default().add(event);
                }
            }
            ("nvidia.xid", device) if event.number("xid") == Some(154) => {
                let last = self.recovery.entry((boot, device)).or_default();
                *last = (*last).max(event.last_line);
            }
            ("resources.assigned", device) => {
                if let Some(bar) = bar_number(event) {
                    let last = self.assigned.entry((boot, device, bar)).or_default();
                    *last = (*last).max(event.last_line);
                }
            }
            (kind, device) => {
                if let Some(kind) = ASKING.into_iter().find(|asking| *asking == kind) {
                    self.asked.entry((boot, kind, device, event.text("slot"))).or_default().add(event);
                }
            }
        }
    }

    /// Notes what is below a port: by its bus numbers, since the function may be gone.
    fn take_port(&mut self, around: &Surroundings<'_>, port: Bdf) {
        let Some(function) = around.machine.get(port) else { return };
        match function.header::<SecondaryBus>().zip(function.header::<SubordinateBus>()) {
            Some((from, to)) if from.number() != 0 => {
                for bus in from.number()..=to.number() {
                    let over = self.over.entry((port.domain, bus)).or_default();
                    if over.len() < PORTS {
                        over.push(port);
                    }
                }
            }
            Some(_) => {}
            None => _ = self.without_numbers.insert(port),
        }
    }

    /// Whether the device of an event left its slot just then: presence was lost, which is more than a link that went down.
    /// `each`: each time that it happened.
    pub(super) fn card_left(&self, around: &Surroundings<'_>, event: &Event, each: bool) -> bool {
        let Some(device) = event.device else { return false };
        let mut ports = vec![device];
        let over = self.over.get(&(device.domain, device.bus)).into_iter().flatten();
        ports.extend(over.filter(|port| **port != device));
        if !self.without_numbers.is_empty()
            && let Some(function) = around.machine.get(device)
        {
            let path = around.machine.path(function).into_iter().map(|above| above.address);
            ports.extend(path.filter(|port| *port != device && self.without_numbers.contains(port)));
        }
        let left = ports.iter().filter_map(|port| self.left.get(&(event.boot, *port)));
        explains(&left.collect::<Vec<_>>(), event, Window { each, ..PULLED })
    }

    /// Whether somebody asked for the slot of an event to be switched off just before.
    pub(super) fn removal_asked(&self, event: &Event) -> bool {
        let slot = event.text("slot");
        ASKING.into_iter().any(|kind| {
            let named = self.asked.get(&(event.boot, kind, event.device, slot));
            let other = || self.asked.get(&(event.boot, kind, event.device, None));
            let asked = named.into_iter().chain(slot.and_then(|_| other()));
            explains(&asked.collect::<Vec<_>>(), event, ASKED)
        })
    }

    /// Whether aer-inject made this error of the device just before: then it is a test.
    pub(super) fn injected(&self, event: &Event) -> bool {
        let of = event.device.and_then(|device| self.injected.get(&(event.boot, device)));
        of.is_some_and(|injected| explains(&[injected], event, INJECTED))
    }

    /// Whether the driver asked for another recovery of the GPU later.
    pub(super) fn recovery_changed_later(&self, event: &Event) -> bool {
        self.recovery.get(&(event.boot, event.device)).is_some_and(|last| *last > event.last_line)
    }

    /// Whether a BAR got an address after an event.
    pub(super) fn assigned_later(&self, event: &Event, bar: u8) -> bool {
        self.assigned.get(&(event.boot, event.device, bar)).is_some_and(|last| *last > event.last_line)
    }
}

/// Whether the causes explain all that the event stands for.
fn explains(causes: &[&Moments], event: &Event, window: Window) -> bool {
    let (first, last) = ((&event.first, event.line()), (&event.last, event.last_line));
    let one = |times: &[(&When, u64)]| causes.iter().any(|cause| cause.near_all(times, window));
    let times: u64 = causes.iter().map(|cause| cause.times).sum();
    let of_one = || !window.each && one(&[first, last]);
    event.count <= times && one(&[first]) && one(&[last]) || of_one()
}

/// How two moments are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    /// Microseconds since the start.
    Start,
    /// The time of day.
    Clock,
    /// Lines of the log.
    Line,
}

/// First and last times at which causes happened, sorted.
#[derive(Debug, Default)]
struct Moments {
    /// How often they happened.
    times: u64,
    /// By which times they have: none, a time of day, one since the start, both.
    of: [Sorted; 4],
}

/// The same moments, three times. Any number may stand in a log: wide enough for every difference.
#[derive(Debug, Default)]
struct Sorted {
    start: Vec<i128>,
    clock: Vec<i128>,
    line: Vec<i128>,
}

fn start(when: &When) -> Option<i128> {
    when.microseconds.map(i128::from)
}

fn clock(when: &When) -> Option<i128> {
    when.clock.as_ref().and_then(|clock| clock.microseconds).map(i128::from)
}

impl Moments {
    fn add(&mut self, event: &Event) {
        self.times = self.times.saturating_add(event.count);
        for (when, line) in [(&event.first, event.line()), (&event.last, event.last_line)] {
            let (start, clock) = (start(when), clock(when));
            let sorted = &mut self.of[usize::from(start.is_some()) * 2 + usize::from(clock.is_some())];
            sorted.start.extend(start);
            sorted.clock.extend(clock);
            sorted.line.push(i128::from(line));
        }
    }

    fn sort(&mut self) {
        for sorted in &mut self.of {
            for moments in [&mut sorted.start, &mut sorted.clock, &mut sorted.line] {
                moments.sort_unstable();
            }
        }
    }

    /// Whether one moment is near all of these times, each with its line.
    fn near_all(&self, times: &[(&When, u64)], window: Window) -> bool {
        self.of.iter().enumerate().any(|(has, sorted)| {
            let ranges: Vec<(By, i128, i128)> = times
                .iter()
                .map(|(when, line)| range(when, *line, (has & 2 != 0, has & 1 != 0), window))
                .collect();
            let Some((by, ..)) = ranges.first().copied() else { return false };
            // First and last time are in the same style, or nothing can be said of both together.
            if ranges.iter().any(|(other, ..)| *other != by) {
                return false;
            }
            let from = ranges.iter().map(|(_, from, _)| *from).max().unwrap_or(0);
            let to = ranges.iter().map(|(_, _, to)| *to).min().unwrap_or(0);
            let moments = match by {
                By::Start => &sorted.start,
                By::Clock => &sorted.clock,
                By::Line => &sorted.line,
            };
            moments.get(moments.partition_point(|moment| *moment < from)).is_some_and(|moment| *moment <= to)
        })
    }
}

/// How a time is compared with moments that have a time since the start, one of day; and between which of them a cause must be.
fn range(when: &When, line: u64, (started, clocked): (bool, bool), window: Window) -> (By, i128, i128) {
    let (before, after) = (i128::from(window.before) * 1_000_000, i128::from(window.after) * 1_000_000);
    if let Some(now) = start(when).filter(|_| started) {
        (By::Start, now - before, now + after)
    } else if let Some(now) = clock(when).filter(|_| clocked) {
        (By::Clock, now - before, now + after)
    } else {
        let line = i128::from(line);
        (By::Line, line - LINES, line + if window.after == 0 { 0 } else { LINES })
    }
}

#[cfg(test)]
#[path = "cause_tests.rs"]
mod tests;
