//! A made-up cache with every kind of entry, and a session that has read it.

use std::collections::BTreeMap;
use std::sync::Arc;

use shared_token_cache_policy::{CacheName, Policy};
use shared_token_cache_vault::{Credential, Form, OpenForm, Refused, Request, Session, Vault};

/// The name of the document.
pub(crate) const NAME: &str = "msal.cache.nocae";
pub(crate) const NOW: u64 = 1_700_000_000;
pub(crate) const SCOPE: &str = "https://vault.azure.net/.default";

/// The URL of a form.
pub(crate) struct Url {
    pub(crate) host: &'static str,
    pub(crate) tenant: String,
}

impl Default for Url {
    fn default() -> Self {
        Self { host: "login.microsoftonline.com", tenant: "organizations".into() }
    }
}

/// A refresh request, as the built-in component sends it.
pub(crate) fn form(refresh_token: &str) -> Vec<(String, String)> {
    [
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh_token),
        ("scope", SCOPE),
        ("client_id", "client"),
        ("client_info", "1"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec()
}

pub(crate) struct Fixture {
    pub(crate) session: Session,
    pub(crate) plain: String,
    /// The sealed document.
    pub(crate) text: String,
    handles: BTreeMap<String, String>,
}

/// A policy that allows every request, so that only the vault refuses.
pub(crate) fn anything() -> Arc<Policy> {
    Arc::new(Policy::for_current_user(CacheName::default()))
}

impl Fixture {
    /// A session in a call for [`SCOPE`]. Options that the credential leaves out get their usual
    /// values.
    pub(crate) fn new(credential: Credential) -> Self {
        let or = |text: String, usual: &str| if text.is_empty() { usual.to_owned() } else { text };
        // Of two accounts one has to be selected, by the credential or by its policy. An empty
        // username selects none.
        let by_options = credential.username.is_some() || credential.tenant_id.is_some() || credential.record.is_some();
        let denies = |number| {
            let (name, id) = (format!("user{number}@contoso.com"), format!("uid-{number}.utid-{number}"));
            credential.policy.check_account(&name, &id).is_err()
        };
        let selects = by_options || (*credential.policy != Policy::default() && (denies(0) || denies(1)));
        let credential = Credential {
            username: if selects { credential.username.clone() } else { Some("user0@contoso.com".into()) },
            cache_name: or(credential.cache_name, "msal.cache"),
            authority: or(credential.authority, "login.microsoftonline.com"),
            client_id: or(credential.client_id, "client"),
            policy: if *credential.policy == Policy::default() { anything() } else { credential.policy },
            ..credential
        };
        let vault = Vault::new(credential, 1 << 16).unwrap();
        let mut session = vault.session();
        session.begin(&Request { scopes: &[SCOPE.to_owned()], ..Request::default() }).unwrap();
        let plain = document();
        let sealed = vault.seal_document(NAME, "1", plain.clone().into_bytes()).unwrap();
        let text = session.hold(sealed).unwrap();
        let handles = handles(&text);
        Self { session, plain, text, handles }
    }

    /// The handle of the entry of this name; any other text unchanged.
    pub(crate) fn handle(&self, entry: &str) -> String {
        self.handles.get(entry).cloned().unwrap_or_else(|| entry.to_owned())
    }

    pub(crate) fn put(&self, text: &str, entry: &str, secret: &str) -> String {
        text.replacen(&self.handle(entry), secret, 1)
    }

    pub(crate) fn swap(&self, text: &str, one: &str, other: &str) -> String {
        let text = text.replacen(&self.handle(one), "\u{1}", 1);
        text.replacen(&self.handle(other), &self.handle(one), 1).replacen('\u{1}', &self.handle(other), 1)
    }

    /// The text with one more entry at the end of a section.
    pub(crate) fn add(&self, text: &str, section: &str, entry: &str) -> String {
        let start = text.find(&format!("\"{section}\":{{")).unwrap();
        let end = start + text[start..].find("}}").unwrap() + 1;
        format!("{},{entry}{}", &text[..end], &text[end..])
    }

    /// The text without an entry that is not the last.
    pub(crate) fn less(&self, text: &str, entry: &str, next: &str) -> String {
        let [start, end] = [entry, next].map(|key| text.find(&format!("\"{key}\":")).unwrap());
        format!("{}{}", &text[..start], &text[end..])
    }

    pub(crate) fn open_form(&self, entry: &str) -> Result<OpenForm, Refused> {
        let url = Url::default();
        self.session.open_form(&Form {
            authority_host: url.host,
            tenant: &url.tenant,
            headers: &[],
            fields: &form(&self.handle(entry)),
        })
    }
}

impl Fixture {
    /// Redeems the first account's refresh token; returns the sealed reply.
    pub(crate) fn redeem(&mut self, status: u16, body: &str) -> String {
        let redemption = self.open_form("r0").unwrap().redemption;
        self.session.seal_reply(redemption, status, body.as_bytes().to_vec(), NOW)
    }

    /// A session whose call may write, but has no token to write.
    pub(crate) fn refused(mut self) -> Self {
        self.redeem(400, r#"{"error":"interaction_required"}"#);
        self
    }
}

pub(crate) fn handles(sealed: &str) -> BTreeMap<String, String> {
    let document: serde_json::Value = serde_json::from_str(sealed).unwrap();
    let sections = document.as_object().unwrap().values().filter_map(|section| section.as_object());
    let entries =
        sections.flatten().filter_map(|(name, entry)| Some((name.clone(), entry["secret"].as_str()?.to_owned())));
    entries.collect()
}

fn document() -> String {
    let whose = |number: usize| {
        format!(
            r#""home_account_id":"uid-{number}.utid-{number}","environment":"login.windows.net","client_id":"client""#
        )
    };
    let access = |name: &str, secret: &str, whose: &str, more: &str| {
        let usual = if more.contains("realm") { "" } else { r#""realm":"organizations","# };
        let expiry = if more.contains("expires_on") { "" } else { r#""expires_on":"1700003600","# };
        format!(r#""{name}":{{{whose},{usual}{expiry}"target":"{SCOPE}"{more},"secret":"{secret}"}}"#)
    };
    let tokens = [
        access("a0", "at-0", &whose(0), ""),
        access("a1", "at-1", &whose(1), ""),
        access("a-expired", "at-expired", &whose(0), r#","expires_on":"1700000000""#),
        access("a-endless", "at-endless", &whose(0), r#","expires_on":null"#),
        access("a-pop", "at-pop", &whose(0), r#","token_type":"pop""#),
        access("a-key", "at-key", &whose(0), r#","key_id":"k""#),
        access("a-session", "at-session", &whose(0), r#","ext_cache_key":"key-1","refresh_on":"1700003000""#),
        access("a-unreadable", "at-unreadable", &whose(0), r#","ext_cache_key":7"#),
        access("a-realm", "at-realm", &whose(0), r#","realm":"utid-9""#),
        access("a-nobody", "at-nobody", &whose(9), ""),
        access("a-twice", "at-twice", &whose(0), r#","target":"x""#),
    ];
    let refresh = |name: &str, secret: &str, whose: &str| format!(r#""{name}":{{{whose},"secret":"{secret}"}}"#);
    let refresh_tokens = [
        refresh("r0", "rt-0", &whose(0)),
        refresh("r1", "rt-1", &whose(1)),
        refresh(
            "r-family",
            "rt-family",
            &format!(r#"{},"family_id":"1""#, whose(0).replace("\"client\"", "\"other\"")),
        ),
        refresh("r-other", "rt-other", &whose(0).replace("\"client\"", "\"other\"")),
        refresh("r-cloud", "rt-cloud", &whose(0).replace("login.windows.net", "login.microsoftonline.us")),
    ];
    let account = |number: usize| {
        format!(
            r#""u{number}":{{"home_account_id":"uid-{number}.utid-{number}","environment":"login.windows.net","realm":"utid-{number}","username":"user{number}@contoso.com"}}"#
        )
    };
    format!(
        r#"{{"AccessToken":{{{}}},"RefreshToken":{{{}}},"IdToken":{{"i0":{{{},"secret":"idt-0"}}}},"Account":{{{},{}}},"Other":{{"o0":{{"secret":"o-0"}},"o1":{{"secret":"o-1"}}}}}}"#,
        tokens.join(","),
        refresh_tokens.join(","),
        whose(0),
        account(0),
        account(1),
    )
}
