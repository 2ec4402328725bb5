//! Rules for the extended list.

use pciscope::pci::extended::dpc::DpcCapability;
use pciscope::pci::extended::l1ss;
use pciscope::pci::extended::rebar::{self, ResizableBarCapability, ResizableBarControl};
use pciscope::pci::extended::secondary::LaneErrorStatus;
use pciscope::pci::quantity::ltr_latency;
use pciscope::pci::register::{Quantity, RegisterType};

use super::rule::Say::{Field, Hex, With, Words};
use super::rule::{Rule, TITLE, rule, value};
use super::view::{self, View};

pub const RULES: &[Rule] = &[
    rule("aer", "AERCap:", "AERCap", &[value("First Error Pointer: {}", Hex("First Error Pointer", 2))]),
    rule("aer", "HeaderLog:", "HeaderLog", &[value("{}", With(header_log))]),
    rule(
        "aer",
        "RootSta:",
        "RootSta",
        &[value("IntMsg {}", Field("IntMsgNum")), value("IntMsgNum {}", Field("IntMsgNum"))],
    ),
    rule(
        "aer",
        "ErrorSrc:",
        "ErrorSrc",
        &[
            value("ERR_COR: {} ", Field("ERR_COR")),
            value("ERR_FATAL/NONFATAL: {} ", Field("ERR_FATAL/NONFATAL")),
        ],
    ),
    rule("serial_number", TITLE, "Device Serial Number", &[value("{}", With(serial_number))]),
    rule(
        "vsec",
        TITLE,
        "VSEC",
        &[value("ID={} ", Hex("ID", 4)), value("Rev={} ", Field("Rev")), value("Len={} ", Hex("Len", 3))],
    ),
    rule(
        "dvsec",
        TITLE,
        "DVSEC",
        &[
            value("Vendor={} ", Hex("Vendor", 4)),
            value("ID={} ", With(dvsec_id)),
            value("Rev={} ", Field("Rev")),
            value("Len={} ", Field("Len")),
        ],
    ),
    rule("ari", "ARICap:", "ARICap", &[value("Next Function: {}", Field("Next Function"))]),
    rule("ari", "ARICtl:", "ARICtl", &[value("Function Group: {}", Field("Function Group"))]),
    rule(
        "sriov",
        "IOVCap:",
        "IOVCap",
        &[
            value("Interrupt Message Number: {}", Hex("IntMsgNum", 3)),
            value("IntMsgNum {}", Field("IntMsgNum")),
        ],
    ),
    rule(
        "sriov",
        "Initial VFs:",
        "Initial VFs",
        &[
            value("Total VFs: {}", With(|v, _| v.meaning("Total VFs", "Total VFs"))),
            value("Number of VFs: {}", With(|v, _| v.meaning("Number of VFs", "Number of VFs"))),
            value("Function Dependency Link: {}", With(|v, _| hex(v, "Function Dependency Link", 2))),
            value("{}", Field("Initial VFs")),
        ],
    ),
    rule(
        "sriov",
        "VF offset:",
        "VF offset",
        &[
            value("stride: {}", With(|v, _| v.meaning("stride", "stride"))),
            value("Device ID: {}", With(|v, _| hex(v, "Device ID", 4))),
            value("{}", Field("VF offset")),
        ],
    ),
    rule(
        "sriov",
        "Supported Page Size:",
        "Supported Page Size",
        &[
            value("System Page Size: {}", With(|v, _| hex(v, "System Page Size", 8))),
            value("{}", Hex("Supported Page Size", 8)),
        ],
    ),
    rule("sriov", "Region ", "Region", &[value("{}$", With(vf_bar))]),
    rule(
        "sriov",
        "VF Migration:",
        "VF Migration",
        &[value("offset: {}", Field("offset")), value("BIR: {}", Field("BIR"))],
    ),
    rule("rebar", "BAR ", "ReBARCtl", &[value("{}$", With(resizable_bar))]),
    rule("vf_rebar", "BAR ", "ReBARCtl", &[value("{}$", With(resizable_bar))]),
    rule("ltr", "Max snoop latency:", "Max snoop latency", &[value("{}", Field("Max snoop latency"))]),
    rule(
        "ltr",
        "Max no snoop latency:",
        "Max no snoop latency",
        &[value("{}", Field("Max no snoop latency"))],
    ),
    rule("secondary", "LaneErrStat:", "LaneErrStat", &[value("{}$", With(lane_errors))]),
    rule(
        "dpc",
        "DpcCap:",
        "DpcCap",
        &[
            value("INT Msg #{}", Field("IntMsgNum")),
            value("IntMsgNum {}", Field("IntMsgNum")),
            value("RP PIO Log {}", With(log_size)),
        ],
    ),
    rule("dpc", "DpcCtl:", "DpcCtl", &[value("Trigger:{} ", Hex("Trigger", 1))]),
    rule(
        "dpc",
        "DpcSta:",
        "DpcSta",
        &[
            value("Reason:{} ", Hex("Reason", 2)),
            value("TriggerExt:{} ", Hex("TriggerExt", 2)),
            value("RP PIO ErrPtr:{}", Hex("RP PIO ErrPtr", 2)),
        ],
    ),
    rule("dpc", "Source:", "Source", &[value("{}", Field("Source"))]),
    rule(
        "l1ss",
        "L1SubCap:",
        "L1SubCap",
        &[
            value(
                "PortCommonModeRestoreTime={}us",
                With(|v, _| microseconds(v, "L1SubCap", "PortCommonModeRestoreTime")),
            ),
            value(
                "PortTPowerOnTime={} ",
                With(|v, _| power_on(v, "L1SubCap", "PortTPowerOnTime", "PortTPowerOnScale")),
            ),
        ],
    ),
    rule(
        "l1ss",
        "L1SubCtl1:",
        "L1SubCtl1",
        &[
            value("T_CommonMode={}us", With(|v, _| microseconds(v, "L1SubCtl1", "T_CommonMode"))),
            value("LTR1.2_Threshold={} ", With(threshold)),
        ],
    ),
    rule(
        "l1ss",
        "L1SubCtl2:",
        "L1SubCtl2",
        &[value("T_PwrOn={} ", With(|v, _| power_on(v, "L1SubCtl2", "T_PwrOn", "T_PwrOnScale")))],
    ),
    rule(
        "physical_32gt",
        "Phy32Ctl:",
        "Phy32Ctl",
        &[value("Modified TS Usage Mode: {}", Field("Modified TS Usage Mode"))],
    ),
    rule(
        "physical_32gt",
        "Phy32Sta:",
        "Phy32Sta",
        &[value(
            "Received Enhanced Link Behavior Control: {}",
            Words(
                "Received Enhanced Link Behavior Control",
                &[("Full Equalization required", "full equalization required")],
            ),
        )],
    ),
];

/// A register that is one number.
fn hex(view: &View<'_>, register: &str, digits: usize) -> Option<String> {
    view.whole(register, None).map(|raw| format!("{raw:0digits$x}"))
}

fn header_log(view: &View<'_>, _: &str) -> Option<String> {
    let dwords = (0..4).map(|i| Some(format!("{:08x}", view.whole("HeaderLog", Some(i))?)));
    dwords.collect::<Option<Vec<_>>>().map(|dwords| dwords.join(" "))
}

fn serial_number(view: &View<'_>, _: &str) -> Option<String> {
    let number = view.raw("Device Serial Number", "EUI-64")?;
    Some(number.to_be_bytes().map(|byte| format!("{byte:02x}")).join("-"))
}

fn dvsec_id(view: &View<'_>, _: &str) -> Option<String> {
    view.raw("DVSEC2", "ID").map(|id| format!("{id:04x}"))
}

/// `0: Memory at 00000000f0200000 (64-bit, non-prefetchable)`
fn vf_bar(view: &View<'_>, text: &str) -> Option<String> {
    let index: u16 = text.split(':').next()?.parse().ok()?;
    let bits = view.whole("Region", Some(index))?;
    if bits & 2 != 0 {
        return Some("reserved type".to_owned());
    }
    let wide = bits & 4 != 0;
    let upper = if wide { view.whole("Region", Some(index + 1))? } else { 0 };
    Some(format!(
        "{index}: Memory at {:0digits$x} ({}-bit, {}prefetchable)",
        upper << 32 | bits & !15,
        if wide { 64 } else { 32 },
        if bits & 8 == 0 { "non-" } else { "" },
        digits = if wide { 16 } else { 8 },
    ))
}

/// `1: current size: 16GB, supported: 64MB 128MB 256MB`
fn resizable_bar(view: &View<'_>, text: &str) -> Option<String> {
    let bar: u64 = text.split(':').next()?.parse().ok()?;
    let index = (0..6).find(|i| view.field("ReBARCtl", Some(*i), "BAR").is_some_and(|f| f.1 == bar))?;
    let capability = ResizableBarCapability::from_raw(view.whole("ReBARCap", Some(index))?);
    let control = ResizableBarControl::from_raw(view.whole("ReBARCtl", Some(index))?);
    let current = control.size_bytes().map_or("<unknown>".to_owned(), view::size);
    let line = format!("{bar}: current size: {current}");
    Some(match rebar::supported_sizes(capability, control) {
        0 => line,
        sizes => format!("{line}, supported: {}", view::sizes(sizes)),
    })
}

fn lane_errors(view: &View<'_>, _: &str) -> Option<String> {
    let register = LaneErrorStatus::from_raw(view.whole("LaneErrStat", None)?);
    let lanes: Vec<String> = register.lane_numbers().map(|lane| lane.to_string()).collect();
    Some(if lanes.is_empty() { "0".to_owned() } else { format!("LaneErr at lane: {}", lanes.join(" ")) })
}

fn log_size(view: &View<'_>, _: &str) -> Option<String> {
    view.raw("DpcCap", "RP PIO Log").zip(view.raw("DpcCap", "RP PIO Log[4]"))?;
    Some(DpcCapability::from_raw(view.place("DpcCap", None)?.raw?).log_size().to_string())
}

/// A time that the register holds in microseconds.
fn microseconds(view: &View<'_>, register: &str, field: &str) -> Option<String> {
    view.raw(register, field).map(|n| n.to_string())
}

fn power_on(view: &View<'_>, register: &str, value: &str, scale: &str) -> Option<String> {
    match l1ss::t_power_on(view.raw(register, value)? as u32, view.raw(register, scale)? as u32) {
        Quantity::Nanoseconds(Some(n)) => Some(format!("{}us", n / 1000)),
        _ => Some("<error>".to_owned()),
    }
}

fn threshold(view: &View<'_>, _: &str) -> Option<String> {
    let value = view.raw("L1SubCtl1", "LTR1.2_Threshold")? | view.raw("L1SubCtl1", "LTR1.2_Scale")? << 10;
    match ltr_latency(value) {
        Quantity::Nanoseconds(Some(n)) => Some(format!("{n}ns")),
        _ => Some("<error>".to_owned()),
    }
}
