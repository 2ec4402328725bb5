//! `show`: everything about a function.

use std::collections::BTreeMap;

use crate::inspect::value::{json_value, text_value};
use crate::machine::Function;
use crate::machine::aspm::{self, Aspm, AspmControl};
use crate::machine::interrupts::{self, LinuxInterrupt, Mode};
use crate::pci::decode::{Capability, Placed};
use crate::pci::header;
use crate::pci::register::Field;
use crate::pci::reserved;
use crate::pci::walk::Anomaly;

use super::Inspection;
use super::capability::{CapabilityEntry, ReservedByte, capability_entry, reserved_header_bytes};
use super::containment::{Containment, containment};
use super::doe_features::{DoeFeature, doe_features};
use super::general::General;
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
    /// What Linux and the hierarchy add to it.
    #[serde(flatten)]
    pub general: General,
    /// ASPM at this end and who decides about it.
    pub aspm_detail: Option<Aspm>,
    /// Who decides about ASPM.
    pub aspm_control: AspmControl,
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
    Details {
        summary: summary(inspection.names, function),
        general: General::new(inspection, function, lines),
        aspm_detail: aspm::aspm(function),
        aspm_control: aspm::control(inspection.platform, function.host_bridge.as_deref()),
        containment: containment(function),
        reserved_header_bytes: reserved_header_bytes(function),
        logged_packets: decoded.capabilities.iter().filter_map(logged_packet).collect(),
        interrupt_mode: interrupts::mode(function),
        interrupt_pin: interrupts::pin(function),
        interrupts: interrupts::linux_interrupts(inspection.tree, function, lines),
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
