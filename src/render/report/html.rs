//! One page of HTML: no scripts, nothing from the network, light and dark, for paper and for telephones.

use minijinja::{Environment, context};

use crate::inspect::check::Evidence;
use crate::inspect::diagnose::Advised;
use crate::inspect::report::Report;

use super::path_picture::{self, escape};
use super::{timeline_picture, words};

const TEMPLATE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");

/// The page. `decode` is the text of `show` for each function of the appendix, in the same order.
pub fn html(report: &Report, decode: &[String]) -> Result<String, minijinja::Error> {
    let mut environment = Environment::new();
    // Everything that is put in is text, unless the template says `safe`: only our own pictures and our style are.
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::Html);
    environment.set_undefined_behavior(minijinja::UndefinedBehavior::Strict);
    environment.add_template("page.html", TEMPLATE)?;
    let pictures: Vec<String> = report
        .paths
        .iter()
        .filter_map(|path| {
            let patient = report
                .patients
                .iter()
                .find(|p| p.address == path.address || !p.listed && p.port == Some(path.address))?;
            Some(path_picture::picture(path, patient))
        })
        .collect();
    let requests: Vec<_> = report
        .requests
        .iter()
        .map(|r| {
            context! {
                number => r.number,
                ask => marked(&r.ask),
                who => words::who(r.who),
                location => words::location(r),
                found => r.found.as_str(),
                evidence => r.evidence.iter().map(line).collect::<Vec<_>>(),
                should_be => r.should_be.as_str(),
                command => r.command.as_str(),
                expected => r.expected_output.as_str(),
                looked_for => marked(&r.expected_output),
                verbatim => r.verbatim,
                standing => r.standing.text(),
                standing_class => minijinja::value::Serde(&r.standing),
            }
        })
        .collect();
    let right: Vec<_> = report
        .already_right
        .iter()
        .map(|r| context! { what => r.what.as_str(), evidence => r.evidence.iter().map(line).collect::<Vec<_>>() })
        .collect();
    let advised = |all: &[Advised]| -> Vec<_> {
        let one = |a: &Advised| context! { what => a.what.as_str(), why => a.why, who => words::who(a.who) };
        all.iter().map(one).collect()
    };
    let diagnoses: Vec<_> = report
        .diagnoses
        .iter()
        .map(|d| {
            context! {
                address => d.address.as_deref(),
                to_do => advised(&d.to_do),
                will_not_help => advised(&d.will_not_help),
            }
        })
        .collect();
    let findings: Vec<_> = report
        .findings
        .iter()
        .map(|f| {
            context! {
                status => words::status(f.status),
                check => f.check.as_str(),
                address => f.address.map_or("the machine".to_owned(), |a| a.to_string()),
                summary => f.summary.as_str(),
                expected => f.expected.as_deref(),
                found => f.found.as_deref(),
                evidence => f.evidence.iter().map(line).collect::<Vec<_>>(),
                action => f.action.as_deref().map(marked),
                who => f.who.map(words::who),
            }
        })
        .collect();
    let entries: Vec<_> = report
        .timeline
        .entries
        .iter()
        .map(|e| {
            context! {
                time => words::moment(&e.first),
                date => e.date.as_deref(),
                class => timeline_picture::class(e),
                kind => e.kind,
                means => e.means,
                device => e.device.map(|d| d.to_string()),
                line => e.line.as_str(),
                count => e.count,
                last => words::moment(&e.last),
            }
        })
        .collect();
    let registers: Vec<_> = report
        .registers
        .iter()
        .map(|r| {
            context! {
                address => r.address.to_string(),
                path => r.path.as_str(),
                short => r.short,
                offset => format!("{:#x}", r.offset),
                raw => r.raw.as_str(),
                fields => r.fields.join("; "),
            }
        })
        .collect();
    let functions: Vec<_> = report
        .functions
        .iter()
        .map(|f| {
            let link = f.link.as_ref().map(|link| super::super::text::link_now_and_most(link).1);
            context! {
                address => f.address.to_string(),
                presence => f.presence.name(),
                device => [&f.names.vendor, &f.names.device].into_iter().flatten().cloned().collect::<Vec<_>>().join(" "),
                link => link,
                driver => f.driver.as_deref(),
            }
        })
        .collect();
    let appendix: Vec<_> = report
        .appendix
        .iter()
        .zip(decode)
        .map(|(a, decode)| {
            context! { address => a.address.to_string(), device => a.device.as_str(), hex => a.hex.as_str(), missing => a.missing.as_deref(), decode => decode.as_str() }
        })
        .collect();
    let whole = context! {
        style => STYLE,
        audience => report.audience.name(),
        title => report.title.as_str(),
        opening => report.opening.clone(),
        machine => words::machine(report).into_iter().map(|(name, text)| vec![name.to_owned(), text]).collect::<Vec<_>>(),
        requests => requests,
        right => right,
        diagnoses => diagnoses,
        not_measured => report.not_measured.clone(),
        pictures => pictures,
        counts => minijinja::value::Serde(&report.counts),
        profile => report.profile.as_str(),
        findings => findings,
        log => report.timeline.log,
        time_picture => timeline_picture::picture(&report.timeline),
        entries => entries,
        other_boots => report.timeline.other_boots,
        left_out => report.timeline.left_out,
        registers => registers,
        functions => functions,
        appendix => appendix,
        notes => report.notes.clone(),
    };
    environment.get_template("page.html")?.render(whole)
}

fn line(evidence: &Evidence) -> minijinja::Value {
    context! { place => words::place(evidence), decoded => evidence.decoded.as_str(), words => evidence.path != "kernel log" }
}

/// Words between backquotes are names of settings.
fn marked(text: &str) -> minijinja::Value {
    let mut out = String::new();
    for (place, piece) in text.split('`').enumerate() {
        match place % 2 {
            0 => out.push_str(&escape(piece)),
            _ => out.push_str(&format!("<b class=\"setting\">{}</b>", escape(piece))),
        }
    }
    minijinja::Value::from_safe_string(out)
}
