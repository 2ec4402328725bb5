//! Capabilities in `show`, and what of them is not decoded, not read, or reserved.

use std::borrow::Cow;

use super::together::{Together, together};
use crate::inspect::vital_product_data::vital_product_data;
use crate::machine::{Function, Machine};
use crate::names::Names;
use crate::pci::capability::vpd;
use crate::pci::decode::{Capability, shown_raw};
use crate::pci::extended::dvsec;
use crate::pci::walk::List;
use crate::pci::{left_out, reserved};

/// A byte of configuration space.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct ReservedByte {
    /// Offset in configuration space.
    pub offset: u16,
    /// Its value.
    pub value: u8,
}

/// A capability.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct CapabilityEntry {
    /// First part of the dotted paths of its registers, such as `express` or `vsec[1]`.
    pub path: String,
    /// Name in the words of the specification; `null` for an unknown ID.
    pub name: Option<&'static str>,
    /// The list it is on.
    pub list: List,
    /// Capability ID, such as `0x10`.
    pub id: String,
    /// Whose Designated Vendor-Specific Extended Capability it is, and which; `null` for other capabilities, and if that was
    /// not read.
    pub designated: Option<Designated>,
    /// Version, on the extended list.
    pub version: u8,
    /// Offset in configuration space.
    pub offset: u16,
    /// Whether registers of it are decoded.
    pub decoded: bool,
    /// The part that is not decoded, because its layout is not public or is the vendor's; `null` if there is none.
    pub undecoded: Option<Undecoded>,
    /// What several of its registers say only together.
    pub together: Vec<Together>,
    /// Reserved bytes beside its registers that are not zero although they should be.
    pub reserved_bytes: Vec<ReservedByte>,
    /// Part of the capability that is not read, because that would take a write or do something, with the reason.
    pub not_read: Option<Cow<'static, str>>,
}

/// What a vendor uses a Designated Vendor-Specific Extended Capability for.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct Designated {
    /// ID of the vendor who defined it.
    pub vendor_id: String,
    /// That vendor's name.
    pub vendor: Option<String>,
    /// DVSEC ID.
    pub id: String,
    /// Name in the words of that vendor's specification; `null` if it is not known.
    pub name: Option<&'static str>,
}

/// A part of a capability that is not decoded.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct Undecoded {
    /// Offset of its first byte in configuration space.
    pub offset: u16,
    /// How many bytes it has; of a capability whose length nobody knows, at most 64.
    pub length: u16,
    /// Its first bytes in hexadecimal, as far as they were read and at most 64.
    pub bytes: String,
    /// Why it is not decoded; `null` for an ID that is not known.
    pub reason: Option<&'static str>,
}

/// A capability for programs.
pub fn capability_entry(
    machine: &Machine,
    names: &Names,
    function: &Function,
    capability: &Capability,
) -> CapabilityEntry {
    let located = capability.located;
    let width = if located.list == List::Standard { 2 } else { 4 };
    CapabilityEntry {
        path: capability.path(),
        name: capability.specification.map(|s| s.name),
        list: located.list,
        id: format!("{:#0width$x}", located.id, width = width + 2),
        designated: designated(names, capability),
        version: located.version,
        offset: located.offset,
        decoded: !capability.registers.is_empty(),
        undecoded: undecoded(function, capability),
        together: together(capability),
        reserved_bytes: reserved_bytes(function, capability),
        not_read: not_read(machine, function, capability),
    }
}

/// Whose Designated Vendor-Specific Extended Capability it is, and which.
pub fn designated(names: &Names, capability: &Capability) -> Option<Designated> {
    let vendor_id = capability.get::<dvsec::Header1>()?.vendor_id() as u16;
    let id = capability.get::<dvsec::Header2>()?.id();
    let kind = dvsec::kind(vendor_id, id);
    let vendor = || names.vendor(vendor_id).map(|name| name.into_owned());
    Some(Designated {
        vendor_id: super::hex4(vendor_id),
        vendor: kind.map(|kind| kind.vendor.to_owned()).or_else(vendor),
        id: super::hex4(id),
        name: kind.map(|kind| kind.name),
    })
}

/// What a capability is called: a Designated Vendor-Specific one by what the vendor calls it, or by whose it is.
pub fn title(names: &Names, capability: &Capability) -> String {
    let name = capability.specification.map_or("unknown capability", |s| s.name);
    match designated(names, capability) {
        None => name.to_owned(),
        Some(Designated { name: Some(kind), vendor: Some(vendor), .. }) => format!("{kind} ({vendor})"),
        Some(Designated { vendor, vendor_id, id, .. }) => {
            let vendor = vendor.unwrap_or_else(|| format!("vendor {vendor_id}"));
            format!("{name} ({vendor}, DVSEC ID {id})")
        }
    }
}

/// What of a capability is not read, and why.
pub fn not_read(
    machine: &Machine,
    function: &Function,
    capability: &Capability,
) -> Option<Cow<'static, str>> {
    let why = capability.not_read()?;
    let is_vpd = capability.specification.is_some_and(|s| s.key == vpd::SPECIFICATION.key);
    match vital_product_data(machine, function).filter(|_| is_vpd) {
        None => Some(Cow::Borrowed(why)),
        // The kernel's file was asked for the data.
        Some(data) => data.unread.map(|why| Cow::Owned(format!("the data: {why}"))),
    }
}

fn reserved_bytes(function: &Function, capability: &Capability) -> Vec<ReservedByte> {
    let bytes = function.space().map(|space| capability.reserved_bytes(space)).unwrap_or_default();
    bytes.into_iter().map(|(offset, value)| ReservedByte { offset, value }).collect()
}

/// Reserved bytes of the header that are not zero.
pub fn reserved_header_bytes(function: &Function) -> Vec<ReservedByte> {
    let bytes = function.space().map(reserved::header_bytes).unwrap_or_default();
    bytes.into_iter().map(|(offset, value)| ReservedByte { offset, value }).collect()
}

/// The part of a capability that is not decoded.
pub fn undecoded(function: &Function, capability: &Capability) -> Option<Undecoded> {
    let (offset, end) = capability.undecoded?;
    let bytes = known_bytes(function, offset, shown_raw((offset, end)).1);
    let bytes: Vec<String> = bytes.iter().map(|b| format!("{b:02x}")).collect();
    let reason = capability.specification.and_then(|s| left_out::why_not_decoded(s.key));
    Some(Undecoded { offset, length: end - offset, bytes: bytes.join(" "), reason })
}

/// The bytes from one offset to the other, up to the first that was not read.
pub fn known_bytes(function: &Function, offset: u16, end: u16) -> &[u8] {
    let Some(space) = function.space() else { return &[] };
    let known = (offset..end).take_while(|o| space.is_known(*o, 1)).count();
    space.bytes(offset, known as u16).unwrap_or_default()
}
