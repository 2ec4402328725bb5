//! What drivers say, and how they call their devices.

use super::*;

/// What drivers say when they find out that their device is gone: the wording of NVIDIA's open modules (osHandleGpuLost,
/// 570 and later), and of the kernel's drivers/nvme/host/pci.c, igb, igc, ixgbe, mlx5, xhci and ahci.
pub fn driver_finds_device_gone(machine: &mut Machine, address: Bdf) {
    let marked = machine.functions.get(&address).is_some_and(|f| f.marked);
    match machine.driver(address).as_deref() {
        Some("nvidia") => {
            let bus = gpu_name(address);
            let uuid = gpu_uuid(address);
            machine.say(format!("NVRM: GPU at PCI:{bus}: {uuid}"));
            machine.say(format!("NVRM: Xid (PCI:{bus}): 79, GPU has fallen off the bus."));
            machine.say(format!("NVRM: GPU {address}: GPU has fallen off the bus."));
            machine.say(format!(
                "NVRM: Xid (PCI:{bus}): 154, GPU recovery action changed from 0x0 (None) to 0x2 (Node Reboot Required)"
            ));
        }
        Some("nvme") => {
            let name = nvme_name(machine, address);
            let status = if marked { " read failed (134)" } else { "=0xffff" };
            machine.say(format!(
                "nvme {name}: controller is down; will reset: CSTS=0xffffffff, PCI_STATUS{status}"
            ));
            if machine.kernel >= Kernel::V6_8 {
                machine
                    .say(format!("nvme {name}: Does your device have a faulty power saving mode enabled?"));
                machine.say(format!(
                    "nvme {name}: Try \"nvme_core.default_ps_max_latency_us=0 pcie_aspm=off pcie_port_pm=off\" and \
                     report a bug"
                ));
            }
        }
        Some("igb") => machine.say_of(address, "PCIe link lost"),
        Some("igc") => machine.say_of(address, "PCIe link lost, device now detached"),
        Some("ixgbe") => machine.say_of(address, "Adapter removed"),
        Some("mlx5_core") => {
            machine
                .say_of(address, "poll_health:818:(pid 0): device's health compromised - reached miss count");
        }
        Some("xhci_hcd") => machine.say_of(address, "xHCI host controller not responding, assume dead"),
        Some("ahci") => machine.say_of(address, "AHCI controller unavailable!"),
        _ => {}
    }
}

/// How NVIDIA's driver names a GPU in Xid lines: without the function.
pub fn gpu_name(address: Bdf) -> String {
    format!("{:04x}:{:02x}:{:02x}", address.domain, address.bus, address.device)
}

/// A made-up identifier of a GPU, the same for the same address.
pub fn gpu_uuid(address: Bdf) -> String {
    let mut random = crate::simulate::clock::Random::new(
        u64::from(address.domain) << 16 | u64::from(address.requester_id()),
    );
    let (a, b) = (random.next_number(), random.next_number());
    let text = format!("{a:016x}{b:016x}");
    format!("GPU-{}-{}-{}-{}-{}", &text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..])
}

/// The name that the NVMe driver gave a controller: they are numbered in the order of their addresses.
pub fn nvme_name(machine: &Machine, address: Bdf) -> String {
    let before = machine.functions.values().filter(|f| {
        f.address < address && f.enumerated.number(0x09, 2) == 0x0802 && f.enumerated.number(0x0b, 1) == 1
    });
    format!("nvme{}", before.count())
}
