//! What an entry of the lists in `differences.rs` is.

/// A value on which the two do not agree. `*` is any value.
pub struct Difference {
    pub capability: &'static str,
    /// Register and field, as in a failure.
    pub item: &'static str,
    pub theirs: &'static str,
    pub ours: &'static str,
    /// Part of the place, where it is one special case.
    pub source: &'static str,
    pub reason: &'static str,
}

/// A flag that lspci calls otherwise. Its value is compared.
pub struct Name {
    pub capability: &'static str,
    pub register: &'static str,
    pub theirs: &'static str,
    pub ours: &'static str,
    /// lspci prints the opposite of the bit.
    pub inverted: bool,
    /// Part of the name of the file, where it is one special case.
    pub source: &'static str,
    pub reason: &'static str,
}

/// Text of lspci that is not compared with anything.
pub struct LeftOut {
    /// `*` is any.
    pub capability: &'static str,
    /// How the line starts; empty is any.
    pub line: &'static str,
    /// The text; empty is the whole line.
    pub text: &'static str,
    pub reason: &'static str,
}

/// Something that lspci does not read to its end.
pub struct Refused {
    /// End of the name.
    pub source: &'static str,
    pub reason: &'static str,
}

/// Shorthand for the table, as the others below.
pub const fn differs(
    capability: &'static str,
    item: &'static str,
    theirs: &'static str,
    ours: &'static str,
    reason: &'static str,
) -> Difference {
    Difference { capability, item, theirs, ours, source: "", reason }
}

pub const fn name(
    capability: &'static str,
    register: &'static str,
    theirs: &'static str,
    ours: &'static str,
    reason: &'static str,
) -> Name {
    Name { capability, register, theirs, ours, inverted: false, source: "", reason }
}

pub const fn left_out(
    capability: &'static str,
    line: &'static str,
    text: &'static str,
    reason: &'static str,
) -> LeftOut {
    LeftOut { capability, line, text, reason }
}

pub const fn refused(source: &'static str, reason: &'static str) -> Refused {
    Refused { source, reason }
}
