//! How a report begins: what it is about, and what is the matter in few sentences.

use crate::check::finding::Status;

use super::patients::Patient;
use super::timeline::{moment, trouble};
use super::{Audience, Material};

/// The title.
pub fn title(audience: Audience, material: Material<'_>, patients: &[Patient]) -> String {
    let machine = material.board.product.as_deref().or(material.board.board.as_deref());
    let of = machine.map(|name| format!(" of {name}")).unwrap_or_default();
    match (audience, patients) {
        (Audience::Qualification, _) => format!("Qualification{of}"),
        (_, []) => format!("PCI Express{of}: no device has failed"),
        (_, [one]) => format!("{}{of}: {}", capital(&one.place_text()), one.says),
        (_, several) => format!("{} devices{of} have trouble", several.len()),
    }
}

/// The sentences.
pub fn opening(material: Material<'_>, patients: &[Patient], audience: Audience) -> Vec<String> {
    let mut out = Vec::new();
    for patient in patients {
        let name = patient.device.clone().unwrap_or_else(|| "The device".to_owned());
        let port = patient.port.map(|port| format!(" below port {port}")).unwrap_or_default();
        let listed = if patient.listed { "" } else { " It is not listed by the kernel any more." };
        out.push(format!("{name} in {}{port}: {}.{listed}", patient.place_text(), patient.says));
        if let Some(first) = trouble(material, patient).first() {
            out.push(format!(
                "The first line of the kernel log about it, at {}: \u{201c}{}\u{201d}.",
                moment(&first.first),
                first.message
            ));
        }
    }
    let count = |status| material.findings.iter().filter(|f| f.status == status).count();
    if patients.is_empty() || audience == Audience::Qualification {
        out.push(format!(
            "{} functions were checked with the profile {}: {} checks failed, {} warned, {} could not be judged, {} passed.",
            material.inspection.machine.wanted.len(),
            material.profile,
            count(Status::Fail),
            count(Status::Warn),
            count(Status::Unknown),
            count(Status::Pass)
        ));
    }
    out
}

/// The text with a capital letter in front.
pub fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}
