//! PCI-X, capability ID 07h. PCI-X 2.0, 7.2; bridges have other registers than the rest.
//!
//! Version 1 and 2 of the capability end with four registers that describe the last error that the error correcting
//! code found. A bridge has two sets of them, one for each bus; a write chooses which one they show.

use crate::pci::decode::{Builder, Specification};
use crate::pci::register::{Meaning, Quantity, RegisterType};
use crate::pci::walk::{Anomaly, List};
use crate::register;

/// The capability.
pub static SPECIFICATION: Specification = Specification {
    list: List::Standard,
    id: 0x07,
    key: "pcix",
    name: "PCI-X",
    section: "PCI-X 2.0, 7.2",
    layout: Some(layout),
    registers: &[
        Command::REGISTER,
        Status::REGISTER,
        SecondaryStatus::REGISTER,
        BridgeStatus::REGISTER,
        UpstreamSplit::REGISTER,
        DownstreamSplit::REGISTER,
        EccControlStatus::REGISTER,
        EccFirstAddress::REGISTER,
        EccSecondAddress::REGISTER,
        EccAttribute::REGISTER,
    ],
};

/// Format of the capability.
const VERSION: Meaning = Meaning::Choice(&[
    (0, "no error correcting code"),
    (1, "error correcting code in Mode 2"),
    (2, "error correcting code in Mode 1 and Mode 2"),
]);

register! {
    /// How the function uses the bus.
    pub struct Command(u16) at 0x02, "command", "Command", "PCI-X 2.0, 7.2" {
        /// The function tries to recover from data that cannot be corrected, instead of signalling SERR#.
        0 data_error_recovery_enable Rw "DPERE",
        /// May set the Relaxed Ordering attribute.
        1 relaxed_ordering_enable Rw "ERO",
        /// Most bytes that it asks for with one read.
        3:2 maximum_memory_read_byte_count Rw "RBC" = Meaning::Quantity(read_byte_count),
        /// Most split transactions that it may have outstanding.
        6:4 maximum_outstanding_split_transactions Rw "OST" = Meaning::Quantity(split_transactions),
        /// Version of the capability.
        13:12 version Ro "Version" = VERSION,
    }

    /// What the function can do, and what went wrong.
    pub struct Status(u32) at 0x04, "status", "Status", "PCI-X 2.0, 7.2" {
        /// Its function number, as it takes it from configuration writes.
        2:0 function_number Ro "Function",
        /// Its device number, learned the same way; 1Fh before the first write.
        7:3 device_number Ro "Device" = Meaning::Hex,
        /// Its bus number, learned the same way; FFh before the first write.
        15:8 bus_number Ro "Bus" = Meaning::Hex,
        /// Its data path is 64 bits wide.
        16 device_64bit Ro "64bit",
        /// Can run at 133 MHz.
        17 capable_133mhz Ro "133MHz",
        /// It threw away a Split Completion because the requester did not take it.
        18 split_completion_discarded Rw1c "SCD",
        /// It got a Split Completion that it did not wait for.
        19 unexpected_split_completion Rw1c "USC",
        /// What kind of device it is.
        20 device_complexity Ro "DC" = Meaning::Choice(&[(0, "simple"), (1, "bridge")]),
        /// Most bytes that it can ask for with one read.
        22:21 designed_maximum_memory_read_byte_count Ro "DMMRBC" = Meaning::Quantity(read_byte_count),
        /// Most split transactions that it can have outstanding.
        25:23 designed_maximum_outstanding_split_transactions Ro "DMOST" = Meaning::Quantity(split_transactions),
        /// Most bytes that its outstanding reads can add up to; lspci counts in units of 128 bytes.
        28:26 designed_maximum_cumulative_read_size Ro "DMCRS" = Meaning::Quantity(cumulative_size),
        /// It got a Split Completion with an error message.
        29 received_split_completion_error_message Rw1c "RSCEM",
        /// Can run in PCI-X 266 mode.
        30 capable_266mhz Ro "266MHz",
        /// Can run in PCI-X 533 mode.
        31 capable_533mhz Ro "533MHz",
    }

    /// What a bridge's secondary bus can do, what it does, and what went wrong on it.
    pub struct SecondaryStatus(u16) at 0x02, "secondary_status", "Secondary Status", "PCI-X 2.0, 8" {
        /// Its data path is 64 bits wide.
        0 device_64bit Ro "64bit",
        /// Can run at 133 MHz.
        1 capable_133mhz Ro "133MHz",
        /// The bridge threw away a Split Completion because the requester did not take it.
        2 split_completion_discarded Rw1c "SCD",
        /// The bridge got a Split Completion that it did not wait for.
        3 unexpected_split_completion Rw1c "USC",
        /// The bridge ended a Split Completion because its buffers were full.
        4 split_completion_overrun Rw1c "SCO",
        /// The bridge had to delay a request because its buffers were full.
        5 split_request_delayed Rw1c "SRD",
        /// Mode and highest clock frequency of the bus.
        9:6 secondary_bus_mode_and_frequency Ro "Freq" = MODE_AND_FREQUENCY,
        /// Version of the capability.
        13:12 version Ro "Version" = VERSION,
        /// Can run in PCI-X 266 mode.
        14 capable_266mhz Ro "266MHz",
        /// Can run in PCI-X 533 mode.
        15 capable_533mhz Ro "533MHz",
    }

    /// What a bridge's primary bus can do, and what went wrong on it.
    pub struct BridgeStatus(u32) at 0x04, "bridge_status", "Status", "PCI-X 2.0, 8" {
        /// Its function number, as it takes it from configuration writes.
        2:0 function_number Ro "Function",
        /// Its device number, learned the same way.
        7:3 device_number Ro "Device" = Meaning::Hex,
        /// Number of the primary bus, learned the same way.
        15:8 bus_number Ro "Bus" = Meaning::Hex,
        /// Its data path is 64 bits wide.
        16 device_64bit Ro "64bit",
        /// Can run at 133 MHz.
        17 capable_133mhz Ro "133MHz",
        /// The bridge threw away a Split Completion because the requester did not take it.
        18 split_completion_discarded Rw1c "SCD",
        /// The bridge got a Split Completion that it did not wait for.
        19 unexpected_split_completion Rw1c "USC",
        /// The bridge ended a Split Completion because its buffers were full.
        20 split_completion_overrun Rw1c "SCO",
        /// The bridge had to delay a request because its buffers were full.
        21 split_request_delayed Rw1c "SRD",
        /// Forwards Device ID Messages.
        29 device_id_messaging_capable Ro "DIM",
        /// Can run in PCI-X 266 mode.
        30 capable_266mhz Ro "266MHz",
        /// Can run in PCI-X 533 mode.
        31 capable_533mhz Ro "533MHz",
    }

    /// How much a bridge takes of split transactions from its secondary to its primary bus.
    pub struct UpstreamSplit(u32) at 0x08, "upstream_split_transaction_control", "Upstream", "PCI-X 2.0, 8" {
        /// Room for their data in its buffers, in units of 128 bytes.
        15:0 split_transaction_capacity Ro "Capacity",
        /// How much it may have outstanding, in the same unit; FFFFh is no limit.
        31:16 split_transaction_commitment_limit Rw "CommitmentLimit",
    }

    /// How much a bridge takes of split transactions from its primary to its secondary bus.
    pub struct DownstreamSplit(u32) at 0x0c, "downstream_split_transaction_control", "Downstream", "PCI-X 2.0, 8" {
        /// Room for their data in its buffers, in units of 128 bytes.
        15:0 split_transaction_capacity Ro "Capacity",
        /// How much it may have outstanding, in the same unit; FFFFh is no limit.
        31:16 split_transaction_commitment_limit Rw "CommitmentLimit",
    }

    /// What the error correcting code found. At 08h, in bridges at 10h.
    pub struct EccControlStatus(u32) at 0x08, "ecc_control_status", "ECC", "PCI-X 2.0, 7.2" {
        /// The registers show the secondary bus of a bridge.
        0 select_secondary_registers Rw "Secondary",
        /// The set of registers that is not shown holds an error.
        1 error_in_other_bank Ro "OtherBank",
        /// A further error was found and corrected since.
        2 additional_correctable_error Ro "AddCE",
        /// A further error was found and could not be corrected.
        3 additional_uncorrectable_error Ro "AddUE",
        /// Where the error was.
        6:4 error_phase Ro "Phase" = ERROR_PHASE,
        /// The error was corrected.
        7 error_corrected Ro "Corrected",
        /// Tells which bits were wrong.
        15:8 syndrome Ro "Syndrome" = Meaning::Hex,
        /// Command of the transaction in its first or only address phase.
        19:16 error_first_command Ro "Cmd1" = Meaning::Hex,
        /// Command of the transaction in its second address phase.
        23:20 error_second_command Ro "Cmd2" = Meaning::Hex,
        /// Attribute bits 35:32 of the transaction.
        27:24 error_upper_attributes Ro "Attr" = Meaning::Hex,
        /// A write may change the two fields that follow.
        28 control_update_enable Rw "Update",
        /// Errors of a single bit are not corrected.
        30 single_bit_correction_disable Rw "NoCorr",
        /// The code is in use.
        31 ecc_mode Rw "Mode",
    }

    /// Where the transaction with the error went. At 0Ch, in bridges at 14h.
    pub struct EccFirstAddress(u32) at 0x0c, "ecc_first_address", "ECC Addr1", "PCI-X 2.0, 7.2" {
        /// Address bits 31:0.
        31:0 address Ro "address" = Meaning::Hex,
    }

    /// Where the transaction with the error went. At 10h, in bridges at 18h.
    pub struct EccSecondAddress(u32) at 0x10, "ecc_second_address", "ECC Addr2", "PCI-X 2.0, 7.2" {
        /// Address bits 63:32.
        31:0 address Ro "address" = Meaning::Hex,
    }

    /// Who made the transaction with the error. At 14h, in bridges at 1Ch.
    pub struct EccAttribute(u32) at 0x14, "ecc_attribute", "ECC Attr", "PCI-X 2.0, 7.2" {
        /// Attribute bits 31:0.
        31:0 attribute Ro "attribute" = Meaning::Hex,
    }
}

const MODE_AND_FREQUENCY: Meaning = Meaning::Choice(&[
    (0, "conventional PCI"),
    (1, "Mode 1, 66 MHz, parity"),
    (2, "Mode 1, 100 MHz, parity"),
    (3, "Mode 1, 133 MHz, parity"),
    (5, "Mode 1, 66 MHz, ECC"),
    (6, "Mode 1, 100 MHz, ECC"),
    (7, "Mode 1, 133 MHz, ECC"),
    (9, "PCI-X 266, 66 MHz"),
    (10, "PCI-X 266, 100 MHz"),
    (11, "PCI-X 266, 133 MHz"),
    (13, "PCI-X 533, 66 MHz"),
    (14, "PCI-X 533, 100 MHz"),
    (15, "PCI-X 533, 133 MHz"),
]);

const ERROR_PHASE: Meaning = Meaning::Choice(&[
    (0, "no error"),
    (1, "first 32 bits of the address"),
    (2, "second 32 bits of the address"),
    (3, "attributes"),
    (4, "16 or 32 bits of data"),
    (5, "64 bits of data"),
]);

fn read_byte_count(encoding: u64) -> Quantity {
    Quantity::Bytes(Some(512 << encoding))
}

fn split_transactions(encoding: u64) -> Quantity {
    const COUNTS: [u64; 8] = [1, 2, 3, 4, 8, 12, 16, 32];
    Quantity::Count(COUNTS[(encoding & 7) as usize])
}

fn cumulative_size(encoding: u64) -> Quantity {
    Quantity::Bytes(Some(1024 << encoding))
}

fn layout(builder: &mut Builder<'_>) {
    let bridge = builder.context.header_layout == 1;
    // Both registers at 02h have the version in the same place.
    let version = builder.value(0x02, 2).map(Command::from_raw).map_or(0, Command::version);
    if version == 3 {
        let offset = builder.located.offset + Command::REGISTER.offset;
        let raw = builder.value(0x02, 2).unwrap_or_default();
        builder.anomaly(Anomaly::ReservedValue { offset, raw });
    }
    let ecc: u16 = if bridge { 0x10 } else { 0x08 };
    let end = if matches!(version, 1 | 2) { ecc + 0x10 } else { ecc };
    builder.load(0x04, end - 0x04);
    if bridge {
        builder.add::<SecondaryStatus>();
        builder.add::<BridgeStatus>();
        builder.add::<UpstreamSplit>();
        builder.add::<DownstreamSplit>();
    } else {
        builder.add::<Command>();
        builder.add::<Status>();
    }
    if end > ecc {
        builder.add_at::<EccControlStatus>(ecc);
        builder.add_at::<EccFirstAddress>(ecc + 0x04);
        builder.add_at::<EccSecondAddress>(ecc + 0x08);
        builder.add_at::<EccAttribute>(ecc + 0x0c);
    }
}

#[cfg(test)]
#[path = "pcix_tests.rs"]
mod tests;
