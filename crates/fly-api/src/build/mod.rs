//! Machine configurations built step by step and checked as a whole: every mistake at once, before any call.
//!
//! Only what the platform documents as a rule is refused. Must not know: sending, apps, fly.toml.

mod deploy;
mod parts;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use fly_types::duration::GoDuration;
use fly_types::image::ImageReference;
use fly_types::size::Size;
use fly_types::wire::{
    Check, Init, MachineConfig, Mount, Restart, RestartPolicy, Schedule, Sensitive, Service,
    StopConfig,
};
use fly_types::{MachineId, VolumeId};

pub use deploy::machines_for;
pub use parts::{CheckBuilder, PortBuilder, ServiceBuilder};

/// The longest time that a Machine may take to stop (docs: kill_timeout).
const LONGEST_STOP: Duration = Duration::from_mins(5);

/// Every mistake of a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildErrors(pub Vec<BuildError>);

/// One mistake: where, and which rule it breaks. Values of variables are not repeated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildError {
    /// Path in the configuration, e.g. `services[0].ports[1]`.
    pub at: String,
    /// The rule, as a phrase.
    pub rule: String,
}

impl fmt::Display for BuildErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> =
            self.0.iter().map(|error| format!("{}: {}", error.at, error.rule)).collect();
        write!(f, "the Machine configuration has {} mistakes: {}", lines.len(), lines.join("; "))
    }
}

impl std::error::Error for BuildErrors {}

/// Collects mistakes.
#[derive(Debug, Default)]
struct Mistakes(Vec<BuildError>);

impl Mistakes {
    fn check(&mut self, good: bool, at: impl Into<String>, rule: impl Into<String>) {
        if !good {
            self.0.push(BuildError { at: at.into(), rule: rule.into() });
        }
    }
}

/// A Machine configuration in the making.
#[derive(Debug, Clone)]
pub struct ConfigBuilder {
    image: ImageReference,
    size: Size,
    env: BTreeMap<String, Sensitive<String>>,
    metadata: BTreeMap<String, String>,
    services: Vec<ServiceBuilder>,
    checks: BTreeMap<String, CheckBuilder>,
    mounts: Vec<(VolumeId, String)>,
    init: Init,
    restart: Option<Restart>,
    stop: Option<(Option<String>, Duration)>,
    schedule: Option<Schedule>,
    standbys: Vec<MachineId>,
    auto_destroy: bool,
}

impl ConfigBuilder {
    /// A Machine that runs an image on the smallest size, without services.
    pub fn new(image: ImageReference) -> Self {
        Self {
            image,
            size: Size::smallest(),
            env: BTreeMap::new(),
            metadata: BTreeMap::new(),
            services: Vec::new(),
            checks: BTreeMap::new(),
            mounts: Vec::new(),
            init: Init::default(),
            restart: None,
            stop: None,
            schedule: None,
            standbys: Vec::new(),
            auto_destroy: false,
        }
    }

    /// CPUs and memory.
    #[must_use]
    pub fn size(mut self, size: Size) -> Self {
        self.size = size;
        self
    }

    /// A variable. It is plain to everybody who can read the configuration: secrets belong to the app's secrets.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.env.insert(name.into(), Sensitive::new(value.into()));
        self
    }

    /// A metadata value.
    #[must_use]
    pub fn metadata(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.metadata.insert(key.into(), value.into());
        self
    }

    /// Makes it a Machine that `fly deploy` and `fly scale` see, in a process group.
    #[must_use]
    pub fn process_group(self, group: impl Into<String>) -> Self {
        self.metadata("fly_platform_version", "v2").metadata("fly_process_group", group)
    }

    /// Something that the proxy sends to it.
    #[must_use]
    pub fn service(mut self, service: ServiceBuilder) -> Self {
        self.services.push(service);
        self
    }

    /// A top-level health check; it only reports.
    #[must_use]
    pub fn check(mut self, name: impl Into<String>, check: CheckBuilder) -> Self {
        self.checks.insert(name.into(), check);
        self
    }

    /// A volume, which fixes region and host.
    #[must_use]
    pub fn mount(mut self, volume: VolumeId, path: impl Into<String>) -> Self {
        self.mounts.push((volume, path.into()));
        self
    }

    /// The arguments, in place of the image's CMD.
    #[must_use]
    pub fn command<W: Into<String>>(mut self, words: impl IntoIterator<Item = W>) -> Self {
        self.init.cmd = words.into_iter().map(Into::into).collect::<Vec<String>>().into();
        self
    }

    /// The program, in place of the image's ENTRYPOINT.
    #[must_use]
    pub fn entrypoint<W: Into<String>>(mut self, words: impl IntoIterator<Item = W>) -> Self {
        self.init.entrypoint = words.into_iter().map(Into::into).collect::<Vec<String>>().into();
        self
    }

    /// What happens when it ends; the platform's default is on failure, ten tries in five minutes.
    #[must_use]
    pub fn restart(mut self, policy: RestartPolicy) -> Self {
        self.restart = Some(Restart { policy: policy.into(), ..Restart::default() });
        self
    }

    /// How it is stopped: signal (the platform's default is SIGINT) and time until it is killed (5 s).
    #[must_use]
    pub fn stop(mut self, signal: Option<&str>, timeout: Duration) -> Self {
        self.stop = Some((signal.map(str::to_owned), timeout));
        self
    }

    /// Runs it now and then, to completion.
    #[must_use]
    pub fn schedule(mut self, schedule: Schedule) -> Self {
        self.schedule = Some(schedule);
        self
    }

    /// Boots only when the host of this Machine fails.
    #[must_use]
    pub fn standby_for(mut self, machine: MachineId) -> Self {
        self.standbys.push(machine);
        self
    }

    /// Destroys it when it ends.
    #[must_use]
    pub fn auto_destroy(mut self) -> Self {
        self.auto_destroy = true;
        self
    }

    /// The services so far, for changing them all.
    pub fn services_mut(&mut self) -> &mut [ServiceBuilder] {
        &mut self.services
    }

    /// The configuration, or every mistake in it.
    pub fn build(self) -> Result<MachineConfig, BuildErrors> {
        let mut mistakes = Mistakes::default();
        for name in self.env.keys() {
            let good = !name.is_empty() && !name.contains(['=', '\0']);
            mistakes.check(
                good,
                format!("env.{name}"),
                "a variable's name must not be empty or contain '='",
            );
        }
        let keys = self.metadata.keys().all(|key| !key.is_empty());
        mistakes.check(keys, "metadata", "a key must not be empty");
        mistakes.check(self.mounts.len() <= 1, "mounts", "a Machine has one volume at most");
        for (index, (_, path)) in self.mounts.iter().enumerate() {
            let good = path.starts_with('/') && path.len() > 1;
            let rule = "the path must be absolute and not the root";
            mistakes.check(good, format!("mounts[{index}].path"), rule);
        }
        if let Some((_, timeout)) = &self.stop {
            let rule = "a Machine may take 5 minutes to stop at most";
            mistakes.check(*timeout <= LONGEST_STOP, "stop_config.timeout", rule);
        }
        let mut services: Vec<Service> = Vec::new();
        let mut taken = BTreeMap::new();
        for (index, service) in self.services.iter().enumerate() {
            services.push(service.build(&format!("services[{index}]"), &mut taken, &mut mistakes));
        }
        let mut checks: BTreeMap<String, Check> = BTreeMap::new();
        for (name, check) in &self.checks {
            checks.insert(name.clone(), check.top_level(&format!("checks.{name}"), &mut mistakes));
        }
        if !mistakes.0.is_empty() {
            return Err(BuildErrors(mistakes.0));
        }
        let mounts: Vec<Mount> = self
            .mounts
            .into_iter()
            .map(|(volume, path)| Mount {
                volume: volume.into(),
                path: path.into(),
                ..Mount::default()
            })
            .collect();
        let mut config = MachineConfig {
            image: self.image.to_string().into(),
            guest: self.size.to_guest().into(),
            ..MachineConfig::default()
        };
        // What is empty is left out: an answer and a diff are easier to read so.
        if !self.env.is_empty() {
            let env = self.env.into_iter().map(|(name, value)| (name, value.expose().clone()));
            config.env = Sensitive::new(env.collect()).into();
        }
        if !self.metadata.is_empty() {
            config.metadata = self.metadata.into();
        }
        if !services.is_empty() {
            config.services = services.into();
        }
        if !checks.is_empty() {
            config.checks = checks.into();
        }
        if !mounts.is_empty() {
            config.mounts = mounts.into();
        }
        if self.init != Init::default() {
            config.init = self.init.into();
        }
        if let Some(restart) = self.restart {
            config.restart = restart.into();
        }
        if let Some((signal, timeout)) = self.stop {
            config.stop_config = StopConfig {
                signal: crate::write::some(signal),
                timeout: GoDuration::from(timeout).into(),
                ..StopConfig::default()
            }
            .into();
        }
        if let Some(schedule) = self.schedule {
            config.schedule = schedule.into();
        }
        if !self.standbys.is_empty() {
            config.standbys = self.standbys.into();
        }
        if self.auto_destroy {
            config.auto_destroy = true.into();
        }
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn nginx() -> ConfigBuilder {
        ConfigBuilder::new("nginx:alpine".parse().unwrap())
    }

    #[test]
    fn the_hello_world_of_a_web_app() {
        let config = nginx()
            .env("LOG_LEVEL", "info")
            .service(ServiceBuilder::web(80).check(CheckBuilder::http("/healthz")))
            .process_group("app")
            .build()
            .unwrap();
        insta::assert_snapshot!(serde_json::to_string_pretty(&config).unwrap());
        let bare = nginx().build().unwrap();
        assert_eq!(
            serde_json::to_value(&bare).unwrap(),
            json!({
                "image": "nginx:alpine",
                "guest": { "cpu_kind": "shared", "cpus": 1, "memory_mb": 256 },
            })
        );
    }

    #[test]
    fn every_mistake_at_once() {
        let volume = || "vol_9vle3lw21kmzn6d4".parse().unwrap();
        let errors = nginx()
            .env("A=B", "hunter2")
            .metadata("", "x")
            .mount(volume(), "data")
            .mount(volume(), "/")
            .stop(None, Duration::from_secs(301))
            .service(ServiceBuilder::web(0).limits("requests", 50, 20))
            .service(ServiceBuilder::tcp(5432, PortBuilder::at(443)))
            .check("up", CheckBuilder::http("healthz"))
            .check("tcp", CheckBuilder::tcp())
            .build()
            .unwrap_err();
        let lines: Vec<String> =
            errors.0.iter().map(|error| format!("{}: {}", error.at, error.rule)).collect();
        insta::assert_snapshot!(lines.join("\n"));
        assert!(!errors.to_string().contains("hunter2"));
    }
}
