//! From the tree to typed values, as flyctl's JSON step does it: whole floats pass for integers, nothing else is bent.
//!
//! Every mistake is reported, not only the first. Must not know: any particular section.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Deref;

use serde_json::json;

use super::codes;
use crate::diag::{Applicability, Diagnostic, Edit, nearest};
use crate::span::Span;
use crate::syntax::{Entry, Kind, Origin, Table, Value};

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// The value in the text; the header, for a table.
    pub span: Span,
    /// The key in the text; of a list's item the same as `span`.
    pub key: Span,
}

impl<T> Deref for Located<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// What one key of a section is: for messages, for the JSON Schema, for documentation.
pub struct KeyInfo {
    /// The name in fly.toml.
    pub name: &'static str,
    /// What it does, in a sentence or two.
    pub doc: &'static str,
    /// JSON Schema of its value.
    pub schema: fn() -> serde_json::Value,
    /// What two spellings of the key in one table make together.
    pub merge: fn(&Value, &Value) -> Value,
    /// Reads a value only for the mistakes in it.
    pub probe: fn(&Value, &mut Cx<'_>),
}

/// A type that a section is read into.
pub trait Section {
    /// Its keys.
    const KEYS: &'static [KeyInfo];
}

/// A type that a value is read into.
pub trait Read: Sized {
    /// What is accepted, with an article.
    const EXPECTED: &'static str;

    /// Reads a value; `None` after a report.
    fn read(value: &Value, cx: &mut Cx<'_>) -> Option<Self>;

    /// JSON Schema of what is accepted, patched spellings included.
    fn schema() -> serde_json::Value;

    /// The value in one form whatever its spelling, so that two files can be compared.
    fn canonical(&self) -> serde_json::Value;

    /// What flyctl makes of a key that stands twice in a table, in different capitals: the second spelling is read over
    /// the first. Single values are replaced; sections and lists of them keep what the second does not name.
    fn merge(_first: &Value, second: &Value) -> Value {
        second.clone()
    }
}

/// The entries of the second table added to those of the first, in their place where they exist.
pub(crate) fn union(
    first: &Value,
    second: &Value,
    both: impl Fn(&str, &Value, &Value) -> Value,
) -> Value {
    let (Kind::Table(old), Kind::Table(new)) = (&first.kind, &second.kind) else {
        return second.clone();
    };
    let mut merged = old.clone();
    for entry in new.entries() {
        let mut entry = entry.clone();
        if let Some(old) = old.value(&entry.key.name) {
            entry.value = both(&entry.key.name, old, &entry.value);
        }
        merged.insert(entry);
    }
    Value { kind: Kind::Table(merged), span: second.span }
}

/// The items of the second list, each read over the item of the first at its place.
fn zip<T: Read>(first: &Value, second: &Value) -> Value {
    let (Kind::Array(old), Kind::Array(new)) = (&first.kind, &second.kind) else {
        return second.clone();
    };
    let items = new.iter().enumerate();
    let items =
        items.map(|(at, item)| old.get(at).map_or_else(|| item.clone(), |old| T::merge(old, item)));
    Value { kind: Kind::Array(items.collect()), span: second.span }
}

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
const ARRAY_OF_TABLES: &str = "an array of tables";

impl Read for String {
    const EXPECTED: &'static str = "a string";

    fn read(value: &Value, cx: &mut Cx<'_>) -> Option<Self> {
        match &value.kind {
            Kind::String(text) => Some(text.clone()),
            Kind::Datetime(text) => Some(super::go::datetime_text(text)),
            _ => {
                cx.wrong_kind(value, Self::EXPECTED);
                None
            }
        }
    }

    fn schema() -> serde_json::Value {
        json!({ "type": "string" })
    }

    fn canonical(&self) -> serde_json::Value {
        self.as_str().into()
    }
}

impl Read for bool {
    const EXPECTED: &'static str = "true or false";

    fn read(value: &Value, cx: &mut Cx<'_>) -> Option<Self> {
        if let Kind::Boolean(value) = value.kind {
            return Some(value);
        }
        cx.wrong_kind(value, Self::EXPECTED);
        None
    }

    fn schema() -> serde_json::Value {
        json!({ "type": "boolean" })
    }

    fn canonical(&self) -> serde_json::Value {
        (*self).into()
    }
}

/// An integer, or a float that is written as one once it is JSON.
fn integer(value: &Value) -> Option<i64> {
    match value.kind {
        Kind::Integer(number) => Some(number),
        #[expect(clippy::cast_possible_truncation, reason = "checked to be whole and in range")]
        Kind::Float(number) if number.fract() == 0.0 && number.abs() < 9.2e18 => {
            Some(number as i64)
        }
        _ => None,
    }
}

impl Read for i64 {
    const EXPECTED: &'static str = "an integer";

    fn read(value: &Value, cx: &mut Cx<'_>) -> Option<Self> {
        let number = integer(value);
        if number.is_none() {
            cx.wrong_kind(value, Self::EXPECTED);
        }
        number
    }

    fn schema() -> serde_json::Value {
        json!({ "type": "integer" })
    }

    fn canonical(&self) -> serde_json::Value {
        (*self).into()
    }
}

impl Read for u32 {
    const EXPECTED: &'static str = "an integer that is not negative";

    fn read(value: &Value, cx: &mut Cx<'_>) -> Option<Self> {
        let number = integer(value).and_then(|number| u32::try_from(number).ok());
        if number.is_none() {
            cx.wrong_kind(value, Self::EXPECTED);
        }
        number
    }

    fn schema() -> serde_json::Value {
        json!({ "type": "integer", "minimum": 0, "maximum": u32::MAX })
    }

    fn canonical(&self) -> serde_json::Value {
        (*self).into()
    }
}

impl Read for f64 {
    const EXPECTED: &'static str = "a number";

    fn read(value: &Value, cx: &mut Cx<'_>) -> Option<Self> {
        match value.kind {
            Kind::Float(number) => Some(number),
            #[expect(clippy::cast_precision_loss, reason = "flyctl reads it as a float as well")]
            Kind::Integer(number) => Some(number as f64),
            _ => {
                cx.wrong_kind(value, Self::EXPECTED);
                None
            }
        }
    }

    fn schema() -> serde_json::Value {
        json!({ "type": "number" })
    }

    fn canonical(&self) -> serde_json::Value {
        (*self).into()
    }
}

impl<T: Read> Read for Vec<Located<T>> {
    const EXPECTED: &'static str = "a list";

    fn read(value: &Value, cx: &mut Cx<'_>) -> Option<Self> {
        let Kind::Array(items) = &value.kind else {
            let expected = match T::EXPECTED {
                "a table" => ARRAY_OF_TABLES,
                "a string" => "a list of strings",
                _ => Self::EXPECTED,
            };
            cx.wrong_kind(value, expected);
            return None;
        };
        let mut list = Vec::with_capacity(items.len());
        for (at, item) in items.iter().enumerate() {
            if let Some(value) = cx.within(format!("[{at}]"), |cx| T::read(item, cx)) {
                list.push(Located { value, span: item.span, key: item.span });
            }
        }
        Some(list)
    }

    fn schema() -> serde_json::Value {
        json!({ "type": "array", "items": T::schema() })
    }

    fn canonical(&self) -> serde_json::Value {
        self.iter().map(|item| item.value.canonical()).collect()
    }

    fn merge(first: &Value, second: &Value) -> Value {
        zip::<T>(first, second)
    }
}

/// A list that may also be written as a single table; a patch makes a list of it before it is read.
#[derive(Debug, Clone, PartialEq)]
pub struct OneOrMany<T>(pub Vec<Located<T>>);

impl<T> Deref for OneOrMany<T> {
    type Target = [Located<T>];

    fn deref(&self) -> &[Located<T>] {
        &self.0
    }
}

impl<T: Read> Read for OneOrMany<T> {
    const EXPECTED: &'static str = ARRAY_OF_TABLES;

    fn read(value: &Value, cx: &mut Cx<'_>) -> Option<Self> {
        Vec::read(value, cx).map(Self)
    }

    fn schema() -> serde_json::Value {
        json!({ "oneOf": [{ "type": "array", "items": T::schema() }, T::schema()] })
    }

    fn canonical(&self) -> serde_json::Value {
        self.0.canonical()
    }

    fn merge(first: &Value, second: &Value) -> Value {
        zip::<T>(first, second)
    }
}

impl<T: Read> Read for BTreeMap<String, Located<T>> {
    const EXPECTED: &'static str = "a table";

    fn read(value: &Value, cx: &mut Cx<'_>) -> Option<Self> {
        let Kind::Table(table) = &value.kind else {
            cx.wrong_kind(value, Self::EXPECTED);
            return None;
        };
        let mut map = Self::new();
        for entry in table.entries() {
            if let Some(value) = cx.field(entry) {
                map.insert(entry.key.name.clone(), value);
            }
        }
        Some(map)
    }

    fn schema() -> serde_json::Value {
        json!({ "type": "object", "additionalProperties": T::schema() })
    }

    fn canonical(&self) -> serde_json::Value {
        self.iter().map(|(name, value)| (name.clone(), value.value.canonical())).collect()
    }

    fn merge(first: &Value, second: &Value) -> Value {
        union(first, second, |_, _, new| new.clone())
    }
}

/// Declares a section: a struct whose every field is optional and knows its place, its table of keys, its reader and
/// its JSON Schema, so that the four cannot disagree.
macro_rules! section {
    (
        $(#[doc = $section_doc:literal])+
        $name:ident {
            $( $(#[doc = $doc:literal])+ $field:ident $(as $key:literal)? : $ty:ty ),* $(,)?
        }
    ) => {
        $(#[doc = $section_doc])+
        #[derive(Debug, Clone, Default, PartialEq)]
        pub struct $name {
            $( $(#[doc = $doc])+ pub $field: Option<$crate::schema::Located<$ty>>, )*
        }

        impl $crate::schema::Section for $name {
            const KEYS: &'static [$crate::schema::KeyInfo] = &[
                $( $crate::schema::KeyInfo {
                    name: $crate::schema::section!(@key $field $($key)?),
                    doc: concat!($($doc),+),
                    schema: <$ty as $crate::schema::Read>::schema,
                    merge: <$ty as $crate::schema::Read>::merge,
                    probe: |value, cx| {
                        let _ = <$ty as $crate::schema::Read>::read(value, cx);
                    },
                } ),*
            ];
        }

        impl $crate::schema::Read for $name {
            const EXPECTED: &'static str = "a table";

            fn read(value: &$crate::syntax::Value, cx: &mut $crate::schema::Cx<'_>) -> Option<Self> {
                use $crate::schema::Section as _;
                let Some(table) = value.as_table() else {
                    cx.wrong_kind(value, Self::EXPECTED);
                    return None;
                };
                let mut section = Self::default();
                for (key, entry) in cx.entries(table, Self::KEYS) {
                    $( if key == $crate::schema::section!(@key $field $($key)?) {
                        section.$field = cx.field(&entry);
                    } else )* {
                        debug_assert!(false, "entries() gives only names of KEYS");
                    }
                }
                Some(section)
            }

            fn schema() -> serde_json::Value {
                $crate::schema::object(<Self as $crate::schema::Section>::KEYS)
            }

            fn merge(
                first: &$crate::syntax::Value,
                second: &$crate::syntax::Value,
            ) -> $crate::syntax::Value {
                use $crate::schema::Section as _;
                $crate::schema::union(first, second, |name, old, new| {
                    let key = Self::KEYS.iter().find(|key| key.name == name);
                    key.map_or_else(|| new.clone(), |key| (key.merge)(old, new))
                })
            }

            fn canonical(&self) -> serde_json::Value {
                let mut map = serde_json::Map::new();
                $( if let Some(value) = &self.$field {
                    let key = $crate::schema::section!(@key $field $($key)?);
                    map.insert(key.to_owned(), value.value.canonical());
                } )*
                serde_json::Value::Object(map)
            }
        }
    };
    (@key $field:ident $key:literal) => { $key };
    (@key $field:ident) => { stringify!($field) };
}
pub(crate) use section;

/// JSON Schema of a table with these keys. Keys that flyctl does not know are left to the checker.
pub(crate) fn object(keys: &[KeyInfo]) -> serde_json::Value {
    let mut properties = serde_json::Map::new();
    for key in keys {
        let mut schema = (key.schema)();
        if let Some(schema) = schema.as_object_mut() {
            schema.insert("description".to_owned(), json!(key.doc.trim()));
        }
        properties.insert(key.name.to_owned(), schema);
    }
    json!({ "type": "object", "properties": properties })
}
