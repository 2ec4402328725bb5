//! Accelerated Graphics Port, capability ID 02h: the port of a host bridge, or a graphics card on it. AGP 3.0.
//!
//! The same registers serve AGP 2.0 and 3.0; in AGP 3.0 mode the rates stand for four times as much. What lies behind
//! the command register is there in version 3 only.

use crate::pci::decode::{Builder, Specification};
use crate::pci::quantity::minus_one;
use crate::pci::register::{Meaning, Quantity, RegisterType};
use crate::pci::walk::List;
use crate::register;

/// The capability.
pub static SPECIFICATION: Specification = Specification {
    list: List::Standard,
    id: 0x02,
    key: "agp",
    name: "AGP",
    section: "AGP 3.0",
    layout: Some(layout),
    registers: &[
        Version::REGISTER,
        Status::REGISTER,
        Command::REGISTER,
        IsochronousStatus::REGISTER,
        Control::REGISTER,
        ApertureSize::REGISTER,
        AperturePageSize::REGISTER,
        GartLow::REGISTER,
        GartHigh::REGISTER,
        IsochronousCommand::REGISTER,
    ],
};

/// How often the drivers of the bus are calibrated.
const CALIBRATION_CYCLE: Meaning =
    Meaning::Choice(&[(0, "4 ms"), (1, "16 ms"), (2, "64 ms"), (3, "256 ms"), (7, "not needed")]);

register! {
    /// Version of the specification that the function follows.
    pub struct Version(u8) at 0x02, "version", "version", "AGP 3.0" {
        /// Number behind the point.
        3:0 minor Ro "minor",
        /// Number before the point.
        7:4 major Ro "major",
    }

    /// What the port can do.
    pub struct Status(u32) at 0x04, "status", "Status", "AGP 3.0" {
        /// 1x; in AGP 3.0 mode 4x.
        0 rate_1x Ro "Rate=x1",
        /// 2x; in AGP 3.0 mode 8x.
        1 rate_2x Ro "Rate=x2",
        /// 4x; reserved in AGP 3.0 mode.
        2 rate_4x Ro "Rate=x4",
        /// Runs in AGP 3.0 mode.
        3 agp3_mode Ro "AGP3",
        /// Can do fast writes.
        4 fast_write Ro "FW",
        /// Can use addresses above 4 GB.
        5 over_4g Ro "64bit",
        /// Cannot translate accesses of the processor through the aperture.
        6 host_translation_disabled Ro "HTrans",
        /// Can use 64-bit entries in the remapping table.
        7 gart_64bit Ro "GART64",
        /// Accesses within the aperture are always coherent.
        8 aperture_coherent Ro "ITACoh",
        /// Can take requests on the sideband.
        9 sideband_addressing Ro "SBA",
        /// How often it needs to be calibrated.
        12:10 calibration_cycle Ro "Cal" = CALIBRATION_CYCLE,
        /// Best size of an asynchronous request.
        15:13 asynchronous_request_size Ro "ArqSz" = Meaning::Quantity(request_size),
        /// Can do isochronous transactions.
        16 isochronous Ro "Iso",
        /// Requests that can wait in the target's queue.
        31:24 request_queue Ro "RQ" = Meaning::Quantity(minus_one),
    }

    /// What of it is in use.
    pub struct Command(u32) at 0x08, "command", "Command", "AGP 3.0" {
        /// Runs at 1x; in AGP 3.0 mode at 4x.
        0 rate_1x Rw "Rate=x1",
        /// Runs at 2x; in AGP 3.0 mode at 8x.
        1 rate_2x Rw "Rate=x2",
        /// Runs at 4x; reserved in AGP 3.0 mode.
        2 rate_4x Rw "Rate=x4",
        /// Fast writes are on.
        4 fast_write_enable Rw "FW",
        /// Addresses above 4 GB are in use.
        5 over_4g_enable Rw "64bit",
        /// 64-bit entries in the remapping table are in use.
        7 gart_64bit_enable Rw "GART64",
        /// AGP operation is on.
        8 agp_enable Rw "AGP",
        /// The sideband is in use.
        9 sideband_addressing_enable Rw "SBA",
        /// How often to calibrate.
        12:10 calibration_cycle Rw "Cal" = CALIBRATION_CYCLE,
        /// Size of an asynchronous request that the master should use.
        15:13 asynchronous_request_size Rw "ArqSz" = Meaning::Quantity(request_size),
        /// Requests that the master may have in the target's queue.
        31:24 request_queue_depth Rw "RQ" = Meaning::Quantity(minus_one),
    }

    /// What the port can do in isochronous transactions; there if Status says that it can do them.
    pub struct IsochronousStatus(u32) at 0x0c, "isochronous_status", "NISTAT", "AGP 3.0" {
        /// Error of the last isochronous transaction; 0 is none.
        1:0 error_code Ro "error",
        /// Maximum latency of a transfer, in isochronous periods.
        5:3 maximum_latency Ro "L",
        /// Payload sizes that it supports, encoded.
        7:6 payload_sizes Ro "Y",
        /// Most isochronous transactions in a period.
        15:8 maximum_transactions Ro "N",
        /// Most bandwidth of all its transactions together, in units of 32 bytes per microsecond.
        23:16 maximum_bandwidth Ro "MAXBW",
    }

    /// Aperture and its translation; there in the host bridge.
    pub struct Control(u32) at 0x10, "control", "AGPCTRL", "AGP 3.0" {
        /// The translation buffer works; clearing it empties the buffer.
        7 translation_buffer_enable Rw "GTLBEN",
        /// The aperture is open.
        8 aperture_enable Rw "APERENB",
        /// Calibration cycles are off.
        9 calibration_disable Rw "CAL_CYCLE_DIS",
    }

    /// Size of the aperture; there in the host bridge.
    pub struct ApertureSize(u16) at 0x14, "aperture_size", "APSIZE", "AGP 3.0" {
        /// Encoded: the bits that are set are those of the address that the aperture decodes.
        15:0 size Rw "size" = Meaning::Hex,
    }

    /// Size of the pages of the aperture; there in the host bridge.
    pub struct AperturePageSize(u16) at 0x16, "aperture_page_size", "NEPG", "AGP 3.0" {
        /// Encoded.
        15:0 size Rw "size" = Meaning::Hex,
    }

    /// Where the remapping table begins, lower half; there in the host bridge.
    pub struct GartLow(u32) at 0x18, "gart_low", "GARTLO", "AGP 3.0" {
        /// Address bits 31:12.
        31:12 address Rw "address" = Meaning::Hex,
    }

    /// Where the remapping table begins, upper half; there in the host bridge.
    pub struct GartHigh(u32) at 0x1c, "gart_high", "GARTHI", "AGP 3.0" {
        /// Address bits 63:32.
        31:0 address Rw "address" = Meaning::Hex,
    }

    /// What of the isochronous transactions is in use; there if Status says that the port can do them.
    pub struct IsochronousCommand(u16) at 0x20, "isochronous_command", "NICMD", "AGP 3.0" {
        /// Payload size in use, encoded.
        7:6 payload_size Rw "Y",
        /// Most isochronous transactions in a period that the master may ask for.
        15:8 maximum_transactions Rw "N",
    }
}

fn request_size(encoding: u64) -> Quantity {
    Quantity::Bytes(Some(16 << encoding))
}

/// Base class and subclass of a host bridge.
const HOST_BRIDGE: u32 = 0x0600;

fn layout(builder: &mut Builder<'_>) {
    builder.load(0x04, 8);
    let version = builder.add::<Version>();
    let status = builder.add::<Status>();
    builder.add::<Command>();
    let Some(status) = status.filter(|_| version.is_some_and(|v| v.major() >= 3)) else { return };
    let target = builder.context.class >> 8 == HOST_BRIDGE;
    let room = builder.room_end.saturating_sub(builder.located.offset);
    let end = if status.isochronous() { 0x22 } else { 0x20 };
    if !(target || status.isochronous()) || room < end {
        return;
    }
    if target {
        builder.load(0x0c, end - 0x0c);
    }
    if status.isochronous() {
        builder.add::<IsochronousStatus>();
    }
    if target {
        builder.add::<Control>();
        builder.add::<ApertureSize>();
        builder.add::<AperturePageSize>();
        builder.add::<GartLow>();
        builder.add::<GartHigh>();
    }
    if status.isochronous() {
        builder.add::<IsochronousCommand>();
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{decode, decode_in, placed, reads};
    use super::*;
    use crate::pci::decode::Context;

    fn bytes(version: u8, status: u32, command: u32) -> Vec<u8> {
        let mut bytes = vec![0x02, 0, version, 0];
        bytes.extend(status.to_le_bytes());
        bytes.extend(command.to_le_bytes());
        bytes.extend(0x0c..0x24);
        bytes
    }

    /// lspci calls it: AGP version 2.0; Status: RQ=32 … SBA+ … 64bit- FW+ … Rate=x1,x2,x4; Command: RQ=1 … Rate=<none>.
    #[test]
    fn a_card_of_version_2() {
        let card = bytes(0x20, 0x1f00_0217, 0);
        let (capability, anomalies) = decode(Context::default(), &card);
        assert!(anomalies.is_empty());
        assert_eq!(placed(&capability), [("version", 2), ("status", 4), ("command", 8)]);
        assert_eq!(capability.get::<Version>().map(|v| (v.major(), v.minor())), Some((2, 0)));
        let status: Status = capability.get().unwrap();
        assert!(status.rate_1x() && status.rate_2x() && status.rate_4x() && !status.agp3_mode());
        assert!(status.fast_write() && status.sideband_addressing() && !status.over_4g());
        assert_eq!(minus_one(status.request_queue().into()), Quantity::Count(32));
        assert_eq!(request_size(7), Quantity::Bytes(Some(2048)));
        assert_eq!(reads(Context::default(), &card), [(4, 8)]);
    }

    #[test]
    fn a_host_bridge_of_version_3_has_the_aperture() {
        let bridge = Context { class: 0x06_0000, ..Context::default() };
        let (capability, _) = decode(bridge, &bytes(0x30, 0x1f00_0a0a, 0x1f00_0f02));
        assert_eq!(
            placed(&capability)[3..],
            [
                ("control", 0x10),
                ("aperture_size", 0x14),
                ("aperture_page_size", 0x16),
                ("gart_low", 0x18),
                ("gart_high", 0x1c)
            ]
        );
        assert_eq!(capability.get(), Some(ApertureSize(0x1514)));
        assert_eq!(reads(bridge, &bytes(0x30, 0x0a, 0)), [(4, 8), (0x0c, 20)]);
        let (capability, _) = decode(bridge, &bytes(0x35, 0x0001_0008, 0));
        assert_eq!(placed(&capability)[3], ("isochronous_status", 0x0c));
        assert_eq!(placed(&capability)[9], ("isochronous_command", 0x20));
        assert_eq!(capability.get(), Some(IsochronousCommand(0x2120)));
    }

    #[test]
    fn a_card_of_version_3_has_the_isochronous_registers_only() {
        let (capability, _) = decode(Context::default(), &bytes(0x35, 0x0001_0008, 0));
        assert_eq!(placed(&capability)[3..], [("isochronous_status", 0x0c), ("isochronous_command", 0x20)]);
        let status: IsochronousStatus = capability.get().unwrap();
        assert_eq!((status.maximum_bandwidth(), status.maximum_transactions()), (0x0e, 0x0d));
        let (capability, _) = decode(Context::default(), &bytes(0x35, 0, 0));
        assert_eq!(capability.registers.len(), 3);
    }

    #[test]
    fn what_cannot_be_read_has_no_value() {
        let mut space = vec![0; 0x48];
        space[0x40..].copy_from_slice(&bytes(0x30, 8, 0)[..8]);
        let (capability, _) = decode_in(Context::default(), &space);
        assert_eq!((capability.get(), capability.get::<Command>()), (Some(Status(8)), None));
    }
}
