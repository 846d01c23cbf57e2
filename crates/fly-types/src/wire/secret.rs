//! App secrets.

use std::collections::BTreeMap;

use super::{Sensitive, WireTime, body};

body! {
    /// A secret: name and digest, hardly ever the value.
    Secret {
        name: String;
        digest: String,
        /// Only with `show_secrets` and the right to it. Never printed.
        value: Sensitive<String>,
        created_at: WireTime,
        updated_at: WireTime,
        version: i64,
        /// Deprecated spelling of `version`.
        #[serde(rename = "Version")]
        version_capital: i64,
    }
}

body! {
    /// Answer of `GET …/secrets`.
    SecretList {
        secrets: Vec<Secret>,
    }
}

body! {
    /// Body of `POST …/secrets`; null deletes.
    SecretsUpdate {
        values: Sensitive<BTreeMap<String, Option<String>>>,
    }
}

body! {
    /// Answer of secret changes.
    SecretsUpdated {
        secrets: Vec<Secret>,
        version: i64,
        /// Deprecated spelling of `version`.
        #[serde(rename = "Version")]
        version_capital: i64,
    }
}
