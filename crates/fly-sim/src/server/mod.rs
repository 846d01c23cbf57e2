//! The running simulation: a loopback listener, the state behind its lock, and what callers in process may ask of it.

pub(crate) mod auth;
mod control;
mod deliver;
pub(crate) mod dispatch;
mod fault;
pub(crate) mod http;
pub(crate) mod limit;
mod listener;
mod record;
pub(crate) mod routes;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};

pub use record::Recorded;
pub use routes::{Operation, operations};

use crate::clock::{Clock, ClockMode};
use crate::edge::Places;
use crate::state::State;
use crate::state::ids::Ids;
use crate::variants::Variants;
use crate::world::World;
use fault::Faults;
use limit::Limiter;
use record::Recorder;

/// How a world is run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where to listen. Port 0 lets the system choose.
    pub address: SocketAddr,
    /// Must be set to listen on an address that is not loopback.
    pub allow_other_addresses: bool,
    /// Which clock to run on.
    pub clock: ClockMode,
    /// Replaces the seed of the world's file.
    pub seed: Option<u64>,
    /// Which of the documented shapes are answered.
    pub variants: Variants,
    /// How long a client may take for its body, in real time.
    pub slowest_body: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            address: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
            allow_other_addresses: false,
            clock: ClockMode::Wall,
            seed: None,
            variants: Variants::default(),
            slowest_body: Duration::from_secs(20),
        }
    }
}

/// Why a simulation did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Only loopback addresses are served without an explicit option.
    #[error("refusing to listen on {0}: it is not a loopback address")]
    NotLoopback(SocketAddr),
    /// The system refused the address.
    #[error("cannot listen on {address}")]
    Listen {
        /// The wanted address.
        address: SocketAddr,
        /// The system's reason.
        source: std::io::Error,
    },
}

/// A running simulation. Dropping it stops the server.
#[derive(Debug)]
pub struct Sim {
    shared: Arc<Shared>,
    address: SocketAddr,
    apps: Vec<String>,
    token: String,
    places: Places,
    _stop: watch::Sender<()>,
}

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) clock: Clock,
    pub(crate) variants: Variants,
    pub(crate) slowest_body: Duration,
    /// Told after every change of the state or the clock.
    pub(crate) changed: Notify,
    /// Told when a fault landed.
    pub(crate) struck: Notify,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) state: State,
    pub(crate) limiter: Limiter,
    pub(crate) faults: Faults,
    pub(crate) recorder: Recorder,
    /// What [`Sim::env`] gives, for callers in other processes.
    pub(crate) environment: Environment,
    /// Ids of requests, apart from those of things, so that reading changes nothing.
    pub(crate) request_ids: Ids,
}

impl Shared {
    /// The state, brought up to the present.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        inner.state.settle(now);
        inner
    }
}

impl Sim {
    /// Starts serving a world. Must be called inside a tokio runtime, which serves it until the `Sim` is dropped.
    pub async fn start(world: World, options: Options) -> Result<Self, StartError> {
        if !options.address.ip().is_loopback() && !options.allow_other_addresses {
            return Err(StartError::NotLoopback(options.address));
        }
        let listener = TcpListener::bind(options.address)
            .await
            .map_err(|source| StartError::Listen { address: options.address, source })?;
        let address = listener
            .local_addr()
            .map_err(|source| StartError::Listen { address: options.address, source })?;
        let mut file = world.file;
        if let Some(seed) = options.seed {
            file.settings.seed = seed;
        }
        let start = file.now.map(|now| now.at(crate::clock::VIRTUAL_START));
        let clock = Clock::new(options.clock, start);
        let mut state = State::build(&file, clock.now());
        state.lags = options.variants.lags();
        let apps: Vec<String> = file.apps.iter().map(|app| app.name.to_string()).collect();
        let token = file.tokens.first().map_or("fo1_sim", |token| token.value.as_str()).to_owned();
        let shared = Arc::new(Shared {
            clock,
            variants: options.variants,
            slowest_body: options.slowest_body,
            changed: Notify::new(),
            struck: Notify::new(),
            inner: Mutex::new(Inner {
                state,
                limiter: Limiter::default(),
                faults: Faults::new(&file.faults),
                recorder: Recorder::default(),
                environment: Vec::new(),
                request_ids: Ids::new(file.settings.seed ^ 0x7265_7175_6573_7473),
            }),
        });
        let (stop, stopped) = watch::channel(());
        let places = crate::edge::start(address.ip(), &shared, stopped.clone())
            .await
            .map_err(|source| StartError::Listen { address: options.address, source })?;
        let environment = environment(&format!("http://{address}"), &token, &apps, &places);
        shared.lock().environment = environment;
        tokio::spawn(deliver::serve(listener, Arc::clone(&shared), stopped));
        Ok(Self { shared, address, apps, token, places, _stop: stop })
    }

    /// Base URL, e.g. `http://127.0.0.1:4321`, without a final slash.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The address that is served.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Environment for flyctl and for this project's tools: base URLs, token, first app, and flyctl's off switches.
    pub fn env(&self) -> Vec<(&'static str, String)> {
        environment(&self.url(), &self.token, &self.apps, &self.places)
    }

    /// The seed of everything that is generated.
    pub fn seed(&self) -> u64 {
        self.shared.lock().state.settings.seed
    }

    /// Where the edge answers plain HTTP for the hosts of the world.
    pub fn edge_http(&self) -> SocketAddr {
        self.places.http
    }

    /// Where the edge answers HTTPS.
    pub fn edge_https(&self) -> SocketAddr {
        self.places.https
    }

    /// The world's name server (UDP).
    pub fn dns(&self) -> SocketAddr {
        self.places.dns
    }

    /// PEM of the authority that signs the edge's certificates.
    pub fn edge_ca_pem(&self) -> &str {
        &self.places.ca_pem
    }

    /// Everything that was asked so far, oldest first (the last 10,000 requests). Credentials are left out.
    pub fn requests(&self) -> Vec<Recorded> {
        self.shared.lock().recorder.all()
    }

    /// Forgets the requests recorded so far.
    pub fn forget_requests(&self) {
        self.shared.lock().recorder.clear();
    }

    /// The present, on the simulation's clock.
    pub fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }

    /// Moves the clock forward; what is due by then happens.
    pub fn advance(&self, by: Duration) {
        self.shared.clock.advance(by);
        drop(self.shared.lock());
        self.shared.changed.notify_waiters();
    }

    /// Switches the faults of this name on or off; false when the world has none.
    pub fn switch_fault(&self, name: &str, on: bool) -> bool {
        self.shared.lock().faults.switch(name, on)
    }

    /// Waits until the fault of this name has hit so many calls and what they still have of an effect is there.
    pub async fn struck(&self, name: &str, times: u64) {
        loop {
            let told = self.shared.struck.notified();
            tokio::pin!(told);
            told.as_mut().enable();
            if self.shared.lock().faults.landed(name) >= times {
                return;
            }
            told.await;
        }
    }

    /// Adds one `[[faults]]` table, written as in a world file without its heading.
    pub fn add_fault(&self, text: &str) -> Result<(), crate::WorldError> {
        let file = World::parse(&format!("[[faults]]\n{text}"), "fault")?.file;
        let mut inner = self.shared.lock();
        for fault in file.faults {
            inner.faults.add(fault);
        }
        Ok(())
    }

    /// One call of the control routes (`/_sim/…`) without a connection: full regions, unreachable hosts, Machines that
    /// move or crash, files on volumes. The error is the refusal's text.
    pub fn control(
        &self,
        method: &str,
        path: &str,
        body: serde_json::Value,
    ) -> Result<serde_json::Value, String> {
        let reply = control::control(&self.shared, method, path, body);
        let failed = reply.status.as_u16() >= 400;
        let value = match reply.body {
            http::Body::Json(value) => value,
            _ => serde_json::Value::Null,
        };
        if failed { Err(value["error"].as_str().unwrap_or_default().to_owned()) } else { Ok(value) }
    }

    /// Stops serving.
    pub fn stop(self) {
        drop(self);
    }
}

pub(crate) type Environment = Vec<(&'static str, String)>;

fn environment(url: &str, token: &str, apps: &[String], places: &Places) -> Environment {
    let mut env = platform_environment(url, token, apps.first().map(String::as_str));
    // For probes of our own: flyctl knows none of these.
    env.push(("FLY_OPS_DNS_SERVER", places.dns.to_string()));
    env.push(("FLY_OPS_EDGE_HTTP", places.http.to_string()));
    env.push(("FLY_OPS_EDGE_HTTPS", places.https.to_string()));
    env
}

fn platform_environment(url: &str, token: &str, app: Option<&str>) -> Environment {
    let mut env = vec![
        ("FLY_API_BASE_URL", url.to_owned()),
        ("FLY_FLAPS_BASE_URL", url.to_owned()),
        ("FLY_UIEX_BASE_URL", url.to_owned()),
        ("FLY_METRICS_BASE_URL", url.to_owned()),
        ("FLY_SYNTHETICS_BASE_URL", url.to_owned()),
        ("FLY_STATUSPAGE_UNRESOLVED_INCIDENTS_URL", format!("{url}/v1/incidents")),
        // Not a variable of flyctl, whose status page cannot be redirected.
        ("FLY_STATUSPAGE_BASE_URL", url.to_owned()),
        ("FLY_TRACE_COLLECTOR_URL", "127.0.0.1".to_owned()),
        ("FLY_API_TOKEN", token.to_owned()),
        ("FLY_NO_UPDATE_CHECK", "1".to_owned()),
        ("FLY_NO_INCIDENTS_CHECK", "1".to_owned()),
        ("FLY_SEND_METRICS", "0".to_owned()),
        ("FLY_SYNTHETICS_AGENT", "0".to_owned()),
    ];
    env.extend(app.map(|app| ("FLY_APP", app.to_owned())));
    env
}

/// `NAME='value'` lines for a shell.
pub fn shell_lines(pairs: &[(String, String)]) -> Vec<String> {
    pairs.iter().map(|(name, value)| quoted(name, value)).collect()
}

fn quoted(name: &str, value: &str) -> String {
    format!("{name}='{}'", value.replace('\'', "'\\''"))
}

/// `NAME='value'` lines for a shell, with a configuration directory of its own.
pub fn environment_lines(
    address: SocketAddr,
    token: &str,
    app: Option<&str>,
    config_dir: &std::path::Path,
) -> Vec<String> {
    let mut env = platform_environment(&format!("http://{address}"), token, app);
    env.push(("FLY_CONFIG_DIR", config_dir.display().to_string()));
    env.iter().map(|(name, value)| quoted(name, value)).collect()
}
