//! Reports: the same every time, nothing from the network, hostile text stays text, other tools read the appendix, and the
//! committed letter is what the program writes.
//!
//! `SNAPSHOTS=overwrite cargo test --test report letter` writes docs/examples anew.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

#[path = "report/truth.rs"]
mod truth;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn pciscope(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pciscope"));
    command.current_dir(root()).env("PCISCOPE_IDS", "embedded").args(arguments).output().unwrap()
}

/// What `-o` writes.
fn written(source: &str, ending: &str, more: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(format!("report.{ending}"));
    let output = pciscope(&[&["--from", source, "report", "-o", file.to_str().unwrap()], more].concat());
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(matches!(output.status.code(), Some(0 | 3)), "{source}: {error}");
    std::fs::read_to_string(file).unwrap_or_else(|e| panic!("{source}: {e}: {error}"))
}

const NOTE: &str = "sysfs-fixtures/scenarios/field-note-1.toml";

#[test]
fn the_same_source_gives_the_same_report() {
    for ending in ["html", "md", "json"] {
        for reader in ["provider", "operator", "qualification"] {
            let once = written(NOTE, ending, &["--for", reader]);
            assert_eq!(once, written(NOTE, ending, &["--for", reader]), "{ending} for {reader}");
            assert!(once.len() > 2000, "{ending} for {reader}");
        }
    }
}

#[test]
fn the_committed_letter_is_what_the_program_writes() {
    for ending in ["html", "md"] {
        let file = root().join(format!("docs/examples/field-note-1.{ending}"));
        let text = written(NOTE, ending, &["--for", "provider"]);
        if std::env::var("SNAPSHOTS").is_ok_and(|v| v == "overwrite") {
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(&file, &text).unwrap();
        }
        let committed = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(
            committed == text,
            "{}: not what the program writes; see the head of this test",
            file.display()
        );
    }
}

/// A machine whose firmware, command line and log are somebody's attempt to be more than text.
fn hostile(folder: &Path) -> PathBuf {
    let source = root().join("sysfs-fixtures/machines/two-socket-gpu-server");
    let tree = folder.join("tree");
    let copied = Command::new("cp").arg("-a").arg(&source).arg(&tree).status().unwrap();
    assert!(copied.success());
    let dmi = tree.join("sys/class/dmi/id");
    std::fs::create_dir_all(&dmi).unwrap();
    std::fs::write(dmi.join("product_name"), "</title><script>alert(1)</script>\n").unwrap();
    std::fs::write(
        dmi.join("bios_version"),
        "\"><img src=x onerror=alert(2)> `code` **bold** [a](javascript:b)\n",
    )
    .unwrap();
    std::fs::write(tree.join("proc/cmdline"), "root=</dd><iframe src=//evil> `x` | y {{ 7*7 }} {% raw %}\n")
        .unwrap();
    tree
}

#[test]
fn hostile_text_stays_text() {
    let folder = tempfile::tempdir().unwrap();
    let tree = hostile(folder.path());
    let log = folder.path().join("log");
    std::fs::write(
        &log,
        "[    1.000000] Linux version 6.8.0 (x@y)\n\
         [   10.000000] pcieport 0000:80:01.1: AER: Uncorrectable (Fatal) error message received from 0000:82:00.0\n\
         [   11.000000] NVRM: Xid (PCI:0000:82:00): 79, pid='</pre><script>alert(3)</script>', name=`<b>`, GPU has fallen off the bus.\n",
    )
    .unwrap();
    let (tree, log) = (tree.to_str().unwrap(), log.to_str().unwrap());
    let page = written(tree, "html", &["--log", log, "--for", "provider"]);
    for raw in ["<script", "<img", "<iframe", "onerror=alert(2)>"] {
        assert!(!page.contains(raw), "{raw} is in the page as markup");
    }
    assert!(
        page.contains("&lt;script&gt;alert(1)") || page.contains("&lt;&#x2f;title&gt;&lt;script&gt;alert(1)"),
        "it is there as text"
    );
    assert!(page.contains("{{ 7*7 }}"), "the template does not look into what it is given");
    assert!(page.contains("alert(3)"), "the line of the log is there");
    let text = written(tree, "md", &["--log", log, "--for", "provider"]);
    for line in text.lines() {
        let text = without_code(line);
        let marked = text.match_indices('<').any(|(place, _)| !text[..place].ends_with('\\'));
        assert!(!marked, "{line}");
    }
}

/// A line of Markdown without what stands between runs of backquotes of the same length.
fn without_code(line: &str) -> String {
    let (mut out, mut rest) = (String::new(), line);
    while let Some(start) = rest.find('`') {
        let fence: String = rest[start..].chars().take_while(|c| *c == '`').collect();
        let inside = &rest[start + fence.len()..];
        let mut end = None;
        let mut from = 0;
        while let Some(place) = inside[from..].find('`').map(|p| p + from) {
            let run = inside[place..].chars().take_while(|c| *c == '`').count();
            if run == fence.len() {
                end = Some(place + run);
                break;
            }
            from = place + run;
        }
        // A backslash in front makes it a letter; what is never closed is none either.
        let letter = rest[..start].ends_with('\\');
        out.push_str(&rest[..start]);
        match end.filter(|_| !letter) {
            Some(end) => rest = &inside[end..],
            None => rest = inside,
        }
    }
    out + rest
}

#[test]
fn a_page_loads_nothing_and_runs_nothing() {
    for (source, reader) in [
        (NOTE, "provider"),
        ("sysfs-fixtures/machines/two-socket-gpu-server", "qualification"),
        ("sysfs-fixtures/scenarios/half-the-lanes.toml", "operator"),
    ] {
        let page = written(source, "html", &["--for", reader]);
        assert!(page.starts_with("<!DOCTYPE html>") && page.trim_end().ends_with("</html>"));
        assert!(page.contains("default-src 'none'"), "a browser refuses whatever slips in");
        for forbidden in ["<script", "src=", "http://", "https://", "@import", "url(", "<link", " on"] {
            let text = if forbidden == " on" { page.contains(" onload=") } else { page.contains(forbidden) };
            assert!(!text, "{source}: {forbidden}");
        }
        // Every element that is opened is closed again, in order.
        balanced(&page);
    }
}

fn balanced(page: &str) {
    let mut open: Vec<String> = Vec::new();
    for piece in page.split('<').skip(1) {
        let Some((tag, _)) = piece.split_once('>') else { panic!("a tag without an end: {piece}") };
        let name: String =
            tag.trim_start_matches('/').chars().take_while(char::is_ascii_alphanumeric).collect();
        let void = ["meta", "br", ""].contains(&name.as_str()) || tag.ends_with('/');
        match tag.starts_with('/') {
            true => assert_eq!(open.pop().as_deref(), Some(name.as_str()), "</{name}>"),
            false if !void => open.push(name),
            false => {}
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn a_ticket_has_room_for_so_many_characters() {
    let whole = written(NOTE, "md", &["--for", "provider"]);
    let length = whole.chars().count();
    for limit in [400, 600, 1500, 3000, 6000, length - 1, length, length + 1] {
        let text = written(NOTE, "md", &["--for", "provider", "--max-chars", &limit.to_string()]);
        assert!(text.chars().count() <= limit, "{limit}");
        assert_eq!(limit >= length, text == whole, "{limit}");
        if (1500..length).contains(&limit) {
            assert!(text.contains("Left out for want of room"), "{limit}: {text}");
            assert!(text.contains("**Power the machine off"), "{limit}: the first request comes first");
        }
    }
    let output = pciscope(&["--from", NOTE, "report", "--max-chars", "399"]);
    assert_eq!(output.status.code(), Some(64), "there is no room for what is asked");
}

/// `lspci -F` on a file.
fn lspci(file: &Path) -> Option<String> {
    match Command::new("lspci").arg("-F").arg(file).args(["-nvvv", "-D"]).output() {
        Ok(output) => Some(String::from_utf8_lossy(&output.stdout).into_owned()),
        Err(error) => {
            assert!(std::env::var("CI").as_deref() != Ok("true"), "lspci: {error}");
            println!("skipped: lspci: {error}");
            None
        }
    }
}

/// What another tool reads out of the appendix is what it reads out of all the bytes.
#[test]
fn lspci_reads_the_appendix() {
    let folder = tempfile::tempdir().unwrap();
    let mut sources = vec![
        NOTE.to_owned(),
        format!("{NOTE}@6m"),
        "sysfs-fixtures/scenarios/half-the-lanes.toml".to_owned(),
    ];
    match std::env::var_os("PCISCOPE_CORPUS")
        .map(|c| PathBuf::from(c).join("../captures"))
        .filter(|c| c.is_dir())
    {
        Some(captures) => {
            let some = ["gpu-gone", "gpu-width-x8", "aer-fatal-nic", "hp-presence-lost", "cfg-cap-loop"];
            sources.extend(
                some.map(|name| captures.join(format!("{name}.tar.zst")).to_str().unwrap().to_owned()),
            );
        }
        None => println!("skipped: PCISCOPE_CORPUS is not set, or there are no captures beside it"),
    }
    let mut compared = 0;
    for source in sources {
        let page = written(&source, "html", &["--for", "provider", "--no-redact"]);
        let Some((_, rest)) = page.split_once("<pre id=\"lspci\">") else { continue };
        let text = rest
            .split("</pre>")
            .next()
            .unwrap()
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&amp;", "&");
        let appendix = folder.path().join("appendix");
        std::fs::write(&appendix, &text).unwrap();
        let addresses: Vec<&str> = text
            .lines()
            .filter(|l| l.contains(':') && l.len() > 12 && l.as_bytes()[4] == b':')
            .filter_map(|l| l.split(' ').next())
            .collect();
        assert!(!addresses.is_empty(), "{source}: {text}");
        let output = pciscope(
            &[&["--from", &source, "show", "-x", "--format", "json"], addresses.as_slice()].concat(),
        );
        let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let mut whole = String::new();
        for function in answer["functions"].as_array().unwrap() {
            whole.push_str(&format!("{} x\n", function["address"].as_str().unwrap()));
            for (offset, hex) in function["hex"].as_object().unwrap() {
                let offset: usize = offset.parse().unwrap();
                for (row, digits) in hex.as_str().unwrap().as_bytes().chunks(32).enumerate() {
                    let bytes: Vec<_> = digits.chunks(2).map(|d| std::str::from_utf8(d).unwrap()).collect();
                    whole.push_str(&format!("{:03x}: {}\n", offset + row * 16, bytes.join(" ")));
                }
            }
            whole.push('\n');
        }
        let all = folder.path().join("all");
        std::fs::write(&all, whole).unwrap();
        let (Some(mine), Some(theirs)) = (lspci(&appendix), lspci(&all)) else { return };
        assert!(mine.contains("LnkSta") || mine.contains("Capabilities"), "{source}: {mine}");
        assert_eq!(mine, theirs, "{source}");
        compared += addresses.len();
    }
    println!("{compared} functions");
    assert!(compared > 0);
}

/// Chromium, where it is installed, says nothing about the page, and asks nobody for anything.
#[test]
fn a_browser_shows_the_page_without_a_word() {
    let folder = tempfile::tempdir().unwrap();
    let (page, net) = (folder.path().join("page.html"), folder.path().join("net.json"));
    std::fs::write(&page, written(NOTE, "html", &["--for", "provider"])).unwrap();
    let started = Command::new("chromium")
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--dump-dom"])
        .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
        .arg(format!("--log-net-log={}", net.display()))
        .arg(format!("file://{}", page.display()))
        .output();
    let output = match started {
        Ok(output) => output,
        Err(error) => return println!("skipped: chromium: {error}"),
    };
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{error}");
    assert!(!error.contains("CONSOLE"), "{error}");
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(shown.contains("What is asked") && shown.contains("<svg"), "{shown}");
    let log = std::fs::read_to_string(&net).unwrap();
    let asked: Vec<&str> =
        log.split("\"url\":\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    // The browser's own requests (updates) are to its maker; the page is a file and has nothing else.
    assert!(asked.iter().all(|url| !url.starts_with("file:") || url.ends_with("page.html")), "{asked:?}");
}

fn requests(report: &serde_json::Value) -> Vec<(String, String)> {
    let text = |request: &serde_json::Value, key: &str| request[key].as_str().unwrap_or_default().to_owned();
    report["requests"].as_array().unwrap().iter().map(|r| (text(r, "topic"), text(r, "found"))).collect()
}

fn json(source: &str, more: &[&str]) -> serde_json::Value {
    serde_json::from_str(&written(source, "json", more)).unwrap()
}

#[test]
fn a_storm_of_errors_asks_for_the_seating_and_says_nothing_untrue() {
    let report = json("sysfs-fixtures/scenarios/error-storm.toml", &["--for", "provider"]);
    let asked = requests(&report);
    let found = |topic: &str| asked.iter().find(|(of, _)| of == topic).map(|(_, found)| found.as_str());
    assert!(found("card-and-riser").is_some(), "{asked:?}");
    let controller = found("management-controller").unwrap();
    assert!(!controller.contains("does not answer"), "the card answers: {controller}");
    let mut topics: Vec<&String> = asked.iter().map(|(topic, _)| topic).collect();
    topics.dedup();
    assert_eq!(topics.len(), asked.len(), "{asked:?}");
}

#[test]
fn nothing_is_asked_twice_or_for_what_is_so_already() {
    for (scenario, report) in MINIMAL.iter() {
        let requests = report["requests"].as_array().unwrap();
        let right = report["already_right"].as_array().unwrap();
        for (place, request) in requests.iter().enumerate() {
            let same = |other: &&serde_json::Value| {
                other["ask"] == request["ask"] && other["device"] == request["device"]
            };
            assert_eq!(requests.iter().filter(same).count(), 1, "{}: {request}", scenario);
            assert_eq!(request["number"], place + 1);
            let device = request["device"].as_str().unwrap_or("the machine");
            let done = right.iter().find(|r| {
                r["topic"] == request["topic"]
                    && r["what"].as_str().unwrap().contains(device)
                    && r["topic"] != "card-and-riser"
            });
            assert!(done.is_none(), "{}: {request} and {done:?}", scenario);
            // Whoever is asked has not got this program.
            for key in ["ask", "should_be", "command", "expected_output", "topic"] {
                let text = request[key].as_str().unwrap();
                for word in ["pciscope", "explain", "kmsg", "data sheet", "{"] {
                    assert!(!text.contains(word), "{}: {key}: {text}", scenario);
                }
            }
        }
        for word in ["kmsg", "bar kmsg", "; visit", "; memory."] {
            let opening = report["opening"].to_string();
            let asks = opening.split("We ask for").nth(1).unwrap_or_default();
            let asks = asks.split("\",\"").next().unwrap_or_default();
            assert!(!asks.contains(word), "{}: {asks}", scenario);
        }
    }
}

#[test]
fn requests_are_the_last_thing_to_go() {
    let whole = json(NOTE, &["--for", "provider"]);
    let asks: Vec<String> = requests(&whole).into_iter().map(|(topic, _)| topic).collect();
    for (limit, all) in [(8000, true), (3000, true), (1500, true), (900, false), (400, false)] {
        let text = written(NOTE, "md", &["--for", "provider", "--max-chars", &limit.to_string()]);
        assert!(text.chars().count() <= limit, "{limit}: {}", text.chars().count());
        let there = (1..=asks.len()).filter(|number| text.contains(&format!("\n{number}. **"))).count();
        assert!(there == asks.len() || !all && there > 0 || limit < 500, "{limit}: {there}\n{text}");
    }
}

#[test]
fn the_letter_dates_what_it_can_and_reads_what_the_management_controller_kept() {
    let folder = tempfile::tempdir().unwrap();
    let capture = folder.path().join("capture");
    let output =
        pciscope(&["--from", NOTE, "capture", "--dir", "--no-redact", "-o", capture.to_str().unwrap()]);
    assert!(output.status.success());
    let source = capture.to_str().unwrap();
    let more = ["--for", "provider", "--no-redact"];
    let report = json(source, &more);
    assert!(
        report["machine"]["started"].as_str().unwrap().ends_with("by btime of /proc/stat"),
        "{}",
        report["machine"]
    );
    assert!(report["machine"]["captured"].as_str().unwrap().ends_with('Z'));
    let opening = report["opening"].to_string();
    assert!(opening.contains("s after the start (20"), "{opening}");
    let dated = report["timeline"]["entries"].as_array().unwrap().iter().all(|e| e["date"].is_string());
    assert!(dated, "{}", report["timeline"]);
    let tools = capture.join("capture/tools");
    std::fs::create_dir_all(&tools).unwrap();
    std::fs::write(
        tools.join("ipmitool-sel-elist.txt"),
        "   1 | 11/20/2026 | 08:00:01 | Power Supply #0x51 | Power Supply AC lost | Asserted\n",
    )
    .unwrap();
    let manifest = capture.join("capture/manifest.tsv");
    let rows = std::fs::read_to_string(&manifest).unwrap();
    std::fs::write(manifest, rows + "f\t-\t-\t/capture/tools/ipmitool-sel-elist.txt\t\n").unwrap();
    let report = json(source, &more);
    let request = report["requests"]
        .as_array()
        .unwrap()
        .iter()
        .find(|r| r["topic"] == "management-controller")
        .unwrap();
    assert!(request["found"].as_str().unwrap().starts_with("1 of the 1 entries"), "{request}");
    assert!(request["evidence"].to_string().contains("AC lost"));
}

#[test]
fn a_report_has_no_personal_data_unless_that_is_wanted() {
    let folder = tempfile::tempdir().unwrap();
    let tree = folder.path().join("tree");
    let source = root().join("sysfs-fixtures/machines/two-socket-gpu-server");
    assert!(Command::new("cp").arg("-a").arg(&source).arg(&tree).status().unwrap().success());
    std::fs::write(tree.join("proc/cmdline"), "ip=203.0.113.77:::255.255.255.0:gpu-box-7:eth0:none quiet\n")
        .unwrap();
    let log = folder.path().join("log");
    std::fs::write(
        &log,
        "[   10.000000] systemd[1]: Hostname set to <gpu-box-7>.\n\
         [   11.000000] pcieport 0000:80:01.1: AER: Uncorrectable (Fatal) error message received from 0000:82:00.0\n\
         [   12.000000] NVRM: Xid (PCI:0000:82:00): 79, pid=1, name=/home/alice/x, GPU has fallen off the bus.\n",
    )
    .unwrap();
    let (tree, log, key) = (tree.to_str().unwrap(), log.to_str().unwrap(), folder.path().join("key"));
    for ending in ["html", "md", "json"] {
        let more = ["--for", "provider", "--log", log];
        let key = ["--redact-key", key.to_str().unwrap()];
        let text = written(tree, ending, &[more.as_slice(), &key].concat());
        for secret in ["203.0.113.77", "gpu-box-7", "alice"] {
            assert!(!text.contains(secret), "{secret} in {ending}");
        }
        assert!(text.contains("fallen off the bus") && text.contains("replaced by pseudonyms"), "{ending}");
        let plain = written(tree, ending, &[more.as_slice(), &["--no-redact"]].concat());
        assert!(plain.contains("203.0.113.77") && plain.contains("are as they are"), "{ending}");
    }
    // Another log has names of its own, and the key of the capture is not known.
    let capture = folder.path().join("capture");
    let arguments = ["--from", tree, "capture", "--dir", "-o", capture.to_str().unwrap(), "--redact-key"];
    assert!(pciscope(&[arguments.as_slice(), &[key.to_str().unwrap()]].concat()).status.success());
    let asked = ["--from", capture.to_str().unwrap(), "report", "--log", log];
    assert_eq!(pciscope(&asked).status.code(), Some(64));
    let output = pciscope(&[asked.as_slice(), &["--no-redact"]].concat());
    assert!(String::from_utf8_lossy(&output.stdout).contains("the log is as it is"));
}

#[test]
fn what_lies_beside_a_report_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let [file, other, beside] = ["report.json", "other", "report.json.part"].map(|n| folder.path().join(n));
    std::fs::write(&other, "mine").unwrap();
    [&file, &beside].iter().for_each(|link| std::os::unix::fs::symlink(&other, link).unwrap());
    let write = || pciscope(&["--from", NOTE, "report", "-o", file.to_str().unwrap()]);
    let output = write();
    assert!(String::from_utf8_lossy(&output.stdout).contains("replaced what was there"), "{output:?}");
    assert_eq!(std::fs::read(&other).unwrap(), b"mine", "no link was followed");
    assert!(std::fs::read_to_string(&file).unwrap().starts_with('{'));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3, "nothing is left over");
}

fn addresses(report: &serde_json::Value) -> Vec<&str> {
    report["patients"].as_array().unwrap().iter().map(|p| p["address"].as_str().unwrap()).collect()
}

#[test]
fn nobody_touches_the_hardware_where_software_switched_the_link_off() {
    let report = json("sysfs-fixtures/scenarios/link-disabled-by-software.toml", &["--for", "provider"]);
    let asked = requests(&report);
    assert!(asked.iter().all(|(topic, _)| topic != "card-and-riser" && topic != "slot-power"), "{asked:?}");
    assert_eq!(report["diagnoses"][0]["rule"], "link-switched-off");
    assert_eq!(report["diagnoses"][0]["ask"].as_array().unwrap().len(), 0);
    assert!(
        report["opening"].to_string().contains("Link Disable is set at the port"),
        "{}",
        report["opening"]
    );
}

#[test]
fn one_sick_card_is_one_patient() {
    for (scenario, card) in [
        ("fatal-error", "0000:18:00.0"),
        ("port-contains-error", "0000:18:00.0"),
        ("slot-without-power", "0000:41:00.0"),
        ("link-flaps", "0000:1a:00.0"),
    ] {
        let report = json(&format!("sysfs-fixtures/scenarios/{scenario}.toml"), &["--for", "provider"]);
        assert_eq!(addresses(&report), [card], "{scenario}");
        let asked = requests(&report);
        let topics: std::collections::BTreeSet<&String> = asked.iter().map(|(topic, _)| topic).collect();
        assert_eq!(topics.len(), asked.len(), "{scenario}: {asked:?}");
        assert!(!asked.is_empty(), "{scenario}");
    }
}

#[test]
fn what_was_not_read_has_not_been_found_well() {
    let folder = tempfile::tempdir().unwrap();
    let tree = folder.path().join("tree");
    let source = root().join("sysfs-fixtures/machines/two-socket-gpu-server");
    assert!(Command::new("cp").arg("-a").arg(&source).arg(&tree).status().unwrap().success());
    let devices = tree.join("sys/bus/pci/devices");
    let mut emptied = 0;
    for device in std::fs::read_dir(devices).unwrap() {
        std::fs::write(device.unwrap().path().join("config"), "").unwrap();
        emptied += 1;
    }
    let output =
        pciscope(&["--from", tree.to_str().unwrap(), "report", "--for", "provider", "--format", "json"]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["patients"].as_array().unwrap().len(), 0, "{}", report["patients"]);
    let title = report["title"].as_str().unwrap();
    assert!(title.contains(&format!("not known ({emptied} functions could not be read in full)")), "{title}");
    assert!(report["opening"].to_string().contains("config is empty"), "{}", report["opening"]);
    assert_eq!(output.status.code(), Some(3));
    let report = json("sysfs-fixtures/scenarios/unprivileged.toml", &["--for", "provider"]);
    assert!(report["title"].as_str().unwrap().contains("not known (8 functions"), "{}", report["title"]);
    assert!(report["opening"].to_string().contains("root only"), "{}", report["opening"]);
}

/// The letters to the provider about every scenario, with a profile.
fn letters(profile: &str) -> Vec<(String, serde_json::Value)> {
    let all = std::fs::read_dir(root().join("sysfs-fixtures/scenarios")).unwrap();
    let mut all: Vec<String> = all.map(|e| e.unwrap().path().to_str().unwrap().to_owned()).collect();
    all.sort();
    assert!(all.len() > 30, "{all:?}");
    let letter = |source: String| {
        let report = json(&source, &["--for", "provider", "--profile", profile]);
        (source, report)
    };
    all.into_iter().map(letter).collect()
}

static MINIMAL: LazyLock<Vec<(String, serde_json::Value)>> = LazyLock::new(|| letters("minimal"));
static GPU_SERVER: LazyLock<Vec<(String, serde_json::Value)>> = LazyLock::new(|| letters("gpu-server"));

/// A scenario of faults of the GPU server, `(fault, function)` each; a fault of the machine as a whole has no function.
fn scenario(folder: &Path, faults: &[(&str, &str)]) -> String {
    let file = folder.join("scenario.toml");
    let mut text = "title = \"t\"\nbase = \"two-socket-gpu-server\"\nseed = 1\n".to_owned();
    for (place, (fault, function)) in faults.iter().enumerate() {
        text.push_str(&format!("[[event]]\nat = \"{}s\"\nfault = \"{fault}\"\n", 10 * (place + 1)));
        if !function.is_empty() {
            text.push_str(&format!("function = \"{function}\"\n"));
        }
    }
    std::fs::write(&file, text).unwrap();
    file.to_str().unwrap().to_owned()
}

const CARD: &str = "0000:82:00.0";

fn opening(report: &serde_json::Value) -> String {
    let lines: Vec<&str> =
        report["opening"].as_array().unwrap().iter().map(|l| l.as_str().unwrap()).collect();
    lines.join("\n")
}

/// `lspci` over the bytes of the appendix, as the one who verifies a request types it.
fn as_typed(folder: &Path, report: &serde_json::Value, command: &str) -> Option<String> {
    let dump: Vec<String> = report["appendix"]
        .as_array()
        .unwrap()
        .iter()
        .map(|a| format!("{} x\n{}\n", a["address"].as_str().unwrap(), a["hex"].as_str().unwrap()))
        .collect();
    std::fs::write(folder.join("dump"), dump.concat()).unwrap();
    lspci(&folder.join("dump"))?;
    let program = folder.join("lspci");
    let text = format!(
        "#!/bin/sh\nPATH={} exec lspci -F {} \"$@\"\n",
        std::env::var("PATH").unwrap(),
        folder.join("dump").display()
    );
    std::fs::write(&program, text).unwrap();
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let output = Command::new("sh").args(["-c", command]).env("PATH", path).output().unwrap();
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A command that prints now what it should print afterwards verifies nothing.
#[test]
fn no_request_is_verified_by_what_is_so_already() {
    let folder = tempfile::tempdir().unwrap();
    let mut compared = 0;
    let more = scenario(folder.path(), &[("lane-errors", CARD), ("slot-power-limit-low", CARD)]);
    let more = [(more.clone(), json(&more, &["--for", "provider", "--profile", "gpu-server"]))];
    for (source, report) in GPU_SERVER.iter().chain(&more) {
        for request in report["requests"].as_array().unwrap().iter().filter(|r| r["verbatim"] == true) {
            let (command, expected) =
                (request["command"].as_str().unwrap(), request["expected_output"].as_str().unwrap());
            assert!(command.starts_with("lspci"), "{source}: {command}");
            let Some(printed) = as_typed(folder.path(), report, command) else { return };
            assert!(!printed.is_empty(), "{source}: {command} prints nothing");
            assert!(!printed.contains(expected), "{source}: {command} prints now: {printed}");
            compared += 1;
        }
    }
    assert!(compared > 10, "{compared}");
}

#[test]
fn the_letter_asks_whatever_the_diagnosis_asks() {
    for (source, report) in MINIMAL.iter() {
        for device in report["diagnoses"].as_array().unwrap() {
            for ask in device["ask"].as_array().unwrap().iter().filter(|ask| ask["needed"] == true) {
                let topic = ask["topic"].as_str().unwrap();
                let same = |r: &(String, String)| {
                    r.0 == topic
                        || topic == "card-and-riser"
                            && ["lanes", "signal", "exchange"].contains(&r.0.as_str())
                };
                assert!(requests(report).iter().any(same), "{source}: {ask} and {:?}", requests(report));
            }
            // What nobody could read is no reason to change a setting.
            for ask in device["ask"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|a| a["needed"].is_null() && a["who"] == "firmware")
            {
                let asked = requests(report)
                    .into_iter()
                    .any(|(topic, found)| topic == ask["topic"] && found == ask["found"]);
                assert!(!asked, "{source}: {ask}");
            }
        }
    }
}

#[test]
fn a_letter_does_not_contradict_itself() {
    for (source, report) in MINIMAL.iter().chain(GPU_SERVER.iter()) {
        let opening = opening(report);
        let useless: String = opening.lines().filter_map(|l| l.split("What does not help").nth(1)).collect();
        for request in report["requests"].as_array().unwrap() {
            let ask = request["ask"].as_str().unwrap();
            assert!(
                !(request["who"] == "firmware" && useless.contains("firmware setup")),
                "{source}: {ask}: {useless}"
            );
            let seating = ["card-and-riser", "lanes", "signal"].contains(&request["topic"].as_str().unwrap());
            assert!(!(seating && useless.contains("reseating")), "{source}: {ask}: {useless}");
            for software in ["pci=", "kernel command line", "rescan"] {
                assert!(!ask.contains(software), "{source}: {ask}");
            }
        }
        let wrong = report["findings"].as_array().unwrap().iter().any(|f| {
            let theirs = ["firmware", "provider"].iter().any(|who| f["who"] == *who);
            let place = f["address"].as_str().unwrap_or_default();
            let near = report["patients"].as_array().unwrap().iter().any(|p| p["address"] == place);
            f["status"] == "fail" && theirs && near
        });
        assert!(!(wrong && opening.contains("nothing that was read speaks against")), "{source}: {opening}");
        let dated = opening.contains("First seen at");
        let open = report["not_measured"].to_string();
        let undated =
            open.contains("no line of the log tells") && report["patients"].as_array().unwrap().len() == 1;
        assert!(!(dated && undated), "{source}: {open}");
    }
}

#[test]
fn aspm_at_the_port_of_a_dead_card_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let source = scenario(folder.path(), &[("aspm-enabled", CARD), ("fallen-off-bus", CARD)]);
    let report = json(&source, &["--for", "provider"]);
    let aspm = report["requests"].as_array().unwrap().iter().find(|r| r["topic"] == "aspm").unwrap();
    assert_eq!(aspm["standing"], "correlation");
    assert!(aspm["evidence"].to_string().contains("express.link_control.aspm_control = L1"), "{aspm}");
    assert!(!report["not_measured"].to_string().contains("aspm"), "{}", report["not_measured"]);
}

#[test]
fn a_profile_that_was_asked_for_makes_wishes_and_a_sound_machine_has_none() {
    let folder = tempfile::tempdir().unwrap();
    for (fault, function, topic) in [
        ("rebar-at-minimum", CARD, "resizable-bar"),
        ("slot-power-limit-low", CARD, "slot-power-limit"),
        ("lane-errors", CARD, "signal"),
        ("osc-denied", "", "error-reporting"),
    ] {
        let source = scenario(folder.path(), &[(fault, function)]);
        let asked = |more: &[&str]| {
            let report = json(&source, &[&["--for", "provider"], more].concat());
            let title = report["title"].as_str().unwrap().to_owned();
            (requests(&report).iter().any(|(of, _)| of == topic), requests(&report).len(), title)
        };
        let (there, _, title) = asked(&["--profile", "gpu-server"]);
        assert!(there, "{fault}: {title}");
        assert_eq!(title.contains("no device has failed"), function.is_empty(), "{fault}: {title}");
        let (_, number, title) = asked(&[]);
        assert!(number == 0 && title.contains("no device has failed"), "{fault}: {title}");
        if topic == "signal" {
            let (there, _, title) = asked(&[function]);
            assert!(there, "named: {title}");
        }
    }
    // A check that failed is asked about although no device fell silent.
    let report =
        json("sysfs-fixtures/scenarios/aspm-on.toml", &["--for", "provider", "--profile", "gpu-server"]);
    assert_eq!(requests(&report)[0].0, "aspm");
    assert_eq!(report["requests"][0]["standing"], "shown");
    for machine in ["eight-gpu-server", "laptop-gtx1650", "nvme-storage-server", "two-socket-gpu-server"] {
        let source = format!("sysfs-fixtures/machines/{machine}.toml");
        let report = json(&source, &["--for", "provider"]);
        assert!(report["title"].as_str().unwrap().ends_with("no device has failed"), "{machine}");
        assert!(requests(&report).is_empty() && !opening(&report).contains("asked"), "{machine}");
        let report = json(&source, &["--for", "provider", "--profile", "gpu-server"]);
        assert_eq!(report["patients"].as_array().unwrap().len(), 0, "{machine}: {}", report["patients"]);
    }
}

/// A port of a virtual machine that calls the link down of a device that answers: a wish for addresses takes no card out.
#[test]
fn a_wish_moves_nobody_to_reseat_a_card() {
    let captures = std::env::var_os("PCISCOPE_CORPUS").map(|c| PathBuf::from(c).join("../captures"));
    let Some(captures) = captures.filter(|c| c.is_dir()) else {
        return println!("skipped: PCISCOPE_CORPUS is not set, or there are no captures beside it");
    };
    let source = captures.join("base-acpi-hotplug.tar.zst");
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    std::fs::write(
        &log,
        "[    0.300000] pci_bus 0000:00: root bus resource [mem 0x80000000-0xfebfffff window]\n",
    )
    .unwrap();
    let arguments =
        ["--for", "provider", "--profile", "gpu-server", "--no-redact", "--log", log.to_str().unwrap()];
    let asked = requests(&json(source.to_str().unwrap(), &arguments));
    assert!(asked.iter().any(|(topic, _)| topic == "above-4g-decoding"), "{asked:?}");
    assert!(asked.iter().all(|(topic, _)| topic != "card-and-riser"), "{asked:?}");
}

#[test]
fn a_slow_or_unsound_link_asks_for_what_can_help() {
    let report = json("sysfs-fixtures/scenarios/equalization-and-lanes.toml", &["--for", "provider"]);
    let topics: Vec<String> = requests(&report).into_iter().map(|(topic, _)| topic).collect();
    assert_eq!(topics, ["signal"], "the link has all its lanes and its full speed");
    for scenario in ["link-flaps", "first-generation-speed"] {
        let report = json(&format!("sysfs-fixtures/scenarios/{scenario}.toml"), &["--for", "provider"]);
        let of = |place: usize| {
            (report["requests"][place]["topic"].clone(), report["requests"][place]["standing"].clone())
        };
        assert_eq!(of(0), ("card-and-riser".into(), "shown".into()), "{scenario}");
        assert_eq!(of(1), ("link-speed".into(), "correlation".into()), "{scenario}");
        assert!(
            report["requests"][1]["found"].as_str().unwrap().contains("does not limit the link"),
            "{scenario}"
        );
    }
    let report = json("sysfs-fixtures/scenarios/firmware-limits-speed.toml", &["--for", "provider"]);
    assert_eq!(report["requests"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&report["requests"][0]["topic"], &report["requests"][0]["standing"]),
        (&"link-speed".into(), &"shown".into())
    );
}

#[test]
fn what_comes_first_is_what_the_verdict_is_about() {
    let report = json("sysfs-fixtures/scenarios/slot-without-power.toml", &["--for", "provider"]);
    assert_eq!(report["requests"][0]["topic"], "slot-power");
    let report = json("sysfs-fixtures/scenarios/link-disabled-by-software.toml", &["--for", "provider"]);
    for finding in report["findings"].as_array().unwrap() {
        assert_ne!(finding["who"], "provider", "software took the link down: {finding}");
    }
    let report = json("sysfs-fixtures/scenarios/looping-capabilities.toml", &["--for", "provider"]);
    assert_eq!(report["requests"][0]["topic"], "exchange");
    let folder = tempfile::tempdir().unwrap();
    let source = scenario(folder.path(), &[("payload-size-mismatch", CARD)]);
    assert!(
        requests(&json(&source, &["--for", "provider"])).is_empty(),
        "a parameter of the kernel is not the provider's"
    );
}

/// A driver's cry that its card is gone, after lines that say that it got no addresses.
#[test]
fn without_addresses_it_is_addresses_that_are_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    std::fs::write(
        &log,
        "[    0.500000] pci 0000:09:00.0: BAR 1 [mem size 0x10000000 64bit pref]: can't assign; no space\n\
         [    0.500001] pci 0000:09:00.0: BAR 1 [mem size 0x10000000 64bit pref]: failed to assign\n\
         [  228.400000] NVRM: GPU 0000:09:00.0: GPU has fallen off the bus.\n",
    )
    .unwrap();
    let machine = "sysfs-fixtures/machines/two-socket-gpu-server";
    let report = json(machine, &["--for", "provider", "--log", log.to_str().unwrap(), "--no-redact"]);
    let asked = requests(&report);
    assert_eq!(report["diagnoses"][0]["verdict"], "firmware-configuration", "{}", report["diagnoses"]);
    let topics: Vec<&str> = asked.iter().map(|(topic, _)| topic.as_str()).collect();
    assert_eq!(topics, ["above-4g-decoding"], "{asked:?}");
    assert_eq!(report["requests"][0]["standing"], "shown");
    assert!(report["requests"][0]["evidence"].to_string().contains("no space"));
    assert!(report["not_measured"].to_string().contains("neither end was read"), "ASPM was not read");
}

#[test]
fn a_short_letter_says_what_it_leaves_out() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("two.toml");
    let events = [("30s", "fallen-off-bus", "18"), ("40s", "link-width-reduced", "3a")];
    let events: String = events
        .iter()
        .map(|(at, fault, bus)| {
            format!("[[event]]\nat = \"{at}\"\nfault = \"{fault}\"\nfunction = \"0000:{bus}:00.0\"\n")
        })
        .collect();
    std::fs::write(&file, format!("title = \"t\"\nbase = \"eight-gpu-server\"\nseed = 1\n{events}")).unwrap();
    let source = file.to_str().unwrap();
    let whole = json(source, &["--for", "provider"]);
    let places = addresses(&whole);
    assert_eq!(places, ["0000:18:00.0", "0000:3a:00.0"]);
    for limit in [400, 500, 600, 900, 1200, 1600, 2400] {
        let text = written(source, "md", &["--for", "provider", "--max-chars", &limit.to_string()]);
        assert!(text.chars().count() <= limit, "{limit}");
        let (body, left) =
            text.split_once("Left out for want of room").unwrap_or_else(|| panic!("{limit}: {text}"));
        let heading = body.split_once("## What is asked");
        assert!(
            heading.is_none_or(|(_, rest)| rest.contains("**")),
            "{limit}: a heading over nothing: {text}"
        );
        let beginning = heading.map_or(body, |(beginning, _)| beginning);
        let both = places.iter().all(|place| beginning.lines().skip(1).any(|line| line.contains(place)));
        assert!(both || left.contains("the rest of the beginning"), "{limit}: {text}");
        assert!(
            beginning.contains("We ask for") != left.contains("the rest of the beginning"),
            "{limit}: {text}"
        );
    }
}
