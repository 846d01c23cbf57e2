//! Scripted faults as world files write them. How they are done to a connection is the server's business.

use jiff::SignedDuration;
use serde::Deserialize;

use super::moment::de_duration;

/// One `[[faults]]` table.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FaultFile {
    /// Name by which it is switched on and off while the simulation runs.
    #[serde(default)]
    pub(crate) name: String,
    /// Method, or `*`; with `!` before it, every other method.
    #[serde(default = "any")]
    pub(crate) method: String,
    /// Path pattern: `*` stands for one segment, a final `**` for the rest.
    pub(crate) path: String,
    /// Root field of a GraphQL request (its name or alias): narrows a fault on `/graphql`.
    pub(crate) graphql: Option<String>,
    /// Number of the first matching call that is hit, counted from 1.
    #[serde(default = "one")]
    pub(crate) from: u64,
    /// How many calls are hit; absent: all that follow.
    pub(crate) count: Option<u64>,
    /// Whether it is switched on at the start.
    #[serde(default = "yes")]
    pub(crate) on: bool,
    pub(crate) effect: EffectKind,
    /// For `latency`: how much later the answer comes.
    #[serde(default, deserialize_with = "de_some_duration")]
    pub(crate) delay: Option<SignedDuration>,
    /// For `status`.
    pub(crate) status: Option<u16>,
    /// For `status`: the body, by default the platform's usual one for that status.
    pub(crate) body: Option<String>,
    /// For `status`: value of a `Retry-After` header, in seconds.
    pub(crate) retry_after: Option<u64>,
    /// For `cut_body`: bytes of the body that still arrive.
    #[serde(default)]
    pub(crate) after: usize,
}

/// What happens to a call that is hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EffectKind {
    /// The answer comes later.
    Latency,
    /// Another answer; the request has no effect.
    Status,
    /// The connection ends after some bytes of the body.
    CutBody,
    /// No answer ever comes.
    Hang,
    /// The request takes effect, then the connection ends without an answer.
    LostReply,
    /// The request takes effect, and no answer ever comes.
    Silent,
    /// The connection ends at once; the request has no effect.
    Refuse,
    /// Status 200 with bytes that are no JSON.
    Garbage,
}

fn de_some_duration<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<SignedDuration>, D::Error> {
    de_duration(deserializer).map(Some)
}

fn any() -> String {
    "*".to_owned()
}

fn one() -> u64 {
    1
}

fn yes() -> bool {
    true
}
