//! The machine compared with an expectation (`check --expect`).

use crate::document::nearest::nearest;
use crate::inspect::value::{size_text, speed_text};
use crate::machine::link;
use crate::machine::platform::Platform;
use crate::pci::Bdf;
use crate::pci::capability::express::{
    self, LinkCapabilities, LinkCapabilities2, LinkStatus, LinkStatus2, SlotCapabilities,
};
use crate::pci::capability::msix;
use crate::pci::extended::sriov;

use super::bars::rebar_sizes;
use super::expectation::compare::{Compared, identity_found, identity_text};
use super::expectation::{Entry, Place, facts};
use super::finding::{Judged, Proof, Skip, Verdict, Who};
use super::registry::{Check, Of};
use super::subject::{self, Read, Subject, Surroundings};

const REFERENCE: &str = "the file that --expect names";

pub static CHECKS: &[Check] = &[
    Check {
        id: "presence-count",
        rule: "Every entry of the expectation finds its devices, as many as it says.",
        reads: "sys/bus/pci/devices, the expectation",
        why: "A device that is not there fails no other check.",
        reference: REFERENCE,
        remedy: "look for the device in its slot; if the entry is wrong, correct the file",
        who: Who::Provider,
        of: Of::Entry(count),
        ..Check::BASE
    },
    Check {
        id: "identity-expected",
        rule: "The device is the expected one: vendor, device, subsystem, class, revision, serial and part number.",
        reads: "uevent, Device Serial Number, vital product data",
        why: "Another card, or one with other firmware, is in the place.",
        reference: REFERENCE,
        remedy: "put the expected card into the slot, or correct the file",
        who: Who::Provider,
        of: Of::Expected(identity),
        ..Check::BASE
    },
    Check {
        id: "driver-expected",
        rule: "The expected driver is bound, in the expected version.",
        reads: "driver, version of its module",
        why: "Another driver, or none, has the device.",
        reference: REFERENCE,
        remedy: "bind or install the expected driver",
        who: Who::Operator,
        of: Of::Expected(driver),
        ..Check::BASE
    },
    Check {
        id: "firmware-expected",
        rule: "The device has the expected firmware.",
        reads: "proc/driver/nvidia/gpus/ADDRESS/information (Video BIOS)",
        why: "A fleet is qualified with one version.",
        reference: REFERENCE,
        remedy: "update the device's firmware",
        who: Who::Operator,
        false_positives: "Drivers other than NVIDIA's do not tell the firmware in a file that is safe to read: unknown.",
        of: Of::Expected(firmware),
        ..Check::BASE
    },
    Check {
        id: "link-expected",
        rule: "The link has the expected speed and width.",
        reads: "LnkSta and LnkCap",
        why: "The expectation may be below what the hardware can, by design; then it is that which counts.",
        reference: REFERENCE,
        remedy: "reseat the card and its riser; look for speed and bifurcation settings of the slot in firmware setup",
        who: Who::Provider,
        false_positives: "Display controllers and accelerators go to a lower speed while idle: give them work (--while), or \
                          expect `max_speed`.",
        of: Of::Expected(link_expected),
        ..Check::BASE
    },
    Check {
        id: "link-retimers",
        rule: "The link has the expected number of retimers.",
        reads: "LnkCap2 bits 23 and 24, LnkSta2 bits 6 and 7 of the port above",
        why: "A riser or cable with another number of retimers is another part.",
        reference: "PCIe 6.2, 7.5.3.18 and 7.5.3.20",
        remedy: "look at riser and cables",
        who: Who::Provider,
        of: Of::Expected(retimers),
        ..Check::BASE
    },
    Check {
        id: "msix-expected",
        rule: "The device has the expected number of MSI-X vectors.",
        reads: "MSI-X Control bits 10:0",
        why: "Fewer vectors than expected are another firmware or configuration of the card.",
        reference: REFERENCE,
        remedy: "look at the card's configuration and firmware",
        who: Who::Operator,
        of: Of::Expected(vectors),
        ..Check::BASE
    },
    Check {
        id: "rebar-expected",
        rule: "Resizable BARs have the expected sizes.",
        reads: "ReBAR control",
        why: "The processor reaches only that much of the device's memory.",
        reference: REFERENCE,
        remedy: "set `Re-Size BAR Support` and `Above 4G Decoding` to Enabled in firmware setup",
        who: Who::Firmware,
        of: Of::Expected(bar_sizes),
        ..Check::BASE
    },
    Check {
        id: "numa-expected",
        rule: "The device is at the expected NUMA node.",
        reads: "numa_node",
        why: "It is in a slot of another processor, or firmware does not tell.",
        reference: REFERENCE,
        remedy: "move the card, or look for NUMA settings in firmware setup",
        who: Who::Provider,
        of: Of::Expected(node),
        ..Check::BASE
    },
    Check {
        id: "slot-expected",
        rule: "The device is in the expected slot.",
        reads: "sys/bus/pci/slots, SltCap bits 31:19 of the port above",
        why: "Cables and documentation go by slots.",
        reference: REFERENCE,
        remedy: "move the card, or correct the file",
        who: Who::Provider,
        of: Of::Expected(slot),
        ..Check::BASE
    },
    Check {
        id: "switch-expected",
        rule: "The device is below the expected bridge.",
        reads: "the path of the device in sys/devices",
        why: "Which devices share a switch decides how they reach each other.",
        reference: REFERENCE,
        remedy: "move the card or the cable",
        who: Who::Provider,
        of: Of::Expected(below),
        ..Check::BASE
    },
    Check {
        id: "sriov-expected",
        rule: "The expected number of virtual functions is enabled.",
        reads: "SR-IOV NumVFs and VF Enable",
        why: "Virtual machines wait for them.",
        reference: REFERENCE,
        remedy: "write the number to sriov_numvfs",
        who: Who::Operator,
        of: Of::Expected(virtual_functions),
        ..Check::BASE
    },
    Check {
        id: "platform-expected",
        rule: "The machine is the expected one: vendor, board, firmware, kernel.",
        reads: "sys/class/dmi/id, proc/sys/kernel/osrelease",
        why: "A machine with other firmware is another machine as far as PCI Express is concerned.",
        reference: REFERENCE,
        remedy: "update the firmware or the kernel",
        who: Who::Operator,
        of: Of::ExpectedMachine(platform),
        ..Check::BASE
    },
];

const EXPRESS: &crate::pci::decode::Specification = &express::SPECIFICATION;

fn count(around: &Surroundings<'_>, entry: &Entry) -> Judged {
    let here: Vec<Bdf> =
        around.machine.functions.iter().filter(|f| entry.means(f)).map(|f| f.address).collect();
    let at = entry.at(entry.line);
    let listed = here.iter().map(Bdf::to_string).collect::<Vec<_>>().join(" ");
    let number = here.len() as u64;
    match &entry.count {
        Some(wanted) if wanted.value == number => Ok(Verdict::good([])),
        None if number > 0 => Ok(Verdict::good([])),
        Some(wanted) if number > 0 => Ok(Verdict::bad(
            format!("{number} functions instead of {} ({})", wanted.value, entry.at(wanted.line)),
            wanted.value.to_string(),
            format!("{number}: {listed}"),
            [],
        )),
        wanted => {
            let expected = wanted.as_ref().map_or_else(|| "at least one".to_owned(), |w| w.value.to_string());
            let (what, hint) = what_is_missing(around, entry);
            Ok(Verdict::bad(format!("{at}: nothing here is {what}{hint}"), expected, "none", []))
        }
    }
}

/// What an entry looks for, and what is there that resembles it.
fn what_is_missing(around: &Surroundings<'_>, entry: &Entry) -> (String, String) {
    let functions = &around.machine.functions;
    if let Some(places) = &entry.places {
        let words: Vec<String> = places.value.iter().map(place_text).collect();
        let words = words.join(" or ");
        let addresses: Vec<String> = functions.iter().map(|f| f.address.to_string()).collect();
        let hint = nearest(&words, addresses.iter().map(String::as_str));
        return (format!("at {words}"), hint);
    }
    let words: Vec<String> =
        entry.identity.iter().map(|(key, wanted)| format!("{key} {}", wanted.value.text())).collect();
    let hint = entry.identity.iter().find_map(|(key, wanted)| {
        let known: Vec<String> = functions.iter().filter_map(|f| identity_text(f, key)).collect();
        (!known.iter().any(|text| wanted.value.matches(text)))
            .then(|| nearest(&wanted.value.text(), known.iter().map(String::as_str)))
    });
    (words.join(", "), hint.unwrap_or_default())
}

fn place_text(place: &Place) -> String {
    match place {
        Place::Address(address) => address.to_string(),
        Place::Pattern(pattern) => pattern.text(),
    }
}

fn identity(subject: &Subject<'_>, entry: &Entry) -> Vec<Compared> {
    let keys = entry.identity.iter().filter(|(key, _)| entry.compares(key));
    keys.map(|(key, wanted)| Compared::text(key, wanted, identity_found(subject, key))).collect()
}

fn driver(subject: &Subject<'_>, entry: &Entry) -> Vec<Compared> {
    let name = match subject.driver() {
        Ok(driver) => Ok(driver.to_owned()),
        Err(Skip::NotApplicable(_)) => Ok("none".to_owned()),
        Err(unknown) => Err(unknown),
    };
    let proof = |text: &str| {
        vec![Proof::Attribute { address: subject.address(), name: "driver", text: text.to_owned() }]
    };
    let mut all = Vec::new();
    if let Some(wanted) = &entry.driver {
        let found = name.clone().map(|name| {
            let proofs = proof(&name);
            (name, proofs)
        });
        all.push(Compared::text("driver", wanted, found));
    }
    if let Some(wanted) = &entry.driver_version {
        let versions = subject.around.expectation.map(|e| &e.facts.driver_versions);
        let found = name.and_then(|name| {
            let version = versions.and_then(|versions| versions.get(&name)).cloned();
            let version =
                version.unwrap_or_else(|| Err("no driver is bound".to_owned())).map_err(Skip::unknown)?;
            let path = format!("sys/bus/pci/drivers/{name}/module/version");
            Ok((version.clone(), vec![Proof::File { path, text: version }]))
        });
        all.push(Compared::text("driver_version", wanted, found));
    }
    all
}

fn firmware(subject: &Subject<'_>, entry: &Entry) -> Vec<Compared> {
    let Some(wanted) = &entry.firmware else { return Vec::new() };
    let known = subject.around.expectation.and_then(|e| e.facts.firmware.get(&subject.address()));
    let found = match known {
        Some(Ok(text)) => {
            let path = format!("proc/driver/nvidia/gpus/{}/information", subject.address());
            Ok((text.clone(), vec![Proof::File { path, text: format!("Video BIOS: {text}") }]))
        }
        Some(Err(why)) => Err(Skip::unknown(why.clone())),
        None => Err(Skip::unknown("only NVIDIA's driver tells the firmware of its device in a file")),
    };
    vec![Compared::text("firmware", wanted, found)]
}

fn link_expected(subject: &Subject<'_>, entry: &Entry) -> Vec<Compared> {
    let wanted = &entry.link;
    let registers = || -> Result<(link::Link, Vec<Proof>, Vec<Proof>), Skip> {
        subject.with_link()?;
        let status: Read<LinkStatus> = subject.register(EXPRESS)?;
        let capabilities: Read<LinkCapabilities> = subject.register(EXPRESS)?;
        let own = link::link(subject.function).ok_or_else(|| Skip::unknown("the link was not read"))?;
        Ok((own, vec![status.proof], vec![capabilities.proof]))
    };
    let read = registers();
    // What both ends can, where the other end is known.
    let possible = || -> Result<(link::Rate, Vec<Proof>), Skip> {
        let (own, _, mut proofs) = read.clone()?;
        let Ok(upper) = subject.upper_end() else { return Ok((own.maximum, proofs)) };
        let other = link::link(upper).ok_or_else(|| Skip::unknown("the port above was not read"))?;
        proofs.push(subject::register::<LinkCapabilities>(upper, EXPRESS)?.proof);
        Ok((own.maximum.lower(other.maximum), proofs))
    };
    let now = |of: fn(link::Rate) -> Option<u32>| {
        let (own, proofs, _) = read.clone()?;
        let value = of(own.current).ok_or_else(|| match own.state {
            link::LinkState::Down => Skip::not_applicable("the link is down"),
            _ => Skip::unknown("LnkSta holds a value that does not exist"),
        })?;
        Ok((value, proofs))
    };
    let most = |of: fn(link::Rate) -> Option<u32>| {
        let (rate, proofs) = possible()?;
        Ok((of(rate).ok_or_else(|| Skip::unknown("LnkCap holds a value that does not exist"))?, proofs))
    };
    let speed = |rate: link::Rate| rate.speed_mts;
    let width = |rate: link::Rate| rate.width.map(u32::from);
    let lanes = |width: &u32| format!("x{width}");
    let mts = |speed: &u32| speed_text(*speed);
    let mut all = Vec::new();
    if let Some(wanted) = &wanted.speed_mts {
        all.push(Compared::value("link.speed", wanted, excused(subject, wanted.value, now(speed)), mts));
    }
    if let Some(wanted) = &wanted.max_speed_mts {
        all.push(Compared::value("link.max_speed", wanted, most(speed), mts));
    }
    for (key, wanted, found) in
        [("link.width", &wanted.width, now(width)), ("link.max_width", &wanted.max_width, most(width))]
    {
        if let Some(wanted) = wanted {
            let wanted = super::expectation::Wanted { line: wanted.line, value: u32::from(wanted.value) };
            all.push(Compared::value(key, &wanted, found, lanes));
        }
    }
    all
}

/// A device that idles is slower than expected: unknown, unless it was seen at the expected speed in between.
fn excused(
    subject: &Subject<'_>,
    wanted: u32,
    found: Result<(u32, Vec<Proof>), Skip>,
) -> Result<(u32, Vec<Proof>), Skip> {
    let (value, proofs) = found?;
    if value >= wanted {
        return Ok((value, proofs));
    }
    let seen = subject.around.earlier.and_then(|earlier| earlier.history.of(subject.address()));
    if seen.is_some_and(|seen| seen.fastest_mts == Some(wanted)) {
        return Ok((wanted, proofs));
    }
    if !subject.around.busy && super::link::slows_down_when_idle(subject) {
        return Err(Skip::unknown(format!(
            "runs at {}: such devices do so while idle; give it work (--while) or expect max_speed",
            speed_text(value)
        )));
    }
    Ok((value, proofs))
}

fn retimers(subject: &Subject<'_>, entry: &Entry) -> Vec<Compared> {
    let Some(wanted) = &entry.link.retimers else { return Vec::new() };
    let found = || -> Result<(u64, Vec<Proof>), Skip> {
        let port = match subject.downstream_port() {
            Ok(_) => subject.function,
            Err(_) => subject.upper_end()?,
        };
        let capabilities: Read<LinkCapabilities2> = subject::register(port, EXPRESS)?;
        let status: Read<LinkStatus2> = subject::register(port, EXPRESS)?;
        if !capabilities.retimer_presence_detect_supported() {
            return Err(Skip::unknown(format!("{} does not detect retimers", port.address)));
        }
        let count = match (status.retimer_presence_detected(), status.two_retimers_presence_detected()) {
            (_, true) => 2,
            (true, false) => 1,
            (false, false) => 0,
        };
        Ok((count, vec![capabilities.proof, status.proof]))
    };
    vec![Compared::value("link.retimers", wanted, found(), u64::to_string)]
}

fn vectors(subject: &Subject<'_>, entry: &Entry) -> Vec<Compared> {
    let Some(wanted) = &entry.msix_vectors else { return Vec::new() };
    let control: Result<Read<msix::Control>, Skip> = subject.register(&msix::SPECIFICATION);
    let found = control.map(|control| (u64::from(control.vectors()), vec![control.field("table_size")]));
    vec![Compared::value("msix_vectors", wanted, found, u64::to_string)]
}

fn bar_sizes(subject: &Subject<'_>, entry: &Entry) -> Vec<Compared> {
    let sizes = rebar_sizes(subject);
    let compared = entry.rebar.iter().map(|(bar, wanted)| {
        let found = sizes.clone().and_then(|sizes| {
            let of = sizes.into_iter().find(|(number, ..)| number == bar);
            let (_, size, proof) = of.ok_or_else(|| Skip::not_applicable("the BAR is not resizable"))?;
            Ok((size.ok_or_else(|| Skip::unknown("the size is a reserved value"))?, vec![proof]))
        });
        Compared::value(format!("rebar.{bar}"), wanted, found, |size| size_text(*size))
    });
    compared.collect()
}

fn node(subject: &Subject<'_>, entry: &Entry) -> Vec<Compared> {
    let Some(wanted) = &entry.numa_node else { return Vec::new() };
    let found = subject.attribute("numa_node").and_then(|(text, proof)| {
        let node = text.parse().map_err(|_| Skip::unknown(format!("numa_node holds {text:?}")))?;
        Ok((node, vec![proof]))
    });
    vec![Compared::value("numa_node", wanted, found, i64::to_string)]
}

/// The slot of a function: what firmware calls it, otherwise the number that its port has.
pub(super) fn slot_name(subject: &Subject<'_>, platform: &Platform) -> Result<(String, Vec<Proof>), Skip> {
    let address = subject.address().to_string();
    let device = address.rsplit_once('.').map_or(address.as_str(), |(device, _)| device);
    if let Some(slot) = platform.slot(device) {
        let path = format!("sys/bus/pci/slots/{}/address", slot.name);
        return Ok((slot.name.clone(), vec![Proof::File { path, text: slot.address.clone() }]));
    }
    let port = link::partner(subject.around.machine, subject.function);
    let port = port.filter(|port| link::slot_occupied(port).is_some());
    let port = port.ok_or_else(|| Skip::not_applicable("it is in no slot"))?;
    let capabilities: Read<SlotCapabilities> = subject::register(port, EXPRESS)?;
    Ok((capabilities.physical_slot_number().to_string(), vec![capabilities.field("physical_slot_number")]))
}

fn slot(subject: &Subject<'_>, entry: &Entry) -> Vec<Compared> {
    let Some(wanted) = &entry.slot else { return Vec::new() };
    vec![Compared::text("slot", wanted, slot_name(subject, subject.around.platform))]
}

fn below(subject: &Subject<'_>, entry: &Entry) -> Vec<Compared> {
    let Some(wanted) = &entry.below else { return Vec::new() };
    let path = subject.around.machine.path(subject.function);
    let above: Vec<String> =
        path.iter().take(path.len().saturating_sub(1)).map(|f| f.address.to_string()).collect();
    let found = match above.iter().find(|address| wanted.value.matches(address)) {
        Some(address) => Ok((address.clone(), Vec::new())),
        None if above.is_empty() => Err(Skip::not_applicable("no bridge is above it")),
        None => Ok((above.join(" "), Vec::new())),
    };
    vec![Compared::text("below", wanted, found)]
}

fn virtual_functions(subject: &Subject<'_>, entry: &Entry) -> Vec<Compared> {
    let Some(wanted) = &entry.virtual_functions else { return Vec::new() };
    let found = || -> Result<(u64, Vec<Proof>), Skip> {
        let control: Read<sriov::Control> = subject.register(&sriov::SPECIFICATION)?;
        let number: Read<sriov::NumVfs> = subject.register(&sriov::SPECIFICATION)?;
        let enabled = if control.vf_enable() { u64::from(number.number()) } else { 0 };
        Ok((enabled, vec![control.field("vf_enable"), number.proof]))
    };
    vec![Compared::value("virtual_functions", wanted, found(), u64::to_string)]
}

fn platform(around: &Surroundings<'_>) -> Judged {
    let Some(expectation) = around.expectation.filter(|e| !e.machine.is_empty()) else {
        return Err(Skip::not_applicable("the expectation has no [machine]"));
    };
    let (mut wrong, mut unknown, mut proofs) = (Vec::new(), None, Vec::new());
    let (mut expected, mut actual) = (Vec::new(), Vec::new());
    for (key, wanted) in &expectation.machine {
        let path = facts::MACHINE.iter().find(|(known, _)| known == key).map_or("", |(_, path)| path);
        match expectation.facts.machine.get(key) {
            Some(Ok(text)) => {
                proofs.push(Proof::File { path: path.to_owned(), text: text.clone() });
                if !wanted.value.matches(text) {
                    let at = format!("{}:{}", expectation.file, wanted.line);
                    wrong.push(format!("{key} is {text}, expected {} ({at})", wanted.value.text()));
                    expected.push(format!("{key} {}", wanted.value.text()));
                    actual.push(format!("{key} {text}"));
                }
            }
            Some(Err(why)) => unknown = unknown.or(Some(format!("{key}: {why}"))),
            None => unknown = unknown.or(Some(format!("{key} was not read"))),
        }
    }
    match (wrong.is_empty(), unknown) {
        (true, Some(why)) => Err(Skip::unknown(why)),
        (true, None) => Ok(Verdict::good(proofs)),
        (false, _) => Ok(Verdict::bad(wrong.join("; "), expected.join(", "), actual.join(", "), proofs)),
    }
}
