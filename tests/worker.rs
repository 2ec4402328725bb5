//! Functions whose read hangs or crashes, in worker processes.
//!
//! This is a program of its own (`harness = false`): workers are forked, which needs a process with one thread. Called
//! with `hang` it is the program that must end although a read hangs.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{Signal, raise};
use pciscope::machine::files;
use pciscope::machine::reading::{Depth, Order, Reading};
use pciscope::machine::worker;
use pciscope::pci::Bdf;
use pciscope::tree::{Cause, File, MemoryTree, Result, Tree, TreeError, Window};

/// Functions by bus number. Configuration space of this one reads for ever, as in a reset that does not end.
const HANGS: u8 = 7;
/// Nothing of this one can be read in time.
const HANGS_ALTOGETHER: u8 = 8;
/// Reading this one ends the worker.
const CRASHES: u8 = 9;
/// Reading this one panics.
const PANICS: u8 = 6;
/// A driver's probe holds the lock of this one: what waits for the lock hangs, everything else answers.
const LOCKED: u8 = 5;

/// Long enough for a function that answers, even on a busy machine.
const DEADLINE: Duration = Duration::from_millis(500);

/// A machine on which reading can hang, or one function's folder in it. The functions say in `uevent` what the reader
/// has open.
struct Sick(Option<(Bdf, MemoryTree)>);

impl Tree for Sick {
    fn enter(&self, path: &str) -> Result<Box<dyn Tree>> {
        let address: Bdf = path.rsplit('/').next().unwrap().parse().unwrap();
        match address.bus {
            HANGS_ALTOGETHER => hang(),
            CRASHES => raise(Signal::SIGKILL).unwrap(),
            PANICS => panic!("as a defect of the reader would"),
            _ => {}
        }
        let header = [0x36, 0x1b, 0x10, 0, 7, 1, 0x10, 0, 2, 2, 8, 1, 0, 0, 0, 0];
        let open = descriptors().join("\n");
        let tree = MemoryTree::complete()
            .file("config", [&header[..], &[0; 48]].concat())
            .file("uevent", format!("PCI_ID=1B36:0010\n{open}"))
            .file("sriov_numvfs", "0")
            .file("vpd", b"\x82\x01\x00\xff\x78behind");
        Ok(Box::new(Sick(Some((address, tree)))))
    }

    fn open(&self, path: &str) -> Result<Box<dyn File>> {
        let (address, tree) = self.0.as_ref().unwrap();
        if address.bus == HANGS && matches!(path, "config" | "current_link_speed" | "sriov_numvfs" | "vpd") {
            hang();
        }
        if address.bus == LOCKED && path == "sriov_numvfs" {
            hang();
        }
        tree.open(path)
    }

    fn read_link(&self, path: &str) -> Result<String> {
        Err(TreeError::errno(path, Errno::ENOENT))
    }

    fn list(&self, path: &str) -> Result<Vec<String>> {
        Err(TreeError::errno(path, Errno::ENOENT))
    }

    fn window(&self, path: &str, _: u64, _: usize) -> Result<Window> {
        Err(TreeError::errno(path, Errno::ENOENT))
    }
}

fn hang() {
    loop {
        std::thread::sleep(Duration::from_secs(60));
    }
}

/// What this process has open, as the links of `/proc/self/fd`; the folder itself is left out.
fn descriptors() -> Vec<String> {
    let folder = std::fs::read_dir("/proc/self/fd").unwrap();
    let targets = folder.filter_map(|entry| std::fs::read_link(entry.unwrap().path()).ok());
    targets.map(|t| t.display().to_string()).filter(|t| !t.starts_with("/proc/")).collect()
}

fn read(buses: &[u8]) -> Vec<Reading> {
    read_with(buses, false)
}

fn read_with(buses: &[u8], vital_product_data: bool) -> Vec<Reading> {
    let order = |bus: &u8| Order {
        address: Bdf { domain: 0, bus: *bus, device: 0, function: 0 },
        depth: Depth::Full,
        bridge_asleep: false,
        wake: false,
        remembered: false,
        vital_product_data,
    };
    let orders: Vec<Order> = buses.iter().map(order).collect();
    let readings = worker::read_all(&orders, DEADLINE, &|| Ok(Box::new(Sick(None))), || ()).unwrap();
    let order_kept = readings.iter().zip(&orders).all(|(reading, order)| reading.address == order.address);
    assert!(order_kept && readings.len() == orders.len());
    readings
}

fn assert_read(reading: &Reading) {
    assert_eq!(
        (reading.config_error, reading.space.u32(0)),
        (None, Some(0x0010_1b36)),
        "{}",
        reading.address
    );
    assert_only_own_socket(reading);
}

fn assert_only_own_socket(reading: &Reading) {
    let open: Vec<&str> = reading.text("uevent").unwrap().lines().skip(1).collect();
    let own_socket = open.len() == 1 && open[0].starts_with("socket:");
    assert!(own_socket, "a worker has nothing open but its socket: {open:?}");
}

/// The kernel's memory of the function is read all the same, and its configuration space is not guessed.
fn assert_timed_out(reading: &Reading) {
    assert_eq!(reading.config_error, Some((0, Cause::TimedOut(500))));
    assert_eq!(reading.space.known_bytes(), 0);
    assert_only_own_socket(reading);
}

fn one_hanging_function_costs_one_deadline() {
    let start = Instant::now();
    let readings = read(&[1, HANGS, 2]);
    let time = start.elapsed();
    assert_read(&readings[0]);
    assert_timed_out(&readings[1]);
    assert_read(&readings[2]);
    assert!(time >= DEADLINE, "{time:?}");
}

fn not_even_the_kernel_answers() {
    let readings = read(&[HANGS_ALTOGETHER, 1]);
    assert_eq!(readings[0].config_error, Some((0, Cause::TimedOut(500))));
    assert_eq!((readings[0].space.known_bytes(), readings[0].answers.len()), (0, 0));
    assert_read(&readings[1]);
}

fn a_crash_is_an_answer_too() {
    let readings = read(&[CRASHES, 1, CRASHES]);
    assert_eq!(readings[0].config_error, Some((0, Cause::Errno(Errno::EIO))));
    assert_eq!(readings[2].config_error, Some((0, Cause::Errno(Errno::EIO))));
    assert_read(&readings[1]);
}

/// Writes to its path if a panic gets this far.
struct Unwound(std::path::PathBuf);

impl Drop for Unwound {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let _ = std::fs::write(&self.0, "");
        }
    }
}

/// A worker that panics ends there, and runs nothing of the program that it is a copy of.
fn a_panic_is_a_crash() {
    let folder = tempfile::tempdir().unwrap();
    let unwound = Unwound(folder.path().join("unwound"));
    let readings = read(&[PANICS, 1]);
    assert_eq!(readings[0].config_error, Some((0, Cause::Errno(Errno::EIO))));
    assert_read(&readings[1]);
    assert!(!unwound.0.exists());
}

fn a_lock_costs_nothing() {
    let readings = read(&[LOCKED]);
    assert_read(&readings[0]);
    assert_eq!(readings[0].config_reads, 2);
}

/// Two workers: neither keeps the other's socket open, before and after one was replaced.
fn many_functions_end() {
    let many: Vec<u8> = (10..80).collect();
    read(&many).iter().for_each(assert_read);
    let mut sick = many;
    sick[3] = HANGS;
    sick[40] = CRASHES;
    sick[41] = HANGS;
    let readings = read(&sick);
    for (place, reading) in readings.iter().enumerate() {
        match place {
            3 | 41 => assert_timed_out(reading),
            40 => assert_eq!(reading.config_error, Some((0, Cause::Errno(Errno::EIO)))),
            _ => assert_read(reading),
        }
    }
}

/// Vital product data that never comes costs one deadline; nothing else is asked for in its place.
fn vital_product_data_that_hangs() {
    let start = Instant::now();
    let readings = read_with(&[1, HANGS, 2], true);
    assert!(start.elapsed() < DEADLINE * 3);
    for answering in [&readings[0], &readings[2]] {
        let data = answering.vital_product_data.as_ref().unwrap();
        assert_eq!((data.bytes.as_slice(), data.error), (&b"\x82\x01\x00\xff\x78"[..], None));
        assert_eq!(answering.space.known_bytes(), 0, "an order of its own");
    }
    assert_eq!(readings[1].config_error, Some((0, Cause::TimedOut(500))));
    assert_eq!(readings[1].vital_product_data, None);
}

/// Somebody who no longer wants to wait gets what was read by then, even while a read hangs.
fn an_end_keeps_what_was_read() {
    let order = |bus| Order {
        address: Bdf { domain: 0, bus, device: 0, function: 0 },
        depth: Depth::Full,
        bridge_asleep: false,
        wake: false,
        remembered: false,
        vital_product_data: false,
    };
    let orders: Vec<Order> = [1, 2, HANGS_ALTOGETHER, 3].into_iter().map(order).collect();
    let start = Instant::now();
    let open = || Ok(Box::new(Sick(None)) as Box<dyn Tree>);
    let long = Duration::from_secs(60);
    let readings = worker::read_all_watched(&orders, long, &open, || (), &mut |done| done < 2).unwrap();
    assert!(start.elapsed() < Duration::from_secs(30));
    assert_read(&readings[0]);
    assert_read(&readings[1]);
    for unread in &readings[2..] {
        assert_eq!(unread.config_error, Some((0, Cause::Errno(Errno::EINTR))));
    }
}

/// Files of a driver that hangs: each costs one deadline, the others are read.
fn files_that_hang() {
    struct Files;
    impl Tree for Files {
        fn open(&self, path: &str) -> Result<Box<dyn File>> {
            match path {
                "hangs" => hang(),
                "crashes" => raise(Signal::SIGKILL).unwrap(),
                _ => {}
            }
            MemoryTree::complete().file("answers", "yes").open(path)
        }
        fn read_link(&self, path: &str) -> Result<String> {
            Err(TreeError::errno(path, Errno::ENOENT))
        }
        fn list(&self, path: &str) -> Result<Vec<String>> {
            Err(TreeError::errno(path, Errno::ENOENT))
        }
        fn enter(&self, path: &str) -> Result<Box<dyn Tree>> {
            Err(TreeError::errno(path, Errno::ENOENT))
        }
        fn window(&self, path: &str, _: u64, _: usize) -> Result<Window> {
            Err(TreeError::errno(path, Errno::ENOENT))
        }
    }
    let paths = ["answers", "hangs", "absent", "crashes", "answers"].map(str::to_owned);
    let answers = files::read_all(&paths, DEADLINE, &|| Ok(Box::new(Files))).unwrap();
    let failed = |errno| Err(Cause::Errno(errno));
    let expected = [
        Ok(b"yes".to_vec()),
        Err(Cause::TimedOut(500)),
        failed(Errno::ENOENT),
        failed(Errno::EIO),
        Ok(b"yes".to_vec()),
    ];
    assert_eq!(answers, expected);
}

fn no_function_is_no_worker() {
    assert!(read(&[]).is_empty());
}

/// The caller sees the end of the program's output.
fn the_program_ends() {
    let program = std::env::current_exe().unwrap();
    let output = Command::new(program).arg("hang").stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success());
    assert_eq!(String::from_utf8_lossy(&output.stdout), "0000:07:00.0 did not return within 500 ms\n");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

fn main() {
    // If something hangs after all, this ends the program with a signal.
    nix::unistd::alarm::set(120);
    if std::env::args().any(|argument| argument == "hang") {
        let (_, cause) = read(&[HANGS])[0].config_error.unwrap();
        println!("0000:07:00.0 {cause}");
        return;
    }
    // Something that a caller left open and that is inherited even by other programs.
    let (kept, _) = nix::unistd::pipe().unwrap();
    assert!(descriptors().iter().any(|d| d.starts_with("pipe:")));
    one_hanging_function_costs_one_deadline();
    not_even_the_kernel_answers();
    a_crash_is_an_answer_too();
    a_panic_is_a_crash();
    a_lock_costs_nothing();
    many_functions_end();
    vital_product_data_that_hangs();
    an_end_keeps_what_was_read();
    files_that_hang();
    no_function_is_no_worker();
    the_program_ends();
    drop(kept);
}
