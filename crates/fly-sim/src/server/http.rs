//! A request and an answer, without a connection.

use axum::http::{HeaderMap, Method, StatusCode};
use bytes::Bytes;
use serde_json::{Value, json};

#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: Method,
    /// Decoded segments of the path are in `params`; this is the path as received.
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) params: Vec<(&'static str, String)>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Body {
    Empty,
    Json(Value),
    /// JSON that was written by hand.
    RawJson(String),
    Text(String),
}

#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Body,
}

/// What every handler returns: errors are replies too.
pub(crate) type Answer = Result<Reply, Reply>;

impl Request {
    pub(crate) fn param(&self, name: &str) -> &str {
        self.params.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value)
    }

    /// Last value of a query key; empty values count as absent.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        let values = self.query.iter().filter(|(key, _)| key == name);
        values.map(|(_, value)| value.as_str()).next_back().filter(|value| !value.is_empty())
    }

    pub(crate) fn query_all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.query.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn flag(&self, name: &str) -> bool {
        matches!(self.query(name), Some("true" | "1" | "t" | "T" | "TRUE" | "True"))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The body as a JSON object; an absent body is refused with the platform's word for it.
    pub(crate) fn json(&self) -> Result<Value, Reply> {
        if self.body.is_empty() {
            return Err(Reply::error(400, "EOF"));
        }
        self.json_or_empty()
    }

    /// The body as a JSON object, `{}` when there is none.
    pub(crate) fn json_or_empty(&self) -> Result<Value, Reply> {
        if self.body.is_empty() {
            return Ok(json!({}));
        }
        let value: Value = serde_json::from_slice(&self.body).map_err(|error| {
            Reply::error(400, format!("invalid_argument: unable to parse body: {error}"))
        })?;
        match value {
            Value::Object(_) => Ok(value),
            Value::Null => Ok(json!({})),
            other => Err(Reply::error(
                400,
                format!(
                    "json: cannot unmarshal {} into Go value of type main.{}Request",
                    go_kind(&other),
                    self.path.rsplit('/').next().unwrap_or("create")
                ),
            )),
        }
    }
}

fn go_kind(value: &Value) -> &'static str {
    match value {
        Value::Array(_) => "array",
        Value::String(_) => "string",
        Value::Number(_) => "number",
        Value::Bool(_) => "bool",
        Value::Null | Value::Object(_) => "object",
    }
}

impl Reply {
    pub(crate) fn json(value: Value) -> Self {
        Self { status: StatusCode::OK, headers: Vec::new(), body: Body::Json(value) }
    }

    pub(crate) fn raw_json(text: String) -> Self {
        Self { status: StatusCode::OK, headers: Vec::new(), body: Body::RawJson(text) }
    }

    pub(crate) fn ok() -> Self {
        Self::json(json!({ "ok": true }))
    }

    pub(crate) fn empty(status: u16) -> Self {
        Self { status: code(status), headers: Vec::new(), body: Body::Empty }
    }

    pub(crate) fn text(status: u16, text: impl Into<String>) -> Self {
        Self { status: code(status), headers: Vec::new(), body: Body::Text(text.into()) }
    }

    pub(crate) fn error(status: u16, message: impl Into<String>) -> Self {
        Self::json(json!({ "error": message.into() })).with_status(status)
    }

    /// An error with the `status` word that clients switch on.
    pub(crate) fn error_word(status: u16, message: impl Into<String>, word: &str) -> Self {
        Self::json(json!({ "error": message.into(), "status": word })).with_status(status)
    }

    pub(crate) fn with_status(mut self, status: u16) -> Self {
        self.status = code(status);
        self
    }

    pub(crate) fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

fn code(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// Takes a query string apart; broken escapes are kept as they are.
pub(crate) fn parse_query(text: &str) -> Vec<(String, String)> {
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (unescape(&key.replace('+', " ")), unescape(&value.replace('+', " ")))
        })
        .collect()
}

/// Percent-decoding.
pub(crate) fn unescape(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = (bytes[at] == b'%')
            .then(|| text.get(at + 1..at + 3))
            .flatten()
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        if let Some(byte) = escaped {
            out.push(byte);
            at += 3;
        } else {
            out.push(bytes[at]);
            at += 1;
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_and_escapes() {
        let query = parse_query("state=started&state=a%2Cb&x=%zz&y&metadata.k=v+w");
        assert_eq!(query[1], ("state".to_owned(), "a,b".to_owned()));
        assert_eq!(query[2].1, "%zz");
        assert_eq!(query[4], ("metadata.k".to_owned(), "v w".to_owned()));
        assert_eq!(unescape("%2A.example.com"), "*.example.com");
        assert_eq!(unescape("é%"), "é%");
    }
}
