//! Message Signaled Interrupts, capability ID 05h. PCIe 6.2, 7.7.1.
//!
//! There are four layouts: 32-bit or 64-bit addresses, with or without a mask bit for each vector. Message Control
//! says which one it is.

use crate::pci::decode::{Builder, Specification};
use crate::pci::register::{Meaning, Quantity, RegisterType};
use crate::pci::walk::List;
use crate::register;

/// The capability.
pub static SPECIFICATION: Specification = Specification {
    list: List::Standard,
    id: 0x05,
    key: "msi",
    name: "MSI",
    section: "PCIe 6.2, 7.7.1",
    layout: Some(layout),
    registers: &[
        Control::REGISTER,
        Address::REGISTER,
        UpperAddress::REGISTER,
        Data::REGISTER,
        ExtendedData::REGISTER,
        Mask::REGISTER,
        Pending::REGISTER,
    ],
};

register! {
    /// Message Control: whether MSI is in use, and which registers follow.
    pub struct Control(u16) at 0x02, "control", "MSI", "PCIe 6.2, 7.7.1.2" {
        /// The function uses MSI and must not use INTx.
        0 enable Rw "Enable",
        /// Number of vectors that the function asks for: 1, 2, 4, 8, 16 or 32.
        3:1 multiple_message_capable Ro "Capable" = Meaning::Quantity(vectors),
        /// Number of vectors that software gave it.
        6:4 multiple_message_enable Rw "Count" = Meaning::Quantity(vectors),
        /// Has the Upper Address register.
        7 address_64bit_capable Ro "64bit",
        /// Has the Mask and Pending registers.
        8 per_vector_masking_capable Ro "Maskable",
        /// Has the Extended Message Data register.
        9 extended_message_data_capable Ro "ExtData",
        /// Sends the Extended Message Data in the upper half of the message.
        10 extended_message_data_enable Rw "ExtDataEn",
    }

    /// Address that a message is written to, lower half.
    pub struct Address(u32) at 0x04, "address", "Address", "PCIe 6.2, 7.7.1.3" {
        /// Address bits 31:2.
        31:2 address Rw "Address" = Meaning::Quantity(times_four),
    }

    /// Address that a message is written to, upper half.
    pub struct UpperAddress(u32) at 0x08, "upper_address", "UpperAddress", "PCIe 6.2, 7.7.1.4" {
        /// Address bits 63:32; 0 means that the message goes to a 32-bit address.
        31:0 address Rw "UpperAddress" = Meaning::Hex,
    }

    /// Message that is written. At 08h with 32-bit addresses, at 0Ch with 64-bit addresses.
    pub struct Data(u16) at 0x08, "data", "Data", "PCIe 6.2, 7.7.1.5" {
        /// Lower half of the message; the function replaces its low bits by the number of the vector.
        15:0 data Rw "Data" = Meaning::Hex,
    }

    /// Upper half of the message. At 0Ah with 32-bit addresses, at 0Eh with 64-bit addresses.
    pub struct ExtendedData(u16) at 0x0a, "extended_data", "ExtendedData", "PCIe 6.2, 7.7.1.6" {
        /// Upper half of the message, sent if Extended Message Data Enable is set.
        15:0 data Rw "ExtendedData" = Meaning::Hex,
    }

    /// One bit for each vector: the function must not send it. At 0Ch or 10h.
    pub struct Mask(u32) at 0x0c, "mask", "Masking", "PCIe 6.2, 7.7.1.7" {
        /// Bit N masks vector N.
        31:0 bits Rw "Masking" = Meaning::Hex,
    }

    /// One bit for each vector: the function has a message to send that is masked. At 10h or 14h.
    pub struct Pending(u32) at 0x10, "pending", "Pending", "PCIe 6.2, 7.7.1.8" {
        /// Bit N: vector N is pending.
        31:0 bits Ro "Pending" = Meaning::Hex,
    }
}

fn vectors(encoding: u64) -> Quantity {
    if encoding < 6 { Quantity::Count(1 << encoding) } else { Quantity::Reserved }
}

fn times_four(units: u64) -> Quantity {
    Quantity::Offset(units * 4)
}

impl Control {
    /// Number of vectors that the function asks for; `None` for a reserved encoding.
    pub fn vectors_capable(self) -> Option<u8> {
        (self.multiple_message_capable() < 6).then(|| 1 << self.multiple_message_capable())
    }

    /// Number of vectors that software gave it; `None` for a reserved encoding.
    pub fn vectors_enabled(self) -> Option<u8> {
        (self.multiple_message_enable() < 6).then(|| 1 << self.multiple_message_enable())
    }
}

fn layout(builder: &mut Builder<'_>) {
    let Some(control) = builder.add::<Control>() else { return };
    let data = if control.address_64bit_capable() { 0x0c } else { 0x08 };
    let end = if control.per_vector_masking_capable() { data + 12 } else { data + 2 };
    builder.load(0x04, end - 0x04);
    builder.add::<Address>();
    if control.address_64bit_capable() {
        builder.add::<UpperAddress>();
    }
    builder.add_at::<Data>(data);
    if control.extended_message_data_capable() {
        builder.add_at::<ExtendedData>(data + 2);
    }
    if control.per_vector_masking_capable() {
        builder.add_at::<Mask>(data + 4);
        builder.add_at::<Pending>(data + 8);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{decode, decode_in, placed, reads};
    use super::*;
    use crate::pci::decode::Context;

    /// Every byte of the body is its own offset.
    fn bytes(control: u16) -> [u8; 0x18] {
        let mut bytes: [u8; 0x18] = std::array::from_fn(|i| i as u8);
        (bytes[0], bytes[1]) = (0x05, 0);
        bytes[2..4].copy_from_slice(&control.to_le_bytes());
        bytes
    }

    type Registers<'a> = &'a [(&'a str, u16)];

    #[test]
    fn all_four_layouts() {
        let expected: [(u16, Registers<'_>, u16); 4] = [
            (0x0000, &[("address", 4), ("data", 8)], 0x0a),
            (0x0080, &[("address", 4), ("upper_address", 8), ("data", 0x0c)], 0x0e),
            (0x0100, &[("address", 4), ("data", 8), ("mask", 0x0c), ("pending", 0x10)], 0x14),
            (
                0x0180,
                &[("address", 4), ("upper_address", 8), ("data", 0x0c), ("mask", 0x10), ("pending", 0x14)],
                0x18,
            ),
        ];
        for (control, registers, end) in expected {
            let (capability, _) = decode(Context::default(), &bytes(control));
            assert_eq!(placed(&capability)[1..], *registers, "{control:04x}");
            assert_eq!(capability.end, 0x40 + end, "{control:04x}");
            assert_eq!(
                reads(Context::default(), &bytes(control)),
                [(4, usize::from((end - 4).next_multiple_of(4)))],
                "{control:04x}"
            );
        }
    }

    #[test]
    fn values_come_from_where_the_layout_puts_them() {
        let (capability, _) = decode(Context::default(), &bytes(0x0197));
        let control: Control = capability.get().unwrap();
        assert!(control.enable());
        assert_eq!((control.vectors_capable(), control.vectors_enabled()), (Some(8), Some(2)));
        assert_eq!(capability.get(), Some(Address(0x0706_0504)));
        assert_eq!(capability.get(), Some(UpperAddress(0x0b0a_0908)));
        assert_eq!(capability.get(), Some(Data(0x0d0c)));
        assert_eq!(capability.get(), Some(Mask(0x1312_1110)));
        assert_eq!(capability.get(), Some(Pending(0x1716_1514)));
        assert_eq!(capability.get::<ExtendedData>(), None);
    }

    #[test]
    fn extended_data_lies_behind_the_data() {
        let (capability, _) = decode(Context::default(), &bytes(0x0600));
        assert_eq!(placed(&capability)[3], ("extended_data", 0x0a));
        let (capability, _) = decode(Context::default(), &bytes(0x0680));
        assert_eq!(capability.get(), Some(ExtendedData(0x0f0e)));
    }

    #[test]
    fn reserved_counts_have_no_value() {
        assert_eq!(Control(0x006e).vectors_capable(), None);
        assert_eq!(Control(0x006e).vectors_enabled(), None);
        assert_eq!(vectors(6), Quantity::Reserved);
    }

    #[test]
    fn what_cannot_be_read_has_no_value() {
        let mut space = vec![0; 0x4c];
        space[0x40..].copy_from_slice(&bytes(0x0180)[..12]);
        let (capability, _) = decode_in(Context::default(), &space);
        assert_eq!(capability.get(), Some(UpperAddress(0x0b0a_0908)));
        assert_eq!((capability.get::<Data>(), capability.get::<Pending>()), (None, None));
        assert_eq!(capability.registers.len(), 6);
    }
}
