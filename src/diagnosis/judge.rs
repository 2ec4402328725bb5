//! Applies the rules to what was observed of one subject.

use super::observe::{NOW, Observation, Order, Seen, Sources, Subject};
use super::rule::{self, Rule};
use super::sign::Sign;
use super::verdict::{Confidence, Verdict};
use crate::kernel_log::stamp::When;
use crate::kernel_log::{Event, Level};

/// What became of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It fired.
    Fired,
    /// None of what it needs was seen.
    NotSeen,
    /// This was not seen.
    Missing(&'static str),
    /// None of these was seen before what happened.
    NothingBefore,
    /// This was seen and rules it out.
    RuledOut(&'static str),
    /// This was seen before what happened and is the story.
    Earlier(&'static str),
    /// This was seen afterwards: it is over.
    Over(&'static str),
}

/// A rule with what became of it.
#[derive(Debug)]
pub struct Tried {
    /// The rule.
    pub rule: &'static Rule,
    /// What became of it.
    pub outcome: Outcome,
}

/// What is the matter with one subject.
#[derive(Debug)]
pub struct Diagnosis<'a> {
    /// Whom it is about.
    pub subject: Subject,
    /// The verdict.
    pub verdict: Verdict,
    /// How sure it is.
    pub confidence: Confidence,
    /// Where the trouble is.
    pub level: Level,
    /// The rule that decided; `None` where none fired.
    pub rule: Option<&'static Rule>,
    /// Everything that was observed, in the order of time.
    pub observations: Vec<Observation<'a>>,
    /// The first of those that the rule is about.
    pub first: Option<usize>,
    /// What the log says of it after that.
    pub followed: Vec<&'a Event>,
    /// All rules.
    pub tried: Vec<Tried>,
    /// The boot of the log that was looked at; `None`: the current one.
    pub boot: Option<usize>,
    /// Which port is above is only a guess.
    pub guessed: bool,
}

impl Diagnosis<'_> {
    /// Whether that sign was seen.
    pub fn has(&self, sign: &str) -> bool {
        self.observations.iter().any(|o| o.sign.id == sign)
    }
}

/// Judges one subject.
pub fn judge<'a>(sources: &Sources<'a>, subject: Subject) -> Diagnosis<'a> {
    let boot = sources.boot_of(&subject);
    let mut observations = sources.observations(&subject, boot);
    let tried: Vec<Tried> =
        rule::all().map(|rule| Tried { rule, outcome: outcome(rule, &observations) }).collect();
    let rule = tried.iter().find(|t| t.outcome == Outcome::Fired).map(|t| t.rule);
    let guessed = sources.above(&subject).1;
    let first = rule.and_then(|rule| first_of(rule, &mut observations));
    let followed = match (rule, first.and_then(|place| observations.get(place))) {
        (Some(rule), Some(cause)) => followed(sources, &subject, boot, rule, cause, &observations),
        _ => Vec::new(),
    };
    let (verdict, confidence) = match rule {
        Some(rule) => (rule.verdict, confidence(rule, &observations)),
        None => nothing_fired(sources, &observations),
    };
    // What a port says that only may be above the device cannot make anything surer than possible.
    let guess = |o: &Observation<'_>| {
        o.event().is_some_and(|event| event.device.is_some() && event.device == guessed)
    };
    let by_guess = rule.is_some_and(|rule| {
        of(rule.seen, &observations)
            .chain(of(rule.before, &observations))
            .chain(of(rule.with, &observations))
            .any(guess)
    });
    let confidence = if by_guess { Confidence::Possible } else { confidence };
    let level = rule.and_then(|rule| rule.level).unwrap_or(verdict.level());
    Diagnosis {
        subject,
        verdict,
        confidence,
        level,
        rule,
        observations,
        first,
        followed,
        tried,
        boot,
        guessed: guessed.is_some(),
    }
}

/// What a device that does not answer makes drivers say, also before somebody says that it does not answer.
const OF_SILENCE: [&str; 7] = [
    "message-interrupts-refused",
    "no-interrupt",
    "identity-unreadable",
    "start-failed",
    "driver-did-not-start",
    "firmware-silent",
    "driver-reads-all-ones",
];

/// What followed from the first cause: all trouble after it, and of a device that does not answer what drivers said for that
/// reason before.
fn followed<'a>(
    sources: &Sources<'a>,
    subject: &Subject,
    boot: Option<usize>,
    rule: &Rule,
    cause: &Observation<'a>,
    observations: &[Observation<'a>],
) -> Vec<&'a Event> {
    let silent = rule.seen.contains(&"all-ones") || rule.seen.contains(&"driver-reads-all-ones");
    let of_silence = observations.iter().filter(|o| silent && OF_SILENCE.contains(&o.sign.id));
    let mut followed: Vec<&'a Event> = of_silence
        .filter(|o| cause.first == NOW || o.first < cause.first)
        .filter_map(|o| match &o.seen {
            Seen::Event(event) => Some(*event),
            Seen::State(..) => None,
        })
        .collect();
    if cause.first != NOW {
        followed.extend(sources.trouble_after(subject, boot, cause.first));
    }
    followed.sort_by_key(|event| Order(event.boot, event.line()));
    followed.dedup_by(|a, b| std::ptr::eq(*a, *b));
    followed
}

/// Without trouble it is healthy: surely only where the device answered.
fn nothing_fired(sources: &Sources<'_>, observations: &[Observation<'_>]) -> (Verdict, Confidence) {
    let seen = |sign: &str| observations.iter().any(|o| o.sign.id == sign);
    match (sources.scene.is_some(), sources.log.is_some()) {
        // What a driver complains of in unknown words may be trouble.
        (true, true) if seen("answers") && seen("driver-complaint") => (Verdict::Healthy, Confidence::Likely),
        (true, true) if seen("answers") => (Verdict::Healthy, Confidence::Certain),
        (true, false) if seen("answers") => (Verdict::Healthy, Confidence::Likely),
        _ => (Verdict::Healthy, Confidence::Possible),
    }
}

fn confidence(rule: &Rule, observations: &[Observation<'_>]) -> Confidence {
    let seen = |names: &[&str]| observations.iter().any(|o| names.contains(&o.sign.id));
    let confidence = match rule.confidence {
        Confidence::Possible if seen(rule.supports) => Confidence::Likely,
        Confidence::Likely if seen(rule.supports) => Confidence::Certain,
        other => other,
    };
    if seen(rule.against) { confidence.less() } else { confidence }
}

fn of<'o, 'a>(
    names: &'o [&'o str],
    observations: &'o [Observation<'a>],
) -> impl Iterator<Item = &'o Observation<'a>> + Clone {
    observations.iter().filter(move |o| names.contains(&o.sign.id))
}

/// What becomes of a rule.
pub fn outcome(rule: &'static Rule, observations: &[Observation<'_>]) -> Outcome {
    let happened = of(rule.seen, observations);
    let Some(first) = happened.clone().map(|o| o.first).min() else { return Outcome::NotSeen };
    let last = happened.map(|o| o.last).max().unwrap_or(first);
    if let Some(missing) = rule.with.iter().find(|name| of(&[name], observations).next().is_none()) {
        return Outcome::Missing(missing);
    }
    if let Some(one) = of(rule.unless, observations).next() {
        return Outcome::RuledOut(one.sign.id);
    }
    let earlier = |o: &&Observation<'_>| explains(o, rule, observations) && is_ahead(o, rule, observations);
    if let Some(earlier) = of(rule.unless_before, observations).find(earlier) {
        return Outcome::Earlier(earlier.sign.id);
    }
    if !rule.before.is_empty() && !of(rule.before, observations).any(|o| explains(o, rule, observations)) {
        return Outcome::NothingBefore;
    }
    let after = |o: &&Observation<'_>| o.last > last && o.last != NOW;
    if last != NOW
        && let Some(over) = of(rule.unless_after, observations).find(after)
    {
        return Outcome::Over(over.sign.id);
    }
    Outcome::Fired
}

/// Whether what the rule is about can follow from an earlier observation: from one that lasts if it came first, from an
/// incident only if everything that the rule is about came soon after it.
fn explains(cause: &Observation<'_>, rule: &Rule, observations: &[Observation<'_>]) -> bool {
    let happened = of(rule.seen, observations);
    let Some(first) = happened.clone().min_by_key(|o| o.first) else { return false };
    if !reaches(cause, first.first, first.began(), observations) {
        return false;
    }
    let later = happened.filter(|o| o.sign.aftermath.is_some()).max_by_key(|o| o.last);
    match later {
        Some(later) if cause.sign.aftermath.is_some() => {
            reaches(cause, later.last, later.event().map(|event| &event.last), observations)
        }
        _ => true,
    }
}

/// Whether an earlier observation began as long before what happened as the rule asks for.
fn is_ahead(earlier: &Observation<'_>, rule: &Rule, observations: &[Observation<'_>]) -> bool {
    let Some(seconds) = rule.ahead else { return true };
    let Some(first) = of(rule.seen, observations).min_by_key(|o| o.first) else { return false };
    let apart = first.began().zip(earlier.began()).and_then(|(now, then)| now.since(then));
    // Where no times are known, lines are in the order of time.
    earlier.first.0 == first.first.0 && apart.is_none_or(|apart| apart > seconds * 1_000_000)
}

/// Whether something at that moment can follow from an observation: it was seen before, not too long before, and nothing in
/// between ended it.
fn reaches(
    cause: &Observation<'_>,
    moment: Order,
    when: Option<&When>,
    observations: &[Observation<'_>],
) -> bool {
    cause.before(moment).is_some_and(|seen| reaches_from(cause.sign, seen, moment, when, observations))
}

/// Whether something at that moment can follow from that time at which a sign was seen.
fn reaches_from(
    sign: &Sign,
    (seen, then): (Order, &When),
    moment: Order,
    when: Option<&When>,
    observations: &[Observation<'_>],
) -> bool {
    let between = |at: Order| at > seen && at < moment;
    let over = of(sign.over_by, observations).any(|o| between(o.first) || between(o.last));
    let apart = when.filter(|_| moment.0 == seen.0).and_then(|when| when.since(then));
    let late = sign.aftermath.zip(apart).is_some_and(|(seconds, apart)| apart / 1_000_000 > seconds);
    !over && !late
}

/// The earliest of what the rule is about: of the causes that it asks for, else of what happened. Of a cause that came several times,
/// the first time counts only if what happened can follow from it; else the last one before it does.
fn first_of(rule: &Rule, observations: &mut [Observation<'_>]) -> Option<usize> {
    let happened = of(rule.seen, observations).min_by_key(|o| o.first).map(|o| (o.first, o.began().cloned()));
    if let (Some((moment, when)), false) = (happened, rule.before.is_empty()) {
        let too_old = |o: &Observation<'_>| {
            let first = o.began().map(|then| (o.first, then)).filter(|_| o.first < moment && o.last < moment);
            rule.before.contains(&o.sign.id)
                && first
                    .is_some_and(|first| !reaches_from(o.sign, first, moment, when.as_ref(), observations))
        };
        let places: Vec<usize> =
            (0..observations.len()).filter(|place| too_old(&observations[*place])).collect();
        for place in places {
            observations[place] = observations[place].clone().only_the_last();
        }
        observations.sort_by_key(|o| o.first);
    }
    let mut all = observations.iter().enumerate();
    let before =
        all.clone().filter(|(_, o)| rule.before.contains(&o.sign.id) && explains(o, rule, observations));
    let earliest = before.min_by_key(|(_, o)| o.first).map(|(place, _)| place);
    // They are in the order of time.
    earliest.or_else(|| all.find(|(_, o)| rule.seen.contains(&o.sign.id)).map(|(place, _)| place))
}
