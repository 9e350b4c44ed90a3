//! `grpc.health.v1`: the server has the empty name, the service its own name, and each profile the
//! profile's.

use std::collections::BTreeMap;

use tokio::sync::watch;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use crate::board::{Posted, Secret};
use crate::service::SERVICE;

/// Reports until the board is dropped. A profile is serving while it has a token.
pub(crate) async fn report(reporter: HealthReporter, mut board: watch::Receiver<BTreeMap<String, Posted>>) {
    reporter.set_service_status(SERVICE, ServingStatus::Serving).await;
    loop {
        let statuses: Vec<_> = {
            let board = board.borrow_and_update();
            board.iter().map(|(name, posted)| (name.clone(), status(&posted.secret))).collect()
        };
        for (name, status) in statuses {
            reporter.set_service_status(name, status).await;
        }
        if board.changed().await.is_err() {
            return;
        }
    }
}

fn status(secret: &Secret) -> ServingStatus {
    match secret {
        Secret::Token(_) => ServingStatus::Serving,
        Secret::Pending | Secret::Withdrawn => ServingStatus::NotServing,
    }
}
