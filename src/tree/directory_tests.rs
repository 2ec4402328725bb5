use std::fs;
use std::os::unix::fs::symlink;

use super::*;
use crate::tree::{read, read_text};

fn sample() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    fs::create_dir_all(root.join("sys/devices/pci0000:00/0000:00:01.0")).unwrap();
    fs::create_dir_all(root.join("sys/bus/pci/devices")).unwrap();
    fs::write(root.join("sys/devices/pci0000:00/0000:00:01.0/vendor"), "0x8086\n").unwrap();
    symlink("../../../devices/pci0000:00/0000:00:01.0", root.join("sys/bus/pci/devices/0000:00:01.0"))
        .unwrap();
    fs::write(root.join("sys/bus/pci/devices/0000:00:02.0"), "../../../devices/pci0000:00/0000:00:01.0")
        .unwrap();
    folder
}

fn without_openat2(tree: &Directory) {
    tree.whole.no_openat2.store(true, Ordering::Relaxed);
}

#[test]
fn enters_functions_through_links_and_through_links_stored_as_text() {
    let folder = sample();
    for fallback in [false, true] {
        let tree = Directory::open(folder.path()).unwrap();
        if fallback {
            without_openat2(&tree);
        }
        for name in ["0000:00:01.0", "0000:00:02.0"] {
            let path = format!("sys/bus/pci/devices/{name}");
            assert!(tree.read_link(&path).unwrap().ends_with("pci0000:00/0000:00:01.0"));
            let function = tree.enter(&path).unwrap();
            assert_eq!(read_text(&*function, "vendor").unwrap(), "0x8086");
            assert!(function.open("device").err().unwrap().is_absent());
        }
        assert_eq!(tree.list("sys/bus/pci/devices").unwrap(), ["0000:00:01.0", "0000:00:02.0"]);
    }
}

#[test]
fn nothing_leads_out_of_the_tree() {
    let secret = tempfile::tempdir().unwrap();
    fs::write(secret.path().join("secret"), "secret").unwrap();
    let folder = sample();
    let function = folder.path().join("sys/devices/pci0000:00/0000:00:01.0");
    symlink(secret.path().join("secret"), function.join("absolute")).unwrap();
    symlink("../../../../../../../../../../etc/passwd", function.join("upwards")).unwrap();
    symlink("/proc/self/root", function.join("magic")).unwrap();
    symlink("round", function.join("round")).unwrap();
    for fallback in [false, true] {
        let tree = Directory::open(folder.path()).unwrap();
        if fallback {
            without_openat2(&tree);
        }
        let entered = tree.enter("sys/bus/pci/devices/0000:00:01.0").unwrap();
        for name in ["absolute", "upwards", "magic/etc/passwd", "../../../../../../etc/passwd", "round"] {
            assert!(entered.open(name).is_err(), "{name}");
            assert!(tree.open(&format!("sys/devices/pci0000:00/0000:00:01.0/{name}")).is_err(), "{name}");
        }
    }
}

#[test]
fn only_regular_files_are_read_and_nothing_blocks() {
    let folder = sample();
    let pipe = folder.path().join("sys/bus/pci/pipe");
    nix::unistd::mkfifo(&pipe, Mode::S_IRWXU).unwrap();
    let tree = Directory::open(folder.path()).unwrap();
    assert_eq!(tree.open("sys/bus/pci/pipe").err().unwrap().cause, Cause::NotRegular);
    assert_eq!(tree.open("sys/bus/pci").err().unwrap().os(), Some(Errno::EISDIR));
    fs::write(folder.path().join("long"), vec![b'x'; 10_000]).unwrap();
    assert_eq!(read(&tree, "long", 9_999).err().unwrap().cause, Cause::TooLong(9_999));
    assert_eq!(read(&tree, "long", 10_000).unwrap().len(), 10_000);
}

#[test]
fn a_manifest_replays_errors_and_tells_absent_from_not_captured() {
    let folder = sample();
    fs::create_dir(folder.path().join("capture")).unwrap();
    let function = "/sys/devices/pci0000:00/0000:00:01.0";
    let rows = format!(
        "type\tmode\tst_size\tpath\tnote\nd\t0755\t-\t{function}\t\nf\t0444\t4096\t{function}/vendor\tread 7\n\
         f\t0444\t4096\t{function}/current_link_speed\tread:EINVAL\nf\t0600\t65536\t{function}/resource0\tskipped\n"
    );
    fs::write(folder.path().join("capture/manifest.tsv"), rows).unwrap();
    let tree = Directory::open(folder.path()).unwrap();
    let entered = tree.enter("sys/bus/pci/devices/0000:00:01.0").unwrap();
    assert_eq!(entered.open("vendor").unwrap().size(), 4096);
    assert_eq!(entered.open("current_link_speed").err().unwrap().os(), Some(Errno::EINVAL));
    assert_eq!(entered.open("resource0").err().unwrap().cause, Cause::NotCaptured);
    assert!(entered.open("aer_dev_fatal").err().unwrap().is_absent());
    assert_eq!(tree.open("proc/interrupts").err().unwrap().cause, Cause::NotCaptured);
    assert!(entered.list("").unwrap().contains(&"resource0".to_owned()));
}

#[test]
fn windows_come_from_whole_files_and_from_stored_pieces() {
    let folder = sample();
    let function = folder.path().join("sys/devices/pci0000:00/0000:00:01.0");
    fs::write(function.join("resource0"), [7, 0, 0, 0, 9, 0, 0, 0]).unwrap();
    fs::write(function.join("resource2@0x2000"), [1, 0, 0, 0, 2, 0, 0, 0]).unwrap();
    let tree = Directory::open(folder.path()).unwrap();
    let entered = tree.enter("sys/bus/pci/devices/0000:00:01.0").unwrap();
    assert_eq!(entered.window("resource0", 4, 4).unwrap().u32(0), Some(9));
    assert_eq!(entered.window("resource0", 4, 8).err().unwrap().os(), Some(Errno::EINVAL), "past the end");
    assert_eq!(entered.window("resource2", 0x2004, 4).unwrap().u32(0), Some(2));
    assert!(entered.window("resource2", 0x2004, 8).is_err());
    assert!(entered.window("resource4", 0, 4).err().unwrap().is_absent());
}

#[test]
fn the_manifest_counts_through_links_and_for_folders_that_were_not_kept() {
    let folder = sample();
    fs::create_dir_all(folder.path().join("capture")).unwrap();
    let function = "/sys/devices/pci0000:00/0000:00:01.0";
    let rows = format!(
        "type\tmode\tst_size\tpath\tnote\nd\t0755\t-\t{function}\t\n\
         f\t0600\t4096\t{function}/resource0\tread:EINVAL\nd\t0755\t-\t/sys/class/iommu\t\n"
    );
    fs::write(folder.path().join("capture/manifest.tsv"), rows).unwrap();
    let tree = Directory::open(folder.path()).unwrap();
    let through_link = |name: &str| format!("sys/bus/pci/devices/0000:00:01.0/{name}");
    assert_eq!(tree.window(&through_link("resource0"), 0, 4).err().unwrap().os(), Some(Errno::EINVAL));
    assert!(tree.open(&through_link("resource1")).err().unwrap().is_absent());
    assert_eq!(tree.list("sys/class/iommu").unwrap(), [""; 0], "it was there and empty");
    assert_eq!(tree.list("sys/class/net").err().unwrap().cause, Cause::NotCaptured);
}

#[test]
fn what_a_file_is_is_looked_at_before_it_is_opened() {
    let folder = sample();
    let function = folder.path().join("sys/devices/pci0000:00/0000:00:01.0");
    // Opening a socket is an error of its own (ENXIO): whoever sees that has tried.
    let _socket = std::os::unix::net::UnixListener::bind(function.join("socket")).unwrap();
    symlink("socket", function.join("link")).unwrap();
    symlink("vendor", function.join("link_to_file")).unwrap();
    fs::create_dir(function.join("power")).unwrap();
    symlink("../socket", function.join("power/link")).unwrap();
    for fallback in [false, true] {
        let tree = Directory::open(folder.path()).unwrap();
        if fallback {
            without_openat2(&tree);
        }
        let entered = tree.enter("sys/bus/pci/devices/0000:00:01.0").unwrap();
        for name in ["socket", "link", "power/link"] {
            assert_eq!(entered.open(name).err().unwrap().cause, Cause::NotRegular, "{name}");
            let path = format!("sys/bus/pci/devices/0000:00:01.0/{name}");
            assert_eq!(tree.open(&path).err().unwrap().cause, Cause::NotRegular, "{path}");
        }
        assert_eq!(read_text(&*entered, "link_to_file").unwrap(), "0x8086");
        assert!(entered.open("power/absent").err().unwrap().is_absent());
    }
}

#[test]
fn a_folder_with_too_many_names_is_an_error() {
    let folder = sample();
    fs::create_dir(folder.path().join("capture")).unwrap();
    let mut rows = "type\tmode\tst_size\tpath\tnote\nd\t0755\t-\t/irqs\t\nd\t0755\t-\t/many\t\n".to_owned();
    rows.extend((0..NAMES_LIMIT).map(|n| format!("f\t0444\t1\t/irqs/{n}\t\n")));
    rows.extend((0..NAMES_LIMIT * 2).map(|n| format!("f\t0444\t1\t/many/{n}\t\n")));
    fs::write(folder.path().join("capture/manifest.tsv"), rows).unwrap();
    fs::create_dir(folder.path().join("stored")).unwrap();
    for n in 0..=NAMES_LIMIT {
        fs::write(folder.path().join(format!("stored/{n}")), "").unwrap();
    }
    let tree = Directory::open(folder.path()).unwrap();
    assert_eq!(tree.list("irqs").unwrap().len(), NAMES_LIMIT);
    assert_eq!(tree.list("many").err().unwrap().cause, Cause::TooMany(NAMES_LIMIT));
    assert_eq!(tree.list("stored").err().unwrap().cause, Cause::TooMany(NAMES_LIMIT));
}
