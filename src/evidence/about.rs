//! What a capture says of itself: `capture/about.json`.

pub use crate::machine::wall_clock::rfc3339;
use crate::tree::Tree;

/// Where it lies in a capture.
pub const PATH: &str = "capture/about.json";

/// What a capture says of itself; also what `capture --format json` prints.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct About {
    /// The program and its version.
    pub tool: String,
    /// When reading began, in UTC (RFC 3339).
    pub time: String,
    /// What was read: `live`, or what kind of source it was.
    pub source: String,
    /// First line of `/proc/version`.
    pub kernel: Option<String>,
    /// Number of functions.
    pub functions: usize,
    /// Whether everything was asked for. False when it was interrupted; the functions that were not read by then say so.
    pub complete: bool,
    /// What could not be read, and why, in the order of the paths; what is absent is not among it.
    pub unread: Vec<Unread>,
    /// Personal data that was replaced; `null` if nothing was to be replaced.
    pub redaction: Option<Vec<Replaced>>,
    /// Which pseudonyms: captures with the same value here have the same ones for the same data. `null` if nothing was to be
    /// replaced, or an older program replaced it.
    #[serde(default)]
    pub pseudonyms: Option<String>,
    /// What a reader should know, a line each.
    pub notes: Vec<String>,
}

/// Most bytes that are read of it.
const LIMIT: usize = 64 << 20;

/// What a source says of itself; `None` of what is no capture.
pub fn read(tree: &dyn Tree) -> Option<About> {
    serde_json::from_slice(&crate::tree::read(tree, PATH, LIMIT).ok()?).ok()
}

/// Something that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Unread {
    /// Path of the file.
    pub path: String,
    /// From which offset on, in bytes.
    pub offset: u64,
    /// The error, as in the manifest: `EIO`, `timeout:2000`.
    pub error: String,
}

/// Personal data that was replaced.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Replaced {
    /// Path of the file.
    pub path: String,
    /// What kind of data.
    pub what: String,
    /// How often.
    pub count: usize,
    /// Where, of files that are no text: offset and length in bytes.
    #[serde(default)]
    pub ranges: Vec<[u64; 2]>,
}
