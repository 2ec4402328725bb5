//! Advanced Error Reporting, extended capability ID 0001h. PCIe 6.2, 7.8.4.

use crate::pci::decode::{Builder, Capability, Specification};
use crate::pci::register::{Field, Meaning, Quantity, Register, RegisterType, joined};
use crate::pci::tlp::registers::header_log;
use crate::pci::tlp::{self, HEADER_DWORDS, Logged};
use crate::pci::walk::List;
use crate::register;

/// The capability.
pub static SPECIFICATION: Specification = Specification {
    list: List::Extended,
    id: 0x01,
    key: "aer",
    name: "Advanced Error Reporting",
    section: "PCIe 6.2, 7.8.4",
    layout: Some(layout),
    registers: &REGISTERS,
};

static REGISTERS: [&Register; 32] = joined(
    [
        UncorrectableStatus::REGISTER,
        UncorrectableMask::REGISTER,
        UncorrectableSeverity::REGISTER,
        CorrectableStatus::REGISTER,
        CorrectableMask::REGISTER,
        CapabilitiesAndControl::REGISTER,
        HeaderLog::REGISTER,
        RootErrorCommand::REGISTER,
        RootErrorStatus::REGISTER,
        ErrorSource::REGISTER,
        TlpPrefixLog::REGISTER,
    ],
    header_log::REGISTERS,
);

/// Status, mask and severity have the same bits.
macro_rules! uncorrectable {
    ($(#[doc = $doc:literal])* $name:ident at $offset:literal, $key:literal, $short:literal, $section:literal, $access:ident) => {
        register! {
            $(#[doc = $doc])*
            pub struct $name(u32) at $offset, $key, $short, $section {
                /// The data link layer protocol was violated, for example a sequence number out of order.
                4 data_link_protocol_error $access "DLP",
                /// The link went down although nothing asked it to.
                5 surprise_down_error $access "SDES",
                /// A packet came whose sender marked its data as bad.
                12 poisoned_tlp_received $access "TLP",
                /// The flow control protocol was violated.
                13 flow_control_protocol_error $access "FCP",
                /// A request got no answer in time.
                14 completion_timeout $access "CmpltTO",
                /// A request was answered with Completer Abort by this function.
                15 completer_abort $access "CmpltAbrt",
                /// An answer came to a request that was never made, or that had timed out.
                16 unexpected_completion $access "UnxCmplt",
                /// A packet came for which no buffer was granted.
                17 receiver_overflow $access "RxOF",
                /// A packet came that breaks the rules of its format.
                18 malformed_tlp $access "MalfTLP",
                /// The end-to-end checksum of a packet was wrong.
                19 ecrc_error $access "ECRC",
                /// A request came that this function does not support.
                20 unsupported_request_error $access "UnsupReq",
                /// Access Control Services forbade a packet.
                21 acs_violation $access "ACSViol",
                /// Something inside the component went wrong.
                22 uncorrectable_internal_error $access "UncorrIntErr",
                /// A multicast packet was blocked.
                23 mc_blocked_tlp $access "BlockedTLP",
                /// An AtomicOp was blocked on its way out.
                24 atomicop_egress_blocked $access "AtomicOpBlocked",
                /// A packet was blocked because of its end-to-end prefix.
                25 tlp_prefix_blocked_error $access "TLPBlockedErr",
                /// A poisoned packet was blocked on its way out.
                26 poisoned_tlp_egress_blocked $access "PoisonTLPBlocked",
                /// A deferrable memory write was blocked on its way out.
                27 dmwr_request_egress_blocked $access "DMWrReqBlocked",
                /// The integrity check of an encrypted packet failed.
                28 ide_check_failed $access "IDECheck",
                /// An encrypted packet came to a port that is not its destination.
                29 misrouted_ide_tlp $access "MisIDETLP",
                /// The plaintext checksum of an encrypted packet was wrong.
                30 pcrc_check_failed $access "PCRC_CHECK",
                /// A packet could not be translated between Flit Mode and Non-Flit Mode on its way out.
                31 tlp_translation_egress_blocked $access "TLPXlatBlocked",
            }
        }
    };
}

/// Status and mask have the same bits.
macro_rules! correctable {
    ($(#[doc = $doc:literal])* $name:ident at $offset:literal, $key:literal, $short:literal, $section:literal, $access:ident) => {
        register! {
            $(#[doc = $doc])*
            pub struct $name(u32) at $offset, $key, $short, $section {
                /// The receiver saw something that is no valid symbol, block or flit.
                0 receiver_error $access "RxErr",
                /// A packet came with a wrong link checksum or sequence number and is sent again.
                6 bad_tlp $access "BadTLP",
                /// A data link layer packet came with a wrong checksum.
                7 bad_dllp $access "BadDLLP",
                /// The same packets were sent again four times, and the link is trained anew.
                8 replay_num_rollover $access "Rollover",
                /// Packets were not acknowledged in time and are sent again.
                12 replay_timer_timeout $access "Timeout",
                /// An uncorrectable error that is reported as correctable; Uncorrectable Error Status says which.
                13 advisory_non_fatal_error $access "AdvNonFatalErr",
                /// Something inside the component went wrong and was repaired.
                14 corrected_internal_error $access "CorrIntErr",
                /// A header could not be logged because the log was full.
                15 header_log_overflow $access "HeaderOF",
            }
        }
    };
}

uncorrectable! {
    /// Which uncorrectable errors were seen. The bits stay until software clears them.
    UncorrectableStatus at 0x04, "uncorrectable_status", "UESta", "PCIe 6.2, 7.8.4.2", Rw1cs
}
uncorrectable! {
    /// Which uncorrectable errors are neither reported nor logged in the header log; their status bits are set all the same.
    UncorrectableMask at 0x08, "uncorrectable_mask", "UEMsk", "PCIe 6.2, 7.8.4.3", Rws
}
uncorrectable! {
    /// Which uncorrectable errors are reported as fatal; the others are non-fatal.
    UncorrectableSeverity at 0x0c, "uncorrectable_severity", "UESvrt", "PCIe 6.2, 7.8.4.4", Rws
}
correctable! {
    /// Which correctable errors were seen. The bits stay until software clears them.
    CorrectableStatus at 0x10, "correctable_status", "CESta", "PCIe 6.2, 7.8.4.5", Rw1cs
}
correctable! {
    /// Which correctable errors are not reported; their status bits are set all the same.
    CorrectableMask at 0x14, "correctable_mask", "CEMsk", "PCIe 6.2, 7.8.4.6", Rws
}

register! {
    /// Which error came first, end-to-end checksums, and what the header log holds.
    pub struct CapabilitiesAndControl(u32) at 0x18, "capabilities_and_control", "AERCap", "PCIe 6.2, 7.8.4.7" {
        /// Bit number of the first error in Uncorrectable Error Status; meaningful while that bit is set there.
        4:0 first_error_pointer Ros "First Error Pointer" = Meaning::Hex,
        /// Can send end-to-end checksums.
        5 ecrc_generation_capable Ro "ECRCGenCap",
        /// Sends end-to-end checksums.
        6 ecrc_generation_enable Rws "ECRCGenEn",
        /// Can check end-to-end checksums.
        7 ecrc_check_capable Ro "ECRCChkCap",
        /// Checks end-to-end checksums.
        8 ecrc_check_enable Rws "ECRCChkEn",
        /// Can log more than one header.
        9 multiple_header_recording_capable Ro "MultHdrRecCap",
        /// Logs more than one header.
        10 multiple_header_recording_enable Rws "MultHdrRecEn",
        /// The TLP Prefix Log belongs to the error in First Error Pointer.
        11 tlp_prefix_log_present Ros "TLPPfxPres",
        /// Logs the header of a request that timed out.
        12 completion_timeout_prefix_header_log_capable Ro "HdrLogCap",
        /// Doublewords of the header log that exist in Flit Mode.
        17:13 header_log_size HwInit "HdrLogSize" = Meaning::Unit("doublewords"),
        /// The logged header is one of Flit Mode.
        18 logged_tlp_was_flit_mode Ros "LoggedFlit",
        /// Doublewords of the logged header, in Flit Mode only.
        23:19 logged_tlp_size Ros "LoggedSize" = Meaning::Unit("doublewords"),
        /// Can leave subclasses of ERR_COR to firmware.
        24 rc_ecs_handling_capable HwInit "ECSHandlingCap",
    }
    /// One doubleword of the header of the packet that belongs to First Error Pointer. The first byte on the wire is the
    /// most significant one. From the fifth doubleword on it stands at offset 38h, in Flit Mode only.
    pub struct HeaderLog(u32) at 0x1c in "header_log", "header", "HeaderLog", "PCIe 6.2, 7.8.4.8" {
        /// All 32 bits.
        31:0 bits Ros "bits" = Meaning::Hex,
    }
    /// Which error messages make a root port or root complex event collector interrupt.
    pub struct RootErrorCommand(u32) at 0x2c, "root_error_command", "RootCmd", "PCIe 6.2, 7.8.4.9" {
        /// Interrupts for ERR_COR.
        0 correctable_error_reporting_enable Rw "CERptEn",
        /// Interrupts for ERR_NONFATAL.
        1 non_fatal_error_reporting_enable Rw "NFERptEn",
        /// Interrupts for ERR_FATAL.
        2 fatal_error_reporting_enable Rw "FERptEn",
        /// Leaves ERR_COR of the legacy subclass to firmware.
        3 ecs_legacy_handling_by_sfw_enable Rw "ECSLegacySFW",
        /// Leaves ERR_COR of the subclass SIG_SFW to firmware.
        4 ecs_sig_sfw_handling_by_sfw_enable Rw "ECSSigSFW",
        /// Leaves ERR_COR of the subclass SIG_OS to firmware.
        5 ecs_sig_os_handling_by_sfw_enable Rw "ECSSigOS",
        /// Who sent the first ERR_COR that was left to firmware.
        31:16 sfw_handling_source_id Ros "SFWSource" = Meaning::Quantity(requester),
    }
    /// Which error messages a root port or root complex event collector received. The bits stay until software clears them.
    pub struct RootErrorStatus(u32) at 0x30, "root_error_status", "RootSta", "PCIe 6.2, 7.8.4.10" {
        /// ERR_COR was received.
        0 err_cor_received Rw1cs "CERcvd",
        /// Another ERR_COR was received while the first was pending; who sent it is not known.
        1 multiple_err_cor_received Rw1cs "MultCERcvd",
        /// ERR_FATAL or ERR_NONFATAL was received.
        2 err_fatal_nonfatal_received Rw1cs "UERcvd",
        /// Another ERR_FATAL or ERR_NONFATAL was received while the first was pending; who sent it is not known.
        3 multiple_err_fatal_nonfatal_received Rw1cs "MultUERcvd",
        /// The first uncorrectable one was ERR_FATAL.
        4 first_uncorrectable_fatal Rw1cs "FirstFatal",
        /// ERR_NONFATAL was received.
        5 non_fatal_error_messages_received Rw1cs "NonFatalMsg",
        /// ERR_FATAL was received.
        6 fatal_error_messages_received Rw1cs "FatalMsg",
        /// Subclass of the first ERR_COR.
        8:7 err_cor_subclass Ros "ERRCORSubclass" = Meaning::Choice(&[(0, "ECS Legacy"), (1, "ECS SIG_SFW"), (2, "ECS SIG_OS"), (3, "ECS Extended")]),
        /// An ERR_COR that is left to firmware was received.
        9 sfw_handling_err_cor_received Rw1cs "SFWCERcvd",
        /// Another ERR_COR that is left to firmware was received while the first was pending.
        10 multiple_sfw_handling_err_cor_received Rw1cs "MultSFWCERcvd",
        /// Which MSI or MSI-X vector reports errors.
        31:27 advanced_error_interrupt_message_number Ro "IntMsgNum",
    }
    /// Who sent the error messages of Root Error Status.
    pub struct ErrorSource(u32) at 0x34, "error_source_identification", "ErrorSrc", "PCIe 6.2, 7.8.4.11" {
        /// Sender of the first ERR_COR.
        15:0 err_cor_source_identification Ros "ERR_COR" = Meaning::Quantity(requester),
        /// Sender of the first ERR_FATAL or ERR_NONFATAL.
        31:16 err_fatal_nonfatal_source_identification Ros "ERR_FATAL/NONFATAL" = Meaning::Quantity(requester),
    }
    /// One end-to-end prefix of the packet in the header log.
    pub struct TlpPrefixLog(u32) at 0x38 in "tlp_prefix_log", "prefix", "TLPPrefixLog", "PCIe 6.2, 7.8.4.12" {
        /// All 32 bits; 0 where the packet had no further prefix.
        31:0 bits Ros "bits" = Meaning::Hex,
    }
}

fn requester(id: u64) -> Quantity {
    Quantity::RequesterId(id as u16)
}

/// Errors that belong to a packet, whose header is logged with them (PCIe 6.2, 6.2.7; kernel: AER_LOG_TLP_MASKS in
/// drivers/pci/pcie/aer.c). A timeout belongs to one only where the function can log it.
const WITH_PACKET: u32 = 1 << 12
    | 1 << 15
    | 1 << 16
    | 1 << 18
    | 1 << 19
    | 1 << 20
    | 1 << 21
    | 1 << 23
    | 1 << 24
    | 1 << 25
    | 1 << 26
    | 1 << 27
    | 1 << 28
    | 1 << 29
    | 1 << 30
    | 1 << 31;

/// The error whose packet is in the header log, if there is one: First Error Pointer points to an error whose status bit is
/// set and that logs a header (PCIe 6.2, 6.2.4.2).
pub fn logged_error(status: UncorrectableStatus, control: CapabilitiesAndControl) -> Option<&'static Field> {
    let error = tlp::first_error(status, control.first_error_pointer())?;
    let timeout = status.completion_timeout() && control.completion_timeout_prefix_header_log_capable();
    let logs = WITH_PACKET | if timeout { 1 << 14 } else { 0 };
    (logs >> error.low & 1 == 1).then_some(error)
}

/// The packet in the header log of a decoded capability, if it belongs to an error.
pub fn logged(capability: &Capability) -> Option<Logged> {
    let control: CapabilitiesAndControl = capability.get()?;
    let error = logged_error(capability.get()?, control)?;
    let flit_mode = Some(control.logged_tlp_was_flit_mode());
    let header = capability.all::<HeaderLog>().map_while(|raw| raw).map(|raw| raw as u32).collect();
    let prefixes = tlp::prefixes(capability.all::<TlpPrefixLog>());
    Some(Logged { error, header, prefixes, flit_mode })
}

/// Doublewords that follow at 38h: four prefixes, or ten more of a Flit Mode header.
const PREFIX_DWORDS: u16 = 4;
const FLIT_DWORDS: u16 = 10;

fn layout(builder: &mut Builder<'_>) {
    // Root ports and root complex event collectors have three registers more.
    let root = matches!(builder.context.port_type, Some(4 | 10));
    builder.load(0x04, if root { 0x34 } else { 0x28 });
    let status = builder.add::<UncorrectableStatus>();
    builder.add::<UncorrectableMask>();
    builder.add::<UncorrectableSeverity>();
    builder.add::<CorrectableStatus>();
    builder.add::<CorrectableMask>();
    let control = builder.add::<CapabilitiesAndControl>().unwrap_or(CapabilitiesAndControl(0));
    let packet = status.is_some_and(|status| logged_error(status, control).is_some());
    for i in 0..HEADER_DWORDS {
        builder.add_in::<HeaderLog>(i, 0x1c + 4 * i);
    }
    if root {
        builder.add::<RootErrorCommand>();
        builder.add::<RootErrorStatus>();
        builder.add::<ErrorSource>();
    }
    // What stands at 38h exists only where something was logged there and nothing else begins before its end.
    let flit = control.logged_tlp_was_flit_mode();
    let logged = match (flit, control.tlp_prefix_log_present()) {
        (true, _) => (control.logged_tlp_size() as u16).saturating_sub(HEADER_DWORDS).min(FLIT_DWORDS),
        (false, true) => PREFIX_DWORDS,
        (false, false) => 0,
    };
    let room = builder.room_end.saturating_sub(builder.located.offset).saturating_sub(0x38) / 4;
    let count = logged.min(room);
    if count > 0 {
        builder.load(0x38, 4 * count);
    }
    for i in 0..count {
        if flit {
            builder.add_in::<HeaderLog>(HEADER_DWORDS + i, 0x38 + 4 * i);
        } else {
            builder.add_in::<TlpPrefixLog>(i, 0x38 + 4 * i);
        }
    }
    if packet {
        header_log::place(builder, flit);
        header_log::place_prefixes(builder, if flit { 0 } else { count });
    }
}

#[cfg(test)]
#[path = "aer_tests.rs"]
mod tests;
