//! The edits that write a token response into the document.

use shared_token_cache_entra::Secret;
use shared_token_cache_entra::schema::{Section, field};

use crate::document::{Edit, access_token_key, app_metadata_key, id_token_key};
use crate::redeem::Request;
use crate::reply::TokenReply;

/// All edits of one write: the access token, the rotated refresh token, the id token and the
/// client's metadata.
pub(crate) fn edits(request: &Request<'_>, reply: &TokenReply, redeemed: &Secret, requested_at: u64) -> Vec<Edit> {
    let home = request.account.home_account_id.as_str();
    let environment = request.authority.environment();
    let client_id = request.configuration.client_id.as_str();
    let realm = request.tenant.as_str();
    let target = request.scopes.as_target();

    let mut access_token = vec![
        (field::CREDENTIAL_TYPE, Section::AccessToken.name().to_owned()),
        (field::SECRET, reply.access_token.expose().to_owned()),
        (field::HOME_ACCOUNT_ID, home.to_owned()),
        (field::ENVIRONMENT, environment.to_owned()),
        (field::CLIENT_ID, client_id.to_owned()),
        (field::TARGET, target.clone()),
        (field::REALM, realm.to_owned()),
        (field::TOKEN_TYPE, reply.token_type.clone()),
        (field::CACHED_AT, requested_at.to_string()),
        (field::EXPIRES_ON, reply.expires_on.to_string()),
        (field::EXTENDED_EXPIRES_ON, reply.extended_expires_on.to_string()),
    ];
    access_token.extend(request.session.map(|key| (field::EXT_CACHE_KEY, key.to_owned())));
    access_token.extend(reply.refresh_on.map(|time| (field::REFRESH_ON, time.to_string())));

    let mut edits = vec![
        Edit::RemoveExpired { account: request.account.home_account_id.clone(), now: requested_at },
        Edit::Put {
            section: Section::AccessToken,
            key: access_token_key(home, environment, client_id, realm, &target, request.session),
            fields: access_token,
        },
    ];
    if let Some(refresh_token) = &reply.refresh_token {
        edits.push(rotation(redeemed, refresh_token.clone(), requested_at));
    }
    if let Some(id_token) = &reply.id_token {
        edits.push(Edit::Put {
            section: Section::IdToken,
            key: id_token_key(home, environment, client_id, realm),
            fields: vec![
                (field::CREDENTIAL_TYPE, Section::IdToken.name().to_owned()),
                (field::SECRET, id_token.expose().to_owned()),
                (field::HOME_ACCOUNT_ID, home.to_owned()),
                (field::ENVIRONMENT, environment.to_owned()),
                (field::REALM, realm.to_owned()),
                (field::CLIENT_ID, client_id.to_owned()),
            ],
        });
    }
    let mut metadata = vec![(field::CLIENT_ID, client_id.to_owned()), (field::ENVIRONMENT, environment.to_owned())];
    metadata.extend(reply.family_id.as_ref().map(|family| (field::FAMILY_ID, family.clone())));
    edits.push(Edit::Merge {
        section: Section::AppMetadata,
        key: app_metadata_key(environment, client_id),
        fields: metadata,
    });
    edits
}

/// Whether an edit writes the access token.
pub(crate) fn is_access_token(edit: &Edit) -> bool {
    matches!(edit, Edit::Put { section: Section::AccessToken, .. })
}

/// Replaces the redeemed refresh token by the new one, also when the access token is unusable.
pub(crate) fn rotation(old: &Secret, new: Secret, now: u64) -> Edit {
    Edit::RotateRefreshToken { old: old.clone(), new, now }
}

/// Removes refresh tokens that the authority will not accept again.
pub(crate) fn removals(dead: Vec<Secret>) -> impl Iterator<Item = Edit> {
    dead.into_iter().map(|secret| Edit::RemoveRefreshToken { secret })
}
