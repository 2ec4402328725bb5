//! What the tests of the capabilities share: one capability at offset 100h, decoded as on hardware.

use std::collections::HashSet;

use proptest::prelude::*;

use super::super::catalogue;
use super::super::decode::{Capability, Context, capabilities};
use super::super::space::{ConfigBytes, ConfigSpace, Loader};
use super::super::walk::{self, Anomaly, List};

/// A capability to be decoded.
pub struct Case {
    bytes: Vec<u8>,
    limit: u16,
    context: Context,
}

/// What came of it.
pub struct Decoded {
    pub capability: Capability,
    pub anomalies: Vec<Anomaly>,
    /// Reads for the capability's body; its header was read by the walk.
    pub reads: u32,
    /// Bytes that those reads got.
    pub read_bytes: u16,
}

impl Case {
    /// A capability with this ID, all zero, in 4096 bytes.
    pub fn new(id: u16) -> Self {
        let mut bytes = vec![0; 4096];
        bytes[0x100..0x104].copy_from_slice(&(u32::from(id) | 1 << 16).to_le_bytes());
        Case { bytes, limit: 4096, context: Context::default() }
    }

    /// Its doublewords from offset 04h on.
    pub fn body(mut self, doublewords: &[u32]) -> Self {
        for (place, doubleword) in self.bytes[0x104..].chunks_exact_mut(4).zip(doublewords) {
            place.copy_from_slice(&doubleword.to_le_bytes());
        }
        self
    }

    /// Puts a Null capability behind it.
    pub fn next(mut self, offset: u16) -> Self {
        self.bytes[0x102] |= (offset << 4) as u8;
        self.bytes[0x103] = (offset >> 4) as u8;
        self.bytes[usize::from(offset) + 2] = 1;
        self
    }

    /// Its version, 1 otherwise.
    pub fn version(mut self, version: u8) -> Self {
        self.bytes[0x102] = self.bytes[0x102] & 0xf0 | version;
        self
    }

    /// How many bytes of configuration space can be read.
    pub fn limit(mut self, limit: u16) -> Self {
        self.limit = limit;
        self
    }

    pub fn port_type(mut self, port_type: u8) -> Self {
        self.context.port_type = Some(port_type);
        self
    }

    pub fn flit_mode(mut self, flit_mode: bool) -> Self {
        self.context.flit_mode = Some(flit_mode);
        self
    }

    pub fn link_width(mut self, lanes: u8) -> Self {
        self.context.link_width = Some(lanes);
        self
    }

    pub fn decode(self) -> Decoded {
        let Case { mut bytes, limit, context } = self;
        bytes.truncate(limit.into());
        let mut source = |offset: u16, buffer: &mut [u8]| {
            let rest = bytes.get(usize::from(offset)..).unwrap_or_default();
            let length = rest.len().min(buffer.len());
            buffer[..length].copy_from_slice(&rest[..length]);
            Ok::<usize, ()>(length)
        };
        let mut loader = Loader::new(4096, &mut source);
        let walk = walk::extended(&mut loader);
        let (reads, known) = (loader.reads, loader.space().known_bytes());
        let (mut decoded, anomalies) = capabilities(&mut loader, context, &walk.found);
        Decoded {
            capability: decoded.swap_remove(0),
            anomalies,
            reads: loader.reads - reads,
            read_bytes: loader.space().known_bytes() - known,
        }
    }
}

impl Decoded {
    /// The raw value of the register at `path`.
    pub fn raw(&self, path: &str) -> Option<u64> {
        let found = self.capability.registers.iter().find(|placed| placed.path() == path);
        found.unwrap_or_else(|| panic!("no {path} in {:?}", self.paths())).raw
    }

    /// The field at `path`: register, dot, field.
    pub fn field(&self, path: &str) -> u64 {
        let (register, key) = path.rsplit_once('.').unwrap();
        let placed = self.capability.registers.iter().find(|p| p.path() == register).unwrap();
        let field = placed.register.fields.iter().find(|f| f.key == key).unwrap();
        field.extract(placed.raw.unwrap())
    }

    /// All registers that were placed.
    pub fn paths(&self) -> Vec<String> {
        self.capability.registers.iter().map(|placed| placed.path()).collect()
    }
}

/// Most registers that a layout may place: eight virtual channels, each with a port arbitration table of 256 bytes; those
/// that are as long as they say (DVSEC, IDE, MMIO Register Block Locator) have one for each doubleword up to the next.
fn most_registers(id: u16) -> usize {
    if matches!(id, 0x23 | 0x30 | 0x36) { 1024 } else { 4 + 8 * 3 + 16 + 8 * 64 }
}

fn decode_anything(bytes: &[u8], context: Context) -> Result<(), TestCaseError> {
    let mut space = ConfigSpace::from_bytes(bytes);
    let mut found = walk::standard(&mut space, context.header_layout).found;
    found.extend(walk::extended(&mut space).found);
    let (decoded, anomalies) = capabilities(&mut space, context, &found);
    prop_assert_eq!(decoded.len(), found.len());
    // Of each capability that it is not where it may be, of each register that its value is reserved.
    let registers: usize = decoded.iter().map(|capability| capability.registers.len()).sum();
    prop_assert!(anomalies.len() <= 4 * found.len() + registers);
    for capability in decoded {
        let most = most_registers(capability.located.id);
        prop_assert!(capability.registers.len() <= most, "{}", capability.path());
        let mut paths = HashSet::new();
        for placed in &capability.registers {
            prop_assert!(
                paths.insert(placed.path()),
                "{}.{} is there twice",
                capability.path(),
                placed.path()
            );
            let listed = capability.specification.is_some_and(|s| {
                s.registers.iter().any(|r| r.key == placed.register.key && r.short == placed.register.short)
            });
            prop_assert!(listed, "{}.{} is not listed", capability.path(), placed.path());
            let end = placed.offset + u16::from(placed.register.width);
            prop_assert_eq!(placed.raw.is_some(), end <= space.limit());
            prop_assert!(end <= capability.end);
        }
    }
    Ok(())
}

pub fn context() -> impl Strategy<Value = Context> {
    let byte = || proptest::option::of(any::<u8>());
    let parts = (0u8..4, byte(), byte(), proptest::option::of(any::<bool>()));
    parts.prop_map(|(header_layout, port_type, link_width, flit_mode)| Context {
        header_layout,
        port_type,
        link_width,
        flit_mode,
        ..Context::default()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_end(bytes in proptest::collection::vec(any::<u8>(), 0..=4096), context in context()) {
        decode_anything(&bytes, context)?;
    }

    /// Random bytes hardly ever make a list, so here is one: decoded capabilities at random places, full of random bytes.
    #[test]
    fn any_list_ends(
        mut bytes in proptest::collection::vec(any::<u8>(), 4096),
        list in proptest::collection::vec((0usize..64, 0x40u16..0x400), 1..40),
        length in 0x100usize..=4096,
        context in context(),
    ) {
        let known: Vec<_> = catalogue::DECODED.iter().filter(|s| s.list == List::Extended).collect();
        let mut at = 0x100;
        for (which, next) in list {
            let id = known[which % known.len()].id;
            let header = u32::from(id) | 1 << 16 | u32::from(next * 4) << 20;
            bytes[at..at + 4].copy_from_slice(&header.to_le_bytes());
            at = usize::from(next) * 4;
        }
        decode_anything(&bytes[..length], context)?;
    }
}

#[test]
fn decoding_twice_needs_no_more_reads() {
    let decoded = Case::new(0x01).port_type(4).decode();
    assert_eq!(decoded.reads, 1);
    assert!(decoded.anomalies.is_empty());
}
