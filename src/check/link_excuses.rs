//! What excuses a link that is slower than it could be: a tunnel whose figures mean nothing, a device that idles.

use std::time::Duration;

use crate::machine::{Function, Machine};
use crate::pci::extended::vsec;

use super::earlier::seconds;
use super::finding::Proof;
use super::history::AtWork;
use super::subject::Subject;

/// Whether a bridge on the way is one of Intel's Thunderbolt controllers.
pub(super) fn is_tunnelled(subject: &Subject<'_>) -> bool {
    path_is_tunnelled(subject.around.machine, subject.function)
}

/// The same: Vendor-Specific Extended Capability 1234h (Linux: PCI_VSEC_ID_INTEL_TBT in drivers/pci/pci.h).
pub(super) fn path_is_tunnelled(machine: &Machine, function: &Function) -> bool {
    machine.path(function).iter().any(|function| {
        let headers = function
            .located
            .iter()
            .filter(|l| (l.list, l.id) == (vsec::SPECIFICATION.list, vsec::SPECIFICATION.id));
        let id = |offset: u16| function.space().and_then(|space| space.u16(offset + 4));
        function.identity.vendor_id == Some(0x8086)
            && headers.into_iter().any(|l| id(l.offset) == Some(0x1234))
    })
}

/// Devices that go to a lower speed while they have nothing to do.
pub(super) fn slows_down_when_idle(subject: &Subject<'_>) -> bool {
    // A switch on the same card does so together with what is behind it.
    let machine = subject.around.machine;
    let mut below: Vec<&Function> = vec![subject.function];
    let mut left = 4096;
    while let Some(function) = below.pop() {
        let class = function.identity.class.map(|class| class >> 16);
        if matches!(class, Some(0x03 | 0x12)) {
            return true;
        }
        left -= 1;
        if left == 0 {
            return false;
        }
        below.extend(machine.children(function.address));
    }
    false
}

/// What was seen of the link while its device was known to be at work, if it was.
pub(super) fn at_work<'a>(subject: &Subject<'a>) -> Option<&'a AtWork> {
    let earlier = subject.around.earlier.filter(|_| subject.around.busy)?;
    earlier.history.of(subject.address())?.at_work.as_ref()
}

/// When that was, for a sentence and for the proof.
pub(super) fn seen_at(subject: &Subject<'_>, what: &str, at: Duration) -> (String, Proof) {
    let at = seconds(at);
    (
        format!(" (at {at}, while it had work)"),
        Proof::Seen { address: subject.address(), line: format!("{at}: {what}") },
    )
}
