//! Downstream Port Containment, extended capability ID 001Dh. PCIe 6.2, 7.9.14.

use crate::pci::decode::{Builder, Capability, Specification};
use crate::pci::register::{Field, Meaning, Quantity, Register, RegisterType, joined};
use crate::pci::tlp::registers::rp_pio_header_log;
use crate::pci::tlp::{self, HEADER_DWORDS, Logged};
use crate::pci::walk::{Anomaly, List};
use crate::register;

/// The capability.
pub static SPECIFICATION: Specification = Specification {
    list: List::Extended,
    id: 0x1d,
    key: "dpc",
    name: "Downstream Port Containment",
    section: "PCIe 6.2, 7.9.14",
    layout: Some(layout),
    registers: &REGISTERS,
};

static REGISTERS: [&Register; 33] = joined(
    [
        DpcCapability::REGISTER,
        DpcControl::REGISTER,
        DpcStatus::REGISTER,
        ErrorSourceId::REGISTER,
        RpPioStatus::REGISTER,
        RpPioMask::REGISTER,
        RpPioSeverity::REGISTER,
        RpPioSysError::REGISTER,
        RpPioException::REGISTER,
        RpPioHeaderLog::REGISTER,
        RpPioImpSpecLog::REGISTER,
        RpPioTlpPrefixLog::REGISTER,
    ],
    rp_pio_header_log::REGISTERS,
);

register! {
    /// What containment can do.
    pub struct DpcCapability(u16) at 0x04, "capability", "DpcCap", "PCIe 6.2, 7.9.14.2" {
        /// Which MSI or MSI-X vector reports containment.
        4:0 interrupt_message_number Ro "IntMsgNum",
        /// Has the RP PIO registers; root ports only.
        5 rp_extensions Ro "RPExt",
        /// Can block poisoned packets on their way out.
        6 poisoned_tlp_egress_blocking_supported Ro "PoisonedTLP",
        /// Software can trigger containment.
        7 software_triggering_supported Ro "SwTrigger",
        /// Doublewords of the RP PIO logs, bits 3:0: 4 for the header, 1 for the ImpSpec log, the rest for prefixes.
        11:8 rp_pio_log_size Ro "RP PIO Log",
        /// Can send ERR_COR when the data link layer becomes active.
        12 dl_active_err_cor_signaling_supported Ro "DL_ActiveErr",
        /// Bit 4 of RP PIO Log Size.
        13 rp_pio_log_size_4 Ro "RP PIO Log[4]",
    }
    /// What containment does.
    pub struct DpcControl(u16) at 0x06, "control", "DpcCtl", "PCIe 6.2, 7.9.14.3" {
        /// Which errors trigger containment.
        1:0 trigger_enable Rw "Trigger" = Meaning::Choice(&[(0, "disabled"), (1, "ERR_FATAL"), (2, "ERR_NONFATAL or ERR_FATAL")]),
        /// How requests are answered while contained: 0 Completer Abort, 1 Unsupported Request.
        2 completion_control Rw "Cmpl",
        /// Interrupts when containment is triggered.
        3 interrupt_enable Rw "INT",
        /// Sends ERR_COR when containment is triggered.
        4 err_cor_enable Rw "ErrCor",
        /// Blocks poisoned packets on their way out.
        5 poisoned_tlp_egress_blocking_enable Rw "PoisonedTLP",
        /// Triggers containment when 1 is written.
        6 software_trigger Wo "SwTrigger",
        /// Sends ERR_COR when the data link layer becomes active.
        7 dl_active_err_cor_enable Rw "DL_ActiveErr",
        /// Sends ERR_COR of the subclass for system firmware.
        8 sig_sfw_enable Rw "SIG_SFW",
    }
    /// Whether the port is contained and why. The link stays down while Trigger Status is set.
    pub struct DpcStatus(u16) at 0x08, "status", "DpcSta", "PCIe 6.2, 7.9.14.4" {
        /// The port is contained.
        0 trigger_status Rw1cs "Trigger",
        /// Why; meaningful while Trigger Status is set.
        2:1 trigger_reason Ros "Reason" = Meaning::ChoiceWhen(triggered, &[(0, "unmasked uncorrectable error"), (1, "ERR_NONFATAL"), (2, "ERR_FATAL"), (3, "see trigger reason extension")]),
        /// An interrupt is pending.
        3 interrupt_status Rw1cs "INT",
        /// The root port has work left from before; Trigger Status must not be cleared yet.
        4 rp_busy Ro "RPBusy",
        /// Why; meaningful while Trigger Status is set and Trigger Reason is 3.
        6:5 trigger_reason_extension Ros "TriggerExt" = Meaning::ChoiceWhen(extended_reason, &[(0, "RP PIO error"), (1, "DPC software trigger")]),
        /// Bit number of the first error in RP PIO Status.
        12:8 rp_pio_first_error_pointer Ros "RP PIO ErrPtr" = Meaning::Hex,
        /// ERR_COR of the subclass for system firmware was sent.
        13 sig_sfw_status Rw1cs "SIG_SFW",
    }
    /// Who sent the error message that triggered containment.
    pub struct ErrorSourceId(u16) at 0x0a, "error_source_id", "Source", "PCIe 6.2, 7.9.14.5" {
        /// Meaningful where Trigger Reason is ERR_NONFATAL or ERR_FATAL.
        15:0 requester_id Ros "Source" = Meaning::Quantity(requester),
    }
    /// One doubleword of the header of the request that belongs to RP PIO First Error Pointer. The first byte on the wire is
    /// the most significant one.
    pub struct RpPioHeaderLog(u32) at 0x20 in "rp_pio_header_log", "header", "RPPIOHeaderLog", "PCIe 6.2, 7.9.14.11" {
        /// All 32 bits.
        31:0 bits Ros "bits" = Meaning::Hex,
    }
    /// What the implementation logs besides.
    pub struct RpPioImpSpecLog(u32) at 0x30, "rp_pio_impspec_log", "RPPIOImpSpecLog", "PCIe 6.2, 7.9.14.12" {
        /// All 32 bits.
        31:0 bits Ros "bits" = Meaning::Hex,
    }
    /// One end-to-end prefix of the request in the header log.
    pub struct RpPioTlpPrefixLog(u32) at 0x34 in "rp_pio_tlp_prefix_log", "prefix", "RPPIOTLPPrefixLog", "PCIe 6.2, 7.9.14.13" {
        /// All 32 bits.
        31:0 bits Ros "bits" = Meaning::Hex,
    }
}

/// Trigger Status is set: only then Trigger Reason means anything.
fn triggered(status: u64) -> bool {
    status & 1 == 1
}

/// Trigger Reason says that Trigger Reason Extension has the reason.
fn extended_reason(status: u64) -> bool {
    triggered(status) && status >> 1 & 3 == 3
}

/// The five RP PIO registers have the same bits.
macro_rules! rp_pio {
    ($(#[doc = $doc:literal])* $name:ident at $offset:literal, $key:literal, $short:literal, $section:literal, $access:ident) => {
        register! {
            $(#[doc = $doc])*
            pub struct $name(u32) at $offset, $key, $short, $section {
                /// A configuration request was answered with Unsupported Request.
                0 configuration_unsupported_request_completion $access "CfgUR",
                /// A configuration request was answered with Completer Abort.
                1 configuration_completer_abort_completion $access "CfgCA",
                /// A configuration request got no answer in time.
                2 configuration_completion_timeout $access "CfgCTO",
                /// An I/O request was answered with Unsupported Request.
                8 io_unsupported_request_completion $access "IOUR",
                /// An I/O request was answered with Completer Abort.
                9 io_completer_abort_completion $access "IOCA",
                /// An I/O request got no answer in time.
                10 io_completion_timeout $access "IOCTO",
                /// A memory request was answered with Unsupported Request.
                16 memory_unsupported_request_completion $access "MemUR",
                /// A memory request was answered with Completer Abort.
                17 memory_completer_abort_completion $access "MemCA",
                /// A memory request got no answer in time.
                18 memory_completion_timeout $access "MemCTO",
            }
        }
    };
}

rp_pio! {
    /// Which requests of the root port itself went wrong. The bits stay until software clears them.
    RpPioStatus at 0x0c, "rp_pio_status", "RPPIOSta", "PCIe 6.2, 7.9.14.6", Rw1cs
}
rp_pio! {
    /// Which of these errors have no consequences.
    RpPioMask at 0x10, "rp_pio_mask", "RPPIOMsk", "PCIe 6.2, 7.9.14.7", Rws
}
rp_pio! {
    /// Which of these errors count as uncorrectable and may trigger containment; the others are advisory.
    RpPioSeverity at 0x14, "rp_pio_severity", "RPPIOSvrt", "PCIe 6.2, 7.9.14.8", Rws
}
rp_pio! {
    /// Which of these errors raise a system error.
    RpPioSysError at 0x18, "rp_pio_syserror", "RPPIOSysErr", "PCIe 6.2, 7.9.14.9", Rws
}
rp_pio! {
    /// Which of these errors raise an exception in the processor, where it can do so.
    RpPioException at 0x1c, "rp_pio_exception", "RPPIOExc", "PCIe 6.2, 7.9.14.10", Rws
}

fn requester(id: u64) -> Quantity {
    Quantity::RequesterId(id as u16)
}

impl DpcCapability {
    /// RP PIO Log Size with all its bits, in doublewords.
    pub const fn log_size(self) -> u16 {
        self.rp_pio_log_size() | (self.rp_pio_log_size_4() as u16) << 4
    }
}

/// The RP PIO error whose request is in the header log: the one that RP PIO First Error Pointer points to, if its status bit
/// is set (PCIe 6.2, 6.2.11.3 and 7.9.14.4). All of these errors belong to a request.
pub fn logged_error(status: RpPioStatus, dpc: DpcStatus) -> Option<&'static Field> {
    tlp::first_error(status, dpc.rp_pio_first_error_pointer().into())
}

/// The packet in the header log of a decoded capability, if it belongs to an error.
pub fn logged(capability: &Capability) -> Option<Logged> {
    let error = logged_error(capability.get()?, capability.get()?)?;
    let words = |raw: Option<u64>| raw.map(|raw| raw as u32);
    let mut header: Vec<u32> = capability.all::<RpPioHeaderLog>().map_while(words).collect();
    if header.is_empty() {
        return None;
    }
    let placed = |register| capability.registers.iter().any(|p| std::ptr::eq(p.register, register));
    let flit_mode = match () {
        () if placed(rp_pio_header_log::Packet::REGISTER) => Some(false),
        () if placed(rp_pio_header_log::PacketWithoutData::REGISTER) => Some(false),
        () if placed(rp_pio_header_log::FlitPacket::REGISTER) => Some(true),
        () => None,
    };
    let mut prefixes = Vec::new();
    if flit_mode == Some(true) {
        header.extend(capability.all::<RpPioTlpPrefixLog>().map_while(words));
    } else {
        prefixes = tlp::prefixes(capability.all::<RpPioTlpPrefixLog>());
    }
    Some(Logged { error, header, prefixes, flit_mode })
}

/// Doublewords of the header log with the ImpSpec log.
const HEADER_AND_IMPSPEC_DWORDS: u16 = 5;
/// Largest RP PIO Log Size: 14 doublewords of a Flit Mode header and the ImpSpec log.
const MOST_DWORDS: u16 = 15;

fn layout(builder: &mut Builder<'_>) {
    builder.load(0x04, 8);
    let capability = builder.add::<DpcCapability>().unwrap_or(DpcCapability(0));
    builder.add::<DpcControl>();
    let status = builder.add::<DpcStatus>();
    builder.add::<ErrorSourceId>();
    if !capability.rp_extensions() {
        return;
    }
    let mut size = capability.log_size();
    if !(HEADER_DWORDS..=MOST_DWORDS).contains(&size) {
        let offset = builder.located.offset + DpcCapability::REGISTER.offset;
        builder.anomaly(Anomaly::ReservedValue { offset, raw: capability.raw() });
        // Firmware is known to leave 0 here, where nothing tells which logs exist.
        size = 0;
    }
    builder.load(0x0c, 20 + 4 * size);
    let errors = builder.add::<RpPioStatus>();
    builder.add::<RpPioMask>();
    builder.add::<RpPioSeverity>();
    builder.add::<RpPioSysError>();
    builder.add::<RpPioException>();
    for i in 0..size.min(HEADER_DWORDS) {
        builder.add_in::<RpPioHeaderLog>(i, 0x20 + 4 * i);
    }
    if size >= HEADER_AND_IMPSPEC_DWORDS {
        builder.add::<RpPioImpSpecLog>();
    }
    for i in 0..size.saturating_sub(HEADER_AND_IMPSPEC_DWORDS) {
        builder.add_in::<RpPioTlpPrefixLog>(i, 0x34 + 4 * i);
    }
    // The capability does not say in which mode the request was logged; the link does, while it is up.
    let error = errors.zip(status).and_then(|(errors, status)| logged_error(errors, status));
    if let (Some(_), Some(flit_mode), HEADER_DWORDS..) = (error, builder.context.flit_mode, size) {
        rp_pio_header_log::place(builder, flit_mode);
        rp_pio_header_log::place_prefixes(
            builder,
            if flit_mode { 0 } else { size.saturating_sub(HEADER_AND_IMPSPEC_DWORDS) },
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Case;
    use super::*;

    /// A root port: extensions, six doublewords of logs, contained because of a memory request.
    const BODY: [u32; 13] = [
        0x0005_0620,
        0x0000_1007,
        0x0007_0000,
        0x0007_0707,
        0x0001_0000,
        0,
        0,
        0x1234_5678,
        0,
        0,
        4,
        0xabcd,
        0xef01,
    ];

    #[test]
    fn a_contained_root_port() {
        let decoded = Case::new(0x1d).body(&BODY).decode();
        assert_eq!((decoded.reads, decoded.read_bytes), (2, 8 + 20 + 24));
        assert_eq!(decoded.field("control.trigger_enable"), 1);
        assert_eq!(decoded.field("control.completion_control"), 1);
        assert_eq!(decoded.field("status.trigger_status"), 1);
        assert_eq!(decoded.field("status.trigger_reason"), 3);
        assert_eq!(decoded.field("status.trigger_reason_extension"), 0);
        assert_eq!(decoded.field("status.rp_pio_first_error_pointer"), 0x10);
        assert_eq!(decoded.field("rp_pio_status.memory_unsupported_request_completion"), 1);
        assert_eq!(decoded.field("rp_pio_mask.configuration_unsupported_request_completion"), 1);
        assert_eq!(decoded.field("rp_pio_severity.memory_completion_timeout"), 0);
        assert_eq!(decoded.raw("rp_pio_header_log[0].header"), Some(0x1234_5678));
        assert_eq!(decoded.raw("rp_pio_header_log[3].header"), Some(4));
        assert_eq!(decoded.raw("rp_pio_impspec_log"), Some(0xabcd));
        assert_eq!(decoded.raw("rp_pio_tlp_prefix_log[0].prefix"), Some(0xef01));
        assert_eq!(decoded.paths().len(), 4 + 5 + 6);
        assert_eq!(decoded.capability.end, 0x138);
    }

    #[test]
    fn the_request_that_went_wrong() {
        let mut body = BODY;
        body[7..11].copy_from_slice(&[0x6000_0001, 0x0000_020f, 0x0000_0380, 0x0000_1000]);
        body[12] = 0x9110_0042;
        let decoded = Case::new(0x1d).body(&body).flit_mode(false).decode();
        assert_eq!((decoded.reads, decoded.read_bytes), (2, 8 + 20 + 24));
        assert_eq!(decoded.field("rp_pio_header_log[0].packet.fmt_and_type"), 0x60);
        assert_eq!(decoded.field("rp_pio_header_log[1].request.tag"), 2);
        assert_eq!(decoded.field("rp_pio_header_log[2].address_upper.address"), 0x380);
        assert_eq!(decoded.field("rp_pio_header_log[3].address_lower.address"), 0x400);
        assert_eq!(decoded.field("rp_pio_tlp_prefix_log[0].pasid.pasid"), 0x42);
        let packet = logged(&decoded.capability).unwrap();
        assert_eq!((packet.error.short, packet.flit_mode), ("MemUR", Some(false)));
        assert_eq!((packet.header.len(), packet.prefixes), (4, vec![0x9110_0042]));
        // In Flit Mode what stands behind the ImpSpec log is more of the header.
        let decoded = Case::new(0x1d).body(&body).flit_mode(true).decode();
        assert_eq!(decoded.paths()[15..], ["rp_pio_header_log[0].flit_packet"]);
        let packet = logged(&decoded.capability).unwrap();
        assert_eq!((packet.header.len(), packet.flit_mode, packet.prefixes.len()), (5, Some(true), 0));
        // Nobody knows the mode.
        let decoded = Case::new(0x1d).body(&body).decode();
        assert_eq!(decoded.paths().len(), 15);
        assert_eq!(logged(&decoded.capability).unwrap().flit_mode, None);
        // The error was cleared, or there is no log.
        body[2] = 0;
        let decoded = Case::new(0x1d).body(&body).flit_mode(false).decode();
        assert!(decoded.paths().len() == 15 && logged(&decoded.capability).is_none());
        let decoded = Case::new(0x1d).body(&[0x0020, 0x1007, 0x0007_0000]).flit_mode(false).decode();
        assert!(decoded.paths().len() == 9 && logged(&decoded.capability).is_none());
    }

    #[test]
    fn a_switch_port_has_four_registers() {
        let decoded = Case::new(0x1d).body(&[0x0001_0040, 0x0100_0003]).decode();
        assert_eq!((decoded.reads, decoded.read_bytes), (1, 8));
        assert_eq!(decoded.field("status.trigger_reason"), 1);
        assert_eq!(decoded.field("error_source_id.requester_id"), 0x0100);
        assert_eq!(decoded.paths().len(), 4);
    }

    #[test]
    fn a_log_size_that_cannot_be_is_said() {
        for capability in [0x0020, 0x0320, 0x2020, 0x2f20] {
            let decoded = Case::new(0x1d).body(&[capability]).decode();
            assert_eq!(decoded.anomalies, [Anomaly::ReservedValue { offset: 0x104, raw: capability.into() }]);
            assert_eq!(decoded.paths().len(), 4 + 5, "the logs are not read");
        }
        assert!(Case::new(0x1d).body(&[0x0f20]).decode().anomalies.is_empty());
    }

    #[test]
    fn truncated() {
        let decoded = Case::new(0x1d).body(&BODY).limit(0x124).decode();
        assert_eq!(decoded.raw("rp_pio_header_log[0].header"), Some(0x1234_5678));
        assert_eq!(decoded.raw("rp_pio_header_log[1].header"), None);
        assert_eq!(Case::new(0x1d).body(&BODY).limit(0x104).decode().paths().len(), 4);
    }
}
