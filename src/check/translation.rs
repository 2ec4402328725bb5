//! Host bridges that translate addresses: the kernel notes those of the processor, and in BARs and windows stand those of the bus
//! (kernel: pcibios_resource_to_bus in drivers/pci/host-bridge.c). So it is on POWER and on many ARM machines.

use crate::machine::Function;
use crate::pci::Bdf;
use crate::pci::bars::{Bar, bars, resources};

use super::subject::Subject;

/// Most functions that are asked whether their addresses differ by as much.
const ASKED: usize = 64;

/// By how much the kernel's address of a BAR is above the one in its register; `None` if they are the same, or the register
/// holds none.
fn difference(bar: &Bar) -> Option<i128> {
    let (bus, kernel) = (bar.address.filter(|address| *address != 0)?, bar.kernel_address?);
    (bar.agrees == Some(false)).then(|| i128::from(kernel) - i128::from(bus))
}

/// Whether the host bridge above translates, so that a BAR that differs from the kernel's notes is as it should be: the log says
/// by how much, or BARs of another device differ by as much.
pub(super) fn is_translated(subject: &Subject<'_>, bar: &Bar) -> bool {
    let (Some(difference), Some(kernel)) = (difference(bar), bar.kernel_address) else { return false };
    let own = subject.function;
    let bridge = own.host_bridge.as_deref().and_then(|name| subject.around.platform.host_bridge(name));
    let windows = bridge.iter().flat_map(|bridge| &bridge.windows).filter_map(|window| translation(window));
    if windows.into_iter().any(|(start, end, by)| (start..=end).contains(&kernel) && by == difference) {
        return true;
    }
    let device = |address: Bdf| (address.domain, address.bus, address.device);
    // Host bridges of one machine translate alike; that two devices lost their addresses by as much is no accident.
    let others = subject.around.machine.functions.iter();
    let others = others.filter(|other| device(other.address) != device(own.address));
    others.filter_map(differences).take(ASKED).any(|all| all.contains(&difference))
}

/// The differences of a function's BARs; `None` of one that has no BAR with an address.
fn differences(function: &Function) -> Option<Vec<i128>> {
    let lines = resources(function.reading.text("resource")?)?;
    let found = bars(function.space(), Some(&lines));
    found.iter().any(|bar| bar.agrees.is_some()).then(|| found.iter().filter_map(difference).collect())
}

/// Start and end of a window and by how much it is translated: `[mem 0xA-0xB window] (bus address [0xC-0xD])` (kernel:
/// pci_register_host_bridge in drivers/pci/probe.c).
fn translation(window: &str) -> Option<(u64, u64, i128)> {
    let number = |text: &str| u64::from_str_radix(text.trim().strip_prefix("0x")?, 16).ok();
    let (own, bus) = window.strip_prefix("[mem ")?.split_once("(bus address [")?;
    let (start, end) = own.split_once(']')?.0.split_once('-')?;
    let end = end.split(' ').next()?;
    let (start, end, bus) = (number(start)?, number(end)?, number(bus.split('-').next()?)?);
    Some((start, end, i128::from(start) - i128::from(bus)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_tells_by_how_much_it_is_translated() {
        let window = "[mem 0x3fe000000000-0x3fe07ffeffff window] (bus address [0x80000000-0xfffeffff])";
        let by = 0x3fe0_0000_0000 - 0x8000_0000;
        assert_eq!(translation(window), Some((0x3fe0_0000_0000, 0x3fe0_7ffe_ffff, by)));
        assert_eq!(translation("[mem 0x80000000-0xfebfffff window]"), None);
    }
}
