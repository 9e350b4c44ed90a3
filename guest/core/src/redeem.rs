//! Redeeming a refresh token: RFC 6749, section 6.

use shared_token_cache_entra::{Secret, another_refresh_token_may_do, is_dead};

use crate::candidate::Candidate;
use crate::document::Document;
use crate::error::{AuthenticationFailure, AuthenticationFailureReason, Error, OAuthError, UnavailableReason};
use crate::options::Configuration;
use crate::platform::{FormRequest, HttpsError, LogLevel, Platform};
use crate::refresh_tokens;
use crate::reply::{self, Outcome, TokenReply};
use crate::tenant::{self, RequestTenant};
use crate::text::quoted;
use crate::types::{Authority, HomeAccountId, Scopes};
use crate::unusable;

/// Messages list at most this many tenants.
const MOST_TENANTS: usize = 5;

/// The parameters of a token request.
pub(crate) struct Request<'a> {
    pub(crate) account: &'a Candidate,
    pub(crate) scopes: &'a Scopes,
    pub(crate) tenant: &'a RequestTenant,
    /// The `claims` parameter.
    pub(crate) claims: Option<&'a str>,
    pub(crate) authority: &'a Authority,
    pub(crate) configuration: &'a Configuration,
    /// The extended cache key of the host's agent session, for the cache only.
    pub(crate) session: Option<&'a str>,
}

/// The result of the token requests, and the fate of the refresh tokens that were used.
pub(crate) struct Redemption {
    /// The new token, and the refresh token that was redeemed for it.
    pub(crate) result: Result<(TokenReply, Secret), Error>,
    /// Refresh tokens that the authority declared dead.
    pub(crate) dead: Vec<Secret>,
    /// A redeemed refresh token and its replacement, when the response had no usable access token.
    pub(crate) exchanged: Option<(Secret, Secret)>,
    /// The time just before the last request.
    pub(crate) requested_at: u64,
}

/// Tries the account's usable refresh tokens one after the other until one yields a token.
pub(crate) fn redeem(platform: &mut impl Platform, document: &Document, request: &Request<'_>) -> Redemption {
    let mut redemption = Redemption {
        result: Err(Error::unavailable(UnavailableReason::NoToken, no_token(document, request))),
        dead: Vec::new(),
        exchanged: None,
        requested_at: 0,
    };
    let mut first_refusal: Option<OAuthError> = None;
    let account = &request.account.home_account_id;
    for token in refresh_tokens::in_order(document, account, request.authority, request.configuration) {
        let refresh_token = token.secret;
        redemption.requested_at = platform.now();
        let outcome = exchange(platform, request, &refresh_token, redemption.requested_at);
        match outcome {
            Ok(Outcome::Token(token)) => {
                redemption.result = Ok((*token, refresh_token));
                return redemption;
            }
            Ok(Outcome::Refused { error: refusal, client_mismatch }) => {
                platform.log(LogLevel::Info, &format!("the authority refused a refresh token: {}", refusal.code));
                if is_dead(&refusal.code, refusal.suberror.as_deref()) {
                    redemption.dead.push(refresh_token);
                }
                // The client is not in the family, so the authority will refuse the family's other
                // tokens too.
                let not_in_family = token.on_trial && client_mismatch;
                let another_may_do = client_mismatch || another_refresh_token_may_do(&refusal.code);
                first_refusal.get_or_insert(refusal);
                if not_in_family || !another_may_do {
                    break;
                }
            }
            Ok(Outcome::Unusable { why, refresh_token: new }) => {
                redemption.result = Err(why);
                redemption.exchanged = new.map(|new| (refresh_token, new));
                return redemption;
            }
            Ok(Outcome::Busy(why)) => {
                redemption.result = Err(Error::Unreachable(why));
                return redemption;
            }
            Err(error) => {
                redemption.result = Err(error);
                return redemption;
            }
        }
    }
    if let Some(refusal) = first_refusal {
        redemption.result = Err(refused(refusal, document, request));
    }
    redemption
}

fn exchange(
    platform: &mut impl Platform,
    request: &Request<'_>,
    refresh_token: &Secret,
    requested_at: u64,
) -> Result<Outcome, Error> {
    let form = form(request, refresh_token);
    let reply = platform.post_form(&form).map_err(|error| match error {
        HttpsError::Denied(why) => Error::Denied(why),
        HttpsError::Timeout(why) | HttpsError::Unreachable(why) => Error::Unreachable(why),
        HttpsError::BadResponse(why) => Error::unexpected_response(why),
    })?;
    reply::read(&reply, &request.account.home_account_id, requested_at)
}

fn form(request: &Request<'_>, refresh_token: &Secret) -> FormRequest {
    let public = |text: &str| Secret::new(text.to_owned());
    let mut form = vec![
        ("grant_type", public("refresh_token")),
        ("refresh_token", refresh_token.clone()),
        ("scope", public(&request.scopes.as_requested())),
        ("client_id", public(request.configuration.client_id.as_str())),
        ("client_info", public("1")),
    ];
    form.extend(request.claims.map(|claims| ("claims", public(claims))));

    let mut headers =
        vec![("x-client-SKU", "shared-token-cache".to_owned()), ("x-client-Ver", env!("CARGO_PKG_VERSION").to_owned())];
    headers.extend(anchor_mailbox(&request.account.home_account_id).map(|value| ("X-AnchorMailbox", value)));
    FormRequest { url: request.authority.token_endpoint(request.tenant.as_str()), headers, form }
}

/// The header that routes the request to the data centre of the account's home tenant.
fn anchor_mailbox(account: &HomeAccountId) -> Option<String> {
    let (uid, utid) = account.parts()?;
    let header_safe = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
    (header_safe(uid) && header_safe(utid)).then(|| format!("Oid:{uid}@{utid}"))
}

fn no_token(document: &Document, request: &Request<'_>) -> String {
    let name = quoted(&request.account.username);
    let id = &request.account.home_account_id;
    if document.accounts().iter().any(|entry| entry.brokered && entry.home_account_id == *id) {
        return unusable::brokered(&name);
    }
    format!(
        "the account {name} has neither a fitting access token nor a usable refresh token in the cache; sign in again with the \
         tool that you signed in with, for example `az login`"
    )
}

/// Codes of Microsoft Entra ID for an account that is unknown in the requested tenant.
const WRONG_TENANT: [u64; 4] = [50020, 50034, 90002, 90072];

/// A hint that names other tenants of the account, when the authority refused this one.
fn another_tenant(refusal: &OAuthError, document: &Document, request: &Request<'_>) -> Option<String> {
    refusal.error_codes.iter().find(|code| WRONG_TENANT.contains(code))?;
    let account = &request.account.home_account_id;
    let visited = tenant::visited(account, document, request.authority);
    let others = visited.iter().copied().chain(account.home_tenant()).filter(|known| *known != request.tenant.as_str());
    let others: Vec<_> = others.take(MOST_TENANTS).map(quoted).collect();
    let (name, asked) = (quoted(&request.account.username), quoted(request.tenant.as_str()));
    let known = if others.is_empty() {
        String::new()
    } else {
        format!(" (other tenants in the cache: {})", others.join(" and "))
    };
    let example = visited.first().copied().unwrap_or("TENANT");
    Some(format!(
        ". The token was requested from the tenant {asked} for {name}{known}; select another tenant with \
         `--request-tenant {example}`, or with `tenant` of a profile"
    ))
}

fn refused(refusal: OAuthError, document: &Document, request: &Request<'_>) -> Error {
    let description = refusal.description.as_deref().map(|text| format!(": {text}")).unwrap_or_default();
    let hint = another_tenant(&refusal, document, request).unwrap_or_default();
    Error::ClientAuthentication(AuthenticationFailure {
        reason: AuthenticationFailureReason::OAuthError,
        message: format!("the authority refused to issue a token ({}){description}{hint}", refusal.code),
        oauth: Some(Box::new(refusal)),
    })
}
