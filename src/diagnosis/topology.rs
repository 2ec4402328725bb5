//! Which ports are above a device: from the machine where it was read, from the log otherwise.

use std::collections::{BTreeMap, BTreeSet};

use crate::kernel_log::stamp::When;
use crate::kernel_log::{Event, Level, Log, xid};
use crate::machine::{Machine, link};
use crate::pci::Bdf;
use crate::pci::header::{SecondaryBus, SubordinateBus};

/// Most ports that are taken to be above one device: each has a bus of its own, and a domain has 256 (PCIe 6.2, 7.5.1.3.2).
/// More come from a made-up log.
const DEPTH: usize = 256;

/// How close in time a device's trouble must be to what the slot said for a port to be guessed, in seconds. Our own reading:
/// drivers notice at their next access.
pub const CLOSE: u64 = 10;

/// The same in lines, where the log has no times.
const CLOSE_LINES: u64 = 32;

/// What is known of the hierarchy.
#[derive(Debug, Default)]
pub struct Topology {
    /// Bridges with the first and the last bus below them.
    buses: BTreeMap<Bdf, (u8, u8)>,
    /// The bridges that a bus is below, by domain and bus.
    over: BTreeMap<(u32, u8), Vec<Bdf>>,
    /// Ports that a line names together with a device below them.
    named: BTreeMap<Bdf, BTreeSet<Bdf>>,
    /// Ports of which nothing tells what is below them, but which said something of a slot or of containment.
    loose: BTreeSet<Bdf>,
    /// Bridges and ports that lead downwards, as far as log or machine tell.
    downwards: BTreeSet<Bdf>,
    /// Of devices that nothing tells to be below a port, the only port that can be the one above.
    guessed: BTreeMap<Bdf, Bdf>,
}

impl Topology {
    /// What log and machine tell.
    pub fn new(log: Option<&Log>, machine: Option<&Machine>) -> Self {
        let mut topology = Topology::default();
        for event in log.iter().flat_map(|log| &log.events) {
            topology.take(event);
        }
        if let Some(machine) = machine {
            topology.take_machine(machine);
        }
        for (bridge, (first, last)) in &topology.buses {
            for bus in *first..=*last {
                let over = topology.over.entry((bridge.domain, bus)).or_default();
                if over.len() < DEPTH {
                    over.push(*bridge);
                }
            }
        }
        let named: BTreeSet<Bdf> = topology.named.values().flatten().copied().collect();
        let buses = &topology.buses;
        topology.loose.retain(|port| machine.is_none() && !buses.contains_key(port) && !named.contains(port));
        topology.downwards.extend(&named);
        if let Some(log) = log {
            topology.guess(log);
            topology.guess_by_signal(log, machine.is_some());
        }
        topology
    }

    fn take(&mut self, event: &Event) {
        let Some(device) = event.device else { return };
        let is_bridge = event.kind.id == "pci.function-found" && event.number("header_type") == Some(1);
        if is_bridge || event.kind.id == "pci.bridge" || event.driver.as_deref() == Some("pcieport") {
            self.downwards.insert(device);
        }
        if event.kind.id == "pci.bridge"
            && let Some(range) = event.text("name").and_then(range)
        {
            self.buses.insert(device, range);
        }
        let mut name = |device: Option<Bdf>, port: Option<Bdf>| {
            if let (Some(device), Some(port)) = (device, port)
                && device != port
                && device.domain == port.domain
            {
                self.named.entry(device).or_default().insert(port);
            }
        };
        // A root port received the message of a device below it (PCIe 6.2, 6.2.4.1).
        name(Some(device), event.address("reporter"));
        if event.kind.id.starts_with("aer.") || event.kind.id == "dpc.containment" {
            let by_number =
                event.number("source_id").filter(|id| *id > 0).and_then(|id| requester(device, id));
            name(event.address("source").or(by_number), Some(device));
        }
        // The kernel names the port above the narrowest link of the way.
        name(Some(device), event.address("limited_at"));
        if event.kind.id.starts_with("pciehp.") || event.kind.id.starts_with("dpc.") {
            self.loose.insert(device);
            self.downwards.insert(device);
        }
    }

    /// Guesses which device is in a slot where nothing tells: if only one port of the domain spoke of a slot, only one device
    /// can be below it, and that one was in trouble when the port spoke, or had been lost before the port said that its card
    /// left.
    fn guess(&mut self, log: &Log) {
        let mut ports: BTreeMap<u32, Vec<Bdf>> = BTreeMap::new();
        for port in &self.loose {
            ports.entry(port.domain).or_default().push(*port);
        }
        let alone = |domain: u32| ports.get(&domain).filter(|all| all.len() == 1)?.first().copied();
        // Functions of one device are in one slot.
        let mut below: BTreeMap<Bdf, BTreeSet<(u8, u8)>> = BTreeMap::new();
        let mut said: BTreeMap<Bdf, Vec<&Event>> = BTreeMap::new();
        // Lines that are not understood place nobody.
        let known = || log.events.iter().filter(|event| !event.is_from_words_alone());
        for event in known() {
            let Some((device, port)) = event.device.and_then(|d| Some((d, alone(d.domain)?))) else {
                continue;
            };
            if device == port && is_of_slot(event) {
                said.entry(port).or_default().push(event);
            } else if device.bus > port.bus && self.can_be_below(device, port) {
                let places = below.entry(port).or_default();
                // Two are as many as more.
                if places.len() < 2 {
                    places.insert((device.bus, device.device));
                }
            }
        }
        let lone = |port: Bdf| below.get(&port).is_some_and(|places| places.len() == 1);
        for event in known().filter(|event| xid::level(event) != Level::Information) {
            let Some((device, port)) = event.device.and_then(|d| Some((d, alone(d.domain)?))) else {
                continue;
            };
            let spoke = said.get(&port).into_iter().flatten().take(DEPTH);
            let can_be = device.bus > port.bus && lone(port) && self.can_be_below(device, port);
            let follows = |other: &&Event| is_close(event, other) || is_lost_before(event, other);
            if can_be && spoke.copied().filter(|other| other.boot == event.boot).any(|other| follows(&other))
            {
                self.guessed.insert(device, port);
            }
        }
    }

    /// Guesses the port of a device that was lost, of which nothing tells what it is below: the only port of the domain that reported
    /// errors of its own link before, if only one device was lost after them.
    fn guess_by_signal(&mut self, log: &Log, machine_is_known: bool) {
        let mut ports: BTreeMap<u32, BTreeMap<Bdf, Vec<&Event>>> = BTreeMap::new();
        let mut lost: BTreeMap<u32, BTreeMap<(u8, u8), &Event>> = BTreeMap::new();
        for event in &log.events {
            let Some(device) = event.device else { continue };
            if is_of_own_link(event) && !self.buses.contains_key(&device) {
                ports.entry(device.domain).or_default().entry(device).or_default().push(event);
            } else if is_lost(event) {
                lost.entry(device.domain).or_default().entry((device.bus, device.device)).or_insert(event);
            }
        }
        for (domain, ports) in ports.into_iter().filter(|(_, ports)| ports.len() == 1 && !machine_is_known) {
            let Some((port, errors)) = ports.into_iter().next() else { continue };
            let Some(lost) = lost.get(&domain).filter(|lost| lost.len() == 1).and_then(|l| l.values().next())
            else {
                continue;
            };
            let Some(device) = lost.device.filter(|device| device.bus > port.bus) else { continue };
            let before = errors.iter().any(|error| error.boot == lost.boot && error.line() < lost.line());
            let (above, _) = self.above(device);
            if before && above.is_empty() {
                self.guessed.insert(device, port);
            }
        }
    }

    /// Whether nothing tells that a device is below another port than this one.
    fn can_be_below(&self, device: Bdf, port: Bdf) -> bool {
        let over = |bus: u8| self.over.get(&(device.domain, bus)).into_iter().flatten();
        let known = over(device.bus).chain(self.named.get(&device).into_iter().flatten());
        let mut known = known.filter(|above| **above != device);
        known.all(|above| over(port.bus).any(|upper| upper == above))
    }

    /// Whether a function is a bridge or a port that leads to other buses, as far as is known.
    pub fn leads_down(&self, function: Bdf) -> bool {
        self.downwards.contains(&function)
    }

    fn take_machine(&mut self, machine: &Machine) {
        for function in &machine.functions {
            let bridge = match link::port_type(function) {
                Some(port) => port.is_downstream_facing(),
                None => function.header_layout() == Some(1),
            };
            if bridge {
                self.downwards.insert(function.address);
            }
            let numbers = function.header::<SecondaryBus>().zip(function.header::<SubordinateBus>());
            if function.header_layout() == Some(1)
                && let Some((first, last)) = numbers
                && first.number() > function.address.bus
            {
                self.buses.insert(function.address, (first.number(), last.number()));
            }
            let path =
                machine.path(function).iter().map(|f| f.address).filter(|a| *a != function.address).collect();
            self.named.insert(function.address, path);
        }
    }

    /// Ports above a device, at most `DEPTH`, and the one of them that is only a guess.
    pub fn above(&self, device: Bdf) -> (BTreeSet<Bdf>, Option<Bdf>) {
        let over = self.over.get(&(device.domain, device.bus)).into_iter().flatten();
        let mut above: BTreeSet<Bdf> = over.copied().filter(|port| *port != device).collect();
        above.extend(self.named.get(&device).into_iter().flatten().take(DEPTH));
        // Ports above those.
        let mut more: Vec<Bdf> = above.iter().copied().collect();
        while let Some(port) = more.pop() {
            for upper in self.named.get(&port).into_iter().flatten().take(DEPTH) {
                if *upper != device && above.len() < DEPTH && above.insert(*upper) {
                    more.push(*upper);
                }
            }
        }
        let guessed = self.guessed.get(&device).copied().filter(|port| above.insert(*port));
        (above, guessed)
    }
}

/// Kinds by which drivers say that nobody answers.
const LOST: [&str; 10] = [
    "wireless.gone",
    "storage.disconnected",
    "storage.adapter-dead",
    "nvidia.fallen-off-the-bus",
    "nvidia.probe-fallen-off",
    "gpu.all-ones",
    "ethernet.gone",
    "mlx5.unreachable",
    "xhci.gone",
    "ahci.unavailable",
];

/// Whether a driver says that nobody answers.
fn is_lost(event: &Event) -> bool {
    LOST.contains(&event.kind.id)
        || event.kind.id == "nvidia.xid" && event.number("xid") == Some(79)
        || event.kind.id == "nvme.controller-down" && event.number("controller_status") == Some(0xffff_ffff)
}

/// Whether a port reports an error of the link below it, in the layers that the link is made of (PCIe 6.2, table 6-3).
fn is_of_own_link(event: &Event) -> bool {
    event.kind.id == "aer.error"
        && event.driver.as_deref() == Some("pcieport")
        && event
            .text("layer")
            .is_some_and(|layer| layer.starts_with("Physical") || layer.starts_with("Data Link"))
}

/// Whether a driver lost its device before a card left its slot.
fn is_lost_before(event: &Event, other: &Event) -> bool {
    is_lost(event)
        && other.kind.id == "pciehp.card-not-present"
        && event.line() < other.last_line.max(other.line())
}

/// Whether a port speaks of what is in its slot or of its containment.
fn is_of_slot(event: &Event) -> bool {
    event.kind.id.starts_with("pciehp.") || event.kind.id.starts_with("dpc.")
}

/// Whether two events happened within [`CLOSE`] seconds, the first or the last time.
fn is_close(one: &Event, other: &Event) -> bool {
    let near = |a: &When, b: &When| {
        // Of two moments since the start the later one comes out as 0 after the earlier one.
        let apart = a.since(b).into_iter().chain(b.since(a)).max();
        apart.is_some_and(|apart| apart <= CLOSE * 1_000_000)
    };
    let timed = |when: &When| when.microseconds.is_some() || when.clock.is_some();
    if !timed(&one.first) && !timed(&other.first) {
        // Without times only the order of lines is known.
        return [one.line(), one.last_line]
            .into_iter()
            .any(|a| a.abs_diff(other.line()) <= CLOSE_LINES || a.abs_diff(other.last_line) <= CLOSE_LINES);
    }
    [&one.first, &one.last].into_iter().any(|a| near(a, &other.first) || near(a, &other.last))
}

/// `01-06` or `01`.
fn range(text: &str) -> Option<(u8, u8)> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    Some((u8::from_str_radix(first, 16).ok()?, u8::from_str_radix(last, 16).ok()?))
}

/// The device with that requester ID in the domain of a port.
pub fn requester(port: Bdf, id: i64) -> Option<Bdf> {
    let id = u16::try_from(id).ok()?;
    Some(Bdf {
        domain: port.domain,
        bus: (id >> 8) as u8,
        device: (id >> 3 & 0x1f) as u8,
        function: (id & 7) as u8,
    })
}
