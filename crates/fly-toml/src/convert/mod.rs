//! fly.toml and machine configs: what a deploy would send for each process group, and back.
//!
//! Source: superfly/flyctl internal/appconfig/machines.go and processgroups.go of 2026-08-21, checked against its
//! output for real files. Must not know: files; the caller hands in what the file refers to.

pub mod codes;
mod container;
mod from_machines;
mod guest;
mod machine;
mod release;
mod service;
mod services_back;
mod toml;

pub(crate) use from_machines::EPHEMERAL;
pub(crate) use guest::guest;

pub use from_machines::{FromMachines, Observed, from_machines};
pub use machine::machine_config;
pub use release::release_config;

use std::collections::{BTreeMap, HashSet};

use fly_types::wire;

use crate::diag::Diagnostic;
use crate::schema::Config;

/// What the conversion needs beyond the text.
#[derive(Debug, Clone, Default)]
pub struct Inputs {
    /// Files that `[[files]]` and `machine_config` name, by the path as written.
    pub files: BTreeMap<String, Vec<u8>>,
    /// The present config of the Machine. Fields that fly.toml does not manage survive from it.
    pub current: Option<wire::MachineConfig>,
}

/// A machine config and what it still lacks.
#[derive(Debug, Clone)]
pub struct Converted {
    /// The config, without the image: that is known only after the build.
    pub config: wire::MachineConfig,
    /// Paths that the file names and that were not among the inputs; their content is missing from the config.
    pub missing_files: Vec<String>,
    /// True when the file asks for a compose file, which is not converted.
    pub compose: bool,
}

/// Conversion fails with all reasons at once.
pub type Result<T> = std::result::Result<T, Vec<Diagnostic>>;

/// Groups that are looked at for problems; nobody has more.
const MAX_GROUPS: usize = 64;

/// What cannot be converted, over all groups and the release command, each problem once.
pub(crate) fn problems(config: &Config) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    let base = wire::MachineConfig::default();
    container::lay_over(config, &Inputs::default(), base, &mut Vec::new(), &mut out);
    for group in config.groups().into_iter().take(MAX_GROUPS) {
        if let Some(vm) = config.vm_of(group) {
            guest::guest(config, vm, &mut out);
        }
        machine::checks(config, group, &mut out);
    }
    if let Some(vm) = config.deploy.as_ref().and_then(|deploy| deploy.release_command_vm.as_ref()) {
        guest::guest(config, vm, &mut out);
    }
    let mut known = HashSet::new();
    out.retain(|diagnostic| known.insert((diagnostic.code.id, diagnostic.span())));
    out
}

/// Base64 with padding, as machine configs hold the content of files.
fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// The bytes of a base64 text; `None` when it is none.
fn from_base64(text: &str) -> Option<Vec<u8>> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(text).ok()
}
