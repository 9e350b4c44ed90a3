//! The tokens that the server offers, by name.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use tokio::sync::watch;
use zeroize::Zeroizing;

/// The state of a name.
#[derive(Clone, PartialEq, Eq)]
pub enum Secret {
    /// Not known yet.
    Pending,
    /// A token.
    Token(Arc<Zeroizing<String>>),
    /// No token; readers must drop the one that they have.
    Withdrawn,
}

/// The state of a name, with the number of its last change, counted from 1.
#[derive(Debug, Clone)]
pub struct Posted {
    /// The state.
    pub secret: Secret,
    /// The number of the change.
    pub version: u64,
}

/// Tokens by name, for any number of readers. Clones share one board. The set of names is fixed.
#[derive(Debug, Clone)]
pub struct Board(Arc<watch::Sender<BTreeMap<String, Posted>>>);

impl Board {
    /// A board with these names, all [`Secret::Pending`].
    pub fn new<N: Into<String>>(names: impl IntoIterator<Item = N>) -> Self {
        let pending = || Posted { secret: Secret::Pending, version: 1 };
        let names = names.into_iter().map(|name| (name.into(), pending())).collect();
        Self(Arc::new(watch::Sender::new(names)))
    }

    /// Sets the state of a name. An equal state is not a change, and a name that the board lacks is
    /// ignored.
    pub fn post(&self, name: &str, secret: Secret) {
        self.0.send_if_modified(|names| match names.get_mut(name) {
            Some(posted) if posted.secret != secret => {
                posted.secret = secret;
                posted.version += 1;
                true
            }
            Some(_) | None => false,
        });
    }

    /// Withdraws all tokens.
    pub fn withdraw_all(&self) {
        let names: Vec<String> = self.0.borrow().keys().cloned().collect();
        names.iter().for_each(|name| self.post(name, Secret::Withdrawn));
    }

    /// The current states, and each later change.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<BTreeMap<String, Posted>> {
        self.0.subscribe()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pending => "Pending",
            Self::Token(_) => "Token(..)",
            Self::Withdrawn => "Withdrawn",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(text: &str) -> Secret {
        Secret::Token(Arc::new(Zeroizing::new(text.to_owned())))
    }

    #[test]
    fn only_a_change_is_a_change() {
        let board = Board::new(["a", "b"]);
        let mut reader = board.subscribe();
        board.post("a", token("1"));
        assert!(reader.has_changed().unwrap());
        assert_eq!(reader.borrow_and_update()["a"].version, 2);
        board.post("a", token("1"));
        board.post("c", token("1"));
        assert!(!reader.has_changed().unwrap() && !reader.borrow().contains_key("c"));
        board.withdraw_all();
        let all = reader.borrow_and_update().clone();
        assert!(all.values().all(|posted| posted.secret == Secret::Withdrawn));
        assert_eq!((all["a"].version, all["b"].version), (3, 2));
    }

    #[test]
    fn a_secret_is_not_printed() {
        let board = Board::new(["a"]);
        board.post("a", token("hunter2"));
        let printed = format!("{board:?} {:?}", board.subscribe());
        assert!(printed.contains("Token(..)") && !printed.contains("hunter2"), "{printed}");
    }
}
