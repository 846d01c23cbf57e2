//! What reading carries along: where it is, what it found, and how it says so.
//!
//! Must not know: any particular section.

use std::borrow::Cow;

use super::codes;
use super::read::{KeyInfo, Located, Read};
use crate::diag::{Applicability, Diagnostic, Edit, nearest};
use crate::span::Span;
use crate::syntax::{Entry, Kind, Origin, Table, Value};

/// What reading carries along: where it is, and what it found.
pub struct Cx<'a> {
    text: &'a str,
    path: Vec<String>,
    /// What was found.
    pub diagnostics: Vec<Diagnostic>,
    /// Top-level names that are nobody's mistake.
    pub allowed: &'a [String],
}

impl<'a> Cx<'a> {
    /// Reads from a text.
    pub fn new(text: &'a str, allowed: &'a [String]) -> Self {
        Self { text, path: Vec::new(), diagnostics: Vec::new(), allowed }
    }

    /// The lines that a range touches, line breaks included.
    pub fn whole_lines(&self, span: Span) -> Span {
        let before = self.text.get(..span.start).unwrap_or("");
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        let after = self.text.get(span.end..).unwrap_or("");
        let end = after.find('\n').map_or(self.text.len(), |at| span.end + at + 1);
        Span::new(start, end)
    }

    /// The path of a key in the table that is being read, e.g. `http_service.checks[0].interval`.
    pub fn name(&self, key: &str) -> String {
        let mut path = self.path.join(".").replace(".[", "[");
        if !path.is_empty() && !key.is_empty() {
            path.push('.');
        }
        path.push_str(key);
        path
    }

    /// Does something one level down.
    pub fn within<T>(&mut self, part: impl Into<String>, work: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push(part.into());
        let result = work(self);
        self.path.pop();
        result
    }

    /// Reads the value of a key.
    pub fn field<T: Read>(&mut self, entry: &Entry) -> Option<Located<T>> {
        if entry.value.kind == Kind::Null {
            return None;
        }
        let value = self.within(entry.key.name.clone(), |cx| T::read(&entry.value, cx))?;
        Some(Located { value, span: entry.value.span, key: entry.key.span })
    }

    /// The entries of a table with the key that each stands for. Names match without regard to case, as in flyctl; the
    /// rest is reported.
    pub fn entries<'t>(
        &mut self,
        table: &'t Table,
        keys: &'static [KeyInfo],
    ) -> Vec<(&'static str, Cow<'t, Entry>)> {
        let mut found: Vec<(&'static KeyInfo, Cow<'t, Entry>)> = Vec::new();
        let mut twins = false;
        for entry in table.entries() {
            let name = &entry.key.name;
            if let Some(key) = keys.iter().find(|key| key.name == name) {
                found.push((key, Cow::Borrowed(entry)));
            } else if let Some(key) = keys.iter().find(|key| folds_to(name, key.name)) {
                self.other_case(entry, key.name, table);
                found.push((key, Cow::Borrowed(entry)));
                twins = true;
            } else {
                self.unknown(entry, keys);
            }
        }
        if twins {
            // flyctl meets the keys in byte order, so the lower-case twin comes last, even when it is empty.
            found.sort_by(|a, b| a.1.key.name.as_bytes().cmp(b.1.key.name.as_bytes()));
            let mut merged: Vec<(&'static KeyInfo, Cow<'t, Entry>)> = Vec::new();
            for (key, mut entry) in found {
                if let Some(at) = merged.iter().position(|(other, _)| other.name == key.name) {
                    let (_, first) = merged.remove(at);
                    if first.value.kind != Kind::Null {
                        self.within(first.key.name.clone(), |cx| (key.probe)(&first.value, cx));
                    }
                    entry.to_mut().value = (key.merge)(&first.value, &entry.value);
                }
                merged.push((key, entry));
            }
            found = merged;
        }
        found.into_iter().map(|(key, entry)| (key.name, entry)).collect()
    }

    fn other_case(&mut self, entry: &Entry, meant: &'static str, table: &Table) {
        let written = &entry.key.name;
        let edits = vec![Edit::replace(entry.key.span, meant)];
        let dropped =
            self.path.is_empty() && table.value(meant).is_some_and(|twin| twin.kind == Kind::Null);
        if dropped {
            self.diagnostics.push(
                Diagnostic::new(
                    &codes::KEY_CASE_DROPPED,
                    format!("`{written}` is dropped by flyctl because of its capital letters"),
                )
                .at(entry.span, format!("only `{meant}` is kept"))
                .fix(
                    format!("write `{meant}`"),
                    edits,
                    Applicability::MaybeIncorrect,
                ),
            );
            return;
        }
        let name = self.name(written);
        self.diagnostics.push(
            Diagnostic::new(
                &codes::KEY_CASE,
                format!("`{name}` is written with other capitals than `{meant}`"),
            )
            .at(entry.key.span, format!("read as `{meant}`"))
            .fix(format!("write `{meant}`"), edits, Applicability::MaybeIncorrect),
        );
    }

    /// Reports a key that flyctl does not read.
    pub(super) fn unknown(&mut self, entry: &Entry, keys: &'static [KeyInfo]) {
        let written = &entry.key.name;
        if entry.value.kind == Kind::Null
            || (self.path.is_empty() && self.allowed.contains(written))
            || self.diagnostics.len() >= MAX_NOTES
        {
            return;
        }
        let name = self.name(written);
        let section = generic(&self.path);
        if let Some(known) = super::unknown::known(&section, written) {
            let diagnostic = Diagnostic::new(known.code, format!("`{name}` has no effect"))
                .at(entry.key.span, "ignored by flyctl")
                .because(known.advice);
            self.diagnostics.push(match known.rename {
                Some(meant) => diagnostic.fix(
                    format!("rename it to `{meant}`"),
                    vec![Edit::replace(entry.key.span, meant)],
                    Applicability::MaybeIncorrect,
                ),
                None => diagnostic,
            });
            return;
        }
        let diagnostic =
            Diagnostic::new(&codes::UNKNOWN_KEY, format!("flyctl knows no key `{name}`"));
        let diagnostic = match nearest(written, keys.iter().map(|key| key.name)) {
            Some(meant) => diagnostic.at(entry.key.span, format!("did you mean `{meant}`?")).fix(
                format!("rename it to `{meant}`"),
                vec![Edit::replace(entry.key.span, meant)],
                Applicability::MaybeIncorrect,
            ),
            None => diagnostic.at(entry.key.span, "ignored by flyctl"),
        };
        self.diagnostics.push(diagnostic);
    }

    /// Reports a value of the wrong kind at the current path.
    pub fn wrong_kind(&mut self, value: &Value, expected: &str) {
        let name = self.name("");
        let name = if name.is_empty() { "the file".to_owned() } else { format!("`{name}`") };
        let found = value.kind.describe();
        let diagnostic =
            Diagnostic::new(&codes::WRONG_TYPE, format!("{name} must be {expected}, not {found}"))
                .at(value.span, format!("this is {found}"));
        let diagnostic = self.mend(diagnostic, value, expected);
        self.diagnostics.push(diagnostic);
    }

    /// Adds the edit that gives a value the expected shape, where only brackets or quotes are in the way.
    fn mend(&self, diagnostic: Diagnostic, value: &Value, expected: &str) -> Diagnostic {
        let written = value.span.of(self.text);
        match &value.kind {
            Kind::Table(table) if expected == ARRAY_OF_TABLES => match table.origin {
                Origin::Header if written.starts_with('[') => diagnostic.fix(
                    "make it an array of tables",
                    vec![Edit::insert(value.span.start, "["), Edit::insert(value.span.end, "]")],
                    Applicability::MachineApplicable,
                ),
                Origin::Inline => diagnostic.fix(
                    "put it into a list",
                    vec![Edit::insert(value.span.start, "["), Edit::insert(value.span.end, "]")],
                    Applicability::MachineApplicable,
                ),
                _ => diagnostic,
            },
            Kind::Array(items) if expected == "a table" => match items.as_slice() {
                [Value { kind: Kind::Table(table), span }]
                    if table.origin == Origin::Header && span.of(self.text).starts_with("[[") =>
                {
                    diagnostic.fix(
                        "make it a plain table",
                        vec![
                            Edit::remove(Span::new(span.start, span.start + 1)),
                            Edit::remove(Span::new(span.end - 1, span.end)),
                        ],
                        Applicability::MachineApplicable,
                    )
                }
                _ => diagnostic,
            },
            Kind::Integer(_) | Kind::Float(_) | Kind::Boolean(_) if expected == "a string" => {
                diagnostic.fix(
                    "quote it",
                    vec![Edit::replace(value.span, format!("\"{written}\""))],
                    Applicability::MachineApplicable,
                )
            }
            Kind::String(text) if expected == "a list of strings" => diagnostic.fix(
                "make it a list",
                vec![Edit::insert(value.span.start, "["), Edit::insert(value.span.end, "]")],
                if text.contains(' ') {
                    Applicability::MaybeIncorrect
                } else {
                    Applicability::MachineApplicable
                },
            ),
            Kind::String(text) => {
                let plain = match expected {
                    "an integer" => text.parse::<i64>().is_ok(),
                    "a number" => text.parse::<f64>().is_ok_and(f64::is_finite),
                    "true or false" => text == "true" || text == "false",
                    _ => false,
                };
                if plain {
                    diagnostic.fix(
                        "remove the quotes",
                        vec![Edit::replace(value.span, text.clone())],
                        Applicability::MachineApplicable,
                    )
                } else {
                    diagnostic
                }
            }
            _ => diagnostic,
        }
    }

    /// Reports a value that flyctl refuses although its kind is right.
    pub fn wrong_value(&mut self, value: &Value, message: impl Into<String>, label: &str) {
        let diagnostic = Diagnostic::new(&codes::WRONG_VALUE, message).at(value.span, label);
        self.diagnostics.push(diagnostic);
    }
}

/// From this many reports on keys without effect are no longer named; what makes flyctl refuse a file always is.
const MAX_NOTES: usize = 1000;

/// The path of a section without positions and names that people choose, e.g. `services.http_checks`.
fn generic(path: &[String]) -> String {
    let mut parts: Vec<&str> =
        path.iter().map(String::as_str).filter(|part| !part.starts_with('[')).collect();
    if parts.first() == Some(&"checks") && parts.len() > 1 {
        parts[1] = "*";
    }
    parts.join(".")
}

/// Whether a name is another one in other capitals, by the folding that Go's JSON decoder uses.
pub(super) fn folds_to(written: &str, name: &str) -> bool {
    let fold = |c: char| match c {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        other => other.to_ascii_lowercase(),
    };
    written.chars().map(fold).eq(name.chars().map(fold))
}

/// What a list of tables is called in messages.
pub(super) const ARRAY_OF_TABLES: &str = "an array of tables";
