//! Metrics: an instant query of the organization's Prometheus (machines-api reference, section 11).

use std::collections::BTreeMap;

use fly_types::OrgSlug;
use serde::Deserialize;

use crate::call::Fetched;
use crate::client::Client;
use crate::error::ApiError;
use crate::request::{Action, Request, Target};

/// The newest value of one series.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Its labels: `app`, `region`, `host`, `instance` (the Machine).
    pub labels: BTreeMap<String, String>,
    /// The value.
    pub value: f64,
}

#[derive(Deserialize)]
struct Reply {
    #[serde(default)]
    data: Data,
}

#[derive(Default, Deserialize)]
struct Data {
    #[serde(default)]
    result: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    #[serde(default)]
    metric: BTreeMap<String, String>,
    /// Seconds since 1970, and the value as text.
    value: (f64, String),
}

impl Client {
    /// `GET /prometheus/{org}/api/v1/query`. Stopped Machines have no series: an empty answer is not zero. Values are up
    /// to about 30 seconds old.
    pub async fn metrics(
        &self,
        org: &OrgSlug,
        query: &str,
    ) -> Result<Fetched<Vec<Sample>>, ApiError> {
        let request = Request::get(
            Target::Metrics,
            "/prometheus/{org}/api/v1/query",
            &[org.as_str()],
            Action::Metrics,
            org.as_str(),
        )
        .maybe_query("query", Some(query));
        let fetched: Fetched<Reply> = self.send(request).await?;
        Ok(fetched.map(|reply| {
            let sample = |row: Row| {
                row.value.1.parse().ok().map(|value| Sample { labels: row.metric, value })
            };
            reply.data.result.into_iter().filter_map(sample).collect()
        }))
    }
}
