//! Compares pciscope with `lspci`, in the same run: on this machine, and on a generated one of 4,096 functions.
//!
//! `cargo bench --bench against_lspci`; see `benches/README.md`. Times are reported and never tested: the exit status
//! is 0 whatever they are.

mod capture;
mod check;
mod config;
mod counts;
mod floor;
mod measure;
mod tree;

use std::io;
use std::path::{Path, PathBuf};

use counts::Counts;
use measure::{Program, Run};
use pciscope::machine::reading::Depth;
use pciscope::machine::{self, DEADLINE, Scope};
use pciscope::tree::Directory;

const PCISCOPE: &str = env!("CARGO_BIN_EXE_pciscope");

/// First argument with which this program is the floor program.
const FLOOR: &str = "--floor";

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some(measure::MEMORY) => measure::print_peak_memory(&arguments[1..]),
        Some(FLOOR) => floor(&arguments[1..]),
        Some("capture") => only_capture(),
        Some("check") => check::bench(PCISCOPE, generated()?.path(), rounds()),
        Some("--tree") => tree::write(Path::new(arguments.get(1).map_or("", String::as_str))),
        _ if arguments.iter().any(|a| a == "--bench") => bench(),
        // `cargo test --all-targets` runs benches too.
        _ => Ok(()),
    }
}

/// The generated tree in a folder that is removed afterwards.
fn generated() -> io::Result<tempfile::TempDir> {
    let folder = tempfile::Builder::new().prefix("pciscope-bench-").tempdir_in(place())?;
    println!("writing a tree of {} functions", tree::FUNCTIONS);
    tree::write(folder.path())?;
    Ok(folder)
}

fn rounds() -> usize {
    std::env::var("ROUNDS").ok().and_then(|r| r.parse().ok()).unwrap_or(11)
}

fn only_capture() -> io::Result<()> {
    let folder = generated()?;
    let beside = tempfile::tempdir_in(place())?;
    capture::bench(PCISCOPE, folder.path(), beside.path(), rounds())
}

fn floor(arguments: &[String]) -> io::Result<()> {
    let [set, devices] = arguments else {
        return Err(io::Error::other("expected a set of files and a folder"));
    };
    let set = match set.as_str() {
        "list" => &floor::LIST,
        "show" => &floor::SHOW,
        _ => &floor::CONFIG,
    };
    println!("{}", floor::read(Path::new(devices), set)?);
    Ok(())
}

fn bench() -> io::Result<()> {
    let rounds = rounds();
    let lspci = ["lspci", "/usr/bin/lspci", "/sbin/lspci", "/usr/sbin/lspci"].into_iter().find(|path| {
        std::process::Command::new(path).arg("--version").stdout(std::process::Stdio::null()).status().is_ok()
    });
    let Some(lspci) = lspci else {
        println!("lspci is not installed: nothing to compare with");
        return Ok(());
    };
    println!("times in ms: median and least wall time, median processor time, one run through a pipe;");
    println!("per function: system calls, files opened, reads of config, bytes of config");
    let folder = generated()?;
    let (root, bus) = (text(folder.path()), text(&folder.path().join("sys/bus/pci")));
    let devices = format!("{bus}/devices");
    let option = format!("sysfs.path={bus}");
    let here = env!("CARGO_PKG_NAME");
    let executable = text(&std::env::current_exe()?);
    let program = Program::new;

    let own = std::fs::read_dir("/sys/bus/pci/devices").map_or(0, Iterator::count);
    if own == 0 {
        println!("\nthis machine has no PCI: only the generated tree is measured");
    } else {
        let devices = "/sys/devices/pci";
        let floor = |set| program("floor", &executable, &[FLOOR, set, "/sys/bus/pci/devices"]);
        Comparison {
            title: format!("(a) this machine, {own} functions: list"),
            programs: vec![program("lspci", lspci, &[]), program(here, PCISCOPE, &["list"]), floor("list")],
            functions: own as f64,
            aim: 3.0,
            copy: None,
        }
        .run(2 * rounds, devices, folder.path())?;
        Comparison {
            title: format!("(a) this machine, {own} functions: show"),
            programs: vec![
                program("lspci -vvv", lspci, &["-vvv"]),
                program(here, PCISCOPE, &["show"]),
                floor("show"),
            ],
            functions: own as f64,
            aim: 2.0,
            copy: None,
        }
        .run(2 * rounds, devices, folder.path())?;
    }

    let floor = |set| program(&format!("floor, {set}"), &executable, &[FLOOR, set, &devices]);
    let folders = format!("{root}/sys/devices/pci");
    Comparison {
        title: format!("(b) {} functions: list", tree::FUNCTIONS),
        programs: vec![
            program("lspci", lspci, &["-A", "linux-sysfs", "-O", &option]),
            program(here, PCISCOPE, &["--from", &root, "list"]),
            floor("config"),
            floor("list"),
        ],
        functions: tree::FUNCTIONS.into(),
        aim: 3.0,
        copy: Some((folder.path().to_owned(), Depth::Summary)),
    }
    .run(rounds, &folders, folder.path())?;
    Comparison {
        title: format!("(b) {} functions: show of all", tree::FUNCTIONS),
        programs: vec![
            program("lspci -vvv", lspci, &["-A", "linux-sysfs", "-O", &option, "-vvv"]),
            program(here, PCISCOPE, &["--from", &root, "show"]),
            floor("show"),
        ],
        functions: tree::FUNCTIONS.into(),
        aim: 2.0,
        copy: Some((folder.path().to_owned(), Depth::Detail)),
    }
    .run(rounds, &folders, folder.path())?;
    capture::bench(PCISCOPE, folder.path(), tempfile::tempdir_in(place())?.path(), rounds)?;
    check::bench(PCISCOPE, folder.path(), rounds)
}

/// Where the tree goes: memory if there is room, so that no disk is measured.
#[allow(clippy::useless_conversion, reason = "32 bits on some machines")]
fn place() -> PathBuf {
    let free = nix::sys::statvfs::statvfs("/dev/shm")
        .map_or(0, |stat| stat.blocks_available() * stat.fragment_size());
    if free > tree::BYTES { PathBuf::from("/dev/shm") } else { std::env::temp_dir() }
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// Programs that do the same: lspci first, then pciscope, then floors.
struct Comparison {
    title: String,
    programs: Vec<Program>,
    functions: f64,
    /// How many times faster than lspci pciscope should be.
    aim: f64,
    /// A folder of which pciscope reads blocks, and how much of a device it would read there.
    copy: Option<(PathBuf, Depth)>,
}

impl Comparison {
    fn run(&self, rounds: usize, devices: &str, scratch: &Path) -> io::Result<()> {
        println!("\n{}, {rounds} rounds", self.title);
        println!(
            "{:<14} {:>8} {:>8} {:>8} {:>8} {:>8} {:>9} {:>10} | {:>8} {:>8} {:>8} {:>8}",
            "",
            "wall",
            "least",
            "CPU",
            "pipe",
            "of lspci",
            "peak MiB",
            "output KiB",
            "calls",
            "opened",
            "reads",
            "bytes"
        );
        let all = measure::alternate(&self.programs, rounds)?;
        let wall = |runs: &[Run]| measure::median(runs.iter().map(|run| run.wall));
        let lspci = wall(&all[0]);
        let mut all_counts = Vec::new();
        for (program, runs) in self.programs.iter().zip(&all) {
            let (piped, length) = measure::time_through_pipe(program)?;
            let memory = measure::peak_memory(program)?;
            let counts = counts::count(program, devices, &scratch.join("strace.log"))?;
            let milliseconds = |time: std::time::Duration| time.as_secs_f64() * 1000.0;
            print!(
                "{:<14} {:>8.2} {:>8.2} {:>8.2} {:>8.2} {:>7.2}x {:>9.1} {:>10} |",
                program.name,
                milliseconds(wall(runs)),
                milliseconds(runs.iter().map(|run| run.wall).min().unwrap_or_default()),
                milliseconds(measure::median(runs.iter().map(|run| run.processor))),
                milliseconds(piped),
                lspci.as_secs_f64() / wall(runs).as_secs_f64(),
                memory as f64 / 1024.0,
                length / 1024,
            );
            match counts {
                Some(c) => println!(
                    " {:>8.2} {:>8.2} {:>8.2} {:>8.1}",
                    c.system_calls as f64 / self.functions,
                    c.opened as f64 / self.functions,
                    c.config_reads as f64 / self.functions,
                    c.config_bytes as f64 / self.functions
                ),
                None => println!(" not counted: strace is not installed"),
            }
            all_counts.push(counts);
        }
        let ratio = lspci.as_secs_f64() / wall(&all[1]).as_secs_f64();
        verdict(ratio >= self.aim, &format!("{ratio:.2} times as fast as lspci, aim {}", self.aim));
        if let (Some(Some(lspci)), Some(Some(pciscope))) = (all_counts.first(), all_counts.get(1)) {
            self.counted(lspci, pciscope);
        }
        if let Some((folder, depth)) = &self.copy {
            let bytes = of_devices(folder, *depth)?;
            println!("  {bytes} bytes of config it would read of devices: of a copy it reads blocks of 256");
        }
        Ok(())
    }

    fn counted(&self, lspci: &Counts, pciscope: &Counts) {
        let calls = format!("{} system calls, lspci {}", pciscope.system_calls, lspci.system_calls);
        verdict(pciscope.system_calls < lspci.system_calls, &calls);
        println!("  {} bytes of config, lspci {}", pciscope.config_bytes, lspci.config_bytes);
    }
}

/// How many bytes of configuration space are read if they cost something.
fn of_devices(folder: &Path, depth: Depth) -> io::Result<u64> {
    let tree = Directory::open(folder).map_err(io::Error::other)?;
    let wanted = |_| true;
    let scope = Scope { depth, wanted: &wanted, wake: false, deadline: DEADLINE, vital_product_data: false };
    let machine = machine::load(&tree, false, scope).map_err(io::Error::other)?;
    Ok(machine.functions.iter().map(|f| u64::from(f.reading.space.known_bytes())).sum())
}

/// Says whether an aim is reached.
fn verdict(reached: bool, text: &str) {
    println!("  {}: {text}", if reached { "reached" } else { "MISSED" });
}
