//! Machines, changed.

use serde_json::{Map, Value, json};

use super::machines::require_running;
use super::write::{check_duration, flag, number, text, wrong_type};
use crate::server::http::{Answer, Reply};
use crate::server::routes::Call;
use crate::state::create::{NewMachine, claim_volumes};
use crate::state::shell::{self, Mount, Sent};
use crate::state::{App, Lease, Machine};

/// The configuration of a create or update, with the types that clients get wrong checked.
fn config(body: &Value) -> Result<Map<String, Value>, Reply> {
    let config = match body.get("config") {
        Some(Value::Object(config)) => config.clone(),
        None | Some(Value::Null) => {
            return Err(Reply::error(400, "invalid_argument: config is required"));
        }
        Some(other) => return Err(wrong_type("config", other, "MachineConfig")),
    };
    if text(&Value::Object(config.clone()), "image")?.is_none_or(str::is_empty)
        && !config.contains_key("containers")
    {
        return Err(Reply::error(400, "invalid_argument: config.image is required"));
    }
    for (key, wanted) in [("env", "map[string]string"), ("metadata", "map[string]string")] {
        match config.get(key) {
            None | Some(Value::Null) => {}
            Some(Value::Object(map)) => {
                if let Some((name, bad)) = map.iter().find(|(_, value)| !value.is_string()) {
                    return Err(wrong_type(&format!("config.{key}.{name}"), bad, "string"));
                }
            }
            Some(other) => return Err(wrong_type(&format!("config.{key}"), other, wanted)),
        }
    }
    for (key, wanted) in [("services", "[]MachineService"), ("mounts", "[]MachineMount")] {
        if let Some(other) = config.get(key).filter(|v| !v.is_array() && !v.is_null()) {
            return Err(wrong_type(&format!("config.{key}"), other, wanted));
        }
    }
    let mut config = config;
    guest(&mut config)?;
    Ok(config)
}

/// Sizes: what the documented steps allow; the default is shared-cpu-1x.
fn guest(config: &mut Map<String, Value>) -> Result<(), Reply> {
    let guest = match config.get("guest") {
        None | Some(Value::Null) => {
            let guest = json!({ "cpu_kind": "shared", "cpus": 1, "memory_mb": 256 });
            config.insert("guest".to_owned(), guest);
            return Ok(());
        }
        Some(guest @ Value::Object(_)) => guest,
        Some(other) => return Err(wrong_type("config.guest", other, "MachineGuest")),
    };
    if text(guest, "gpu_kind")?.is_some_and(|kind| !kind.is_empty()) {
        return Err(Reply::error(400, "invalid_argument: GPUs are no longer available"));
    }
    let kind = text(guest, "cpu_kind")?.filter(|kind| !kind.is_empty()).unwrap_or("shared");
    let cpus = number(guest, "cpus")?.unwrap_or(1);
    let memory = number(guest, "memory_mb")?.unwrap_or(256);
    let (counts, least, most, step): (&[i64], i64, i64, i64) = match kind {
        "shared" => (&[1, 2, 4, 6, 8], 256, 2048, 256),
        "performance" => (&[1, 2, 4, 6, 8, 10, 12, 14, 16, 32, 64, 128], 2048, 8192, 1024),
        other => {
            return Err(Reply::error(400, format!("invalid_argument: invalid cpu_kind '{other}'")));
        }
    };
    if !counts.contains(&cpus) {
        return Err(Reply::error(400, format!("invalid_argument: invalid number of CPUs {cpus}")));
    }
    if !(cpus * least..=cpus * most).contains(&memory) || memory % step != 0 {
        return Err(Reply::error(
            400,
            format!("invalid_argument: invalid memory {memory} MB for {cpus} {kind} CPUs"),
        ));
    }
    Ok(())
}

pub(crate) fn create(call: &mut Call<'_>) -> Answer {
    let body = call.request.json()?;
    let config = config(&body)?;
    let new = NewMachine {
        name: text(&body, "name")?.map(str::to_owned),
        region: text(&body, "region")?.filter(|region| !region.is_empty()).map(str::to_owned),
        skip_launch: flag(&body, "skip_launch")?.unwrap_or(false),
        cordoned: flag(&body, "skip_service_registration")?.unwrap_or(false),
        config,
    };
    check_secrets_version(call, &body)?;
    let ttl = number(&body, "lease_ttl")?;
    let app = call.request.param("app");
    let id = call.state.create_machine(app, new)?;
    answer(call, &id, ttl)
}

fn check_secrets_version(call: &Call<'_>, body: &Value) -> Result<(), Reply> {
    let wanted = number(body, "min_secrets_version")?.unwrap_or(0);
    if wanted > call.app()?.secrets_version {
        return Err(Reply::error(412, "failed_precondition: secrets version not yet available"));
    }
    Ok(())
}

/// The Machine, with a lease when one was asked for.
fn answer(call: &mut Call<'_>, id: &str, ttl: Option<i64>) -> Answer {
    let owner = call.caller.owner(&call.state.viewer);
    let (now, nonce) = (call.state.now, call.state.ids.hex(32));
    let machine = call.app_mut()?.machine_mut(id).ok_or_else(super::machine_not_found)?;
    let mut value = machine.json();
    if let Some(ttl) = ttl.filter(|ttl| *ttl > 0) {
        let expires = now.saturating_add(jiff::SignedDuration::from_secs(ttl)).unwrap_or(now);
        value["nonce"] = json!(nonce);
        machine.lease = Some(Lease { nonce, owner, description: String::new(), expires });
    }
    Ok(Reply::json(value))
}

pub(crate) fn update(call: &mut Call<'_>) -> Answer {
    let body = call.request.json()?;
    let config = config(&body)?;
    check_secrets_version(call, &body)?;
    call.check_lease()?;
    let machine = call.machine()?;
    if let Some(version) = text(&body, "current_version")?.filter(|v| *v != machine.instance_id) {
        let text =
            format!("failed_precondition: machine version mismatch, {version} is not current");
        return Err(Reply::error(412, text));
    }
    let (id, region) = (machine.id.clone(), machine.region.clone());
    let different = text(&body, "region")?.is_some_and(|r| !r.is_empty() && r != region);
    if different {
        return Err(Reply::error(400, "invalid_argument: region cannot be changed"));
    }
    call.machine()?.check_update()?;
    let config = claim_volumes(call.app_mut()?, &id, &region, config)?;
    let skip = flag(&body, "skip_launch")?.unwrap_or(false);
    call.change(|machine, platform| machine.update(platform, config, skip))?;
    answer(call, &id, number(&body, "lease_ttl")?)
}

pub(crate) fn destroy(call: &mut Call<'_>) -> Answer {
    let force = call.request.flag("force") || call.request.flag("kill");
    call.change(|machine, platform| machine.destroy(platform, force))?;
    Ok(Reply::ok())
}

pub(crate) fn start(call: &mut Call<'_>) -> Answer {
    let previous = call.machine()?.state.clone();
    call.change(Machine::start)?;
    Ok(Reply::json(json!({ "previous_state": previous, "migrated": false, "new_host": "" })))
}

pub(crate) fn stop(call: &mut Call<'_>) -> Answer {
    let body = call.request.json_or_empty()?;
    check_duration(&body, "timeout")?;
    if let Some(name) = text(&body, "signal")?.filter(|name| !name.is_empty()) {
        signal_number(&json!(name))?;
    }
    call.change(Machine::stop)?;
    Ok(Reply::ok())
}

pub(crate) fn suspend(call: &mut Call<'_>) -> Answer {
    call.change(Machine::suspend)?;
    Ok(Reply::ok())
}

pub(crate) fn restart(call: &mut Call<'_>) -> Answer {
    call.change(Machine::restart)?;
    Ok(Reply::ok())
}

const SIGNALS: [(&str, i64); 14] = [
    ("SIGHUP", 1),
    ("SIGINT", 2),
    ("SIGQUIT", 3),
    ("SIGILL", 4),
    ("SIGTRAP", 5),
    ("SIGABRT", 6),
    ("SIGFPE", 8),
    ("SIGKILL", 9),
    ("SIGUSR1", 10),
    ("SIGSEGV", 11),
    ("SIGUSR2", 12),
    ("SIGPIPE", 13),
    ("SIGALRM", 14),
    ("SIGTERM", 15),
];

/// Some clients send the number, others the name, with or without its prefix.
fn signal_number(value: &Value) -> Result<i64, Reply> {
    let found = SIGNALS.iter().find(|(name, number)| match value {
        Value::String(text) => text == name || Some(text.as_str()) == name.strip_prefix("SIG"),
        other => other.as_i64() == Some(*number),
    });
    found
        .map(|(_, number)| *number)
        .ok_or_else(|| Reply::error(400, format!("invalid_argument: invalid signal {value}")))
}

pub(crate) fn signal(call: &mut Call<'_>) -> Answer {
    let body = call.request.json()?;
    let number = signal_number(body.get("signal").unwrap_or(&Value::Null))?;
    call.change(|machine, platform| machine.signal(platform, number))?;
    Ok(Reply::ok())
}

pub(crate) fn cordon(call: &mut Call<'_>) -> Answer {
    set_cordoned(call, true)
}

pub(crate) fn uncordon(call: &mut Call<'_>) -> Answer {
    set_cordoned(call, false)
}

fn set_cordoned(call: &mut Call<'_>, cordoned: bool) -> Answer {
    call.change(|machine, _| {
        machine.cordoned = cordoned;
        Ok(())
    })?;
    Ok(Reply::ok())
}

/// Commands that the world knows, else the small shell over the volumes. Nothing is executed on this host.
pub(crate) fn exec(call: &mut Call<'_>) -> Answer {
    let body = call.request.json()?;
    let (command, line) = match body.get("command") {
        Some(Value::Array(words)) => {
            let words: Option<Vec<&str>> = words.iter().map(Value::as_str).collect();
            let words = words.ok_or_else(|| wrong_type("command", &body["command"], "[]string"))?;
            (words.join(" "), shell::quoted(&words))
        }
        None | Some(Value::Null) => {
            let text = text(&body, "cmd")?.unwrap_or_default().to_owned();
            (text.clone(), text)
        }
        Some(other) => return Err(wrong_type("command", other, "[]string")),
    };
    if command.trim().is_empty() {
        return Err(Reply::error(400, "invalid_argument: command is required"));
    }
    let machine = call.machine()?;
    require_running(machine)?;
    let known = machine.execs.iter().find(|exec| exec.command == command);
    let (code, out, err) = match known {
        Some(exec) => (exec.exit_code, exec.stdout.clone(), exec.stderr.clone()),
        None => run_in_guest(call, &line)?,
    };
    Ok(Reply::json(json!({ "exit_code": code, "exit_signal": 0, "stdout": out, "stderr": err })))
}

/// Runs a command over the files of the Machine's volumes.
fn run_in_guest(call: &mut Call<'_>, command: &str) -> Result<(i64, String, String), Reply> {
    let machine = call.machine()?;
    let (id, config) = (machine.id.clone(), machine.config.clone());
    let files = machine.scratch.clone();
    let scratch =
        Mount { volume: String::new(), path: "/tmp".to_owned(), size_gb: 8, used_bytes: 0, files };
    let lazy = call.state.settings.lazy_sync;
    let app = call.app_mut()?;
    let mut mounts = mounts(app, &config);
    mounts.extend(app.litefs_folder(&id));
    mounts.push(scratch);
    let output = shell::run(command, &mut mounts, &mut |sent| receive(app, sent));
    let scratch = mounts.pop().map(|scratch| scratch.files).unwrap_or_default();
    keep(app, mounts, output.synced || !lazy);
    if let Some(machine) = app.machines.iter_mut().find(|machine| machine.id == id) {
        machine.scratch = scratch;
    }
    Ok((output.code, output.stdout, output.stderr))
}

fn mounts(app: &App, config: &Map<String, Value>) -> Vec<Mount> {
    let paths = config.get("mounts").and_then(Value::as_array).into_iter().flatten();
    let mount = |mount: &Value| {
        let volume = app.volume(mount["volume"].as_str().unwrap_or_default())?;
        Some(Mount {
            volume: volume.id.clone(),
            path: mount["path"].as_str().unwrap_or_default().trim_end_matches('/').to_owned(),
            size_gb: volume.size_gb,
            used_bytes: volume.used_bytes,
            files: volume.files.clone(),
        })
    };
    paths.filter_map(mount).collect()
}

fn keep(app: &mut App, mounts: Vec<Mount>, synced: bool) {
    for mount in mounts {
        if let Some(volume) = app.volumes.iter_mut().find(|volume| volume.id == mount.volume) {
            volume.files = mount.files;
            if synced {
                volume.synced.clone_from(&volume.files);
            }
        }
    }
}

/// A running Machine of the app whose main process is `nc -l -p PORT | tar -C FOLDER -xf -`, in a loop, takes a stream.
fn receive(app: &mut App, sent: &Sent) -> bool {
    let listens = format!("nc -l -p {} ", sent.port);
    let found = app.machines.iter().find_map(|machine| {
        let here = machine.private_ip == sent.address && machine.state == "started";
        let words = machine.config.get("init")?.get("exec")?.as_array()?;
        let script = words.last()?.as_str()?;
        let (input, rest) = script.split_once(listens.as_str())?.1.split_once("| tar -C ")?;
        // The first process of a Machine has no input, and `nc` ends when its input does.
        let stays = input.trim_start().starts_with("<>");
        let folder = rest.split(' ').next().filter(|_| stays)?.to_owned();
        here.then(|| (machine.config.clone(), folder))
    });
    let Some((config, folder)) = found else { return false };
    let mut mounts = mounts(app, &config);
    let taken = shell::unpack(&folder, &sent.stream, &mut mounts);
    // What tar wrote reaches the disk when its volume is let go.
    keep(app, mounts, true);
    taken
}

pub(crate) fn set_memory(call: &mut Call<'_>) -> Answer {
    let body = call.request.json()?;
    require_running(call.machine()?)?;
    let limit = number(&body, "limit_mb")?.filter(|limit| *limit > 0);
    let limit = limit.ok_or_else(|| Reply::error(400, "invalid_argument: limit_mb is required"))?;
    call.change(|machine, _| {
        machine.memory_limit_mb = Some(limit);
        Ok(())
    })?;
    super::machines::memory(call)
}

pub(crate) fn reclaim_memory(call: &mut Call<'_>) -> Answer {
    let body = call.request.json()?;
    require_running(call.machine()?)?;
    let amount = number(&body, "amount_mb")?.unwrap_or(0);
    Ok(Reply::json(json!({ "actual_mb": amount / 2 })))
}
