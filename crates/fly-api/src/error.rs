//! Errors as callers act on them: which call, which status, which of the platform's reasons, what to do next.

use std::fmt;

use http::HeaderMap;
use serde_json::Value;

use crate::call::CallRecord;

/// A call that failed for good.
#[derive(Debug)]
pub struct ApiError {
    /// Why.
    pub kind: ErrorKind,
    /// The call, with status, request id, attempts and times.
    pub call: Box<CallRecord>,
}

/// Why a call failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum ErrorKind {
    /// No usable answer.
    Transport(net::Error),
    /// An answer with an error status.
    Status(Box<StatusError>),
    /// An answer that could not be read: where in the body, and why.
    Decode {
        /// Path within the JSON body.
        path: String,
        /// What the decoder said.
        message: String,
    },
    /// GraphQL answered 200 with errors.
    GraphQl {
        /// The first message.
        message: String,
        /// Its code, e.g. `NOT_FOUND`.
        code: Option<String>,
    },
    /// The time for the call, retries and waits included, is over.
    Deadline,
    /// The call needs a token and there is none.
    NoToken,
}

/// The word before the colon in the platform's error texts. Open.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the platform's own words")]
pub enum ErrorCode {
    InvalidArgument,
    Unauthenticated,
    PermissionDenied,
    NotFound,
    DeadlineExceeded,
    Aborted,
    AlreadyExists,
    FailedPrecondition,
    ResourceExhausted,
    Unavailable,
    Other(String),
}

impl ErrorCode {
    fn parse(text: &str) -> Option<Self> {
        let (word, _) = text.split_once(": ")?;
        Some(match word {
            "invalid_argument" => Self::InvalidArgument,
            "unauthenticated" => Self::Unauthenticated,
            "permission_denied" => Self::PermissionDenied,
            "not_found" => Self::NotFound,
            "deadline_exceeded" => Self::DeadlineExceeded,
            "aborted" => Self::Aborted,
            "already_exists" => Self::AlreadyExists,
            "failed_precondition" => Self::FailedPrecondition,
            "resource_exhausted" => Self::ResourceExhausted,
            "unavailable" => Self::Unavailable,
            other
                if other.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
                    && other.contains('_') =>
            {
                Self::Other(other.to_owned())
            }
            _ => return None,
        })
    }
}

/// How far a lack of capacity reaches (fly-go pull request 306: the `status` field outranks the text).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CapacityScope {
    /// This host; another placement may work.
    Host,
    /// The host of this volume: move or fork the volume.
    VolumePlacement,
    /// The region.
    Region,
}

/// Who holds the lease that stands in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseConflict {
    /// E-mail or `<uuid>@tokens.fly.io`.
    pub owner: String,
    /// As the platform prints it.
    pub expires_at: String,
}

/// An error status, taken apart.
#[derive(Debug, Clone, PartialEq)]
pub struct StatusError {
    /// HTTP status.
    pub status: u16,
    /// The platform's text; of a body that is not JSON, its beginning.
    pub message: String,
    /// The `status` word of the body, e.g. `insufficient_capacity`.
    pub status_word: Option<String>,
    /// The word before the colon.
    pub code: Option<ErrorCode>,
    /// How far a lack of capacity reaches; `None` when this is something else.
    pub capacity: Option<CapacityScope>,
    /// Who holds the lease, when that is the reason.
    pub lease: Option<LeaseConflict>,
    /// What the server asked to wait.
    pub retry_after: Option<std::time::Duration>,
    /// The body, capped.
    pub body: String,
}

/// How much of an error body is kept, in bytes.
const BODY_CAP: usize = 4096;

impl StatusError {
    pub(crate) fn new(status: u16, headers: &HeaderMap, body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(&body[..body.len().min(BODY_CAP)]).into_owned();
        let json: Option<Value> = serde_json::from_slice(body).ok();
        let field = |name: &str| {
            json.as_ref()?.get(name)?.as_str().filter(|t| !t.is_empty()).map(str::to_owned)
        };
        let message =
            field("message").or_else(|| field("error")).unwrap_or_else(|| first_line(&text));
        let status_word = field("status").filter(|word| word != "error");
        let capacity = capacity(status, status_word.as_deref(), &message);
        let retry_after = retry_after(headers);
        Self {
            status,
            code: ErrorCode::parse(&message),
            capacity,
            lease: lease(&message),
            status_word,
            message,
            retry_after,
            body: text,
        }
    }
}

/// `Retry-After` in either form of RFC 9110: seconds, or a date, which is compared with the answer's own `Date`.
fn retry_after(headers: &HeaderMap) -> Option<std::time::Duration> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let asked = text(http::header::RETRY_AFTER)?;
    if let Ok(seconds) = asked.parse() {
        return Some(std::time::Duration::from_secs(seconds));
    }
    let instant = |text| jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok();
    let until: jiff::Timestamp = instant(asked)?;
    // A moment that has passed asks for no wait.
    Some(until.duration_since(instant(text(http::header::DATE)?)?).try_into().unwrap_or_default())
}

fn first_line(text: &str) -> String {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("(empty body)");
    line.chars().take(200).collect()
}

fn capacity(status: u16, word: Option<&str>, message: &str) -> Option<CapacityScope> {
    match word {
        Some("insufficient_capacity") => return Some(CapacityScope::Region),
        Some("volume_placement_capacity") => return Some(CapacityScope::VolumePlacement),
        Some(word) if word != "unknown" => return None,
        _ => {}
    }
    let has = |part: &str| message.contains(part);
    match status {
        409 if has("could not reserve resource for machine") => Some(CapacityScope::Host),
        409 if has("insufficient resources available")
            || has("insufficient IPs available")
            || has("no capacity") =>
        {
            Some(CapacityScope::Region)
        }
        412 if has("insufficient resources to create new machine with existing volume") => {
            Some(CapacityScope::VolumePlacement)
        }
        400 if message == "no capacity" => Some(CapacityScope::Region),
        422 if has("could not find a candidate host") => Some(CapacityScope::Region),
        503 if has("deploys to this host are temporarily disabled") => Some(CapacityScope::Host),
        503 if has("out of capacity") => Some(CapacityScope::Region),
        _ => None,
    }
}

fn lease(message: &str) -> Option<LeaseConflict> {
    let (_, rest) = message.split_once("lease currently held by ")?;
    let (owner, expires) = rest.split_once(", expires at ")?;
    Some(LeaseConflict { owner: owner.to_owned(), expires_at: expires.trim().to_owned() })
}

impl ApiError {
    /// The error status, if there was an answer with one.
    pub fn status(&self) -> Option<u16> {
        match &self.kind {
            ErrorKind::Status(error) => Some(error.status),
            _ => None,
        }
    }

    /// The thing asked for does not exist (for REST: 404; for GraphQL: `NOT_FOUND` or its text).
    pub fn is_not_found(&self) -> bool {
        match &self.kind {
            ErrorKind::Status(error) => error.status == 404,
            ErrorKind::GraphQl { message, code } => {
                code.as_deref() == Some("NOT_FOUND") || message.contains("Could not find")
            }
            _ => false,
        }
    }

    /// The token is missing, wrong, expired or not enough.
    pub fn is_denied(&self) -> bool {
        match &self.kind {
            ErrorKind::Status(error) => matches!(error.status, 401 | 403),
            ErrorKind::GraphQl { code, .. } => {
                matches!(code.as_deref(), Some("UNAUTHORIZED" | "UNAUTHENTICATED"))
            }
            ErrorKind::NoToken => true,
            _ => false,
        }
    }

    /// Too many requests.
    pub fn is_rate_limited(&self) -> bool {
        self.status() == Some(429)
    }

    /// Somebody holds the lease.
    pub fn is_lease_held(&self) -> bool {
        matches!(&self.kind, ErrorKind::Status(error) if error.lease.is_some())
    }

    /// The time was not enough.
    pub fn is_timeout(&self) -> bool {
        use net::ErrorKind as Net;
        match &self.kind {
            ErrorKind::Deadline => true,
            ErrorKind::Transport(error) => {
                matches!(error.kind(), Net::AnswerTimeout | Net::BodyTimeout | Net::ConnectTimeout)
            }
            _ => false,
        }
    }

    /// What to do next, in a sentence.
    pub fn hint(&self) -> Option<String> {
        let hint = match &self.kind {
            ErrorKind::NoToken => "set FLY_API_TOKEN, or run `fly auth login`",
            ErrorKind::Status(error) => match error.status {
                401 => {
                    "the token is wrong, expired or revoked: run `fly auth login`, or make one with `fly tokens create readonly`"
                }
                403 => "the token may not do this, or the app belongs to another organization",
                404 => "check the name with `fly apps list`",
                429 => "the platform limits requests per action and Machine; wait a minute",
                _ => {
                    return error.lease.as_ref().map(|lease| {
                        format!("wait until {} or ask {} to finish", lease.expires_at, lease.owner)
                    });
                }
            },
            ErrorKind::Transport(error) => match error.kind() {
                net::ErrorKind::Dns => "check the name server of this machine",
                net::ErrorKind::Tls => {
                    "check the clock, and whether a proxy replaces certificates (--ca-file)"
                }
                net::ErrorKind::ConnectRefused
                | net::ErrorKind::Connect
                | net::ErrorKind::ConnectTimeout => {
                    "check the network of this machine and https://status.flyio.net"
                }
                _ => return None,
            },
            ErrorKind::GraphQl { .. } if self.is_denied() => {
                "the token may not read this; `fly tokens create readonly` makes one that may"
            }
            ErrorKind::GraphQl { .. } if self.is_not_found() => {
                "check the name with `fly apps list`"
            }
            _ => return None,
        };
        Some(hint.to_owned())
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} failed", self.call.method, self.call.url_template)?;
        match &self.kind {
            ErrorKind::Transport(_) => Ok(()),
            ErrorKind::Status(error) => write!(f, " with {}: {}", error.status, error.message),
            ErrorKind::Decode { path, message } => {
                write!(f, ": unreadable answer at {path}: {message}")
            }
            ErrorKind::GraphQl { message, .. } => write!(f, ": {message}"),
            ErrorKind::Deadline => {
                write!(f, ": no time left after {} attempt(s)", self.call.attempts)
            }
            ErrorKind::NoToken => write!(f, ": no access token"),
        }?;
        match &self.call.request_id {
            Some(id) => write!(f, " (request id {id})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for ApiError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            ErrorKind::Transport(error) => Some(error),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(status: u16, body: &str) -> StatusError {
        StatusError::new(status, &HeaderMap::new(), body.as_bytes())
    }

    #[test]
    fn the_catalogue_of_real_texts() {
        use CapacityScope::{Host, Region, VolumePlacement};
        for (status, body, scope) in [
            (
                409,
                r#"{"error":"aborted: could not reserve resource for machine: insufficient memory available to fulfill request"}"#,
                Some(Host),
            ),
            (
                409,
                r#"{"error":"aborted: insufficient resources available to fulfill request: x"}"#,
                Some(Region),
            ),
            (409, r#"{"error":"aborted: no capacity"}"#, Some(Region)),
            (409, r#"{"error":"aborted: machine update failed due to concurrent update"}"#, None),
            (
                412,
                r#"{"error":"insufficient resources to create new machine with existing volume (id) 'vol_x'","status":"volume_placement_capacity"}"#,
                Some(VolumePlacement),
            ),
            (
                412,
                r#"{"error":"insufficient resources to create new machine with existing volume 'vol_x'"}"#,
                Some(VolumePlacement),
            ),
            (
                422,
                r#"{"error":"could not find a candidate host","status":"insufficient_capacity"}"#,
                Some(Region),
            ),
            (
                422,
                r#"{"error":"Validation failed: Name has already been taken","status":"name_taken"}"#,
                None,
            ),
            (
                503,
                r#"{"error":"unavailable: deploys to this host are temporarily disabled"}"#,
                Some(Host),
            ),
            (400, r#"{"error":"no capacity"}"#, Some(Region)),
        ] {
            assert_eq!(parse(status, body).capacity, scope, "{body}");
        }
    }

    #[test]
    fn retry_after_in_seconds_and_as_a_date() {
        let date = "Wed, 25 Nov 2026 08:00:00 GMT";
        for (asked, now, expected) in [
            (" 7 ", None, Some(7)),
            ("0", None, Some(0)),
            ("Wed, 25 Nov 2026 08:01:30 GMT", Some(date), Some(90)),
            ("Wed, 25 Nov 2026 07:00:00 GMT", Some(date), Some(0)),
            ("Wed, 25 Nov 2026 08:01:30 GMT", None, None),
            ("soon", Some(date), None),
            ("-1", Some(date), None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(http::header::RETRY_AFTER, asked.parse().unwrap());
            if let Some(now) = now {
                headers.insert(http::header::DATE, now.parse().unwrap());
            }
            let seconds =
                StatusError::new(429, &headers, b"").retry_after.map(|wait| wait.as_secs());
            assert_eq!(seconds, expected, "{asked}");
        }
    }

    #[test]
    fn every_recorded_error_is_understood() {
        use CapacityScope::{Host, Region, VolumePlacement};
        use ErrorCode::{Aborted, AlreadyExists};
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../fly-types/tests/fixtures/recorded");
        // File, status, word before the colon, `status` word of the body, scope of a lack of capacity, somebody's lease.
        let rows = [
            ("400-eof-missing-body", 400, None, None, None, false),
            ("403-unauthorized-other-app", 403, None, None, None, false),
            ("409-concurrent-update", 409, Some(Aborted), None, None, false),
            ("409-create-path-memory", 409, Some(Aborted), None, Some(Region), false),
            ("409-insufficient-cpus-current-host", 409, Some(Aborted), None, Some(Host), false),
            ("409-insufficient-ips", 409, Some(Aborted), None, Some(Region), false),
            ("409-insufficient-memory-production", 409, Some(Aborted), None, Some(Host), false),
            ("409-no-capacity", 409, Some(Aborted), None, Some(Region), false),
            (
                "412-volume-placement-capacity",
                412,
                None,
                Some("volume_placement_capacity"),
                Some(VolumePlacement),
                false,
            ),
            ("412-volume-placement-production", 412, None, None, Some(VolumePlacement), false),
            (
                "422-insufficient-capacity",
                422,
                None,
                Some("insufficient_capacity"),
                Some(Region),
                false,
            ),
            ("422-name-taken", 422, None, Some("name_taken"), None, false),
            ("app-not-found", 404, None, None, None, false),
            ("invalid-machine-id", 400, None, None, None, false),
            ("lease-conflict-enveloped-2022", 409, None, None, None, true),
            ("machine-name-taken-409", 409, Some(AlreadyExists), None, None, false),
            ("not-found-plain", 404, None, None, None, false),
        ];
        let recorded = std::fs::read_dir(folder).unwrap();
        let recorded = recorded.filter(|entry| {
            entry.as_ref().unwrap().file_name().to_string_lossy().starts_with("error-")
        });
        assert_eq!(recorded.count(), rows.len(), "a recording was added or lost");
        for (name, status, code, word, capacity, lease) in rows {
            let extension = if name == "not-found-plain" { "txt" } else { "json" };
            let body = std::fs::read(format!("{folder}/error-{name}.{extension}")).unwrap();
            let error = StatusError::new(status, &HeaderMap::new(), &body);
            assert!(!error.message.is_empty() && !error.message.contains('{'), "{name}: {error:?}");
            assert_eq!(error.code, code, "{name}");
            assert_eq!(error.status_word.as_deref(), word, "{name}");
            assert_eq!(error.capacity, capacity, "{name}");
            assert_eq!(error.lease.is_some(), lease, "{name}");
        }
    }

    #[test]
    fn words_leases_and_bodies_that_are_not_json() {
        let held = parse(
            409,
            r#"{"error":"aborted: machine ID 148e lease currently held by a@b.c, expires at 2026-08-01T00:00:00Z"}"#,
        );
        assert_eq!(held.code, Some(ErrorCode::Aborted));
        assert_eq!(held.lease.unwrap().owner, "a@b.c");
        let old = parse(
            409,
            r#"{"status":"error","message":"lease currently held by x, expires at y","code":"invalid"}"#,
        );
        assert_eq!(old.lease.unwrap().expires_at, "y");
        let html = parse(502, "<html>\n<h1>Bad gateway</h1>");
        assert_eq!(html.message, "<html>");
        assert_eq!(parse(500, "").message, "(empty body)");
    }
}
