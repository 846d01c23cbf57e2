//! Setting one value.

use std::fmt::Write as _;

use serde_json::{Map, Value as Json};

use super::place::{
    after_line, by_header, direct, end_of, end_of_table, indent, line_break, with_comments_above,
};
use super::{EditError, Path, Step, checked, find, key, literal, quote, sound};
use crate::diag::{Edit, Flyctl, apply};
use crate::document::Document;
use crate::syntax::{Kind, Origin, Table, Value, meaning, value_meaning};

/// Sets the value at a path to a TOML literal and gives the new text. Missing tables are made; a position one past the
/// end of a list of tables adds one.
pub fn set(document: &Document, path: &Path, value: &str) -> Result<String, EditError> {
    sound(document)?;
    let parsed = literal(value)?;
    let mut expected = meaning(document.root());
    put(&mut expected, path.steps(), value_meaning(&parsed), path)?;
    let edit = match find(document.root(), path.steps()) {
        Some(old) if by_header(old) => {
            return Err(EditError::Kind {
                path: path.to_string(),
                found: "a section with lines of its own".to_owned(),
                needed: "a single value: unset it first",
            });
        }
        Some(old) if matches!(&old.kind, Kind::Table(table) if table.origin == Origin::Dotted) => {
            return Err(EditError::Kind {
                path: path.to_string(),
                found: "a table of dotted keys".to_owned(),
                needed: "a single value: unset it first",
            });
        }
        Some(old) => Edit::replace(old.span, value),
        None => insertion(document, path, value)?,
    };
    checked(apply(document.text(), &[edit]), &expected, path)
}

/// Sets what a person typed: as a TOML literal when it is one that fits the key, as a text otherwise. So
/// `app web` and `http_service.internal_port 8080` both do what is meant.
pub fn set_input(document: &Document, path: &Path, input: &str) -> Result<String, EditError> {
    let refusals = |text: &str| {
        let report = crate::check(text);
        report.diagnostics.iter().filter(|found| found.code.flyctl == Flyctl::Refuses).count()
    };
    let as_text = set(document, path, &quote(input));
    match (set(document, path, input), as_text) {
        (Ok(plain), Ok(text)) => Ok(if refusals(&plain) > refusals(&text) { text } else { plain }),
        (Ok(plain), Err(_)) => Ok(plain),
        (Err(EditError::Value { .. }), text) => text,
        (Err(error), _) => Err(error),
    }
}

/// Puts a value into the meaning of the old text, which gives the meaning that the new one must have.
fn put(target: &mut Json, steps: &[Step], value: Json, path: &Path) -> Result<(), EditError> {
    let Some((step, rest)) = steps.split_first() else {
        *target = value;
        return Ok(());
    };
    let obstacle = |found: &Json, needed| EditError::Kind {
        path: path.to_string(),
        found: match found {
            Json::Object(_) => "a table",
            Json::Array(_) => "a list",
            _ => "a single value",
        }
        .to_owned(),
        needed,
    };
    match (step, &mut *target) {
        (Step::Key(name), Json::Object(map)) => {
            let empty = match rest.first() {
                Some(Step::Index(_)) => Json::Array(Vec::new()),
                _ => Json::Object(Map::new()),
            };
            put(map.entry(name.clone()).or_insert(empty), rest, value, path)
        }
        (Step::Index(at), Json::Array(items)) if *at <= items.len() => {
            if *at == items.len() {
                items.push(Json::Object(Map::new()));
            }
            put(&mut items[*at], rest, value, path)
        }
        (Step::Index(_), Json::Array(_)) => Err(EditError::Missing { path: path.to_string() }),
        (Step::Key(_), found) => Err(obstacle(found, "a table")),
        (Step::Index(_), found) => Err(obstacle(found, "a list")),
    }
}

/// The deepest table or list on the path that exists.
enum Parent<'a> {
    Root(&'a Table),
    Value(&'a Value),
}

fn insertion(document: &Document, path: &Path, value: &str) -> Result<Edit, EditError> {
    let steps = path.steps();
    let mut depth = steps.len() - 1;
    let parent = loop {
        if depth == 0 {
            break Parent::Root(document.root());
        }
        if let Some(found) = find(document.root(), &steps[..depth]) {
            break Parent::Value(found);
        }
        depth -= 1;
    };
    let rest = &steps[depth..];
    let before = &steps[..depth];
    match parent {
        Parent::Root(table) => Ok(into_section(document, table, None, before, rest, value)),
        Parent::Value(found) => match &found.kind {
            Kind::Table(table) if table.origin == Origin::Inline => {
                into_inline(found, table, rest, value, path)
            }
            Kind::Table(table) => {
                Ok(into_section(document, table, Some(found), before, rest, value))
            }
            Kind::Array(items) if by_header(found) || items.is_empty() => {
                into_list(document, found, before, rest, value, path)
            }
            Kind::Array(items) => into_array(found, items, rest, value, path),
            other => Err(EditError::Kind {
                path: path.to_string(),
                found: other.describe().to_owned(),
                needed: "a table",
            }),
        },
    }
}

/// Names of the keys among the steps, as a header writes them.
fn header_name(steps: &[Step]) -> String {
    let names = steps.iter().filter_map(|step| match step {
        Step::Key(name) => Some(key(name)),
        Step::Index(_) => None,
    });
    names.collect::<Vec<_>>().join(".")
}

/// Adds a key to a section, with the sections in between when there are steps left.
fn into_section(
    document: &Document,
    table: &Table,
    value_of: Option<&Value>,
    before: &[Step],
    rest: &[Step],
    value: &str,
) -> Edit {
    let newline = line_break(document);
    if let [Step::Key(name)] = rest {
        return new_line(document, table, value_of, before, &key(name), value);
    }
    // A section of its own, at the end of everything that belongs to its parent.
    let end = match value_of {
        Some(found) => end_of(found),
        None => end_of_table(table).max(document.text().len()),
    };
    let outer = value_of.map_or("", |found| indent(document, found.span.start));
    let inner = if value_of.is_some() { format!("{outer}  ") } else { String::new() };
    let text = section_text(before, rest, value, &inner, newline);
    let (at, lacks_break) = after_line(document, end.saturating_sub(1));
    let lead = if lacks_break { newline } else { "" };
    let gap = if at == 0 { "" } else { newline };
    Edit::insert(at, format!("{lead}{gap}{text}"))
}

/// `[header]` lines and the key for the steps that are left.
fn section_text(
    before: &[Step],
    rest: &[Step],
    value: &str,
    indent: &str,
    newline: &str,
) -> String {
    let (last, middle) = match rest.split_last() {
        Some((Step::Key(name), middle)) => (key(name), middle),
        _ => return String::new(),
    };
    let full: Vec<Step> = before.iter().chain(middle).cloned().collect();
    let mut text = String::new();
    // A list of tables has to be opened on its own; plain tables need only the last header.
    for (at, step) in middle.iter().enumerate() {
        if matches!(step, Step::Index(_)) {
            let name = header_name(&full[..before.len() + at]);
            let _ = write!(text, "{indent}[[{name}]]{newline}");
        }
    }
    if matches!(middle.last(), Some(Step::Key(_))) {
        let _ = write!(text, "{indent}[{}]{newline}", header_name(&full));
    }
    let _ = write!(text, "{indent}  {last} = {value}{newline}");
    text
}

/// A `key = value` line in an existing section.
fn new_line(
    document: &Document,
    table: &Table,
    value_of: Option<&Value>,
    before: &[Step],
    name: &str,
    value: &str,
) -> Edit {
    let newline = line_break(document);
    let lines = direct(table);
    if let Some(last) = lines.last() {
        let indent = indent(document, last.start);
        let prefix = dotted_prefix(document, before);
        let (at, lacks_break) = after_line(document, last.end.saturating_sub(1));
        let lead = if lacks_break { newline } else { "" };
        return Edit::insert(at, format!("{lead}{indent}{prefix}{name} = {value}{newline}"));
    }
    let Some(found) = value_of else {
        // Nothing but sections so far: above the first of them, with the comments that belong to it.
        let entries = table.entries().iter();
        let first = entries.map(|entry| first_byte(&entry.value)).min();
        let at = first.map_or(document.text().len(), |first| with_comments_above(document, first));
        let gap = if first.is_some() { newline } else { "" };
        let lead = if at > 0 && !document.text()[..at].ends_with('\n') { newline } else { "" };
        return Edit::insert(at, format!("{lead}{name} = {value}{newline}{gap}"));
    };
    if table.origin == Origin::Implicit {
        // The table exists only as the parent of others: give it a header above the first of them.
        let first = first_byte(found);
        let at = with_comments_above(document, first);
        let indent = indent(document, first);
        let header = header_name(before);
        let text =
            format!("{indent}[{header}]{newline}{indent}  {name} = {value}{newline}{newline}");
        return Edit::insert(at, text);
    }
    let indent = indent(document, found.span.start);
    let (at, lacks_break) = after_line(document, found.span.end.saturating_sub(1));
    let lead = if lacks_break { newline } else { "" };
    Edit::insert(at, format!("{lead}{indent}  {name} = {value}{newline}"))
}

/// For a table of dotted keys: the part of the key that leads to it from its section.
fn dotted_prefix(document: &Document, before: &[Step]) -> String {
    let mut prefix = String::new();
    for depth in 1..=before.len() {
        let table = find(document.root(), &before[..depth]).and_then(Value::as_table);
        if let (Some(Origin::Dotted), Step::Key(name)) =
            (table.map(|table| table.origin), &before[depth - 1])
        {
            let _ = write!(prefix, "{}.", key(name));
        }
    }
    prefix
}

/// The first byte of a value and everything below it.
fn first_byte(value: &Value) -> usize {
    match &value.kind {
        Kind::Table(table) if table.origin == Origin::Implicit => table
            .entries()
            .iter()
            .map(|entry| first_byte(&entry.value))
            .min()
            .unwrap_or(value.span.start),
        Kind::Array(items) => items.iter().map(first_byte).min().unwrap_or(value.span.start),
        _ => value.span.start,
    }
}

fn into_inline(
    found: &Value,
    table: &Table,
    rest: &[Step],
    value: &str,
    path: &Path,
) -> Result<Edit, EditError> {
    let mut text = value.to_owned();
    for (at, step) in rest.iter().enumerate().rev() {
        let Step::Key(name) = step else {
            return Err(EditError::Missing { path: path.to_string() });
        };
        text = format!("{} = {text}", key(name));
        if at > 0 {
            text = format!("{{ {text} }}");
        }
    }
    let Some(last) = table.entries().last() else {
        return Ok(Edit::replace(found.span, format!("{{ {text} }}")));
    };
    Ok(Edit::insert(last.span.end.max(end_of(&last.value)), format!(", {text}")))
}

/// Adds a table to a list of tables.
fn into_list(
    document: &Document,
    found: &Value,
    before: &[Step],
    rest: &[Step],
    value: &str,
    path: &Path,
) -> Result<Edit, EditError> {
    let (Some(Step::Index(at)), true) = (rest.first(), rest.len() > 1) else {
        return Err(EditError::Kind {
            path: path.to_string(),
            found: found.kind.describe().to_owned(),
            needed: "a single value",
        });
    };
    if *at != found.items().len() {
        return Err(EditError::Missing { path: path.to_string() });
    }
    if !by_header(found) {
        // An empty list in brackets.
        let Some(Step::Key(name)) = rest.get(1).filter(|_| rest.len() == 2) else {
            return Err(EditError::Unfaithful { path: path.to_string() });
        };
        return Ok(Edit::replace(found.span, format!("[{{ {} = {value} }}]", key(name))));
    }
    let newline = line_break(document);
    let indent =
        indent(document, found.items().last().map_or(found.span.start, |item| item.span.start));
    let text = section_text(before, rest, value, indent, newline);
    let (at, lacks_break) = after_line(document, end_of(found).saturating_sub(1));
    let lead = if lacks_break { newline } else { "" };
    Ok(Edit::insert(at, format!("{lead}{newline}{text}")))
}

/// Adds an item to a list in brackets.
fn into_array(
    found: &Value,
    items: &[Value],
    rest: &[Step],
    value: &str,
    path: &Path,
) -> Result<Edit, EditError> {
    match (rest, items.last()) {
        ([Step::Index(at)], Some(last)) if *at == items.len() => {
            Ok(Edit::insert(last.span.end, format!(", {value}")))
        }
        ([Step::Index(0)], None) => Ok(Edit::replace(found.span, format!("[{value}]"))),
        _ => Err(EditError::Missing { path: path.to_string() }),
    }
}
