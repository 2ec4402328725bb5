//! The name that somebody probably meant.

/// `; nearest: NAME` for the most similar name; empty if none resembles it.
pub fn nearest<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    let best = names.into_iter().map(|name| (distance(word, name), name)).min();
    match best {
        Some((distance, name)) if distance <= 2 + word.len() / 3 => format!("; nearest: {name}"),
        _ => String::new(),
    }
}

/// Number of letters to insert, delete or replace to make one word of the other (Levenshtein).
pub fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(200).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().take(200).enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
