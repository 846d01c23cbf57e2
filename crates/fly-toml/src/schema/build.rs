//! `[build]` and `[deploy]`.

use std::collections::BTreeMap;

use super::read::section;
use super::values::{Free, Time};
use super::{Located, Vm};

section! {
    /// `[build]`.
    Build {
        /// Cloud Native Buildpacks builder image.
        builder: String,
        /// Arguments of the Docker build. Not for secrets: they stay in the image.
        args: BTreeMap<String, Located<String>>,
        /// Buildpacks.
        buildpacks: Vec<Located<String>>,
        /// Use this image instead of building one.
        image: String,
        /// Parameters of `builtin`.
        settings: Free,
        /// A builder that comes with flyctl.
        builtin: String,
        /// Dockerfile, relative to this file, or an https URL.
        dockerfile: String,
        /// The .dockerignore to use, relative to this file.
        ignorefile: String,
        /// Stage of a multi-stage build.
        build_target as "build-target": String,
        /// Build from a compose file.
        compose: Compose,
        /// Compression of layers: `gzip` or `zstd`.
        compression: String,
        /// 0 to 9.
        compression_level: i64,
    }
}

section! {
    /// `[build.compose]`.
    Compose {
        /// The compose file.
        file: String,
    }
}

section! {
    /// `[deploy]`.
    Deploy {
        /// `rolling`, `canary`, `bluegreen` or `immediate`.
        strategy: String,
        /// How many Machines may be replaced at once: below 1 a share, from 1 on a number.
        max_unavailable: f64,
        /// How long to wait for a Machine to become healthy. A bare number is nanoseconds here.
        wait_timeout: Time,
        /// Runs once in a Machine of its own before the new version gets traffic.
        release_command: String,
        /// How long the release command may take. A bare number is nanoseconds here.
        release_command_timeout: Time,
        /// Size of the Machine that runs the release command.
        release_command_vm: Vm,
        /// Run by `fly launch` once.
        seed_command: String,
    }
}
