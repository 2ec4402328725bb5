//! Signatures of captures, as `ssh-keygen -Y` makes and verifies them (OpenSSH, PROTOCOL.sshsig).
//!
//! They are made and verified by `ssh-keygen` itself: it knows every kind of key, keys in agents and on tokens, and
//! asks for passphrases on the terminal. What is signed is the list of digests, `capture/sha256sums`.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use super::tool::{self, Answer, ToolError};

/// What a signature is for: one that was made for something else is not accepted (PROTOCOL.sshsig, 1.2).
pub const NAMESPACE: &str = "pciscope";

/// The tool.
const TOOL: &str = "ssh-keygen";
/// Time to make a signature: a person may have to type a passphrase or touch a token.
const SIGNING: Duration = Duration::from_secs(120);
/// Time to verify one.
const VERIFYING: Duration = Duration::from_secs(20);
/// Most bytes of an answer: a signature has some hundreds.
const LIMIT: usize = 256 << 10;

/// Signs bytes with the key in a file. Of a public key, the other half is in an agent.
pub fn sign(key: &Path, bytes: &[u8]) -> Result<Vec<u8>, String> {
    let name = key.display();
    let text = key.to_str().ok_or_else(|| format!("--sign {name}: the name is no text"))?;
    let arguments = ["-Y", "sign", "-q", "-n", NAMESPACE, "-f", text];
    let answer = run(&arguments, bytes, SIGNING).map_err(|error| format!("--sign {name}: {error}"))?;
    let made = answer.status.is_some_and(|status| status.success())
        && answer.output.starts_with(b"-----BEGIN SSH SIGNATURE-----");
    if !made {
        let reason = words(&answer);
        return Err(format!(
            "--sign {name}: ssh-keygen made no signature: {reason}; expected a private SSH key, or a public one whose private half an agent holds"
        ));
    }
    Ok(answer.output)
}

/// Who signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signer {
    /// Somebody of the list of signers.
    Known {
        /// The name there.
        name: String,
        /// Kind and fingerprint of the key.
        key: String,
    },
    /// Whoever has this key: nobody said whose it is.
    Key(String),
}

/// Why a signature is not good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// It is wrong, or by somebody else.
    Bad(String),
    /// It could not be looked at.
    Unknown(String),
}

/// Verifies a signature. `signers` is a file in the format of ssh-keygen(1), ALLOWED SIGNERS; without it, only whether the
/// signature is one of these bytes by the key that is in it.
pub fn verify(bytes: &[u8], signature: &[u8], signers: Option<&Path>) -> Result<Signer, Refused> {
    let file = temporary(signature).map_err(Refused::Unknown)?;
    let signature = file.0.display().to_string();
    let Some(signers) = signers else {
        let answer = check(&["-Y", "check-novalidate", "-n", NAMESPACE, "-s", &signature], bytes)?;
        // Good "pciscope" signature with ED25519 key SHA256:… (ssh-keygen.c, sig_verify)
        return Ok(Signer::Key(key(&answer)));
    };
    let name = signers.display();
    let signers =
        signers.to_str().ok_or_else(|| Refused::Unknown(format!("--signers {name}: the name is no text")))?;
    let found = check(&["-Y", "find-principals", "-f", signers, "-s", &signature], bytes);
    let principal = match found {
        Ok(names) => names.lines().next().unwrap_or_default().to_owned(),
        Err(Refused::Bad(reason)) => {
            return Err(Refused::Bad(format!("the key that signed is not in {signers}: {reason}")));
        }
        Err(unknown) => return Err(unknown),
    };
    let arguments = ["-Y", "verify", "-n", NAMESPACE, "-f", signers, "-I", &principal, "-s", &signature];
    let answer = check(&arguments, bytes)?;
    Ok(Signer::Known { name: principal, key: key(&answer) })
}

/// `ED25519 key SHA256:…` at the end of the first line.
fn key(answer: &str) -> String {
    let line = answer.lines().next().unwrap_or_default();
    line.rsplit_once(" with ").map_or(line, |(_, key)| key).to_owned()
}

fn check(arguments: &[&str], bytes: &[u8]) -> Result<String, Refused> {
    let answer = run(arguments, bytes, VERIFYING).map_err(|error| Refused::Unknown(error.to_string()))?;
    match answer.status.is_some_and(|status| status.success()) {
        true => Ok(text(answer.output)),
        false => Err(Refused::Bad(words(&answer))),
    }
}

fn run(arguments: &[&str], bytes: &[u8], deadline: Duration) -> Result<Answer, ToolError> {
    tool::run(TOOL, arguments, bytes, deadline, LIMIT, &mut || true)
}

/// What it said. Lines that it logs end with a carriage return too (OpenSSH: log.c, do_log).
fn text(mut bytes: Vec<u8>) -> String {
    bytes.retain(|byte| *byte != b'\r');
    crate::tree::printable(bytes)
}

/// What it said, on one line.
fn words(answer: &Answer) -> String {
    let text = text([answer.errors.as_slice(), &answer.output].concat());
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    if lines.is_empty() { "it did not say why".to_owned() } else { lines.join("; ") }
}

/// A file for as long as `ssh-keygen` needs it: it takes signatures by name only.
struct Temporary(std::path::PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        // It is of no use to anybody, whether or not it can be removed.
        let _ = std::fs::remove_file(&self.0);
    }
}

fn temporary(bytes: &[u8]) -> Result<Temporary, String> {
    let folder = std::env::temp_dir();
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    for attempt in 0..64u32 {
        let path = folder.join(format!("pciscope-{}-{attempt}.sig", std::process::id()));
        match std::fs::File::options().write(true).create_new(true).open(&path) {
            Ok(mut file) => {
                let kept = Temporary(path);
                file.write_all(bytes).map_err(failed)?;
                return Ok(kept);
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(failed(error)),
        }
    }
    Err(format!("{}: no name for a temporary file is free", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_of_terminals_are_no_part_of_the_words() {
        let errors = b"Signature verification failed: incorrect signature\r\nCould not verify signature.\r\n";
        let answer = Answer { status: None, output: Vec::new(), errors: errors.to_vec() };
        let expected = "Signature verification failed: incorrect signature; Could not verify signature.";
        assert_eq!(words(&answer), expected);
    }
}
