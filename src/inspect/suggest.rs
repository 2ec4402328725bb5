//! Names that resemble one that is none.

use crate::document::nearest::distance;

/// A path with the other names that it is known by.
#[derive(Debug, Clone)]
pub struct Known {
    /// Dotted path.
    pub path: String,
    /// Short names, as lspci or the kernel write them.
    pub others: Vec<String>,
}

/// The three paths that resemble the name most, nearest first: a clause for a message.
pub fn nearest(known: Vec<Known>, name: &str) -> String {
    let wanted = name.to_lowercase();
    // What differs in more than a third of its letters does not resemble it.
    let limit = (wanted.chars().count() / 3).max(1);
    let mut candidates: Vec<(usize, String)> = known
        .into_iter()
        .filter_map(|known| {
            let names = std::iter::once(&known.path).chain(&known.others);
            let distance = names.map(|name| unlikeness(&name.to_lowercase(), &wanted)).min()?;
            (distance <= limit).then_some((distance, known.path))
        })
        .collect();
    candidates.sort();
    // Beside a good one the others are noise.
    let best = candidates.first().map_or(0, |(distance, _)| *distance);
    candidates.retain(|(distance, _)| *distance <= best + 2);
    let paths: Vec<String> = candidates.into_iter().take(3).map(|(_, path)| path).collect();
    if paths.is_empty() {
        "nothing resembles it".to_owned()
    } else {
        format!("nearest: {}", paths.join(", "))
    }
}

/// How little a name resembles what was asked for; 0 is the same.
fn unlikeness(name: &str, wanted: &str) -> usize {
    let mut best = distance(name, wanted);
    let last = |path: &str| path.rsplit('.').next().unwrap_or_default().to_owned();
    best = best.min(distance(&last(name), &last(wanted)) + 1);
    if wanted.chars().count() >= 3 && name.contains(wanted) {
        // Part of a name: the less is left over, the better.
        best = best.min((name.len() - wanted.len()) / 16);
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_how_far_words_are_apart() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "ab"), 2);
    }

    #[test]
    fn short_names_and_parts_of_names_are_found_and_nothing_far_off() {
        let known = |path: &str, other: &str| Known { path: path.to_owned(), others: vec![other.to_owned()] };
        let all =
            || vec![known("l1ss.control_2.t_power_on_value", "T_PwrOn"), known("vpd", "Vital Product Data")];
        assert_eq!(nearest(all(), "t_pwron_"), "nearest: l1ss.control_2.t_power_on_value");
        assert_eq!(nearest(all(), "vital"), "nearest: vpd");
        assert_eq!(nearest(all(), "t_power_on"), "nearest: l1ss.control_2.t_power_on_value");
        assert_eq!(nearest(all(), "zzzz"), "nothing resembles it");
    }
}
