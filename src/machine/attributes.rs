//! Which files of a function are read, and when.
//!
//! This one table serves every command, and a capture keeps exactly what it names. Most attributes are copies that the
//! kernel keeps: they look healthy on a device that fell off the bus an hour ago. Those that read the device are marked
//! [`Attribute::live`]. `sriov_numvfs` is not read: it waits for the lock that a reset or a driver's probe holds (kernel:
//! sriov_numvfs_show), and the capability's registers tell as much. Nothing below `nvme/`, `net/`, `hwmon/` is ever read: those files issue commands to the device.

/// How a file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A text file.
    Text,
    /// A symbolic link; its last component is what counts.
    Link,
    /// A folder; its names are what counts.
    Folder,
    /// Bytes, read piece by piece: vital product data.
    Bytes,
}

/// When an attribute is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum When {
    /// Before anything else, to know whether the function sleeps.
    Presence,
    /// For every command.
    Always,
    /// Instead of `uevent`, where that is missing.
    WithoutUevent,
    /// Where configuration space does not tell the link.
    WithoutLink,
    /// For commands that show a function as a whole.
    Detail,
    /// For functions with Advanced Error Reporting, and for those of which that is not known.
    DetailOfErrors,
    /// For functions with Data Object Exchange.
    DetailOfObjectExchange,
    /// For endpoints integrated in the root complex with the DVSEC of CXL devices: the kernel has the link registers of
    /// Restricted CXL Devices (kernel: is_cxl_restricted and rcd_pcie_cap_emit in drivers/cxl/pci.c).
    DetailOfRestrictedCxl,
    /// For functions without message interrupts, and for bridges, which decide about those below them.
    DetailWithoutMessages,
    /// For functions that the kernel may suspend while it runs.
    DetailOfSuspension,
    /// For answers to programs and for captures.
    Everything,
    /// For bridges, where everything is read.
    EverythingOfBridge,
    /// For functions that have the folder `link`, where everything is read.
    EverythingOfLink,
    /// Only when asked for, of functions that answer and have it: the device fetches every four bytes one after the
    /// other, and a sick one takes 125 ms for each (kernel: pci_vpd_wait in drivers/pci/vpd.c).
    VitalProductData,
}

/// One file of a function's folder.
#[derive(Debug, Clone, Copy)]
pub struct Attribute {
    /// Path in the function's folder.
    pub name: &'static str,
    /// How it is read.
    pub kind: Kind,
    /// When it is read.
    pub when: When,
    /// Whether reading it reads the device (and wakes it on some kernels).
    pub live: bool,
}

const fn text(name: &'static str, when: When) -> Attribute {
    Attribute { name, kind: Kind::Text, when, live: false }
}

const fn live(name: &'static str, when: When) -> Attribute {
    Attribute { name, kind: Kind::Text, when, live: true }
}

const fn link(name: &'static str, when: When) -> Attribute {
    Attribute { name, kind: Kind::Link, when, live: false }
}

const fn folder(name: &'static str, when: When) -> Attribute {
    Attribute { name, kind: Kind::Folder, when, live: false }
}

/// All of them. What each means: Documentation/ABI/testing/sysfs-bus-pci of the Linux kernel.
pub static ALL: &[Attribute] = &[
    text("power_state", When::Presence),
    text("power/runtime_status", When::Detail),
    text("d3cold_allowed", When::DetailOfSuspension),
    text("uevent", When::Always),
    text("vendor", When::WithoutUevent),
    text("device", When::WithoutUevent),
    text("class", When::WithoutUevent),
    text("revision", When::WithoutUevent),
    text("subsystem_vendor", When::WithoutUevent),
    text("subsystem_device", When::WithoutUevent),
    link("driver", When::WithoutUevent),
    live("current_link_speed", When::WithoutLink),
    live("current_link_width", When::WithoutLink),
    live("max_link_speed", When::WithoutLink),
    live("max_link_width", When::WithoutLink),
    text("resource", When::Detail),
    text("irq", When::DetailWithoutMessages),
    text("numa_node", When::Detail),
    text("enable", When::Everything),
    text("msi_bus", When::DetailWithoutMessages),
    text("local_cpulist", When::Detail),
    text("reset_method", When::Detail),
    text("power/control", When::Detail),
    text("label", When::Detail),
    text("aer_dev_correctable", When::DetailOfErrors),
    text("aer_dev_nonfatal", When::DetailOfErrors),
    text("aer_dev_fatal", When::DetailOfErrors),
    text("aer_rootport_total_err_cor", When::EverythingOfBridge),
    text("aer_rootport_total_err_nonfatal", When::EverythingOfBridge),
    text("aer_rootport_total_err_fatal", When::EverythingOfBridge),
    folder("msi_irqs", When::Detail),
    folder("link", When::Everything),
    text("link/clkpm", When::EverythingOfLink),
    text("link/l0s_aspm", When::EverythingOfLink),
    text("link/l1_aspm", When::EverythingOfLink),
    text("link/l1_1_aspm", When::EverythingOfLink),
    text("link/l1_2_aspm", When::EverythingOfLink),
    text("link/l1_1_pcipm", When::EverythingOfLink),
    text("link/l1_2_pcipm", When::EverythingOfLink),
    folder("doe_features", When::DetailOfObjectExchange),
    live("rcd_link_cap", When::DetailOfRestrictedCxl),
    live("rcd_link_ctrl", When::DetailOfRestrictedCxl),
    live("rcd_link_status", When::DetailOfRestrictedCxl),
    link("iommu_group", When::Detail),
    link("physfn", When::Detail),
    Attribute { name: "vpd", kind: Kind::Bytes, when: When::VitalProductData, live: true },
];

/// Place of an attribute in [`ALL`]; the name must be in the table.
pub fn index(name: &str) -> Option<u8> {
    ALL.iter().position(|a| a.name == name).and_then(|i| u8::try_from(i).ok())
}
