//! Rules for virtual channels, the inside of the root complex, address translation, multicast, hints and time.

use pciscope::pci::extended::event_collector::{AssociatedBusNumbers, AssociationBitmap};
use pciscope::pci::extended::link_declaration::LinkConfigurationAddress;
use pciscope::pci::register::RegisterType;

use super::rule::Say::{Field, Hex, With, Words};
use super::rule::{Rule, rewriting, rule, value};
use super::view::View;

const RESERVED: &str = "reserved";

pub const RULES: &[Rule] = &[
    rule(
        "virtual_channel",
        "Caps:",
        "Caps",
        &[
            value("LPEVC={} ", Field("LPEVC")),
            value(
                "RefClk={} ",
                Words(
                    "RefClk",
                    &[("100ns", "100 ns"), ("??1", RESERVED), ("??2", RESERVED), ("??3", RESERVED)],
                ),
            ),
            value(
                "PATEntryBits={} ",
                Words("PATEntryBits", &[("1", "1 bit"), ("2", "2 bits"), ("4", "4 bits"), ("8", "8 bits")]),
            ),
        ],
    ),
    rule("virtual_channel", "Ctrl:", "Ctrl", &[value("ArbSelect={}", With(vc_arbitration))]),
    rule("virtual_channel", "Port Arbitration Table", "Arb", &[value("[{}]", With(vc_table))]),
    rule("virtual_channel", "VC", "Caps", &[value("{}$", With(vc))]),
    rule(
        "link_declaration",
        "Desc:",
        "Desc",
        &[
            value("PortNumber={} ", Hex("PortNumber", 2)),
            value("ComponentID={} ", Hex("ComponentID", 2)),
            value("EltType={} ", With(element_type)),
        ],
    ),
    rule("link_declaration", "Link", "Desc", &[value("{}$", With(link))]),
    rule("event_collector", "RCiEPBitmap:", "RCiEPBitmap", &[value("{}$", With(devices))]),
    rule(
        "event_collector",
        "AssociatedBusNumbers:",
        "AssociatedBusNumbers",
        &[value("{}$", With(bus_numbers))],
    ),
    rule(
        "ats",
        "ATSCap:",
        "ATSCap",
        &[value("Invalidate Queue Depth: {}", Hex("Invalidate Queue Depth", 2))],
    ),
    rule(
        "ats",
        "ATSCtl:",
        "ATSCtl",
        &[value("Smallest Translation Unit: {}", Hex("Smallest Translation Unit", 2))],
    ),
    rule(
        "page_request",
        "Page Request Capacity:",
        "Page Request Capacity",
        &[
            value("Page Request Allocation: {}", With(|v, _| hex(v, "Page Request Allocation", 8))),
            value("{}", With(|v, _| hex(v, "Page Request Capacity", 8))),
        ],
    ),
    rule("pasid", "PASIDCap:", "PASIDCap", &[value("Max PASID Width: {}", Hex("Max PASID Width", 2))]),
    rule(
        "multicast",
        "McastCap:",
        "McastCap",
        &[
            value("MaxGroups {}", Field("MaxGroups")),
            value("WindowSz {} (", With(|v, _| v.raw("McastCap", "WindowSz").map(|raw| raw.to_string()))),
            value("{} bytes)", With(|v, _| size(v, "McastCap", "WindowSz"))),
            // lspci ends this line only for ports.
            value("McastCtl: NumGroups {}", With(|v, _| v.meaning("McastCtl", "NumGroups"))),
            value("Enable{}", With(|v, _| v.raw("McastCtl", "Enable").map(sign))),
        ],
    ),
    rule("multicast", "McastCtl:", "McastCtl", &[value("NumGroups {}", Field("NumGroups"))]),
    rule(
        "multicast",
        "McastBAR:",
        "McastBAR",
        &[
            value("IndexPos {}", Field("IndexPos")),
            value("BaseAddr {}", With(|v, _| address(v, "McastBAR", "BaseAddr", 12))),
        ],
    ),
    rule("multicast", "McastReceiveVec:", "McastReceiveVec", &[value("{}", With(groups))]),
    rule(
        "multicast",
        "McastBlockAllVec:",
        "McastBlockAllVec",
        &[value("{}", With(|v, _| hex(v, "McastBlockAllVec", 16)))],
    ),
    rule(
        "multicast",
        "McastBlockUntransVec:",
        "McastBlockUntransVec",
        &[value("{}", With(|v, _| hex(v, "McastBlockUntransVec", 16)))],
    ),
    rule(
        "multicast",
        "McastOverlayBAR:",
        "McastOverlayBAR",
        &[
            value(
                "OverlaySize {} (",
                With(|v, _| v.raw("McastOverlayBAR", "OverlaySize").map(|raw| raw.to_string())),
            ),
            value("{} bytes)", With(|v, _| size(v, "McastOverlayBAR", "OverlaySize"))),
            value("{})", With(no_overlay)),
            value("BaseAddr {}", With(|v, _| address(v, "McastOverlayBAR", "BaseAddr", 6))),
        ],
    ),
    rule(
        "tph",
        "Interrupt vector mode",
        "TPHCap",
        &[value("{}$", With(|v, _| said(v, "Interrupt vector mode", "supported")))],
    ),
    rule(
        "tph",
        "Device specific mode",
        "TPHCap",
        &[value("{}$", With(|v, _| said(v, "Device specific mode", "supported")))],
    ),
    rule(
        "tph",
        "Extended requester",
        "TPHCap",
        &[value("{}$", With(|v, _| said(v, "Extended requester", "support")))],
    ),
    rule("tph", "No steering table", "TPHCap", &[value("{}$", With(steering_table))]),
    rule("tph", "Steering table in", "TPHCap", &[value("{}$", With(steering_table))]),
    rule("tph", "Reserved steering table", "TPHCap", &[value("{}$", With(steering_table))]),
    rewriting("ptm", "PTMCap:", "PTMCap", COLONS, &[]),
    rewriting("ptm", "PTMControl:", "PTMControl", COLONS, &[]),
    rule(
        "ptm",
        "PTMClockGranularity:",
        "PTMCap",
        &[value("{}", With(|v, _| granularity(v, "PTMCap", "PTMClockGranularity", "Unimplemented")))],
    ),
    rule(
        "ptm",
        "PTMEffectiveGranularity:",
        "PTMControl",
        &[value("{}", With(|v, _| granularity(v, "PTMControl", "PTMEffectiveGranularity", "Unknown")))],
    ),
    rule(
        "lane_margining",
        "PortCap:",
        "PortCap",
        &[value("Uses Driver{}", With(|v, _| v.raw("PortCap", "Uses Driver").map(sign)))],
    ),
];

/// Flags of older versions: `Requester:+`, and before that `RequesterCap:+` and `RootSelect:+`.
const COLONS: &[(&str, &str)] =
    &[("RootSelect:", "RootSelected:"), ("Cap:+", "+"), ("Cap:-", "-"), (":+", "+"), (":-", "-")];

fn sign(bit: u64) -> String {
    if bit == 0 { "-" } else { "+" }.to_owned()
}

/// A register that is one number.
fn hex(view: &View<'_>, register: &str, digits: usize) -> Option<String> {
    view.whole(register, None).map(|raw| format!("{raw:0digits$x}"))
}

fn arbitration(select: u64) -> String {
    let names = ["Fixed", "WRR32", "WRR64", "WRR128", "TWRR128", "WRR256"];
    names.get(select as usize).map_or_else(|| format!("??{select}"), |name| (*name).to_owned())
}

fn vc_arbitration(view: &View<'_>, _: &str) -> Option<String> {
    // Of virtual channels there are four ways, of ports six.
    let select = view.raw("Ctrl", "ArbSelect")?;
    Some(if select > 3 { format!("??{select}") } else { arbitration(select) })
}

/// What lspci calls a port arbitration table here is the VC arbitration table.
fn vc_table(view: &View<'_>, _: &str) -> Option<String> {
    let capability = view.place("Caps", None)?;
    let offset = u64::from(capability.offset - capability.register.offset);
    Some(format!("{:x}", offset + 16 * view.raw("Arb", "VATOffset")?))
}

/// What a root complex element is (PCIe 6.2, 7.9.8.2).
fn element_type(view: &View<'_>, _: &str) -> Option<String> {
    let kind = view.raw("Desc", "EltType")?;
    let names = ["Config", "Egress", "Internal"];
    Some(names.get(kind as usize).map_or_else(|| format!("??{kind}"), |name| (*name).to_owned()))
}

/// All lines of one virtual channel.
fn vc(view: &View<'_>, text: &str) -> Option<String> {
    let index: u16 = text.split(':').next()?.parse().ok()?;
    let field = |register, name| view.field(register, Some(index), name).map(|(_, raw)| raw);
    let flag = |register, name| Some(format!("{name}{}", sign(field(register, name)?)));
    let capability = format!(
        "{index}: Caps: PATOffset={:02x} MaxTimeSlots={} {}",
        field("Caps", "PATOffset")?,
        field("Caps", "MaxTimeSlots")? + 1,
        flag("Caps", "RejSnoopTrans")?,
    );
    let schemes = ["Fixed", "WRR32", "WRR64", "WRR128", "TWRR128", "WRR256"].map(|name| flag("Caps", name));
    let control = format!(
        "Ctrl: {} ID={} ArbSelect={} TC/VC={:02x}",
        flag("Ctrl", "Enable")?,
        field("Ctrl", "ID")?,
        arbitration(field("Ctrl", "ArbSelect")?),
        field("Ctrl", "TC/VC")?,
    );
    let status = format!("Status: {} {}", flag("Status", "NegoPending")?, flag("Status", "InProgress")?);
    let schemes = schemes.into_iter().collect::<Option<Vec<_>>>()?.join(" ");
    let table = if field("Caps", "PATOffset")? == 0 { "" } else { " | Port Arbitration Table" };
    Some(format!("{capability} | Arb: {schemes} | {control} | {status}{table}"))
}

/// Both lines of one link.
fn link(view: &View<'_>, text: &str) -> Option<String> {
    let index: u16 = text.split(':').next()?.parse().ok()?;
    let field = |name| view.field("Desc", Some(index), name).map(|(_, raw)| raw);
    let raw = view.whole("Addr", Some(index))?;
    let (kind, address) = if field("LinkType")? == 1 {
        let function = LinkConfigurationAddress::from_raw(raw);
        let (device, number) = (function.device_number(), function.function_number());
        ("Config", format!("{:02x}:{device:02x}.{number} CfgSpace={raw:016x}", function.bus_number()))
    } else {
        ("MemMapped", format!("{raw:016x}"))
    };
    Some(format!(
        "{index}: Desc: TargetPort={:02x} TargetComponent={:02x} AssocRCRB{} LinkType={kind} LinkValid{} | Addr: {address}",
        field("TargetPort")?,
        field("TargetComponent")?,
        sign(field("AssocRCRB")?),
        sign(field("LinkValid")?),
    ))
}

/// `RCiEP at Device(s): 1, 6, 8-10`
fn devices(view: &View<'_>, _: &str) -> Option<String> {
    let bitmap = AssociationBitmap::from_raw(view.whole("RCiEPBitmap", None)?);
    let mut ranges: Vec<(u8, u8)> = Vec::new();
    for device in bitmap.device_numbers() {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == device => *last = device,
            _ => ranges.push((device, device)),
        }
    }
    if ranges.is_empty() {
        return Some("00000000 [none]".to_owned());
    }
    let words = ranges.iter().map(|(first, last)| match last - first {
        0 => first.to_string(),
        _ => format!("{first}-{last}"),
    });
    Some(format!("RCiEP at Device(s): {}", words.collect::<Vec<_>>().join(", ")))
}

fn bus_numbers(view: &View<'_>, _: &str) -> Option<String> {
    let register = AssociatedBusNumbers::from_raw(view.whole("AssociatedBusNumbers", None)?);
    let (next, last) = (register.rcec_next_bus(), register.rcec_last_bus());
    // lspci says so of this range only; here none is what every range that ends before it begins has.
    let none = if (next, last) == (0xff, 0) { " [none]" } else { "" };
    Some(format!("{next:02x}-{last:02x}{none}"))
}

/// Two to the power of the field.
fn size(view: &View<'_>, register: &str, field: &str) -> Option<String> {
    Some(1u64.checked_shl(view.raw(register, field)? as u32)?.to_string())
}

/// Below six there is no overlay (PCIe 6.2, 7.9.11.7).
fn no_overlay(view: &View<'_>, _: &str) -> Option<String> {
    (view.raw("McastOverlayBAR", "OverlaySize")? < 6).then(|| "disabled".to_owned())
}

fn address(view: &View<'_>, register: &str, field: &str, low: u8) -> Option<String> {
    view.raw(register, field).map(|raw| format!("{:016x}", raw << low))
}

fn groups(view: &View<'_>, _: &str) -> Option<String> {
    hex(view, "McastReceiveVec", 16)
}

/// What lspci says only of a bit that is set.
fn said(view: &View<'_>, field: &str, words: &str) -> Option<String> {
    (view.raw("TPHCap", field)? == 1).then(|| words.to_owned())
}

fn steering_table(view: &View<'_>, _: &str) -> Option<String> {
    let words = ["available", "TPH capability structure", "MSI-X table", "location"];
    words.get(view.raw("TPHCap", "Steering table")? as usize).map(|words| (*words).to_owned())
}

fn granularity(view: &View<'_>, register: &str, field: &str, zero: &str) -> Option<String> {
    Some(match view.raw(register, field)? {
        0 => zero.to_owned(),
        0xff => "Greater than 254ns".to_owned(),
        nanoseconds => format!("{nanoseconds}ns"),
    })
}
