//! A name server for the world: apps' public and private names, the records that the world writes down, and nothing else.
//! UDP, one question per message, no compression but a pointer to the question.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use tokio::net::UdpSocket;

use crate::server::Shared;
use crate::state::{App, State};
use crate::world::evidence::{DnsFailure, DnsFile};

const A: u16 = 1;
const NS: u16 = 2;
const CNAME: u16 = 5;
const TXT: u16 = 16;
const AAAA: u16 = 28;
const CAA: u16 = 257;

/// The platform's own hosts are here.
const PLATFORM: [&str; 5] =
    ["api.fly.io", "api.machines.dev", "_api.internal", "status.flyio.net", "incidents.flyio.net"];

pub(crate) async fn serve(socket: UdpSocket, shared: Arc<Shared>) {
    let mut buffer = [0_u8; 1500];
    loop {
        // A port that cannot be reached shows up as an error here; the next question may be another's.
        let Ok((length, from)) = socket.recv_from(&mut buffer).await else { continue };
        let reply = reply(&shared.lock().state, &buffer[..length]);
        if let Some(reply) = reply {
            let _unreachable = socket.send_to(&reply, from).await;
        }
    }
}

/// The answer to a message; none when it is no question, or is dropped.
pub(crate) fn reply(state: &State, message: &[u8]) -> Option<Vec<u8>> {
    let (name, kind, end) = question(message)?;
    let found = lookup(state, &name);
    let (code, mut records) = match found {
        None => (3, Vec::new()),
        Some(file) => match file.fails {
            Some(DnsFailure::Drop) => return None,
            Some(DnsFailure::Nxdomain) => (3, Vec::new()),
            Some(DnsFailure::Servfail) => (2, Vec::new()),
            Some(DnsFailure::Refused) => (5, Vec::new()),
            None => (0, records(state, &file, kind)),
        },
    };
    records.truncate(20);
    let count = u16::try_from(records.len()).unwrap_or(0);
    let mut out = message[..2].to_vec();
    out.extend_from_slice(&[0x84 | (message[2] & 1), 0x80 | code, 0, 1]);
    out.extend_from_slice(&count.to_be_bytes());
    out.extend_from_slice(&[0, 0, 0, 0]);
    out.extend_from_slice(&message[12..end]);
    for (kind, owner, data) in records {
        out.extend_from_slice(&owner.map_or_else(|| vec![0xc0, 12], |name| labels(&name)));
        out.extend_from_slice(&kind.to_be_bytes());
        out.extend_from_slice(&[0, 1, 0, 0, 0, 60]);
        out.extend_from_slice(&u16::try_from(data.len()).unwrap_or(0).to_be_bytes());
        out.extend_from_slice(&data);
    }
    Some(out)
}

/// (name in small letters, type, end of the question).
fn question(message: &[u8]) -> Option<(String, u16, usize)> {
    if message.len() < 17 || message[2] & 0x80 != 0 || message[4..6] != [0, 1] {
        return None;
    }
    let mut at = 12;
    let mut parts = Vec::new();
    loop {
        let length = usize::from(*message.get(at)?);
        if length == 0 {
            break;
        }
        if length > 63 {
            return None;
        }
        let label = message.get(at + 1..at + 1 + length)?;
        parts.push(String::from_utf8_lossy(label).to_lowercase());
        at += 1 + length;
    }
    let kind = u16::from_be_bytes([*message.get(at + 1)?, *message.get(at + 2)?]);
    message.get(at + 4)?;
    Some((parts.join("."), kind, at + 5))
}

fn labels(name: &str) -> Vec<u8> {
    let mut out = Vec::new();
    for label in name.trim_end_matches('.').split('.').filter(|label| !label.is_empty()) {
        out.push(u8::try_from(label.len().min(63)).unwrap_or(63));
        out.extend_from_slice(&label.as_bytes()[..label.len().min(63)]);
    }
    out.push(0);
    out
}

/// Everything that is known about a name.
fn lookup(state: &State, name: &str) -> Option<DnsFile> {
    if let Some(file) = state.dns.iter().find(|file| file.name.eq_ignore_ascii_case(name)) {
        return Some(file.clone());
    }
    if PLATFORM.contains(&name) {
        return Some(DnsFile { a: vec![Ipv4Addr::LOCALHOST], ..DnsFile::default() });
    }
    let apps = || state.apps.values();
    if name == "_apps.internal" {
        let names: Vec<&str> = apps().map(|app| app.name.as_str()).collect();
        return Some(DnsFile { txt: vec![names.join(",")], ..DnsFile::default() });
    }
    if let Some(app) = apps().find(|app| app.hostname() == name) {
        return Some(public(app));
    }
    if let Some(name) = name.strip_suffix(".flycast") {
        let private = |ip: &&crate::state::Ip| ip.kind == "private_v6";
        let app = apps().find(|app| app.name == name)?;
        let aaaa = app.ips.iter().filter(private).filter_map(|ip| ip.address.parse().ok());
        return Some(DnsFile { aaaa: aaaa.collect(), ..DnsFile::default() });
    }
    if let Some(inside) = name.strip_suffix(".internal") {
        return internal(state, inside);
    }
    // A name with a configured certificate points to its app.
    let attached = |app: &&App| {
        app.certificates.iter().any(|known| known.hostname == name && known.configured)
    };
    apps().find(attached).map(public)
}

fn public(app: &App) -> DnsFile {
    let of = |kinds: &'static [&str]| {
        app.ips.iter().filter(move |ip| kinds.contains(&ip.kind.as_str())).map(|ip| &ip.address)
    };
    DnsFile {
        a: of(&["v4", "shared_v4"]).filter_map(|address| address.parse().ok()).collect(),
        aaaa: of(&["v6"]).filter_map(|address| address.parse().ok()).collect(),
        ..DnsFile::default()
    }
}

/// `app`, `region.app`, `machine.vm.app`, `group.process.app`, `top1.nearest.of.app`, `regions.app`, `vms.app`.
fn internal(state: &State, inside: &str) -> Option<DnsFile> {
    let (front, name) = inside.rsplit_once('.').unwrap_or(("", inside));
    let app = state.apps.get(name)?;
    let started = app.machines.iter().filter(|machine| machine.state == "started");
    let text = |text: String| Some(DnsFile { txt: vec![text], ..DnsFile::default() });
    let wanted: Vec<_> = match front {
        "regions" => {
            let mut regions: Vec<&str> = started.map(|machine| machine.region.as_str()).collect();
            regions.sort_unstable();
            regions.dedup();
            return text(regions.join(","));
        }
        "vms" => {
            let of = started.map(|machine| format!("{} {}", machine.id, machine.region));
            return text(of.collect::<Vec<_>>().join(","));
        }
        "" | "global" => started.collect(),
        front if front.ends_with(".nearest.of") => {
            let count = front.trim_start_matches("top").split('.').next()?.parse().ok()?;
            started.take(count).collect()
        }
        front => match front.rsplit_once('.') {
            Some((id, "vm")) => started.filter(|machine| machine.id == id).collect(),
            Some((group, "process")) => started
                .filter(|machine| machine.metadata("fly_process_group") == Some(group))
                .collect(),
            _ => started.filter(|machine| machine.region == front).collect(),
        },
    };
    let aaaa: Vec<Ipv6Addr> =
        wanted.iter().filter_map(|machine| machine.private_ip.parse().ok()).collect();
    // No started Machine is no such name, not an empty answer.
    (!aaaa.is_empty()).then(|| DnsFile { aaaa, ..DnsFile::default() })
}

type Record = (u16, Option<String>, Vec<u8>);

/// The records of a type; an alias is followed once.
fn records(state: &State, file: &DnsFile, kind: u16) -> Vec<Record> {
    let mut out: Vec<Record> = Vec::new();
    if let Some(target) = &file.cname {
        out.push((CNAME, None, labels(target)));
        if kind != CNAME
            && let Some(other) = lookup(state, target).filter(|other| other.cname.is_none())
        {
            let owned = |(kind, _, data): Record| (kind, Some(target.clone()), data);
            out.extend(own(&other, kind).into_iter().map(owned));
        }
        return out;
    }
    own(file, kind)
}

fn own(file: &DnsFile, kind: u16) -> Vec<Record> {
    let records: Vec<Vec<u8>> = match kind {
        A => file.a.iter().map(|address| address.octets().to_vec()).collect(),
        AAAA => file.aaaa.iter().map(|address| address.octets().to_vec()).collect(),
        NS => file.ns.iter().map(|name| labels(name)).collect(),
        TXT => file.txt.iter().map(|text| texts(text)).collect(),
        CAA => file.caa.iter().map(|issuer| [b"\0\x05issue", issuer.as_bytes()].concat()).collect(),
        _ => Vec::new(),
    };
    records.into_iter().map(|data| (kind, None, data)).collect()
}

/// Character strings of at most 255 bytes.
fn texts(text: &str) -> Vec<u8> {
    let parts = text.as_bytes().chunks(255);
    parts
        .flat_map(|part| {
            std::iter::once(u8::try_from(part.len()).unwrap_or(255)).chain(part.iter().copied())
        })
        .collect()
}
