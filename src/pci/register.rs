//! One declaration per register, in the order and the words of the specification.
//!
//! [`register!`](crate::register) declares a register once. From that declaration come typed getters for code that reasons about a
//! register, and a constant table ([`Register`], [`Field`]) from which text, JSON, documentation, comparison and
//! write masks are made by plain functions. The table holds no text about a value: what a value means is a
//! [`Meaning`], and words are made of it in `render/`.

/// What software may do to a field. Names are those of the PCI Express Base Specification, 7.4 (Table 7-5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub enum Access {
    /// Read-only.
    Ro,
    /// Read-only, sticky: keeps its value through a hot reset.
    Ros,
    /// Hardware initialised: set by firmware or strapping, read-only afterwards.
    HwInit,
    /// Read-write.
    Rw,
    /// Read-write, sticky.
    Rws,
    /// Write one to clear.
    Rw1c,
    /// Write one to clear, sticky.
    Rw1cs,
    /// Write one to set, reads as zero (commands such as Initiate Function Level Reset).
    Wo,
}

/// A value with its unit, taken out of a field whose encoding is not the plain number.
///
/// `None` inside means: the field holds an encoding that the specification reserves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    /// Link speed in MT/s per lane: 2500, 5000, 8000, 16000, 32000, 64000, 128000.
    Speed(Option<u32>),
    /// Number of lanes.
    Width(Option<u8>),
    /// Bytes.
    Bytes(Option<u64>),
    /// Nanoseconds.
    Nanoseconds(Option<u64>),
    /// A latency that has an upper end only: "less than", in nanoseconds.
    LessThanNanoseconds(u64),
    /// A latency that has a lower end only: "more than", in nanoseconds.
    MoreThanNanoseconds(u64),
    /// No limit at all (an acceptable latency of "no limit").
    NoLimit,
    /// A set of link speeds, bit N = the Nth speed starting with 2.5 GT/s at bit 0.
    Speeds(u8),
    /// A number that the register stores minus one, or otherwise shifted.
    Count(u64),
    /// Milliwatts.
    Milliwatts(Option<u64>),
    /// Milliampere.
    Milliamperes(u64),
    /// A set of sizes; bit N set = 2^(N+20) bytes (bit 0 = 1 MB).
    Sizes(u64),
    /// An offset in bytes, shown in hexadecimal.
    Offset(u64),
    /// An address, shown in hexadecimal.
    Address(u64),
    /// Doublewords.
    Doublewords(u64),
    /// A set of lanes, bit N = lane N.
    Lanes(u32),
    /// A requester ID: bus, device, function.
    RequesterId(u16),
    /// An encoding that the specification reserves.
    Reserved,
    /// The encoding that stands for a value that is not known or that does not exist.
    Unknown,
}

/// How the bits of a field are to be understood.
#[derive(Clone, Copy)]
pub enum Meaning {
    /// One bit: yes or no.
    Flag,
    /// A plain number, shown in decimal.
    Number,
    /// A number that people know in hexadecimal: identifiers, addresses, masks.
    Hex,
    /// A number with a unit written behind it.
    Unit(&'static str),
    /// An enumeration. Values that are not in the list are reserved.
    Choice(&'static [(u64, &'static str)]),
    /// An enumeration that means something only in registers of which the function says yes; in others nothing is named.
    ChoiceWhen(fn(u64) -> bool, &'static [(u64, &'static str)]),
    /// A value with a unit that has to be worked out.
    Quantity(fn(u64) -> Quantity),
    /// A value that other bits of the register are needed for, such as its scale: gets the whole register.
    OfRegister(fn(u64) -> Quantity),
}

impl std::fmt::Debug for Meaning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Meaning::Flag => "Flag",
            Meaning::Number => "Number",
            Meaning::Hex => "Hex",
            Meaning::Unit(_) => "Unit",
            Meaning::Choice(_) => "Choice",
            Meaning::ChoiceWhen(..) => "ChoiceWhen",
            Meaning::Quantity(_) => "Quantity",
            Meaning::OfRegister(_) => "OfRegister",
        })
    }
}

/// One field of a register.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Last part of the dotted path, for example `current_link_speed`.
    pub key: &'static str,
    /// The name that lspci or the Linux kernel uses, for example `Speed`, `DLP`. Unique in its register.
    pub short: &'static str,
    /// Highest bit, counted from 0.
    pub high: u8,
    /// Lowest bit.
    pub low: u8,
    /// What software may do to it.
    pub access: Access,
    /// How to understand it.
    pub meaning: Meaning,
    /// What the specification says it is, in one or two sentences.
    pub doc: &'static str,
}

impl Field {
    /// The bits that the field occupies in its register.
    pub const fn mask(&self) -> u64 {
        let width = self.high - self.low + 1;
        let ones = if width >= 64 { u64::MAX } else { (1u64 << width) - 1 };
        ones << self.low
    }

    /// The value of the field in a raw register.
    pub const fn extract(&self, raw: u64) -> u64 {
        (raw & self.mask()) >> self.low
    }

    /// The register with the field set to `value` (bits that do not fit are dropped) and all else unchanged.
    pub const fn insert(&self, raw: u64, value: u64) -> u64 {
        (raw & !self.mask()) | ((value << self.low) & self.mask())
    }
}

/// One register of a capability or of the header.
#[derive(Debug, Clone, Copy)]
pub struct Register {
    /// Part of the dotted path that names the register, for example `link_status`.
    pub key: &'static str,
    /// The name that lspci or the Linux kernel uses, for example `LnkSta`.
    pub short: &'static str,
    /// The repeated group that the register belongs to: `entry` for paths like `rebar.entry[0].control`.
    pub group: Option<&'static str>,
    /// The repeated group in which that group is, where groups are nested.
    pub within: Option<&'static str>,
    /// Offset in bytes from the start of the capability (of configuration space for header registers).
    /// For registers that repeat, the offset of the first.
    pub offset: u16,
    /// Width in bytes: 1, 2, 4 or 8.
    pub width: u8,
    /// Fields in the order of the specification.
    pub fields: &'static [Field],
    /// Where the specification describes it.
    pub section: &'static str,
    /// What the register is for.
    pub doc: &'static str,
}

impl Register {
    /// All bits of the register that have the given access.
    pub fn mask(&self, access: Access) -> u64 {
        self.fields.iter().filter(|f| f.access == access).fold(0, |m, f| m | f.mask())
    }

    /// All bits that some field names; the others are reserved.
    pub fn defined(&self) -> u64 {
        self.fields.iter().fold(0, |m, f| m | f.mask())
    }

    /// Looks a field up by its key or by its short name.
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|f| f.key == name).or_else(|| self.fields.iter().find(|f| f.short == name))
    }
}

/// A register known at compile time: its table and its raw value in one type.
pub trait RegisterType: Copy {
    /// The table.
    const REGISTER: &'static Register;
    /// Makes the typed register from its raw value; bits beyond its width are dropped.
    fn from_raw(raw: u64) -> Self;
    /// The raw value.
    fn raw(self) -> u64;
}

/// Two lists of registers as one, for the table of a capability; `N` is the length of both together, or it does not compile.
pub const fn joined<const A: usize, const B: usize, const N: usize>(
    first: [&'static Register; A],
    second: [&'static Register; B],
) -> [&'static Register; N] {
    // A shorter table would leave registers out without a word.
    assert!(N == A + B, "N must be the length of both lists together");
    let mut all = [first[0]; N];
    let mut index = 0;
    while index < N {
        all[index] = if index < A { first[index] } else { second[index - A] };
        index += 1;
    }
    all
}

/// Declares one register.
///
/// ```
/// use pciscope::register;
/// use pciscope::pci::register::{Meaning, RegisterType};
/// register! {
///     /// Message Control for MSI-X.
///     pub struct MessageControl(u16) at 0x02, "control", "Ctl", "PCIe 6.2, 7.7.2.2" {
///         /// Table Size, encoded as N-1.
///         10:0 table_size Ro "Count",
///         /// All vectors are masked.
///         14 function_mask Rw "Masked",
///         /// MSI-X is in use.
///         15 enable Rw "Enable",
///     }
/// }
/// let control = MessageControl::from_raw(0x8008);
/// assert!(control.enable());
/// assert_eq!(control.table_size(), 8);
/// assert_eq!(MessageControl::REGISTER.fields[1].mask(), 0x4000);
/// ```
///
/// A field is `high:low name Access "Short"` or, for one bit, `bit name Access "Short"`. The getter of the first
/// form gives the number, that of the second a `bool`. ` = Meaning::…` may follow; without it one bit is a
/// [`Meaning::Flag`] and more are a [`Meaning::Number`]. `at 0x08 in "entry"` declares a register that repeats,
/// `at 0x14 in "association" within "stream"` one whose group is part of another.
#[macro_export]
macro_rules! register {
    ($(
        $(#[doc = $doc:literal])*
        $vis:vis struct $name:ident($raw:ident) at $offset:literal $(in $group:literal $(within $within:literal)?)?, $key:literal, $short:literal, $section:literal {
            $(
                $(#[doc = $field_doc:literal])*
                $high:literal $(: $low:literal)? $field:ident $access:ident $field_short:literal $(= $meaning:expr)?
            ),* $(,)?
        }
    )*) => {$(
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        $vis struct $name(pub $raw);

        impl $name {
            $( $crate::register!(@getter $raw, [$(#[doc = $field_doc])*], $field, $high $(, $low)?); )*
        }

        impl $crate::pci::register::RegisterType for $name {
            const REGISTER: &'static $crate::pci::register::Register = {
                // A static has one address, which is what tells a register from all others; a constant may have many.
                static TABLE: $crate::pci::register::Register = $crate::pci::register::Register {
                    key: $key,
                    short: $short,
                    group: $crate::register!(@group $($group)?),
                    within: $crate::register!(@group $($($within)?)?),
                    offset: $offset,
                    width: (<$raw>::BITS / 8) as u8,
                    section: $section,
                    doc: concat!($($doc, "\n"),*),
                    fields: &[$( $crate::pci::register::Field {
                        key: stringify!($field),
                        short: $field_short,
                        high: $high,
                        low: $crate::register!(@low $high $(, $low)?),
                        access: $crate::pci::register::Access::$access,
                        meaning: $crate::register!(@meaning [$($low)?] $($meaning)?),
                        doc: concat!($($field_doc, "\n"),*),
                    } ),*],
                };
                &TABLE
            };
            fn from_raw(raw: u64) -> Self { Self(raw as $raw) }
            #[allow(clippy::useless_conversion, reason = "one register type is 64 bits wide")]
            fn raw(self) -> u64 { u64::from(self.0) }
        }
    )*};
    (@getter $raw:ident, [$($doc:tt)*], $field:ident, $bit:literal) => {
        $($doc)*
        pub const fn $field(self) -> bool { (self.0 >> $bit) & 1 == 1 }
    };
    (@getter $raw:ident, [$($doc:tt)*], $field:ident, $high:literal, $low:literal) => {
        $($doc)*
        pub const fn $field(self) -> $raw { (self.0 >> $low) & (<$raw>::MAX >> (<$raw>::BITS - 1 - ($high - $low))) }
    };
    (@group) => { None };
    (@group $group:literal) => { Some($group) };
    (@low $high:literal) => { $high };
    (@low $high:literal, $low:literal) => { $low };
    (@meaning [$($low:literal)?] $meaning:expr) => { $meaning };
    (@meaning []) => { $crate::pci::register::Meaning::Flag };
    (@meaning [$low:literal]) => { $crate::pci::register::Meaning::Number };
}
