//! Slots as firmware describes them, beside the cards that are in them.

use crate::machine::smbios::{FirmwareSlot, PATH, firmware_slots};
use crate::machine::{Function, link};

use super::finding::{Judged, Proof, Skip, Verdict, Who};
use super::registry::{Check, Of, Severity};
use super::subject::Surroundings;

pub static CHECKS: &[Check] = &[Check {
    id: "slot-map",
    rule: "No slot has fewer lanes than the card in it, as firmware describes the slots.",
    severity: Severity::Off,
    reads: "sys/firmware/dmi/tables/DMI (SMBIOS type 9), LnkCap of what is at the address that it names",
    why: "The table names the slot as it is printed on the board, and says how many lanes it was wired with: that a card \
          runs with half its lanes is then the slot's design, and another slot the remedy.",
    reference: "SMBIOS 3.7 (DMTF DSP0134), 7.10",
    remedy: "move the card to a slot with as many lanes as it has",
    who: Who::Provider,
    false_positives: "Firmware that describes another board, or leaves out risers and bifurcation. Slots whose address \
                      firmware does not say are not judged.",
    of: Of::Machine(narrow_slots),
    ..Check::BASE
}];

/// The card of a slot: what is at the address, or below it if that is a port.
fn card<'a>(around: &Surroundings<'a>, slot: &FirmwareSlot) -> Option<&'a Function> {
    let at = around.machine.get(slot.address?)?;
    match link::port_type(at) {
        Some(port) if port.is_downstream_facing() => link::partner(around.machine, at),
        _ => Some(at),
    }
}

fn narrow_slots(around: &Surroundings<'_>) -> Judged {
    let slots = firmware_slots(around.tree).map_err(|error| match error.is_absent() {
        true => Skip::not_applicable("the machine has no SMBIOS table"),
        false => Skip::unknown(error.to_string()),
    })?;
    let (mut narrow, mut proofs, mut unread) = (Vec::new(), Vec::new(), None);
    for slot in &slots {
        let Some((lanes, card)) = slot.lanes.zip(card(around, slot)) else { continue };
        let name = if slot.designation.is_empty() { "a slot without a name" } else { &slot.designation };
        let Some(width) = link::link(card).and_then(|link| link.maximum.width) else {
            unread = unread
                .or_else(|| Some(format!("how many lanes {} in {name} has is not known", card.address)));
            continue;
        };
        let text = format!("at {:#x}: {name}, x{lanes}, {} with x{width}", slot.offset, card.address);
        proofs.push(Proof::File { path: PATH.to_owned(), text });
        if lanes < width {
            narrow.push((format!("{} with x{width} is in {name} with x{lanes}", card.address), lanes, width));
        }
    }
    match (narrow.is_empty(), proofs.is_empty(), unread) {
        (false, ..) => {
            let list = |word: &dyn Fn(&(String, u8, u8)) -> String| {
                narrow.iter().map(word).collect::<Vec<_>>().join(", ")
            };
            let words = list(&|(words, ..)| words.clone());
            Ok(Verdict::bad(words, list(&|n| format!("x{}", n.2)), list(&|n| format!("x{}", n.1)), proofs))
        }
        (true, _, Some(why)) => Err(Skip::unknown(why)),
        (true, true, None) => {
            Err(Skip::not_applicable("firmware describes no slot with lanes, an address and a card in it"))
        }
        (true, false, None) => Ok(Verdict::good(proofs)),
    }
}
