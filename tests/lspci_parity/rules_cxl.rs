//! Rules for the designated vendor-specific capabilities of CXL.

use super::rule::Say::{Field, Hex, With};
use super::rule::{Rule, rewriting, rule, value};
use super::view::View;

const KEY: &str = "dvsec";

pub const RULES: &[Rule] = &[
    rewriting(
        KEY,
        "CXLCap:",
        "CXLCap",
        &[("Mem HW Init", "MemHWInit")],
        &[value("HDMCount {} ", Field("HDMCount"))],
    ),
    rewriting(
        KEY,
        "CXLCtl:",
        "CXLCtl",
        &[("Cache SF Cov", "CacheSFCov"), ("Cache SF Gran", "CacheSFGran"), ("Cache Clean", "CacheClean")],
        &[
            value("CacheSFCov {} ", With(|v, _| v.raw("CXLCtl", "CacheSFCov").map(|raw| raw.to_string()))),
            value("CacheSFGran {} ", With(|v, _| v.raw("CXLCtl", "CacheSFGran").map(|raw| raw.to_string()))),
        ],
    ),
    rule(KEY, "CXLCap2:", "CXLCap2", &[value("Cache Size {}$", With(cache_size))]),
    rule(KEY, "Cache Size:", "CXLCap2", &[value("{}$", With(cache_size))]),
    rule(KEY, "Cache Size ", "CXLCap2", &[value("{}$", With(cache_size))]),
    rewriting(KEY, "CXLCap3:", "CXLCap3", &[("DefaultVolatile HDM State After:", "")], &[]),
    rule(KEY, "Range", "Range", &[value("{}$", With(range))]),
    rule(KEY, "FuncMap ", "FuncMap", &[value("{}$", With(function_map))]),
    rule(KEY, "AlternateBus:", "AlternateBus", &[value("{}$", With(alternate))]),
    rule(KEY, "GPF Phase 1 Timeout:", "GPFPhase1Ctl", &[value("{}$", With(|v, _| time(v, "GPFPhase1Ctl")))]),
    rule(KEY, "GPF Phase 2 Timeout:", "GPFPhase2Ctl", &[value("{}$", With(|v, _| time(v, "GPFPhase2Ctl")))]),
    rule(KEY, "GPF Phase 2 Duration:", "GPFPhase2Dur", &[value("{}$", With(|v, _| time(v, "GPFPhase2Dur")))]),
    rule(
        KEY,
        "GPF Phase 2 Power:",
        "GPFPhase2Power",
        &[value("{}mW", With(|v, _| v.raw("GPFPhase2Power", "Power").map(|raw| raw.to_string())))],
    ),
    rule(KEY, "FBModTS:", "FBModTS", &[value("Received FB Data: {}", Hex("Received FB Data", 6))]),
    rule(KEY, "Block", "Block", &[value("{}$", With(block))]),
];

fn cache_size(view: &View<'_>, _: &str) -> Option<String> {
    let size = view.raw("CXLCap2", "CacheSize")?;
    Some(match view.raw("CXLCap2", "CacheUnit")? {
        0 => "Not Reported".to_owned(),
        1 => format!("{:08x}", size << 16),
        2 => format!("{:08x}", size << 20),
        unit => format!("{size} of unknown unit size ({unit})"),
    })
}

/// `1: 0000000000000000-000000000fffffff [size=0x10000000] | Valid+ Active+ Type=CDAT …`
fn range(view: &View<'_>, text: &str) -> Option<String> {
    let number: u16 = text.split(':').next()?.parse().ok()?;
    let index = Some(number.checked_sub(1)?);
    let low = view.whole("RangeSizeLow", index)?;
    let size = view.whole("RangeSizeHigh", index)? << 32 | low & 0xf000_0000;
    let base = view.whole("RangeBaseHigh", index)? << 32 | view.whole("RangeBaseLow", index)? & 0xf000_0000;
    let flag = |bit: u32| if low >> bit & 1 == 1 { '+' } else { '-' };
    let name = |names: &[&str], shift: u32| Some((*names.get((low >> shift & 7) as usize)?).to_owned());
    let with_size = if text.contains("[size=") { format!(" [size={size:#x}]") } else { String::new() };
    Some(format!(
        "{number}: {base:016x}-{:016x}{with_size} | Valid{} Active{} Type={} Class={} interleave={} timeout={}s",
        base.wrapping_add(size).wrapping_sub(1),
        flag(0),
        flag(1),
        name(&["Volatile", "Non-Volatile", "CDAT"], 2)?,
        name(&["DRAM", "Storage", "CDAT"], 5)?,
        low >> 8 & 0x1f,
        1 << (2 * (low >> 13 & 7)),
    ))
}

/// `0: 0000beef`
fn function_map(view: &View<'_>, text: &str) -> Option<String> {
    let index: u16 = text.split(':').next()?.parse().ok()?;
    view.whole("FuncMap", Some(index)).map(|raw| format!("{index}: {raw:08x}"))
}

/// Buses; lspci calls memory by the same name.
fn alternate(view: &View<'_>, text: &str) -> Option<String> {
    let whole = |register| view.whole(register, None);
    Some(match text.len() {
        5 => format!("{:02x}-{:02x}", whole("AlternateBusBase")?, whole("AlternateBusLimit")?),
        _ => format!("{:04x}-{:04x}", whole("AlternateMemBase")?, whole("AlternateMemLimit")?),
    })
}

/// lspci 3.9 has no unit for ten seconds, nor for what is reserved.
fn time(view: &View<'_>, register: &str) -> Option<String> {
    let unit = ["us", "0us", "00us", "ms", "0ms", "00ms", "s", "0"];
    let (base, scale) = (view.raw(register, "Base")?, view.raw(register, "Scale")?);
    Some(format!("{base}{}", unit.get(scale as usize).unwrap_or(&"")))
}

/// `1: BIR: bar0, ID: component registers, offset: 0000000000000000`
fn block(view: &View<'_>, text: &str) -> Option<String> {
    let number: u16 = text.split(':').next()?.parse().ok()?;
    let raw = view.whole("Block", Some(number.checked_sub(1)?))?;
    let id = match raw >> 8 & 0xff {
        1 => "component registers",
        2 => "BAR virtualization",
        3 => "CXL device registers",
        4 => "CPMU registers",
        0xff => "vendor-specific",
        _ => "",
    };
    Some(format!("{number}: BIR: bar{}, ID: {id}, offset: {:016x}", raw & 7, raw & !0xffff))
}
