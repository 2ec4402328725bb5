//! A device whose BARs lie below 4 GiB, in a machine that stays possible: windows nest, nothing overlaps.

use super::effect::{get, set, set_if_there};
use super::resources::{largest, lines, write_lines};
use super::{Call, effect};
use crate::pci::Bdf;
use crate::pci::bars::Resource;
use crate::simulate::document::Mistake;
use crate::simulate::machine::resources::range_text;
use crate::simulate::state::Machine;

const MIB: u64 = 1 << 20;
const FOUR_GIB: u64 = 1 << 32;
/// Lines of `resource` with the windows of a bridge (PCI_BRIDGE_RESOURCES in include/linux/pci.h): I/O, memory,
/// prefetchable.
const MEMORY_WINDOW: usize = 14;
const PREFETCHABLE_WINDOW: usize = 15;

/// A range that gets a new place: a BAR, or the memory window of a bridge with everything in it.
#[derive(Debug, Clone)]
struct Moved {
    owner: Bdf,
    line: usize,
    old: Resource,
    size: u64,
    alignment: u64,
    /// From the start of the window around it.
    offset: u64,
    inside: Vec<Moved>,
}

pub fn large_bar_low(machine: &mut Machine, call: &Call) -> Result<(), Mistake> {
    let address = call.address()?;
    let (bar, line) = largest(machine, address)?;
    if line.flags & Resource::MEMORY_64 == 0 || line.start < FOUR_GIB {
        return Err(Mistake::new(0, format!("{address}: its largest BAR, {bar}, lies below 4 GiB already")));
    }
    let entry = rebar_entry(machine, address, bar);
    for size in sizes(machine, address, entry, line.size()) {
        let top = moved_tree(machine, address, bar, size)?;
        let Some(start) = room(machine, &top)? else { continue };
        if let Some(entry) = entry {
            let encoded = u64::from((size / MIB).max(1).ilog2());
            set(machine, address, &format!("rebar.entry[{entry}].control.size"), encoded)?;
        }
        let mut said = Vec::new();
        for range in &top {
            settle(machine, range, start, &mut said)?;
        }
        say_moved(machine, &said);
        return close_empty_windows(machine, address);
    }
    let why = match entry {
        Some(_) => "no size that its Resizable BAR supports fits",
        None => "it has no Resizable BAR, and does not fit at its size,",
    };
    Err(Mistake::new(
        0,
        format!(
            "{address}: BAR {bar} has {} bytes: {why} into the host bridge's range below 4 GiB",
            line.size()
        ),
    ))
}

/// The entry of Resizable BAR for a BAR.
fn rebar_entry(machine: &Machine, address: Bdf, bar: u64) -> Option<u64> {
    let config = &machine.functions.get(&address)?.config;
    config.capability("rebar")?;
    (0..config.value("rebar.entry[0].control.number_of_resizable_bars").min(6))
        .find(|entry| config.value(&format!("rebar.entry[{entry}].control.bar_index")) == bar)
}

/// Sizes that the BAR may get, the largest first: those of Resizable BAR up to 256 MiB, or the one that it has.
fn sizes(machine: &Machine, address: Bdf, entry: Option<u64>, size: u64) -> Vec<u64> {
    let Some(entry) = entry else { return vec![size] };
    let supported = get(machine, address, &format!("rebar.entry[{entry}].capability.supported_sizes"));
    (0..9)
        .rev()
        .filter(|bit| supported >> bit & 1 == 1)
        .map(|bit| MIB << bit)
        .filter(|s| *s <= size)
        .collect()
}

/// What moves: the memory window of the root port above with everything in it, and the device's 64-bit BARs with it. Of a
/// function without a port above, its BARs alone.
fn moved_tree(machine: &Machine, address: Bdf, bar: u64, size: u64) -> Result<Vec<Moved>, Mistake> {
    let device = machine.siblings(address);
    let resized = (address, bar as usize, size);
    match machine.root_port(address) {
        Some(top) => Ok(window(machine, top, &device, resized)?.into_iter().collect()),
        None => {
            let mut own = ranges(machine, address, None, &device, resized)?;
            arrange(&mut own);
            Ok(own)
        }
    }
}

/// The memory window of a bridge; `None` if nothing lies in it.
fn window(
    machine: &Machine,
    bridge: Bdf,
    device: &[Bdf],
    resized: (Bdf, usize, u64),
) -> Result<Option<Moved>, Mistake> {
    let old = lines(machine, bridge)?.get(MEMORY_WINDOW).copied().unwrap_or_default();
    let mut inside = Vec::new();
    for child in effect::below_port(machine, bridge) {
        inside.extend(ranges(machine, child, Some(old), device, resized)?);
        if machine.function(child)?.enumerated.layout() == 1 {
            inside.extend(window(machine, child, device, resized)?);
        }
    }
    let end = arrange(&mut inside);
    let alignment = inside.iter().map(|range| range.alignment).max().unwrap_or(MIB).max(MIB);
    // A window that is larger than what lies in it keeps room for what may be plugged in.
    let size = end.next_multiple_of(MIB).max(if inside.is_empty() { old.size() } else { 0 });
    let flags = if old.flags == 0 { Resource::MEMORY } else { old.flags };
    let old = Resource { flags, ..old };
    let moved = Moved { owner: bridge, line: MEMORY_WINDOW, old, size, alignment, offset: 0, inside };
    Ok((size != 0).then_some(moved))
}

/// Ranges of a function that move: what lies in the memory window above, and of the device what lies above 4 GiB.
fn ranges(
    machine: &Machine,
    function: Bdf,
    above: Option<Resource>,
    device: &[Bdf],
    (resized, bar, size): (Bdf, usize, u64),
) -> Result<Vec<Moved>, Mistake> {
    let bridge = machine.function(function)?.enumerated.layout() == 1;
    let last = if bridge { MEMORY_WINDOW - 1 } else { usize::MAX };
    let own = lines(machine, function)?.into_iter().enumerate().take(last);
    Ok(own
        .filter(|(line, range)| {
            let within = above.is_some_and(|window| {
                window.size() != 0 && range.start >= window.start && range.end <= window.end
            });
            let high = *line < 6 && range.start >= FOUR_GIB && device.contains(&function);
            range.is_memory() && range.is_assigned() && (within || high)
        })
        .map(|(line, old)| {
            let size = if (function, line) == (resized, bar) { size } else { old.size() };
            // A BAR is aligned to its size, the BARs of virtual functions to that of one of them.
            let alignment = match size.is_power_of_two() {
                true => size,
                false => (1u64 << old.start.trailing_zeros().min(62)).min(size.next_power_of_two()),
            };
            Moved { owner: function, line, old, size, alignment, offset: 0, inside: Vec::new() }
        })
        .collect())
}

/// Puts ranges one behind the other, the ones with the largest alignment first. Gives the end of the last.
fn arrange(ranges: &mut [Moved]) -> u64 {
    ranges.sort_by_key(|range| std::cmp::Reverse((range.alignment, range.size)));
    let mut end = 0u64;
    for range in ranges {
        range.offset = end.next_multiple_of(range.alignment);
        end = range.offset + range.size;
    }
    end
}

/// Where all of it fits into the host bridge's memory below 4 GiB, as the log tells it (`root bus resource`), beside what
/// else lies on the root buses.
fn room(machine: &Machine, moved: &[Moved]) -> Result<Option<u64>, Mistake> {
    let Some(first) = moved.first() else { return Ok(None) };
    let size = moved.iter().map(|range| range.offset + range.size).max().unwrap_or(0);
    let alignment = moved.iter().map(|range| range.alignment).max().unwrap_or(MIB);
    let mut taken: Vec<(u64, u64)> = Vec::new();
    for function in machine.functions.keys().filter(|address| machine.parent(**address).is_none()) {
        let own = lines(machine, *function)?.into_iter().enumerate();
        let stays = |line: usize| !moved.iter().any(|range| (range.owner, range.line) == (*function, line));
        let ranges = own.filter(|(line, range)| range.is_memory() && range.size() != 0 && stays(*line));
        taken.extend(ranges.map(|(_, range)| (range.start, range.end)));
    }
    taken.sort_unstable();
    let host = format!("pci_bus {:04x}:{:02x}: root bus resource [mem ", first.owner.domain, first.owner.bus);
    for line in machine.log.iter().filter_map(|line| line.text.strip_prefix(&host)) {
        let number = |text: &str| u64::from_str_radix(text.trim().trim_start_matches("0x"), 16).ok();
        let Some((start, end)) = line.split(' ').next().and_then(|range| range.split_once('-')) else {
            continue;
        };
        let (Some(start), Some(end)) = (number(start), number(end)) else { continue };
        let mut place = start.next_multiple_of(alignment);
        for (from, to) in &taken {
            if *from < place.saturating_add(size) && *to >= place {
                place = to.saturating_add(1).next_multiple_of(alignment);
            }
        }
        let last = place.saturating_add(size - 1);
        if last <= end && last < FOUR_GIB {
            return Ok(Some(place));
        }
    }
    Ok(None)
}

/// Writes the new place of a range, and of everything in it, into registers and the kernel's notes. `said` gets what the
/// kernel's log calls it before and after.
fn settle(
    machine: &mut Machine,
    range: &Moved,
    base: u64,
    said: &mut Vec<(Bdf, String, String)>,
) -> Result<(), Mistake> {
    let start = base + range.offset;
    let new = Resource { start, end: start + range.size - 1, flags: range.old.flags };
    let mut all = lines(machine, range.owner)?;
    if let Some(line) = all.get_mut(range.line) {
        *line = new;
    }
    write_lines(machine, range.owner, &all);
    match range.line {
        MEMORY_WINDOW => set_if_there(
            machine,
            range.owner,
            &[
                ("header.memory_base.base", new.start >> 20 & 0xfff),
                ("header.memory_limit.limit", new.end >> 20 & 0xfff),
            ],
        )?,
        _ => write_register(machine, range, new)?,
    }
    said.push((range.owner, range_text(range.old), range_text(new)));
    for inner in &range.inside {
        settle(machine, inner, start, said)?;
    }
    Ok(())
}

/// Offset of the register behind a line of `resource`: BARs, expansion ROM, BARs of virtual functions (PCIe 6.2,
/// 7.5.1.2.1, 7.5.1.2.4, 9.3.3.14).
fn register(machine: &Machine, range: &Moved) -> Option<u16> {
    let config = &machine.functions.get(&range.owner)?.config;
    match range.line {
        line @ 0..6 => Some(0x10 + 4 * line as u16),
        6 if config.layout() == 1 => Some(0x38),
        6 => Some(0x30),
        line @ 7..13 => Some(config.capability("sriov")? + 0x24 + 4 * (line as u16 - 7)),
        _ => None,
    }
}

/// A register that did not hold the address (a ROM that is switched off, a BAR that was lost) stays as it is.
fn write_register(machine: &mut Machine, range: &Moved, new: Resource) -> Result<(), Mistake> {
    let Some(offset) = register(machine, range) else { return Ok(()) };
    let function = machine.change(range.owner)?;
    let kind = if range.line == 6 { 0x7ff } else { 0xf };
    let wide = range.old.flags & Resource::MEMORY_64 != 0;
    let width = if wide { 8 } else { 4 };
    let old = function.config.number(offset, width);
    if old & !kind == range.old.start {
        function.config.store(offset, width, new.start | old & kind);
    }
    Ok(())
}

/// The log of the boot names the ranges where they are.
fn say_moved(machine: &mut Machine, said: &[(Bdf, String, String)]) {
    for line in &mut machine.log {
        let here = said.iter().find(|(owner, old, _)| {
            line.text.contains(old.as_str()) && line.text.contains(&owner.to_string())
        });
        if let Some((_, old, new)) = here {
            line.text = line.text.replace(old.as_str(), new);
        }
    }
}

/// A prefetchable window in which nothing lies any more is closed (pci_setup_bridge_mmio_pref in setup-bus.c).
fn close_empty_windows(machine: &mut Machine, address: Bdf) -> Result<(), Mistake> {
    let mut here = address;
    while let Some(bridge) = machine.parent(here) {
        let mut all = lines(machine, bridge)?;
        let window = all.get(PREFETCHABLE_WINDOW).copied().unwrap_or_default();
        let mut used = false;
        for child in effect::below_port(machine, bridge) {
            used |= lines(machine, child)?
                .iter()
                .any(|range| range.size() != 0 && range.start >= window.start && range.end <= window.end);
        }
        if window.size() != 0 && !used {
            all[PREFETCHABLE_WINDOW] = Resource::default();
            write_lines(machine, bridge, &all);
            set_if_there(
                machine,
                bridge,
                &[
                    ("header.prefetchable_base.base", 0xfff),
                    ("header.prefetchable_limit.limit", 0),
                    ("header.prefetchable_base_upper.base", 0),
                    ("header.prefetchable_limit_upper.limit", 0),
                ],
            )?;
            let said = format!("{bridge}:   bridge window {}", range_text(window));
            machine.unsay(|text| text.ends_with(&said));
        }
        here = bridge;
    }
    Ok(())
}
