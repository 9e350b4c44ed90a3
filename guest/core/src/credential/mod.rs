//! The credential: read the cache, select an account, pick or redeem a token, write back.

mod cache;
mod pause;

use cache::Cache;
use pause::Pauses;
use shared_token_cache_entra::Secret;

use crate::access_token::Wanted;
use crate::account_info::CachedAccount;
use crate::claims;
use crate::error::{Error, UnavailableReason};
use crate::inventory;
use crate::options::{Configuration, Options, TokenRequestOptions};
use crate::platform::{LogLevel, Platform, Settings};
use crate::redeem::{self, Request};
use crate::tenant;
use crate::types::{Authority, Scopes};
use crate::write_back;

/// A credential on a shared token cache. The state kept between calls is only a cache.
#[derive(Debug)]
pub struct Credential {
    configuration: Configuration,
    authority: Option<Authority>,
    with_cae: Cache,
    without_cae: Cache,
    /// Pauses between renewals ahead of a token's expiry.
    pauses: Pauses,
    /// Pauses after renewals whose token was shorter-lived than the call requires.
    short_lived: Pauses,
    /// The host's settings, read once.
    settings: Option<Settings>,
}

/// An access token and how long it lives, in seconds since the Unix epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessToken {
    /// The token.
    pub token: Secret,
    /// When it expires.
    pub expires_on: u64,
    /// When it should be replaced.
    pub refresh_on: Option<u64>,
    /// `Bearer`.
    pub token_type: String,
}

impl Credential {
    /// A credential with these options. Nothing is read or sent.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] when an option is invalid.
    pub fn new(options: Options) -> Result<Self, Error> {
        let configuration = Configuration::try_from(options)?;
        let cache = |enable_cae| {
            Cache::new(configuration.cache_name.document(enable_cae), configuration.allow_unencrypted_storage)
        };
        Ok(Self {
            authority: configuration.authority.clone(),
            with_cae: cache(true),
            without_cae: cache(false),
            pauses: Pauses::default(),
            short_lived: Pauses::default(),
            settings: None,
            configuration,
        })
    }

    /// An access token for `scopes`: a cached one if it serves the call, else a new one.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn get_token(
        &mut self,
        platform: &mut impl Platform,
        scopes: &[String],
        request: &TokenRequestOptions,
    ) -> Result<AccessToken, Error> {
        let token = self.find_or_redeem(platform, scopes, request);
        let in_session = self.settings.as_ref().is_some_and(|settings| settings.agent_session_key.is_some());
        token.map_err(|error| if in_session { with_session_named(error) } else { error })
    }

    fn find_or_redeem(
        &mut self,
        platform: &mut impl Platform,
        scopes: &[String],
        request: &TokenRequestOptions,
    ) -> Result<AccessToken, Error> {
        let scopes = Scopes::parse(scopes)?;
        let claims = claims::merged(request.claims.as_deref(), request.enable_cae)?;
        // A claims challenge means that the resource rejected the cached token.
        let challenged = request.claims.as_deref().is_some_and(|claims| !claims.trim().is_empty());

        let settings = self.settings.get_or_insert_with(|| platform.settings());
        let disabled = settings.disable_multitenant_authentication;
        let session = settings.agent_session_key.clone();
        let session = session.as_deref();
        let tenant = tenant::resolve(&self.configuration, request.tenant_id.as_deref(), disabled);
        if let Err(error @ Error::InvalidArgument(_)) = tenant {
            return Err(error);
        }
        let authority = self.authority(platform)?;
        let cache = if request.enable_cae { &mut self.with_cae } else { &mut self.without_cae };
        cache.refresh(platform, &authority, &self.configuration)?;
        let now = platform.now();
        let min_validity = u64::from(request.min_validity.unwrap_or_default());
        let account = cache.selected(&authority, &self.configuration, |account| {
            let Ok(tenant) = &tenant else { return false };
            let account = &account.home_account_id;
            let tenant = tenant.of(account, cache.document(), &authority, now);
            let wanted = Wanted { account, scopes: &scopes, tenant: &tenant, min_validity, now, session };
            !challenged && cache.token(&wanted, &authority, &self.configuration).is_some()
        })?;
        let tenant = tenant?.of(&account.home_account_id, cache.document(), &authority, now);
        let account_id = &account.home_account_id;
        let wanted = Wanted { account: account_id, scopes: &scopes, tenant: &tenant, min_validity, now, session };
        let cached = if challenged { None } else { cache.token(&wanted, &authority, &self.configuration) };
        if let Some(token) = &cached
            && (token.refresh_on.is_none_or(|refresh_on| now < refresh_on)
                || !self.pauses.may_try(&account.home_account_id, &scopes, &tenant, now))
        {
            return Ok(token.clone());
        }

        let short = |expires_on: u64| too_short(expires_on.saturating_sub(now), min_validity);
        let any = Wanted { min_validity: 0, ..wanted };
        if !challenged
            && cached.is_none()
            && self.short_lived.holds(&account.home_account_id, &scopes, &tenant, now)
            && let Some(token) = cache.token(&any, &authority, &self.configuration)
        {
            return Err(short(token.expires_on));
        }
        let request = Request {
            account: &account,
            scopes: &scopes,
            tenant: &tenant,
            claims: claims.as_deref(),
            authority: &authority,
            configuration: &self.configuration,
            session,
        };
        // A cached token that serves the call stays in the document if it outlives the new one's use.
        let keep = cached.as_ref().map(|_| now.saturating_add(min_validity));
        match (redeem(platform, cache, &request, keep), cached) {
            (Ok(token), _) if token.expires_on.saturating_sub(now) >= min_validity => Ok(token),
            (Ok(_), Some(token)) => Ok(token),
            (Ok(token), None) => {
                self.short_lived.may_try(&account.home_account_id, &scopes, &tenant, now);
                Err(short(token.expires_on))
            }
            (Err(error), Some(token)) => {
                platform.log(LogLevel::Info, &format!("cannot renew the cached token, which is still valid: {error}"));
                Ok(token)
            }
            (Err(error), None) => Err(error),
        }
    }

    /// The accounts in one of the two caches, whatever the credential's username and tenant.
    ///
    /// # Errors
    /// When the cache can't be read.
    pub fn accounts(&mut self, platform: &mut impl Platform, enable_cae: bool) -> Result<Vec<CachedAccount>, Error> {
        let authority = self.authority(platform)?;
        let cache = if enable_cae { &mut self.with_cae } else { &mut self.without_cae };
        cache.refresh(platform, &authority, &self.configuration)?;
        Ok(inventory::accounts(cache.document(), &authority, &self.configuration))
    }

    /// Drops all state and idle connections. The next call starts afresh.
    pub fn close(&mut self, platform: &mut impl Platform) {
        self.authority.clone_from(&self.configuration.authority);
        self.with_cae.forget();
        self.without_cae.forget();
        self.pauses = Pauses::default();
        self.short_lived = Pauses::default();
        self.settings = None;
        platform.close_idle_connections();
    }

    fn authority(&mut self, platform: &mut impl Platform) -> Result<Authority, Error> {
        if let Some(authority) = &self.authority {
            return Ok(authority.clone());
        }
        let settings = self.settings.get_or_insert_with(|| platform.settings());
        let authority = Authority::parse(&settings.default_authority_host)?;
        self.authority = Some(authority.clone());
        Ok(authority)
    }
}

/// In an agent session a cached token may exist and not be served, so the message names the reason.
fn with_session_named(mut error: Error) -> Error {
    if let Error::CredentialUnavailable(unavailable) = &mut error
        && unavailable.reason == UnavailableReason::NoToken
    {
        unavailable.message += ". This host is in an agent session, in which tokens without its mark are not served";
    }
    error
}

fn too_short(lives: u64, asked: u64) -> Error {
    let message = format!(
        "the authority issued a token that lives {lives} s, and the call asks for one that lives {asked} s; ask for {lives} s or less"
    );
    Error::unavailable(UnavailableReason::NoToken, message)
}

/// Redeems a refresh token and writes the result back. The caller gets the token even if the write
/// fails. `keep` is the time that a new access token has to outlive to replace the cached one.
fn redeem(
    platform: &mut impl Platform,
    cache: &mut Cache,
    request: &Request<'_>,
    keep: Option<u64>,
) -> Result<AccessToken, Error> {
    let redemption = redeem::redeem(platform, cache.document(), request);
    let mut edits = Vec::new();
    let token = redemption.result.map(|(reply, redeemed)| {
        edits = write_back::edits(request, &reply, &redeemed, redemption.requested_at);
        if keep.is_some_and(|keep| reply.expires_on < keep) {
            edits.retain(|edit| !write_back::is_access_token(edit));
        }
        AccessToken {
            token: reply.access_token,
            expires_on: reply.expires_on,
            refresh_on: reply.refresh_on,
            token_type: reply.token_type,
        }
    });
    edits.extend(redemption.exchanged.map(|(old, new)| write_back::rotation(&old, new, redemption.requested_at)));
    edits.extend(write_back::removals(redemption.dead));
    if !edits.is_empty() {
        cache.write(platform, &edits, request);
    }
    token
}
