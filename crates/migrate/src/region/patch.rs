//! Changes of fly.toml as patches that `git apply` and `patch` take. Nothing is written to the user's file: the user commits them.

use fly_toml::Document;
use fly_toml::edit::{self, EditError, Path};
use fly_types::RegionCode;

/// Unchanged lines around a change.
const CONTEXT: usize = 3;
/// Files with more lines than this between the first and the last change are shown as one change.
const MOST_LINES: usize = 4_000;

/// The patch of a file of this name that moves its primary region, in both places where it may stand; none if nothing has to change:
/// the file names a region that is not left. A file that names none gets one, so that a deploy does not land anywhere.
///
/// # Errors
/// Why the file cannot be edited.
pub fn primary_region(
    name: &str,
    text: &str,
    source: &RegionCode,
    target: &RegionCode,
) -> Result<Option<String>, EditError> {
    let mut new = text.to_owned();
    for (place, needed) in [("primary_region", true), ("env.PRIMARY_REGION", false)] {
        let path: Path = place.parse()?;
        let document = Document::parse(new.clone());
        let value = match edit::get(&document, &path) {
            Ok(value) => value.as_str().map(str::to_owned),
            Err(EditError::Missing { .. }) if needed => Some(source.to_string()),
            Err(EditError::Missing { .. }) => None,
            Err(error) => return Err(error),
        };
        if value.as_deref() == Some(source.as_str()) {
            new = edit::set(&document, &path, &edit::quote(target.as_str()))?;
        }
    }
    Ok(unified(name, text, &new))
}

/// A unified diff; none for equal texts.
fn unified(name: &str, old: &str, new: &str) -> Option<String> {
    let before: Vec<&str> = old.split_inclusive('\n').collect();
    let after: Vec<&str> = new.split_inclusive('\n').collect();
    let edits = edits(&before, &after);
    if edits.is_empty() {
        return None;
    }
    let mut out = format!("--- a/{name}\n+++ b/{name}\n");
    let mut at = 0;
    while at < edits.len() {
        // Changes whose contexts touch are one hunk.
        let mut end = at + 1;
        while end < edits.len() && edits[end].old.0 <= edits[end - 1].old.1 + 2 * CONTEXT {
            end += 1;
        }
        hunk(&mut out, &before, &after, &edits[at..end]);
        at = end;
    }
    Some(out)
}

/// Lines `old` of the one text become lines `new` of the other; half open.
#[derive(Debug, Clone, Copy)]
struct Change {
    old: (usize, usize),
    new: (usize, usize),
}

fn hunk(out: &mut String, before: &[&str], after: &[&str], edits: &[Change]) {
    let (Some(first), Some(last)) = (edits.first(), edits.last()) else { return };
    let from = first.old.0.saturating_sub(CONTEXT);
    let to = (last.old.1 + CONTEXT).min(before.len());
    let new_from = first.new.0 - (first.old.0 - from);
    let new_to = last.new.1 + (to - last.old.1);
    let range = |from: usize, to: usize| {
        // An empty range names the line before it.
        let start = if to == from { from } else { from + 1 };
        format!("{start},{}", to - from)
    };
    out.push_str(
        &format_args!("@@ -{} +{} @@\n", range(from, to), range(new_from, new_to)).to_string(),
    );
    let mut line = |sign: char, text: &str| {
        out.push(sign);
        out.push_str(text);
        if !text.ends_with('\n') {
            out.push_str("\n\\ No newline at end of file\n");
        }
    };
    let mut at = from;
    for edit in edits {
        before[at..edit.old.0].iter().for_each(|text| line(' ', text));
        before[edit.old.0..edit.old.1].iter().for_each(|text| line('-', text));
        after[edit.new.0..edit.new.1].iter().for_each(|text| line('+', text));
        at = edit.old.1;
    }
    before[at..to].iter().for_each(|text| line(' ', text));
}

/// Where two texts differ, by their longest common subsequence between the first and the last difference.
fn edits(before: &[&str], after: &[&str]) -> Vec<Change> {
    let head = before.iter().zip(after).take_while(|(one, other)| one == other).count();
    let rest = before.len().min(after.len()) - head;
    let tail = before.iter().rev().zip(after.iter().rev()).take(rest);
    let tail = tail.take_while(|(one, other)| one == other).count();
    let (old, new) = (&before[head..before.len() - tail], &after[head..after.len() - tail]);
    let whole = Change { old: (head, head + old.len()), new: (head, head + new.len()) };
    if old.is_empty() && new.is_empty() {
        return Vec::new();
    }
    if old.len().max(new.len()) > MOST_LINES {
        return vec![whole];
    }
    let width = new.len() + 1;
    let mut longest = vec![0_u32; (old.len() + 1) * width];
    for one in (0..old.len()).rev() {
        for other in (0..new.len()).rev() {
            longest[one * width + other] = if old[one] == new[other] {
                longest[(one + 1) * width + other + 1] + 1
            } else {
                longest[(one + 1) * width + other].max(longest[one * width + other + 1])
            };
        }
    }
    let (mut one, mut other, mut out) = (0, 0, Vec::new());
    while one < old.len() || other < new.len() {
        let start = (one, other);
        while one < old.len() || other < new.len() {
            let same = one < old.len() && other < new.len() && old[one] == new[other];
            if same {
                break;
            }
            let down = longest.get((one + 1) * width + other).copied().unwrap_or(0);
            let right = longest.get(one * width + other + 1).copied().unwrap_or(0);
            if other >= new.len() || (one < old.len() && down >= right) {
                one += 1;
            } else {
                other += 1;
            }
        }
        if start != (one, other) {
            out.push(Change {
                old: (head + start.0, head + one),
                new: (head + start.1, head + other),
            });
        }
        while one < old.len() && other < new.len() && old[one] == new[other] {
            one += 1;
            other += 1;
        }
    }
    out
}
