//! `docs/diagnosis.md`: verdicts, rules and signs, generated from the tables.

use crate::diagnosis::{Verdict, rule, topology};
use crate::inspect::explain_verdict::{RuleExplanation, explained, signs};

/// What stands above the tables.
const HEAD: &str = include_str!("diagnosis_page.in");

/// The whole page.
pub fn page() -> String {
    let mut out = HEAD.replace("CLOSE", &topology::CLOSE.to_string());
    out.push_str("\n## Verdicts\n\n| verdict | means | level | exit status |\n| --- | --- | --- | --- |\n");
    for verdict in Verdict::ALL {
        let (name, means, level) = (verdict.name(), verdict.means(), verdict.level().name());
        out.push_str(&format!("| `{name}` | {means} | {level} | {} |\n", verdict.status()));
    }
    out.push_str("\n## Rules\n\nIn the order in which they are tried; the first that fires decides.\n");
    for rule in rule::all().map(explained) {
        out.push_str(&section(&rule));
    }
    out.push_str("\n## Signs\n\n| sign | says | seen in | times |\n| --- | --- | --- | --- |\n");
    for sign in signs() {
        let mut seen: Vec<String> = sign.events.iter().map(|event| format!("event `{event}`")).collect();
        seen.extend(sign.states);
        let mut explains = match sign.aftermath_seconds {
            Some(seconds) if seconds >= 3600 => format!("what comes within {} hours", seconds / 3600),
            Some(seconds) => format!("what comes within {} minutes", seconds / 60),
            None => String::new(),
        };
        if !sign.over_by.is_empty() {
            let signs: Vec<String> = sign.over_by.iter().map(|name| format!("`{name}`")).collect();
            explains.push_str(&format!(", until {}", signs.join(", ")));
        }
        let times = sign
            .least_times
            .filter(|times| *times > 1)
            .map(|times| format!(", {times} times at least"))
            .unwrap_or_default();
        let counts = sign
            .seconds_apart
            .map(|seconds| format!("counts if it comes again within {} minutes{times}", seconds / 60));
        let assigned =
            sign.until_assigned.then(|| "does not count where the state shows an address".to_owned());
        let explains = [Some(explains).filter(|text| !text.is_empty()), counts, assigned]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join("; ");
        out.push_str(&format!("| `{}` | {} | {} | {explains} |\n", sign.name, sign.says, seen.join(", ")));
    }
    out
}

fn section(rule: &RuleExplanation) -> String {
    let mut out = format!(
        "\n### {}\n\n`{}`, {}. {}\n\n",
        rule.name,
        rule.verdict.name(),
        rule.confidence,
        rule.because
    );
    let ahead =
        rule.ahead_seconds.map(|seconds| format!(" by more than {seconds} seconds")).unwrap_or_default();
    let before = format!("Ruled out if before it{ahead}");
    let lists = [
        ("Seen, at least one", &rule.seen),
        ("Seen too, all", &rule.with),
        ("Before it, at least one", &rule.before),
        ("Ruled out by", &rule.unless),
        (before.as_str(), &rule.unless_before),
        ("Over if after it", &rule.unless_after),
    ];
    for (label, names) in lists.into_iter().filter(|(_, names)| !names.is_empty()) {
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        out.push_str(&format!("- {label}: {}.\n", names.join(", ")));
    }
    out.push_str(&format!("- Source: {}.\n", rule.source));
    out
}
