//! A real flyctl against the simulator, and the replay of recorded runs.
//!
//! The first test needs `FLYCTL_BIN` (never taken from `PATH`) and says that it was skipped without it; with
//! `FLYCTL_RECORD=1` it writes what it saw below `tests/recordings/flyctl-<version>/`. The second one replays those.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use fly_sim::{ClockMode, Options, Recorded, Sim, World, fake};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::client::send;

const CASES: &str = include_str!("../data/conformance.toml");

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases {
    command: Vec<Case>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    record: String,
    args: Vec<String>,
    #[serde(default = "healthy")]
    world: String,
    #[serde(default)]
    exit: i32,
    #[serde(default)]
    json: bool,
    #[serde(default)]
    keys: Vec<String>,
    #[serde(default)]
    out: Vec<String>,
    #[serde(default)]
    err: Vec<String>,
    /// Requests that must have been made, as `METHOD route` or `graphql field`.
    #[serde(default)]
    asks: Vec<String>,
    /// Text of a `fly.toml` in the working directory.
    #[serde(default)]
    fly_toml: Option<String>,
    /// Other files in the working directory.
    #[serde(default)]
    files: BTreeMap<String, String>,
    /// What is typed; closed otherwise.
    #[serde(default)]
    stdin: Option<String>,
    /// Not replayed: the order of requests depends on timing.
    #[serde(default)]
    no_replay: bool,
}

fn healthy() -> String {
    "healthy".to_owned()
}

/// One exchange of a recording.
#[derive(Debug, Serialize, Deserialize)]
struct Exchange {
    after_ms: i64,
    method: String,
    path: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    query: Vec<(String, String)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nonce: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body: Option<Value>,
    status: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    answer: Option<Value>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_flyctl_is_content() {
    #[expect(clippy::disallowed_methods, reason = "which flyctl to test is the caller's choice")]
    let (binary, record) = (std::env::var_os("FLYCTL_BIN"), std::env::var_os("FLYCTL_RECORD"));
    let Some(binary) = binary.map(PathBuf::from) else {
        println!("skipped: set FLYCTL_BIN to a flyctl to run this");
        return;
    };
    let cases: Cases = toml::from_str(CASES).unwrap();
    #[expect(clippy::disallowed_methods, reason = "selects one case while working on it")]
    let only = std::env::var("FLYCTL_ONLY").unwrap_or_default();
    let mut failures = Vec::new();
    for case in cases.command.iter().filter(|case| case.record.contains(&only)) {
        match run_case(&binary, case, record.is_some()).await {
            Ok(()) => println!("ok    {}", case.record),
            Err(why) => {
                println!("FAIL  {}: {why}", case.record);
                failures.push(case.record.clone());
            }
        }
    }
    assert!(failures.is_empty(), "flyctl disagreed on {failures:?}");
}

async fn run_case(binary: &Path, case: &Case, record: bool) -> Result<(), String> {
    let sim = Sim::start(World::named(&case.world).unwrap(), Options::default()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    if let Some(text) = &case.fly_toml {
        std::fs::write(folder.path().join("fly.toml"), text).unwrap();
    }
    for (name, text) in &case.files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let output = flyctl(binary, &sim, folder.path(), case).await;
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    let requests = sim.requests();
    check(case, output.status.code(), &stdout, &stderr, &requests)
        .map_err(|why| format!("{why}\n--- stdout\n{stdout}\n--- stderr\n{stderr}"))?;
    if record {
        let place = folder.path().display().to_string();
        write_recording(case, &sim, &place, (&stdout, &stderr), &requests);
    }
    Ok(())
}

async fn flyctl(binary: &Path, sim: &Sim, folder: &Path, case: &Case) -> Output {
    #[expect(clippy::disallowed_methods, reason = "the test's subject is another program")]
    let mut command = tokio::process::Command::new(binary);
    command.args(&case.args).current_dir(folder).env_clear();
    command.envs(sim.env().into_iter().filter(|(name, _)| *name != "FLY_APP"));
    for (name, value) in [
        ("PATH", "/usr/bin:/bin"),
        ("HTTPS_PROXY", "http://127.0.0.1:1"),
        ("HTTP_PROXY", "http://127.0.0.1:1"),
        ("NO_COLOR", "1"),
        ("TZ", "UTC"),
    ] {
        command.env(name, value);
    }
    command.env("HOME", folder).env("FLY_CONFIG_DIR", folder.join("c"));
    let stdin = case.stdin.as_ref().map_or_else(Stdio::null, |text| {
        std::fs::write(folder.join("stdin"), text).unwrap();
        std::fs::File::open(folder.join("stdin")).unwrap().into()
    });
    command.stdin(stdin).kill_on_drop(true);
    let output = tokio::time::timeout(Duration::from_mins(2), command.output());
    output.await.expect("flyctl ends within two minutes").unwrap()
}

fn check(
    case: &Case,
    exit: Option<i32>,
    stdout: &str,
    stderr: &str,
    requests: &[Recorded],
) -> Result<(), String> {
    if exit != Some(case.exit) {
        return Err(format!("exit {exit:?}, not {}", case.exit));
    }
    if let Some(text) = case.out.iter().find(|text| !stdout.contains(*text)) {
        return Err(format!("stdout lacks {text:?}"));
    }
    if let Some(text) = case.err.iter().find(|text| !stderr.contains(*text)) {
        return Err(format!("stderr lacks {text:?}"));
    }
    if case.json {
        let value: Value =
            serde_json::from_str(stdout).map_err(|error| format!("no JSON: {error}"))?;
        let place = value.as_array().map_or(&value, |items| items.first().unwrap_or(&Value::Null));
        if let Some(key) = case.keys.iter().find(|key| place.get(*key).is_none()) {
            return Err(format!("no key {key}"));
        }
    }
    let asked: Vec<String> = requests
        .iter()
        .flat_map(|r| {
            let route = format!("{} {}", r.method, r.route.unwrap_or(&r.path));
            r.graphql.iter().map(|field| format!("graphql {field}")).chain([route])
        })
        .collect();
    if let Some(wanted) = case.asks.iter().find(|wanted| !asked.contains(wanted)) {
        return Err(format!("never asked {wanted}; asked {asked:?}"));
    }
    if let Some(lost) = requests.iter().find(|request| request.route.is_none()) {
        return Err(format!("asked for an unknown route {} {}", lost.method, lost.path));
    }
    Ok(())
}

fn write_recording(
    case: &Case,
    sim: &Sim,
    place: &str,
    (stdout, stderr): (&str, &str),
    requests: &[Recorded],
) {
    let folder = fake::default_directory().join(&case.record);
    std::fs::create_dir_all(&folder).unwrap();
    let host = sim.address().to_string();
    let clean =
        |text: &str| app_placeholder(&text.replace(&host, "{{host}}").replace(place, "{{folder}}"));
    let args: Vec<String> = case.args.iter().map(|arg| placeholder_arg(arg)).collect();
    let meta = format!(
        "# Written by the conformance run; do not edit.\nargs = {}\nexit = {}\nworld = {:?}\norigin = \"flyctl v0.4.87 against fly-sim\"\n",
        serde_json::to_string(&args).unwrap(),
        case.exit,
        case.world
    );
    std::fs::write(folder.join("recording.toml"), meta).unwrap();
    std::fs::write(folder.join("stdout"), clean(stdout)).unwrap();
    std::fs::write(folder.join("stderr"), clean(stderr)).unwrap();
    let mut last = requests.first().map(|request| request.at);
    let exchanges: Vec<Exchange> = requests
        .iter()
        .map(|request| {
            let after = last.map_or(0, |last| request.at.duration_since(last).as_millis());
            last = Some(request.at);
            Exchange {
                after_ms: i64::try_from(after).unwrap(),
                method: request.method.clone(),
                path: request.path.clone(),
                query: request.query.clone(),
                nonce: request.nonce.clone(),
                body: request.body.clone(),
                status: request.status,
                answer: request.answer.clone(),
            }
        })
        .collect();
    let name = if case.no_replay { "exchanges-unordered.json" } else { "exchanges.json" };
    let text = serde_json::to_string_pretty(&exchanges).unwrap() + "\n";
    std::fs::write(folder.join(name), text).unwrap();
}

/// The app's name is what a caller of the fake `fly` chooses.
fn placeholder_arg(arg: &str) -> String {
    if arg == "demo" { "{{app}}".to_owned() } else { arg.to_owned() }
}

fn app_placeholder(text: &str) -> String {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("demo") {
        let (before, after) = (rest[..at].chars().next_back(), rest[at + 4..].chars().next());
        out.push_str(&rest[..at]);
        let whole = !before.is_some_and(is_word) && !after.is_some_and(is_word);
        out.push_str(if whole { "{{app}}" } else { "demo" });
        rest = &rest[at + 4..];
    }
    out + rest
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recorded_requests_are_answered_with_the_recorded_keys_and_types() {
    let mut replayed = 0;
    for entry in std::fs::read_dir(fake::default_directory()).unwrap() {
        let folder = entry.unwrap().path();
        let Ok(text) = std::fs::read_to_string(folder.join("exchanges.json")) else { continue };
        let exchanges: Vec<Exchange> = serde_json::from_str(&text).unwrap();
        let meta: BTreeMap<String, toml::Value> =
            toml::from_str(&std::fs::read_to_string(folder.join("recording.toml")).unwrap())
                .unwrap();
        let world = World::named(meta["world"].as_str().unwrap()).unwrap();
        let options = Options { clock: ClockMode::Virtual, ..Options::default() };
        let sim = Sim::start(world, options).await.unwrap();
        for exchange in exchanges {
            sim.advance(Duration::from_millis(exchange.after_ms.unsigned_abs()));
            replay(&sim, &exchange, &folder).await;
        }
        replayed += 1;
    }
    assert!(replayed > 30, "only {replayed} recordings were found");
}

async fn replay(sim: &Sim, exchange: &Exchange, folder: &Path) {
    let pairs: Vec<String> =
        exchange.query.iter().map(|(key, value)| format!("{key}={}", escape(value))).collect();
    let path = if pairs.is_empty() {
        exchange.path.clone()
    } else {
        format!("{}?{}", exchange.path, pairs.join("&"))
    };
    let headers: Vec<(&str, &str)> =
        exchange.nonce.iter().map(|nonce| ("fly-machine-lease-nonce", nonce.as_str())).collect();
    let body = exchange.body.as_ref().map(Value::to_string);
    let place = format!("{}: {} {path}", folder.display(), exchange.method);
    let answer = send(sim, &exchange.method, &path, &headers, body).await;
    let answer = answer.unwrap_or_else(|| panic!("{place}: no answer"));
    assert_eq!(Some(answer.status), exchange.status, "{place}: {answer:?}");
    if let Some(recorded) = &exchange.answer {
        contains(recorded, &answer.json(), &place);
    }
}

fn escape(text: &str) -> String {
    text.bytes().fold(String::new(), |out, byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
            out + &char::from(byte).to_string()
        }
        _ => out + &format!("%{byte:02X}"),
    })
}

/// At least the recorded keys, with values of the recorded types. Null was "absent" and says nothing.
fn contains(recorded: &Value, seen: &Value, place: &str) {
    match (recorded, seen) {
        (Value::Object(wanted), Value::Object(found)) => {
            for (key, value) in wanted {
                let place = format!("{place}.{key}");
                let other = found.get(key).unwrap_or_else(|| panic!("{place} is missing"));
                contains(value, other, &place);
            }
        }
        (Value::Array(wanted), Value::Array(found)) => {
            if let (Some(one), Some(other)) = (wanted.first(), found.first()) {
                contains(one, other, &format!("{place}[0]"));
            }
        }
        (Value::Null, _) => {}
        _ => assert_eq!(
            std::mem::discriminant(recorded),
            std::mem::discriminant(seen),
            "{place}: {recorded} became {seen}"
        ),
    }
}
