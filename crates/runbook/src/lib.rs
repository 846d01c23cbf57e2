//! Plans that survive being killed: plan, approve, apply, resume, undo.
//!
//! A [`plan::Plan`] is data. Sealed ([`sealed::SealedPlan`]) and approved ([`approval::Approval`]) it is carried out by an
//! [`executor::Executor`], which finds the code for each step by its kind in a [`kind::Registry`], journals before and after every act,
//! and can be killed at any moment: the next process looks, and goes on or goes back.
//!
//! What is changed is unknown here: neither Fly.io nor Postgres is named in this crate. The decisions are in `docs/design/runbook.md`.

pub mod approval;
pub mod cancel;
pub mod canonical;
pub mod context;
mod drive;
pub mod error;
pub mod event;
pub mod executor;
pub mod facts;
mod holds;
pub mod inject;
pub mod journal;
pub mod kind;
pub mod lease;
pub mod lock;
mod log;
pub mod mirror;
pub mod outcome;
pub mod outputs;
mod perform;
pub mod plan;
pub mod progress;
mod recover;
pub mod render;
mod run;
pub mod sealed;
pub mod secrets;
pub mod session;
mod sessions;
pub mod state;
pub mod status;
pub mod store;
pub mod testing;
pub mod validate;
