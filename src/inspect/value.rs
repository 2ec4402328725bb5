//! What a field's value is called.

use crate::pci::quantity::LINK_SPEEDS;
use crate::pci::register::{Field, Meaning, Quantity};

/// The value of a field in a register as JSON: yes or no, a number in the unit that the text names, a word; `null` if it
/// is reserved or means nothing in this register.
pub fn json_value(field: &Field, register: u64) -> serde_json::Value {
    let value = field.extract(register);
    match field.meaning {
        Meaning::Flag => (value != 0).into(),
        Meaning::Number | Meaning::Unit(_) => value.into(),
        Meaning::Hex => hexadecimal(value, field.high - field.low + 1).into(),
        Meaning::ChoiceWhen(meaningful, _) if !meaningful(register) => serde_json::Value::Null,
        Meaning::Choice(names) | Meaning::ChoiceWhen(_, names) => word(names, value).into(),
        Meaning::Quantity(quantity) => quantity_value(quantity(value)),
        Meaning::OfRegister(quantity) => quantity_value(quantity(register)),
    }
}

fn quantity_value(quantity: Quantity) -> serde_json::Value {
    match quantity {
        Quantity::Speed(speed) => speed.into(),
        Quantity::Width(width) => width.into(),
        Quantity::Bytes(bytes) => bytes.into(),
        Quantity::Nanoseconds(time) => time.into(),
        Quantity::LessThanNanoseconds(time) | Quantity::MoreThanNanoseconds(time) => time.into(),
        Quantity::NoLimit | Quantity::Reserved | Quantity::Unknown => serde_json::Value::Null,
        Quantity::Speeds(bits) => listed_speeds(bits).collect::<Vec<_>>().into(),
        Quantity::Count(count) => count.into(),
        Quantity::Milliwatts(power) => power.into(),
        Quantity::Milliamperes(current) => current.into(),
        Quantity::Sizes(bits) => listed_sizes(bits).collect::<Vec<_>>().into(),
        Quantity::Offset(offset) => offset.into(),
        // Programs that read numbers as floating point would lose the lower bits.
        Quantity::Address(address) => format!("{address:#x}").into(),
        Quantity::Doublewords(count) => count.into(),
        Quantity::Lanes(bits) => listed_lanes(bits).collect::<Vec<_>>().into(),
        Quantity::RequesterId(id) => requester(id).into(),
    }
}

/// The value of a field in a register in words.
pub fn text_value(field: &Field, register: u64) -> String {
    let value = field.extract(register);
    match field.meaning {
        Meaning::Flag => (if value == 0 { "no" } else { "yes" }).to_owned(),
        Meaning::Number => value.to_string(),
        Meaning::Hex => hexadecimal(value, field.high - field.low + 1),
        Meaning::Unit(unit) => format!("{value} {unit}"),
        Meaning::ChoiceWhen(meaningful, _) if !meaningful(register) => "none".to_owned(),
        Meaning::Choice(names) | Meaning::ChoiceWhen(_, names) => {
            word(names, value).map_or_else(|| format!("reserved ({value})"), str::to_owned)
        }
        Meaning::Quantity(quantity) => quantity_text(quantity(value), value),
        Meaning::OfRegister(quantity) => quantity_text(quantity(register), value),
    }
}

fn word(names: &'static [(u64, &'static str)], value: u64) -> Option<&'static str> {
    names.iter().find(|(number, _)| *number == value).map(|(_, word)| *word)
}

fn hexadecimal(value: u64, bits: u8) -> String {
    format!("{value:#0width$x}", width = usize::from(bits.div_ceil(4)) + 2)
}

fn quantity_text(quantity: Quantity, raw: u64) -> String {
    let reserved = || format!("reserved ({raw})");
    match quantity {
        Quantity::Speed(speed) => speed.map_or_else(reserved, speed_text),
        Quantity::Width(width) => {
            width.map_or_else(|| if raw == 0 { "x0".into() } else { reserved() }, |w| format!("x{w}"))
        }
        Quantity::Bytes(bytes) => bytes.map_or_else(reserved, size_text),
        Quantity::Nanoseconds(time) => time.map_or_else(reserved, time_text),
        Quantity::LessThanNanoseconds(time) => format!("less than {}", time_text(time)),
        Quantity::MoreThanNanoseconds(time) => format!("more than {}", time_text(time)),
        Quantity::NoLimit => "no limit".to_owned(),
        Quantity::Reserved => reserved(),
        Quantity::Unknown => "unknown".to_owned(),
        Quantity::Speeds(0) => "none".to_owned(),
        Quantity::Speeds(bits) => {
            let numbers: Vec<String> = listed_speeds(bits).map(speed_number).collect();
            format!("{} GT/s", numbers.join(", "))
        }
        Quantity::Count(count) => count.to_string(),
        Quantity::Milliwatts(power) => power.map_or_else(reserved, power_text),
        Quantity::Milliamperes(current) => format!("{current} mA"),
        Quantity::Sizes(0) => "none".to_owned(),
        Quantity::Sizes(bits) => listed_sizes(bits).map(size_text).collect::<Vec<_>>().join(", "),
        Quantity::Offset(offset) => format!("{offset:#x}"),
        Quantity::Address(address) => format!("{address:#x}"),
        Quantity::Lanes(0) => "no lane".to_owned(),
        Quantity::Lanes(bits) => {
            let lanes: Vec<String> = listed_lanes(bits).map(|lane| lane.to_string()).collect();
            format!("lane {}", lanes.join(", "))
        }
        Quantity::Doublewords(1) => "1 doubleword".to_owned(),
        Quantity::Doublewords(count) => format!("{count} doublewords"),
        Quantity::RequesterId(id) => requester(id),
    }
}

fn listed_speeds(bits: u8) -> impl Iterator<Item = u32> {
    LINK_SPEEDS.into_iter().enumerate().filter(move |(bit, _)| bits >> bit & 1 == 1).map(|(_, speed)| speed)
}

fn listed_lanes(bits: u32) -> impl Iterator<Item = u32> {
    (0..32).filter(move |lane| bits >> lane & 1 == 1)
}

fn listed_sizes(bits: u64) -> impl Iterator<Item = u64> {
    (0..44).filter(move |bit| bits >> bit & 1 == 1).map(|bit| 1 << (bit + 20))
}

/// A requester ID: `82:00.0`.
pub fn requester(id: u16) -> String {
    format!("{:02x}:{:02x}.{}", id >> 8, id >> 3 & 0x1f, id & 7)
}

/// A link speed in GT/s without the unit: `2.5`, `32`.
pub fn speed_number(mts: u32) -> String {
    if mts.is_multiple_of(1000) {
        (mts / 1000).to_string()
    } else {
        format!("{}.{}", mts / 1000, mts % 1000 / 100)
    }
}

/// A link speed: `2.5 GT/s`, `32 GT/s`.
pub fn speed_text(mts: u32) -> String {
    format!("{} GT/s", speed_number(mts))
}

/// A size: `128 bytes`, `64 MiB`, `32 GiB`.
pub fn size_text(bytes: u64) -> String {
    const UNITS: [(u64, &str); 5] =
        [(1 << 50, "PiB"), (1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match UNITS.iter().find(|(unit, _)| bytes >= *unit && bytes.is_multiple_of(*unit)) {
        // Payloads and the like are known as 1024 and 4096 bytes.
        Some((unit, _)) if *unit == 1 << 10 && bytes <= 4096 => format!("{bytes} bytes"),
        Some((unit, name)) => format!("{} {name}", bytes / unit),
        None => format!("{bytes} bytes"),
    }
}

/// A time: `71 ns`, `4 µs`, `1 ms`.
pub fn time_text(nanoseconds: u64) -> String {
    match nanoseconds {
        n if n >= 1_000_000 && n.is_multiple_of(1_000_000) => format!("{} ms", n / 1_000_000),
        n if n >= 1_000 && n.is_multiple_of(1_000) => format!("{} µs", n / 1_000),
        n => format!("{n} ns"),
    }
}

/// Power: `75 W`, `2.5 W`.
pub fn power_text(milliwatts: u64) -> String {
    match milliwatts % 1000 {
        0 => format!("{} W", milliwatts / 1000),
        rest => format!("{}.{} W", milliwatts / 1000, format!("{rest:03}").trim_end_matches('0')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pci::extended::dpc::DpcStatus;
    use crate::pci::register::RegisterType;

    /// PCIe 6.2, 7.9.14.4.
    #[test]
    fn a_reason_is_named_only_of_a_trigger() {
        let text = |field: &str, raw| text_value(DpcStatus::REGISTER.field(field).unwrap(), raw);
        assert_eq!((text("Reason", 0x06), text("TriggerExt", 0x06)), ("none".into(), "none".into()));
        assert_eq!((text("Reason", 0x03), text("TriggerExt", 0x23)), ("ERR_NONFATAL".into(), "none".into()));
        assert_eq!(text("TriggerExt", 0x27), "DPC software trigger");
        assert_eq!(json_value(DpcStatus::REGISTER.field("Reason").unwrap(), 0), serde_json::Value::Null);
    }

    #[test]
    fn numbers_have_units() {
        assert_eq!(speed_text(2500), "2.5 GT/s");
        assert_eq!(size_text(32 << 30), "32 GiB");
        assert_eq!(size_text(4096), "4096 bytes");
        assert_eq!(size_text(16384), "16 KiB");
        assert_eq!(size_text(0), "0 bytes");
        assert_eq!(power_text(75_000), "75 W");
        assert_eq!(power_text(2_500), "2.5 W");
        assert_eq!(time_text(2_326_528), "2326528 ns");
        assert_eq!(requester(0x8201), "82:00.1");
    }
}
