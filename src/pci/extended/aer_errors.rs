//! The errors of Advanced Error Reporting as sets, for code that combines them. PCIe 6.2, 7.8.4.2 and 7.8.4.5.
//!
//! The names are those of the register tables in [`super::aer`], bit for bit. Bits without a name are kept.

bitflags::bitflags! {
    /// A set of uncorrectable errors: Uncorrectable Error Status, Mask or Severity.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub struct UncorrectableErrors: u32 {
        /// Data Link Protocol Error.
        #[bitflags(flag_name = "data_link_protocol_error")]
        const DATA_LINK_PROTOCOL_ERROR = 1 << 4;
        /// Surprise Down Error.
        #[bitflags(flag_name = "surprise_down_error")]
        const SURPRISE_DOWN_ERROR = 1 << 5;
        /// Poisoned TLP Received.
        #[bitflags(flag_name = "poisoned_tlp_received")]
        const POISONED_TLP_RECEIVED = 1 << 12;
        /// Flow Control Protocol Error.
        #[bitflags(flag_name = "flow_control_protocol_error")]
        const FLOW_CONTROL_PROTOCOL_ERROR = 1 << 13;
        /// Completion Timeout.
        #[bitflags(flag_name = "completion_timeout")]
        const COMPLETION_TIMEOUT = 1 << 14;
        /// Completer Abort.
        #[bitflags(flag_name = "completer_abort")]
        const COMPLETER_ABORT = 1 << 15;
        /// Unexpected Completion.
        #[bitflags(flag_name = "unexpected_completion")]
        const UNEXPECTED_COMPLETION = 1 << 16;
        /// Receiver Overflow.
        #[bitflags(flag_name = "receiver_overflow")]
        const RECEIVER_OVERFLOW = 1 << 17;
        /// Malformed TLP.
        #[bitflags(flag_name = "malformed_tlp")]
        const MALFORMED_TLP = 1 << 18;
        /// ECRC Error.
        #[bitflags(flag_name = "ecrc_error")]
        const ECRC_ERROR = 1 << 19;
        /// Unsupported Request Error.
        #[bitflags(flag_name = "unsupported_request_error")]
        const UNSUPPORTED_REQUEST_ERROR = 1 << 20;
        /// ACS Violation.
        #[bitflags(flag_name = "acs_violation")]
        const ACS_VIOLATION = 1 << 21;
        /// Uncorrectable Internal Error.
        #[bitflags(flag_name = "uncorrectable_internal_error")]
        const UNCORRECTABLE_INTERNAL_ERROR = 1 << 22;
        /// MC Blocked TLP.
        #[bitflags(flag_name = "mc_blocked_tlp")]
        const MC_BLOCKED_TLP = 1 << 23;
        /// AtomicOp Egress Blocked.
        #[bitflags(flag_name = "atomicop_egress_blocked")]
        const ATOMICOP_EGRESS_BLOCKED = 1 << 24;
        /// TLP Prefix Blocked Error.
        #[bitflags(flag_name = "tlp_prefix_blocked_error")]
        const TLP_PREFIX_BLOCKED_ERROR = 1 << 25;
        /// Poisoned TLP Egress Blocked.
        #[bitflags(flag_name = "poisoned_tlp_egress_blocked")]
        const POISONED_TLP_EGRESS_BLOCKED = 1 << 26;
        /// DMWr Request Egress Blocked.
        #[bitflags(flag_name = "dmwr_request_egress_blocked")]
        const DMWR_REQUEST_EGRESS_BLOCKED = 1 << 27;
        /// IDE Check Failed.
        #[bitflags(flag_name = "ide_check_failed")]
        const IDE_CHECK_FAILED = 1 << 28;
        /// Misrouted IDE TLP.
        #[bitflags(flag_name = "misrouted_ide_tlp")]
        const MISROUTED_IDE_TLP = 1 << 29;
        /// PCRC Check Failed.
        #[bitflags(flag_name = "pcrc_check_failed")]
        const PCRC_CHECK_FAILED = 1 << 30;
        /// TLP Translation Egress Blocked.
        #[bitflags(flag_name = "tlp_translation_egress_blocked")]
        const TLP_TRANSLATION_EGRESS_BLOCKED = 1 << 31;
        const _ = !0;
    }

    /// A set of correctable errors: Correctable Error Status or Mask.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub struct CorrectableErrors: u32 {
        /// Receiver Error.
        #[bitflags(flag_name = "receiver_error")]
        const RECEIVER_ERROR = 1;
        /// Bad TLP.
        #[bitflags(flag_name = "bad_tlp")]
        const BAD_TLP = 1 << 6;
        /// Bad DLLP.
        #[bitflags(flag_name = "bad_dllp")]
        const BAD_DLLP = 1 << 7;
        /// REPLAY_NUM Rollover.
        #[bitflags(flag_name = "replay_num_rollover")]
        const REPLAY_NUM_ROLLOVER = 1 << 8;
        /// Replay Timer Timeout.
        #[bitflags(flag_name = "replay_timer_timeout")]
        const REPLAY_TIMER_TIMEOUT = 1 << 12;
        /// Advisory Non-Fatal Error.
        #[bitflags(flag_name = "advisory_non_fatal_error")]
        const ADVISORY_NON_FATAL_ERROR = 1 << 13;
        /// Corrected Internal Error.
        #[bitflags(flag_name = "corrected_internal_error")]
        const CORRECTED_INTERNAL_ERROR = 1 << 14;
        /// Header Log Overflow.
        #[bitflags(flag_name = "header_log_overflow")]
        const HEADER_LOG_OVERFLOW = 1 << 15;
        const _ = !0;
    }
}

#[cfg(test)]
mod tests {
    use super::super::aer::{
        CorrectableMask, CorrectableStatus, UncorrectableMask, UncorrectableSeverity, UncorrectableStatus,
    };
    use super::*;
    use crate::pci::register::{Register, RegisterType};

    fn names<F: bitflags::Flags<Bits = u32>>() -> Vec<(String, u64)> {
        let named = F::FLAGS.iter().filter(|flag| flag.is_named());
        named.map(|flag| (flag.name().to_owned(), u64::from(flag.value().bits()))).collect()
    }

    fn table(register: &Register) -> Vec<(String, u64)> {
        register.fields.iter().map(|field| (field.key.to_owned(), field.mask())).collect()
    }

    #[test]
    fn names_are_those_of_the_registers() {
        for register in
            [UncorrectableStatus::REGISTER, UncorrectableMask::REGISTER, UncorrectableSeverity::REGISTER]
        {
            assert_eq!(names::<UncorrectableErrors>(), table(register), "{}", register.key);
        }
        for register in [CorrectableStatus::REGISTER, CorrectableMask::REGISTER] {
            assert_eq!(names::<CorrectableErrors>(), table(register), "{}", register.key);
        }
    }

    #[test]
    fn bits_without_a_name_are_kept() {
        assert_eq!(UncorrectableErrors::from_bits_retain(0x0004_0001).bits(), 0x0004_0001);
        let set = UncorrectableErrors::from_bits_retain(0x0004_0000);
        assert_eq!(set.iter_names().map(|(name, _)| name).collect::<Vec<_>>(), ["malformed_tlp"]);
        assert!(CorrectableErrors::all().contains(CorrectableErrors::from_bits_retain(2)));
    }
}
