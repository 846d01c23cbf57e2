//! States of Machines, volumes and hosts, and which transition of a Machine is legal.
//!
//! Source: Machines API reference, machine states and volume states (docs of August 2026), read with recorded events.
//! Must not know: HTTP, clocks.

use crate::wire::open_enum;

open_enum! {
    /// State of a Machine, or of one version of it. Open: new words appear without notice.
    MachineState {
        Creating = "creating",
        /// Made, not yet started: the image is being prepared.
        Created = "created",
        Pending = "pending",
        Starting = "starting",
        Started = "started",
        Stopping = "stopping",
        Stopped = "stopped",
        Restarting = "restarting",
        Suspending = "suspending",
        Suspended = "suspended",
        Updating = "updating",
        Replacing = "replacing",
        Failed = "failed",
        LaunchFailed = "launch_failed",
        Destroying = "destroying",
        Destroyed = "destroyed",
        /// A version that a newer one took over.
        Replaced = "replaced",
        /// A version that lives on on another host.
        Migrated = "migrated",
    }
}

/// What kind of state it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateClass {
    /// Stays until somebody asks for something.
    Resting,
    /// Leads to another state by itself.
    Transient,
    /// Nothing comes after it.
    Terminal,
    /// A word that this library does not know.
    Unknown,
}

impl MachineState {
    /// The class of this state.
    pub fn class(&self) -> StateClass {
        match self {
            Self::Created | Self::Started | Self::Stopped | Self::Suspended | Self::Failed => {
                StateClass::Resting
            }
            Self::Creating
            | Self::Pending
            | Self::Starting
            | Self::Stopping
            | Self::Restarting
            | Self::Suspending
            | Self::Updating
            | Self::Replacing
            | Self::LaunchFailed
            | Self::Destroying => StateClass::Transient,
            Self::Destroyed | Self::Replaced | Self::Migrated => StateClass::Terminal,
            Self::Other(_) => StateClass::Unknown,
        }
    }

    /// True when the Machine neither is nor soon will be gone.
    pub fn is_active(&self) -> bool {
        !matches!(self, Self::Destroying | Self::Destroyed)
    }

    /// How long this state may last before it counts as stuck, in seconds (docs: machine states). None: it may rest.
    pub fn stuck_after_secs(&self) -> Option<u32> {
        match self {
            Self::Starting | Self::Stopping | Self::Restarting | Self::Destroying => Some(300),
            Self::Updating | Self::Replacing => Some(600),
            _ => None,
        }
    }

    /// Whether the platform can show `next` directly after `self`; `None` when either word is unknown.
    ///
    /// Staying in the same state is always possible. Reads that are seconds apart may skip states: use
    /// [`MachineState::can_reach`] for those.
    pub fn can_become(&self, next: &Self) -> Option<bool> {
        if matches!(self, Self::Other(_)) || matches!(next, Self::Other(_)) {
            return None;
        }
        Some(self == next || self.successors().contains(next))
    }

    /// Whether `next` can follow after any number of steps; `None` when either word is unknown.
    pub fn can_reach(&self, next: &Self) -> Option<bool> {
        self.can_become(next)?;
        let mut seen = vec![self];
        let mut index = 0;
        while index < seen.len() {
            for successor in seen[index].successors() {
                if !seen.contains(&successor) {
                    seen.push(successor);
                }
            }
            index += 1;
        }
        Some(seen.contains(&next))
    }

    /// The states that can directly follow this one.
    pub fn successors(&self) -> &'static [Self] {
        use MachineState as S;
        match self {
            S::Creating | S::Pending => {
                &[S::Created, S::Starting, S::Failed, S::LaunchFailed, S::Destroying]
            }
            S::Created => &[
                S::Starting,
                S::Stopped,
                S::Updating,
                S::Replacing,
                S::Failed,
                S::LaunchFailed,
                S::Destroying,
            ],
            S::Starting | S::Restarting => &[
                S::Started,
                S::Starting,
                S::Stopping,
                S::Stopped,
                S::Failed,
                S::LaunchFailed,
                S::Replacing,
                S::Destroying,
            ],
            S::Started => &[
                S::Stopping,
                S::Stopped,
                S::Suspending,
                S::Restarting,
                S::Starting,
                S::Updating,
                S::Replacing,
                S::Failed,
                S::Destroying,
                S::Migrated,
            ],
            S::Stopping => &[S::Stopped, S::Failed, S::Destroying],
            S::Stopped | S::Failed => {
                &[S::Starting, S::Updating, S::Replacing, S::Destroying, S::Replaced, S::Migrated]
            }
            S::Suspending => &[S::Suspended, S::Stopping, S::Stopped, S::Started],
            S::Suspended => &[
                S::Starting,
                S::Stopping,
                S::Updating,
                S::Replacing,
                S::Destroying,
                S::Replaced,
                S::Migrated,
            ],
            S::Updating | S::Replacing => &[
                S::Replacing,
                S::Updating,
                S::Created,
                S::Starting,
                S::Started,
                S::Stopped,
                S::Suspended,
                S::Failed,
                S::Replaced,
                S::Destroying,
            ],
            S::LaunchFailed => &[S::Destroying, S::Destroyed],
            S::Destroying => &[S::Destroyed],
            S::Destroyed | S::Replaced | S::Migrated | S::Other(_) => &[],
        }
    }
}

open_enum! {
    /// State of a volume.
    VolumeState {
        Creating = "creating",
        Created = "created",
        Extending = "extending",
        Restoring = "restoring",
        EnablingRemoteExport = "enabling_remote_export",
        /// Copies its blocks from another host; already mountable.
        Hydrating = "hydrating",
        Recovering = "recovering",
        SchedulingDestroy = "scheduling_destroy",
        PendingDestroy = "pending_destroy",
        WaitingForDetach = "waiting_for_detach",
        ForkCleanup = "fork_cleanup",
        Destroying = "destroying",
        Destroyed = "destroyed",
    }
}

impl VolumeState {
    /// False for volumes on their way out: lists contain them for a day or more after deletion.
    pub fn is_live(&self) -> bool {
        !matches!(
            self,
            Self::SchedulingDestroy
                | Self::PendingDestroy
                | Self::WaitingForDetach
                | Self::ForkCleanup
                | Self::Destroying
                | Self::Destroyed
        )
    }
}

open_enum! {
    /// Whether the platform can reach the host of a Machine or volume.
    HostStatus {
        Ok = "ok",
        Unknown = "unknown",
        Unreachable = "unreachable",
    }
}

#[cfg(test)]
mod tests {
    use super::MachineState as S;
    use super::*;

    #[test]
    fn unknown_words_are_kept() {
        let state: S = serde_json::from_str("\"thawing\"").unwrap();
        assert_eq!(state, S::Other("thawing".to_owned()));
        assert_eq!(serde_json::to_string(&state).unwrap(), "\"thawing\"");
        assert_eq!(state.class(), StateClass::Unknown);
        assert_eq!(state.can_become(&S::Started), None);
        assert_eq!(S::Started.can_reach(&state), None);
    }

    #[test]
    fn the_documented_lifecycle_is_legal_and_a_resurrection_is_not() {
        let life = [
            S::Created,
            S::Starting,
            S::Started,
            S::Stopping,
            S::Stopped,
            S::Starting,
            S::Started,
            S::Replacing,
            S::Starting,
        ];
        for pair in life.windows(2) {
            assert_eq!(pair[0].can_become(&pair[1]), Some(true), "{} -> {}", pair[0], pair[1]);
        }
        assert_eq!(S::Destroyed.can_reach(&S::Started), Some(false));
        assert_eq!(S::Created.can_become(&S::Suspended), Some(false));
        assert_eq!(S::Created.can_reach(&S::Suspended), Some(true));
    }

    #[test]
    fn terminal_states_have_no_successor_and_every_other_known_state_has_one() {
        for state in S::KNOWN {
            assert_eq!(
                state.successors().is_empty(),
                state.class() == StateClass::Terminal,
                "{state}"
            );
        }
    }
}
