//! The report, for people and for programs.

use serde_json::{Value, json};
use shared_token_cache::{Clock as _, Connection, SystemClock};

use super::super::terminal::{GOOD, HEADING, HINT, Line, NOTE, PROBLEM};
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
        "agent_session": report.agent_session,
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

/// The effect of an agent session.
const MARKED: &str = "COPILOT_AGENT_SESSION_ID is set: tokens are marked with that session, and cached tokens without \
                      its mark are not served";

/// The width of the column of names.
const NAMES: usize = 13;

pub(super) fn text(report: &Report) -> Vec<Line> {
    let title = format!("shared-token-cache {} on {}", env!("CARGO_PKG_VERSION"), std::env::consts::OS);
    let mut lines = vec![Line::default().styled(HEADING, &title)];
    for place in &report.places {
        let cae = if place.enable_cae { " (Continuous Access Evaluation)" } else { "" };
        lines.extend([Line::default(), Line::default().styled(HEADING, &format!("source {}{cae}", place.source))]);
        if let Some(examined) = &place.examined {
            lines.push(row("cache", &examined.place));
        }
        if let Some(examined) = place.examined.as_ref().filter(|examined| examined.found) {
            let size = examined.bytes.map(|bytes| format!("{bytes} bytes, ")).unwrap_or_default();
            lines.push(row("found", &format!("{size}{}", if examined.encrypted { "encrypted" } else { "plain text" })));
        }
        if let Some(contents) = place.contents.as_ref().filter(|contents| contents.accounts > 0) {
            lines
                .push(row("accounts", &format!("{}, of which {} usable", contents.accounts, contents.usable_accounts)));
            lines.push(row("tokens", &tokens(contents, SystemClock.now())));
        }
        lines.extend(place.findings.iter().flat_map(finding_lines));
    }
    let heading = format!("authority {}", report.authority.host);
    lines.extend([Line::default(), Line::default().styled(HEADING, &heading)]);
    lines.extend(report.authority.connection.iter().flat_map(ways));
    lines.extend(finding_lines(&report.authority.finding));
    if report.agent_session {
        lines.extend([Line::default(), Line::default().styled(HEADING, "agent session")]);
        lines.extend(finding_lines(&Finding::note(MARKED, "")));
    }
    lines
}

fn row(name: &str, value: &str) -> Line {
    Line::new(&format!("  {name:NAMES$}{value}"))
}

/// The connection to the authority.
fn ways(connection: &Connection) -> [Line; 2] {
    let proxy = match &connection.proxy {
        Some(proxy) => proxy,
        None if connection.excepted => "none, as NO_PROXY excepts the host",
        None => "none",
    };
    let certificates = &connection.certificates;
    let trusted = if certificates.is_empty() { "none".to_owned() } else { certificates.join(", ") };
    [row("proxy", proxy), row("certificates", &trusted)]
}

/// A finding, with its remedy below.
fn finding_lines(finding: &Finding) -> Vec<Line> {
    let (mark, style) = match finding.severity {
        Severity::Good => ("ok", GOOD),
        Severity::Note => ("note", NOTE),
        Severity::Problem => ("PROBLEM", PROBLEM),
    };
    let mut lines = vec![Line::new("  ").styled(style, mark).text(&" ".repeat(NAMES - mark.len())).text(&finding.what)];
    if !finding.next.is_empty() {
        let indent = " ".repeat(2 + NAMES);
        lines.push(Line::new(&indent).styled(HINT, "hint:").text(&format!(" {}", finding.next)));
    }
    lines
}

fn tokens(contents: &Contents, now: u64) -> String {
    let expiry = match contents.latest_expiry {
        None => String::new(),
        Some(expiry) if expiry > now => format!(", the last expires in {}", duration(expiry - now)),
        Some(expiry) => format!(", the last expired {} ago", duration(now - expiry)),
    };
    let (refresh, access) = (contents.usable_refresh_tokens, contents.access_tokens);
    format!("{refresh} usable for a refresh, {access} cached access tokens{expiry}")
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
    fn the_line_of_tokens_has_the_latest_expiry() {
        let contents = |latest_expiry| Contents {
            accounts: 2,
            usable_accounts: 1,
            usable_refresh_tokens: 3,
            access_tokens: 4,
            latest_expiry,
        };
        let shown = |expiry| tokens(&contents(expiry), 1_000_000);
        assert!(shown(Some(1_000_000 + 3600)).ends_with("the last expires in 60 min"));
        assert!(shown(Some(1_000_000 - 300_000)).ends_with("expired 3 days ago"));
        assert!(shown(None).ends_with("4 cached access tokens"));
    }
}
