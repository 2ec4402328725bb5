//! `msix`: the vector table of a function, joined to Linux's view of it.

use crate::machine::interrupts::{self, LinuxInterrupt, MsixSummary, msix_summary};
use crate::machine::vectors::{self, Place, Unreadable, Vector};
use crate::machine::{Function, State};
use crate::pci::Bdf;

use super::Inspection;
use super::list::title;

/// Answer of `msix`.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct Msix {
    /// The functions that were asked for; without a request, those that have MSI-X.
    pub functions: Vec<FunctionVectors>,
    /// What was noticed while reading.
    pub notes: Vec<String>,
}

/// MSI-X of one function.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct FunctionVectors {
    /// Address.
    #[schemars(with = "String")]
    pub address: Bdf,
    /// Name and identifiers.
    pub device: String,
    /// Whether anybody answers.
    pub presence: State,
    /// What that was concluded from.
    pub presence_reason: String,
    /// Name of the driver.
    pub driver: Option<String>,
    /// MSI-X; `null` if the function has none or was not read.
    pub msix: Option<MsixSummary>,
    /// Where the vector table lies.
    pub table: Option<Place>,
    /// Where the Pending Bit Array lies.
    pub pending_bit_array: Option<Place>,
    /// The vectors in the table; `null` if it could not be read.
    pub vectors: Option<Vec<Vector>>,
    /// Why the table could not be read.
    pub table_unreadable: Option<Unreadable>,
    /// Why the pending bits could not be read although the table could.
    pub pending_unreadable: Option<Unreadable>,
    /// Interrupt remapping: on, off or (`null`) not known. With remapping a message does not name a processor.
    pub interrupt_remapping: Option<bool>,
    /// Whether Linux's numbers of its interrupts are known, so that a vector without one has none.
    pub linux_known: bool,
    /// Whether `/proc/interrupts` was read, so that an interrupt without a line there has no handler.
    pub counts_known: bool,
    /// Linux's own view: interrupts, counts, affinity, and the messages that it believes it wrote.
    pub linux: Vec<LinuxInterrupt>,
}

/// The answer for one function. `mmio` allows reading memory of the function on machines other than x86.
pub fn function_vectors(
    inspection: Inspection<'_>,
    function: &Function,
    lines: Option<&[interrupts::Line]>,
    mmio: bool,
) -> FunctionVectors {
    let places = vectors::places(function);
    let read = vectors::read(inspection.tree, inspection.live, function, inspection.platform, mmio);
    let (table, unreadable) = match read {
        Some(Ok(table)) => (Some(table), None),
        Some(Err(reason)) => (None, Some(reason)),
        None => (None, None),
    };
    FunctionVectors {
        address: function.address,
        device: title(inspection.names, function),
        presence: function.presence.state,
        presence_reason: function.presence.reason.clone(),
        driver: function.driver().map(str::to_owned),
        msix: msix_summary(function),
        table: places.map(|p| p.0),
        pending_bit_array: places.map(|p| p.1),
        pending_unreadable: table.as_ref().and_then(|t| t.pending_unreadable.clone()),
        vectors: table.map(|t| t.vectors),
        table_unreadable: unreadable,
        interrupt_remapping: inspection.platform.interrupt_remapping,
        linux_known: interrupts::numbers_known(function),
        counts_known: lines.is_some(),
        linux: interrupts::linux_interrupts(inspection.tree, function, lines),
    }
}

/// The answer. `named`: functions were asked for by name, so those without MSI-X are shown too.
pub fn msix(
    inspection: Inspection<'_>,
    lines: Option<&[interrupts::Line]>,
    named: bool,
    mmio: bool,
    notes: Vec<String>,
) -> Msix {
    let functions = inspection
        .machine
        .wanted()
        .map(|function| function_vectors(inspection, function, lines, mmio))
        .filter(|f| named || f.msix.is_some())
        .collect();
    Msix { functions, notes }
}
