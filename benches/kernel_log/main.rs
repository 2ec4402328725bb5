//! Compares `pciscope log` with `grep -E` of the same patterns, in the same run, on a generated log; and measures the peak
//! memory of both on one of 1 GiB.
//!
//! `cargo bench --bench kernel_log`; see `benches/README.md`. Times are reported and never tested: the exit status is 0
//! whatever they are.

#[path = "../against_lspci/measure.rs"]
#[allow(dead_code, reason = "shared with the other bench, which uses all of it")]
mod measure;

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use measure::Program;
use serde_json::Value;

const PCISCOPE: &str = env!("CARGO_BIN_EXE_pciscope");
/// The table of known lines: what grep looks for.
const PATTERNS: &str = include_str!("../../tests/kernel-log-patterns.json");
/// Lines of a busy machine that have nothing to do with PCI.
const OTHERS: &[&str] = &[
    "audit: type=1400 audit(1751927769.001:2212): apparmor=\"DENIED\" operation=\"open\" profile=\"snap.x\" pid=4711",
    "IPv6: ADDRCONF(NETDEV_CHANGE): veth1f2e3d4: link becomes ready",
    "docker0: port 3(veth1f2e3d4) entered forwarding state",
    "EXT4-fs (md0): mounted filesystem 01234567-89ab-cdef-0123-456789abcdef r/w with ordered data mode. Quota mode: none.",
    "usb 3-4: new high-speed USB device number 7 using xhci_hcd",
    "[UFW BLOCK] IN=eth0 OUT= MAC=00:00:00:00:00:00 SRC=192.0.2.7 DST=192.0.2.9 LEN=40 TOS=0x00 PREC=0x00 TTL=245 ID=54321",
    "oom_reaper: reaped process 4711 (python3), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB",
    "systemd-journald[512]: Received client request to flush runtime journal.",
    "perf: interrupt took too long (2505 > 2500), lowering kernel.perf_event_max_sample_rate to 79750",
    "br-lan: topology change detected, propagating",
];

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some(measure::MEMORY) => measure::print_peak_memory(&arguments[1..]),
        _ if arguments.iter().any(|a| a == "--bench") => bench(),
        // `cargo test --all-targets` runs benches too.
        _ => Ok(()),
    }
}

fn bench() -> io::Result<()> {
    let folder = tempfile::tempdir()?;
    let patterns: Vec<Value> = serde_json::from_str(PATTERNS)?;
    let samples: Vec<&str> =
        patterns.iter().filter_map(|p| p["samples"].as_array()).flatten().filter_map(Value::as_str).collect();
    let expressions = folder.path().join("expressions");
    let mut file = File::create(&expressions)?;
    for regex in patterns.iter().filter_map(|p| p["regex"].as_str()) {
        writeln!(file, "{}", extended(regex))?;
    }
    println!("megabytes a second of wall time, median of 7; relevant: one line in so many is of interest\n");
    println!("{:<10} {:>8} {:>10} {:>10} {:>7}", "relevant", "MB", "pciscope", "grep -E", "ratio");
    for every in [usize::MAX, 1000, 10] {
        let log = folder.path().join(format!("log-{every}"));
        let length = write_log(&log, 100 << 20, &samples, every)?;
        let (ours, grep) = (pciscope(&log), grep(&expressions, &log));
        let runs = measure::alternate(&[ours, grep], 7)?;
        let speeds: Vec<f64> = runs
            .iter()
            .map(|runs| length as f64 / 1e6 / measure::median(runs.iter().map(|r| r.wall)).as_secs_f64())
            .collect();
        let name = if every == usize::MAX { "none".to_owned() } else { format!("1/{every}") };
        println!(
            "{name:<10} {:>8.0} {:>10.0} {:>10.0} {:>7.2}",
            length as f64 / 1e6,
            speeds[0],
            speeds[1],
            speeds[0] / speeds[1]
        );
    }
    let log = folder.path().join("large");
    write_log(&log, 1 << 30, &samples, 1000)?;
    println!("\npeak memory on 1 GiB: pciscope {} KiB", measure::peak_memory(&pciscope(&log))?);
    Ok(())
}

/// Python's groups with names are groups of POSIX without; classes by letter are written out.
fn extended(regex: &str) -> String {
    let mut out = String::new();
    let mut rest = regex;
    while let Some(at) = rest.find("(?") {
        out.push_str(&rest[..at]);
        out.push('(');
        let behind = &rest[at + 2..];
        rest = match behind.strip_prefix("P<").and_then(|b| b.split_once('>')) {
            Some((_, inside)) => inside,
            None => behind.trim_start_matches(':'),
        };
    }
    out.push_str(rest);
    // The message stands behind a time stamp here. A lazy repetition finds the same lines as a greedy one.
    let mut out = out.trim_start_matches('^').to_owned();
    for (rust, posix) in [
        ("+?", "+"),
        (r"\d", "[0-9]"),
        (r"\'", "'"),
        (r"[\w.+-]", "[[:alnum:]_.+-]"),
        (r"[\w-]", "[[:alnum:]_-]"),
        (r"[\w ]", "[[:alnum:]_ ]"),
        (r"[^\]]", "[^]]"),
    ] {
        out = out.replace(rust, posix);
    }
    out
}

fn pciscope(log: &Path) -> Program {
    Program::new("pciscope", PCISCOPE, &["log", "--all", "--log", &log.to_string_lossy()])
}

/// grep counts, so that it looks at every line as well; into a file, because it stops at the first one where the output
/// is /dev/null.
fn grep(expressions: &Path, log: &Path) -> Program {
    // Exit status 1 is no line found; 2 is an expression that it does not take, and no measurement.
    let (expressions, log) = (expressions.display(), log.display());
    let script = format!("LC_ALL=C grep -c -E -f '{expressions}' '{log}' > '{log}.count' || [ $? = 1 ]");
    Program::new("grep", "/bin/sh", &["-c", &script])
}

fn write_log(path: &Path, length: usize, samples: &[&str], every: usize) -> io::Result<usize> {
    let mut file = BufWriter::new(File::create(path)?);
    let mut written = 0;
    for number in 0.. {
        if written >= length {
            break;
        }
        let text = match number % every == every - 1 {
            true => samples[number / every % samples.len()],
            false => OTHERS[number % OTHERS.len()],
        };
        let line = format!("[{:>5}.{:06}] {text}\n", number / 100, number % 100 * 10_000);
        file.write_all(line.as_bytes())?;
        written += line.len();
    }
    file.flush()?;
    Ok(written)
}
