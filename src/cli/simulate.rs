//! `simulate`.

use std::path::Path;

use crate::inspect::simulations::{ShippedEntry, simulations};
use crate::simulate::kernel::{KERNELS, Kernel};
use crate::simulate::{expectation, folder, generate, library, source};

use super::arguments::{Format, Global, Simulate};
use super::run::{Failure, NO_INPUT, OUTPUT, Outcome, USAGE, json, moment};

/// An expectation was not met.
const DIFFERS: u8 = 2;

pub fn run(global: &Global, command: Simulate) -> Result<Outcome, Failure> {
    match command {
        Simulate::List => list(global),
        Simulate::Build { scenario, out, kernel } => build(global, &scenario, &out, kernel.as_deref()),
        Simulate::Test { scenarios, kernel } => test(&scenarios, kernel.as_deref()),
        Simulate::Machine { name, functions } => machine(name.as_deref(), functions),
    }
}

fn kernel(name: Option<&str>) -> Result<Option<Kernel>, Failure> {
    let Some(name) = name else { return Ok(None) };
    match KERNELS.iter().find(|(known, _)| *known == name) {
        Some((_, kernel)) => Ok(Some(*kernel)),
        None => {
            let names: Vec<&str> = KERNELS.iter().map(|(name, _)| *name).collect();
            Err(Failure::new(USAGE, format!("--kernel: `{name}`: expected {}", names.join(", "))))
        }
    }
}

fn list(global: &Global) -> Result<Outcome, Failure> {
    let all = simulations();
    if matches!(global.format, Format::Json) {
        return Ok(Outcome::text(json(&all)?));
    }
    let shipped = |entries: Vec<ShippedEntry>| -> Vec<(&str, String)> {
        entries.into_iter().map(|e| (e.name, e.title.to_owned())).collect()
    };
    let groups = [
        ("machines", shipped(all.machines)),
        ("scenarios", shipped(all.scenarios)),
        ("faults", all.faults.into_iter().map(|f| (f.name, f.summary)).collect()),
    ];
    let width = groups.iter().flat_map(|(_, rows)| rows).map(|(name, _)| name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for (heading, rows) in groups {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&format!("{heading}\n"));
        for (name, what) in rows {
            text.push_str(&format!("  {name:width$}  {what}\n"));
        }
    }
    Ok(Outcome::text(text))
}

fn build(global: &Global, name: &str, out: &Path, kernel_name: Option<&str>) -> Result<Outcome, Failure> {
    let (name, behind) = match name.rsplit_once('@') {
        Some((path, moment)) if !Path::new(name).exists() => (path, Some(moment)),
        _ => (name, None),
    };
    let at = moment(behind, global.at.as_deref())?;
    let failed = |error: crate::simulate::scenario::SimulationError| Failure::new(NO_INPUT, error);
    let scenario = source::scenario(name, kernel(kernel_name)?).map_err(failed)?;
    let machine = scenario.machine_at(at).map_err(failed)?;
    let lost = folder::write(&machine, out).map_err(|error| {
        let error = error.to_string();
        let plain = error.split(" (os error").next().unwrap_or(&error).to_owned();
        Failure::new(OUTPUT, format!("{}: {plain}", out.display()))
    })?;
    let mut text = format!("{}: {} functions\n", out.display(), machine.functions.len());
    for line in lost {
        text.push_str(&format!("not in a folder: {line}\n"));
    }
    Ok(Outcome::text(text))
}

fn test(names: &[String], kernel_name: Option<&str>) -> Result<Outcome, Failure> {
    let kernel = kernel(kernel_name)?;
    let (mut text, mut differences) = (String::new(), Vec::new());
    for name in &with_folders(names)? {
        let scenario = source::scenario(name, kernel).map_err(|e| Failure::new(NO_INPUT, e))?;
        let (count, found) = expectation::check(&scenario).map_err(|e| Failure::new(NO_INPUT, e))?;
        let result = match (count, found.len()) {
            (0, _) => "expects nothing".to_owned(),
            (count, 0) => format!("as expected ({count})"),
            (_, differ) => format!("{differ} not as expected"),
        };
        text.push_str(&format!("{name}: {result}\n"));
        differences.extend(found);
    }
    if differences.is_empty() {
        return Ok(Outcome::text(text));
    }
    super::run::print(&text)?;
    Err(Failure::new(DIFFERS, differences.join("\n")))
}

/// The scenarios of every folder that was named, in the order of their names, among the others.
fn with_folders(names: &[String]) -> Result<Vec<String>, Failure> {
    let mut all = Vec::new();
    for name in names {
        if !Path::new(name).is_dir() {
            all.push(name.clone());
            continue;
        }
        let failed = |error: std::io::Error| Failure::new(NO_INPUT, format!("{name}: {}", error.kind()));
        let mut found: Vec<String> = Vec::new();
        for entry in std::fs::read_dir(name).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if path.extension().is_some_and(|extension| extension == "toml") {
                found.push(path.to_string_lossy().into_owned());
            }
        }
        if found.is_empty() {
            let text = format!("{name}: no scenario in this folder; expected files that end in .toml");
            return Err(Failure::new(NO_INPUT, text));
        }
        found.sort();
        all.extend(found);
    }
    Ok(all)
}

fn machine(name: Option<&str>, functions: Option<u64>) -> Result<Outcome, Failure> {
    if let Some(count) = functions {
        return match (1..=generate::MOST_FUNCTIONS).contains(&count) {
            true => Ok(Outcome::text(generate::description(count))),
            false => {
                Err(Failure::new(USAGE, format!("--functions: expected 1 to {}", generate::MOST_FUNCTIONS)))
            }
        };
    }
    let name = name.unwrap_or_default();
    match library::machine(name) {
        Some(shipped) => Ok(Outcome::text(shipped.text.to_owned())),
        None => {
            let names: Vec<&str> = library::MACHINES.iter().map(|m| m.name).collect();
            Err(Failure::new(USAGE, format!("machine: `{name}`: expected one of {}", names.join(", "))))
        }
    }
}
