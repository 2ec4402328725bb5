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
    for file in [&plain, &packed] {
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
