//! Output of the demo.

use std::io::Write as _;

use anstyle::{AnsiColor, Style};
use shared_token_cache::{AccessToken, BORDER, Error, escaped};
use tracing::field::{Field, Visit};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

const TITLE: Style = Style::new().bold();
const STEP: Style = AnsiColor::Cyan.on_default().bold();
const BORDER_LINE: Style = AnsiColor::Yellow.on_default();
const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default();
const QUIET: Style = Style::new().dimmed();

/// The width at which text is wrapped.
const WIDTH: usize = 96;

pub(super) struct Narrator {
    steps: std::cell::Cell<usize>,
}

impl Narrator {
    /// Shows all calls across the sandbox's border from now on.
    pub(super) fn start() -> Self {
        // The demo runs in a process of its own, so no subscriber is set yet.
        drop(tracing_subscriber::registry().with(Border).try_init());
        Self { steps: std::cell::Cell::new(0) }
    }

    pub(super) fn title(&self, text: &str) {
        line(TITLE, text);
        line(TITLE, &"═".repeat(text.chars().count()));
    }

    pub(super) fn step(&self, text: &str) {
        self.steps.set(self.steps.get() + 1);
        line(Style::new(), "");
        line(STEP, &format!("{}. {text}", self.steps.get()));
    }

    pub(super) fn text(&self, text: &str) {
        for wrapped in wrap(text) {
            line(Style::new(), &wrapped);
        }
    }

    pub(super) fn result(&self, text: &str) {
        line(GOOD, &format!("  ✓ {text}"));
    }

    /// Shows a token's first characters. The token is made up, but the demo must not teach users to
    /// print tokens.
    pub(super) fn token(&self, token: &AccessToken) {
        let shown: String = token.token.expose().chars().take(12).collect();
        let seconds = token.expires_on.saturating_sub(super::sign_in::now());
        self.result(&format!("{} token {shown}… that expires in {} min", token.token_type, (seconds + 30) / 60));
    }

    pub(super) fn cache(&self, when: &str, summary: &str) {
        line(QUIET, &format!("  the cache {when}: {summary}"));
    }

    pub(super) fn error(&self, error: &Error) {
        let reason = error.reason().map(|reason| format!("/{reason}")).unwrap_or_default();
        line(BAD, &format!("  ✗ {}{reason}", error.kind()));
        for wrapped in wrap(&error.to_string()) {
            line(BAD, &format!("    {wrapped}"));
        }
        if let Error::CredentialUnavailable(unavailable) = error {
            for account in &unavailable.candidates {
                line(BAD, &format!("      {}", crate::commands::output::line(account)));
            }
        }
    }

    pub(super) fn border_sample(&self) {
        border("cache-file.read msal.cache.nocae → a document of 1234 bytes");
    }
}

/// Shows events of the target [`BORDER`].
struct Border;

impl<S: tracing::Subscriber> Layer<S> for Border {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == BORDER {
            let mut message = Message(String::new());
            event.record(&mut message);
            border(&message.0);
        }
    }
}

struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}

fn border(text: &str) {
    line(BORDER_LINE, &format!("  ┊ {text}"));
}

/// Writes a line, in colour if stdout is a terminal with colours. Errors are ignored: stdout is
/// then closed.
fn line(style: Style, text: &str) {
    drop(writeln!(anstream::stdout(), "{style}{}{style:#}", escaped(text)));
}

fn wrap(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let length = lines.last().map_or(0, |line| line.chars().count());
        if length > 0 && length + 1 + word.chars().count() > WIDTH {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}
