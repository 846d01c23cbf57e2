//! The command in processes of its own, against a simulator in this one: stopped, killed and looked at at moments that the test chooses.

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use fly_sim::{ClockMode, Options, Sim, Variants, World as SimWorld};
use runbook::sealed::SealedPlan;
use test_kit::{Outcome, Sandbox};
use tokio::process::{Child, Command};

use crate::bench::{Net, World};

/// A world, and somebody who works on it from one computer.
pub(crate) struct Live {
    pub(crate) world: World,
    pub(crate) sandbox: Sandbox,
}

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_fly-migrate");

/// How every plan here is made: nothing is waited for that only a person would wait for.
pub(crate) const PLAN: [&str; 14] = [
    "region",
    "plan",
    "--app",
    "shop",
    "--from",
    "fra",
    "--to",
    "ams",
    "--drain",
    "0",
    "--watch",
    "0",
    "--rehearsed",
    "waived: a test",
];

impl Live {
    pub(crate) async fn new(net: &Net, world: &str) -> Self {
        let file = SimWorld::parse(world, "world").unwrap();
        let options =
            Options { clock: ClockMode::Wall, variants: Variants::default(), ..Options::default() };
        let sim = Arc::new(Sim::start(file, options).await.unwrap());
        let client = net.client(&sim, "fo1_test");
        let world = World { sim, client };
        let sandbox = Self::computer(&world.sim);
        Self { world, sandbox }
    }

    /// Another computer with the same token.
    pub(crate) fn elsewhere(&self) -> Self {
        Self { world: self.world.clone(), sandbox: Self::computer(&self.world.sim) }
    }

    fn computer(sim: &Sim) -> Sandbox {
        let mut sandbox = Sandbox::new().unwrap();
        sandbox.set_all(sim.env());
        sandbox.set("FLY_OPS_LOOPBACK_ONLY", "1");
        sandbox
    }

    pub(crate) fn start(&self, args: &[&str], fault: Option<&str>) -> Child {
        let mut command = Command::from(self.sandbox.command(PROGRAM));
        command.args(args).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        if let Some(fault) = fault {
            command.env("FLY_OPS_TEST_FAULT", fault);
        }
        command.spawn().unwrap()
    }

    pub(crate) async fn run(&self, args: &[&str]) -> Outcome {
        outcome(self.start(args, None)).await
    }

    pub(crate) async fn run_with(&self, args: &[&str], fault: Option<&str>) -> Outcome {
        outcome(self.start(args, fault)).await
    }

    /// Makes `plan.json`.
    pub(crate) async fn plan(&self) -> SealedPlan {
        let made = self.run(&PLAN).await;
        assert_eq!(made.code, Some(0), "{}", made.stderr);
        self.sealed("plan.json")
    }

    pub(crate) fn sealed(&self, name: &str) -> SealedPlan {
        SealedPlan::parse(&std::fs::read_to_string(self.file(name)).unwrap()).unwrap()
    }

    pub(crate) fn file(&self, name: &str) -> std::path::PathBuf {
        self.sandbox.work().join(name)
    }

    /// `apply plan.json`, with whatever approval the plan needs.
    pub(crate) fn apply_args(plan: &SealedPlan) -> Vec<&'static str> {
        let typed = runbook::approval::phrase(plan).is_some();
        let yes: &[&str] = if typed { &["--confirm", "shop"] } else { &["--yes"] };
        ["region", "apply", "plan.json"].iter().chain(yes).copied().collect()
    }

    /// Time for the leases of a dead process to end.
    pub(crate) fn leases_end(&self) {
        self.world.sim.advance(Duration::from_mins(1));
    }

    /// Calls that changed something, or tried to.
    pub(crate) fn writes(&self) -> Vec<String> {
        let requests = self.world.sim.requests().into_iter();
        requests
            .filter(|one| one.method != "GET" && !one.path.starts_with("/_sim/"))
            .filter(|one| one.path != "/graphql" && !one.path.ends_with("/placements"))
            .map(|one| format!("{} {}", one.method, one.path))
            .collect()
    }

    /// The only run, as `status --json` tells it.
    pub(crate) async fn status(&self) -> serde_json::Value {
        let told = self.run(&["region", "status", "--json"]).await;
        assert_eq!(told.code, Some(0), "{}", told.stderr);
        let runs: serde_json::Value = serde_json::from_str(&told.stdout).unwrap();
        assert_eq!(runs.as_array().map(Vec::len), Some(1), "{runs}");
        runs[0].clone()
    }

    /// Where a run's journal is.
    pub(crate) fn journal(&self, run: &str) -> std::path::PathBuf {
        self.sandbox.path(format!("state/fly-ops/migrate/runs/{run}/journal.jsonl"))
    }
}

/// Waits for the end of a process.
pub(crate) async fn outcome(child: Child) -> Outcome {
    use std::os::unix::process::ExitStatusExt as _;
    let output = child.wait_with_output().await.unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Outcome {
        code: output.status.code(),
        signal: output.status.signal(),
        stdout: text(&output.stdout),
        stderr: text(&output.stderr),
    }
}

/// Sends a signal that is not a kill.
pub(crate) fn signal(child: &Child, signal: rustix::process::Signal) {
    let id = i32::try_from(child.id().unwrap()).unwrap();
    rustix::process::kill_process(rustix::process::Pid::from_raw(id).unwrap(), signal).unwrap();
}
