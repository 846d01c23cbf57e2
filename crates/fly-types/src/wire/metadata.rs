//! Metadata of a Machine.

use std::collections::BTreeMap;

use super::{WireTime, body};

/// Answer of `GET …/metadata`: every key of one Machine.
pub type Metadata = BTreeMap<String, String>;

body! {
    /// Body of `PUT` (replaces) and `PATCH` (merges; null removes) of `…/metadata`.
    MetadataUpdate {
        metadata: BTreeMap<String, Option<String>>,
        machine_version: String,
        updated_at: WireTime,
    }
}

body! {
    /// One value: answer of `GET …/metadata/{key}` and body of its `POST`.
    MetadataValue {
        value: String,
        updated_at: WireTime,
    }
}
