//! Typed client for the Fly.io APIs: Machines REST, GraphQL for what REST lacks, logs, status and incidents.
//!
//! Purpose: one place that knows how to ask Fly.io: which token goes where, which request may be repeated, how fast one
//! may ask, what an error means. Requests are made by pure functions ([`Request`]); one loop sends them
//! ([`Client`]). Every answer ([`Fetched`]) and every error ([`ApiError`]) carries a record of the calls it took.
//! It must not know: the terminal, environment variables, files, other programs.

mod apps;
mod auth;
mod build;
mod call;
mod client;
mod endpoints;
mod error;
mod graphql;
mod limit;
mod logs;
mod macaroon;
mod machines;
mod metrics;
mod orgs;
mod placement;
mod public;
mod random;
mod request;
mod retry;
mod services;
mod settle;
mod volumes;
mod wait;
mod write;

pub use auth::{Token, TokenError, TokenKind};
pub use build::{
    BuildError, BuildErrors, CheckBuilder, ConfigBuilder, PortBuilder, ServiceBuilder, machines_for,
};
pub use call::{CallRecord, Fetched};
pub use client::{Client, ClientConfig, Clock};
pub use endpoints::{EndpointError, Endpoints};
pub use error::{ApiError, CapacityScope, ErrorCode, ErrorKind, LeaseConflict, StatusError};
pub use limit::{Limit, LimitRow, LimitTable};
pub use logs::{LogWindow, Logs};
pub use macaroon::MacaroonFacts;
pub use machines::MachineFilter;
pub use metrics::Sample;
pub use orgs::{OrgQuery, OrgRows};
pub use random::Random;
pub use request::{Action, Body, Class, Request, Target};
pub use retry::{Decision, Outcome, RetryPolicy, decide};
pub use settle::SettleError;
pub use wait::{WaitError, WaitFor, Waited};
pub use write::{
    AllocatedIp, Capacity, Command, Created, CreatedVolume, CustomCertificate, Effect, FleetResult,
    Lease, LeaseRequest, LeaseState, MachineWriter, Marker, MetadataChange, NewIp, NewMachine,
    NewToken, NewVolume, Reason, RegionResult, Resource, SecretChanges, Stop, UpdateOptions,
    Updated, VolumeSource, WriteAccess, WriteError, Writer,
};
