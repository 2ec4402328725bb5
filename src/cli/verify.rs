//! `verify`.

use std::path::Path;

use crate::evidence::verify::{Signature, Verified, verify};

use super::arguments::{Format, Global};
use super::run::{Failure, NO_INPUT, NOT_FOUND, Outcome, json};

/// Exit status of a capture that is not what was stored.
const BAD: u8 = 2;

pub fn run(global: &Global, file: &Path, signers: Option<&Path>) -> Result<Outcome, Failure> {
    let shown = |path: &Path| crate::tree::printable(path.to_string_lossy().into_owned().into_bytes());
    let failed = |path: &Path, error: std::io::Error| {
        let words = match error.raw_os_error() {
            Some(number) => crate::tree::Cause::Errno(nix::errno::Errno::from_raw(number)).to_string(),
            None => error.to_string(),
        };
        Failure::new(NO_INPUT, format!("{}: {words}", shown(path)))
    };
    if let Some(signers) = signers {
        std::fs::File::open(signers).map_err(|error| failed(signers, error))?;
    }
    let verified = verify(file, signers).map_err(|error| failed(file, error))?;
    let status = match (&verified.signature, verified.problems.is_empty()) {
        (_, false) | (Signature::Bad { .. }, _) => BAD,
        (Signature::Unsigned | Signature::Unknown { .. }, true) => NOT_FOUND,
        (Signature::Good { .. }, true) => 0,
    };
    let text = match global.format {
        Format::Json => json(&verified)?,
        _ => text(&verified),
    };
    Ok(Outcome { text, complaints: Vec::new(), status })
}

fn text(verified: &Verified) -> String {
    let Verified { path, files, problems, signature } = verified;
    let plural = if *files == 1 { " is" } else { "s are" };
    let mut text = match problems.is_empty() {
        true => format!("{path}: all {files} files are as they were stored\n"),
        false => format!("{path}: NOT as it was stored; {files} file{plural}\n"),
    };
    for problem in problems {
        text.push_str(&format!("  {problem}\n"));
    }
    text.push_str(&match signature {
        Signature::Unsigned => "not signed: whoever changed a file could have changed its digest too\n".to_owned(),
        Signature::Good { signer: Some(name), key } => format!("signed by {name} with {key}\n"),
        Signature::Good { signer: None, key } => {
            format!("signed with {key}; whose key that is was not looked at: name those you trust with --signers\n")
        }
        Signature::Bad { reason } => format!("BAD SIGNATURE: {reason}\n"),
        Signature::Unknown { reason } => format!("the signature was not looked at: {reason}\n"),
    });
    text
}
