//! The known name that a misspelt one most likely stands for.

/// Names longer than this are not compared: nobody misspells them, and comparing costs the product of the lengths.
const MAX_LENGTH: usize = 48;

/// The candidate closest to `name`, when it is close enough to be worth naming.
pub(crate) fn nearest<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    if name.len() > MAX_LENGTH {
        return None;
    }
    let folded = fold(name);
    candidates
        .into_iter()
        .filter(|candidate| *candidate != name)
        .map(|candidate| (distance(&folded, &fold(candidate)), candidate))
        .filter(|(distance, candidate)| *distance * 3 <= folded.len().max(candidate.len()))
        .min_by_key(|(distance, candidate)| (*distance, candidate.len()))
        .map(|(_, candidate)| candidate)
}

/// Letters and digits only, lower case: `auto-stop` and `AutoStop` are the same word.
fn fold(name: &str) -> Vec<char> {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Insertions, deletions, replacements and swaps of neighbours that turn one word into the other.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let replaced = last[j] + usize::from(x != y);
            let mut best = replaced.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                best = best.min(before_last[j - 1] + 1);
            }
            row.push(best);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misspellings_met_in_real_files_find_their_name() {
        let names = ["auto_stop_machines", "auto_start_machines", "min_machines_running", "checks"];
        for (seen, meant) in [
            ("min_machine_running", Some("min_machines_running")),
            ("auto_stop_machine", Some("auto_stop_machines")),
            ("Auto-Start-Machines", Some("auto_start_machines")),
            ("chekcs", Some("checks")),
            ("sticky_sessions", None),
            ("", None),
        ] {
            assert_eq!(nearest(seen, names), meant, "{seen}");
        }
        assert_eq!(nearest(&"a".repeat(10_000), names), None);
    }
}
