use std::fs;
use std::io::Write;
use std::path::Path;

use proptest::prelude::*;

use super::*;

fn open_path(path: &Path) -> Result<Source, SourceError> {
    open(Some(path.to_str().unwrap()))
}

fn error(path: &Path) -> String {
    let text = open_path(path).err().unwrap().to_string();
    assert!(!text.contains('\n') && text.starts_with(&*shown(path.to_str().unwrap())), "{text}");
    text
}

const TEXT: &str = "00:01.0 x\n00: 01 02 03 04\n";

#[test]
fn this_machine() {
    for argument in [None, Some("live"), Some("/"), Some("/../")] {
        let source = open(argument).unwrap();
        assert_eq!((source.kind, source.description.as_str()), (Kind::Live, "this machine"));
    }
}

#[test]
fn a_folder_and_what_to_give_instead_of_its_parts() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    fs::create_dir_all(root.join("sys/bus/pci/devices/0000:00:01.0")).unwrap();
    assert_eq!(open_path(root).unwrap().kind, Kind::Directory);
    let whole = root.canonicalize().unwrap();
    for part in ["sys", "sys/bus", "sys/bus/pci", "sys/bus/pci/devices"] {
        let expected = format!("; this is its {part}: give {}", whole.display());
        assert!(error(&root.join(part)).ends_with(&expected), "{part}");
    }
    fs::rename(root.join("sys/bus/pci"), root.join("copy")).unwrap();
    let expected =
        "; this looks like a copy of /sys/bus/pci: store it as sys/bus/pci in a folder, and give that";
    assert!(error(&root.join("copy")).ends_with(expected));
    assert!(error(root).ends_with("expected a folder with sys/bus/pci/devices in it"));
    assert!(error(&root.join("absent")).ends_with("(ENOENT)"));
    if Path::new("/sys/bus/pci/devices").is_dir() && holds_functions(&"/sys/bus/pci/devices".into()) {
        assert!(error(Path::new("/sys")).ends_with("give `live`"));
    }
}

#[test]
fn files_are_told_by_content() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file.toml");
    let write = |bytes: &[u8]| fs::write(&path, bytes).unwrap();

    write(TEXT.as_bytes());
    let source = open_path(&path).unwrap();
    assert_eq!(source.kind, Kind::Dump);
    assert!(source.description.ends_with("file.toml, text of lspci with one function"));
    assert_eq!(source.notes, ["line 1: 0000:00:01.0: the rows end at 0x4, in the middle of the space"]);

    write(format!("nvidia-bug-report.sh Version: 1\n\n{TEXT}").as_bytes());
    let source = open_path(&path).unwrap();
    assert_eq!(source.kind, Kind::BugReport);
    assert!(source.description.ends_with("file.toml, an NVIDIA bug report with 1 function"));

    write(&[0; 256]);
    let source = open_path(&path).unwrap();
    assert_eq!(source.kind, Kind::RawConfig);
    assert!(source.description.ends_with("configuration space of one function, 256 bytes"));
    assert_eq!(source.notes.len(), 1);
    write(&[0; 257]);
    assert!(error(&path).contains("holds nothing that is known here; expected the text of"));
    write(&[b'x'; 256]);
    assert!(error(&path).contains("holds nothing that is known here"));

    write(b"\x28\xb5\x2f\xfd....");
    assert!(
        error(&path)
            .contains("; expected a capture: a tar archive packed with zstd, with sys/bus/pci/devices")
    );
    write(&[[0x1f, 0x8b, 8, 0].as_slice(), &[0; 60]].concat());
    assert!(error(&path).ends_with("cannot be unpacked: the packed data is damaged or cut off"));
    write(&packed(TEXT.as_bytes()));
    assert_eq!(open_path(&path).unwrap().kind, Kind::Dump);
    for text in ["# a scenario\n\n[machine]\n", "[[step]]", "name = \"x\"", "a.b=1"] {
        write(text.as_bytes());
        assert!(error(&path).contains("(TOML)"), "{text}");
    }
    for text in ["[    0.000000] Linux version", "[]", "= 1", "Dear Sir = Madam", "x"] {
        write(text.as_bytes());
        assert!(error(&path).contains("holds nothing that is known here"), "{text}");
    }
    write(b"");
    assert!(error(&path).contains("is empty"));
    write(b"00:01.0 x\n00:02.0 y\n");
    assert!(error(&path).contains(
        "holds no configuration space (line 1: no hex rows follow 0000:00:01.0 and 1 more addresses; `lspci -xxxx`"
    ));
}

#[test]
fn pipes_are_read_to_their_end_and_devices_do_not_hang() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pipe");
    nix::unistd::mkfifo(&path, Mode::S_IRWXU).unwrap();
    let writer = std::thread::spawn({
        let path = path.clone();
        move || {
            let mut pipe = fs::OpenOptions::new().write(true).open(path).unwrap();
            for part in TEXT.as_bytes().chunks(5) {
                pipe.write_all(part).unwrap();
                std::thread::sleep(std::time::Duration::from_millis(2));
            }
        }
    });
    assert_eq!(open_path(&path).unwrap().kind, Kind::Dump);
    writer.join().unwrap();
    assert!(error(Path::new("/dev/null")).contains("is empty"));
    let socket = folder.path().join("socket");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    assert!(error(&socket).contains("(ENXIO)"));
}

#[test]
fn names_stay_on_one_line_and_length_is_bounded() {
    assert_eq!(error(Path::new("/nothing\nhere\u{1b}[1m")).find("/nothing\\nhere\\u{1b}[1m: "), Some(0));
    assert!(open(Some("")).err().unwrap().to_string().starts_with("(empty path): "));
    assert!(open(Some("a\0b")).err().unwrap().to_string().starts_with("a\\u{0}b: "));
    assert_eq!(read_bounded("x", vec![7], [7; 9].as_slice(), 10).unwrap().0, [7; 10]);
    let error = read_bounded("x", vec![7], std::io::repeat(7), 10).unwrap_err();
    assert_eq!(error, TreeError::new("x", Cause::TooLong(10)).into());
    assert_eq!(read_bounded("x", Vec::new(), [7; 10].as_slice(), 2).unwrap_err(), error_of(2));
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn what_is_packed_is_as_long_as_a_plain_file_at_most() {
    assert_eq!(read_bounded("x", packed(&[7; 10]), std::io::empty(), 10).unwrap().0, [7; 10]);
    assert_eq!(read_bounded("x", packed(&[7; 1000]), std::io::empty(), 10).unwrap_err(), error_of(10));
}

#[test]
fn a_bug_report_has_its_log() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nvidia-bug-report.log.gz");
    let rule = "_".repeat(44);
    let text = format!(
        "{rule}\nStart of nvidia-bug-report\n{rule}\n{TEXT}\n{rule}\n\ndmesg:\n\n[    1.0] x\n{LOST}\n"
    );
    fs::write(&path, packed(text.as_bytes())).unwrap();
    let source = open_path(&path).unwrap();
    let log = crate::kernel_log::source::read_events(crate::kernel_log::source::Source {
        tree: &*source.tree,
        live: false,
        file: None,
    });
    assert_eq!(log.unwrap().events[0].kind.id, "nvidia.fallen-off-the-bus");
}

fn shipped_report() -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("sysfs-fixtures/reports/nvidia-bug-report.log"))
        .unwrap()
}

fn report_of(bytes: Vec<u8>) -> Source {
    match classify("report", bytes) {
        Ok(Opened::Source(source)) => source,
        Ok(Opened::Description { .. }) => panic!("a description"),
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn a_bug_report_is_a_machine() {
    let source = report_of(shipped_report());
    assert_eq!(source.kind, Kind::BugReport);
    let parts = "14 functions, dmidecode, nvidia-smi, the kernel log of 2 boots";
    assert!(source.description.ends_with(parts), "{}", source.description);
    let read = |path: &str| crate::tree::read_text(&*source.tree, path).unwrap();
    assert_eq!(read("sys/class/dmi/id/product_name"), "GS-2201");
    assert_eq!(read("sys/bus/pci/devices/0000:82:00.0/power/runtime_status"), "active");
    assert_eq!(
        read("sys/bus/pci/devices/0000:82:00.0/device"),
        "0x2b85",
        "it does not answer; lspci knew it"
    );
    assert!(read("proc/cmdline").starts_with("BOOT_IMAGE="));
    assert!(
        read("proc/driver/nvidia/gpus/0000:82:00.0/information").contains("Bus Location: \t 0000:82:00.0")
    );
    assert!(read("capture/tools/nvidia-smi-q.txt").ends_with("Reboot the system to recover this GPU"));
    assert!(read("var/log/dmesg.1").lines().count() == 4 && !read("var/log/dmesg").contains("____"));
    let missing = source.tree.open("var/log/nvidia-installer.log").err().unwrap();
    assert_eq!(missing.cause, Cause::NotCaptured, "what the report does not hold is not known to be absent");
    assert!(source.tree.open("etc/issue").is_err(), "no command reads it");
}

#[test]
fn a_bug_report_that_breaks_off_gives_what_came_before() {
    let whole = shipped_report();
    let mut last = 0;
    for length in (4000..whole.len()).step_by(1499) {
        let source = match classify("report", whole[..length].to_vec()) {
            Ok(Opened::Source(source)) => source,
            Ok(Opened::Description { .. }) => panic!("{length}: a description"),
            Err(error) => {
                assert!(length < 20_000, "{length}: {error}");
                continue;
            }
        };
        let functions = source.tree.list("sys/bus/pci/devices").unwrap().len();
        assert!(functions >= last, "{length}");
        last = functions;
    }
    assert_eq!(last, 14);
}

#[test]
fn a_packed_bug_report_that_breaks_off_gives_what_came_before() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nvidia-bug-report.log.gz");
    let whole = packed(&shipped_report());
    std::fs::write(&path, &whole[..whole.len() * 9 / 10]).unwrap();
    let source = open_path(&path).unwrap();
    assert!(
        source.notes[0].contains("damaged or cut off; only what came before is used"),
        "{:?}",
        source.notes
    );
    assert!(!source.tree.list("sys/bus/pci/devices").unwrap().is_empty());
    std::fs::write(&path, &whole[..12]).unwrap();
    assert!(error(&path).contains("damaged or cut off"), "{}", error(&path));
}

#[test]
fn a_bug_report_leads_nowhere() {
    let rule = "_".repeat(44);
    let mut text = format!("{rule}\n\nStart of NVIDIA bug report log file.\nnvidia-bug-report.sh\n\n");
    for path in [
        "/proc/../etc/shadow",
        "/etc/shadow",
        "proc/relative",
        "/proc/\u{1b}[2J",
        "/sys/*",
        "",
        "/proc/a does not exist",
    ] {
        text.push_str(&format!("{rule}\n\n*** {path}\n*** ls: -r-- {path}\nroot:x\n\n"));
    }
    let config = "sys/bus/pci/devices/0000:01:00.0/config";
    text.push_str(&format!(
        "{rule}\n\n*** /{config}\n*** ls: x\nrubbish\n\n{rule}\n\ndmesg:\n\n[    1.0] x\n"
    ));
    let source = report_of(text.into_bytes());
    for path in ["etc/shadow", "proc/relative", "proc/a", "proc/\u{1b}[2J", "sys/*", config] {
        assert_eq!(source.tree.open(path).err().unwrap().cause, Cause::NotCaptured, "{path}");
    }
    assert!(source.notes.iter().any(|note| note.contains("nothing is known of any function")));
}

const LOST: &str = "[    1.000000] NVRM: GPU 0000:82:00.0: GPU has fallen off the bus.";

fn error_of(limit: usize) -> SourceError {
    TreeError::new("x", Cause::TooLong(limit)).into()
}

proptest! {
    #[test]
    fn any_bytes_are_told_apart_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        if let Err(error) = classify("x", bytes) {
            prop_assert!(!error.to_string().contains('\n'));
        }
    }
}
