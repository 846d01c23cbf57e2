//! The generic checks, applied to the toy.

use runbook::testing::{self, Scenario as _};

use crate::toy::Toy;

#[tokio::test(start_paused = true)]
async fn the_toy_survives_everything() {
    let toy = Toy::default();
    let verdict = testing::check_all(&toy).await;
    println!("{:?}", verdict.cases);
    verdict.assert_clean();
    let world = toy.world().await;
    assert!(verdict.total() > 10 * toy.plan(&world).await.plan().steps().count());
}
