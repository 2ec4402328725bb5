//! Message interrupts that are not there, not allowed, or do not arrive.

use super::effect::{self, get, set};
use super::{Call, faults, number};
use crate::pci::Bdf;
use crate::simulate::document::Mistake;
use crate::simulate::state::{Content, Machine};

faults! {
    /// The driver cannot switch MSI-X on. The PCI core says nothing; NVIDIA's driver says `Failed to enable MSI-X.` and
    /// falls back to MSI or gives up. The device has no `msi_irqs`, MSI-X is off in its Message Control. By itself this
    /// does not prove a dead device: a dead one fails it too.
    ///
    /// NVRM lines of nv-msi.c, seen in the wild; the rest from pci_enable_msix_range.
    "msix-enable-failed" => msix_enable_failed on Function needs ["msix"] verdict "interrupts-unavailable" takes [];

    /// All vectors are masked at once: Function Mask is set in Message Control, so that interrupts are pending and none
    /// arrives. An NVMe drive says `completion polled`.
    ///
    /// PCIe 6.2, 7.7.2.2; the nvme line seen on Linux 6.12.
    "msix-function-masked" => function_masked on Function needs ["msix"] verdict "interrupts-unavailable" takes [];

    /// One vector is masked in the vector table although the kernel gave it to a driver.
    ///
    /// PCIe 6.2, 6.1.4.2, 7.7.2.
    "msix-vector-masked" => vector_masked on Function needs ["msix"] verdict "healthy" takes [
        number("vector", 0, "Which vector."),
    ];

    /// A pending bit stays set: the device wants to interrupt and the message does not leave it, although the vector is not
    /// masked.
    ///
    /// PCIe 6.2, 6.1.4.4.
    "msix-pending-stuck" => pending_stuck on Function needs ["msix"] verdict "interrupts-unavailable" takes [
        number("vector", 0, "Which vector."),
    ];

    /// The memory behind the BAR with the vector table reads all-ones while configuration space answers: the device's
    /// memory side is dead, or something else claims the address.
    ///
    /// What x86 gives for reads that nobody answers (PCIe 6.2, 2.3.2).
    "msix-table-all-ones" => table_all_ones on Function needs ["msix"] verdict "interrupts-unavailable" takes [];

    /// The vector table begins so late in its BAR that it does not fit: the device lies about itself. The kernel maps it
    /// anyway or fails, depending on what lies behind the BAR; no driver gets its vectors.
    ///
    /// PCIe 6.2, 7.7.2.3; constructed.
    "msix-table-outside-bar" => table_outside_bar on Function needs ["msix"] verdict "interrupts-unavailable" takes [];

    /// The processors have no vectors left: the driver gets fewer than it needs, x86 says `Affinity broken due to vector
    /// space exhaustion`.
    ///
    /// Line of arch/x86/kernel/apic/vector.c; happens on machines with hundreds of queues and few processors.
    "vectors-exhausted" => vectors_exhausted on Function needs ["msix"] verdict "interrupts-unavailable" takes [];

    /// Interrupts are set up and none arrives: the counters in `/proc/interrupts` stand still at what they were, and an NVMe drive polls
    /// (`completion polled`). NVIDIA's driver fails its interrupt test: `RmInitAdapter failed! (0x11:0x45:...)`.
    ///
    /// Lines of drivers/nvme/host/pci.c and NVIDIA's osinit.c.
    "interrupts-not-delivered" => not_delivered on Function needs [] verdict "interrupts-unavailable" or unless_the_driver_notices takes [];
}

fn msix_enable_failed(machine: &mut Machine, call: &Call) -> Result<(), Mistake> {
    let address = call.address()?;
    effect::release_interrupts(machine, address)?;
    match machine.driver(address).as_deref() {
        Some("nvidia") => {
            machine.say(format!("NVRM: GPU {address}: Failed to enable MSI-X."));
            let text = "No interrupts of any type are available. Cannot use this GPU.";
            machine.say(format!("NVRM: GPU {address}: {text}"));
        }
        Some(driver) => {
            let driver = driver.to_owned();
            // pci_alloc_irq_vectors gives -ENOSPC; the driver gives the device up.
            effect::unbind(machine, address)?;
            let text = machine.kernel.probe_failed(&driver, &address.to_string(), -28);
            machine.say(text);
        }
        None => {}
    }
    Ok(())
}

fn function_masked(machine: &mut Machine, call: &Call) -> Result<(), Mistake> {
    let address = call.address()?;
    set(machine, address, "msix.control.function_mask", 1)?;
    pend(machine, address, 0)?;
    say_polled(machine, address);
    Ok(())
}

fn say_polled(machine: &mut Machine, address: Bdf) {
    if machine.driver(address).as_deref() == Some("nvme") {
        machine.wait(30_000_000);
        let name = effect::nvme_name(machine, address);
        let tag = match machine.kernel >= crate::simulate::kernel::Kernel::V6_8 {
            true => "I/O tag 12 (100c) QID 3",
            false => "I/O 12 QID 3",
        };
        machine.say(format!("nvme {name}: {tag} timeout, completion polled"));
    }
}

/// Counters that stand still are what an idle device shows, too: only what a driver says tells.
fn unless_the_driver_notices(machine: &Machine, call: &Call) -> Option<&'static str> {
    let driver = machine.driver(call.function?);
    (!matches!(driver.as_deref(), Some("nvidia" | "nvme"))).then_some("healthy")
}

fn check_vector(machine: &Machine, address: Bdf, vector: u64) -> Result<(), Mistake> {
    let last = get(machine, address, "msix.control.table_size");
    match vector > last {
        true => Err(Mistake::new(0, format!("`vector` is {vector}: the last one of {address} is {last}"))),
        false => Ok(()),
    }
}

fn vector_masked(machine: &mut Machine, call: &Call) -> Result<(), Mistake> {
    let (address, vector) = (call.address()?, call.number("vector"));
    check_vector(machine, address, vector)?;
    effect::vector_table(machine, address, |table| {
        if let Some(control) = table.get_mut(vector as usize * 16 + 12) {
            *control |= 1;
        }
    })
}

fn pend(machine: &mut Machine, address: Bdf, vector: u64) -> Result<(), Mistake> {
    effect::pending_bits(machine, address, |bits| {
        if let Some(byte) = bits.get_mut(vector as usize / 8) {
            *byte |= 1 << (vector % 8);
        }
    })
}

fn pending_stuck(machine: &mut Machine, call: &Call) -> Result<(), Mistake> {
    let (address, vector) = (call.address()?, call.number("vector"));
    check_vector(machine, address, vector)?;
    pend(machine, address, vector)
}

fn table_all_ones(machine: &mut Machine, call: &Call) -> Result<(), Mistake> {
    let address = call.address()?;
    effect::vector_table(machine, address, |table| table.fill(0xff))?;
    effect::fill_bars(machine, address, 0xff);
    Ok(())
}

fn table_outside_bar(machine: &mut Machine, call: &Call) -> Result<(), Mistake> {
    let address = call.address()?;
    let bar = get(machine, address, "msix.table.bar_indicator");
    let path = machine.attribute(address, "resource");
    let Some(Content::Bytes(bytes)) = machine.files.get(&path) else {
        return Err(Mistake::new(0, format!("{address}: no `resource` file tells how large BAR {bar} is")));
    };
    let text = String::from_utf8_lossy(bytes).into_owned();
    let size = text.lines().nth(bar as usize).and_then(|line| {
        let mut numbers =
            line.split_whitespace().map(|n| u64::from_str_radix(n.trim_start_matches("0x"), 16).unwrap_or(0));
        Some(numbers.next()?..=numbers.next()?)
    });
    // A line of a captured tree may be anything, also one that ends before it starts.
    let size = size.and_then(|range| range.end().checked_sub(*range.start())?.checked_add(1)).unwrap_or(0);
    if size < 0x200 {
        return Err(Mistake::new(0, format!("{address}: BAR {bar} is too small for a vector table")));
    }
    let vectors = get(machine, address, "msix.control.table_size") + 1;
    // The last entry that still fits is half of the table away from the end.
    let start = (size - (vectors * 8).min(size / 2)) & !7;
    effect::unbind(machine, address)?;
    let function = machine.change(address)?;
    for config in [&mut function.config, &mut function.enumerated] {
        config.set("msix.table.offset", start / 8)?;
        config.set("msix.control.enable", 0)?;
    }
    let prefix = machine.attribute(address, &format!("resource{bar}@"));
    machine.files.retain(|path, _| !path.starts_with(&prefix));
    Ok(())
}

fn vectors_exhausted(machine: &mut Machine, call: &Call) -> Result<(), Mistake> {
    let address = call.address()?;
    let folder = format!("{}/", machine.attribute(address, "msi_irqs"));
    let number = machine.files.keys().find_map(|path| path.strip_prefix(&folder)).unwrap_or("24").to_owned();
    effect::release_interrupts(machine, address)?;
    machine.say(format!("irq {number}: Affinity broken due to vector space exhaustion."));
    if let Some(driver) = machine.driver(address)
        && driver != "nvidia"
    {
        effect::unbind(machine, address)?;
        let text = machine.kernel.probe_failed(&driver, &address.to_string(), -28);
        machine.say(text);
    } else if machine.driver(address).is_some() {
        machine.say(format!("NVRM: GPU {address}: Failed to enable MSI-X."));
    }
    Ok(())
}

fn not_delivered(machine: &mut Machine, call: &Call) -> Result<(), Mistake> {
    let address = call.address()?;
    machine.change(address)?.delivers = false;
    if machine.driver(address).as_deref() == Some("nvidia") {
        machine.say(format!("NVRM: GPU {address}: RmInitAdapter failed! (0x11:0x45:2593)"));
        machine.say(format!("NVRM: GPU {address}: rm_init_adapter failed, device minor number 0"));
    }
    say_polled(machine, address);
    Ok(())
}
