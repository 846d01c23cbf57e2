//! What is not the Machines API: the web side's REST, logs, incidents and the status page.

#![allow(clippy::unnecessary_wraps, reason = "the handlers of one table share a signature")]

pub(crate) mod logs;
pub(crate) mod status;
pub(crate) mod uiex;
