//! What a world says beyond the platform's own records: metrics, DNS answers, what the edge answers, and what a user
//! would hand in.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde::Deserialize;
use toml::Spanned;

use super::file::defaults;
use super::moment::{Moment, de_duration};

/// One series of an app.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MetricFile {
    pub(crate) name: String,
    /// Id or name of the Machine; its `instance` and `region` labels follow.
    pub(crate) machine: Option<Spanned<String>>,
    #[serde(default)]
    pub(crate) labels: BTreeMap<String, String>,
    /// The same value at all times.
    pub(crate) value: Option<f64>,
    /// (time, value), straight lines between them; the last value lasts.
    #[serde(default)]
    pub(crate) points: Vec<(Moment, f64)>,
}

/// Records of one name. Names of the world's apps need none: they follow from the apps' addresses.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DnsFile {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) a: Vec<std::net::Ipv4Addr>,
    #[serde(default)]
    pub(crate) aaaa: Vec<std::net::Ipv6Addr>,
    pub(crate) cname: Option<String>,
    #[serde(default)]
    pub(crate) txt: Vec<String>,
    /// `letsencrypt.org`: only that authority may issue.
    #[serde(default)]
    pub(crate) caa: Vec<String>,
    #[serde(default)]
    pub(crate) ns: Vec<String>,
    /// `NXDOMAIN`, `SERVFAIL` or `REFUSED` instead of records; `DROP` answers nothing.
    pub(crate) fails: Option<DnsFailure>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum DnsFailure {
    Nxdomain,
    Servfail,
    Refused,
    Drop,
}

/// What the edge answers for a host name, instead of what follows from the app's state.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EdgeFile {
    /// Host name; absent: all of the app.
    pub(crate) host: Option<String>,
    /// Beginning of the path.
    #[serde(default = "root")]
    pub(crate) path: String,
    #[serde(default = "two_hundred")]
    pub(crate) status: u16,
    #[serde(default)]
    pub(crate) body: String,
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    #[serde(default, deserialize_with = "de_some_duration")]
    pub(crate) delay: Option<SignedDuration>,
    /// What happens to connections.
    #[serde(default)]
    pub(crate) connection: EdgeConnection,
    /// Only every n-th request or handshake is hit.
    #[serde(default = "one")]
    pub(crate) every: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EdgeConnection {
    #[default]
    Answers,
    /// The TLS handshake is refused: no certificate for the name.
    NoCertificate,
    /// The connection is closed in the TLS handshake.
    ResetTls,
    /// A certificate that ended yesterday.
    Expired,
    /// Requests never get an answer.
    Hangs,
}

/// Something that only the user has: output of a build, of flyctl, of a provider.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HandedIn {
    /// Name of the file, such as `flyctl.log`, `ci.log`, `fly.toml`.
    pub name: String,
    /// Its text.
    pub text: String,
}

fn de_some_duration<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<SignedDuration>, D::Error> {
    de_duration(deserializer).map(Some)
}

defaults! {
    root: String = "/";
    two_hundred: u16 = 200_u16;
    one: u64 = 1_u64;
}
