//! Latency of a call for caches of several sizes: the first call, which reads the cache, and a warm
//! one.
//!
//! ```text
//! cargo xtask bench [ACCOUNTS…]
//! ```

use std::error::Error;
use std::time::{Duration, Instant};

use serde_json::json;
use shared_token_cache_tests::home::{AUTHORITY, CLIENT, Home, document, now};

const SCOPE: &str = "https://management.azure.com/.default";
const CALLS: u32 = 2_000;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let accounts: Vec<usize> = std::env::args().skip(1).map(|count| count.parse()).collect::<Result<_, _>>()?;
    let accounts = if accounts.is_empty() { vec![1, 100, 10_000] } else { accounts };
    print("accounts     MB   first call   warm call (median)")?;
    for count in accounts {
        measure(count).await?;
    }
    Ok(())
}

async fn measure(accounts: usize) -> Result<(), Box<dyn Error>> {
    let home = Home::signed_in(0)?;
    home.write(&with_access_tokens(accounts))?;
    let megabytes = std::fs::metadata(home.cache())?.len() / 1_000_000;

    let credential = home.builder().username(format!("user{}@contoso.com", accounts - 1)).build()?;
    // A file changed within the file system's timestamp granularity is read on every call; real
    // caches are older.
    tokio::time::sleep(Duration::from_millis(20)).await;
    let started = Instant::now();
    credential.get_token(&[SCOPE]).await?;
    let first = started.elapsed();

    let mut times = Vec::new();
    for _ in 0..CALLS {
        let started = Instant::now();
        credential.get_token(&[SCOPE]).await?;
        times.push(started.elapsed());
    }
    times.sort_unstable();
    let median = times.get(times.len() / 2).copied().unwrap_or(Duration::ZERO);
    print(&format!("{accounts:>8} {megabytes:>6} {first:>12.2?} {median:>12.2?}"))
}

/// A cache in which every account has an access token of some 2 kB and a refresh token of 1.2 kB,
/// the sizes of real ones.
fn with_access_tokens(accounts: usize) -> String {
    let mut document = document(accounts);
    let expires_on = (now() + 86_400).to_string();
    let tokens: serde_json::Map<_, _> = (0..accounts)
        .map(|number| {
            let (home, realm) = (format!("uid-{number:08}.utid-{number:08}"), format!("utid-{number:08}"));
            let key = format!("{home}-{AUTHORITY}-accesstoken-{CLIENT}-{realm}-{SCOPE}");
            let entry = json!({
                "credential_type": "AccessToken", "secret": format!("at-{number}-{}", "a".repeat(2_000)),
                "home_account_id": home, "environment": AUTHORITY, "client_id": CLIENT, "target": SCOPE,
                "realm": realm, "token_type": "Bearer", "cached_at": "1700000000", "expires_on": expires_on,
                "extended_expires_on": expires_on,
            });
            (key, entry)
        })
        .collect();
    if let Some(document) = document.as_object_mut() {
        document.insert("AccessToken".into(), tokens.into());
        for entry in document.get_mut("RefreshToken").and_then(|section| section.as_object_mut()).into_iter().flatten()
        {
            if let Some(entry) = entry.1.as_object_mut() {
                entry.insert("secret".into(), format!("rt-{}", "r".repeat(1_200)).into());
            }
        }
    }
    document.to_string()
}

fn print(line: &str) -> Result<(), Box<dyn Error>> {
    Ok(std::io::Write::write_all(&mut std::io::stdout(), format!("{line}\n").as_bytes())?)
}
