//! `docs/checks.md`: every check.

use crate::inspect::check::{CheckExplanation, explanations};

use crate::check::profile::{EMBEDDED, Profile};

/// Entries of the catalogue of checks that are not built, and why.
const NOT_BUILT: &[(&str, &str)] = include!("checks_not_built.in");

/// The whole page.
pub fn page() -> String {
    let mut out = String::from(
        "# Checks\n\n\
         Generated from the checks themselves; `SNAPSHOTS=overwrite cargo test --test schema` writes it anew.\n\
         `pciscope explain CHECK` prints the same for one of them, `pciscope check --list` one line each.\n\n\
         Severity is what becomes of something that is found: `fail`, `warn`, or `off` where no answer is right for every\n\
         machine and only a profile switches the check on. What could not be read is `unknown`, never a pass.\n\n\
         ## Profiles\n\n| profile | for |\n| --- | --- |\n",
    );
    for (name, text) in EMBEDDED {
        let description = Profile::parse(text).map(|p| p.description).unwrap_or_default();
        out.push_str(&format!("| `{name}` | {description} |\n"));
    }
    out.push_str(
        "\nA profile of your own is a TOML file with a `description` and one table a check; `why` is required:\n\n\
         ```toml\ndescription = \"the machines of rack 7\"\n\n[mrrs-low]\nseverity = \"warn\"\nthreshold = 1024\n\
         why = \"what the vendor of the controllers recommends\"\n```\n",
    );
    let mut family = "";
    for check in explanations() {
        if check.family != family {
            family = check.family;
            out.push_str(&format!("\n## {family}\n"));
        }
        out.push_str(&section(&check));
    }
    out.push_str("\n## Not built\n\nWhat a catalogue of such checks has and this program has not, and why.\n\n| check | why not |\n| --- | --- |\n");
    for (id, why) in NOT_BUILT {
        out.push_str(&format!("| {id} | {why} |\n"));
    }
    out
}

fn section(check: &CheckExplanation) -> String {
    let mut out = format!("\n### {}\n\n{} Severity: {}.", check.id, check.rule, check.severity);
    if let Some(threshold) = &check.threshold {
        out.push_str(&format!(" Threshold: {threshold}."));
    }
    out.push_str(&format!("\n\n{}\n\n", escape(check.why)));
    out.push_str(&format!("- Reads: {}.\n", escape(check.reads)));
    out.push_str(&format!("- What to do ({}): {}.\n", check.who.name(), escape(check.remedy)));
    out.push_str(&format!("- False positives: {}\n", escape(check.false_positives)));
    out.push_str(&format!("- Reference: {}.\n", escape(check.reference)));
    for profile in &check.profiles {
        out.push_str(&format!(
            "- Profile `{}`: {}; {}.\n",
            profile.profile,
            profile.says,
            escape(&profile.why)
        ));
    }
    out
}

/// Text that Markdown leaves alone.
fn escape(text: &str) -> String {
    text.replace('<', "&lt;").replace('>', "&gt;").replace('*', "\\*")
}
