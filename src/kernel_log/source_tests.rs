use std::io::Write;

use super::*;
use crate::tree::MemoryTree;

fn events(tree: &dyn Tree, file: Option<&str>) -> Vec<(usize, &'static str)> {
    let log = read_events(Source { tree, live: false, file }).unwrap();
    log.events.iter().map(|e| (e.boot, e.kind.id)).collect()
}

const LOST: &str = "NVRM: GPU 0000:82:00.0: GPU has fallen off the bus.";

#[test]
fn a_tree_has_its_log_and_those_of_earlier_boots() {
    let tree = MemoryTree::complete()
        .file("var/log/dmesg", format!("[    1.000000] {LOST}\n"))
        .file(
            "var/log/dmesg.1",
            "[    1.000000] irq 16: nobody cared (try booting with the \"irqpoll\" option)\n",
        )
        .file("var/log/dmesg.2", "[    1.000000] Disabling IRQ #16\n");
    let found = events(&tree, None);
    assert_eq!(
        found,
        [(0, "interrupts.switched-off"), (1, "interrupts.nobody-cared"), (2, "nvidia.fallen-off-the-bus")]
    );
    let log = read_events(Source { tree: &tree, live: false, file: None }).unwrap();
    assert_eq!(log.boots.iter().map(|b| b.relative).collect::<Vec<_>>(), [Some(-2), Some(-1), Some(0)]);
    let kmsg = tree.file("var/log/kmsg", "3,1,1000000,-;Disabling IRQ #9\n");
    assert_eq!(events(&kmsg, None).last(), Some(&(2, "interrupts.switched-off")));
}

#[test]
fn a_file_takes_the_place_of_the_trees_log_packed_or_not() {
    let folder = tempfile::tempdir().unwrap();
    let tree = MemoryTree::complete();
    let plain = folder.path().join("plain");
    std::fs::write(&plain, format!("{LOST}\n")).unwrap();
    let packed = folder.path().join("packed");
    let mut encoder =
        flate2::write::GzEncoder::new(OsFile::create(&packed).unwrap(), flate2::Compression::fast());
    encoder.write_all(format!("{LOST}\n").as_bytes()).unwrap();
    encoder.finish().unwrap();
    let zstd = folder.path().join("zstd");
    std::fs::write(&zstd, zstd::encode_all(format!("{LOST}\n").as_bytes(), 3).unwrap()).unwrap();
    for file in [&plain, &packed, &zstd] {
        assert_eq!(events(&tree, file.to_str()), [(0, "nvidia.fallen-off-the-bus")]);
    }
    let bytes = std::fs::read(&packed).unwrap();
    std::fs::write(&packed, &bytes[..bytes.len() / 2]).unwrap();
    for (file, errno) in [(packed.as_path(), None), (folder.path(), Some(Errno::EISDIR))] {
        let error = read_events(Source { tree: &tree, live: false, file: file.to_str() }).unwrap_err();
        assert!(error.to_string().starts_with(file.to_str().unwrap()), "{error}");
        assert!(errno.is_none_or(|errno| error.os() == Some(errno)), "{error}");
    }
    let missing = read_events(Source { tree: &tree, live: false, file: None }).unwrap_err();
    assert!(missing.is_absent());
}

/// What each of these programs writes first, from a file of one line.
#[test]
fn what_another_program_must_unpack_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let tree = MemoryTree::complete();
    let cases: [(&[u8], &str); 6] = [
        (b"\xfd7zXZ\x00\x00\x04\xe6\xd6\xb4\x46", "xz -dc FILE |"),
        (b"BZh91AY&SY\x01\x02", "bzip2 -dc FILE |"),
        (b"\x04\x22\x4d\x18\x64\x40\xa7", "lz4 -dc FILE |"),
        (b"PK\x03\x04\x14\x00\x08\x00", "unzip -p FILE |"),
        (b"\xff\xfeN\0V\0R\0M\0", "iconv -f UTF-16"),
        (b"\xfe\xff\0N\0V\0R\0M", "iconv -f UTF-16"),
    ];
    for (bytes, hint) in cases {
        let file = folder.path().join("log");
        std::fs::write(&file, bytes).unwrap();
        let error = read_events(Source { tree: &tree, live: false, file: file.to_str() }).unwrap_err();
        let text = error.to_string();
        assert!(text.contains(hint) && text.contains("expected") && text.contains("--log -"), "{text}");
        assert_eq!(check_file(file.to_str().unwrap()).unwrap_err().to_string(), text);
    }
    // Anything else, however short, is text.
    for bytes in [b"".as_slice(), b"\xff", b"BZ", b"P", b"\x1f"] {
        let file = folder.path().join("log");
        std::fs::write(&file, bytes).unwrap();
        assert_eq!(events(&tree, file.to_str()), []);
        check_file(file.to_str().unwrap()).unwrap();
    }
}

#[test]
fn the_newest_boot_of_a_log_tells_of_the_platform() {
    let boot = |osc: &str| {
        format!(
            "[    0.000000] Linux version 6.8.0 (x) #1 SMP\n\
             [    0.100000] ACPI: PCI Root Bridge [PC00] (domain 0000 [bus 00-7f])\n\
             [    0.110000] acpi PNP0A08:00: _OSC: {osc}\n"
        )
    };
    let refused = boot("platform does not support [AER]");
    let granted = boot("OS now controls [PCIeHotplug PME AER PCIeCapability LTR DPC]");
    let platform = |log: String| {
        let tree = MemoryTree::complete().file("var/log/dmesg", log);
        let source = Source { tree: &tree, live: false, file: None };
        let both = read_both(source).unwrap().1;
        let alone = read_platform(source).unwrap();
        assert_eq!(both.bridges, alone.bridges, "whoever reads it");
        alone.bridges
    };
    let [bridge] = platform(format!("{refused}{granted}")).try_into().unwrap();
    assert!(bridge.not_supported.is_empty() && bridge.os_controls.iter().any(|f| f == "AER"), "{bridge:?}");
    let [bridge] = platform(format!("{granted}{refused}")).try_into().unwrap();
    assert!(bridge.os_controls.is_empty() && bridge.not_supported == ["AER"], "{bridge:?}");
    // What the newest boot does not say is not known.
    let silent = "[    0.000000] Linux version 6.9.0 (x) #1 SMP\n[    5.000000] usb 1-1: new\n";
    assert!(platform(format!("{refused}{silent}")).is_empty());
}
