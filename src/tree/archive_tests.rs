#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;
use tar::{Builder, EntryType, Header};

use super::*;
use crate::tree::{Cause, Tree, TreeError, read, read_text};

const MANIFEST: &str = "type\tmode\tst_size\tpath\tnote\n\
    f\t-\t4096\t/sys/a/config\tpieces:0x0,0x40 read@0x80:EIO\n\
    f\t-\t-\t/sys/a/physfn\tread:ENOENT\n\
    d\t-\t-\t/sys/a/msi_irqs\t\n-\t-\t-\t/sys/a/msi_irqs/33\t\n";

fn header(kind: EntryType, size: usize) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(size as u64);
    header.set_mode(0o644);
    header
}

/// An entry whose path is taken as it is, which the library for writing would refuse.
fn entry(path: &str, kind: EntryType, content: &[u8], link: &str) -> Vec<u8> {
    let mut header = header(kind, content.len());
    header.as_gnu_mut().unwrap().name[..path.len()].copy_from_slice(path.as_bytes());
    header.as_gnu_mut().unwrap().linkname[..link.len()].copy_from_slice(link.as_bytes());
    header.set_cksum();
    let mut bytes = header.as_bytes().to_vec();
    bytes.extend(content);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

fn file(path: &str, content: &[u8]) -> Vec<u8> {
    entry(path, EntryType::Regular, content, "")
}

fn pack(entries: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = entries.concat();
    bytes.extend([0; 1024]);
    packed(&bytes)
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.include_checksum(true).unwrap();
    std::io::Write::write_all(&mut encoder, bytes).unwrap();
    encoder.finish().unwrap()
}

fn sample() -> Vec<u8> {
    pack(&[
        file("capture/manifest.tsv", MANIFEST.as_bytes()),
        file("./sys/a/vendor", b"0x8086\n"),
        file("sys/a/config@0x0", &[1; 16]),
        file("sys/a/config@0x40", &[2; 4]),
        file("sys/a/resource0@0x2000", &[3, 0, 0, 0, 4, 0, 0, 0]),
        entry("sys/bus/a", EntryType::Symlink, b"", "../a"),
        entry("sys/out", EntryType::Symlink, b"", "../../../../etc"),
        entry("sys/again", EntryType::Link, b"", "sys/a/vendor"),
    ])
}

fn cause(result: Result<impl Sized, TreeError>) -> Cause {
    result.err().unwrap().cause
}

#[test]
fn an_archive_is_a_tree_with_its_manifest() {
    let Unpacked { tree, entries, broken, complaints } = unpack(sample().as_slice());
    assert_eq!((entries, broken, complaints), (8, None, Vec::new()));
    assert_eq!(read_text(&tree, "sys/bus/a/vendor").unwrap(), "0x8086");
    assert_eq!(read_text(&tree, "sys/again").unwrap(), "0x8086");
    let folder = tree.enter("sys/bus/a").unwrap();
    let config = folder.open("config").unwrap();
    assert_eq!(config.size(), 4096);
    let pieces = config.pieces().unwrap();
    assert_eq!(pieces.runs, [(0, vec![1; 16]), (0x40, vec![2; 4])]);
    let mut buffer = [0; 4];
    assert_eq!(cause(config.read_at(0x20, &mut buffer)), Cause::NotCaptured);
    assert_eq!(cause(config.read_at(0x80, &mut buffer)), Cause::Errno(nix::errno::Errno::EIO));
    assert_eq!(config.read_at(0x40, &mut buffer).unwrap(), 4);
    assert!(folder.read_link("physfn").unwrap_err().is_absent());
    assert_eq!(cause(folder.read_link("driver")), Cause::NotCaptured);
    assert_eq!(folder.list("msi_irqs").unwrap(), ["33"]);
    assert_eq!(folder.window("resource0", 0x2004, 4).unwrap().u32(0), Some(4));
    assert!(folder.window("resource0", 0x2004, 8).is_err());
    assert_eq!(tree.list("sys").unwrap(), ["a", "again", "bus", "out"]);
}

#[test]
fn a_link_never_leads_out() {
    let tree = unpack(sample().as_slice()).tree;
    assert_eq!(cause(read(&tree, "sys/out/passwd", 4096)), Cause::NotCaptured);
    let circle = pack(&[entry("a", EntryType::Symlink, b"", "b"), entry("b", EntryType::Symlink, b"", "a")]);
    assert_eq!(cause(unpack(circle.as_slice()).tree.open("a/x")), Cause::Escapes);
}

#[test]
fn what_does_not_belong_is_left_out_and_said() {
    let hostile = pack(&[
        file("../../etc/cron.d/x", b"x"),
        file("/etc/passwd", b"x"),
        entry("dev/sda", EntryType::Block, b"", ""),
        entry("pipe", EntryType::Fifo, b"", ""),
        file("a\u{1b}[1m", b"x"),
        file("fine", b"yes"),
    ]);
    let Unpacked { tree, broken, complaints, .. } = unpack(hostile.as_slice());
    assert_eq!(broken, None);
    assert_eq!(
        complaints[0],
        "../../etc/cron.d/x: left out: a path that leads out of the archive or is no text"
    );
    assert_eq!(complaints[2..4], ["dev/sda: left out: a device node", "pipe: left out: a pipe"]);
    assert_eq!(complaints[4], "1 more entries were left out");
    assert_eq!(tree.contents().map(|(path, _)| path).collect::<Vec<_>>(), ["fine"]);
    assert_eq!(cause(tree.open("etc/passwd")), Cause::NotCaptured, "left out is not absent");
}

#[test]
fn a_second_entry_of_a_name_is_said() {
    let twice =
        pack(&[file("proc/cmdline", b"forged"), file("proc/cmdline", b"quiet"), file("fine", b"yes")]);
    let Unpacked { tree, complaints, .. } = unpack(twice.as_slice());
    assert_eq!(complaints, ["proc/cmdline: left out: a second entry of this name"]);
    assert_eq!(tree.contents().count(), 2);
}

#[test]
fn of_a_truncated_archive_what_came_before_is_used() {
    let whole = sample();
    let mut most = 0;
    for length in 0..whole.len() {
        let Unpacked { tree, broken, .. } = unpack(&whole[..length]);
        assert!(broken.is_some(), "cut at {length}");
        most = most.max(tree.contents().count());
        if tree.stored("sys/a/vendor").is_some() {
            assert_eq!(read_text(&tree, "sys/a/vendor").unwrap(), "0x8086");
        }
        assert_eq!(cause(tree.open("sys/a/nothing")), Cause::NotCaptured);
    }
    assert!(most > 0, "small archives are one block; the next test has several");
}

#[test]
fn a_long_archive_that_breaks_off_keeps_much() {
    let mut random = 1u64;
    let mut noise = || {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (random >> 33) as u8
    };
    let files: Vec<Vec<u8>> = (0..64)
        .map(|n| {
            file(&format!("f{n:02}"), &std::iter::repeat_with(&mut noise).take(16_384).collect::<Vec<_>>())
        })
        .collect();
    let whole = pack(&files);
    let half = unpack(&whole[..whole.len() / 2]);
    assert!(half.tree.contents().count() >= 20, "{}", half.tree.contents().count());
    assert_eq!(half.broken.as_deref(), Some("it is cut off"));
}

#[test]
fn a_flipped_bit_is_noticed() {
    let whole = sample();
    let contents = |unpacked: &Unpacked| format!("{:?}", unpacked.tree.contents().collect::<Vec<_>>());
    let before = contents(&unpack(whole.as_slice()));
    let mut noticed = 0;
    for place in 0..whole.len() {
        let mut flipped = whole.clone();
        flipped[place] ^= 0x10;
        let unpacked = unpack(flipped.as_slice());
        // Some bits are padding.
        assert!(unpacked.broken.is_some() || contents(&unpacked) == before, "byte {place}");
        noticed += usize::from(unpacked.broken.is_some());
    }
    assert!(noticed * 10 > whole.len() * 9, "{noticed} of {}", whole.len());
}

#[test]
fn bombs_are_refused() {
    let mut header = header(EntryType::Regular, 0);
    header.set_path("var/log/kmsg").unwrap();
    header.set_size(8 << 30);
    header.set_cksum();
    let bytes = header.as_bytes().to_vec();
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    std::io::Write::write_all(&mut encoder, &bytes).unwrap();
    std::io::copy(&mut std::io::repeat(0).take(600 << 20), &mut encoder).unwrap();
    let bomb = encoder.finish().unwrap();
    assert!(bomb.len() < 1 << 20);
    let unpacked = unpack(bomb.as_slice());
    assert_eq!(
        unpacked.broken.as_deref(),
        Some("var/log/kmsg is longer than 256 MiB, which is more than it can sensibly be")
    );
    assert_eq!(unpacked.tree.contents().count(), 0);
    let zeros = packed(&vec![0; 4 << 20]);
    assert!(unpack(zeros.as_slice()).entries == 0);
}

#[test]
fn a_hundred_thousand_entries_are_read() {
    let mut archive = Builder::new(zstd::Encoder::new(Vec::new(), 1).unwrap());
    for n in 0..100_000 {
        let mut header = header(EntryType::Regular, 0);
        archive.append_data(&mut header, format!("sys/{n}"), std::io::empty()).unwrap();
    }
    let bytes = archive.into_inner().unwrap().finish().unwrap();
    let unpacked = unpack(bytes.as_slice());
    assert_eq!((unpacked.entries, unpacked.broken), (100_000, None));
    assert_eq!(cause(unpacked.tree.list("sys")), Cause::TooMany(crate::tree::NAMES_LIMIT));
    assert_eq!(read(&unpacked.tree, "sys/99999", 10).unwrap(), b"");
}

#[test]
fn a_sparse_file_or_a_long_name_that_claims_too_much_ends() {
    for kind in [EntryType::GNUSparse, EntryType::GNULongName, EntryType::XHeader] {
        let mut header = header(kind, 0);
        header.set_path("x").unwrap();
        header.set_size(u64::MAX >> 12);
        header.set_cksum();
        let unpacked = unpack(packed(header.as_bytes()).as_slice());
        assert!(unpacked.broken.is_some(), "{kind:?}");
    }
}

proptest! {
    #[test]
    fn any_bytes_end(bytes in prop::collection::vec(any::<u8>(), 0..2000), wrap in any::<bool>()) {
        let packed = if wrap { packed(&bytes) } else { bytes };
        let unpacked = unpack(packed.as_slice());
        for line in unpacked.broken.iter().chain(&unpacked.complaints) {
            prop_assert!(!line.contains('\n'));
        }
    }
}
