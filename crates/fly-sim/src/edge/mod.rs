//! What the world's apps look like from outside: HTTP and HTTPS at the edge, and name servers.
//!
//! All of it listens on loopback. Names resolve to the addresses that the world says, which are not on loopback: a prober
//! is told by `FLY_OPS_EDGE_HTTP` and `FLY_OPS_EDGE_HTTPS` where to connect instead (as with curl's `--connect-to`), by
//! the file of `fly-sim run --ca-file` whom to trust, and by `FLY_OPS_DNS_SERVER` whom to ask.

mod answer;
mod certificate;
mod dns;
mod http;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::watch;

use crate::server::Shared;
pub(crate) use certificate::Authority;

/// Where the parts listen.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    pub(crate) http: SocketAddr,
    pub(crate) https: SocketAddr,
    pub(crate) dns: SocketAddr,
    /// The authority that signs the edge's certificates, in PEM.
    pub(crate) ca_pem: String,
}

/// Starts all parts; they end when `ends` changes or its sender is dropped.
pub(crate) async fn start(
    ip: IpAddr,
    shared: &Arc<Shared>,
    ends: watch::Receiver<()>,
) -> std::io::Result<Places> {
    let (plain, tls) = (TcpListener::bind((ip, 0)).await?, TcpListener::bind((ip, 0)).await?);
    let udp = UdpSocket::bind((ip, 0)).await?;
    let authority = Authority::new().map_err(std::io::Error::other)?;
    let places = Places {
        http: plain.local_addr()?,
        https: tls.local_addr()?,
        dns: udp.local_addr()?,
        ca_pem: authority.pem().to_owned(),
    };
    let authority = Arc::new(authority);
    tokio::spawn(until(ends.clone(), http::serve(plain, None, Arc::clone(shared))));
    tokio::spawn(until(ends.clone(), http::serve(tls, Some(authority), Arc::clone(shared))));
    tokio::spawn(until(ends, dns::serve(udp, Arc::clone(shared))));
    Ok(places)
}

async fn until(mut ends: watch::Receiver<()>, work: impl Future<Output = ()>) {
    tokio::select! {
        () = work => {}
        _ = ends.changed() => {}
    }
}
