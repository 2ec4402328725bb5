//! Transaction layer packets as error logs hold them. PCIe 6.2, 2.2.
//!
//! A header log keeps the first doublewords of a packet, the first byte on the wire as the most significant one, just as
//! the specification draws them. [`registers`] declares every doubleword once for each log that holds it; [`parse`] makes a
//! [`Packet`] of them.
//!
//! What is here is the layout of Non-Flit Mode. Of a header of Flit Mode only the first doubleword is decoded
//! ([`FlitPacket`](registers::header_log::FlitPacket)): where the rest stands depends on the type, on Orthogonal Header
//! Content and on local prefixes, for all of which no public source with every encoding was found.

pub mod names;
pub mod registers;
#[cfg(test)]
mod tests;

use super::register::{Field, RegisterType};
use names::Kind;
use registers::header_log as log;

/// Doublewords of a header log in Non-Flit Mode.
pub const HEADER_DWORDS: u16 = 4;

/// A packet that a function logged together with an error.
#[derive(Debug, Clone)]
pub struct Logged {
    /// The status field of the error.
    pub error: &'static Field,
    /// Doublewords of the header, as far as they were read.
    pub header: Vec<u32>,
    /// End-to-end prefixes, without the zeros behind the last one.
    pub prefixes: Vec<u32>,
    /// Whether the header is one of Flit Mode; `None` if that is not known, so that nothing of it can be decoded.
    pub flit_mode: Option<bool>,
}

/// A packet as far as its header tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet {
    /// The doubleword that all packets have.
    pub first: log::Packet,
    /// Who sent it and with which tag; of a completion, whose request it answers.
    pub request: Requester,
    /// What it is.
    pub body: Body,
}

/// Who made a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Requester {
    /// Bus, device, function.
    pub id: u16,
    /// Tag. Its upper two bits are used with 10-bit tags only; where both are 0, the header does not tell. `None` for a
    /// memory write with a processing hint, which has a steering tag in its place.
    pub tag: Option<u16>,
}

/// What the other doublewords of a header mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// A request to memory or I/O space.
    Address {
        /// Where, a multiple of four.
        address: u64,
        /// Bytes of the first doubleword that are meant, bit 0 = the lowest address; `None` where they hold a steering tag
        /// or are not used.
        first_byte_enables: Option<u8>,
        /// The same for the last doubleword; 0 if there is one only.
        last_byte_enables: Option<u8>,
        /// Bits 7:0 of the steering tag of a request with a processing hint; bits 15:8 are in a prefix, if there is one.
        steering_tag: Option<u8>,
    },
    /// A request to configuration space.
    Configuration {
        /// Bus, device, function.
        target: u16,
        /// Offset in bytes, a multiple of four.
        register: u16,
        /// Bytes of the doubleword that are meant, bit 0 = the lowest address.
        byte_enables: u8,
    },
    /// A message.
    Message {
        /// Message Code.
        code: u8,
        /// How it is routed: the low three bits of the type (PCIe 6.2, 2.2.8).
        routing: u8,
        /// The function that it is for, where it is routed by ID.
        target: Option<u16>,
        /// Whose message it is, where it is vendor-defined.
        vendor: Option<u16>,
    },
    /// A completion: the answer to a request.
    Completion {
        /// Who answers: bus, device, function.
        completer: u16,
        /// Completion Status.
        status: u8,
        /// Bytes that remain to be sent for the request, those of this packet included.
        byte_count: u16,
        /// Low seven bits of the address of the first byte.
        lower_address: u8,
    },
}

/// Whether a header log holds anything. One of zeros does not: in Non-Flit Mode it would be a read of 1,024 doublewords
/// without byte enables for the first one, which is forbidden (PCIe 6.2, 2.2.5), in Flit Mode a NOP (2.2.1.2).
pub fn is_packet(header: &[u32]) -> bool {
    header.iter().any(|word| *word != 0)
}

/// Makes a packet of the doublewords of a header of Non-Flit Mode. `None` if the first one is of no type that is known, if
/// doublewords are missing, or if all are zero ([`is_packet`]).
pub fn parse(header: &[u32]) -> Option<Packet> {
    if !is_packet(header) {
        return None;
    }
    let first = log::Packet(*header.first()?);
    let kind = names::kind(first.fmt_and_type() as u8)?;
    let second = *header.get(1)?;
    let third = *header.get(2)?;
    let high_tag = u16::from(first.tag_9()) << 9 | u16::from(first.tag_8()) << 8;
    let request = log::Request(second);
    let mut requester =
        Requester { id: request.requester_id() as u16, tag: Some(high_tag | request.tag() as u16) };
    let body = match kind {
        Kind::Memory32 | Kind::Memory64 | Kind::Atomic32 | Kind::Atomic64 | Kind::Io => {
            let address = match kind {
                Kind::Memory64 | Kind::Atomic64 => {
                    u64::from(third) << 32 | log::AddressLower(*header.get(3)?).bytes()
                }
                _ => log::Address(third).bytes(),
            };
            // With TLP Processing Hints a posted request has its steering tag in place of the tag, the others in place of
            // the byte enables; AtomicOps have no byte enables (PCIe 6.2, 2.2.5 and 2.2.7.1.1).
            let atomic = matches!(kind, Kind::Atomic32 | Kind::Atomic64);
            let (steered, posted) = (names::has_steering_tag(first), names::is_posted(first));
            let steering_tag = match (steered, posted) {
                (false, _) => None,
                (true, true) => Some(log::SteeredWrite(second).steering_tag() as u8),
                (true, false) => Some(log::SteeredRequest(second).steering_tag() as u8),
            };
            if steered && posted {
                requester.tag = None;
            }
            let enables = !atomic && (!steered || posted);
            Body::Address {
                address,
                first_byte_enables: enables.then_some(request.first_dw_byte_enables() as u8),
                last_byte_enables: enables.then_some(request.last_dw_byte_enables() as u8),
                steering_tag,
            }
        }
        Kind::Configuration => {
            let target = log::Target(third);
            Body::Configuration {
                target: target.destination_id() as u16,
                register: target.offset(),
                byte_enables: request.first_dw_byte_enables() as u8,
            }
        }
        Kind::Message => {
            let code = log::Message(second).message_code() as u8;
            let routing = first.0.to_be_bytes()[0] & 7;
            let target = log::VendorMessage(third);
            Body::Message {
                code,
                routing,
                target: (routing == names::ROUTED_BY_ID).then_some(target.destination_id() as u16),
                vendor: names::is_vendor_defined(code).then_some(target.vendor_id() as u16),
            }
        }
        Kind::Completion => {
            let completion = log::Completion(second);
            let answered = log::CompletionRequester(third);
            requester.id = answered.requester_id() as u16;
            requester.tag = Some(high_tag | answered.tag() as u16);
            Body::Completion {
                completer: completion.completer_id() as u16,
                status: completion.completion_status() as u8,
                byte_count: completion.bytes(),
                lower_address: answered.lower_address() as u8,
            }
        }
    };
    Some(Packet { first, request: requester, body })
}

impl Packet {
    /// Length in doublewords, where the packet has one: reserved for messages and completions without data.
    pub fn length(&self) -> Option<u16> {
        names::has_length(self.first).then(|| self.first.doublewords())
    }
}

/// The error that a First Error Pointer points to, if its status bit is set: only then does the log belong to anything.
pub fn first_error<R: RegisterType>(status: R, pointer: u32) -> Option<&'static Field> {
    let field = R::REGISTER.fields.iter().find(|f| u32::from(f.low) == pointer)?;
    (field.extract(status.raw()) != 0).then_some(field)
}

/// The prefixes of a log: what stands in front of the first zero (PCIe 6.2, 7.8.4.12; kernel: pcie_print_tlp_log).
pub fn prefixes(log: impl Iterator<Item = Option<u64>>) -> Vec<u32> {
    log.map_while(|raw| raw.filter(|raw| *raw != 0)).map(|raw| raw as u32).collect()
}
