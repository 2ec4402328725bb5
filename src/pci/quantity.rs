//! Encodings that several registers share, turned into quantities.

use super::register::Quantity;

/// Link speeds in MT/s per lane by their encoding 1 to 7 (PCIe 6.2, 7.5.3.18, Supported Link Speeds Vector, and
/// PCIe 7.0 for 128 GT/s).
pub const LINK_SPEEDS: [u32; 7] = [2500, 5000, 8000, 16000, 32000, 64000, 128_000];

/// A link speed encoding in MT/s. 0 and everything above 7 is reserved.
pub fn speed_mts(encoding: u64) -> Option<u32> {
    LINK_SPEEDS.get(usize::try_from(encoding).ok()?.checked_sub(1)?).copied()
}

/// Current Link Speed, Max Link Speed and Target Link Speed (PCIe 6.2, 7.5.3.6, 7.5.3.8, 7.5.3.19).
pub fn speed(encoding: u64) -> Quantity {
    Quantity::Speed(speed_mts(encoding))
}

/// A set of link speeds with 2.5 GT/s at bit 0 (Supported Link Speeds Vector without its reserved bit).
pub fn speeds(bits: u64) -> Quantity {
    Quantity::Speeds(bits as u8 & 0x7f)
}

/// Number of lanes that a Negotiated or Maximum Link Width encoding stands for: 1, 2, 4, 8, 12, 16, 32.
pub fn lanes(encoding: u64) -> Option<u8> {
    matches!(encoding, 1 | 2 | 4 | 8 | 12 | 16 | 32).then_some(encoding as u8)
}

/// Negotiated Link Width and Maximum Link Width (PCIe 6.2, 7.5.3.6 and 7.5.3.8).
pub fn width(encoding: u64) -> Quantity {
    Quantity::Width(lanes(encoding))
}

/// Payload and read request sizes: 128 bytes shifted left by the encoding, 6 and 7 reserved (PCIe 6.2, 7.5.3.3).
pub fn payload_size(encoding: u64) -> Quantity {
    Quantity::Bytes((encoding < 6).then(|| 128 << encoding))
}

/// A field that stores a count minus one.
pub fn minus_one(encoding: u64) -> Quantity {
    Quantity::Count(encoding + 1)
}

/// A field that stores the base-two logarithm of a count.
pub fn power_of_two(encoding: u64) -> Quantity {
    if encoding < 64 { Quantity::Count(1 << encoding) } else { Quantity::Reserved }
}

/// Latency value and scale as Latency Tolerance Reporting encodes them in 13 bits, value in 9:0 and scale in 12:10;
/// each scale step is a factor of 32, scales 6 and 7 are reserved (PCIe 6.2, 6.18 and 7.8.2).
pub fn ltr_latency(encoding: u64) -> Quantity {
    let (value, scale) = (encoding & 0x3ff, encoding >> 10 & 7);
    Quantity::Nanoseconds((scale < 6).then(|| value << (5 * scale)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_encodings_have_no_value() {
        assert_eq!(speed_mts(0), None);
        assert_eq!(speed_mts(5), Some(32000));
        assert_eq!(speed_mts(15), None);
        assert_eq!(lanes(63), None);
        assert_eq!(payload_size(7), Quantity::Bytes(None));
        assert_eq!(ltr_latency(0x1c01), Quantity::Nanoseconds(None), "scale 7 is reserved");
        assert_eq!(ltr_latency(0x0c47), Quantity::Nanoseconds(Some(71 * 32768)));
    }
}
