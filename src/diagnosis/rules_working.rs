//! Rules for a device that answers, or of which nothing says that it does not.

use crate::kernel_log::Level;

use super::rule::{BASE, Rule};
use super::verdict::{Confidence, Verdict};

const NVIDIA: &str = "NVIDIA, Xid catalogue; open-gpu-kernel-modules, nverror.h";
const SETUP: &str = "Linux drivers/pci/setup-bus.c, drivers/pci/setup-res.c";

/// Rules of this family, in the order in which they are tried.
pub static RULES: &[Rule] = &[
    Rule {
        id: "another-answers",
        verdict: Verdict::WrongDevice,
        confidence: Confidence::Certain,
        seen: &["another-answers"],
        because: "The kernel keeps the identity that it found at start; another one answers now.",
        source: "PCIe 6.2, 7.5.1.1.1",
        ..BASE
    },
    Rule {
        id: "not-the-expected",
        verdict: Verdict::WrongDevice,
        confidence: Confidence::Certain,
        seen: &["not-the-expected"],
        because: "The file of --expect names another device for this place.",
        source: "the file that --expect names",
        ..BASE
    },
    Rule {
        id: "header-wrong",
        verdict: Verdict::DeviceFirmware,
        seen: &["header-wrong"],
        because: "A header type that does not exist, or a list that leads back or into the header, is what no working device has.",
        source: "PCIe 6.2, 7.5.1.1.9, 7.5.1.1.11 and 7.6.3",
        ..BASE
    },
    Rule {
        id: "virtual-function-unreachable",
        verdict: Verdict::Misconfigured,
        confidence: Confidence::Possible,
        seen: &["virtual-function-silent"],
        because: "Virtual functions lie on bus numbers that every bridge above must forward (ARI); where one does not, they read all-ones.",
        source: "PCIe 6.2, 9.2.1.2 and 6.13; Linux drivers/pci/iov.c",
        ..BASE
    },
    Rule {
        id: "header-ignored",
        verdict: Verdict::DeviceFirmware,
        confidence: Confidence::Possible,
        seen: &["header-ignored"],
        because: "It answered its identity and then a header type that does not exist: a device that stopped answering, or one that is defect.",
        source: "Linux drivers/pci/probe.c (pci_setup_device)",
        ..BASE
    },
    Rule {
        id: "memory-errors",
        verdict: Verdict::MemoryFault,
        confidence: Confidence::Certain,
        seen: &["memory-errors"],
        because: "The driver names the device's memory; errors of the bus look otherwise.",
        source: "NVIDIA, Xid catalogue; Linux drivers/gpu/drm/amd/amdgpu/amdgpu_ras.c",
        ..BASE
    },
    Rule {
        id: "address-lost",
        verdict: Verdict::BarNotAssigned,
        confidence: Confidence::Certain,
        seen: &["address-lost"],
        because: "The kernel's copy has an address and the register has none: something reset the function behind the kernel's back.",
        source: "PCIe 6.2, 7.5.1.2.1 and 6.6.2; Linux drivers/pci/pci.c (pci_restore_state)",
        ..BASE
    },
    Rule {
        id: "no-address",
        verdict: Verdict::BarNotAssigned,
        confidence: Confidence::Certain,
        seen: &["no-address", "address-missed", "register-without-address"],
        unless: &["addresses-assigned"],
        because: "What has no address cannot be reached: drivers refuse the device.",
        source: SETUP,
        ..BASE
    },
    Rule {
        id: "not-forwarded",
        verdict: Verdict::BarNotAssigned,
        confidence: Confidence::Certain,
        seen: &["address-not-forwarded"],
        because: "An access that no bridge forwards does not reach the device, whatever its BAR says.",
        source: "PCIe 6.2, 7.5.1.3.8 to 7.5.1.3.10",
        ..BASE
    },
    Rule {
        id: "no-window",
        verdict: Verdict::BarNotAssigned,
        seen: &["no-window"],
        unless: &["started"],
        because: "The window of the bridge is too small for what is behind it, and no later attempt made it larger.",
        source: SETUP,
        ..BASE
    },
    Rule {
        id: "addresses-claimed-twice",
        verdict: Verdict::FirmwareConfiguration,
        confidence: Confidence::Possible,
        seen: &["address-conflict", "bus-numbers-missing"],
        because: "Firmware assigned addresses or bus numbers that do not fit together; the kernel had to move them.",
        source: SETUP,
        ..BASE
    },
    Rule {
        id: "memory-access-refused",
        verdict: Verdict::DmaFault,
        seen: &["memory-access-refused", "translation-timeout"],
        unless_before: &["engine-failed", "firmware-silent", "uncorrected-errors"],
        because: "The IOMMU names the device and the address; what the device or its driver complain of afterwards follows from the stopped access.",
        source: "Intel VT-d 4.1, 7.1; AMD IOMMU 3.08, 2.5; Linux drivers/iommu",
        ..BASE
    },
    Rule {
        id: "interrupts-forbidden",
        verdict: Verdict::InterruptsUnavailable,
        seen: &["message-interrupts-refused", "no-interrupt"],
        with: &["messages-forbidden"],
        unless: &["message-interrupts-on"],
        level: Some(Level::Firmware),
        because: "Firmware says that MSI must not be used, so the kernel enables it for nobody.",
        source: "ACPI 6.5, 5.2.9.3; Linux drivers/pci/pci-acpi.c (acpi_pci_init)",
        ..BASE
    },
    Rule {
        id: "vectors-used-up",
        verdict: Verdict::InterruptsUnavailable,
        seen: &["message-interrupts-refused", "no-interrupt", "driver-did-not-start"],
        with: &["vectors-used-up"],
        unless: &["message-interrupts-on"],
        because: "The processors had no vectors left when the driver asked.",
        source: "Linux arch/x86/kernel/apic/vector.c",
        ..BASE
    },
    Rule {
        id: "switched-off",
        verdict: Verdict::Misconfigured,
        confidence: Confidence::Certain,
        seen: &["switched-off"],
        because: "A driver is bound that needs it on: somebody else wrote to the Command register.",
        source: "PCIe 6.2, 7.5.1.1.3; Linux drivers/pci/pci.c (pci_enable_device)",
        ..BASE
    },
    Rule {
        id: "vectors-wrong",
        verdict: Verdict::InterruptsUnavailable,
        confidence: Confidence::Certain,
        seen: &["vectors-wrong"],
        because: "The registers say that no interrupt can leave the device, whatever msi_irqs lists.",
        source: "PCIe 6.2, 6.1.4 and 7.7.2; Linux drivers/pci/msi",
        ..BASE
    },
    Rule {
        id: "interrupts-refused",
        verdict: Verdict::InterruptsUnavailable,
        seen: &["message-interrupts-refused", "no-interrupt"],
        unless: &["message-interrupts-on"],
        unless_before: &["firmware-silent", "engine-failed", "uncorrected-errors"],
        because: "The driver asked for interrupts and got none; nothing says that the device is gone.",
        source: "Linux drivers/pci/msi/msi.c (__pci_enable_msix_range); NVIDIA open-gpu-kernel-modules, nv-msi.c",
        ..BASE
    },
    Rule {
        id: "interrupts-lost",
        verdict: Verdict::InterruptsUnavailable,
        seen: &["interrupt-lost", "interrupts-lost-often", "interrupt-nobody-took"],
        unless_before: &["firmware-silent", "engine-failed", "uncorrected-errors"],
        because: "Interrupts were set up and did not arrive where they should; nothing says that the device is gone.",
        source: "Linux drivers/nvme/host/pci.c (nvme_timeout), kernel/irq/spurious.c",
        ..BASE
    },
    Rule {
        id: "came-back-without-driver",
        verdict: Verdict::DriverWedged,
        seen: &["driver-reads-all-ones", "inaccessible", "identity-unreadable", "not-back-from-sleep"],
        with: &["answers"],
        unless_after: &["found-again", "started"],
        because: "The driver gave the device up when it read all-ones, and does not take it back although it answers again.",
        source: "NVIDIA open-gpu-kernel-modules, osinit.c (osHandleGpuLost); Linux drivers/nvme/host/pci.c (nvme_remove_dead_ctrl)",
        ..BASE
    },
    Rule {
        id: "slow-to-return-from-reset",
        verdict: Verdict::DeviceFirmware,
        confidence: Confidence::Possible,
        seen: &["not-back-from-reset"],
        with: &["answers"],
        unless_after: &["recovered", "started", "found-again"],
        because: "It did not answer within the minute that the kernel waits after a reset, and answers now: the specification gives it a \
                  second.",
        source: "PCIe 6.2, 6.6; Linux drivers/pci/pci.c (pci_dev_wait)",
        ..BASE
    },
    Rule {
        id: "memory-silent",
        verdict: Verdict::DeviceFirmware,
        confidence: Confidence::Possible,
        seen: &["memory-reads-all-ones"],
        unless: &["all-ones", "marked-disconnected"],
        unless_before: &["uncorrected-errors", "contained"],
        because: "Its memory read all-ones and Status in configuration space did not: the bus reaches the device. It lost its addresses, \
                  did not come back from saving power, or its own processor hangs.",
        source: "Linux drivers/nvme/host/pci.c (nvme_warn_reset)",
        ..BASE
    },
    Rule {
        id: "driver-waits-for-firmware",
        verdict: Verdict::DriverWedged,
        seen: &["firmware-silent"],
        with: &["answers"],
        unless: &["uncorrected-errors"],
        unless_before: &["memory-errors"],
        because: "Configuration space, link and addresses are as they should be; the driver waits for the device's own processor and does \
                  not get on. A restart of the machine loads that processor's firmware anew.",
        source: "NVIDIA, Xid catalogue (119: RESET_GPU, INVESTIGATE_SW)",
        ..BASE
    },
    Rule {
        id: "errors-first",
        verdict: Verdict::ErrorStorm,
        seen: &["uncorrected-errors"],
        supports: &["not-recovered"],
        unless_before: &["engine-failed", "firmware-silent", "memory-errors", "program-failed"],
        because: "Uncorrected errors were reported first: a packet was lost or refused, and what drivers say afterwards follows from it.",
        source: "PCIe 6.2, 6.2; Linux drivers/pci/pcie/aer.c",
        ..BASE
    },
    Rule {
        id: "errors-received",
        verdict: Verdict::ErrorStorm,
        confidence: Confidence::Possible,
        seen: &["fatal-errors-received"],
        because: "The root port counted messages of fatal errors and none of its own: a device below it sent them. Kernels up to 6.15 do \
                  not count them at the device, and where the log does not say so either, nobody knows which one it was.",
        source: "Linux drivers/pci/pcie/aer.c (pci_rootport_aer_stats_incr); Documentation/ABI/testing/sysfs-bus-pci-devices-aer",
        ..BASE
    },
    Rule {
        id: "contained-and-over",
        verdict: Verdict::ErrorStorm,
        seen: &["contained"],
        unless: &["slot-was-emptied"],
        because: "A port contained an uncorrected error, and what is below it was brought back: the error happened, and why is not known.",
        source: "PCIe 6.2, 6.2.11; Linux drivers/pci/pcie/err.c (pcie_do_recovery)",
        ..BASE
    },
    Rule {
        id: "errors-unnamed",
        verdict: Verdict::ErrorStorm,
        confidence: Confidence::Possible,
        seen: &["errors-unnamed"],
        because: "The kernel reports an error, and the lines that would say of which kind are not in the log.",
        source: "Linux drivers/pci/pcie/aer.c (aer_print_error, pci_print_aer)",
        ..BASE
    },
    Rule {
        id: "time-measurement-refused",
        verdict: Verdict::ErrorStorm,
        confidence: Confidence::Possible,
        seen: &["time-measurement-refused"],
        level: Some(Level::Firmware),
        because: "A Precision Time Measurement request reached a port that does not take it, as happens when one end has it enabled and \
                  the other has not: the report is real, the device is not bad.",
        source: "PCIe 6.2, 6.21 and 2.2.8.10",
        ..BASE
    },
    Rule {
        id: "registers-read-all-ones",
        verdict: Verdict::FallenOffBus,
        confidence: Confidence::Possible,
        seen: &["register-reads-all-ones"],
        unless: &["answers"],
        unless_after: &["started", "found-again"],
        because: "A driver printed registers of the device as all-ones, as reads come back that nobody answers. Some registers have that \
                  value: whether the device answers has to be looked at.",
        source: "PCIe 6.2, 2.3.2",
        ..BASE
    },
    Rule {
        id: "program-stopped-the-engine",
        verdict: Verdict::ApplicationFault,
        confidence: Confidence::Possible,
        seen: &["engine-failed"],
        before: &["program-missed-memory"],
        unless: &["firmware-silent"],
        because: "An engine stopped after a program had it reach for memory that the program does not have; a defect of the driver \
                  looks the same.",
        source: "Linux drivers/gpu/drm/amd/amdgpu (gmc_v9_0_process_interrupt, amdgpu_job_timedout)",
        ..BASE
    },
    Rule {
        id: "device-failed",
        verdict: Verdict::DeviceFirmware,
        seen: &["engine-failed", "firmware-silent"],
        unless_after: &["started", "recovered", "found-again"],
        because: "The device is on the bus and reports a failure inside itself.",
        source: "NVIDIA, Xid catalogue; Linux drivers/nvme/host/pci.c, drivers/gpu/drm/amd/amdgpu, drivers/net/wireless",
        ..BASE
    },
    Rule {
        id: "device-failed-and-came-back",
        verdict: Verdict::DeviceFirmware,
        confidence: Confidence::Possible,
        seen: &["engine-failed", "firmware-silent"],
        because: "The device reported a failure inside itself, and its driver brought it back: a program, the driver or the device may \
                  be why.",
        source: "Linux drivers/gpu/drm/amd/amdgpu (amdgpu_device_gpu_recover), drivers/nvme/host/pci.c (nvme_reset_work)",
        ..BASE
    },
    Rule {
        id: "interrupt-late",
        verdict: Verdict::InterruptsUnavailable,
        confidence: Confidence::Possible,
        seen: &["interrupt-late"],
        unless_after: &["started", "recovered", "found-again"],
        because: "A command was done and its interrupt had not come: once is no proof that interrupts do not arrive.",
        source: "Linux drivers/nvme/host/pci.c (nvme_timeout)",
        ..BASE
    },
    Rule {
        id: "registers-stuck",
        verdict: Verdict::DeviceFirmware,
        confidence: Confidence::Possible,
        seen: &["registers-stuck"],
        because: "Several bits of the device did not change in time: it hangs, or nobody answers and every bit reads 1.",
        source: "Linux drivers/net/ethernet/realtek/r8169_main.c (rtl_loop_wait)",
        ..BASE
    },
    Rule {
        id: "device-slow",
        verdict: Verdict::DeviceFirmware,
        confidence: Confidence::Possible,
        seen: &["device-slow"],
        unless_after: &["started", "recovered", "found-again"],
        because: "The device was late, or its firmware was started anew, and the driver went on: load, a program, a cable or a peer may \
                  be why as well as the device.",
        source: "Linux drivers/nvme/host/pci.c (nvme_timeout), drivers/net/ethernet, drivers/net/wireless",
        ..BASE
    },
    Rule {
        id: "driver-failed",
        verdict: Verdict::DriverWedged,
        seen: &["driver-failed"],
        because: "The driver, not the device, says that it cannot go on.",
        source: "NVIDIA open-gpu-kernel-modules, nv.c; Linux drivers/gpu/drm/xe/xe_device.c",
        ..BASE
    },
    Rule {
        id: "recovery-asked-for",
        verdict: Verdict::DriverWedged,
        seen: &["recovery-asked-for"],
        unless_after: &["recovery-no-longer-asked-for", "started", "found-again"],
        because: "The driver has concluded that the GPU has to be reset, drained or restarted with the machine, and has not taken that \
                  back: until then it stays out of use.",
        source: "NVIDIA, Xid catalogue, 154 (GPU_RECOVERY_ACTION_CHANGED)",
        ..BASE
    },
    Rule {
        id: "program-failed",
        verdict: Verdict::ApplicationFault,
        seen: &["program-failed"],
        because: "The driver ended a program for what it asked of the device; everybody else can go on.",
        source: NVIDIA,
        ..BASE
    },
    Rule {
        id: "start-failed",
        verdict: Verdict::DeviceFirmware,
        confidence: Confidence::Possible,
        seen: &["start-failed"],
        because: "The driver could reach the GPU and could not start it.",
        source: "NVIDIA open-gpu-kernel-modules, osinit.c (RmInitAdapter)",
        ..BASE
    },
    Rule {
        id: "bound-elsewhere",
        verdict: Verdict::Misconfigured,
        seen: &["bound-elsewhere"],
        because: "Two drivers want the device; it is a choice which of them gets it.",
        source: "NVIDIA open-gpu-kernel-modules, nv-pci.c",
        ..BASE
    },
    Rule {
        id: "stuck-in-a-power-state",
        verdict: Verdict::PowerStateStuck,
        seen: &["power-states-differ"],
        with: &["answers"],
        because: "It answers and is in another power state than the kernel wants: it refused the change, or somebody made one.",
        source: "PCIe 6.2, 5.3.1 and 7.5.2.2; Linux drivers/pci/pci.c (pci_set_low_power_state)",
        ..BASE
    },
    Rule {
        id: "program-suspected",
        verdict: Verdict::ApplicationFault,
        confidence: Confidence::Possible,
        seen: &["program-suspected", "program-missed-memory"],
        because: "A program had the device do what it cannot, or the first advice of the maker for this number is to restart the program.",
        source: "NVIDIA, Xid catalogue (RESTART_APP); Linux drivers/gpu/drm/amd/amdgpu/gmc_v9_0.c",
        ..BASE
    },
    Rule {
        id: "program-cleaned-up",
        verdict: Verdict::ApplicationFault,
        confidence: Confidence::Possible,
        seen: &["program-cleaned-up"],
        because: "Xid 45 is what the driver cleans up behind a program that was stopped, by an error before it or by somebody: nothing else \
                  was logged of this device.",
        source: NVIDIA,
        ..BASE
    },
    Rule {
        id: "link-flaps",
        verdict: Verdict::DegradedLink,
        seen: &["link-flaps"],
        unless: &["slot-was-emptied", "contained", "cable-unplugged"],
        because: "The link went down again and again under a card that stayed in its slot, and came back: a contact, a cable or a riser.",
        source: "Linux drivers/pci/hotplug/pciehp_ctrl.c (pciehp_handle_presence_or_link_change)",
        ..BASE
    },
    Rule {
        id: "slow-since-training-failed",
        verdict: Verdict::DegradedLink,
        seen: &["slower-at-boot", "runs-below-both-ends", "speed-limited"],
        with: &["retraining"],
        because: "The link did not come up at its speed, and the kernel left it at 2.5 GT/s.",
        source: "Linux drivers/pci/quirks.c (pcie_failed_link_retrain)",
        ..BASE
    },
    Rule {
        id: "speed-limited",
        verdict: Verdict::Misconfigured,
        seen: &["speed-limited"],
        unless: &["retraining", "corrected-errors"],
        because: "The target speed of the port is a setting: the link is as slow as it was told to be.",
        source: "PCIe 6.2, 7.5.3.19",
        ..BASE
    },
    Rule {
        id: "speed-locked",
        verdict: Verdict::Misconfigured,
        seen: &["speed-locked"],
        unless: &["retraining", "corrected-errors"],
        because: "The device may not raise the speed by itself, and nobody else does: the link stays where it was caught.",
        source: "PCIe 6.2, 7.5.3.19",
        ..BASE
    },
    Rule {
        id: "link-below-both-ends",
        verdict: Verdict::DegradedLink,
        confidence: Confidence::Certain,
        seen: &["link-below-both-ends", "equalization-unfinished"],
        supports: &["signal-errors"],
        because: "Both ends can do more than the link does.",
        source: "PCIe 6.2, 7.5.3.6, 7.5.3.8 and 4.2.4",
        ..BASE
    },
    Rule {
        id: "slow-with-errors",
        verdict: Verdict::DegradedLink,
        seen: &["runs-below-both-ends"],
        with: &["signal-errors-repeated"],
        because: "The link runs below what both ends can and repairs errors of its signal: idling alone makes no errors.",
        source: "PCIe 6.2, 4.2.6 and 6.2.7",
        ..BASE
    },
    Rule {
        id: "slow-since-boot",
        verdict: Verdict::DegradedLink,
        confidence: Confidence::Possible,
        seen: &["slower-at-boot"],
        with: &["runs-below-both-ends"],
        because: "The kernel found the link slow when it started, and it still is slower than both ends can. A display controller that \
                  idles shows the same.",
        source: "Linux drivers/pci/pci.c (__pcie_print_link_status)",
        ..BASE
    },
    Rule {
        id: "much-slower-at-boot",
        verdict: Verdict::DegradedLink,
        confidence: Confidence::Possible,
        seen: &["much-slower-at-boot", "slot-too-slow"],
        unless: &["answers"],
        because: "The kernel names a link that is far below what the device can; slots are seldom built so.",
        source: "Linux drivers/pci/pci.c (__pcie_print_link_status)",
        ..BASE
    },
    Rule {
        id: "transfer-suspected",
        verdict: Verdict::DegradedLink,
        confidence: Confidence::Possible,
        seen: &["transfer-suspected"],
        because: "NVIDIA counts this among what a PCI Express link of bad quality causes; a program can cause it too.",
        source: NVIDIA,
        ..BASE
    },
    Rule {
        id: "corrected-errors",
        verdict: Verdict::ErrorStorm,
        confidence: Confidence::Possible,
        seen: &["corrected-errors"],
        because: "Errors were corrected and reported: nothing is lost but time, as long as they stay few.",
        source: "PCIe 6.2, 6.2.2.1; Linux drivers/pci/pcie/aer.c",
        ..BASE
    },
    Rule {
        id: "error-latched",
        verdict: Verdict::ErrorStorm,
        confidence: Confidence::Possible,
        seen: &["errors-latched"],
        because: "The hardware keeps the bit until software clears it: an uncorrected error happened, perhaps long ago.",
        source: "PCIe 6.2, 7.8.4.2",
        ..BASE
    },
    Rule {
        id: "device-odd",
        verdict: Verdict::DeviceFirmware,
        confidence: Confidence::Possible,
        seen: &["hot-plug-commands-unanswered", "product-data-silent"],
        because: "The device does not do what it says it can; most of what it is for may work all the same.",
        source: "Linux drivers/pci/hotplug/pciehp_hpc.c (pcie_wait_cmd), drivers/pci/vpd.c (pci_vpd_wait)",
        ..BASE
    },
    Rule {
        id: "ends-disagree",
        verdict: Verdict::Misconfigured,
        confidence: Confidence::Certain,
        seen: &["ends-disagree"],
        because: "The specification demands that both ends agree; firmware and kernel set them so, and something changed one of them.",
        source: "PCIe 6.2, 5.4.1.4 and 7.5.3.4",
        ..BASE
    },
    Rule {
        id: "errors-masked",
        verdict: Verdict::Misconfigured,
        seen: &["errors-masked"],
        because: "With every error masked nobody learns of any: somebody set it so.",
        source: "PCIe 6.2, 7.8.4.3 and 7.8.4.6",
        ..BASE
    },
    Rule {
        id: "extended-space-given-up",
        verdict: Verdict::Misconfigured,
        seen: &["extended-space-missing"],
        with: &["switched-off-by-command-line"],
        because: "pci=nommconf or pci=nocrs on the kernel command line keeps the kernel from extended configuration space.",
        source: "Linux Documentation/admin-guide/kernel-parameters.txt",
        ..BASE
    },
    Rule {
        id: "extended-space-missing",
        verdict: Verdict::FirmwareConfiguration,
        seen: &["extended-space-missing"],
        because: "Extended configuration space needs the window that firmware describes in MCFG; without it AER and the rest are out of sight.",
        source: "PCI Firmware 3.3, 4.1; Linux drivers/pci/probe.c (pci_cfg_space_size)",
        ..BASE
    },
    Rule {
        id: "aspm-forbidden-and-on",
        verdict: Verdict::FirmwareConfiguration,
        seen: &["aspm-forbidden-and-on"],
        because: "Firmware tells the kernel to leave ASPM alone and left it on: only firmware setup can switch it off.",
        source: "ACPI 6.5, 5.2.9.3; Linux drivers/pci/pci-acpi.c (acpi_pci_init)",
        ..BASE
    },
    Rule {
        id: "errors-handled-twice",
        verdict: Verdict::FirmwareConfiguration,
        confidence: Confidence::Possible,
        seen: &["errors-handled-twice"],
        before: &["errors-kept-by-firmware"],
        because: "Behind VMD the kernel took error handling that firmware had refused it: both may answer the same errors.",
        source: "PCI Firmware 3.3, 4.5.1; Linux drivers/pci/controller/vmd.c (vmd_copy_host_bridge_flags)",
        ..BASE
    },
    Rule {
        id: "addresses-taken",
        verdict: Verdict::Misconfigured,
        confidence: Confidence::Possible,
        seen: &["driver-did-not-start"],
        before: &["addresses-taken"],
        unless_after: &["started"],
        because: "Another driver, often that of the boot screen, holds the addresses that this driver asked for.",
        source: "Linux drivers/pci/pci.c (pci_request_region)",
        ..BASE
    },
    Rule {
        id: "sleeps-on-purpose",
        verdict: Verdict::Asleep,
        confidence: Confidence::Certain,
        seen: &["sleeps"],
        unless: &["inaccessible", "driver-reads-all-ones"],
        because: "Runtime power management took the power of a device that nobody uses; it looks like a dead one and is none.",
        source: "Linux Documentation/power/pci.rst; drivers/pci/pci-sysfs.c (pci_config_pm_runtime_get)",
        ..BASE
    },
    Rule {
        id: "number-unexplained",
        verdict: Verdict::Unknown,
        confidence: Confidence::Possible,
        seen: &["number-unexplained"],
        because: "NVIDIA's catalogue does not have this number, or does not say whether the program, the driver or the device is at fault.",
        source: NVIDIA,
        ..BASE
    },
    Rule {
        id: "driver-did-not-start",
        verdict: Verdict::Unknown,
        confidence: Confidence::Possible,
        seen: &["driver-did-not-start"],
        unless_after: &["started"],
        because: "The driver gave it up and the log does not say why.",
        source: "Linux drivers/base/dd.c (really_probe)",
        ..BASE
    },
    Rule {
        id: "trouble-not-understood",
        verdict: Verdict::Unknown,
        confidence: Confidence::Possible,
        seen: &["driver-alarm"],
        unless_after: &["started", "recovered", "found-again"],
        because: "The driver says that the device is in trouble, in words that are not in the catalogue: what they mean is not known here.",
        source: "the lines of the log",
        ..BASE
    },
    Rule {
        id: "not-read",
        verdict: Verdict::Unknown,
        confidence: Confidence::Certain,
        seen: &["not-read", "read-in-part"],
        because: "What was not read is not known to be well.",
        source: "Linux drivers/pci/pci-sysfs.c (pci_read_config: 64 bytes without CAP_SYS_ADMIN)",
        ..BASE
    },
];
