//! Volumes and snapshots, read.

use serde_json::Value;

use crate::server::http::{Answer, Reply};
use crate::server::routes::Call;
use crate::state::{Snapshot, Volume};

pub(crate) fn shown(volume: &Volume, summary: bool) -> Value {
    let mut value = volume.json();
    if summary && let Some(object) = value.as_object_mut() {
        for key in
            ["blocks", "block_size", "blocks_free", "blocks_avail", "bytes_used", "bytes_total"]
        {
            object.remove(key);
        }
    }
    value
}

pub(crate) fn list(call: &mut Call<'_>) -> Answer {
    let summary = call.request.flag("summary");
    let volumes = call.app()?.volumes.iter().map(|volume| shown(volume, summary));
    Ok(Reply::json(volumes.collect()))
}

pub(crate) fn get(call: &mut Call<'_>) -> Answer {
    Ok(Reply::json(call.volume()?.json()))
}

pub(crate) fn snapshots(call: &mut Call<'_>) -> Answer {
    Ok(Reply::json(call.volume()?.snapshots.iter().map(Snapshot::json).collect()))
}
