//! Profiles: what decides between warning, failure and silence.
//!
//! A profile is a TOML file with one table a check: `severity` (off, warn, fail), `threshold` where the check has one, and
//! `why`. What a profile does not name is as the check itself says. A name that is none, a key that is none and a setting
//! without a reason are errors: a typing mistake must not switch a check off.

use std::collections::BTreeMap;

use super::registry::{self, Check, Severity};

/// A profile.
#[derive(Debug, Clone, Default, serde::Deserialize)]
pub struct Profile {
    /// Whom it is for: one sentence.
    pub description: String,
    /// What it says of single checks, by name.
    #[serde(flatten)]
    pub settings: BTreeMap<String, Setting>,
}

/// What a profile says of one check.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
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
    /// Reads a profile. The error is a clause.
    pub fn parse(text: &str) -> Result<Profile, String> {
        let profile: Profile = toml::from_str(text).map_err(|error| one_line(&error.to_string()))?;
        for (id, setting) in &profile.settings {
            let check = registry::find(id).ok_or_else(|| {
                format!("[{id}]: there is no check of that name; `pciscope check --list` names them all")
            })?;
            if setting.threshold.is_some() && check.threshold.is_none() {
                return Err(format!("[{id}]: this check has no threshold; leave the key out"));
            }
            if setting.why.trim().is_empty() {
                return Err(format!("[{id}]: expected a reason in `why`"));
            }
        }
        Ok(profile)
    }

    /// A profile of the program by name.
    pub fn embedded(name: &str) -> Option<Result<Profile, String>> {
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

/// A message of several lines on one.
fn one_line(message: &str) -> String {
    let lines = message.lines().map(str::trim).filter(|line| !line.is_empty());
    // The lines with the quoted source in them begin with its number or with `|`.
    let kept: Vec<&str> =
        lines.filter(|line| !line.starts_with(|c: char| c == '|' || c.is_ascii_digit())).collect();
    kept.join(": ")
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
        let refused = |text: &str| Profile::parse(&format!("description = 'x'\n{text}")).unwrap_err();
        assert!(refused("[aspm-enabeld]\nseverity='off'\nwhy='x'").contains("no check of that name"));
        assert!(refused("[aspm-enabled]\nseverity='of'\nwhy='x'").contains("unknown variant"));
        assert!(refused("[aspm-enabled]\nseverty='off'\nwhy='x'").contains("unknown field"));
        assert!(refused("[aspm-enabled]\nseverity='off'").contains("why"));
        assert!(refused("[aspm-enabled]\nthreshold=3\nwhy='x'").contains("no threshold"));
        assert!(Profile::parse("[aspm-enabled]\nwhy='x'").is_err(), "a description is needed");
    }
}
