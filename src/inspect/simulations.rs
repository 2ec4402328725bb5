//! `simulate list`: what can be simulated.

use crate::simulate::fault::{self, ParameterKind, Target};
use crate::simulate::library::{self, Shipped};

/// Answer of `simulate list`.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct Simulations {
    /// Machines on which nothing is broken.
    pub machines: Vec<ShippedEntry>,
    /// Scenarios.
    pub scenarios: Vec<ShippedEntry>,
    /// Faults.
    pub faults: Vec<FaultEntry>,
}

/// A machine or scenario that is shipped.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct ShippedEntry {
    /// Its name, which `--from` and `simulate build` take.
    pub name: &'static str,
    /// What it is, in a line.
    pub title: &'static str,
}

/// A fault.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct FaultEntry {
    /// Its name, as scenarios write it.
    pub name: &'static str,
    /// What a person would see, in a line.
    pub summary: String,
    /// Whether it is about one function; otherwise about the whole machine.
    pub of_function: bool,
    /// Capabilities that the function must have, by the first part of their dotted path.
    pub needs: &'static [&'static str],
    /// What diagnosis is right for it; `healthy` where only a qualification objects.
    pub verdict: &'static str,
    /// What it can be told.
    pub parameters: Vec<ParameterEntry>,
}

/// A parameter of a fault.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct ParameterEntry {
    /// Its name.
    pub name: &'static str,
    /// What it is for.
    pub what: &'static str,
    /// The words that it can be, the one that is assumed first; empty if it is no choice.
    pub choices: Vec<&'static str>,
}

/// Everything that can be simulated.
pub fn simulations() -> Simulations {
    let entry = |shipped: &Shipped| ShippedEntry { name: shipped.name, title: title(shipped.text) };
    Simulations {
        machines: library::MACHINES.iter().map(entry).collect(),
        scenarios: library::SCENARIOS.iter().map(entry).collect(),
        faults: fault::all().map(fault_entry).collect(),
    }
}

fn fault_entry(fault: &'static fault::Fault) -> FaultEntry {
    let parameter = |p: &'static fault::Parameter| ParameterEntry {
        name: p.name,
        what: p.doc,
        choices: match p.kind {
            ParameterKind::Choice(words) => words.to_vec(),
            _ => Vec::new(),
        },
    };
    FaultEntry {
        name: fault.name,
        summary: fault.summary(),
        of_function: !matches!(fault.on, Target::Machine),
        needs: fault.needs,
        verdict: fault.verdict,
        parameters: fault.parameters.iter().map(parameter).collect(),
    }
}

/// The title in a shipped file.
fn title(text: &'static str) -> &'static str {
    let line = text.lines().find_map(|line| line.strip_prefix("title = \""));
    line.map_or("", |line| line.trim_end_matches('"'))
}
