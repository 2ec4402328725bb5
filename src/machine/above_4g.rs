//! Whether firmware gives devices room above 4 GiB (`Above 4G Decoding`), and whether what lacks an address could lie there.

use super::platform::Platform;
use super::{Function, Machine};
use crate::kernel_log::platform::HostBridge;
use crate::pci::bars::{BarKind, bars, resources};

const FOUR_GIB: u64 = 1 << 32;

/// What shows that there is room above 4 GiB.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    /// In a clause.
    pub says: String,
    /// Size of the largest window of a host bridge that lies there, in bytes; `None` if only a BAR shows it.
    pub window: Option<u64>,
}

/// A BAR without an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lacking {
    /// In bytes; `None` if the source does not tell.
    pub size: Option<u64>,
    /// Whether it has 64 bits: one of 32 bits can lie below 4 GiB only (PCIe 6.2, 7.5.1.2.1).
    pub wide: bool,
}

/// The option on the kernel command line because of which Linux does not use the windows that firmware tells: then no setting of
/// firmware gives it room (Linux: `nocrs` and `noacpi` of `pci=` in Documentation/admin-guide/kernel-parameters.txt).
pub fn windows_ignored(platform: &Platform) -> Option<&'static str> {
    let options =
        [("pci", "noacpi", "pci=noacpi"), ("pci", "nocrs", "pci=nocrs"), ("acpi", "off", "acpi=off")];
    let mut set = options.into_iter().filter(|(name, value, _)| platform.has_option(name, value));
    set.next().map(|(.., text)| text)
}

/// First and last address of what the kernel writes as `[mem 0x100000000-0x8ffffffff window]`; `None` of anything else.
pub fn memory_range(text: &str) -> Option<(u64, u64)> {
    let (_, rest) = text.split_once("[mem 0x")?;
    let (start, rest) = rest.split_once("-0x")?;
    let end: String = rest.chars().take_while(char::is_ascii_hexdigit).collect();
    let (start, end) = (u64::from_str_radix(start, 16).ok()?, u64::from_str_radix(&end, 16).ok()?);
    (start <= end).then_some((start, end))
}

/// What shows that firmware gives room above 4 GiB to a function, or, where it is not listed, to anything on the machine: a
/// window of its host bridge, else a BAR of what is below the same host bridge. `None`: nothing that was read shows it.
pub fn room(machine: &Machine, platform: &Platform, function: Option<&Function>) -> Option<Room> {
    let own = function.and_then(|f| platform.host_bridge(f.host_bridge.as_deref()?));
    let bridges: Vec<&HostBridge> = match own.filter(|bridge| !bridge.windows.is_empty()) {
        Some(bridge) => vec![bridge],
        None => platform.host_bridges.iter().collect(),
    };
    let windows = bridges.into_iter().flat_map(|bridge| &bridge.windows);
    let high = windows.filter_map(|text| {
        let (start, end) = memory_range(text).filter(|(start, _)| *start >= FOUR_GIB)?;
        Some((end - start + 1, text))
    });
    if let Some((size, text)) = high.max_by_key(|(size, _)| *size) {
        let says = format!("a host bridge has a window above 4 GiB: {text}");
        return Some(Room { says, window: Some(size) });
    }
    let near = |f: &&Function| function.is_some_and(|own| own.host_bridge == f.host_bridge);
    machine.functions.iter().filter(near).find_map(|neighbour| {
        let all = resources(neighbour.reading.text("resource")?)?;
        let six = all.into_iter().take(6).enumerate();
        let mut memory = six.filter_map(|(bar, line)| Some((bar, line.filter(|r| r.is_memory())?)));
        let (bar, line) = memory.find(|(_, line)| line.is_assigned() && line.start >= FOUR_GIB)?;
        let says = format!("BAR {bar} of {} lies above 4 GiB, at {:#x}", neighbour.address, line.start);
        Some(Room { says, window: None })
    })
}

/// The BARs of a function without an address: by its registers and the kernel's copy, and by lines of the log such as `BAR 2
/// [mem size 0x40000000 64bit pref]: can't assign; no space` (kernel: `assign_requested_resources_sorted` and
/// `pci_assign_resource` in drivers/pci/setup-res.c).
pub fn lacking<'a>(function: Option<&Function>, lines: impl Iterator<Item = &'a str>) -> Vec<Lacking> {
    let logged = lines.filter(|line| line.contains("BAR") && !line.contains("window")).filter_map(|line| {
        let (_, rest) = line.split_once("[mem size 0x")?;
        let (text, _) = rest.split_once(']')?;
        let size = u64::from_str_radix(text.split(' ').next()?, 16).ok();
        Some(Lacking { size, wide: text.contains("64bit") })
    });
    let mut all: Vec<Lacking> = logged.collect();
    let Some(function) = function.filter(|f| f.answers()) else { return all };
    let kept = function.reading.text("resource").and_then(resources);
    let without =
        bars(function.space(), kept.as_deref()).into_iter().filter(|bar| bar.assigned == Some(false));
    // A register of zero says nothing of its width.
    all.extend(without.filter_map(|bar| match bar.kind {
        BarKind::Memory64 => Some(Lacking { size: bar.size, wide: true }),
        BarKind::Memory32 if bar.address.is_some_and(|address| address != 0) || bar.size.is_some() => {
            Some(Lacking { size: bar.size, wide: false })
        }
        _ => None,
    }));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_and_lines_are_read() {
        assert_eq!(memory_range("[mem 0x100000000-0x8ffffffff window]"), Some((1 << 32, 0x8_ffff_ffff)));
        assert_eq!(memory_range("[io  0x0000-0x0cf7 window]"), None);
        assert_eq!(memory_range("[mem 0x2-0x1]"), None);
        let lines = [
            "pci 0000:06:00.0: BAR 0 [mem size 0x04000000 pref]: can't assign; no space",
            "pci 0000:07:00.0: BAR 2: no space for [mem size 0x40000000 64bit pref]",
            "pci 0000:03:03.0: bridge window [mem size 0x40000000 64bit pref]: can't assign; no space",
        ];
        let found = lacking(None, lines.into_iter());
        assert_eq!(
            found,
            [
                Lacking { size: Some(0x400_0000), wide: false },
                Lacking { size: Some(0x4000_0000), wide: true }
            ]
        );
    }
}
