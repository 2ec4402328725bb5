//! Secrets are planted in everything that a capture holds, and looked for in what is stored.

use std::path::Path;

use super::key::Key;
use super::*;
use crate::evidence::about::About;
use crate::evidence::{Form, store};
use crate::machine::attributes::Kind as Attribute;
use crate::tree::Pieces;

const SERIAL: &str = "PF3XK90217Q";
const PRODUCT: &str = "MT2116X0912Z";
const HOST: &str = "gpu-box-7";
const UUID: [u8; 16] =
    [0xfa, 0x3c, 0x8a, 0x9e, 0x0d, 0x3a, 0x41, 0xee, 0x8c, 0x99, 2, 0x42, 0xac, 0x12, 0, 7];
const MAC: [u8; 6] = [0x48, 0xb0, 0x2d, 0x12, 0x34, 0x56];
const NUMBER: [u8; 8] = [0x48, 0xb0, 0x2d, 0xff, 0xfe, 0xa1, 0xb2, 0xc3];
const DEVICE: &str = "sys/devices/pci0000:80/0000:80:01.1/0000:82:00.0";

fn file(bytes: impl Into<Vec<u8>>) -> Kept {
    Kept::File { bytes: bytes.into(), size: None }
}

/// A function with a Device Serial Number at 100h, and copies of it and of others behind.
fn config() -> Vec<u8> {
    let mut config = vec![0; 4096];
    config[..16].copy_from_slice(&[0xb3, 0x15, 0x21, 0x10, 6, 4, 0x10, 0, 0, 0, 0, 2, 0, 0, 0, 0]);
    (config[0x34], config[0x40], config[0x42]) = (0x40, 0x10, 2);
    config[0x100..0x104].copy_from_slice(&[3, 0, 1, 0]);
    let mut reversed = NUMBER;
    reversed.reverse();
    config[0x104..0x10c].copy_from_slice(&reversed);
    config[0x200..0x208].copy_from_slice(&NUMBER);
    config[0x210..0x218].copy_from_slice(&reversed);
    config[0x220..0x226].copy_from_slice(&MAC);
    config[0x230..0x23b].copy_from_slice(SERIAL.as_bytes());
    config[0x240..0x250].copy_from_slice(&UUID);
    config
}

fn product_data() -> Vec<u8> {
    let mut data = vec![0x82, 4, 0];
    data.extend(b"Card");
    let mut fields = [b"SN\x0c".as_slice(), PRODUCT.as_bytes(), b"V0\x0c48B02D123456RV\x02"].concat();
    let length = (fields.len() + 2) as u16;
    data.push(0x90);
    data.extend(length.to_le_bytes());
    data.append(&mut fields);
    let sum = data.iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte));
    data.extend([sum.wrapping_neg(), 0, 0x78]);
    data
}

fn structures() -> Vec<u8> {
    let mut system = vec![1, 27, 1, 0, 1, 2, 3, 4];
    system.extend(pseudonym::mixed_order(UUID));
    system.extend([6, 0, 0]);
    system.extend(format!("Maker\0Product\x001.0\0{SERIAL}\0\0").as_bytes());
    system.extend([201, 20, 2, 0]);
    system.extend(NUMBER);
    system.extend([9; 8]);
    system.extend(format!("{HOST}\0\0").as_bytes());
    system.extend([127, 4, 3, 0, 0, 0]);
    system
}

fn log() -> String {
    let hex: Vec<String> = SERIAL.bytes().map(|byte| format!("{byte:02X}")).collect();
    format!(
        "6,1,0,-;Linux version 6.1.0 (alice@forge) #1\n\
         6,2,1,-;systemd[1]: Hostname set to <{HOST}>.\n\
         6,3,2,-;e1000e 0000:00:1f.6 eth0: (PCI Express) 48:b0:2d:12:34:56\n\
         6,4,3,-;mlx5_core 0000:82:00.0: dsn 48-B0-2D-FF-FE-A1-B2-C3 0xc3b2a1feff2db048\n\
         6,5,4,-;{HOST}.example.com talks to 203.0.113.77 and 2001:db8:5:6::77\n\
         6,6,5,-;board {}, raw {}, uuid FA3C8A9E0D3A41EE8C990242AC120007\n\
         6,7,6,-;NVRM: GPU-fa3c8a9e-0d3a-41ee-8c99-0242ac120007 /home/alice/x\n\
         6,8,7,-;pcieport 0000:80:01.1: AER: Corrected error received: 0000:82:00.0\n",
        SERIAL.to_lowercase(),
        hex.concat(),
    )
}

fn planted() -> Recording {
    let mut recording = Recording::default();
    recording.keep(&format!("{DEVICE}/config"), file(config()));
    let runs = vec![(0, config()[..0x180].to_vec()), (0x200, config()[0x200..].to_vec())];
    let pieces = Pieces { runs, ended: None };
    recording.keep("sys/devices/pci0000:90/0000:90:00.0/config", Kept::Pieces { pieces, size: Some(4096) });
    recording.keep(&format!("{DEVICE}/vpd"), file(product_data()));
    recording.keep(smbios::PATH, file(structures()));
    recording.keep("sys/class/dmi/id/product_serial", file(format!("{SERIAL}\n")));
    recording.keep("sys/class/dmi/id/product_uuid", file("fa3c8a9e-0d3a-41ee-8c99-0242ac120007\n"));
    recording.keep("sys/class/dmi/id/product_name", file("Product\n"));
    recording.keep("sys/class/dmi/id/board_asset_tag", file("Default string\n"));
    recording.keep("var/log/kmsg", file(log()));
    recording.keep("proc/cmdline", file("root=UUID=fa3c8a9e-0d3a-41ee-8c99-0242ac120007 pcie_aspm=off\n"));
    recording.keep(&format!("{DEVICE}/label"), file(format!("slot of {SERIAL}\n")));
    recording
}

fn text(recording: &Recording, path: &str) -> String {
    let Some(Kept::File { bytes, .. }) = recording.get(path) else { unreachable!("{path}") };
    String::from_utf8_lossy(bytes).into_owned()
}

/// Every spelling of a secret, in lower case.
fn spellings(secret: &[u8]) -> Vec<Vec<u8>> {
    let reversed: Vec<u8> = secret.iter().rev().copied().collect();
    let mut all = Vec::new();
    for order in [secret.to_vec(), reversed] {
        let pairs: Vec<String> = order.iter().map(|byte| format!("{byte:02x}")).collect();
        all.extend(["", ":", "-", " "].map(|separator| pairs.join(separator).into_bytes()));
        all.push(order);
    }
    all
}

#[test]
fn no_spelling_of_a_secret_is_left_in_what_is_stored() {
    let mut recording = planted();
    let before = recording.clone();
    let redaction = redact(&mut recording, Key::new([1; 32]), &[]);
    let about = About {
        tool: String::new(),
        time: String::new(),
        source: String::new(),
        kernel: Some(redaction.text("Linux version 6.1.0 (alice@forge) #1")),
        functions: 1,
        complete: true,
        unread: Vec::new(),
        redaction: Some(redaction.replaced.clone()),
        pseudonyms: None,
        notes: vec![redaction.text(&format!("read on {HOST}"))],
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("capture");
    store(&recording, &about, 0, Form::Folder, &path, None).unwrap();
    let mut files = 0;
    let mut secrets: Vec<(String, Vec<u8>)> = Vec::new();
    for (name, secret) in [
        ("serial", SERIAL.as_bytes()),
        ("product data", PRODUCT.as_bytes()),
        ("uuid", &UUID),
        ("mixed uuid", &pseudonym::mixed_order(UUID)),
        ("mac", &MAC),
        ("number", &NUMBER),
        ("host", HOST.as_bytes()),
        ("dashed uuid", b"fa3c8a9e-0d3a-41ee-8c99-0242ac120007"),
        ("user", b"alice"),
        ("builder", b"forge"),
        ("domain", b"example.com"),
        ("ip", b"203.0.113.77"),
        ("ip 6", b"2001:db8:5:6::77"),
    ] {
        secrets.extend(spellings(secret).into_iter().map(|spelling| (name.to_owned(), spelling)));
        secrets.push((name.to_owned(), secret.to_ascii_lowercase()));
    }
    each_file(&path, &mut |path, bytes| {
        files += 1;
        let bytes = [bytes.to_vec(), bytes.to_ascii_lowercase()];
        for (name, secret) in &secrets {
            let there = bytes.iter().any(|bytes| bytes.windows(secret.len()).any(|window| window == secret));
            assert!(!there, "{name} {} in {}", String::from_utf8_lossy(secret), path.display());
        }
    });
    assert!(files > 12, "{files}");
    // What is replaced has the same length, and the rest is as it was.
    for ((path, old), (_, new)) in before.iter().zip(recording.iter()) {
        let (Kept::File { bytes: old, .. }, Kept::File { bytes: new, .. }) = (old, new) else { continue };
        assert_eq!(old.len(), new.len(), "{path}");
    }
    assert_eq!(text(&recording, "sys/class/dmi/id/product_name"), "Product\n");
    assert_eq!(text(&recording, "sys/class/dmi/id/board_asset_tag"), "Default string\n");
    let line = "6,8,7,-;pcieport 0000:80:01.1: AER: Corrected error received: 0000:82:00.0\n";
    assert!(text(&recording, "var/log/kmsg").ends_with(line));
    assert!(text(&recording, "proc/cmdline").ends_with(" pcie_aspm=off\n"));
}

fn each_file(folder: &Path, take: &mut dyn FnMut(&Path, &[u8])) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match std::fs::read_link(&path) {
            Ok(target) => take(&path, target.to_str().unwrap().as_bytes()),
            Err(_) if path.is_dir() => each_file(&path, take),
            Err(_) => take(&path, &std::fs::read(&path).unwrap()),
        }
    }
}

#[test]
fn equal_values_stay_equal_and_other_keys_give_others() {
    let mut recording = planted();
    redact(&mut recording, Key::new([1; 32]), &[]);
    let serial = text(&recording, "sys/class/dmi/id/product_serial");
    let serial = serial.trim_end();
    assert_ne!(serial, SERIAL);
    assert!(text(&recording, &format!("{DEVICE}/label")).contains(serial));
    assert!(text(&recording, "var/log/kmsg").contains(&serial.to_lowercase()));
    assert!(text(&recording, smbios::PATH).contains(serial));
    let uuid = text(&recording, "sys/class/dmi/id/product_uuid");
    assert!(text(&recording, "proc/cmdline").contains(uuid.trim_end()));
    let mut again = planted();
    redact(&mut again, Key::new([1; 32]), &[]);
    assert!(again.iter().eq(recording.iter()), "the same key gives the same pseudonyms");
    let mut other = planted();
    redact(&mut other, Key::new([2; 32]), &[]);
    assert_ne!(text(&other, "sys/class/dmi/id/product_serial").trim_end(), serial);
}

#[test]
fn checksums_and_decoded_values_stay_true() {
    let mut recording = planted();
    let redaction = redact(&mut recording, Key::new([1; 32]), &[]);
    let Some(Kept::File { bytes, .. }) = recording.get(&format!("{DEVICE}/vpd")) else { unreachable!() };
    let data = crate::pci::vpd::parse(bytes);
    assert_eq!(data.problems, []);
    let field =
        |keyword: &[u8; 2]| data.fields.iter().find(|f| &f.keyword == keyword).unwrap().text().unwrap();
    assert_ne!(field(b"SN"), PRODUCT);
    assert!(field(b"V0").starts_with("48B02D") && !field(b"V0").ends_with("123456"));
    // Only the number and its copies differ, and they differ in the same way.
    let Some(Kept::File { bytes, .. }) = recording.get(&format!("{DEVICE}/config")) else { unreachable!() };
    let changed: Vec<usize> =
        bytes.iter().zip(config()).enumerate().filter(|(_, (a, b))| **a != *b).map(|(at, _)| at).collect();
    let allowed = |at: usize| {
        [0x104..0x10c, 0x200..0x208, 0x210..0x218, 0x220..0x226, 0x230..0x23b, 0x240..0x250]
            .iter()
            .any(|r| r.contains(&at))
    };
    assert!(changed.iter().all(|at| allowed(*at)), "{changed:?}");
    assert_eq!(bytes[0x104..0x10c], bytes[0x210..0x218]);
    assert_eq!(bytes[0x200..0x205], NUMBER[..5], "the company stays, and how the number was made");
    let what: Vec<_> = redaction.replaced.iter().filter(|r| r.path.ends_with("82:00.0/config")).collect();
    assert!(
        what.iter().any(|replaced| replaced.what == "device serial number" && replaced.count == 3),
        "{what:?}"
    );
}

#[test]
fn damaged_input_is_no_danger() {
    let key = || Key::new([1; 32]);
    let mut recording = Recording::default();
    recording.keep(smbios::PATH, file([1, 255, 1, 0, 9, 9].repeat(100)));
    recording.keep(&format!("{DEVICE}/vpd"), file([0x90, 0xff, 0xff, b'S', b'N', 0xff, 1, 2, 3]));
    recording.keep(&format!("{DEVICE}/config"), file([3; 4096]));
    recording.keep("var/log/kmsg", file([0xff, 0xfe, b':', 0, b'1'].repeat(50)));
    redact(&mut recording, key(), &[String::new(), "x".repeat(10_000)]);
}

const LETTERS: &str = "QWERTZUIOPA";
const GUID: [u8; 8] = [0x50, 0x6b, 0x4b, 0x03, 0x00, 0xcd, 0x12, 0x34];
const WWN: [u8; 8] = [0x50, 0x00, 0xc5, 0x00, 0xa1, 0xb2, 0xc3, 0xd4];
const USER: &str = "alice";
const OTHER_MAC: &str = "3c:ec:ef:5a:b9:17";
const OTHER_UUID: &str = "b7c1f7a0-52d8-4f6e-9b0c-6a1d2e3f4a5b";
const OTHER_SERIAL: &str = "S64HNJ0T501234";
const V4: [&str; 2] = ["203.0.113.77", "198.51.100.214"];
const V6: &str = "2001:db8:5:6::77";

/// Every secret once, behind words that tell what it is, as one or the other text has it.
fn telling() -> String {
    let mac = text_of(&MAC, "");
    format!(
        "Serial Number: {SERIAL}\nS/N {LETTERS}\nSN: {OTHER_SERIAL}\nmac {mac}\nuuid {}\nHostname set to <{HOST}>.\n\
         /home/{USER}/x\nnode_guid: 506b:4b03:00cd:1234\nattached_sas_addr=0x{}\nGPU-{OTHER_UUID}\n\
         dsn: {}\nip={}:::255.255.255.0:{HOST}:eth0:none\nenx{}\n",
        text_of(&UUID, ""),
        text_of(&WWN, ""),
        text_of(&NUMBER, ""),
        V4[0],
        OTHER_MAC.replace(':', ""),
    )
}

fn text_of(bytes: &[u8], separator: &str) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(separator)
}

/// The same without any words, in every notation: only who knows the values finds them.
fn bare(networks: bool) -> String {
    let mut lines = Vec::new();
    let dashed = |digits: &str, parts: &[usize], separator: &str| {
        let mut at = 0;
        let part = |length: &usize| {
            at += length;
            digits[at - length..at].to_owned()
        };
        parts.iter().map(part).collect::<Vec<_>>().join(separator)
    };
    for bytes in [MAC.as_slice(), &NUMBER, &GUID, &WWN, &UUID] {
        let reversed: Vec<u8> = bytes.iter().rev().copied().collect();
        for bytes in [bytes, &reversed] {
            lines.extend(["", ":", "-", " "].map(|separator| text_of(bytes, separator)));
        }
    }
    for digits in [text_of(&MAC, ""), OTHER_MAC.replace(':', "")] {
        lines.extend([".", "-"].map(|separator| dashed(&digits, &[4, 4, 4], separator)));
        lines.push(format!("bond_{digits}_x 0x{digits} enx{digits}-rx"));
        lines.push(format!("{}fffe{}", &digits[..6], &digits[6..]));
    }
    for digits in [text_of(&UUID, ""), OTHER_UUID.replace('-', "")] {
        lines.push(dashed(&digits, &[8, 4, 4, 4, 12], "-"));
        lines.push(dashed(&digits, &[8, 8, 8, 8], ":"));
        lines.push(format!("{{{}}}", dashed(&digits, &[8, 4, 4, 4, 12], "-")));
    }
    lines.push(dashed(&text_of(&GUID, ""), &[4, 4, 4, 4], ":"));
    lines.extend([SERIAL, OTHER_SERIAL].map(|serial| format!("x_{serial}_y {}", serial.to_lowercase())));
    lines.extend([SERIAL, OTHER_SERIAL].map(|serial| text_of(serial.as_bytes(), "")));
    lines.extend([SERIAL, OTHER_SERIAL].map(|serial| text_of(serial.as_bytes(), " ")));
    lines.push(format!("it is {LETTERS}."));
    lines.push(format!("{HOST} {HOST}.lab.example.com {} {}", HOST.to_uppercase(), HOST.replace('-', "--")));
    lines.push(format!("/data/{USER}/x ~{USER}/y"));
    lines.push(format!("[{V6}]:80 {V6}-2001:db8:5:6::78"));
    if networks {
        lines.push(format!("{}:80 {}-{} http://{}/", V4[0], V4[0], V4[1], V4[1]));
    }
    let upper: Vec<String> = lines.iter().map(|line| line.to_uppercase()).collect();
    [lines, upper].concat().iter().fold(String::new(), |text, line| text + line + "\n")
}

/// All files that a capture can have, with secrets behind what is in them.
fn planted_everywhere() -> Recording {
    let mut recording = planted();
    let function = |name: &str| format!("{DEVICE}/{name}");
    for attribute in crate::machine::attributes::ALL.iter().filter(|a| a.kind == Attribute::Text) {
        recording.keep(&function(attribute.name), file("0x0000\n"));
    }
    for path in [
        "proc/interrupts",
        "proc/iomem",
        "proc/modules",
        "proc/version",
        "proc/driver/nvidia/version",
        "proc/driver/nvidia/params",
        "proc/driver/nvidia/gpus/0000:82:00.0/information",
        "sys/class/dmi/id/bios_version",
        "sys/class/dmi/id/board_name",
        "sys/module/nvidia/version",
        "sys/bus/pci/slots/7/address",
        "sys/firmware/devicetree/base/model",
        "var/log/dmesg.1",
        "capture/tools/nvidia-smi-q.txt",
        "capture/tools/ipmitool-sel-elist.txt",
        "capture/notes.txt",
        "etc/hostname",
    ] {
        recording.keep(path, file("text\n"));
    }
    // Names of files and where links lead to.
    recording.keep(&format!("sys/bus/pci/slots/{OTHER_SERIAL}/address"), file("0000:82:00\n"));
    recording.keep(&format!("sys/devices/virtual/net/enx{}/x", text_of(&MAC, "")), file("x\n"));
    recording.keep("sys/class/x", Kept::Link(format!("../devices/{OTHER_UUID}/{HOST}")));
    for (path, kept) in recording.iter_mut() {
        let Kept::File { bytes, .. } = kept else { continue };
        let name = path.rsplit('/').next().unwrap();
        match name {
            "config" | "vpd" => {}
            "DMI" => bytes.extend(
                [b"\x0b\x05\0\0\x01".as_slice(), telling().replace('\n', " ").as_bytes(), b"\0\0"].concat(),
            ),
            _ => {
                let networks = texts::texts(path, bytes).0 == Kind::Any;
                bytes.extend(bare(networks).bytes());
            }
        }
    }
    let Some(Kept::File { bytes, .. }) =
        recording.iter_mut().find(|(path, _)| *path == "var/log/kmsg").map(|(_, kept)| kept)
    else {
        unreachable!()
    };
    bytes.extend(telling().bytes());
    recording
}

#[test]
fn nothing_of_what_is_planted_in_every_file_is_left() {
    let mut recording = planted_everywhere();
    let paths: Vec<String> = recording.iter().map(|(path, _)| path.to_owned()).collect();
    let redaction = redact(&mut recording, Key::new([1; 32]), &[]);
    let about = About {
        tool: String::new(),
        time: String::new(),
        source: String::new(),
        kernel: None,
        functions: 1,
        complete: true,
        unread: Vec::new(),
        redaction: Some(redaction.replaced.clone()),
        pseudonyms: None,
        notes: Vec::new(),
    };
    let folder = tempfile::tempdir().unwrap();
    let (archive, whole) = (folder.path().join("archive"), folder.path().join("folder"));
    store(&recording, &about, 0, Form::Archive, &archive, None).unwrap();
    store(&recording, &about, 0, Form::Folder, &whole, None).unwrap();
    let archive = zstd::decode_all(std::fs::File::open(archive).unwrap()).unwrap();
    let mut all: Vec<(String, Vec<u8>)> = vec![("the archive".to_owned(), archive)];
    each_file(&whole, &mut |path, bytes| {
        let name = path.strip_prefix(&whole).unwrap().to_str().unwrap().to_owned();
        all.push((name.clone(), name.into_bytes()));
        all.push((path.to_str().unwrap().to_owned(), bytes.to_vec()));
    });
    let mut secrets: Vec<Vec<u8>> = Vec::new();
    for number in [MAC.as_slice(), &NUMBER, &GUID, &WWN, &UUID, &pseudonym::mixed_order(UUID)] {
        secrets.extend(spellings(number));
    }
    for text in [SERIAL, OTHER_SERIAL, LETTERS] {
        secrets.extend(spellings(text.as_bytes()));
        secrets.push(text.to_lowercase().into_bytes());
    }
    let digits = |text: &str| text.replace([':', '-'], "");
    for text in [
        HOST,
        "gpu--box--7",
        "example.com",
        "alice",
        V4[0],
        V4[1],
        V6,
        "2001:db8:5:6::78",
        "48b0.2d12.3456",
        "48b0-2d12-3456",
        "3cec.ef5a.b917",
        "48b02dfffe123456",
        "506b:4b03:00cd:1234",
        "fa3c8a9e:0d3a41ee:8c990242:ac120007",
        OTHER_MAC,
        OTHER_UUID,
        &digits(OTHER_MAC),
        &digits(OTHER_UUID),
    ] {
        secrets.push(text.as_bytes().to_vec());
    }
    let mut left = Vec::new();
    for (path, bytes) in &all {
        let lower = bytes.to_ascii_lowercase();
        for secret in &secrets {
            if [bytes, &lower].iter().any(|bytes| memchr::memmem::find(bytes, secret).is_some()) {
                left.push(format!("{} in {path}", String::from_utf8_lossy(secret)));
            }
        }
    }
    assert!(left.is_empty(), "{} are left, such as {:?}", left.len(), &left[..left.len().min(9)]);
    // Paths of devices and files stay; only the three that were planted are others.
    let changed = paths.iter().filter(|path| recording.get(path).is_none()).count();
    assert_eq!((changed, recording.iter().count()), (2, paths.len()));
    assert!(text(&recording, "proc/driver/nvidia/gpus/0000:82:00.0/information").starts_with("text\n"));
}

#[test]
fn a_known_account_is_replaced_where_it_is_of_a_domain_or_on_another_machine() {
    let mut recording = Recording::default();
    recording.keep(
        "var/log/kmsg",
        file("6,1,0,-;audit: acct=\"jsmith\"\n6,2,0,-;gone: LAB\\x5cjsmith, jsmith@db01 notjsmith@x jsmithy jsmith\n"),
    );
    redact(&mut recording, Key::new([1; 32]), &[]);
    let log = text(&recording, "var/log/kmsg");
    let new = log.split('"').nth(1).unwrap().to_owned();
    assert_ne!(new, "jsmith");
    let line = format!("gone: LAB\\x5c{new}, {new}@db01 notjsmith@x jsmithy jsmith");
    assert!(log.contains(&line), "{log}");
}
