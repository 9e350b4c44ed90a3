//! `GET /whoami` sends a request to an API as the user of this machine and returns its response.
//! Only the API gets the token.

#![cfg_attr(
    not(target_arch = "wasm32"),
    allow(dead_code, reason = "elsewhere there is nothing to export, and only tests run")
)]

mod api;
mod failure;
mod reply;
mod settings;
mod wit;

use serde_json::json;
use wasi::cli::environment::get_environment;
use wasi::exports::http::incoming_handler::Guest;
use wasi::http::types::{IncomingRequest, IncomingResponse, Method, ResponseOutparam};

use failure::Failure;
use settings::Settings;
use wit::credential::{CachePersistenceOptions, Options};
use wit::tokens;

struct Consumer;

impl Guest for Consumer {
    fn handle(request: IncomingRequest, response: ResponseOutparam) {
        match answer(&request) {
            Ok(Answer::OfTheApi(answer)) => reply::pass_on(&answer, response),
            Ok(Answer::Supported(supported)) => reply::json(200, &json!({ "supported": supported }), response),
            Err(failure) => reply::json(failure.status, &failure.to_json(), response),
        }
    }
}

enum Answer {
    OfTheApi(IncomingResponse),
    Supported(bool),
}

fn answer(request: &IncomingRequest) -> Result<Answer, Failure> {
    let settings = Settings::parse(&get_environment())?;
    // DNS rebinding: a web page can resolve its own name to this machine's address; its `Host` then
    // differs.
    if request.authority().as_deref() != Some(&settings.served_host) {
        return Err(Failure::request(421, "this is another host"));
    }
    match (request.method(), request.path_with_query().as_deref()) {
        (Method::Get, Some("/whoami")) => {
            let token =
                tokens::get_token(std::slice::from_ref(&settings.api_scope), None, options(&settings).as_ref())?;
            Ok(Answer::OfTheApi(api::get(&settings.api, &token.token)?))
        }
        (Method::Get, Some("/supported")) => Ok(Answer::Supported(tokens::supported())),
        _ => Err(Failure::request(404, "ask GET /whoami or GET /supported")),
    }
}

/// `None` if no account is selected: a single sign-in needs no selection.
fn options(settings: &Settings) -> Option<Options> {
    (settings.username.is_some() || settings.tenant_id.is_some()).then(|| Options {
        username: settings.username.clone(),
        authority: None,
        tenant_id: settings.tenant_id.clone(),
        client_id: None,
        authentication_record: None,
        // WASI gives access to files only, and to no keyring.
        cache_persistence_options: Some(CachePersistenceOptions { name: None, allow_unencrypted_storage: true }),
        additionally_allowed_tenants: Vec::new(),
        enable_guest_tenant_authentication: false,
    })
}

#[cfg(target_arch = "wasm32")]
wasi::http::proxy::export!(Consumer);
