//! What an entry says beside what is there.

use crate::check::finding::{Judged, Proof, Skip, Verdict};
use crate::check::subject::Subject;
use crate::machine::Function;
use crate::pci::capability::vpd::SPECIFICATION as VPD;
use crate::pci::extended::serial_number::{SPECIFICATION as SERIAL_NUMBER, SerialNumber};
use crate::pci::vpd;

use super::pattern::Patterns;
use super::{Entry, Wanted};

/// One value compared.
pub struct Compared {
    /// Line of the file that says what is expected.
    pub line: usize,
    /// Its key.
    pub key: String,
    /// What is expected.
    pub expected: String,
    /// What is there, whether that is right, and where it can be looked up; or why it is not known.
    pub found: Result<(String, bool, Vec<Proof>), Skip>,
}

impl Compared {
    /// A text beside patterns.
    pub fn text(key: &str, wanted: &Wanted<Patterns>, found: Result<(String, Vec<Proof>), Skip>) -> Compared {
        Compared {
            line: wanted.line,
            key: key.to_owned(),
            expected: wanted.value.text(),
            found: found.map(|(text, proofs)| {
                let fits = wanted.value.matches(&text);
                (text, fits, proofs)
            }),
        }
    }

    /// A value beside another, with the words for both.
    pub fn value<T: PartialEq>(
        key: impl Into<String>,
        wanted: &Wanted<T>,
        found: Result<(T, Vec<Proof>), Skip>,
        words: impl Fn(&T) -> String,
    ) -> Compared {
        Compared {
            line: wanted.line,
            key: key.into(),
            expected: words(&wanted.value),
            found: found.map(|(value, proofs)| (words(&value), value == wanted.value, proofs)),
        }
    }
}

/// All that entries say of a function, as one verdict: what differs, else what is not known, else good.
pub fn judge(
    subject: &Subject<'_>,
    entries: &[&Entry],
    compare: fn(&Subject<'_>, &Entry) -> Vec<Compared>,
) -> Judged {
    let (mut wrong, mut unknown, mut proofs) = (Vec::new(), None, Vec::new());
    let (mut expected, mut actual) = (Vec::new(), Vec::new());
    for entry in entries {
        for compared in compare(subject, entry) {
            let key = &compared.key;
            match compared.found {
                Ok((_, true, more)) => proofs.extend(more),
                Ok((found, false, more)) => {
                    wrong.push(format!(
                        "{key} is {found}, expected {} ({})",
                        compared.expected,
                        entry.at(compared.line)
                    ));
                    expected.push(format!("{key} {}", compared.expected));
                    actual.push(format!("{key} {found}"));
                    proofs.extend(more);
                }
                // What it cannot have is not what was expected: that must not look like a pass.
                Err(Skip::NotApplicable(why)) => {
                    wrong.push(format!(
                        "{key}: {why}, expected {} ({})",
                        compared.expected,
                        entry.at(compared.line)
                    ));
                    expected.push(format!("{key} {}", compared.expected));
                    actual.push(why.into_owned());
                }
                Err(Skip::Unknown(why)) => {
                    unknown.get_or_insert(format!("{key}: {why}"));
                }
            }
        }
    }
    match (wrong.is_empty(), unknown) {
        (true, Some(why)) => Err(Skip::unknown(why)),
        (true, None) => Ok(Verdict::good(proofs)),
        (false, _) => Ok(Verdict::bad(wrong.join("; "), expected.join(", "), actual.join(", "), proofs)),
    }
}

/// What a key of an entry's identity is compared with, where the kernel's copy tells.
pub fn identity_text(function: &Function, key: &str) -> Option<String> {
    let identity = &function.identity;
    match key {
        "id" => Some(format!("{:04x}:{:04x}", identity.vendor_id?, identity.device_id?)),
        "class" => Some(format!("{:#08x}", identity.class?)),
        "subsystem" => identity.subsystem.map(|(vendor, device)| format!("{vendor:04x}:{device:04x}")),
        "revision" => Some(format!("{:02x}", identity.revision?)),
        _ => None,
    }
}

/// The same with its proof, serial numbers too.
pub fn identity_found(subject: &Subject<'_>, key: &str) -> Result<(String, Vec<Proof>), Skip> {
    let function = subject.function;
    match key {
        "device_serial_number" => {
            let number: crate::check::subject::Read<SerialNumber> = subject.register(&SERIAL_NUMBER)?;
            Ok((format!("{:016x}", number.eui_64()), vec![number.proof]))
        }
        "part_number" => product_data(subject, *b"PN"),
        "serial_number" => product_data(subject, *b"SN"),
        _ => match identity_text(function, key) {
            Some(text) => {
                let name = match key {
                    "id" | "subsystem" => "uevent",
                    "class" => "class",
                    _ => "revision",
                };
                let proof = Proof::Attribute { address: function.address, name, text: text.clone() };
                Ok((text, vec![proof]))
            }
            None if key == "subsystem" && function.identity.vendor_id.is_some() => {
                Err(Skip::not_applicable("it has no subsystem"))
            }
            None => Err(Skip::unknown("the source does not tell")),
        },
    }
}

/// A keyword of vital product data (PCI 3.0, appendix I).
fn product_data(subject: &Subject<'_>, keyword: [u8; 2]) -> Result<(String, Vec<Proof>), Skip> {
    if !subject.has(&VPD)? {
        return Err(Skip::not_applicable("it has no vital product data"));
    }
    let read = subject.function.reading.vital_product_data.as_ref();
    let read = read.ok_or_else(|| Skip::unknown("vital product data was not read"))?;
    let data = vpd::parse(&read.bytes);
    let text = data.fields.iter().find(|field| field.keyword == keyword).and_then(vpd::Field::text);
    let text = match (text, read.error) {
        (Some(text), _) => text.trim().to_owned(),
        (None, Some(cause)) => return Err(Skip::unknown(format!("vital product data: {cause}"))),
        (None, None) => {
            let name = String::from_utf8_lossy(&keyword).into_owned();
            return Err(Skip::not_applicable(format!("its vital product data has no {name}")));
        }
    };
    let proof = Proof::Attribute { address: subject.address(), name: "vpd", text: text.clone() };
    Ok((text, vec![proof]))
}
