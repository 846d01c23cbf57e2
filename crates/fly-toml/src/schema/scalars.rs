//! Readers of single values: texts, flags and numbers.

use serde_json::json;

use super::cx::Cx;
use super::read::Read;
use crate::syntax::{Kind, Value};

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
