//! Secrets are planted in everything that a capture holds, and looked for in what is stored.

use std::path::Path;

use super::key::Key;
use super::*;
use crate::evidence::about::About;
use crate::evidence::{Form, store};
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
        match path.is_dir() {
            true => each_file(&path, take),
            false => take(&path, &std::fs::read(&path).unwrap()),
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
