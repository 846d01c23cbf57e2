//! Stands between the clients and the network: so many requests per host at a time, and a record of each exchange.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fly_api::Clock;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use net::{Request, Response, Transport};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::surroundings::millis;

tokio::task_local! {
    /// Id of the collector on whose behalf this task works.
    pub static COLLECTOR: &'static str;
}

/// One request on the wire, an attempt of a call.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// Collector.
    pub collector: &'static str,
    /// Method.
    pub method: String,
    /// Host and path, without query.
    pub url: String,
    /// When it was sent.
    pub started_at: Timestamp,
    /// Milliseconds it waited for its turn.
    pub queue_ms: u64,
    /// Milliseconds it took; none while under way.
    pub duration_ms: Option<u64>,
    /// Status, or a transport code.
    pub result: Option<String>,
    /// Value of the `date` header together with our own clock's reading when the answer came.
    pub date: Option<(String, Timestamp)>,
}

/// Every exchange of the run. Cheap to clone.
#[derive(Clone, Default)]
pub struct Traffic {
    exchanges: Arc<Mutex<Vec<Exchange>>>,
}

/// Exchanges that are kept; the trace of a run with more is cut.
const MOST: usize = 20_000;

impl Traffic {
    /// A copy of everything so far.
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.lock().clone()
    }

    fn start(&self, exchange: Exchange) -> Option<usize> {
        let mut list = self.lock();
        (list.len() < MOST).then(|| {
            list.push(exchange);
            list.len() - 1
        })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Exchange>> {
        self.exchanges.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A transport with a number of places per host.
pub struct Bounded {
    inner: Arc<dyn Transport>,
    places: usize,
    hosts: Mutex<HashMap<String, Arc<Semaphore>>>,
    traffic: Traffic,
    clock: Clock,
}

/// Longest wait for the head of an answer, and between two pieces of its body.
const FIRST_BYTE: Duration = Duration::from_secs(10);
const IDLE: Duration = Duration::from_secs(5);

impl Bounded {
    /// `places` requests at a time to each host.
    pub fn new(inner: Arc<dyn Transport>, places: usize, traffic: Traffic, clock: Clock) -> Self {
        Self { inner, places, hosts: Mutex::default(), traffic, clock }
    }

    fn host(&self, request: &Request) -> Arc<Semaphore> {
        let url = &request.url;
        let key =
            format!("{}:{:?}", url.host_str().unwrap_or_default(), url.port_or_known_default());
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(hosts.entry(key).or_insert_with(|| Arc::new(Semaphore::new(self.places))))
    }
}

impl Transport for Bounded {
    fn send(&self, mut request: Request) -> BoxFuture<'_, Result<Response, net::Error>> {
        Box::pin(async move {
            request.timeouts.first_byte = request.timeouts.first_byte.min(FIRST_BYTE);
            request.timeouts.idle = request.timeouts.idle.min(IDLE);
            let queued = Instant::now();
            let host = self.host(&request);
            // The semaphore is never closed, so an error cannot happen; without a place the request goes all the same.
            let _place = host.acquire().await.ok();
            let index = self.traffic.start(Exchange {
                collector: COLLECTOR.try_with(|id| *id).unwrap_or("run"),
                method: request.method.to_string(),
                url: format!(
                    "{}{}",
                    request.url.host_str().unwrap_or_default(),
                    request.url.path()
                ),
                started_at: (self.clock)(),
                queue_ms: millis(queued.elapsed()),
                duration_ms: None,
                result: None,
                date: None,
            });
            let begin = Instant::now();
            let answer = self.inner.send(request).await;
            if let Some(index) = index {
                let now = (self.clock)();
                let mut list = self.traffic.lock();
                let exchange = &mut list[index];
                exchange.duration_ms = Some(millis(begin.elapsed()));
                exchange.result = Some(match &answer {
                    Ok(answer) => answer.status.as_u16().to_string(),
                    Err(error) => error.kind().code().to_owned(),
                });
                exchange.date = answer
                    .as_ref()
                    .ok()
                    .and_then(|answer| answer.headers.get("date")?.to_str().ok())
                    .map(|date| (date.to_owned(), now));
            }
            answer
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::future::join_all;

    use super::*;

    /// Counts what is under way.
    #[derive(Default)]
    struct Counting {
        now: AtomicUsize,
        most: AtomicUsize,
    }

    impl Transport for Counting {
        fn send(&self, _: Request) -> BoxFuture<'_, Result<Response, net::Error>> {
            Box::pin(async move {
                let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
                self.most.fetch_max(now, Ordering::SeqCst);
                // sleep: on a paused clock, so that all that may start does.
                tokio::time::sleep(Duration::from_secs(1)).await;
                self.now.fetch_sub(1, Ordering::SeqCst);
                let headers = http::HeaderMap::new();
                Ok(Response { status: http::StatusCode::OK, headers, body: bytes::Bytes::new() })
            })
        }
    }

    #[tokio::test(start_paused = true)]
    async fn so_many_at_a_time_per_host_and_all_are_recorded() {
        let inner = Arc::new(Counting::default());
        let traffic = Traffic::default();
        let clock: Clock = Arc::new(|| Timestamp::UNIX_EPOCH);
        let bounded =
            Bounded::new(Arc::clone(&inner) as Arc<dyn Transport>, 16, traffic.clone(), clock);
        let ask = |host: &str, count: usize| {
            let url: Result<_, _> = format!("http://{host}/v1/x?secret=1").parse();
            let request = Request::new(http::Method::GET, url.unwrap());
            join_all((0..count).map(|_| bounded.send(request.clone())).collect::<Vec<_>>())
        };
        ask("127.0.0.1:1", 100).await;
        assert_eq!(inner.most.load(Ordering::SeqCst), 16);
        // Two hosts have their own places.
        let (_, _) = tokio::join!(ask("127.0.0.1:1", 50), ask("127.0.0.1:2", 50));
        assert_eq!(inner.most.load(Ordering::SeqCst), 32);
        let exchanges = traffic.exchanges();
        assert_eq!(exchanges.len(), 200);
        assert!(
            exchanges
                .iter()
                .all(|it| it.result.as_deref() == Some("200") && !it.url.contains("secret"))
        );
    }
}
