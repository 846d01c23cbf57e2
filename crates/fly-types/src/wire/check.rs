//! Health checks: their configuration in a Machine and their last result.

use super::{WireTime, body, open_enum};
use crate::duration::GoDuration;

open_enum! {
    /// Last result of a health check.
    CheckState {
        Passing = "passing",
        Warning = "warning",
        Critical = "critical",
    }
}

open_enum! {
    /// How a check asks.
    CheckType {
        Tcp = "tcp",
        Http = "http",
    }
}

open_enum! {
    /// Whether a failing top-level check takes the Machine out of the proxy's pool.
    CheckKind {
        /// Only reports. The default.
        Informational = "informational",
        Readiness = "readiness",
    }
}

body! {
    /// Last result of one health check.
    CheckStatus {
        /// Service checks are named `servicecheck-<nn>-<type>-<port>`.
        name: String,
        status: CheckState,
        output: String,
        updated_at: WireTime,
    }
}

impl CheckStatus {
    /// True for rows that the platform inserts for old flyctl versions and that say nothing about the Machine.
    pub fn is_compatibility_row(&self) -> bool {
        self.name.text().is_some_and(|name| name.starts_with("bg_deployments_compat"))
    }
}

body! {
    /// A top-level health check of a Machine configuration.
    Check {
        #[serde(rename = "type")]
        check_type: CheckType,
        kind: CheckKind,
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

body! {
    /// A header that a check sends.
    HttpHeader {
        name: String,
        values: Vec<String>,
    }
}
