//! decode(encode(x)) = x: every capability with contents that follow no rule, decoded, written back through the register
//! tables, and decoded again. Every register of every table takes part.

use std::collections::HashSet;

use proptest::prelude::*;
use proptest::strategy::ValueTree;

use super::super::catalogue;
use super::super::decode::{Capability, Context, Placed, capabilities};
use super::super::space::{ConfigSpace, HEADER_SIZE};
use super::super::walk::{List, Located};
use super::testing::context;

/// How often each capability takes part.
const ROUNDS: u8 = 192;

/// The space with every field of every register that was decoded, and nothing else: what no register table names is zero.
fn encode(bytes: &[u8], decoded: &[Capability]) -> Vec<u8> {
    let mut encoded = vec![0; bytes.len()];
    encoded[..HEADER_SIZE.into()].copy_from_slice(&bytes[..HEADER_SIZE.into()]);
    for capability in decoded {
        let header = usize::from(capability.located.offset);
        let length = if capability.located.list == List::Standard { 2 } else { 4 };
        encoded[header..header + length].copy_from_slice(&bytes[header..header + length]);
        for placed in &capability.registers {
            let Some(raw) = placed.raw else { continue };
            let place =
                usize::from(placed.offset)..usize::from(placed.offset) + usize::from(placed.register.width);
            let old =
                encoded[place.clone()].iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte));
            let new = placed.register.fields.iter().fold(old, |new, f| f.insert(new, f.extract(raw)));
            encoded[place].copy_from_slice(&new.to_le_bytes()[..placed.register.width.into()]);
        }
    }
    encoded
}

/// Path and defined bits of every register.
fn values(decoded: &[Capability]) -> Vec<(String, Option<u64>)> {
    let defined = |placed: &Placed| placed.raw.map(|raw| raw & placed.register.defined());
    let registers = decoded.iter().flat_map(|c| c.registers.iter());
    registers.map(|placed| (placed.path(), defined(placed))).collect()
}

/// Bytes that decide which registers there are, at their offsets in the capability: contents that follow no rule hardly
/// ever have them.
fn beginning(key: &str, round: u8) -> Vec<(usize, u8)> {
    match key {
        // Major version 3.
        "agp" => vec![(0x02, 0x30 | round & 0xf)],
        // The type is in the upper five bits of the command, that of an address mapping in the two below.
        "hypertransport" => vec![(0x03, round << 3 | (round >> 5 & 3) << 1)],
        // VirtIO has nine types; the other functions have Intel's.
        "vendor" if round.is_multiple_of(2) => vec![(0x02, 0x18), (0x03, round / 2 % 10)],
        "vendor" => vec![(0x02, 0x10), (0x03, 0x01)],
        // A table of eight entries in the capability.
        "tph" => vec![(0x05, 0x02), (0x06, 7), (0x07, 0)],
        // CXL, 64 bytes, all IDs in four revisions.
        "dvsec" => {
            let id = [0, 2, 3, 4, 5, 7, 8, 9, 0xa][usize::from(round) % 9];
            vec![(0x04, 0x98), (0x05, 0x1e), (0x06, round / 9 % 4), (0x07, 0x04), (0x08, id), (0x09, 0)]
        }
        // AMD's IOMMU with all its registers.
        "secure_device" => vec![(0x02, round << 3 | 3), (0x03, 0x10)],
        // An unsupported request, to which First Error Pointer points, with its packet and prefixes, now and then of Flit Mode.
        "aer" => {
            let flit_mode = if round % 16 == 15 { 4 } else { 0 };
            let start = [(0x06, 0x10), (0x18, 20), (0x19, 0x08), (0x1a, flit_mode)];
            start.into_iter().chain(packet(round, 0x1c, 0x38)).collect()
        }
        // An unsupported memory request of the root port, nine doublewords of logs.
        "dpc" => {
            let start = [(0x04, 0x20), (0x05, 0x09), (0x09, 0x10), (0x0e, 0x01)];
            start.into_iter().chain(packet(round, 0x20, 0x34)).collect()
        }
        _ => Vec::new(),
    }
}

/// Types of a logged packet and of four prefixes, whose logs begin at these offsets, and the code of a message.
fn packet(round: u8, header: usize, prefixes: usize) -> Vec<(usize, u8)> {
    // Memory, configuration, completion; messages: vendor-defined, LTR, Page Request, by ID, by address.
    const TYPES: [(u8, u8); 9] = [
        (0x40, 0),
        (0x20, 0),
        (0x04, 0),
        (0x4a, 0),
        (0x32, 0x7f),
        (0x34, 0x10),
        (0x30, 0x04),
        (0x32, 0x02),
        (0x31, 0x18),
    ];
    let (fmt_and_type, code) = TYPES[usize::from(round) % TYPES.len()];
    let prefix = |(index, kind)| (prefixes + 4 * index + 3, kind);
    let prefixes = [0x91, 0x90, 0x92, 0x9e].into_iter().enumerate().map(prefix);
    [(header + 3, fmt_and_type), (header + 4, code)].into_iter().chain(prefixes).collect()
}

/// What else decides: the kind of port, and whose function it is.
fn surroundings(context: Context, round: u8) -> Context {
    let (vendor_id, device_id) = if round.is_multiple_of(2) { (0x1af4, 0x1041) } else { (0x8086, 0x1904) };
    let port_type = (!round.is_multiple_of(12)).then_some(round % 12);
    // A host bridge or not: that is where AGP 3.0 has registers for the aperture.
    let class = if round.is_multiple_of(4) { 0x06_0000 } else { 0x02_0000 };
    Context { vendor_id, device_id, class, port_type, ..context }
}

#[test]
fn every_capability_decodes_to_what_was_encoded() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    for specification in catalogue::DECODED {
        let mut left: HashSet<&str> = specification.registers.iter().map(|r| r.key).collect();
        for round in 0..ROUNDS {
            let (version, context) = (1u8..=3, context()).new_tree(&mut runner).unwrap().current();
            let mut bytes = vec![0; 4096];
            runner.rng().fill_bytes(&mut bytes);
            let context = surroundings(context, round);
            let offset = if specification.list == List::Standard { 0x40 } else { 0x100 };
            bytes[0x06] = 0x10;
            (bytes[0x34], bytes[0x14]) = (0x40, 0x40);
            bytes[offset..offset + 2].copy_from_slice(&specification.id.to_le_bytes());
            if specification.list == List::Extended {
                (bytes[offset + 2], bytes[offset + 3]) = (version, 0);
            } else {
                bytes[offset + 1] = 0;
            }
            for (at, byte) in beginning(specification.key, round) {
                bytes[offset + at] = byte;
            }
            let decode = |bytes: &[u8]| {
                let mut space = ConfigSpace::from_bytes(bytes);
                let (list, id) = (specification.list, specification.id);
                let located = Located { list, id, offset: offset as u16, version };
                capabilities(&mut space, context, &[located]).0
            };
            let decoded = decode(&bytes);
            let again = decode(&encode(&bytes, &decoded));
            assert_eq!(values(&again), values(&decoded), "{}", specification.key);
            for placed in decoded.iter().flat_map(|c| &c.registers).filter(|placed| placed.raw.is_some()) {
                left.remove(placed.register.key);
            }
        }
        assert!(left.is_empty(), "{}: {left:?} took no part", specification.key);
    }
}
