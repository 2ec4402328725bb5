//! Encodings in packet headers. PCIe 6.2, 2.2.1 to 2.2.10.

use super::registers::header_log as log;
use crate::pci::register::Meaning;

/// How the doublewords behind the first are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Memory request with a 32-bit address.
    Memory32,
    /// Memory request with a 64-bit address.
    Memory64,
    /// AtomicOp with a 32-bit address: no byte enables.
    Atomic32,
    /// AtomicOp with a 64-bit address: no byte enables.
    Atomic64,
    /// I/O request.
    Io,
    /// Configuration request.
    Configuration,
    /// Message.
    Message,
    /// Completion.
    Completion,
}

/// Fmt\[2:0\] and Type\[4:0\] in one byte (PCIe 6.2, 2.2.1.1). TCfgRd and the prefixes are named too, although no log should
/// begin with one.
pub const FMT_AND_TYPE: Meaning = Meaning::Choice(&[
    (0x00, "MRd32"),
    (0x20, "MRd64"),
    (0x01, "MRdLk32"),
    (0x21, "MRdLk64"),
    (0x40, "MWr32"),
    (0x60, "MWr64"),
    (0x02, "IORd"),
    (0x42, "IOWr"),
    (0x04, "CfgRd0"),
    (0x44, "CfgWr0"),
    (0x05, "CfgRd1"),
    (0x45, "CfgWr1"),
    (0x1b, "TCfgRd"),
    (0x5b, "DMWr32"),
    (0x7b, "DMWr64"),
    (0x30, "Msg to the root complex"),
    (0x31, "Msg by address"),
    (0x32, "Msg by ID"),
    (0x33, "Msg broadcast by the root complex"),
    (0x34, "Msg to the other end of the link"),
    (0x35, "Msg gathered for the root complex"),
    (0x70, "MsgD to the root complex"),
    (0x71, "MsgD by address"),
    (0x72, "MsgD by ID"),
    (0x73, "MsgD broadcast by the root complex"),
    (0x74, "MsgD to the other end of the link"),
    (0x75, "MsgD gathered for the root complex"),
    (0x0a, "Cpl"),
    (0x4a, "CplD"),
    (0x0b, "CplLk"),
    (0x4b, "CplDLk"),
    (0x4c, "FetchAdd32"),
    (0x6c, "FetchAdd64"),
    (0x4d, "Swap32"),
    (0x6d, "Swap64"),
    (0x4e, "CAS32"),
    (0x6e, "CAS64"),
    (0x80, "MR-IOV prefix"),
    (0x8e, "VendPrefixL0"),
    (0x8f, "VendPrefixL1"),
    (EXTENDED_TPH as u64, "ExtTPH prefix"),
    (PASID as u64, "PASID prefix"),
    (IDE as u64, "IDE prefix"),
    (VENDOR_0 as u64, "VendPrefixE0"),
    (VENDOR_1 as u64, "VendPrefixE1"),
]);

/// Fmt and Type of End-End TLP Prefixes (PCIe 6.2, 2.2.10).
pub const EXTENDED_TPH: u8 = 0x90;
/// PASID.
pub const PASID: u8 = 0x91;
/// Integrity and Data Encryption.
pub const IDE: u8 = 0x92;
/// Vendor-defined.
pub const VENDOR_0: u8 = 0x9e;
/// Vendor-defined.
pub const VENDOR_1: u8 = 0x9f;

/// How the doublewords behind the first are laid out; `None` for types that are reserved, deprecated, or no request and no
/// answer.
pub fn kind(fmt_and_type: u8) -> Option<Kind> {
    Some(match fmt_and_type {
        0x00 | 0x01 | 0x40 | 0x5b => Kind::Memory32,
        0x20 | 0x21 | 0x60 | 0x7b => Kind::Memory64,
        0x02 | 0x42 => Kind::Io,
        0x04 | 0x05 | 0x44 | 0x45 => Kind::Configuration,
        0x0a | 0x0b | 0x4a | 0x4b => Kind::Completion,
        0x4c..=0x4e => Kind::Atomic32,
        0x6c..=0x6e => Kind::Atomic64,
        // The two routings above 5 are reserved.
        0x30..=0x35 | 0x70..=0x75 => Kind::Message,
        _ => return None,
    })
}

/// Routing of a message by ID (PCIe 6.2, 2.2.8).
pub const ROUTED_BY_ID: u8 = 2;
/// Routing of a message by address.
pub const ROUTED_BY_ADDRESS: u8 = 1;

/// Whether nobody answers the request: memory writes.
pub fn is_posted(first: log::Packet) -> bool {
    matches!(first.fmt_and_type(), 0x40 | 0x60)
}

/// Whether the request has a steering tag: TH is set, and it is one to memory. TH is reserved elsewhere (PCIe 6.2, 2.2.7.1.1).
pub fn has_steering_tag(first: log::Packet) -> bool {
    let kind = kind(first.fmt_and_type() as u8);
    let to_memory = matches!(kind, Some(Kind::Memory32 | Kind::Memory64 | Kind::Atomic32 | Kind::Atomic64));
    to_memory && first.tlp_processing_hints()
}

/// Whether Length means something: it is reserved for messages and completions without data (PCIe 6.2, 2.2.8 and 2.2.9).
/// `true` for types that are not known.
pub fn has_length(first: log::Packet) -> bool {
    let with_data = first.fmt_and_type() & 0x40 != 0;
    with_data || !matches!(kind(first.fmt_and_type() as u8), Some(Kind::Message | Kind::Completion))
}

/// Latency Tolerance Reporting.
pub const LTR: u8 = 0x10;
/// Page Request.
pub const PAGE_REQUEST: u8 = 0x04;

/// Whether a message is vendor-defined.
pub fn is_vendor_defined(code: u8) -> bool {
    matches!(code, 0x7e | 0x7f)
}

/// Message Code (PCIe 6.2, 2.2.8; kernel: PCIE_MSG_CODE_* in drivers/pci/pci.h).
pub const MESSAGE_CODE: Meaning = Meaning::Choice(&[
    (0x00, "Unlock"),
    (0x01, "Invalidate Request"),
    (0x02, "Invalidate Completion"),
    (PAGE_REQUEST as u64, "Page Request"),
    (0x05, "PRG Response"),
    (LTR as u64, "LTR"),
    (0x12, "OBFF"),
    (0x14, "PM_Active_State_Nak"),
    (0x18, "PM_PME"),
    (0x19, "PME_Turn_Off"),
    (0x1b, "PME_TO_Ack"),
    (0x20, "Assert_INTA"),
    (0x21, "Assert_INTB"),
    (0x22, "Assert_INTC"),
    (0x23, "Assert_INTD"),
    (0x24, "Deassert_INTA"),
    (0x25, "Deassert_INTB"),
    (0x26, "Deassert_INTC"),
    (0x27, "Deassert_INTD"),
    (0x30, "ERR_COR"),
    (0x31, "ERR_NONFATAL"),
    (0x33, "ERR_FATAL"),
    (0x40, "Attention_Indicator_Off"),
    (0x41, "Attention_Indicator_On"),
    (0x43, "Attention_Indicator_Blink"),
    (0x44, "Power_Indicator_Off"),
    (0x45, "Power_Indicator_On"),
    (0x47, "Power_Indicator_Blink"),
    (0x48, "Attention_Button_Pressed"),
    (0x50, "Set_Slot_Power_Limit"),
    (0x52, "PTM Request"),
    (0x53, "PTM Response"),
    (0x7e, "Vendor_Defined Type 0"),
    (0x7f, "Vendor_Defined Type 1"),
]);

/// Completion Status (PCIe 6.2, 2.2.9.1).
pub const COMPLETION_STATUS: Meaning = Meaning::Choice(&[
    (0, "Successful Completion"),
    (1, "Unsupported Request"),
    (2, "Request Retry Status"),
    (4, "Completer Abort"),
]);

/// Address Type (PCIe 6.2, 10.2.1).
pub const ADDRESS_TYPE: Meaning =
    Meaning::Choice(&[(0, "untranslated"), (1, "translation request"), (2, "translated")]);

/// Processing Hint (PCIe 6.2, 2.2.7.1.1).
pub const PROCESSING_HINT: Meaning =
    Meaning::Choice(&[(0, "bi-directional"), (1, "requester"), (2, "target"), (3, "target with priority")]);

/// The word for a value of one of these.
pub fn word(meaning: Meaning, value: u64) -> Option<&'static str> {
    match meaning {
        Meaning::Choice(names) => names.iter().find(|(number, _)| *number == value).map(|(_, word)| *word),
        _ => None,
    }
}
