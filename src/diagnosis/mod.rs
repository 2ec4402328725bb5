//! From events and state to one verdict a device: what broke, how that is known, what helps and who has to do it.
//!
//! ```text
//! kernel_log ──► signs_bus, signs_device ──► observe ──► rules_gone, rules_working ──► judge ──► advice, found
//! machine, check ──► state ──────────────────┘                                           a Diagnosis with what to do
//! ```
//!
//! A *sign* is something that can be seen: a kind of event with conditions, a finding of a check, a state of presence. A
//! *rule* names signs: what must have been seen, what before it, what rules it out. Both are tables; the first rule that
//! fires decides. State tells what is now, the log why: signs of the state stand behind everything that was logged.

pub mod advice;
pub mod found;
pub mod judge;
pub mod observe;
pub mod rule;
mod rules_gone;
mod rules_working;
pub mod sign;
mod signs_bus;
mod signs_device;
pub mod state;
pub mod subject;
pub mod topology;
mod undone;
pub mod verdict;
mod waking;

use std::collections::BTreeSet;

use crate::check::subject::Surroundings;
use crate::kernel_log::event::Value;
use crate::kernel_log::source::{Source, read_events};
use crate::machine::platform::read_platform;
use crate::machine::reading::Depth;
use crate::machine::{self, DEADLINE, Scope};
use crate::pci::Bdf;
use crate::tree::{Result, Tree};

pub use judge::Diagnosis;
pub use observe::{Sources, Subject};
pub use verdict::{Confidence, Verdict};

/// A diagnosis of everybody of whom something is known, in the order of their addresses. What the log names otherwise than
/// by address is left out if nothing is known to be the matter with it.
pub fn diagnose<'a>(sources: &Sources<'a>) -> Vec<Diagnosis<'a>> {
    let mut diagnoses: Vec<Diagnosis<'a>> =
        sources.subjects().into_iter().map(|subject| judge::judge(sources, subject)).collect();
    leave_to_those_below(sources, &mut diagnoses);
    let shown = |d: &Diagnosis<'_>| match &d.subject {
        // What is not in the machine was not read: only trouble tells of it.
        Subject::Function(address) => {
            let read = sources.scene.is_none_or(|scene| scene.machine().wanted.contains(address));
            read || d.verdict != Verdict::Healthy
        }
        Subject::Named(_) => {
            d.verdict != Verdict::Healthy && (d.verdict != Verdict::Unknown || d.has("driver-alarm"))
        }
    };
    diagnoses.retain(shown);
    diagnoses
}

/// Verdicts from the state and the log of a tree that is not this machine: of the functions that are wanted, and of everybody
/// else of whom its log speaks. With each the rule that decided.
pub fn verdicts(
    tree: &dyn Tree,
    wanted: &(dyn Fn(Bdf) -> bool + Sync),
) -> Result<Vec<(Subject, Verdict, Option<&'static str>)>> {
    let scope =
        Scope { depth: Depth::Full, wanted, wake: false, deadline: DEADLINE, vital_product_data: false };
    let machine = machine::load(tree, false, scope)?;
    let interrupts = machine::interrupts::read_interrupts(tree);
    let platform = read_platform(tree, false, interrupts.as_deref());
    let profile = state::profile();
    let log = read_events(Source { tree, live: false, file: None }).ok();
    let scene = state::Scene::new(Surroundings {
        interrupts: interrupts.as_deref(),
        log: log.as_ref(),
        ..Surroundings::new(&machine, &platform, tree, &profile)
    });
    let sources = Sources::new(log.as_ref(), Some(&scene));
    Ok(diagnose(&sources).into_iter().map(|d| (d.subject, d.verdict, d.rule.map(|rule| rule.id))).collect())
}

/// The rule about links that go down and come back.
const FLAPS: &str = "link-flaps";

/// Whether what was seen is a report of Surprise Down and of nothing else.
fn is_surprise_down(observation: &observe::Observation<'_>) -> bool {
    let errors = observation.event().and_then(|event| match event.fields.get("errors") {
        Some(Value::List(errors)) => Some(errors),
        _ => None,
    });
    let is = |error: &String| ["SDES", "Surprise Down"].iter().any(|name| error.starts_with(name));
    errors.is_some_and(|errors| !errors.is_empty() && errors.iter().all(is))
}

/// What a port says of its slot, and of errors that it received, is the matter with what is below it: where that is known and has a
/// verdict of its own, the port is well.
fn leave_to_those_below(sources: &Sources<'_>, diagnoses: &mut [Diagnosis<'_>]) {
    use Verdict::{LinkDown, PowerStateStuck, SlotPower, SurpriseRemoved};
    let told =
        [SurpriseRemoved, LinkDown, SlotPower, PowerStateStuck, Verdict::ErrorStorm, Verdict::DegradedLink];
    let (mut below, mut sent, mut flap) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for diagnosis in diagnoses.iter() {
        let above = || sources.above(&diagnosis.subject).0;
        if diagnosis.verdict.status() == 2 {
            below.extend(above());
        }
        if diagnosis.has("uncorrected-errors") {
            sent.extend(above());
        }
        if diagnosis.rule.is_some_and(|rule| rule.id == FLAPS) {
            flap.extend(above());
        }
    }
    for diagnosis in diagnoses.iter_mut().filter(|d| told.contains(&d.verdict)) {
        let of_slot = |place: usize| {
            diagnosis.observations.get(place).is_some_and(|o| o.sign.place == sign::Place::OwnOrAbove)
        };
        let is_in = |ports: &BTreeSet<Bdf>| matches!(&diagnosis.subject, Subject::Function(address) if ports.contains(address));
        let flaps = diagnosis.rule.is_some_and(|rule| rule.id == FLAPS);
        // That its link went down unasked is what became of the device.
        let lost =
            diagnosis.first.and_then(|place| diagnosis.observations.get(place)).is_some_and(is_surprise_down);
        let received = diagnosis.rule.is_some_and(|rule| rule.id == "errors-received");
        // Surprise Down stays latched at the port whose device went.
        let latched = diagnosis.rule.is_some_and(|rule| rule.id == "error-latched");
        let without = diagnosis.rule.is_some_and(|rule| rule.id == "card-without-link-now");
        let slot =
            diagnosis.verdict != Verdict::ErrorStorm && diagnosis.first.is_some_and(of_slot) || without;
        if is_in(&below) && (slot || latched || lost)
            || (is_in(&below) || is_in(&sent)) && received
            || is_in(&flap) && flaps
        {
            diagnosis.verdict = Verdict::Healthy;
            diagnosis.confidence = Confidence::Likely;
            diagnosis.level = Verdict::Healthy.level();
            diagnosis.rule = None;
            diagnosis.first = None;
            diagnosis.followed.clear();
        }
    }
}
