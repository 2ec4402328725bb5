//! BARs for which the kernel found no room.

use crate::check::finding::Verdict;
use crate::kernel_log::Event;
use crate::pci::bars::resources;

use super::{Logged, is, trouble};

/// The number of a BAR in a line: of `BAR 1`, or by itself. `None`: a ROM, a window, a virtual function's BAR.
pub(super) fn bar_number(event: &Event) -> Option<u8> {
    if let Some(name) = event.text("bar_name") {
        return name.strip_prefix("BAR ")?.parse().ok();
    }
    u8::try_from(event.number("bar")?).ok().filter(|bar| *bar < 6)
}

pub(super) fn no_room(logged: &Logged<'_>, event: &Event) -> Option<Verdict> {
    if event.kind.id == "nvidia.bar-invalid" {
        return Some(trouble(event, "the driver refuses a BAR"));
    }
    let kinds =
        ["resources.no-space", "resources.not-assigned", "resources.cannot-claim", "resources.cannot-enable"];
    let bar = bar_number(event).filter(|_| is(event, &kinds))?;
    if event.text("resource").is_some_and(|resource| resource.starts_with("[io")) {
        return None;
    }
    let function = event.device.and_then(|device| logged.around.machine.get(device));
    let noted = function.and_then(|f| f.reading.text("resource")).and_then(resources);
    let now = noted.and_then(|lines| lines.get(usize::from(bar)).copied().flatten());
    // Later attempts may have succeeded. Without the machine, the last line about the BAR tells.
    let mended = match now {
        Some(resource) => resource.is_assigned(),
        None => logged.causes.assigned_later(event, bar),
    };
    (!mended).then(|| trouble(event, &format!("BAR {bar} got no address")))
}
