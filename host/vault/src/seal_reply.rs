//! Sealing of a token endpoint's replies.

use std::collections::HashMap;

use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::damage::BYTE_ORDER_MARK;
use crate::echo::Echoes;
use crate::granted;
use crate::handle::{Handle, Kind};
use crate::index::{Index, Shape, Span, TopLevel};
use crate::json::decode;
use crate::json_literal::{self, Form};
use crate::redemption::Redemption;
use crate::reply::Reply;
use crate::session::Session;
use crate::verdict::Verdict;

/// Replaces a body that cannot be sealed. It is not a token response either.
const UNUSABLE: &str = "null";

/// Replaces markup, so that the component can distinguish a proxy's page from a reply of the
/// authority.
const MARKUP: &str = "<";

impl Session {
    /// Seals the body of a reply of any status. A byte order mark is dropped. Markup becomes `<`;
    /// any other text that is not a JSON object becomes `null`. A mark replaces repetitions of the
    /// refresh token, of the reply's own tokens and of handles, so that an error keeps its code.
    /// Tokens of an unsuccessful reply are sealed, and never open. An access token for another
    /// resource, where the policy does not allow it, becomes a string that is not a token; see
    /// [`Self::withheld`].
    pub fn seal_reply(
        &mut self,
        redemption: Redemption,
        status: u16,
        body: impl Into<Zeroizing<Vec<u8>>>,
        now: u64,
    ) -> String {
        let mut body = body.into();
        // The component distinguishes an empty body from an unusable one.
        if body.is_empty() {
            return String::new();
        }
        if body.starts_with(BYTE_ORDER_MARK.as_bytes()) {
            body.drain(..BYTE_ORDER_MARK.len());
        }
        let (body, is_utf8) = match String::from_utf8(std::mem::take(&mut *body)) {
            Ok(body) => (Zeroizing::new(body), true),
            Err(error) => {
                let bytes = Zeroizing::new(error.into_bytes());
                (Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned()), false)
            }
        };
        let echoes = Echoes::new(&body, redemption.secret.expose());
        let Some(index) = self.index_of_reply(&body, &echoes) else {
            let is_markup = body.trim_ascii_start().starts_with('<');
            return if is_markup { MARKUP } else { UNUSABLE }.to_owned();
        };
        let verdict = Verdict::of(status, &body);
        let elsewhere = if verdict == Verdict::Bought { self.elsewhere(&redemption, &body) } else { None };
        let sealer = self.vault.sealer();
        let mut sealed = String::with_capacity(body.len());
        let mut secrets = HashMap::new();
        let (mut from, mut has_secrets) = (0, false);
        let mut watched = index.watched.iter().peekable();
        for spot in &index.spots {
            while let Some(echo) = watched.next_if(|echo| echo.start < spot.value.start) {
                self.push_without_echo(&echoes, *echo, &body, &mut from, &mut sealed);
            }
            let kind = match spot.top_level {
                Some(TopLevel::Access) => Kind::AccessToken,
                Some(TopLevel::Refresh) => Kind::RefreshToken,
                Some(TopLevel::Id) => Kind::IdToken,
                None => Kind::Opaque,
            };
            let Some((handle, form)) = json_literal::seal(sealer, kind, spot.value.of(&body)) else { continue };
            sealed.push_str(Span { start: from, end: spot.value.start }.of(&body));
            let withheld = kind == Kind::AccessToken && elsewhere.is_some();
            let form = if withheld && form == Form::Text { Form::Broken } else { form };
            json_literal::push(handle, form, &mut sealed);
            (from, has_secrets) = (spot.value.end, true);
            // Keys inside of a container that is a secret as a whole are in `watched`, and are
            // replaced with it.
            while watched.next_if(|echo| echo.start < from).is_some() {}
            // Other secrets of a reply never open.
            if kind != Kind::Opaque && form == Form::Text {
                secrets.insert(handle, spot.value);
            }
        }
        for echo in watched {
            self.push_without_echo(&echoes, *echo, &body, &mut from, &mut sealed);
        }
        sealed.push_str(body.get(from as usize..).unwrap_or_default());
        // Errors keep their code in any encoding. A token with replacement characters would be
        // broken.
        if !is_utf8 && has_secrets {
            return UNUSABLE.to_owned();
        }
        self.note_answer(verdict, &redemption, now);
        self.withheld = elsewhere.map(|scope| echoes.without(&scope, &|handle| self.is_live(handle)));
        if verdict == Verdict::Bought && !secrets.is_empty() {
            let reply = Reply::of(redemption, body, secrets, now);
            self.keep_reply(reply, now);
        }
        sealed
    }

    /// The scope of another resource that the authority granted in this call. Its access token was
    /// withheld.
    #[must_use]
    pub fn withheld(&self) -> Option<&str> {
        self.withheld.as_deref()
    }

    /// The secrets of a body, and its repetitions of secrets and handles. `None` if it is not a
    /// JSON object.
    fn index_of_reply(&self, body: &str, echoes: &Echoes) -> Option<Index> {
        let replies = self.handles_of_replies();
        let is_live = |handle| replies.contains_key(&handle) || self.is_in_documents(handle);
        let watch = |literal: &str| echoes.are_in(literal, &is_live);
        Index::of(body, Shape::Reply, Some(&watch)).ok()
    }

    fn is_live(&self, handle: Handle) -> bool {
        self.is_in_documents(handle) || self.replies().any(|reply| reply.secret(handle).is_some())
    }

    /// Copies the body up to the end of a literal, and redacts the literal.
    fn push_without_echo(&self, echoes: &Echoes, literal: Span, body: &str, from: &mut u32, sealed: &mut String) {
        sealed.push_str(Span { start: *from, end: literal.start }.of(body));
        sealed.push_str(&echoes.literal_without(literal.of(body), &|handle| self.is_live(handle)));
        *from = literal.end;
    }

    /// The scope of another resource in a reply, if the policy does not allow it. The vault checks
    /// the policy because a component other than the built-in one may not.
    fn elsewhere(&self, redemption: &Redemption, body: &str) -> Option<String> {
        let members: HashMap<String, &RawValue> = serde_json::from_str(body).ok()?;
        let granted = decode(members.get("scope")?.get())?;
        let scopes = granted::elsewhere(&granted, &redemption.scopes)?;
        let scope = scopes.first()?.clone();
        self.vault.credential().policy.check_scopes(&scopes).is_err().then_some(scope)
    }
}
