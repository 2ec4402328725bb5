//! NVIDIA's SXid numbers: errors of an NVSwitch, the switch of NVLink. They tell of NVLink, not of PCI Express.
//!
//! Which numbers there are for which unit of the switch is from ctrl_dev_nvswitch.h of open-gpu-kernel-modules (515 to 570: units up
//! to 26000 have the same numbers in all of them, later ones moved). What a number means, how bad it is and what to do is from NVIDIA's
//! Fabric Manager User Guide, DU-09883-001 v1.3 of October 2023, appendix D.4 to D.7, as leptonai/gpud has it in
//! components/accelerator/nvidia/sxid; current versions of the guide (docs.nvidia.com/datacenter/tesla/fabric-manager-user-guide) keep
//! the part on fatal and non-fatal errors only. The words are the guide's where it names an error, the rest is put shorter.

/// How bad an SXid is by NVIDIA's guide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The switch corrected it.
    Corrected,
    /// Programs go on, perhaps slower; others see it.
    NonFatal,
    /// NVLink of one GPU, or of all that share a link between switches, is lost.
    Fatal,
    /// The whole fabric is lost.
    AlwaysFatal,
}

/// One SXid.
#[derive(Debug, PartialEq, Eq)]
pub struct Sxid {
    /// The number.
    pub number: i64,
    /// NVIDIA's name for it.
    pub name: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What NVIDIA says of it beyond that; empty if nothing.
    pub means: &'static str,
    /// What NVIDIA recommends for it beyond what holds for all that are as bad; empty if nothing.
    pub action: &'static str,
}

/// Where the table is from.
pub const SOURCE: &str = "NVIDIA, Fabric Manager User Guide (DU-09883-001 v1.3, appendix D; current: part on NVSwitch SXid errors); \
                          open-gpu-kernel-modules, ctrl_dev_nvswitch.h";

impl Severity {
    /// What that means.
    pub const fn means(self) -> &'static str {
        match self {
            Severity::Corrected => "the switch corrected it; nobody is affected",
            Severity::NonFatal => "not fatal: the fabric manager ends no program and lets new ones start",
            Severity::Fatal => {
                "fatal: at a port to a GPU the programs on that GPU are ended, and it may report Xid 74 and 45; at a port between \
                 two baseboards all programs are"
            }
            Severity::AlwaysFatal => "always fatal: the whole fabric is lost",
        }
    }

    /// What NVIDIA recommends.
    pub const fn action(self) -> &'static str {
        match self {
            Severity::Corrected => "nothing",
            Severity::NonFatal => "look at the programs: they may be slow or stand still for a while",
            Severity::Fatal => {
                "reset the GPU and all that took part in its work (nvidia-smi --gpu-reset; in a virtual machine, restart it); at a port \
                 between baseboards stop the fabric manager and all programs, reset all GPUs and switches (--gpu-reset without --id), start \
                 it again; if that does not help, restart or power-cycle the machine"
            }
            Severity::AlwaysFatal => {
                "stop all guests and programs, then restart the machine, which resets all GPUs and switches"
            }
        }
    }
}

/// The SXid of that number, if it is known.
pub fn of(number: i64) -> Option<&'static Sxid> {
    SXIDS.binary_search_by_key(&number, |sxid| sxid.number).ok().map(|at| &SXIDS[at])
}

/// Units of the switch, by the first of their thousand numbers.
const UNITS: [(i64, &str); 17] = [
    (10_000, "the interface to the host"),
    (11_000, "a port, incoming (NPORT ingress)"),
    (12_000, "a port, outgoing (NPORT egress)"),
    (13_000, "a port (NPORT fstate)"),
    (14_000, "a port (NPORT tstate)"),
    (15_000, "a port, routing (NPORT route)"),
    (16_000, "a port (NPORT)"),
    (17_000, "the control of NVLink (NVLCTRL)"),
    (18_000, "NVLink (NVLIPT)"),
    (19_000, "the transaction layer of NVLink (NVLTLC)"),
    (20_000, "the data link and physical layer of NVLink (DLPL)"),
    (21_000, "the fabric inside the switch (AFS)"),
    (22_000, "the processor that runs the links (MINION)"),
    (23_000, "the crossbar inside the switch (NXBAR)"),
    (24_000, "a port, tracking of sources (NPORT sourcetrack)"),
    (25_000, "the state of a link (NVLIPT_LNK)"),
    (26_000, "the processor of the switch (SOE)"),
];

/// Which part of the switch reports numbers like this; `None` where that depends on the driver's version.
pub fn unit(number: i64) -> Option<&'static str> {
    UNITS.iter().find(|(first, _)| (*first..first + 1000).contains(&number)).map(|(_, name)| *name)
}

use Severity::{AlwaysFatal, Corrected, Fatal, NonFatal};

const fn s(number: i64, name: &'static str, severity: Severity) -> Sxid {
    Sxid { number, name, severity, means: "", action: "" }
}

const fn more(
    number: i64,
    name: &'static str,
    severity: Severity,
    means: &'static str,
    action: &'static str,
) -> Sxid {
    Sxid { number, name, severity, means, action }
}

const STALLED: &str =
    "traffic of that GPU over NVLink stands still, and accesses hang; its driver ends programs with Xid 45";
const CONNECTION: &str = "a broken or inconsistent connection, or a shutdown that was not coordinated";
const CHECK_CONNECTION: &str = "if nothing was shut down, check the link's mechanical connections";
const COOLING: &str =
    "the cooling may be too weak; links may go to one lane to save power, which makes them slow";

/// In the order of the numbers.
#[rustfmt::skip]
pub const SXIDS: &[Sxid] = &[
    more(10001, "Host_priv_error", NonFatal, "may be followed by fatal ones", ""),
    more(10002, "Host_priv_timeout", NonFatal, "may be followed by fatal ones", ""),
    more(10003, "Host_unhandled_interrupt", AlwaysFatal, "never expected", "reset all GPUs and all switches"),
    more(10004, "Host_thermal_event_start", NonFatal, COOLING, "see that the cooling suffices"),
    more(10005, "Host_thermal_event_end", NonFatal, "the end of what 10004 began", "see that the cooling suffices"),
    s(11001, "ingress invalid command", Fatal),
    more(11004, "ingress invalid ACL", NonFatal, STALLED, "partitions are set up wrongly: check their routing with nvswitch-audit; restart the virtual machine"),
    s(11009, "ingress invalid VCSet", Fatal),
    s(11012, "single bit ECC error", Corrected),
    s(11013, "ingress header DBE", Fatal),
    s(11018, "ingress RID DBE", Fatal),
    s(11019, "ingress RLAN DBE", Fatal),
    s(11020, "ingress control parity", Fatal),
    s(11021, "single bit ECC error", Corrected),
    s(11022, "single bit ECC error", Corrected),
    s(11023, "single bit ECC error", Corrected),
    s(12001, "egress crossbar overflow", Fatal),
    s(12002, "egress packet route", Fatal),
    s(12020, "egress sequence ID error", AlwaysFatal),
    s(12021, "single bit ECC error", Corrected),
    s(12022, "egress input ECC DBE error", Fatal),
    s(12023, "single bit ECC error", Corrected),
    s(12024, "egress output ECC DBE error", Fatal),
    s(12025, "egress credit overflow", Fatal),
    s(12026, "egress destination request ID error", Fatal),
    s(12027, "egress destination response ID error", Fatal),
    more(12028, "egress nonposted PRIV error", NonFatal, STALLED, "restart the virtual machine"),
    s(12030, "egress control parity error", Fatal),
    s(12031, "egress credit parity error", Fatal),
    s(12032, "egress flit type mismatch", Fatal),
    s(14017, "TS ATO timeout", Fatal),
    s(15001, "route buffer over/underflow", Fatal),
    s(15006, "route transdone over/underflow", Fatal),
    s(15008, "single bit ECC error", Corrected),
    s(15009, "route GLT DBE", Fatal),
    s(15010, "route parity", Fatal),
    s(15011, "single bit ECC error", Corrected),
    s(15012, "route incoming DBE", Fatal),
    s(15013, "route credit parity", Fatal),
    s(19047, "NCISOC HDR ECC DBE Error", Fatal),
    s(19048, "NCISOC DAT ECC DBE Error", Fatal),
    s(19049, "single bit ECC error", Corrected),
    s(19054, "HDR RAM ECC DBE Error", Fatal),
    s(19055, "single bit ECC error", Corrected),
    s(19056, "DAT0 RAM ECC DBE Error", Fatal),
    s(19057, "single bit ECC error", Corrected),
    s(19058, "DAT1 RAM ECC DBE Error", Fatal),
    s(19059, "single bit ECC error", Corrected),
    s(19060, "CREQ RAM HDR ECC DBE Error", Fatal),
    s(19061, "CREQ RAM DAT ECC DBE Error", Fatal),
    s(19062, "single bit ECC error", Corrected),
    s(19063, "Response RAM HDR ECC DBE Error", Fatal),
    s(19064, "Response RAM DAT ECC DBE Error", Fatal),
    s(19065, "single bit ECC error", Corrected),
    s(19066, "COM RAM HDR ECC DBE Error", Fatal),
    s(19067, "COM RAM DAT ECC DBE Error", Fatal),
    s(19068, "single bit ECC error", Corrected),
    s(19069, "RSP1 RAM HDR ECC DBE Error", Fatal),
    s(19070, "RSP1 RAM DAT ECC DBE Error", Fatal),
    s(19071, "single bit ECC error", Corrected),
    more(19084, "AN1 Heartbeat Timeout Error", NonFatal, "usually with a fatal one, which says what is lost", "reset all GPUs and all switches"),
    more(20001, "TX Replay Error", NonFatal, "a packet of NVLink is sent again; the port may be slower", "nothing"),
    more(20012, "broken or inconsistent connection", NonFatal, CONNECTION, CHECK_CONNECTION),
    more(20034, "LTSSM Fault Up", Fatal, "the link went down while it was in use, usually with other errors of NVLink", "A100: restart the virtual machine; H100: reset the GPU"),
    s(22003, "Minion Halt", AlwaysFatal),
    s(22011, "Minion exterror", AlwaysFatal),
    more(22012, "Minion Link NA interrupt", Fatal, CONNECTION, CHECK_CONNECTION),
    more(22013, "Minion Link DLREQ interrupt", NonFatal, "can be ignored", "nothing"),
    s(23001, "ingress SRC-VC buffer overflow", AlwaysFatal),
    s(23002, "ingress SRC-VC buffer underflow", AlwaysFatal),
    s(23003, "egress DST-VC credit overflow", AlwaysFatal),
    s(23004, "egress DST-VC credit underflow", AlwaysFatal),
    s(23005, "ingress packet burst error", AlwaysFatal),
    s(23006, "ingress packet sticky error", AlwaysFatal),
    s(23007, "possible bubbles at ingress", AlwaysFatal),
    s(23008, "ingress packet invalid dst error", AlwaysFatal),
    s(23009, "ingress packet parity error", AlwaysFatal),
    s(23010, "ingress SRC-VC buffer overflow", AlwaysFatal),
    s(23011, "ingress SRC-VC buffer underflow", AlwaysFatal),
    s(23012, "egress DST-VC credit overflow", AlwaysFatal),
    s(23013, "egress DST-VC credit underflow", AlwaysFatal),
    s(23014, "ingress packet burst error", AlwaysFatal),
    s(23015, "ingress packet sticky error", AlwaysFatal),
    s(23016, "possible bubbles at ingress", AlwaysFatal),
    s(23017, "ingress credit parity error", AlwaysFatal),
    s(24001, "single bit ECC error", Corrected),
    s(24002, "single bit ECC error", Corrected),
    s(24003, "single bit ECC error", Corrected),
    s(24004, "sourcetrack TCEN0 crumbstore DBE", Fatal),
    s(24005, "sourcetrack TCEN0 TD crumbstore DBE", Fatal),
    s(24006, "sourcetrack TCEN1 crumbstore DBE", Fatal),
    s(24007, "sourcetrack timeout error", Fatal),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_in_order_and_each_is_of_a_unit() {
        assert!(SXIDS.is_sorted_by(|a, b| a.number < b.number));
        assert_eq!(of(20034).map(|s| (s.name, s.severity)), Some(("LTSSM Fault Up", Fatal)));
        assert_eq!(of(22013).map(|s| s.action), Some("nothing"));
        assert_eq!((of(12029), unit(12029)), (None, Some("a port, outgoing (NPORT egress)")));
        assert_eq!((unit(28006), unit(9999)), (None, None));
        assert!(SXIDS.iter().all(|s| unit(s.number).is_some()));
    }
}
