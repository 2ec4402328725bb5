//! What Linux and the hierarchy add to a function: node, slot, power, link partner, errors, addresses.

use super::Inspection;
use crate::machine::Function;
use crate::machine::aer::{self, Aer};
use crate::machine::interrupts;
use crate::machine::link::{self, Rate};
use crate::machine::power::{self, Power};
use crate::pci::bars::{self, Bar, BridgeWindow};
use crate::pci::expansion_rom::{ExpansionRom, expansion_rom};
use crate::pci::extended::sriov;
use crate::pci::{Bdf, ConfigSpace};

/// What Linux and the hierarchy add to a function.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct General {
    /// NUMA node; `null` if it has none or the source does not tell.
    pub numa_node: Option<u32>,
    /// Number of the IOMMU group.
    pub iommu_group: Option<String>,
    /// Number of the physical slot.
    pub slot: Option<String>,
    /// Ways in which the kernel can reset the function; `null` if the source does not tell.
    pub reset_methods: Option<Vec<String>>,
    /// Processors near the function.
    pub local_processors: Option<String>,
    /// How often drivers enabled the function (`enable`).
    pub enable_count: Option<u32>,
    /// Whether the kernel lets drivers use MSI on the function (`msi_bus`).
    pub msi_allowed: Option<bool>,
    /// Name that firmware gives the device (`label`).
    pub label: Option<String>,
    /// The physical function that a virtual one belongs to.
    pub physical_function: Option<String>,
    /// Virtual functions: how many are on, how many there can be.
    pub virtual_functions: Option<(u32, u32)>,
    /// Power state.
    pub power: Power,
    /// The other end of the link.
    #[schemars(with = "Option<String>")]
    pub link_partner: Option<Bdf>,
    /// What the other end can do.
    pub link_partner_maximum: Option<Rate>,
    /// Advanced Error Reporting.
    pub aer: Aer,
    /// Base Address Registers.
    pub bars: Vec<Bar>,
    /// Expansion ROM; `null` if there is none or nothing tells.
    pub expansion_rom: Option<ExpansionRom>,
    /// Windows of a bridge.
    pub windows: Vec<BridgeWindow>,
}

impl General {
    /// Collects it. `lines` is `/proc/interrupts`.
    pub fn new(inspection: Inspection<'_>, function: &Function, lines: Option<&[interrupts::Line]>) -> Self {
        let reading = &function.reading;
        let text = |name| reading.text(name).map(str::to_owned);
        let number = |name: &str| reading.text(name).and_then(|t| t.parse().ok());
        let resources = reading.text("resource").and_then(bars::resources);
        let is_bridge = function.header_layout() == Some(1);
        let partner = link::partner(inspection.machine, function);
        General {
            numa_node: number("numa_node"),
            iommu_group: reading.link_name("iommu_group").map(str::to_owned),
            slot: slot(inspection, function),
            reset_methods: reading
                .text("reset_method")
                .map(|t| t.split_whitespace().map(str::to_owned).collect()),
            local_processors: text("local_cpulist").filter(|t| !t.is_empty()),
            enable_count: number("enable"),
            msi_allowed: reading.text("msi_bus").map(|t| t == "1"),
            label: text("label").filter(|t| !t.is_empty()),
            physical_function: reading.link_name("physfn").map(str::to_owned),
            virtual_functions: virtual_functions(function),
            power: power::power(function),
            link_partner: partner.map(|partner| partner.address),
            link_partner_maximum: partner.and_then(link::link).map(|link| link.maximum),
            aer: aer::aer(inspection.machine, function, inspection.platform, lines),
            bars: bars::bars(own_space(function), resources.as_deref()),
            expansion_rom: expansion_rom(own_space(function), resources.as_deref()),
            windows: function.space().filter(|_| is_bridge).map(bars::windows).unwrap_or_default(),
        }
    }
}

/// Virtual functions that are on, and that there can be; `None` if the function has none or its registers were not read.
/// The driver may allow fewer than there can be. The kernel's `sriov_numvfs` is not read (see [`crate::machine::attributes`]).
fn virtual_functions(function: &Function) -> Option<(u32, u32)> {
    let specification = &sriov::SPECIFICATION;
    let control: sriov::Control = function.register(specification)?;
    let number: sriov::NumVfs = function.register(specification)?;
    let total: sriov::TotalVfs = function.register(specification)?;
    // NumVFs counts only while VF Enable is set (PCIe 6.2, 9.3.3.7).
    Some((if control.vf_enable() { number.number().into() } else { 0 }, total.number().into()))
}

/// Configuration space, unless it is that of a virtual function: its BARs read zero, its memory is behind the physical
/// function's VF BARs.
fn own_space(function: &Function) -> Option<&ConfigSpace> {
    function.space().filter(|_| !function.is_virtual())
}

/// The slot whose address is that of the function's device (`sys/bus/pci/slots/NAME/address`).
fn slot(inspection: Inspection<'_>, function: &Function) -> Option<String> {
    let a = function.address;
    let device = format!("{:04x}:{:02x}:{:02x}", a.domain, a.bus, a.device);
    inspection.platform.slot(&device).map(|slot| slot.name.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::enumerate::Entry;
    use crate::machine::reading::Reading;

    fn physical_function(control: u8, known: u16) -> Function {
        let mut bytes = vec![0; 4096];
        bytes[..12].copy_from_slice(&[0xb3, 0x15, 0x1d, 0x10, 6, 0, 0x10, 0, 0, 0, 0, 2]);
        bytes[0x34] = 0x40;
        bytes[0x40..0x44].copy_from_slice(&[0x10, 0, 2, 0]);
        bytes[0x100..0x104].copy_from_slice(&[0x10, 0, 1, 0]);
        bytes[0x108] = control;
        bytes[0x10e] = 8;
        bytes[0x110] = 3;
        let address = Bdf { domain: 0, bus: 1, device: 0, function: 0 };
        let mut reading = Reading::failed(address, crate::tree::Cause::NotCaptured);
        reading.config_error = None;
        reading.space = ConfigSpace::new(4096);
        reading.space.store(0, &bytes[..usize::from(known)]);
        Function::new(
            &Entry { address, path: String::new(), parent: None, host_bridge: None, linked: true },
            reading,
        )
    }

    #[test]
    fn virtual_functions_are_counted_by_the_registers() {
        assert_eq!(virtual_functions(&physical_function(1, 4096)), Some((3, 8)));
        assert_eq!(virtual_functions(&physical_function(0, 4096)), Some((0, 8)), "VF Enable is off");
        assert_eq!(virtual_functions(&physical_function(1, 0x110)), None, "not read so far");
        assert_eq!(virtual_functions(&physical_function(1, 0x100)), None, "the list was not read");
    }
}
