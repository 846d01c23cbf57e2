//! The tree: tables keep the order of the text, lookups are by hash.

use super::index::Index;
use crate::span::Span;

/// A key as written at one place.
#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    /// The name, unquoted.
    pub name: String,
    /// The key in the text, quotes included; of a dotted key only this part.
    pub span: Span,
}

/// A key with its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key where it is first written.
    pub key: Key,
    /// What it stands for.
    pub value: Value,
    /// The whole `key = value` in the text, or the header of a table.
    pub span: Span,
}

/// A value and its place: the literal, or the header that opens the table.
#[derive(Debug, Clone, PartialEq)]
pub struct Value {
    /// What it is.
    pub kind: Kind,
    /// Where it is.
    pub span: Span,
}

/// The shapes of a value.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// A text, unescaped.
    String(String),
    /// A whole number.
    Integer(i64),
    /// A number with a point or an exponent, infinity or not-a-number.
    Float(f64),
    /// `true` or `false`.
    Boolean(bool),
    /// A date, a time or both, as written.
    Datetime(String),
    /// A list; of `[[tables]]` or in brackets.
    Array(Vec<Value>),
    /// A table, in whichever way it is written.
    Table(Table),
    /// A bare number that flyctl reads as a duration: nanoseconds and the unit it took. Made by patches, never by parsing.
    Duration(i64, BareUnit),
    /// Nothing: what a patch leaves where it dropped a value. Never made by parsing.
    Null,
}

/// What a number without a unit means; it depends on the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BareUnit {
    /// Seconds, as in `kill_timeout`.
    Seconds,
    /// Milliseconds, as in checks of services and top-level checks.
    Milliseconds,
    /// Nanoseconds, everywhere else.
    Nanoseconds,
}

impl BareUnit {
    /// Nanoseconds in one.
    pub fn nanos(self) -> i64 {
        match self {
            Self::Seconds => 1_000_000_000,
            Self::Milliseconds => 1_000_000,
            Self::Nanoseconds => 1,
        }
    }

    /// The unit in words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Seconds => "seconds",
            Self::Milliseconds => "milliseconds",
            Self::Nanoseconds => "nanoseconds",
        }
    }
}

impl Kind {
    /// What it is, with an article, for messages.
    pub fn describe(&self) -> &'static str {
        match self {
            Self::String(_) => "a string",
            Self::Integer(_) => "an integer",
            Self::Float(_) => "a float",
            Self::Boolean(_) => "a boolean",
            Self::Datetime(_) => "a date-time",
            Self::Array(items) => {
                let tables = items.iter().all(|item| matches!(item.kind, Self::Table(_)));
                if tables && !items.is_empty() { "an array of tables" } else { "an array" }
            }
            Self::Table(_) => "a table",
            Self::Duration(..) => "a duration",
            Self::Null => "nothing",
        }
    }
}

impl Value {
    /// The table, when it is one.
    pub fn as_table(&self) -> Option<&Table> {
        match &self.kind {
            Kind::Table(table) => Some(table),
            _ => None,
        }
    }

    /// The text, when it is one.
    pub fn as_str(&self) -> Option<&str> {
        match &self.kind {
            Kind::String(text) => Some(text),
            _ => None,
        }
    }

    /// The items of an array; none for anything else.
    pub fn items(&self) -> &[Value] {
        match &self.kind {
            Kind::Array(items) => items,
            _ => &[],
        }
    }
}

/// How a table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The file itself.
    Root,
    /// Under a header `[name]` or `[[name]]`.
    Header,
    /// Only as the parent of other tables.
    Implicit,
    /// By dotted keys.
    Dotted,
    /// In braces.
    Inline,
}

/// Keys and values in the order of the text.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    entries: Vec<Entry>,
    index: Index,
    /// How it is written.
    pub origin: Origin,
}

impl Table {
    /// An empty table.
    pub fn new(origin: Origin) -> Self {
        Self { entries: Vec::new(), index: Index::default(), origin }
    }

    /// A table of entries whose names differ, with the index of their places.
    pub(super) fn of(origin: Origin, entries: Vec<Entry>, index: Index) -> Self {
        Self { entries, index, origin }
    }

    /// Entries in the order of the text.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entries themselves.
    pub(crate) fn into_entries(self) -> Vec<Entry> {
        self.entries
    }

    /// Number of keys.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// True without keys.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn find(&self, name: &str) -> Option<usize> {
        self.index.find(name, self.entries.len(), |at| &self.entries[at].key.name)
    }

    /// The entry of a name.
    pub fn get(&self, name: &str) -> Option<&Entry> {
        self.entries.get(self.find(name)?)
    }

    /// The value of a name.
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.get(name).map(|entry| &entry.value)
    }

    /// The value of a name, for changing.
    pub fn value_mut(&mut self, name: &str) -> Option<&mut Value> {
        let at = self.find(name)?;
        self.entries.get_mut(at).map(|entry| &mut entry.value)
    }

    /// Puts an entry at its name, in place of one that is there.
    pub fn insert(&mut self, entry: Entry) {
        if let Some(at) = self.find(&entry.key.name) {
            self.entries[at] = entry;
            return;
        }
        self.entries.push(entry);
        let entries = &self.entries;
        self.index.pushed(entries.len(), |at| &entries[at].key.name);
    }

    /// Takes the entry of a name out.
    pub fn remove(&mut self, name: &str) -> Option<Entry> {
        let at = self.find(name)?;
        let entry = self.entries.remove(at);
        let entries = &self.entries;
        self.index.moved(entries.len(), |at| &entries[at].key.name);
        Some(entry)
    }
}
