//! A scenario as the source of a command: the machine at a moment, as a tree.

use std::path::Path;

use super::clock::{DURATION, Microseconds, duration, duration_text};
use super::kernel::Kernel;
use super::scenario::Scenario;
pub use super::scenario::SimulationError;
use super::state::Machine;
use super::{library, output};
use crate::tree::source::{Kind, Source};

/// Parses the moment that `--at` or `FILE@` names.
pub fn moment(text: &str) -> Result<Microseconds, SimulationError> {
    duration(text).ok_or_else(|| SimulationError(format!("`{text}` is no moment: expected {DURATION}")))
}

/// Reads a scenario or machine: a file, or the name of a shipped one.
pub fn scenario(name: &str, kernel: Option<Kernel>) -> Result<Scenario, SimulationError> {
    if let Some(shipped) = library::find(name) {
        return Scenario::read(shipped.text, name, Path::new("."), kernel);
    }
    match std::fs::read_to_string(name) {
        Ok(text) => from_text(&text, name, kernel),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !name.contains('/') => {
            let names = library::SCENARIOS.iter().chain(library::MACHINES).map(|shipped| shipped.name);
            let hint = super::nearest::nearest(name, names);
            let text =
                "no such file, and no scenario or machine is called so; `pciscope simulate list` names them";
            Err(SimulationError(format!("{name}: {text}{hint}")))
        }
        Err(error) => {
            let error = error.to_string();
            let plain = error.split(" (os error").next().unwrap_or(&error).to_lowercase();
            Err(SimulationError(format!("{name}: {plain}")))
        }
    }
}

/// The same of text that was read already. Relative paths in it start at the folder of the file.
pub fn from_text(text: &str, name: &str, kernel: Option<Kernel>) -> Result<Scenario, SimulationError> {
    let folder = Path::new(name).parent().filter(|folder| folder.is_dir()).unwrap_or(Path::new("."));
    Scenario::read(text, name, folder, kernel)
}

/// The machine at a moment as the source of a command; the end of the timeline without one.
pub fn source(scenario: &Scenario, at: Option<Microseconds>) -> Result<Source, SimulationError> {
    Ok(of_machine(scenario, &scenario.machine_at(at)?))
}

/// The same at a moment that may be after the end of the timeline: nothing happens there any more, but time passes.
pub fn source_later(scenario: &Scenario, at: Microseconds) -> Result<Source, SimulationError> {
    Ok(of_machine(scenario, &scenario.machine_later(at)?))
}

fn of_machine(scenario: &Scenario, machine: &Machine) -> Source {
    let at = duration_text(machine.now);
    Source {
        tree: Box::new(output::tree(machine)),
        kind: Kind::Simulation,
        description: format!("{}, a simulated machine at {at}", scenario.file),
        notes: Vec::new(),
    }
}
