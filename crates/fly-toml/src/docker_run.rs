//! The line that runs an app's image locally as a Machine would run it.
//!
//! Ports, variables, volume, memory, stop signal and command come from fly.toml; secrets are passed by name, so that
//! their values come from the caller's environment. Must not know: files, terminals.

use crate::lint::looks_secret;
use crate::schema::{AnyService, Config, go};

/// The words of the line for a process group; without a shell around them. `env_file` is passed on when there is one.
pub fn docker_run(config: &Config, group: &str, env_file: Option<&str>) -> Vec<String> {
    let mut words: Vec<String> = ["docker", "run", "--rm"].map(str::to_owned).to_vec();
    let mut add = |option: &str, value: String| words.extend([option.to_owned(), value]);
    let services = config.all_services();
    let own = services.iter().filter(|service| config.applies(group, service.processes()));
    let mut ports: Vec<String> = Vec::new();
    for service in own {
        let Some(port) = service.internal_port() else { continue };
        let udp = match service {
            AnyService::Plain(plain) => {
                plain.protocol.as_ref().is_some_and(|it| it.eq_ignore_ascii_case("udp"))
            }
            AnyService::Http(_) => false,
        };
        let protocol = if udp { "/udp" } else { "" };
        ports.push(format!("{port}:{port}{protocol}"));
    }
    ports.dedup();
    for port in ports {
        add("-p", port);
    }
    if let Some(file) = env_file {
        add("--env-file", file.to_owned());
    }
    for (name, value) in config.env.iter().flat_map(|env| env.value.iter()) {
        // Without a value docker takes it from the environment of the caller.
        let is_secret = looks_secret(name, value);
        add("-e", if is_secret { name.clone() } else { format!("{name}={}", value.value) });
    }
    add("-e", format!("FLY_PROCESS_GROUP={group}"));
    if let Some(region) = config.primary_region.as_ref().filter(|region| !region.is_empty()) {
        add("-e", format!("PRIMARY_REGION={}", region.value));
    }
    for mount in config.mounts.iter().flat_map(|list| list.iter()) {
        if let (Some(source), Some(path)) = (&mount.source, &mount.destination)
            && config.applies(group, mount.processes.as_ref())
        {
            add("-v", format!("{}:{}", source.value, path.value));
        }
    }
    if let Some(vm) = config.vm_of(group)
        && let Some(guest) = crate::convert::guest(config, vm, &mut Vec::new())
    {
        if let Some(mb) = guest.memory_mb.copied() {
            add("--memory", format!("{mb}m"));
        }
        if let Some(cpus) = guest.cpus.copied() {
            add("--cpus", cpus.to_string());
        }
    }
    let signal = config.kill_signal.as_ref().filter(|signal| !signal.is_empty());
    add("--stop-signal", signal.map_or("SIGINT".to_owned(), |signal| signal.value.clone()));
    if let Some(timeout) = &config.kill_timeout {
        add("--stop-timeout", format!("{:.0}", timeout.seconds().max(1.0)));
    }
    let image = config.build.as_ref().and_then(|build| build.image.as_ref());
    let app = config.app.as_ref().filter(|app| !app.is_empty());
    let name = image.or(app).map_or("app", |name| name.value.as_str());
    words.push(name.to_owned());
    let command = config.processes.as_ref().and_then(|processes| processes.value.get(group));
    if let Some(command) = command {
        words.extend(go::shell_split(command).unwrap_or_default());
    }
    words
}

/// The words as one line for a POSIX shell.
pub fn shell_line(words: &[String]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| shell_quote(word)).collect();
    quoted.join(" ")
}

fn shell_quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str, group: &str) -> String {
        shell_line(&docker_run(&crate::check(text).config, group, Some(".env.local")))
    }

    #[test]
    fn everything_that_a_machine_gets() {
        let text = "app = 'shop'\nprimary_region = 'fra'\nkill_signal = 'SIGTERM'\nkill_timeout = 30\n[env]\nA = \"it's\"\nAPI_KEY = '0123abcd'\n[processes]\nweb = 'server --port 1'\njob = ''\n[http_service]\ninternal_port = 8080\nprocesses = ['web']\n[[mounts]]\nsource = 'data'\ndestination = '/data'\nprocesses = ['web']\n[[vm]]\nmemory = '1gb'\ncpus = 2\n";
        assert_eq!(
            line(text, "web"),
            "docker run --rm -p 8080:8080 --env-file .env.local -e 'A=it'\\''s' -e API_KEY -e FLY_PROCESS_GROUP=web -e PRIMARY_REGION=fra -v data:/data --memory 1024m --cpus 2 --stop-signal SIGTERM --stop-timeout 30 shop server --port 1"
        );
        let job = line(text, "job");
        assert!(!job.contains("-p ") && !job.contains("-v ") && job.ends_with(" shop"), "{job}");
    }

    #[test]
    fn an_empty_file_still_runs_something() {
        assert_eq!(
            line("", "app"),
            "docker run --rm --env-file .env.local -e FLY_PROCESS_GROUP=app --stop-signal SIGINT app"
        );
    }
}
