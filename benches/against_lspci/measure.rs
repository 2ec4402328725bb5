//! Time and memory of a program that runs as a child process.

use std::io::{self, Read};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;

/// A program with its arguments.
#[derive(Debug, Clone)]
pub struct Program {
    /// What it is called in the tables.
    pub name: String,
    pub path: String,
    pub arguments: Vec<String>,
}

impl Program {
    pub fn new(name: &str, path: &str, arguments: &[&str]) -> Self {
        let arguments = arguments.iter().map(|a| (*a).to_owned()).collect();
        Program { name: name.to_owned(), path: path.to_owned(), arguments }
    }

    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        command.args(&self.arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }
}

/// What one run took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Run {
    /// From before the program was started until it had ended.
    pub wall: Duration,
    /// Time on processors, of all its threads and processes, in user and in kernel mode.
    pub processor: Duration,
}

/// Runs the program with its output thrown away.
pub fn run(program: &Program) -> io::Result<Run> {
    let (before, start) = (processor_time()?, Instant::now());
    let status = program.command().status()?;
    let run = Run { wall: start.elapsed(), processor: processor_time()?.saturating_sub(before) };
    match status.code() {
        // Exit statuses up to 3 of pciscope say what was found. That is no failure of the run.
        Some(0..=3) => Ok(run),
        _ => Err(io::Error::other(format!("{} ended with {status}", program.name))),
    }
}

/// Processor time of all children so far.
fn processor_time() -> io::Result<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let microseconds =
        |time: nix::sys::time::TimeVal| Duration::from_micros(time.num_microseconds().unsigned_abs());
    Ok(microseconds(usage.user_time()) + microseconds(usage.system_time()))
}

/// The same with the output going through a pipe that is read; gives how long it was as well.
pub fn time_through_pipe(program: &Program) -> io::Result<(Duration, usize)> {
    let start = Instant::now();
    let mut child = program.command().stdout(Stdio::piped()).spawn()?;
    let mut length = 0;
    if let Some(mut output) = child.stdout.take() {
        let mut buffer = vec![0; 1 << 16];
        loop {
            match output.read(&mut buffer)? {
                0 => break,
                read => length += read,
            }
        }
    }
    child.wait()?;
    Ok((start.elapsed(), length))
}

/// Several programs, run in turn so that whatever else the machine does meets all of them, after a round that does not
/// count.
pub fn alternate(programs: &[Program], rounds: usize) -> io::Result<Vec<Vec<Run>>> {
    let mut runs = vec![Vec::with_capacity(rounds); programs.len()];
    for round in 0..=rounds {
        for (program, runs) in programs.iter().zip(&mut runs) {
            let one = run(program)?;
            if round > 0 {
                runs.push(one);
            }
        }
    }
    Ok(runs)
}

/// The middle one of the values.
pub fn median(values: impl Iterator<Item = Duration>) -> Duration {
    let mut sorted: Vec<Duration> = values.collect();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

/// First argument with which this program only runs a command and prints its peak memory.
pub const MEMORY: &str = "--peak-memory-of";

/// Peak memory of the program in KiB: the resident set of its largest process. What the kernel tells of children is
/// the largest of all of them, so a process of its own does the asking.
pub fn peak_memory(program: &Program) -> io::Result<u64> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(MEMORY).arg(&program.path).args(&program.arguments);
    let output = command.stdin(Stdio::null()).output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim().parse().map_err(|_| io::Error::other(format!("no peak memory of {}: {text:?}", program.name)))
}

/// Runs a command and prints its peak memory in KiB.
pub fn print_peak_memory(arguments: &[String]) -> io::Result<()> {
    let [path, arguments @ ..] = arguments else { return Err(io::Error::other("no command")) };
    Command::new(path).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status()?;
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    println!("{}", usage.max_rss());
    Ok(())
}
