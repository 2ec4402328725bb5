//! What is wrong with capability lists, in words.

use crate::pci::walk::{Anomaly, List};

fn list_name(list: List) -> &'static str {
    match list {
        List::Standard => "capability list",
        List::Extended => "extended capability list",
    }
}

/// An anomaly in words.
pub fn anomaly_text(anomaly: &Anomaly) -> String {
    match *anomaly {
        Anomaly::Loop { list, from, to } => {
            format!("the {} leads in a circle: {from:#x} points back to {to:#x}", list_name(list))
        }
        Anomaly::IntoHeader { list, from, to } => format!(
            "the {} at {from:#x} points to {to:#x}, where no capability can be; it was not followed",
            list_name(list)
        ),
        Anomaly::Unaligned { list, from, to } => {
            format!("the pointer at {from:#x} of the {} is {to:#x}, not a multiple of four", list_name(list))
        }
        Anomaly::AllOnes { list, offset } => {
            format!("the {} has all-ones at {offset:#x}: nothing answered there", list_name(list))
        }
        Anomaly::Overlap { first, second, first_end } => {
            format!(
                "the capability at {first:#x} ends at {first_end:#x}, behind the start of the one at {second:#x}"
            )
        }
        Anomaly::PastEnd { list, offset, end, limit } => format!(
            "the capability at {offset:#x} of the {} would end at {end:#x}, behind the end of its region at {limit:#x}",
            list_name(list)
        ),
        Anomaly::ReservedValue { offset, raw } => {
            format!(
                "the register at {offset:#x} holds {raw:#x}, a value that is reserved; what depends on it is not decoded"
            )
        }
        Anomaly::EmptyList => {
            "status says that there is a capability list, but the pointer to it is 0".to_owned()
        }
        Anomaly::UnknownHeaderType { raw } => {
            format!(
                "header type {:#04x} does not exist; only the common part of the header is decoded",
                raw & 0x7f
            )
        }
    }
}
