//! Removing one value, or a section with everything below it.

use serde_json::Value as Json;

use super::place::{by_header, direct};
use super::{EditError, Path, Step, checked, find, sound};
use crate::diag::{Edit, apply};
use crate::document::Document;
use crate::span::Span;
use crate::syntax::{Kind, Origin, Table, Value, meaning};

/// Removes what is at a path and gives the new text. Comments on lines of their own stay, except inside a removed section.
pub fn unset(document: &Document, path: &Path) -> Result<String, EditError> {
    sound(document)?;
    let missing = || EditError::Missing { path: path.to_string() };
    let steps = path.steps();
    let value = find(document.root(), steps).ok_or_else(missing)?;
    let mut expected = meaning(document.root());
    take(&mut expected, steps).ok_or_else(missing)?;
    let (last, before) = steps.split_last().ok_or_else(missing)?;
    let table = if before.is_empty() {
        Some(document.root())
    } else {
        find(document.root(), before).and_then(Value::as_table)
    };
    let mut ranges = Vec::new();
    match (last, table) {
        (Step::Key(name), Some(table)) => {
            let entry = table.get(name).ok_or_else(missing)?;
            if table.origin == Origin::Inline {
                let spans: Vec<Span> = table.entries().iter().map(|entry| entry.span).collect();
                ranges.push(out_of_list(document, &spans, entry.span));
            } else if by_header(value) {
                sections(document, value, &mut ranges);
            } else if let Kind::Table(dotted) = &value.kind
                && dotted.origin == Origin::Dotted
            {
                ranges.extend(direct(dotted).iter().map(|span| line(document, *span)));
            } else {
                ranges.push(line(document, entry.span));
            }
        }
        (Step::Index(at), _) => {
            let list = find(document.root(), before).ok_or_else(missing)?;
            let item = list.items().get(*at).ok_or_else(missing)?;
            if by_header(list) {
                sections(document, item, &mut ranges);
            } else {
                let spans: Vec<Span> = list.items().iter().map(|item| item.span).collect();
                ranges.push(out_of_list(document, &spans, item.span));
            }
        }
        (Step::Key(_), None) => return Err(missing()),
    }
    let edits: Vec<Edit> = ranges.into_iter().map(Edit::remove).collect();
    let text = apply(document.text(), &edits);
    // A list or a table that only its last part held together is gone with it.
    checked(text.clone(), &expected, path).or_else(|error| {
        prune(&mut expected, before).ok_or(error)?;
        checked(text, &expected, path)
    })
}

fn take(target: &mut Json, steps: &[Step]) -> Option<()> {
    let (step, rest) = steps.split_first()?;
    match (step, target) {
        (Step::Key(name), Json::Object(map)) => {
            if rest.is_empty() {
                map.remove(name).map(|_| ())
            } else {
                take(map.get_mut(name)?, rest)
            }
        }
        (Step::Index(at), Json::Array(items)) => {
            if !rest.is_empty() {
                return take(items.get_mut(*at)?, rest);
            }
            (*at < items.len()).then(|| {
                items.remove(*at);
            })
        }
        _ => None,
    }
}

/// Removes an empty table or list at the end of the path, and then those that become empty by it.
fn prune(target: &mut Json, steps: &[Step]) -> Option<()> {
    let mut length = steps.len();
    while length > 0 {
        let empty = match at(target, &steps[..length])? {
            Json::Object(map) => map.is_empty(),
            Json::Array(items) => items.is_empty(),
            _ => false,
        };
        if !empty {
            break;
        }
        take(target, &steps[..length])?;
        length -= 1;
    }
    (length < steps.len()).then_some(())
}

fn at<'a>(target: &'a Json, steps: &[Step]) -> Option<&'a Json> {
    steps.iter().try_fold(target, |target, step| match step {
        Step::Key(name) => target.get(name),
        Step::Index(number) => target.get(number),
    })
}

/// The whole lines of `key = value`.
fn line(document: &Document, span: Span) -> Span {
    document.whole_lines(span)
}

/// One item of a list in brackets or braces, with one of the commas around it.
fn out_of_list(document: &Document, all: &[Span], item: Span) -> Span {
    let at = all.iter().position(|span| *span == item).unwrap_or(0);
    if let Some(next) = all.get(at + 1) {
        return Span::new(item.start, next.start);
    }
    if at > 0 {
        return Span::new(all[at - 1].end, item.end);
    }
    let rest = document.text().get(item.end..).unwrap_or("");
    let comma = rest.trim_start().strip_prefix(',').map_or(0, |after| rest.len() - after.len());
    Span::new(item.start, item.end + comma)
}

/// The lines of a section and of all sections below it, each with the blank line that follows it.
fn sections(document: &Document, value: &Value, ranges: &mut Vec<Span>) {
    match &value.kind {
        Kind::Array(items) => items.iter().for_each(|item| sections(document, item, ranges)),
        Kind::Table(table) => {
            if table.origin == Origin::Header {
                ranges.push(section(document, value, table));
            }
            for entry in table.entries() {
                if by_header(&entry.value) {
                    sections(document, &entry.value, ranges);
                }
            }
        }
        _ => {}
    }
}

fn section(document: &Document, value: &Value, table: &Table) -> Span {
    let last = direct(table).last().map_or(value.span, |span| *span);
    let lines = document.whole_lines(value.span.join(last));
    let text = document.text();
    let mut end = lines.end;
    while let Some(line) = text.get(end..).and_then(|rest| rest.split_inclusive('\n').next()) {
        if !line.trim().is_empty() {
            break;
        }
        end += line.len();
    }
    // At the end of the file the blank lines above go instead.
    let mut start = lines.start;
    if end == text.len() {
        let kept = text.get(..start).unwrap_or("").trim_end();
        let breaks =
            text.get(kept.len()..start).and_then(|gap| gap.find('\n')).map_or(0, |at| at + 1);
        start = kept.len() + breaks;
    }
    Span::new(start, end)
}
