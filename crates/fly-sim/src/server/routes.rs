//! The table of everything that is served. Dispatch, rate limits, faults and the contract test read it.

use super::auth::Caller;
use super::http::{Answer, Request};
use super::limit::Bucket;
use crate::state::State;
use crate::{gql, mapi, prom, web};

/// One route, as the contract test and people see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operation {
    /// HTTP method.
    pub method: &'static str,
    /// Path with parameters in braces.
    pub path: &'static str,
}

/// What a handler may use.
pub(crate) struct Call<'a> {
    pub(crate) state: &'a mut State,
    pub(crate) request: &'a Request,
    pub(crate) caller: &'a Caller,
}

#[derive(Clone, Copy)]
pub(crate) enum Handler {
    Now(fn(&mut Call<'_>) -> Answer),
    /// `GET …/wait`, the one call that takes time.
    Wait,
}

/// Which part of the platform answers; decides on authentication and limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Surface {
    Machines,
    GraphQl,
    Web,
    Logs,
    Public,
}

#[derive(Clone, Copy)]
pub(crate) struct Route {
    pub(crate) method: &'static str,
    pub(crate) pattern: &'static str,
    pub(crate) surface: Surface,
    pub(crate) bucket: Bucket,
    pub(crate) handler: Handler,
}

/// Every route that is served.
pub fn operations() -> impl Iterator<Item = Operation> {
    ROUTES.iter().map(|route| Operation { method: route.method, path: route.pattern })
}

macro_rules! machines {
    ($method:literal $pattern:literal $handler:expr) => {
        Route {
            method: $method,
            pattern: concat!("/v1", $pattern),
            surface: Surface::Machines,
            bucket: Bucket::Action,
            handler: Handler::Now($handler),
        }
    };
}

macro_rules! other {
    ($surface:ident $method:literal $pattern:literal $handler:expr) => {
        Route {
            method: $method,
            pattern: $pattern,
            surface: Surface::$surface,
            bucket: Bucket::None,
            handler: Handler::Now($handler),
        }
    };
}

pub(crate) static ROUTES: &[Route] = &[
    machines!("GET" "/apps" mapi::apps::list),
    machines!("GET" "/apps/{app}" mapi::apps::get),
    machines!("GET" "/apps/{app}/machines" mapi::machines::list),
    Route {
        method: "GET",
        pattern: "/v1/apps/{app}/machines/{machine}",
        surface: Surface::Machines,
        bucket: Bucket::GetMachine,
        handler: Handler::Now(mapi::machines::get),
    },
    machines!("GET" "/apps/{app}/machines/{machine}/events" mapi::machines::events),
    machines!("GET" "/apps/{app}/machines/{machine}/versions" mapi::machines::versions),
    machines!("GET" "/apps/{app}/machines/{machine}/ps" mapi::machines::ps),
    machines!("GET" "/apps/{app}/machines/{machine}/memory" mapi::machines::memory),
    Route {
        method: "GET",
        pattern: "/v1/apps/{app}/machines/{machine}/wait",
        surface: Surface::Machines,
        bucket: Bucket::Action,
        handler: Handler::Wait,
    },
    machines!("GET" "/apps/{app}/machines/{machine}/lease" mapi::lease::get),
    machines!("GET" "/apps/{app}/machines/{machine}/metadata" mapi::metadata::get),
    machines!("GET" "/apps/{app}/machines/{machine}/metadata/{key}" mapi::metadata::get_key),
    machines!("GET" "/apps/{app}/volumes" mapi::volumes::list),
    machines!("GET" "/apps/{app}/volumes/{volume}" mapi::volumes::get),
    machines!("GET" "/apps/{app}/volumes/{volume}/snapshots" mapi::volumes::snapshots),
    machines!("GET" "/apps/{app}/secrets" mapi::secrets::list),
    machines!("GET" "/apps/{app}/secrets/{secret}" mapi::secrets::get),
    machines!("GET" "/apps/{app}/certificates" mapi::certificates::list),
    machines!("GET" "/apps/{app}/certificates/{hostname}" mapi::certificates::get),
    machines!("POST" "/apps/{app}/certificates/{hostname}/check" mapi::certificates::check),
    machines!("GET" "/apps/{app}/ip_assignments" mapi::ips::list),
    machines!("GET" "/orgs/{org}/machines" mapi::orgs::machines),
    machines!("GET" "/orgs/{org}/volumes" mapi::orgs::volumes),
    machines!("GET" "/platform/regions" mapi::platform::regions),
    machines!("GET" "/tokens/current" mapi::tokens::current),
    machines!("POST" "/apps" mapi::apps_write::create),
    Route {
        method: "DELETE",
        pattern: "/v1/apps/{app}",
        surface: Surface::Machines,
        bucket: Bucket::DeleteApp,
        handler: Handler::Now(mapi::apps_write::delete),
    },
    machines!("POST" "/apps/{app}/deploy_token" mapi::apps_write::deploy_token),
    machines!("POST" "/apps/{app}/machines" mapi::machines_write::create),
    machines!("POST" "/apps/{app}/machines/{machine}" mapi::machines_write::update),
    machines!("DELETE" "/apps/{app}/machines/{machine}" mapi::machines_write::destroy),
    machines!("POST" "/apps/{app}/machines/{machine}/start" mapi::machines_write::start),
    machines!("POST" "/apps/{app}/machines/{machine}/stop" mapi::machines_write::stop),
    machines!("POST" "/apps/{app}/machines/{machine}/suspend" mapi::machines_write::suspend),
    machines!("POST" "/apps/{app}/machines/{machine}/restart" mapi::machines_write::restart),
    machines!("POST" "/apps/{app}/machines/{machine}/signal" mapi::machines_write::signal),
    machines!("POST" "/apps/{app}/machines/{machine}/cordon" mapi::machines_write::cordon),
    machines!("POST" "/apps/{app}/machines/{machine}/uncordon" mapi::machines_write::uncordon),
    machines!("POST" "/apps/{app}/machines/{machine}/exec" mapi::machines_write::exec),
    machines!("PUT" "/apps/{app}/machines/{machine}/memory" mapi::machines_write::set_memory),
    machines!("POST" "/apps/{app}/machines/{machine}/memory/reclaim" mapi::machines_write::reclaim_memory),
    machines!("POST" "/apps/{app}/machines/{machine}/lease" mapi::lease::acquire),
    machines!("DELETE" "/apps/{app}/machines/{machine}/lease" mapi::lease::release),
    machines!("PUT" "/apps/{app}/machines/{machine}/metadata" mapi::metadata::put),
    machines!("PATCH" "/apps/{app}/machines/{machine}/metadata" mapi::metadata::patch),
    machines!("POST" "/apps/{app}/machines/{machine}/metadata/{key}" mapi::metadata::set_key),
    machines!("DELETE" "/apps/{app}/machines/{machine}/metadata/{key}" mapi::metadata::delete_key),
    machines!("POST" "/apps/{app}/volumes" mapi::volumes_write::create),
    machines!("PUT" "/apps/{app}/volumes/{volume}" mapi::volumes_write::update),
    machines!("DELETE" "/apps/{app}/volumes/{volume}" mapi::volumes_write::delete),
    machines!("PUT" "/apps/{app}/volumes/{volume}/extend" mapi::volumes_write::extend),
    machines!("POST" "/apps/{app}/volumes/{volume}/snapshots" mapi::volumes_write::snapshot),
    machines!("POST" "/apps/{app}/secrets" mapi::apps_write::set_secrets),
    machines!("POST" "/apps/{app}/secrets/{secret}" mapi::apps_write::set_secret),
    machines!("DELETE" "/apps/{app}/secrets/{secret}" mapi::apps_write::delete_secret),
    machines!("POST" "/apps/{app}/certificates/acme" mapi::apps_write::request_certificate),
    machines!("POST" "/apps/{app}/certificates/custom" mapi::apps_write::import_certificate),
    machines!("DELETE" "/apps/{app}/certificates/{hostname}" mapi::apps_write::delete_certificate),
    machines!("DELETE" "/apps/{app}/certificates/{hostname}/acme" mapi::apps_write::delete_certificate_kind),
    machines!("DELETE" "/apps/{app}/certificates/{hostname}/custom" mapi::apps_write::delete_certificate_kind),
    machines!("POST" "/apps/{app}/ip_assignments" mapi::apps_write::assign_ip),
    machines!("DELETE" "/apps/{app}/ip_assignments/{ip}" mapi::apps_write::release_ip),
    machines!("POST" "/platform/placements" mapi::platform::placements),
    machines!("GET" "/apps/{app}/secretkeys" mapi::secretkeys::list),
    machines!("GET" "/apps/{app}/secretkeys/{secret}" mapi::secretkeys::get),
    machines!("POST" "/apps/{app}/secretkeys/{secret}" mapi::secretkeys::set),
    machines!("DELETE" "/apps/{app}/secretkeys/{secret}" mapi::secretkeys::delete),
    machines!("POST" "/apps/{app}/secretkeys/{secret}/generate" mapi::secretkeys::generate),
    machines!("POST" "/apps/{app}/secretkeys/{secret}/encrypt" mapi::secretkeys::encrypt),
    machines!("POST" "/apps/{app}/secretkeys/{secret}/decrypt" mapi::secretkeys::decrypt),
    machines!("POST" "/apps/{app}/secretkeys/{secret}/sign" mapi::secretkeys::sign),
    machines!("POST" "/apps/{app}/secretkeys/{secret}/verify" mapi::secretkeys::verify),
    machines!("POST" "/tokens/authenticate" mapi::tokens::authenticate),
    machines!("POST" "/tokens/authorize" mapi::tokens::authorize),
    machines!("POST" "/tokens/oidc" mapi::tokens::oidc),
    machines!("POST" "/tokens/kms" mapi::tokens::kms),
    other!(GraphQl "POST" "/graphql" gql::handle),
    other!(Web "GET" "/api/v1/organizations" web::uiex::organizations),
    other!(Web "GET" "/api/v1/organizations/{org}" web::uiex::organization),
    other!(Web "GET" "/api/v1/organizations/{org}/postgres" web::uiex::postgres),
    other!(Web "GET" "/api/v1/apps/{app}/releases" web::uiex::releases),
    other!(Web "GET" "/api/v1/apps/{app}/releases/current" web::uiex::current_release),
    other!(Web "POST" "/api/v1/releases" web::uiex::create_release),
    other!(Web "PATCH" "/api/v1/releases/{release}" web::uiex::update_release),
    other!(Web "POST" "/api/v1/builds" web::uiex::create_build),
    other!(Web "POST" "/api/v1/builds/finish" web::uiex::finish_build),
    other!(Web "POST" "/api/v1/apps/{app}/egress_ips/{ip}/promote" web::uiex::promote_egress),
    other!(Web "GET" "/prometheus/{org}/api/v1/query" prom::query),
    other!(Web "POST" "/prometheus/{org}/api/v1/query" prom::query),
    other!(Web "GET" "/prometheus/{org}/api/v1/query_range" prom::query_range),
    other!(Web "POST" "/prometheus/{org}/api/v1/query_range" prom::query_range),
    other!(Web "GET" "/prometheus/{org}/api/v1/series" prom::series),
    other!(Web "GET" "/prometheus/{org}/api/v1/labels" prom::labels),
    other!(Web "GET" "/prometheus/{org}/api/v1/label/{label}/values" prom::label_values),
    other!(Web "GET" "/prometheus/{org}/api/v1/status/tsdb" prom::tsdb),
    other!(Web "GET" "/prometheus/{org}/federate" prom::federate),
    other!(Logs "GET" "/api/v1/apps/{app}/logs" web::logs::page),
    other!(Public "GET" "/v1/incidents" web::status::incidents),
    other!(Public "GET" "/api/v2/status.json" web::status::status),
    other!(Public "GET" "/api/v2/summary.json" web::status::summary),
    other!(Public "GET" "/api/v2/components.json" web::status::components),
    other!(Public "GET" "/api/v2/incidents/unresolved.json" web::status::unresolved),
    other!(Public "GET" "/api/v2/incidents.json" web::status::all_incidents),
    other!(Public "GET" "/api/v2/scheduled-maintenances/upcoming.json" web::status::maintenances),
    other!(Public "POST" "/metrics_post" web::status::metrics_sink),
];
