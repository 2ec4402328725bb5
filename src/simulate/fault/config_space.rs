//! Configuration space that is not all there, or leads astray.

use super::effect::{self, set_if_there};
use super::{Call, choice, faults, flag, number};
use crate::pci::walk::List;
use crate::simulate::document::Mistake;
use crate::simulate::state::{Answer, Machine};

faults! {
    /// The device asks to be read again: after a reset it answers Request Retry Status, which the root complex turns into
    /// 0001h as vendor ID and all-ones behind it. It is alive and not ready; the kernel waits up to a minute after a
    /// reset (`not ready 1023ms after FLR; waiting`).
    ///
    /// PCIe 6.2, 2.3.2; lines of pci_dev_wait in drivers/pci/pci.c.
    "config-not-ready" => not_ready on Function needs ["express"] verdict "not-ready" takes [
        choice("after", &["FLR", "bus reset"], "What the device was reset by."),
    ];

    /// Nothing is broken: who reads has no privileges, and gets the first 64 bytes of configuration space although `stat`
    /// says 4096. Every function of the machine reads so.
    ///
    /// pci_read_config in drivers/pci/pci-sysfs.c; seen on Linux 6.12.
    "header-only" => header_only on Machine needs [] verdict "unknown" takes [
        number("bytes", 64, "Bytes that can be read: 64, or 128 for CardBus bridges."),
    ];

    /// Extended configuration space cannot be reached: firmware describes no memory-mapped access (MCFG), or the kernel was
    /// told not to use it. `config` of every function has 256 bytes; AER, ACS and the other extended capabilities are
    /// out of sight. The kernel then asks firmware for no control: no error is reported, and no hot-plug service runs.
    ///
    /// pci_cfg_space_size in drivers/pci/probe.c; seen on Linux 6.12 with pci=nommconf.
    "extended-config-missing" => extended_missing on Machine needs [] verdict "firmware-configuration" takes [];

    /// The capability list leads back to its start. Readers that do not count go round for ever; lspci prints
    /// `<chain looped>`.
    ///
    /// Seen on Linux 6.12.
    "capability-loop" => capability_loop on Function needs [] verdict "device-firmware" takes [
        choice("list", &["standard", "extended"], "Which list."),
    ];

    /// The last capability points into the header instead of ending the list: what follows is read as a capability and is
    /// none.
    ///
    /// PCIe 6.2, 7.5.1.1.11 and 7.6.3; constructed.
    "capability-pointer-corrupt" => pointer_corrupt on Function needs [] verdict "device-firmware" takes [
        choice("list", &["standard", "extended"], "Which list."),
        number("to", 0x10, "Where the pointer leads; below 40h or, on the extended list, below 100h."),
    ];

    /// The device's header type is one that does not exist, and everything else answers. lspci prints `Unknown header type
    /// 7f`; BARs and capabilities cannot be trusted. With `at_boot` the kernel says `unknown header type 7f, ignoring
    /// device` and has no such function.
    ///
    /// Seen on Linux 6.12 with the byte changed before boot (pci_setup_device in drivers/pci/probe.c); that it changes
    /// later is constructed.
    "header-type-corrupt" => header_type on Function needs [] verdict "device-firmware" takes [
        flag("at_boot", false, "The kernel found it so; otherwise it changed while the machine ran."),
    ];

    /// Vital product data cannot be read: the device never sets the flag that says that four bytes are ready. The kernel
    /// waits 125 ms for each, says so and gives up with ETIMEDOUT. The device gets the capability if it lacks it.
    ///
    /// pci_vpd_wait in drivers/pci/vpd.c.
    "vpd-timeout" => vpd_timeout on Function needs [] verdict "device-firmware" takes [];
}

fn not_ready(machine: &mut Machine, call: &Call) -> Result<(), Mistake> {
    let address = call.address()?;
    machine.change(address)?.answer = Answer::NotReady;
    let after = call.word("after").to_owned();
    let mut waited = 1023;
    for step in [1_000_000u64, 1_024_000, 2_048_000] {
        machine.wait(step);
        machine.say_of(address, format!("not ready {waited}ms after {after}; waiting"));
        waited = waited * 2 + 1;
    }
    Ok(())
}

fn header_only(machine: &mut Machine, call: &Call) -> Result<(), Mistake> {
    let bytes = call.number("bytes");
    if bytes != 64 && bytes != 128 {
        return Err(Mistake::new(0, format!("`bytes` is {bytes}: expected 64 or 128")));
    }
    for function in machine.functions.values_mut() {
        function.readable = Some(bytes as usize);
        function.touched = true;
    }
    // Nor may they read memory behind BARs.
    machine.files.retain(|path, _| !(path.contains("/resource") && path.contains('@')));
    Ok(())
}

fn extended_missing(machine: &mut Machine, _: &Call) -> Result<(), Mistake> {
    effect::ask_for_no_control(machine)?;
    for function in machine.functions.values_mut() {
        function.config.truncate(256);
        function.enumerated.truncate(256);
        function.touched = true;
    }
    // Nothing that comes out of extended capabilities: AER, SR-IOV, Resizable BAR, L1 PM substates.
    machine.files.retain(|path, _| {
        let name = path.rsplit('/').next().unwrap_or(path);
        let resizes = name.starts_with("resource") && name.ends_with("_resize");
        let substate = path.contains("/link/") && (name.starts_with("l1_1_") || name.starts_with("l1_2_"));
        let extended = name.starts_with("aer_") || name.starts_with("sriov_") || resizes || substate;
        !extended && !path.ends_with("tables/MCFG")
    });
    machine.unsay(|text| {
        text.contains("PCI: ECAM") || text.contains("PCI: MMCONFIG") || text.starts_with("ACPI: MCFG")
    });
    Ok(())
}

/// Offset of the last capability of a list.
fn last(machine: &Machine, call: &Call) -> Result<(List, u16, u16), Mistake> {
    let address = call.address()?;
    let list = if call.word("list") == "extended" { List::Extended } else { List::Standard };
    let located: Vec<u16> = machine
        .function(address)?
        .enumerated
        .located()
        .iter()
        .filter(|l| l.list == list)
        .map(|l| l.offset)
        .collect();
    match (located.first(), located.last()) {
        (Some(first), Some(last)) => Ok((list, *first, *last)),
        _ => Err(Mistake::new(0, format!("{address} has no capabilities on the {} list", call.word("list")))),
    }
}

fn point(machine: &mut Machine, call: &Call, list: List, at: u16, to: u16) -> Result<(), Mistake> {
    let function = machine.change(call.address()?)?;
    match list {
        List::Standard => function.config.store(at + 1, 1, u64::from(to & 0xff)),
        List::Extended => {
            let head = function.config.number(at, 4) & 0xf_ffff;
            function.config.store(at, 4, head | u64::from(to) << 20);
        }
    }
    Ok(())
}

fn capability_loop(machine: &mut Machine, call: &Call) -> Result<(), Mistake> {
    let (list, first, last) = last(machine, call)?;
    point(machine, call, list, last, first)
}

fn pointer_corrupt(machine: &mut Machine, call: &Call) -> Result<(), Mistake> {
    let (list, _, last) = last(machine, call)?;
    let limit = if list == List::Standard { 0x40 } else { 0x100 };
    let to = call.number("to");
    match to {
        1.. if to < limit => point(machine, call, list, last, to as u16),
        _ => Err(Mistake::new(0, format!("`to` is {to:#x}: expected 1 to {:#x}", limit - 1))),
    }
}

fn header_type(machine: &mut Machine, call: &Call) -> Result<(), Mistake> {
    let address = call.address()?;
    if !call.flag("at_boot") {
        machine.change(address)?.config.store(0x0e, 1, 0x7f);
        return Ok(());
    }
    // Nothing of it but two lines: the kernel finds it, looks at the type and lets it be. A rescan ends the same way.
    let name = address.to_string();
    let start = format!("pci {address}: [");
    let found = machine.log.iter().find(|line| line.text.starts_with(&start)).cloned();
    let log = machine.log.clone();
    effect::remove(machine, address)?;
    machine.removed.retain(|removed| removed.function.address != address);
    machine.log = log.into_iter().filter(|line| !line.text.contains(&name)).collect();
    let Some(mut found) = found else { return Ok(()) };
    if let Some((before, after)) = found.text.split_once(" type ") {
        let class = after.get(3..).unwrap_or_default().split(' ').take(2).collect::<Vec<_>>().join(" ");
        // Without a type that it knows the kernel looks for no PCI Express capability (__pci_bus_find_cap_start).
        let kind = if after.split(' ').count() > 3 { " conventional PCI" } else { "" };
        found.text = format!("{before} type 7f {class}{kind}");
    }
    let place = machine.log.partition_point(|line| line.time <= found.time);
    let mut ignored = found.clone();
    ignored.time += 1;
    ignored.text = format!("pci {address}: unknown header type 7f, ignoring device");
    machine.log.splice(place..place, [found, ignored]);
    Ok(())
}

fn vpd_timeout(machine: &mut Machine, call: &Call) -> Result<(), Mistake> {
    let address = call.address()?;
    let function = machine.change(address)?;
    if function.enumerated.capability("vpd").is_none() {
        for config in [&mut function.config, &mut function.enumerated] {
            config.add(&crate::pci::capability::vpd::SPECIFICATION, None)?;
        }
    }
    set_if_there(machine, address, &[("vpd.address.flag", 0)])?;
    let path = machine.attribute(address, "vpd");
    machine.files.insert(path, crate::simulate::state::Content::Error(nix::errno::Errno::ETIMEDOUT, 0));
    machine.wait(125_000);
    machine.say_of(
        address,
        "VPD access failed.  This is likely a firmware bug on this device.  Contact the card vendor for a firmware update",
    );
    Ok(())
}
