//! From events and state to observations: which signs were seen of a device, when, and where that can be looked up.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::check::finding::Proof;
use crate::kernel_log::stamp::When;
use crate::kernel_log::{Event, Level, Log, xid};
use crate::pci::Bdf;

use super::sign::{self, Now, Place, Sign};
use super::state::{Fact, Scene};
pub use super::subject::Subject;
use super::subject::{Speakers, of_event};
use super::topology::Topology;
use super::undone::Undoing;
use super::waking::Wakings;

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

impl<'a> Observation<'a> {
    fn of(sign: &'static Sign, event: &'a Event) -> Self {
        Observation {
            sign,
            first: Order(event.boot, event.line()),
            last: Order(event.boot, event.last_line.max(event.line())),
            seen: Seen::Event(event),
        }
    }

    /// The event that it is; `None` of what was read.
    pub fn event(&self) -> Option<&'a Event> {
        match &self.seen {
            Seen::Event(event) => Some(event),
            Seen::State(..) => None,
        }
    }

    /// The time at which it was first seen, as the log tells it.
    pub fn began(&self) -> Option<&'a When> {
        let event = self.event()?;
        Some(if self.is_from_the_start() { &event.first } else { &event.last })
    }

    /// Whether the first time that the log has of it is the first that counts; else only the last one does.
    pub fn is_from_the_start(&self) -> bool {
        self.event().is_none_or(|event| self.first.1 == event.line())
    }

    /// The same with the last time alone: what came before it does not count.
    pub fn only_the_last(self) -> Self {
        Observation { first: self.last, ..self }
    }

    /// When it was seen before that moment for the last time, as far as is known: what comes between the first and the last
    /// time is counted, not kept.
    pub fn before(&self, moment: Order) -> Option<(Order, &'a When)> {
        let event = self.event()?;
        if self.last < moment {
            Some((self.last, &event.last))
        } else {
            (self.first < moment).then_some((self.first, self.began()?))
        }
    }
}

/// Most observations of one sign that are kept of one subject in one boot: the first and the last of them. Events are folded,
/// so that a machine has a handful; more come from a made-up log.
const KEPT: usize = 64;
/// The same of signs that count for everybody.
const KEPT_ANYWHERE: usize = 8;
/// Most events that are told to have followed from a cause; `pciscope log` has all of them.
pub const FOLLOWED: usize = 256;

/// Observations of one subject, boot by boot.
type Boots<'a> = BTreeMap<usize, Vec<Observation<'a>>>;

/// The last boots in which something was heard of a subject.
#[derive(Debug, Clone, Copy, Default)]
struct Heard {
    /// In which there was trouble.
    trouble: Option<usize>,
    /// In which there was anything.
    anything: Option<usize>,
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
    seen: BTreeMap<Subject, Boots<'a>>,
    anywhere: Boots<'a>,
    /// Events by whom they are about, and those of them that are trouble.
    events: BTreeMap<Subject, Vec<&'a Event>>,
    troubles: BTreeMap<Subject, Vec<&'a Event>>,
    heard: BTreeMap<Subject, Heard>,
    wakings: Wakings<'a>,
    /// The time of the first and of the last event of each boot.
    spans: BTreeMap<usize, (&'a When, &'a When)>,
    /// Whether a Thunderbolt or USB4 device was unplugged.
    tunnel_unplugged: bool,
    /// How much was looked at.
    work: Cell<u64>,
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
            seen: BTreeMap::new(),
            anywhere: BTreeMap::new(),
            events: BTreeMap::new(),
            troubles: BTreeMap::new(),
            heard: BTreeMap::new(),
            wakings: Wakings::default(),
            spans: BTreeMap::new(),
            tunnel_unplugged: false,
            work: Cell::new(0),
        };
        let mut signs: HashMap<&str, Vec<&'static Sign>> = HashMap::new();
        let mut undoing_kinds = BTreeSet::new();
        for sign in sign::all() {
            undoing_kinds.extend(sign.undone_by.iter().copied());
            for kind in sign.events.iter().map(|seen| seen.kind).collect::<BTreeSet<_>>() {
                signs.entry(kind).or_default().push(sign);
            }
        }
        let mut undoing = Undoing::default();
        let speakers = Speakers::new(log);
        for event in log.into_iter().flat_map(|log| &log.events) {
            let subjects = sources.subjects_of(event, &speakers);
            sources.take(event, &subjects, &mut undoing, undoing_kinds.contains(event.kind.id));
            for sign in signs.get(event.kind.id).into_iter().flatten() {
                sources.work(1);
                if sign.events.iter().any(|seen| seen.is(event)) {
                    sources.see(sign, event, &subjects);
                }
            }
        }
        sources.wakings.finish();
        sources.settle(&undoing);
        sources
    }

    /// How much was looked at so far, in events, observations and ports: for tests that this grows as the log does.
    pub fn work_done(&self) -> u64 {
        self.work.get()
    }

    fn work(&self, amount: usize) {
        self.work.set(self.work.get() + amount as u64);
    }

    fn subjects_of(&self, event: &Event, speakers: &Speakers) -> Vec<Subject> {
        let subjects = of_event(event);
        match subjects.as_slice() {
            [Subject::Named(name)] => match speakers.device(event, name) {
                Some(device) => vec![Subject::Function(device)],
                None => subjects,
            },
            _ => subjects,
        }
    }

    fn take(&mut self, event: &'a Event, subjects: &[Subject], undoing: &mut Undoing<'a>, undoes: bool) {
        if let (true, Some(device)) = (ARRIVALS.contains(&event.kind.id), event.device) {
            for port in self.topology.above(device).0 {
                self.work(1);
                undoing.note_arrival(port, event);
                if let Some(sign) = sign::find(FOUND_BELOW) {
                    self.see(sign, event, &[Subject::Function(port)]);
                }
            }
        }
        if undoes {
            match subjects {
                [] => undoing.note(None, event),
                _ => subjects.iter().for_each(|subject| undoing.note(Some(subject), event)),
            }
        }
        self.wakings.take(event);
        let span = self.spans.entry(event.boot).or_insert((&event.first, &event.last));
        if event.last.since(span.1).is_some() {
            span.1 = &event.last;
        }
        self.tunnel_unplugged |= event.kind.id == "thunderbolt.disconnected";
        // That a card left its slot is no trouble by itself, and belongs to every story.
        // What is told from words alone decides nothing about what else is looked at.
        let known = !event.is_from_words_alone();
        let trouble =
            known && xid::level(event) != Level::Information || event.kind.id == "pciehp.card-not-present";
        for subject in subjects {
            self.work(1);
            self.events.entry(subject.clone()).or_default().push(event);
            if trouble {
                self.troubles.entry(subject.clone()).or_default().push(event);
            }
            let heard = self.heard.entry(subject.clone()).or_default();
            heard.anything = heard.anything.max(Some(event.boot));
            if trouble {
                heard.trouble = heard.trouble.max(Some(event.boot));
            }
        }
    }

    fn see(&mut self, sign: &'static Sign, event: &'a Event, subjects: &[Subject]) {
        if sign.place == Place::Anywhere {
            self.anywhere.entry(event.boot).or_default().push(Observation::of(sign, event));
            return;
        }
        for subject in subjects {
            let boots = self.seen.entry(subject.clone()).or_default();
            boots.entry(event.boot).or_default().push(Observation::of(sign, event));
        }
    }

    /// Leaves out what a later event takes back, and what is more than anybody needs.
    fn settle(&mut self, undoing: &Undoing<'a>) {
        let lasts = |observation: &mut Observation<'a>, about: Option<&Subject>| {
            let Some(event) = observation.event() else { return true };
            let undone = undoing.undone_at(event, about, observation.sign.undone_by);
            if undone > event.line() {
                // What was taken back does not count; of what came again only the last time is known.
                observation.first = observation.last;
            }
            undone <= observation.last.1
        };
        let mut looked_at = 0;
        for (subject, boots) in &mut self.seen {
            for seen in boots.values_mut() {
                looked_at += seen.len();
                seen.retain_mut(|observation| lasts(observation, Some(subject)));
                seen.sort_by_key(|observation| observation.first);
                keep(seen, KEPT);
            }
        }
        for seen in self.anywhere.values_mut() {
            looked_at += seen.len();
            seen.retain_mut(|observation| lasts(observation, None));
            seen.sort_by_key(|observation| observation.first);
            keep(seen, KEPT_ANYWHERE);
        }
        self.work(looked_at);
    }

    /// Everybody of whom something is known, in the order of their addresses.
    pub fn subjects(&self) -> BTreeSet<Subject> {
        let mut subjects: BTreeSet<Subject> = BTreeSet::new();
        if let Some(scene) = self.scene {
            subjects.extend(scene.machine().wanted.iter().copied().map(Subject::Function));
        }
        // With the machine at hand, what earlier boots knew and this one does not is history.
        let counts = |event: &Event| self.scene.is_none() || self.current.contains(&event.boot);
        let named = self.events.iter().filter(|(_, events)| events.iter().any(|e| counts(e)));
        subjects.extend(named.map(|(subject, _)| subject.clone()));
        subjects
    }

    /// What is above a subject, and which of those is only a guess.
    pub fn above(&self, subject: &Subject) -> (BTreeSet<Bdf>, Option<Bdf>) {
        let above = match subject {
            Subject::Function(address) => self.topology.above(*address),
            Subject::Named(_) => (BTreeSet::new(), None),
        };
        self.work(1 + above.0.len());
        above
    }

    /// Whose signs tell of a subject too: the ports above, and function 0, which speaks for slot, power and link of all. Not so
    /// of ports that lead downwards: they have a device number in common, and each a slot of its own.
    fn beside(&self, subject: &Subject) -> Vec<Subject> {
        let Subject::Function(address) = subject else { return Vec::new() };
        let (mut above, _) = self.above(subject);
        let zero = Bdf { function: 0, ..*address };
        if !self.topology.leads_down(*address) && !self.topology.leads_down(zero) {
            above.insert(zero);
        }
        above.remove(address);
        above.into_iter().map(Subject::Function).collect()
    }

    /// The boots that are looked at: that one, or the current ones.
    fn boots(&self, boot: Option<usize>) -> Vec<usize> {
        boot.map_or_else(|| self.current.iter().copied().collect(), |boot| vec![boot])
    }

    /// What was seen of a subject, in one boot of the log and in the state.
    pub fn observations(&self, subject: &Subject, boot: Option<usize>) -> Vec<Observation<'a>> {
        let boots = self.boots(boot);
        let of = |seen: Option<&Boots<'a>>, wanted: &dyn Fn(Place) -> bool| {
            let all = boots.iter().filter_map(|boot| seen?.get(boot)).flatten();
            let found: Vec<Observation<'a>> = all.filter(|o| wanted(o.sign.place)).cloned().collect();
            self.work(found.len());
            found
        };
        let mut found = of(self.seen.get(subject), &|place| place != Place::Above);
        for other in self.beside(subject) {
            found.extend(of(self.seen.get(&other), &|place| place != Place::Own));
        }
        found.extend(of(Some(&self.anywhere), &|_| true));
        for sign in sign::all() {
            let event = sign.states.iter().find_map(|now| match now {
                Now::Fact(Fact::BranchVanished) => self.branch_vanished(subject, &boots),
                Now::Fact(Fact::MuchSlowerAtBoot) => self.much_slower(subject, &boots),
                _ => None,
            });
            found.extend(event.map(|event| Observation::of(sign, event)));
            found.extend(self.state(subject, sign));
        }
        found.retain(|observation| !self.has_address_now(subject, observation));
        let span = boots
            .iter()
            .filter_map(|boot| self.spans.get(boot))
            .filter_map(|(first, last)| last.since(first))
            .max();
        for sign in sign::all().filter(|sign| sign.rate.is_some()) {
            if !is_frequent(sign, &found, span) {
                found.retain(|o| !std::ptr::eq(o.sign, sign) || o.first == NOW);
            }
        }
        found.sort_by_key(|observation| observation.first);
        found
    }

    /// Whether the state contradicts a line that says that something has no address.
    fn has_address_now(&self, subject: &Subject, observation: &Observation<'_>) -> bool {
        let (Some(scene), Some(event), true) =
            (self.scene, observation.event(), observation.sign.until_assigned)
        else {
            return false;
        };
        self.work(1);
        let named = scene.has_address(event);
        // A window that is not there does not matter to a device all of whose BARs have an address, nor to a bridge behind which
        // nobody lacks one.
        let all = || match subject {
            Subject::Function(address) if event.device != Some(*address) || named.is_none() => {
                let function = scene.machine().get(*address);
                function.is_some_and(|f| scene.look(f, Now::Fact(Fact::AddressesAssigned)).is_some())
            }
            Subject::Function(address) => scene.is_bridge_without_want(*address),
            Subject::Named(_) => false,
        };
        named == Some(true) || all()
    }

    fn state(&self, subject: &Subject, sign: &'static Sign) -> Option<Observation<'a>> {
        let Subject::Function(address) = subject else { return None };
        let scene = self.scene?;
        let states = sign.states.iter();
        let (says, proofs) = match scene.machine().get(*address) {
            Some(function) => states.copied().find_map(|now| scene.look(function, now))?,
            // Of what is not listed any more the port tells that stands above it.
            None => {
                let (above, _) = self.above(subject);
                let port = above.into_iter().max_by_key(|port| (port.bus, *port))?;
                let port = scene.machine().get(port)?;
                states.copied().find_map(|now| scene.look_from_port(port, now))?
            }
        };
        Some(Observation { sign, first: NOW, last: NOW, seen: Seen::State(says, proofs) })
    }

    /// The boot that counts: the current one where the state was read; of a log alone the last one in which this subject
    /// had trouble.
    pub fn boot_of(&self, subject: &Subject) -> Option<usize> {
        if self.scene.is_some() {
            return None;
        }
        let beside = self.beside(subject);
        let heard = || std::iter::once(subject).chain(&beside).filter_map(|s| self.heard.get(s));
        let last = heard().filter_map(|heard| heard.trouble).max();
        Some(last.or_else(|| heard().filter_map(|heard| heard.anything).max()).unwrap_or_default())
    }

    /// The boots that count where no single one was chosen.
    pub fn current_boot(&self) -> Option<usize> {
        self.current.last().copied()
    }

    /// Events of a subject after a moment that are trouble, the first [`FOLLOWED`] of them.
    pub fn trouble_after(&self, subject: &Subject, boot: Option<usize>, moment: Order) -> Vec<&'a Event> {
        let boots = self.boots(boot);
        let beside = self.beside(subject);
        let mut after: Vec<&'a Event> = Vec::new();
        let at = |event: &&Event| Order(event.boot, event.line());
        for events in std::iter::once(subject).chain(&beside).filter_map(|s| self.troubles.get(s)) {
            let start = events.partition_point(|event| at(event) <= moment);
            let later = events[start..].iter().filter(|event| boots.contains(&event.boot)).take(FOLLOWED);
            let before = after.len();
            after.extend(later.copied());
            self.work(1 + after.len() - before);
        }
        after.sort_by_key(at);
        after.truncate(FOLLOWED);
        after
    }

    /// A port that is itself below another bridge, and something behind it, do not come back together, after the machine
    /// slept.
    fn branch_vanished(&self, subject: &Subject, boots: &[usize]) -> Option<&'a Event> {
        let Subject::Function(address) = subject else { return None };
        let (above, _) = self.above(subject);
        boots.iter().find_map(|boot| self.wakings.vanished(*address, *boot, &above))
    }

    /// The kernel named a link that is far slower than the device, and no idling display controller explains it.
    fn much_slower(&self, subject: &Subject, boots: &[usize]) -> Option<&'a Event> {
        let Subject::Function(address) = subject else { return None };
        let own = self.events.get(subject)?;
        let named = |e: &&&Event| e.kind.id == "link.slower-than-the-device" && boots.contains(&e.boot);
        let event = own.iter().find(named)?;
        let all =
            (0..8).filter_map(|function| self.events.get(&Subject::Function(Bdf { function, ..*address })));
        let display = event.driver.as_deref().is_some_and(|driver| DISPLAY_DRIVERS.contains(&driver))
            || all.flatten().any(|e| e.number("class").is_some_and(|class| DISPLAY.contains(&class)));
        let (width, able) = (event.number("width")?, event.number("capable_width")?);
        let first_generation = event.text("speed").is_some_and(|speed| speed.starts_with("2.5 GT/s"));
        let able_more =
            event.text("capable_speed").is_some_and(|s| !s.starts_with("2.5 ") && !s.starts_with('5'));
        // A tunnel (Thunderbolt, USB4) says 2.5 GT/s x4 whatever it carries.
        let tunnel = first_generation && width == 4 && self.tunnel_unplugged;
        let narrow = width > 0 && width * 4 <= able;
        (((first_generation && able_more && !display) || narrow) && !tunnel).then_some(*event)
    }
}

/// Keeps the first and the last observations of each sign, which are in the order of their first time.
fn keep(seen: &mut Vec<Observation<'_>>, most: usize) {
    let mut of_sign: HashMap<&str, Vec<usize>> = HashMap::new();
    for (place, observation) in seen.iter().enumerate() {
        of_sign.entry(observation.sign.id).or_default().push(place);
    }
    let mut dropped = BTreeSet::new();
    for places in of_sign.values_mut().filter(|places| places.len() > most) {
        let mut later = places.split_off(most / 2);
        later.sort_by_key(|place| std::cmp::Reverse(seen[*place].last));
        dropped.extend(later.split_off(most - most / 2));
    }
    if !dropped.is_empty() {
        let mut place = 0;
        seen.retain(|_| {
            place += 1;
            !dropped.contains(&(place - 1))
        });
    }
}

/// Whether the events of a sign are so many and so close together that they count. `span`: what the log is of.
fn is_frequent(sign: &Sign, found: &[Observation<'_>], span: Option<u64>) -> bool {
    let Some(rate) = sign.rate else { return true };
    let events: Vec<&Event> =
        found.iter().filter(|o| std::ptr::eq(o.sign, sign)).filter_map(Observation::event).collect();
    // Firmware's report and the kernel's line of the same error are one; the root port says `Multiple` of errors that came
    // before it was read (PCIe 6.2, 7.8.4.10).
    let mut times: BTreeMap<&str, u64> = BTreeMap::new();
    for event in &events {
        let speaker = event.kind.id.split('.').next().unwrap_or_default();
        *times.entry(speaker).or_default() += event.count + u64::from(event.fields.contains_key("multiple"));
    }
    let count = times.into_values().max().unwrap_or(0);
    if count < rate.times {
        return false;
    }
    let first = events.iter().min_by_key(|event| Order(event.boot, event.line()));
    let last = events.iter().max_by_key(|event| Order(event.boot, event.last_line));
    let apart = first.zip(last).and_then(|(first, last)| last.last.since(&first.first));
    let close = |apart: u64, steps: u64| apart / 1_000_000 <= steps.saturating_mul(rate.seconds_apart);
    // Of a log without times, or of a piece of one, nothing else tells how often.
    count > 1 && apart.is_none_or(|apart| close(apart, count - 1))
        || span.is_none_or(|span| close(span, count))
}

/// Events by which a device is there.
const ARRIVALS: [&str; 3] = ["pci.function-found", "nvidia.started", "nvme.started"];
/// The sign by which a port knows of them.
const FOUND_BELOW: &str = "found-below";
/// Devices that let their link go to 2.5 GT/s while they idle, by class (PCI Code and ID Assignment 1.15, 1.4).
const DISPLAY: std::ops::RangeInclusive<i64> = 0x03_0000..=0x03_ffff;
const DISPLAY_DRIVERS: [&str; 7] = ["nvidia", "nouveau", "amdgpu", "radeon", "i915", "xe", "snd_hda_intel"];
