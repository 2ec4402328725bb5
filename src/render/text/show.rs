//! `show` as text: everything about a function, the raw value beside what it means.

use crate::inspect::Inspection;
use crate::inspect::capability;
use crate::inspect::containment;
use crate::inspect::doe_features::{self, doe_features};
use crate::inspect::general::General;
use crate::inspect::list::{names_of, port_name, title};
use crate::inspect::packet::logged_packet;
use crate::inspect::rcd_link;
use crate::inspect::show::Decoded;
use crate::inspect::together::together;
use crate::inspect::vital_product_data::vital_product_data;
use crate::machine::aspm::{self, AspmControl};
use crate::machine::interrupts::{self, Line, Mode, mode, msi_summary, msix_summary, pin};
use crate::machine::{Function, aer, link};
use crate::pci::capability::express::{self, DeviceCapabilities};
use crate::pci::decode::Capability;
use crate::pci::extended::doe;
use crate::pci::header::Command;
use crate::pci::walk::List;

use super::super::style::{Style, Tone, paragraph};
use super::anomaly::anomaly_text;
use super::registers::{registers, reserved_bytes, reserved_header_bytes, undecoded};
use super::resources::{bar_text, rom_text, window_text};
use super::{errors, latched, link_now_and_most, presence_tone, rate, states};
use crate::inspect::value::power_text;

/// Column at which values begin.
const VALUES: usize = 14;

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
    page.interrupts(function, &general, lines);
    page.resources(&general);
    page.unread(function);
    for anomaly in &decoded.anomalies {
        page.row_toned("anomaly", Tone::Bad, &anomaly_text(anomaly));
    }
    if !decoded.header.is_empty() {
        page.section("header", None);
        registers(&mut page.out, style, &decoded.header);
        reserved_header_bytes(&mut page.out, style, function);
    }
    for capability in &decoded.capabilities {
        page.capability(inspection, function, capability);
    }
    page.rcd_link(function);
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

    fn place(&mut self, function: &Function, general: &General) {
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
        general: &General,
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
            let partner =
                link::partner(inspection.machine, function).map(|partner| match link::link(partner) {
                    Some(other) => {
                        format!("; the other end, {}, can {}", partner.address, rate(other.maximum))
                    }
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
        if let Some(contained) = containment::containment(function) {
            self.row_toned("DPC", Tone::Bad, &containment::text(&contained));
        }
        for packet in decoded.capabilities.iter().filter_map(logged_packet) {
            let log = if packet.capability.starts_with("dpc") { "DPC" } else { "AER" };
            self.row("packet", &format!("logged by {log} with {}: {}", packet.error_short, packet.text));
        }
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

    fn interrupts(&mut self, function: &Function, general: &General, lines: Option<&[Line]>) {
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
        if let Some(pin) = pin(function) {
            let disabled = function.header::<Command>().is_some_and(Command::interrupt_disable);
            words.push(format!("pin {pin}{}", if disabled { ", disabled" } else { "" }));
        }
        let (numbers, _) = interrupts::numbers(function);
        if !numbers.is_empty() {
            let line = |number: &u32| interrupts::line(lines?, *number);
            let counts: Vec<u64> = numbers.iter().filter_map(line).map(|line| line.count).collect();
            let fired = counts.iter().fold(0u64, |sum, count| sum.saturating_add(*count));
            let fired = if counts.is_empty() { String::new() } else { format!(", {fired} delivered") };
            words.push(format!("Linux {}{fired}", ranges(&numbers)));
        }
        if general.msi_allowed == Some(false) {
            words.push("the kernel keeps drivers from using MSI here (msi_bus)".to_owned());
        }
        self.row("interrupts", &words.join("; "));
    }

    fn resources(&mut self, general: &General) {
        for bar in &general.bars {
            let (tone, text) = bar_text(bar);
            self.row_toned(&format!("BAR {}", bar.number), tone, &text);
        }
        if let Some(rom) = &general.expansion_rom {
            self.row("ROM", &rom_text(rom));
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

    fn capability(&mut self, inspection: Inspection<'_>, function: &Function, capability: &Capability) {
        let located = capability.located;
        let name = capability::title(inspection.names, capability);
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
        registers(&mut self.out, self.style, &capability.registers);
        undecoded(&mut self.out, function, capability);
        for value in together(capability) {
            self.out.push_str(&format!("    together         {}\n", value.text));
        }
        reserved_bytes(&mut self.out, self.style, function, capability);
        if located.list == List::Extended && located.id == doe::SPECIFICATION.id {
            let features = doe_features(function);
            let text = features.map_or("the source does not tell".to_owned(), |f| doe_features::text(&f));
            paragraph(&mut self.out, "    doe_features", &text, 4 + 17, self.style);
        }
        if let Some(why) = capability::not_read(inspection.machine, function, capability) {
            paragraph(&mut self.out, "    not read", &why, 4 + 17, self.style);
        }
    }

    fn rcd_link(&mut self, function: &Function) {
        let link: Vec<_> = rcd_link::placed(function).collect();
        if link.is_empty() {
            return;
        }
        let files: Vec<&str> = link.iter().map(|(file, ..)| *file).collect();
        let detail = format!("registers in memory space, from the kernel's {}", files.join(", "));
        self.section("link of the Restricted CXL Device", Some(&detail));
        for (_, placed, unread) in link {
            match unread {
                None => registers(&mut self.out, self.style, &[placed]),
                Some(why) => {
                    let name = format!("    {}", placed.register.short);
                    paragraph(&mut self.out, &name, &format!("not read: {why}"), 4 + 17, self.style);
                }
            }
        }
    }
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
