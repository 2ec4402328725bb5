use super::super::testing::{decode, decode_in, placed, reads};
use super::*;
use crate::pci::decode::Context;

const BRIDGE: Context = Context {
    header_layout: 1,
    vendor_id: 0,
    device_id: 0,
    class: 0x06_0400,
    port_type: None,
    link_width: None,
    flit_mode: None,
};

fn bytes(count: u8, words: &[u32]) -> Vec<u8> {
    let mut bytes = vec![0x14, 0, count, 0];
    bytes.extend(words.iter().flat_map(|word| word.to_le_bytes()));
    bytes
}

/// lspci calls it: Entry 0: Enable+ Writable- EntrySize=2; BAR 0; I/O space; Base: 10000000; MaxOffset: 10000003.
#[test]
fn a_32_bit_entry() {
    let endpoint = bytes(1, &[0x8000_0202, 0x1000_0000, 0x1000_0000]);
    let (capability, anomalies) = decode(Context::default(), &endpoint);
    assert!(anomalies.is_empty());
    assert_eq!(placed(&capability), [("header", 2), ("format", 4), ("base", 8), ("max_offset", 0x0c)]);
    assert_eq!(capability.registers[1].path(), "entry[0].format");
    let format: Format = capability.get().unwrap();
    assert!(format.enable() && !format.writable());
    assert_eq!(
        (format.entry_size(), format.bar_equivalent_indicator(), format.primary_properties()),
        (2, 0, 2)
    );
    assert_eq!(base(capability.get::<Base>().unwrap().address().into()), Quantity::Offset(0x1000_0000));
    assert_eq!(
        last_byte(capability.get::<MaxOffset>().unwrap().offset().into()),
        Quantity::Offset(0x1000_0003)
    );
    assert_eq!(capability.end, 0x50);
    assert_eq!(reads(Context::default(), &endpoint), [(4, 4), (8, 8)]);
}

#[test]
fn a_bridge_with_64_bit_entries() {
    let words = [
        0x0201,
        0x8000_0604,
        0x0000_0002,
        0xffff_fffe,
        0x10,
        0x1,
        0xc000_ff03,
        0x2000_0000,
        0x0000_0002,
        0x7,
    ];
    let bridge = bytes(2, &words);
    let (capability, anomalies) = decode(BRIDGE, &bridge);
    assert!(anomalies.is_empty());
    let buses: BusNumbers = capability.get().unwrap();
    assert_eq!((buses.fixed_secondary_bus_number(), buses.fixed_subordinate_bus_number()), (1, 2));
    assert_eq!(
        placed(&capability)[2..],
        [
            ("format", 0x08),
            ("base", 0x0c),
            ("max_offset", 0x10),
            ("base_upper", 0x14),
            ("max_offset_upper", 0x18),
            ("format", 0x1c),
            ("base", 0x20),
            ("max_offset", 0x24),
            ("max_offset_upper", 0x28)
        ]
    );
    assert_eq!((capability.get(), capability.get()), (Some(BaseUpper(0x10)), Some(MaxOffsetUpper(1))));
    assert_eq!(reads(BRIDGE, &bridge), [(4, 8), (0x0c, 20), (0x20, 12)]);
}

/// Two spaces on which lspci ends with "Internal bug: Accessing non-read configuration byte".
#[test]
fn entries_that_are_too_short() {
    let nothing = bytes(1, &[0x8000_0000, 0, 0]);
    let (capability, anomalies) = decode(Context::default(), &nothing);
    assert_eq!(placed(&capability), [("header", 2), ("format", 4)]);
    assert_eq!(anomalies, [Anomaly::ReservedValue { offset: 0x44, raw: 0x8000_0000 }]);
    assert_eq!(capability.end, 0x48);

    let no_upper_half = bytes(1, &[0x8000_0002, 2, 2]);
    let (capability, anomalies) = decode(Context::default(), &no_upper_half);
    assert_eq!(placed(&capability), [("header", 2), ("format", 4), ("base", 8), ("max_offset", 0x0c)]);
    assert_eq!(anomalies, [Anomaly::ReservedValue { offset: 0x44, raw: 0x8000_0002 }]);

    for (size, registers) in [(1, 3), (3, 5)] {
        let (capability, anomalies) = decode(Context::default(), &bytes(1, &[size, 2, 2, 0, 0]));
        assert_eq!(capability.registers.len(), registers, "{size}");
        assert_eq!(anomalies.len(), 1, "{size}");
    }
}

#[test]
fn sixty_three_empty_entries_end() {
    let (capability, anomalies) = decode(Context::default(), &bytes(63, &[]));
    assert_eq!(capability.registers.len(), 1 + 47, "as many as fit between 44h and 100h");
    assert_eq!(anomalies.len(), 47 + 1);
    assert_eq!(anomalies[47], Anomaly::ReservedValue { offset: 0x42, raw: 63 });
}

#[test]
fn entries_end_where_the_next_capability_begins() {
    let mut space = vec![0; 256];
    space[0x40..0x54].copy_from_slice(&bytes(2, &[0x8000_0004, 2, 2, 0]));
    let at = |id, offset| crate::pci::walk::Located { list: List::Standard, id, offset, version: 0 };
    let walk = [at(0x14, 0x40), at(0x04, 0x50)];
    let mut space = crate::pci::space::ConfigSpace::from_bytes(&space);
    let (decoded, anomalies) = crate::pci::decode::capabilities(&mut space, Context::default(), &walk);
    assert_eq!(placed(&decoded[0]), [("header", 2), ("format", 4), ("base", 8), ("max_offset", 0x0c)]);
    assert_eq!(
        anomalies,
        [
            Anomaly::ReservedValue { offset: 0x44, raw: 0x8000_0004 },
            Anomaly::ReservedValue { offset: 0x42, raw: 2 },
            Anomaly::Overlap { first: 0x40, second: 0x50, first_end: 0x58 }
        ]
    );
}

#[test]
fn what_cannot_be_read_has_no_value() {
    let mut space = vec![0; 0x48];
    space[0x40..].copy_from_slice(&bytes(2, &[0x8000_0002]));
    let (capability, _) = decode_in(Context::default(), &space);
    assert_eq!((capability.get(), capability.get::<Base>()), (Some(Format(0x8000_0002)), None));
    assert_eq!(capability.registers.len(), 5, "where the second entry begins is known, what it is is not");
}
