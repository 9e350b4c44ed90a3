//! The replies of a case as a script of the token endpoint.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use token_endpoint::{Received, Reply};

use crate::case::{Case, Exchange, ScriptedReply};

/// The endpoint's record of a case.
#[derive(Debug, Clone)]
pub struct Script(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    traffic: std::vec::IntoIter<Exchange>,
    last: Option<(Received, Exchange)>,
    problems: Vec<String>,
}

impl Script {
    /// A script that follows `case`, with its record.
    pub fn new(case: &Case) -> (Self, impl FnMut(&Received) -> Reply + Send + use<>) {
        let state = State { traffic: case.traffic.clone().into_iter(), last: None, problems: Vec::new() };
        let script = Self(Arc::new(Mutex::new(state)));
        let answering = script.clone();
        (script, move |received: &Received| answering.state().answer(received))
    }

    /// Called before each call of the case: a request equal to the one before then counts as the
    /// call's own, not as a retry.
    pub fn begin_call(&self) {
        self.state().last = None;
    }

    /// Differences from the case, missing requests included.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let state = self.state();
        let missing = state.traffic.as_slice().iter();
        let missing = missing.map(|exchange| format!("the request to {} was not made", exchange.request.url));
        state.problems.iter().cloned().chain(missing).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn answer(&mut self, received: &Received) -> Reply {
        if let Some((last, exchange)) = &self.last
            && last.form == received.form
            && last.path == received.path
            && is_worth_a_retry(&exchange.reply)
        {
            return reply(&exchange.reply);
        }
        let Some(exchange) = self.traffic.next() else {
            self.problems.push(format!("one request too many: {received:?}"));
            return Reply::hang_up();
        };
        let url = format!("https://{}{}", received.host, received.path);
        self.problems.extend(exchange.request.problems(&url, &received.form, |name| received.header(name)));
        if received.method != "POST" {
            self.problems.push(format!("the method is {}", received.method));
        }
        let reply = reply(&exchange.reply);
        self.last = Some((received.clone(), exchange));
        reply
    }
}

/// The host retries such requests, and gets the same response each time. The case does not count
/// retries.
fn is_worth_a_retry(reply: &ScriptedReply) -> bool {
    match reply {
        ScriptedReply::Response { status, body } => {
            let error: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
            let code = error.get("error").and_then(|code| code.as_str()).unwrap_or_default();
            let numbers = error.get("error_codes").and_then(|codes| codes.as_array()).cloned().unwrap_or_default();
            *status == 408
                || *status == 429
                || (*status >= 500 && *status != 511)
                || matches!(code, "temporarily_unavailable" | "server_error")
                || numbers.iter().any(|number| [50033, 50087, 90006, 90033, 90041].map(Some).contains(&number.as_u64()))
        }
        ScriptedReply::Unreachable => true,
    }
}

fn reply(reply: &ScriptedReply) -> Reply {
    match reply {
        ScriptedReply::Response { status, body } => {
            Reply::bytes(*status, "application/json; charset=utf-8", body.clone())
        }
        ScriptedReply::Unreachable => Reply::hang_up(),
    }
}

/// Returns the replies of `case` in order, whatever the request, and refuses further requests.
pub fn in_turn(case: &Case) -> impl FnMut(&Received) -> Reply + Send + use<> {
    let mut replies = case.traffic.clone().into_iter().map(|exchange| exchange.reply);
    move |_| match replies.next() {
        // The program would retry a retryable response, after pauses.
        Some(scripted) if !is_worth_a_retry(&scripted) => reply(&scripted),
        _ => Reply::json(400, serde_json::json!({"error": "invalid_grant"})),
    }
}
