//! What a program asks of the kernel, counted with strace.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use super::measure::Program;

/// Counts of one run.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counts {
    pub system_calls: u64,
    /// Files and folders of functions that were opened.
    pub opened: u64,
    /// Reads of `config`.
    pub config_reads: u64,
    /// Bytes that those reads got.
    pub config_bytes: u64,
}

/// Counts what a program does; `devices` is a part that the paths of all functions' folders have. `None` without
/// strace.
pub fn count(program: &Program, devices: &str, log: &Path) -> io::Result<Option<Counts>> {
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-y", "-s", "0", "-o"]).arg(log).arg(&program.path).args(&program.arguments);
    match command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status() {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    }
    let mut counts = Counts::default();
    // What a process was doing when another one's line came in between.
    let mut unfinished: HashMap<String, String> = HashMap::new();
    for line in BufReader::new(File::open(log)?).lines() {
        let line = line?;
        let Some((process, rest)) = line.split_once(char::is_whitespace) else { continue };
        let rest = rest.trim_start();
        if let Some(start) = rest.strip_suffix(" <unfinished ...>") {
            unfinished.insert(process.to_owned(), start.to_owned());
            continue;
        }
        let whole = match rest.strip_prefix("<... ").and_then(|r| r.split_once(" resumed>")) {
            Some((_, end)) => unfinished.remove(process).unwrap_or_default() + end,
            None => rest.to_owned(),
        };
        take(&mut counts, &whole, devices);
    }
    // A process that ends does so in a call that never comes back.
    counts.system_calls += unfinished.len() as u64;
    Ok(Some(counts))
}

/// Takes one system call as strace writes it: `openat(3</a>, "b", O_RDONLY) = 4</a/b>`.
fn take(counts: &mut Counts, call: &str, devices: &str) {
    let Some((name, arguments)) = call.split_once('(') else { return };
    counts.system_calls += 1;
    let Some((arguments, result)) = arguments.rsplit_once(" = ") else { return };
    match name {
        "open" | "openat" | "openat2" => {
            let path = result.split_once('<').map_or("", |(_, path)| path);
            counts.opened +=
                u64::from(path.contains(devices) && path.contains(".") && !path.ends_with("devices>"));
        }
        "pread64" | "read" => {
            let file = arguments.split_once('>').map_or("", |(file, _)| file);
            if file.ends_with("/config") && file.contains(devices) {
                counts.config_reads += 1;
                counts.config_bytes += result.trim().parse::<u64>().unwrap_or(0);
            }
        }
        _ => {}
    }
}
