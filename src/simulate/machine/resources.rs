//! Where address ranges lie: what the description says, and for the rest what fits, as firmware places it.

use std::collections::BTreeMap;

use super::description::{Description, FunctionDescription, HostBridge, Kind, ROM_LINE, VF_LINE, Windows};
use super::registers::{Places, bar_bits};
use crate::pci::Bdf;
use crate::pci::bars::Resource;
use crate::simulate::document::Mistake;

const MIB: u64 = 1 << 20;

/// Places every range and window of the machine.
pub fn place(description: &Description) -> Result<BTreeMap<Bdf, Places>, Mistake> {
    let mut places: BTreeMap<Bdf, Places> = BTreeMap::new();
    for host in &description.host_bridges {
        let mut free = Free::of(host);
        place_bus(description, host.domain, u64::from(host.buses.0), &mut free, &mut places, host)?;
    }
    Ok(places)
}

/// The next free address of each kind.
#[derive(Debug, Clone, Copy)]
struct Free {
    io: u64,
    memory: u64,
    prefetchable: u64,
}

impl Free {
    fn of(host: &HostBridge) -> Self {
        // The lowest I/O ports belong to what is on the board.
        let io = host.io.map_or(0x1000, |(first, _)| first.max(0x1000));
        Free {
            io,
            memory: host.memory.map_or(0x9000_0000, |(first, _)| first),
            prefetchable: host.high_memory.map_or(0x100_0000_0000, |(first, _)| first),
        }
    }

    /// To where a window of a bridge may begin: 4 KiB of I/O space, 1 MiB of memory (PCIe 6.2, 7.5.1.3).
    fn align(&mut self, function: &FunctionDescription) -> Result<(), Mistake> {
        for (next, step) in [(&mut self.io, 0x1000), (&mut self.memory, MIB), (&mut self.prefetchable, MIB)] {
            *next = next.checked_next_multiple_of(step).ok_or_else(|| no_room(function, step))?;
        }
        Ok(())
    }

    fn next(&mut self, kind: Kind) -> &mut u64 {
        match kind {
            Kind::Io => &mut self.io,
            Kind::Prefetchable64 => &mut self.prefetchable,
            _ => &mut self.memory,
        }
    }
}

fn place_bus(
    description: &Description,
    domain: u32,
    bus: u64,
    free: &mut Free,
    places: &mut BTreeMap<Bdf, Places>,
    host: &HostBridge,
) -> Result<(), Mistake> {
    let here = |f: &&FunctionDescription| f.address.domain == domain && u64::from(f.address.bus) == bus;
    for function in description.functions.iter().filter(here) {
        let mut own = Places::default();
        // Large ranges first, so that little is lost between them.
        let mut order: Vec<usize> = (0..function.ranges.len()).collect();
        order.sort_by_key(|place| std::cmp::Reverse(function.ranges[*place].size));
        own.starts = vec![0; function.ranges.len()];
        for place in order {
            let range = function.ranges[place];
            own.starts[place] = match range.address {
                Some(address) => address,
                None => {
                    let next = free.next(range.kind);
                    let alignment = if range.line >= VF_LINE { MIB } else { range.size.max(16) };
                    let full = || no_room(function, range.size);
                    let start = next.checked_next_multiple_of(alignment).ok_or_else(full)?;
                    *next = start.checked_add(range.size).ok_or_else(full)?;
                    start
                }
            };
        }
        if let Some((secondary, _)) = function.buses {
            own.windows = bridge(description, function, secondary, free, places, host)?;
        }
        within(function, &own, host)?;
        places.insert(function.address, own);
    }
    Ok(())
}

fn bridge(
    description: &Description,
    function: &FunctionDescription,
    secondary: u64,
    free: &mut Free,
    places: &mut BTreeMap<Bdf, Places>,
    host: &HostBridge,
) -> Result<Windows, Mistake> {
    if secondary <= u64::from(function.address.bus) {
        let text =
            format!("{}: the bus below must have a higher number than the one above", function.address);
        return Err(Mistake::new(function.line, text));
    }
    free.align(function)?;
    let before = *free;
    place_bus(description, function.address.domain, secondary, free, places, host)?;
    free.align(function)?;
    let used = |before: u64, after: u64| (after > before).then(|| (before, after - 1));
    Ok(Windows {
        io: function.windows.io.or(used(before.io, free.io)),
        memory: function.windows.memory.or(used(before.memory, free.memory)),
        prefetchable: function.windows.prefetchable.or(used(before.prefetchable, free.prefetchable)),
    })
}

fn no_room(function: &FunctionDescription, size: u64) -> Mistake {
    let text =
        format!("{}: no room for {size:#x} bytes below the end of the address space", function.address);
    Mistake::new(function.line, text)
}

/// Refuses ranges that lie outside of the host bridge's.
fn within(function: &FunctionDescription, places: &Places, host: &HostBridge) -> Result<(), Mistake> {
    for (range, start) in function.ranges.iter().zip(&places.starts) {
        let end = start.checked_add(range.size - 1).ok_or_else(|| no_room(function, range.size))?;
        let inside =
            |window: Option<(u64, u64)>| window.is_none_or(|(first, last)| *start >= first && end <= last);
        let fits = match range.kind {
            Kind::Io => inside(host.io),
            Kind::Memory32 | Kind::Rom => inside(host.memory),
            Kind::Memory64 | Kind::Prefetchable64 => inside(host.memory) || inside(host.high_memory),
        };
        if !fits {
            let text = format!(
                "{}: {start:#x} to {end:#x} lies outside of the windows of the host bridge in line {}",
                function.address, host.line
            );
            return Err(Mistake::new(function.line, text));
        }
    }
    Ok(())
}

/// The kernel's flags of a range (include/linux/ioport.h): what it is, IORESOURCE_SIZEALIGN, IORESOURCE_READONLY for a
/// ROM, and the bits of the register.
fn flags(kind: Kind) -> u64 {
    const SIZE_ALIGN: u64 = 0x4_0000;
    const READ_ONLY: u64 = 0x4000;
    let what = match kind {
        Kind::Io => Resource::IO,
        Kind::Memory32 => Resource::MEMORY,
        Kind::Memory64 => Resource::MEMORY | Resource::MEMORY_64,
        Kind::Prefetchable64 => Resource::MEMORY | Resource::MEMORY_64 | Resource::PREFETCHABLE,
        Kind::Rom => Resource::MEMORY | Resource::PREFETCHABLE | READ_ONLY,
    };
    what | SIZE_ALIGN | bar_bits(kind)
}

/// The kernel's notes of a function: 13 lines for endpoints with CONFIG_PCI_IOV, 17 for bridges.
pub fn lines(function: &FunctionDescription, places: &Places) -> Vec<Resource> {
    let mut lines = vec![Resource::default(); if function.buses.is_some() { 17 } else { 13 }];
    for (range, start) in function.ranges.iter().zip(&places.starts) {
        lines[range.line] = Resource { start: *start, end: start + range.size - 1, flags: flags(range.kind) };
    }
    if function.buses.is_some() {
        let windows = [
            (places.windows.io, Resource::IO | 1),
            (places.windows.memory, Resource::MEMORY),
            (
                places.windows.prefetchable,
                Resource::MEMORY | Resource::MEMORY_64 | Resource::PREFETCHABLE | 1,
            ),
        ];
        for (line, (window, flags)) in lines[13..].iter_mut().zip(windows) {
            if let Some((start, end)) = window {
                *line = Resource { start, end, flags };
            }
        }
    }
    lines
}

/// The text of `resource`.
pub fn text(lines: &[Resource]) -> String {
    lines.iter().map(|r| format!("0x{:016x} 0x{:016x} 0x{:016x}\n", r.start, r.end, r.flags)).collect()
}

/// A range as the kernel log prints it (`%pR` in lib/vsprintf.c).
pub fn range_text(resource: Resource) -> String {
    let kind = if resource.is_memory() { "mem" } else { "io " };
    let width = if resource.is_memory() { 8 } else { 4 };
    let place = match resource.flags & Resource::UNSET {
        0 => format!("{:#0w$x}-{:#0w$x}", resource.start, resource.end, w = width + 2),
        // Wraps as resource_size() does in include/linux/ioport.h.
        _ => {
            format!("size {:#0w$x}", resource.end.wrapping_sub(resource.start).wrapping_add(1), w = width + 2)
        }
    };
    let wide = if resource.flags & Resource::MEMORY_64 != 0 { " 64bit" } else { "" };
    let pref = if resource.flags & Resource::PREFETCHABLE != 0 { " pref" } else { "" };
    format!("[{kind} {place}{wide}{pref}]")
}

/// What the kernel log calls a line of `resource`.
pub fn range_name(line: usize) -> String {
    match line {
        ROM_LINE => "ROM".to_owned(),
        line if line >= VF_LINE => format!("VF BAR {}", line - VF_LINE),
        line => format!("BAR {line}"),
    }
}
