//! `show`: everything about a function.

use std::collections::BTreeMap;

use crate::inspect::value::{json_value, text_value};
use crate::machine::Function;
use crate::machine::aer::{self, Aer};
use crate::machine::aspm::{self, Aspm, AspmControl};
use crate::machine::interrupts::{self, LinuxInterrupt, Mode};
use crate::machine::link::{self, Rate};
use crate::machine::power::{self, Power};
use crate::pci::bars::{self, Bar, BridgeWindow};
use crate::pci::decode::{Capability, Placed};
use crate::pci::expansion_rom::{ExpansionRom, expansion_rom};
use crate::pci::extended::sriov;
use crate::pci::header;
use crate::pci::register::Field;
use crate::pci::walk::Anomaly;
use crate::pci::{Bdf, ConfigSpace, reserved};

use super::Inspection;
use super::capability::{CapabilityEntry, ReservedByte, capability_entry, reserved_header_bytes};
use super::containment::{Containment, containment};
use super::doe_features::{DoeFeature, doe_features};
use super::list::{Summary, summary};
use super::packet::{LoggedPacket, logged_packet};
use super::rcd_link::{RcdRegister, rcd_link};
use super::vital_product_data::{VitalProductData, vital_product_data};

/// Answer of `show`.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct Show {
    /// The functions that were asked for.
    pub functions: Vec<Details>,
    /// What was noticed while reading.
    pub notes: Vec<String>,
}

/// A field with its value.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct FieldValue {
    /// The number as it stands in the register; `null` if it was not read.
    pub raw: Option<u64>,
    /// What it means: a yes or no, a number in the unit that the text names, a word; `null` if it was not read or is
    /// reserved. Speeds are in MT/s, sizes in bytes, times in nanoseconds, power in milliwatts.
    pub value: serde_json::Value,
    /// The same for people.
    pub text: String,
}

/// A register with its value.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct RegisterValue {
    /// Short name, as lspci or the kernel write it.
    pub short: &'static str,
    /// Offset in configuration space.
    pub offset: u16,
    /// Width in bytes.
    pub width: u8,
    /// The value; `null` if it was not read.
    pub raw: Option<u64>,
    /// Reserved bits that are set although they should be zero.
    pub reserved: u64,
}

impl RegisterValue {
    /// That of a register at its place.
    pub fn of(placed: &Placed) -> Self {
        let register = placed.register;
        RegisterValue {
            short: register.short,
            offset: placed.offset,
            width: register.width,
            raw: placed.raw,
            reserved: reserved::bits(placed),
        }
    }
}

/// Everything about a function.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct Details {
    /// The function in short.
    #[serde(flatten)]
    pub summary: Summary,
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
    /// ASPM at this end and who decides about it.
    pub aspm_detail: Option<Aspm>,
    /// Who decides about ASPM.
    pub aspm_control: AspmControl,
    /// Advanced Error Reporting.
    pub aer: Aer,
    /// Why the port is contained (DPC); `null` if it is not, has no such capability, or was not read.
    pub containment: Option<Containment>,
    /// Reserved bytes of the header that are not zero although they should be.
    pub reserved_header_bytes: Vec<ReservedByte>,
    /// Packets that are logged with errors (header logs of AER and DPC that belong to an error).
    pub logged_packets: Vec<LoggedPacket>,
    /// Which kind of interrupt is enabled; `null` if it was not read.
    pub interrupt_mode: Option<Mode>,
    /// The interrupt pin that the function uses: `A` to `D`; `null` if it has none or was not read.
    pub interrupt_pin: Option<char>,
    /// The function's interrupts as Linux sees them.
    pub interrupts: Vec<LinuxInterrupt>,
    /// Base Address Registers.
    pub bars: Vec<Bar>,
    /// Expansion ROM; `null` if there is none or nothing tells.
    pub expansion_rom: Option<ExpansionRom>,
    /// Windows of a bridge.
    pub windows: Vec<BridgeWindow>,
    /// Capabilities in the order of the lists.
    pub capabilities: Vec<CapabilityEntry>,
    /// What is wrong with the lists.
    pub anomalies: Vec<Anomaly>,
    /// What the mailboxes of Data Object Exchange understand; `null` if the function has none or the source does not tell.
    pub doe_features: Option<Vec<DoeFeature>>,
    /// Link registers of a Restricted CXL Device, by the kernel's file that each is from; empty for other functions.
    pub rcd_link: BTreeMap<&'static str, RcdRegister>,
    /// Registers by dotted path.
    pub registers: BTreeMap<String, RegisterValue>,
    /// Fields by dotted path.
    pub fields: BTreeMap<String, FieldValue>,
    /// Why something could not be read, by the file's name.
    pub unread: BTreeMap<String, String>,
    /// Vital product data, if it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vpd: Option<VitalProductData>,
    /// Configuration space as far as it was read, offset to hexadecimal, if it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hex: Option<BTreeMap<u16, String>>,
}

/// The decoded parts of a function, for text and `--field`.
pub struct Decoded {
    /// Registers of the header.
    pub header: Vec<Placed>,
    /// Capabilities.
    pub capabilities: Vec<Capability>,
    /// What is wrong with the lists.
    pub anomalies: Vec<Anomaly>,
}

impl Decoded {
    /// Decodes a function; everything is empty unless it answers.
    pub fn new(function: &Function) -> Self {
        let (capabilities, anomalies) = function.decode();
        let header = function.space().map(header::registers).unwrap_or_default();
        Decoded { header, capabilities, anomalies }
    }

    /// Every register with the first part of its path, in order.
    pub fn registers(&self) -> impl Iterator<Item = (String, &Placed)> {
        let header = self.header.iter().map(|placed| ("header".to_owned(), placed));
        let others = self.capabilities.iter().flat_map(|capability| {
            let path = capability.path();
            capability.registers.iter().map(move |placed| (path.clone(), placed))
        });
        header.chain(others)
    }
}

/// A field's value as JSON carries it.
pub fn field_value(field: &Field, raw: Option<u64>) -> FieldValue {
    match raw {
        Some(raw) => FieldValue {
            raw: Some(field.extract(raw)),
            value: json_value(field, raw),
            text: text_value(field, raw),
        },
        None => FieldValue { raw: None, value: serde_json::Value::Null, text: "not read".to_owned() },
    }
}

/// Everything about one function. `lines` is `/proc/interrupts`; `hex` adds configuration space.
pub fn details(
    inspection: Inspection<'_>,
    function: &Function,
    lines: Option<&[interrupts::Line]>,
    hex: bool,
) -> Details {
    let decoded = Decoded::new(function);
    let mut registers = BTreeMap::new();
    let mut fields = BTreeMap::new();
    for (capability, placed) in decoded.registers() {
        let path = format!("{capability}.{}", placed.path());
        for field in placed.register.fields {
            fields.insert(format!("{path}.{}", field.key), field_value(field, placed.raw));
        }
        registers.insert(path, RegisterValue::of(placed));
    }
    let general = General::new(inspection, function, lines);
    Details {
        summary: summary(inspection.names, function),
        numa_node: general.numa_node,
        iommu_group: general.iommu_group,
        slot: general.slot,
        reset_methods: general.reset_methods,
        local_processors: general.local_processors,
        enable_count: general.enable_count,
        msi_allowed: general.msi_allowed,
        label: general.label,
        physical_function: general.physical_function,
        virtual_functions: general.virtual_functions,
        power: general.power,
        link_partner: general.partner.map(|p| p.address),
        link_partner_maximum: general.partner.and_then(link::link).map(|l| l.maximum),
        aspm_detail: aspm::aspm(function),
        aspm_control: aspm::control(inspection.platform, function.host_bridge.as_deref()),
        aer: general.aer,
        containment: containment(function),
        reserved_header_bytes: reserved_header_bytes(function),
        logged_packets: decoded.capabilities.iter().filter_map(logged_packet).collect(),
        interrupt_mode: interrupts::mode(function),
        interrupt_pin: interrupts::pin(function),
        interrupts: interrupts::linux_interrupts(inspection.tree, function, lines),
        bars: general.bars,
        expansion_rom: general.expansion_rom,
        windows: general.windows,
        capabilities: decoded
            .capabilities
            .iter()
            .map(|c| capability_entry(inspection.machine, inspection.names, function, c))
            .collect(),
        rcd_link: rcd_link(function),
        anomalies: decoded.anomalies,
        doe_features: doe_features(function),
        registers,
        fields,
        unread: unread(function),
        vpd: vital_product_data(inspection.machine, function),
        hex: hex.then(|| hexadecimal(function)),
    }
}

/// What Linux and the hierarchy add to a function.
pub struct General<'a> {
    /// NUMA node.
    pub numa_node: Option<u32>,
    /// IOMMU group.
    pub iommu_group: Option<String>,
    /// Physical slot.
    pub slot: Option<String>,
    /// Reset methods.
    pub reset_methods: Option<Vec<String>>,
    /// Processors near the function.
    pub local_processors: Option<String>,
    /// `enable`.
    pub enable_count: Option<u32>,
    /// `msi_bus`.
    pub msi_allowed: Option<bool>,
    /// `label`.
    pub label: Option<String>,
    /// `physfn`.
    pub physical_function: Option<String>,
    /// Virtual functions that are on, and that there can be.
    pub virtual_functions: Option<(u32, u32)>,
    /// Power state.
    pub power: Power,
    /// The other end of the link.
    pub partner: Option<&'a Function>,
    /// Advanced Error Reporting.
    pub aer: Aer,
    /// Linux's numbers of its interrupts, and how often each was delivered, where that is known.
    pub interrupts: Vec<(u32, Option<u64>)>,
    /// Base Address Registers.
    pub bars: Vec<Bar>,
    /// Expansion ROM.
    pub expansion_rom: Option<ExpansionRom>,
    /// Windows of a bridge.
    pub windows: Vec<BridgeWindow>,
}

impl<'a> General<'a> {
    /// Collects it.
    pub fn new(
        inspection: Inspection<'a>,
        function: &'a Function,
        lines: Option<&[interrupts::Line]>,
    ) -> Self {
        let reading = &function.reading;
        let text = |name| reading.text(name).map(str::to_owned);
        let number = |name: &str| reading.text(name).and_then(|t| t.parse().ok());
        let resources = reading.text("resource").and_then(bars::resources);
        let is_bridge = function.header_layout() == Some(1);
        let (numbers, _) = interrupts::numbers(function);
        let count = |number| lines.and_then(|lines| interrupts::line(lines, number)).map(|line| line.count);
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
            partner: link::partner(inspection.machine, function),
            aer: aer::aer(inspection.machine, function, inspection.platform, lines),
            interrupts: numbers.into_iter().map(|number| (number, count(number))).collect(),
            bars: base_addresses(function, resources.as_deref()),
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

/// Base Address Registers. Those of a virtual function read zero; its memory is behind the physical function's VF BARs.
fn base_addresses(function: &Function, resources: Option<&[bars::Resource]>) -> Vec<Bar> {
    bars::bars(own_space(function), resources)
}

/// Configuration space, unless it is that of a virtual function.
fn own_space(function: &Function) -> Option<&ConfigSpace> {
    function.space().filter(|_| !function.is_virtual())
}

/// The slot whose address is that of the function's device (`sys/bus/pci/slots/NAME/address`).
fn slot(inspection: Inspection<'_>, function: &Function) -> Option<String> {
    let a = function.address;
    let device = format!("{:04x}:{:02x}:{:02x}", a.domain, a.bus, a.device);
    inspection.platform.slot(&device).map(|slot| slot.name.clone())
}

fn unread(function: &Function) -> BTreeMap<String, String> {
    let mut unread = BTreeMap::new();
    unread.extend(function.unread().map(|why| ("config".to_owned(), why)));
    for (index, answer) in &function.reading.answers {
        let Some(attribute) = crate::machine::attributes::ALL.get(usize::from(*index)) else { continue };
        if let Err(cause) = answer
            && *cause != crate::tree::Cause::Errno(nix::errno::Errno::ENOENT)
        {
            unread.insert(attribute.name.to_owned(), cause.to_string());
        }
    }
    unread
}

fn hexadecimal(function: &Function) -> BTreeMap<u16, String> {
    let pieces = function.reading.space.pieces();
    pieces.map(|(offset, bytes)| (offset, bytes.iter().map(|b| format!("{b:02x}")).collect())).collect()
}

/// The answer.
pub fn show(
    inspection: Inspection<'_>,
    lines: Option<&[interrupts::Line]>,
    hex: bool,
    notes: Vec<String>,
) -> Show {
    let functions: Vec<&Function> = inspection.machine.wanted().collect();
    let functions = crate::machine::in_threads(functions, |f| details(inspection, f, lines, hex));
    Show { functions, notes }
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
