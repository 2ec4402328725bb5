//! The registers of a link. A slave has two links and each register twice, a host has one and the first of each.

use crate::pci::register::Meaning;
use crate::register;

register! {
    /// State of link 0 and how it is driven. At 04h.
    pub struct LinkControl0(u16) at 0x04, "link_control_0", "Link Control 0", "HyperTransport 3.1, 7" {
        /// Requests carry the ID of their source.
        0 source_id_enable Rw "SrcIdEn",
        /// A CRC error floods the links with sync packets.
        1 crc_flood_enable Rw "CFlE",
        /// Starts a test of the CRC.
        2 crc_start_test Rw "CST",
        /// Sends wrong CRCs.
        3 crc_force_error Rw "CFE",
        /// The link failed.
        4 link_failure Rw1c "<LkFail",
        /// The link is initialised.
        5 initialization_complete Ro "Init",
        /// Nothing is behind this link: the end of the chain.
        6 end_of_chain Rw "EOC",
        /// The transmitter is off.
        7 transmitter_off Rw "TXO",
        /// CRC errors, one bit for each byte lane.
        11:8 crc_error Rw1c "<CRCErr" = Meaning::Hex,
        /// Isochronous flow control is on.
        12 isochronous_flow_control_enable Rw "IsocEn",
        /// The link is left floating when LDTSTOP# stops it.
        13 ldtstop_tristate_enable Rw "LSEn",
        /// The control signal is held longer at initialisation.
        14 extended_ctl_time Rw "ExtCTL",
        /// 64-bit addresses are in use.
        15 addressing_64bit_enable Rw "64b",
    }

    /// State of link 1 and how it is driven.
    pub struct LinkControl1(u16) at 0x08, "link_control_1", "Link Control 1", "HyperTransport 3.1, 7" {
        /// Requests carry the ID of their source.
        0 source_id_enable Rw "SrcIdEn",
        /// A CRC error floods the links with sync packets.
        1 crc_flood_enable Rw "CFlE",
        /// Starts a test of the CRC.
        2 crc_start_test Rw "CST",
        /// Sends wrong CRCs.
        3 crc_force_error Rw "CFE",
        /// The link failed.
        4 link_failure Rw1c "<LkFail",
        /// The link is initialised.
        5 initialization_complete Ro "Init",
        /// Nothing is behind this link: the end of the chain.
        6 end_of_chain Rw "EOC",
        /// The transmitter is off.
        7 transmitter_off Rw "TXO",
        /// CRC errors, one bit for each byte lane.
        11:8 crc_error Rw1c "<CRCErr" = Meaning::Hex,
        /// Isochronous flow control is on.
        12 isochronous_flow_control_enable Rw "IsocEn",
        /// The link is left floating when LDTSTOP# stops it.
        13 ldtstop_tristate_enable Rw "LSEn",
        /// The control signal is held longer at initialisation.
        14 extended_ctl_time Rw "ExtCTL",
        /// 64-bit addresses are in use.
        15 addressing_64bit_enable Rw "64b",
    }

    /// Widths of link 0. At 06h.
    pub struct LinkConfiguration0(u16) at 0x06, "link_configuration_0", "Link Config 0", "HyperTransport 3.1, 7" {
        /// Widest that it can receive.
        2:0 maximum_link_width_in Ro "MLWI" = LINK_WIDTH,
        /// Can receive doubleword flow control.
        3 doubleword_flow_control_in Ro "DwFcIn",
        /// Widest that it can send.
        6:4 maximum_link_width_out Ro "MLWO" = LINK_WIDTH,
        /// Can send doubleword flow control.
        7 doubleword_flow_control_out Ro "DwFcOut",
        /// Width at which it receives, after the next initialisation.
        10:8 link_width_in Rw "LWI" = LINK_WIDTH,
        /// Receives doubleword flow control.
        11 doubleword_flow_control_in_enable Rw "DwFcInEn",
        /// Width at which it sends, after the next initialisation.
        14:12 link_width_out Rw "LWO" = LINK_WIDTH,
        /// Sends doubleword flow control.
        15 doubleword_flow_control_out_enable Rw "DwFcOutEn",
    }

    /// Widths of link 1.
    pub struct LinkConfiguration1(u16) at 0x0a, "link_configuration_1", "Link Config 1", "HyperTransport 3.1, 7" {
        /// Widest that it can receive.
        2:0 maximum_link_width_in Ro "MLWI" = LINK_WIDTH,
        /// Can receive doubleword flow control.
        3 doubleword_flow_control_in Ro "DwFcIn",
        /// Widest that it can send.
        6:4 maximum_link_width_out Ro "MLWO" = LINK_WIDTH,
        /// Can send doubleword flow control.
        7 doubleword_flow_control_out Ro "DwFcOut",
        /// Width at which it receives, after the next initialisation.
        10:8 link_width_in Rw "LWI" = LINK_WIDTH,
        /// Receives doubleword flow control.
        11 doubleword_flow_control_in_enable Rw "DwFcInEn",
        /// Width at which it sends, after the next initialisation.
        14:12 link_width_out Rw "LWO" = LINK_WIDTH,
        /// Sends doubleword flow control.
        15 doubleword_flow_control_out_enable Rw "DwFcOutEn",
    }

    /// Version of the specification that the function follows. At 0Ch in a slave, 08h in a host.
    pub struct RevisionId(u8) at 0x0c, "revision_id", "Revision ID", "HyperTransport 3.1, 7" {
        /// Number behind the point; 5 stands for .05.
        4:0 minor Ro "minor",
        /// Number before the point.
        7:5 major Ro "major",
    }

    /// Clock and errors of link 0. At 0Dh in a slave, 09h in a host.
    pub struct LinkFrequencyError0(u8) at 0x0d, "link_frequency_error_0", "Link Frequency 0", "HyperTransport 3.1, 7" {
        /// Clock of the transmitter; it sends twice in each cycle.
        3:0 link_frequency Rw "Frequency" = LINK_FREQUENCY,
        /// The other end broke the protocol.
        4 protocol_error Rw1c "<Prot",
        /// The other end sent more than there was room for.
        5 overflow_error Rw1c "<Ovfl",
        /// A packet was sent to the end of the chain.
        6 end_of_chain_error Rw1c "<EOC",
        /// The control signal may be low for one second, instead of one millisecond, before that is an error.
        7 ctl_timeout Rw "CTLTm",
    }

    /// Clock and errors of link 1.
    pub struct LinkFrequencyError1(u8) at 0x11, "link_frequency_error_1", "Link Frequency 1", "HyperTransport 3.1, 7" {
        /// Clock of the transmitter; it sends twice in each cycle.
        3:0 link_frequency Rw "Frequency" = LINK_FREQUENCY,
        /// The other end broke the protocol.
        4 protocol_error Rw1c "<Prot",
        /// The other end sent more than there was room for.
        5 overflow_error Rw1c "<Ovfl",
        /// A packet was sent to the end of the chain.
        6 end_of_chain_error Rw1c "<EOC",
        /// The control signal may be low for one second, instead of one millisecond, before that is an error.
        7 ctl_timeout Rw "CTLTm",
    }

    /// Clocks that link 0 can run at. At 0Eh in a slave, 0Ah in a host. lspci reads the lower half only.
    pub struct LinkFrequencyCapability0(u16) at 0x0e, "link_frequency_capability_0", "Link Frequency Capability 0", "HyperTransport 3.1, 7" {
        /// 200 MHz.
        0 supports_200mhz Ro "200MHz",
        /// 300 MHz.
        1 supports_300mhz Ro "300MHz",
        /// 400 MHz.
        2 supports_400mhz Ro "400MHz",
        /// 500 MHz.
        3 supports_500mhz Ro "500MHz",
        /// 600 MHz.
        4 supports_600mhz Ro "600MHz",
        /// 800 MHz.
        5 supports_800mhz Ro "800MHz",
        /// 1000 MHz.
        6 supports_1000mhz Ro "1.0GHz",
        /// 1200 MHz.
        7 supports_1200mhz Ro "1.2GHz",
        /// 1400 MHz.
        8 supports_1400mhz Ro "1.4GHz",
        /// 1600 MHz.
        9 supports_1600mhz Ro "1.6GHz",
        /// 1800 MHz.
        10 supports_1800mhz Ro "1.8GHz",
        /// 2000 MHz.
        11 supports_2000mhz Ro "2.0GHz",
        /// 2200 MHz.
        12 supports_2200mhz Ro "2.2GHz",
        /// 2400 MHz.
        13 supports_2400mhz Ro "2.4GHz",
        /// 2600 MHz.
        14 supports_2600mhz Ro "2.6GHz",
        /// A clock of the manufacturer's choice.
        15 supports_vendor_specific Ro "Vend",
    }

    /// Clocks that link 1 can run at. lspci reads the lower half only.
    pub struct LinkFrequencyCapability1(u16) at 0x12, "link_frequency_capability_1", "Link Frequency Capability 1", "HyperTransport 3.1, 7" {
        /// 200 MHz.
        0 supports_200mhz Ro "200MHz",
        /// 300 MHz.
        1 supports_300mhz Ro "300MHz",
        /// 400 MHz.
        2 supports_400mhz Ro "400MHz",
        /// 500 MHz.
        3 supports_500mhz Ro "500MHz",
        /// 600 MHz.
        4 supports_600mhz Ro "600MHz",
        /// 800 MHz.
        5 supports_800mhz Ro "800MHz",
        /// 1000 MHz.
        6 supports_1000mhz Ro "1.0GHz",
        /// 1200 MHz.
        7 supports_1200mhz Ro "1.2GHz",
        /// 1400 MHz.
        8 supports_1400mhz Ro "1.4GHz",
        /// 1600 MHz.
        9 supports_1600mhz Ro "1.6GHz",
        /// 1800 MHz.
        10 supports_1800mhz Ro "1.8GHz",
        /// 2000 MHz.
        11 supports_2000mhz Ro "2.0GHz",
        /// 2200 MHz.
        12 supports_2200mhz Ro "2.2GHz",
        /// 2400 MHz.
        13 supports_2400mhz Ro "2.4GHz",
        /// 2600 MHz.
        14 supports_2600mhz Ro "2.6GHz",
        /// A clock of the manufacturer's choice.
        15 supports_vendor_specific Ro "Vend",
    }
}

const LINK_WIDTH: Meaning = Meaning::Choice(&[
    (0, "8 bits"),
    (1, "16 bits"),
    (3, "32 bits"),
    (4, "2 bits"),
    (5, "4 bits"),
    (7, "not connected"),
]);

const LINK_FREQUENCY: Meaning = Meaning::Choice(&[
    (0, "200 MHz"),
    (1, "300 MHz"),
    (2, "400 MHz"),
    (3, "500 MHz"),
    (4, "600 MHz"),
    (5, "800 MHz"),
    (6, "1000 MHz"),
    (7, "1200 MHz"),
    (8, "1400 MHz"),
    (9, "1600 MHz"),
    (10, "1800 MHz"),
    (11, "2000 MHz"),
    (12, "2200 MHz"),
    (13, "2400 MHz"),
    (14, "2600 MHz"),
    (15, "vendor-specific"),
]);
