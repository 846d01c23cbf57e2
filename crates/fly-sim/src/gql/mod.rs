//! GraphQL.

use bytes::Bytes;

use crate::server::http::{Answer, Reply};
use crate::server::routes::Call;

pub(crate) fn root_fields(_body: &Bytes) -> Vec<String> {
    Vec::new()
}

pub(crate) fn handle(_call: &mut Call<'_>) -> Answer {
    Err(Reply::error(501, "not yet"))
}
