//! Scenarios: a machine, and what happens to it and when.
//!
//! Time is virtual and everything follows from the file and its seed: the machine at a moment is made from the start
//! each time, by what happened until then, in order. A fault that was cleared by then leaves what it leaves in reality:
//! the log, the counters, and the status bits that only software clears.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::clock::{self, DURATION, Microseconds};
use super::document::{self, Mistake, Node, Table};
use super::expectation::{self, Expectation};
use super::fault::{self, Call, Fault, Target, effect};
use super::kernel::Kernel;
use super::machine::{self, description};
use super::passing;
use super::state::{Line, Machine};
use super::{captured, library};
use crate::pci::Bdf;

/// A scenario. A machine is one in which nothing happens.
#[derive(Clone)]
pub struct Scenario {
    /// Name of the file, for messages.
    pub file: String,
    /// One line for people.
    pub title: String,
    base: Base,
    kernel: Option<Kernel>,
    seed: u64,
    boot: i64,
    events: Vec<Event>,
    /// What must be seen.
    pub expectations: Vec<Expectation>,
}

#[derive(Clone)]
enum Base {
    Description(Box<description::Description>),
    Folder(PathBuf),
}

#[derive(Clone)]
struct Event {
    line: usize,
    at: Microseconds,
    what: What,
}

#[derive(Clone)]
enum What {
    Fault(&'static Fault, Call),
    Clear(String, Option<Bdf>),
    Log(Vec<String>),
    Action(Action, Option<Bdf>),
}

/// What an operator does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Remove,
    Rescan,
    Unbind,
}

/// Why something cannot be simulated: one line that starts with the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SimulationError(pub String);

const KEYS: [&str; 7] = ["title", "base", "kernel", "seed", "boot", "event", "expect"];

/// Most events of a scenario, each counted as often as it repeats: every moment is made from the start.
const EVENTS_LIMIT: usize = 10_000;
/// Most lines of the kernel log that events may say.
const LINES_LIMIT: usize = 100_000;

/// The moment of boot where a file does not say.
const BOOT: &str = "2025-11-11T23:00:00Z";

impl Scenario {
    /// Reads a scenario or machine. `folder`: where relative paths start; `kernel`: instead of the file's.
    pub fn read(
        text: &str,
        file: &str,
        folder: &Path,
        kernel: Option<Kernel>,
    ) -> Result<Scenario, SimulationError> {
        let wrong = |mistake: Mistake| SimulationError(mistake.in_file(file));
        let table = document::parse(text).map_err(wrong)?;
        let mut scenario = read(&table, folder).map_err(wrong)?;
        scenario.file = file.to_owned();
        scenario.kernel = kernel.or(scenario.kernel);
        Ok(scenario)
    }

    /// When the last event is. What the kernel says of it may come later.
    pub fn end(&self) -> Microseconds {
        self.events.iter().map(|event| event.at).max().unwrap_or(0)
    }

    /// Every moment at which something happens, and the start.
    pub fn moments(&self) -> Vec<Microseconds> {
        self.moments_of(self.events.iter().map(|event| event.at).collect())
    }

    /// The same, but of an event that repeats the first time and the last alone.
    pub fn moments_without_repetitions(&self) -> Vec<Microseconds> {
        let mut spans: BTreeMap<usize, (Microseconds, Microseconds)> = BTreeMap::new();
        for event in &self.events {
            let span = spans.entry(event.line).or_insert((event.at, event.at));
            *span = (span.0.min(event.at), span.1.max(event.at));
        }
        self.moments_of(spans.into_values().flat_map(|(first, last)| [first, last]).collect())
    }

    fn moments_of(&self, mut all: Vec<Microseconds>) -> Vec<Microseconds> {
        all.push(0);
        all.extend(self.expectations.iter().map(|e| e.at.min(self.end())));
        all.sort_unstable();
        all.dedup();
        all
    }

    /// The machine at a moment; the end of the timeline without one, and for every later one. The timeline ends with the
    /// last event, or with the full second in which the last line was said of one.
    pub fn machine_at(&self, at: Option<Microseconds>) -> Result<Machine, SimulationError> {
        self.build(at.unwrap_or(Microseconds::MAX), true).map_err(|m| SimulationError(m.in_file(&self.file)))
    }

    /// The machine at a moment that may be after the end of the timeline: nothing happens there any more, but time passes.
    pub fn machine_later(&self, at: Microseconds) -> Result<Machine, SimulationError> {
        self.build(at, false).map_err(|m| SimulationError(m.in_file(&self.file)))
    }

    fn build(&self, at: Microseconds, until_end: bool) -> Result<Machine, Mistake> {
        let mut machine = self.base()?;
        let lines = machine.log.len();
        let happened: Vec<&Event> = self.events.iter().filter(|event| event.at <= at).collect();
        for (place, event) in happened.iter().enumerate() {
            machine.now = event.at;
            machine.lag = 0;
            let later = &happened[place + 1..];
            self.happen(&mut machine, event, later).map_err(|mistake| mistake.at(event.line))?;
            passing::note_silence(&mut machine);
            if machine.log.len().saturating_sub(lines) > LINES_LIMIT {
                let text = format!(
                    "by this event more than {LINES_LIMIT} lines of the kernel log were said: expected fewer; \
                     lower `count` or `repeat`"
                );
                return Err(Mistake::new(event.line, text));
            }
        }
        let last = machine.log.iter().map(|line| line.since).max().unwrap_or(0);
        // A full second, which people can read and type.
        let end = if last > self.end() { last.next_multiple_of(1_000_000) } else { self.end() };
        machine.now = if until_end { at.min(end) } else { at };
        passing::links(&mut machine).map_err(|mistake| mistake.at(0))?;
        // Of a captured machine nobody knows how fast its counters grew.
        if matches!(self.base, Base::Description(_)) {
            passing::interrupts(&mut machine);
        }
        // The clock is never behind the log: what was said at once of the last event was said by now.
        let said =
            machine.log.iter().filter(|line| (1..=machine.now).contains(&line.since)).map(|line| line.time);
        let uptime = said.max().map_or(machine.now, |said| said.max(machine.now)) / 10_000;
        machine.line("proc/uptime", format!("{}.{:02} {0}.{1:02}", uptime / 100, uptime % 100));
        machine.line("proc/stat", format!("btime {}", self.boot));
        Ok(machine)
    }

    fn base(&self) -> Result<Machine, Mistake> {
        match &self.base {
            Base::Description(description) => {
                let mut description = description.clone();
                if let Some(kernel) = self.kernel
                    && kernel != description.kernel
                {
                    description.kernel = kernel;
                    kernel.release().clone_into(&mut description.release);
                }
                machine::build(&description, self.seed)
            }
            Base::Folder(path) => captured::load(path, self.kernel, self.seed),
        }
    }

    fn happen(&self, machine: &mut Machine, event: &Event, later: &[&Event]) -> Result<(), Mistake> {
        match &event.what {
            What::Fault(fault, call) => {
                let is_end = |other: &&&Event| match &other.what {
                    What::Clear(name, function) => {
                        name == fault.name && (function.is_none() || *function == call.function)
                    }
                    _ => false,
                };
                match later.iter().find(is_end) {
                    None => fault::apply(fault, machine, call),
                    Some(_) => {
                        let mut broken = machine.clone();
                        fault::apply(fault, &mut broken, call)?;
                        leave_traces(machine, broken);
                        Ok(())
                    }
                }
            }
            What::Clear(name, function) => {
                let ended = self.events.iter().filter(|other| other.at <= event.at).find_map(|other| {
                    match &other.what {
                        What::Fault(fault, call)
                            if fault.name == name && (function.is_none() || *function == call.function) =>
                        {
                            Some((*fault, call))
                        }
                        _ => None,
                    }
                });
                match ended {
                    Some((fault, call)) => say_return(machine, fault, call),
                    None => Err(Mistake::new(
                        0,
                        format!("`clear`: no event before this one is the fault `{name}`{}", of(*function)),
                    )),
                }
            }
            What::Log(lines) => {
                // Lines of a file stand at the moment that the file says, in its order.
                for (place, text) in (0..).zip(lines) {
                    machine.log.push(Line { time: event.at + place, since: event.at, text: text.clone() });
                }
                Ok(())
            }
            What::Action(action, function) => operate(machine, *action, *function),
        }
    }
}

fn of(function: Option<Bdf>) -> String {
    function.map_or(String::new(), |address| format!(" of {address}"))
}

/// What a fault that was cleared leaves behind.
fn leave_traces(machine: &mut Machine, broken: Machine) {
    for (path, content) in &broken.files {
        if path.contains("/aer_") && machine.files.contains_key(path) {
            machine.files.insert(path.clone(), content.clone());
        }
    }
    for (address, after) in &broken.functions {
        let Some(function) = machine.functions.get_mut(address).filter(|f| f.config != after.config) else {
            continue;
        };
        for (offset, width, mask) in function.config.sticky() {
            let raw = function.config.number(offset, width) | after.config.number(offset, width) & mask;
            function.config.store(offset, width, raw);
        }
        function.touched = true;
    }
    machine.log = broken.log;
    machine.random = broken.random;
}

/// What the kernel says when a device that it removed comes back.
fn say_return(machine: &mut Machine, fault: &Fault, call: &Call) -> Result<(), Mistake> {
    let mut broken = machine.clone();
    fault::apply(fault, &mut broken, call)?;
    let came_back: Vec<Bdf> =
        machine.functions.keys().filter(|address| !broken.functions.contains_key(address)).copied().collect();
    let Some(first) = came_back.first() else { return Ok(()) };
    if let Some(port) = machine.parent(*first).filter(|port| effect::runs_service(machine, *port, 4)) {
        for text in ["Card present", "Link Up"] {
            effect::say_hot_plug(machine, port, text);
        }
        machine.wait(100_000);
    }
    effect::introduce(machine, &came_back, effect::Discovery::PluggedIn)
}

fn operate(machine: &mut Machine, action: Action, function: Option<Bdf>) -> Result<(), Mistake> {
    let needed = || Mistake::new(0, "this action needs `function`, an address such as 0000:82:00.0");
    match action {
        Action::Rescan => effect::rescan(machine),
        Action::Remove => {
            let address = function.ok_or_else(needed)?;
            machine.function(address)?;
            effect::remove(machine, address)
        }
        Action::Unbind => {
            let address = function.ok_or_else(needed)?;
            machine.function(address)?;
            effect::unbind(machine, address)
        }
    }
}

fn read(table: &Table, folder: &Path) -> Result<Scenario, Mistake> {
    let boot = |table: &Table| -> Result<i64, Mistake> {
        let Some(node) = table.get("boot") else { return Ok(clock::moment(BOOT).unwrap_or(0)) };
        clock::moment(node.text("boot")?)
            .ok_or_else(|| node.expected("boot", "a moment such as \"2025-11-11T23:20:00Z\""))
    };
    if table.get("base").is_none() {
        if table.get("event").is_some() {
            return Err(Mistake::new(table.line, "a scenario needs `base`, a machine or a folder"));
        }
        if table.get("function").is_none() && table.get("host_bridge").is_none() {
            let text = "neither a scenario nor a machine: expected `base`, or `host_bridge` and `function`";
            return Err(Mistake::new(table.line, text));
        }
        let description = description::read(table)?;
        return Ok(Scenario {
            file: String::new(),
            title: description.title.clone(),
            base: Base::Description(Box::new(description)),
            kernel: None,
            seed: 0,
            boot: boot(table)?,
            events: Vec::new(),
            expectations: Vec::new(),
        });
    }
    table.only("a scenario", &KEYS)?;
    let mut events = Vec::new();
    for entry in table.tables("event")? {
        events.extend(event(entry)?);
    }
    if events.len() > EVENTS_LIMIT {
        let text = format!(
            "{} events, each counted as often as it repeats: expected {EVENTS_LIMIT} at most",
            events.len()
        );
        return Err(Mistake::new(table.line, text));
    }
    events.sort_by_key(|event| event.at);
    Ok(Scenario {
        file: String::new(),
        title: table.text("title")?.unwrap_or("a scenario").to_owned(),
        base: base(table, folder)?,
        kernel: table.get("kernel").map(|node| Kernel::named(node, "kernel")).transpose()?,
        seed: table.number("seed")?.unwrap_or(0),
        boot: boot(table)?,
        events,
        expectations: table.tables("expect")?.into_iter().map(expectation::read).collect::<Result<_, _>>()?,
    })
}

/// A shipped machine by its name, a description, or a folder.
fn base(table: &Table, folder: &Path) -> Result<Base, Mistake> {
    let node = table.get("base").ok_or_else(|| Mistake::new(table.line, "`base` is missing"))?;
    let name = node.text("base")?;
    let path = folder.join(name);
    if let Some(shipped) = library::machine(name) {
        return described(shipped.text, &format!("machine {name}"), node);
    }
    if path.is_dir() {
        return Ok(Base::Folder(path));
    }
    match std::fs::read_to_string(&path) {
        Ok(text) => described(&text, name, node),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let names = library::MACHINES.iter().map(|m| m.name);
            let hint = super::nearest::nearest(name, names.clone());
            let names: Vec<&str> = names.collect();
            Err(node.expected("base", &format!("a folder, a file, or one of {}{hint}", names.join(", "))))
        }
        Err(error) => Err(Mistake::new(node.line, format!("`base`: {name}: {error}"))),
    }
}

fn described(text: &str, name: &str, node: &Node) -> Result<Base, Mistake> {
    let inside = |mistake: Mistake| Mistake::new(node.line, format!("`base`: {}", mistake.in_file(name)));
    let table = document::parse(text).map_err(inside)?;
    if table.get("base").is_some() {
        let text = format!("`base` is {name}, a scenario: expected a machine or a folder");
        return Err(Mistake::new(node.line, text));
    }
    Ok(Base::Description(Box::new(description::read(&table).map_err(inside)?)))
}

/// One event, or several if it repeats.
fn event(table: &Table) -> Result<Vec<Event>, Mistake> {
    const KEYS: [&str; 8] = ["at", "fault", "function", "clear", "log", "action", "repeat", "every"];
    let time = |key: &str| -> Result<Option<Microseconds>, Mistake> {
        let Some(node) = table.get(key) else { return Ok(None) };
        clock::duration(node.text(key)?).map(Some).ok_or_else(|| node.expected(key, DURATION))
    };
    let at = time("at")?.unwrap_or(0);
    let (repeat, every) = (table.number("repeat")?.unwrap_or(1), time("every")?.unwrap_or(1_000_000));
    let most = EVENTS_LIMIT as u64;
    if !(1..=most).contains(&repeat) {
        return Err(Mistake::new(table.line, format!("`repeat` is {repeat}: expected 1 to {most}")));
    }
    if at.saturating_add((repeat - 1).saturating_mul(every)) > clock::LONGEST {
        let text = "the last repetition is later than ten years after boot: lower `repeat` or `every`";
        return Err(Mistake::new(table.line, text));
    }
    let function: Option<Bdf> = match table.text("function")? {
        None => None,
        Some(text) => Some(text.parse().map_err(|e: crate::pci::address::AddressError| {
            Mistake::new(table.get("function").map_or(table.line, |n| n.line), e.to_string())
        })?),
    };
    let given: Vec<&str> =
        ["fault", "clear", "log", "action"].into_iter().filter(|key| table.get(key).is_some()).collect();
    if given.len() != 1 {
        let text = format!(
            "an event needs one of fault, clear, log and action; this has {}",
            match given.len() {
                0 => "none".to_owned(),
                _ => given.join(" and "),
            }
        );
        return Err(Mistake::new(table.line, text));
    }
    let what = if let Some(node) = table.get("fault") {
        let fault = fault::find(node.text("fault")?).map_err(|m| m.at(node.line))?;
        let names: Vec<&str> = fault.parameters.iter().map(|p| p.name).collect();
        let known: Vec<&str> =
            ["at", "fault", "function", "repeat", "every"].into_iter().chain(names).collect();
        table.only(&format!("the fault {}", fault.name), &known)?;
        if fault.on == Target::Machine {
            no_function(table, &format!("the fault {}", fault.name))?;
        }
        let mut call = Call::new(fault, function);
        for parameter in fault.parameters {
            if let Some(node) = table.get(parameter.name) {
                call.set(parameter, node)?;
            }
        }
        What::Fault(fault, call)
    } else {
        table.only("an event", &KEYS)?;
        match given[0] {
            "clear" => {
                let node =
                    table.get("clear").ok_or_else(|| Mistake::new(table.line, "`clear` is missing"))?;
                let fault = fault::find(node.text("clear")?).map_err(|m| m.at(node.line))?;
                What::Clear(fault.name.to_owned(), function)
            }
            "log" => {
                no_function(table, "`log`")?;
                What::Log(table.texts("log")?)
            }
            _ => {
                let node =
                    table.get("action").ok_or_else(|| Mistake::new(table.line, "`action` is missing"))?;
                const ACTIONS: [(&str, Action); 3] =
                    [("remove", Action::Remove), ("rescan", Action::Rescan), ("unbind", Action::Unbind)];
                let action = node.choice("action", &ACTIONS)?;
                if action == Action::Rescan {
                    no_function(table, "the action rescan")?;
                }
                What::Action(action, function)
            }
        }
    };
    let line = table.line;
    Ok((0..repeat)
        .map(|n| Event { line, at: at.saturating_add(n.saturating_mul(every)), what: what.clone() })
        .collect())
}

/// Refuses `function` where it would mean nothing.
fn no_function(table: &Table, what: &str) -> Result<(), Mistake> {
    match table.get("function") {
        None => Ok(()),
        Some(node) => {
            let text = format!("{what} is about the machine as a whole: take `function` away");
            Err(Mistake::new(node.line, text))
        }
    }
}

/// What a scenario is, for lists.
impl std::fmt::Debug for Scenario {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Scenario({})", self.file)
    }
}
