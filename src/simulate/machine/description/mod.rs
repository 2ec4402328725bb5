//! A machine as it is described: what a person writes, before the kernel comes and looks.

mod function;
mod machine;
mod ranges;
mod values;

use crate::pci::Bdf;
use crate::pci::capability::express::PortType;
use crate::simulate::kernel::Kernel;

pub use function::FUNCTION_KEYS;
pub use machine::{MACHINE_KEYS, read};
pub use values::{number_or_flag, payload_code, speed_code};

/// A whole machine.
#[derive(Debug, Clone)]
pub struct Description {
    /// One line for people.
    pub title: String,
    /// The kernel that is imitated.
    pub kernel: Kernel,
    /// What `uname -r` says.
    pub release: String,
    /// The kernel's command line.
    pub command_line: String,
    /// Active ASPM policy: default, performance, powersave, powersupersave.
    pub aspm_policy: String,
    /// Board vendor, product name and firmware version as DMI tells them.
    pub board: [String; 3],
    /// Local APIC IDs and NUMA nodes of the processors.
    pub processors: Vec<(u64, u64)>,
    /// Which IOMMU there is.
    pub iommu: Iommu,
    /// Interrupts are remapped.
    pub interrupt_remapping: bool,
    /// FADT, IAPC_BOOT_ARCH (ACPI 6.5, 5.2.9.3): no MSI, no ASPM.
    pub fadt: (bool, bool),
    /// Where the memory-mapped configuration space of domain 0 lies.
    pub ecam: u64,
    /// Host bridges.
    pub host_bridges: Vec<HostBridge>,
    /// Functions.
    pub functions: Vec<FunctionDescription>,
    /// Files that are added as they are: path and text.
    pub files: Vec<(String, String)>,
}

impl Description {
    /// The domains of the host bridges.
    pub fn domains(&self) -> impl Iterator<Item = u32> {
        self.host_bridges.iter().map(|bridge| bridge.domain)
    }
}

/// The IOMMU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Iommu {
    /// None in use.
    None,
    /// AMD-Vi.
    Amd,
    /// Intel VT-d.
    Intel,
}

/// Features that `_OSC` is about (PCI Firmware 3.3, 4.5.1), in the order of the kernel's table pci_osc_control_bit.
pub const OSC_CONTROLS: [&str; 7] =
    ["PCIeHotplug", "SHPCHotplug", "PME", "AER", "PCIeCapability", "LTR", "DPC"];

/// A host bridge with its windows.
#[derive(Debug, Clone)]
pub struct HostBridge {
    /// Line in the file.
    pub line: usize,
    /// Domain.
    pub domain: u32,
    /// First and last bus.
    pub buses: (u8, u8),
    /// ACPI name, `PNP0A08:00`.
    pub acpi: String,
    /// What firmware keeps for itself; the kernel gets the rest of [`OSC_CONTROLS`].
    pub osc_refused: Vec<String>,
    /// NUMA node, if firmware says.
    pub node: Option<u64>,
    /// I/O window, first and last.
    pub io: Option<(u64, u64)>,
    /// Memory below 4 GiB.
    pub memory: Option<(u64, u64)>,
    /// Memory above 4 GiB.
    pub high_memory: Option<(u64, u64)>,
}

/// A link: encoded speed (1 for 2.5 GT/s) and lanes.
pub type Rate = (u64, u64);

/// What an address range is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// I/O space.
    Io,
    /// Memory below 4 GiB.
    Memory32,
    /// Memory that may lie anywhere.
    Memory64,
    /// Prefetchable memory that may lie anywhere.
    Prefetchable64,
    /// The expansion ROM, switched off.
    Rom,
}

/// An address range of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// Line in `resource`: 0 to 5 BARs, 6 the ROM, 7 to 12 BARs of virtual functions.
    pub line: usize,
    /// Size in bytes; of the BAR of virtual functions, of all of them together.
    pub size: u64,
    /// What it is.
    pub kind: Kind,
    /// First address, if the description says.
    pub address: Option<u64>,
}

/// Line of `resource` for the expansion ROM.
pub const ROM_LINE: usize = 6;
/// Line of `resource` for the first BAR of virtual functions.
pub const VF_LINE: usize = 7;

/// Where the tables of MSI-X are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Msix {
    /// Vectors that the function has.
    pub vectors: u64,
    /// BAR of both tables.
    pub bar: u64,
    /// Offset of the vector table.
    pub table: u64,
    /// Offset of the pending bits.
    pub pending: u64,
}

/// The slot below a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// Physical slot number.
    pub number: u64,
    /// A card may be changed while the machine runs.
    pub hot_plug: bool,
    /// Watts that the slot may give.
    pub watts: u64,
}

/// Windows of a bridge; what is not said follows from what is below.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Windows {
    /// I/O space, in steps of 4 KiB.
    pub io: Option<(u64, u64)>,
    /// Memory below 4 GiB, in steps of 1 MiB.
    pub memory: Option<(u64, u64)>,
    /// Prefetchable memory, in steps of 1 MiB.
    pub prefetchable: Option<(u64, u64)>,
}

/// A function.
#[derive(Debug, Clone)]
pub struct FunctionDescription {
    /// Line in the file.
    pub line: usize,
    /// Address.
    pub address: Bdf,
    /// Vendor and device ID.
    pub ids: (u64, u64),
    /// Subsystem vendor ID and subsystem ID.
    pub subsystem: (u64, u64),
    /// Class code, 24 bits.
    pub class: u64,
    /// Revision.
    pub revision: u64,
    /// What it is on PCI Express; `None` for conventional functions.
    pub port: Option<PortType>,
    /// Secondary and subordinate bus of a bridge.
    pub buses: Option<(u64, u64)>,
    /// The fastest link that it can.
    pub maximum: Rate,
    /// The link that it has; `None` where there is none.
    pub current: Option<Rate>,
    /// Encoded payload sizes: supported, set (0 for 128 bytes).
    pub payload: (u64, u64),
    /// Capabilities in order: first part of the dotted path, and offset.
    pub capabilities: Vec<(String, Option<u16>, usize)>,
    /// Address ranges.
    pub ranges: Vec<Range>,
    /// Windows of a bridge.
    pub windows: Windows,
    /// Tables of MSI-X.
    pub msix: Option<Msix>,
    /// Vectors that the driver took.
    pub vectors: u64,
    /// How the driver calls its interrupts; `{}` is the number of the vector.
    pub interrupt_name: Option<String>,
    /// Interrupt of the pin; 0 for none.
    pub pin_interrupt: u64,
    /// The driver.
    pub driver: Option<String>,
    /// NUMA node, where it is not that of the host bridge.
    pub node: Option<u64>,
    /// IOMMU group.
    pub group: Option<u64>,
    /// The slot below a port.
    pub slot: Option<Slot>,
    /// `reset_method`.
    pub reset_methods: Option<String>,
    /// What firmware calls it (`label`).
    pub label: Option<String>,
    /// `power_state`, `power/runtime_status` and `power/control`.
    pub power: [String; 3],
    /// Registers by dotted path, with their lines.
    pub registers: Vec<(String, u64, usize)>,
    /// What its driver says when it starts.
    pub messages: Vec<String>,
}
