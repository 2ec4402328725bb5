//! What a device is, and how it was set up.

use crate::check::bars::rebar_sizes;
use crate::check::expectation::Entry;
use crate::check::expectation::compare::{Compared, identity_found};
use crate::check::finding::{Proof, Skip};
use crate::check::subject::{Read, Subject};
use crate::inspect::value::size_text;
use crate::pci::capability::msix;
use crate::pci::extended::sriov;

pub(super) fn identity(subject: &Subject<'_>, entry: &Entry) -> Vec<Compared> {
    let keys = entry.identity.iter().filter(|(key, _)| entry.compares(key));
    keys.map(|(key, wanted)| Compared::text(key, wanted, identity_found(subject, key))).collect()
}

pub(super) fn driver(subject: &Subject<'_>, entry: &Entry) -> Vec<Compared> {
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

pub(super) fn firmware(subject: &Subject<'_>, entry: &Entry) -> Vec<Compared> {
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

pub(super) fn vectors(subject: &Subject<'_>, entry: &Entry) -> Vec<Compared> {
    let Some(wanted) = &entry.msix_vectors else { return Vec::new() };
    let found = || -> Result<(u64, Vec<Proof>), Skip> {
        let control: Read<msix::Control> = subject.register(&msix::SPECIFICATION)?;
        Ok((u64::from(control.vectors()), vec![control.field("table_size")]))
    };
    vec![Compared::value("msix_vectors", wanted, none_is_zero(wanted.value, found()), u64::to_string)]
}

pub(super) fn bar_sizes(subject: &Subject<'_>, entry: &Entry) -> Vec<Compared> {
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

pub(super) fn virtual_functions(subject: &Subject<'_>, entry: &Entry) -> Vec<Compared> {
    let Some(wanted) = &entry.virtual_functions else { return Vec::new() };
    let found = || -> Result<(u64, Vec<Proof>), Skip> {
        let control: Read<sriov::Control> = subject.register(&sriov::SPECIFICATION)?;
        let number: Read<sriov::NumVfs> = subject.register(&sriov::SPECIFICATION)?;
        let enabled = if control.vf_enable() { u64::from(number.number()) } else { 0 };
        Ok((enabled, vec![control.field("vf_enable"), number.proof]))
    };
    vec![Compared::value("virtual_functions", wanted, none_is_zero(wanted.value, found()), u64::to_string)]
}

/// Where none is expected, a function without the capability is as expected. Where some are, it says why there are none.
fn none_is_zero(wanted: u64, found: Result<(u64, Vec<Proof>), Skip>) -> Result<(u64, Vec<Proof>), Skip> {
    match found {
        Err(Skip::NotApplicable(_)) if wanted == 0 => Ok((0, Vec::new())),
        found => found,
    }
}
