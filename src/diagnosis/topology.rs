//! Which ports are above a device: from the machine where it was read, from the log otherwise.

use std::collections::{BTreeMap, BTreeSet};

use crate::kernel_log::Log;
use crate::machine::Machine;
use crate::pci::Bdf;
use crate::pci::header::{SecondaryBus, SubordinateBus};

/// Most ports that are taken to be above one device: each has a bus of its own, and a domain has 256 (PCIe 6.2, 7.5.1.3.2).
/// More come from a made-up log.
const DEPTH: usize = 256;

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
        topology
    }

    fn take(&mut self, event: &crate::kernel_log::Event) {
        let Some(device) = event.device else { return };
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
        }
    }

    fn take_machine(&mut self, machine: &Machine) {
        for function in &machine.functions {
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

    /// Ports above a device, at most `DEPTH`, and whether that is only a guess: of the ports that spoke of a slot, the
    /// only one that can be.
    pub fn above(&self, device: Bdf) -> (BTreeSet<Bdf>, bool) {
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
        let first = Bdf { domain: device.domain, bus: 0, device: 0, function: 0 };
        let mut candidates = self.loose.range(first..Bdf { bus: device.bus, ..first });
        if let (Some(only), None) = (candidates.next(), candidates.next()) {
            let guessed = above.insert(*only);
            return (above, guessed);
        }
        (above, false)
    }
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
