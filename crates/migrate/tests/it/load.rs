//! Many Machines at the documented limits: no answer is 429, and creation is as fast as the limit lets it be.
//!
//! Client and simulator share tokio's paused clock, so that an hour of waiting for limits takes no time and figures do not depend on the computer.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fly_api::{Client, ClientConfig, Endpoints, Token};
use fly_sim::{ClockMode, Options as SimOptions, Sim, World as SimWorld};
use fly_types::AppName;
use futures_util::future::BoxFuture;
use migrate::inventory::observe;
use migrate::platform::Platform;
use migrate::regions::Regions;
use migrate::template::{Request, plan};
use runbook::approval::Approval;
use runbook::executor::{Executor as _, LocalExecutor};
use runbook::outcome::Outcome;
use runbook::store::memory::MemoryStore;
use tokio::time::Instant;

use crate::bench::options;

/// The clock does not move while a call is out; what the calls were is counted.
struct OneClock {
    http: net::HttpClient,
    calls: AtomicU64,
    limited: AtomicU64,
    /// Moments at which Machines were created.
    creates: Mutex<Vec<Instant>>,
}

impl net::Transport for OneClock {
    fn send(&self, request: net::Request) -> BoxFuture<'_, Result<net::Response, net::Error>> {
        Box::pin(async move {
            let path = request.url.path().to_owned();
            let creates = request.method.as_str() == "POST" && path.ends_with("/machines");
            // A long poll is a call during which time is meant to pass.
            let stopped = (!path.ends_with("/wait")).then(|| {
                let (go_on, until) = std::sync::mpsc::channel::<()>();
                // tokio does not advance its paused clock while a blocking task runs.
                let task = tokio::task::spawn_blocking(move || until.recv());
                (go_on, task)
            });
            let answer = self.http.send(request).await;
            drop(stopped);
            self.calls.fetch_add(1, Ordering::Relaxed);
            if let Ok(answer) = &answer {
                if answer.status.as_u16() == 429 {
                    self.limited.fetch_add(1, Ordering::Relaxed);
                }
                if creates && answer.status.is_success() {
                    self.creates.lock().unwrap().push(Instant::now());
                }
            }
            answer
        })
    }
}

/// So many apps with so many Machines each in fra, at the documented limits.
fn fleet(apps: &[usize]) -> String {
    let mut text = String::from("about = \"A fleet.\"\n[settings]\nrate_limits = true\n");
    for (app, machines) in apps.iter().enumerate() {
        let _ = writeln!(text, "\n[[apps]]\nname = \"app-{app}\"");
        for number in 0..*machines {
            let _ = writeln!(
                text,
                "[[apps.machines]]\nname = \"m{number}\"\nregion = \"fra\"\ncreated = \"-30d\"\n\
                 [[apps.machines.config.services]]\nprotocol = \"tcp\"\ninternal_port = 8080\nports = [{{ port = 443, handlers = [\"tls\"] }}]"
            );
        }
    }
    text
}

/// What a fleet's moves came to.
struct Load {
    calls: u64,
    limited: u64,
    took: Duration,
    creates: Vec<Instant>,
}

async fn moved(apps: &[usize]) -> Load {
    let world = SimWorld::parse(&fleet(apps), "fleet").unwrap();
    let options_of_sim = SimOptions { clock: ClockMode::Runtime, ..SimOptions::default() };
    let sim = Arc::new(Sim::start(world, options_of_sim).await.unwrap());
    let http = net::HttpClient::new(&net::Options { loopback_only: true, ..Default::default() });
    let transport = Arc::new(OneClock {
        http: http.unwrap(),
        calls: AtomicU64::new(0),
        limited: AtomicU64::new(0),
        creates: Mutex::default(),
    });
    let own = Arc::clone(&sim);
    let clock: fly_api::Clock = Arc::new(move || own.now());
    let token = Token::parse(&"fo1_test".to_owned().into()).unwrap();
    let endpoints = Endpoints::single(&sim.url()).unwrap();
    let config = ClientConfig::new(endpoints, Some(token), Arc::clone(&clock));
    let client = Client::new(transport.clone(), config);
    let regions = Regions::read(&client).await.unwrap();
    let begin = Instant::now();
    let runs = (0..apps.len()).map(|number| {
        let (client, regions, clock) = (&client, &regions, &clock);
        async move {
            let app: AppName = format!("app-{number}").parse().unwrap();
            let request = Request {
                source: "fra".parse().unwrap(),
                target: "ams".parse().unwrap(),
                now: clock(),
                options: options(),
            };
            let inventory = observe(client, &app, clock()).await.unwrap();
            let sealed = plan(&inventory, regions, &request).unwrap();
            let approval = Approval::from_flag(&sealed, true, None).unwrap();
            let platform = Arc::new(Platform::new(client.clone(), app));
            let registry = migrate::steps::registry(&platform, None);
            let executor =
                LocalExecutor::new(registry, Arc::new(MemoryStore::new()), Arc::clone(clock));
            executor.apply(&sealed, &approval).await.unwrap().outcome
        }
    });
    let outcomes = futures_util::future::join_all(runs).await;
    let took = begin.elapsed();
    for outcome in outcomes {
        assert_eq!(outcome, Outcome::Done);
    }
    let mut creates = transport.creates.lock().unwrap().clone();
    creates.sort();
    assert_eq!(creates.len(), apps.iter().sum::<usize>(), "each Machine was created once");
    Load {
        calls: transport.calls.load(Ordering::Relaxed),
        limited: transport.limited.load(Ordering::Relaxed),
        took,
        creates,
    }
}

/// 500 Machines over 40 apps: not one answer of 429.
#[tokio::test(start_paused = true)]
async fn a_fleet_is_moved_without_an_answer_of_429() {
    let apps: Vec<usize> = (0..40).map(|number| 12 + number % 2).collect();
    let load = moved(&apps).await;
    println!(
        "{} Machines over {} apps: {} calls, {} answers of 429, {} s of virtual time",
        apps.iter().sum::<usize>(),
        apps.len(),
        load.calls,
        load.limited,
        load.took.as_secs()
    );
    assert_eq!(load.limited, 0);
}

/// One app, 200 Machines: 0.95 creates a second once the burst of three is spent. The limit is one a second.
#[tokio::test(start_paused = true)]
async fn one_app_is_created_at_the_pace_of_the_limit() {
    const BURST: usize = 3;
    let machines = 200;
    let load = moved(&[machines]).await;
    let (first, last) = (load.creates[BURST - 1], load.creates[machines - 1]);
    #[expect(clippy::cast_precision_loss, reason = "hundreds")]
    let rate = (machines - BURST) as f64 / (last - first).as_secs_f64();
    println!(
        "{machines} Machines of one app: {rate:.4} creates a second after the burst, {} calls, {} answers of 429, {} s of virtual time",
        load.calls,
        load.limited,
        load.took.as_secs()
    );
    assert_eq!(load.limited, 0);
    assert!(rate >= 0.95, "{rate}");
}
