//! Scenarios and base folders of strangers: nothing is written outside of the folder, nothing overflows or grows without
//! bound, and what makes no sense is refused with its line.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use pciscope::simulate::folder::write;
use pciscope::simulate::{expectation, output, source};
use pciscope::tree::Tree;

/// What `text` is refused with when it is read, or when one of its moments is made.
fn refused(text: &str) -> String {
    let scenario = match source::from_text(text, "x.toml", None) {
        Ok(scenario) => scenario,
        Err(error) => return error.to_string(),
    };
    match expectation::check(&scenario) {
        Ok(_) => panic!("accepted: {text}"),
        Err(error) => error.to_string(),
    }
}

fn scenario(event: &str) -> String {
    format!("base = \"two-socket-gpu-server\"\n[[event]]\nat = \"1m\"\n{event}\n")
}

/// A tree with one function, and whatever else `more` puts into it, as the base of a scenario in the same folder.
fn captured(place: &Path, target: &str, more: impl Fn(&Path)) -> String {
    let base = place.join("base");
    std::fs::create_dir_all(base.join("sys/bus/pci/devices")).unwrap();
    std::os::unix::fs::symlink(target, base.join("sys/bus/pci/devices/0000:00:01.0")).unwrap();
    more(&base);
    let file = place.join("x.toml");
    let text = "base = \"base\"\n[[event]]\nat = \"1s\"\nfault = \"header-type-corrupt\"\nfunction = \"0000:00:01.0\"\n";
    std::fs::write(&file, text).unwrap();
    file.to_string_lossy().into_owned()
}

const FOLDER: &str = "sys/devices/pci0000:00/0000:00:01.0";
const TARGET: &str = "../../../devices/pci0000:00/0000:00:01.0";

fn with_config(base: &Path) {
    std::fs::create_dir_all(base.join(FOLDER)).unwrap();
    std::fs::write(base.join(FOLDER).join("config"), [0x11; 256]).unwrap();
}

fn build(file: &str, out: &Path) -> Result<Vec<String>, String> {
    let scenario = source::scenario(file, None).map_err(|e| e.to_string())?;
    let machine = scenario.machine_at(None).map_err(|e| e.to_string())?;
    write(&machine, out).map_err(|e| e.to_string())
}

#[test]
fn a_function_that_lies_elsewhere_is_refused() {
    for target in [
        "../../../devices/../../../evil/0000:00:01.0",
        "../../../../../evil/0000:00:01.0",
        "/evil/0000:00:01.0",
        "../../../devices/pci0000:00/0000:00:02.0",
        "../../../../tmp/0000:00:01.0",
    ] {
        let place = tempfile::tempdir().unwrap();
        let file = captured(place.path(), target, with_config);
        let out = place.path().join("out");
        let error = build(&file, &out).unwrap_err();
        assert!(error.contains("sys/bus/pci/devices/0000:00:01.0: the link leads to"), "{error}");
        assert!(!out.exists() && !place.path().join("evil").exists());
    }
}

#[test]
fn nothing_is_written_through_a_link() {
    let place = tempfile::tempdir().unwrap();
    let elsewhere = place.path().join("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    // The folder of the devices is a link that leads out.
    let file = captured(place.path(), TARGET, |base| {
        std::os::unix::fs::symlink(&elsewhere, base.join("sys/devices")).unwrap();
    });
    let error = build(&file, &place.path().join("out")).unwrap_err();
    assert!(error.contains("sys/devices, to which or through which it leads, is no folder"), "{error}");
    assert_eq!(elsewhere.read_dir().unwrap().count(), 0);
}

#[test]
fn the_manifest_and_the_files_of_the_machine_stay_inside() {
    let place = tempfile::tempdir().unwrap();
    let elsewhere = place.path().join("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    // `capture`, into which the manifest goes, and `var`, into which the log goes, are links; so is one that does no harm.
    let file = captured(place.path(), TARGET, |base| {
        with_config(base);
        std::os::unix::fs::symlink(&elsewhere, base.join("capture")).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", base.join(FOLDER).join("driver")).unwrap();
    });
    let out = place.path().join("out");
    let lost = build(&file, &out).unwrap();
    assert_eq!(
        lost,
        [format!("{FOLDER}/driver: the link to /etc/passwd may lead out of the folder; it is left out")]
    );
    assert!(out.join("capture/manifest.tsv").is_file() && out.join(FOLDER).join("config").is_file());
    assert!(out.join(FOLDER).join("driver").symlink_metadata().is_err());
    std::os::unix::fs::symlink(&elsewhere, place.path().join("base/var")).unwrap();
    let error = build(&file, &place.path().join("out2")).unwrap_err();
    assert!(
        error.contains("\"var/log/dmesg\" in the machine lies below \"var\", which is a link to"),
        "{error}"
    );
    assert_eq!(elsewhere.read_dir().unwrap().count(), 0);
    assert!(!place.path().join("out2").exists());

    // A manifest whose rows lead out, and a machine whose files do.
    let other = tempfile::tempdir().unwrap();
    let file = captured(other.path(), TARGET, |base| {
        with_config(base);
        std::fs::create_dir(base.join("capture")).unwrap();
        let rows = "type\tmode\tst_size\tpath\tnote\nf\t0444\t1\t/sys/../../evil/x\tread:EIO\n";
        std::fs::write(base.join("capture/manifest.tsv"), rows).unwrap();
    });
    let error = build(&file, &other.path().join("out")).unwrap_err();
    assert!(error.contains("capture/manifest.tsv:2: the path \"sys/../../evil/x\" leads out"), "{error}");
    let text = "[[host_bridge]]\nbuses = [0, 0]\n[[function]]\naddress = \"0000:00:01.0\"\n\
                [files]\n\"../evil/x\" = \"y\"\n";
    std::fs::write(other.path().join("m.toml"), text).unwrap();
    let error = build(&other.path().join("m.toml").to_string_lossy(), &other.path().join("out")).unwrap_err();
    assert!(error.contains("\"../evil/x\" in the machine is no path below its root"), "{error}");
    assert!(!other.path().join("evil").exists() && !other.path().join("out").exists());
}

#[test]
fn a_tree_of_files_with_holes_does_not_fill_the_memory() {
    let place = tempfile::tempdir().unwrap();
    let file = captured(place.path(), TARGET, |base| {
        with_config(base);
        for number in 0..9 {
            let sparse = std::fs::File::create(base.join(format!("sparse{number}"))).unwrap();
            sparse.set_len(64 << 20).unwrap();
        }
    });
    let error = build(&file, &place.path().join("out")).unwrap_err();
    assert!(error.contains("the files have more than 512 MiB together"), "{error}");
}

#[test]
fn what_cannot_be_made_after_the_last_expectation_is_told() {
    for (event, told) in [
        (
            "fault = \"fallen-off-bus\"\nfunction = \"0000:99:00.0\"",
            "x.toml:3: there is no function 0000:99:00.0",
        ),
        (
            "clear = \"fallen-off-bus\"",
            "x.toml:3: `clear`: no event before this one is the fault `fallen-off-bus`",
        ),
        ("fault = \"osc-denied\"\nfeatures = [\"ERA\"]", "x.toml:3: "),
        ("action = \"remove\"", "x.toml:3: this action needs `function`"),
    ] {
        let error = refused(&scenario(event));
        assert!(error.starts_with(told), "{error}");
        // And with an expectation before it.
        let error =
            refused(&format!("{}[[expect]]\nat = \"1s\"\nlog = [\"PCI host bridge\"]\n", scenario(event)));
        assert!(error.starts_with(told), "{error}");
    }
}

#[test]
fn the_log_has_no_line_from_the_future() {
    let text = "base = \"two-socket-gpu-server\"\n[[event]]\nat = \"5m\"\nfault = \"reset-failed\"\n\
                function = \"0000:82:00.0\"\n";
    let scenario = source::from_text(text, "x.toml", None).unwrap();
    let at = |seconds: u64| scenario.machine_at(Some(seconds * 1_000_000)).unwrap();
    let count = |seconds| output::log(&at(seconds)).matches("not ready").count();
    // 1 s, then 1023, 2047, 4095, 8191, 16383 and 32767 ms later (pci_dev_wait).
    assert_eq!([300, 302, 305, 330, 363, 365].map(count), [0, 1, 3, 5, 6, 6]);
    let end = scenario.machine_at(None).unwrap();
    assert_eq!((end.now, output::log(&end).matches("not ready").count()), (366_000_000, 7));
    // A moment behind the end is the end.
    assert_eq!(at(100_000).now, end.now);
    // What is said at once belongs to the moment of the event, and the clock is not behind it.
    let text = "base = \"eight-gpu-server\"\n[[event]]\nat = \"5m\"\nfault = \"aer-correctable-storm\"\n\
                function = \"0000:18:00.0\"\nevery_ms = 300\ncount = 10\n";
    let storm = source::from_text(text, "x.toml", None).unwrap();
    let moment = storm.machine_at(Some(300_000_000)).unwrap();
    let uptime: f64 = moment.text("proc/uptime").unwrap().split(' ').next().unwrap().parse().unwrap();
    let log = output::log(&moment);
    let last = log.lines().last().unwrap();
    let stamp: f64 = last[1..].split(']').next().unwrap().trim().parse().unwrap();
    assert!((300.6..301.0).contains(&stamp) && uptime + 0.01 > stamp, "{uptime} {last}");
}

#[test]
fn no_number_overflows_or_runs_for_ever() {
    let storm = "fault = \"aer-correctable-storm\"\nfunction = \"0000:18:00.0\"\n";
    let slow = "fault = \"completion-timeout\"\nfunction = \"0000:82:00.0\"\n";
    // A machine whose kernel owns AER, so that every message is logged.
    let owned = |event: &str| scenario(event).replace("two-socket-gpu-server", "eight-gpu-server");
    for (event, told) in [
        (
            format!("{storm}every_ms = 9223372036854775807"),
            "x.toml:6: `every_ms` is 9223372036854775807: expected 3600000 at most",
        ),
        (format!("{storm}count = 10001"), "x.toml:6: `count` is 10001: expected 10000 at most"),
        (format!("{slow}milliseconds = 600000"), "x.toml:6: `milliseconds` is 600000: expected 1000 at most"),
        (format!("{storm}count = 10000\nrepeat = 200"), "x.toml:3: by this event more than 100000 lines"),
        (format!("{storm}repeat = 100000"), "x.toml:3: `repeat` is 100000: expected 1 to 10000"),
        (
            format!("{storm}repeat = 10000\nevery = \"3650d\""),
            "x.toml:3: the last repetition is later than ten years",
        ),
        ("log = [\"x\"]\nevery = \"18446744073709s\"".to_owned(), "x.toml:5: `every`"),
    ] {
        let error = match event.contains("0000:18:00.0") {
            true => refused(&owned(&event)),
            false => refused(&scenario(&event)),
        };
        assert!(error.starts_with(told), "{error}");
    }
    let late = "base = \"two-socket-gpu-server\"\n[[event]]\nat = \"18446744073709s\"\nlog = [\"x\"]\n";
    assert!(refused(late).starts_with("x.toml:3: `at`"), "{}", refused(late));
    assert!(source::moment("18446744073709s").is_err());
    let window = "[[host_bridge]]\nbuses = [0, 0]\nhigh_memory = [0xfffffffffff00000, 0xffffffffffffffff]\n\
                  [[function]]\naddress = \"0000:00:01.0\"\n\
                  bars = [{ bar = 0, size = \"1M\", kind = \"prefetchable64\" }]\n";
    assert!(refused(window).contains("0000:00:01.0: no room for 0x100000 bytes below the end of"));
}

#[test]
fn a_captured_tree_may_say_what_no_kernel_says() {
    let place = tempfile::tempdir().unwrap();
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("sysfs-fixtures/machines/qemu-q35-gpu");
    let base: PathBuf = place.path().join("base");
    assert!(std::process::Command::new("cp").arg("-r").arg(&fixture).arg(&base).status().unwrap().success());
    let address = "0000:01:00.0";
    let folder = base.join(format!("sys/bus/pci/devices/{address}")).canonicalize().unwrap();
    let event = |fault: &str| {
        let text = format!(
            "base = \"base\"\n[[event]]\nat = \"1s\"\nfault = \"{fault}\"\nfunction = \"{address}\"\n"
        );
        let name = place.path().join("x.toml").to_string_lossy().into_owned();
        source::from_text(&text, &name, None).unwrap().machine_at(None)
    };
    std::fs::write(folder.join("local_cpulist"), "0-4294967295\n").unwrap();
    let machine = event("numa-unknown").unwrap();
    let list = machine.attribute(address.parse().unwrap(), "local_cpulist");
    assert_eq!(machine.text(&list).as_deref(), Some("0-4294967295"));
    for line in ["0x0000000000000000 0xffffffffffffffff 0x0000000000000200", "0x2 0x1 0x200"] {
        std::fs::write(folder.join("resource"), format!("{line}\n").repeat(13)).unwrap();
        let error = event("msix-table-outside-bar").unwrap_err().to_string();
        assert!(
            error.contains("is too small for a vector table") || error.contains("has no capability"),
            "{error}"
        );
    }
}

#[test]
fn a_slow_read_takes_no_longer_than_it_says() {
    let text = "base = \"two-socket-gpu-server\"\n[[event]]\nat = \"1s\"\nfault = \"completion-timeout\"\n\
                function = \"0000:82:00.0\"\nmilliseconds = 20\n";
    let machine = source::from_text(text, "x.toml", None).unwrap().machine_at(None).unwrap();
    let tree = output::tree(&machine);
    let file = tree.open("sys/bus/pci/devices/0000:82:00.0/config").unwrap();
    let start = Instant::now();
    file.read_at(0, &mut [0; 16]).unwrap();
    let took = start.elapsed();
    assert!((Duration::from_millis(80)..Duration::from_millis(800)).contains(&took), "{took:?}");
}

const HEAD: &str = "[[host_bridge]]\nbuses = [0, 15]\n";

#[test]
fn descriptions_that_make_no_sense_are_refused_with_their_line() {
    let function = |rest: &str| format!("{HEAD}[[function]]\naddress = \"0000:00:01.0\"\n{rest}\n");
    let with_table = |msix: &str| {
        function(&format!(
            "capabilities = [\"msix\"]\nbars = [{{ bar = 0, size = \"16K\" }}]\nmsix = {{ vectors = 16, {msix} }}"
        ))
    };
    for (text, told) in [
        (
            function("capabilities = [\"power@40\", \"msi@44\"]"),
            "x.toml:5: 0000:00:01.0: `msi` at 0x44 lies in `power`, which has 0x40 to 0x47: expected a free offset",
        ),
        (
            function("capabilities = [\"power@44\", \"msi@40\"]"),
            "x.toml:5: 0000:00:01.0: `power` at 0x44 lies in `msi`, which has 0x40 to 0x4d: expected a free offset",
        ),
        (function("class = 0x1000000"), "x.toml:5: `class` is 0x1000000: expected 24 bits, such as 0x030000"),
        (with_table("table = 4"), "x.toml:7: `table` is 0x4: expected a multiple of 8"),
        (
            with_table("table = 0x3f80"),
            "x.toml:7: `table`: 0x100 bytes at 0x3f80 end behind BAR 0, which has 0x4000",
        ),
        (
            with_table("pending = 0x4000"),
            "x.toml:7: `pending`: 0x8 bytes at 0x4000 end behind BAR 0, which has 0x4000",
        ),
        (
            with_table("bar = 2"),
            "x.toml:7: `bar` of `msix` is 2: expected the number of one of `bars` that is memory",
        ),
        (
            format!("{HEAD}[[function]]\naddress = \"0000:05:00.0\"\n"),
            "x.toml:4: 0000:05:00.0: no bridge leads to bus 5: expected a function with `buses = [5, …]`",
        ),
        (
            format!("{HEAD}[[host_bridge]]\nbuses = [8, 20]\n[[function]]\naddress = \"0000:00:01.0\"\n"),
            "x.toml:4: `buses`: 8 to 20 overlap 0 to 15 of the host bridge in line 2: expected ranges apart",
        ),
        (
            format!(
                "{HEAD}[[function]]\naddress = \"0000:00:01.0\"\nbuses = [1, 1]\n\
                 [[function]]\naddress = \"0000:00:02.0\"\nbuses = [1, 1]\n"
            ),
            "x.toml:7: 0000:00:02.0: bus 1 is below 0000:00:01.0 too, in line 4: expected another one",
        ),
    ] {
        assert_eq!(refused(&text), told, "{text}");
    }
}

#[test]
fn events_say_nothing_that_is_ignored() {
    for (event, told) in [
        (
            "log = [\"x\"]\nfunction = \"0000:82:00.0\"",
            "x.toml:5: `log` is about the machine as a whole: take `function` away",
        ),
        (
            "action = \"rescan\"\nfunction = \"0000:82:00.0\"",
            "x.toml:5: the action rescan is about the machine as a whole: take `function` away",
        ),
        (
            "fault = \"osc-denied\"\nfunction = \"0000:82:00.0\"",
            "x.toml:5: the fault osc-denied is about the machine as a whole: take `function` away",
        ),
    ] {
        assert_eq!(refused(&scenario(event)), told);
    }
    let text = "base = \"two-socket-gpu-server\"\n[[expect]]\nfunction = \"0000:82:00.0\"\n\
                fields = { \"express.link_status.curent_link_speed\" = 5 }\n";
    let (_, differences) = expectation::check(&source::from_text(text, "x.toml", None).unwrap()).unwrap();
    assert!(differences[0].ends_with("nearest: express.link_status.current_link_speed"), "{differences:?}");
}

/// Without `width`, half of the lanes are left, whatever the device has.
#[test]
fn lanes_are_halved_on_narrow_devices_too() {
    for (base, address, left) in
        [("nvme-storage-server", "0000:03:00.0", 2), ("two-socket-gpu-server", "0000:82:00.0", 8)]
    {
        let text = format!(
            "base = \"{base}\"\n[[event]]\nat = \"1s\"\nfault = \"link-width-reduced\"\nfunction = \"{address}\"\n"
        );
        let machine = source::from_text(&text, "x.toml", None).unwrap().machine_at(None).unwrap();
        let function = machine.function(address.parse().unwrap()).unwrap();
        assert_eq!(function.config.value("express.link_status.negotiated_link_width"), left, "{base}");
    }
}
