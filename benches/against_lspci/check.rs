//! `check` of the generated machine: what all checks cost beside what reading costs.

use std::io;
use std::path::Path;
use std::time::Duration;

use super::measure::{self, Program};

/// Measures and prints. Reading is what a check costs of which only one is made, and which looks at nothing but presence.
pub fn bench(program: &str, root: &Path, rounds: usize) -> io::Result<()> {
    println!("\n(d) check of the generated tree: wall ms, processor ms, peak memory MiB");
    let from = root.display().to_string();
    let named =
        |name: &str, how: &[&str]| Program::new(name, program, &[&["--from", from.as_str()], how].concat());
    let level = ["check", "--fail-on", "fail"];
    let programs = [
        named("list", &["list"]),
        named("check, only presence", &[&level[..], &["--only", "presence-dir"]].concat()),
        named("check", &level),
        named("check, json", &[&level[..], &["--format", "json"]].concat()),
        named("check, gpu-server", &[&level[..], &["--profile", "gpu-server"]].concat()),
    ];
    let runs = measure::alternate(&programs, rounds)?;
    let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
    let processor = |place: usize| milliseconds(measure::median(runs[place].iter().map(|run| run.processor)));
    for (place, (program, runs)) in programs.iter().zip(&runs).enumerate() {
        let wall = milliseconds(measure::median(runs.iter().map(|run| run.wall)));
        let memory = measure::peak_memory(program)? as f64 / 1024.0;
        println!("{:26} {wall:8.0} {:8.0} {memory:8.1}", program.name, processor(place));
    }
    let (reading, all) = (processor(1), processor(2));
    let reached =
        if all - reading < reading { "below the cost of reading" } else { "above the cost of reading" };
    println!("all checks and their text: {:.0} ms of processor time, {reached}", all - reading);
    Ok(())
}
