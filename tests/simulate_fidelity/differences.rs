//! In what simulated and captured faults differ, and why; and which captures are not compared, and why.

/// A difference that is known.
pub struct Known {
    /// The capture; `*` for any.
    pub capture: &'static str,
    /// The value, `*` for any text.
    pub what: &'static str,
    /// Why they differ.
    #[allow(dead_code, reason = "for people")]
    pub reason: &'static str,
}

const fn known(capture: &'static str, what: &'static str, reason: &'static str) -> Known {
    Known { capture, what, reason }
}

const NVME_IO: &str = "the captured driver met a read that timed out, reset the controller and gave it up; the simulated one finds the \
                       registers all-ones, which other reads lead to, and what it does then is not simulated";
const PORT_WITHOUT_DEVICE: &str =
    "QEMU takes the negotiated link from the device and shows the port's own maximum once there is none";
const PLUGGED: &str =
    "pciehp finds a slot with a link and no function at boot and tries to power it on; not simulated";
const PORT_OF_THE_RIG: &str = "the captured machine has another port here: 16 GT/s, ASPM L0s and L1";
const PACKET: &str =
    "which packet was refused is up to the injection; QEMU stores its words in the other byte order";
const LINK_CAPABILITIES: &str =
    "Link Capabilities of the emulated device read 0 after the injection, which hardware does not do";
const RESET: &str =
    "the emulated device has other bytes here after the reset of the link, read-only ones in hardware";

/// Every known difference.
pub const DIFFERENCES: &[Known] = &[
    known("*", "* power/runtime_active_time", "counts milliseconds since the kernel found the function"),
    known(
        "*",
        "log nvme nvme*: pci function *",
        "controllers are probed side by side and numbered anew at each boot",
    ),
    known("hp-gone-nvme*", "port config express.link_status", PORT_WITHOUT_DEVICE),
    known("hp-gone-nvme*", "port current_link_*", PORT_WITHOUT_DEVICE),
    known("hp-gone-nvme-io", "function enable", NVME_IO),
    known("hp-gone-nvme-io", "function msi_irqs/*", NVME_IO),
    known("hp-gone-nvme-io", "function power_state", NVME_IO),
    known("hp-gone-nvme-io", "log nvme 0000:01:00.0: Unable to change power state *", NVME_IO),
    known("hp-gone-nvme-io", "event power.inaccessible *", NVME_IO),
    known("hp-gone-nvme-io", "event nvme.*", NVME_IO),
    known("hp-gone-nvme-io", "event driver.complaint *", NVME_IO),
    known(
        "cfg-cap-loop",
        "function config 0x103",
        "the captured list loops at its first capability, the simulated one at its last",
    ),
    known(
        "cfg-cap-loop",
        "function config 0x143",
        "the captured list loops at its first capability, the simulated one at its last",
    ),
    known("cfg-hdr-7f", "log pcieport 0000:00:09.1: pciehp: *", PLUGGED),
    known("cfg-hdr-7f", "event pciehp.*", PLUGGED),
    known("cfg-mps-mismatch", "port config express.link_c*", PORT_OF_THE_RIG),
    known("cfg-mps-mismatch", "port max_link_speed", PORT_OF_THE_RIG),
    known("aer-cor-storm", "port config express.slot_control", "writing it made QEMU look for new errors"),
    known("aer-nonfatal", "function config express.link_capabilities", LINK_CAPABILITIES),
    known("aer-nonfatal", "function max_link_width", LINK_CAPABILITIES),
    known("aer-nonfatal", "function config aer.header_log*", PACKET),
    known("aer-nonfatal", "log virtio-pci 0000:0a:00.0: AER:   TLP Header: *", PACKET),
    known(
        "aer-fatal-nic",
        "function config express.device_control",
        "reporting was switched on for the injection",
    ),
    known(
        "aer-fatal-nic",
        "function config express.device_status",
        "the captured device has the bit after its recovery; whether QEMU or the kernel leaves it is not known",
    ),
    known("aer-fatal-nic", "function config express.link_capabilities", LINK_CAPABILITIES),
    known("aer-fatal-nic", "function max_link_width", LINK_CAPABILITIES),
    known("aer-fatal-nic", "function config aer.header_log*", PACKET),
    known("aer-fatal-nic", "function config serial_number.number", RESET),
    known("aer-fatal-nic", "function config 0x14*", RESET),
    known(
        "aer-fatal-nic",
        "log e1000e 0000:09:00.0: enabling device *",
        "what a driver does in recovery is not simulated",
    ),
    known("aer-fatal-nic", "event pci.enabling *", "what a driver does in recovery is not simulated"),
    known(
        "gpu-aspm-on",
        "function config express.link_control",
        "L0s is on in the capture, too; the fault takes L1",
    ),
    known("gpu-aspm-on", "function link/l0s_aspm", "L0s is on in the capture, too; the fault takes L1"),
    known(
        "gpu-rebar-small",
        "function config rebar.entry[0].capability",
        "the captured BAR has larger sizes to choose from",
    ),
    known("gpu-rebar-small", "function resource0_resize", "the captured BAR has larger sizes to choose from"),
    known("gpu-cesta", "function config express.device_status", "correctable errors were latched besides"),
    known("gpu-cesta", "function config aer.correctable_status", "correctable errors were latched besides"),
];

/// Captures that are not compared.
pub const LEFT_OUT: &[(&[&str], &str)] = &[
    (
        &[
            "base-a-6.1",
            "base-acpi-hotplug",
            "base-cxl",
            "base-iommu",
            "base-min-6.12",
            "zoo",
            "dpc-present",
            "mmap-bound",
            "mmap-nodriver",
            "mmap-relaxed",
            "mmap-unbound",
            "link-setpci-readonly",
        ],
        "nothing is broken",
    ),
    (
        &[
            "cmd-aspm_force",
            "cmd-aspm_off",
            "cmd-aspm_powersupersave",
            "cmd-bus_peer2peer",
            "cmd-bus_perf",
            "cmd-hpmmiosize",
            "cmd-lockdown",
            "cmd-noacpi",
            "cmd-noaer",
            "cmd-nocrs",
            "cmd-nomsi",
            "cmd-ports_native",
            "cmd-realloc",
            "gpu-aspm-policy",
            "gpu-mps-perf",
        ],
        "a kernel with other parameters, not a fault",
    ),
    (
        &[
            "cfg-blacklisted",
            "cfg-flr",
            "cfg-numvfs",
            "cfg-stub",
            "cfg-sysfs-reset",
            "cfg-vfio",
            "gpu-d3hot",
            "hp-add",
            "hp-del-attention",
            "hp-del-nvme",
        ],
        "what an operator did, and the simulator has no such action",
    ),
    (
        &[
            "cfg-bridge-bus-swapped",
            "cfg-intx-disable",
            "cfg-msix-off",
            "cfg-parity-status",
            "cfg-secondary-bus-reset",
            "cfg-serr-off",
            "hp-presence-lost",
            "link-bw-mgmt",
            "aer-advisory",
            "aer-cor-latched",
        ],
        "bits set behind the kernel's back, for which the simulator has no fault of its own",
    ),
    (
        &["aer-cor-real", "aer-swinject"],
        "several errors in one message, or registers that the kernel only pretends to read",
    ),
    (
        &["aer-unhandled-compat", "bar-1t", "bar-64g", "hp-add-nospace"],
        "no healthy capture of the same machine",
    ),
    (
        &["link-disable"],
        "the port was changed without the interrupt that hardware sends, so that hot-plug saw nothing",
    ),
];
