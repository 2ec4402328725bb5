//! A capture of the generated machine: time, size, peak memory; and what opening it takes.

use std::io;
use std::path::Path;

use super::measure::{self, Program};

/// Measures and prints.
pub fn bench(program: &str, root: &Path, folder: &Path, rounds: usize) -> io::Result<()> {
    let text = |path: &Path| path.display().to_string();
    let (archive, key) = (folder.join("capture.tar.zst"), folder.join("key"));
    let (from, output, key) = (text(root), text(&archive), text(&key));
    println!("\n(c) a capture of the generated tree: wall ms, processor ms, peak memory MiB, file MiB");
    for (name, how) in [
        ("capture --no-redact", ["--no-redact"].as_slice()),
        ("capture, with pseudonyms", &["--redact-key", &key]),
    ] {
        let arguments = [&["--from", &from, "capture", "-o", &output], how].concat();
        let program = Program::new(name, program, &arguments);
        let mut runs = Vec::new();
        for _ in 0..rounds {
            remove(&archive)?;
            runs.push(measure::run(&program)?);
        }
        remove(&archive)?;
        let memory = measure::peak_memory(&program)?;
        let size = std::fs::metadata(&archive)?.len();
        print(name, &runs, memory, Some(size));
    }
    for command in ["list", "show"] {
        let name = format!("{command} of the capture");
        let program = Program::new(&name, program, &["--from", &output, command]);
        let runs = (0..rounds).map(|_| measure::run(&program)).collect::<io::Result<Vec<_>>>()?;
        print(&name, &runs, measure::peak_memory(&program)?, None);
    }
    remove(&archive)
}

fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn print(name: &str, runs: &[measure::Run], memory: u64, size: Option<u64>) {
    let milliseconds = |time: std::time::Duration| time.as_secs_f64() * 1000.0;
    let wall = milliseconds(measure::median(runs.iter().map(|run| run.wall)));
    let processor = milliseconds(measure::median(runs.iter().map(|run| run.processor)));
    let mebibytes = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    let size = size.map(|size| format!("{:8.1}", mebibytes(size))).unwrap_or_default();
    println!("{name:26} {wall:8.0} {processor:8.0} {:8.1} {size}", mebibytes(memory << 10));
}
