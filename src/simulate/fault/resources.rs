//! Address ranges: BARs without a place, lost ones, windows that are too small.

use super::effect::{self, set, set_if_there};
use super::low_memory::large_bar_low;
use super::{Call, faults, number};
use crate::pci::Bdf;
use crate::pci::bars::Resource;
use crate::simulate::document::Mistake;
use crate::simulate::machine::resources::{range_text, text};
use crate::simulate::state::{Content, Machine};

faults! {
    /// The kernel found no place for a BAR: `can't assign; no space`, `failed to assign`. The register is zero, the line in
    /// `resource` is empty, and the driver gives up: `not assigned; can't enable device`, or NVIDIA's `BAR1 is 0M @ 0x0`.
    /// The usual reason is firmware without addresses above 4 GiB.
    ///
    /// drivers/pci/setup-res.c, setup-bus.c (reset_resource); seen on Linux 6.12 with a 1 GiB BAR.
    "bar-unassigned" => bar_unassigned on Function needs [] verdict "bar-not-assigned" takes [
        number("bar", 0, "Which BAR."),
    ];

    /// The device was reset behind the kernel's back: its BAR registers are zero, memory decode, bus mastering and MSI-X are
    /// off, while `resource` still has the addresses. Reads of its memory give all-ones.
    ///
    /// Seen on Linux 6.12 (function level reset under a bound NVMe driver).
    "bar-lost-after-reset" => bar_lost on Function needs [] verdict "bar-not-assigned" takes [];

    /// A large BAR lies below 4 GiB because firmware has no addresses above it ("Above 4G Decoding" is off), so that it is
    /// small: the kernel shows no error, the GPU's memory is reachable through a small window only.
    ///
    /// Derived: the device's 64-bit BARs move to where the host bridge has room below 4 GiB, with the memory windows of
    /// the bridges above and all that lies in them. The largest BAR gets the largest size up to 256 MiB that its Resizable
    /// BAR supports and that fits; without the capability it keeps its size, and has to fit.
    "large-bar-below-4g" => large_bar_low on Function needs [] verdict "healthy" takes [];

    /// The window of the bridge above is too small for what is below it: `bridge window ...: can't assign; no space`, and the
    /// device's largest BAR has no place.
    ///
    /// drivers/pci/setup-bus.c; wording by version.
    "bridge-window-too-small" => window_too_small on Linked needs [] verdict "bar-not-assigned" takes [];

    /// Resizable BAR is there and at its smallest size: firmware did not make it larger and no driver did.
    ///
    /// PCIe 6.2, 7.8.6; seen on Linux 6.12 as register values.
    "rebar-at-minimum" => rebar_minimum on Function needs ["rebar"] verdict "healthy" takes [];

    /// The device has no Resizable BAR: an old firmware of the card, or one that hides it.
    ///
    /// PCIe 6.2, 7.8.6; the capability is taken out of the list.
    "rebar-absent" => rebar_absent on Function needs ["rebar"] verdict "healthy" takes [];

    /// Memory Space Enable is off although a driver is bound: somebody wrote to Command. All reads of the device's memory
    /// give all-ones; nothing is logged until the driver finds out.
    ///
    /// Seen on Linux 6.12 under e1000e.
    "memory-decode-off" => memory_off on Function needs [] verdict "misconfigured" takes [];

    /// Bus Master Enable is off although a driver is bound: the device cannot read or write memory and sends no message
    /// interrupts.
    ///
    /// Seen on Linux 6.12 under nvme.
    "bus-master-off" => master_off on Function needs [] verdict "misconfigured" takes [];
}

/// The kernel's notes of a function.
pub(super) fn lines(machine: &Machine, address: Bdf) -> Result<Vec<Resource>, Mistake> {
    let path = machine.attribute(address, "resource");
    let Some(Content::Bytes(bytes)) = machine.files.get(&path) else {
        return Err(Mistake::new(0, format!("{address} has no `resource` file")));
    };
    crate::pci::bars::whole_resources(&String::from_utf8_lossy(bytes))
        .map_err(|why| Mistake::new(0, format!("{address}: {why}")))
}

pub(super) fn write_lines(machine: &mut Machine, address: Bdf, lines: &[Resource]) {
    let path = machine.attribute(address, "resource");
    machine.file(path, text(lines));
}

/// Memory behind a BAR that nobody decodes.
fn forget_memory(machine: &mut Machine, address: Bdf, bar: Option<u64>) {
    let prefix = match bar {
        Some(bar) => machine.attribute(address, &format!("resource{bar}@")),
        None => machine.attribute(address, "resource"),
    };
    machine.files.retain(|path, _| !(path.starts_with(&prefix) && path.contains('@')));
}

fn clear_register(machine: &mut Machine, address: Bdf, bar: u64, line: Resource) -> Result<(), Mistake> {
    let kind = line.flags & 0xf;
    set(machine, address, &format!("header.bar[{bar}].value"), kind)?;
    if line.flags & Resource::MEMORY_64 != 0 {
        set(machine, address, &format!("header.bar[{}].value", bar + 1), 0)?;
    }
    Ok(())
}

fn bar_unassigned(machine: &mut Machine, call: &Call) -> Result<(), Mistake> {
    let (address, bar) = (call.address()?, call.number("bar"));
    let mut all = lines(machine, address)?;
    let line = all.get(bar as usize).copied().filter(|line| line.size() != 0 && bar < 6);
    let Some(line) = line else {
        return Err(Mistake::new(0, format!("`bar` is {bar}: {address} has no such BAR")));
    };
    lose_bar(machine, address, bar, line)?;
    all[bar as usize] = Resource::default();
    write_lines(machine, address, &all);
    Ok(())
}

/// The kernel could not place a BAR at boot, and the driver gives up.
fn lose_bar(machine: &mut Machine, address: Bdf, bar: u64, line: Resource) -> Result<(), Mistake> {
    let driver = machine.driver(address);
    effect::unbind(machine, address)?;
    clear_register(machine, address, bar, line)?;
    set_if_there(machine, address, &[("header.command.memory_space_enable", 0)])?;
    forget_memory(machine, address, Some(bar));
    let size = range_text(Resource { start: 0, end: line.size() - 1, flags: line.flags | Resource::UNSET });
    let [first, second] = machine.kernel.bar_unassigned(bar as u8, &size);
    let name = format!("pci {address}:");
    let found = [format!("{name} {first}"), format!("{name} {second}")];
    machine.say_after(|text| text.starts_with(&name) && !text.contains("iommu group"), &found);
    let driver_lines: Vec<String> = match driver.as_deref() {
        Some("nvidia") => vec![
            "NVRM: This PCI I/O region assigned to your NVIDIA device is invalid:".to_owned(),
            format!("NVRM: BAR{bar} is 0M @ 0x0 (PCI:{address})"),
            machine.kernel.probe_failed("nvidia", &address.to_string(), -1),
        ],
        Some(driver) => vec![
            format!("{driver} {address}: {}", machine.kernel.bar_not_enabled(bar as u8, &size)),
            machine.kernel.probe_failed(driver, &address.to_string(), -22),
        ],
        None => Vec::new(),
    };
    for line in driver_lines {
        machine.say(line);
    }
    Ok(())
}

fn bar_lost(machine: &mut Machine, call: &Call) -> Result<(), Mistake> {
    let address = call.address()?;
    for (bar, line) in lines(machine, address)?.iter().enumerate().take(6).filter(|(_, l)| l.size() != 0) {
        clear_register(machine, address, bar as u64, *line)?;
    }
    let function = machine.change(address)?;
    function.config.set("header.command", 0)?;
    function.config.set_if_there("msix.control.enable", 0);
    function.config.set_if_there("msi.control.enable", 0);
    forget_memory(machine, address, None);
    Ok(())
}

/// The largest memory BAR.
pub(super) fn largest(machine: &Machine, address: Bdf) -> Result<(u64, Resource), Mistake> {
    let all = lines(machine, address)?;
    let memory = all.iter().enumerate().take(6).filter(|(_, l)| l.is_memory() && l.size() != 0);
    memory
        .max_by_key(|(_, l)| l.size())
        .map(|(bar, l)| (bar as u64, *l))
        .ok_or_else(|| Mistake::new(0, format!("{address} has no memory BAR")))
}

fn window_too_small(machine: &mut Machine, call: &Call) -> Result<(), Mistake> {
    let address = call.address()?;
    let (bar, line) = largest(machine, address)?;
    let Some(bridge) = machine.parent(address) else {
        return Err(Mistake::new(0, format!("{address} has no bridge above it")));
    };
    let prefetchable = line.flags & Resource::PREFETCHABLE != 0;
    let place = if prefetchable { 15 } else { 14 };
    let mut windows = lines(machine, bridge)?;
    let window = windows.get(place).copied().unwrap_or_default();
    if let Some(line) = windows.get_mut(place) {
        *line = Resource::default();
    }
    write_lines(machine, bridge, &windows);
    let closed: &[(&str, u64)] = match prefetchable {
        true => &[
            ("header.prefetchable_base.base", 0xfff),
            ("header.prefetchable_limit.limit", 0),
            ("header.prefetchable_base_upper.base", 0),
            ("header.prefetchable_limit_upper.limit", 0),
        ],
        false => &[("header.memory_base.base", 0xfff), ("header.memory_limit.limit", 0)],
    };
    set_if_there(machine, bridge, closed)?;
    if window.size() != 0 {
        let size =
            range_text(Resource { start: 0, end: window.size() - 1, flags: window.flags | Resource::UNSET });
        let lines = match machine.kernel >= crate::simulate::kernel::Kernel::V6_8 {
            true => [
                format!("pci {bridge}: bridge window {size}: can't assign; no space"),
                format!("pci {bridge}: bridge window {size}: failed to assign"),
            ],
            false => [
                format!("pci {bridge}: BAR {place}: no space for {size}"),
                format!("pci {bridge}: BAR {place}: failed to assign {size}"),
            ],
        };
        let name = format!("pci {bridge}:");
        machine.say_after(|text| text.starts_with(&name) && !text.contains("iommu group"), &lines);
    }
    // Everything that needs this window has no place now.
    for (other, range) in lines(machine, address)?.into_iter().enumerate().take(6) {
        let same = (range.flags & Resource::PREFETCHABLE != 0) == prefetchable;
        if range.is_memory() && same && range.size() != 0 && other as u64 != bar {
            clear_register(machine, address, other as u64, range)?;
            let mut all = lines(machine, address)?;
            all[other] = Resource::default();
            write_lines(machine, address, &all);
        }
    }
    lose_bar(machine, address, bar, line)?;
    let mut all = lines(machine, address)?;
    all[bar as usize] = Resource::default();
    write_lines(machine, address, &all);
    Ok(())
}

fn rebar_minimum(machine: &mut Machine, call: &Call) -> Result<(), Mistake> {
    let address = call.address()?;
    let sizes = effect::get(machine, address, "rebar.entry[0].capability.supported_sizes");
    let smallest = u64::from(sizes.trailing_zeros().min(31));
    let bar = effect::get(machine, address, "rebar.entry[0].control.bar_index");
    set(machine, address, "rebar.entry[0].control.size", smallest)?;
    let mut all = lines(machine, address)?;
    if let Some(line) = all.get_mut(bar as usize).filter(|l| l.size() != 0) {
        line.end = line.start + (1 << (smallest + 20)) - 1;
    }
    write_lines(machine, address, &all);
    Ok(())
}

fn rebar_absent(machine: &mut Machine, call: &Call) -> Result<(), Mistake> {
    let address = call.address()?;
    let bar = effect::get(machine, address, "rebar.entry[0].control.bar_index");
    let path = machine.attribute(address, &format!("resource{bar}_resize"));
    machine.remove(&path);
    effect::drop_extended(machine, address, "rebar")
}

fn memory_off(machine: &mut Machine, call: &Call) -> Result<(), Mistake> {
    let address = call.address()?;
    set(machine, address, "header.command.memory_space_enable", 0)?;
    effect::fill_bars(machine, address, 0xff);
    Ok(())
}

fn master_off(machine: &mut Machine, call: &Call) -> Result<(), Mistake> {
    set(machine, call.address()?, "header.command.bus_master_enable", 0)
}
