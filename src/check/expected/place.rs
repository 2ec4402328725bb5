//! Where a device is.

use crate::check::expectation::Entry;
use crate::check::expectation::compare::Compared;
use crate::check::finding::{Proof, Skip};
use crate::check::subject::{self, Read, Subject};
use crate::machine::platform::Platform;
use crate::machine::{Function, link};
use crate::pci::capability::express::{self, SlotCapabilities};
use crate::pci::header::SecondaryBus;

pub(super) fn node(subject: &Subject<'_>, entry: &Entry) -> Vec<Compared> {
    let Some(wanted) = &entry.numa_node else { return Vec::new() };
    let found = subject.attribute("numa_node").and_then(|(text, proof)| {
        let node = text.parse().map_err(|_| Skip::unknown(format!("numa_node holds {text:?}")))?;
        Ok((node, vec![proof]))
    });
    vec![Compared::value("numa_node", wanted, found, i64::to_string)]
}

/// The slot of a function: what firmware calls it, otherwise the number that its port has.
pub fn slot_name(subject: &Subject<'_>, platform: &Platform) -> Result<(String, Vec<Proof>), Skip> {
    let address = subject.address().to_string();
    let device = address.rsplit_once('.').map_or(address.as_str(), |(device, _)| device);
    if let Some(slot) = platform.slot(device) {
        let path = format!("sys/bus/pci/slots/{}/address", slot.name);
        return Ok((slot.name.clone(), vec![Proof::File { path, text: slot.address.clone() }]));
    }
    let port = link::partner(subject.around.machine, subject.function);
    let port = port.filter(|port| link::slot_occupied(port).is_some());
    let port = port.ok_or_else(|| Skip::not_applicable("it is in no slot"))?;
    let capabilities: Read<SlotCapabilities> = subject::register(port, &express::SPECIFICATION)?;
    Ok((capabilities.physical_slot_number().to_string(), vec![capabilities.field("physical_slot_number")]))
}

pub(super) fn slot(subject: &Subject<'_>, entry: &Entry) -> Vec<Compared> {
    let Some(wanted) = &entry.slot else { return Vec::new() };
    vec![Compared::text("slot", wanted, slot_name(subject, subject.around.platform))]
}

pub(super) fn below(subject: &Subject<'_>, entry: &Entry) -> Vec<Compared> {
    let Some(wanted) = &entry.below else { return Vec::new() };
    let path = subject.around.machine.path(subject.function);
    let above = &path[..path.len().saturating_sub(1)];
    // The bus numbers say what is below what.
    let bus = |bridge: &Function| Some(subject::header::<SecondaryBus>(bridge).ok()?.proof);
    let proofs = || above.iter().filter_map(|bridge| bus(bridge)).collect::<Vec<_>>();
    let found = match above.iter().find(|bridge| wanted.value.matches(bridge.address)) {
        Some(bridge) => Ok((bridge.address.to_string(), true, proofs())),
        None if above.is_empty() => Err(Skip::not_applicable("no bridge is above it")),
        None => {
            let all: Vec<String> = above.iter().map(|bridge| bridge.address.to_string()).collect();
            Ok((all.join(" "), false, proofs()))
        }
    };
    vec![Compared { line: wanted.line, key: "below".to_owned(), expected: wanted.value.text(), found }]
}
