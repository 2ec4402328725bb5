//! `report`: what somebody who has to act must know, with the proof, as one piece.
//!
//! Everything in it is made by other commands (`check`, `path`, `log`, `show`, `list`); what is added is who has to do what:
//! [`requests`] to whoever may change firmware settings or touch the machine.

mod about;
pub mod appendix;
mod behind;
mod fill;
mod link_speed;
pub mod management;
pub mod opening;
pub mod patients;
pub mod registers;
pub mod requests;
mod right;
pub mod settings;
mod software;
pub mod timeline;
mod tried;
mod verification;

use crate::check::finding::{Finding, Status, Who};
use crate::check::subject::Surroundings;
use crate::kernel_log::stamp::When;
use crate::kernel_log::{Event, Log};
use crate::machine::Function;
use crate::machine::board::Board;
use crate::machine::wall_clock::Started;
use crate::pci::Bdf;

use super::Inspection;
use super::check::{self, Counts};
use super::diagnose::Device;
use super::list::{Summary, summary};
use super::path::{FunctionPath, function_path};
use appendix::Appendix;
use management::Management;
use patients::Patient;
use registers::RegisterRow;
use requests::{Request, Right};
use timeline::Timeline;

/// For whom a report is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Audience {
    /// Whoever owns the machine and may change its firmware settings or touch it.
    Provider,
    /// Whoever has root on it.
    Operator,
    /// Whoever decides whether a machine is taken into service.
    Qualification,
}

impl Audience {
    /// The word for it, as in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Audience::Provider => "provider",
            Audience::Operator => "operator",
            Audience::Qualification => "qualification",
        }
    }
}

/// Answer of `report`.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct Report {
    /// For whom it is.
    #[serde(rename = "for")]
    pub audience: Audience,
    /// What it is about, in one line.
    pub title: String,
    /// What is the matter, in sentences.
    pub opening: Vec<String>,
    /// What was read.
    pub machine: MachineFacts,
    /// The devices that have trouble.
    pub patients: Vec<Patient>,
    /// What `diagnose` says of them: the verdict, why, what helps and what does not.
    pub diagnoses: Vec<Device>,
    /// What is asked of whom, by number.
    pub requests: Vec<Request>,
    /// What was looked at and is as it should be.
    pub already_right: Vec<Right>,
    /// What cannot be seen from here, and who can.
    pub not_measured: Vec<String>,
    /// The ways to the devices that have trouble.
    pub paths: Vec<FunctionPath>,
    /// How many findings of each kind the checks have.
    pub counts: Counts,
    /// Name of the profile that decided between warning and failure.
    pub profile: String,
    /// What the checks found, with evidence.
    pub findings: Vec<check::Report>,
    /// What the kernel log says, in the order of time.
    pub timeline: Timeline,
    /// Registers that matter, with their raw values.
    pub registers: Vec<RegisterRow>,
    /// The functions of the machine.
    pub functions: Vec<Summary>,
    /// Full decode and bytes of the functions that matter.
    pub appendix: Vec<Appendix>,
    /// What was noticed while reading.
    pub notes: Vec<String>,
}

/// The machine and how it was read.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct MachineFacts {
    /// What the source is.
    pub source: String,
    /// What firmware says of the machine.
    pub board: Board,
    /// First line of `/proc/version`.
    pub kernel: Option<String>,
    /// The kernel's command line.
    pub command_line: Option<String>,
    /// When the machine started, in UTC, and what tells; `null` if nothing does.
    pub started: Option<String>,
    /// When it was captured, in UTC; `null` if the source does not say.
    pub captured: Option<String>,
    /// What was done about serial numbers, addresses and names; `null` of a machine that is simulated.
    pub personal_data: Option<String>,
    /// Name and version of this program.
    pub program: String,
}

/// The profile that is taken where nobody asks for one.
const DEFAULT_PROFILE: &str = "minimal";

/// Everything that a report is made from.
#[derive(Clone, Copy)]
pub struct Material<'a> {
    /// The machine.
    pub inspection: Inspection<'a>,
    /// The same as checks see it.
    pub around: Surroundings<'a>,
    /// What the checks found of everything.
    pub findings: &'a [Finding],
    /// What `diagnose` says of every device.
    pub diagnoses: &'a [Device],
    /// The board.
    pub board: &'a Board,
    /// What the source is, in one line.
    pub source: &'a str,
    /// Name of the profile.
    pub profile: &'a str,
    /// What the management controller says.
    pub management: &'a Management,
    /// When the machine started, if that is the start of the log's last boot.
    pub started: Option<&'a Started>,
    /// When it was captured.
    pub captured: Option<&'a str>,
    /// What was done about personal data.
    pub personal_data: Option<&'a str>,
}

impl<'a> Material<'a> {
    /// When an event first happened, in words.
    pub fn moment(self, event: &Event) -> String {
        match self.date(event, &event.first) {
            Some(date) => format!("{} ({date})", timeline::moment(&event.first)),
            None => timeline::moment(&event.first),
        }
    }

    /// The date of a time since the start, where the start of that boot is known and the log itself has no date.
    pub fn date(self, event: &Event, when: &When) -> Option<String> {
        let boots = &self.log()?.boots;
        let last = event.boot + 1 >= boots.len();
        let this = boots.get(event.boot).is_none_or(|boot| boot.relative.is_none_or(|number| number == 0));
        let time = when.microseconds.filter(|_| last && this && when.clock.is_none())?;
        Some(self.started?.date(time))
    }

    /// Whether somebody asked for a profile: its warnings are wishes then.
    pub fn is_profile_chosen(self) -> bool {
        self.profile != DEFAULT_PROFILE
    }

    /// Whether somebody named the function, out of several.
    pub fn is_named(self, address: Bdf) -> bool {
        let machine = self.inspection.machine;
        machine.wanted.len() < machine.functions.len() && machine.wanted.contains(&address)
    }

    /// What `diagnose` says of a function.
    pub fn diagnosis(self, address: Bdf) -> Option<&'a Device> {
        let text = address.to_string();
        self.diagnoses.iter().find(|device| device.address.as_deref() == Some(text.as_str()))
    }

    /// The kernel log, if there is one.
    pub fn log(self) -> Option<&'a Log> {
        self.around.log
    }
}

/// The answer. Every wanted function is looked at.
pub fn report(material: Material<'_>, audience: Audience, notes: Vec<String>) -> Report {
    let inspection = material.inspection;
    let patients = patients::patients(material, audience);
    let asked = requests::requests(material, &patients, audience);
    let way = |patient: &Patient| {
        let place = [patient.address].into_iter().chain(patient.port);
        let function = place.into_iter().find_map(|a| inspection.machine.get(a))?;
        Some(function_path(inspection, function, material.around.interrupts))
    };
    let mut counts = Counts::default();
    material.findings.iter().for_each(|finding| counts.add(finding.status));
    let findings = findings(material, &patients, audience);
    let mine: Vec<&Function> = appendix::functions(material, &patients);
    Report {
        audience,
        title: opening::title(audience, material, &patients),
        opening: opening::opening(material, &patients, audience, &asked.requests),
        machine: MachineFacts {
            source: material.source.to_owned(),
            board: material.board.clone(),
            kernel: inspection.platform.kernel.clone(),
            command_line: inspection.platform.command_line.clone(),
            started: material.started.map(|s| format!("{}, by {}", s.date(0), s.source)),
            captured: material.captured.map(str::to_owned),
            personal_data: material.personal_data.map(str::to_owned),
            program: concat!("pciscope ", env!("CARGO_PKG_VERSION")).to_owned(),
        },
        paths: patients.iter().filter_map(way).collect(),
        timeline: timeline::timeline(material, &patients),
        registers: registers::registers(material, &patients, &findings),
        functions: inspection.machine.wanted().map(|f| summary(inspection.names, f)).collect(),
        appendix: mine.into_iter().map(|f| appendix::appendix(inspection, f)).collect(),
        counts,
        profile: material.profile.to_owned(),
        findings: findings
            .into_iter()
            .map(|finding| software::without_hands(material, &patients, check::report(finding)))
            .map(
                |finding| {
                    if audience == Audience::Provider { software::in_a_letter(finding) } else { finding }
                },
            )
            .collect(),
        requests: asked.requests,
        already_right: asked.right,
        not_measured: asked.not_measured,
        diagnoses: patients.iter().filter_map(|p| p.diagnosis(material)).cloned().collect(),
        patients,
        notes,
    }
}

/// What is shown of the findings: for a qualification everything that is wrong or not known, else what concerns the devices
/// that have trouble and the way to them, and what failed anywhere. The worst first.
fn findings<'a>(material: Material<'a>, patients: &[Patient], audience: Audience) -> Vec<&'a Finding> {
    let near =
        |finding: &Finding| finding.address.is_none_or(|a| patients.iter().any(|p| p.place.contains(&a)));
    let shown = |f: &&Finding| match (audience, f.status) {
        (_, Status::Fail) => true,
        (Audience::Qualification, Status::Warn | Status::Unknown) => true,
        (_, Status::Warn) => near(f),
        _ => false,
    };
    let mut findings: Vec<&Finding> = material.findings.iter().filter(shown).collect();
    let rank = |f: &&Finding| {
        let theirs = match audience {
            Audience::Provider => {
                let who = f.verdict().who.unwrap_or(f.check.who);
                !matches!(who, Who::Provider | Who::Firmware | Who::Replacement)
            }
            _ => false,
        };
        let place = match f.status {
            Status::Fail => 0,
            Status::Warn => 1,
            _ => 2,
        };
        (place, theirs)
    };
    findings.sort_by_key(rank);
    findings
}
