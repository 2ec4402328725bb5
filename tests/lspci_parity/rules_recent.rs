//! Rules for capabilities that came with PCI Express 5.0 and 6.0.

use super::rule::Say::{Field, Hex, With, Words};
use super::rule::{Rule, Value, rule, value};
use super::view::View;

/// A flag whose name is more than one word.
pub const FLAG: &[(&str, &str)] = &[("+", "1"), ("-", "0")];

const EXIT_LATENCY: &[(&str, &str)] = &[
    ("Less than 1us", "less than 1 µs"),
    ("2us to less than 4us", "2 µs to less than 4 µs"),
    ("4us to less than 8us", "4 µs to less than 8 µs"),
];
const ALGORITHM: Value = value("Alg={} ", Words("Alg", &[("'AES-GCM-256-96b'", "AES-GCM 256, 96-bit MAC")]));

pub const RULES: &[Rule] = &[
    rule(
        "doe",
        "DOECap:",
        "DOECap",
        &[
            value("Interrupt Message Number {}", Hex("IntMsgNum", 3)),
            value("IntMsgNum {}", Field("IntMsgNum")),
        ],
    ),
    rule(
        "device3",
        "DevCap3:",
        "DevCap3",
        &[
            value("DMWr Request Routing{}", Words("DMWr Request Routing", FLAG)),
            value("14-Bit Tag Completer{}", Words("14-Bit Tag Completer", FLAG)),
            value("14-Bit Tag Requester{}", Words("14-Bit Tag Requester", FLAG)),
            value("Port L0p Exit Latency: {}", Words("Port L0p Exit Latency", EXIT_LATENCY)),
            value("Retimer L0p Exit Latency: {}", Words("Retimer L0p Exit Latency", EXIT_LATENCY)),
            value("UIO Mem RdWr Completer{}", Words("UIO Mem RdWr Completer", FLAG)),
            value("UIO Mem RdWr Requester{}", Words("UIO Mem RdWr Requester", FLAG)),
        ],
    ),
    rule(
        "device3",
        "DevCtl3:",
        "DevCtl3",
        &[
            value("DMWr Requester{}", Words("DMWr Requester", FLAG)),
            value("DMWr Egress Blocking{}", Words("DMWr Egress Blocking", FLAG)),
            value("14-Bit Tag Requester{}", Words("14-Bit Tag Requester", FLAG)),
            value("Target Link Width: {}", Field("Target Link Width")),
            value("UIO Mem RdWr Requester{}", Words("UIO Mem RdWr Requester", FLAG)),
            // The bit disables it.
            value(
                "UIO Request 256B Boundary{}",
                Words("UIO Request 256B Boundary Disable", &[("+", "0"), ("-", "1")]),
            ),
        ],
    ),
    rule(
        "device3",
        "DevSta3:",
        "DevSta3",
        &[
            value("Initial Link Width: x{}", Field("Initial Link Width")),
            value("Segment Captured{}", Words("Segment Captured", FLAG)),
            value("Remote L0p{}", Words("Remote L0p", FLAG)),
        ],
    ),
    rule(
        "ide",
        "IDECap:",
        "IDECap",
        &[
            value("Lnk={} ", With(|v, _| v.raw("IDECap", "Lnk").map(|raw| raw.to_string()))),
            value("Sel={} ", With(selective_streams)),
            ALGORITHM,
            value("TCs={} ", Field("TCs")),
        ],
    ),
    // There is one stream in everything that is compared.
    rule(
        "ide",
        "[10c]LinkIDE#0 Ctl:",
        "LinkIDECtl",
        &[
            value("HdrEnc={} ", Words("HdrEnc", &[("no", "none")])),
            ALGORITHM,
            value("TC{} ", Field("TC")),
            value("ID{} ", Field("ID")),
        ],
    ),
    rule("ide", "[110]LinkIDE#0 Sta:", "LinkIDESta", &[value("Status={} ", Field("Status"))]),
    rule(
        "flit_logging",
        "Log1:",
        "Log1",
        &[
            value("Link Width: x{}", Field("Link Width")),
            value("More entries{} ", Words("More entries", FLAG)),
            value("Unrecognized flit{} ", Words("Unrecognized flit", FLAG)),
            value("FEC uncorrectable{} ", Words("FEC uncorrectable", FLAG)),
            value("SyndParityGrp0: {}", Hex("SyndParityGrp0", 2)),
            value("SyndCheckGrp0: {}", Hex("SyndCheckGrp0", 2)),
        ],
    ),
    rule(
        "flit_logging",
        "Log2:",
        "Log2",
        &[
            value("SyndParityGrp1: {}", Hex("SyndParityGrp1", 2)),
            value("SyndCheckGrp1: {}", Hex("SyndCheckGrp1", 2)),
            value("SyndParityGrp2: {}", Hex("SyndParityGrp2", 2)),
            value("SyndCheckGrp2: {}", Hex("SyndCheckGrp2", 2)),
        ],
    ),
    rule(
        "flit_logging",
        "CntCtl:",
        "CntCtl",
        &[
            value("Flit Error Counter En{} ", Words("Flit Error Counter En", FLAG)),
            value("Flit Error Counter Interrupt En{} ", Words("Flit Error Counter Interrupt En", FLAG)),
            value("Events to count: {}", Hex("Events to count", 1)),
            value("Trigger Event on Error Count: {}", Hex("Trigger Event on Error Count", 2)),
        ],
    ),
    rule(
        "flit_logging",
        "CntSts:",
        "CntSts",
        &[
            value(
                "Link Width when Error Counter Started x{}",
                Field("Link Width when Error Counter Started"),
            ),
            value(
                "Interrupt Generated based on Trigger Event Count{}",
                Words("Interrupt Generated based on Trigger Event Count", FLAG),
            ),
            value("FlitErr: {}", Field("FlitErr")),
        ],
    ),
    rule(
        "flit_logging",
        "MeasCtl:",
        "MeasCtl",
        &[value("Granularity: {}", Words("Granularity", &[("all", "all corrected bits")]))],
    ),
    rule("flit_logging", "MeasSts1:", "MeasSts1", &[value("Flit Counter: {}", Field("Flit Counter"))]),
    rule(
        "flit_logging",
        "MeasSts2:",
        "MeasSts2",
        &[value("Invalid Flit Counter: {}", Field("Invalid Flit Counter"))],
    ),
    rule("flit_logging", "MeasSts", "MeasSts", &[value("{}$", With(two_lanes))]),
    rule(
        "flit_error_injection",
        "FlitEiCtl1:",
        "FlitEiCtl1",
        &[
            value("Number of errors: {}", Field("Number of errors")),
            value("Spacing between errors: {}", Field("Spacing between errors")),
            value("Flit Type: {}", Field("Flit Type")),
        ],
    ),
    rule(
        "flit_error_injection",
        "FlitEiCtl2:",
        "FlitEiCtl2",
        &[
            value("Consecutive: {}", Field("Consecutive")),
            value("Type: {}", Field("Type")),
            value("Offset: {}", Field("Offset")),
            value("Magnitude: {}", Field("Magnitude")),
        ],
    ),
    rule(
        "flit_error_injection",
        "FlitEiSts:",
        "FlitEiSts",
        &[value("Tx: {}", Field("Tx")), value("Rx: {}", Field("Rx"))],
    ),
    rule(
        "flit_error_injection",
        "FlitEiOsCtl2:",
        "FlitEiOsCtl2",
        &[value("Bytes: {}", Hex("Bytes", 4)), value("Lanes: {}", Hex("Lanes", 4))],
    ),
    rule("flit_error_injection", "FlitEiOsTx:", "FlitEiOsTx", ORDERED_SETS),
    rule("flit_error_injection", "FlitEiOsRx:", "FlitEiOsRx", ORDERED_SETS),
];

const ORDERED_SETS: &[Value] = &[
    value("TS0: {}", Field("TS0")),
    value("TS1: {}", Field("TS1")),
    value("TS2: {}", Field("TS2")),
    value("SKP: {}", Field("SKP")),
    value("EIEOS: {}", Field("EIEOS")),
    value("EIOS: {}", Field("EIOS")),
    value("SDS: {}", Field("SDS")),
    value("Polling: {}", Field("Polling")),
    value("Configuration: {}", Field("Configuration")),
    value("L0: {}", Field("L0")),
    value("non-EQ recovery: {}", Field("non-EQ recovery")),
    value("Eq01: {}", Field("Eq01")),
    value("Eq2: {}", Field("Eq2")),
    value("Eq3: {}", Field("Eq3")),
];

/// Nothing where there are none, their number where there are some.
fn selective_streams(view: &View<'_>, _: &str) -> Option<String> {
    match view.raw("IDECap", "Sel")? {
        0 => Some("0".to_owned()),
        _ => view.meaning("IDECap", "SelNum"),
    }
}

/// `3: Lane0: 0, Lane1: 0`
fn two_lanes(view: &View<'_>, text: &str) -> Option<String> {
    let number: u16 = text.split(':').next()?.parse().ok()?;
    let lane = number.checked_sub(3)? * 2;
    let count = |lane| view.whole("MeasSts", Some(lane));
    Some(format!("{number}: Lane{lane}: {}, Lane{}: {}", count(lane)?, lane + 1, count(lane + 1)?))
}
