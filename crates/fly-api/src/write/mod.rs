//! The writing side: everything that changes something at Fly.io.
//!
//! A [`Client`] only reads. Changes are methods of a [`Writer`], which exists only by [`Client::writer`] from a
//! [`WriteAccess`]. So a tool that never makes one cannot change anything, and what makes one is found by its name.
//! Must not know: who approves, and how; plans and journals.

mod apps;
mod certificates;
mod create;
mod error;
mod explain;
mod fleet;
mod ips;
mod lease;
mod machines;
mod metadata;
mod once;
mod secrets;
mod snapshots;
#[cfg(test)]
mod stub;
#[cfg(test)]
mod tests;
mod tokens;
mod update;
mod volumes;

use std::time::Duration;

use serde::de::DeserializeOwned;

pub use certificates::CustomCertificate;
pub(crate) use create::some;
pub use create::{Created, Marker, NewMachine};
pub use error::{Capacity, Effect, Reason, Resource, WriteError};
pub use fleet::{FleetResult, RegionResult};
pub use ips::{AllocatedIp, NewIp};
pub use lease::{Lease, LeaseRequest, LeaseState};
pub use machines::{Command, MachineWriter, Stop};
pub use metadata::MetadataChange;
pub use secrets::SecretChanges;
pub use tokens::NewToken;
pub use update::{UpdateOptions, Updated};
pub use volumes::{CreatedVolume, NewVolume, VolumeSource};

use crate::call::Fetched;
use crate::client::Client;
use crate::request::Request;
use error::Context;

/// How long a thing that may have been made is looked for. Lists lag behind by seconds (Machines API reference 2.5).
const LOOK_FOR: Duration = Duration::from_secs(8);

/// Leave to change things. Made where a person or an approved plan said yes, and nowhere else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteAccess {
    approved_by: String,
}

impl WriteAccess {
    /// Leave given by something that can be named, e.g. `plan 3f2a` or `--yes`. The name goes to the log.
    ///
    /// A call of this function claims that the approval happened; `clippy.toml` lists it, so each place needs a reason.
    pub fn approved(by: impl Into<String>) -> Self {
        Self { approved_by: by.into() }
    }

    /// What gave the leave.
    pub fn approved_by(&self) -> &str {
        &self.approved_by
    }
}

/// A client that may change things. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Writer {
    client: Client,
    access: WriteAccess,
    look_for: Duration,
}

impl Client {
    /// The writing side of this client, with the same limits, budget and connections.
    pub fn writer(&self, access: WriteAccess) -> Writer {
        Writer { client: self.clone(), access, look_for: LOOK_FOR }
    }
}

impl Writer {
    /// The reading side.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Changes how long a thing is looked for that may have been made although the answer was lost (8 s). Shorter than
    /// the lag of lists, a second one may be tried; names still protect Machines and apps.
    #[must_use]
    pub fn look_for(mut self, time: Duration) -> Self {
        self.look_for = time;
        self
    }

    /// Sends a change and says in the caller's words what could not be done.
    async fn act<T: DeserializeOwned>(
        &self,
        request: Request,
        context: Context,
    ) -> Result<Fetched<T>, WriteError> {
        tracing::info!(
            call = request.title(),
            subject = request.subject,
            approved_by = self.access.approved_by,
            "changing"
        );
        self.client.send(request).await.map_err(|error| WriteError::new(context, error))
    }
}
