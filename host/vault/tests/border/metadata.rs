//! Changes of the metadata of the client that redeemed a refresh token.

use shared_token_cache_vault::{Credential, Refused};

use crate::cache::{Fixture, NAME};

const HOST: &str = "login.microsoftonline.com";
/// The size limit of a new entry with its key.
const LARGEST_ENTRY: usize = 16 << 10;

/// The entry of a client, with more fields.
fn entry(host: &str, client: &str, more: &str) -> String {
    format!(r#""appmetadata-{host}-{client}":{{"client_id":"{client}","environment":"{host}"{more}}}"#)
}

/// Whether the entries may replace older ones, after a reply that names this family or none.
fn written(family: &str, old: &[String], new: &[String]) -> Result<(), Refused> {
    let mut fixture = Fixture::new(Credential::default());
    let with = |text: &str, entries: &[String]| {
        let section = format!(",\"AppMetadata\":{{{}}}", entries.join(","));
        let section = if entries.is_empty() { "" } else { &section };
        format!("{}{section}}}", text.strip_suffix('}').unwrap())
    };
    let plain = with(&fixture.plain, old);
    let sealed = fixture.session.vault().seal_document(NAME, "2", plain.into_bytes()).unwrap();
    fixture.session.hold(sealed).unwrap();
    let family = if family.is_empty() { String::new() } else { format!(",\"foci\":\"{family}\"") };
    fixture.redeem(200, &format!("{{\"access_token\":\"at-new\",\"expires_in\":9{family}}}"));
    let text = with(&fixture.text, new);
    let open = fixture.session.open_document(NAME, "2", &text)?;
    assert_eq!(String::from_utf8_lossy(open.content()), with(&fixture.plain, new));
    Ok(())
}

#[test]
fn the_client_that_redeemed_gets_its_metadata_with_the_family_that_the_authority_named() {
    let refused = |why| Err(Refused::NewEntry { section: "AppMetadata", why });
    let unsaid = || refused("has a value that the authority did not send");
    for (what, family, entry, expected) in [
        ("the client", "", entry(HOST, "client", ""), Ok(())),
        ("under an alias of the cloud", "", entry("login.windows.net", "client", ""), Ok(())),
        ("its family", "1", entry(HOST, "client", r#","family_id":"1""#), Ok(())),
        ("not its family", "1", entry(HOST, "client", ""), Ok(())),
        ("another family", "1", entry(HOST, "client", r#","family_id":"2""#), unsaid()),
        ("a family without a name", "1", entry(HOST, "client", r#","family_id":"""#), unsaid()),
        ("a family that the authority did not name", "", entry(HOST, "client", r#","family_id":"1""#), unsaid()),
        ("a family that is no text", "", entry(HOST, "client", r#","family_id":7"#), unsaid()),
        ("no family at all, said aloud", "", entry(HOST, "client", r#","family_id":null"#), unsaid()),
        ("another client", "", entry(HOST, "other", ""), unsaid()),
        ("another cloud", "", entry("login.microsoftonline.us", "client", ""), unsaid()),
        ("a field of its own", "", entry(HOST, "client", r#","note":"x""#), refused("has a field that no entry has")),
        (
            "a field in another spelling",
            "1",
            entry(HOST, "client", r#","family\u005fid":"1""#),
            refused("has a field that no entry has"),
        ),
        (
            "another key",
            "",
            entry(HOST, "client", "").replacen("appmetadata", "metadata", 1),
            refused("has another key than its fields make"),
        ),
    ] {
        assert_eq!(written(family, &[], &[entry]), expected, "{what}");
    }
    let two = [entry(HOST, "client", ""), entry("login.windows.net", "client", "")];
    assert_eq!(written("", &[], &two), refused("is not the only one"));
}

#[test]
fn metadata_that_is_there_stays_and_its_family_comes_behind() {
    let (client, other) = (entry(HOST, "client", ""), entry(HOST, "other", ""));
    let mixed = client.replacen(HOST, "Login.MicrosoftOnline.com", 1);
    let family = entry(HOST, "client", r#","family_id":"1""#);
    for (what, old, new, expected) in [
        ("a family", vec![&client, &other], vec![&family, &other], Ok(())),
        ("a key in small letters, in its place", vec![&mixed, &other], vec![&client, &other], Ok(())),
        ("a key in small letters, behind", vec![&mixed, &other], vec![&other, &client], Ok(())),
        ("the client's own less", vec![&client, &other], vec![&other], Err(Refused::RemovedEntry("AppMetadata"))),
        ("another client's less", vec![&other, &mixed], vec![&family], Err(Refused::RemovedEntry("AppMetadata"))),
        (
            "the family less",
            vec![&family, &other],
            vec![&client, &other],
            Err(Refused::ChangedElsewhere("the metadata of a client")),
        ),
    ] {
        let [old, new] = [old, new].map(|entries| entries.into_iter().cloned().collect::<Vec<_>>());
        assert_eq!(written("1", &old, &new), expected, "{what}");
    }
}

#[test]
fn metadata_is_as_large_as_any_entry_and_no_larger() {
    let of = |size: usize| {
        let with = |family: &str| entry(HOST, "client", &format!(",\"family_id\":\"{family}\""));
        let value = |entry: &str| entry.len() - entry.find('{').unwrap();
        let family = "1".repeat(size - value(&with("")));
        assert_eq!(value(&with(&family)), size);
        written(&family, &[], &[with(&family)])
    };
    let refused = Refused::NewEntry { section: "AppMetadata", why: "is larger than any entry has to be" };
    assert_eq!(of(LARGEST_ENTRY), Ok(()));
    assert_eq!(of(LARGEST_ENTRY + 1), Err(refused.clone()));
    assert_eq!(of(2 * LARGEST_ENTRY), Err(refused));
}
