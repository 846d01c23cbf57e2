//! Log records as the HTTP log endpoint sends them.

use serde_json::Value;

use super::{Field, WireTime, body, open_enum};

open_enum! {
    /// Level of a log record.
    LogLevel {
        Debug = "debug",
        Info = "info",
        Warn = "warn",
        Error = "error",
    }
}

body! {
    /// One page of logs, oldest first.
    LogPage {
        data: Vec<LogRecord>,
        meta: LogPageMeta,
    }
}

body! {
    /// Where the next page starts.
    LogPageMeta {
        /// Nanoseconds since 1970, as text (a number is tolerated).
        next_token: Value,
    }
}

impl LogPage {
    /// Where the next page starts, in nanoseconds since 1970 as text; `None` when the answer does not say.
    pub fn next_token(&self) -> Option<String> {
        match self.meta.get()?.next_token.get()? {
            Value::String(text) if !text.is_empty() => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }
}

body! {
    /// One log record.
    LogRecord {
        id: String,
        #[serde(rename = "type")]
        record_type: String,
        attributes: LogAttributes,
    }
}

impl LogRecord {
    /// When it was written, as the platform says.
    pub fn at(&self) -> Option<jiff::Timestamp> {
        self.attributes.get()?.timestamp.at()
    }

    /// The line.
    pub fn message(&self) -> Option<&str> {
        self.attributes.get()?.message.get().map(String::as_str)
    }

    /// The proxy's error code (`PC01` and the like): the field when there is one, else the bracket before the line.
    pub fn proxy_code(&self) -> Option<&str> {
        let attributes = self.attributes.get()?;
        let field = attributes
            .meta
            .get()
            .and_then(|meta| meta.error.get())
            .and_then(|error| error.code.text());
        field.or_else(|| {
            let (code, _) = attributes.message.text()?.strip_prefix('[')?.split_once(']')?;
            let code_like = code.len() == 4
                && code.starts_with('P')
                && code.as_bytes()[1].is_ascii_uppercase()
                && code.bytes().skip(2).all(|byte| byte.is_ascii_digit());
            code_like.then_some(code)
        })
    }

    /// Who wrote it: `app`, `proxy` or `runner`.
    pub fn provider(&self) -> Option<&str> {
        self.attributes.get()?.meta.get()?.event.get()?.provider.text()
    }
}

body! {
    /// What a log record says.
    LogAttributes {
        timestamp: WireTime,
        message: String,
        level: LogLevel,
        /// Machine id.
        instance: String,
        region: String,
        meta: LogMeta,
    }
}

body! {
    /// Where a log record comes from.
    LogMeta {
        instance: String,
        region: String,
        event: LogEvent,
        http: LogHttp,
        error: LogError,
        url: LogUrl,
    }
}

body! {
    /// The writer: `app`, `proxy` or `runner`.
    LogEvent {
        provider: String,
    }
}

body! {
    /// The HTTP exchange that a proxy record is about.
    LogHttp {
        request: LogHttpRequest,
        response: LogHttpResponse,
    }
}

body! {
    /// The request.
    LogHttpRequest {
        id: String,
        method: String,
        version: String,
    }
}

body! {
    /// The answer.
    LogHttpResponse {
        status_code: i64,
    }
}

body! {
    /// The proxy's error.
    LogError {
        code: String,
        message: String,
    }
}

body! {
    /// The address asked for. May hold anything that a visitor typed.
    LogUrl {
        full: super::Sensitive<String>,
    }
}

impl Field<LogAttributes> {
    /// The Machine that wrote the record.
    pub fn instance(&self) -> Option<&str> {
        let attributes = self.get()?;
        attributes.instance.text().or_else(|| attributes.meta.get()?.instance.text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxy_codes_come_from_the_field_or_the_bracket() {
        for (body, code) in [
            (
                serde_json::json!({"attributes": {"message": "[PC01] instance refused connection"}}),
                Some("PC01"),
            ),
            (
                serde_json::json!({"attributes": {"message": "x", "meta": {"error": {"code": "PR03"}}}}),
                Some("PR03"),
            ),
            (serde_json::json!({"attributes": {"message": "[INFO] [PC01] no"}}), None),
            (serde_json::json!({"attributes": {"message": "[P€1] no"}}), None),
            (serde_json::json!({}), None),
        ] {
            let record: LogRecord = serde_json::from_value(body).unwrap();
            assert_eq!(record.proxy_code(), code);
        }
    }

    #[test]
    fn the_token_may_be_text_or_number() {
        for (meta, token) in [
            (serde_json::json!({"next_token": "17"}), Some("17")),
            (serde_json::json!({"next_token": 17}), Some("17")),
            (serde_json::json!({"next_token": ""}), None),
            (serde_json::json!({}), None),
        ] {
            let page: LogPage =
                serde_json::from_value(serde_json::json!({"data": [], "meta": meta})).unwrap();
            assert_eq!(page.next_token().as_deref(), token);
        }
    }
}
