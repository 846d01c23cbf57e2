//! `GET /api/v1/apps/{app}/logs`.

use crate::server::http::{Answer, Reply};
use crate::server::routes::Call;
use crate::state::logs::Filter;

pub(crate) fn page(call: &mut Call<'_>) -> Answer {
    let request = call.request;
    // A missing app and a foreign one look the same here: 401, not 404.
    let app = call
        .state
        .apps
        .get(request.param("app"))
        .filter(|app| call.caller.may_see_app(&app.org, &app.name))
        .ok_or_else(|| Reply::error(401, "unauthorized"))?;
    let token = match request.query("next_token") {
        None => None,
        Some(text) => {
            Some(text.parse::<i128>().map_err(|_| Reply::error(400, "invalid next_token"))?)
        }
    };
    let filter = Filter { machine: request.query("instance"), region: request.query("region") };
    let page = app.logs.page(token, &filter, call.state.settings.log_page, call.state.now);
    let mut body = String::from("{\"data\":[");
    for (index, record) in page.records.iter().enumerate() {
        if index > 0 {
            body.push(',');
        }
        record.write(index, &mut body);
    }
    let next = page.next.or(token).map(|token| token.to_string()).unwrap_or_default();
    body.push_str("],\"meta\":{\"next_token\":\"");
    body.push_str(&next);
    body.push_str("\"}}");
    Ok(Reply::raw_json(body))
}
