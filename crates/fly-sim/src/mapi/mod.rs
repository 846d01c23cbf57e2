//! The Machines API: `/v1/…`. Bodies are written here from the references, never taken from a client's types.

#![allow(clippy::unnecessary_wraps, reason = "the handlers of one table share a signature")]

pub(crate) mod apps;
pub(crate) mod apps_write;
pub(crate) mod certificates;
pub(crate) mod ips;
pub(crate) mod lease;
pub(crate) mod machines;
pub(crate) mod machines_write;
pub(crate) mod metadata;
pub(crate) mod orgs;
pub(crate) mod platform;
pub(crate) mod secretkeys;
pub(crate) mod secrets;
pub(crate) mod tokens;
pub(crate) mod types;
pub(crate) mod volumes;
pub(crate) mod volumes_write;
pub(crate) mod wait;
pub(crate) mod write;

use crate::server::http::Reply;
use crate::server::routes::Call;
use crate::state::{App, Machine, Volume};

impl Call<'_> {
    /// The app of the path; dispatch has checked that it exists.
    pub(crate) fn app(&self) -> Result<&App, Reply> {
        let name = self.request.param("app");
        self.state.apps.get(name).ok_or_else(|| Reply::error(404, "app not found"))
    }

    pub(crate) fn machine(&self) -> Result<&Machine, Reply> {
        let id = self.request.param("machine");
        let machine = self.app()?.machine(id).ok_or_else(machine_not_found)?;
        if self.state.now.duration_since(machine.created_at) < self.state.lags.get {
            return Err(machine_not_found());
        }
        Ok(machine)
    }

    pub(crate) fn volume(&self) -> Result<&Volume, Reply> {
        let id = self.request.param("volume");
        self.app()?.volume(id).ok_or_else(|| Reply::error(404, "not_found: volume not found"))
    }
}

pub(crate) fn machine_not_found() -> Reply {
    Reply::error(404, "not_found: machine not found")
}
