//! Capabilities in `show`, and what of them is not decoded, not read, or reserved.

use super::together::{Together, together};
use crate::machine::Function;
use crate::pci::decode::{Capability, shown_raw};
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
    pub not_read: Option<&'static str>,
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
pub fn capability_entry(function: &Function, capability: &Capability) -> CapabilityEntry {
    let located = capability.located;
    let width = if located.list == List::Standard { 2 } else { 4 };
    CapabilityEntry {
        path: capability.path(),
        name: capability.specification.map(|s| s.name),
        list: located.list,
        id: format!("{:#0width$x}", located.id, width = width + 2),
        version: located.version,
        offset: located.offset,
        decoded: !capability.registers.is_empty(),
        undecoded: undecoded(function, capability),
        together: together(capability),
        reserved_bytes: reserved_bytes(function, capability),
        not_read: capability.not_read(),
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
