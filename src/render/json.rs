//! JSON.

/// Serialises an answer, indented, with a line end.
pub fn json<T: serde::Serialize>(answer: &T) -> Result<String, serde_json::Error> {
    let mut text = serde_json::to_string_pretty(answer)?;
    text.push('\n');
    Ok(text)
}
