//! `check`: findings with their evidence, as they are printed.

use crate::check::finding::{Finding, Proof, Status, Who};
use crate::check::registry::{self, Of};
use crate::machine::board::{Board, read_board};
use crate::pci::Bdf;
use crate::pci::register::Register;

use super::Inspection;
use super::list::title;
use super::value::text_value;

/// Answer of `check`.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct Check {
    /// The worst of what was found: fail; unknown if it concerns presence, a check or an expectation that was asked for by
    /// name; warn; pass.
    pub result: Status,
    /// The machine in the words of its firmware: what the findings are of.
    pub board: Board,
    /// Name of the profile that decided between warning and failure.
    pub profile: String,
    /// Seconds between the first and the last reading of `--for` and `--while`; `null` if the machine was read once.
    pub seconds: Option<f64>,
    /// Whether the machine was also read while the command of `--while` was running, and the worse of that reading and the
    /// last one counts; `null` with one reading.
    pub under_load: Option<bool>,
    /// How many findings of each kind.
    pub counts: Counts,
    /// The functions that were checked.
    pub functions: Vec<Checked>,
    /// What was found, by function; the machine as a whole last. Without `--all` neither passes nor what does not apply.
    pub findings: Vec<Report>,
    /// What was noticed while reading.
    pub notes: Vec<String>,
}

/// Number of findings of each kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, schemars::JsonSchema)]
pub struct Counts {
    /// As it should be.
    pub pass: usize,
    /// Worth a look.
    pub warn: usize,
    /// Wrong.
    pub fail: usize,
    /// Could not be read or judged.
    pub unknown: usize,
    /// Does not apply, or is switched off in the profile.
    pub not_applicable: usize,
}

/// A function that was checked.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct Checked {
    /// Its address.
    #[schemars(with = "String")]
    pub address: Bdf,
    /// Name and identifiers.
    pub device: String,
    /// How many findings of each kind it has.
    pub counts: Counts,
}

/// One finding.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct Report {
    /// Name of the check.
    pub check: String,
    /// The function; `null`: the machine as a whole.
    #[schemars(with = "Option<String>")]
    pub address: Option<Bdf>,
    /// Number of the `[[device]]` of the expectation that it is about, from 0; left out where it is about none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry: Option<usize>,
    /// The outcome.
    pub status: Status,
    /// One sentence: what is wrong, why it is not known, why it does not apply. Empty for a pass.
    pub summary: String,
    /// What was expected; `null` without a verdict.
    pub expected: Option<String>,
    /// What was found; `null` without a verdict.
    pub found: Option<String>,
    /// Where it can be looked up.
    pub evidence: Vec<Evidence>,
    /// What to do; `null` if nothing is wrong.
    pub action: Option<String>,
    /// Who can do it; `null` if nothing is wrong.
    pub who: Option<Who>,
}

/// Something that a stranger can look up.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct Evidence {
    /// The file, from the root of the machine; `kernel log` for lines of it.
    pub path: String,
    /// Offset in the file, in bytes.
    pub offset: Option<u16>,
    /// Number of bytes.
    pub width: Option<u8>,
    /// The bytes as a little-endian number, such as `0x0142`.
    pub raw: Option<String>,
    /// What they mean, or the text of the file, or the line.
    pub decoded: String,
}

impl Counts {
    /// Counts one more.
    pub fn add(&mut self, status: Status) {
        *match status {
            Status::Pass => &mut self.pass,
            Status::Warn => &mut self.warn,
            Status::Fail => &mut self.fail,
            Status::Unknown => &mut self.unknown,
            Status::NotApplicable => &mut self.not_applicable,
        } += 1;
    }

    /// The number of one kind.
    pub fn of(self, status: Status) -> usize {
        match status {
            Status::Pass => self.pass,
            Status::Warn => self.warn,
            Status::Fail => self.fail,
            Status::Unknown => self.unknown,
            Status::NotApplicable => self.not_applicable,
        }
    }
}

/// The answer. `named` are the checks that were asked for by name, `all` keeps passes and what does not apply.
pub fn check(
    inspection: Inspection<'_>,
    profile: &str,
    findings: &[Finding],
    named: &[String],
    all: bool,
    notes: Vec<String>,
) -> Check {
    let mut counts = Counts::default();
    let mut functions: Vec<Checked> = Vec::new();
    for finding in findings {
        counts.add(finding.status);
        let Some(address) = finding.address else { continue };
        if functions.last().is_none_or(|f| f.address != address) {
            let function = inspection.machine.get(address);
            let device = function.map(|f| title(inspection.names, f)).unwrap_or_default();
            functions.push(Checked { address, device, counts: Counts::default() });
        }
        if let Some(checked) = functions.last_mut() {
            checked.counts.add(finding.status);
        }
    }
    let shown = |f: &&Finding| all || !matches!(f.status, Status::Pass | Status::NotApplicable);
    Check {
        result: result(findings, named),
        board: read_board(inspection.tree),
        profile: profile.to_owned(),
        seconds: None,
        under_load: None,
        counts,
        functions,
        findings: findings.iter().filter(shown).map(report).collect(),
        notes,
    }
}

/// The worst of what counts: unknowns count where they concern presence or what was asked for by name.
pub fn result(findings: &[Finding], named: &[String]) -> Status {
    let concerns = |f: &Finding| match f.status {
        Status::Unknown => {
            let expected = matches!(f.check.of, Of::Entry(_) | Of::Expected(_) | Of::ExpectedMachine(_));
            expected || f.check.id.starts_with("presence-") || named.iter().any(|n| n == f.check.id)
        }
        Status::NotApplicable => false,
        _ => true,
    };
    findings.iter().filter(|f| concerns(f)).map(|f| f.status).max().unwrap_or(Status::Pass)
}

/// A finding as it is printed.
pub fn report(finding: &Finding) -> Report {
    let verdict = finding.verdict();
    let wrong = matches!(finding.status, Status::Warn | Status::Fail);
    let text = |text: &str| wrong.then(|| text.to_owned());
    let action = verdict.action.as_deref().unwrap_or(finding.check.remedy);
    Report {
        check: finding.check.id.to_owned(),
        address: finding.address,
        entry: finding.entry,
        status: finding.status,
        summary: finding.summary.to_string(),
        expected: text(&verdict.expected),
        found: text(&verdict.found),
        evidence: verdict.proofs.iter().map(evidence).collect(),
        action: text(action),
        who: wrong.then(|| verdict.who.unwrap_or(finding.check.who)),
    }
}

fn config(address: Bdf) -> String {
    format!("sys/bus/pci/devices/{address}/config")
}

/// Evidence in words.
pub fn evidence(proof: &Proof) -> Evidence {
    let hexadecimal =
        |raw: u64, width: u8| Some(format!("{raw:#0digits$x}", digits = usize::from(width) * 2 + 2));
    match proof {
        Proof::Register { address, capability, register, field, offset, raw } => Evidence {
            path: config(*address),
            offset: Some(*offset),
            width: Some(register.width),
            raw: hexadecimal(*raw, register.width),
            decoded: match field {
                Some(field) => {
                    let value = text_value(field, *raw);
                    format!("{capability}.{}.{} = {value}", register.key, field.key)
                }
                None => format!("{capability}.{}{}", register.key, set_fields(register, *raw)),
            },
        },
        Proof::Bytes { address, offset, width, raw, decoded } => Evidence {
            path: config(*address),
            offset: Some(*offset),
            width: Some(*width),
            raw: hexadecimal(*raw, *width),
            decoded: (*decoded).to_owned(),
        },
        Proof::Attribute { address, name, text } => Evidence {
            path: format!("sys/bus/pci/devices/{address}/{name}"),
            offset: None,
            width: None,
            raw: None,
            decoded: shortened(text),
        },
        Proof::File { path, text } => {
            Evidence { path: path.clone(), offset: None, width: None, raw: None, decoded: shortened(text) }
        }
        Proof::Seen { address, line } => {
            Evidence { path: config(*address), offset: None, width: None, raw: None, decoded: line.clone() }
        }
        Proof::Log { line } => Evidence {
            path: "kernel log".to_owned(),
            offset: None,
            width: None,
            raw: None,
            decoded: line.clone(),
        },
    }
}

/// Short names of the flags that are set.
fn set_fields(register: &Register, raw: u64) -> String {
    let flags = register.fields.iter().filter(|f| f.high == f.low && f.extract(raw) != 0);
    let names: Vec<&str> = flags.map(|f| f.short).collect();
    if names.is_empty() { String::new() } else { format!(": {}", names.join(" ")) }
}

/// A file of several lines in one; very long ones are cut, since the file itself is there to be looked at.
fn shortened(text: &str) -> String {
    let line = text.lines().collect::<Vec<_>>().join("; ");
    match line.char_indices().nth(200) {
        Some((end, _)) => format!("{} …", &line[..end]),
        None => line,
    }
}

/// A check as `explain` and `check --list` show it.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct CheckExplanation {
    /// Its name.
    pub id: &'static str,
    /// The heading under which the documentation has it.
    pub family: &'static str,
    /// What must hold.
    pub rule: &'static str,
    /// What becomes of something that it finds, unless the profile says otherwise: off, warn, fail.
    pub severity: &'static str,
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
    /// Number that profiles may change, with its unit.
    pub threshold: Option<String>,
    /// What the profiles of the program say, in their order.
    pub profiles: Vec<InProfile>,
}

/// What a profile says of a check.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct InProfile {
    /// Name of the profile.
    pub profile: &'static str,
    /// What becomes of something that is found, with the threshold where the profile sets it.
    pub says: String,
    /// Why.
    pub why: String,
}

/// Every check, in the order in which they are made.
pub fn explanations() -> Vec<CheckExplanation> {
    use crate::check::profile::{EMBEDDED, Profile};
    let profiles: Vec<(&'static str, Profile)> =
        EMBEDDED.iter().filter_map(|(name, text)| Some((*name, Profile::parse(text).ok()?))).collect();
    let explain = |family: &'static str, check: &'static registry::Check| CheckExplanation {
        id: check.id,
        family,
        rule: check.rule,
        severity: check.severity.name(),
        reads: check.reads,
        why: check.why,
        reference: check.reference,
        remedy: check.remedy,
        who: check.who,
        false_positives: check.false_positives,
        threshold: check.threshold.map(|t| format!("{} {}", t.default, t.unit)),
        profiles: profiles
            .iter()
            .filter_map(|(name, profile)| {
                let setting = profile.settings.get(check.id)?;
                let severity = profile.severity(check).name();
                let unit = check.threshold.map_or("", |t| t.unit);
                let says = match setting.threshold {
                    Some(number) => format!("{severity}, {number} {unit}"),
                    None => severity.to_owned(),
                };
                Some(InProfile { profile: name, says, why: setting.why.clone() })
            })
            .collect(),
    };
    let families = registry::FAMILIES.iter();
    families.flat_map(|f| f.checks.iter().map(move |c| (f.name, c))).map(|(f, c)| explain(f, c)).collect()
}
