//! What an example is, and both ways through the register tables.

use std::collections::BTreeMap;

use pciscope::pci::ConfigSpace;
use pciscope::pci::catalogue::DECODED;
use pciscope::pci::decode::{Capability, Context, Specification, capabilities};
use pciscope::pci::walk::{List, Located};

/// A capability worked out by hand from the picture of its registers.
pub struct Example {
    /// Key of the capability.
    pub key: &'static str,
    /// Where the picture is.
    pub picture: &'static str,
    /// Device/Port Type (PCIe 6.2, 7.5.3.2).
    pub port_type: u8,
    /// Doublewords by offset, its header included; the others are zero.
    pub doublewords: &'static [(u16, u32)],
    /// Every field that is not zero: path behind the capability's, and value.
    pub fields: &'static [(&'static str, u64)],
}

/// Lanes of every example.
const LANES: u8 = 2;
pub const ENDPOINT: u8 = 0;
pub const ROOT_PORT: u8 = 4;
pub const DOWNSTREAM_PORT: u8 = 6;
pub const EVENT_COLLECTOR: u8 = 10;

impl Example {
    pub fn specification(&self) -> &'static Specification {
        let found = DECODED.iter().find(|s| s.key == self.key);
        found.unwrap_or_else(|| panic!("no capability is called {}", self.key))
    }

    fn offset(&self) -> u16 {
        if self.specification().list == List::Standard { 0x40 } else { 0x100 }
    }

    /// Configuration space with the capability and nothing else.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0; 4096];
        for (offset, doubleword) in self.doublewords {
            let at = usize::from(self.offset() + offset);
            bytes[at..at + 4].copy_from_slice(&doubleword.to_le_bytes());
        }
        bytes
    }

    /// The capability as it is decoded out of some bytes.
    pub fn decode(&self, bytes: &[u8]) -> Capability {
        let (list, offset) = (self.specification().list, self.offset());
        let header = &bytes[usize::from(offset)..];
        let located = match list {
            List::Standard => Located { list, id: header[0].into(), offset, version: 0 },
            List::Extended => Located {
                list,
                id: u16::from_le_bytes([header[0], header[1]]),
                offset,
                version: header[2] & 0xf,
            },
        };
        assert_eq!(located.id, self.specification().id, "{}", self.key);
        let context = Context {
            port_type: Some(self.port_type),
            link_width: Some(LANES),
            flit_mode: Some(false),
            ..Context::default()
        };
        capabilities(&mut ConfigSpace::from_bytes(bytes), context, &[located]).0.swap_remove(0)
    }

    /// Writes the fields into an empty capability, each through its register's table, those first that decide where
    /// others are.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![0; 4096];
        let start = usize::from(self.offset());
        let header = if self.specification().list == List::Standard { 1 } else { 4 };
        bytes[start..start + header].copy_from_slice(&self.bytes()[start..start + header]);
        let mut left: Vec<_> = self.fields.to_vec();
        while !left.is_empty() {
            let before = left.len();
            left.retain(|(path, value)| {
                let capability = self.decode(&bytes);
                !write(&mut bytes, &capability, path, *value)
            });
            assert!(left.len() < before, "{}: there is no place for {left:?}", self.key);
        }
        bytes
    }
}

/// Every field of a capability that is not zero.
pub fn set_fields(capability: &Capability) -> BTreeMap<String, u64> {
    let registers = capability.registers.iter().filter_map(|placed| Some((placed, placed.raw?)));
    registers
        .flat_map(|(placed, raw)| {
            let fields = placed.register.fields.iter();
            fields.map(move |field| (format!("{}.{}", placed.path(), field.key), field.extract(raw)))
        })
        .filter(|(_, value)| *value != 0)
        .collect()
}

/// Writes one field, if there is a place for it yet.
fn write(bytes: &mut [u8], capability: &Capability, path: &str, value: u64) -> bool {
    for placed in &capability.registers {
        let Some(key) = path.strip_prefix(&format!("{}.", placed.path())) else { continue };
        let Some(field) = placed.register.fields.iter().find(|field| field.key == key) else { continue };
        let at = usize::from(placed.offset);
        let place = &mut bytes[at..at + usize::from(placed.register.width)];
        let old = place.iter().rev().fold(0, |old, byte| old << 8 | u64::from(*byte));
        let new = field.insert(old, value);
        assert_eq!(field.extract(new), value, "{path} has no room for {value:#x}");
        place.copy_from_slice(&new.to_le_bytes()[..place.len()]);
        return true;
    }
    false
}
