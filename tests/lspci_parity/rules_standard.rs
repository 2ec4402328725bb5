//! Rules for the other capabilities of the standard list.

use super::rule::Say::{Field, Hex, Ids, With, Words};
use super::rule::{Rule, TITLE, rewriting, rule, value};
use super::view::View;

pub const RULES: &[Rule] = &[
    rule("power", TITLE, "Flags", &[value("version {}", Field("version"))]),
    rewriting(
        "power",
        "Flags:",
        "Flags",
        &[
            ("PME(D0", "PME(D0)"),
            (",D1", " PME(D1)"),
            (",D2", " PME(D2)"),
            (",D3hot", " PME(D3hot)"),
            (",D3cold", " PME(D3cold)"),
            ("+)", "+"),
            ("-)", "-"),
        ],
        &[value("AuxCurrent={} ", Field("AuxCurrent"))],
    ),
    rule(
        "power",
        "Status:",
        "Status",
        &[
            value("DSel={} ", Field("DSel")),
            value("DScale={} ", Field("DScale")),
            value("{} ", Words("PowerState", &[("D3", "D3hot")])),
        ],
    ),
    rule("msi", TITLE, "MSI", &[value("Count={} ", With(message_count))]),
    rule(
        "msi",
        "Address:",
        "Address",
        &[value("Data: {}", With(message_data)), value("{}", With(message_address))],
    ),
    rule(
        "msi",
        "Masking:",
        "Masking",
        &[value("Pending: {}", With(pending)), value("{}", Hex("Masking", 8))],
    ),
    rule("msix", TITLE, "MSI-X", &[value("Count={} ", Field("Count"))]),
    rule("msix", "Vector table:", "Vector table", BAR_AND_OFFSET),
    rule("msix", "PBA:", "PBA", BAR_AND_OFFSET),
    rule("subsystem", TITLE, "SVendor", &[value(": {}$", Ids(subsystem))]),
    rule(
        "vendor",
        TITLE,
        "VirtIO",
        &[value("Len={} ", With(vendor_length)), value("VirtIO: {}", Words("type", VIRTIO))],
    ),
    rule(
        "vendor",
        "BAR=",
        "BAR",
        &[
            value("offset={} ", With(virtio_offset)),
            value("size={} ", With(virtio_size)),
            value("multiplier={} ", With(virtio_multiplier)),
            value("id={} ", With(virtio_id)),
            value("{} ", Field("BAR")),
        ],
    ),
];

const BAR_AND_OFFSET: &[super::rule::Value] =
    &[value("BAR={} ", Field("BAR")), value("offset={} ", Field("offset"))];

const VIRTIO: &[(&str, &str)] = &[
    ("CommonCfg", "common configuration"),
    ("Notify", "notification"),
    ("ISR", "interrupt status"),
    ("DeviceCfg", "device configuration"),
    ("SharedMemory", "shared memory"),
];

fn message_count(view: &View<'_>, _: &str) -> Option<String> {
    Some(format!("{}/{}", view.meaning("MSI", "Count")?, view.meaning("MSI", "Capable")?))
}

fn message_address(view: &View<'_>, _: &str) -> Option<String> {
    let low = view.raw("Address", "Address")? << 2;
    Some(match view.place("UpperAddress", None) {
        Some(_) => format!("{:08x}{low:08x}", view.raw("UpperAddress", "UpperAddress")?),
        None => format!("{low:08x}"),
    })
}

fn message_data(view: &View<'_>, _: &str) -> Option<String> {
    view.raw("Data", "Data").map(|data| format!("{data:04x}"))
}

fn pending(view: &View<'_>, _: &str) -> Option<String> {
    view.raw("Pending", "Pending").map(|bits| format!("{bits:08x}"))
}

fn subsystem(view: &View<'_>) -> Option<String> {
    Some(format!("{:04x}:{:04x}", view.raw("SVendor", "id")?, view.raw("SDevice", "id")?))
}

fn vendor_length(view: &View<'_>, _: &str) -> Option<String> {
    view.raw("Len", "Len").map(|length| format!("{length:02x}"))
}

fn virtio_offset(view: &View<'_>, text: &str) -> Option<String> {
    long(view, ["offset", "offset_upper"], "offset", text)
}

fn virtio_size(view: &View<'_>, text: &str) -> Option<String> {
    long(view, ["size", "size_upper"], "size", text)
}

/// Shared memory has 64-bit numbers; lspci 3.9 gives the lower half.
fn long(view: &View<'_>, registers: [&str; 2], field: &str, text: &str) -> Option<String> {
    let low = view.raw(registers[0], field)?;
    Some(match text.len() {
        16 => format!("{:08x}{low:08x}", view.raw(registers[1], field)?),
        _ => format!("{low:08x}"),
    })
}

fn virtio_multiplier(view: &View<'_>, _: &str) -> Option<String> {
    view.raw("multiplier", "multiplier").map(|multiplier| format!("{multiplier:08x}"))
}

fn virtio_id(view: &View<'_>, _: &str) -> Option<String> {
    view.raw("id", "id").map(|id| id.to_string())
}
