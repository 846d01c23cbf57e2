//! Room in regions, as world files and the control routes write it.

use serde::Deserialize;
use toml::Spanned;

use super::file::{Region, defaults};

/// One `[[regions]]` table. What is absent stays as it is (at the start: without limit).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RegionFile {
    pub(crate) code: Spanned<Region>,
    #[serde(flatten)]
    pub(crate) room: RoomFile,
}

/// How much fits into a region.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct RoomFile {
    /// How many more Machines fit.
    pub(crate) machines: Option<u64>,
    /// How many more volumes fit.
    pub(crate) volumes: Option<u64>,
    /// Hardware groups among which volumes with `require_unique_zone` are spread.
    pub(crate) zones: Option<u64>,
    /// Volumes made without a `compute` hint land on hosts where no Machine fits.
    pub(crate) full_volume_hosts: Option<bool>,
    /// Which of the known answers a Machine without room gets.
    pub(crate) says: Option<NoRoom>,
}

/// The spellings in which the platform refuses a Machine for lack of room in a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum NoRoom {
    /// 422 `could not find a candidate host`, with the `insufficient_capacity` word.
    #[default]
    Candidate,
    /// 409 `aborted: insufficient resources available to fulfill request`.
    Aborted,
    /// 503 `out of capacity`, with the `insufficient_capacity` word.
    OutOfCapacity,
}

/// What an app writes on its volume while its Machine runs.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WriterFile {
    /// File below the mount that gets a line.
    #[serde(default = "journal")]
    pub(crate) file: String,
    /// Time between two lines.
    #[serde(deserialize_with = "super::moment::de_duration")]
    pub(crate) every: jiff::SignedDuration,
}

/// Nodes of a LiteFS cluster are the Machines that mount a volume at `mount` and run their app. The primary is a running node whose
/// `PRIMARY_REGION` is the region where it is, for as long as it is both; the others follow it. Whatever the primary has wins.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LiteFsFile {
    /// Where nodes mount their volume. The database is a file of that name on it.
    #[serde(default = "data")]
    pub(crate) mount: String,
    /// Where the replicated folder is seen: the database, its `-pos` file, and on followers `.primary`.
    #[serde(default = "litefs")]
    pub(crate) folder: String,
    #[serde(default = "database")]
    pub(crate) database: String,
    /// How long after its start a follower needs to have what the primary has.
    #[serde(default = "two_seconds", deserialize_with = "super::moment::de_duration")]
    pub(crate) catch_up: jiff::SignedDuration,
    /// The primary adds a line so often, as long as the proxy sends traffic to any node; absent: never.
    #[serde(default, deserialize_with = "de_some_duration")]
    pub(crate) write_every: Option<jiff::SignedDuration>,
}

fn de_some_duration<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<jiff::SignedDuration>, D::Error> {
    super::moment::de_duration(deserializer).map(Some)
}

fn two_seconds() -> jiff::SignedDuration {
    jiff::SignedDuration::from_secs(2)
}

defaults! {
    journal: String = "journal";
    data: String = "/var/lib/litefs";
    litefs: String = "/litefs";
    database: String = "app.db";
}
