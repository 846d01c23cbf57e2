//! From the tree to typed values, as flyctl's JSON step does it: whole floats pass for integers, nothing else is bent.
//!
//! Every mistake is reported, not only the first. Must not know: any particular section.

use std::ops::Deref;

use serde_json::json;

use super::cx::Cx;
use crate::span::Span;
use crate::syntax::Value;

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
