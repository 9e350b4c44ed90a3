//! An authority for real MSAL: signs users in with a device code, and redeems their refresh tokens.

use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use token_endpoint::{Received, Reply};

use crate::cli::Authority;
use crate::sign_in::{CLIENT, MARK, refresh_token, tenant, token_reply, username};

/// Signs in users 0, 1 and so on, one after the other. As for the Azure CLI, no token has a family.
///
/// # Errors
/// When it can't be started.
pub fn authority() -> io::Result<Authority> {
    let mut scopes = Vec::new();
    Authority::start(move |request| {
        if request.path.ends_with("/.well-known/openid-configuration") {
            return Reply::json(200, configuration(request));
        }
        if request.path.ends_with("/devicecode") {
            scopes.push(request.field("scope").unwrap_or_default().to_owned());
            return Reply::json(200, device_code(scopes.len() - 1));
        }
        match (number_in(request, "device_code"), number_in(request, "refresh_token")) {
            (Some(user), _) => Reply::json(200, signed_in(user, scopes.get(user as usize).map_or("", String::as_str))),
            (_, Some(user)) => Reply::json(200, redeemed(user).into()),
            _ => Reply::json(400, json!({ "error": "invalid_request" })),
        }
    })
}

/// The access token for the scopes of a user's sign-in.
#[must_use]
pub fn first_access_token(number: u32) -> String {
    format!("at-{MARK}-{number}-first")
}

fn configuration(request: &Received) -> Value {
    let tenant = request.path.split('/').nth(1).unwrap_or_default();
    let base = format!("https://{}/{tenant}", request.host);
    json!({
        "issuer": format!("{base}/v2.0"),
        "authorization_endpoint": format!("{base}/oauth2/v2.0/authorize"),
        "device_authorization_endpoint": format!("{base}/oauth2/v2.0/devicecode"),
        "token_endpoint": format!("{base}/oauth2/v2.0/token"),
    })
}

fn device_code(number: usize) -> Value {
    json!({
        "device_code": format!("dc-{MARK}-{number}"),
        "user_code": "MADE-UP",
        "verification_uri": "https://login.contoso.com/device",
        "message": "made up",
        "expires_in": 900,
        "interval": 1,
    })
}

fn signed_in(number: u32, scope: &str) -> Value {
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let claims = json!({
        "aud": CLIENT,
        "iss": "made up",
        "sub": "made up",
        "oid": format!("uid-{number:08}"),
        "tid": tenant(number),
        "preferred_username": username(number),
    });
    let mut reply = redeemed(number);
    reply.insert("access_token".into(), json!(first_access_token(number)));
    reply.insert("refresh_token".into(), json!(refresh_token(number)));
    // MSAL caches a token for the scopes in the reply, and real replies contain more than the
    // requested ones.
    let granted: Vec<_> = scope.split(' ').filter(|scope| scope.contains(':')).collect();
    reply.insert("scope".into(), json!(format!("{0} {0}/more", granted.join(" "))));
    let id_token = format!("{}.{}.signature", part(json!({ "alg": "RS256" })), part(claims));
    reply.insert("id_token".into(), json!(id_token));
    Value::Object(reply)
}

fn redeemed(number: u32) -> Map<String, Value> {
    let Value::Object(mut reply) = token_reply(number) else { return Map::new() };
    reply.remove("foci");
    reply
}

/// The number of the user in a field such as `rt-made-up-secret-3-rotated`.
fn number_in(request: &Received, field: &str) -> Option<u32> {
    let (_, end) = request.field(field)?.split_once(&format!("{MARK}-"))?;
    end.split('-').next()?.parse().ok()
}
