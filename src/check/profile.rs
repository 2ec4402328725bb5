//! Profiles: what decides between warning, failure and silence.
//!
//! A profile is a TOML file with one table a check: `severity` (off, warn, fail), `threshold` where the check has one, and
//! `why`. What a profile does not name is as the check itself says. A name that is none, a key that is none and a setting
//! without a reason are errors: a typing mistake must not switch a check off.

use std::collections::BTreeMap;

use crate::document::nearest::nearest;
use crate::document::{self, Mistake, Node};

use super::registry::{self, Check, Severity};

/// A profile.
#[derive(Debug, Clone, Default)]
pub struct Profile {
    /// Whom it is for: one sentence.
    pub description: String,
    /// What it says of single checks, by name.
    pub settings: BTreeMap<String, Setting>,
}

/// What a profile says of one check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// What becomes of something that the check finds; as the check says if it is left out.
    pub severity: Option<Severity>,
    /// The number that the check compares with; as the check says if it is left out.
    pub threshold: Option<u64>,
    /// Why.
    pub why: String,
}

/// The profiles in the program, with their text.
pub const EMBEDDED: [(&str, &str); 7] = [
    ("minimal", include_str!("profiles/minimal.toml")),
    ("gpu-server", include_str!("profiles/gpu-server.toml")),
    ("virtualization", include_str!("profiles/virtualization.toml")),
    ("storage-server", include_str!("profiles/storage-server.toml")),
    ("nic", include_str!("profiles/nic.toml")),
    ("workstation", include_str!("profiles/workstation.toml")),
    ("laptop", include_str!("profiles/laptop.toml")),
];

impl Profile {
    /// Reads a profile.
    pub fn parse(text: &str) -> Result<Profile, Mistake> {
        let table = document::parse(text)?;
        let description = table.needed_text("a profile", "description")?.to_owned();
        let mut settings = BTreeMap::new();
        for (id, node) in table.entries.iter().filter(|(key, _)| key != "description") {
            settings.insert(id.clone(), setting(id, node)?);
        }
        Ok(Profile { description, settings })
    }

    /// A profile of the program by name.
    pub fn embedded(name: &str) -> Option<Result<Profile, Mistake>> {
        EMBEDDED.iter().find(|(known, _)| *known == name).map(|(_, text)| Profile::parse(text))
    }

    /// What becomes of something that the check finds.
    pub fn severity(&self, check: &Check) -> Severity {
        self.settings.get(check.id).and_then(|s| s.severity).unwrap_or(check.severity)
    }

    /// The number that the check of that name compares with; 0 if it has none.
    pub fn threshold(&self, id: &str) -> u64 {
        let own = || registry::find(id).and_then(|check| check.threshold).map_or(0, |t| t.default);
        self.settings.get(id).and_then(|s| s.threshold).unwrap_or_else(own)
    }
}

fn setting(id: &str, node: &Node) -> Result<Setting, Mistake> {
    let Some(check) = registry::find(id) else {
        let hint = nearest(id, registry::all().map(|check| check.id));
        let text =
            format!("`{id}`: there is no check of that name{hint}; `pciscope check --list` names them all");
        return Err(Mistake::new(node.line, text));
    };
    let name = format!("[{id}]");
    let table = node.table(id)?;
    table.only(&name, &["severity", "threshold", "why"])?;
    let severities = [Severity::Off, Severity::Warn, Severity::Fail].map(|s| (s.name(), s));
    let severity = table.get("severity").map(|node| node.choice("severity", &severities)).transpose()?;
    if let (Some(node), None) = (table.get("threshold"), check.threshold) {
        return Err(Mistake::new(
            node.line,
            format!("{name}: this check has no threshold; leave the key out"),
        ));
    }
    let why = table.needed_text(&name, "why")?;
    if why.trim().is_empty() {
        return Err(Mistake::new(table.line, format!("{name}: expected a reason in `why`")));
    }
    Ok(Setting { severity, threshold: table.number("threshold")?, why: why.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_profile_of_the_program_is_good() {
        for (name, _) in EMBEDDED {
            let profile = Profile::embedded(name).unwrap();
            assert!(profile.as_ref().is_ok_and(|p| !p.description.is_empty()), "{name}: {profile:?}");
        }
    }

    #[test]
    fn mistakes_are_errors() {
        let refused = |text: &str| {
            Profile::parse(&format!("description = 'x'\n{text}")).unwrap_err().in_file("profile.toml")
        };
        assert!(refused("[aspm-enabeld]\nseverity='off'\nwhy='x'").contains("aspm-enabled"));
        assert!(refused("[mrrs-low]\nthreshold=-1\nwhy='x'").contains("profile.toml:3: `threshold` is -1"));
        assert!(refused("extends='gpu-server'").contains("profile.toml:2: `extends`"));
        assert!(refused("[aspm-enabled]\nseverity='of'\nwhy='x'").contains("profile.toml:3: `severity` is"));
        assert!(
            refused("[aspm-enabled]\nseverty='off'\nwhy='x'")
                .contains("`severty` is not known in [aspm-enabled]")
        );
        assert!(refused("[aspm-enabled]\nseverity='off'").contains("why"));
        assert!(refused("[aspm-enabled]\nthreshold=3\nwhy='x'").contains("no threshold"));
        assert!(Profile::parse("[aspm-enabled]\nwhy='x'").is_err(), "a description is needed");
    }
}
