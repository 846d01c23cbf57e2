//! Writes TOML in the layout of [`crate::format`], section by section.

use std::fmt::Write as _;

use crate::edit::{key, quote};

/// A text under construction.
#[derive(Default)]
pub(super) struct Writer {
    out: String,
    indent: usize,
}

impl Writer {
    /// Opens `[name]` at a level: 0 for a section, 1 for one inside it.
    pub(super) fn table(&mut self, level: usize, name: &str) {
        self.header(level, &format!("[{name}]"));
    }

    /// Opens `[[name]]` at a level.
    pub(super) fn entry(&mut self, level: usize, name: &str) {
        self.header(level, &format!("[[{name}]]"));
    }

    fn header(&mut self, level: usize, header: &str) {
        if !self.out.is_empty() {
            self.out.push('\n');
        }
        let _ = writeln!(self.out, "{:indent$}{header}", "", indent = level * 2);
        self.indent = level * 2 + 2;
    }

    /// A key with a literal.
    pub(super) fn raw(&mut self, name: &str, literal: &str) {
        let _ = writeln!(self.out, "{:indent$}{} = {literal}", "", key(name), indent = self.indent);
    }

    /// A key with a text; nothing when there is none.
    pub(super) fn text(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.raw(name, &quote(value));
        }
    }

    /// A key with a number or a flag; nothing when there is none.
    pub(super) fn plain(&mut self, name: &str, value: Option<impl ToString>) {
        if let Some(value) = value {
            self.raw(name, &value.to_string());
        }
    }

    /// A key with a list of texts; nothing when it is empty.
    pub(super) fn list(&mut self, name: &str, items: &[String]) {
        if !items.is_empty() {
            let items: Vec<String> = items.iter().map(|item| quote(item)).collect();
            self.raw(name, &format!("[{}]", items.join(", ")));
        }
    }

    /// The text.
    pub(super) fn finish(self) -> String {
        self.out
    }
}

/// A JSON value as a literal; null has none.
pub(super) fn literal(value: &serde_json::Value) -> Option<String> {
    use serde_json::Value;
    Some(match value {
        Value::Null => return None,
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => quote(text),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().filter_map(literal).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(map) => {
            let pair = |(name, value): (&String, &Value)| {
                Some(format!("{} = {}", key(name), literal(value)?))
            };
            let mut pairs: Vec<String> = map.iter().filter_map(pair).collect();
            pairs.sort();
            if pairs.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", pairs.join(", ")) }
        }
    })
}
