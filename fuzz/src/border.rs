//! The same world behind a vault, as in the host.

use shared_token_cache_core::{
    AccessToken, CacheDocument, Error, FormReply, FormRequest, HttpsError, LogLevel, Options, Platform, ReadError, ReadOutcome,
    Secret, Settings, WriteError,
};
use shared_token_cache_vault::{Form, NotUtf8, Refused, Request, Session};

use crate::world::{NOW, SCOPE, World, ask};
use crate::{is_sealed, session};

/// A world, the vault before it, and the vault's refusals.
pub struct Border {
    session: Session,
    /// The world behind the vault.
    pub world: World,
    /// The vault's refusals.
    pub refused: Vec<Refused>,
}

impl Border {
    /// Puts a vault before a world.
    #[must_use]
    pub fn new(world: World) -> Self {
        Self { session: session(), world, refused: Vec::new() }
    }

    /// Requests a token, and opens it for the caller.
    ///
    /// # Errors
    /// Those of the component; the vault's refusals are [`Error::Denied`].
    pub fn ask(&mut self, options: &Options) -> Result<AccessToken, Error> {
        self.session.begin(&Request { scopes: &[SCOPE.to_owned()], ..Request::default() }).unwrap();
        let mut token = ask(self, options)?;
        match self.session.open_result(token.token.expose(), NOW) {
            Ok(open) => token.token = Secret::new(open.token.expose().to_owned()),
            Err(why) => return Err(Error::Denied(self.note(why))),
        }
        Ok(token)
    }

    fn note(&mut self, why: Refused) -> String {
        let text = why.to_string();
        self.refused.push(why);
        text
    }
}

/// The component's view has no secret.
fn assert_sealed(text: &str) {
    assert_ne!(is_sealed(text), Some(false), "{text}");
}

impl Platform for Border {
    fn read_cache(&mut self, name: &str, known: Option<&str>) -> Result<ReadOutcome, ReadError> {
        let Some(version) = self.world.newer_than(known) else { return Ok(ReadOutcome::Unchanged) };
        let sealed = self.session.vault().clone().seal_document(name, &version, self.world.content().to_vec());
        let not_utf8 = |NotUtf8 { line, column }| ReadError::NotUtf8 { line, column };
        let content = self.session.hold(sealed.unwrap()).map_err(not_utf8)?;
        assert_sealed(&content);
        Ok(ReadOutcome::Document(CacheDocument { version, content, unencrypted: None }))
    }

    fn replace_cache(&mut self, name: &str, expected: &str, document: &str) -> Result<String, WriteError> {
        let allowed = self.session.try_to_write();
        let open = match allowed.and_then(|()| self.session.open_document(name, expected, document)) {
            Ok(open) => open,
            Err(why) => return Err(WriteError::Denied(self.note(why))),
        };
        let content = std::str::from_utf8(open.content()).unwrap();
        let version = self.world.replace_cache(name, expected, content)?;
        self.session.replaced(open, &version);
        Ok(version)
    }

    fn shared_cache_supported(&mut self) -> bool {
        self.world.shared_cache_supported()
    }

    fn post_form(&mut self, request: &FormRequest) -> Result<FormReply, HttpsError> {
        let text = |(name, value): &(&str, String)| ((*name).to_owned(), value.clone());
        let headers: Vec<_> = request.headers.iter().map(text).collect();
        let fields: Vec<_> =
            request.form.iter().map(|(name, value)| text(&(*name, value.expose().to_owned()))).collect();
        let (host, path) = request.url.strip_prefix("https://").unwrap().split_once('/').unwrap();
        let tenant = path.split('/').next().unwrap();
        let form = Form { authority_host: host, tenant, headers: &headers, fields: &fields };
        let open = match self.session.open_form(&form) {
            Ok(open) => open,
            Err(why) => return Err(HttpsError::Denied(self.note(why))),
        };
        let token = open.fields.iter().find(|(name, _)| name == "refresh_token").unwrap();
        self.world.redeemed.push(token.1.expose().to_owned());
        let reply = self.world.reply.clone().ok_or_else(|| HttpsError::Unreachable("there is no network".into()))?;
        let body = self.session.seal_reply(open.redemption, reply.status, reply.body.into_bytes(), NOW);
        assert_sealed(&body);
        Ok(FormReply { body, ..reply })
    }

    fn settings(&mut self) -> Settings {
        self.world.settings()
    }

    fn close_idle_connections(&mut self) {}

    fn now(&mut self) -> u64 {
        NOW
    }

    fn log(&mut self, _: LogLevel, _: &str) {}
}
