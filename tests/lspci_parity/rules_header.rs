//! Rules for the header and for what the kernel adds to it.

use pciscope::pci::bars::{self, BarKind, BridgeWindow, Resource};
use pciscope::pci::header::{self, IoBase, PrefetchableBase};
use pciscope::pci::register::Meaning;

use super::rule::Say::{Field, Hex, Ids, With, Words};
use super::rule::{Rule, Value, rule, value};
use super::view::View;

/// Key of the header.
pub const KEY: &str = "header";
/// The first line of a function.
pub const FIRST: &str = "first";

pub const RULES: &[Rule] = &[
    rule(
        KEY,
        FIRST,
        "Rev",
        &[
            value("(rev {})", With(revision)),
            value("(prog-if {} ", With(interface)),
            value("class {} ", With(class)),
            value("id {} ", Ids(identifiers)),
        ],
    ),
    rule(KEY, "Status:", "Status", &[value("DEVSEL={} ", Words("DEVSEL", &[("??", "reserved")]))]),
    rule(
        KEY,
        "Secondary status:",
        "Secondary status",
        &[value("DEVSEL={} ", Words("DEVSEL", &[("??", "reserved")]))],
    ),
    rule(
        KEY,
        "Latency:",
        "Latency",
        &[
            value("({})", With(grant_and_latency)),
            value("Cache Line Size: {}", With(|view, _| view.meaning("Cache Line Size", "size"))),
            value("{}", Field("clocks")),
        ],
    ),
    rule(KEY, "Interrupt:", "IntPin", &[value("pin {} ", With(pin)), value("routed to IRQ {}", With(irq))]),
    rule(
        KEY,
        "!!! Unknown header type ",
        "HeaderType",
        &[value(
            "{}$",
            With(|view, _| view.raw("HeaderType", "layout").map(|layout| format!("{layout:02x}"))),
        )],
    ),
    rule(KEY, "BIST result:", "BIST", &[value("{}", Hex("result", 2))]),
    rule(KEY, "BIST is ", "BIST", &[value("{}", Words("Running", &[("running", "1")]))]),
    rule(KEY, "Region ", "Region", &[value("{}$", With(region))]),
    rule(KEY, "Expansion ROM at ", "Expansion ROM", &[value("{}$", With(rom))]),
    rule(
        KEY,
        "Bus:",
        "primary",
        &[
            value("primary={}", With(|view, _| whole(view, "primary", 2))),
            value("secondary={}", With(|view, _| whole(view, "secondary", 2))),
            value("subordinate={}", With(|view, _| whole(view, "subordinate", 2))),
            value("sec-latency={}", With(|view, _| view.meaning("sec-latency", "clocks"))),
        ],
    ),
    rule(KEY, "I/O behind bridge:", "IOBase", IO_WINDOW),
    rule(KEY, "Memory behind bridge:", "MemBase", MEMORY_WINDOW),
    rule(KEY, "Prefetchable memory behind bridge:", "PrefBase", PREFETCHABLE_WINDOW),
    rule(KEY, "Subsystem:", "SVendor", &[value("{}$", Ids(subsystem))]),
    rule(KEY, "Capabilities:", "", &[value("{}$", With(denied))]),
    rule(
        KEY,
        "NUMA node:",
        "",
        &[value("{}$", With(|view, _| view.function.reading.text("numa_node").map(str::to_owned)))],
    ),
    rule(
        KEY,
        "IOMMU group:",
        "",
        &[value("{}$", With(|view, _| view.function.reading.link_name("iommu_group").map(str::to_owned)))],
    ),
    rule(
        KEY,
        "Kernel driver in use:",
        "",
        &[value("{}$", With(|view, _| view.function.driver().map(str::to_owned)))],
    ),
];

const IO_WINDOW: &[Value] = &[
    value("[{}-bit]", With(|view, _| kind(view, "io"))),
    value("[size={}]", With(|view, _| window_size(view, "io"))),
    value("[{}]", With(|view, _| closed(view, "io"))),
    value("{}$", With(|view, text| window(view, "io", text))),
];
const MEMORY_WINDOW: &[Value] = &[
    value("[{}-bit]", With(|_, _| Some("32".to_owned()))),
    value("[size={}]", With(|view, _| window_size(view, "memory"))),
    value("[{}]", With(|view, _| closed(view, "memory"))),
    value("{}$", With(|view, text| window(view, "memory", text))),
];
const PREFETCHABLE_WINDOW: &[Value] = &[
    value("[{}-bit]", With(|view, _| kind(view, "prefetchable"))),
    value("[size={}]", With(|view, _| window_size(view, "prefetchable"))),
    value("[{}]", With(|view, _| closed(view, "prefetchable"))),
    value("{}$", With(|view, text| window(view, "prefetchable", text))),
];

/// A register that is one number.
fn whole(view: &View<'_>, register: &str, digits: usize) -> Option<String> {
    view.whole(register, None).map(|raw| format!("{raw:0digits$x}"))
}

/// What the first line says, the kernel may know even where nothing can be read.
fn class(view: &View<'_>, _: &str) -> Option<String> {
    view.whole("Class", None);
    view.function.identity.class.map(|class| format!("{:04x}", class >> 8))
}

fn interface(view: &View<'_>, _: &str) -> Option<String> {
    view.whole("ProgIf", None);
    view.function.identity.class.map(|class| format!("{:02x}", class & 0xff))
}

fn revision(view: &View<'_>, _: &str) -> Option<String> {
    view.whole("Rev", None);
    view.function.identity.revision.map(|revision| format!("{revision:02x}"))
}

fn identifiers(view: &View<'_>) -> Option<String> {
    Some(format!("{:04x}:{:04x}", view.function.identity.vendor_id?, view.function.identity.device_id?))
}

fn subsystem(view: &View<'_>) -> Option<String> {
    view.function.identity.subsystem.map(|(vendor, device)| format!("{vendor:04x}:{device:04x}"))
}

/// `500ns min, 16000ns max`, in units of 250 ns; 0 is left out.
fn grant_and_latency(view: &View<'_>, _: &str) -> Option<String> {
    let nanoseconds = |register, name| {
        Some(view.raw(register, "value")?).filter(|v| *v != 0).map(|v| format!("{}ns {name}", v * 250))
    };
    let parts = [nanoseconds("MinGnt", "min"), nanoseconds("MaxLat", "max")];
    Some(parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
}

fn pin(view: &View<'_>, _: &str) -> Option<String> {
    let (field, raw) = view.field("IntPin", None, "pin")?;
    let Meaning::Choice(choices) = field.meaning else { return None };
    let known = choices.iter().find(|c| c.0 == raw && raw != 0);
    Some(known.map_or("?", |c| c.1).to_owned())
}

/// The kernel's number, or without a kernel the register.
fn irq(view: &View<'_>, _: &str) -> Option<String> {
    match view.function.reading.text("irq") {
        Some(text) => Some(text.to_owned()),
        None => view.meaning("IntLine", "line"),
    }
}

/// Without privilege the kernel gives the header only.
fn denied(view: &View<'_>, _: &str) -> Option<String> {
    let only_header = view.function.config_bytes() == 64;
    Some(if only_header { "<access denied>" } else { "readable" }.to_owned())
}

/// The kernel's lines for BARs, ROM and windows.
fn resources(view: &View<'_>) -> Option<Vec<Option<Resource>>> {
    view.function.reading.text("resource").and_then(bars::resources)
}

/// Numbers of the BARs that exist, and whether the kernel, if there is one, notes them.
pub fn regions(view: &View<'_>) -> Vec<(u8, bool)> {
    let resources = resources(view);
    let noted = |bar: u8| match &resources {
        Some(resources) => {
            resources.get(usize::from(bar)).copied().flatten().is_some_and(|resource| resource.flags != 0)
        }
        None => true,
    };
    let bars = bars::bars(view.function.space(), resources.as_deref());
    bars.iter().map(|bar| (bar.number, noted(bar.number))).collect()
}

fn power_of_two(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["", "K", "M", "G", "T"];
    let steps = (0..4).take_while(|step| bytes >> (10 * step) & 0x3ff == 0).count();
    format!("{}{}", bytes >> (10 * steps), UNITS[steps])
}

/// `0: Memory at feb00000 (32-bit, non-prefetchable) [virtual] [disabled] [size=4K]`
fn region(view: &View<'_>, text: &str) -> Option<String> {
    let number: u8 = text.split(':').next()?.parse().ok()?;
    let resources = resources(view);
    let register = view.whole("Region", Some(number.into()))?;
    let bars = bars::bars(view.function.space(), resources.as_deref());
    let Some(bar) = bars.iter().find(|b| b.number == number) else {
        let upper = number > 0 && bars.iter().any(|b| b.number == number - 1 && b.kind == BarKind::Memory64);
        return upper.then(|| "upper half".to_owned());
    };
    let io = bar.kind == BarKind::Io;
    let address = bar.kernel_address.or(bar.address).filter(|address| *address != 0);
    let digits = text.split(" at ").nth(1)?.split(' ').next()?.len();
    let decodes = view.raw("Control", if io { "I/O" } else { "Mem" })? == 1;
    let address = match address {
        // With I/O space on, even address 0 answers.
        None if !io || !decodes => "<unassigned>".to_owned(),
        address => format!("{:0digits$x}", address.unwrap_or(0)),
    };
    let width = match bar.kind {
        BarKind::Io => "",
        BarKind::Memory32 => "32-bit",
        BarKind::Memory64 => "64-bit",
        BarKind::MemoryBelow1M => "low-1M",
    };
    let mut line = match io {
        true => format!("{number}: I/O ports at {address}"),
        false => {
            let not = if bar.prefetchable { "" } else { "non-" };
            format!("{number}: Memory at {address} ({width}, {not}prefetchable)")
        }
    };
    // Of addresses that are fixed by convention lspci does not say that the register is empty.
    let fixed = resources
        .and_then(|r| r.get(usize::from(number)).copied().flatten())
        .is_some_and(|r| r.flags & 0x10 != 0);
    if bar.kernel_address.is_some() && register == 0 && !fixed {
        line.push_str(" [virtual]");
    } else if !decodes {
        line.push_str(" [disabled]");
    }
    if let Some(size) = bar.size {
        line.push_str(&format!(" [size={}]", power_of_two(size)));
    }
    Some(line)
}

/// `fe400000 [virtual] [disabled] [size=256K]`
fn rom(view: &View<'_>, text: &str) -> Option<String> {
    let register = view.place("Expansion ROM", None)?.raw?;
    let noted = resources(view).and_then(|r| r.get(6).copied().flatten()).filter(|r| r.size() != 0);
    let base = view.raw("Expansion ROM", "base")? << 11;
    let digits = if text.starts_with('<') { 8 } else { text.split(' ').next()?.len() };
    let address = noted.map_or(base, |r| r.start);
    let mut line = if address == 0 { "<unassigned>".to_owned() } else { format!("{address:0digits$x}") };
    if register == 0 {
        line.push_str(" [virtual]");
    }
    if view.raw("Expansion ROM", "Enable")? == 0 {
        line.push_str(" [disabled]");
    } else if view.raw("Control", "Mem")? == 0 {
        line.push_str(" [disabled by cmd]");
    }
    if let Some(noted) = noted {
        line.push_str(&format!(" [size={}]", power_of_two(noted.size())));
    }
    Some(line)
}

fn find(view: &View<'_>, kind: &str) -> Option<BridgeWindow> {
    for register in match kind {
        "io" => &["IOBase", "IOLimit", "IOBaseUpper", "IOLimitUpper"][..],
        "memory" => &["MemBase", "MemLimit"],
        _ => &["PrefBase", "PrefLimit", "PrefBaseUpper", "PrefLimitUpper"],
    } {
        view.whole(register, None);
    }
    bars::windows(view.function.space()?).into_iter().find(|window| window.kind == kind)
}

/// Width of the addresses, as the register has it.
fn kind(view: &View<'_>, kind: &str) -> Option<String> {
    let space = view.function.space()?;
    let (narrow, wide, value) = match kind {
        "io" => ("16", "32", header::read::<IoBase>(space)?.kind()),
        _ => ("32", "64", u8::try_from(header::read::<PrefetchableBase>(space)?.kind()).ok()?),
    };
    match value {
        0 => Some(narrow.to_owned()),
        1 => Some(wide.to_owned()),
        _ => None,
    }
}

fn window_size(view: &View<'_>, kind: &str) -> Option<String> {
    let window = find(view, kind).filter(|window| window.open)?;
    Some(power_of_two(window.limit - window.base + 1))
}

fn closed(view: &View<'_>, kind: &str) -> Option<String> {
    Some(if find(view, kind)?.open { "open" } else { "disabled" }.to_owned())
}

/// `fe800000-fe9fffff`
fn window(view: &View<'_>, kind: &str, text: &str) -> Option<String> {
    let window = find(view, kind)?;
    if text == "None" {
        return Some(if window.open { "open" } else { "None" }.to_owned());
    }
    let digits = text.split('-').next()?.len();
    Some(format!("{:0digits$x}-{:0digits$x}", window.base, window.limit))
}

#[test]
fn sizes_in_the_words_of_lspci() {
    assert_eq!((power_of_two(64).as_str(), power_of_two(4096).as_str()), ("64", "4K"));
    assert_eq!(power_of_two(0x1014000000), "65856M");
}
