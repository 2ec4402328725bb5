//! Downstream Port Containment in a line: whether a port is contained, and why.

use crate::machine::Function;
use crate::pci::extended::dpc::{self, DpcStatus, ErrorSourceId};

use super::value::requester;

/// Why a port is contained. Its link stays down until software clears Trigger Status.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Containment {
    /// What triggered it.
    pub reason: &'static str,
    /// Who sent the error message that did, where one did.
    pub source: Option<String>,
    /// The root port has work left from before, and Trigger Status must not be cleared yet.
    pub busy: bool,
}

/// Why the port is contained; `None` if it is not, has no such capability, or was not read.
pub fn containment(function: &Function) -> Option<Containment> {
    let status: DpcStatus =
        function.register(&dpc::SPECIFICATION).filter(|s: &DpcStatus| s.trigger_status())?;
    // PCIe 6.2, 7.9.14.4: the source counts where a message came, the extension where the reason is 3.
    let (reason, by_message) = match (status.trigger_reason(), status.trigger_reason_extension()) {
        (0, _) => ("unmasked uncorrectable error of the port itself", false),
        (1, _) => ("ERR_NONFATAL", true),
        (2, _) => ("ERR_FATAL", true),
        (_, 0) => ("RP PIO error: a request of the root port itself", false),
        (_, 1) => ("DPC software trigger", false),
        (_, _) => ("a reserved reason", false),
    };
    let source: Option<ErrorSourceId> = function.register(&dpc::SPECIFICATION);
    Some(Containment {
        reason,
        source: source.filter(|_| by_message).map(|s| requester(s.requester_id())),
        busy: status.rp_busy(),
    })
}

/// The same in words.
pub fn text(containment: &Containment) -> String {
    let source = containment.source.as_ref().map(|s| format!(" of {s}")).unwrap_or_default();
    let busy = if containment.busy { "; the root port is still busy" } else { "" };
    format!("the port is contained and its link held down: {}{source}{busy}", containment.reason)
}
