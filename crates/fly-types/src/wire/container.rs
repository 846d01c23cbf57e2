//! Containers inside a Machine (selected organizations).

use std::collections::BTreeMap;

use serde_json::Value;

use super::{EnvFrom, File, HttpHeader, NamedSecret, Restart, Sensitive, StopConfig, body};

body! {
    /// One container of a Machine.
    Container {
        name: String,
        image: String,
        exec: Vec<String>,
        entrypoint: Vec<String>,
        cmd: Vec<String>,
        user: String,
        /// Plain text, so never printed.
        env: Sensitive<BTreeMap<String, String>>,
        secrets: Vec<NamedSecret>,
        env_from: Vec<EnvFrom>,
        files: Vec<File>,
        restart: Restart,
        stop: StopConfig,
        depends_on: Vec<ContainerDependency>,
        healthchecks: Vec<ContainerHealthcheck>,
        mounts: Vec<ContainerMount>,
    }
}

body! {
    /// A container that must be in a condition first.
    ContainerDependency {
        name: String,
        /// `started`, `healthy` or `exited_successfully`.
        condition: String,
    }
}

body! {
    /// A health check of a container. Durations are integers, in seconds.
    ContainerHealthcheck {
        name: String,
        kind: String,
        interval: i64,
        timeout: i64,
        grace_period: i64,
        success_threshold: i64,
        failure_threshold: i64,
        unhealthy: String,
        exec: ExecHealthcheck,
        http: HttpHealthcheck,
        tcp: TcpHealthcheck,
    }
}

body! {
    /// A check that runs a command.
    ExecHealthcheck {
        command: Vec<String>,
    }
}

body! {
    /// A check that makes an HTTP request.
    HttpHealthcheck {
        port: i64,
        method: String,
        path: String,
        scheme: String,
        headers: Vec<HttpHeader>,
        tls_skip_verify: bool,
        tls_server_name: String,
    }
}

body! {
    /// A check that connects.
    TcpHealthcheck {
        port: i64,
    }
}

body! {
    /// A volume of the Machine mounted in a container.
    ContainerMount {
        name: String,
        path: String,
    }
}

body! {
    /// A volume for containers.
    ContainerVolume {
        name: String,
        temp_dir: TempDir,
        image: Value,
    }
}

body! {
    /// Scratch space for containers.
    TempDir {
        size_mb: i64,
        storage_type: String,
    }
}

body! {
    /// State of one container, as a Machine reports it.
    ContainerState {
        name: String,
        state: String,
    }
}
