//! Finds the route of a request, checks caller and limits, runs the handler.

use std::sync::Arc;

use axum::http::Method;

use super::auth::{self, Caller};
use super::control;
use super::http::{Answer, Reply, Request, unescape};
use super::routes::{Call, Handler, ROUTES, Route, Surface};
use super::{Inner, Shared};

pub(crate) async fn dispatch(shared: &Arc<Shared>, mut request: Request) -> Reply {
    if request.path.starts_with("/_sim/") {
        return control::handle(shared, &request);
    }
    let Some((route, params)) = find(&request.method, &request.path) else {
        return Reply::text(404, "not found\n");
    };
    request.params = params;
    let reply = match route.handler {
        Handler::Now(handler) => {
            let mut inner = shared.lock();
            let reply = checked(&mut inner, shared, route, &request, handler);
            drop(inner);
            if request.method != Method::GET {
                shared.changed.notify_waiters();
            }
            reply
        }
        Handler::Wait => crate::mapi::wait::wait(shared, route, &request).await,
    };
    let reply = reply.unwrap_or_else(|error| error);
    match route.surface {
        Surface::Machines => shared.variants.shape(route.pattern, reply),
        _ => reply,
    }
}

/// Authentication and limits, then the handler.
pub(crate) fn checked(
    inner: &mut Inner,
    shared: &Shared,
    route: &Route,
    request: &Request,
    handler: impl FnOnce(&mut Call<'_>) -> Answer,
) -> Answer {
    let caller = match (auth::caller(&inner.state, request), route.surface) {
        (Some(caller), _) => caller,
        (None, Surface::Public) => Caller::Anyone,
        (None, Surface::GraphQl) => {
            let message = "You must be authenticated to view this.";
            return Ok(Reply::json(crate::gql::errors(message, "UNAUTHORIZED")));
        }
        (None, _) => return Err(auth::unauthenticated()),
    };
    if route.surface == Surface::Machines && inner.state.settings.rate_limits {
        let action = format!("{} {}", route.method, route.pattern);
        let id = limited_id(request);
        let now = inner.state.now;
        if !inner.limiter.take(route.bucket, &action, &id, now) {
            return Err(shared
                .variants
                .rate_limited(Reply::error(429, "resource_exhausted: rate limit exceeded")));
        }
    }
    if route.surface == Surface::Machines {
        check_app(&inner.state, route, request, &caller)?;
        if request.method != Method::GET {
            crate::mapi::types::check(route.method, route.pattern, &request.json_or_empty()?)?;
        }
    }
    let mut call = Call { state: &mut inner.state, request, caller: &caller };
    handler(&mut call)
}

/// The Machine when there is one, else the volume, the app or the organization: what limits are counted by.
fn limited_id(request: &Request) -> String {
    let app = request.param("app");
    for name in ["machine", "volume"] {
        let id = request.param(name);
        if !id.is_empty() {
            return format!("{app}/{id}");
        }
    }
    if app.is_empty() { request.param("org").to_owned() } else { app.to_owned() }
}

fn check_app(
    state: &crate::state::State,
    route: &Route,
    request: &Request,
    caller: &Caller,
) -> Result<(), Reply> {
    if request.method != Method::GET && !route.pattern.ends_with("/check") && !caller.may_write() {
        return Err(auth::forbidden());
    }
    if !route.pattern.contains("{app}") {
        return Ok(());
    }
    match state.apps.get(request.param("app")) {
        Some(app) if caller.may_see_app(&app.org, &app.name) => Ok(()),
        Some(_) => Err(auth::forbidden()),
        None if route.method == "DELETE" && route.pattern == "/v1/apps/{app}" => {
            Err(Reply::error(404, "Could not find App"))
        }
        None => Err(Reply::error(404, "app not found")),
    }
}

fn find(method: &Method, path: &str) -> Option<(&'static Route, Vec<(&'static str, String)>)> {
    let method = if *method == Method::HEAD { "GET" } else { method.as_str() };
    ROUTES
        .iter()
        .filter(|route| route.method == method)
        .find_map(|route| matches(route.pattern, path).map(|params| (route, params)))
}

fn matches(pattern: &'static str, path: &str) -> Option<Vec<(&'static str, String)>> {
    let mut params = Vec::new();
    let mut segments = path.split('/');
    for wanted in pattern.split('/') {
        let segment = segments.next()?;
        match wanted.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            Some(name) if !segment.is_empty() => params.push((name, unescape(segment))),
            None if wanted == segment => {}
            _ => return None,
        }
    }
    segments.next().is_none().then_some(params)
}

/// The pattern that a request would be routed to.
pub(crate) fn pattern(method: &Method, path: &str) -> Option<&'static str> {
    find(method, path).map(|(route, _)| route.pattern)
}
