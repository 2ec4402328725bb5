//! From events and state to observations: which signs were seen of a device, when, and where that can be looked up.

use std::collections::{BTreeMap, BTreeSet};

use crate::check::finding::Proof;
use crate::kernel_log::{Event, Level, Log, xid};
use crate::pci::Bdf;

use super::sign::{self, Now, Place, Sign};
use super::state::{Fact, Scene};
use super::topology::{self, Topology};

/// Whom a diagnosis is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// A function.
    Function(Bdf),
    /// Something that the log names otherwise: a controller such as `nvme0`, an interrupt, a host controller.
    Named(String),
}

/// When something was seen: boot and line of the log; the state is behind all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Order(pub usize, pub u64);

/// What was read, behind everything that was logged.
pub const NOW: Order = Order(usize::MAX, 0);

/// Where an observation can be looked up.
#[derive(Debug, Clone)]
pub enum Seen<'a> {
    /// An event of the log.
    Event(&'a Event),
    /// The machine's state: a clause and its proofs.
    State(String, Vec<Proof>),
}

/// A sign that was seen.
#[derive(Debug, Clone)]
pub struct Observation<'a> {
    /// The sign.
    pub sign: &'static Sign,
    /// When it was first seen.
    pub first: Order,
    /// When it was last seen.
    pub last: Order,
    /// Where.
    pub seen: Seen<'a>,
}

/// A sign that an event is.
#[derive(Clone, Copy)]
struct Hit<'a> {
    sign: &'static Sign,
    event: &'a Event,
}

/// Everything that is known.
pub struct Sources<'a> {
    /// The log, if there is one.
    pub log: Option<&'a Log>,
    /// The machine's state, if it was read.
    pub scene: Option<&'a Scene<'a>>,
    /// What is above what.
    pub topology: Topology,
    /// Boots of the log that are the run of the machine that the state is from.
    current: BTreeSet<usize>,
    /// Signs by whom they are about; those that count wherever they are seen.
    hits: BTreeMap<Subject, Vec<Hit<'a>>>,
    anywhere: Vec<Hit<'a>>,
    /// Events by whom they are about; those about nobody.
    events: BTreeMap<Subject, Vec<&'a Event>>,
    of_nobody: Vec<&'a Event>,
    /// Devices that were found or started, with what is above them.
    arrivals: Vec<(&'a Event, BTreeSet<Bdf>)>,
    /// Devices that do not come back, and whether the machine slept.
    silent: Vec<&'a Event>,
    slept: BTreeSet<usize>,
}

impl<'a> Sources<'a> {
    /// Puts log and state together.
    pub fn new(log: Option<&'a Log>, scene: Option<&'a Scene<'a>>) -> Self {
        let boots = log.map(|log| log.boots.as_slice()).unwrap_or_default();
        let mut current: BTreeSet<usize> =
            boots.iter().enumerate().filter(|(_, b)| b.relative == Some(0)).map(|(place, _)| place).collect();
        if current.is_empty() {
            current.extend(boots.len().checked_sub(1));
        }
        let mut sources = Sources {
            log,
            scene,
            topology: Topology::new(log, scene.map(|scene| scene.machine())),
            current,
            hits: BTreeMap::new(),
            anywhere: Vec::new(),
            events: BTreeMap::new(),
            of_nobody: Vec::new(),
            arrivals: Vec::new(),
            silent: Vec::new(),
            slept: BTreeSet::new(),
        };
        let speakers = Speakers::new(log);
        for event in log.into_iter().flat_map(|log| &log.events) {
            sources.take(event, &speakers);
        }
        sources
    }

    fn take(&mut self, event: &'a Event, speakers: &Speakers) {
        let mut subjects = of_event(event);
        if let [Subject::Named(name)] = subjects.as_slice()
            && let Some(device) = speakers.device(event, name)
        {
            subjects = vec![Subject::Function(device)];
        }
        if let (true, Some(device)) = (ARRIVALS.contains(&event.kind.id), event.device) {
            self.arrivals.push((event, self.topology.above(device).0));
        }
        if subjects.is_empty() {
            self.of_nobody.push(event);
        }
        for subject in &subjects {
            self.events.entry(subject.clone()).or_default().push(event);
        }
        if SILENT.contains(&event.kind.id) && event.device.is_some() {
            self.silent.push(event);
            if event.text("operation").is_some_and(|text| text.contains("resume")) {
                self.slept.insert(event.boot);
            }
        }
        if matches!(event.kind.id, "sleep.exit" | "sleep.entry") {
            self.slept.insert(event.boot);
        }
        for sign in sign::all().filter(|sign| sign.events.iter().any(|seen| seen.is(event))) {
            let hit = Hit { sign, event };
            if sign.place == Place::Anywhere {
                self.anywhere.push(hit);
                continue;
            }
            for subject in &subjects {
                self.hits.entry(subject.clone()).or_default().push(hit);
            }
        }
    }

    /// Everybody of whom something is known, in the order of their addresses.
    pub fn subjects(&self) -> BTreeSet<Subject> {
        let mut subjects: BTreeSet<Subject> = BTreeSet::new();
        if let Some(scene) = self.scene {
            subjects.extend(scene.machine().wanted.iter().copied().map(Subject::Function));
        }
        // With the machine at hand, what earlier boots knew and this one does not is history.
        let counts = |event: &&&Event| self.scene.is_none() || self.current.contains(&event.boot);
        let named = self.events.iter().filter(|(_, events)| events.iter().any(|e| counts(&e)));
        subjects.extend(named.map(|(subject, _)| subject.clone()));
        subjects
    }

    /// What is above a subject, and whether that is a guess.
    pub fn above(&self, subject: &Subject) -> (BTreeSet<Bdf>, bool) {
        match subject {
            Subject::Function(address) => self.topology.above(*address),
            Subject::Named(_) => (BTreeSet::new(), false),
        }
    }

    /// Whose signs tell of a subject too: the ports above, and function 0, which speaks for slot, power and link of all.
    fn beside(&self, subject: &Subject) -> Vec<Subject> {
        let Subject::Function(address) = subject else { return Vec::new() };
        let (mut above, _) = self.above(subject);
        above.insert(Bdf { function: 0, ..*address });
        above.remove(address);
        above.into_iter().map(Subject::Function).collect()
    }

    fn in_boot(&self, event: &Event, boot: Option<usize>) -> bool {
        boot.map_or_else(|| self.current.contains(&event.boot), |boot| boot == event.boot)
    }

    /// What was seen of a subject, in one boot of the log and in the state.
    pub fn observations(&self, subject: &Subject, boot: Option<usize>) -> Vec<Observation<'a>> {
        let beside = self.beside(subject);
        let own = self.hits.get(subject).into_iter().flatten().filter(|hit| hit.sign.place != Place::Above);
        let from_above = beside.iter().filter_map(|s| self.hits.get(s)).flatten();
        let from_above = from_above.filter(|hit| hit.sign.place != Place::Own);
        let mut found = Vec::new();
        for hit in own.chain(from_above).chain(&self.anywhere) {
            let event = hit.event;
            if self.in_boot(event, boot) && !self.undone(*hit, subject, &beside) {
                found.push(Observation {
                    sign: hit.sign,
                    first: Order(event.boot, event.line()),
                    last: Order(event.boot, event.last_line.max(event.line())),
                    seen: Seen::Event(event),
                });
            }
        }
        for sign in sign::all() {
            let event = sign.states.iter().find_map(|now| match now {
                Now::Fact(Fact::BranchVanished) => self.branch_vanished(subject, boot),
                Now::Fact(Fact::MuchSlowerAtBoot) => self.much_slower(subject, boot),
                _ => None,
            });
            if let Some(event) = event {
                let at = Order(event.boot, event.line());
                found.push(Observation { sign, first: at, last: at, seen: Seen::Event(event) });
            }
            found.extend(self.state(subject, sign));
        }
        found.sort_by_key(|observation| observation.first);
        found
    }

    fn state(&self, subject: &Subject, sign: &'static Sign) -> Option<Observation<'a>> {
        let Subject::Function(address) = subject else { return None };
        let scene = self.scene?;
        let function = scene.machine().get(*address)?;
        let (says, proofs) = sign.states.iter().find_map(|now| scene.look(function, *now))?;
        Some(Observation { sign, first: NOW, last: NOW, seen: Seen::State(says, proofs) })
    }

    /// Whether a later event takes this one back: about the same device, slot and BAR.
    fn undone(&self, hit: Hit<'a>, subject: &Subject, beside: &[Subject]) -> bool {
        let Hit { sign, event } = hit;
        if sign.undone_by.is_empty() {
            return false;
        }
        let same = |other: &Event, field: &str| match (event.fields.get(field), other.fields.get(field)) {
            (Some(a), Some(b)) => a == b,
            _ => true,
        };
        let device = |other: &Event| {
            other.device == event.device
                || other.device.is_none()
                || other.device.is_some_and(|device| *subject == Subject::Function(device))
        };
        let takes_back = |other: &Event| {
            sign.undone_by.contains(&other.kind.id)
                && other.boot == event.boot
                && other.last_line.max(other.line()) > event.last_line.max(event.line())
        };
        let others = std::iter::once(subject).chain(beside).filter_map(|s| self.events.get(s)).flatten();
        others.chain(&self.of_nobody).any(|other| {
            takes_back(other)
                && device(other)
                && ["slot", "bar", "bar_name"].into_iter().all(|field| same(other, field))
        }) || event.device.is_some_and(|port| {
            // What was missed below a port is there.
            self.arrivals.iter().any(|(arrival, above)| above.contains(&port) && takes_back(arrival))
        })
    }

    /// The boot that counts: the current one where the state was read; of a log alone the last one in which this subject
    /// had trouble.
    pub fn boot_of(&self, subject: &Subject) -> Option<usize> {
        if self.scene.is_some() {
            return None;
        }
        let troubled = |event: &&&Event| {
            xid::level(event) != Level::Information || event.kind.id == "pciehp.card-not-present"
        };
        let beside = self.beside(subject);
        let all = || std::iter::once(subject).chain(&beside).filter_map(|s| self.events.get(s)).flatten();
        let last = all().filter(troubled).map(|e| e.boot).max();
        Some(last.or_else(|| all().map(|e| e.boot).max()).unwrap_or_default())
    }

    /// Events of a subject after a moment that are trouble.
    pub fn trouble_after(&self, subject: &Subject, boot: Option<usize>, moment: Order) -> Vec<&'a Event> {
        let beside = self.beside(subject);
        let all = std::iter::once(subject).chain(&beside).filter_map(|s| self.events.get(s)).flatten();
        let mut after: Vec<&'a Event> = all
            .filter(|event| self.in_boot(event, boot))
            .filter(|event| xid::level(event) != Level::Information)
            .filter(|event| Order(event.boot, event.line()) > moment)
            .copied()
            .collect();
        after.sort_by_key(|event| Order(event.boot, event.line()));
        after
    }

    /// A port that is itself below another bridge, and something behind it, do not come back together, after the machine
    /// slept.
    fn branch_vanished(&self, subject: &Subject, boot: Option<usize>) -> Option<&'a Event> {
        let Subject::Function(address) = subject else { return None };
        let mut silent = self.silent.iter().copied().filter(|e| self.in_boot(e, boot));
        let mine = silent.clone().find(|e| e.device == Some(*address))?;
        let near = |other: &Event| match (mine.first.microseconds, other.first.microseconds) {
            (Some(a), Some(b)) => a.abs_diff(b) <= ONE_WAKING,
            _ => true,
        };
        let here = |e: &Event| near(e) && e.device.is_some_and(|d| d.domain == address.domain);
        let is_port =
            |e: &Event| e.driver.as_deref() == Some("pcieport") && e.device.is_some_and(|d| d.bus > 0);
        // The topmost port that is gone, with something on a bus behind it that is gone too.
        let top = silent.clone().filter(|e| here(e) && is_port(e)).filter_map(|e| e.device).min()?;
        let behind = silent.any(|e| here(e) && e.device.is_some_and(|device| device.bus > top.bus));
        let (above, _) = self.above(subject);
        let below_it = top == *address || above.is_empty() || above.contains(&top);
        (self.slept.contains(&mine.boot) && behind && top <= *address && below_it).then_some(mine)
    }

    /// The kernel named a link that is far slower than the device, and no idling display controller explains it.
    fn much_slower(&self, subject: &Subject, boot: Option<usize>) -> Option<&'a Event> {
        let Subject::Function(address) = subject else { return None };
        let own = self.events.get(subject)?;
        let event =
            own.iter().find(|e| e.kind.id == "link.slower-than-the-device" && self.in_boot(e, boot))?;
        let all =
            (0..8).filter_map(|function| self.events.get(&Subject::Function(Bdf { function, ..*address })));
        let display = event.driver.as_deref().is_some_and(|driver| DISPLAY_DRIVERS.contains(&driver))
            || all.flatten().any(|e| e.number("class").is_some_and(|class| DISPLAY.contains(&class)));
        let (width, able) = (event.number("width")?, event.number("capable_width")?);
        let first_generation = event.text("speed").is_some_and(|speed| speed.starts_with("2.5 GT/s"));
        let able_more =
            event.text("capable_speed").is_some_and(|s| !s.starts_with("2.5 ") && !s.starts_with('5'));
        // A tunnel (Thunderbolt, USB4) says 2.5 GT/s x4 whatever it carries.
        let unplugged = self.anywhere.iter().any(|hit| hit.event.kind.id == "thunderbolt.disconnected");
        let tunnel = first_generation && width == 4 && unplugged;
        let narrow = width > 0 && width * 4 <= able;
        (((first_generation && able_more && !display) || narrow) && !tunnel).then_some(*event)
    }
}

/// Events by which a device is there.
const ARRIVALS: [&str; 3] = ["pci.function-found", "nvidia.started", "nvme.started"];
/// Events that say that a device does not come back.
const SILENT: [&str; 3] = ["power.inaccessible", "power.refused", "power.gave-up"];
/// How far apart they may be to belong to one waking: the kernel waits a minute for each (PCIE_RESET_READY_POLL_MS).
const ONE_WAKING: u64 = 180_000_000;
/// Devices that let their link go to 2.5 GT/s while they idle, by class (PCI Code and ID Assignment 1.15, 1.4).
const DISPLAY: std::ops::RangeInclusive<i64> = 0x03_0000..=0x03_ffff;
const DISPLAY_DRIVERS: [&str; 7] = ["nvidia", "nouveau", "amdgpu", "radeon", "i915", "xe", "snd_hda_intel"];

/// Whose lines name a device, for those of the same driver that name none.
#[derive(Default)]
struct Speakers {
    /// Devices by boot and driver.
    devices: BTreeMap<(usize, String), BTreeSet<Bdf>>,
    /// Controllers by boot and driver: with several, nobody knows which is which device.
    controllers: BTreeMap<(usize, String), BTreeSet<String>>,
}

impl Speakers {
    fn new(log: Option<&Log>) -> Self {
        let mut speakers = Speakers::default();
        for event in log.into_iter().flat_map(|log| &log.events) {
            for driver in drivers(event) {
                let key = (event.boot, driver.to_owned());
                if let Some(device) = event.device {
                    speakers.devices.entry(key.clone()).or_default().insert(device);
                }
                if let Some(controller) = event.text("controller") {
                    speakers.controllers.entry(key).or_default().insert(controller.to_owned());
                }
            }
        }
        speakers
    }

    /// The only device of the driver that wrote the line.
    fn device(&self, event: &Event, name: &str) -> Option<Bdf> {
        if name.starts_with("irq ") {
            return None;
        }
        drivers(event).find_map(|driver| {
            let key = (event.boot, driver.to_owned());
            let only = self.devices.get(&key).filter(|devices| devices.len() == 1)?.first().copied();
            only.filter(|_| self.controllers.get(&key).is_none_or(|controllers| controllers.len() <= 1))
        })
    }
}

/// The driver that wrote a line: as the line says, else who speaks so.
fn drivers(event: &Event) -> impl Iterator<Item = &str> {
    let speaker =
        event.kind.id.split('.').next().filter(|s| matches!(*s, "nvidia" | "nvme" | "amdgpu" | "mlx5"));
    event.driver.as_deref().into_iter().chain(speaker)
}

/// Whom an event is about.
pub fn of_event(event: &Event) -> Vec<Subject> {
    // A message that a port received for another function is about that one.
    if event.kind.id.starts_with("aer.") || event.kind.id.starts_with("apei.") {
        let port = event.device;
        let numbered = || topology::requester(port?, event.number("source_id").filter(|id| *id > 0)?);
        if matches!(event.kind.id, "aer.message" | "aer.no-details")
            && let Some(source) = event.address("source").or_else(numbered)
        {
            return vec![Subject::Function(source)];
        }
    }
    if let Some(device) = event.device {
        return vec![Subject::Function(device)];
    }
    if let Some(irq) = event.number("irq") {
        return vec![Subject::Named(format!("irq {irq}"))];
    }
    let name = ["controller", "name", "interface"].into_iter().find_map(|field| event.text(field));
    let known = matches!(
        event.kind.id.split('.').next(),
        Some(
            "nvme"
                | "nvidia"
                | "amdgpu"
                | "mlx5"
                | "gpu"
                | "storage"
                | "ethernet"
                | "link"
                | "eeh"
                | "mce"
                | "apei"
                | "iommu"
        )
    );
    let speaker = || event.kind.id.split('.').next().unwrap_or_default().to_owned();
    match name {
        Some(name) if known => vec![Subject::Named(name.to_owned())],
        None if known => vec![Subject::Named(event.driver.clone().unwrap_or_else(speaker))],
        _ => Vec::new(),
    }
}
