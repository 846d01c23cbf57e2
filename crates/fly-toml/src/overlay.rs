//! Overlays: a small file that holds only what differs, laid over a base.
//!
//! flyctl knows no overlays, so the result is a complete file of its own, for `fly deploy -c`. The rule: tables merge
//! key by key; entries of `services`, `ports`, `mounts`, `vm`, `files`, `statics`, `metrics`, `restart` and checks are
//! matched by what identifies them (as in [`crate::diff`]) and merge as well, or are added; every other list and value is
//! replaced. An overlay adds and replaces, it removes nothing. It has to name another `app`: otherwise a deploy of the
//! result would hit the app of the base. A complete sibling file is a valid overlay. Must not know: files.

use serde_json::Value as Json;

use crate::diff::{Difference, diff, identity};
use crate::document::Document;
use crate::edit::{self, EditError, Path, Step};
use crate::schema;
use crate::syntax::{Kind, Table, Value, to_json};

/// The outcome of laying one file over another.
#[derive(Debug, Clone)]
pub struct Overlaid {
    /// The complete file. Comments and layout are those of the base. Paths in it are read relative to its folder and to
    /// the working directory, so it has to stay beside the base.
    pub text: String,
    /// What it changes.
    pub differences: Vec<Difference>,
}

/// Why two files cannot be laid over each other.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OverlayError {
    /// The overlay names no app.
    #[error("the overlay names no `app`, so a deploy of the result would hit the app of the base")]
    NoApp,
    /// The overlay names the app of the base.
    #[error("the overlay names the same app as the base, `{app}`")]
    SameApp {
        /// The name.
        app: String,
    },
    /// One of the files is not TOML, or one edit is not possible.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// The overlay is not TOML.
    #[error("the overlay is not valid TOML (line {line}): mend that first")]
    OverlayNotToml {
        /// Line of the first mistake.
        line: usize,
    },
}

/// Lays `over` over `base`.
pub fn overlay(base: &Document, over: &Document) -> Result<Overlaid, OverlayError> {
    if let Some(mistake) = over.mistakes().first() {
        return Err(OverlayError::OverlayNotToml { line: over.position(mistake.span.start).line });
    }
    let app = |document: &Document| {
        document.root().value("app").and_then(|app| app.as_str().map(str::to_owned))
    };
    match (app(over), app(base)) {
        (None, _) => return Err(OverlayError::NoApp),
        (Some(over), base) if base.as_deref() == Some(over.as_str()) => {
            return Err(OverlayError::SameApp { app: over });
        }
        _ => {}
    }
    let mut merged = base.clone();
    lay_table(&mut merged, over, over.root(), &mut Vec::new())?;
    let (before, _) = schema::load(base, &[]);
    let (after, _) = schema::load(&merged, &[]);
    Ok(Overlaid { differences: diff(&before, &after), text: merged.text().to_owned() })
}

fn lay_table(
    merged: &mut Document,
    over: &Document,
    table: &Table,
    at: &mut Vec<Step>,
) -> Result<(), EditError> {
    for entry in table.entries() {
        at.push(Step::Key(entry.key.name.clone()));
        lay(merged, over, &entry.value, at)?;
        at.pop();
    }
    Ok(())
}

fn lay(
    merged: &mut Document,
    over: &Document,
    value: &Value,
    at: &mut Vec<Step>,
) -> Result<(), EditError> {
    let here = Path::of_steps(at.clone());
    let present = edit::get(merged, &here).ok().cloned();
    match (&value.kind, present.as_ref().map(|present| &present.kind)) {
        (Kind::Table(table), Some(Kind::Table(_)) | None) if !table.is_empty() => {
            lay_table(merged, over, table, at)
        }
        // A single table where the base has a list of them, or the other way round: old spellings of one entry.
        (Kind::Table(table), Some(Kind::Array(items))) if is_tables(items) => {
            lay_entry(merged, over, value, table, items, at)
        }
        (Kind::Array(items), Some(Kind::Table(_))) if items.len() == 1 && is_tables(items) => {
            match &items[0].kind {
                Kind::Table(table) => lay_table(merged, over, table, at),
                _ => Ok(()),
            }
        }
        (Kind::Array(items), Some(Kind::Array(old))) if is_tables(items) && is_tables(old) => {
            for item in items {
                if let Kind::Table(table) = &item.kind {
                    let now = edit::get(merged, &here).map(|now| now.items().to_vec());
                    lay_entry(merged, over, item, table, &now.unwrap_or_default(), at)?;
                }
            }
            Ok(())
        }
        (Kind::Array(items), None) if is_tables(items) && !items.is_empty() => {
            for (number, item) in items.iter().enumerate() {
                at.push(Step::Index(number));
                lay(merged, over, item, at)?;
                at.pop();
            }
            Ok(())
        }
        _ => {
            if present.as_ref().is_some_and(|present| to_json(present) == to_json(value)) {
                return Ok(());
            }
            let text = value.span.of(over.text());
            let text = edit::set(merged, &here, text)?;
            *merged = Document::parse(text);
            Ok(())
        }
    }
}

fn is_tables(items: &[Value]) -> bool {
    items.iter().all(|item| item.as_table().is_some())
}

/// Lays one entry over the entry that it identifies, or adds it.
fn lay_entry(
    merged: &mut Document,
    over: &Document,
    value: &Value,
    table: &Table,
    old: &[Value],
    at: &mut Vec<Step>,
) -> Result<(), EditError> {
    let section = at.iter().rev().find_map(|step| match step {
        Step::Key(name) => Some(name.as_str()),
        Step::Index(_) => None,
    });
    let keys = identity(section.unwrap_or(""));
    let id = |table: &Table| -> Option<(&str, Json)> {
        keys.iter().find_map(|key| Some((*key, identifying(table.value(key)?))))
    };
    let wanted = id(table);
    let place = old.iter().position(|item| item.as_table().and_then(&id) == wanted);
    at.push(Step::Index(place.unwrap_or(old.len())));
    let result = match place {
        Some(_) => lay_table(merged, over, table, at),
        None => lay(merged, over, value, at),
    };
    at.pop();
    result
}

/// The part of a value that identifies: of a list of ports only the numbers.
fn identifying(value: &Value) -> Json {
    let numbers = |value: &Value| {
        let table = value.as_table()?;
        let number = table.value("port").or_else(|| table.value("start_port"))?;
        Some(Json::String(to_json(number).to_string().trim_matches('"').to_owned()))
    };
    match &value.kind {
        Kind::Array(items) if !items.is_empty() && is_tables(items) => {
            items.iter().filter_map(numbers).collect()
        }
        Kind::Table(_) => numbers(value).into_iter().collect(),
        _ => to_json(value),
    }
}

/// The smallest overlay that makes `sibling` out of `base`: its keys that are new or differ, in its own layout. What the
/// base has and the sibling has not is listed, because no overlay can remove it.
pub fn minimise(
    base: &Document,
    sibling: &Document,
) -> Result<(String, Vec<Difference>), OverlayError> {
    let merged = overlay(base, sibling)?;
    let (wanted, _) = schema::load(sibling, &[]);
    let (reached, _) = schema::load(&Document::parse(merged.text.as_str()), &[]);
    let surplus = diff(&wanted, &reached);
    let mut text = sibling.clone();
    let mut candidates = Vec::new();
    leaves(sibling.root(), &mut Vec::new(), &mut candidates);
    for path in candidates.into_iter().rev() {
        if path.to_string() == "app" {
            continue;
        }
        let Ok(shorter) = edit::unset(&text, &path) else { continue };
        let shorter = Document::parse(shorter);
        if overlay(base, &shorter).is_ok_and(|other| {
            let (config, _) = schema::load(&Document::parse(other.text), &[]);
            diff(&reached, &config).is_empty()
        }) {
            text = shorter;
        }
    }
    Ok((text.text().to_owned(), surplus))
}

/// Paths of all values that are no tables, and of the entries of lists of tables after what is in them.
fn leaves(table: &Table, at: &mut Vec<Step>, out: &mut Vec<Path>) {
    for entry in table.entries() {
        at.push(Step::Key(entry.key.name.clone()));
        out.push(Path::of_steps(at.clone()));
        match &entry.value.kind {
            Kind::Table(table) => leaves(table, at, out),
            Kind::Array(items) if is_tables(items) => {
                for (number, item) in items.iter().enumerate() {
                    at.push(Step::Index(number));
                    if let Kind::Table(table) = &item.kind {
                        leaves(table, at, out);
                    }
                    at.pop();
                }
            }
            _ => {}
        }
        at.pop();
    }
}
