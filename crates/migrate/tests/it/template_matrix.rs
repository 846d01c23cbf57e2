//! The generic checks over the templates beyond the two plain ones: a world each, with its cleanup.

use crate::bench::Moving;
use crate::saga::{CleaningUp, FEW, matrix_of};

/// A matrix for the move and one for the cleanup after it.
macro_rules! matrices {
    ($($name:ident, $cleanup:ident;)*) => {
        $(
            #[tokio::test]
            async fn $name() {
                let world = include_str!(concat!("worlds/", stringify!($name), ".toml"));
                matrix_of(stringify!($name), &Moving::of(world), FEW).await;
            }

            #[tokio::test]
            async fn $cleanup() {
                let world = include_str!(concat!("worlds/", stringify!($name), ".toml"));
                matrix_of(stringify!($cleanup), &CleaningUp(Moving::of(world)), FEW / 2).await;
            }
        )*
    };
}

matrices! {
    scheduled, cleanup_after_scheduled;
    unmanaged, cleanup_after_unmanaged;
    standby, cleanup_after_standby;
    groups, cleanup_after_groups;
    egress, cleanup_after_egress;
    asleep, cleanup_after_asleep;
    litefs, cleanup_after_litefs;
    lost, cleanup_after_lost;
    shards, cleanup_after_shards;
    primary, cleanup_after_primary;
}
