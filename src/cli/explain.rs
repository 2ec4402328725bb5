//! `explain`.

use crate::inspect::capability_name;
use crate::inspect::explain::{explain, names};
use crate::inspect::suggest::nearest;
use crate::render::text;

use super::arguments::{Format, Global};
use super::run::{Failure, Outcome, USAGE, json, style};

pub fn run(global: &Global, name: &str) -> Result<Outcome, Failure> {
    let answer = explain(name);
    if answer.matches.is_empty() {
        return Err(Failure::new(USAGE, format!("explain {name}: {}", nothing(name))));
    }
    let text = match global.format {
        Format::Json => json(&answer)?,
        _ => text::explain::explain(&answer, style(global)),
    };
    Ok(Outcome { text, complaints: Vec::new(), status: 0 })
}

/// Why nothing is called so, and what to ask for instead.
fn nothing(name: &str) -> String {
    let lower = name.trim().to_ascii_lowercase();
    let all = match lower.as_str() {
        "" => {
            return "expected the name of a check, a fault, a field, a log event, or a line of a log"
                .to_owned();
        }
        "check" | "checks" => Some("check --list"),
        "fault" | "faults" | "scenario" | "scenarios" | "machine" | "machines" => Some("simulate list"),
        _ => None,
    };
    if let Some(command) = all {
        return format!("nothing is called so; `pciscope {command}` prints their names");
    }
    if lower.starts_with("xid") || lower.starts_with("sxid") {
        return "expected a number of at most six digits, such as xid 79 or sxid 20034".to_owned();
    }
    if lower.starts_with("rminitadapter") || lower.starts_with("rm_init") {
        return "expected the three numbers of the message, such as \"RmInitAdapter failed! (0x22:0x56:742)\""
            .to_owned();
    }
    if let Some(id) = capability_name::capability_id(name.trim()) {
        return format!(
            "no capability with the ID {id:#04x} is known, on neither list; `explain 0x10` names those with ID 10h"
        );
    }
    if name.contains(' ') {
        // A line of a log, or a name that is nearly one.
        return match nearest(names(), name) {
            found if found.starts_with("nearest") => format!("nothing is called so; {found}"),
            _ => "no kind of event has such a line, and nothing else is called so".to_owned(),
        };
    }
    // What stands before a colon says which kind of thing is meant.
    let name = name.split_once(':').map_or(name, |(_, name)| name);
    format!("nothing is called so; {}", nearest(names(), name))
}
