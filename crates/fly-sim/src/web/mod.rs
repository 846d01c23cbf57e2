//! What is not the Machines API: the web side's REST, logs, incidents and the status page.

pub(crate) mod logs;
pub(crate) mod status;
pub(crate) mod uiex;
