//! What is right as far as it can be seen where the device itself does not answer: the port's end of the link, what the kernel
//! remembers of its memory, what the log said when it was found.

use crate::check::finding::Proof;
use crate::check::subject::register;
use crate::diagnosis::found::{COUNTER, corrected};
use crate::inspect::check::{Evidence, evidence};
use crate::inspect::value::size_text;
use crate::kernel_log::Event;
use crate::machine::Function;
use crate::machine::above_4g::memory_range;
use crate::pci::Bdf;
use crate::pci::bars::resources;
use crate::pci::capability::express::{self, LinkControl};

use super::Material;
use super::patients::Patient;
use super::requests::Right;

/// What is right of a topic; `None` if nothing can be said, or if the device answers and the checks say it better.
pub fn partly(material: Material<'_>, patient: &Patient, topic: &str) -> Option<Right> {
    let machine = material.inspection.machine;
    let function = machine.get(patient.address);
    if function.is_some_and(Function::answers) {
        return None;
    }
    let (what, evidence) = match topic {
        "aspm" => aspm(machine.get(patient.port?)?)?,
        "above-4g-decoding" => memory(material, patient, function)?,
        _ => return None,
    };
    Some(Right { topic: topic.to_owned(), what: format!("{}: {what}", patient.place_text()), evidence })
}

/// A link enters L1 only if both ends allow it, and L0s of the port's transmitter is the port's (PCIe 6.2, 5.4.1).
fn aspm(port: &Function) -> Option<(String, Vec<Evidence>)> {
    let control = register::<LinkControl>(port, &express::SPECIFICATION).ok()?;
    if control.value.aspm_control() != 0 {
        return None;
    }
    let what = format!(
        "ASPM is off at the port {}, so that the link cannot enter L1; the card's end cannot be read. Please leave it off",
        port.address
    );
    Some((what, vec![evidence(&control.field("aspm_control"))]))
}

/// What the ends of the link say of ASPM, as far as they were read.
pub fn link_controls(material: Material<'_>, patient: &Patient) -> Vec<Evidence> {
    let machine = material.inspection.machine;
    let ends = patient.port.into_iter().chain([patient.address]).filter_map(|address| machine.get(address));
    let control = |end: &Function| register::<LinkControl>(end, &express::SPECIFICATION).ok();
    ends.filter_map(control).map(|control| evidence(&control.field("aspm_control"))).collect()
}

/// Where the kernel counted corrected errors, how many, and its file that says so.
pub fn counters(material: Material<'_>, patient: &Patient) -> Vec<(Bdf, u64, Evidence)> {
    let machine = material.inspection.machine;
    let function = machine.get(patient.address);
    let port = patient.port.and_then(|port| machine.get(port));
    let counted = corrected(function, port).into_iter().filter_map(|(address, total)| {
        let text = machine.get(address)?.reading.text(COUNTER)?;
        // Lines that are not zero, the sum among them.
        let lines: Vec<&str> = text.lines().filter(|line| !line.ends_with(" 0")).collect();
        let proof = Proof::Attribute { address, name: COUNTER, text: lines.join("; ") };
        Some((address, total, evidence(&proof)))
    });
    counted.collect()
}

/// The largest memory BAR lay above 4 GiB: by the kernel's copy, or by what it logged when it found the device.
fn memory(
    material: Material<'_>,
    patient: &Patient,
    function: Option<&Function>,
) -> Option<(String, Vec<Evidence>)> {
    let above = |start: u64| start >= 1 << 32;
    let words = |bar: &str, size: u64, start: u64| {
        format!(
            "{bar} of {} had its place above 4 GiB, at {start:#x}: Above 4G Decoding is on",
            size_text(size)
        )
    };
    if let Some(text) = function.and_then(|f| f.reading.text("resource")) {
        let all = resources(text)?;
        let lines = all.iter().take(6).enumerate().filter_map(|(bar, line)| Some((bar, (*line)?)));
        let memory = lines.filter(|(_, r)| r.is_memory() && r.is_assigned());
        let (bar, largest) = memory.max_by_key(|(_, r)| r.size())?;
        let line = text.lines().nth(bar).unwrap_or_default();
        let proof = Proof::Attribute {
            address: patient.address,
            name: "resource",
            text: format!("line {}: {line}", bar + 1),
        };
        return above(largest.start)
            .then(|| (words(&format!("BAR {bar}"), largest.size(), largest.start), vec![evidence(&proof)]));
    }
    let events = &material.log()?.events;
    let mine = |e: &&Event| e.kind.id == "resources.bar" && e.device == Some(patient.address);
    events.iter().filter(mine).find_map(|event| {
        let (start, end) = memory_range(&event.message)?;
        let bar = event.text("bar_name").unwrap_or("memory").to_owned();
        let line = event.evidence.first().map_or(event.message.clone(), |l| l.text.clone());
        above(start).then(|| (words(&bar, end - start + 1, start), vec![evidence(&Proof::Log { line })]))
    })
}

/// What is known of Resizable BAR of a card whose register cannot be read: a clause; `None` if it can be read.
pub fn size_that_was(material: Material<'_>, patient: &Patient) -> Option<String> {
    let function = material.inspection.machine.get(patient.address);
    if function.is_some_and(Function::answers) {
        return None;
    }
    let had = memory(material, patient, function).map(|(what, _)| what);
    let had =
        had.and_then(|what| what.split_once(" had its place").map(|(bar, _)| format!("; it had a {bar}")));
    Some(format!(
        "the sizes that the card offers cannot be read while it does not answer{}",
        had.unwrap_or_default()
    ))
}
