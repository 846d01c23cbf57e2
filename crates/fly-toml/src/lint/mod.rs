//! Lints: one condition per file, judged on the typed model of one fly.toml.
//!
//! To add one: a file here with a `Lint` (its code holds the documentation, an example that has it and one that has it
//! not; a test runs both), a line in [`ALL`], and its cases in `tests/lints/ID.txt`: positive, negative and near miss, with
//! the exact place marked. Must not know: files, the network, other apps.

mod autostart_off;
mod autostop_without_autostart;
mod background_work;
mod bare_duration;
mod bluegreen;
mod check_redirect;
mod cold_start;
mod common;
mod connections_on_http;
mod dead_experiment;
mod dedicated_ipv4;
mod development_always_on;
mod direct_database_url;
mod dockerfile_over_http;
mod expose_differs;
mod external_port;
mod facts;
mod file_source;
mod files_processes;
mod first_deploy_two_machines;
mod flycast_over_https;
mod force_https;
mod force_https_flycast;
mod force_https_without_http;
mod gpu_withdrawn;
mod grace_period;
mod huge_limits;
mod idle_volume;
mod image_not_pinned;
mod immediate_strategy;
mod internal_port;
mod key_in_env;
mod kill_signal;
mod kill_timeout;
mod large_start_volume;
mod litefs_autostop;
mod machine_check;
mod max_unavailable;
mod memory_above_preset;
mod memory_twice;
mod metrics_port_public;
mod migrate_at_start;
mod minimum_primary_region;
mod minimum_without_autostop;
mod mount_incomplete;
mod no_checks;
mod no_concurrency;
mod no_primary_region;
mod plain_tcp;
mod port_taken_twice;
mod port_variable;
mod primary_region_in_env;
mod process_not_used;
mod protocol_missing;
mod published_port;
mod raw_value_encoded;
mod region_in_address;
mod region_not_offered;
mod release_command;
mod release_command_memory;
mod replay_cache_ttl;
mod reserved_variable;
mod restart_default_group;
mod restart_never;
mod secret_in_build_args;
mod secret_in_command;
mod secret_in_env;
mod secret_in_file;
pub(crate) mod secrets;
mod settings_without_ports;
mod several_mounts;
mod single_volume;
mod size_overridden;
mod slow_checks;
mod snapshots;
mod soft_limit_above_hard;
mod soft_limit_equals_hard;
mod state;
mod state_without_volume;
mod statics;
mod suspend_limits;
mod tcp_check_only;
mod timeout_above_interval;
mod tiny_limits;
mod udp_autostop;
mod udp_ports;
mod unknown_word;
mod uptime_check_wakes;
mod vm_limits;
mod volume_deploy;
mod volume_growth;
mod volume_max_size;
mod volume_region;
mod volume_shared;
mod wait_timeout;
mod weak_tls;
mod worker_restart;

pub use facts::{Facts, MachineFact, VolumeFact};

use crate::diag::{Code, Diagnostic};
use crate::document::Document;
use crate::schema::Config;

/// What a lint may look at.
pub struct LintInput<'a> {
    /// The file as written.
    pub document: &'a Document,
    /// The file as read.
    pub config: &'a Config,
    /// Text of the Dockerfile that the app is built from, when the caller has it.
    pub dockerfile: Option<&'a str>,
    /// What is known of the app that runs.
    pub facts: &'a Facts,
}

/// One lint.
pub struct Lint {
    /// Its code.
    pub code: &'static Code,
    /// Reports each place that has it.
    pub check: fn(&LintInput<'_>, &mut Vec<Diagnostic>),
}

/// Every lint, in alphabetical order of the files.
pub static ALL: &[&Lint] = &[
    &autostart_off::LINT,
    &autostop_without_autostart::LINT,
    &background_work::LINT,
    &bare_duration::LINT,
    &bluegreen::LINT,
    &check_redirect::LINT,
    &cold_start::LINT,
    &connections_on_http::LINT,
    &dead_experiment::LINT,
    &dedicated_ipv4::LINT,
    &development_always_on::LINT,
    &direct_database_url::LINT,
    &dockerfile_over_http::LINT,
    &expose_differs::LINT,
    &external_port::LINT,
    &file_source::LINT,
    &files_processes::LINT,
    &first_deploy_two_machines::LINT,
    &flycast_over_https::LINT,
    &force_https::LINT,
    &force_https_flycast::LINT,
    &force_https_without_http::LINT,
    &gpu_withdrawn::LINT,
    &grace_period::LINT,
    &huge_limits::LINT,
    &idle_volume::LINT,
    &image_not_pinned::LINT,
    &immediate_strategy::LINT,
    &internal_port::LINT,
    &key_in_env::LINT,
    &kill_signal::LINT,
    &kill_timeout::LINT,
    &large_start_volume::LINT,
    &litefs_autostop::LINT,
    &machine_check::LINT,
    &max_unavailable::LINT,
    &memory_above_preset::LINT,
    &memory_twice::LINT,
    &metrics_port_public::LINT,
    &migrate_at_start::LINT,
    &minimum_primary_region::LINT,
    &minimum_without_autostop::LINT,
    &mount_incomplete::LINT,
    &no_checks::LINT,
    &no_concurrency::LINT,
    &no_primary_region::LINT,
    &plain_tcp::LINT,
    &port_taken_twice::LINT,
    &port_variable::LINT,
    &primary_region_in_env::LINT,
    &process_not_used::LINT,
    &protocol_missing::LINT,
    &published_port::LINT,
    &raw_value_encoded::LINT,
    &region_in_address::LINT,
    &region_not_offered::LINT,
    &release_command::LINT,
    &release_command_memory::LINT,
    &replay_cache_ttl::LINT,
    &reserved_variable::LINT,
    &restart_default_group::LINT,
    &restart_never::LINT,
    &secret_in_build_args::LINT,
    &secret_in_command::LINT,
    &secret_in_env::LINT,
    &secret_in_file::LINT,
    &settings_without_ports::LINT,
    &several_mounts::LINT,
    &single_volume::LINT,
    &size_overridden::LINT,
    &slow_checks::LINT,
    &snapshots::LINT,
    &soft_limit_above_hard::LINT,
    &soft_limit_equals_hard::LINT,
    &state_without_volume::LINT,
    &statics::LINT,
    &suspend_limits::LINT,
    &tcp_check_only::LINT,
    &timeout_above_interval::LINT,
    &tiny_limits::LINT,
    &udp_autostop::LINT,
    &udp_ports::LINT,
    &unknown_word::LINT,
    &uptime_check_wakes::LINT,
    &vm_limits::LINT,
    &volume_deploy::LINT,
    &volume_growth::LINT,
    &volume_max_size::LINT,
    &volume_region::LINT,
    &volume_shared::LINT,
    &wait_timeout::LINT,
    &weak_tls::LINT,
    &worker_restart::LINT,
];

/// Runs all lints.
pub fn run(input: &LintInput<'_>) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    for lint in ALL {
        (lint.check)(input, &mut diagnostics);
    }
    diagnostics
}

/// Whether the first label of a code's diagnostics covers a secret, so that its text must not be shown.
pub fn is_about_secrets(code: &Code) -> bool {
    let codes = [
        &secret_in_env::CODE,
        &secret_in_build_args::CODE,
        &secret_in_command::CODE,
        &secret_in_file::CODE,
        &crate::dockerfile::SECRET,
    ];
    codes.iter().any(|secret| secret.id == code.id)
}

/// Whether a value looks like a secret, by itself or by the last name of its path.
pub fn looks_secret(path: &str, value: &str) -> bool {
    let name = path.rsplit('.').next().unwrap_or(path);
    secrets::suspicion(name, value).is_some()
}
