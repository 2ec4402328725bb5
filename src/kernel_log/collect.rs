//! From records to events: which device a line is about, which lines are one event, which events are one repeated.

use std::collections::{BTreeMap, HashMap};

use super::catalogue::{self, Said};
use super::event::{EVIDENCE_LIMIT, Event, Evidence, Fields, KnownFrom, Part, Role, Value, vocabulary};
use super::record::{Boot, Record};
use crate::pci::Bdf;

/// Most different events that are kept. A machine in trouble has some hundreds; more come from a made-up log.
pub const EVENTS_LIMIT: usize = 100_000;
/// The device of a line that names none may be named so many lines later, in the same message.
const LINES_OF_A_MESSAGE: u64 = 8;
/// The same where the line gives the device's number, which the next line of the driver need not be about.
const LINES_OF_A_NUMBERED_MESSAGE: u64 = 2;
/// The number that NVIDIA's driver gives a GPU: `GPU0`.
const NUMBER: &str = "gpu_index";
/// The number that its display part gives a GPU: `GPU:0`. It counts others than the driver itself.
const MODESET_NUMBER: &str = "modeset_index";
/// A further line belongs to an event whose last line came at most so many lines before.
const LINES_APART: u64 = 64;
/// And which began at most this long before, in microseconds.
const TIME_APART: u64 = 10_000_000;

/// What a log says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Log {
    /// Events in the order in which they first happened, boot by boot.
    pub events: Vec<Event>,
    /// Boots in the order in which they stand in the log.
    pub boots: Vec<Boot>,
    /// Lines that were read.
    pub lines: u64,
    /// Lines that are the kernel's, of the first ten thousand, counted until one was wanted.
    pub kernel_lines: u64,
    /// Bytes that were read.
    pub bytes: u64,
    /// Whether anything in it is of a kernel log. If not, that there are no events means nothing.
    pub recognized: bool,
    /// Records that were written before the first one and are no longer in the kernel's buffer, as its number tells
    /// (/dev/kmsg only). It holds the last 128 KiB to some MiB (CONFIG_LOG_BUF_SHIFT, log_buf_len=).
    pub missing_before: u64,
    /// What a reader should know, a line each.
    pub notes: Vec<String>,
}

/// What tells events apart: boot, kind, device, and the fields that identify.
type Key = (usize, &'static str, Option<Bdf>, Vec<(&'static str, Value)>);

/// Which functions a driver named.
#[derive(Default)]
struct Named {
    /// The one that it named last.
    last: Option<Bdf>,
    /// All of them, by the number that it gives them (`GPU0`), where a line tells.
    numbered: HashMap<i64, Bdf>,
    /// Whether it named more than one.
    several: bool,
}

/// An event without a device.
struct Waiting {
    /// Its place among the events.
    place: usize,
    /// Whose next line may name the device.
    of: &'static str,
    /// Its line.
    line: u64,
    /// Within how many lines the device may be named.
    within: u64,
}

/// Makes events of records, which must come in the order of the log.
#[derive(Default)]
pub struct Collector {
    events: Vec<Event>,
    known: HashMap<Key, usize>,
    /// Events of several lines whose last line may not have come yet.
    open: Vec<Event>,
    boot: usize,
    /// What each driver named.
    named: HashMap<String, Named>,
    /// Devices of controllers, `nvme0`, by boot.
    controllers: HashMap<(usize, String), Bdf>,
    /// Devices of network interfaces, by boot.
    interfaces: HashMap<(usize, String), Bdf>,
    /// Events whose device is not known and may be named by the next line of the same message.
    waiting: Vec<Waiting>,
    dropped: u64,
}

impl Log {
    /// Whether any event of it is about PCI, its devices or their drivers, and understood.
    pub fn is_about_devices(&self) -> bool {
        let other = |event: &Event| matches!(event.kind.id.split('.').next(), Some("kernel" | "sleep"));
        self.events.iter().any(|event| !event.is_from_words_alone() && !other(event))
    }
}

impl Collector {
    /// Takes one record.
    pub fn take(&mut self, record: &Record<'_>) {
        if record.boot != self.boot {
            self.close_all();
            self.boot = record.boot;
            self.named.clear();
            self.waiting.clear();
        }
        if let Some((interface, device)) = interface_and_device(record.text) {
            self.interfaces.insert((record.boot, interface.to_owned()), device);
        }
        if let Some(name) = sas_controller(record.text) {
            self.bind_sas_controller(name);
        }
        match catalogue::parse_marked(record.text, record.severity) {
            Some(said) => self.said(said, record),
            None => self.name_only(record),
        }
    }

    /// mpt3sas names the function first, and then speaks in the name of the controller that it made of it
    /// (drivers/scsi/mpt3sas/mpt3sas_scsih.c, _scsih_probe): a name that is new belongs to the function that it named last, unless
    /// that one has a name already.
    fn bind_sas_controller(&mut self, name: &str) {
        let key = (self.boot, name.to_owned());
        let Some(device) = self.named.get("mpt3sas").and_then(|named| named.last) else { return };
        let taken = || self.controllers.iter().any(|((boot, _), of)| *boot == self.boot && *of == device);
        if !self.controllers.contains_key(&key) && !taken() {
            self.controllers.insert(key, device);
        }
    }

    /// A line that is no event may still say which device its driver speaks of.
    fn name_only(&mut self, record: &Record<'_>) {
        if let Some((driver, device)) = driver_and_device(record.text) {
            self.name(driver, device, None);
        }
    }

    fn name(&mut self, driver: &str, device: Bdf, number: Option<i64>) {
        let named = self.named.entry(driver.to_owned()).or_default();
        named.several |= named.last.is_some_and(|before| before != device);
        named.last = Some(device);
        named.numbered.extend(number.map(|number| (number, device)));
    }

    fn said(&mut self, mut said: Said, record: &Record<'_>) {
        // Wordings that stand anywhere in a line do not look at what stands in front of it.
        if let (None, Some((driver, device))) = (said.device, driver_and_device(record.text))
            && driver == said.of
        {
            said.device = Some(device);
        }
        let controller = said.fields.get("controller").and_then(Value::text);
        if let (Some(name), Some(device)) = (controller, said.device.or_else(|| attached(record))) {
            self.controllers.insert((record.boot, name.to_owned()), device);
        }
        let (device, known_from) = self.device_of(&said, record);
        let speaker = if said.of.is_empty() { said.driver.as_deref() } else { Some(said.of) };
        if let (Some(driver), Some(device)) = (speaker, said.device) {
            let number = said.fields.get(NUMBER).and_then(Value::number);
            self.name(driver, device, number);
            self.name_waiting(said.of, device, number, record.line);
        }
        let numbered = said.fields.contains_key(NUMBER);
        let line = Evidence { line: record.line, offset: record.offset, text: record.raw.to_owned() };
        if said.part == Part::Further
            && let Some(event) = self.find_open(&said, device, known_from, record)
        {
            if event.device.is_none() || known_from == Some(KnownFrom::Line) {
                event.device = device;
                event.known_from = known_from;
            }
            merge(&mut event.fields, said.fields);
            if event.evidence.len() < EVIDENCE_LIMIT {
                event.evidence.push(line);
            }
            return;
        }
        let mut event = Event {
            kind: said.kind,
            device,
            known_from,
            driver: said.driver,
            fields: said.fields,
            count: record.repeated.max(1),
            first: record.when.clone(),
            last: record.when.clone(),
            last_line: record.line,
            boot: record.boot,
            message: record.text.to_owned(),
            evidence: vec![line],
            last_evidence: Vec::new(),
        };
        match said.part {
            Part::Whole => {
                let place = self.fold(event);
                if device.is_none() && !said.of.is_empty() {
                    let line = record.line;
                    let within = if numbered { LINES_OF_A_NUMBERED_MESSAGE } else { LINES_OF_A_MESSAGE };
                    self.waiting.extend(place.map(|place| Waiting { place, of: said.of, line, within }));
                }
            }
            Part::First | Part::Further => {
                self.close(|open| open.kind == event.kind && open.device == event.device);
                if event.kind.id == "aer.error" {
                    self.absorb_message(&mut event);
                }
                self.open.push(event);
            }
        }
        self.close_old(record);
    }

    fn device_of(&self, said: &Said, record: &Record<'_>) -> (Option<Bdf>, Option<KnownFrom>) {
        if let Some(device) = said.device {
            return (Some(device), Some(KnownFrom::Line));
        }
        if let Some(device) = said.fields.get("source").and_then(Value::text).and_then(|s| s.parse().ok())
            && said.kind.id.starts_with("iommu.")
        {
            return (Some(device), Some(KnownFrom::Line));
        }
        if let Some(device) = attached(record) {
            return (Some(device), Some(KnownFrom::Record));
        }
        let controller = said.fields.get("controller").and_then(Value::text);
        if let Some(device) =
            controller.and_then(|name| self.controllers.get(&(record.boot, name.to_owned())))
        {
            return (Some(*device), Some(KnownFrom::Name));
        }
        let speaker = if said.of.is_empty() { said.driver.as_deref() } else { Some(said.of) };
        let Some(named) = speaker.and_then(|driver| self.named.get(driver)) else { return (None, None) };
        let by_name = |device: &Bdf| (Some(*device), Some(KnownFrom::Name));
        match [NUMBER, MODESET_NUMBER].map(|name| said.fields.get(name).and_then(Value::number)) {
            [None, None] => (named.last, named.last.and(Some(KnownFrom::Before))),
            [Some(number), _] if named.numbered.contains_key(&number) => {
                named.numbered.get(&number).map_or((None, None), by_name)
            }
            // The first one is the only one that was named so far. Any other number is not to be guessed.
            [Some(0), None] | [None, Some(0)] if !named.several => {
                (named.last, named.last.and(Some(KnownFrom::Before)))
            }
            _ => (None, None),
        }
    }

    /// Gives the device that a driver named just now to its lines before that named none.
    fn name_waiting(&mut self, driver: &str, device: Bdf, number: Option<i64>, line: u64) {
        let waiting = std::mem::take(&mut self.waiting);
        for one in waiting {
            if line.saturating_sub(one.line) > one.within {
                continue;
            }
            let its_number = self.events.get(one.place).and_then(|event| event.number(NUMBER));
            let another = number.is_some() && its_number.is_some() && number != its_number;
            if one.of != driver || another {
                self.waiting.push(one);
            } else if let Some(event) = self.events.get_mut(one.place) {
                event.device = Some(device);
                event.known_from = Some(KnownFrom::After);
                // From now on the same with this device is found here.
                self.known.insert(key(&self.events[one.place]), one.place);
            }
        }
    }

    fn find_open(
        &mut self,
        said: &Said,
        device: Option<Bdf>,
        known_from: Option<KnownFrom>,
        record: &Record<'_>,
    ) -> Option<&mut Event> {
        let certain = matches!(known_from, Some(KnownFrom::Line | KnownFrom::Record));
        self.open.iter_mut().rev().find(|open| {
            let same_device = open.device == device || open.device.is_none() || !certain;
            open.kind == said.kind && same_device && is_near(open, record)
        })
    }

    /// The root port's message that an error came belongs to the error that is printed after it.
    fn absorb_message(&mut self, error: &mut Event) {
        let is_message = |open: &Event| {
            open.kind.id == "aer.message" && error.line().saturating_sub(open.line()) <= LINES_OF_A_MESSAGE
        };
        let names_it = |open: &Event| {
            let source = open.address("source");
            let by_number = open
                .number("source_id")
                .zip(error.device)
                .is_some_and(|(id, device)| id == i64::from(device.requester_id()));
            by_number || source == error.device || open.device == error.device
        };
        let messages = || self.open.iter().enumerate().filter(|(_, open)| is_message(open)).map(|(at, _)| at);
        // A message may name another function than the one whose error is found (kernel: find_device_iter in
        // drivers/pci/pcie/aer.c looks at all of them where the source cannot be trusted). That is believed where no other
        // message waits for its error.
        let alone = || {
            messages()
                .next()
                .filter(|at| messages().count() == 1 && self.open[*at].address("source").is_some())
        };
        let Some(at) = messages().rfind(|at| names_it(&self.open[*at])).or_else(alone) else { return };
        let message = self.open.remove(at);
        error.last_line = message.line();
        for (name, value) in message.fields {
            error.fields.entry(name).or_insert(value);
        }
        if let Some(port) = message.device {
            error.fields.insert("reporter", Value::Text(port.to_string()));
        }
        // It began with the message, this time and so the last.
        error.first.clone_from(&message.first);
        error.last.clone_from(&message.first);
        error.message = message.message;
        error.evidence.splice(0..0, message.evidence);
    }

    fn close_old(&mut self, record: &Record<'_>) {
        self.close(|open| !is_near(open, record));
    }

    fn close_all(&mut self) {
        self.close(|_| true);
    }

    fn close(&mut self, which: impl Fn(&Event) -> bool) {
        let mut at = 0;
        while at < self.open.len() {
            if which(&self.open[at]) {
                let event = self.open.remove(at);
                self.fold(event);
            } else {
                at += 1;
            }
        }
    }

    /// Adds an event, or counts it if it is one repeated. Gives its place.
    fn fold(&mut self, event: Event) -> Option<usize> {
        let key = key(&event);
        if let Some(place) = self.known.get(&key) {
            let known = &mut self.events[*place];
            known.count += event.count;
            known.last = event.last;
            known.last_line = event.last_line;
            known.last_evidence = event.evidence;
            return Some(*place);
        }
        if self.events.len() >= EVENTS_LIMIT {
            self.dropped += 1;
            return None;
        }
        self.known.insert(key, self.events.len());
        self.events.push(event);
        Some(self.events.len() - 1)
    }

    /// All events, in the order in which they first happened.
    pub fn finish(mut self) -> (Vec<Event>, Vec<String>) {
        self.close_all();
        for event in self.events.iter_mut().filter(|event| event.device.is_none()) {
            let known = |of: &HashMap<(usize, String), Bdf>, field: &str| {
                event.text(field).and_then(|name| of.get(&(event.boot, name.to_owned())).copied())
            };
            // A later line may tell which device it is.
            let device =
                known(&self.interfaces, "interface").or_else(|| known(&self.controllers, "controller"));
            if let Some(device) = &device {
                event.device = Some(*device);
                event.known_from = Some(KnownFrom::Name);
            }
        }
        let mut places: BTreeMap<(usize, u64, usize), Event> = BTreeMap::new();
        for (place, event) in self.events.into_iter().enumerate() {
            places.insert((event.boot, event.line(), place), event);
        }
        let mut notes = Vec::new();
        if self.dropped > 0 {
            let text = format!(
                "{} events beyond the first {EVENTS_LIMIT} different ones were left out",
                self.dropped
            );
            notes.push(text);
        }
        (places.into_values().collect(), notes)
    }
}

fn key(event: &Event) -> Key {
    let identifying = event
        .fields
        .iter()
        .filter(|(name, _)| vocabulary(name).is_some_and(|field| field.role == Role::Identifies));
    let mut fields: Vec<(&'static str, Value)> =
        identifying.map(|(name, value)| (*name, value.clone())).collect();
    // Of what no wording describes, only the text tells whether it is the same.
    if event.is_from_words_alone() {
        fields.push(("message", Value::Text(without_numbers(&event.message))));
    }
    (event.boot, event.kind.id, event.device, fields)
}

/// A message with `#` for every word that has a digit in it, or that is eight hexadecimal digits.
fn without_numbers(message: &str) -> String {
    let mut masked = String::with_capacity(message.len());
    let mut rest = message;
    while let Some(c) = rest.chars().next() {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let word = &rest[..end];
        let is_number = word.bytes().any(|b| b.is_ascii_digit())
            || matches!(word.len(), 8 | 16) && word.bytes().all(|b| b.is_ascii_hexdigit());
        if word.is_empty() {
            masked.push(c);
        } else {
            masked.push_str(if is_number { "#" } else { word });
        }
        rest = &rest[end.max(if word.is_empty() { c.len_utf8() } else { 0 })..];
    }
    masked
}

fn is_near(open: &Event, record: &Record<'_>) -> bool {
    let lines = open.evidence.last().map_or(0, |line| record.line.saturating_sub(line.line));
    let time = match (open.first.microseconds, record.when.microseconds) {
        (Some(then), Some(now)) => now.saturating_sub(then),
        _ => 0,
    };
    open.boot == record.boot && lines <= LINES_APART && time <= TIME_APART
}

/// Adds what a further line says: lists grow, everything else is set.
fn merge(fields: &mut Fields, more: Fields) {
    for (name, value) in more {
        match (fields.get_mut(name), value) {
            (Some(Value::List(items)), Value::List(new)) => {
                items.extend(new);
                items.truncate(EVIDENCE_LIMIT);
            }
            (_, value) => _ = fields.insert(name, value),
        }
    }
}

/// The function that the kernel attached to a record.
fn attached(record: &Record<'_>) -> Option<Bdf> {
    record.device?.strip_prefix("+pci:")?.parse().ok()
}

/// `mpt3sas_cm0` of a line in its name.
fn sas_controller(text: &str) -> Option<&str> {
    let (name, _) = text.split_once(": ")?;
    let number = name.strip_prefix("mpt3sas_cm").or_else(|| name.strip_prefix("mpt2sas_cm"))?;
    (!number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())).then_some(name)
}

/// `driver 0000:82:00.0: text` of a driver whose other lines name no device.
fn driver_and_device(text: &str) -> Option<(&str, Bdf)> {
    let (driver, rest) = text.split_once(' ')?;
    if !NAMING.contains(&driver) {
        return None;
    }
    let word = rest.split_once(' ').map_or(rest, |(word, _)| word).trim_end_matches(':');
    word.parse().ok().map(|device| (driver, device))
}

/// `i40e 0000:3d:00.0 eno1: text` of a network driver (net/core/dev.c, __netdev_printk): the interface and its device.
fn interface_and_device(text: &str) -> Option<(&str, Bdf)> {
    let mut words = text.splitn(4, ' ');
    let (_driver, device, interface) = (words.next()?, words.next()?, words.next()?.strip_suffix(':')?);
    // The longest name is 15 bytes (IFNAMSIZ in include/uapi/linux/if.h).
    let is_name = (2..16).contains(&interface.len())
        && interface.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'));
    device.parse().ok().filter(|_| is_name).map(|device| (interface, device))
}

/// Drivers some of whose lines name no device.
const NAMING: [&str; 9] =
    ["nvidia", "nvme", "amdgpu", "i915", "mlx5_core", "mpt3sas", "mpt2sas", "iwlwifi", "megaraid_sas"];

#[cfg(test)]
#[path = "collect_tests.rs"]
mod tests;
