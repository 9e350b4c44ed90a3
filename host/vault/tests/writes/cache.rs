//! A cache in several layouts, a call that has redeemed its refresh token, and the changes of a
//! component.

use std::collections::HashMap;
use std::sync::Arc;

use shared_token_cache_policy::{CacheName, Policy};
use shared_token_cache_vault::{Credential, Form, Refused, Request, Session, Vault};

const NAME: &str = "msal.cache.nocae";
const HOST: &str = "login.microsoftonline.com";
const SCOPE: &str = "https://vault.azure.net/.default";
/// The new token must be valid for MSAL, which reads the real clock.
pub(crate) const NOW: u64 = 4_000_000_000;
const REPLY: &str = r#"{"token_type":"Bearer","expires_in":3600,"access_token":"hunter-at-new","refresh_token":"hunter-rt-new","id_token":"hunter-id-new","foci":"1"}"#;

/// The layout of a document: line break, indentation of a level, space after colons.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Layout(&'static str, &'static str, &'static str);

impl Layout {
    pub(crate) const COMPACT: Self = Self("", "", "");
    pub(crate) const MSAL: Self = Self("\n", "    ", " ");
    pub(crate) const TABS: Self = Self("\r\n", "\t", " ");
}

/// The layout and the sections of a cache.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parts {
    pub(crate) layout: Layout,
    /// Whether it has access tokens, id tokens and metadata.
    pub(crate) present: [bool; 3],
}

/// A change that the component makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    PutAccessToken,
    PutIdToken,
    PutMetadata,
    Rotate,
    RemoveExpired,
}

impl Change {
    pub(crate) const ALL: [Self; 5] =
        [Self::PutAccessToken, Self::PutIdToken, Self::PutMetadata, Self::Rotate, Self::RemoveExpired];
}

type Fields = Vec<(String, String)>;
type Section = Vec<(String, Fields)>;

pub(crate) struct Cache {
    session: Session,
    layout: Layout,
    sections: Vec<(String, Section)>,
    pub(crate) plain: String,
    pub(crate) sealed: String,
    /// By secret.
    handles: HashMap<String, String>,
    extra: Option<String>,
}

impl Cache {
    pub(crate) fn new(parts: Parts) -> Self {
        let credential = Credential {
            cache_name: "msal.cache".into(),
            authority: HOST.into(),
            client_id: "client".into(),
            username: Some("user0@contoso.com".into()),
            policy: Arc::new(Policy::for_current_user(CacheName::default())),
            ..Credential::default()
        };
        let mut session = Vault::new(credential, 1 << 26).unwrap().session();
        session.begin(&Request { scopes: &[SCOPE.to_owned()], ..Request::default() }).unwrap();
        let sections = sections(parts.present);
        let plain = render(&sections, parts.layout);
        let mut cache = Self {
            session,
            layout: parts.layout,
            sections,
            plain: String::new(),
            sealed: String::new(),
            handles: HashMap::new(),
            extra: None,
        };
        cache.hold(&plain);
        cache.extra = None;
        cache.redeem();
        cache
    }

    /// Replaces the document that was read by another one.
    pub(crate) fn hold(&mut self, plain: &str) {
        let start = plain.find("\"e0\":");
        self.extra = start.map(|start| plain[start..plain.find("\"rt-0\":").unwrap()].to_owned());
        let version = if self.plain.is_empty() { "1" } else { "2" };
        let sealed = self.session.vault().seal_document(NAME, version, plain.as_bytes().to_vec()).unwrap();
        self.sealed = self.session.hold(sealed).unwrap();
        self.plain = plain.to_owned();
        self.note_handles(plain, &self.sealed.clone());
    }

    fn redeem(&mut self) {
        let fields = [
            ("grant_type", "refresh_token"),
            ("refresh_token", &self.handles["hunter-rt-0"]),
            ("scope", SCOPE),
            ("client_id", "client"),
            ("client_info", "1"),
        ];
        let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let form = Form { authority_host: HOST, tenant: "organizations", headers: &[], fields: &fields };
        let redemption = self.session.open_form(&form).unwrap().redemption;
        let sealed = self.session.seal_reply(redemption, 200, REPLY.as_bytes().to_vec(), NOW);
        self.note_handles(REPLY, &sealed);
    }

    fn note_handles(&mut self, plain: &str, sealed: &str) {
        let strings = plain.split('"').zip(sealed.split('"'));
        self.handles
            .extend(strings.filter(|(plain, sealed)| plain != sealed).map(|(p, s)| (p.to_owned(), s.to_owned())));
    }

    /// The document that the component writes, and the one that is stored.
    pub(crate) fn changed(&self, changes: &[Change]) -> (String, String) {
        let mut sections = self.sections.clone();
        // The built-in component removes expired tokens before it adds any.
        let first = changes.iter().filter(|change| **change == Change::RemoveExpired);
        for change in first.chain(changes.iter().filter(|change| **change != Change::RemoveExpired)) {
            apply(*change, &mut sections);
        }
        let mut expected = render(&sections, self.layout);
        if let Some(extra) = &self.extra {
            expected = expected.replacen("\"RefreshToken\":{", &format!("\"RefreshToken\":{{{extra}"), 1);
        }
        let strings = expected.split('"').map(|text| self.handles.get(text).map_or(text, String::as_str));
        (strings.collect::<Vec<_>>().join("\""), expected)
    }

    pub(crate) fn open(&self, new: &str) -> Result<String, Refused> {
        let version = if self.extra.is_some() { "2" } else { "1" };
        let open = self.session.open_document(NAME, version, new)?;
        Ok(String::from_utf8(open.content().to_vec()).unwrap())
    }
}

fn apply(change: Change, sections: &mut Vec<(String, Section)>) {
    let has_expired =
        |fields: &Fields| fields.iter().any(|(name, value)| name == "expires_on" && value == "1600000000");
    match change {
        Change::RemoveExpired => {
            if let Some((_, tokens)) = sections.iter_mut().find(|(name, _)| name == "AccessToken") {
                tokens.retain(|(_, fields)| !has_expired(fields));
            }
        }
        Change::Rotate => {
            let tokens = sections.iter_mut().find(|(name, _)| name == "RefreshToken").unwrap();
            let (_, fields) = tokens.1.iter_mut().find(|(key, _)| key == "rt-0").unwrap();
            set(fields, "secret", "hunter-rt-new");
            set(fields, "last_modification_time", &NOW.to_string());
        }
        Change::PutAccessToken => {
            let mut fields = whose(0, "AccessToken", "hunter-at-new");
            for (name, value) in
                [("target", SCOPE), ("token_type", "Bearer"), ("cached_at", "4000000000"), ("expires_on", "4000003600")]
            {
                set(&mut fields, name, value);
            }
            put(
                sections,
                "AccessToken",
                &format!("uid-0.utid-0-{HOST}-accesstoken-client-organizations-{SCOPE}"),
                fields,
            );
        }
        Change::PutIdToken => {
            let fields = whose(0, "IdToken", "hunter-id-new");
            put(sections, "IdToken", &format!("uid-0.utid-0-{HOST}-idtoken-client-organizations-"), fields);
        }
        Change::PutMetadata => {
            let fields = [("client_id", "client"), ("environment", HOST), ("family_id", "1")];
            let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
            put(sections, "AppMetadata", &format!("appmetadata-{HOST}-client"), fields);
        }
    }
}

fn set(fields: &mut Fields, name: &str, value: &str) {
    match fields.iter_mut().find(|(other, _)| other == name) {
        Some((_, old)) => value.clone_into(old),
        None => fields.push((name.to_owned(), value.to_owned())),
    }
}

fn put(sections: &mut Vec<(String, Section)>, section: &str, key: &str, fields: Fields) {
    if !sections.iter().any(|(name, _)| name == section) {
        sections.push((section.to_owned(), Vec::new()));
    }
    let (_, entries) = sections.iter_mut().find(|(name, _)| name == section).unwrap();
    match entries.iter_mut().find(|(other, _)| other == key) {
        Some((_, old)) => *old = fields,
        None => entries.push((key.to_owned(), fields)),
    }
}

fn whose(user: usize, kind: &str, secret: &str) -> Fields {
    let id = format!("uid-{user}.utid-{user}");
    let fields = [
        ("credential_type", kind),
        ("secret", secret),
        ("home_account_id", &id),
        ("environment", HOST),
        ("client_id", "client"),
        ("realm", "organizations"),
    ];
    fields.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
}

fn sections(present: [bool; 3]) -> Vec<(String, Section)> {
    let with = |mut fields: Fields, more: &[(&str, &str)]| {
        more.iter().for_each(|(name, value)| set(&mut fields, name, value));
        fields
    };
    let access = |key: &str, user, target: &str, expiry: &str| {
        let more = [("target", target), ("cached_at", "1500000000"), ("expires_on", expiry)];
        (key.to_owned(), with(whose(user, "AccessToken", &format!("hunter-{key}")), &more))
    };
    let refresh = |user| {
        let key = format!("rt-{user}");
        (key.clone(), with(whose(user, "RefreshToken", &format!("hunter-{key}")), &[("target", "x")]))
    };
    let account = |user| {
        let id = format!("uid-{user}.utid-{user}");
        let fields = [("home_account_id", id), ("environment", HOST.into()), ("realm", format!("utid-{user}"))];
        let mut fields = fields.map(|(name, value)| (name.to_owned(), value)).to_vec();
        set(&mut fields, "local_account_id", &format!("uid-{user}"));
        set(&mut fields, "username", &format!("user{user}@contoso.com"));
        set(&mut fields, "authority_type", "MSSTS");
        (format!("account-{user}"), fields)
    };
    let mut all = vec![
        (
            "AccessToken".to_owned(),
            vec![
                access("at-old", 0, "https://graph.microsoft.com/.default", "1600000000"),
                access("at-1", 1, SCOPE, "1700009999"),
                access("at-0", 0, "https://graph.microsoft.com/.default", "1700009999"),
            ],
        ),
        ("RefreshToken".to_owned(), vec![refresh(0), refresh(1)]),
        ("IdToken".to_owned(), vec![("id-1".to_owned(), whose(1, "IdToken", "hunter-id-1"))]),
        ("Account".to_owned(), vec![account(0), account(1)]),
        ("Other".to_owned(), vec![("o".to_owned(), vec![("note".to_owned(), "hunter-note".to_owned())])]),
        (
            "AppMetadata".to_owned(),
            vec![(
                "appmetadata-x".to_owned(),
                vec![("client_id".to_owned(), "x".to_owned()), ("environment".to_owned(), HOST.to_owned())],
            )],
        ),
    ];
    for (name, present) in ["AccessToken", "IdToken", "AppMetadata"].into_iter().zip(present) {
        all.retain(|(section, _)| present || section != name);
    }
    all
}

fn render(sections: &[(String, Section)], layout: Layout) -> String {
    let field = |(name, value): &(String, String)| (name.clone(), format!("\"{value}\""));
    let entry = |(key, fields): &(String, Fields)| (key.clone(), object(fields.iter().map(field), layout, 2));
    let section = |(name, entries): &(String, Section)| (name.clone(), object(entries.iter().map(entry), layout, 1));
    object(sections.iter().map(section), layout, 0)
}

fn object(
    members: impl Iterator<Item = (String, String)>,
    Layout(line, indent, colon): Layout,
    depth: usize,
) -> String {
    let members: Vec<_> =
        members.map(|(key, value)| format!("{line}{}\"{key}\":{colon}{value}", indent.repeat(depth + 1))).collect();
    let end = if members.is_empty() { String::new() } else { format!("{line}{}", indent.repeat(depth)) };
    format!("{{{}{end}}}", members.join(","))
}
