//! What must be seen of a scenario, and whether it is.
//!
//! It is looked at through the same reader as every other machine.

use super::clock::{DURATION, Microseconds, duration, duration_text};
use super::config;
use super::document::{Mistake, Table};
use super::machine::description::number_or_flag;
use super::output;
use super::scenario::{Scenario, SimulationError};
use super::state::Machine;
use crate::diagnosis::{self, Subject, Verdict};
use crate::machine::reading::Depth;
use crate::machine::{self as observed, Scope};
use crate::pci::decode::Placed;
use crate::pci::{Bdf, header};
use crate::tree::error_name;
use crate::tree::{Tree, read_text};

/// One thing that must be seen.
#[derive(Debug, Clone)]
pub struct Expectation {
    /// Line in the file.
    pub line: usize,
    /// When.
    pub at: Microseconds,
    /// Of which function; `None` for the machine.
    pub function: Option<Bdf>,
    presence: Option<String>,
    /// What `diagnose` must say of the function.
    verdict: Option<String>,
    config_bytes: Option<u64>,
    /// Attributes: name, text or error.
    attributes: Vec<(String, String)>,
    /// Registers and fields: dotted path, number.
    fields: Vec<(String, u64)>,
    /// Texts that the log must have, and must not have.
    log: Vec<String>,
    no_log: Vec<String>,
}

/// Reads one.
pub fn read(table: &Table) -> Result<Expectation, Mistake> {
    const KEYS: [&str; 9] =
        ["at", "function", "presence", "verdict", "config_bytes", "attributes", "fields", "log", "no_log"];
    table.only("an expectation", &KEYS)?;
    let at = match table.get("at") {
        None => Microseconds::MAX,
        Some(node) => duration(node.text("at")?).ok_or_else(|| node.expected("at", DURATION))?,
    };
    let function: Option<Bdf> = match table.text("function")? {
        None => None,
        Some(text) => Some(
            text.parse()
                .map_err(|e: crate::pci::address::AddressError| Mistake::new(table.line, e.to_string()))?,
        ),
    };
    const STATES: [&str; 7] =
        ["answering", "all-ones", "disconnected", "not-ready", "asleep", "absent", "unknown"];
    let presence = match table.get("presence") {
        None => None,
        Some(node) => Some(node.choice("presence", &STATES.map(|s| (s, s)))?.to_owned()),
    };
    let verdict = match table.get("verdict") {
        None => None,
        Some(node) => Some(node.choice("verdict", &Verdict::ALL.map(|v| (v.name(), v.name())))?.to_owned()),
    };
    let mut attributes = Vec::new();
    for (name, node) in table.table("attributes")?.map(Table::flat).unwrap_or_default() {
        attributes.push((name.clone(), node.text(&name)?.to_owned()));
    }
    let mut fields = Vec::new();
    for (path, node) in table.table("fields")?.map(Table::flat).unwrap_or_default() {
        fields.push((path.clone(), number_or_flag(node, &path)?));
    }
    let expectation = Expectation {
        line: table.line,
        at,
        function,
        presence,
        verdict,
        config_bytes: table.number("config_bytes")?,
        attributes,
        fields,
        log: table.texts("log")?,
        no_log: table.texts("no_log")?,
    };
    let needs_function = expectation.presence.is_some()
        || expectation.verdict.is_some()
        || expectation.config_bytes.is_some()
        || !expectation.attributes.is_empty()
        || !expectation.fields.is_empty();
    match needs_function && function.is_none() {
        true => Err(Mistake::new(table.line, "an expectation of a function needs `function`")),
        false => Ok(expectation),
    }
}

/// How many expectations there are and a line for everything that is not as expected. An error if the scenario cannot be
/// made at one of its moments, whether something is expected then or not.
pub fn check(scenario: &Scenario) -> Result<(usize, Vec<String>), SimulationError> {
    for at in scenario.moments() {
        scenario.machine_at(Some(at))?;
    }
    let mut differences = Vec::new();
    for expectation in &scenario.expectations {
        let machine = scenario.machine_at(Some(expectation.at))?;
        let found = differs(expectation, &machine);
        let at = duration_text(machine.now);
        let place = format!("{}:{}", scenario.file, expectation.line);
        differences.extend(found.into_iter().map(|text| format!("{place}: at {at}: {text}")));
    }
    Ok((scenario.expectations.len(), differences))
}

/// What of a machine is not as expected.
pub fn differs(expectation: &Expectation, machine: &Machine) -> Vec<String> {
    let mut found = Vec::new();
    let log = output::log(machine);
    for text in expectation.log.iter().filter(|text| !log.contains(text.as_str())) {
        found.push(format!("kernel log: expected `{text}`, it is not there"));
    }
    for text in expectation.no_log.iter().filter(|text| log.contains(text.as_str())) {
        found.push(format!("kernel log: `{text}` must not be there"));
    }
    if let Some(address) = expectation.function {
        found.extend(function_differs(expectation, machine, address));
    }
    found
}

fn verdict_differs(tree: &dyn Tree, address: Bdf, expected: &str) -> Option<String> {
    let verdicts = match diagnosis::verdicts(tree, &|other| other == address) {
        Ok(verdicts) => verdicts,
        Err(error) => return Some(format!("{address}: the machine cannot be read: {error}")),
    };
    let own = verdicts.iter().find(|(subject, ..)| *subject == Subject::Function(address));
    let verdict = own.map_or("none", |(_, verdict, _)| verdict.name());
    (verdict != expected).then(|| format!("{address}: verdict: expected {expected}, found {verdict}"))
}

fn function_differs(expectation: &Expectation, machine: &Machine, address: Bdf) -> Vec<String> {
    let mut found = Vec::new();
    let tree = output::tree(machine);
    let wanted = |other| other == address;
    let scope = Scope {
        depth: Depth::Detail,
        wanted: &wanted,
        wake: false,
        deadline: observed::DEADLINE,
        vital_product_data: false,
    };
    let seen = match observed::load(&tree, false, scope) {
        Ok(seen) => seen,
        Err(error) => return vec![format!("{address}: the machine cannot be read: {error}")],
    };
    let function = seen.get(address);
    let presence = function.map_or("absent", |f| f.presence.state.name());
    if let Some(expected) = expectation.presence.as_ref().filter(|expected| *expected != presence) {
        found.push(format!("{address}: presence: expected {expected}, found {presence}"));
    }
    if let Some(expected) = &expectation.verdict {
        found.extend(verdict_differs(&tree, address, expected));
    }
    let readable = function.map_or(0, |f| f.config_bytes());
    if let Some(expected) = expectation.config_bytes.filter(|expected| *expected != u64::from(readable)) {
        found.push(format!("{address}: config_bytes: expected {expected}, found {readable}"));
    }
    for (name, expected) in &expectation.attributes {
        let text = match read_text(&tree as &dyn Tree, &format!("sys/bus/pci/devices/{address}/{name}")) {
            Ok(text) => text,
            Err(error) if error.is_absent() => "missing".to_owned(),
            Err(error) => error.os().map_or_else(|| error.to_string(), error_name),
        };
        if text != *expected {
            found.push(format!("{address}: {name}: expected `{expected}`, found `{text}`"));
        }
    }
    if expectation.fields.is_empty() {
        return found;
    }
    let mut registers: Vec<(String, Placed)> = Vec::new();
    if let Some(function) = function {
        let head = function.space().map(header::registers).unwrap_or_default();
        registers.extend(head.into_iter().map(|p| ("header".to_owned(), p)));
        for capability in function.decode().0 {
            let key = capability.path();
            registers.extend(capability.registers.iter().map(|p| (key.clone(), *p)));
        }
    }
    for (path, expected) in &expectation.fields {
        if !registers.is_empty()
            && let Err(mistake) = config::find(&registers, path)
        {
            found.push(format!("{address}: {}", mistake.message));
            continue;
        }
        let value = config::locate(&registers, path).and_then(|place| {
            let raw =
                registers.iter().find(|(_, p)| p.offset == place.offset && p.register.width == place.width);
            let raw = raw.and_then(|(_, p)| p.raw)?;
            Some(place.field.map_or(raw, |field| field.extract(raw)))
        });
        match value {
            Some(value) if value == *expected => {}
            Some(value) => found.push(format!("{address}: {path}: expected {expected:#x}, found {value:#x}")),
            None => found.push(format!("{address}: {path}: expected {expected:#x}, not read")),
        }
    }
    found
}
