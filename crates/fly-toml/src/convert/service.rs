//! Services and checks.

use std::collections::BTreeMap;

use fly_types::duration::GoDuration;
use fly_types::wire::{self, Field};

use super::machine::texts;
use crate::schema::{
    AnyService, Autostop, Check, Concurrency, Free, HttpCheck, HttpOptions, HttpService, Located,
    Port, Service, TcpCheck, Time, TlsOptions,
};
use crate::syntax::to_json;

/// A value that is sent whenever the key is there, even when it is empty or zero.
fn sent<T: Clone>(value: Option<&Located<T>>) -> Field<T> {
    value.map_or(Field::Absent, |value| Field::Value(value.value.clone()))
}

/// A text that is sent unless it is empty.
fn text(value: Option<&Located<String>>) -> Field<String> {
    value.filter(|text| !text.is_empty()).map_or(Field::Absent, |text| text.value.clone().into())
}

/// A number that is sent unless it is zero.
fn number(value: Option<i64>) -> Field<i64> {
    value.filter(|number| *number != 0).map_or(Field::Absent, Field::Value)
}

/// A flag that is sent only when it is set.
fn flag(value: Option<&Located<bool>>) -> Field<bool> {
    if value.is_some_and(|value| value.value) { Field::Value(true) } else { Field::Absent }
}

fn list<T>(items: Vec<T>) -> Field<Vec<T>> {
    if items.is_empty() { Field::Absent } else { Field::Value(items) }
}

fn duration(time: Option<&Located<Time>>) -> Field<GoDuration> {
    time.map_or(Field::Absent, |time| GoDuration::from_nanos(time.nanos).into())
}

/// A service as flyctl sends it.
pub(super) fn service(service: AnyService<'_>) -> wire::Service {
    match service {
        AnyService::Http(service) => http_service(service),
        AnyService::Plain(service) => plain_service(service),
    }
}

fn autostop(value: Option<&Located<Autostop>>) -> Field<wire::Autostop> {
    value.map_or(Field::Absent, |value| {
        // Off and stop travel as booleans, for clients that know nothing else.
        Field::Value(match value.value {
            Autostop::Off => wire::Autostop::Bool(false),
            Autostop::Stop => wire::Autostop::Bool(true),
            Autostop::Suspend => wire::Autostop::Suspend,
        })
    })
}

fn http_service(service: &HttpService) -> wire::Service {
    let options = service.http_options.as_ref().map(|options| http_options(options));
    let options = || options.clone().map_or(Field::Absent, Field::Value);
    let plain = wire::Port {
        port: 80.into(),
        handlers: vec!["http".to_owned()].into(),
        force_https: flag(service.force_https.as_ref()),
        http_options: options(),
        ..wire::Port::default()
    };
    let secure = wire::Port {
        port: 443.into(),
        handlers: vec!["http".to_owned(), "tls".to_owned()].into(),
        http_options: options(),
        tls_options: service
            .tls_options
            .as_ref()
            .map_or(Field::Absent, |options| tls_options(options).into()),
        ..wire::Port::default()
    };
    let checks = service.checks.iter().flat_map(|checks| checks.value.iter());
    wire::Service {
        protocol: "tcp".to_owned().into(),
        internal_port: number(service.internal_port.as_ref().map(|port| port.value)),
        ports: vec![plain, secure].into(),
        autostop: autostop(service.auto_stop_machines.as_ref()),
        autostart: sent(service.auto_start_machines.as_ref()),
        min_machines_running: sent(service.min_machines_running.as_ref()),
        concurrency: concurrency(service.concurrency.as_ref()),
        checks: list(checks.map(|check| http_check(check)).collect()),
        force_instance_key: Field::Null,
        ..wire::Service::default()
    }
}

fn plain_service(service: &Service) -> wire::Service {
    let tcp = service.tcp_checks.iter().flat_map(|checks| checks.iter());
    let http = service.http_checks.iter().flat_map(|checks| checks.iter());
    let checks = tcp.map(|check| tcp_check(check)).chain(http.map(|check| http_check(check)));
    wire::Service {
        protocol: text(service.protocol.as_ref()),
        internal_port: number(service.internal_port.as_ref().map(|port| port.value.0)),
        ports: list(service.ports.iter().flat_map(|ports| ports.iter()).map(|p| port(p)).collect()),
        autostop: autostop(service.auto_stop_machines.as_ref()),
        autostart: sent(service.auto_start_machines.as_ref()),
        min_machines_running: sent(service.min_machines_running.as_ref()),
        concurrency: concurrency(service.concurrency.as_ref()),
        checks: list(checks.collect()),
        force_instance_key: Field::Null,
        ..wire::Service::default()
    }
}

fn concurrency(limits: Option<&Located<Concurrency>>) -> Field<wire::Concurrency> {
    limits.map_or(Field::Absent, |limits| {
        Field::Value(wire::Concurrency {
            concurrency_type: text(limits.kind.as_ref()),
            soft_limit: number(limits.soft_limit.as_ref().map(|limit| limit.value)),
            hard_limit: number(limits.hard_limit.as_ref().map(|limit| limit.value)),
            ..wire::Concurrency::default()
        })
    })
}

fn port(port: &Port) -> wire::Port {
    wire::Port {
        port: port.port.as_ref().map_or(Field::Absent, |port| port.value.0.into()),
        start_port: sent(port.start_port.as_ref()),
        end_port: sent(port.end_port.as_ref()),
        handlers: list(texts(port.handlers.as_ref())),
        force_https: flag(port.force_https.as_ref()),
        http_options: port
            .http_options
            .as_ref()
            .map_or(Field::Absent, |options| http_options(options).into()),
        tls_options: port
            .tls_options
            .as_ref()
            .map_or(Field::Absent, |options| tls_options(options).into()),
        proxy_proto_options: port.proxy_proto_options.as_ref().map_or(Field::Absent, |options| {
            Field::Value(wire::ProxyProtoOptions {
                version: text(options.version.as_ref()),
                ..wire::ProxyProtoOptions::default()
            })
        }),
        ..wire::Port::default()
    }
}

fn tls_options(options: &TlsOptions) -> wire::TlsOptions {
    wire::TlsOptions {
        alpn: list(texts(options.alpn.as_ref())),
        versions: list(texts(options.versions.as_ref())),
        default_self_signed: sent(options.default_self_signed.as_ref()),
        ..wire::TlsOptions::default()
    }
}

fn http_options(options: &HttpOptions) -> wire::HttpOptions {
    let seconds = |value: Option<&Located<u32>>| {
        value.map_or(Field::Absent, |value| Field::Value(i64::from(value.value)))
    };
    let caches = options.replay_cache.iter().flat_map(|caches| caches.value.iter());
    let caches = caches.map(|cache| wire::ReplayCache {
        path_prefix: always(cache.path_prefix.as_ref()),
        ttl_seconds: cache.ttl_seconds.as_ref().map_or(0, |ttl| ttl.value).into(),
        cache_type: always(cache.kind.as_ref()),
        name: always(cache.name.as_ref()),
        allow_bypass: flag(cache.allow_bypass.as_ref()),
        ..wire::ReplayCache::default()
    });
    wire::HttpOptions {
        compress: sent(options.compress.as_ref()),
        h2_backend: sent(options.h2_backend.as_ref()),
        idle_timeout: seconds(options.idle_timeout.as_ref()),
        headers_read_timeout: seconds(options.headers_read_timeout.as_ref()),
        response: options.response.as_ref().map_or(Field::Absent, |response| {
            Field::Value(wire::HttpResponseOptions {
                headers: response_headers(response.headers.as_ref()),
                pristine: sent(response.pristine.as_ref()),
                ..wire::HttpResponseOptions::default()
            })
        }),
        replay_cache: list(caches.collect()),
        ..wire::HttpOptions::default()
    }
}

/// A text that is sent even when it is empty or missing.
pub(super) fn always(value: Option<&Located<String>>) -> Field<String> {
    value.map(|text| text.value.clone()).unwrap_or_default().into()
}

fn response_headers(headers: Option<&Located<Free>>) -> Field<BTreeMap<String, serde_json::Value>> {
    let Some(headers) = headers.filter(|headers| !headers.0.is_empty()) else {
        return Field::Absent;
    };
    let entries = headers.0.entries().iter();
    entries
        .map(|entry| (entry.key.name.clone(), to_json(&entry.value)))
        .collect::<BTreeMap<_, _>>()
        .into()
}

type Headers = BTreeMap<String, Located<String>>;

fn headers(headers: Option<&Located<Headers>>) -> Field<Vec<wire::HttpHeader>> {
    let entries = headers.iter().flat_map(|headers| headers.value.iter());
    let entries = entries.map(|(name, value)| wire::HttpHeader {
        name: if name.is_empty() { Field::Absent } else { name.clone().into() },
        values: vec![value.value.clone()].into(),
        ..wire::HttpHeader::default()
    });
    list(entries.collect())
}

fn tcp_check(check: &TcpCheck) -> wire::ServiceCheck {
    wire::ServiceCheck {
        check_type: wire::CheckType::Tcp.into(),
        interval: duration(check.interval.as_ref()),
        timeout: duration(check.timeout.as_ref()),
        grace_period: duration(check.grace_period.as_ref()),
        ..wire::ServiceCheck::default()
    }
}

fn http_check(check: &HttpCheck) -> wire::ServiceCheck {
    wire::ServiceCheck {
        check_type: wire::CheckType::Http.into(),
        interval: duration(check.interval.as_ref()),
        timeout: duration(check.timeout.as_ref()),
        grace_period: duration(check.grace_period.as_ref()),
        method: sent(check.method.as_ref()),
        path: sent(check.path.as_ref()),
        protocol: sent(check.protocol.as_ref()),
        tls_skip_verify: sent(check.tls_skip_verify.as_ref()),
        tls_server_name: sent(check.tls_server_name.as_ref()),
        headers: headers(check.headers.as_ref()),
        ..wire::ServiceCheck::default()
    }
}

/// A top-level check; only its method is raised to capitals. The port may still be missing.
pub(super) fn check(check: &Check) -> wire::Check {
    wire::Check {
        check_type: check
            .kind
            .as_ref()
            .map_or(Field::Absent, |kind| wire::CheckType::from(kind.as_str()).into()),
        port: sent(check.port.as_ref()),
        interval: duration(check.interval.as_ref()),
        timeout: duration(check.timeout.as_ref()),
        grace_period: duration(check.grace_period.as_ref()),
        method: check.method.as_ref().map_or(Field::Absent, |method| method.to_uppercase().into()),
        path: sent(check.path.as_ref()),
        protocol: sent(check.protocol.as_ref()),
        tls_skip_verify: sent(check.tls_skip_verify.as_ref()),
        tls_server_name: sent(check.tls_server_name.as_ref()),
        headers: headers(check.headers.as_ref()),
        ..wire::Check::default()
    }
}
