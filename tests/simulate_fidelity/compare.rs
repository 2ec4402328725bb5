//! Two machines, looked at value by value.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use pciscope::kernel_log::source::events_of;
use pciscope::pci::Bdf;
use pciscope::pci::decode;
use pciscope::pci::header;
use pciscope::pci::space::ConfigSpace;
use pciscope::simulate::config::Config;
use pciscope::simulate::output;
use pciscope::simulate::state::{Content, Machine};

use crate::cases::Case;

/// What was compared.
#[derive(Default)]
pub struct Found {
    /// Values that were compared: files, registers, kinds of events, log lines.
    pub compared: usize,
    /// Those that differ.
    pub differences: Vec<Difference>,
}

/// A value that differs.
pub struct Difference {
    /// Which one: `function` or `port`, then the file, the register, the event or the log line.
    pub what: String,
    simulated: String,
    real: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: simulated {}, real {}", self.what, self.simulated, self.real)
    }
}

impl Found {
    fn value(&mut self, what: String, simulated: Option<String>, real: Option<String>) {
        self.compared += 1;
        if simulated != real {
            let text = |value: Option<String>| value.map_or("missing".to_owned(), |text| format!("{text:?}"));
            self.differences.push(Difference { what, simulated: text(simulated), real: text(real) });
        }
    }
}

/// Compares the function of the case and the port above it.
pub fn compare(case: &Case, healthy: &Machine, simulated: &Machine, real: &Machine) -> Found {
    let address: Bdf = case.function.parse().expect("an address");
    let mut found = Found::default();
    let (here, there) = (output::files(simulated), output::files(real));
    let mut addresses = vec![address];
    addresses.extend(healthy.parent(address));
    for (role, address) in ["function", "port"].into_iter().zip(&addresses) {
        let function = &healthy.functions[address];
        let ours = of_function(&here, &function.folder);
        let theirs = of_function(&there, &function.folder);
        for path in ours.keys().chain(theirs.keys()).collect::<BTreeSet<_>>() {
            let (our, their) = (ours.get(path), theirs.get(path));
            if let (true, Some(Content::Bytes(our)), Some(Content::Bytes(their))) =
                (path == "config", our, their)
            {
                registers(&mut found, role, &function.config, our, their);
            } else {
                found.value(format!("{role} {path}"), our.map(|c| text(c)), their.map(|c| text(c)));
            }
        }
    }
    let (ours, theirs) = (output::log(simulated), output::log(real));
    lines(&mut found, &addresses, &ours, &theirs);
    events(&mut found, &addresses, &ours, &theirs);
    found
}

/// Folders of the PCI core and of the driver core; the others hold devices that a driver made.
const CORE: [&str; 4] = ["link", "msi_irqs", "power", "driver"];

/// Files of a function, without those of functions and services below it. Interrupts are numbered in their order: the
/// kernel hands their numbers out anew at each boot. Of what drivers made (`nvme/nvme1`, `net/eth3`) only the folder is
/// looked at, for the same reason.
fn of_function<'a>(files: &'a BTreeMap<String, Content>, folder: &str) -> BTreeMap<String, &'a Content> {
    let prefix = format!("{folder}/");
    let own = files
        .range(prefix.clone()..)
        .map_while(|(path, content)| path.strip_prefix(&prefix).map(|rest| (rest, content)));
    let mut interrupts = 0;
    own.filter(|(path, _)| path.split('/').next().is_some_and(|first| !first.contains(':')))
        .map(|(path, content)| match path.split_once('/') {
            Some(("msi_irqs", _)) => {
                interrupts += 1;
                (format!("msi_irqs/{interrupts}th"), content)
            }
            Some((made, _)) if !CORE.contains(&made) => {
                (format!("{}/", made.trim_end_matches(|c: char| c.is_ascii_digit())), &FOLDER)
            }
            _ => (path.to_owned(), content),
        })
        .collect()
}

/// Stands for a folder.
static FOLDER: Content = Content::Bytes(Vec::new());

fn text(content: &Content) -> String {
    match content {
        Content::Bytes(bytes) => String::from_utf8_lossy(bytes).trim().to_owned(),
        Content::Link(target) => format!("link to {target}"),
        Content::Error(errno, _) => format!("{errno:?}"),
        other => format!("{other:?}"),
    }
}

/// Configuration space by the registers that the healthy function has, and bytes that are in none.
fn registers(found: &mut Found, role: &str, healthy: &Config, ours: &[u8], theirs: &[u8]) {
    let (our, their) = (Config::from_bytes(ours), Config::from_bytes(theirs));
    let length = |bytes: &[u8]| Some(bytes.len().to_string());
    found.value(format!("{role} config length"), length(ours), length(theirs));
    let space = ConfigSpace::from_bytes(healthy.bytes());
    let mut placed: Vec<(String, u16, u8)> = header::registers(&space)
        .into_iter()
        .map(|p| (format!("header.{}", p.path()), p.offset, p.register.width))
        .collect();
    let located = healthy.located();
    if let Some(context) = header::context(&space) {
        let context = decode::with_express(&space, context, &located);
        let (capabilities, _) = decode::capabilities(&mut &space, context, &located);
        for capability in capabilities {
            let key = capability.path();
            placed.extend(
                capability
                    .registers
                    .iter()
                    .map(|p| (format!("{key}.{}", p.path()), p.offset, p.register.width)),
            );
        }
    }
    let mut seen = BTreeSet::new();
    for (path, offset, width) in placed {
        seen.extend(offset..offset + u16::from(width));
        let value = |config: &Config| Some(format!("{:#x}", config.number(offset, width)));
        found.value(format!("{role} config {path}"), value(&our), value(&their));
    }
    for offset in (0..ours.len().max(theirs.len()) as u16).filter(|offset| !seen.contains(offset)) {
        let value = |config: &Config| Some(format!("{:#x}", config.number(offset, 1)));
        found.value(format!("{role} config {offset:#x}"), value(&our), value(&their));
    }
}

/// Lines that name one of the functions, by their text.
fn lines(found: &mut Found, addresses: &[Bdf], ours: &str, theirs: &str) {
    let names: Vec<String> = addresses.iter().map(ToString::to_string).collect();
    let count = |log: &str| {
        let mut counted: BTreeMap<String, usize> = BTreeMap::new();
        for line in log.lines().filter(|line| names.iter().any(|name| line.contains(name.as_str()))) {
            let message = line.split_once("] ").map_or(line, |(_, message)| message);
            *counted.entry(message.trim_end().to_owned()).or_default() += 1;
        }
        counted
    };
    counts(found, "log", &count(ours), &count(theirs));
}

/// Events about one of the functions, by their kind.
fn events(found: &mut Found, addresses: &[Bdf], ours: &str, theirs: &str) {
    let count = |log: &str| {
        let mut counted: BTreeMap<String, usize> = BTreeMap::new();
        let log = events_of(&mut log.as_bytes()).expect("a log in memory can be read");
        for event in log.events {
            if let Some(device) = event.device.filter(|device| addresses.contains(device)) {
                *counted.entry(format!("{} {device}", event.kind.id)).or_default() += event.count as usize;
            }
        }
        counted
    };
    counts(found, "event", &count(ours), &count(theirs));
}

fn counts(found: &mut Found, what: &str, ours: &BTreeMap<String, usize>, theirs: &BTreeMap<String, usize>) {
    for key in ours.keys().chain(theirs.keys()).collect::<BTreeSet<_>>() {
        let times = |counted: &BTreeMap<String, usize>| counted.get(key).map(|n| format!("{n} times"));
        found.value(format!("{what} {key}"), times(ours), times(theirs));
    }
}
