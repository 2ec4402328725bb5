//! What firmware and the kernel's command line decided for the whole machine.

use crate::kernel_log::Log;
use crate::kernel_log::event::Evidence;
use crate::kernel_log::platform::{Found, HostBridge};
use crate::kernel_log::source::{self as kernel_log, Source};
use crate::tree::{Cause, Tree, printable, read, read_text};

use super::interrupts::Line;

/// The machine around the functions. Everything is `None` where the source does not tell.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Platform {
    /// The kernel's command line.
    pub command_line: Option<String>,
    /// First line of `/proc/version`.
    pub kernel: Option<String>,
    /// Processor architecture as `uname -m` says it, where the kernel's version string or the log tells.
    pub architecture: Option<String>,
    /// Active ASPM policy (`/sys/module/pcie_aspm/parameters/policy`): default, performance, powersave,
    /// powersupersave.
    pub aspm_policy: Option<String>,
    /// FADT, IAPC_BOOT_ARCH bit 4 (ACPI 6.5, 5.2.9.3): firmware says that ASPM must not be enabled.
    pub fadt_no_aspm: Option<bool>,
    /// The line of the kernel log that says so, where only the log does.
    #[serde(skip)]
    pub fadt_no_aspm_line: Option<Evidence>,
    /// FADT, IAPC_BOOT_ARCH bit 3 (ACPI 6.5, 5.2.9.3): firmware says that MSI must not be used.
    pub fadt_no_msi: Option<bool>,
    /// What each host bridge's `_OSC` gave the kernel, from the kernel log.
    pub host_bridges: Vec<HostBridge>,
    /// What the kernel log says of ASPM as a whole, verbatim.
    pub aspm_messages: Vec<String>,
    /// Whether the kernel log was there to be read; `null` if it was not looked at.
    pub kernel_log: Option<bool>,
    /// Interrupt remapping is known to be off (false), on (true), or not known. With remapping a message is not what
    /// it seems.
    pub interrupt_remapping: Option<bool>,
    /// Physical slots, in the order of their addresses.
    pub slots: Vec<Slot>,
    /// Ports whose AER service the kernel runs (`sys/bus/pci_express/drivers/aer`), sorted; `null` if the source does
    /// not tell.
    pub aer_ports: Option<Vec<String>>,
}

/// A physical slot (`sys/bus/pci/slots`).
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Slot {
    /// Its name, mostly a number.
    pub name: String,
    /// Domain, bus and device that it is for, such as `0000:82:00`; only `0000:82` for a slot with several devices.
    pub address: String,
}

impl Platform {
    /// Whether the kernel command line has the option `name`, or `name=…` with `value` among its comma-separated
    /// values.
    pub fn has_option(&self, name: &str, value: &str) -> bool {
        self.options(name).any(|v| v.split(',').any(|part| part == value))
    }

    /// Values of an option on the kernel command line. Everything behind `--` is for init, not for the kernel.
    pub fn options<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> + 'a {
        let line = self.command_line.as_deref().unwrap_or_default();
        line.split_whitespace()
            .take_while(|word| *word != "--")
            .filter_map(move |word| word.strip_prefix(name)?.strip_prefix('='))
    }

    /// The slot of a device, by its address without the function, such as `0000:82:00`.
    pub fn slot(&self, device: &str) -> Option<&Slot> {
        let place = self.slots.partition_point(|slot| *slot.address < *device);
        self.slots.get(place).filter(|slot| slot.address == device)
    }

    /// The host bridge of a function, by the name that sysfs gives it (`pci0000:80`).
    pub fn host_bridge(&self, name: &str) -> Option<&HostBridge> {
        let root_bus = name.strip_prefix("pci")?;
        self.host_bridges.iter().find(|b| b.root_bus.as_deref() == Some(root_bus))
    }
}

/// Where the kernel lists the ports whose AER service it runs (drivers/pci/pcie/portdrv.c).
pub const AER_SERVICES: &str = "sys/bus/pci_express/drivers/aer";

/// Where the kernel tells its architecture, since Linux 6.1. A capture of an older one notes it there too.
pub const ARCHITECTURE: &str = "proc/sys/kernel/arch";

/// Reads what the machine as a whole tells. `live` decides where the kernel log is; `interrupts` is `/proc/interrupts`.
pub fn read_platform(tree: &dyn Tree, live: bool, interrupts: Option<&[Line]>) -> Platform {
    read_platform_with(tree, live, interrupts, None)
}

/// The same; `log` names a file that takes the place of the machine's kernel log.
pub fn read_platform_with(
    tree: &dyn Tree,
    live: bool,
    interrupts: Option<&[Line]>,
    log: Option<&str>,
) -> Platform {
    let found = kernel_log::read_platform(Source { tree, live, file: log });
    platform_with(tree, live, interrupts, found)
}

/// The same with the events of the log of the current boot, or why there are none.
pub fn read_platform_and_log(
    tree: &dyn Tree,
    live: bool,
    interrupts: Option<&[Line]>,
    log: Option<&str>,
) -> (Platform, crate::tree::Result<Log>) {
    let (log, found) = match kernel_log::read_both(Source { tree, live, file: log }) {
        Ok((log, found)) => (Ok(log), Ok(found)),
        Err(error) => (Err(error.clone()), Err(error)),
    };
    (platform_with(tree, live, interrupts, found), log)
}

fn platform_with(
    tree: &dyn Tree,
    live: bool,
    interrupts: Option<&[Line]>,
    log: crate::tree::Result<Found>,
) -> Platform {
    let text = |path: &str| read_text(tree, path).ok().filter(|t| !t.is_empty());
    let mut platform = Platform {
        command_line: text("proc/cmdline"),
        kernel: text("proc/version"),
        aspm_policy: text("sys/module/pcie_aspm/parameters/policy").and_then(|t| chosen(&t)),
        ..Platform::default()
    };
    platform.architecture = if live {
        nix::sys::utsname::uname().ok().map(|u| u.machine().to_string_lossy().into_owned())
    } else {
        // Kernel: UTS_MACHINE as a sysctl, since Linux 6.1 (kernel/utsname_sysctl.c).
        text(ARCHITECTURE).or_else(|| platform.kernel.as_deref().and_then(architecture))
    };
    if let Some(flags) = boot_architecture(tree) {
        platform.fadt_no_msi = Some(flags & 0x08 != 0);
        platform.fadt_no_aspm = Some(flags & 0x10 != 0);
    }
    platform.aer_ports = match tree.list(AER_SERVICES) {
        Ok(names) => Some(
            names.iter().filter_map(|n| n.split_once(":pcie")).map(|(port, _)| port.to_owned()).collect(),
        ),
        Err(error) if error.is_absent() && tree.list("sys/bus/pci_express").is_ok() => Some(Vec::new()),
        Err(_) => None,
    };
    platform.aer_ports.iter_mut().for_each(|ports| ports.sort_unstable());
    platform.slots = tree
        .list("sys/bus/pci/slots")
        .unwrap_or_default()
        .into_iter()
        .filter_map(|name| {
            let address = read_text(tree, &format!("sys/bus/pci/slots/{name}/address")).ok()?;
            Some(Slot { name: printable(name.into_bytes()), address })
        })
        .collect();
    let (seen, found) = match log {
        Ok(found) => (Some(true), found),
        Err(error) if error.cause == Cause::NotCaptured || error.is_absent() => (None, Default::default()),
        Err(_) => (Some(false), Default::default()),
    };
    platform.kernel_log = seen;
    platform.host_bridges = found.bridges;
    platform.aspm_messages = found.aspm;
    platform.interrupt_remapping = found.remapping;
    if platform.fadt_no_aspm.is_none() && found.no_aspm.is_some() {
        (platform.fadt_no_aspm, platform.fadt_no_aspm_line) = (Some(true), found.no_aspm);
    }
    if found.no_msi {
        platform.fadt_no_msi.get_or_insert(true);
    }
    if platform.interrupt_remapping.is_none() {
        let off = platform.options("intremap").any(|v| v.split(',').any(|p| p == "off"));
        platform.interrupt_remapping =
            if off { Some(false) } else { interrupts.and_then(remapping_from_interrupts) };
    }
    platform
}

/// Whether interrupts are remapped, by the names of interrupt controllers: with remapping they begin with `IR-`
/// (kernel: intel_ir_chip in drivers/iommu/intel/irq_remapping.c, amd_ir_chip in drivers/iommu/amd/iommu.c). Only x86 has
/// them.
fn remapping_from_interrupts(lines: &[Line]) -> Option<bool> {
    if lines.iter().any(|l| l.chip.starts_with("IR-")) {
        return Some(true);
    }
    lines.iter().any(|l| l.chip.starts_with("IO-APIC") || l.chip.starts_with("PCI-MSI")).then_some(false)
}

/// The word in brackets: `[default] performance powersave powersupersave`.
fn chosen(text: &str) -> Option<String> {
    Some(text.split_once('[')?.1.split_once(']')?.0.to_owned())
}

/// `IAPC_BOOT_ARCH` of the FADT: 16 bits at offset 109 (ACPI 6.5, 5.2.9).
fn boot_architecture(tree: &dyn Tree) -> Option<u16> {
    let table = read(tree, "sys/firmware/acpi/tables/FACP", 64 << 10).ok()?;
    if table.get(..4) != Some(b"FACP") {
        return None;
    }
    Some(u16::from_le_bytes(table.get(109..111)?.try_into().ok()?))
}

/// Kernel builders put the architecture into the version string (`…-amd64`, `x86_64-linux-gnu-gcc`).
fn architecture(version: &str) -> Option<String> {
    ["x86_64", "aarch64", "ppc64le", "riscv64"]
        .iter()
        .find(|a| version.contains(**a))
        .map(|a| (*a).to_owned())
        .or_else(|| {
            let debian = [("-amd64", "x86_64"), ("-arm64", "aarch64")];
            debian.iter().find(|(mark, _)| version.contains(mark)).map(|(_, a)| (*a).to_owned())
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::MemoryTree;

    #[test]
    fn reads_firmware_flags_policy_and_command_line() {
        let mut table = vec![0; 276];
        table[..4].copy_from_slice(b"FACP");
        table[109] = 0x10;
        let tree = MemoryTree::complete()
            .file("sys/firmware/acpi/tables/FACP", table)
            .file(
                "sys/module/pcie_aspm/parameters/policy",
                "default performance [powersave] powersupersave \n",
            )
            .file("proc/cmdline", "quiet pci=nomsi,noaer pcie_aspm=off -- pci=nomsi2\n")
            .file("sys/bus/pci_express/drivers/aer/0000:00:01.0:pcie002/x", "");
        let platform = read_platform(&tree, false, None);
        assert_eq!((platform.fadt_no_aspm, platform.fadt_no_msi), (Some(true), Some(false)));
        assert_eq!(platform.aspm_policy.as_deref(), Some("powersave"));
        assert!(platform.has_option("pci", "noaer") && platform.has_option("pcie_aspm", "off"));
        assert!(!platform.has_option("pci", "nomsi2"), "behind -- it is not the kernel's");
        assert_eq!(platform.aer_ports, Some(vec!["0000:00:01.0".to_owned()]));
        assert_eq!(platform.kernel_log, None);
    }

    #[test]
    fn a_dump_tells_nothing_of_the_platform() {
        assert_eq!(read_platform(&MemoryTree::partial(), false, None), Platform::default());
    }
}
