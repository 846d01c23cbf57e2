//! Arguments of `fly-migrate volume`.

use std::path::PathBuf;

use findings::Severity;
use fly_types::{MachineId, RegionCode, VolumeId};

use super::job::HELPER_IMAGE;

/// What can be done with volumes.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Make an empty volume where its Machine is, and see that it can be mounted
    Add {
        /// Name, as in [[mounts]] of fly.toml
        name: String,
        /// Size in GB
        #[arg(long, value_name = "GB")]
        size: i64,
        /// Where
        #[arg(long, value_name = "REGION", required_unless_present = "machine")]
        region: Option<RegionCode>,
        /// A Machine like the one that will use it: its region, and a host with room for its size
        #[arg(long = "for", value_name = "MACHINE", id = "machine")]
        machine: Option<MachineId>,
        /// How it is planned and approved.
        #[command(flatten)]
        run: RunArgs,
    },
    /// Say why a volume is not found, and what is about to go wrong; changes nothing
    Check {
        /// A volume, by id or name, that is not found
        volume: Option<String>,
        /// Also ask running Machines, from inside, whether their mounts are there
        #[arg(long)]
        inside: bool,
        /// From which severity on the exit code is 1
        #[arg(long, value_name = "SEVERITY", default_value = "warning")]
        fail_on: Severity,
    },
    /// Copy a volume as it is now, also into another region
    Fork {
        /// Volume
        volume: VolumeId,
        /// Where to; the same region when absent
        #[arg(long, value_name = "REGION")]
        region: Option<RegionCode>,
        /// Name of the copy; the same when absent
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        /// Size of the copy in GB; the same when absent
        #[arg(long, value_name = "GB")]
        size: Option<i64>,
        /// Do not write out what the running Machine holds in memory
        #[arg(long)]
        no_sync: bool,
        /// How it is planned and approved.
        #[command(flatten)]
        run: RunArgs,
    },
    /// Make a volume from a snapshot
    Restore {
        /// Volume that the snapshot was taken of
        volume: VolumeId,
        /// Snapshot; the newest finished one when absent
        #[arg(long, value_name = "SNAPSHOT")]
        snapshot: Option<String>,
        /// Where to; the same region when absent
        #[arg(long, value_name = "REGION")]
        region: Option<RegionCode>,
        /// Name; the same when absent
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        /// Size in GB; the same when absent
        #[arg(long, value_name = "GB")]
        size: Option<i64>,
        /// Refuse a snapshot that is older
        #[arg(long, value_name = "HOURS")]
        max_age: Option<i64>,
        /// How it is planned and approved.
        #[command(flatten)]
        run: RunArgs,
    },
    /// Replace a volume by a smaller one with the same files; the old one is kept
    Shrink {
        /// Volume
        volume: VolumeId,
        /// New size in GB
        #[arg(long, value_name = "GB")]
        size: i64,
        /// How it is planned and approved.
        #[command(flatten)]
        run: RunArgs,
    },
    /// Destroy the old volume, and its Machine, that a finished shrink kept
    Cleanup {
        /// Run of the shrink
        run: String,
        /// Only print what would be destroyed
        #[arg(long)]
        dry_run: bool,
        /// Who says yes.
        #[command(flatten)]
        yes: YesArgs,
    },
    /// Carry out a plan that was written with --out
    Apply {
        /// Plan file
        plan: PathBuf,
        /// Who says yes.
        #[command(flatten)]
        yes: YesArgs,
    },
}

/// How a job is planned and approved.
#[derive(Debug, clap::Args)]
pub struct RunArgs {
    /// Write the plan here and change nothing
    #[arg(long, value_name = "FILE", conflicts_with_all = ["yes", "confirm", "approval"])]
    pub(super) out: Option<PathBuf>,
    /// Image of the helper Machines that look inside: with sh, df, find, sha256sum, tar and nc
    #[arg(long, value_name = "IMAGE", default_value = HELPER_IMAGE)]
    pub(super) helper_image: String,
    /// Who says yes.
    #[command(flatten)]
    pub(super) yes: YesArgs,
}

/// Who says yes.
#[derive(Debug, clap::Args)]
pub struct YesArgs {
    /// Do not ask; not enough for a plan that passes a point of no return
    #[arg(long)]
    pub(super) yes: bool,
    /// The app's name, for a plan that passes a point of no return
    #[arg(long, value_name = "APP")]
    pub(super) confirm: Option<String>,
    /// A file in which somebody approved exactly this plan
    #[arg(long, value_name = "FILE")]
    pub(super) approval: Option<PathBuf>,
}
