//! What a check says of a function: status, one sentence, expected and found, and the proof.

use std::borrow::Cow;

use crate::kernel_log::event::Evidence;
use crate::machine::basis::Basis;
use crate::pci::Bdf;
use crate::pci::register::{Field, Register};

use super::registry::Check;

/// Outcome of a check.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// It does not apply here, and the reason says why.
    NotApplicable,
    /// It was read and is as it should be.
    Pass,
    /// Worth a look.
    Warn,
    /// It could not be read or cannot be judged, and the reason says why.
    Unknown,
    /// It is wrong.
    Fail,
}

impl Status {
    /// All of them, worst first.
    pub const ALL: [Status; 5] =
        [Status::Fail, Status::Unknown, Status::Warn, Status::Pass, Status::NotApplicable];

    /// The word for it, as in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Status::Pass => "pass",
            Status::Warn => "warn",
            Status::Fail => "fail",
            Status::Unknown => "unknown",
            Status::NotApplicable => "not-applicable",
        }
    }
}

/// Who can do something about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Who {
    /// Whoever has root on the machine: a command or a kernel parameter.
    Operator,
    /// Whoever may change firmware settings.
    Firmware,
    /// Whoever can touch the machine: seating, riser, power, cooling.
    Provider,
    /// Whoever can replace the part.
    Replacement,
    /// Whoever makes the driver.
    Driver,
    /// Nobody: it is so by design.
    Nobody,
}

impl Who {
    /// The word for it, as in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Who::Operator => "operator",
            Who::Firmware => "firmware",
            Who::Provider => "provider",
            Who::Replacement => "replacement",
            Who::Driver => "driver",
            Who::Nobody => "nobody",
        }
    }
}

/// Something that a stranger can look up.
#[derive(Debug, Clone)]
pub enum Proof {
    /// A register of configuration space.
    Register {
        /// The function.
        address: Bdf,
        /// First part of its dotted path: `header`, `express`, `aer`.
        capability: &'static str,
        /// The table.
        register: &'static Register,
        /// The field that decided; `None` if it is the register as a whole.
        field: Option<&'static Field>,
        /// Offset in configuration space.
        offset: u16,
        /// The raw value.
        raw: u64,
    },
    /// Bytes of configuration space that are no known register.
    Bytes {
        /// The function.
        address: Bdf,
        /// Offset in configuration space.
        offset: u16,
        /// Number of bytes: 1, 2 or 4.
        width: u8,
        /// The value.
        raw: u64,
        /// What it is.
        decoded: &'static str,
    },
    /// A file of the function's folder in sysfs.
    Attribute {
        /// The function.
        address: Bdf,
        /// Path in its folder.
        name: &'static str,
        /// What it holds, or the error that reading it gave.
        text: String,
    },
    /// Any other file.
    File {
        /// Path from the root.
        path: String,
        /// What it holds, as far as it matters.
        text: String,
    },
    /// What was seen of configuration space between two readings.
    Seen {
        /// The function.
        address: Bdf,
        /// When it was and what: `12 s: 16 GT/s x16 to 2.5 GT/s x16`.
        line: String,
    },
    /// A line of the kernel log.
    Log {
        /// The line as it stands there, behind its number where that is known.
        line: String,
    },
}

impl Proof {
    /// A line of the kernel log.
    pub fn line(line: &Evidence) -> Proof {
        Proof::Log {
            line: match line.line {
                0 => line.text.clone(),
                number => format!("line {number}: {}", line.text),
            },
        }
    }

    /// What a conclusion about the machine rests on.
    pub fn basis(basis: &Basis) -> Proof {
        match basis {
            Basis::File { path, text } => Proof::File { path: (*path).to_owned(), text: text.clone() },
            Basis::Line(line) => Proof::line(line),
        }
    }
}

/// What a check found that it could judge.
#[derive(Debug, Clone, Default)]
pub struct Verdict {
    /// Whether it is as it should be.
    pub good: bool,
    /// At most a warning, whatever the profile says.
    pub mild: bool,
    /// One sentence without a full stop. Empty if it is as it should be.
    pub summary: String,
    /// What was expected.
    pub expected: Cow<'static, str>,
    /// What was found.
    pub found: String,
    /// Where it can be looked up.
    pub proofs: Vec<Proof>,
    /// What to do, where it is not what the check says in general.
    pub action: Option<String>,
    /// Who can do it, where it is not who the check says in general.
    pub who: Option<Who>,
}

impl Verdict {
    /// It is as it should be.
    pub fn good(proofs: impl Into<Vec<Proof>>) -> Self {
        Verdict { good: true, proofs: proofs.into(), ..Verdict::default() }
    }

    /// It is not as it should be.
    pub fn bad(
        summary: impl Into<String>,
        expected: impl Into<Cow<'static, str>>,
        found: impl Into<String>,
        proofs: impl Into<Vec<Proof>>,
    ) -> Self {
        Verdict {
            summary: summary.into(),
            expected: expected.into(),
            found: found.into(),
            proofs: proofs.into(),
            ..Verdict::default()
        }
    }

    /// At most a warning.
    pub fn mild(self) -> Self {
        Verdict { mild: true, ..self }
    }

    /// In other words.
    pub fn with_summary(self, summary: impl Into<String>) -> Self {
        Verdict { summary: summary.into(), ..self }
    }

    /// With something else to do than what the check says in general.
    pub fn action(self, who: Who, action: impl Into<String>) -> Self {
        Verdict { who: Some(who), action: Some(action.into()), ..self }
    }
}

/// Why a check has no verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Skip {
    /// It could not be read or cannot be judged.
    Unknown(Cow<'static, str>),
    /// It does not apply here.
    NotApplicable(Cow<'static, str>),
}

impl Skip {
    /// It could not be read or cannot be judged.
    pub fn unknown(reason: impl Into<Cow<'static, str>>) -> Self {
        Skip::Unknown(reason.into())
    }

    /// It does not apply here.
    pub fn not_applicable(reason: impl Into<Cow<'static, str>>) -> Self {
        Skip::NotApplicable(reason.into())
    }
}

/// What a check gives back.
pub type Judged = Result<Verdict, Skip>;

/// A check's outcome for one function, or for the machine as a whole.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The check.
    pub check: &'static Check,
    /// The function; `None`: the machine as a whole.
    pub address: Option<Bdf>,
    /// Number of the `[[device]]` of the expectation that it is about, from 0; `None`: it is about no entry.
    pub entry: Option<usize>,
    /// The outcome.
    pub status: Status,
    /// One sentence, or the reason why there is no verdict. Empty for a pass.
    pub summary: Cow<'static, str>,
    /// The rest of the verdict, if there is one: without its sentence.
    pub verdict: Option<Box<Verdict>>,
}

/// What stands for the verdict of a check that has none.
static NO_VERDICT: Verdict = Verdict {
    good: false,
    mild: false,
    summary: String::new(),
    expected: Cow::Borrowed(""),
    found: String::new(),
    proofs: Vec::new(),
    action: None,
    who: None,
};

impl Finding {
    /// The verdict; an empty one if there is none.
    pub fn verdict(&self) -> &Verdict {
        self.verdict.as_deref().unwrap_or(&NO_VERDICT)
    }
}
