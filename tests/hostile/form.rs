//! Token requests.

use crate::cache::SCOPE;
use crate::wit::https::{self, HttpsError};

/// The allowed token endpoint, for the tenant of the tests' calls.
pub const ENDPOINT: &str = "https://login.microsoftonline.com/organizations/oauth2/v2.0/token";

/// The claims of the tests' call that answers a challenge.
pub const CLAIMS: &str = r#"{"access_token":{"nbf":{"essential":true,"value":"1700000000"}}}"#;

/// The fields of a form, mutable.
pub struct Form(Vec<(String, String)>);

/// The form of a well-behaved component for the redemption of a refresh token in the tests' call.
pub fn form(refresh_token: &str) -> Form {
    Form(Vec::new())
        .with("grant_type", "refresh_token")
        .with("refresh_token", refresh_token)
        .with("scope", SCOPE)
        .with("client_id", "04b07795-8ddb-461a-bbee-02f9e1bf7b46")
        .with("client_info", "1")
}

impl Form {
    /// Sets a field, which is added if it is missing.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        match self.0.iter_mut().find(|(other, _)| other == name) {
            Some((_, old)) => value.clone_into(old),
            None => self.0.push((name.to_owned(), value.to_owned())),
        }
        self
    }

    /// Removes a field.
    pub fn without(mut self, name: &str) -> Self {
        self.0.retain(|(other, _)| other != name);
        self
    }

    /// The fields.
    pub fn fields(&self) -> &[(String, String)] {
        &self.0
    }

    /// Adds a field, even if there is one with this name.
    pub fn and(mut self, name: &str, value: &str) -> Self {
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// Posts a form; returns the status.
pub fn post(url: &str, headers: &[(&str, &str)], form: &Form) -> Result<u16, HttpsError> {
    let headers: Vec<_> = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    https::post_form(url, &headers, &form.0).map(|response| response.status)
}

/// Posts a form to the allowed endpoint.
pub fn redeem(form: &Form) -> Result<u16, HttpsError> {
    post(ENDPOINT, &[], form)
}
