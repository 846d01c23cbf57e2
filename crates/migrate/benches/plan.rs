//! Planning for 10,000 Machines, in one app and over 40, and reading a journal of 100,000 records.
//!
//! Run by `cargo xtask bench migrate`. Prints figures, judges nothing. The planner runs in a process of its own, so that its peak memory is its own.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "a benchmark talks to a person"
)]

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Instant;

use fly_api::{Client, ClientConfig, Endpoints, Token};
use fly_types::AppName;
use jiff::Timestamp;
use migrate::inventory::observe;
use migrate::regions::Regions;
use migrate::template::{Options, Request, plan};
use runbook::approval::ApprovedBy;
use runbook::error::StepError;
use runbook::event::{Event, Mode};
use runbook::inject::Phase;
use runbook::journal::{Chain, JOURNAL_VERSION, Record};
use runbook::lock::Holder;
use runbook::outputs::Outputs;
use runbook::sealed::SealedPlan;
use runbook::store::directory::DirectoryStore;
use runbook::store::{RunId, Store as _};
use test_kit::{Sandbox, SimProcess};

const MACHINES: usize = 10_000;
const RECORDS: u64 = 100_000;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    if let Some(at) = arguments.iter().position(|word| word == "--planner") {
        runtime.block_on(planner(&arguments[at + 1], arguments[at + 2].parse().unwrap()));
        return;
    }
    for apps in [1, 40] {
        let sandbox = Sandbox::new().unwrap();
        let file = sandbox.path("world.toml");
        std::fs::write(&file, world(apps)).unwrap();
        let sim = SimProcess::start(file.to_str().unwrap()).unwrap();
        let status = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--planner", sim.var("FLY_FLAPS_BASE_URL").unwrap(), &apps.to_string()])
            .status();
        assert!(status.unwrap().success());
    }
    runtime.block_on(journal());
}

fn world(apps: usize) -> String {
    let mut text = "settings = { rate_limits = false }\n".to_owned();
    for app in 0..apps {
        let _ = write!(text, "[[apps]]\nname = \"app-{app}\"\nmachines = [\n");
        for machine in 0..MACHINES / apps {
            let state = if machine % 4 == 0 { "stopped" } else { "started" };
            let _ = writeln!(
                text,
                "  {{ region = \"fra\", state = \"{state}\", env = {{ PRIMARY_REGION = \"fra\" }}, config = {{ services = [{{ protocol = \"tcp\", internal_port = 8080, ports = [{{ port = 443 }}] }}] }} }},"
            );
        }
        text += "]\n";
    }
    text
}

/// Peak memory of this process, where the system tells.
fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or("unknown".to_owned(), |text| text.trim().to_owned())
}

async fn planner(url: &str, apps: usize) {
    let http = net::HttpClient::new(&net::Options { loopback_only: true, ..Default::default() });
    let token = Token::parse(&"fo1_bench".to_owned().into()).unwrap();
    let endpoints = Endpoints::single(url).unwrap();
    let config = ClientConfig::new(endpoints, Some(token), Arc::new(Timestamp::now));
    let client = Client::new(Arc::new(http.unwrap()), config);
    let regions = Regions::read(&client).await.unwrap();
    let (mut read, mut made, mut bytes, mut steps) = (0.0, 0.0, 0, 0);
    for app in 0..apps {
        let app: AppName = format!("app-{app}").parse().unwrap();
        let begin = Instant::now();
        let inventory = observe(&client, &app, Timestamp::now()).await.unwrap();
        read += begin.elapsed().as_secs_f64();
        let begin = Instant::now();
        let request = Request {
            source: "fra".parse().unwrap(),
            target: "ams".parse().unwrap(),
            now: Timestamp::now(),
            options: Options::default(),
        };
        let text = plan(&inventory, &regions, &request).unwrap().to_text();
        made += begin.elapsed().as_secs_f64();
        bytes += text.len();
        let begin = Instant::now();
        steps += SealedPlan::parse(&text).unwrap().plan().steps().count();
        made += begin.elapsed().as_secs_f64();
    }
    println!(
        "{MACHINES} Machines in {apps} apps: {read:.2} s to read them, {made:.2} s to plan, write and parse {steps} steps in {:.1} MB; peak memory {}",
        bytes as f64 / 1e6,
        peak()
    );
}

/// A run that failed and was resumed until its journal had so many records.
async fn journal() {
    let sealed = SealedPlan::parse(&small_plan().await).unwrap();
    let run = RunId::of(sealed.plan(), sealed.digest());
    let sandbox = Sandbox::new().unwrap();
    let store = DirectoryStore::open(sandbox.path("state")).unwrap();
    store.create(&run, &sealed.to_text()).await.unwrap();
    let mut records = vec![Event::Begin {
        version: JOURNAL_VERSION,
        run: run.clone(),
        digest: sealed.digest().clone(),
        target: sealed.plan().target.clone(),
        approval: ApprovedBy::Flag,
        drift: Vec::new(),
        holder: Holder::here(Timestamp::now()),
    }];
    let steps: Vec<_> = sealed.plan().steps().collect();
    for step in &steps[..steps.len() / 2] {
        records.push(Event::Done { step: step.id.clone(), acted: false, outputs: Outputs::none() });
    }
    let step = steps[steps.len() / 2].id.clone();
    let error = StepError::failed("the platform did not answer in time").hint("resume");
    while (records.len() as u64) < RECORDS {
        records.push(Event::Intent { step: step.clone(), before: Outputs::none() });
        records.push(Event::Failed { step: step.clone(), phase: Phase::Act, error: error.clone() });
        records.push(Event::Stopped { error: error.clone() });
        records.push(Event::Continue {
            mode: Mode::Resume,
            approval: ApprovedBy::Run,
            drift: Vec::new(),
            holder: Holder::here(Timestamp::now()),
        });
    }
    let (mut chain, mut text) = (Chain::default(), String::new());
    for (number, event) in records.into_iter().enumerate() {
        let record = Record { number: number as u64, at: Timestamp::now(), event };
        let (line, next) = chain.line(&record).unwrap();
        text += &line;
        chain = next;
    }
    store.append(&run, text.as_bytes()).await.unwrap();
    let begin = Instant::now();
    let loaded = runbook::executor::load(&store, &run).await.unwrap();
    println!(
        "a journal of {} records ({:.1} MB) is read, checked and replayed in {:.2} s; peak memory {}",
        loaded.records().len(),
        text.len() as f64 / 1e6,
        begin.elapsed().as_secs_f64(),
        peak()
    );
}

/// A plan for a hundred Machines.
async fn small_plan() -> String {
    let text = world(1).lines().take(3 + 100).chain(["]"]).collect::<Vec<_>>().join("\n");
    let world = fly_sim::World::parse(&text, "small").unwrap();
    let sim = fly_sim::Sim::start(world, fly_sim::Options::default()).await.unwrap();
    let http = net::HttpClient::new(&net::Options { loopback_only: true, ..Default::default() });
    let token = Token::parse(&"fo1_bench".to_owned().into()).unwrap();
    let endpoints = Endpoints::single(&sim.url()).unwrap();
    let config = ClientConfig::new(endpoints, Some(token), Arc::new(Timestamp::now));
    let client = Client::new(Arc::new(http.unwrap()), config);
    let app = "app-0".parse().unwrap();
    let request = Request {
        source: "fra".parse().unwrap(),
        target: "ams".parse().unwrap(),
        now: Timestamp::now(),
        options: Options::default(),
    };
    let inventory = observe(&client, &app, Timestamp::now()).await.unwrap();
    let regions = Regions::read(&client).await.unwrap();
    plan(&inventory, &regions, &request).unwrap().to_text()
}
