//! Forms: a refresh token leaves only as the `refresh_token` of a refresh request that the call
//! needs.

use shared_token_cache_entra::account::home_tenant;
use shared_token_cache_entra::{Secret, cloud};

use crate::call::{Call, Tenant, covers};
use crate::handle::{Handle, Kind, contains_handle};
use crate::json::decode_secret;
use crate::redemption::{Holder, Redemption};
use crate::refused::Refused;
use crate::session::Session;

/// The fields of a refresh request: RFC 6749, section 6, and the additions of Microsoft Entra ID.
const FIELDS: [&str; 6] = ["grant_type", "refresh_token", "scope", "client_id", "client_info", "claims"];

/// A request of the component. The policy has checked its URL.
#[derive(Debug, Clone, Copy)]
pub struct Form<'a> {
    /// The URL's host, without the port.
    pub authority_host: &'a str,
    /// The first segment of the URL's path.
    pub tenant: &'a str,
    /// The header fields that the component sets.
    pub headers: &'a [(String, String)],
    /// The form.
    pub fields: &'a [(String, String)],
}

/// A form with its refresh token.
#[derive(Debug)]
pub struct OpenForm {
    /// The fields, in their order.
    pub fields: Vec<(String, Secret)>,
    /// The state for sealing the reply.
    pub redemption: Redemption,
}

impl Session {
    /// Opens the refresh token of a form, if the present call needs the request.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn open_form(&self, form: &Form<'_>) -> Result<OpenForm, Refused> {
        let call = self.call.as_ref().ok_or(Refused::NoCall)?;
        check_for_handles(form)?;
        let field = |name| one_of(form.fields, name);
        if field("grant_type")?.ok_or(Refused::MissingField("grant_type"))? != "refresh_token" {
            return Err(Refused::WrongGrant);
        }
        let handle = field("refresh_token")?.ok_or(Refused::MissingField("refresh_token"))?;
        let client_id = field("client_id")?.ok_or(Refused::MissingField("client_id"))?;
        let scope = field("scope")?.ok_or(Refused::MissingField("scope"))?;
        if !call.claims.allow(field("claims")?) {
            return Err(Refused::WrongClaims);
        }
        // Without `client_info` the reply does not name the account of its tokens.
        if field("client_info")? != Some("1") {
            return Err(Refused::MissingField("client_info"));
        }

        let kind = Kind::RefreshToken;
        // The authority splits scopes at spaces only; other white space is part of a scope.
        let scopes: Vec<String> = scope.split(' ').filter(|scope| !scope.is_empty()).map(str::to_owned).collect();
        let wanted = call.scopes.iter().map(String::as_str);
        if !covers(wanted, &scopes) || !covers(scopes.iter().map(String::as_str), &call.scopes) {
            return Err(Refused::WrongScopes(kind));
        }
        let tenant = call.tenant.as_ref().ok_or(Refused::WrongTenant(kind))?;
        if !self.vault.credential().is_client(client_id) {
            return Err(Refused::WrongClient(kind));
        }
        self.vault.credential().policy.check_client(client_id)?;
        let redeemed = Handle::parse(handle).ok_or(Refused::NotARefreshToken)?;
        if redeemed.kind != kind {
            return Err(Refused::WrongKindOfGrant(redeemed.kind));
        }
        let (holder, secret) = self.find_holder(redeemed, call, tenant, form)?;
        let fields = form.fields.iter().map(|(name, value)| {
            let value = if name == "refresh_token" { secret.clone() } else { Secret::new(value.clone()) };
            (name.clone(), value)
        });
        Ok(OpenForm {
            fields: fields.collect(),
            redemption: Redemption {
                redeemed,
                secret,
                holder,
                host: form.authority_host.to_owned(),
                tenant: form.tenant.to_owned(),
                client_id: client_id.to_owned(),
                scopes,
                call: self.calls,
            },
        })
    }

    /// Equal secrets may be in several entries. The first entry that may be redeemed is used; if
    /// there is none, the error is that of the first.
    fn find_holder(
        &self,
        handle: Handle,
        call: &Call,
        tenant: &Tenant,
        form: &Form<'_>,
    ) -> Result<(Holder, Secret), Refused> {
        let mut refused = Refused::NotARefreshToken;
        let in_documents = self.documents().flat_map(|held| {
            held.places_of(handle)
                .filter_map(|(_, place)| Some((Holder::of(&held.name, &held.facts(place)?)?, held.literal(place))))
        });
        let in_replies = self.replies().filter_map(|reply| Some((reply.holder.clone(), reply.secret(handle)?)));
        for (holder, literal) in in_documents.chain(in_replies) {
            match self.check_holder(&holder, call, tenant, form) {
                Ok(()) => {
                    let secret = decode_secret(literal).ok_or(Refused::NotARefreshToken)?;
                    return Ok((holder, Secret::new(secret.as_str().to_owned())));
                }
                Err(why) if refused == Refused::NotARefreshToken => refused = why,
                Err(_) => {}
            }
        }
        Err(refused)
    }

    fn check_holder(&self, holder: &Holder, call: &Call, tenant: &Tenant, form: &Form<'_>) -> Result<(), Refused> {
        let kind = Kind::RefreshToken;
        if *holder.document != *call.document {
            return Err(Refused::WrongCache(kind));
        }
        if !cloud::is_same(&holder.environment, form.authority_host) {
            return Err(Refused::WrongCloud(kind));
        }
        if !holder.family && !self.vault.credential().is_client(&holder.client_id) {
            return Err(Refused::WrongClient(kind));
        }
        self.check_account(kind, &call.document, &holder.home_account_id, &holder.environment)?;
        if !tenant.is_asked_as(form.tenant, &self.home_name(call, &holder.home_account_id)) {
            return Err(Refused::WrongTenant(kind));
        }
        Ok(self.vault.credential().policy.check_tenant(form.tenant, home_tenant(&holder.home_account_id))?)
    }
}

/// Refuses unknown fields, and handles outside of `refresh_token`.
fn check_for_handles(form: &Form<'_>) -> Result<(), Refused> {
    if contains_handle(form.tenant) || contains_handle(form.authority_host) {
        return Err(Refused::HandleInRequest("URL"));
    }
    if form.headers.iter().any(|(name, value)| contains_handle(name) || contains_handle(value)) {
        return Err(Refused::HandleInRequest("header fields"));
    }
    for (name, value) in form.fields {
        if contains_handle(name) || (name != "refresh_token" && contains_handle(value)) {
            return Err(Refused::HandleInRequest("other fields"));
        }
        if !FIELDS.contains(&name.as_str()) {
            return Err(Refused::UnknownField(name.chars().take(40).collect()));
        }
    }
    Ok(())
}

fn one_of<'a>(fields: &'a [(String, String)], name: &'static str) -> Result<Option<&'a str>, Refused> {
    let mut values = fields.iter().filter(|(other, _)| other == name).map(|(_, value)| value.as_str());
    let value = values.next();
    if values.next().is_some() { Err(Refused::RepeatedField(name)) } else { Ok(value) }
}
