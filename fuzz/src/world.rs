//! The component's world: a document in memory, a fixed clock, and an authority with one response.

use shared_token_cache_core::{
    AccessToken, CacheDocument, Credential, Error, FormReply, FormRequest, HttpsError, LogLevel, Options, Platform,
    ReadError, ReadOutcome, Settings, TokenRequestOptions, WriteError,
};

/// The time.
pub const NOW: u64 = 1_700_000_000;
/// The authority.
pub const HOST: &str = "login.microsoftonline.com";
/// The client: the component's default.
pub const CLIENT: &str = "04b07795-8ddb-461a-bbee-02f9e1bf7b46";
/// The scope.
pub const SCOPE: &str = "https://vault.azure.net/.default";

/// A world. It records all actions.
pub struct World {
    content: Vec<u8>,
    version: u64,
    /// The authority's response; `None` if it can't be reached.
    pub reply: Option<FormReply>,
    /// The document that another program writes just before the component does.
    pub overtaken_by: Option<Vec<u8>>,
    /// The error of every write, if writes fail.
    pub refuses: Option<WriteError>,
    /// The refresh tokens that were posted.
    pub redeemed: Vec<String>,
    /// The documents that were written.
    pub written: Vec<Vec<u8>>,
}

impl World {
    /// A world with a document, and without a network.
    #[must_use]
    pub fn new(content: &[u8]) -> Self {
        Self {
            content: content.to_vec(),
            version: 1,
            reply: None,
            overtaken_by: None,
            refuses: None,
            redeemed: Vec::new(),
            written: Vec::new(),
        }
    }

    /// A world with a document and an authority that responds.
    #[must_use]
    pub fn answering(content: &[u8], reply: FormReply) -> Self {
        Self { reply: Some(reply), ..Self::new(content) }
    }

    /// The version of the document, if it is another than the known one.
    #[must_use]
    pub fn newer_than(&self, known: Option<&str>) -> Option<String> {
        Some(self.version.to_string()).filter(|version| known != Some(version))
    }

    /// The current document.
    #[must_use]
    pub fn content(&self) -> &[u8] {
        &self.content
    }
}

/// Requests a token for [`SCOPE`] with a new credential.
///
/// # Errors
/// Those of the component.
///
/// # Panics
/// When the options are invalid.
pub fn ask(platform: &mut impl Platform, options: &Options) -> Result<AccessToken, Error> {
    let mut credential = Credential::new(options.clone()).unwrap();
    credential.get_token(platform, &[SCOPE.to_owned()], &TokenRequestOptions::default())
}

/// A reply with a JSON body.
#[must_use]
pub fn json_reply(status: u16, body: &str) -> FormReply {
    FormReply { status, body: body.to_owned() }
}

impl Platform for World {
    fn read_cache(&mut self, _: &str, known: Option<&str>) -> Result<ReadOutcome, ReadError> {
        let Some(version) = self.newer_than(known) else { return Ok(ReadOutcome::Unchanged) };
        let content = CacheDocument::text(self.content.clone())?;
        Ok(ReadOutcome::Document(CacheDocument { version, content, unencrypted: None }))
    }

    fn replace_cache(&mut self, _: &str, expected: &str, document: &str) -> Result<String, WriteError> {
        if let Some(content) = self.overtaken_by.take() {
            self.content = content;
            self.version += 1;
        }
        if let Some(why) = &self.refuses {
            return Err(why.clone());
        }
        if expected != self.version.to_string() {
            return Err(WriteError::Conflict);
        }
        self.written.push(document.as_bytes().to_vec());
        self.content = document.as_bytes().to_vec();
        self.version += 1;
        Ok(self.version.to_string())
    }

    fn shared_cache_supported(&mut self) -> bool {
        true
    }

    fn post_form(&mut self, request: &FormRequest) -> Result<FormReply, HttpsError> {
        let token = request.form.iter().find(|(name, _)| *name == "refresh_token");
        self.redeemed.extend(token.map(|(_, token)| token.expose().to_owned()));
        self.reply.clone().ok_or_else(|| HttpsError::Unreachable("there is no network".into()))
    }

    fn settings(&mut self) -> Settings {
        Settings {
            default_authority_host: HOST.into(),
            disable_multitenant_authentication: false,
            agent_session_key: None,
        }
    }

    fn close_idle_connections(&mut self) {}

    fn now(&mut self) -> u64 {
        NOW
    }

    fn log(&mut self, _: LogLevel, _: &str) {}
}
