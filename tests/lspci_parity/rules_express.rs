//! Rules for the PCI Express capability.

use pciscope::pci::capability::express::{DeviceCapabilities, SlotCapabilities};
use pciscope::pci::register::RegisterType;

use super::rule::Say::{Field, Hex, With, Words};
use super::rule::{Rule, TITLE, rewriting, rule, value};
use super::view::View;

const KEY: &str = "express";

pub const RULES: &[Rule] = &[
    rewriting(
        KEY,
        TITLE,
        "Express",
        &[("(Slot", "| Slot"), ("+),", "+,"), ("-),", "-,")],
        &[
            value("(v{})", Field("v")),
            value("MSI {}", Hex("IntMsgNum", 2)),
            value("IntMsgNum {}", Field("IntMsgNum")),
            value("FLIT Mode {}", Words("FLIT", &[("Supported", "1")])),
            value("| {}", Words("Type", PORT_TYPES)),
        ],
    ),
    rule(
        KEY,
        "DevCap:",
        "DevCap",
        &[
            value("MaxPayload {}", Field("MaxPayload")),
            value("PhantFunc {}", With(phantom_functions)),
            value("Latency L0s {}", Field("L0s")),
            value("L1 {}", Field("L1")),
            value("SlotPowerLimit {}W", With(captured_power_limit)),
        ],
    ),
    rule(
        KEY,
        "DevCtl:",
        "DevCtl",
        &[value("MaxPayload {}", Field("MaxPayload")), value("MaxReadReq {}", Field("MaxReadReq"))],
    ),
    rule(
        KEY,
        "LnkCap:",
        "LnkCap",
        &[
            value("Port #{}", Field("Port")),
            value("Speed {}", Field("Speed")),
            value("Width x{}", Field("Width")),
            value("ASPM {}", Words("ASPM", &[("not supported", "none")])),
            value("Exit Latency L0s {}", Field("L0s")),
            value("Exit Latency L1 {}", Field("L1")),
            value("L1 {}", Field("L1")),
        ],
    ),
    rule(
        KEY,
        "LnkCtl:",
        "LnkCtl",
        &[
            value(
                "ASPM {}",
                Words(
                    "ASPM",
                    &[
                        ("Disabled", "none"),
                        ("L0s Enabled", "L0s"),
                        ("L1 Enabled", "L1"),
                        ("L0s L1 Enabled", "L0s L1"),
                    ],
                ),
            ),
            value("RCB {} bytes", Words("RCB", &[("64", "64 bytes"), ("128", "128 bytes")])),
        ],
    ),
    rule(KEY, "LnkSta:", "LnkSta", &[value("Speed {}", Field("Speed")), value("Width x{}", Field("Width"))]),
    rule(
        KEY,
        "SltCap:",
        "SltCap",
        &[value("Slot #{}", Field("Slot")), value("PowerLimit {}W", With(slot_power_limit))],
    ),
    rule(
        KEY,
        "SltCtl:",
        "SltCtl",
        &[
            value("Control: AttnInd {}", Words("AttnInd", INDICATOR)),
            value("PwrInd {}", Words("PwrInd", INDICATOR)),
        ],
    ),
    rule(KEY, "RootSta:", "RootSta", &[value("PME ReqID {}", Field("PME ReqID"))]),
    rewriting(
        KEY,
        "DevCap2:",
        "DevCap2",
        OBFF_BEFORE_FLAG,
        &[
            value("Completion Timeout: {}", Words("Completion Timeout", TIMEOUT_RANGES)),
            value(
                "OBFF {}",
                Words(
                    "OBFF",
                    &[
                        ("Not Supported", "not supported"),
                        ("Via message", "message"),
                        ("Via WAKE#", "WAKE#"),
                        ("Via message/WAKE#", "message and WAKE#"),
                    ],
                ),
            ),
            value("MaxEETLPPrefixes {}", Field("MaxEETLPPrefixes")),
            value(
                "EmergencyPowerReduction {}",
                Words(
                    "EmergencyPowerReduction",
                    &[
                        ("Not Supported", "not supported"),
                        ("Dev Specific", "device specific"),
                        ("Reserved", "reserved"),
                        ("Form Factor Dev Specific", "form factor specific or device specific"),
                    ],
                ),
            ),
            value("LN System CLS {}", Words("LN System CLS", CACHE_LINES)),
        ],
    ),
    rewriting(
        KEY,
        "DevCtl2:",
        "DevCtl2",
        OBFF_BEFORE_FLAG,
        &[
            value("Completion Timeout: {}", Words("Completion Timeout", TIMEOUTS)),
            value("OBFF {}", Words("OBFF", OBFF)),
        ],
    ),
    rule(KEY, "LnkCap2:", "LnkCap2", &[value("Supported Link Speeds: {}", Field("Supported Link Speeds"))]),
    rule(
        KEY,
        "LnkCtl2:",
        "LnkCtl2",
        &[
            value("Target Link Speed: {}", Words("Target Link Speed", &[("Unknown", "unknown")])),
            value("Selectable De-emphasis: {}", Words("Selectable De-emphasis", DE_EMPHASIS)),
            value("Transmit Margin: {}", With(transmit_margin)),
            value(
                "Compliance Preset/De-emphasis: {} preshoot",
                Words("Compliance Preset/De-emphasis", PRESETS),
            ),
            value("Compliance Preset/De-emphasis: {}", Field("Compliance Preset/De-emphasis")),
            value("Compliance De-emphasis: {}", Words("Compliance Preset/De-emphasis", PRESETS)),
        ],
    ),
    rule(
        KEY,
        "LnkSta2:",
        "LnkSta2",
        &[
            value("Current De-emphasis Level: {}", Words("Current De-emphasis Level", DE_EMPHASIS)),
            value("DownstreamComp: {}", Words("DownstreamComp", DOWNSTREAM)),
            value("CrosslinkRes: {}", Words("CrosslinkRes", CROSSLINK)),
        ],
    ),
];

/// Older versions have no comma there.
const OBFF_BEFORE_FLAG: &[(&str, &str)] = &[(" ARIFwd", ", ARIFwd")];
const PORT_TYPES: &[(&str, &str)] = &[
    ("PCI-Express to PCI/PCI-X Bridge", "PCI Express to PCI/PCI-X Bridge"),
    ("PCI/PCI-X to PCI-Express Bridge", "PCI/PCI-X to PCI Express Bridge"),
];
const INDICATOR: &[(&str, &str)] =
    &[("Unknown", "reserved"), ("On", "on"), ("Blink", "blinking"), ("Off", "off")];
const DE_EMPHASIS: &[(&str, &str)] = &[("-6dB", "-6 dB"), ("-3.5dB", "-3.5 dB")];
const CACHE_LINES: &[(&str, &str)] = &[
    ("Not Supported", "not supported"),
    ("64byte cachelines", "64-byte cache lines"),
    ("128byte cachelines", "128-byte cache lines"),
    ("Reserved", "reserved"),
];
const OBFF: &[(&str, &str)] = &[
    ("Disabled", "disabled"),
    ("Via message A", "message, variation A"),
    ("Via message B", "message, variation B"),
    ("Via WAKE#", "WAKE#"),
];
const TIMEOUT_RANGES: &[(&str, &str)] = &[
    ("Not Supported", "not supported"),
    ("Unknown", "reserved"),
    ("Range A", "range A"),
    ("Range B", "range B"),
    ("Range AB", "ranges A, B"),
    ("Range BC", "ranges B, C"),
    ("Range ABC", "ranges A, B, C"),
    ("Range BCD", "ranges B, C, D"),
    ("Range ABCD", "ranges A, B, C, D"),
];
const TIMEOUTS: &[(&str, &str)] = &[
    ("Unknown", "reserved"),
    ("50us to 50ms", "50 us to 50 ms"),
    ("50us to 100us", "50 us to 100 us"),
    ("1ms to 10ms", "1 ms to 10 ms"),
    ("16ms to 55ms", "16 ms to 55 ms"),
    ("65ms to 210ms", "65 ms to 210 ms"),
    ("260ms to 900ms", "260 ms to 900 ms"),
    ("1s to 3.5s", "1 s to 3.5 s"),
    ("4s to 13s", "4 s to 13 s"),
    ("17s to 64s", "17 s to 64 s"),
];
/// We give the number (PCIe 6.2, 8.3.3.3 says what it is in decibels; the meaning depends on the speed).
const PRESETS: &[(&str, &str)] = &[
    ("-6dB", "0"),
    ("-6dB de-emphasis, 0dB", "0"),
    ("-3.5dB de-emphasis, 0dB", "1"),
    ("-4.4dB de-emphasis, 0dB", "2"),
    ("-2.5dB de-emphasis, 0dB", "3"),
    ("0dB de-emphasis, 0dB", "4"),
    ("0dB de-emphasis, 1.9dB", "5"),
    ("0dB de-emphasis, 2.5dB", "6"),
    ("-6.0dB de-emphasis, 3.5dB", "7"),
    ("-3.5dB de-emphasis, 3.5dB", "8"),
    ("0dB de-emphasis, 3.5dB", "9"),
];
const DOWNSTREAM: &[(&str, &str)] = &[
    ("Link Down - Not Determined", "not determined"),
    ("Link Down - Not Present", "link down, not present"),
    ("Link Down - Present", "link down, present"),
    ("Link Up - Present", "link up, present"),
    ("Link Up - Present and DRS Received", "link up, present and DRS received"),
    ("Reserved", "reserved"),
];
const CROSSLINK: &[(&str, &str)] = &[
    ("unsupported", "not supported"),
    ("Upstream Port", "upstream port"),
    ("Downstream Port", "downstream port"),
    ("incomplete", "not completed"),
];

/// We give the number; lspci gives what it is in volts, the same for several numbers.
fn transmit_margin(view: &View<'_>, _: &str) -> Option<String> {
    let volts = match view.raw("LnkCtl2", "Transmit Margin")? {
        0 => "Normal Operating Range",
        1 => "800-1200mV(full-swing)/400-700mV(half-swing)",
        2..=5 => "200-400mV(full-swing)/100-200mV(half-swing)",
        _ => "Unknown",
    };
    Some(volts.to_owned())
}

/// The field counts bits of the function number, lspci counts functions.
fn phantom_functions(view: &View<'_>, _: &str) -> Option<String> {
    view.raw("DevCap", "PhantFunc").map(|bits| ((1 << bits) - 1).to_string())
}

fn captured_power_limit(view: &View<'_>, text: &str) -> Option<String> {
    view.raw("DevCap", "SlotPowerLimit").zip(view.raw("DevCap", "SlotPowerLimitScale"))?;
    let register = DeviceCapabilities::from_raw(view.place("DevCap", None)?.raw?);
    register.captured_slot_power_limit_milliwatts().map(|milliwatts| watts(milliwatts, text))
}

fn slot_power_limit(view: &View<'_>, text: &str) -> Option<String> {
    view.raw("SltCap", "PowerLimit").zip(view.raw("SltCap", "PowerLimitScale"))?;
    let register = SlotCapabilities::from_raw(view.place("SltCap", None)?.raw?);
    register.slot_power_limit_milliwatts().map(|milliwatts| watts(milliwatts, text))
}

/// With as many decimals as lspci gives; its versions differ in that.
fn watts(milliwatts: u32, text: &str) -> String {
    let decimals = text.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    format!("{:.*}", decimals, f64::from(milliwatts) / 1000.0)
}
