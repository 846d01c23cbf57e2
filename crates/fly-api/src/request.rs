//! Requests as data: what to send, where, how often it may be tried, which rate limit it counts against.
//!
//! Pure: building a request reads no clock, no token, no configuration, so every builder is tested as a function.

use std::time::Duration;

use http::Method;
use serde::Serialize;

/// Which host and which token rule a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Target {
    /// Machines REST.
    Machines,
    /// GraphQL.
    GraphQl,
    /// Web REST.
    Web,
    /// Logs over HTTP.
    Logs,
    /// Metrics.
    Metrics,
    /// The public incident list; no token.
    Incidents,
    /// The public status page; no token.
    Status,
}

/// What repeating a request would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Reads only.
    Safe,
    /// Repeating it ends in the same state.
    Idempotent,
    /// Repeating it is safe only under a condition that the request itself carries.
    Conditional,
    /// Repeating it may do it twice.
    Unsafe,
}

/// The platform's "action": half of the key of a rate limit. The other half is the Machine, app or organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each name says which call it is")]
pub enum Action {
    AppList,
    AppGet,
    AppCreate,
    AppDelete,
    MachineList,
    MachineGet,
    MachineCreate,
    MachineUpdate,
    MachineDelete,
    MachineStart,
    MachineStop,
    MachineSuspend,
    MachineRestart,
    MachineSignal,
    MachineCordon,
    MachineUncordon,
    MachineWait,
    MachineExec,
    MachineEvents,
    MachineProcesses,
    MachineVersions,
    MachineMetadataGet,
    MachineMetadataSet,
    LeaseGet,
    LeaseSet,
    VolumeList,
    VolumeGet,
    VolumeCreate,
    VolumeUpdate,
    VolumeExtend,
    VolumeDelete,
    SnapshotList,
    SnapshotCreate,
    SecretList,
    SecretSet,
    CertificateList,
    CertificateGet,
    CertificateAdd,
    CertificateCheck,
    CertificateDelete,
    IpList,
    IpCreate,
    IpDelete,
    OrgMachineList,
    OrgVolumeList,
    RegionList,
    Placement,
    TokenCurrent,
    TokenCreate,
    GraphQlQuery,
    GraphQlMutation,
    Web,
    Logs,
    Metrics,
    Public,
}

/// One request, complete but for host and token. Made only in this crate: whoever holds a reading client cannot make up
/// a change.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Request {
    /// The method.
    pub method: Method,
    /// Where it goes.
    pub target: Target,
    /// The path with placeholders, for records and messages.
    pub template: &'static str,
    /// The path, percent-encoded.
    pub path: String,
    /// The query, in order, not yet encoded.
    pub query: Vec<(String, String)>,
    /// The JSON body.
    pub body: Option<Body>,
    /// Lease nonce to send along.
    pub nonce: Option<fly_types::wire::Sensitive<String>>,
    /// What repeating it would do.
    pub class: Class,
    /// Which rate limit it counts against.
    pub action: Action,
    /// The Machine, app or organization of the rate limit.
    pub subject: String,
    /// Time limit of one attempt.
    pub timeout: Duration,
    /// How often it is tried at most; `None` takes the client's policy.
    pub max_attempts: Option<u32>,
}

/// A JSON body. Debug shows only its size: a body may hold secrets.
#[derive(Clone, PartialEq)]
pub struct Body(pub(crate) bytes::Bytes);

impl Body {
    /// The bytes that will be sent.
    pub fn bytes(&self) -> &bytes::Bytes {
        &self.0
    }
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Body({} bytes)", self.0.len())
    }
}

/// Time limit of ordinary calls.
pub(crate) const READ_TIMEOUT: Duration = Duration::from_secs(30);

impl Request {
    /// A read: GET, safe.
    pub(crate) fn get(
        target: Target,
        template: &'static str,
        values: &[&str],
        action: Action,
        subject: impl Into<String>,
    ) -> Self {
        Self::new(Method::GET, target, template, values, Class::Safe, action, subject)
    }

    /// Any request; the placeholders of the template are filled in order, each value percent-encoded.
    pub(crate) fn new(
        method: Method,
        target: Target,
        template: &'static str,
        values: &[&str],
        class: Class,
        action: Action,
        subject: impl Into<String>,
    ) -> Self {
        Self {
            method,
            target,
            template,
            path: fill(template, values),
            query: Vec::new(),
            body: None,
            nonce: None,
            class,
            action,
            subject: subject.into(),
            timeout: READ_TIMEOUT,
            max_attempts: None,
        }
    }

    /// Adds a query parameter.
    #[must_use]
    pub(crate) fn query(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.query.push((key.into(), value.into()));
        self
    }

    /// Adds a query parameter when there is a value.
    #[must_use]
    pub(crate) fn maybe_query(self, key: &str, value: Option<impl Into<String>>) -> Self {
        match value {
            Some(value) => self.query(key, value),
            None => self,
        }
    }

    /// Sets the JSON body.
    #[must_use]
    pub(crate) fn json(mut self, body: &impl Serialize) -> Self {
        // Our own bodies are maps with text keys, which always encode.
        self.body = serde_json::to_vec(body).ok().map(|bytes| Body(bytes.into()));
        self
    }

    /// Sets the time limit of one attempt.
    #[must_use]
    pub(crate) fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The path of the template with the target's host left out, e.g. `GET /v1/apps/{app}`.
    pub fn title(&self) -> String {
        format!("{} {}", self.method, self.template)
    }
}

fn fill(template: &'static str, values: &[&str]) -> String {
    let mut path = String::with_capacity(template.len() + 16);
    let mut values = values.iter();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        path.push_str(before);
        encode_segment(values.next().copied().unwrap_or_default(), &mut path);
        rest = after.split_once('}').map_or("", |(_, after)| after);
    }
    path.push_str(rest);
    path
}

/// Encodes everything but unreserved characters, so that a value can never leave its place in the path. A value made
/// of dots only would be removed as a path step even when encoded, so its dots are spelled in a way that no server
/// takes for a step.
fn encode_segment(value: &str, path: &mut String) {
    let dots = !value.is_empty() && value.bytes().all(|byte| byte == b'.');
    for byte in value.bytes() {
        match byte {
            b'.' if dots => path.push_str("%252E"),
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                path.push(char::from(byte));
            }
            _ => {
                path.push('%');
                path.push(char::from(b"0123456789ABCDEF"[usize::from(byte >> 4)]));
                path.push(char::from(b"0123456789ABCDEF"[usize::from(byte & 15)]));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_cannot_leave_their_place() {
        for (value, path) in [
            ("shop", "/v1/apps/shop/machines"),
            ("a/b?c#d", "/v1/apps/a%2Fb%3Fc%23d/machines"),
            ("*.example.com", "/v1/apps/%2A.example.com/machines"),
            ("..", "/v1/apps/%252E%252E/machines"),
            ("é", "/v1/apps/%C3%A9/machines"),
        ] {
            assert_eq!(fill("/v1/apps/{app}/machines", &[value]), path);
        }
    }
}
