//! The list of all checks, and what is known of each besides its function.

use super::earlier::Earlier;
use super::expectation::{Entry, compare::Compared};
use super::finding::{Judged, Verdict, Who};
use super::log::Logged;
use super::subject::{Subject, Surroundings};
use crate::kernel_log::Event;

/// What becomes of something that a check finds, unless the profile says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// The check is not made.
    Off,
    /// A warning.
    Warn,
    /// A failure.
    Fail,
}

impl Severity {
    /// The word for it, as in profiles.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Off => "off",
            Severity::Warn => "warn",
            Severity::Fail => "fail",
        }
    }
}

/// A number that profiles may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Threshold {
    /// What it is where no profile says otherwise.
    pub default: u64,
    /// What it counts, such as `bytes`.
    pub unit: &'static str,
}

/// What a check is made of.
#[derive(Clone, Copy)]
pub enum Of {
    /// A function in any state: whether anybody answers.
    Presence(fn(&Subject<'_>) -> Judged),
    /// A function that answers.
    Function(fn(&Subject<'_>) -> Judged),
    /// The machine as a whole.
    Machine(fn(&Surroundings<'_>) -> Judged),
    /// The kernel log: what an event means, `None` for events that are of no concern. Made of every function that an event
    /// speaks of, and of the machine as a whole where no event does.
    Log(fn(&Logged<'_>, &Event) -> Option<Verdict>),
    /// A function that answers, at two moments.
    OverTime(fn(&Subject<'_>, &Earlier<'_>) -> Judged),
    /// An entry of an expectation as a whole.
    Entry(fn(&Surroundings<'_>, &Entry) -> Judged),
    /// A function that answers and that an entry of an expectation names: what the entry says, and what is there.
    Expected(fn(&Subject<'_>, &Entry) -> Vec<Compared>),
    /// The machine as a whole, compared with an expectation.
    ExpectedMachine(fn(&Surroundings<'_>) -> Judged),
}

/// Whether what a check finds may have happened long ago.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lasting {
    /// It is so now.
    No,
    /// A bit that stays until software clears it: a second error of the kind leaves it as it is.
    Bits,
    /// A counter since the machine started: every further error shows.
    Counter,
}

/// A check.
pub struct Check {
    /// Its name, which never changes.
    pub id: &'static str,
    /// What must hold: one sentence.
    pub rule: &'static str,
    /// What becomes of something it finds, unless the profile says otherwise.
    pub severity: Severity,
    /// Registers, files and log lines that it reads.
    pub reads: &'static str,
    /// Why it matters.
    pub why: &'static str,
    /// Where the rule comes from.
    pub reference: &'static str,
    /// What to do.
    pub remedy: &'static str,
    /// Who can do it.
    pub who: Who,
    /// When it finds something that is no fault.
    pub false_positives: &'static str,
    /// A number that profiles may change.
    pub threshold: Option<Threshold>,
    /// Whether what it finds may be old: a second reading tells then.
    pub lasting: Lasting,
    /// How it is made.
    pub of: Of,
}

impl Check {
    /// What the others are made from.
    pub const BASE: Check = Check {
        id: "",
        rule: "",
        severity: Severity::Fail,
        reads: "",
        why: "",
        reference: "",
        remedy: "",
        who: Who::Operator,
        false_positives: "None known.",
        threshold: None,
        lasting: Lasting::No,
        of: Of::Machine(|_| Ok(super::finding::Verdict::good([]))),
    };
}

impl std::fmt::Debug for Check {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Check({})", self.id)
    }
}

/// A family: checks that share a subject, with the heading under which the documentation has them.
pub struct Family {
    /// The heading.
    pub name: &'static str,
    /// The checks.
    pub checks: &'static [Check],
}

/// All families in the order in which they are made.
pub static FAMILIES: &[Family] = &[
    Family { name: "Presence", checks: super::presence::CHECKS },
    Family { name: "Identity and driver", checks: super::identity::CHECKS },
    Family { name: "Link", checks: super::link::CHECKS },
    Family { name: "Link state", checks: super::link_state::CHECKS },
    Family { name: "Slot", checks: super::slot::CHECKS },
    Family { name: "Slots as firmware describes them", checks: super::slot_map::CHECKS },
    Family { name: "ASPM", checks: super::aspm::CHECKS },
    Family { name: "Errors that Linux counts", checks: super::aer::CHECKS },
    Family { name: "Errors in registers", checks: super::error_registers::CHECKS },
    Family { name: "Containment", checks: super::containment::CHECKS },
    Family { name: "Interrupts", checks: super::interrupts::CHECKS },
    Family { name: "MSI-X vector table", checks: super::vector_table::CHECKS },
    Family { name: "BARs and windows", checks: super::bars::CHECKS },
    Family { name: "Command and status", checks: super::device::CHECKS },
    Family { name: "Device Control", checks: super::control::CHECKS },
    Family { name: "Device Control 2", checks: super::control_2::CHECKS },
    Family { name: "Features of two ends", checks: super::features::CHECKS },
    Family { name: "Power", checks: super::power::CHECKS },
    Family { name: "Isolation", checks: super::isolation::CHECKS },
    Family { name: "Platform", checks: super::platform::CHECKS },
    Family { name: "Kernel log", checks: super::log::CHECKS },
    Family { name: "Over time", checks: super::over_time::CHECKS },
    Family { name: "Expectation", checks: super::expected::CHECKS },
];

/// All checks in the order in which they are made.
pub fn all() -> impl Iterator<Item = &'static Check> {
    FAMILIES.iter().flat_map(|family| family.checks)
}

/// A check by name.
pub fn find(id: &str) -> Option<&'static Check> {
    all().find(|check| check.id == id)
}
