//! Running the real lspci.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

/// What lspci printed, and how it ended unless it ended well.
pub struct Output {
    pub text: String,
    pub trouble: Option<String>,
}

/// The version of the lspci on `PATH`, if there is one.
pub fn version() -> Option<String> {
    let output = Command::new("lspci").arg("--version").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    Some(text.rsplit(' ').next().unwrap_or_default().to_owned())
}

/// Decodes a dump.
pub fn of_dump(file: &Path) -> Output {
    run(Command::new("lspci").arg("-F").arg(file))
}

/// Decodes a folder shaped like `/`.
pub fn of_tree(root: &Path) -> Output {
    let path = format!("sysfs.path={}", root.join("sys/bus/pci").display());
    run(Command::new("lspci").args(["-A", "linux-sysfs", "-O", &path]))
}

fn run(command: &mut Command) -> Output {
    let output = command.args(["-vvv", "-n", "-D"]).env("LC_ALL", "C").output().expect("lspci is on PATH");
    let messages = String::from_utf8_lossy(&output.stderr).into_owned();
    let messages: Vec<&str> = messages.lines().filter(|l| !l.contains("libkmod")).collect();
    let trouble = (!output.status.success()).then(|| format!("{}: {}", output.status, messages.join("; ")));
    Output { text: String::from_utf8_lossy(&output.stdout).into_owned(), trouble }
}

/// Whether links of this tree were stored as text, which lspci does not follow.
pub fn links_are_text(root: &Path) -> bool {
    let mut functions = fs::read_dir(root.join("sys/bus/pci/devices")).expect("the tree has functions");
    functions.any(|entry| entry.is_ok_and(|entry| entry.file_type().is_ok_and(|kind| kind.is_file())))
}

/// Copies `sys` as lspci needs it: links that were stored as text are links again. What is no file, folder or link
/// is left out.
pub fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a temporary folder can be written");
    for entry in fs::read_dir(from).expect("the tree can be read") {
        let entry = entry.expect("the tree can be read");
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type().expect("the tree can be read");
        if kind.is_dir() {
            copy_tree(&path, &target);
        } else if kind.is_symlink() {
            symlink(fs::read_link(&path).expect("a link"), &target).expect("a link can be made");
        } else if kind.is_file() {
            let bytes = fs::read(&path).expect("the tree can be read");
            match stored_link(&bytes) {
                Some(link) => symlink(link, &target).expect("a link can be made"),
                None => fs::write(&target, bytes).expect("a temporary folder can be written"),
            }
        }
    }
}

fn stored_link(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?.trim_end_matches('\n');
    (text.starts_with("../") && !text.contains(['\n', '\0'])).then_some(text)
}
