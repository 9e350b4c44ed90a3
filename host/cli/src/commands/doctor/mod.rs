//! `doctor`: a diagnosis of each source, with the next step.

mod authority;
mod finding;
mod place;
mod print;

use std::process::ExitCode;

use shared_token_cache::policy::Source;
use shared_token_cache::{Builder, SharedTokenCacheCredential, TransportOptions};

use super::arguments::{Doctor, ListForm};
use super::credential;
use super::output::{self, Failure};
use authority::AuthorityReport;
use place::PlaceReport;

/// The diagnosis. It holds no secret, and of accounts only their number.
struct Report {
    places: Vec<PlaceReport>,
    authority: AuthorityReport,
    /// Tokens are marked with an agent session.
    agent_session: bool,
}

/// Examines all places and prints the result. The exit code is 0 if a sign-in is usable, else 3, as
/// for an unavailable credential.
pub(super) async fn run(arguments: Doctor) -> Result<ExitCode, Failure> {
    let mut transport = TransportOptions::default();
    transport.ca_file = arguments.ca_file;
    // No retries, because a person waits.
    transport.most_retries = 0;
    let host = credential::authority_host(&arguments.sign_in)?;
    let builder: Builder = credential::builder(arguments.sign_in)?.transport(transport);
    let credential = builder.build()?;

    let mut places = look(&credential, false).await;
    let with_cae = look(&credential, true).await;
    // Other sources have one document for both kinds of calls, and a missing CAE document is not a
    // problem.
    places.extend(with_cae.into_iter().filter(|place| place.source == Source::Shared && place.is_there()));
    let report = Report {
        places,
        authority: AuthorityReport::new(host, credential.connection().ok(), credential.clock_skew().await),
        agent_session: credential.agent_session().is_some(),
    };

    match arguments.output {
        ListForm::Json => output::print_json(&print::json(&report))?,
        ListForm::Text => {
            for line in print::text(&report) {
                output::print_line(&line)?;
            }
        }
    }
    let usable = report.places.iter().any(PlaceReport::is_usable);
    Ok(if usable { ExitCode::SUCCESS } else { ExitCode::from(3) })
}

async fn look(credential: &SharedTokenCacheCredential, enable_cae: bool) -> Vec<PlaceReport> {
    let accounts = credential.accounts(enable_cae).await;
    let examined = credential.examine(enable_cae).await;
    let both = examined.into_iter().zip(accounts);
    both.map(|((source, examined), (_, accounts))| PlaceReport::new(source, enable_cae, examined, accounts)).collect()
}
