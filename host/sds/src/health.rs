//! `grpc.health.v1`: the server under the empty name, the service under its own, and each profile under the profile's.

use std::collections::BTreeMap;

use tokio::sync::watch;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use crate::board::{Posted, Secret};
use crate::service::SERVICE;

/// Reports for as long as the board lives. A profile is serving while there is a token.
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
