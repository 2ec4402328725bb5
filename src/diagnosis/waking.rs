//! What does not come back together when a machine wakes: a switch and everything behind it.

use std::collections::{BTreeMap, BTreeSet};

use crate::kernel_log::Event;
use crate::pci::Bdf;

/// Events that say that a device does not come back.
const SILENT: [&str; 3] = ["power.inaccessible", "power.refused", "power.gave-up"];
/// How far apart they may be to belong to one waking: the kernel waits a minute for each (PCIE_RESET_READY_POLL_MS).
const ONE_WAKING: u64 = 180_000_000;

/// Devices of one domain that did not come back, each within [`ONE_WAKING`] of the one before.
#[derive(Debug)]
struct Waking<'a> {
    /// Each device with the first event that says so.
    silent: BTreeMap<Bdf, &'a Event>,
    /// The topmost port that is itself below another bridge.
    port: Option<Bdf>,
    /// The last bus on which something is silent.
    last_bus: u8,
}

/// What did not come back, boot by boot.
#[derive(Debug, Default)]
pub struct Wakings<'a> {
    /// Events in the order of the log.
    silent: BTreeMap<(usize, u32), Vec<&'a Event>>,
    /// Boots in which the machine slept.
    slept: BTreeSet<usize>,
    /// Made of them when all are known.
    wakings: BTreeMap<(usize, u32), Vec<Waking<'a>>>,
    /// The first of those that a device is in.
    of: BTreeMap<(usize, Bdf), usize>,
}

impl<'a> Wakings<'a> {
    /// Takes an event, if it says anything of this.
    pub fn take(&mut self, event: &'a Event) {
        if matches!(event.kind.id, "sleep.exit" | "sleep.entry") {
            self.slept.insert(event.boot);
        }
        let Some(device) = event.device.filter(|_| SILENT.contains(&event.kind.id)) else { return };
        self.silent.entry((event.boot, device.domain)).or_default().push(event);
        if event.text("operation").is_some_and(|text| text.contains("resume")) {
            self.slept.insert(event.boot);
        }
    }

    /// Parts the events into wakings.
    pub fn finish(&mut self) {
        for (key, events) in &self.silent {
            let mut wakings: Vec<Waking<'a>> = Vec::new();
            let mut before: Option<u64> = None;
            for event in events {
                let Some(device) = event.device else { continue };
                let now = event.first.microseconds;
                let same = before.zip(now).is_none_or(|(before, now)| before.abs_diff(now) <= ONE_WAKING);
                before = now.or(before);
                if wakings.is_empty() || !same {
                    wakings.push(Waking { silent: BTreeMap::new(), port: None, last_bus: 0 });
                }
                let place = wakings.len() - 1;
                let waking = &mut wakings[place];
                waking.silent.entry(device).or_insert(event);
                waking.last_bus = waking.last_bus.max(device.bus);
                if event.driver.as_deref() == Some("pcieport") && device.bus > 0 {
                    waking.port = Some(waking.port.map_or(device, |port| port.min(device)));
                }
                self.of.entry((key.0, device)).or_insert(place);
            }
            self.wakings.insert(*key, wakings);
        }
    }

    /// The event that says so of a device, if it is a port that is itself below another bridge, or behind one, and did not
    /// come back together with it after the machine slept. `above`: the ports above the device.
    pub fn vanished(&self, device: Bdf, boot: usize, above: &BTreeSet<Bdf>) -> Option<&'a Event> {
        let place = self.of.get(&(boot, device)).filter(|_| self.slept.contains(&boot))?;
        let waking = self.wakings.get(&(boot, device.domain))?.get(*place)?;
        let port = waking.port.filter(|port| *port <= device && waking.last_bus > port.bus)?;
        let below_it = port == device || above.is_empty() || above.contains(&port);
        waking.silent.get(&device).copied().filter(|_| below_it)
    }
}
