//! The words that stand for the placeholders of a setting: which device, port and slot, and how fast the link should be.

use crate::inspect::value::speed_number;
use crate::machine::link::{self, Rate};
use crate::pci::Bdf;

use super::Material;
use super::patients::Patient;

/// What stands for the placeholders of a setting.
pub struct Fill {
    words: [(&'static str, String); 5],
}

impl Fill {
    /// The words for a patient.
    pub fn new(material: Material<'_>, patient: &Patient) -> Self {
        let machine = material.inspection.machine;
        let most = |address: Option<Bdf>| {
            let function = machine.get(address?)?;
            link::link(function).map(|l| l.maximum)
        };
        // Of a card that does not answer nobody knows what it can: then it is what the port can.
        let (card, port) = (most(Some(patient.address)), most(patient.port));
        let rate: Rate = match (card, port) {
            (Some(card), Some(port)) => port.lower(card),
            (card, port) => port.or(card).unwrap_or_default(),
        };
        let port = patient.port.unwrap_or(patient.address);
        let slot = match &patient.slot {
            Some(slot) => format!("slot {slot}"),
            None => format!("the slot below {port}"),
        };
        let unknown = || "as the card's data sheet says".to_owned();
        Fill {
            words: [
                ("{device}", patient.address.to_string()),
                ("{port}", port.to_string()),
                ("{slot}", slot),
                ("{speed}", rate.speed_mts.map_or_else(unknown, |s| format!("{}GT/s", speed_number(s)))),
                ("{width}", rate.width.map_or_else(unknown, |w| format!("x{w}"))),
            ],
        }
    }

    /// The text with the words in it.
    pub fn text(&self, text: &str) -> String {
        self.words.iter().fold(text.to_owned(), |text, (name, word)| text.replace(name, word))
    }
}
