//! What several registers of a capability say only together: addresses in two halves, powers with their scale elsewhere.

use crate::pci::Bdf;
use crate::pci::capability::{enhanced_allocation as ea, power};
use crate::pci::decode::Capability;
use crate::pci::extended::dvsec::cxl_device as cxl;
use crate::pci::extended::{
    dpa, event_collector, ide_stream as ide, link_declaration, power_budgeting, sriov,
};
use crate::pci::register::RegisterType;

/// A value that takes several registers.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Together {
    /// What it is, as a path below the capability's, such as `vf_bar[0].address`.
    pub path: String,
    /// The number; `null` where it is none.
    pub value: Option<u64>,
    /// Its unit: `bytes`, `milliwatts`, or `address`; `null` without a number.
    pub unit: Option<&'static str>,
    /// The same for people.
    pub text: String,
}

/// Everything that several registers of the capability say together.
pub fn together(capability: &Capability) -> Vec<Together> {
    match capability.specification.map(|s| s.key) {
        Some("power") => power_data(capability).into_iter().collect(),
        Some("enhanced_allocation") => allocations(capability),
        Some("sriov") => virtual_function_bars(capability),
        Some("event_collector") => collected(capability),
        Some("link_declaration") => linked_functions(capability),
        Some("power_budgeting") => budget(capability).into_iter().collect(),
        Some("dpa") => substates(capability),
        Some("dvsec") => memory_ranges(capability),
        Some("ide") => associations(capability),
        _ => Vec::new(),
    }
}

/// The register of that type at that place in its group.
fn at<R: RegisterType>(capability: &Capability, within: Option<u16>, index: u16) -> Option<R> {
    let placed = capability.registers.iter().find(|p| {
        std::ptr::eq(p.register, R::REGISTER)
            && p.group.map_or(0, |(_, number)| number) == index
            && p.within.map(|(_, number)| number) == within
    })?;
    placed.raw.map(R::from_raw)
}

/// How many registers of that type there are.
fn count<R: RegisterType>(capability: &Capability) -> u16 {
    capability.registers.iter().filter(|p| std::ptr::eq(p.register, R::REGISTER)).count() as u16
}

fn address(path: String, address: u64, text: String) -> Together {
    Together { path, value: Some(address), unit: Some("address"), text }
}

fn milliwatts(path: String, value: u64, more: &str) -> Together {
    let text = format!("{}.{:03} W{more}", value / 1000, value % 1000);
    Together { path, value: Some(value), unit: Some("milliwatts"), text }
}

/// Data of Power Management, in the unit that Data Scale names (PCIe 6.2, 7.5.2.2, Table 7-16).
fn power_data(capability: &Capability) -> Option<Together> {
    let control: power::ControlStatus = capability.get()?;
    let data: power::Data = capability.get()?;
    let what = match control.data_select() {
        select @ 0..=3 => format!(" consumed in D{select}"),
        select @ 4..=7 => format!(" dissipated in D{}", select - 4),
        _ => " of what all functions share".to_owned(),
    };
    Some(milliwatts("data.power".to_owned(), data.milliwatts(control)?, &what))
}

fn allocations(capability: &Capability) -> Vec<Together> {
    let entries = count::<ea::Format>(capability);
    let one = |index: u16| {
        let base: ea::Base = at(capability, None, index)?;
        let most: ea::MaxOffset = at(capability, None, index)?;
        let upper = |wide: bool, upper: Option<u32>| if wide { upper } else { Some(0) };
        let base_upper = at::<ea::BaseUpper>(capability, None, index).map(|r| r.0);
        let most_upper = at::<ea::MaxOffsetUpper>(capability, None, index).map(|r| r.0);
        let start = u64::from(upper(base.is_64bit(), base_upper)?) << 32 | u64::from(base.0 & !3);
        let offset = u64::from(upper(most.is_64bit(), most_upper)?) << 32 | u64::from(most.0 | 3);
        let text = format!("{start:#x} to {:#x}", start.wrapping_add(offset));
        Some(address(format!("entry[{index}].address"), start, text))
    };
    (0..entries).filter_map(one).collect()
}

/// Base Address Registers that the virtual functions share (PCIe 6.2, 9.3.3.14).
fn virtual_function_bars(capability: &Capability) -> Vec<Together> {
    let bits = |index| at::<sriov::VfBar>(capability, None, index).map(|r| r.0);
    let mut all = Vec::new();
    let mut index = 0;
    while let Some(low) = bits(index) {
        let wide = low & 0b111 == 0b100;
        let upper = if wide { bits(index + 1) } else { Some(0) };
        if let (Some(upper), 0, true) = (upper, low & 0b011, low != 0) {
            let start = u64::from(upper) << 32 | u64::from(low & !0xf);
            let text = format!(
                "BAR {index} of the first virtual function: memory at {start:#x} ({}-bit, {}prefetchable)",
                if wide { 64 } else { 32 },
                if low & 8 == 0 { "non-" } else { "" },
            );
            all.push(address(format!("vf_bar[{index}].address"), start, text));
        }
        index += if wide { 2 } else { 1 };
    }
    all
}

/// Which devices and buses a Root Complex Event Collector speaks for (PCIe 6.2, 7.9.10.2 and 7.9.10.3).
fn collected(capability: &Capability) -> Vec<Together> {
    let words = |path: &str, text: String| Together { path: path.to_owned(), value: None, unit: None, text };
    let mut all = Vec::new();
    if let Some(bitmap) = capability.get::<event_collector::AssociationBitmap>() {
        let devices: Vec<String> = bitmap.device_numbers().map(|n| format!("{n:02x}")).collect();
        let text = if devices.is_empty() { "none".to_owned() } else { devices.join(", ") };
        all.push(words("association_bitmap.devices", format!("devices of its own bus: {text}")));
    }
    if let Some(buses) = capability.get::<event_collector::AssociatedBusNumbers>() {
        let text = match buses.buses() {
            Some(buses) => format!("buses {:02x} to {:02x} besides", buses.start(), buses.end()),
            None => "no other buses".to_owned(),
        };
        all.push(words("associated_bus_numbers.buses", text));
    }
    all
}

/// The function at the other end of a Root Complex link (PCIe 6.2, 7.9.8.3.2.2).
fn linked_functions(capability: &Capability) -> Vec<Together> {
    let one = |index| {
        let to: link_declaration::LinkConfigurationAddress = at(capability, None, index)?;
        let (bus, device) = (to.bus_number(), to.device_number() as u8);
        let function = Bdf { domain: 0, bus, device, function: to.function_number() as u8 }.to_string();
        let function = function.split_once(':').map_or(function.as_str(), |(_, short)| short).to_owned();
        let space = match to.configuration_space_base_address() {
            0 => "the default configuration space".to_owned(),
            base => format!("the configuration space at {base:#x}"),
        };
        let text = format!("{function} in {space}");
        Some(Together { path: format!("link[{index}].function"), value: None, unit: None, text })
    };
    (0..count::<link_declaration::LinkDescription>(capability)).filter_map(one).collect()
}

/// The entry of the power budget that Data Select shows (PCIe 6.2, 7.8.1.4).
fn budget(capability: &Capability) -> Option<Together> {
    let control = capability.get::<power_budgeting::PowerBudgetingControl>();
    let extended = control.is_some_and(|control| control.extended_power_budgeting_enable());
    let data: power_budgeting::PowerBudgetingData = capability.get()?;
    if data.0 == 0 {
        // Behind the last entry.
        return None;
    }
    let most = data.base_power() >= 0xf0 && data.data_scale() == 0 && !extended;
    let more = if most { " at most" } else { "" };
    Some(milliwatts("data.power".to_owned(), data.milliwatts(extended)?.into(), more))
}

fn substates(capability: &Capability) -> Vec<Together> {
    let Some(scale) = capability.get::<dpa::DpaCapability>() else { return Vec::new() };
    let one = |index| {
        let allocation: dpa::SubstatePowerAllocation = at(capability, None, index)?;
        let power = scale.milliwatts(allocation);
        Some(milliwatts(format!("substate[{index}].power"), power.into(), &format!(" in substate {index}")))
    };
    (0..count::<dpa::SubstatePowerAllocation>(capability)).filter_map(one).collect()
}

/// Ranges of memory of a CXL device (CXL 3.1, 8.1.3.8).
fn memory_ranges(capability: &Capability) -> Vec<Together> {
    let one = |index| {
        let size = cxl::range_size(at(capability, None, index)?, at(capability, None, index)?);
        let base = cxl::range_base(at(capability, None, index)?, at(capability, None, index)?);
        let path = |what: &str| format!("range[{index}].{what}");
        let text = match size {
            0 => format!("range {index}: nothing at {base:#x}"),
            _ => format!("range {index}: {base:#x} to {:#x}", base.wrapping_add(size).wrapping_sub(1)),
        };
        let bytes = Together {
            path: path("size"),
            value: Some(size),
            unit: Some("bytes"),
            text: format!("range {index}: {size:#x} bytes"),
        };
        Some([address(path("base"), base, text), bytes])
    };
    (0..count::<cxl::RangeSizeLow>(capability)).filter_map(one).flatten().collect()
}

/// Addresses of the partner of a selective IDE stream (PCIe 6.2, 7.9.26.5.5).
fn associations(capability: &Capability) -> Vec<Together> {
    let placed = capability.registers.iter();
    let first = placed.filter(|p| std::ptr::eq(p.register, ide::AddressAssociation1::REGISTER));
    let one = |p: &crate::pci::decode::Placed| {
        let (stream, index) = (p.within?.1, p.group?.1);
        let register: ide::AddressAssociation1 = at(capability, Some(stream), index)?;
        let (base, limit) = ide::address_range(
            register,
            at(capability, Some(stream), index)?,
            at(capability, Some(stream), index)?,
        );
        let path = format!("selective_stream[{stream}].address_association[{index}].base");
        let valid = if register.valid() { "" } else { ", not valid" };
        Some(address(path, base, format!("stream {stream}: {base:#x} to {limit:#x}{valid}")))
    };
    first.filter_map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pci::ConfigSpace;
    use crate::pci::decode::{Context, capabilities};
    use crate::pci::walk::{List, Located};

    /// What a capability of these doublewords says.
    fn said(list: List, id: u16, body: &[u32]) -> Vec<(String, Option<u64>, String)> {
        let start: usize = if list == List::Standard { 0x40 } else { 0x100 };
        let mut bytes = vec![0; 4096];
        for (place, doubleword) in body.iter().enumerate() {
            bytes[start + 4 * place..][..4].copy_from_slice(&doubleword.to_le_bytes());
        }
        let located = Located { list, id, offset: start as u16, version: 2 };
        let (found, _) = capabilities(&mut ConfigSpace::from_bytes(&bytes), Context::default(), &[located]);
        together(&found[0]).into_iter().map(|t| (t.path, t.value, t.text)).collect()
    }

    fn is(path: &str, value: Option<u64>, text: &str) -> (String, Option<u64>, String) {
        (path.to_owned(), value, text.to_owned())
    }

    #[test]
    fn powers_have_their_scale() {
        // Data Select 1, Data Scale 1, Data 55h.
        assert_eq!(
            said(List::Standard, 0x01, &[0x0003_0001, 0x5500_2200]),
            [is("data.power", Some(8500), "8.500 W consumed in D1")]
        );
        assert_eq!(
            said(List::Extended, 0x04, &[0x0002_0004, 0, 0x0000_00f2, 0]),
            [is("data.power", Some(300_000), "300.000 W at most")]
        );
        // Two substates in units of 0.1 W.
        assert_eq!(
            said(List::Extended, 0x16, &[0x0001_0016, 0x0000_2001, 0, 0, 0x0000_1964]),
            [
                is("substate[0].power", Some(10_000), "10.000 W in substate 0"),
                is("substate[1].power", Some(2500), "2.500 W in substate 1"),
            ]
        );
    }

    #[test]
    fn addresses_have_both_halves() {
        let mut body = [0; 16];
        body[0] = 0x0001_0010;
        (body[9], body[10], body[11]) = (0xfe00_000c, 1, 0xd000_0000);
        assert_eq!(
            said(List::Extended, 0x10, &body),
            [
                is(
                    "vf_bar[0].address",
                    Some(0x1_fe00_0000),
                    "BAR 0 of the first virtual function: memory at 0x1fe000000 (64-bit, prefetchable)"
                ),
                is(
                    "vf_bar[2].address",
                    Some(0xd000_0000),
                    "BAR 2 of the first virtual function: memory at 0xd0000000 (32-bit, non-prefetchable)"
                ),
            ]
        );
        // One entry of four doublewords behind the first, both halves of base and offset.
        let body = [0x0001_0014, 0x8000_0004, 0xfe00_0002, 0x00ff_fffe, 0x11, 0];
        assert_eq!(
            said(List::Standard, 0x14, &body),
            [is("entry[0].address", Some(0x11_fe00_0000), "0x11fe000000 to 0x11feffffff")]
        );
    }

    #[test]
    fn an_event_collector_names_its_devices_and_buses() {
        let said = said(List::Extended, 0x07, &[0x0002_0007, 0xc000_0001, 0x0005_0300]);
        assert_eq!(
            said,
            [
                is("association_bitmap.devices", None, "devices of its own bus: 00, 1e, 1f"),
                is("associated_bus_numbers.buses", None, "buses 03 to 05 besides"),
            ]
        );
    }

    #[test]
    fn a_configuration_space_of_a_link_has_a_base() {
        // Link Type 1, four bits of bus number: bus 5, 1f.3, base 1_0000_0000h.
        let body = [0x0001_0005, 0x0000_0100, 0, 0, 0x0000_0003, 0, 0x005f_b004, 1];
        assert_eq!(
            said(List::Extended, 0x05, &body),
            [is("link[0].function", None, "05:1f.3 in the configuration space at 0x100000000")]
        );
    }
}
