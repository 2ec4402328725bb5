//! `diagnose` as text, for somebody who is tired: the verdict, why, what not to try, what to do, whom to ask.

use crate::diagnosis::Verdict;
use crate::inspect::check::Evidence as Proof;
use crate::inspect::diagnose::{Asked, Device, Diagnose, Evidence, Followed, InBoot, Points};
use crate::inspect::log::Moment;
use crate::kernel_log::Level;

use super::super::style::{Style, Tone, cut, paragraph};

/// Column at which what belongs to a heading begins.
const COLUMN: usize = 4;
/// Pieces of evidence of one direction that are shown; JSON has all of them.
const SHOWN: usize = 6;
/// Lines of one proof that are shown.
const LINES: usize = 4;

/// Signs that are seen of every device that works, and say nothing besides.
const PLAIN: [&str; 8] = [
    "answers",
    "found-again",
    "started",
    "power-switched",
    "slot-occupied",
    "link-above-up",
    "machine-slept",
    "slot-was-emptied",
];

/// The whole answer. `all` also shows what nothing is wrong with.
pub fn diagnose(answer: &Diagnose, all: bool, style: Style) -> String {
    let mut out = String::new();
    let well = |device: &&Device| matches!(device.verdict, Verdict::Healthy | Verdict::Asleep);
    let mut troubled: Vec<&Device> = answer.devices.iter().filter(|d| !well(d)).collect();
    // The worst first; of those that are as bad, what came first.
    let began =
        |device: &Device| device.first_cause.as_ref().and_then(|cause| cause.line).unwrap_or(u64::MAX);
    let boot = |device: &Device| device.boot.as_ref().map_or(0, |boot| boot.number);
    troubled.sort_by_key(|d| (std::cmp::Reverse(d.verdict.weight()), boot(d), began(d)));
    for device in &troubled {
        self::device(&mut out, device, style);
        out.push('\n');
    }
    let sound: Vec<&Device> = answer.devices.iter().filter(well).collect();
    if all {
        for device in &sound {
            out.push_str(&heading(device, style));
            rules(&mut out, device, style);
        }
    }
    if let Some(missing) = answer.from.missing {
        paragraph(&mut out, "note: ", missing, 6, style);
    }
    for note in &answer.notes {
        out.push_str(&format!("note: {note}\n"));
    }
    out.push_str(&summary(answer, &troubled, &sound, style));
    out
}

fn summary(answer: &Diagnose, troubled: &[&Device], sound: &[&Device], style: Style) -> String {
    let word = style.paint(tone(answer.verdict), &answer.verdict.name().to_uppercase());
    let from = match (answer.from.state, answer.from.log) {
        (true, true) => "state and log",
        (true, false) => "state",
        (false, true) => "log",
        (false, false) => "nothing",
    };
    let asleep = sound.iter().filter(|d| d.verdict == Verdict::Asleep).count();
    let sleeping = if asleep > 0 { format!(", {asleep} asleep") } else { String::new() };
    // One word cannot say it where the verdicts differ.
    let mut kinds: Vec<(Verdict, usize)> = Vec::new();
    for device in troubled {
        match kinds.iter_mut().find(|(verdict, _)| *verdict == device.verdict) {
            Some((_, count)) => *count += 1,
            None => kinds.push((device.verdict, 1)),
        }
    }
    let each: Vec<String> =
        kinds.iter().map(|(verdict, count)| format!("{count} {}", verdict.name())).collect();
    let each = if kinds.len() > 1 { format!(" ({})", each.join(", ")) } else { String::new() };
    format!(
        "{word}: from {from}: {} in trouble{each}, {} healthy{sleeping}\n",
        troubled.len(),
        sound.len() - asleep
    )
}

fn tone(verdict: Verdict) -> Tone {
    match verdict.status() {
        0 => Tone::Good,
        2 => Tone::Bad,
        _ => Tone::Warn,
    }
}

fn heading(device: &Device, style: Style) -> String {
    let who = device.address.as_deref().or(device.name.as_deref()).unwrap_or("-");
    let name = device.address.as_ref().and(device.name.as_deref()).unwrap_or_default();
    let level = match device.level {
        Level::Information | Level::Depends => String::new(),
        level => format!(", level: {}", level.name()),
    };
    let verdict = style.paint(tone(device.verdict), device.verdict.name());
    let line = format!(
        "{}  {verdict} ({}{level})  {name}",
        style.paint(Tone::Heading, who),
        device.confidence.name()
    );
    format!("{}\n", line.trim_end())
}

fn device(out: &mut String, device: &Device, style: Style) {
    out.push_str(&heading(device, style));
    let mut say = |text: &str| paragraph(out, "", text, 2, style);
    if let Some(boot) = &device.boot {
        say(&self::boot(boot));
    }
    say(device.means);
    if let Some(because) = device.because {
        say(because);
    }
    if let Some(cause) = &device.first_cause {
        title(out, "first cause", style);
        evidence(out, cause, style);
    }
    let cause = device.first_cause.as_ref().and_then(|cause| cause.line).unwrap_or(0);
    let (before, after): (Vec<&Followed>, Vec<&Followed>) =
        device.followed.iter().partition(|f| f.line < cause);
    events(out, "just before it", &before, style);
    events(out, "what followed", &after, style);
    list(
        out,
        "will not help",
        device.will_not_help.iter().map(|a| (a.what.clone(), a.why.to_owned())),
        style,
    );
    if !device.to_do.is_empty() {
        title(out, "do, in this order", style);
        for (number, advice) in device.to_do.iter().enumerate() {
            let text = format!("{} ({}): {}", advice.what, advice.who.name(), advice.why);
            paragraph(out, &format!("    {}. ", number + 1), &text, 7, style);
        }
    }
    let (right, ask): (Vec<&Asked>, Vec<&Asked>) = device.ask.iter().partition(|a| a.needed == Some(false));
    let ask = ask.into_iter();
    let ask = ask.map(|a| (format!("{} ({})", a.what, a.who.name()), format!("found: {}", a.found)));
    list(out, "ask the provider", ask, style);
    let right = right.into_iter().map(|a| (a.topic.replace('-', " "), format!("found: {}", a.found)));
    list(out, "need not be asked for", right, style);
    let headings = [
        (Points::For, "evidence for"),
        (Points::Against, "evidence against"),
        (Points::Clears, "what is well"),
        (Points::Beside, "also seen"),
    ];
    for (points, heading) in headings {
        let is_cause = |e: &&Evidence| {
            device
                .first_cause
                .as_ref()
                .is_some_and(|c| c.sign == e.sign && c.line == e.line && c.when == e.when)
        };
        let mine: Vec<&Evidence> = device
            .evidence
            .iter()
            .filter(|e| e.points == points && !PLAIN.contains(&e.sign) && !is_cause(e))
            .collect();
        let told = |e: &&Evidence| device.followed.iter().any(|f| Some(f.line) == e.line);
        let mine: Vec<&Evidence> =
            mine.into_iter().filter(|e| points != Points::Beside || !told(e)).collect();
        if mine.is_empty() {
            continue;
        }
        title(out, heading, style);
        for one in mine.iter().take(SHOWN) {
            if points == Points::Clears { clears(out, one, style) } else { evidence(out, one, style) }
        }
        if mine.len() > SHOWN {
            out.push_str(&format!("    … and {} more (--format json has all)\n", mine.len() - SHOWN));
        }
    }
    list(
        out,
        "not known",
        device.not_known.iter().map(|n| (n.what.clone(), format!("try: {}", n.command))),
        style,
    );
    rules(out, device, style);
}

/// `In boot 1 of 2 in the log, from line 3 on, which the log calls …; the boots after it have no trouble of it.`
fn boot(boot: &InBoot) -> String {
    let name = match (&boot.kernel, boot.name.as_str()) {
        (_, name) if !name.is_empty() => format!(" ({name})"),
        (Some(kernel), _) => format!(" ({})", kernel.split(" (").next().unwrap_or(kernel)),
        (None, _) => String::new(),
    };
    let later = match boot.of - boot.number {
        0 => "the last one",
        1 => "the one after it has no trouble of this device",
        _ => "those after it have no trouble of this device",
    };
    format!(
        "In boot {} of {} in the log{name}, from line {} on: {later}.",
        boot.number, boot.of, boot.first_line
    )
}

fn title(out: &mut String, text: &str, style: Style) {
    out.push_str(&format!("  {}\n", style.paint(Tone::Heading, text)));
}

fn list(out: &mut String, heading: &str, items: impl Iterator<Item = (String, String)>, style: Style) {
    let mut items = items.peekable();
    if items.peek().is_some() {
        title(out, heading, style);
    }
    for (what, why) in items {
        paragraph(out, "    - ", &what, COLUMN + 2, style);
        paragraph(out, "", &why, COLUMN + 4, style);
    }
}

fn events(out: &mut String, heading: &str, events: &[&Followed], style: Style) {
    if events.is_empty() {
        return;
    }
    title(out, heading, style);
    for event in events.iter().take(SHOWN) {
        let times = if event.count > 1 { format!(" ({} times)", event.count) } else { String::new() };
        let line = format!("    {}  {}{times}", moment(&event.when), event.message);
        out.push_str(&cut(&line, style.columns()));
        out.push('\n');
    }
    if events.len() > SHOWN {
        out.push_str(&format!("    … and {} more kinds (pciscope log)\n", events.len() - SHOWN));
    }
}

fn clears(out: &mut String, one: &Evidence, style: Style) {
    let found = one.proofs.first().map(|proof| format!(" ({})", proof_text(proof))).unwrap_or_default();
    paragraph(out, "    ", &format!("{}{found}", one.says), COLUMN, style);
}

fn evidence(out: &mut String, one: &Evidence, style: Style) {
    let when = one.when.as_ref().map_or_else(|| "now".to_owned(), moment);
    let last = one.last.as_ref().map(moment).filter(|last| *last != when);
    let last = last.map(|last| format!(", last {last}")).unwrap_or_default();
    let times = if one.count > 1 { format!(", {} times{last}", one.count) } else { String::new() };
    paragraph(out, &format!("    {when}{times}: "), &one.says, COLUMN, style);
    for proof in one.proofs.iter().take(LINES) {
        out.push_str(&cut(&format!("      {}", proof_text(proof)), style.columns()));
        out.push('\n');
    }
    if one.proofs.len() > LINES {
        out.push_str(&format!("      … and {} lines\n", one.proofs.len() - LINES));
    }
}

/// `PATH at 0x88: 0x0142, express.link_control.aspm_control = L1`; a line of the log as it stands there.
fn proof_text(proof: &Proof) -> String {
    match (proof.offset, &proof.raw) {
        (Some(offset), Some(raw)) => format!("{} at {offset:#x}: {raw}, {}", proof.path, proof.decoded),
        _ if proof.path == "kernel log" => proof.decoded.clone(),
        _ => format!("{}: {}", proof.path, proof.decoded),
    }
}

fn rules(out: &mut String, device: &Device, style: Style) {
    if device.rules.is_empty() {
        return;
    }
    title(out, "rules", style);
    for rule in &device.rules {
        let word = if rule.fired { "fired" } else { "no" };
        let text = format!("{} ({}): {}", rule.rule, rule.verdict.name(), rule.why);
        paragraph(out, &format!("    {word:<6}"), &text, 10, style);
    }
}

/// Seconds since start, else the time of day, else nothing.
fn moment(moment: &Moment) -> String {
    match (moment.microseconds, &moment.clock) {
        (Some(time), _) => format!("{}.{:06}", time / 1_000_000, time % 1_000_000),
        (None, Some(clock)) => clock.clone(),
        (None, None) => "no time".to_owned(),
    }
}
