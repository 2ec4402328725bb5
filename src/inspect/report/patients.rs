//! The devices that have trouble, and where they are.

use std::collections::BTreeSet;

use crate::check::finding::{Finding, Status};
use crate::diagnosis::Verdict;
use crate::inspect::diagnose::Device;
use crate::inspect::list::title;
use crate::machine::{Function, Machine, link};
use crate::pci::Bdf;
use crate::pci::capability::express::{self, Capabilities, SlotCapabilities};
use crate::pci::header::{SecondaryBus, SubordinateBus};

use super::behind;
use super::requests::is_wrong;
use super::settings::{SETTINGS, Standing};
use super::{Audience, Material};

/// A device that has trouble.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct Patient {
    /// Its first function.
    #[schemars(with = "String")]
    pub address: Bdf,
    /// Its other functions that have the same trouble.
    #[schemars(with = "Vec<String>")]
    pub others: Vec<Bdf>,
    /// Functions below it that do not answer because it does not.
    #[schemars(with = "Vec<String>")]
    pub behind: Vec<Bdf>,
    /// Name and identifiers; `null` if only the log knows it.
    pub device: Option<String>,
    /// Whether the kernel still lists it.
    pub listed: bool,
    /// Name or number of its slot.
    pub slot: Option<String>,
    /// The port above it.
    #[schemars(with = "Option<String>")]
    pub port: Option<Bdf>,
    /// The root port above it.
    #[schemars(with = "Option<String>")]
    pub root_port: Option<Bdf>,
    /// What is the matter, a clause.
    pub says: String,
    /// Every function between the root port and the device, itself included.
    #[schemars(with = "Vec<String>")]
    pub place: Vec<Bdf>,
}

impl Patient {
    /// The place in words that people find on a machine: `slot 7 (0000:82:00.0)`.
    pub fn place_text(&self) -> String {
        match &self.slot {
            Some(slot) => format!("slot {slot} ({})", self.address),
            None => self.address.to_string(),
        }
    }

    /// What `diagnose` says of it.
    pub fn diagnosis<'a>(&self, material: Material<'a>) -> Option<&'a Device> {
        let own = material.diagnosis(self.address).filter(|device| is_trouble(device.verdict));
        // What the port says of the link is said of the device.
        let ports = || material.diagnosis(self.port?).filter(|device| is_about_link(device.verdict));
        own.or_else(ports)
    }
}

/// Whether somebody has to do something about it.
fn is_trouble(verdict: Verdict) -> bool {
    !matches!(verdict, Verdict::Healthy | Verdict::Asleep | Verdict::Unknown)
}

/// Whether of a port it is said of the link below it.
fn is_about_link(verdict: Verdict) -> bool {
    use Verdict::{ContainedByDpc, DegradedLink, ErrorStorm, LinkDown, SlotPower, SurpriseRemoved};
    matches!(verdict, ContainedByDpc | DegradedLink | ErrorStorm | LinkDown | SlotPower | SurpriseRemoved)
}

/// The device below a port that reported an error: errors go upwards, so that it may be several switches down. Only one with a
/// verdict about the bus can be meant.
fn reporter_below<'a>(material: Material<'a>, port: &Function) -> Option<&'a Function> {
    let machine = material.inspection.machine;
    let troubled = material.diagnoses.iter().filter(|d| {
        is_trouble(d.verdict)
            && matches!(d.level, crate::kernel_log::Level::Bus | crate::kernel_log::Level::Power)
    });
    let functions = troubled.filter_map(|d| machine.get(d.address.as_ref()?.parse().ok()?));
    let below = functions.filter(|f| {
        f.address != port.address && machine.path(f).iter().any(|above| above.address == port.address)
    });
    // The lowest: ports between are on the way.
    below.max_by_key(|f| (machine.path(f).len(), std::cmp::Reverse(f.address)))
}

/// The patient that a downstream-facing port's trouble with its link is: the device below, or the one that is gone.
fn of_port(material: Material<'_>, port: &Function, errors: bool, says: &str) -> Patient {
    let machine = material.inspection.machine;
    let reporter = if errors { reporter_below(material, port) } else { None };
    match reporter.or_else(|| below(machine, port)) {
        // Counters of errors of everything below a root port tell nothing of the switch that is next.
        Some(lower) if errors && reporter.is_none() && lower.header_layout() == Some(1) => {
            patient(material, port.address, Some(port), says)
        }
        Some(lower) => {
            let own = material.diagnosis(lower.address).filter(|device| is_trouble(device.verdict));
            let own = own.map(|device| device.verdict.words());
            patient(material, lower.address, Some(lower), own.as_deref().unwrap_or(says))
        }
        None => missing(material, port, says),
    }
}

fn is_downstream(function: &Function) -> bool {
    link::port_type(function).is_some_and(|p| p.is_downstream_facing())
}

/// Whether it warns of something that firmware setup or hands can change, where somebody asked after it: by naming the device or
/// a profile. Without that a warning makes nobody a patient: sound machines have some.
fn is_wish(material: Material<'_>, finding: &Finding) -> bool {
    let asked = material.is_profile_chosen() || finding.address.is_some_and(|a| material.is_named(a));
    // That a port says of a device that answers that its link is down, as some do, moves nobody to take it out.
    let mut settings =
        SETTINGS.iter().filter(|s| s.standing == Standing::Shown && s.topic != "card-and-riser");
    let known = settings.any(|setting| setting.checks.contains(&finding.check.id));
    asked && known && finding.status == Status::Warn && is_wrong(finding)
}

/// Devices with a verdict that calls for something, and those of which a check failed, in the order of the addresses.
pub fn patients(material: Material<'_>, audience: Audience) -> Vec<Patient> {
    let machine = material.inspection.machine;
    let mut patients: Vec<Patient> = Vec::new();
    for device in material.diagnoses.iter().filter(|device| is_trouble(device.verdict)) {
        let Some(address) = device.address.as_ref().and_then(|text| text.parse::<Bdf>().ok()) else {
            continue;
        };
        let says = device.verdict.words();
        let patient = match machine.get(address) {
            Some(port) if is_downstream(port) && is_about_link(device.verdict) => {
                of_port(material, port, device.verdict == Verdict::ErrorStorm, &says)
            }
            Some(function) => patient(material, address, Some(function), &says),
            None => unlisted(material, address, port_above(machine, address), &says),
        };
        join(&mut patients, patient);
    }
    let wish = |f: &&Finding| audience == Audience::Provider && is_wish(material, f);
    for finding in material.findings.iter().filter(|f| f.status == Status::Fail || wish(f)) {
        let Some(address) = finding.address else { continue };
        let Some(function) = machine.get(address) else {
            // What a port says of errors that it received is said of the device that sent them.
            if let Some(source) = patients
                .iter_mut()
                .find(|p| machine.get(p.address).is_none() && is_reporter(material, address, p))
            {
                source.port.get_or_insert(address);
                continue;
            }
            // Only the log knows it.
            add(
                &mut patients,
                unlisted(material, address, port_above(machine, address), &finding.summary),
                finding,
            );
            continue;
        };
        let errors = ["aer-", "kmsg-aer"].iter().any(|start| finding.check.id.starts_with(start));
        let patient = match is_about_below(function, finding) {
            true => of_port(material, function, errors, &finding.summary),
            false => patient(material, address, Some(function), &finding.summary),
        };
        // What is no trouble by the diagnosis is none here: a request would contradict it.
        if is_cleared(material, patient.address) && !patients.iter().any(|p| p.address == patient.address) {
            continue;
        }
        add(&mut patients, patient, finding);
    }
    patients.sort_by_key(|p| p.address);
    behind::fold(material, patients)
}

/// Whether the log says that a port, which nothing else is known of, received error messages from a device.
fn is_reporter(material: Material<'_>, port: Bdf, patient: &Patient) -> bool {
    let told = |event: &crate::kernel_log::Event| {
        let [source, reporter] = ["source", "reporter"].map(|name| event.address(name));
        let sent = event.device == Some(port) && source == Some(patient.address);
        let received = event.device == Some(patient.address) && reporter == Some(port);
        event.kind.id.starts_with("aer.") && (sent || received)
    };
    port != patient.address && material.log().is_some_and(|log| log.events.iter().any(told))
}

/// Whether a rule of `diagnose` says that what was seen of it is no trouble, such as errors that somebody injected as a test.
fn is_cleared(material: Material<'_>, address: Bdf) -> bool {
    let by_rule = |device: &Device| device.verdict == Verdict::Healthy && device.rule.is_some();
    material.diagnosis(address).is_some_and(by_rule)
}

/// Devices of which a check failed although the diagnosis clears them, with the reason.
pub fn cleared<'a>(material: Material<'a>) -> Vec<&'a Device> {
    let failed: BTreeSet<Bdf> = material
        .findings
        .iter()
        .filter(|finding| finding.status == Status::Fail)
        .filter_map(|finding| finding.address)
        .filter(|address| is_cleared(material, *address))
        .collect();
    failed.into_iter().filter_map(|address| material.diagnosis(address)).collect()
}

/// Whether it is what a port sees of the link below it: then the device below is the one that has trouble.
fn is_about_below(port: &Function, finding: &Finding) -> bool {
    let about_link = [
        "presence-parent-link",
        "link-",
        "aer-",
        "power-slot",
        "dpc-",
        "kmsg-aer",
        "kmsg-link-down",
        "kmsg-power",
        "kmsg-card-removed",
    ];
    is_downstream(port) && about_link.iter().any(|start| finding.check.id.starts_with(start))
}

fn below<'a>(machine: &'a Machine, port: &Function) -> Option<&'a Function> {
    machine.children(port.address).min_by_key(|child| child.address)
}

/// A finding about a device that is known already says more of it.
fn add(patients: &mut Vec<Patient>, patient: Patient, finding: &Finding) {
    let (address, says) = (patient.address, patient.says.clone());
    join(patients, patient);
    // That nobody answers explains everything else.
    let telling = finding.check.id.starts_with("presence-config");
    if let Some(known) = patients.iter_mut().find(|p| telling && p.address == address) {
        known.says = says;
    }
}

/// Functions of one device are one patient.
fn join(patients: &mut Vec<Patient>, patient: Patient) {
    let same = |a: Bdf, b: Bdf| (a.domain, a.bus, a.device) == (b.domain, b.bus, b.device);
    match patients.iter_mut().find(|p| same(p.address, patient.address)) {
        Some(known) => {
            for address in std::iter::once(patient.address).chain(patient.others) {
                if address != known.address && !known.others.contains(&address) {
                    known.others.push(address);
                }
            }
        }
        None => patients.push(patient),
    }
}

fn patient(material: Material<'_>, address: Bdf, function: Option<&Function>, says: &str) -> Patient {
    let machine = material.inspection.machine;
    let way: Vec<Bdf> =
        function.map(|f| machine.path(f).iter().map(|f| f.address).collect()).unwrap_or_default();
    let device = format!("{:04x}:{:02x}:{:02x}", address.domain, address.bus, address.device);
    let port = function.and_then(|f| f.parent);
    let slot = material.inspection.platform.slot(&device).map(|slot| slot.name.clone());
    Patient {
        address,
        others: Vec::new(),
        behind: Vec::new(),
        device: function.map(|f| title(material.inspection.names, f)),
        listed: function.is_some(),
        slot: slot.or_else(|| slot_number(machine.get(port?)?)),
        port,
        root_port: way.first().copied().filter(|root| *root != address),
        says: says.to_owned(),
        place: way,
    }
}

/// A device that the kernel does not list any more: the port above it is there, and perhaps the log remembers it.
fn missing(material: Material<'_>, port: &Function, says: &str) -> Patient {
    let buses = port.header::<SecondaryBus>().zip(port.header::<SubordinateBus>());
    let (first, last) = buses.map_or((0, 0), |(a, b)| (a.number(), b.number()));
    let below = |a: &Bdf| a.domain == port.address.domain && (first..=last).contains(&a.bus) && first > 0;
    let logged: BTreeSet<Bdf> =
        material.log().iter().flat_map(|log| &log.events).filter_map(|e| e.device).filter(below).collect();
    let guess = Bdf { domain: port.address.domain, bus: first, device: 0, function: 0 };
    let address = logged.first().copied().unwrap_or(guess);
    let mut patient = unlisted(material, address, Some(port), says);
    patient.others = logged.into_iter().filter(|a| *a != address && a.bus == address.bus).collect();
    patient
}

/// A device of which only the port above and the log are left.
fn unlisted(material: Material<'_>, address: Bdf, port: Option<&Function>, says: &str) -> Patient {
    let machine = material.inspection.machine;
    let device = format!("{:04x}:{:02x}:{:02x}", address.domain, address.bus, address.device);
    let slot = material.inspection.platform.slot(&device).map(|slot| slot.name.clone());
    let way: Vec<Bdf> =
        port.map(|port| machine.path(port).iter().map(|f| f.address).collect()).unwrap_or_default();
    Patient {
        address,
        others: Vec::new(),
        behind: Vec::new(),
        device: logged_name(material, address),
        // Where no function is listed, such as beside a log alone, that says nothing of this one.
        listed: machine.functions.is_empty(),
        slot: slot.or_else(|| slot_number(port?)),
        port: port.map(|port| port.address),
        root_port: way.first().copied(),
        says: says.to_owned(),
        place: way,
    }
}

/// The port whose own bus it is.
fn port_above(machine: &Machine, address: Bdf) -> Option<&Function> {
    let is_above = |port: &&Function| {
        let same = port.address.domain == address.domain && matches!(port.header_layout(), Some(1));
        same && port.header::<SecondaryBus>().is_some_and(|bus| bus.number() == address.bus)
    };
    machine.functions.iter().find(is_above)
}

/// What the log called it when it was found: `[10de:2b85]`, with the names that belong to that.
fn logged_name(material: Material<'_>, address: Bdf) -> Option<String> {
    let found =
        |e: &&crate::kernel_log::Event| e.kind.id == "pci.function-found" && e.device == Some(address);
    let event = material.log()?.events.iter().find(found)?;
    let id = |name| u16::try_from(event.number(name)?).ok();
    let (vendor, device) = (id("vendor_id")?, id("device_id")?);
    let names = material.inspection.names;
    let words = [names.vendor(vendor), names.device(vendor, device)].into_iter().flatten();
    let words: Vec<_> = words.map(std::borrow::Cow::into_owned).collect();
    Some(format!("{} [{vendor:04x}:{device:04x}]", words.join(" ")).trim_start().to_owned())
}

/// Physical Slot Number of the port above (PCIe 6.2, 7.5.3.9), if it has a slot; 0 means none was given.
fn slot_number(port: &Function) -> Option<String> {
    let specification = &express::SPECIFICATION;
    port.register::<Capabilities>(specification).filter(|c| c.slot_implemented())?;
    let number = port.register::<SlotCapabilities>(specification)?.physical_slot_number();
    (number > 0).then(|| number.to_string())
}
