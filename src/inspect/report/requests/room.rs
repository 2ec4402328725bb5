//! Whether `Above 4G Decoding` can be what is lacking where a BAR has no address.

use crate::inspect::value::size_text;
use crate::machine::{Function, above_4g};

use super::super::Material;
use super::super::patients::Patient;
use super::super::timeline::trouble;

/// What firmware setup has to do with it.
pub(super) enum Setup {
    /// The setting may be what is lacking.
    Asked,
    /// It is on, and the room that it gives is smaller than what is asked of it: what was found.
    Larger(String),
    /// It is on: what shows it.
    On(String),
    /// It cannot help: why.
    Beside(String),
}

/// What it has to do with a patient's lack of addresses.
pub(super) fn setup(material: Material<'_>, patient: &Patient) -> Setup {
    let (machine, platform) = (material.inspection.machine, material.inspection.platform);
    let function = machine.get(patient.address);
    let events = trouble(material, patient);
    let own = events.iter().filter(|event| event.device == Some(patient.address));
    let mut lacking = above_4g::lacking(function, own.map(|event| &*event.message));
    lacking.extend(patient.others.iter().flat_map(|other| {
        let own = events.iter().filter(|event| event.device == Some(*other));
        above_4g::lacking(machine.get(*other), own.map(|event| &*event.message))
    }));
    if !lacking.is_empty() && lacking.iter().all(|bar| !bar.wide) {
        return Setup::Beside(
            "every BAR without an address has 32 bits: it cannot lie above 4 GiB".to_owned(),
        );
    }
    if let Some(option) = above_4g::windows_ignored(platform) {
        return Setup::Beside(format!(
            "with {option} on its command line Linux does not use the windows that firmware tells"
        ));
    }
    let Some(room) = above_4g::room(machine, platform, function.filter(|f| Function::answers(f))) else {
        return Setup::Asked;
    };
    let large = lacking.iter().filter_map(|bar| bar.size).max();
    match room.window.zip(large) {
        Some((window, size)) if window < size => {
            Setup::Larger(format!("{}, smaller than the BAR of {}", room.says, size_text(size)))
        }
        _ => Setup::On(room.says),
    }
}
