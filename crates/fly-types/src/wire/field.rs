//! Building blocks of tolerant wire types: a field that remembers how it was sent, unknown keys that survive, values
//! that never print.
//!
//! Must not know: any particular body.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

/// A field of a body: absent, null, a value, or something of a shape that nobody expected.
///
/// The platform treats null and absent alike, but an update replaces the whole configuration and evidence is
/// quoted as received; so each body re-encodes exactly as it was decoded. One field of an unexpected shape must
/// not make a list of 500 Machines unreadable, so it is kept as raw JSON instead.
#[derive(Clone, Default, PartialEq)]
pub enum Field<T> {
    /// The key was not there.
    #[default]
    Absent,
    /// The key was there, with null.
    Null,
    /// A value of the documented shape.
    Value(T),
    /// A value of another shape, kept as it came.
    Unexpected(Value),
}

impl<T> From<T> for Field<T> {
    fn from(value: T) -> Self {
        Self::Value(value)
    }
}

impl<T> Field<T> {
    /// The value, when there is one of the documented shape.
    pub fn get(&self) -> Option<&T> {
        match self {
            Self::Value(value) => Some(value),
            _ => None,
        }
    }

    /// The value for changing, when there is one of the documented shape.
    pub fn get_mut(&mut self) -> Option<&mut T> {
        match self {
            Self::Value(value) => Some(value),
            _ => None,
        }
    }

    /// The value itself, when there is one of the documented shape.
    pub fn into_value(self) -> Option<T> {
        match self {
            Self::Value(value) => Some(value),
            _ => None,
        }
    }

    /// True when the key was not sent at all.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// True when the key was sent as null.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// True when the value has a shape that this library does not know.
    pub fn is_unexpected(&self) -> bool {
        matches!(self, Self::Unexpected(_))
    }
}

impl<T: Copy> Field<T> {
    /// A copy of the value, when there is one of the documented shape.
    pub fn copied(&self) -> Option<T> {
        self.get().copied()
    }
}

impl<T: AsRef<str>> Field<T> {
    /// The text, when there is one; an empty text counts as missing, as the platform sends `""` for "not set".
    pub fn text(&self) -> Option<&str> {
        self.get().map(AsRef::as_ref).filter(|text| !text.is_empty())
    }
}

impl<T> Field<Vec<T>> {
    /// The items; none when the list is absent, null or not a list.
    pub fn items(&self) -> &[T] {
        self.get().map_or(&[], Vec::as_slice)
    }
}

// An unexpected value may be anything, a secret included: only its JSON type is shown.
impl<T: fmt::Debug> fmt::Debug for Field<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("Absent"),
            Self::Null => f.write_str("Null"),
            Self::Value(value) => value.fmt(f),
            Self::Unexpected(value) => write!(f, "Unexpected({})", json_type(value)),
        }
    }
}

fn json_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        if value.is_null() {
            return Ok(Self::Null);
        }
        Ok(match T::deserialize(&value) {
            Ok(typed) => Self::Value(typed),
            Err(_) => Self::Unexpected(value),
        })
    }
}

impl<T: Serialize> Serialize for Field<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Absent | Self::Null => serializer.serialize_none(),
            Self::Value(value) => value.serialize(serializer),
            Self::Unexpected(value) => value.serialize(serializer),
        }
    }
}

/// The keys of a body that this library does not know, kept so that they survive a round trip.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Extra(pub Map<String, Value>);

impl Extra {
    /// The raw value of an unknown key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key)
    }

    /// The unknown keys.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// True when every key was known.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

// Values of unknown keys may be secrets: only the keys are shown.
impl fmt::Debug for Extra {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// A value that is encoded as it is but never printed: environment values, file contents, nonces, secret values.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sensitive<T>(T);

impl<T> Sensitive<T> {
    /// Wraps a value so that it cannot be printed by accident.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value in the clear. Every call is a place to review.
    pub fn expose(&self) -> &T {
        &self.0
    }

    /// The value in the clear, for changing.
    pub fn expose_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T> fmt::Debug for Sensitive<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}

/// Declares a body: every field optional and as received, unknown keys kept.
///
/// Fields before the `;` are required: a body without them is of no use.
macro_rules! body {
    (
        $(#[$meta:meta])*
        $name:ident {
            $( $(#[$rmeta:meta])* $rfield:ident : $rty:ty ),+ ;
            $( $(#[$fmeta:meta])* $field:ident : $ty:ty ),* $(,)?
        }
    ) => {
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
        $(#[$meta])*
        pub struct $name {
            $(
                #[doc = concat!("Key `", stringify!($rfield), "`, required.")]
                $(#[$rmeta])*
                pub $rfield: $rty,
            )+
            $(
                #[doc = concat!("Key `", stringify!($field), "`.")]
                $(#[$fmeta])*
                #[serde(default, skip_serializing_if = "crate::wire::Field::is_absent")]
                pub $field: crate::wire::Field<$ty>,
            )*
            /// Keys that this library does not know.
            #[serde(flatten)]
            pub extra: crate::wire::Extra,
        }
    };
    (
        $(#[$meta:meta])*
        $name:ident {
            $( $(#[$fmeta:meta])* $field:ident : $ty:ty ),* $(,)?
        }
    ) => {
        #[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
        $(#[$meta])*
        pub struct $name {
            $(
                #[doc = concat!("Key `", stringify!($field), "`.")]
                $(#[$fmeta])*
                #[serde(default, skip_serializing_if = "crate::wire::Field::is_absent")]
                pub $field: crate::wire::Field<$ty>,
            )*
            /// Keys that this library does not know.
            #[serde(flatten)]
            pub extra: crate::wire::Extra,
        }
    };
}
pub(crate) use body;

/// Declares an enum of texts that stays open: a text that is not listed is kept in `Other`.
macro_rules! open_enum {
    (
        $(#[$meta:meta])*
        $name:ident { $( $(#[$vmeta:meta])* $variant:ident = $text:literal ),+ $(,)? }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $( #[doc = concat!("`", $text, "`.")] $(#[$vmeta])* $variant, )+
            /// A word that this library does not know, as received.
            Other(String),
        }

        impl $name {
            /// The words that this library knows, in declaration order.
            pub const KNOWN: &'static [Self] = &[$(Self::$variant),+];

            /// The word as the platform writes it.
            pub fn as_str(&self) -> &str {
                match self {
                    $( Self::$variant => $text, )+
                    Self::Other(text) => text,
                }
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                match text {
                    $( $text => Self::$variant, )+
                    other => Self::Other(other.to_owned()),
                }
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Ok(Self::from(<std::borrow::Cow<'de, str>>::deserialize(deserializer)?.as_ref()))
            }
        }
    };
}
pub(crate) use open_enum;
