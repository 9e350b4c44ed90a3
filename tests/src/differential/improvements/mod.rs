//! Intended differences from azure-identity.
//!
//! There are two kinds of improvements. One is about the input: it rewrites the input of the
//! reference, which then has to give the same result as ours without the rewrite. The other is
//! about the outcome: it decides whether a difference is the intended one. The first kind is
//! stricter, as it leaves no difference to be judged.

mod access_tokens;
mod accounts;
mod calls;
mod discovery;
mod documents;
mod families;
mod names;
mod records;
mod refresh_tokens;
mod replies;
mod scopes;
mod written;

use super::case::Case;
use super::compare::{Difference, Pair};

/// An improvement; the function of its name has the documentation.
pub(crate) struct Improvement {
    /// A sentence.
    pub(crate) name: &'static str,
    /// Its function.
    pub(crate) kind: Kind,
}

/// The kind of an improvement.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    /// About the input: rewrites it for the reference.
    Given(fn(&mut Case<'_>)),
    /// About the outcome: whether this difference is the improvement.
    Outcome(fn(&Difference, &Pair<'_>) -> bool),
}

macro_rules! improvements {
    ($($kind:ident $module:ident::$name:ident,)*) => {
        /// All improvements. Those about the input are applied in this order.
        pub(crate) const ALL: &[Improvement] =
            &[$(Improvement { name: stringify!($name), kind: Kind::$kind($module::$name) },)*];
    };
}

improvements! {
    Given documents::a_byte_order_mark_is_skipped,
    Given documents::sections_of_another_type_are_absent,
    Given documents::entries_of_another_shape_are_skipped,
    Given documents::fields_of_another_type_are_missing,
    Given documents::environments_have_no_case,
    Given documents::keys_mean_nothing,
    Given accounts::authorities_have_no_case,
    Given records::the_authority_of_a_record_may_be_a_url,
    Given records::the_account_comes_before_the_tenant,
    Given names::ids_have_no_case,
    Given names::the_hosts_of_a_cloud_are_one_environment,
    Given accounts::the_own_client_needs_no_family,
    Given accounts::the_home_tenant_gives_the_username,
    Given accounts::usernames_have_no_case,
    Given accounts::home_tenants_have_no_case,
    Given records::accounts_need_no_username,
    Given records::the_account_is_known_by_its_id,
    Given discovery::no_discovery_is_needed,
    Given discovery::the_policy_says_which_authorities_are_good,
    Given discovery::tenants_keep_the_name_that_they_have,
    Given calls::blank_claims_are_none,
    Given calls::null_claims_are_none,
    Given calls::allowed_tenants_have_no_case,
    Given access_tokens::arguments_are_split_into_scopes,
    Given access_tokens::scopes_have_no_case,
    Given scopes::any_scope_may_be_asked_for,
    Given access_tokens::tokens_of_another_cloud_are_not_served,
    Given access_tokens::bound_tokens_are_not_served,
    Given access_tokens::only_bearer_tokens_are_served,
    Given access_tokens::the_token_type_has_one_spelling,
    Given access_tokens::tokens_from_the_future_are_not_served,
    Given access_tokens::tokens_of_another_tenant_are_not_served,
    Given access_tokens::the_tenant_is_checked_first,
    Given records::three_hundred_seconds_are_too_few,
    Given access_tokens::the_best_token_is_served,
    Given access_tokens::tokens_are_renewed_ahead_of_time,
    Given records::a_renewal_is_tried_once_in_thirty_seconds,
    Given written::a_read_removes_nothing,
    Given written::expired_tokens_of_others_stay,
    Given refresh_tokens::only_usable_refresh_tokens_are_sent,
    Given refresh_tokens::refresh_tokens_have_an_order,
    Given refresh_tokens::every_refresh_token_is_tried,
    Given families::the_own_refresh_token_comes_first,
    Given families::a_search_ends_with_a_final_answer,
    Given families::the_first_refusal_is_reported,
    Given replies::numbers_in_replies_may_be_strings,
    Given replies::the_cached_expiry_is_the_reported_one,
    Given replies::the_account_is_known_without_client_info,
    Given replies::id_tokens_are_opaque,
    Given records::long_lived_tokens_are_renewed_at_half_their_life,
    Outcome documents::a_damaged_cache_is_named,
    Outcome documents::a_section_of_another_type_is_not_overwritten,
    Outcome documents::app_metadata_are_merged,
    Outcome accounts::the_accounts_to_choose_from_are_listed,
    Outcome access_tokens::a_failed_renewal_falls_back_to_the_cached_token,
    Outcome refresh_tokens::a_dead_refresh_token_goes_though_another_did,
    Outcome families::a_dead_refresh_token_goes_with_a_record,
    Outcome families::a_refusal_of_the_family_is_reported,
    Outcome refresh_tokens::a_refresh_token_survives_a_refusal,
    Outcome refresh_tokens::an_ambiguous_rotation_adds_nothing,
    Outcome refresh_tokens::an_oauth_error_is_kept_whole,
    Outcome replies::a_token_of_another_account_is_refused,
    Outcome replies::a_busy_authority_is_unreachable,
    Outcome replies::a_page_comes_from_a_portal,
    Outcome replies::a_response_that_is_no_token_is_named,
    Outcome calls::scopes_that_are_none_are_refused,
    Outcome calls::claims_that_are_no_object_are_refused,
    Outcome calls::tenants_that_are_none_are_refused,
    Outcome calls::ad_fs_has_an_endpoint_of_its_own,
    Outcome records::records_that_are_none_are_refused,
    Outcome records::authorities_that_are_none_are_refused,
    Outcome scopes::no_scopes_are_added,
    Outcome written::expired_tokens_go_with_a_write,
    Outcome written::account_entries_are_not_rewritten,
}
