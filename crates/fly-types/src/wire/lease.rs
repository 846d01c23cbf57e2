//! Leases on Machines.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::{Sensitive, body};

body! {
    /// A lease. Times are seconds since 1970.
    Lease {
        /// The proof of ownership, so never printed. Only sent to the holder.
        nonce: Sensitive<String>,
        expires_at: i64,
        /// An e-mail address or `<uuid>@tokens.fly.io`.
        owner: String,
        description: String,
        /// The Machine's version when the lease was taken.
        version: String,
    }
}

body! {
    /// The lease as shown inside a Machine (`include_leases`); without nonce.
    MachineLease {
        owner: String,
        expires_at: i64,
        description: String,
    }
}

body! {
    /// The envelope around a lease.
    LeaseEnvelope {
        status: String,
        data: Lease,
        message: String,
        code: String,
    }
}

/// Answer of the lease calls: in an envelope, as the service does, or flat, as the OpenAPI document says.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum LeaseAnswer {
    /// `{"status":"success","data":{…}}`.
    Enveloped(Box<LeaseEnvelope>),
    /// The lease itself.
    Flat(Box<Lease>),
}

impl LeaseAnswer {
    /// The lease inside.
    pub fn lease(&self) -> Option<&Lease> {
        match self {
            Self::Enveloped(envelope) => envelope.data.get(),
            Self::Flat(lease) => Some(lease),
        }
    }

    /// The lease itself.
    pub fn into_lease(self) -> Option<Lease> {
        match self {
            Self::Enveloped(envelope) => envelope.data.into_value(),
            Self::Flat(lease) => Some(*lease),
        }
    }
}

impl<'de> Deserialize<'de> for LeaseAnswer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let enveloped = value.get("data").is_some()
            || (value.get("status").is_some() && value.get("nonce").is_none());
        if enveloped {
            serde_json::from_value(value).map(|envelope| Self::Enveloped(Box::new(envelope)))
        } else {
            serde_json::from_value(value).map(|lease| Self::Flat(Box::new(lease)))
        }
        .map_err(serde::de::Error::custom)
    }
}
