//! Any response of a token endpoint: the component does not trap, a token in it reaches the caller
//! even if it can't be stored, and the outcome is the same behind the vault, where the component
//! sees no secret.

#![no_main]

use libfuzzer_sys::fuzz_target;
use shared_token_cache_core::{AccessToken, Error, FormReply, Options, WriteError};
use shared_token_cache_fuzz::{Border, NOW, World, ask, entries, members, text};

/// The refresh token is too short for the vault to look for it in a reply.
const CACHE: &str = r#"{"Account":{"a":{"home_account_id":"uid.utid","environment":"login.windows.net","username":"user0@contoso.com"}},
"RefreshToken":{"r":{"home_account_id":"uid.utid","environment":"login.windows.net","client_id":"other","family_id":"1","secret":"rt-1"}},
"AccessToken":{"x":{"home_account_id":"uid.utid","environment":"login.windows.net","target":"other","expires_on":"1","secret":"at-1"}},
"Unknown":{"secret":"s-1"}}"#;

fuzz_target!(|body: &[u8]| {
    for status in [200, 400, 503] {
        let reply = FormReply { status, body: String::from_utf8_lossy(body).into_owned() };
        let mut world = World::answering(CACHE.as_bytes(), reply.clone());
        let plain = ask(&mut world, &Options::default());
        assert_eq!(plain.is_ok(), is_token(&reply, plain.as_ref().ok()));
        if let Ok(token) = &plain {
            assert_stored(&world, token);
            assert_eq!(unstored(&reply), Ok(token.clone()));
        }
        // One refresh token, so the reply alone decides the outcome.
        assert_eq!(world.redeemed, ["rt-1"]);
        behind_the_vault(&reply, &plain, &world);
    }
});

/// Whether the reply is a success; if so, the token has to be the reply's.
fn is_token(reply: &FormReply, token: Option<&AccessToken>) -> bool {
    let body = reply.body.as_str();
    if members(body).is_none() || reply.status != 200 || body.contains(char::REPLACEMENT_CHARACTER) || text(body, "error").is_some() {
        return false;
    }
    if let Some(token) = token {
        assert_eq!(text(body, "access_token").as_deref(), Some(token.token.expose()));
        return true;
    }
    let members = members(body).unwrap();
    let value = |name| members.iter().rev().find(|(member, _)| member == name).map(|(_, value)| value.as_str());
    // A lifetime that has two readings, or is of another type, may lead to either outcome.
    let within =
        |name, from, to| value(name).map(|value| value.parse::<u64>().is_ok_and(|number| number > from && number < to));
    let lifetimes = [within("expires_in", 0, 1 << 30), within("expires_on", NOW, NOW + (1 << 30))];
    let lives = lifetimes.contains(&Some(true)) && !lifetimes.contains(&Some(false));
    let bearer = value("token_type").is_none()
        || text(body, "token_type").is_some_and(|kind| kind.eq_ignore_ascii_case("bearer"));
    // The component decides about client information.
    lives
        && bearer
        && text(body, "access_token").is_some_and(|token| !token.is_empty())
        && text(body, "client_info").is_none()
}

/// A new token is in the cache afterwards, and everything else is unchanged.
fn assert_stored(world: &World, token: &AccessToken) {
    let [after] = world.written.as_slice() else { panic!("{} writes", world.written.len()) };
    let after = std::str::from_utf8(after).unwrap();
    let tokens = entries(after, "AccessToken");
    let new: Vec<_> = tokens.iter().filter(|(key, _)| key != "x").collect();
    let [(_, new)] = new.as_slice() else { panic!("{after}") };
    assert_eq!(text(new, "secret").as_deref(), Some(token.token.expose()));
    assert_eq!(text(new, "expires_on"), Some(token.expires_on.to_string()));
    assert_eq!(text(new, "refresh_on"), token.refresh_on.map(|time| time.to_string()));
    assert_eq!(text(new, "home_account_id").as_deref(), Some("uid.utid"));
    for section in ["Account", "Unknown"] {
        assert_eq!(entries(CACHE, section), entries(after, section));
    }
    assert_eq!(entries(after, "RefreshToken").len(), 1);
    // No response of the authority makes the cache unreadable.
    let again = ask(&mut World::new(after.as_bytes()), &Options::default());
    let serves = token.expires_on > NOW + 300 && token.token_type.eq_ignore_ascii_case("bearer");
    assert_eq!(again.is_ok(), serves, "{after}");
    assert!(again.is_err() || again.as_ref().is_ok_and(|again| again.token == token.token));
}

/// The same call where the cache can't be written.
fn unstored(reply: &FormReply) -> Result<AccessToken, Error> {
    let mut world = World::answering(CACHE.as_bytes(), reply.clone());
    world.refuses = Some(WriteError::Locked);
    ask(&mut world, &Options::default())
}

fn behind_the_vault(reply: &FormReply, plain: &Result<AccessToken, Error>, world: &World) {
    let mut border = Border::new(World::answering(CACHE.as_bytes(), reply.clone()));
    let sealed = border.ask(&Options::default());
    assert_eq!(border.world.redeemed, ["rt-1"]);
    // Behind the vault, a token that is not valid in a header field is no token.
    let is_a_token = |token: &AccessToken| token.token.expose().bytes().all(|byte| byte.is_ascii_graphic());
    if plain.as_ref().is_ok_and(|token| !is_a_token(token)) {
        assert!(matches!(sealed, Err(Error::ClientAuthentication(_))));
        return;
    }
    // The component reads a replacement character as bytes that are no UTF-8. The vault may have
    // sealed the text that holds it.
    if reply.body.contains(char::REPLACEMENT_CHARACTER) {
        return;
    }
    // The vault opens every token that the component accepts.
    assert!(border.refused.is_empty(), "{:?}", border.refused);
    assert_eq!(&sealed, plain);
    // A text can be spelled in two ways.
    let value = |content: &[u8]| serde_json::from_slice::<serde_json::Value>(content).unwrap();
    assert_eq!(value(border.world.content()), value(world.content()));
}
