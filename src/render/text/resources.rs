//! Memory and I/O space of a function as text: BARs, expansion ROM, windows of bridges.

use crate::inspect::value::size_text;
use crate::pci::bars::{Bar, BarKind, BridgeWindow};
use crate::pci::expansion_rom::ExpansionRom;

use super::super::style::Tone;

/// A BAR, and how good that is.
pub fn bar_text(bar: &Bar) -> (Tone, String) {
    let kind = match bar.kind {
        BarKind::Io => "I/O",
        BarKind::Memory32 => "memory",
        BarKind::Memory64 => "memory 64-bit",
        BarKind::MemoryBelow1M => "memory below 1 MiB",
    };
    let prefetchable = if bar.prefetchable { " prefetchable" } else { "" };
    let size = bar.size.map_or("size unknown".to_owned(), size_text);
    let address = match bar.address {
        Some(address) => format!("{address:#x}"),
        None => bar
            .kernel_address
            .map_or("address unknown".to_owned(), |a| format!("{a:#x} according to the kernel")),
    };
    let mut text = format!("{address}, {size}, {kind}{prefetchable}");
    let mut tone = Tone::Good;
    if bar.assigned == Some(false) {
        text.push_str("; not assigned: the kernel has no address for it");
        tone = Tone::Bad;
    }
    if bar.agrees == Some(false) {
        let kernel = bar.kernel_address.unwrap_or_default();
        text.push_str(&format!("; the kernel believes it is at {kernel:#x}"));
        tone = Tone::Bad;
    }
    (tone, text)
}

/// An expansion ROM.
pub fn rom_text(rom: &ExpansionRom) -> String {
    let address = match (rom.address, rom.kernel_address) {
        (Some(0) | None, Some(kernel)) => format!("{kernel:#x} according to the kernel"),
        (Some(0), None) => "no address".to_owned(),
        (Some(own), Some(kernel)) if own != kernel => {
            format!("{own:#x} ({kernel:#x} according to the kernel)")
        }
        (Some(own), _) => format!("{own:#x}"),
        (None, None) => "address unknown".to_owned(),
    };
    let size = rom.size.map_or("size unknown".to_owned(), size_text);
    let on = match rom.enabled {
        Some(true) => "on",
        Some(false) => "off",
        None => "unknown whether on",
    };
    format!("{address}, {size}, {on}{}", if rom.shadow { "; the kernel's is a copy in memory" } else { "" })
}

/// A window of a bridge.
pub fn window_text(window: &BridgeWindow) -> String {
    if window.open {
        let size = window.limit - window.base + 1;
        format!("{} {:#x} to {:#x}, {}", window.kind, window.base, window.limit, size_text(size))
    } else {
        format!("{} closed (base {:#x} above limit {:#x})", window.kind, window.base, window.limit)
    }
}
