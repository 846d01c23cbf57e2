//! Worlds: what a simulation starts from, as text that people write.
//!
//! A world is parsed and checked once; errors point at the place in the file. It must not know HTTP; turning it into
//! running state is `state::build`.

mod check;
pub(crate) mod evidence;
pub(crate) mod fault;
pub(crate) mod file;
mod layers;
pub(crate) mod machine;
pub(crate) mod moment;
pub(crate) mod place;

pub use evidence::HandedIn;
pub use file::Expect;

use serde::Deserialize;
use toml::de::Deserializer;

use file::WorldFile;
use layers::Layers;

/// A checked world, ready to be started any number of times.
#[derive(Debug, Clone)]
pub struct World {
    pub(crate) file: WorldFile,
    name: String,
}

/// A world file that cannot be used: where and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name}:{line}:{column}: {message}\n{excerpt}")]
pub struct WorldError {
    /// File or world name as given to [`World::parse`].
    pub name: String,
    /// Line of the mistake, from 1.
    pub line: usize,
    /// Column of the mistake in characters, from 1.
    pub column: usize,
    /// What is wrong there.
    pub message: String,
    /// The line itself with a marker below.
    pub excerpt: String,
}

macro_rules! worlds {
    ($($name:literal),* $(,)?) => {
        /// Names of the worlds that come with the simulator.
        pub const WORLD_NAMES: &[&str] = &[$($name),*];

        fn embedded(name: &str) -> Option<&'static str> {
            match name {
                $($name => Some(include_str!(concat!("../../worlds/", $name, ".toml"))),)*
                _ => None,
            }
        }
    };
}

worlds!(
    "healthy",
    "healthy-noisy",
    "healthy-one",
    "big-logs",
    "crash-loop",
    "failing-check",
    "flaky-api",
    "host-unreachable",
    "lease-held",
    "listens-on-loopback",
    "never-deployed",
    "none-started",
    "none-started-healthy",
    "oom",
    "platform-incident",
    "postgres-cluster",
    "region-full",
    "stuck-starting",
    "token-expired",
    "volume-unattached",
    "case-409-is-capacity",
    "case-6pn-moved",
    "case-autostart-off",
    "case-autostop-on-invalid",
    "case-barman-tmp-full",
    "case-buildx-010-manifest",
    "case-capacity-in-nowhere",
    "case-cdn-and-fly-certs",
    "case-cert-call-wrong-arg",
    "case-ci-region-ams",
    "case-ci-secret-absent",
    "case-cloudflare-flexible-520",
    "case-cookie-pins-dead-machine",
    "case-cpu-burst-503s",
    "case-crlf-start-script",
    "case-deleted-peer",
    "case-ecto-ipv6-moved",
    "case-ewr-hangs-connections",
    "case-failed-state-unknown",
    "case-fly-proxy-no-wake",
    "case-flyctl-354-private-image",
    "case-healthcheck-timeout-but-exited",
    "case-iad-outage-2025",
    "case-idle-pool-pins-limit",
    "case-litefs-no-primary",
    "case-machine-not-found-8gb",
    "case-mount-renamed",
    "case-mpg-bad-connection",
    "case-mpg-nxdomain",
    "case-oom-docs-index",
    "case-oom-only-on-sync",
    "case-oom-rails-nrt",
    "case-out-of-pool-after-deploy",
    "case-overlapping-webhook-deploys",
    "case-phantom-acme-txt",
    "case-redeploys-keep-connections",
    "case-release-command-cut",
    "case-replay-cannot-upgrade",
    "case-secrets-skip-loose",
    "case-shared-toml-shrinks-prod",
    "case-sidekiq-jobs-lost",
    "case-silent-revert",
    "case-slow-auth-was-steal",
    "case-staged-then-restart",
    "case-staging-db-far",
    "case-stale-6pn",
    "case-swapon-after-rootfs-change",
    "case-trial-only-personal",
    "case-vault-tls-lookups",
    "case-volume-host-no-compute",
    "case-webrtc-udp",
    "case-wg-mesh-host",
    "case-workers-busy-with-init",
    "case-yul-deprecated",
);

impl World {
    /// Reads a world from text; `name` is used in messages only.
    pub fn parse(text: &str, name: &str) -> Result<Self, WorldError> {
        let layers = Layers::of(text, name)?;
        let table = Deserializer::from(layers.merged()?);
        let mut file = WorldFile::deserialize(table).map_err(|error| {
            layers.error(error.span().unwrap_or(0..0), error.message().to_owned())
        })?;
        check::check(&file).map_err(|mistake| layers.error(mistake.span, mistake.message))?;
        // What a world extends is what it differs from.
        if let (Some(expect), Some(parent)) = (&mut file.expect, layers.parent())
            && expect.finding.is_some()
        {
            expect.twin.get_or_insert_with(|| parent.to_owned());
        }
        Ok(Self { file, name: name.to_owned() })
    }

    /// One of the worlds of [`WORLD_NAMES`].
    pub fn named(name: &str) -> Option<Self> {
        Self::parse(embedded(name)?, name).ok()
    }

    /// One of the worlds of [`WORLD_NAMES`], with the reason when there is none or it is broken.
    pub fn load(name: &str) -> Result<Self, WorldError> {
        if let Some(text) = embedded(name) {
            return Self::parse(text, name);
        }
        let message = format!("no world '{name}'; there are: {}", WORLD_NAMES.join(", "));
        Err(WorldError::at("", name, 0..0, message))
    }

    /// The name that it was parsed under.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// One line on what the world is.
    pub fn about(&self) -> &str {
        &self.file.about
    }

    /// What a good tool says about it.
    pub fn expect(&self) -> Option<&Expect> {
        self.file.expect.as_ref()
    }

    /// What a user of this world would hand in: output that no interface of the platform has. Never served.
    pub fn handed_in(&self) -> &[HandedIn] {
        &self.file.handed_in
    }

    /// Names of its apps, in file order.
    pub fn apps(&self) -> Vec<&str> {
        self.file.apps.iter().map(|app| app.name.as_str()).collect()
    }
}

impl WorldError {
    fn at(text: &str, name: &str, span: std::ops::Range<usize>, message: String) -> Self {
        let start = span.start.min(text.len());
        let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
        let line = text[..start].matches('\n').count() + 1;
        let column = text[line_start..start].chars().count() + 1;
        let width = text[start..span.end.clamp(start, line_end)].chars().count().max(1);
        let excerpt = format!(
            "{line:>4} | {}\n     | {}{}",
            &text[line_start..line_end],
            " ".repeat(column - 1),
            "^".repeat(width)
        );
        Self { name: name.to_owned(), line, column, message, excerpt }
    }
}
