//! Why a link is slow: somebody limited it, or it could not be trained faster.

use crate::check::finding::{Finding, Status};
use crate::check::subject::register;
use crate::diagnosis::Verdict;
use crate::inspect::check::{Evidence, evidence};
use crate::inspect::value::speed_number;
use crate::machine::link;
use crate::pci::capability::express::{self, LinkControl2};

use super::Material;
use super::patients::Patient;
use super::requests::{about, is_wrong};
use super::settings::{Setting, Standing};

/// The check of whether a link is slower than both ends.
pub const SLOW: &str = "link-speed-below-path";

/// Leaves of the reasons to touch the card a slow link only where that has to do with contacts: not where the port's target
/// speed is the reason, and not where the device may only save power.
pub fn only_contacts(material: Material<'_>, patient: &Patient, wrong: &mut Vec<&Finding>) {
    let limited = about(material, patient).any(|f| f.check.id == "link-target-limited" && is_wrong(f));
    let degraded = patient.diagnosis(material).is_some_and(|d| d.verdict == Verdict::DegradedLink);
    wrong.retain(|f| f.check.id != SLOW || !limited && (degraded || f.status == Status::Fail));
}

/// That the port can less than the card is seen; whether a setting is the reason is not.
pub fn standing(setting: &Setting, wrong: &[&Finding]) -> Standing {
    match setting.topic {
        "link-speed" if wrong.iter().all(|f| f.check.id == "link-speed-below-own") => Standing::Correlation,
        _ => setting.standing,
    }
}

/// Of a link that is slow without being told to: what was found of its target speed (PCIe 6.2, 7.5.3.19), as far as that was
/// read.
pub fn not_limited(
    material: Material<'_>,
    patient: &Patient,
    wrong: &[&Finding],
) -> Option<(String, Vec<Evidence>)> {
    if !wrong.iter().any(|f| f.check.id == SLOW) {
        return None;
    }
    let port = material.inspection.machine.get(patient.port?)?;
    let target = link::link(port)?.target_speed_mts?;
    let control = register::<LinkControl2>(port, &express::SPECIFICATION).ok()?;
    let found = format!(
        "the target speed of {} is {} GT/s and does not limit the link; some machines limit slots in other ways, which cannot be \
         read",
        port.address,
        speed_number(target)
    );
    Some((found, vec![evidence(&control.field("target_link_speed"))]))
}
