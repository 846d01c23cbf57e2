//! Real SIGKILLs: this test program starts itself as the process that is killed, over a world in a file and a store in a directory.

use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::ExitStatus;
use std::sync::Arc;

use runbook::approval::Approval;
use runbook::executor::{Executor as _, LocalExecutor};
use runbook::inject::{Effect, Fault, Faults, Point, forward_points};
use runbook::sealed::SealedPlan;
use runbook::store::RunId;
use runbook::store::directory::DirectoryStore;
use runbook::testing::{Scenario as _, baseline, ticking_clock};

use crate::toy::{self, Toy, World};

const FOLDER: &str = "RUNBOOK_TOY_FOLDER";
const COMMAND: &str = "RUNBOOK_TOY_COMMAND";
const FAULT: &str = "RUNBOOK_TOY_FAULT";

/// Does nothing unless it is started by the test below.
#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "the only way to tell a test program what to do")]
async fn child() {
    let (Ok(folder), Ok(command)) = (std::env::var(FOLDER), std::env::var(COMMAND)) else { return };
    let folder = Path::new(&folder);
    let faults: Vec<Fault> =
        std::env::var(FAULT).iter().map(|fault| fault.parse().unwrap()).collect();
    let world = World::in_file(folder.join("world.json"));
    let store = Arc::new(DirectoryStore::open(folder.join("state")).unwrap());
    let executor = LocalExecutor::new(toy::registry(&world), store, ticking_clock())
        .faults(Faults { faults, later: 0 });
    let plan =
        SealedPlan::parse(&std::fs::read_to_string(folder.join("plan.json")).unwrap()).unwrap();
    let run = RunId::of(plan.plan(), plan.digest());
    let approval = Approval::from_flag(&plan, true, Some("duck")).unwrap();
    let report = match command.as_str() {
        "apply" => executor.apply(&plan, &approval).await,
        "resume" => executor.resume(&run, &approval).await,
        _ => executor.undo(&run, None, &approval).await,
    };
    std::fs::write(folder.join("outcome"), format!("{:?}", report.unwrap().outcome)).unwrap();
}

#[expect(clippy::disallowed_methods, reason = "spawning in a test")]
fn spawn(folder: &Path, command: &str, fault: Option<&Point>) -> ExitStatus {
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "kills::child"]).env(FOLDER, folder).env(COMMAND, command);
    if let Some(point) = fault {
        child.env(FAULT, Fault { point: point.clone(), effect: Effect::Kill }.to_string());
    }
    child.output().unwrap().status
}

#[tokio::test]
async fn processes_that_are_killed_are_resumed_or_undone() {
    let toy = Toy::default();
    let base = baseline(&toy).await.unwrap();
    // Every ninth point, so that each moment of each phase occurs; the matrix in one process has them all.
    let points: Vec<Point> = forward_points(&base.plan).into_iter().step_by(7).collect();
    let mut killed = 0;
    for (number, point) in points.iter().enumerate() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("world.json");
        let plan = SealedPlan::seal(base.plan.clone()).unwrap();
        std::fs::write(folder.path().join("plan.json"), plan.to_text()).unwrap();
        let status = spawn(folder.path(), "apply", Some(point));
        // A point that this run does not come by is passed.
        if status.success() {
            continue;
        }
        assert_eq!(status.signal(), Some(9), "{point}");
        killed += 1;
        let undo = number % 2 == 0 && !["destroy", "note"].contains(&point.id.as_str());
        let status = spawn(folder.path(), if undo { "undo" } else { "resume" }, None);
        assert!(status.success(), "{point}");
        let outcome = std::fs::read_to_string(folder.path().join("outcome")).unwrap();
        let world = World::in_file(file);
        let (expected, state) = if undo { ("Undone", &base.start) } else { ("Done", &base.end) };
        assert_eq!(outcome, expected, "{point}");
        assert_eq!(&toy.digest(&world).await, state, "{point}");
        assert!(toy.leftovers(&world).await.is_empty(), "{point}");
    }
    println!("{killed} processes killed at {} points", points.len());
    assert!(killed >= 10, "{killed}");
}
