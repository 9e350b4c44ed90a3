//! Responses of the authority.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use super::cache::Account;
use super::{NOW, Random};
use crate::differential::situation::Reply;

/// The response to a refresh token without a response in the situation.
pub(super) fn unknown_token() -> Reply {
    Reply::json(400, &json!({ "error": "invalid_grant", "error_description": "AADSTS9002313: an unknown token" }))
}

/// A response to the refresh token `secret` of an account.
pub(super) fn reply(random: &mut Random, account: &Account, secret: &str, odd: bool) -> Reply {
    match random.number(100) {
        0..=57 => Reply::json(200, &token(random, account, secret, odd)),
        58..=81 => refusal(random),
        82..=86 => {
            let status = *random.pick(&[429, 500, 503]);
            let body = json!({ "error": "temporarily_unavailable", "error_description": "come again" });
            Reply::json(status, &body)
        }
        87..=88 => Reply { status: 0, content_type: String::new(), body: String::new() },
        89..=91 => Reply { status: 200, content_type: "application/json".into(), body: String::new() },
        92..=93 => {
            let status = *random.pick(&[200, 404, 502]);
            Reply { status, content_type: "text/html".into(), body: "<html>a page</html>".into() }
        }
        94..=95 => Reply { status: 200, content_type: "application/json".into(), body: "{\"access_token\"".into() },
        _ => incomplete(random, account, secret),
    }
}

fn token(random: &mut Random, account: &Account, secret: &str, odd: bool) -> Value {
    let mut body = Map::new();
    let mut set = |name: &str, value: Value| drop(body.insert(name.to_owned(), value));
    set("token_type", json!("Bearer"));
    set("access_token", format!("new-at-for-{secret}").into());
    set("expires_in", json!(*random.pick(&[3599, 3599, 5000, 7200, 86_399])));
    if random.chance(50) {
        set("ext_expires_in", json!(86_399));
    }
    if random.chance(70) {
        set("refresh_token", format!("{secret}-next").into());
    }
    // AD FS, an authority without tenants, sends no client info: its id token identifies the user.
    let parts = account.home_account_id.split_once('.');
    if random.chance(30) || parts.is_none() {
        set("id_token", id_token(account, parts.map_or("", |(_, utid)| utid)).into());
    }
    if let Some((uid, utid)) = parts {
        set("client_info", client_info(uid, utid).into());
    }
    if random.chance(40) {
        set("foci", json!("1"));
    }
    if random.chance(15) {
        set("refresh_in", json!(1800));
    }
    if odd {
        match random.number(20) {
            0 => set("expires_in", json!("3599")),
            1 => set("expires_on", (NOW + 4000).to_string().into()),
            2 => set("refresh_in", json!("1800")),
            3 => set("client_info", client_info("uid-of-somebody-else", "fabrikam").into()),
            4 if parts.is_some() => set("client_info", json!("not base64!")),
            5 => set("id_token", json!("opaque")),
            6 => set("refresh_in", json!("soon")),
            7 => set("expires_in", json!("3599.5")),
            8 if parts.is_some() => drop(body.remove("client_info")),
            9 => drop(body.remove("token_type")),
            _ => {}
        }
    }
    body.into()
}

pub(super) fn refusal(random: &mut Random) -> Reply {
    let code = *random.weighted(&[
        (60, "invalid_grant"),
        (15, "interaction_required"),
        (10, "invalid_client"),
        (10, "unauthorized_client"),
        (5, "client_mismatch"),
    ]);
    let mut body = Map::new();
    body.insert("error".into(), code.into());
    if random.chance(90) {
        body.insert("error_description".into(), format!("AADSTS50173: {code}, as made up").into());
    }
    if random.chance(50) {
        body.insert("error_codes".into(), json!([50173]));
        body.insert("correlation_id".into(), "00000000-0000-0000-0000-00000000c0de".into());
    }
    let suberror = ["bad_token", "token_expired", "basic_action", "message_only"];
    if random.chance(50) {
        body.insert("suberror".into(), (*random.pick(&suberror)).into());
    }
    if code == "interaction_required" {
        body.insert("claims".into(), r#"{"access_token":{"capolids":{"values":["made-up"]}}}"#.into());
    }
    Reply::json(400, &body.into())
}

/// A token response with a field missing.
fn incomplete(random: &mut Random, account: &Account, secret: &str) -> Reply {
    let mut body = token(random, account, secret, false);
    let field = *random.pick(&["access_token", "expires_in"]);
    if let Some(body) = body.as_object_mut() {
        body.remove(field);
    }
    Reply::json(200, &body)
}

fn client_info(uid: &str, utid: &str) -> String {
    URL_SAFE_NO_PAD.encode(json!({ "uid": uid, "utid": utid }).to_string())
}

fn id_token(account: &Account, tenant: &str) -> String {
    let claims = json!({
        "sub": account.home_account_id,
        "oid": account.home_account_id.split('.').next(),
        "tid": tenant,
        "preferred_username": account.username,
    });
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.signature", part(json!({ "alg": "RS256" })), part(claims))
}
