//! fly.toml and machine configs: what a deploy would send for each process group, and back.
//!
//! Source: superfly/flyctl internal/appconfig/machines.go and processgroups.go of 2026-08-21, checked against its
//! output for real files. Must not know: files; the caller hands in what the file refers to.

pub mod codes;
mod container;
mod guest;
mod machine;
mod release;
mod service;

pub use machine::machine_config;
pub use release::release_config;

use std::collections::BTreeMap;

use fly_types::wire;

use crate::diag::Diagnostic;

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

/// What cannot be converted, over all groups and the release command.
pub(crate) fn problems(config: &crate::Config) -> Vec<Diagnostic> {
    let inputs = Inputs::default();
    let mut found: Vec<Diagnostic> = Vec::new();
    let groups =
        config.groups().into_iter().map(|group| machine_config(config, group, &inputs).err());
    let release = std::iter::once_with(|| release_config(config, &inputs).and_then(Result::err));
    for diagnostic in groups.chain(release).flatten().flatten() {
        let known = found
            .iter()
            .any(|other| other.code.id == diagnostic.code.id && other.span() == diagnostic.span());
        if !known {
            found.push(diagnostic);
        }
    }
    found
}

/// Base64 with padding, as machine configs hold the content of files.
fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
