//! How an attempt is called: mostly like any component, sometimes with a prepared stage.

use std::time::Duration;

use shared_token_cache::policy::{Access, Limits, Policy};
use shared_token_cache::{AccessToken, Builder, Error, HostSettings, TokenRequestOptions};
use shared_token_cache_tests::home;

use crate::stage::{SCOPE, Stage};

/// Calls the component; returns the caller's result.
pub(crate) type Play = fn(&Stage) -> Result<AccessToken, Error>;

/// One call for a token.
pub(crate) fn plain(stage: &Stage) -> Result<AccessToken, Error> {
    call(stage, stage.hostile(), TokenRequestOptions::default())
}

/// The host is in an agent session.
pub(crate) fn in_an_agent_session(stage: &Stage) -> Result<AccessToken, Error> {
    let session = Some("session-1".parse().unwrap());
    let settings = HostSettings { agent_session: session, ..HostSettings::default() };
    let outcome = call(stage, stage.hostile().host_settings(settings), TokenRequestOptions::default());
    for request in stage.endpoint.requests() {
        let named = request.form.iter().filter(|(name, _)| name == "client_session").map(|(_, id)| id.as_str());
        assert_eq!(named.collect::<Vec<_>>(), ["session-1"], "every request names the host's session, and no other");
        assert!(request.path.ends_with("?client_session=session-1"), "{}", request.path);
    }
    outcome
}

/// The cache is granted for reading only.
pub(crate) fn reading(stage: &Stage) -> Result<AccessToken, Error> {
    call(stage, stage.hostile().policy(home::policy(Access::Read)), TokenRequestOptions::default())
}

/// A call is limited to 0.3 s.
pub(crate) fn hurried(stage: &Stage) -> Result<AccessToken, Error> {
    call(stage, stage.hostile().policy(in_little_time()), TokenRequestOptions::default())
}

/// A call for the accounts, limited to 0.3 s.
pub(crate) fn hurried_accounts(stage: &Stage) -> Result<AccessToken, Error> {
    ask_for_accounts(stage, stage.hostile().policy(in_little_time()))
}

/// A call for the accounts.
pub(crate) fn accounts(stage: &Stage) -> Result<AccessToken, Error> {
    ask_for_accounts(stage, stage.hostile())
}

fn ask_for_accounts(stage: &Stage, builder: Builder) -> Result<AccessToken, Error> {
    let credential = builder.build()?;
    let accounts = stage.runtime.block_on(credential.accounts(false));
    stage.hear("accounts", format!("{accounts:?}"));
    Err(accounts.into_iter().next().unwrap().1.unwrap_err())
}

/// A call of `supported`, and the end of the credential.
pub(crate) fn support(stage: &Stage) -> Result<AccessToken, Error> {
    let credential = stage.hostile().build()?;
    let (supported, closed) =
        stage.runtime.block_on(async { (credential.component_supported().await, credential.close().await) });
    assert!(matches!((supported, closed), (Ok(true), Ok(()))), "both are answered");
    for name in ["supported", "close"] {
        let refused = format!("{name}: Err(WriteError::Denied");
        assert!(stage.traces().contains(&refused), "{name} wrote: {}", stage.traces());
    }
    Err(Error::InvalidArgument("the log says what was refused".into()))
}

/// The component is limited to 16 MiB.
pub(crate) fn small(stage: &Stage) -> Result<AccessToken, Error> {
    let policy = limited(|limits| limits.guest_memory = 16 << 20);
    call(stage, stage.hostile().policy(policy), TokenRequestOptions::default())
}

/// A document is limited to 64 KiB.
pub(crate) fn small_documents(stage: &Stage) -> Result<AccessToken, Error> {
    let policy = limited(|limits| limits.document_size = 64 << 10);
    call(stage, stage.hostile().policy(policy), TokenRequestOptions::default())
}

/// The call answers a challenge: a resource refused the cached token.
pub(crate) fn challenged(stage: &Stage) -> Result<AccessToken, Error> {
    let claims = r#"{"access_token":{"nbf":{"essential":true,"value":"1700000000"}}}"#;
    call(stage, stage.hostile(), TokenRequestOptions { claims: Some(claims.into()), ..Default::default() })
}

/// The call does not select one of the two accounts.
pub(crate) fn without_a_username(stage: &Stage) -> Result<AccessToken, Error> {
    call(stage, stage.for_no_account(), TokenRequestOptions::default())
}

/// Between two calls another tool removes the access token, but not the account.
pub(crate) fn before_and_after_a_token_is_removed(stage: &Stage) -> Result<AccessToken, Error> {
    between_two_calls(stage, Stage::remove_the_token)
}

/// Between two calls the user signs out.
pub(crate) fn before_and_after_a_sign_out(stage: &Stage) -> Result<AccessToken, Error> {
    between_two_calls(stage, Stage::sign_out)
}

fn between_two_calls(stage: &Stage, change: fn(&Stage)) -> Result<AccessToken, Error> {
    let credential = stage.hostile().build()?;
    let kept = stage.call(&credential, &[SCOPE], TokenRequestOptions::default());
    assert!(matches!(&kept, Err(Error::InvalidArgument(text)) if text == "\"kept\""), "{kept:?}");
    change(stage);
    stage.call(&credential, &[SCOPE], TokenRequestOptions::default())
}

/// A second caller gets the instance of the first.
pub(crate) fn twice(stage: &Stage) -> Result<AccessToken, Error> {
    let credential = stage.hostile().build()?;
    let first = stage.call(&credential, &[SCOPE], TokenRequestOptions::default());
    assert!(matches!(&first, Err(Error::Denied(denial)) if denial.message.contains("requests to")), "{first:?}");
    let second = stage.call(&credential, &[SCOPE], TokenRequestOptions::default());
    assert!(matches!(&second, Err(Error::Denied(denial)) if denial.hint.is_none()), "{second:?}");
    let traces = stage.traces();
    assert!(traces.contains("component: said in the second call"), "the lines of each call are counted for themselves");
    second
}

/// The caller passes on the result of a credential whose component returns everything that it sees.
pub(crate) fn with_a_handle_of_another(stage: &Stage) -> Result<AccessToken, Error> {
    let gossip = Stage::hostile(stage).component(crate::stage::component("tell_what_it_sees")).build()?;
    let Err(Error::CredentialUnavailable(shown)) = stage.call(&gossip, &[SCOPE], TokenRequestOptions::default()) else {
        panic!("the call succeeded");
    };
    // A cache with half of a surrogate pair is not parsed as JSON here.
    let (_, entry) = shown.message.split_once("\"at-user0\"").unwrap();
    let (_, handle) = entry.split_once("\"sealed-a-").unwrap();
    let handle = &format!("sealed-a-{}", handle.split_once('"').unwrap().0);
    stage.call(&stage.hostile().build()?, &[SCOPE, handle], TokenRequestOptions::default())
}

fn call(stage: &Stage, builder: Builder, request: TokenRequestOptions) -> Result<AccessToken, Error> {
    stage.call(&builder.build()?, &[SCOPE], request)
}

fn in_little_time() -> Policy {
    limited(|limits| limits.call_time = Duration::from_millis(300))
}

fn limited(change: impl FnOnce(&mut Limits)) -> Policy {
    let mut limits = Limits::default();
    change(&mut limits);
    home::policy(Access::ReadWrite).with_limits(limits)
}
