//! `diagnose`: one verdict a device, with everything that a person needs to believe it and to act on it.

use crate::check::finding::{Proof, Who};
use crate::diagnosis::advice::{self, Kind};
use crate::diagnosis::judge::{Outcome, Tried};
use crate::diagnosis::observe::{NOW, Observation, Seen};
use crate::diagnosis::state::CLEARING;
use crate::diagnosis::{Confidence, Diagnosis, Sources, Subject, Verdict, found};
use crate::kernel_log::{Event, Level, Log};
use crate::machine::aer;
use crate::names::Names;

use super::check::{self, Evidence as Looked};
use super::list::title;
use super::log::{Moment, level};

/// Answer of `diagnose`.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct Diagnose {
    /// The worst verdict of all devices; of several that are as bad, the one whose first cause came first.
    pub verdict: Verdict,
    /// What the diagnosis was made from.
    pub from: From,
    /// Every device, in the order of their addresses.
    pub devices: Vec<Device>,
    /// What was noticed while reading.
    pub notes: Vec<String>,
}

/// What was at hand.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct From {
    /// The machine's state was read.
    pub state: bool,
    /// A kernel log was read.
    pub log: bool,
    /// What the missing half would add; `null` if neither is missing.
    pub missing: Option<&'static str>,
}

/// One device.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct Device {
    /// Its address; `null` for what the log names otherwise.
    pub address: Option<String>,
    /// What the log calls it where it has no address, such as `nvme0`; else its name and identifiers, if they are known.
    pub name: Option<String>,
    /// The boot of the log that this is about; `null` where the log has only one, or there is none.
    pub boot: Option<InBoot>,
    /// What is the matter with it.
    pub verdict: Verdict,
    /// How sure that is.
    pub confidence: Confidence,
    /// Where the trouble is.
    pub level: Level,
    /// What the verdict means.
    pub means: &'static str,
    /// The rule that decided; `null` where none fired.
    pub rule: Option<&'static str>,
    /// Why this follows from what was seen.
    pub because: Option<&'static str>,
    /// The first of what led here, in time; `null` if nothing is wrong.
    pub first_cause: Option<Evidence>,
    /// What speaks for the verdict and against it, and what else was seen.
    pub evidence: Vec<Evidence>,
    /// What followed from the first cause, in the order of time, and what drivers said just before it of a device that does
    /// not answer; at most 256, `log` has all.
    pub followed: Vec<Followed>,
    /// What is not known, and what would tell.
    pub not_known: Vec<NotKnown>,
    /// What people try and what does not help, and why.
    pub will_not_help: Vec<Advised>,
    /// What to do, in this order: the safest first.
    #[serde(rename = "do")]
    pub to_do: Vec<Advised>,
    /// What to ask the provider for, with what was found of it.
    pub ask: Vec<Asked>,
    /// Every rule with what became of it; empty without `--why`.
    pub rules: Vec<RuleOutcome>,
}

impl Device {
    /// Whether a driver or a program is the reason, and not the hardware.
    pub fn is_software(&self) -> bool {
        matches!(self.level, Level::Driver | Level::Application)
    }
}

/// One of the runs of the machine that a log holds.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct InBoot {
    /// Which one, from 1, in the order of the log.
    pub number: usize,
    /// How many the log has.
    pub of: usize,
    /// Line of the log at which it begins, from 1.
    pub first_line: u64,
    /// What the log calls it; empty if it has no name.
    pub name: String,
    /// The kernel's first line.
    pub kernel: Option<String>,
}

/// Which way a piece of evidence points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Points {
    /// It speaks for the verdict.
    For,
    /// It speaks against it.
    Against,
    /// It clears something else of suspicion.
    Clears,
    /// It was seen and decides nothing.
    Beside,
}

/// Something that was seen and where a stranger can look it up.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct Evidence {
    /// Which way it points.
    pub points: Points,
    /// Name of the sign; of what clears something, that of the check.
    pub sign: &'static str,
    /// What it says: a clause.
    pub says: String,
    /// When it was first seen in the log; `null`: it is so now. Of what a later line took back, and of what came too long before
    /// to be a cause, only the last time counts.
    pub when: Option<Moment>,
    /// When it was last seen; `null` if it was seen once, or is so now.
    pub last: Option<Moment>,
    /// How often; 1 for what was read.
    pub count: u64,
    /// Line of the log, from 1, at which that first time begins.
    pub line: Option<u64>,
    /// Lines, registers and files.
    pub proofs: Vec<Looked>,
}

/// An event that followed.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct Followed {
    /// Kind of event.
    pub kind: &'static str,
    /// When it first happened.
    pub when: Moment,
    /// Line of the log, from 1.
    pub line: u64,
    /// How often it happened.
    pub count: u64,
    /// The first line without what stands before the message.
    pub message: String,
}

/// Something that is not known.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct NotKnown {
    /// What.
    pub what: String,
    /// The command that would tell.
    pub command: String,
}

/// Advice.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct Advised {
    /// What.
    pub what: String,
    /// Why.
    pub why: &'static str,
    /// Who does it.
    pub who: Who,
    /// What a report would call a request for it; empty for what no report asks.
    #[serde(skip)]
    #[schemars(skip)]
    pub topics: &'static [&'static str],
}

fn asked(request: found::Request) -> Asked {
    let found::Request { topic, what, needed, found, who } = request;
    Asked { topic, what, needed, found, who }
}

/// A request.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct Asked {
    /// What it is about: the same word as of the requests of a report, such as `aspm`.
    pub topic: &'static str,
    /// What is asked for.
    pub what: String,
    /// Whether what was found shows that it is needed; false: it is so already, and need not be asked for. `null`: that is not
    /// known.
    pub needed: Option<bool>,
    /// What was found of it.
    pub found: String,
    /// Who can do it.
    pub who: Who,
}

/// A rule with what became of it.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct RuleOutcome {
    /// Its name.
    pub rule: &'static str,
    /// What it would conclude.
    pub verdict: Verdict,
    /// Whether it fired.
    pub fired: bool,
    /// Why not; why it did.
    pub why: String,
}

/// The answer. `why` adds every rule.
pub fn diagnose(
    sources: &Sources<'_>,
    diagnoses: &[Diagnosis<'_>],
    names: &Names,
    why: bool,
    notes: Vec<String>,
) -> Diagnose {
    // Of several that weigh the same, the one whose first cause came first; of those without one, the first as they are listed.
    let began =
        |d: &Diagnosis<'_>| d.first.and_then(|place| d.observations.get(place)).map_or(NOW, |o| o.first);
    let worst =
        diagnoses.iter().min_by_key(|d| (std::cmp::Reverse(d.verdict.weight()), began(d))).map(|d| d.verdict);
    let (state, log) = (sources.scene.is_some(), sources.log.is_some());
    // Nothing is healthy that was not read, or not understood.
    let read = state || sources.log.is_some_and(|log| log.recognized && log.is_about_devices());
    let worst = worst.filter(|verdict| read || *verdict != Verdict::Healthy);
    let mut notes = notes;
    notes
        .extend(sources.log.filter(|log| !read && log.recognized && worst.is_none()).map(nothing_understood));
    notes.extend(not_understood(diagnoses, sources));
    let missing = match (state, log) {
        (true, false) => Some(
            "the log would tell what happened first: dmesg, journalctl -k -b, or --log FILE; what was not logged is not known \
             to be well",
        ),
        (false, true) => Some(
            "the machine's state would tell what is so now: whether the device answers, both ends of its link, its slot; run \
             pciscope diagnose there, or give it a capture with --from",
        ),
        _ => None,
    };
    Diagnose {
        verdict: worst.unwrap_or(if read { Verdict::Healthy } else { Verdict::Unknown }),
        from: From { state, log, missing },
        devices: diagnoses.iter().map(|d| device(sources, d, names, why)).collect(),
        notes,
    }
}

/// What was read of a log of which nothing was understood.
fn nothing_understood(log: &Log) -> String {
    let kernels = log.kernel_lines;
    format!(
        "{} lines were read, at least {kernels} of them the kernel's, and none was understood as one about PCI, its devices or their \
         drivers: nothing is known of any device",
        log.lines
    )
}

/// Lines that sound like trouble about devices of which nothing else tells any.
fn not_understood(diagnoses: &[Diagnosis<'_>], sources: &Sources<'_>) -> Option<String> {
    let mut count = 0;
    let mut subjects = Vec::new();
    let mut first: Option<&Event> = None;
    for diagnosis in diagnoses.iter().filter(|d| d.rule.is_none()) {
        let complaints = diagnosis.observations.iter().filter_map(Observation::event);
        let mine: Vec<&Event> = complaints.filter(|event| event.is_complaint()).collect();
        let Some(earliest) = mine.iter().min_by_key(|event| (event.boot, event.line())) else { continue };
        count += mine.iter().map(|event| event.count).sum::<u64>();
        subjects.push(diagnosis.subject.to_string());
        if first.is_none_or(|before| (earliest.boot, earliest.line()) < (before.boot, before.line())) {
            first = Some(*earliest);
        }
    }
    let first = first.filter(|_| sources.log.is_some())?;
    let about = match subjects.as_slice() {
        [one] => one.clone(),
        several => format!("{} devices", several.len()),
    };
    let (lines, sound, are) = if count == 1 { ("line", "sounds", "is") } else { ("lines", "sound", "are") };
    Some(format!(
        "{count} {lines} about {about} {sound} like trouble and {are} not in the catalogue, the first at line {}: {}",
        first.line(),
        first.message
    ))
}

fn device(sources: &Sources<'_>, diagnosis: &Diagnosis<'_>, names: &Names, why: bool) -> Device {
    let function = match (&diagnosis.subject, sources.scene) {
        (Subject::Function(address), Some(scene)) => scene.machine().get(*address),
        _ => None,
    };
    let logged = || {
        diagnosis.observations.iter().find_map(|o| match &o.seen {
            Seen::Event(event) if event.kind.id.starts_with("nvidia.") => Some("nvidia".to_owned()),
            Seen::Event(event) => {
                event.driver.clone().filter(|driver| !matches!(driver.as_str(), "pci" | "pcieport"))
            }
            Seen::State(..) => None,
        })
    };
    let driver = function.and_then(|f| f.driver().map(str::to_owned)).or_else(logged);
    let advised = |kind| {
        let mine = advice::of(diagnosis, driver.as_deref(), kind);
        mine.map(|a| Advised {
            what: advice::text(a.what, &diagnosis.subject),
            why: a.why,
            who: a.who,
            topics: a.topics,
        })
        .collect()
    };
    let requests = found::requests(sources, diagnosis).into_iter();
    Device {
        address: match &diagnosis.subject {
            Subject::Function(address) => Some(address.to_string()),
            Subject::Named(_) => None,
        },
        name: match &diagnosis.subject {
            Subject::Function(_) => function.map(|f| title(names, f)),
            Subject::Named(name) => Some(name.clone()),
        },
        boot: in_boot(sources, diagnosis),
        verdict: diagnosis.verdict,
        confidence: diagnosis.confidence,
        level: diagnosis.level,
        means: diagnosis.verdict.means(),
        rule: diagnosis.rule.map(|rule| rule.id),
        because: diagnosis.rule.map(|rule| rule.because),
        first_cause: diagnosis
            .first
            .and_then(|place| diagnosis.observations.get(place))
            .filter(|_| diagnosis.verdict != Verdict::Healthy)
            .map(|o| observed(o, Points::For)),
        evidence: evidence(sources, diagnosis),
        followed: diagnosis.followed.iter().map(|event| followed(event)).collect(),
        not_known: not_known(sources, diagnosis),
        will_not_help: advised(Kind::WillNotHelp),
        to_do: advised(Kind::Do),
        ask: requests.map(asked).collect(),
        rules: if why { diagnosis.tried.iter().map(outcome).collect() } else { Vec::new() },
    }
}

/// The boot that a diagnosis is about, where the log has several.
fn in_boot(sources: &Sources<'_>, diagnosis: &Diagnosis<'_>) -> Option<InBoot> {
    let boots = &sources.log?.boots;
    let place = diagnosis.boot.or_else(|| sources.current_boot())?;
    let boot = boots.get(place).filter(|_| boots.len() > 1)?;
    Some(InBoot {
        number: place + 1,
        of: boots.len(),
        first_line: boot.first_line,
        name: boot.name.clone(),
        kernel: boot.kernel.clone(),
    })
}

/// What was seen, the strongest first: for, against, what clears the hardware, the rest.
fn evidence(sources: &Sources<'_>, diagnosis: &Diagnosis<'_>) -> Vec<Evidence> {
    let rule = diagnosis.rule;
    let points = |o: &Observation<'_>| {
        let id = &o.sign.id;
        match rule {
            Some(rule)
                if [rule.seen, rule.with, rule.before, rule.supports].iter().any(|l| l.contains(id)) =>
            {
                Points::For
            }
            Some(rule) if rule.against.contains(id) => Points::Against,
            _ => Points::Beside,
        }
    };
    let mut all: Vec<Evidence> = diagnosis.observations.iter().map(|o| observed(o, points(o))).collect();
    let answers = diagnosis.has("answers");
    if let (Some(scene), Subject::Function(address), true) = (sources.scene, &diagnosis.subject, answers) {
        for check in CLEARING {
            let passed =
                scene.finding(*address, check).filter(|f| f.status == crate::check::finding::Status::Pass);
            if let Some(finding) = passed {
                all.push(Evidence {
                    points: Points::Clears,
                    sign: check,
                    says: finding.check.rule.trim_end_matches('.').to_owned(),
                    when: None,
                    last: None,
                    count: 1,
                    line: None,
                    proofs: finding.verdict().proofs.iter().map(check::evidence).collect(),
                });
            }
        }
    }
    all.sort_by_key(|e| match e.points {
        Points::For => 0,
        Points::Against => 1,
        Points::Clears => 2,
        Points::Beside => 3,
    });
    all
}

fn observed(observation: &Observation<'_>, points: Points) -> Evidence {
    let sign = observation.sign.id;
    match &observation.seen {
        Seen::Event(event) => {
            let whole = observation.is_from_the_start();
            let lines = if whole { &event.evidence } else { &event.last_evidence };
            Evidence {
                points,
                sign,
                says: observation.sign.says.to_owned(),
                when: observation.began().map(Moment::from),
                last: (whole && event.count > 1).then(|| Moment::from(&event.last)),
                count: if whole { event.count } else { 1 },
                line: Some(observation.first.1),
                proofs: lines.iter().map(|line| line_proof(&line.text)).collect(),
            }
        }
        Seen::State(says, proofs) => Evidence {
            points,
            sign,
            says: says.clone(),
            when: None,
            last: None,
            count: 1,
            line: None,
            proofs: proofs.iter().map(check::evidence).collect(),
        },
    }
}

fn line_proof(text: &str) -> Looked {
    check::evidence(&Proof::Log { line: text.to_owned() })
}

fn followed(event: &Event) -> Followed {
    Followed {
        kind: event.kind.id,
        when: Moment::from(&event.first),
        line: event.line(),
        count: event.count,
        message: event.message.clone(),
    }
}

/// What is not known of a device that has trouble, and what would tell.
fn not_known(sources: &Sources<'_>, diagnosis: &Diagnosis<'_>) -> Vec<NotKnown> {
    if matches!(diagnosis.verdict, Verdict::Healthy | Verdict::Asleep) {
        return Vec::new();
    }
    let address = match &diagnosis.subject {
        Subject::Function(address) => address.to_string(),
        Subject::Named(_) => String::new(),
    };
    let mut unknown = Vec::new();
    let mut add = |what: &str, command: &str| {
        unknown.push(NotKnown { what: what.to_owned(), command: command.trim_end().to_owned() });
    };
    if sources.scene.is_none() {
        add("whether the device answers now", &format!("pciscope list {address}"));
        add("what both ends of its link say", &format!("pciscope path {address}"));
    }
    if sources.log.is_none() {
        add(
            "what happened first",
            &format!("pciscope diagnose {address} --log FILE, with dmesg or journalctl -k in it"),
        );
    }
    if diagnosis.guessed {
        add(
            "which port is above the device: the log does not say, only one of those that it names can be",
            "lspci -t",
        );
    }
    if diagnosis.has("errors-kept-by-firmware") && diagnosis.level == Level::Bus {
        let platform = sources.scene.map(|scene| scene.around.platform);
        let who = match platform.and_then(aer::kept_by_option) {
            Some(option) => format!("with {option} on its command line Linux does not handle AER"),
            None => "firmware kept AER (_OSC)".to_owned(),
        };
        add(
            &format!("whether errors on the bus came before: {who}, so that the log could not have them"),
            "ipmitool sel list, or the log of the management controller",
        );
    }
    if matches!(diagnosis.verdict, Verdict::FallenOffBus | Verdict::LinkDown)
        && !diagnosis.has("signal-errors")
    {
        add(
            "what made it go: power, temperature, a contact and the device itself look the same from the bus",
            "the management controller's log of voltages and temperatures",
        );
    }
    if diagnosis.verdict == Verdict::DegradedLink && !diagnosis.has("link-below-both-ends") {
        add(
            "whether the link is fast under load, and what both ends can",
            &format!("pciscope path {address}"),
        );
    }
    // A line about its trouble tells since when it has been so, although something that is read now decided.
    let logged = |o: &Observation<'_>| matches!(&o.seen, Seen::Event(e) if level(e) != Level::Information);
    if matches!(diagnosis.first.and_then(|p| diagnosis.observations.get(p)), Some(o) if o.first == NOW)
        && sources.log.is_some()
        && diagnosis.followed.is_empty()
        && !diagnosis.observations.iter().any(logged)
    {
        add(NO_TIME, "journalctl -k -b -1, or logs that were sent elsewhere");
    }
    unknown
}

/// That the log does not say when it happened.
pub const NO_TIME: &str = "when it happened: no line of the log tells";

fn outcome(tried: &Tried) -> RuleOutcome {
    let rule = tried.rule;
    let why = match &tried.outcome {
        Outcome::Fired => rule.because.to_owned(),
        Outcome::NotSeen => format!("none of these was seen: {}", rule.seen.join(", ")),
        Outcome::Missing(sign) => format!("{sign} was not seen"),
        Outcome::NothingBefore => format!("none of these came before: {}", rule.before.join(", ")),
        Outcome::RuledOut(sign) => format!("{sign} rules it out"),
        Outcome::Earlier(sign) => format!("{sign} came before"),
        Outcome::Over(sign) => format!("{sign} came afterwards: it is over"),
    };
    RuleOutcome { rule: rule.id, verdict: rule.verdict, fired: tried.outcome == Outcome::Fired, why }
}
