//! What can be typed.

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

use crate::machine::{Function, Machine};
use crate::pci::select::{DeviceFilter, SlotFilter};
use crate::pci::{Bdf, PartialBdf};

/// Reads, decodes and judges PCI Express devices, without a hardware lab.
///
/// Everything is read from sysfs; nothing is ever written to a device. Exit status: 0 done, 3 something that was asked
/// for was not found or does not answer, 64 wrong usage, 66 the source cannot be read, 70 a defect of pciscope.
#[derive(Debug, Parser)]
#[command(name = "pciscope", disable_version_flag = true, max_term_width = 110)]
pub struct Arguments {
    /// The options that every command takes.
    #[command(flatten)]
    pub global: Global,
    /// The command.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Options that every command takes.
#[derive(Debug, Clone, Args)]
pub struct Global {
    /// Where to read: `live` (this machine, the default), a capture, a folder shaped like /, an nvidia-bug-report.log (packed
    /// with gzip or not), text from lspci -x, -xxx or -xxxx, a copy of a config file, a scenario or machine in TOML (FILE or
    /// FILE@45s), or - for standard input.
    #[arg(long, global = true, value_name = "SOURCE")]
    pub from: Option<String>,
    /// The moment of a scenario, such as 45s or 1h30m; without it the end of its timeline.
    #[arg(long, global = true, value_name = "TIME")]
    pub at: Option<String>,
    /// Read the kernel log from this file instead of the machine's own: what dmesg or journalctl -k print, syslog,
    /// /dev/kmsg, an nvidia-bug-report; packed with gzip, zstd or not; - for standard input.
    #[arg(long, global = true, value_name = "FILE")]
    pub log: Option<String>,
    /// What to print.
    #[arg(long, global = true, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// When to use colours: `auto` means on a terminal, unless NO_COLOR is set.
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    pub color: Color,
    /// Take names of devices from this pci.ids file; `embedded` is the table in the program.
    #[arg(long, global = true, value_name = "FILE", env = "PCISCOPE_IDS", hide_env_values = true)]
    pub ids: Option<PathBuf>,
    /// Read functions in D3cold too, although that wakes them.
    #[arg(long, global = true)]
    pub wake: bool,
    /// Seconds that reading one function of this machine may take.
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 2.0)]
    pub deadline: f64,
    /// Print the version; with -v also which table of device names is in use.
    #[arg(short = 'V', long = "version", action = ArgAction::SetTrue)]
    pub version: bool,
    /// With -V: say which table of device names is in use.
    #[arg(short, long)]
    pub verbose: bool,
}

/// Output formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For programs; the schemas are in docs/schema.
    Json,
    /// For continuous integration: JUnit XML (check only).
    Junit,
    /// For hardware qualification: OCP Test and Validation 2.0 (check only).
    Ocptv,
    /// For Prometheus: text for the textfile collector (check only).
    Prometheus,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// One line a function: presence, link now and at most, MSI-X, ASPM, errors latched in Device Status, driver.
    List {
        /// Which functions.
        #[command(flatten)]
        selection: Selection,
        /// Show the hierarchy.
        #[arg(long)]
        tree: bool,
    },
    /// Everything about a function, decoded field by field, the raw value beside it.
    Show {
        /// Which functions.
        #[command(flatten)]
        selection: Selection,
        /// Print one value: a dotted path such as express.link_status.current_link_speed, a register such as
        /// express.link_status, a capability such as express, or a short name such as LnkSta or UESta.DLP.
        #[arg(long, value_name = "PATH")]
        field: Option<String>,
        /// With --field: the number as it stands in the register.
        #[arg(long, requires = "field")]
        raw: bool,
        /// Also print configuration space in hexadecimal, all of it that can be read.
        #[arg(short = 'x', long)]
        hex: bool,
        /// Also read vital product data: the name, part and serial number that the device itself holds. It hands them
        /// out slowly; --deadline says how long that may take.
        #[arg(long, conflicts_with = "field")]
        vpd: bool,
    },
    /// The MSI-X vector table, pending bits, and which Linux interrupt each vector is.
    Msix {
        /// Which functions.
        #[command(flatten)]
        selection: Selection,
        /// Read memory of the device on machines other than x86 too, where a sick device can stop the machine.
        #[arg(long)]
        mmio: bool,
    },
    /// Whether the machine is what a qualified one should be: every rule, with its evidence. Exit status 2 if something
    /// failed, 3 if presence or something asked for by name could not be judged, 1 if something was warned about, 130 if it
    /// was interrupted.
    Check {
        /// Which functions; the bridges above them are checked as well.
        #[command(flatten)]
        selection: Selection,
        /// The rest.
        #[command(flatten)]
        options: CheckOptions,
    },
    /// What broke: one verdict a device, how it is known, what will not help, what will, who has to do it.
    ///
    /// From the machine's state and the kernel log together; with --log alone from that log only. Exit status 0 healthy or
    /// asleep, 1 something is slow, noisy or wrongly set up, 2 something is broken, 3 not known.
    Diagnose {
        /// Which functions.
        #[command(flatten)]
        selection: Selection,
        /// The rest.
        #[command(flatten)]
        options: DiagnoseOptions,
    },
    /// What a check, capability, register, field, fault, log line or NVIDIA's Xid is, where that is specified, what is normal.
    Explain {
        /// A check such as aspm-enabled, a dotted path such as express.link_status, a name that lspci prints, such as LnkSta or UESta.DLP, a fault that
        /// `simulate list` prints, a kind of event such as nvidia.xid, `xid 79`, or a line of a kernel log in quotes.
        #[arg(value_name = "NAME", required = true)]
        name: Vec<String>,
    },
    /// Keep everything that the other commands read, as one file that every command takes with --from.
    ///
    /// Nothing is woken or written; a function that does not answer costs four doublewords. What could not be read is
    /// kept as such. The file appears whole or not at all; an interrupt keeps what was read by then.
    Capture {
        /// Name of the capture; without it, pciscope-TIME.tar.zst in this folder.
        #[arg(short, long, alias = "out", value_name = "FILE")]
        output: Option<PathBuf>,
        /// Write a folder instead of an archive.
        #[arg(long = "dir")]
        folder: bool,
        /// Also keep vital product data, which a device hands out slowly.
        #[arg(long)]
        vpd: bool,
        /// Read memory of devices on machines other than x86 too, where a sick device can stop the machine.
        #[arg(long)]
        mmio: bool,
        /// Sign it with this SSH key, as ssh-keygen -Y sign does; of a public key, an agent holds the other half.
        #[arg(long, value_name = "KEY")]
        sign: Option<PathBuf>,
        /// Also keep what nvidia-smi -q, nvidia-smi topo -m, ipmitool sel elist and ipmitool sdr say. No GPU that sleeps is
        /// asked, and one that does not answer only with --with-tools=force: that adds to the kernel log.
        #[arg(long, value_name = "force", num_args = 0..=1, require_equals = true, default_missing_value = "harmless", hide_possible_values = true)]
        with_tools: Option<WithTools>,
        /// How what names the machine, its devices and people is replaced.
        #[command(flatten)]
        redaction: Redaction,
    },
    /// Whether a capture is what was stored: the SHA-256 of every file, and the signature. Exit status 2 if not, 3 if it is
    /// not signed.
    Verify {
        /// A capture, as an archive or a folder.
        #[arg(value_name = "CAPTURE")]
        file: PathBuf,
        /// Whose signatures are accepted: a file as ssh-keygen -Y verify takes it (ALLOWED SIGNERS in ssh-keygen(1)).
        #[arg(long, value_name = "FILE")]
        signers: Option<PathBuf>,
    },
    /// Two machines, or one at two moments, field by field. Exit status 1 if they differ.
    Diff {
        /// The first: a capture, a folder, a dump, a scenario (FILE@45s), or `live` for this machine; - for standard input.
        #[arg(value_name = "A")]
        first: String,
        /// The second; without it, what --from names, or this machine.
        #[arg(value_name = "B")]
        second: Option<String>,
        /// By what a function of A is found in B. What has no such thing is matched by address.
        #[arg(long = "match", value_enum, default_value_t = MatchBy::Address)]
        by: MatchBy,
        /// Functions at [[[domain]:]bus:][device][.function] of either, as lspci -s; * or nothing for any.
        #[arg(short = 's', long = "slot", value_name = "SLOT")]
        slot: Option<SlotFilter>,
        /// Functions with [vendor]:[device][:class[:interface]], as lspci -d; * or nothing for any.
        #[arg(short = 'd', long = "device", value_name = "DEVICE")]
        device: Option<DeviceFilter>,
        /// Also show what changes all the time and what repeats another value.
        #[arg(short, long)]
        all: bool,
    },
    /// A letter to whoever has to act: what is asked of whom, with the proof. HTML, Markdown or JSON.
    Report {
        /// Which functions; the way to them is in it as well.
        #[command(flatten)]
        selection: Selection,
        /// The rest.
        #[command(flatten)]
        options: ReportOptions,
    },
    /// What the kernel log says of devices, a line an event, repeats counted, boots kept apart.
    Log {
        /// Only events that speak of these functions, such as 82:00.0 or 0000:82:00.0.
        #[arg(value_name = "ADDRESS")]
        addresses: Vec<PartialBdf>,
        /// Also print events with which nothing is wrong.
        #[arg(short, long)]
        all: bool,
    },
    /// Broken machines on demand: what can break, machines and scenarios, and trees that other programs can read.
    #[command(subcommand)]
    Simulate(Simulate),
    /// From the root port to a function: both ends of every link, speed, width, ASPM, payload size, AER, ACS, power.
    Path {
        /// Which functions.
        #[command(flatten)]
        selection: Selection,
    },
}

/// Options of `report`.
#[derive(Debug, Args)]
pub struct ReportOptions {
    /// For whom it is.
    #[arg(long = "for", value_name = "READER", value_enum, default_value_t = Reader::Operator)]
    pub audience: Reader,
    /// The file: its ending says what it is, .html, .md or .json. Without it, Markdown is printed, or JSON with --format
    /// json.
    #[arg(short, long, alias = "out", value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Make Markdown fit into so many characters, at least 400: what matters least is left out, and that is said.
    #[arg(long, value_name = "N")]
    pub max_chars: Option<usize>,
    /// What decides between warning and failure, as in `check`.
    #[arg(long, value_name = "PROFILE", default_value = "minimal")]
    pub profile: String,
    /// The devices have work to do now: a link that is slower than its ends can is not excused by idling.
    #[arg(long)]
    pub busy: bool,
    /// Personal data.
    #[command(flatten)]
    pub redaction: Redaction,
}

/// For whom a report is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Reader {
    /// Whoever owns the machine: numbered requests, in the words of firmware setup.
    Provider,
    /// Whoever has root on it.
    Operator,
    /// Whoever decides whether it is taken into service: all checks.
    Qualification,
}

impl From<Reader> for crate::inspect::report::Audience {
    fn from(reader: Reader) -> Self {
        match reader {
            Reader::Provider => Self::Provider,
            Reader::Operator => Self::Operator,
            Reader::Qualification => Self::Qualification,
        }
    }
}

/// Which other programs a capture runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum WithTools {
    /// Those that can do no harm now.
    Harmless,
    /// Also those that ask a GPU which does not answer.
    Force,
}

/// Replacing serial numbers, addresses and names in what leaves the machine.
#[derive(Debug, Args)]
pub struct Redaction {
    /// Keep serial numbers, network addresses, UUIDs, names of machines and people as they are. Without this they are
    /// replaced by pseudonyms of the same length.
    #[arg(long)]
    pub no_redact: bool,
    /// The key that pseudonyms are made with; captures made with the same key can be compared. It is made if it is not
    /// there. Without this, redaction.key in the folder pciscope of the user's configuration.
    #[arg(long, value_name = "FILE", conflicts_with = "no_redact")]
    pub redact_key: Option<PathBuf>,
}

/// By what `diff` finds a function of one machine in the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum MatchBy {
    /// Its address.
    Address,
    /// The physical slot that it is in.
    Slot,
    /// The serial number of the device.
    Serial,
    /// Vendor, device and subsystem.
    Id,
}

impl From<MatchBy> for crate::inspect::diff::pairs::Matching {
    fn from(by: MatchBy) -> Self {
        match by {
            MatchBy::Address => Self::Address,
            MatchBy::Slot => Self::Slot,
            MatchBy::Serial => Self::Serial,
            MatchBy::Id => Self::Id,
        }
    }
}

/// Options of `check`.
#[derive(Debug, Args)]
pub struct CheckOptions {
    /// What decides between warning, failure and silence: minimal, gpu-server, virtualization, storage-server, nic,
    /// workstation, laptop, or a file (with / in it or ending in .toml).
    #[arg(long, value_name = "PROFILE", default_value = "minimal")]
    pub profile: String,
    /// Make these checks only, separated by commas, even those that the profile has off.
    #[arg(long, value_name = "CHECKS", value_delimiter = ',')]
    pub only: Vec<String>,
    /// Leave these checks out, separated by commas.
    #[arg(long, value_name = "CHECKS", value_delimiter = ',')]
    pub skip: Vec<String>,
    /// The least that makes the exit status non-zero.
    #[arg(long, value_name = "LEVEL", value_enum, default_value_t = FailOn::Warn)]
    pub fail_on: FailOn,
    /// Also show what passed and what does not apply.
    #[arg(long)]
    pub all: bool,
    /// Compare the machine with this expectation, a TOML file; --learn writes one.
    #[arg(long, value_name = "FILE")]
    pub expect: Option<String>,
    /// Print an expectation of this machine as it is now, and check nothing.
    #[arg(long, conflicts_with_all = ["expect", "time", "command"])]
    pub learn: bool,
    /// Read a second time after this long, such as 60s, and judge rates of errors, links that change, and what is new. Of a
    /// scenario, --at is the first moment.
    #[arg(long = "for", value_name = "DURATION")]
    pub time: Option<String>,
    /// Load the devices with this command of the shell meanwhile, until it ends or --for is over: a link that is slower than
    /// its ends can is not excused then, nor are interrupts that stand still. It is ended with this program.
    #[arg(long = "while", value_name = "COMMAND")]
    pub command: Option<String>,
    /// The devices have work to do now: a link that is slower than its ends can is not excused by idling.
    #[arg(long)]
    pub busy: bool,
    /// List the checks.
    #[arg(long)]
    pub list: bool,
    /// Read memory of devices on machines other than x86 too, where a sick device can stop the machine.
    #[arg(long)]
    pub mmio: bool,
}

/// Options of `diagnose`.
#[derive(Debug, Args)]
pub struct DiagnoseOptions {
    /// Print every rule, whether it fired, and why not.
    #[arg(long)]
    pub why: bool,
    /// What the machine is expected to be: a file that `check --learn` wrote. Only it tells that another card is in a slot.
    #[arg(long, value_name = "FILE")]
    pub expect: Option<String>,
    /// Also show what nothing is wrong with.
    #[arg(short, long)]
    pub all: bool,
    /// The devices have work to do now: a link that is slower than its ends can is not excused by idling.
    #[arg(long)]
    pub busy: bool,
    /// Read memory of devices on machines other than x86 too, where a sick device can stop the machine.
    #[arg(long)]
    pub mmio: bool,
}

/// The least that makes the exit status of `check` non-zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// Warnings.
    Warn,
    /// What is not known of presence or of what was asked for by name.
    Unknown,
    /// Failures.
    Fail,
}

impl From<FailOn> for crate::check::finding::Status {
    fn from(least: FailOn) -> Self {
        match least {
            FailOn::Warn => Self::Warn,
            FailOn::Unknown => Self::Unknown,
            FailOn::Fail => Self::Fail,
        }
    }
}

/// What can be simulated.
#[derive(Debug, Subcommand)]
pub enum Simulate {
    /// Faults, machines and scenarios, a line each.
    List,
    /// Writes the machine of a scenario to a folder that other programs can read.
    Build {
        /// A file, or the name of a scenario or machine that `simulate list` prints; FILE@45s selects the moment.
        #[arg(value_name = "SCENARIO")]
        scenario: String,
        /// The folder; it must be new or empty.
        #[arg(short, long, alias = "output", value_name = "DIR")]
        out: PathBuf,
        /// The kernel that is imitated, instead of the scenario's: 4.19, 5.4, 5.15, 6.8, 6.12 or 7.2.
        #[arg(long, value_name = "VERSION")]
        kernel: Option<String>,
    },
    /// Checks that scenarios show what they say must be seen. Exit status 2 if not.
    Test {
        /// Files, folders with files that end in .toml, or names that `simulate list` prints.
        #[arg(value_name = "SCENARIO", required = true)]
        scenarios: Vec<String>,
        /// The kernel that is imitated, instead of the scenarios': 4.19, 5.4, 5.15, 6.8, 6.12 or 7.2.
        #[arg(long, value_name = "VERSION")]
        kernel: Option<String>,
    },
    /// Prints the description of a machine: a shipped one, or one with as many functions as are asked for.
    Machine {
        /// A name that `simulate list` prints.
        #[arg(value_name = "NAME", conflicts_with = "functions", required_unless_present = "functions")]
        name: Option<String>,
        /// How many functions the machine is to have.
        #[arg(long, value_name = "N")]
        functions: Option<u64>,
    },
}

/// Which functions a command is about; without any of these, all.
#[derive(Debug, Args, Default)]
pub struct Selection {
    /// Addresses such as 82:00.0 or 0000:82:00.0; without a domain, any domain.
    #[arg(value_name = "ADDRESS")]
    pub addresses: Vec<PartialBdf>,
    /// Functions at [[[domain]:]bus:][device][.function], as lspci -s; * or nothing for any.
    #[arg(short = 's', long = "slot", value_name = "SLOT")]
    pub slot: Option<SlotFilter>,
    /// Functions with [vendor]:[device][:class[:interface]], as lspci -d; * or nothing for any.
    #[arg(short = 'd', long = "device", value_name = "DEVICE")]
    pub device: Option<DeviceFilter>,
}

impl Selection {
    /// Whether anything was asked for by name.
    pub fn is_named(&self) -> bool {
        !self.addresses.is_empty() || self.slot.is_some() || self.device.is_some()
    }

    /// Whether the address is among those that were asked for. Identifiers are looked at later, when they are known.
    pub fn wants(&self, address: Bdf) -> bool {
        (self.addresses.is_empty() || self.addresses.iter().any(|a| a.matches(address)))
            && self.slot.as_ref().is_none_or(|s| s.matches(address))
    }

    /// Leaves out of the wanted functions what was not asked for, and gives one line for everything that was asked for and
    /// is not there or does not answer.
    pub fn settle(&self, machine: &mut Machine) -> Vec<String> {
        machine.wanted.retain(|address| self.wants(*address));
        let here = |address: &&PartialBdf| machine.wanted.iter().any(|w| address.matches(*w));
        let mut complaints: Vec<String> = self
            .addresses
            .iter()
            .filter(|a| !here(a))
            .map(|a| format!("{}: no such function here", partial_text(a)))
            .collect();
        if let Some(filter) = &self.device {
            let matches = |f: &Function| {
                let i = &f.identity;
                match (i.vendor_id, i.device_id) {
                    (Some(vendor), Some(device)) => filter.matches(vendor, device, i.class.unwrap_or(0)),
                    _ => false,
                }
            };
            let wanted = machine.wanted().filter(|f| matches(f)).map(|f| f.address).collect();
            machine.wanted = wanted;
        }
        if !self.is_named() {
            return Vec::new();
        }
        if complaints.is_empty() && machine.wanted.is_empty() {
            complaints.push("no function matches what was asked for".to_owned());
        }
        complaints.extend(
            machine
                .wanted()
                .filter(|f| !f.answers())
                .map(|f| format!("{}: {}: {}", f.address, f.presence.state.name(), f.presence.reason)),
        );
        complaints
    }
}

pub fn partial_text(address: &PartialBdf) -> String {
    address.to_string()
}
