//! Services of a Machine: what the Fly proxy sends to it.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::{CheckType, HttpHeader, body};
use crate::duration::GoDuration;

/// What the proxy does with a Machine that it does not need. Sent as a text or, in older and in most current
/// answers, as a bool (`false` = off, `true` = stop); re-encodes in the form in which it was received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Autostop {
    /// Leave it running. Text form.
    Off,
    /// Stop it. Text form.
    Stop,
    /// Suspend it. Always a text.
    Suspend,
    /// The bool form: `true` stands for stop, `false` for off.
    Bool(bool),
    /// A word that this library does not know, as received.
    Other(String),
}

impl Autostop {
    /// The word that fly.toml uses today: `off`, `stop`, `suspend` or the unknown word.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Off | Self::Bool(false) => "off",
            Self::Stop | Self::Bool(true) => "stop",
            Self::Suspend => "suspend",
            Self::Other(word) => word,
        }
    }
}

impl fmt::Display for Autostop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Autostop {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Bool(value) => serializer.serialize_bool(*value),
            word => serializer.serialize_str(word.as_str()),
        }
    }
}

impl<'de> Deserialize<'de> for Autostop {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Autostop;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a bool or one of off, stop, suspend")
            }

            fn visit_bool<E>(self, value: bool) -> Result<Autostop, E> {
                Ok(Autostop::Bool(value))
            }

            fn visit_str<E>(self, text: &str) -> Result<Autostop, E> {
                Ok(match text {
                    "off" => Autostop::Off,
                    "stop" => Autostop::Stop,
                    "suspend" => Autostop::Suspend,
                    other => Autostop::Other(other.to_owned()),
                })
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

body! {
    /// One service of a Machine.
    Service {
        protocol: String,
        internal_port: i64,
        ports: Vec<Port>,
        autostop: Autostop,
        autostart: bool,
        /// Counted in the primary region only.
        min_machines_running: i64,
        concurrency: Concurrency,
        checks: Vec<ServiceCheck>,
        /// Always sent, as null.
        force_instance_key: String,
        force_instance_description: String,
    }
}

body! {
    /// A port or range of ports on which the proxy listens.
    Port {
        port: i64,
        start_port: i64,
        end_port: i64,
        /// `http`, `tls`, `pg_tls`, `proxy_proto`.
        handlers: Vec<String>,
        force_https: bool,
        http_options: HttpOptions,
        tls_options: TlsOptions,
        proxy_proto_options: ProxyProtoOptions,
    }
}

body! {
    /// HTTP behavior of the proxy for a port. Timeouts are in seconds.
    HttpOptions {
        compress: bool,
        h2_backend: bool,
        idle_timeout: i64,
        headers_read_timeout: i64,
        response: HttpResponseOptions,
        replay_cache: Vec<ReplayCache>,
    }
}

body! {
    /// Headers that the proxy sets.
    HttpResponseOptions {
        headers: BTreeMap<String, Value>,
        pristine: bool,
    }
}

body! {
    /// Caching of `fly-replay` answers.
    ReplayCache {
        path_prefix: String,
        ttl_seconds: i64,
        #[serde(rename = "type")]
        cache_type: String,
        name: String,
        allow_bypass: bool,
    }
}

body! {
    /// TLS behavior of the proxy for a port.
    TlsOptions {
        alpn: Vec<String>,
        versions: Vec<String>,
        default_self_signed: bool,
    }
}

body! {
    /// PROXY protocol version sent to the Machine.
    ProxyProtoOptions {
        version: String,
    }
}

body! {
    /// How much the proxy sends to one Machine at once.
    Concurrency {
        /// `connections` or `requests`.
        #[serde(rename = "type")]
        concurrency_type: String,
        soft_limit: i64,
        hard_limit: i64,
    }
}

body! {
    /// A health check of a service. A failing one takes the Machine out of the pool.
    ServiceCheck {
        #[serde(rename = "type")]
        check_type: CheckType,
        port: i64,
        interval: GoDuration,
        timeout: GoDuration,
        grace_period: GoDuration,
        method: String,
        path: String,
        protocol: String,
        tls_skip_verify: bool,
        tls_server_name: String,
        headers: Vec<HttpHeader>,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn autostop_keeps_its_form() {
        for (json, word) in [
            ("true", "stop"),
            ("false", "off"),
            ("\"suspend\"", "suspend"),
            ("\"off\"", "off"),
            ("\"nap\"", "nap"),
        ] {
            let autostop: Autostop = serde_json::from_str(json).unwrap();
            assert_eq!(autostop.as_str(), word);
            assert_eq!(serde_json::to_string(&autostop).unwrap(), json);
        }
    }
}
