//! How an attempt is called: mostly as any component is, and sometimes the stage has to be set for it.

use std::time::Duration;

use shared_token_cache::policy::{Access, Limits, Policy};
use shared_token_cache::{AccessToken, Builder, Error, TokenRequestOptions};
use shared_token_cache_tests::home;

use crate::stage::{SCOPE, Stage};

/// Lets the component make its attempt; gives what the caller gets.
pub(crate) type Play = fn(&Stage) -> Result<AccessToken, Error>;

/// One call for a token.
pub(crate) fn plain(stage: &Stage) -> Result<AccessToken, Error> {
    call(stage, stage.hostile(), TokenRequestOptions::default())
}

/// The cache is granted for reading only.
pub(crate) fn reading(stage: &Stage) -> Result<AccessToken, Error> {
    call(stage, stage.hostile().policy(home::policy(Access::Read)), TokenRequestOptions::default())
}

/// A call may take 0.3 s.
pub(crate) fn hurried(stage: &Stage) -> Result<AccessToken, Error> {
    call(stage, stage.hostile().policy(in_little_time()), TokenRequestOptions::default())
}

/// The same, and the accounts are asked for.
pub(crate) fn hurried_accounts(stage: &Stage) -> Result<AccessToken, Error> {
    ask_for_accounts(stage, stage.hostile().policy(in_little_time()))
}

/// The accounts are asked for.
pub(crate) fn accounts(stage: &Stage) -> Result<AccessToken, Error> {
    ask_for_accounts(stage, stage.hostile())
}

fn ask_for_accounts(stage: &Stage, builder: Builder) -> Result<AccessToken, Error> {
    let credential = builder.build()?;
    let accounts = stage.runtime.block_on(credential.accounts(false));
    stage.hear("accounts", format!("{accounts:?}"));
    Err(accounts.into_iter().next().unwrap().1.unwrap_err())
}

/// The component is asked whether the platform is supported, and closed.
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

/// The component may have 16 MiB.
pub(crate) fn small(stage: &Stage) -> Result<AccessToken, Error> {
    let policy = limited(|limits| limits.guest_memory = 16 << 20);
    call(stage, stage.hostile().policy(policy), TokenRequestOptions::default())
}

/// A document may have 64 KiB.
pub(crate) fn small_documents(stage: &Stage) -> Result<AccessToken, Error> {
    let policy = limited(|limits| limits.document_size = 64 << 10);
    call(stage, stage.hostile().policy(policy), TokenRequestOptions::default())
}

/// A resource refused the cached token.
pub(crate) fn challenged(stage: &Stage) -> Result<AccessToken, Error> {
    let claims = r#"{"access_token":{"nbf":{"essential":true,"value":"1700000000"}}}"#;
    call(stage, stage.hostile(), TokenRequestOptions { claims: Some(claims.into()), ..Default::default() })
}

/// The call does not say which of the two accounts it is for.
pub(crate) fn without_a_username(stage: &Stage) -> Result<AccessToken, Error> {
    call(stage, stage.for_no_account(), TokenRequestOptions::default())
}

/// Between two calls another tool removes the access token, and leaves the account.
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

/// A second caller has the instance of the first.
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

/// The caller passes on what it got from a credential whose component tells all that it sees.
pub(crate) fn with_a_handle_of_another(stage: &Stage) -> Result<AccessToken, Error> {
    let gossip = Stage::hostile(stage).component(crate::stage::component("tell_what_it_sees")).build()?;
    let Err(Error::CredentialUnavailable(told)) = stage.call(&gossip, &[SCOPE], TokenRequestOptions::default()) else {
        panic!("nothing was told");
    };
    // A cache that has half of a surrogate pair in it is not read as JSON here.
    let (_, entry) = told.message.split_once("\"at-user0\"").unwrap();
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
