//! Rules for capabilities that are older than PCI Express or rare, and for Intel's vendor-specific one.

use super::rule::Say::{Field, Hex, With, Words};
use super::rule::{Rule, TITLE, Value, rule, value};
use super::view::{View, words};

pub const RULES: &[Rule] = &[
    rule("agp", TITLE, "version", &[value("{}$", With(agp_version))]),
    rule("agp", "Status:", "Status", AGP),
    rule("agp", "Command:", "Command", AGP),
    rule(
        "slot_id",
        TITLE,
        "Slot ID",
        &[value(": {} slots", Field("slots")), value("chassis {}", With(chassis))],
    ),
    rule("pcix", TITLE, "", &[value("{}$", With(pcix_kind))]),
    rule("pcix", "Command:", "Command", &[value("RBC={} ", With(pcix_read)), value("OST={} ", Field("OST"))]),
    rule(
        "pcix",
        "Status:",
        "Status",
        &[
            value("Dev={} ", With(pcix_address)),
            value("DC={} ", Field("DC")),
            value("DMMRBC={} ", With(pcix_designed_read)),
            value("DMOST={} ", Field("DMOST")),
            value("DMCRS={} ", With(pcix_cumulative)),
        ],
    ),
    rule("pcix", "Secondary Status:", "Secondary Status", &[value("Freq={} ", With(pcix_clock))]),
    rule("pcix", "Upstream:", "Upstream", SPLIT),
    rule("pcix", "Downstream:", "Downstream", SPLIT),
    rule("hypertransport", TITLE, "", &[value(": {}$", With(ht_title))]),
    rule(
        "hypertransport",
        "Command:",
        "Command",
        &[
            value("BaseUnitID={} ", Field("BaseUnitID")),
            value("UnitCnt={} ", Field("UnitCnt")),
            value("DevNum={} ", Field("DevNum")),
        ],
    ),
    rule("hypertransport", "Link Control:", "Link Control 0", CRC_ERROR),
    rule("hypertransport", "Link Control 0:", "Link Control 0", CRC_ERROR),
    rule("hypertransport", "Link Control 1:", "Link Control 1", CRC_ERROR),
    rule("hypertransport", "Link Config:", "Link Config 0", WIDTHS),
    rule("hypertransport", "Link Config 0:", "Link Config 0", WIDTHS),
    rule("hypertransport", "Link Config 1:", "Link Config 1", WIDTHS),
    rule("hypertransport", "Revision ID:", "Revision ID", &[value("{}$", With(ht_revision))]),
    rule("hypertransport", "Link Frequency:", "Link Frequency 0", FREQUENCY),
    rule("hypertransport", "Link Frequency 0:", "Link Frequency 0", FREQUENCY),
    rule("hypertransport", "Link Frequency 1:", "Link Frequency 1", FREQUENCY),
    rule("hypertransport", "Link Error:", "Link Frequency 0", &[]),
    rule("hypertransport", "Link Error 0:", "Link Frequency 0", &[]),
    rule("hypertransport", "Link Error 1:", "Link Frequency 1", &[]),
    rule("hypertransport", "Link Frequency Capability:", "Link Frequency Capability 0", &[]),
    rule("hypertransport", "Prefetchable memory behind bridge Upper:", "", &[value("{}$", With(ht_window))]),
    rule("hypertransport", "Bus Number:", "Bus Number", &[value("{}$", Hex("number", 2))]),
    rule("hypertransport", "Mapping Address Base:", "Mapping Address", &[value("{}$", With(ht_mapping))]),
    rule(
        "debug_port",
        TITLE,
        "Debug port",
        &[value("BAR={} ", Hex("BAR", 1)), value("offset={} ", Hex("offset", 4))],
    ),
    rule(
        "sata",
        TITLE,
        "SATA HBA",
        &[
            value("v{} ", With(sata_version)),
            value("Offset={} ", With(sata_offset)),
            value("{}$", With(sata_bar)),
        ],
    ),
    rule(
        "enhanced_allocation",
        TITLE,
        "EA",
        &[
            value("NumEntries={}", Field("NumEntries")),
            value("secondary={}", With(ea_secondary)),
            value("subordinate={}", With(ea_subordinate)),
        ],
    ),
    rule("enhanced_allocation", "Entry ", "Entry", &[value("{}$", With(ea_entry))]),
    rule(
        "vendor",
        "CapA:",
        "CapA",
        &[
            value("DmiWidth={} ", Field("DmiWidth")),
            value("DDRMaxSize={} ", With(intel_size)),
            value("CDID={} ", Field("CDID")),
            value("CRID={} ", Field("CRID")),
        ],
    ),
    rule(
        "vendor",
        "CapB:",
        "CapB",
        &[
            value("CacheSzCap 0x{} ", Field("CacheSzCap")),
            value("DDR3MaxFreqWithRef100={} ", With(intel_ddr3_ref100)),
            value("DDR3MaxFreq={} ", With(intel_ddr3)),
        ],
    ),
    rule(
        "vendor",
        "CapC:",
        "CapC",
        &[
            value("LPDDR4MaxFreq={} ", With(intel_lpddr4)),
            value("DDR4MaxFreq={} ", With(intel_ddr4)),
            value("BClkOC={} ", With(intel_base_clock)),
            value("Gear1MaxFreq={} ", With(intel_gear1)),
        ],
    ),
];

const AGP: &[Value] = &[
    value("RQ={} ", Field("RQ")),
    value("ArqSz={} ", Hex("ArqSz", 1)),
    value("Cal={} ", Hex("Cal", 1)),
    // Both lines name rates; which line it is can be told by what only one of them has.
    value("Rate={}$", With(agp_rates)),
];

const SPLIT: &[Value] =
    &[value("Capacity={} ", Field("Capacity")), value("CommitmentLimit={} ", Field("CommitmentLimit"))];

const CRC_ERROR: &[Value] = &[value("<CRCErr={} ", Hex("<CRCErr", 1))];

const WIDTHS: &[Value] = &[
    value("MLWI={} ", Words("MLWI", LINK_WIDTH)),
    value("MLWO={} ", Words("MLWO", LINK_WIDTH)),
    value("LWI={} ", Words("LWI", LINK_WIDTH)),
    value("LWO={} ", Words("LWO", LINK_WIDTH)),
];

const LINK_WIDTH: &[(&str, &str)] = &[
    ("8bit", "8 bits"),
    ("16bit", "16 bits"),
    ("32bit", "32 bits"),
    ("2bit", "2 bits"),
    ("4bit", "4 bits"),
    ("N/C", "not connected"),
    ("[2]", "reserved"),
    ("[6]", "reserved"),
];

const FREQUENCY: &[Value] = &[value("{}$", Words("Frequency", LINK_FREQUENCY))];

const LINK_FREQUENCY: &[(&str, &str)] = &[
    ("200MHz", "200 MHz"),
    ("300MHz", "300 MHz"),
    ("400MHz", "400 MHz"),
    ("500MHz", "500 MHz"),
    ("600MHz", "600 MHz"),
    ("800MHz", "800 MHz"),
    ("1.0GHz", "1000 MHz"),
    ("1.2GHz", "1200 MHz"),
    ("1.4GHz", "1400 MHz"),
    ("1.6GHz", "1600 MHz"),
    // lspci has no names for what came with HyperTransport 3.
    ("[a]", "1800 MHz"),
    ("[b]", "2000 MHz"),
    ("[c]", "2200 MHz"),
    ("[d]", "2400 MHz"),
    ("[e]", "2600 MHz"),
    ("Vend", "vendor-specific"),
];

fn agp_version(view: &View<'_>, _: &str) -> Option<String> {
    Some(format!("{:x}.{:x}", view.raw("version", "major")?, view.raw("version", "minor")?))
}

/// lspci multiplies by four in AGP 3.0 mode. Without any rate it is the command that is meant, or both are alike.
fn agp_rates(view: &View<'_>, text: &str) -> Option<String> {
    let fast = view.raw("version", "major")? >= 3 && view.raw("Status", "AGP3")? == 1;
    let rates = |register| -> Option<String> {
        let names = [("Rate=x1", 1), ("Rate=x2", 2), ("Rate=x4", 4)];
        let mut set = Vec::new();
        for (field, rate) in names {
            if view.raw(register, field)? == 1 {
                set.push(format!("x{}", if fast { rate * 4 } else { rate }));
            }
        }
        Some(if set.is_empty() { "<none>".to_owned() } else { set.join(",") })
    };
    let (status, command) = (rates("Status")?, rates("Command")?);
    Some(if text == command { command } else { status })
}

fn chassis(view: &View<'_>, _: &str) -> Option<String> {
    view.raw("chassis", "chassis").map(|chassis| format!("{chassis:02x}"))
}

fn pcix_kind(view: &View<'_>, _: &str) -> Option<String> {
    let bridge = view.place("Secondary Status", None).is_some();
    Some(if bridge { "bridge device" } else { "non-bridge device" }.to_owned())
}

fn pcix_read(view: &View<'_>, _: &str) -> Option<String> {
    view.raw("Command", "RBC").map(|encoding| (512 << encoding).to_string())
}

fn pcix_designed_read(view: &View<'_>, _: &str) -> Option<String> {
    view.raw("Status", "DMMRBC").map(|encoding| (512 << encoding).to_string())
}

/// lspci counts in units of 128 bytes.
fn pcix_cumulative(view: &View<'_>, _: &str) -> Option<String> {
    let bytes: u64 = view.meaning("Status", "DMCRS")?.strip_suffix(" bytes")?.parse().ok()?;
    Some((bytes / 128).to_string())
}

fn pcix_address(view: &View<'_>, _: &str) -> Option<String> {
    let number = |field| view.raw("Status", field);
    Some(format!("{:02x}:{:02x}.{}", number("Bus")?, number("Device")?, number("Function")?))
}

/// The clock out of mode, clock and protection.
fn pcix_clock(view: &View<'_>, _: &str) -> Option<String> {
    let words = view.meaning("Secondary Status", "Freq")?;
    Some(match words.as_str() {
        "conventional PCI" => "conv".to_owned(),
        words => words.split(", ").find(|w| w.ends_with(" MHz")).unwrap_or(words).replace(' ', ""),
    })
}

fn ht_title(view: &View<'_>, _: &str) -> Option<String> {
    if view.place("MSI Mapping", None).is_some() {
        let sign = |field| view.raw("MSI Mapping", field).map(|set| if set == 1 { '+' } else { '-' });
        return Some(format!("MSI Mapping Enable{} Fixed{}", sign("Enable")?, sign("Fixed")?));
    }
    let register = ["Command", "Index", "Revision ID", "HyperTransport"]
        .into_iter()
        .find(|register| view.raw(register, "type").is_some())?;
    let kind = view.meaning(register, "type")?;
    Some(match kind.as_str() {
        "slave or primary interface" => "Slave or Primary Interface".to_owned(),
        "host or secondary interface" => "Host or Secondary Interface".to_owned(),
        "switch" => "Switch".to_owned(),
        "interrupt discovery and configuration" => "Interrupt Discovery and Configuration".to_owned(),
        "revision ID" => format!("Revision ID: {}", ht_revision(view, "")?),
        "UnitID clumping" => "UnitID Clumping".to_owned(),
        "extended configuration space access" => "Extended Configuration Space Access".to_owned(),
        "address mapping" => "Address Mapping".to_owned(),
        "DirectRoute" => "DirectRoute".to_owned(),
        "VCSet" => "VCSet".to_owned(),
        "retry mode" => "Retry Mode".to_owned(),
        "x86" => "X86 (reserved)".to_owned(),
        // lspci knows no more names.
        _ => format!("#{:02x}", view.raw(register, "type")?),
    })
}

fn ht_revision(view: &View<'_>, _: &str) -> Option<String> {
    Some(format!("{}.{:02}", view.raw("Revision ID", "major")?, view.raw("Revision ID", "minor")?))
}

fn ht_window(view: &View<'_>, _: &str) -> Option<String> {
    Some(format!("{:02x}-{:02x}", view.raw("Base Upper", "address")?, view.raw("Limit Upper", "address")?))
}

fn ht_mapping(view: &View<'_>, _: &str) -> Option<String> {
    let low = view.raw("Mapping Address", "Base")? << 20;
    Some(format!("{:08x}{low:08x}", view.raw("Mapping Address Upper", "Base")?))
}

fn sata_version(view: &View<'_>, _: &str) -> Option<String> {
    Some(format!("{}.{}", view.raw("SATA HBA", "major")?, view.raw("SATA HBA", "minor")?))
}

/// lspci prints doublewords.
fn sata_offset(view: &View<'_>, _: &str) -> Option<String> {
    view.raw("Location", "Offset").map(|doublewords| format!("{doublewords:08x}"))
}

fn sata_bar(view: &View<'_>, _: &str) -> Option<String> {
    let (field, raw) = view.field("Location", None, "BAR")?;
    Some(match (raw, words(field, raw)) {
        (0xf, _) => "InCfgSpace".to_owned(),
        (raw, reserved) if reserved == "reserved" => format!("BAR??{raw}"),
        (_, number) => format!("BAR{number}"),
    })
}

fn ea_secondary(view: &View<'_>, _: &str) -> Option<String> {
    view.raw("Buses", "secondary").map(|bus| bus.to_string())
}

fn ea_subordinate(view: &View<'_>, _: &str) -> Option<String> {
    view.raw("Buses", "subordinate").map(|bus| bus.to_string())
}

/// As far as lspci goes: it stops at an entry that is too short for its addresses.
fn ea_entry(view: &View<'_>, text: &str) -> Option<String> {
    let index: u16 = text.split(':').next()?.parse().ok()?;
    let entry = |field| view.field("Entry", Some(index), field);
    let sign = |field| entry(field).map(|(_, raw)| if raw == 1 { '+' } else { '-' });
    let meaning = |field| entry(field).map(|(field, raw)| (raw, words(field, raw)));
    let size = entry("EntrySize")?.1;
    let mut parts = vec![
        format!("{index}: Enable{} Writable{} EntrySize={size}", sign("Enable")?, sign("Writable")?),
        format!("BAR Equivalent Indicator: {}", ea_bar(meaning("BEI")?)),
        format!("PrimaryProperties: {}", ea_properties(meaning("PrimaryProperties")?)),
        format!(
            "SecondaryProperties: {}",
            match meaning("SecondaryProperties")? {
                (0xff, _) => "entry unavailable for use, PrimaryProperties should be used".to_owned(),
                properties => ea_properties(properties),
            }
        ),
    ];
    // Whether there is an upper half decides what the number is, so that bit takes part.
    let address = |register, field, upper, low: fn(u64) -> u64| {
        let low = low(view.field(register, Some(index), field)?.1);
        view.field(register, Some(index), "64bit")?;
        Some(match view.field(upper, Some(index), field) {
            Some((_, upper)) => format!("{field}: {upper:x}{low:08x}"),
            None => format!("{field}: {low:08x}"),
        })
    };
    parts.extend(address("Base", "Base", "BaseUpper", |bits| bits << 2));
    parts.extend(address("MaxOffset", "MaxOffset", "MaxOffsetUpper", |bits| bits << 2 | 3));
    parts.truncate(text.split(" | ").count());
    Some(parts.join(" | "))
}

fn ea_bar((_, words): (u64, String)) -> String {
    match words.as_str() {
        "resource behind the bridge" => "resource behind function".to_owned(),
        "not indicated" => "not indicated".to_owned(),
        words => words.replace("VF BAR ", "VF-BAR "),
    }
}

fn ea_properties((raw, words): (u64, String)) -> String {
    match words.as_str() {
        "memory, non-prefetchable" => "memory space, non-prefetchable".to_owned(),
        "memory, prefetchable" => "memory space, prefetchable".to_owned(),
        "I/O" => "I/O space".to_owned(),
        "memory of virtual functions, prefetchable" => "VF memory space, prefetchable".to_owned(),
        "memory of virtual functions, non-prefetchable" => "VF memory space, non-prefetchable".to_owned(),
        "memory behind the bridge, non-prefetchable" => {
            "allocation behind bridge, non-prefetchable memory".to_owned()
        }
        "memory behind the bridge, prefetchable" => {
            "allocation behind bridge, prefetchable memory".to_owned()
        }
        "I/O behind the bridge" => "allocation behind bridge, I/O space".to_owned(),
        "memory, not to be used" => "memory space resource unavailable for use".to_owned(),
        "I/O, not to be used" => "I/O space resource unavailable for use".to_owned(),
        "entry not to be used" => "entry unavailable for use".to_owned(),
        _ => format!("[{raw:02x}]"),
    }
}

/// Data rates and limits in the words of lspci.
fn intel(view: &View<'_>, register: &str, field: &str) -> Option<String> {
    Some(match view.meaning(register, field)?.as_str() {
        "unlimited" => "Unlimited".to_owned(),
        "disabled" => "Disabled".to_owned(),
        words => words.replace(" MT/s", "MHz").replace(' ', ""),
    })
}

fn intel_size(view: &View<'_>, _: &str) -> Option<String> {
    Some(
        match view.raw("CapA", "DDRMaxSize")? {
            0 => "Unlimited",
            1 => "8GB/chan",
            2 => "2GB/chan",
            _ => "0.5GB/chan",
        }
        .to_owned(),
    )
}

fn intel_ddr3(view: &View<'_>, _: &str) -> Option<String> {
    intel(view, "CapB", "DDR3MaxFreq")
}

fn intel_ddr3_ref100(view: &View<'_>, _: &str) -> Option<String> {
    intel(view, "CapB", "DDR3MaxFreqWithRef100")
}

fn intel_ddr4(view: &View<'_>, _: &str) -> Option<String> {
    intel(view, "CapC", "DDR4MaxFreq")
}

fn intel_lpddr4(view: &View<'_>, _: &str) -> Option<String> {
    intel(view, "CapC", "LPDDR4MaxFreq")
}

fn intel_base_clock(view: &View<'_>, _: &str) -> Option<String> {
    intel(view, "CapC", "BClkOC")
}

fn intel_gear1(view: &View<'_>, _: &str) -> Option<String> {
    intel(view, "CapC", "Gear1MaxFreq")
}
