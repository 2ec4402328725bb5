//! The bytes that everything was read from, so that others can decode them with their own tools.

use crate::inspect::Inspection;
use crate::inspect::list::title;
use crate::machine::{Function, Machine};
use crate::pci::{Bdf, ConfigSpace};

use super::Material;
use super::patients::Patient;

/// A function with its bytes.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct Appendix {
    /// Its address.
    #[schemars(with = "String")]
    pub address: Bdf,
    /// Name and identifiers.
    pub device: String,
    /// Configuration space as `lspci -xxxx` prints it and `lspci -F` reads it: rows of sixteen bytes that were read. Empty if none
    /// was.
    pub hex: String,
    /// Why there is nothing or not all; `null` if nothing is missing.
    pub missing: Option<String>,
}

/// Functions in the appendix: those that have trouble and everything on the way to them, else, on a machine without trouble,
/// none: a capture keeps them all.
pub fn functions<'a>(material: Material<'a>, patients: &[Patient]) -> Vec<&'a Function> {
    let machine: &Machine = material.inspection.machine;
    let wanted =
        |a: Bdf| patients.iter().any(|p| p.place.contains(&a) || p.address == a || p.others.contains(&a));
    machine.functions.iter().filter(|f| wanted(f.address)).collect()
}

/// The bytes of a function.
pub fn appendix(inspection: Inspection<'_>, function: &Function) -> Appendix {
    let hex = function.space().map(rows).unwrap_or_default();
    Appendix {
        address: function.address,
        device: title(inspection.names, function),
        missing: function.unread(),
        hex,
    }
}

/// Rows behind the last one with something in it, which are kept so that what begins there can be read to its end.
const ROWS_BEHIND: usize = 16;

/// Whole rows only: the reader of lspci stops at a byte that is not there. Without gaps: it takes them for all-ones. What is zero to
/// the end of the space says nothing.
fn rows(space: &ConfigSpace) -> String {
    let mut rows: Vec<(String, bool)> = Vec::new();
    for row in (0..space.limit()).step_by(16) {
        let bytes: Vec<u8> = (row..row + 16).filter_map(|offset| space.u8(offset)).collect();
        if bytes.len() < 16 {
            break;
        }
        let text: String = bytes.iter().map(|byte| format!(" {byte:02x}")).collect();
        rows.push((format!("{row:02x}:{text}\n"), bytes.iter().any(|byte| *byte != 0)));
    }
    let last = rows.iter().rposition(|(_, something)| *something).unwrap_or(0);
    rows.into_iter().take(last + 1 + ROWS_BEHIND).map(|(text, _)| text).collect()
}
