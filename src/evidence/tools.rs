//! What other programs say, kept beside the capture when that was asked for: they ask the device or the service
//! processor, which reading files does not.

use std::time::Duration;

use nix::errno::Errno;

use super::recording::{Kept, Recording};
use super::tool;
use crate::machine::{Function, Machine};
use crate::tree::Cause;

/// Which programs are run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Those that can do no harm now.
    Harmless,
    /// Also those that ask a GPU which does not answer, which adds to the kernel log.
    All,
}

/// A program, its arguments, and where what it says is kept.
struct Tool {
    program: &'static str,
    arguments: &'static [&'static str],
    path: &'static str,
    /// It opens every GPU.
    of_gpus: bool,
}

/// nvidia-smi(1), ipmitool(1).
const TOOLS: &[Tool] = &[
    Tool { program: "nvidia-smi", arguments: &["-q"], path: "capture/tools/nvidia-smi-q.txt", of_gpus: true },
    Tool {
        program: "nvidia-smi",
        arguments: &["topo", "-m"],
        path: "capture/tools/nvidia-smi-topo-m.txt",
        of_gpus: true,
    },
    Tool {
        program: "ipmitool",
        arguments: &["sel", "elist"],
        path: "capture/tools/ipmitool-sel-elist.txt",
        of_gpus: false,
    },
    Tool { program: "ipmitool", arguments: &["sdr"], path: "capture/tools/ipmitool-sdr.txt", of_gpus: false },
];
/// A service processor answers slowly: some seconds for a hundred sensors, longer for a full log.
const DEADLINE: Duration = Duration::from_secs(60);
/// Most bytes of an answer.
pub const LIMIT: usize = 16 << 20;
/// Where they are kept in a capture.
pub const FOLDER: &str = "capture/tools";

/// What to tell about programs that were not run or failed, a line each.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// For whoever reads the capture.
    pub lasting: Vec<String>,
    /// For whoever makes it: programs that are not installed.
    pub passing: Vec<String>,
}

/// Runs them one after the other, and keeps what they say.
pub fn keep(
    recording: &mut Recording,
    machine: &Machine,
    which: Which,
    deadline: Option<Duration>,
    watch: &mut dyn FnMut() -> bool,
) -> Told {
    let mut told = Told::default();
    let notes = &mut told.lasting;
    let gpus = reason_not_to_ask_gpus(machine, which);
    let mut said = false;
    for tool in TOOLS {
        let name = [&[tool.program], tool.arguments].concat().join(" ");
        if let (true, Some(reason)) = (tool.of_gpus, &gpus) {
            if !std::mem::replace(&mut said, true) {
                notes.push(format!("nvidia-smi was not run: {reason}"));
            }
            continue;
        }
        if !watch() {
            notes.push(format!("{name} was not run: interrupted"));
            continue;
        }
        let deadline = deadline.unwrap_or(DEADLINE);
        let kept = match tool::run(tool.program, tool.arguments, b"", deadline, LIMIT, watch) {
            Ok(answer) => {
                if !answer.status.is_some_and(|status| status.success()) {
                    let last = crate::tree::printable(answer.errors);
                    let last = last.lines().next_back().unwrap_or("it did not say why").trim().to_owned();
                    notes.push(format!("{name} failed: {last}"));
                }
                Kept::File { bytes: answer.output, size: None }
            }
            Err(error @ tool::ToolError::Late { .. }) => {
                notes.push(error.to_string());
                Kept::Failed(Cause::TimedOut(u32::try_from(deadline.as_millis()).unwrap_or(u32::MAX)))
            }
            Err(error @ tool::ToolError::Missing(_)) => {
                if !told.passing.contains(&error.to_string()) {
                    told.passing.push(error.to_string());
                }
                Kept::Failed(Cause::Errno(Errno::ENOENT))
            }
            Err(error) => {
                notes.push(error.to_string());
                continue;
            }
        };
        recording.keep(tool.path, kept);
    }
    told
}

/// Why NVIDIA's tool must not be run: it opens every GPU, which wakes one that sleeps, and makes the driver talk to one
/// that is gone.
fn reason_not_to_ask_gpus(machine: &Machine, which: Which) -> Option<String> {
    let is_gpu = |function: &&Function| {
        function.identity.vendor_id == Some(0x10de)
            && function.identity.class.is_some_and(|class| class >> 16 == 3)
    };
    let gpus: Vec<&Function> = machine.functions.iter().filter(is_gpu).collect();
    let sleeps = |function: &&&Function| {
        function.reading.asleep.is_some()
            || function.reading.text("power/runtime_status") == Some("suspended")
    };
    if let Some(gpu) = gpus.iter().find(sleeps) {
        return Some(format!("{} sleeps, and it would be woken", gpu.address));
    }
    let dead = gpus.iter().find(|gpu| !gpu.answers()).filter(|_| which != Which::All);
    dead.map(|gpu| {
        format!(
            "{} does not answer, and opening it adds to the kernel log: --with-tools=force does it",
            gpu.address
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::reading::{DEVICES, Depth};
    use crate::machine::{self, Scope};
    use crate::tree::MemoryTree;

    /// A machine with one GPU whose identity is in `uevent`.
    fn machine(files: &[(&str, &[u8])]) -> Machine {
        let folder = format!("{DEVICES}/0000:82:00.0");
        let uevent = "PCI_CLASS=30000\nPCI_ID=10DE:2B85\nPCI_SUBSYS_ID=10DE:0001\n";
        let mut tree = MemoryTree::complete().file(format!("{folder}/uevent"), uevent);
        for (name, bytes) in files {
            tree = tree.file(format!("{folder}/{name}"), bytes.to_vec());
        }
        let scope = Scope {
            depth: Depth::Full,
            wanted: &|_| true,
            wake: false,
            deadline: Duration::from_secs(1),
            vital_product_data: false,
        };
        machine::load(&tree, false, scope).unwrap()
    }

    #[test]
    fn gpus_that_sleep_or_are_gone_are_left_alone() {
        let reason = |machine: &Machine, which| reason_not_to_ask_gpus(machine, which).unwrap_or_default();
        let asleep = machine(&[("power_state", b"D3cold\n")]);
        assert!(reason(&asleep, Which::All).contains("0000:82:00.0 sleeps"), "even by force");
        let suspended = machine(&[("power/runtime_status", b"suspended\n"), ("config", &[0xff; 64])]);
        assert!(reason(&suspended, Which::All).contains("sleeps"));
        let dead = machine(&[("config", &[0xff; 4096])]);
        assert!(reason(&dead, Which::Harmless).contains("--with-tools=force"));
        assert_eq!(reason(&dead, Which::All), "");
        let mut config = vec![0; 256];
        config[..12].copy_from_slice(&[0xde, 0x10, 0x85, 0x2b, 6, 4, 0x10, 0, 0xa1, 0, 0, 3]);
        assert_eq!(reason(&machine(&[("config", &config)]), Which::Harmless), "");
    }
}
