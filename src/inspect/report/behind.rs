//! What does not answer because something above it does not.

use crate::machine::{Function, State};
use crate::pci::Bdf;

use super::Material;
use super::patients::Patient;

/// Whether it was tried and nobody answered: what sleeps or was not read is not silent.
fn is_silent(function: &Function) -> bool {
    matches!(function.presence.state, State::AllOnes | State::Disconnected)
}

/// Requests to what lies behind a function that does not answer reach nobody (PCIe 6.2, 2.3.2: they end as all-ones at the port
/// above): the topmost silent function is the patient, and what is behind it is not known to be sick.
pub fn fold(material: Material<'_>, patients: Vec<Patient>) -> Vec<Patient> {
    let machine = material.inspection.machine;
    let silent = |address: Bdf| machine.get(address).is_some_and(is_silent);
    let is_patient =
        |address: Bdf| patients.iter().any(|p| p.address == address || p.others.contains(&address));
    let above = |patient: &Patient| {
        let mut way = patient.place.iter().copied().filter(|address| *address != patient.address);
        way.find(|address| silent(*address) && is_patient(*address))
    };
    let reaches = |p: &Patient| machine.get(p.address).is_none_or(is_silent);
    let (behind, mut top): (Vec<Patient>, Vec<Patient>) =
        patients.clone().into_iter().partition(|p| reaches(p) && above(p).is_some());
    for patient in behind {
        let Some(cause) = above(&patient) else { continue };
        let Some(known) = top.iter_mut().find(|p| p.address == cause || p.others.contains(&cause)) else {
            top.push(patient);
            continue;
        };
        known.behind.extend(std::iter::once(patient.address).chain(patient.others));
    }
    for patient in &mut top {
        // Also those of which nobody complained.
        let mut below: Vec<Bdf> = match silent(patient.address) {
            true => machine
                .functions
                .iter()
                .filter(|f| f.address != patient.address && is_silent(f))
                .filter(|f| machine.path(f).iter().any(|above| above.address == patient.address))
                .map(|f| f.address)
                .collect(),
            false => Vec::new(),
        };
        patient.behind.append(&mut below);
        patient.behind.sort_unstable();
        patient.behind.dedup();
    }
    top.sort_by_key(|p| p.address);
    top
}
