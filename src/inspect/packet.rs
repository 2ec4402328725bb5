//! Logged packets in words: which request was being made when something failed.

use crate::pci::decode::Capability;
use crate::pci::extended::{aer, dpc};
use crate::pci::register::RegisterType;
use crate::pci::tlp::registers::header_log as log;
use crate::pci::tlp::{self, Body, Logged, Packet, names};

use super::value::{requester, text_value};

/// A packet that a function logged together with an error.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct LoggedPacket {
    /// Path of the capability whose log it is: `aer` or `dpc`.
    pub capability: String,
    /// The error that it belongs to, by field name.
    pub error: &'static str,
    /// The same by the name that lspci and the kernel use, such as `UnsupReq`.
    pub error_short: &'static str,
    /// Doublewords of the header, such as `0x04000001`.
    pub header: Vec<String>,
    /// End-to-end prefixes.
    pub prefixes: Vec<String>,
    /// Whether the header is one of Flit Mode; `null` if that is not known.
    pub flit_mode: Option<bool>,
    /// What the packet was; `null` if the header could not be decoded.
    pub packet: Option<PacketEntry>,
    /// The same for people, or why it could not be decoded.
    pub text: String,
}

/// A packet as far as its header tells.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct PacketEntry {
    /// Type, such as `CfgRd0`, `MWr64` or `CplD`; with its routing, if it is a message.
    pub kind: &'static str,
    /// Who made the request, such as `82:00.0`; of a completion, whose request it answers.
    pub requester: String,
    /// Tag of the request; `null` for a memory write with a processing hint, which has a steering tag in its place.
    pub tag: Option<u16>,
    /// Bits 7:0 of the steering tag of a request with a processing hint; bits 15:8 are in a prefix, if there is one.
    pub steering_tag: Option<u8>,
    /// Traffic class.
    pub traffic_class: u8,
    /// Length of the data, or of what is asked for, in doublewords; `null` for packets that have none.
    pub length: Option<u16>,
    /// Address of a memory or I/O request, such as `0x38000001000`.
    pub address: Option<String>,
    /// Who is asked (configuration requests, messages by ID), or who answers (completions).
    pub completer: Option<String>,
    /// Offset in configuration space.
    pub register: Option<u16>,
    /// Bytes of the first doubleword that are meant, bit 0 = the lowest address.
    pub first_byte_enables: Option<u8>,
    /// The same of the last doubleword; 0 if there is one only.
    pub last_byte_enables: Option<u8>,
    /// What a completion says of the request; `null` if the encoding is reserved.
    pub completion_status: Option<&'static str>,
    /// Bytes that remain to be sent for the request that a completion answers, with those of this packet.
    pub byte_count: Option<u16>,
    /// Low seven bits of the address of the first byte of a completion.
    pub lower_address: Option<u8>,
    /// What a message says; `null` if the code is not known.
    pub message: Option<&'static str>,
    /// Who defined a vendor-defined message, such as `0x0001`, the PCI-SIG.
    pub message_vendor_id: Option<String>,
}

/// The packet in a capability's log, if it belongs to an error.
pub fn logged_packet(capability: &Capability) -> Option<LoggedPacket> {
    let key = capability.specification?.key;
    let logged = match key {
        "aer" => aer::logged(capability),
        "dpc" => dpc::logged(capability),
        _ => None,
    }?;
    let words = |words: &[u32]| words.iter().map(|word| format!("{word:#010x}")).collect();
    let packet = match logged.flit_mode {
        Some(false) => tlp::parse(&logged.header),
        _ => None,
    };
    Some(LoggedPacket {
        capability: capability.path(),
        error: logged.error.key,
        error_short: logged.error.short,
        header: words(&logged.header),
        prefixes: words(&logged.prefixes),
        flit_mode: logged.flit_mode,
        packet: packet.as_ref().map(entry),
        text: logged_text(&logged, packet),
    })
}

/// What is said of a header log without a packet in it.
pub const ALL_ZEROS: &str = "the header log is all zeros: no packet was recorded";

fn logged_text(logged: &Logged, packet: Option<Packet>) -> String {
    if !tlp::is_packet(&logged.header) {
        return ALL_ZEROS.to_owned();
    }
    let Some(packet) = packet else {
        return match logged.flit_mode {
            Some(true) => {
                "a packet of Flit Mode: only its first doubleword is decoded, because what the others mean depends on its type"
            }
            Some(false) => "not a packet: the type in its first doubleword is reserved, or doublewords are missing",
            None => "not decoded: the link is down, so whether the packet is one of Flit Mode is not known",
        }
        .to_owned();
    };
    let mut text = packet_text(&packet);
    for prefix in &logged.prefixes {
        text.push_str("; ");
        text.push_str(&prefix_text(*prefix));
    }
    text
}

/// A packet for programs.
pub fn entry(packet: &Packet) -> PacketEntry {
    let mut entry = PacketEntry {
        kind: kind(packet),
        requester: requester(packet.request.id),
        tag: packet.request.tag,
        steering_tag: None,
        traffic_class: packet.first.traffic_class() as u8,
        length: packet.length(),
        address: None,
        completer: None,
        register: None,
        first_byte_enables: None,
        last_byte_enables: None,
        completion_status: None,
        byte_count: None,
        lower_address: None,
        message: None,
        message_vendor_id: None,
    };
    match packet.body {
        Body::Address { address, first_byte_enables, last_byte_enables, steering_tag } => {
            entry.steering_tag = steering_tag;
            entry.address = Some(format!("{address:#x}"));
            (entry.first_byte_enables, entry.last_byte_enables) = (first_byte_enables, last_byte_enables);
        }
        Body::Configuration { target, register, byte_enables } => {
            entry.completer = Some(requester(target));
            (entry.register, entry.first_byte_enables) = (Some(register), Some(byte_enables));
        }
        Body::Message { code, target, vendor, .. } => {
            entry.message_vendor_id = vendor.map(super::hex4);
            entry.message = names::word(names::MESSAGE_CODE, code.into());
            entry.completer = target.map(requester);
        }
        Body::Completion { completer, status, byte_count, lower_address } => {
            (entry.byte_count, entry.lower_address) = (Some(byte_count), Some(lower_address));
            entry.completer = Some(requester(completer));
            entry.completion_status = names::word(names::COMPLETION_STATUS, status.into());
        }
    }
    entry
}

fn kind(packet: &Packet) -> &'static str {
    names::word(names::FMT_AND_TYPE, packet.first.fmt_and_type().into()).unwrap_or("reserved")
}

/// A packet in one line: `CfgRd0 of register 0x034 of 02:00.1, byte enables 0001, by 00:00.0, tag 0x1f`.
pub fn packet_text(packet: &Packet) -> String {
    let mut text = kind(packet).to_owned();
    let by = requester(packet.request.id);
    let length = packet.length().map_or(String::new(), |n| match n {
        1 => " of 1 doubleword".to_owned(),
        n => format!(" of {n} doublewords"),
    });
    match packet.body {
        Body::Address { address, first_byte_enables, last_byte_enables, .. } => {
            text.push_str(&format!("{length} at {address:#x}"));
            match (first_byte_enables, last_byte_enables) {
                (Some(first), Some(last)) if packet.length() != Some(1) => {
                    text.push_str(&format!(", byte enables {first:04b} first, {last:04b} last"));
                }
                (Some(first), _) => text.push_str(&format!(", byte enables {first:04b}")),
                (None, _) => {}
            }
            text.push_str(&format!(", by {by}"));
        }
        Body::Configuration { target, register, byte_enables } => text.push_str(&format!(
            " of register {register:#05x} of {}, byte enables {byte_enables:04b}, by {by}",
            requester(target)
        )),
        Body::Message { code, target, vendor, .. } => {
            let name = names::word(names::MESSAGE_CODE, code.into())
                .map_or_else(|| format!("code {code:#04x}"), str::to_owned);
            text.push_str(&format!(": {name}"));
            text.extend(vendor.map(|vendor| format!(" of vendor {vendor:#06x}")));
            text.extend(target.map(|target| format!(" for {}", requester(target))));
            text.push_str(&format!("{}, by {by}", length));
        }
        Body::Completion { completer, status, byte_count, lower_address } => {
            let status = names::word(names::COMPLETION_STATUS, status.into())
                .map_or_else(|| format!("reserved status {status}"), str::to_owned);
            text.push_str(&format!(
                "{length}: {status}, {byte_count} bytes left from lower address {lower_address:#04x}, by {} for {by}",
                requester(completer)
            ));
        }
    }
    text.extend(packet.request.tag.map(|tag| format!(", tag {tag:#04x}")));
    if let Body::Address { steering_tag: Some(tag), .. } = packet.body {
        text.push_str(&format!(", steering tag {tag:#04x}"));
    }
    text.push_str(&format!(", TC {}", packet.first.traffic_class()));
    attributes(packet.first, &mut text);
    text
}

/// What is special about a packet.
fn attributes(first: log::Packet, text: &mut String) {
    let address_type = match first.address_type() {
        1 => Some("translation request"),
        2 => Some("translated address"),
        _ => None,
    };
    let flags = [
        (first.relaxed_ordering(), "relaxed ordering"),
        (first.id_based_ordering(), "ID-based ordering"),
        (first.no_snoop(), "no snoop"),
        (first.tlp_processing_hints(), "processing hint"),
        (first.tlp_digest(), "digest"),
        (first.error_poisoned(), "poisoned"),
    ];
    let flags = flags.into_iter().filter(|(set, _)| *set).map(|(_, word)| word);
    for word in address_type.into_iter().chain(flags) {
        text.push_str(", ");
        text.push_str(word);
    }
}

/// An end-to-end prefix in one line.
pub fn prefix_text(prefix: u32) -> String {
    let fields = |register: &crate::pci::register::Register| {
        let values = register.fields.iter().skip(1);
        values.map(|f| format!("{} {}", f.short, text_value(f, prefix.into()))).collect::<Vec<_>>().join(", ")
    };
    match prefix.to_be_bytes()[0] {
        names::PASID => format!("PASID prefix: {}", fields(log::PasidPrefix::REGISTER)),
        names::EXTENDED_TPH => format!("ExtTPH prefix: {}", fields(log::ExtendedTphPrefix::REGISTER)),
        names::IDE => format!("IDE prefix: {}", fields(log::IdePrefix::REGISTER)),
        names::VENDOR_0 | names::VENDOR_1 => format!("vendor's prefix {prefix:#010x}"),
        _ => format!("prefix of unknown type {prefix:#010x}"),
    }
}
