//! `show` as text: everything about a function, the raw value beside what it means.

use std::borrow::Cow;

use crate::inspect::Inspection;
use crate::inspect::list::{names_of, port_name, title};
use crate::inspect::packet::logged_packet;
use crate::inspect::show::{Decoded, General, known_bytes};
use crate::inspect::vital_product_data::vital_product_data;
use crate::machine::aspm::{self, AspmControl};
use crate::machine::interrupts::{Line, Mode, mode, msi_summary, msix_summary};
use crate::machine::{Function, aer, link};
use crate::pci::bars::{Bar, BarKind, BridgeWindow};
use crate::pci::capability::express::{self, DeviceCapabilities};
use crate::pci::decode::{Capability, Placed, RAW_LIMIT};
use crate::pci::register::{Meaning, Register};
use crate::pci::walk::{Anomaly, List};

use super::super::style::{Lines, Style, Tone, Words, columns, paragraph, spaces};
use super::{errors, latched, link_now_and_most, presence_tone, rate, states};
use crate::inspect::value::{power_text, size_text, text_value};

/// Column at which values begin.
const VALUES: usize = 14;
/// Column at which fields begin: indent, register name, raw value.
const FIELDS: usize = 33;

/// One function. `lines` is `/proc/interrupts`; `hex` adds configuration space at the end.
pub fn function(
    inspection: Inspection<'_>,
    function: &Function,
    lines: Option<&[Line]>,
    hex: bool,
    style: Style,
) -> String {
    let decoded = Decoded::new(function);
    let general = General::new(inspection, function, lines);
    let mut page = Page { out: String::with_capacity(16 << 10), style };
    page.head(inspection, function);
    page.place(function, &general);
    page.state(inspection, function, &general, &decoded);
    page.resources(&general);
    page.unread(function);
    for anomaly in &decoded.anomalies {
        page.row_toned("anomaly", Tone::Bad, &anomaly_text(anomaly));
    }
    if !decoded.header.is_empty() {
        page.section("header", None);
        page.registers(&decoded.header);
    }
    for capability in &decoded.capabilities {
        page.capability(function, capability);
    }
    if let Some(data) = vital_product_data(inspection.machine, function) {
        super::vital_product_data::section(&mut page.out, &data, style);
    }
    if hex && function.space().is_some() {
        page.out.push('\n');
        page.out.push_str(&super::hex::rows(&function.reading.space));
    }
    page.out
}

struct Page {
    out: String,
    style: Style,
}

impl Page {
    fn row(&mut self, name: &str, text: &str) {
        if text.is_empty() {
            return;
        }
        paragraph(&mut self.out, &format!("  {name}"), text, VALUES, self.style);
    }

    fn row_toned(&mut self, name: &str, tone: Tone, text: &str) {
        let painted = self.style.paint(tone, text);
        self.out.push_str(&format!("  {name:width$}{painted}\n", width = VALUES - 2));
    }

    fn head(&mut self, inspection: Inspection<'_>, function: &Function) {
        let names = names_of(inspection.names, &function.identity);
        let identity = &function.identity;
        let revision = identity.revision.map(|r| format!(" rev {r:02x}")).unwrap_or_default();
        self.out.push_str(&self.style.paint(Tone::Name, &function.address.to_string()));
        self.out.push_str("  ");
        self.out.push_str(&self.style.paint(Tone::Heading, &(title(inspection.names, function) + &revision)));
        self.out.push('\n');
        if let Some(class) = identity.class {
            let name = names.class.unwrap_or_else(|| "unknown class".to_owned());
            self.row("class", &format!("{name} [{class:06x}]"));
        }
        if let Some((vendor, device)) = identity.subsystem {
            let maker = inspection.names.vendor(vendor).map(|n| n.into_owned()).unwrap_or_default();
            let name = names.subsystem.unwrap_or_default();
            let words = [maker, name, format!("[{vendor:04x}:{device:04x}]")];
            let words: Vec<_> = words.iter().filter(|w| !w.is_empty()).map(String::as_str).collect();
            self.row("subsystem", &words.join(" "));
        }
        let presence = &function.presence;
        let text = if presence.reason.is_empty() {
            let bytes = function.config_bytes();
            format!("{}; {bytes} bytes of configuration space can be read", presence.state.name())
        } else {
            format!("{}: {}", presence.state.name(), presence.reason)
        };
        self.row_toned("presence", presence_tone(presence.state), &text);
        if let Some((vendor, device)) = identity.answers_as {
            let text = format!(
                "configuration space says {vendor:04x}:{device:04x}; the kernel found another device here"
            );
            self.row_toned("identity", Tone::Bad, &text);
        }
    }

    fn place(&mut self, function: &Function, general: &General<'_>) {
        let mut words = Vec::new();
        words.extend(port_name(function).map(str::to_owned));
        words.extend(function.parent.map(|p| format!("below {p}")));
        words.extend(function.host_bridge.as_ref().map(|b| format!("host bridge {b}")));
        words.extend(general.slot.as_ref().map(|s| format!("slot {s}")));
        words.extend(general.numa_node.map(|n| format!("NUMA node {n}")));
        words.extend(general.iommu_group.as_ref().map(|g| format!("IOMMU group {g}")));
        words.extend(general.local_processors.as_ref().map(|p| format!("near processors {p}")));
        words.extend(general.label.as_ref().map(|l| format!("labelled {l:?}")));
        words.extend(general.physical_function.as_ref().map(|p| format!("virtual function of {p}")));
        words.extend(
            general.virtual_functions.map(|(on, most)| format!("{on} of {most} virtual functions on")),
        );
        self.row("place", &words.join("; "));
        let driver = match (function.driver(), function.driver_known()) {
            (Some(driver), _) => driver.to_owned(),
            (None, true) => "none bound".to_owned(),
            (None, false) => "unknown".to_owned(),
        };
        self.row("driver", &driver);
        if let Some(methods) = &general.reset_methods {
            self.row(
                "reset",
                &if methods.is_empty() { "no way known".to_owned() } else { methods.join(" ") },
            );
        }
    }

    fn state(
        &mut self,
        inspection: Inspection<'_>,
        function: &Function,
        general: &General<'_>,
        decoded: &Decoded,
    ) {
        let power = &general.power;
        let mut words = Vec::new();
        words.extend(power.hardware_state.map(|s| format!("{s} in hardware")));
        words.extend(power.kernel_state.as_ref().map(|s| format!("{s} for the kernel")));
        words.extend(power.runtime_status.as_ref().map(|s| format!("runtime {s}")));
        words.extend(power.runtime_control.as_ref().map(|c| format!("control {c}")));
        words.extend(
            slot_power_limit(function).map(|limit| format!("slot power limit {}", power_text(limit))),
        );
        words.extend(
            power.d3cold_allowed.map(|a| format!("D3cold {}", if a { "allowed" } else { "not allowed" })),
        );
        self.row("power", &words.join("; "));
        if let Some(own) = link::link(function) {
            let (tone, text) = link_now_and_most(&own);
            let partner = general.partner.map(|partner| match link::link(partner) {
                Some(other) => format!("; the other end, {}, can {}", partner.address, rate(other.maximum)),
                None => format!("; the other end, {}, was not read", partner.address),
            });
            let text = self.style.paint(tone, &text) + &partner.unwrap_or_default();
            self.row("link", &text);
        }
        if let Some(own) = aspm::aspm(function) {
            let control = aspm::control(inspection.platform, function.host_bridge.as_deref());
            let mut text = format!("on: {}; can: {}", states(own.enabled), states(own.supported));
            text.push_str(&aspm_control(&control));
            self.row("ASPM", &text);
        }
        if let Some(seen) = aer::errors_seen(function) {
            let (tone, text) = errors(seen);
            self.row_toned("DevSta", tone, &text);
        }
        self.aer(&general.aer);
        for packet in decoded.capabilities.iter().filter_map(logged_packet) {
            let log = if packet.capability.starts_with("dpc") { "DPC" } else { "AER" };
            self.row("packet", &format!("logged by {log} with {}: {}", packet.error_short, packet.text));
        }
        self.interrupts(function, general);
    }

    fn aer(&mut self, aer: &aer::Aer) {
        let mut words = vec![match aer.capability {
            Some(true) => "capability present".to_owned(),
            Some(false) => "no capability".to_owned(),
            None => "not known whether it has the capability".to_owned(),
        }];
        if let Some(latched) = latched(aer).filter(|names| !names.is_empty()) {
            words.push(format!("status {latched}"));
        }
        for (name, counters) in
            [("correctable", &aer.correctable), ("non-fatal", &aer.non_fatal), ("fatal", &aer.fatal)]
        {
            if let Some(counters) = counters {
                let each: Vec<String> = counters.counts.iter().map(|(n, c)| format!("{n} {c}")).collect();
                let each = if each.is_empty() { String::new() } else { format!(" ({})", each.join(", ")) };
                let total = counters.total.map_or("?".to_owned(), |total| total.to_string());
                words.push(format!("{total} {name}{each}"));
            }
        }
        if aer.capability != Some(false) {
            let handled = match aer.ownership.kernel {
                Some(true) => "the kernel handles errors",
                Some(false) => "the kernel does not handle errors, so counts of zero mean nothing",
                None => "not known who handles errors",
            };
            words.push(format!("{handled} ({})", aer.ownership.reason));
        }
        self.row("AER", &words.join("; "));
    }

    fn interrupts(&mut self, function: &Function, general: &General<'_>) {
        let mut words = vec![match mode(function) {
            Some(Mode::MsiX) => "MSI-X".to_owned(),
            Some(Mode::Msi) => "MSI".to_owned(),
            Some(Mode::Intx) => "INTx".to_owned(),
            Some(Mode::None) => "none enabled".to_owned(),
            None => "not read".to_owned(),
        }];
        if let Some(msix) = msix_summary(function) {
            let masked = if msix.function_masked { ", all masked" } else { "" };
            let on = if msix.enabled { "on" } else { "off" };
            words.push(format!("MSI-X {on}{masked}, {} vectors", msix.vectors));
        }
        if let Some(msi) = msi_summary(function) {
            let on = if msi.enabled { "on" } else { "off" };
            words.push(format!("MSI {on}, {} of {} vectors", msi.vectors, msi.vectors_supported));
        }
        if !general.interrupts.is_empty() {
            let numbers: Vec<u32> = general.interrupts.iter().map(|i| i.0).collect();
            let fired: u64 = general.interrupts.iter().filter_map(|i| i.1).sum();
            let known = general.interrupts.iter().any(|i| i.1.is_some());
            let fired = if known { format!(", {fired} delivered") } else { String::new() };
            words.push(format!("Linux {}{fired}", ranges(&numbers)));
        }
        if general.msi_allowed == Some(false) {
            words.push("the kernel keeps drivers from using MSI here (msi_bus)".to_owned());
        }
        self.row("interrupts", &words.join("; "));
    }

    fn resources(&mut self, general: &General<'_>) {
        for bar in &general.bars {
            let (tone, text) = bar_text(bar);
            self.row_toned(&format!("BAR {}", bar.number), tone, &text);
        }
        for window in &general.windows {
            self.row("window", &window_text(window));
        }
    }

    fn unread(&mut self, function: &Function) {
        if !function.answers() {
            return;
        }
        if let Some(why) = function.unread() {
            let why = self.style.paint(Tone::Warn, &why);
            self.row("unread", &why);
        }
    }

    fn section(&mut self, title: &str, detail: Option<&str>) {
        self.out.push_str("\n  ");
        self.out.push_str(&self.style.paint(Tone::Heading, title));
        if let Some(detail) = detail {
            self.out.push_str("  ");
            self.out.push_str(&self.style.paint(Tone::Faint, detail));
        }
        self.out.push('\n');
    }

    fn capability(&mut self, function: &Function, capability: &Capability) {
        let located = capability.located;
        let name = capability.specification.map_or("unknown capability", |s| s.name);
        let version = if located.list == List::Extended {
            format!(", version {}", located.version)
        } else {
            String::new()
        };
        let id = if located.list == List::Standard {
            format!("{:02x}h", located.id)
        } else {
            format!("{:04x}h", located.id)
        };
        let width = if located.list == List::Standard { 2 } else { 3 };
        let title = format!("[{:0width$x}] {name}", located.offset);
        self.section(&title, Some(&format!("{}  ID {id}{version}", capability.path())));
        self.registers(&capability.registers);
        self.undecoded(function, capability);
        if let Some(why) = capability.not_read() {
            paragraph(&mut self.out, "    not read", why, 4 + 17, self.style);
        }
    }

    /// The part of a capability whose layout is not known, as doublewords beside their offsets in configuration space.
    fn undecoded(&mut self, function: &Function, capability: &Capability) {
        let Some((offset, end)) = capability.undecoded else { return };
        // Whole doublewords, so that they are found again in a dump.
        let bytes = known_bytes(function, offset & !3, end.min(offset + RAW_LIMIT).next_multiple_of(4));
        if bytes.is_empty() {
            self.out.push_str("    not decoded      not read\n");
            return;
        }
        for (index, row) in bytes.chunks(16).enumerate() {
            let at = (offset & !3) + 16 * index as u16;
            self.out.push_str(&format!("    not decoded {at:03x} "));
            for doubleword in row.chunks_exact(4) {
                let value = doubleword.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte));
                self.out.push(' ');
                push_hexadecimal(&mut self.out, value, 8);
            }
            self.out.push('\n');
        }
        let left = (end - offset).saturating_sub(RAW_LIMIT);
        if left > 0 {
            self.out.push_str(&format!("    not decoded      {left} bytes more (-x shows them)\n"));
        }
    }

    fn registers(&mut self, registers: &[Placed]) {
        let mut index = 0;
        while index < registers.len() {
            let placed = &registers[index];
            // Sixteen lanes with the same settings are one line.
            let same = registers[index..].iter().take_while(|other| is_repeat_of(placed, other)).count();
            let short = placed.register.short;
            let outer = placed.within.map(|(group, index)| format!("{group}[{index}].")).unwrap_or_default();
            let name = match placed.group {
                Some((group, first)) if same >= 3 => {
                    let last = usize::from(first) + same - 1;
                    Cow::Owned(format!("{outer}{group}[{first}-{last}] {short}"))
                }
                Some((group, first)) => Cow::Owned(format!("{outer}{group}[{first}] {short}")),
                None => Cow::Borrowed(short),
            };
            index += if same >= 3 { same } else { 1 };
            self.register(placed, &name);
        }
    }

    fn register(&mut self, placed: &Placed, name: &str) {
        let register = placed.register;
        let length = columns(name);
        let padding = 17usize.saturating_sub(length).max(1);
        self.out.push_str("    ");
        self.out.push_str(name);
        spaces(&mut self.out, padding);
        let start = self.out.len();
        match placed.raw {
            Some(raw) => push_hexadecimal(&mut self.out, raw, usize::from(register.width) * 2),
            None => self.out.push_str("not read"),
        }
        let column = 4 + length + padding + self.out.len() - start;
        if self.style.color {
            let painted = self.style.paint(Tone::Faint, &self.out[start..]);
            self.out.replace_range(start.., &painted);
        }
        let end = self.out.len();
        if let Some(raw) = placed.raw {
            let padding = FIELDS.saturating_sub(column).max(2);
            spaces(&mut self.out, padding);
            let columns = self.style.columns();
            let lines = Lines { column: column + padding, indent: FIELDS, columns, between: "  " };
            let mut words = Words::new(&mut self.out, self.style, lines);
            fields(&mut words, register, raw);
            if words.is_empty() {
                self.out.truncate(end);
            }
        }
        self.out.push('\n');
    }
}

/// Words for the fields: `Name+`, `Name-` for flags, `Name value` for others, and reserved bits that are set.
fn fields(words: &mut Words<'_>, register: &Register, raw: u64) {
    let alone = register.fields.len() == 1;
    for field in register.fields {
        let value = field.extract(raw);
        // A register that is one number has it right there, as its raw value.
        let whole = alone && field.mask().count_ones() == u32::from(register.width) * 8;
        match field.meaning {
            Meaning::Hex | Meaning::Number if whole => {}
            Meaning::Flag => {
                let (tone, sign) = if value == 1 { (Tone::Name, '+') } else { (Tone::Faint, '-') };
                words.word(tone, |out| {
                    out.push_str(field.short);
                    out.push(sign);
                });
            }
            _ => words.word(Tone::Name, |out| {
                if !alone {
                    out.push_str(field.short);
                    out.push(' ');
                }
                out.push_str(&text_value(field, raw));
            }),
        }
    }
    let reserved = raw & !register.defined();
    if reserved != 0 && !register.fields.is_empty() {
        words.word(Tone::Warn, |out| out.push_str(&format!("reserved bits set: {reserved:#x}")));
    }
}

/// `0x` and that many digits.
fn push_hexadecimal(out: &mut String, value: u64, digits: usize) {
    out.push_str("0x");
    for place in (0..digits).rev() {
        let digit = (value >> (4 * place)) as u32 & 0xf;
        out.push(char::from_digit(digit, 16).unwrap_or('?'));
    }
}

/// Whether the second register is the same as the first, in a later entry of the same group.
fn is_repeat_of(first: &Placed, other: &Placed) -> bool {
    let group = |p: &Placed| p.group.map(|(name, _)| name);
    std::ptr::eq(first.register, other.register)
        && group(first).is_some()
        && group(first) == group(other)
        && first.within == other.within
        && first.raw == other.raw
        && first.raw.is_some()
}

fn aspm_control(control: &AspmControl) -> String {
    let manages = match control.kernel_manages {
        Some(true) => "; the kernel manages it",
        Some(false) => "; the kernel leaves it alone",
        None => "; not known whether the kernel manages it",
    };
    let policy = control.policy.as_ref().map(|p| format!("; policy {p}")).unwrap_or_default();
    format!("{manages} ({}){policy}", control.reason)
}

/// The limit that the slot told the card (Device Capabilities, Captured Slot Power Limit), in milliwatts.
fn slot_power_limit(function: &Function) -> Option<u64> {
    let capabilities: DeviceCapabilities = function.register(&express::SPECIFICATION)?;
    link::port_type(function).filter(|p| p.is_upstream_facing())?;
    capabilities.captured_slot_power_limit_milliwatts().map(u64::from).filter(|limit| *limit > 0)
}

/// `24-31, 40`.
fn ranges(numbers: &[u32]) -> String {
    let mut parts: Vec<(u32, u32)> = Vec::new();
    for number in numbers {
        match parts.last_mut() {
            Some((_, end)) if end.checked_add(1) == Some(*number) => *end = *number,
            _ => parts.push((*number, *number)),
        }
    }
    let text = |(a, b): &(u32, u32)| if a == b { a.to_string() } else { format!("{a}-{b}") };
    parts.iter().map(text).collect::<Vec<_>>().join(", ")
}

fn bar_text(bar: &Bar) -> (Tone, String) {
    let kind = match bar.kind {
        BarKind::Io => "I/O",
        BarKind::Memory32 => "memory",
        BarKind::Memory64 => "memory 64-bit",
        BarKind::MemoryBelow1M => "memory below 1 MiB",
    };
    let prefetchable = if bar.prefetchable { " prefetchable" } else { "" };
    let size = bar.size.map_or("size unknown".to_owned(), size_text);
    let address = match bar.address {
        Some(address) => format!("{address:#x}"),
        None => bar
            .kernel_address
            .map_or("address unknown".to_owned(), |a| format!("{a:#x} according to the kernel")),
    };
    let mut text = format!("{address}, {size}, {kind}{prefetchable}");
    let mut tone = Tone::Good;
    if bar.assigned == Some(false) {
        text.push_str("; not assigned: the kernel has no address for it");
        tone = Tone::Bad;
    }
    if bar.agrees == Some(false) {
        let kernel = bar.kernel_address.unwrap_or_default();
        text.push_str(&format!("; the kernel believes it is at {kernel:#x}"));
        tone = Tone::Bad;
    }
    (tone, text)
}

fn window_text(window: &BridgeWindow) -> String {
    if window.open {
        let size = window.limit - window.base + 1;
        format!("{} {:#x} to {:#x}, {}", window.kind, window.base, window.limit, size_text(size))
    } else {
        format!("{} closed (base {:#x} above limit {:#x})", window.kind, window.base, window.limit)
    }
}

fn list_name(list: List) -> &'static str {
    match list {
        List::Standard => "capability list",
        List::Extended => "extended capability list",
    }
}

/// An anomaly in words.
pub fn anomaly_text(anomaly: &Anomaly) -> String {
    match *anomaly {
        Anomaly::Loop { list, from, to } => {
            format!("the {} leads in a circle: {from:#x} points back to {to:#x}", list_name(list))
        }
        Anomaly::IntoHeader { list, from, to } => format!(
            "the {} at {from:#x} points to {to:#x}, where no capability can be; it was not followed",
            list_name(list)
        ),
        Anomaly::Unaligned { list, from, to } => {
            format!("the pointer at {from:#x} of the {} is {to:#x}, not a multiple of four", list_name(list))
        }
        Anomaly::AllOnes { list, offset } => {
            format!("the {} has all-ones at {offset:#x}: nothing answered there", list_name(list))
        }
        Anomaly::Overlap { first, second, first_end } => {
            format!(
                "the capability at {first:#x} ends at {first_end:#x}, behind the start of the one at {second:#x}"
            )
        }
        Anomaly::PastEnd { list, offset, end, limit } => format!(
            "the capability at {offset:#x} of the {} would end at {end:#x}, behind the end of its region at {limit:#x}",
            list_name(list)
        ),
        Anomaly::ReservedValue { offset, raw } => {
            format!(
                "the register at {offset:#x} holds {raw:#x}, a value that is reserved; what depends on it is not decoded"
            )
        }
        Anomaly::EmptyList => {
            "status says that there is a capability list, but the pointer to it is 0".to_owned()
        }
        Anomaly::UnknownHeaderType { raw } => {
            format!(
                "header type {:#04x} does not exist; only the common part of the header is decoded",
                raw & 0x7f
            )
        }
    }
}
