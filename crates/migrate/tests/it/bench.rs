//! A simulated app, the tool's parts wired to it, and the scenario that the saga checks drive.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use fly_api::{Client, ClientConfig, Endpoints, Limit, LimitRow, LimitTable, Token};
use fly_sim::{ClockMode, Options as SimOptions, Sim, Variants, World as SimWorld};
use fly_types::AppName;
use migrate::inventory::{Inventory, digest, observe};
use migrate::platform::Platform;
use migrate::regions::Regions;
use migrate::template::{Options, Request, plan};
use runbook::context::Clock;
use runbook::kind::Registry;
use runbook::sealed::SealedPlan;
use runbook::testing::Scenario;

/// One simulated platform on a clock that moves only by waiting.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) sim: Arc<Sim>,
    pub(crate) client: Client,
}

/// Limits that are never reached: the simulator's are off, and its clock stands still.
pub(crate) fn no_limits() -> LimitTable {
    let limit = Limit { per_second: 1e6, burst: 1_000_000 };
    LimitTable {
        as_of: "test",
        rows: vec![LimitRow { action: None, limit, source: "test" }],
        headroom: 1.0,
    }
}

/// One HTTP client for all worlds of a test.
#[derive(Clone)]
pub(crate) struct Net(Arc<net::HttpClient>);

impl Net {
    pub(crate) fn new() -> Self {
        let options = net::Options { loopback_only: true, ..net::Options::default() };
        Self(Arc::new(net::HttpClient::new(&options).unwrap()))
    }

    pub(crate) fn client(&self, sim: &Arc<Sim>, token: &str) -> Client {
        let token = Token::parse(&token.to_owned().into()).unwrap();
        let own = Arc::clone(sim);
        let clock = Arc::new(move || own.now());
        let mut config =
            ClientConfig::new(Endpoints::single(&sim.url()).unwrap(), Some(token), clock);
        config.limits = no_limits();
        Client::new(self.0.clone(), config)
    }

    pub(crate) async fn world(&self, text: &str, variants: Variants) -> World {
        // What is not there yet is asked for again after real time, which must then pass on the other side, too.
        let clock =
            if variants.missing_after_create { ClockMode::Wall } else { ClockMode::Virtual };
        let options = SimOptions { clock, variants, ..SimOptions::default() };
        let world = SimWorld::parse(text, "world").unwrap();
        let sim = Arc::new(Sim::start(world, options).await.unwrap());
        let client = self.client(&sim, "fo1_test");
        World { sim, client }
    }
}

impl World {
    pub(crate) fn platform(&self) -> Arc<Platform> {
        let sim = Arc::clone(&self.sim);
        let pause = Arc::new(move |time| {
            let sim = Arc::clone(&sim);
            let future: futures_util::future::BoxFuture<'static, ()> = Box::pin(async move {
                sim.advance(time);
                tokio::task::yield_now().await;
            });
            future
        });
        Arc::new(Platform::new(self.client.clone(), app()).pause_with(pause))
    }

    pub(crate) async fn inventory(&self) -> Inventory {
        observe(&self.client, &app(), self.sim.now()).await.unwrap()
    }

    /// What is on a volume.
    pub(crate) fn files(&self, id: &str) -> BTreeMap<String, String> {
        let answer = self
            .sim
            .control("GET", &format!("/_sim/volumes/{id}/files"), serde_json::Value::Null)
            .unwrap();
        serde_json::from_value(answer["files"].clone()).unwrap()
    }

    /// The published digest, and the content of every volume.
    pub(crate) async fn state(&self) -> String {
        let inventory = self.inventory().await;
        let mut lines = digest::state(&inventory);
        for volume in &inventory.volumes {
            lines.push(format!(
                "content of {} in {}: {:?}",
                volume.name,
                volume.region,
                self.files(volume.id.as_str())
            ));
        }
        lines.sort();
        lines.join("\n")
    }

    pub(crate) async fn leases(&self) -> Vec<String> {
        let mut left = Vec::new();
        for machine in self.inventory().await.machines {
            if self.client.machine_lease(&app(), &machine.id).await.is_ok() {
                left.push(format!("a lease on {}", machine.id));
            }
        }
        left
    }

    pub(crate) async fn plan(&self, source: &str, target: &str, options: &Options) -> SealedPlan {
        let regions = Regions::read(&self.client).await.unwrap();
        let request = Request {
            source: source.parse().unwrap(),
            target: target.parse().unwrap(),
            now: self.sim.now(),
            options: options.clone(),
        };
        plan(&self.inventory().await, &regions, &request).unwrap()
    }
}

pub(crate) fn app() -> AppName {
    "shop".parse().unwrap()
}

pub(crate) fn options() -> Options {
    Options {
        rehearsed: Some("waived: a test".to_owned()),
        drain_seconds: 1,
        watch_seconds: 1,
        ..Options::default()
    }
}

/// A move out of fra.
pub(crate) struct Moving {
    pub(crate) net: Net,
    pub(crate) world: &'static str,
    pub(crate) options: Options,
    pub(crate) variants: Variants,
}

impl Moving {
    pub(crate) fn of(world: &'static str) -> Self {
        Self { net: Net::new(), world, options: options(), variants: Variants::default() }
    }
}

#[async_trait]
impl Scenario for Moving {
    type World = World;

    async fn world(&self) -> World {
        self.net.world(self.world, self.variants).await
    }

    async fn plan(&self, world: &World) -> SealedPlan {
        world.plan("fra", "ams", &self.options).await
    }

    async fn registry(&self, world: &World) -> Registry {
        migrate::steps::registry(&world.platform(), None)
    }

    async fn digest(&self, world: &World) -> String {
        world.state().await
    }

    async fn leftovers(&self, world: &World) -> Vec<String> {
        world.leases().await
    }

    fn answers(&self) -> BTreeMap<String, String> {
        let given = [("allow-listed", "at the bank"), ("data-loss", "accepted")];
        given.map(|(question, answer)| (question.to_owned(), answer.to_owned())).into()
    }

    async fn settle(&self, world: &World) {
        world.sim.advance(std::time::Duration::from_mins(1));
    }

    fn clock(&self, world: &World) -> Clock {
        let sim = Arc::clone(&world.sim);
        Arc::new(move || sim.now())
    }
}
