//! The top level of fly.toml.

use std::collections::BTreeMap;

use super::read::section;
use super::values::Time;
use super::{
    Build, Check, Deploy, Experimental, File, HttpService, Located, MachineCheck, Metrics, Mount,
    OneOrMany, Restart, Service, Static, Vm,
};

section! {
    /// A whole fly.toml, legacy spellings already in their current form.
    Config {
        /// Name of the app.
        app: String,
        /// Region of new Machines; also the variable `PRIMARY_REGION` on every Machine.
        primary_region: String,
        /// Signal that asks a Machine to stop. The platform sends SIGINT when unset.
        kill_signal: String,
        /// How long a Machine may take to stop after the signal; at most 5 minutes. A bare number is seconds.
        kill_timeout: Time,
        /// Swap space in MB. Rules out suspend.
        swap_size_mb: i64,
        /// Command of `fly console`.
        console_command: String,
        /// Settings without a promise of stability.
        experimental: Experimental,
        /// How the image is built.
        build: Build,
        /// How a new version is rolled out.
        deploy: Deploy,
        /// Environment variables. Not for secrets: everybody who can read the app can read them.
        env: BTreeMap<String, Located<String>>,
        /// Process groups: name and command. When present it is the complete list.
        processes: BTreeMap<String, Located<String>>,
        /// Volumes.
        mounts: OneOrMany<Mount>,
        /// One web service on ports 80 and 443.
        http_service: HttpService,
        /// Services of any kind.
        services: OneOrMany<Service>,
        /// Health checks that do not affect routing.
        checks: BTreeMap<String, Located<Check>>,
        /// Files written into each Machine at boot.
        files: Vec<Located<File>>,
        /// Dedicated host.
        host_dedication_id: String,
        /// Machine config as inline JSON or as a path that ends in .json.
        machine_config: String,
        /// The container of the machine config that runs the built image.
        container: String,
        /// Throw-away Machines that test a new version.
        machine_checks: Vec<Located<MachineCheck>>,
        /// What happens when a process ends.
        restart: Vec<Located<Restart>>,
        /// CPUs and memory, for all groups or some.
        vm: OneOrMany<Vm>,
        /// Files that the proxy serves itself.
        statics: Vec<Located<Static>>,
        /// Where Prometheus metrics are scraped.
        metrics: OneOrMany<Metrics>,
    }
}
