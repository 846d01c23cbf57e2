//! Why a change was not made, as callers act on it: capacity, lease, version, name, state; or not known.

use std::fmt;

use fly_types::state::{MachineState, StateClass};
use fly_types::{MachineId, VolumeId};

use super::explain::reason;
use crate::error::{ApiError, CapacityScope, ErrorKind, LeaseConflict, StatusError};

/// A change that was not made, or of which that is not known.
#[derive(Debug)]
pub struct WriteError {
    /// What was to be done, e.g. `create a Machine of app shop in fra`.
    pub what: String,
    /// Why not.
    pub reason: Reason,
    /// The call behind it; none when nothing was sent.
    pub source: Option<Box<ApiError>>,
}

/// Why a change was not made.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// No room; another size, region or host may do.
    NoCapacity(Capacity),
    /// The organization's own limit, not the platform's room.
    OverQuota,
    /// Somebody holds the lease of the Machine.
    LeaseHeld(LeaseConflict),
    /// Our own lease is gone; nothing was sent.
    LeaseLost(String),
    /// It was changed by somebody else since it was read.
    VersionConflict {
        /// The version that the change was made from.
        expected: Option<String>,
        /// The version that is current, when known.
        found: Option<String>,
    },
    /// The name is in use by something else.
    NameTaken {
        /// Its id, when the answer names it.
        by: Option<String>,
    },
    /// A volume is in use.
    VolumeBound {
        /// By which Machine.
        machine: Option<MachineId>,
    },
    /// Not possible in the present state (412). A transient state passes: see [`Reason::passes`].
    WrongState {
        /// The state, when the answer names it.
        state: Option<MachineState>,
    },
    /// Only an incomplete configuration is known, because the host cannot be reached. Nothing was sent.
    IncompleteConfig,
    /// Several things fit what may have been made; their ids.
    Ambiguous(Vec<String>),
    /// It does not exist.
    NotFound,
    /// The token may not do it.
    Denied,
    /// Too many requests, also after waiting.
    RateLimited,
    /// The platform does not accept the values (400, 422), or they were refused before sending.
    Invalid(String),
    /// It may have been done; looking did not settle it.
    Unknown,
    /// It was not done, for a reason that is in the source.
    Failed,
}

impl Reason {
    /// The reason goes away by itself within seconds or minutes, so that trying again with a deadline makes sense: a state
    /// that leads to another, a volume whose Machine is being destroyed, a limit.
    pub fn passes(&self) -> bool {
        match self {
            // A new Machine rests in `created` until its image is there.
            Self::WrongState { state: Some(state) } => {
                *state == MachineState::Created || state.class() == StateClass::Transient
            }
            Self::VolumeBound { .. } | Self::RateLimited => true,
            _ => false,
        }
    }
}

/// No room for what was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capacity {
    /// How far the lack reaches.
    pub scope: CapacityScope,
    /// What is lacking, when the answer says so.
    pub lacking: Option<Resource>,
    /// The region or regions that were asked for.
    pub region: Option<String>,
    /// The size that was asked for, e.g. `shared-cpu-1x 256 MB`.
    pub size: Option<String>,
    /// The volume that pins the host.
    pub volume: Option<VolumeId>,
    /// A zone (hardware group) of its own was demanded: without that there may be room.
    pub own_zone: bool,
}

/// What a host or region can lack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Resource {
    Memory,
    Cpus,
    Addresses,
}

/// Whether a change was carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Certainly not.
    NotDone,
    /// Perhaps.
    MayBeDone,
    /// Certainly; only the answer could not be read.
    Done,
}

impl ApiError {
    /// Whether the change that failed with this error may have been carried out.
    pub fn effect(&self) -> Effect {
        // An attempt before the last one may have been carried out too; only a limiter's refusal excludes it.
        let earlier = self.call.retried_after.iter().any(|word| !is_without_effect(word));
        let last = match &self.kind {
            ErrorKind::Decode { .. } => return Effect::Done,
            ErrorKind::NoToken | ErrorKind::Deadline | ErrorKind::GraphQl { .. } => Effect::NotDone,
            ErrorKind::Transport(error) => match error.effect() {
                net::Effect::NotSent => Effect::NotDone,
                net::Effect::Unknown => Effect::MayBeDone,
            },
            ErrorKind::Status(error) => match error.status {
                _ if error.capacity.is_some() => Effect::NotDone,
                408 | 500..=599 => Effect::MayBeDone,
                _ => Effect::NotDone,
            },
        };
        if earlier { Effect::MayBeDone } else { last }
    }

    /// The error status, taken apart.
    pub fn status_error(&self) -> Option<&StatusError> {
        match &self.kind {
            ErrorKind::Status(error) => Some(error),
            _ => None,
        }
    }
}

fn is_without_effect(word: &str) -> bool {
    matches!(word, "429" | "dns" | "connect_refused" | "connect_timeout" | "connect" | "tls")
}

/// What was to be done, for messages and for the parts of a reason that the answer does not repeat.
#[derive(Debug, Clone, Default)]
pub(crate) struct Context {
    pub(crate) what: String,
    pub(crate) region: Option<String>,
    pub(crate) size: Option<String>,
    pub(crate) volume: Option<VolumeId>,
    pub(crate) own_zone: bool,
    pub(crate) version: Option<String>,
}

impl Context {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), ..Self::default() }
    }
}

impl WriteError {
    pub(crate) fn new(context: Context, error: ApiError) -> Self {
        let reason = reason(&context, &error);
        Self { what: context.what, reason, source: Some(Box::new(error)) }
    }

    pub(crate) fn because(context: Context, reason: Reason) -> Self {
        Self { what: context.what, reason, source: None }
    }

    pub(crate) fn with(context: Context, reason: Reason, error: ApiError) -> Self {
        Self { what: context.what, reason, source: Some(Box::new(error)) }
    }

    /// What to do next, in a sentence.
    pub fn hint(&self) -> Option<String> {
        let hint = match &self.reason {
            Reason::NoCapacity(capacity) => match capacity.scope {
                CapacityScope::Region => "use another region, a smaller size, or try again later",
                CapacityScope::Host => {
                    "try again: another host may have room; or use a smaller size"
                }
                CapacityScope::VolumePlacement => {
                    "fork the volume, or restore its snapshot, to get it onto a host with room"
                }
            },
            Reason::OverQuota => {
                "ask Fly.io to raise the limit of the organization, or use another region"
            }
            Reason::VersionConflict { .. } => {
                "read it again and decide whether the change still fits"
            }
            Reason::LeaseLost(_) => "take the lease again, then read the Machine again",
            Reason::IncompleteConfig => {
                "wait for its host, or make a new Machine from a known configuration"
            }
            Reason::Unknown => "look whether it was done before doing it again",
            Reason::Ambiguous(_) => "look at each of them and delete what nobody needs",
            _ => return self.source.as_ref().and_then(|error| error.hint()),
        };
        Some(hint.to_owned())
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCapacity(capacity) => capacity.fmt(f),
            Self::OverQuota => f.write_str("the organization's limit is reached"),
            Self::LeaseHeld(lease) => {
                write!(f, "{} holds the lease until {}", lease.owner, lease.expires_at)
            }
            Self::LeaseLost(why) => write!(f, "our lease is gone: {why}"),
            Self::VersionConflict { expected, found } => {
                f.write_str("it was changed by somebody else")?;
                match (expected, found) {
                    (Some(expected), Some(found)) => write!(f, ": version {found}, not {expected}"),
                    (Some(expected), None) => write!(f, ": version {expected} is not current"),
                    _ => Ok(()),
                }
            }
            Self::NameTaken { by: Some(by) } => write!(f, "{by} has the name already"),
            Self::NameTaken { by: None } => f.write_str("the name is taken"),
            Self::VolumeBound { machine: Some(machine) } => {
                write!(f, "Machine {machine} uses the volume")
            }
            Self::VolumeBound { machine: None } => f.write_str("a Machine uses the volume"),
            Self::WrongState { state: Some(state) } => {
                write!(f, "not possible while it is {state}")
            }
            Self::WrongState { state: None } => f.write_str("not possible in its present state"),
            Self::IncompleteConfig => f.write_str(
                "its host cannot be reached, so only part of its configuration is known",
            ),
            Self::Ambiguous(ids) => write!(f, "several could be it: {}", ids.join(", ")),
            Self::NotFound => f.write_str("it does not exist"),
            Self::Denied => f.write_str("the token may not do this"),
            Self::RateLimited => f.write_str("too many requests"),
            Self::Invalid(rule) => f.write_str(rule),
            Self::Unknown => f.write_str("it is not known whether it was done"),
            Self::Failed => f.write_str("the call failed"),
        }
    }
}

impl fmt::Display for Capacity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.lacking {
            Some(Resource::Memory) => "not enough memory",
            Some(Resource::Cpus) => "not enough CPUs",
            Some(Resource::Addresses) => "not enough addresses",
            None => "no room",
        })?;
        if let Some(size) = &self.size {
            write!(f, " for {size}")?;
        }
        match (self.scope, &self.volume, &self.region) {
            (CapacityScope::VolumePlacement, Some(volume), _) => {
                write!(f, " on the host of volume {volume}")
            }
            (CapacityScope::VolumePlacement, None, _) => f.write_str(" on the host of the volume"),
            (CapacityScope::Host, _, Some(region)) => write!(f, " on the host chosen in {region}"),
            (CapacityScope::Host, _, None) => f.write_str(" on the host"),
            (CapacityScope::Region, _, Some(region)) => write!(f, " in {region}"),
            (CapacityScope::Region, _, None) => f.write_str(" in the region"),
        }?;
        if self.own_zone {
            f.write_str(" in a zone of its own")?;
        }
        Ok(())
    }
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {}: {}", self.what, self.reason)
    }
}

impl std::error::Error for WriteError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|error| error as _)
    }
}
