//! Every attempt with its outcome.

use shared_token_cache::{AccessToken, Error};

use crate::plays::{self, Play};
use crate::stage::{Stage, words};

/// An attempt.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    play: Play,
    /// The error of the import or of the call; `the log` if the refusal is only logged.
    pub(crate) refused_by: &'static str,
    /// A part of the refusal's text.
    pub(crate) saying: &'static str,
}

/// A test for each attempt, and the table of all.
macro_rules! attempts {
    ($($name:ident: $play:ident => $refused_by:literal, $saying:literal;)*) => {
        $(#[test]
        fn $name() {
            perform(stringify!($name));
        })*

        pub(crate) const TABLE: &[Row] = &[
            $(Row { name: stringify!($name), play: plays::$play, refused_by: $refused_by, saying: $saying },)*
        ];
    };
}

attempts! {
    // The cache.
    read_another_cache: plain => "ReadError::Denied", "the policy does not allow the cache";
    read_a_path: plain => "ReadError::Denied", "the policy does not allow the cache";
    replace_another_cache: plain => "WriteError::Denied", "the policy does not allow the cache";
    replace_what_is_for_reading_only: reading => "WriteError::Denied", "for reading only";
    replace_what_was_never_read: plain => "WriteError::Conflict", "";
    write_a_handle_into_another_entry: plain => "WriteError::Denied", "the access token belongs to another entry";
    write_a_handle_into_another_kind_of_entry: plain =>
        "WriteError::Denied", "an entry of another kind cannot hold the refresh token";
    write_a_handle_into_an_unknown_section: plain => "WriteError::Denied", "the new document changes its sections";
    write_a_handle_into_a_field: plain => "WriteError::Denied", "the new document has a handle in a place without a secret";
    write_a_refresh_token_of_its_own: plain =>
        "WriteError::Denied", "the new document has a secret that the component made up";
    write_an_entry_of_its_own: plain =>
        "WriteError::Denied", "the new entry in RefreshToken can only be made by a sign-in";
    move_a_token_to_another_account: plain =>
        "WriteError::Denied", "the new document changes the metadata of the refresh token";
    lengthen_the_life_of_a_token: plain => "WriteError::Denied", "the access token belongs to another entry";
    rename_an_account: plain => "WriteError::Denied", "the new document changes accounts";
    sign_a_user_out: plain =>
        "WriteError::Denied", "the new document lacks a refresh token that the authority did not declare dead";
    drop_a_refresh_token_that_lives: plain =>
        "WriteError::Denied", "the new document lacks a refresh token that the authority did not declare dead";
    remove_the_access_tokens_of_others: plain =>
        "WriteError::Denied", "the new document lacks an entry of AccessToken that other tools may still need";
    empty_the_cache: plain => "WriteError::Denied", "the new document changes its sections";
    write_a_section_twice: plain => "WriteError::Denied", "the new document repeats a member that it changes";
    write_an_entry_twice: plain => "WriteError::Denied", "the new document repeats a member that it changes";
    write_sections_of_another_type: plain =>
        "WriteError::Denied", "the new document changes the type of a section / the new document changes its sections / the new document changes another section / the new entry in AppMetadata is not an object / the new entry in AccessToken is not an object";
    write_tokens_without_a_secret: plain =>
        "WriteError::Denied", "the new document lacks a refresh token that the authority did not declare dead / the new entry in AccessToken has no secret";
    write_a_family_of_its_own: plain =>
        "WriteError::Denied", "the new entry in AppMetadata has a value that the authority did not send";
    write_a_byte_order_mark: plain => "WriteError::Denied", "the new document changes the byte order mark";
    change_white_space: plain =>
        "WriteError::Denied", "the new document changes white space / the new document changes another section / the new document changes its sections / the new entry in RefreshToken can only be made by a sign-in";
    change_an_unknown_section: plain => "WriteError::Denied", "the new document changes another section";
    reorder_the_cache: plain =>
        "WriteError::Denied", "the id token belongs to another entry / has a field that no entry has / the new document lacks an entry of IdToken";
    blow_a_document_up: plain =>
        "WriteError::Denied", "the new document changes another section / the new document changes white space / the new entry in AccessToken is larger than any entry has to be";
    write_what_is_no_cache: plain => "WriteError::Denied", "the new document is not a JSON object";
    write_a_document_that_is_too_large: small_documents => "WriteError::Denied", "limits.document-mib";
    write_without_a_redemption: plain =>
        "WriteError::Denied", "no refresh token was redeemed in this call, so there is nothing to write";
    write_when_asked_for_support: support => "the log", "no refresh token was redeemed in this call, so there is nothing to write";
    write_when_asked_for_the_accounts: accounts =>
        "WriteError::Denied", "no refresh token was redeemed in this call, so there is nothing to write";
    write_without_end: plain => "WriteError::Denied", "the call has no write left";
    hold_replace: hurried => "Error::Limit", "limits.call-seconds";
    read_for_ever: hurried => "Error::Limit", "limits.call-seconds";

    mark_a_cached_token_for_the_agent_session: in_an_agent_session =>
        "WriteError::Denied", "the access token belongs to another entry";
    store_a_token_without_its_agent_session: in_an_agent_session =>
        "WriteError::Denied", "the access token is not of the agent session that was asked for";

    // Forms.
    post_to_another_host: plain => "HttpsError::Denied", "the policy does not allow requests to";
    post_to_another_port: plain => "HttpsError::Denied", "under `authorities`";
    post_to_another_path: plain =>
        "HttpsError::Denied", "goes to https://<authority>/<tenant>/oauth2/v2.0/token, or to /adfs/oauth2/token, and nowhere else";
    post_in_plain_text: plain =>
        "HttpsError::Denied", "goes to https://<authority>/<tenant>/oauth2/v2.0/token, or to /adfs/oauth2/token, and nowhere else";
    put_a_refresh_token_into_another_field: plain =>
        "HttpsError::Denied", "a handle is in the other fields of a request";
    put_a_refresh_token_into_a_header: plain =>
        "HttpsError::Denied", "a handle is in the header fields of a request";
    put_a_refresh_token_into_the_url: plain => "HttpsError::Denied", "a handle is in the URL of a request / does not allow requests to";
    add_a_field_to_a_form: plain => "HttpsError::Denied", "a refresh request has no field";
    post_an_agent_session_of_its_own: in_an_agent_session =>
        "HttpsError::Denied", "a refresh request has no field / nowhere else";
    ask_for_another_grant: plain => "HttpsError::Denied", "the form's grant type is not refresh_token";
    redeem_another_accounts_refresh_token: plain =>
        "HttpsError::Denied", "the refresh token belongs to an account that was not asked for";
    redeem_another_clients_refresh_token: plain => "HttpsError::Denied", "the refresh token belongs to another client";
    redeem_as_another_client: plain => "HttpsError::Denied", "the refresh token belongs to another client";
    redeem_for_another_scope: plain =>
        "HttpsError::Denied", "the scopes of the refresh token are not those that were asked for";
    redeem_in_another_tenant: plain =>
        "HttpsError::Denied", "the refresh token belongs to a tenant that was not asked for";
    redeem_an_access_token: plain =>
        "HttpsError::Denied", "refresh_token must be a refresh token, and this is the access token";
    redeem_a_forged_handle: plain => "HttpsError::Denied", "refresh_token is not a handle issued to this component";
    post_a_form_without_the_claims: challenged => "HttpsError::Denied", "the form's claims are not those of the call";
    ask_for_a_longer_life: plain => "HttpsError::Denied", "the form's claims are not those of the call";
    switch_the_check_of_the_account_off: plain => "HttpsError::Denied", "the form has no field";
    repeat_a_field_of_a_form: plain => "HttpsError::Denied", "the form has the field";
    redeem_for_a_chosen_account: without_a_username =>
        "HttpsError::Denied", "several accounts fit, and the refresh token belongs to one of them";
    set_a_header_of_the_host: plain => "HttpsError::Denied", "a component may not set the header field";
    send_a_file: plain => "HttpsError::Denied", "a form may have 262144 bytes";

    // The token.
    return_a_refresh_token: plain => "Error::Denied", "must be an access token, and this is the refresh token";
    return_an_id_token: plain => "Error::Denied", "must be an access token, and this is the id token";
    return_a_secret_of_an_unknown_section: plain =>
        "Error::Denied", "must be an access token, and this is the opaque secret";
    return_another_accounts_access_token: plain =>
        "Error::Denied", "the access token belongs to an account that was not asked for";
    return_an_access_token_of_another_scope: plain =>
        "Error::Denied", "the scopes of the access token are not those that were asked for";
    return_an_access_token_of_another_tenant: plain =>
        "Error::Denied", "the access token belongs to a tenant that was not asked for";
    return_an_expired_access_token: plain => "Error::Denied", "the access token has expired";
    return_an_access_token_that_is_bound_to_a_key: plain =>
        "Error::Denied", "the access token is not a plain bearer token";
    return_a_token_without_the_agent_session: in_an_agent_session =>
        "Error::Denied", "the access token is not of the agent session that was asked for";
    return_a_token_of_an_agent_session: plain =>
        "Error::Denied", "the access token is not of the agent session that was asked for";
    return_an_access_token_with_a_line_break: plain =>
        "Error::Denied", "must be an access token, and this is the opaque secret";
    choose_an_account: without_a_username =>
        "Error::Denied", "several accounts fit, and the access token belongs to one of them";
    return_a_forged_handle: plain => "Error::Denied", "the result is not a handle issued to this component";
    return_a_text_of_its_own: plain => "Error::Denied", "the result is a text that the component made up";
    return_a_handle_of_another_credential: with_a_handle_of_another =>
        "Error::Denied", "the result is not a handle issued to this component";
    return_a_token_of_an_earlier_call: before_and_after_a_sign_out =>
        "Error::Denied", "the component did not read the cache in this call";
    return_a_token_that_is_gone: before_and_after_a_sign_out =>
        "Error::Denied", "the result is not a handle issued to this component";
    return_a_token_of_the_last_version: before_and_after_a_token_is_removed =>
        "Error::Denied", "the result is not a handle issued to this component";
    answer_a_challenge_with_a_cached_token: challenged =>
        "Error::Denied", "the access token does not answer the claims challenge";
    claim_a_longer_life: plain => "none", "expires_on: 4102444800, refresh_on: None, token_type: \"Bearer\"";

    // Texts. A handle is not a secret, and opens nothing outside the vault.
    tell_what_it_sees: plain => "none", "sealed-r-";
    pass_a_handle_on_as_the_authoritys_words: plain => "none", "sealed-r-";
    speak_in_escape_sequences: plain => "none", "\\\\u{1b}[2J\\\\u{d}\\\\u{a}";
    flood_the_log: plain => "the log", "the component logs too many lines";
    flood_the_log_through_other_imports: plain => "the log", "the component made more than 1000 import calls";

    leave_something_for_the_next_caller: twice => "Error::Denied", "of the component's own";

    // Limits.
    spin: hurried => "Error::Limit", "limits.call-seconds";
    spin_when_it_is_made: hurried => "Error::Limit", "limits.call-seconds";
    spin_for_the_accounts: hurried_accounts => "Error::Limit", "limits.call-seconds";
    allocate: small => "Error::Limit", "limits.guest-memory-mib";
    recurse: plain => "Error::Component", "out of bounds memory access";
    trap: plain => "Error::Component", "unreachable";
    grow_a_table: plain => "Error::Limit", "table elements";
    return_a_huge_text: plain => "Error::Limit", "the component returned more than";
    return_many_candidates: plain => "Error::Limit", "the component returned more than";

    // The component itself.
    import_wasi: plain => "Error::InvalidArgument", "wasi:cli/environment@0.2.0";
    export_another_version: plain => "Error::InvalidArgument", "the component is not of the world `plugin`";
}

/// Runs the attempt, and checks its outcome.
fn perform(name: &str) {
    let row = TABLE.iter().find(|row| row.name == name).unwrap();
    let stage = Stage::new(name);
    let outcome = (row.play)(&stage);
    row.check(&outcome, &stage.traces());
    assert_eq!(stage.leaks(), [""; 0], "{name}: a secret came out, or a cache is not as it was");
    assert!(!stage.traces().contains("\nERROR"), "{name}: a line of the log looks like several");
    stage.check_that_others_are_unharmed();
}

impl Row {
    fn check(&self, outcome: &Result<AccessToken, Error>, traces: &str) {
        let Self { name, refused_by, saying, .. } = self;
        match (*refused_by, outcome) {
            ("none", outcome) => {
                let said = format!("{outcome:?}");
                assert!(said.contains(saying), "{name}: {said}");
            }
            ("the log", _) => assert!(traces.contains(saying), "{name}: {outcome:?}"),
            (error, Err(refused)) if error.starts_with("Error::") => {
                let words = words(refused);
                let variant = error.trim_start_matches("Error::");
                assert!(words.starts_with(&format!("{variant}(")) && says(&words, saying), "{name}: {words}");
            }
            (error, Err(Error::InvalidArgument(tries))) => {
                // One line for each try, as the component's text is escaped into one line.
                for line in tries.split("\\u{a}") {
                    let refused = line.starts_with(&format!("Err({error}"));
                    assert!(refused && says(line, saying), "{name}: {line}");
                }
            }
            (_, outcome) => panic!("{name}: {outcome:?}"),
        }
    }
}

/// Whether a text contains one of the alternatives that slashes separate: a random character
/// decides which.
fn says(text: &str, saying: &str) -> bool {
    saying.split(" / ").any(|words| text.contains(words))
}
