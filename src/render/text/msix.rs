//! `msix` as text: the vector table beside Linux's view of it.

use crate::inspect::msix::FunctionVectors;
use crate::machine::State;
use crate::machine::interrupts::LinuxInterrupt;
use crate::machine::vectors::{Message, Place, Unreadable, Vector};

use super::super::style::{Style, Tone};
use super::presence_tone;

/// One function.
pub fn function(f: &FunctionVectors, style: Style) -> String {
    let mut out = format!(
        "{}  {}\n",
        style.paint(Tone::Name, &f.address.to_string()),
        style.paint(Tone::Heading, &f.device)
    );
    let mut row = |name: &str, text: &str| out.push_str(&format!("  {name:<13}{text}\n"));
    if f.presence != State::Answering {
        let text = format!("{}: {}", f.presence.name(), f.presence_reason);
        row("presence", &style.paint(presence_tone(f.presence), &text));
    }
    row("driver", f.driver.as_deref().unwrap_or("none, or not known"));
    match (&f.msix, &f.table_unreadable) {
        (Some(msix), _) => {
            let on = if msix.enabled { "on" } else { "off" };
            let masked = if msix.function_masked { ", function masked: no vector fires" } else { "" };
            row("MSI-X", &format!("{on}, {} vectors{masked}", msix.vectors));
        }
        (None, Some(_)) => row("MSI-X", "not known"),
        (None, None) => row("MSI-X", "the function has none"),
    }
    let place = |p: &Place| format!("BAR {} at {:#x}, {} bytes", p.bar, p.offset, p.length);
    if let Some(table) = &f.table {
        row("table", &place(table));
    }
    if let Some(pending) = &f.pending_bit_array {
        row("pending bits", &place(pending));
    }
    if let Some(reason) = &f.table_unreadable {
        row("table", &style.paint(Tone::Warn, &format!("not read: {}", reason_text(reason))));
    }
    if let Some(reason) = &f.pending_unreadable {
        row("pending bits", &style.paint(Tone::Warn, &format!("not read: {}", reason_text(reason))));
    }
    match &f.vectors {
        Some(vectors) => {
            let remapping = match f.interrupt_remapping {
                Some(true) => "on: a message is an index into the remapping table",
                Some(false) => "off: a message names the processor",
                None => "not known: a message may name a processor or be an index; both readings are given",
            };
            row("remapping", remapping);
            out.push_str(&table(vectors, f, style));
        }
        None if !f.linux.is_empty() => out.push_str(&linux_table(f, style)),
        None => {}
    }
    out
}

/// Why the table was not read, and what would make it readable.
pub fn reason_text(reason: &Unreadable) -> String {
    match reason {
        Unreadable::Dead => "nothing answers at this address".to_owned(),
        Unreadable::Asleep => "the function sleeps; `--wake` reads it and wakes it".to_owned(),
        Unreadable::NotRead { why } => why.clone(),
        Unreadable::MemoryDecodeOff => {
            "memory decode is off (Command, Mem-): the function does not answer there".to_owned()
        }
        Unreadable::NotInD0 { state } => {
            format!("the function is in {state} and does not answer memory accesses")
        }
        Unreadable::NoSuchBar { bar } => {
            format!("it is said to lie in BAR {bar}, which the function does not have")
        }
        Unreadable::BarUnassigned { bar } => format!("BAR {bar} has no address"),
        Unreadable::OutsideBar { bar, end, size } => {
            format!("it would end at {end:#x}, outside of BAR {bar} with its {size:#x} bytes")
        }
        Unreadable::NoResourceFile { bar } => {
            format!("there is no resource{bar}: the kernel was built without it, or the BAR is not memory")
        }
        Unreadable::NotPermitted { bar, error } if error == "EPERM" => {
            format!("EPERM on resource{bar}: the kernel is locked down and keeps everyone out")
        }
        Unreadable::NotPermitted { bar, error } => format!("{error} on resource{bar}: needs root"),
        Unreadable::OwnedByDriver { bar, driver } => format!(
            "EINVAL on resource{bar}: driver {} owns the BAR and the kernel keeps others out (IO_STRICT_DEVMEM). \
             Readable after booting with iomem=relaxed, or with the driver unbound. Linux's own view follows",
            driver.as_deref().unwrap_or("unknown")
        ),
        Unreadable::NotCaptured { bar } => format!("the source does not hold the contents of BAR {bar}"),
        Unreadable::Failed { bar, error } => format!("resource{bar}: {error}"),
        Unreadable::NotAllowedHere { architecture } => format!(
            "on {} a read from a sick device can stop the machine; `--mmio` allows it",
            architecture.as_deref().unwrap_or("this architecture")
        ),
        Unreadable::AllOnes => {
            "every word reads all-ones: the function does not answer memory accesses".to_owned()
        }
    }
}

fn message_text(message: &Option<Message>) -> String {
    match message {
        None => String::new(),
        Some(Message::Processor { destination_apic_id, vector, delivery_mode, trigger_mode, logical }) => {
            let kind = if *logical { "logical " } else { "" };
            format!("{kind}APIC {destination_apic_id} vector {vector:#04x} {delivery_mode} {trigger_mode}")
        }
        Some(Message::Remappable { handle, subhandle }) => match subhandle {
            Some(subhandle) => format!("handle {handle:#06x} subhandle {subhandle:#x}"),
            None => format!("handle {handle:#06x}"),
        },
        Some(Message::Ambiguous { destination_apic_id, vector, remapping_index }) => {
            format!(
                "APIC {destination_apic_id} vector {vector:#04x}, or remapped by index {remapping_index:#x}"
            )
        }
        Some(Message::Foreign) => "no x86 interrupt address".to_owned(),
        Some(Message::Empty) => "never written".to_owned(),
    }
}

/// Linux's view of one vector: number, count, processor, handler. `-` is what there is not, `?` what is not known.
fn cells(interrupt: Option<&LinuxInterrupt>, f: &FunctionVectors) -> [String; 4] {
    let Some(interrupt) = interrupt else {
        let nothing = if f.linux_known { "-" } else { "?" };
        return [nothing; 4].map(str::to_owned);
    };
    let without_line = if f.counts_known { "-" } else { "?" };
    let processor = interrupt.effective_affinity.as_deref().or(interrupt.affinity.as_deref());
    // The kernel leaves out interrupts that have no handler and were never delivered; a line without names has no handler.
    let handler = interrupt.actions.as_deref().unwrap_or(without_line);
    [
        interrupt.number.to_string(),
        interrupt.count.map_or(without_line.to_owned(), |c| c.to_string()),
        processor.unwrap_or("?").to_owned(),
        handler.to_owned(),
    ]
}

/// Prints columns, each as wide as its widest cell; the last one is not padded.
fn columns(rows: &[Vec<(Tone, String)>], style: Style) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..count)
        .map(|i| {
            // The last cell of a row is not padded, so it may reach into the next columns.
            let padded = rows.iter().filter(|r| i + 1 < r.len());
            padded.map(|r| r[i].1.chars().count()).max().unwrap_or(0)
        })
        .collect();
    let mut out = String::new();
    for row in rows {
        out.push_str("  ");
        for (index, (tone, text)) in row.iter().enumerate() {
            out.push_str(&style.paint(*tone, text));
            if index + 1 < row.len() {
                out.extend(std::iter::repeat_n(' ', widths[index] - text.chars().count() + 2));
            }
        }
        while out.ends_with(' ') {
            out.pop();
        }
        out.push('\n');
    }
    out
}

fn heads(names: &[&str]) -> Vec<(Tone, String)> {
    names.iter().map(|n| (Tone::Heading, (*n).to_owned())).collect()
}

/// The vectors. A run of entries that were never written is one line.
fn table(vectors: &[Vector], f: &FunctionVectors, style: Style) -> String {
    let linux = &f.linux;
    let names = ["VECTOR", "ADDRESS", "DATA", "MASK", "PENDING", "IRQ", "COUNT", "CPU", "HANDLER", "MESSAGE"];
    let mut rows = vec![heads(&names)];
    let empty = |v: &Vector| v.address == 0 && v.data == 0 && v.masked && v.pending != Some(true);
    let mut index = 0;
    while index < vectors.len() {
        let vector = &vectors[index];
        let of_linux = linux.iter().find(|i| i.vector == Some(vector.index) && i.kind == "msix");
        let run = vectors[index..]
            .iter()
            .take_while(|v| empty(v) && !linux.iter().any(|i| i.vector == Some(v.index)))
            .count();
        if run >= 3 {
            let last = vector.index + run as u16 - 1;
            let text = format!("{}-{last}", vector.index);
            rows.push(vec![(Tone::Faint, text), (Tone::Faint, "never written, masked".to_owned())]);
            index += run;
            continue;
        }
        let pending = match vector.pending {
            Some(true) => (Tone::Warn, "pending"),
            Some(false) => (Tone::Faint, "-"),
            None => (Tone::Warn, "?"),
        };
        let [number, count, processor, handler] = cells(of_linux, f).map(|cell| (Tone::Name, cell));
        rows.push(vec![
            (Tone::Name, vector.index.to_string()),
            (Tone::Name, format!("{:#018x}", vector.address)),
            (Tone::Name, format!("{:#010x}", vector.data)),
            if vector.masked { (Tone::Warn, "masked".to_owned()) } else { (Tone::Faint, "-".to_owned()) },
            (pending.0, pending.1.to_owned()),
            number,
            count,
            processor,
            handler,
            (Tone::Faint, message_text(&vector.message)),
        ]);
        index += 1;
    }
    let without_vector = |pin: bool| {
        let without = linux.iter().filter(|i| i.vector.is_none() && (i.kind == "intx") == pin);
        without.map(|i| i.number.to_string()).collect::<Vec<_>>().join(" ")
    };
    let mut out = columns(&rows, style);
    for (name, numbers) in [
        ("Linux interrupts whose vector is not known (no line in /proc/interrupts)", without_vector(false)),
        ("Linux interrupt of the interrupt pin", without_vector(true)),
    ] {
        if !numbers.is_empty() {
            out.push_str(&format!("  {name}: {numbers}\n"));
        }
    }
    out
}

/// Linux's own view, where the table cannot be read.
fn linux_table(f: &FunctionVectors, style: Style) -> String {
    let linux = &f.linux;
    let messages = linux.iter().any(|i| i.message.is_some());
    let mut names = vec!["VECTOR", "KIND", "IRQ", "COUNT", "CPU", "HANDLER"];
    if messages {
        names.extend(["ADDRESS", "DATA"]);
    }
    let mut rows = vec![heads(&names)];
    for interrupt in linux {
        // The pin is no vector.
        let unknown = if interrupt.kind == "intx" { "-" } else { "?" };
        let [number, count, processor, handler] = cells(Some(interrupt), f).map(|cell| (Tone::Name, cell));
        let mut row = vec![
            (Tone::Name, interrupt.vector.map_or(unknown.to_owned(), |v| v.to_string())),
            (Tone::Name, interrupt.kind.to_owned()),
            number,
            count,
            processor,
            handler,
        ];
        if messages {
            row.push((
                Tone::Name,
                interrupt.message.map_or("?".to_owned(), |m| format!("{:#018x}", m.address)),
            ));
            row.push((Tone::Name, interrupt.message.map_or("?".to_owned(), |m| format!("{:#010x}", m.data))));
        }
        rows.push(row);
    }
    format!("  Linux's view (/proc/interrupts and sysfs, not the device's table):\n{}", columns(&rows, style))
}
