//! A support bundle is made when things are broken: each case breaks one, and looks at what a script and a person get.
//!
//! The rule behind all: at the final path there is a complete, verified, honestly marked archive, or nothing.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output, Stdio};

use fly_sim::{Options, Sim, World};
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::sandbox::Sandbox;

/// A simulated platform on its own runtime, and a sandbox for the tool.
struct Scene {
    runtime: Runtime,
    sim: Sim,
    sandbox: Sandbox,
}

impl Scene {
    fn new(world: &str) -> Self {
        Self::of(World::named(world).unwrap_or_else(|| panic!("no world {world}")))
    }

    fn of(world: World) -> Self {
        let runtime = Runtime::new().unwrap();
        let sim = runtime.block_on(Sim::start(world, Options::default())).unwrap();
        Self { runtime, sim, sandbox: Sandbox::new() }
    }

    fn fault(&self, text: &str) {
        self.sim.add_fault(text).unwrap_or_else(|error| panic!("{error}"));
    }

    fn command(&self) -> Command {
        let mut command = self.sandbox.bundle();
        command.arg("demo").arg("--output").arg(self.sandbox.folder("out")).envs(self.sim.env());
        command
    }

    fn run(&self, args: &[&str]) -> Outcome {
        Outcome::of(&self.sandbox, &self.command().args(args).output().unwrap())
    }
}

/// What a run left.
struct Outcome {
    code: i32,
    stderr: String,
    /// Both streams: the verdict is data, on standard output.
    said: String,
    manifest: Option<Value>,
    names: Vec<String>,
}

impl Outcome {
    /// Checks what has to hold after every run, whatever happened.
    fn of(sandbox: &Sandbox, out: &Output) -> Self {
        let stderr = String::from_utf8_lossy(&out.stderr).into_owned();
        let code = out.status.code().unwrap_or_else(|| panic!("{}: {stderr}", out.status));
        assert!(!stderr.contains("panicked at"), "a panic reached the person: {stderr}");
        assert_eq!(
            sandbox.files("tmp"),
            Vec::<std::path::PathBuf>::new(),
            "temporary files stay: {stderr}"
        );
        let archives = sandbox.files("out");
        let (manifest, names) = match archives.as_slice() {
            [] => (None, Vec::new()),
            [archive] => {
                let mode = fs::metadata(archive).unwrap().permissions().mode() & 0o777;
                assert_eq!(mode, 0o600, "{}", archive.display());
                let (manifest, names) = read(&fs::read(archive).unwrap());
                (Some(manifest), names)
            }
            more => panic!("more than one file: {more:?}"),
        };
        if code > 2 {
            assert!(
                stderr.contains("hint:") || manifest.is_some(),
                "exit {code} without a file says what to do next: {stderr}"
            );
        }
        let said = format!("{}{stderr}", String::from_utf8_lossy(&out.stdout));
        Self { code, stderr, said, manifest, names }
    }

    fn manifest(&self) -> &Value {
        self.manifest
            .as_ref()
            .unwrap_or_else(|| panic!("no archive, exit {}: {}", self.code, self.stderr))
    }

    fn collector(&self, id: &str) -> &Value {
        let all = self.manifest()["collectors"].as_array().unwrap();
        all.iter().find(|one| one["id"] == id).unwrap_or_else(|| panic!("no collector {id}"))
    }

    fn status_of(&self, id: &str) -> &str {
        self.collector(id)["status"].as_str().unwrap()
    }
}

/// Reads an archive as a stranger would: every JSON document parses, every file is as the manifest says.
fn read(archive: &[u8]) -> (Value, Vec<String>) {
    let mut tar = tar::Archive::new(flate2::read::MultiGzDecoder::new(archive));
    let mut names = Vec::new();
    let mut files = std::collections::BTreeMap::new();
    for entry in tar.entries().unwrap() {
        let mut entry = entry.unwrap();
        assert!(
            matches!(entry.header().entry_type().as_byte(), b'0' | b'5'),
            "only files and folders"
        );
        let name = entry.path().unwrap().display().to_string();
        let mut content = Vec::new();
        std::io::copy(&mut entry, &mut content).unwrap();
        if entry.header().entry_type().is_file() {
            let short = name.split_once('/').unwrap_or_else(|| panic!("{name} is at the top")).1;
            files.insert(short.to_owned(), content);
        }
        names.push(name);
    }
    for (name, content) in &files {
        let ending = name.rsplit('.').next();
        if ending == Some("json") {
            serde_json::from_slice::<Value>(content)
                .unwrap_or_else(|error| panic!("{name}: {error}"));
        }
        if ending == Some("ndjson") {
            for line in String::from_utf8_lossy(content).lines() {
                serde_json::from_str::<Value>(line)
                    .unwrap_or_else(|error| panic!("{name}: {error}: {line}"));
            }
        }
    }
    let manifest: Value = serde_json::from_slice(&files["manifest.json"]).unwrap();
    for collector in manifest["collectors"].as_array().unwrap() {
        for file in collector["files"].as_array().into_iter().flatten() {
            let path = file["path"].as_str().unwrap();
            let content =
                files.get(path).unwrap_or_else(|| panic!("{path} is listed and not there"));
            assert_eq!(file["bytes"].as_u64(), Some(content.len() as u64), "{path}");
        }
    }
    assert!(files.contains_key("summary.txt") && files.contains_key("ticket.md"));
    (manifest, names)
}

/// Waits until the tool has asked the platform something; the tool is killed if it never does.
fn asked(scene: &Scene, child: &mut std::process::Child) {
    for _ in 0..3000 {
        if !scene.sim.requests().is_empty() {
            return;
        }
        if let Some(status) = child.try_wait().unwrap() {
            panic!("ended before it asked anything: {status}");
        }
        // sleep: polls for the first request of another process.
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    child.kill().unwrap();
    panic!("the tool asked nothing");
}

#[expect(clippy::disallowed_methods, reason = "signals are sent by kill(1)")]
fn signal(child: &std::process::Child, name: &str) {
    let done = Command::new("kill").args(["-s", name, &child.id().to_string()]).status().unwrap();
    assert!(done.success());
}

const HANG: &str = "path = \"/v1/apps/*/machines\"\neffect = \"hang\"";

#[test]
fn a_sick_app_is_diagnosed() {
    let scene = Scene::new("oom");
    let out = scene.run(&["--fail-on", "critical"]);
    assert_eq!(out.code, 1, "{}", out.stderr);
    assert!(out.said.contains("machine.oom"), "{}", out.said);
    assert_eq!(out.manifest()["status"], "complete", "{}", out.manifest());
    assert!(out.names.iter().any(|name| name.ends_with("machines/list.json")));
}

#[test]
fn a_healthy_app_has_no_finding() {
    let out = Scene::new("healthy").run(&[]);
    // 3 where the machine that runs the tests has no flyctl and a tool takes that for missing data.
    assert!(matches!(out.code, 0 | 3), "{}: {}", out.code, out.stderr);
    out.manifest();
}

#[test]
fn interrupted_while_the_platform_hangs() {
    for (name, code) in [("INT", 130), ("TERM", 143)] {
        let scene = Scene::new("oom");
        scene.fault(HANG);
        let mut command = scene.command();
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        asked(&scene, &mut child);
        signal(&child, name);
        let out = Outcome::of(&scene.sandbox, &child.wait_with_output().unwrap());
        assert_eq!(out.code, code, "{}", out.stderr);
        assert_eq!(out.manifest()["status"], "partial");
        assert_eq!(out.status_of("machines"), "canceled");
    }
}

#[test]
fn interrupted_twice_leaves_nothing() {
    let scene = Scene::new("oom");
    scene.fault(HANG);
    let mut command = scene.command();
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    asked(&scene, &mut child);
    signal(&child, "INT");
    signal(&child, "INT");
    let out = child.wait_with_output().unwrap();
    assert_eq!(out.status.code(), Some(130));
    assert_eq!(scene.sandbox.files("tmp"), Vec::<std::path::PathBuf>::new());
    for archive in scene.sandbox.files("out") {
        // The second signal may come after the rename; then the archive is whole.
        read(&fs::read(&archive).unwrap());
    }
}

#[test]
fn a_collector_hangs_until_its_deadline() {
    let scene = Scene::new("oom");
    scene.fault(HANG);
    let out = scene.run(&["--deadline", "14s"]);
    assert_eq!(out.code, 3, "{}", out.stderr);
    assert_eq!(out.status_of("machines"), "timeout", "{}", out.collector("machines"));
    assert!(!out.collector("machines")["lost_findings"].as_array().unwrap().is_empty());
}

#[test]
fn a_dead_api() {
    let scene = Scene::new("oom");
    let env = scene.sim.env();
    let mut command = scene.command();
    let url = scene.sim.url();
    // Nobody listens any more once the simulation is gone.
    let Scene { runtime, sim, sandbox } = scene;
    drop(sim);
    drop(runtime);
    let out = Outcome::of(&sandbox, &command.output().unwrap());
    assert!(env.iter().any(|(_, value)| value.starts_with(&url)));
    assert!(matches!(out.code, 3 | 4), "{}: {}", out.code, out.stderr);
    if out.code == 3 {
        assert_ne!(out.manifest()["status"], "complete");
        assert_eq!(out.status_of("machines"), "failed");
    }
}

#[test]
fn a_wrong_token() {
    let scene = Scene::new("token-expired");
    let out = scene.run(&[]);
    assert!(matches!(out.code, 1 | 3), "{}: {}", out.code, out.stderr);
    assert_eq!(out.status_of("machines"), "denied", "{}", out.collector("machines"));
    assert!(out.said.contains("token"), "{}", out.said);
}

#[test]
fn no_token_at_all() {
    let scene = Scene::new("oom");
    let mut command = scene.command();
    command.env_remove("FLY_API_TOKEN");
    let out = Outcome::of(&scene.sandbox, &command.output().unwrap());
    assert_eq!(out.code, 3, "{}", out.stderr);
    assert_eq!(out.status_of("incidents"), "ok", "public pages need no token");
    assert!(
        out.said.contains("fly tokens create") || out.said.contains("fly auth login"),
        "{}",
        out.said
    );
}

#[test]
fn an_unknown_app() {
    let scene = Scene::new("oom");
    let mut command = scene.sandbox.bundle();
    command.args(["nosuch", "--output"]).arg(scene.sandbox.folder("out")).envs(scene.sim.env());
    let out = Outcome::of(&scene.sandbox, &command.output().unwrap());
    assert!(matches!(out.code, 3 | 4), "{}: {}", out.code, out.stderr);
    assert!(out.said.contains("nosuch") && out.said.contains("fly apps list"), "{}", out.said);
}

#[test]
fn no_flyctl_and_a_broken_one() {
    let scene = Scene::new("oom");
    let out = scene.run(&[]);
    assert!(matches!(out.status_of("flyctl"), "skipped" | "not_found" | "unsupported"));
    let scene = Scene::new("oom");
    scene.sandbox.fly("echo this is not flyctl; exit 3");
    let out = scene.run(&[]);
    assert_ne!(out.status_of("flyctl"), "ok", "{}", out.collector("flyctl"));
    let scene = Scene::new("oom");
    scene.sandbox.fly("trap '' TERM; while :; do :; done");
    let out = scene.run(&[]);
    assert_eq!(out.status_of("flyctl"), "timeout", "{}", out.collector("flyctl"));
}

/// The build that is shipped: panics have to unwind there too.
#[test]
#[expect(clippy::disallowed_methods, reason = "builds the optimised tool")]
fn a_panic_in_one_collector_of_the_release_build() {
    let debug = test_kit::binary("debug-bundle", "fly-debug-bundle").unwrap();
    let target = debug.parent().and_then(std::path::Path::parent).unwrap();
    let built = Command::new(env!("CARGO"))
        .args(["build", "--release", "--quiet", "--package", "debug-bundle", "--target-dir"])
        .arg(target)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()
        .unwrap();
    assert!(built.success());
    let scene = Scene::new("oom");
    let mut command = scene.sandbox.command(&target.join("release/fly-debug-bundle"));
    command
        .env("FLY_OPS_TEST_FAULT", "panic:ps")
        .envs(scene.sim.env())
        .arg("demo")
        .arg("--output")
        .arg(scene.sandbox.folder("out"));
    let out = Outcome::of(&scene.sandbox, &command.output().unwrap());
    assert_eq!(out.status_of("ps"), "failed");
    assert_eq!(out.status_of("machines"), "ok");
    assert!(matches!(out.code, 1 | 3), "{}: {}", out.code, out.stderr);
}

/// Runs the tool below a fresh mount namespace, where `mount` is ours to call.
#[expect(clippy::disallowed_methods, reason = "a mount of its own needs unshare(1)")]
fn in_namespace(scene: &Scene, script: &str) -> Outcome {
    let inner = scene.command();
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "sh", "-c", script, "sh"]);
    command.arg(inner.get_program()).args(inner.get_args());
    command.env_clear().current_dir(inner.get_current_dir().unwrap());
    for (name, value) in inner.get_envs() {
        if let Some(value) = value {
            command.env(name, value);
        }
    }
    command.env("OUT", scene.sandbox.folder("out"));
    command.env("TMP", scene.sandbox.folder("tmp"));
    let out = command.output().unwrap();
    let text = String::from_utf8_lossy(&out.stderr);
    assert!(!text.contains("unshare:"), "namespaces are needed for this test: {text}");
    Outcome::of(&scene.sandbox, &out)
}

#[test]
fn a_full_disk() {
    let cases = [
        ("destination", &["$OUT"][..]),
        ("temporary files and cache", &["$TMP", "$XDG_CACHE_HOME"]),
    ];
    for (what, folders) in cases {
        let scene = Scene::new("oom");
        let mount = |folder: &&str| format!("mount -t tmpfs -o size=48k none {folder}");
        let mounts = folders.iter().map(mount).collect::<Vec<_>>().join(" && ");
        let script =
            format!("{mounts} && \"$@\"; code=$?; ls -A {} >&2; exit $code", folders.join(" "));
        let out = in_namespace(&scene, &script);
        // The mount is gone with the namespace; what was left in it was listed on standard error.
        assert!(matches!(out.code, 3..=5), "{what}: {}: {}", out.code, out.stderr);
        assert!(out.stderr.contains("space"), "{what}: {}", out.stderr);
        assert!(
            !out.stderr.contains("fly-debug-demo-") || out.manifest.is_some(),
            "{what}: {}",
            out.stderr
        );
    }
}

#[test]
fn a_read_only_destination() {
    let scene = Scene::new("oom");
    let script = "mount -t tmpfs -o ro none $OUT && \"$@\"";
    let out = in_namespace(&scene, script);
    assert_eq!(out.code, 4, "{}", out.stderr);
    assert!(out.stderr.to_lowercase().contains("read-only"), "{}", out.stderr);
    assert!(scene.sim.requests().is_empty(), "nothing is asked when the result has no place");
}

/// 200 MB of log lines within the time and size that a ticket allows.
#[test]
fn a_log_of_200_megabytes() {
    let scene = Scene::new("big-logs");
    let out = scene.run(&["--deadline", "25s"]);
    assert!(matches!(out.code, 0 | 1 | 3), "{}: {}", out.code, out.stderr);
    let logs = out.collector("logs");
    assert!(matches!(logs["status"].as_str(), Some("ok_truncated" | "timeout")), "{logs}");
    let archives = scene.sandbox.files("out");
    assert!(fs::metadata(&archives[0]).unwrap().len() < 50 << 20);
}

#[test]
fn bad_input_is_refused_before_any_request() {
    for (args, named) in [
        (&["Not_An_App"][..], "Not_An_App"),
        (&["demo", "--since", "yesterdayish"], "yesterdayish"),
        (&["demo", "--since", "1h", "--until", "3h"], "until"),
        (&["demo", "--deadline", "soon"], "soon"),
        (&["demo", "--max-size", "many"], "many"),
        (&["demo", "--token-file", "/nowhere/token"], "/nowhere/token"),
        (&["demo", "--pseudonym-key", "/nowhere/key"], "/nowhere/key"),
    ] {
        let scene = Scene::new("oom");
        let mut command = scene.sandbox.bundle();
        command.args(args).arg("--output").arg(scene.sandbox.folder("out")).envs(scene.sim.env());
        let out = Outcome::of(&scene.sandbox, &command.output().unwrap());
        assert_eq!(out.code, 2, "{args:?}: {}", out.stderr);
        assert!(out.stderr.contains(named), "{args:?}: {}", out.stderr);
        assert!(out.manifest.is_none(), "{args:?}");
        assert!(scene.sim.requests().is_empty(), "{args:?}");
    }
    let secret = "fo1_two words that are no token";
    let scene = Scene::new("oom");
    let mut command = scene.command();
    command.env("FLY_API_TOKEN", secret);
    let out = Outcome::of(&scene.sandbox, &command.output().unwrap());
    assert_eq!(out.code, 2, "{}", out.stderr);
    assert!(
        out.stderr.contains("FLY_API_TOKEN") && !out.stderr.contains("two words"),
        "{}",
        out.stderr
    );
    assert!(scene.sim.requests().is_empty());
}
