//! Designated Vendor-Specific Extended Capability, extended capability ID 0023h. PCIe 6.2, 7.9.6.
//!
//! Decoded are those of the CXL Consortium (vendor 1E98h), which describe CXL devices and ports; of others the two headers,
//! and their bodies stay raw.

pub mod cxl_device;
pub mod cxl_flex_bus;
pub mod cxl_locator;
pub mod cxl_other;
pub mod cxl_port;
pub mod cxl_power_fail;
mod kinds;

pub use kinds::{KINDS, Kind, kind};

use cxl_device as device;
use cxl_flex_bus as flex_bus;
use cxl_locator as locator;
use cxl_other as other;
use cxl_port as port;
use cxl_power_fail as power_fail;

use crate::pci::decode::{Builder, Specification};
use crate::pci::register::{Meaning, RegisterType};
use crate::pci::space::ConfigSpace;
use crate::pci::walk::{Anomaly, List, Located};
use crate::register;

/// The capability.
pub static SPECIFICATION: Specification = Specification {
    list: List::Extended,
    id: 0x23,
    key: "dvsec",
    name: "Designated Vendor-Specific Extended Capability",
    section: "PCIe 6.2, 7.9.6",
    layout: Some(layout),
    registers: &[
        Header1::REGISTER,
        Header2::REGISTER,
        device::Capability::REGISTER,
        device::Control::REGISTER,
        device::Status::REGISTER,
        device::Control2::REGISTER,
        device::Status2::REGISTER,
        device::Lock::REGISTER,
        device::Capability2::REGISTER,
        device::RangeSizeHigh::REGISTER,
        device::RangeSizeLow::REGISTER,
        device::RangeBaseHigh::REGISTER,
        device::RangeBaseLow::REGISTER,
        device::Capability3::REGISTER,
        other::FunctionMap::REGISTER,
        port::Status::REGISTER,
        port::Control::REGISTER,
        port::AlternateBusBase::REGISTER,
        port::AlternateBusLimit::REGISTER,
        port::AlternateMemoryBase::REGISTER,
        port::AlternateMemoryLimit::REGISTER,
        port::AlternatePrefetchableMemoryBase::REGISTER,
        port::AlternatePrefetchableMemoryLimit::REGISTER,
        port::AlternatePrefetchableMemoryBaseHigh::REGISTER,
        port::AlternatePrefetchableMemoryLimitHigh::REGISTER,
        port::RcrbBase::REGISTER,
        port::RcrbBaseHigh::REGISTER,
        power_fail::Phase1Control::REGISTER,
        power_fail::Phase2Control::REGISTER,
        power_fail::Phase2Duration::REGISTER,
        power_fail::Phase2Power::REGISTER,
        flex_bus::Capability::REGISTER,
        flex_bus::Control::REGISTER,
        flex_bus::Status::REGISTER,
        flex_bus::ReceivedModifiedTsData::REGISTER,
        flex_bus::Capability2::REGISTER,
        flex_bus::Control2::REGISTER,
        flex_bus::Status2::REGISTER,
        locator::RegisterBlock::REGISTER,
        other::NumberOfLds::REGISTER,
        other::LdIdHotResetVector::REGISTER,
        other::TestLock::REGISTER,
        other::TestCapability1::REGISTER,
        other::TestCapability2::REGISTER,
        other::TestConfigurationBaseLow::REGISTER,
        other::TestConfigurationBaseHigh::REGISTER,
    ],
};

register! {
    /// Whose capability it is and how long.
    pub struct Header1(u32) at 0x04, "header_1", "DVSEC", "PCIe 6.2, 7.9.6.2" {
        /// Vendor who defined it; not necessarily the maker of the function.
        15:0 vendor_id Ro "Vendor" = Meaning::Hex,
        /// Chosen by that vendor.
        19:16 revision Ro "Rev",
        /// Bytes of the whole capability, from its first byte on.
        31:20 length Ro "Len" = Meaning::Unit("bytes"),
    }
    /// Which of that vendor's capabilities it is.
    pub struct Header2(u16) at 0x08, "header_2", "DVSEC2", "PCIe 6.2, 7.9.6.3" {
        /// Chosen by that vendor.
        15:0 id Ro "ID" = Meaning::Hex,
    }
}

/// Vendor ID of the CXL Consortium.
const CXL: u32 = 0x1e98;
/// Bytes of the headers.
const HEADERS: u16 = 0x0a;

/// Whether the capability at `located` is the one that every CXL device has (CXL 3.1, 8.1.3), as far as it was read.
pub fn is_cxl_device(space: &ConfigSpace, located: &Located) -> bool {
    let at = |offset| located.offset.checked_add(offset).and_then(|at| space.u16(at));
    (at(Header1::REGISTER.offset).map(u32::from), at(Header2::REGISTER.offset)) == (Some(CXL), Some(0))
}

/// A capability whose registers are placed as far as it says that it is long, and no farther.
struct Body<'b, 'a> {
    builder: &'b mut Builder<'a>,
    /// Chosen by the vendor. Registers are only ever added, so a higher one than is known has the known ones too.
    revision: u8,
    /// Bytes of the capability as its header states them.
    stated: u16,
    /// Bytes of the capability up to what comes next in the list.
    length: u16,
}

impl Body<'_, '_> {
    /// Reads what stands between the headers and `end` (relative to the capability), in one go.
    fn load(&mut self, end: u16) {
        // The doubleword at 08h was read with the second header.
        let end = end.min(self.length);
        if end > 0x0c {
            self.builder.load(0x0c, end - 0x0c);
        }
    }

    /// Places the register at its own offset, if it is there.
    fn add<R: RegisterType>(&mut self) -> Option<R> {
        let fits = R::REGISTER.offset + u16::from(R::REGISTER.width) <= self.length;
        if fits { self.builder.add::<R>() } else { None }
    }

    /// Places the register as part of its repeated group, if it is there.
    fn add_in<R: RegisterType>(&mut self, index: u16, offset: u16) -> Option<R> {
        let fits = offset + u16::from(R::REGISTER.width) <= self.length;
        if fits { self.builder.add_in::<R>(index, offset) } else { None }
    }

    /// Notes that the length which the header states is not one that the capability can have.
    fn wrong_length(&mut self) {
        let offset = self.builder.located.offset + Header1::REGISTER.offset;
        if let Some(raw) = self.builder.value(Header1::REGISTER.offset, Header1::REGISTER.width) {
            self.builder.anomaly(Anomaly::ReservedValue { offset, raw });
        }
    }
}

fn layout(builder: &mut Builder<'_>) {
    builder.load(0x04, 8);
    let header = builder.add::<Header1>();
    let id = builder.add::<Header2>().map(|h| h.id());
    let Some(header) = header else { return };
    let stated = header.length() as u16;
    builder.reaches(stated);
    let length = stated.min(builder.room());
    let mut body = Body { builder, revision: header.revision() as u8, stated, length };
    if stated < HEADERS {
        return body.wrong_length();
    }
    let (Some(id), CXL) = (id, header.vendor_id()) else { return body.builder.leave_raw(HEADERS, stated) };
    // What the revision needs at least; all of it must be there for the length to be right.
    let needed = match id {
        0x0 => device::layout(&mut body),
        0x2 => other::function_map(&mut body),
        0x3 => port::layout(&mut body),
        0x4 => power_fail::port(&mut body),
        0x5 => power_fail::device(&mut body),
        0x7 => flex_bus::layout(&mut body),
        0x8 => locator::layout(&mut body),
        0x9 => other::multi_logical_device(&mut body),
        0xa => other::test(&mut body),
        _ => return body.builder.leave_raw(HEADERS, stated),
    };
    if stated < needed {
        body.wrong_length();
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::testing::{Case, Decoded};
    use crate::pci::walk::Anomaly;

    /// A CXL capability with its doublewords from 08h on; the low half of the first is replaced by the ID.
    pub fn cxl(id: u16, revision: u8, length: u16, doublewords: &[u32]) -> Case {
        let header = 0x1e98 | u32::from(revision) << 16 | u32::from(length) << 20;
        let mut body = vec![header];
        body.extend(doublewords);
        body[1] = body[1] & 0xffff_0000 | u32::from(id);
        Case::new(0x23).body(&body)
    }

    /// The anomaly for a length that the capability cannot have.
    pub fn wrong_length(revision: u8, length: u16) -> [Anomaly; 1] {
        let raw = 0x1e98 | u64::from(revision) << 16 | u64::from(length) << 20;
        [Anomaly::ReservedValue { offset: 0x104, raw }]
    }

    /// Asserts the values of fields.
    pub fn assert_fields(decoded: &Decoded, fields: &[(&str, u64)]) {
        for (path, value) in fields {
            assert_eq!(decoded.field(path), *value, "{path}");
        }
    }

    #[test]
    fn both_headers_are_one_read() {
        let decoded = Case::new(0x23).body(&[0x0181_8086, 0x5555_0005]).decode();
        assert_eq!((decoded.reads, decoded.read_bytes), (2, 8 + 12));
        assert_eq!(decoded.capability.undecoded, Some((0x10a, 0x118)));
        assert_eq!(decoded.field("header_1.vendor_id"), 0x8086);
        assert_eq!(decoded.field("header_1.revision"), 1);
        assert_eq!(decoded.field("header_1.length"), 0x18);
        assert_eq!(decoded.field("header_2.id"), 5);
        assert_eq!(decoded.capability.end, 0x118);
        let short = Case::new(0x23).body(&[0x0181_8086]).limit(0x108).decode();
        assert_eq!((short.raw("header_1"), short.raw("header_2")), (Some(0x0181_8086), None));
    }

    #[test]
    fn a_length_that_is_too_short_for_the_headers_is_said() {
        for id in [0, 2, 3, 4, 5, 7, 8, 9, 0xa, 0xffff] {
            let decoded = cxl(id, 0, 9, &[0]).decode();
            assert_eq!(decoded.anomalies, wrong_length(0, 9));
            assert_eq!(decoded.paths(), ["header_1", "header_2"]);
        }
    }

    /// Whatever length a capability states: no register behind it, and none twice.
    #[test]
    fn nothing_is_placed_or_read_behind_the_length() {
        for id in [0, 2, 3, 4, 5, 7, 8, 9, 0xa] {
            for revision in 0..=4 {
                for length in (0x0a..0x60).chain([0x200, 0xfff]) {
                    let decoded = cxl(id, revision, length, &[u32::MAX; 32]).decode();
                    let end = 0x100 + length;
                    for placed in &decoded.capability.registers[2..] {
                        assert!(placed.offset + u16::from(placed.register.width) <= end, "{}", placed.path());
                    }
                    let whole = (end.next_multiple_of(4) - 0x104).max(8);
                    assert!(decoded.read_bytes <= whole, "{id:#x}, revision {revision}, length {length:#x}");
                    assert!(decoded.reads <= 2);
                    let said =
                        decoded.anomalies.iter().filter(|a| matches!(a, Anomaly::ReservedValue { .. }));
                    assert!(said.count() <= 1);
                }
            }
        }
    }

    #[test]
    fn nothing_is_placed_in_the_next_capability() {
        let decoded = cxl(0, 2, 0x3c, &[0; 14]).next(0x114).decode();
        assert_eq!(
            decoded.paths()[2..],
            ["cxl_capability", "cxl_control", "cxl_status", "cxl_control_2", "cxl_status_2"]
        );
        assert_eq!(decoded.anomalies, [Anomaly::Overlap { first: 0x100, second: 0x114, first_end: 0x13c }]);
    }
}
