//! Capabilities on the standard list, one file each. Those that are only named are in [`super::catalogue`].

pub mod advanced_features;
pub mod agp;
pub mod compactpci_hot_swap;
pub mod debug_port;
pub mod enhanced_allocation;
pub mod express;
pub mod flattening_portal_bridge;
pub mod hot_plug;
pub mod hypertransport;
pub mod intel_capid0;
pub mod msi;
pub mod msix;
pub mod pcix;
pub mod power;
pub mod sata;
pub mod secure_device;
pub mod slot_id;
pub mod subsystem;
pub mod vendor;
pub mod vpd;

#[cfg(test)]
pub(crate) mod testing {
    use crate::pci::decode::{Capability, Context, capabilities};
    use crate::pci::space::{ConfigBytes, ConfigSpace, Loader};
    use crate::pci::walk::{Anomaly, List, Located};

    /// Where the helpers put the capability.
    pub(crate) const OFFSET: u16 = 0x40;

    /// A standard capability made of `bytes`, which start with its ID and stand alone at 40h.
    pub(crate) fn decode(context: Context, bytes: &[u8]) -> (Capability, Vec<Anomaly>) {
        let mut space = vec![0; 256];
        space[usize::from(OFFSET)..][..bytes.len()].copy_from_slice(bytes);
        decode_in(context, &space)
    }

    /// The same in a configuration space of any length, in which the capability starts at 40h.
    pub(crate) fn decode_in(context: Context, space: &[u8]) -> (Capability, Vec<Anomaly>) {
        let located = Located {
            list: List::Standard,
            id: space[usize::from(OFFSET)].into(),
            offset: OFFSET,
            version: 0,
        };
        let (mut decoded, anomalies) = capabilities(&mut ConfigSpace::from_bytes(space), context, &[located]);
        (decoded.remove(0), anomalies)
    }

    /// What decoding reads besides the header doubleword that the walk has read, as (offset in the capability, length).
    pub(crate) fn reads(context: Context, bytes: &[u8]) -> Vec<(u16, usize)> {
        let mut space = vec![0; 256];
        space[usize::from(OFFSET)..][..bytes.len()].copy_from_slice(bytes);
        let mut asked = Vec::new();
        let mut source = |offset: u16, buffer: &mut [u8]| {
            asked.push((offset - OFFSET, buffer.len()));
            buffer.copy_from_slice(&space[usize::from(offset)..][..buffer.len()]);
            Ok::<usize, ()>(buffer.len())
        };
        let located = Located { list: List::Standard, id: bytes[0].into(), offset: OFFSET, version: 0 };
        let mut loader = Loader::new(256, &mut source);
        loader.load(OFFSET, 4);
        capabilities(&mut loader, context, &[located]);
        assert_eq!(asked.remove(0), (0, 4));
        asked
    }

    /// Keys of the registers in the order in which they were placed, with their offsets in the capability.
    pub(crate) fn placed(capability: &Capability) -> Vec<(&'static str, u16)> {
        capability.registers.iter().map(|p| (p.register.key, p.offset - OFFSET)).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::catalogue::DECODED;
    use super::super::decode::{Context, capabilities};
    use super::super::space::ConfigSpace;
    use super::super::walk::{self, List};

    fn ids() -> Vec<u8> {
        DECODED.iter().filter(|s| s.list == List::Standard).map(|s| s.id as u8).collect()
    }

    proptest! {
        #[test]
        fn any_bytes_decode_without_panic(
            mut bytes in proptest::collection::vec(any::<u8>(), 256),
            chain in proptest::collection::vec((16usize..64, proptest::sample::select(ids())), 0..8),
            length in 64usize..=256,
            layout in 0u8..4,
            (vendor_id, device_id) in proptest::sample::select(vec![(0x1af4, 0x1041), (0x8086, 0x1904)]),
        ) {
            // Half of the cases get a list that leads somewhere; bodies stay random.
            let mut pointer = usize::from(walk::capabilities_pointer(layout));
            bytes[6] |= 0x10;
            for (dword, id) in chain {
                bytes[pointer] = dword as u8 * 4;
                bytes[dword * 4] = id;
                pointer = dword * 4 + 1;
            }
            bytes.truncate(length);
            let mut space = ConfigSpace::from_bytes(&bytes);
            let context = Context { header_layout: layout, vendor_id, device_id, ..Context::default() };
            let walk = walk::standard(&mut space, layout);
            let (decoded, _) = capabilities(&mut space, context, &walk.found);
            prop_assert_eq!(decoded.len(), walk.found.len());
            for placed in decoded.iter().flat_map(|c| &c.registers) {
                let end = placed.offset + u16::from(placed.register.width);
                prop_assert_eq!(placed.raw.is_some(), space.is_known(placed.offset, end - placed.offset));
            }
        }
    }
}
