//! Vital product data as text: a section of `show`.

use crate::inspect::vital_product_data::{VitalProductData, VitalProductField};
use crate::pci::vpd::{Area, Problem};

use super::super::style::{Style, Tone, cut, paragraph};

/// Column at which values begin.
const VALUES: usize = 14;
/// Most characters of a field that is not text.
const HEXADECIMAL: usize = 64;

/// Appends the section.
pub fn section(out: &mut String, data: &VitalProductData, style: Style) {
    out.push_str("\n  ");
    out.push_str(&style.paint(Tone::Heading, "vital product data"));
    if data.bytes_read > 0 {
        out.push_str("  ");
        out.push_str(&style.paint(Tone::Faint, &bytes(data.bytes_read)));
    }
    out.push('\n');
    if let Some(identifier) = &data.identifier {
        paragraph(out, "    name", identifier, VALUES, style);
    }
    for field in &data.fields {
        paragraph(out, &format!("    {}", field.keyword), &value(field), VALUES, style);
    }
    for problem in &data.problems {
        toned(out, "problem", &problem_text(problem), style);
    }
    if let Some(why) = &data.unread {
        toned(out, "unread", why, style);
    }
}

fn toned(out: &mut String, name: &str, text: &str, style: Style) {
    let painted = style.paint(Tone::Warn, text);
    out.push_str(&format!("    {name:width$}{painted}\n", width = VALUES - 4));
}

fn value(field: &VitalProductField) -> String {
    let length = field.bytes.len() / 2;
    let mut text = match (&field.text, field.checksum_good) {
        (_, Some(good)) => {
            let word = if good { "right" } else { "wrong" };
            format!("{word}, {} reserved", bytes(length.saturating_sub(1)))
        }
        (Some(text), None) => text.clone(),
        (None, None) if field.keyword == "RW" => bytes(length),
        (None, None) => cut(&spaced(&field.bytes), HEXADECIMAL),
    };
    let name = field.name.unwrap_or("unknown keyword");
    if field.area == Area::ReadWrite && field.keyword != "RW" {
        text.push_str(" (writable)");
    }
    format!("{name}: {text}")
}

fn bytes(count: usize) -> String {
    format!("{count} byte{}", if count == 1 { "" } else { "s" })
}

/// Hexadecimal digits in pairs.
fn spaced(digits: &str) -> String {
    let pairs: Vec<&str> = digits.as_bytes().chunks(2).filter_map(|p| std::str::from_utf8(p).ok()).collect();
    pairs.join(" ")
}

fn problem_text(problem: &Problem) -> String {
    match *problem {
        Problem::Empty => "the kernel gives not a single byte: it found no valid data".to_owned(),
        Problem::UnknownTag { offset, tag } => {
            format!("the byte at {offset:#x} is {tag:#04x}, which begins nothing that there is")
        }
        Problem::ResourceCut { offset, end, length } => {
            format!("what begins at {offset:#x} would end at {end:#x}, but there are only {length:#x} bytes")
        }
        Problem::FieldCut { offset, end, resource_end } => {
            format!(
                "the field at {offset:#x} would end at {end:#x}, behind the end of its list at {resource_end:#x}"
            )
        }
        Problem::Checksum { sum } => {
            format!("the checksum is wrong: the bytes add up to {sum:#04x}, not to 0")
        }
        Problem::NoChecksum => "the fields have no checksum".to_owned(),
        Problem::NoEnd => "there is no end tag".to_owned(),
        Problem::More => "more is wrong than is listed here".to_owned(),
    }
}
