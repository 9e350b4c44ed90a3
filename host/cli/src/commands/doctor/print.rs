//! The report, for people and for programs.

use serde_json::{Value, json};
use shared_token_cache::{Clock as _, Connection, SystemClock};

use super::Report;
use super::finding::{Finding, Severity};
use super::place::{Contents, PlaceReport};

pub(super) fn json(report: &Report) -> Value {
    let connection = report.authority.connection.as_ref();
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "platform": std::env::consts::OS,
        "usable": report.places.iter().any(PlaceReport::is_usable),
        "places": report.places.iter().map(place_json).collect::<Vec<_>>(),
        "authority": {
            "host": report.authority.host,
            "reachable": report.authority.reachable,
            "proxy": connection.and_then(|connection| connection.proxy.as_ref()),
            "excepted_from_proxy": connection.map(|connection| connection.excepted),
            "certificates": connection.map(|connection| &connection.certificates),
            "clock_skew_seconds": report.authority.clock_skew,
            "findings": [finding_json(&report.authority.finding)],
        },
    })
}

fn place_json(place: &PlaceReport) -> Value {
    let examined = place.examined.as_ref();
    let contents = place.contents.as_ref();
    json!({
        "source": place.source.to_string(),
        "cae": place.enable_cae,
        "place": examined.map(|examined| &examined.place),
        "found": examined.map(|examined| examined.found),
        "readable": contents.is_some(),
        "encrypted": examined.map(|examined| examined.encrypted),
        "bytes": examined.and_then(|examined| examined.bytes),
        "lock": examined.and_then(|examined| examined.lock.as_ref()).map(|lock| json!({
            "path": lock.path.display().to_string(),
            "holder": lock.holder,
            "stale": lock.stale,
            "problem": lock.problem,
        })),
        "accounts": contents.map(|contents| contents.accounts),
        "usable_accounts": contents.map(|contents| contents.usable_accounts),
        "usable_refresh_tokens": contents.map(|contents| contents.usable_refresh_tokens),
        "access_tokens": contents.map(|contents| contents.access_tokens),
        "latest_expiry": contents.and_then(|contents| contents.latest_expiry),
        "findings": place.findings.iter().map(finding_json).collect::<Vec<_>>(),
    })
}

fn finding_json(finding: &Finding) -> Value {
    json!({ "severity": finding.severity.as_str(), "what": finding.what, "next": finding.next })
}

pub(super) fn text(report: &Report) -> Vec<String> {
    let mut lines = vec![format!("shared-token-cache {} on {}", env!("CARGO_PKG_VERSION"), std::env::consts::OS)];
    for place in &report.places {
        let cae = if place.enable_cae { " (Continuous Access Evaluation)" } else { "" };
        let where_ = place.examined.as_ref().map(|examined| format!(": {}", examined.place)).unwrap_or_default();
        lines.extend([String::new(), format!("{}{cae}{where_}", place.source)]);
        if let Some(examined) = place.examined.as_ref().filter(|examined| examined.found) {
            let size = examined.bytes.map(|bytes| format!(", {bytes} bytes")).unwrap_or_default();
            lines.push(format!("  found{size}, {}", if examined.encrypted { "encrypted" } else { "plain text" }));
        }
        if let Some(contents) = place.contents.as_ref().filter(|contents| contents.accounts > 0) {
            lines.push(format!("  {}", numbers(contents, SystemClock.now())));
        }
        lines.extend(place.findings.iter().map(line));
    }
    lines.extend([String::new(), format!("authority {}", report.authority.host)]);
    lines.extend(report.authority.connection.iter().flat_map(ways));
    lines.push(line(&report.authority.finding));
    lines
}

/// How the authority is reached.
fn ways(connection: &Connection) -> [String; 2] {
    let proxy = match &connection.proxy {
        Some(proxy) => proxy,
        None if connection.excepted => "none, as NO_PROXY excepts the host",
        None => "none",
    };
    let certificates = &connection.certificates;
    let trusted = if certificates.is_empty() { "none".to_owned() } else { certificates.join(", ") };
    [format!("  proxy: {proxy}"), format!("  trusted certificate authorities: {trusted}")]
}

fn line(finding: &Finding) -> String {
    let mark = match finding.severity {
        Severity::Good => "ok",
        Severity::Note => "note",
        Severity::Problem => "PROBLEM",
    };
    let next = if finding.next.is_empty() { String::new() } else { format!(". {}", finding.next) };
    format!("  {mark}: {}{next}", finding.what)
}

fn numbers(contents: &Contents, now: u64) -> String {
    let expiry = match contents.latest_expiry {
        None => String::new(),
        Some(expiry) if expiry > now => format!(", the last of which expires in {}", duration(expiry - now)),
        Some(expiry) => format!(", the last of which expired {} ago", duration(now - expiry)),
    };
    format!(
        "accounts: {} ({} usable); usable refresh tokens: {}; cached access tokens: {}{expiry}",
        contents.accounts, contents.usable_accounts, contents.usable_refresh_tokens, contents.access_tokens
    )
}

/// A duration in its largest unit, rounded down.
fn duration(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_tell_when_the_last_token_expires() {
        let contents = |latest_expiry| Contents {
            accounts: 2,
            usable_accounts: 1,
            usable_refresh_tokens: 3,
            access_tokens: 4,
            latest_expiry,
        };
        let told = |expiry| numbers(&contents(expiry), 1_000_000);
        assert!(told(Some(1_000_000 + 3600)).ends_with("expires in 60 min"));
        assert!(told(Some(1_000_000 - 300_000)).ends_with("expired 3 days ago"));
        assert!(told(None).ends_with("cached access tokens: 4"));
    }
}
