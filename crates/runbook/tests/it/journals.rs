//! Journals: torn tails at every byte, damage in the middle, journals of other plans, mirrors, secrets.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock, Mutex};

use async_trait::async_trait;
use proptest::prelude::*;
use runbook::approval::Approval;
use runbook::error::Refusal;
use runbook::executor::{Executor as _, LocalExecutor};
use runbook::inject::{Effect, Faults, forward_points};
use runbook::journal;
use runbook::lock::{Holder, Lock, LockError};
use runbook::mirror::{Mirror, MirrorPolicy};
use runbook::outcome::Outcome;
use runbook::plan::Target;
use runbook::secrets::SecretGuard;
use runbook::state::RunState;
use runbook::store::memory::MemoryStore;
use runbook::store::{RunId, Store};
use runbook::testing::{Baseline, Bench, Scenario as _, baseline, ticking_clock};
use tokio::sync::Notify;

use crate::toy::Toy;

/// The journal of a whole run.
async fn whole(toy: &Toy) -> (Bench<'_, Toy>, Vec<u8>) {
    let bench = Bench::new(toy, false).await;
    bench.apply(Faults::none()).await.unwrap();
    let bytes = bench.store.journal(&bench.run()).await.unwrap();
    (bench, bytes)
}

async fn put(store: &MemoryStore, run: &RunId, bytes: &[u8]) {
    store.truncate(run, 0).await.unwrap();
    store.append(run, bytes).await.unwrap();
}

#[tokio::test]
async fn a_tail_torn_at_any_byte_is_cut_off_and_the_rest_is_a_run() {
    let toy = Toy::default();
    let (bench, bytes) = whole(&toy).await;
    let mut starts = 0;
    for end in 0..=bytes.len() {
        let read = journal::read(&bytes[..end]).unwrap_or_else(|why| panic!("cut at {end}: {why}"));
        let whole_lines = bytes[..end].split(|byte| *byte == b'\n').count() - 1;
        assert_eq!(read.records.len(), whole_lines);
        assert_eq!(read.torn, end > 0 && bytes[end - 1] != b'\n');
        if whole_lines > starts {
            starts = whole_lines;
            RunState::fold(bench.plan.plan(), &read.records)
                .unwrap_or_else(|why| panic!("cut at {end}: {why}"));
        }
    }
    assert!(starts > 25, "{starts} records");
}

#[tokio::test]
async fn a_hole_at_the_end_is_a_torn_tail() {
    let toy = Toy::default();
    let (_, bytes) = whole(&toy).await;
    let whole_lines = journal::read(&bytes).unwrap().records.len();
    let mut holed = bytes.clone();
    holed.extend_from_slice(&[0; 100]);
    holed.push(b'\n');
    let read = journal::read(&holed).unwrap();
    assert!(read.torn && read.records.len() == whole_lines && read.sound == bytes.len() as u64);
}

fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.unwrap().block_on(work)
}

static JOURNAL: LazyLock<Vec<u8>> = LazyLock::new(|| run(async { whole(&Toy::default()).await.1 }));
static BASE: LazyLock<Baseline> = LazyLock::new(|| run(baseline(&Toy::default())).unwrap());

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(96) })]

    /// Damage before the last line is never read over.
    #[test]
    fn damage_in_the_middle_is_refused(at in 0.0..1.0_f64, flip in 1_u8..=255) {
        let bytes = JOURNAL.clone();
        let last = bytes[..bytes.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a position")]
        let position = (at * last as f64) as usize;
        let mut damaged = bytes;
        damaged[position] ^= flip;
        prop_assert!(journal::read(&damaged).is_err(), "byte {} of {}", position, last);
    }

    /// A few crashes in a row, each at a random point of a run going forward or back: then the run ends as if nothing had been.
    #[test]
    fn random_crashes_lose_nothing(
        crashes in proptest::collection::vec((any::<prop::sample::Index>(), 0_u32..3, any::<bool>()), 1..5),
        back in any::<bool>(),
    ) {
        let base = BASE.clone();
        let result = run(random(&base, &crashes, back));
        prop_assert!(result.is_ok(), "{}", result.unwrap_err());
    }
}

async fn random(
    base: &Baseline,
    crashes: &[(prop::sample::Index, u32, bool)],
    back: bool,
) -> Result<(), String> {
    let toy = Toy::default();
    let bench = Bench::new(&toy, false).await;
    let start = base.start.clone();
    let mut points = forward_points(&base.plan);
    points.extend(runbook::inject::undo_points(&base.plan));
    let mut begun = false;
    for (index, later, undo) in crashes {
        let mut faults = Faults::one(index.get(&points).clone(), Effect::Crash);
        faults.later = *later;
        let result = match (begun, undo) {
            (false, _) => bench.apply(faults).await,
            (true, true) => bench.undo(faults).await,
            (true, false) => bench.resume(faults).await,
        };
        begun = true;
        match result {
            Err(Refusal::Crashed(_) | Refusal::NotPossible { .. }) => {}
            Ok(report) if report.outcome == Outcome::Undone => {
                return if toy.digest(&bench.world).await == start {
                    Ok(())
                } else {
                    Err("undone, not as at the start".to_owned())
                };
            }
            Ok(report) if report.outcome == Outcome::Done => break,
            other => return Err(format!("{other:?}")),
        }
    }
    let last =
        if back { bench.undo(Faults::none()).await } else { bench.resume(Faults::none()).await };
    let (expected, outcome) = match last {
        Ok(report) if report.outcome == Outcome::Undone => (start, Outcome::Undone),
        Ok(report) => (base.end.clone(), report.outcome),
        // Over, or past the point of no return.
        Err(Refusal::NotPossible { .. }) => match bench.resume(Faults::none()).await {
            Ok(report) => (base.end.clone(), report.outcome),
            Err(Refusal::NotPossible { .. }) => (base.end.clone(), Outcome::Done),
            Err(refusal) => return Err(refusal.to_string()),
        },
        Err(refusal) => return Err(refusal.to_string()),
    };
    if !matches!(outcome, Outcome::Done | Outcome::Undone) {
        return Err(format!("{outcome:?}"));
    }
    let now = toy.digest(&bench.world).await;
    let left = toy.leftovers(&bench.world).await;
    if now == expected && left.is_empty() {
        Ok(())
    } else {
        Err(format!("{outcome:?}: {now}\nleft: {left:?}"))
    }
}

/// Takes so many bytes of a journal, then never answers again: the process that waits for it is dropped, as by a SIGKILL.
struct Dying {
    inner: MemoryStore,
    left: Mutex<usize>,
    died: Notify,
}

#[async_trait]
impl Store for Dying {
    async fn create(&self, run: &RunId, plan: &str) -> Result<(), String> {
        self.inner.create(run, plan).await
    }
    async fn plan(&self, run: &RunId) -> Result<String, String> {
        self.inner.plan(run).await
    }
    async fn journal(&self, run: &RunId) -> Result<Vec<u8>, String> {
        self.inner.journal(run).await
    }
    async fn append(&self, run: &RunId, bytes: &[u8]) -> Result<(), String> {
        let (take, dies) = {
            let mut left = self.left.lock().unwrap();
            let take = bytes.len().min(*left);
            *left -= take;
            (take, take < bytes.len())
        };
        self.inner.append(run, &bytes[..take]).await?;
        if dies {
            self.died.notify_one();
            std::future::pending::<()>().await;
        }
        Ok(())
    }
    async fn truncate(&self, run: &RunId, length: u64) -> Result<(), String> {
        self.inner.truncate(run, length).await
    }
    async fn runs(&self) -> Result<Vec<RunId>, String> {
        self.inner.runs().await
    }
    async fn remove(&self, run: &RunId) -> Result<(), String> {
        self.inner.remove(run).await
    }
    async fn lock(&self, target: &Target, holder: &Holder) -> Result<Box<dyn Lock>, LockError> {
        self.inner.lock(target, holder).await
    }
}

/// Around the end of every record, in its middle, and every 61st byte.
#[tokio::test(start_paused = true)]
async fn a_process_that_dies_at_any_byte_of_its_journal_is_resumed_or_undone() {
    let toy = Toy::default();
    let base = baseline(&toy).await.unwrap();
    let (_, bytes) = whole(&toy).await;
    let ends: Vec<usize> =
        (0..bytes.len()).filter(|at| bytes[*at] == b'\n').map(|at| at + 1).collect();
    let mut cuts: BTreeSet<usize> = (0..bytes.len()).step_by(61).collect();
    cuts.extend(
        ends.iter().flat_map(|end| [end - 1, *end, end + 1]).filter(|end| *end < bytes.len()),
    );
    cuts.extend(ends.windows(2).map(|pair| usize::midpoint(pair[0], pair[1])));
    let (mut resumed, mut undone) = (0, 0);
    for cut in &cuts {
        let bench = Bench::new(&toy, false).await;
        let store = Arc::new(Dying {
            inner: bench.store.clone(),
            left: Mutex::new(*cut),
            died: Notify::new(),
        });
        let approval = Approval::from_flag(&bench.plan, true, Some("duck")).unwrap();
        let process =
            LocalExecutor::new(crate::toy::registry(&bench.world), store.clone(), ticking_clock());
        tokio::select! {
            biased;
            () = store.died.notified() => {}
            report = process.apply(&bench.plan, &approval) => panic!("cut at {cut}: {report:?}"),
        }
        drop(process);
        let back = cut % 2 == 0;
        let result = if back {
            bench.undo(Faults::none()).await
        } else {
            bench.resume(Faults::none()).await
        };
        let report = match result {
            // Nothing was done yet.
            Err(Refusal::Journal { why, .. }) if why.contains("apply the plan again") => {
                bench.apply(Faults::none()).await.unwrap()
            }
            Err(Refusal::NotPossible { why, .. }) if why.contains("finish the move") => {
                bench.resume(Faults::none()).await.unwrap()
            }
            other => other.unwrap_or_else(|refusal| panic!("cut at {cut}: {refusal}")),
        };
        let expected = match report.outcome {
            Outcome::Undone => &base.start,
            Outcome::Done => &base.end,
            other => panic!("cut at {cut}: {other:?}"),
        };
        assert_eq!(&toy.digest(&bench.world).await, expected, "cut at {cut}");
        assert_eq!(toy.leftovers(&bench.world).await, Vec::<String>::new(), "cut at {cut}");
        *(if report.outcome == Outcome::Undone { &mut undone } else { &mut resumed }) += 1;
    }
    println!("{} cuts of {} bytes: {resumed} resumed, {undone} undone", cuts.len(), bytes.len());
    assert!(resumed > 60 && undone > 60);
}

#[tokio::test]
async fn a_journal_of_another_plan_or_a_newer_format_is_refused() {
    let toy = Toy::default();
    let (bench, bytes) = whole(&toy).await;
    let larger = Toy { copies: 4, ..Toy::default() };
    let other = Bench::new(&larger, false).await;
    let fault = "mark:act:before:fail".parse().unwrap();
    other.apply(Faults { faults: vec![fault], later: 0 }).await.unwrap();
    put(&other.store, &other.run(), &bytes).await;
    let process = other.process(Faults::none()).await;
    let refusal = process.load(&other.run()).await.unwrap_err().to_string();
    assert!(refusal.contains("not of this one"), "{refusal}");
    assert_eq!(other.world.lock().calls, Vec::<String>::new());

    let newer = String::from_utf8(bytes).unwrap().replacen("\"version\":1", "\"version\":2", 1);
    let why = journal::read(newer.as_bytes()).unwrap_err();
    assert!(why.contains("checksum"), "{why}");
    let _ = bench;
}

/// Keeps lines; can be told to fail.
#[derive(Default)]
struct Shelf {
    required: bool,
    lines: Mutex<Vec<String>>,
    broken: Mutex<bool>,
}

#[async_trait]
impl Mirror for Shelf {
    fn name(&self) -> &'static str {
        "shelf"
    }

    fn policy(&self) -> MirrorPolicy {
        if self.required { MirrorPolicy::Required } else { MirrorPolicy::BestEffort }
    }

    async fn count(&self, _: &RunId) -> Result<u64, String> {
        Ok(self.lines.lock().unwrap().len() as u64)
    }

    async fn append(&self, _: &RunId, number: u64, line: &str) -> Result<(), String> {
        if *self.broken.lock().unwrap() {
            return Err("the shelf fell down".to_owned());
        }
        let mut lines = self.lines.lock().unwrap();
        assert_eq!(number, lines.len() as u64);
        lines.push(line.to_owned());
        Ok(())
    }
}

#[tokio::test]
async fn mirrors_hold_the_same_bytes_and_catch_up() {
    let toy = Toy::default();
    let bench = Bench::new(&toy, false).await;
    let approval = Approval::from_flag(&bench.plan, true, Some("duck")).unwrap();
    let shelf = Arc::new(Shelf::default());
    *shelf.broken.lock().unwrap() = true;
    let fault = Faults { faults: vec!["switch:act:before:fail".parse().unwrap()], later: 0 };
    let process = bench.process(fault).await.mirror(shelf.clone());
    let report = process.apply(&bench.plan, &approval).await.unwrap();
    assert_eq!(report.warnings, ["mirror shelf of the journal: the shelf fell down"]);

    *shelf.broken.lock().unwrap() = false;
    let process = bench.process(Faults::none()).await.mirror(shelf.clone());
    let report = process.resume(&bench.run(), &approval).await.unwrap();
    assert_eq!(report.outcome, Outcome::Done);
    let journal = bench.store.journal(&bench.run()).await.unwrap();
    let copy = shelf.lines.lock().unwrap().join("\n") + "\n";
    assert_eq!(copy.as_bytes(), journal);
}

#[tokio::test]
async fn a_required_mirror_that_fails_stops_before_the_act() {
    let toy = Toy::default();
    let bench = Bench::new(&toy, false).await;
    let approval = Approval::from_flag(&bench.plan, true, Some("duck")).unwrap();
    let shelf = Arc::new(Shelf { required: true, ..Shelf::default() });
    *shelf.broken.lock().unwrap() = true;
    let process = bench.process(Faults::none()).await.mirror(shelf.clone());
    let refusal = process.apply(&bench.plan, &approval).await.unwrap_err();
    assert!(refusal.to_string().contains("the shelf fell down"), "{refusal}");
    assert_eq!(bench.world.lock().calls, Vec::<String>::new());
}

/// Knows one secret.
struct Known;

impl SecretGuard for Known {
    fn scrub(&self, text: &str) -> String {
        text.replace("hunter2", "[secret]")
    }
}

#[tokio::test]
async fn a_secret_reaches_neither_plan_nor_journal() {
    let toy = Toy::default();
    let bench = Bench::new(&toy, false).await;
    bench.world.lock().cells.insert("mark".to_owned(), serde_json::json!("hunter2"));
    let approval = Approval::from_flag(&bench.plan, true, Some("duck")).unwrap();
    let process = bench.process(Faults::none()).await.secrets(Arc::new(Known));
    // The value that the first step replaces would be journalled for its undo.
    let report = process.apply(&bench.plan, &approval).await.unwrap();
    let error = report.outcome.error().unwrap().to_string();
    assert!(error.contains("output `value` of `mark` looks like a secret"), "{error}");
    let journal = String::from_utf8(bench.store.journal(&bench.run()).await.unwrap()).unwrap();
    assert!(!journal.contains("hunter2"));

    let mut plan = toy.draft(&bench.world);
    plan.groups[0].steps[0].params["value"] = serde_json::json!("hunter2");
    let plan = runbook::sealed::SealedPlan::seal(plan).unwrap();
    let approval = Approval::from_flag(&plan, true, Some("duck")).unwrap();
    let refusal = process.apply(&plan, &approval).await.unwrap_err().to_string();
    assert!(
        refusal.contains("plan.groups[0].steps[0].params.value looks like a secret"),
        "{refusal}"
    );
}
