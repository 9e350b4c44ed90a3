//! The published state of a refresher.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::watch;

use super::TokenState;
use crate::error::Error;

/// The state of the token. After the end it stays withdrawn.
#[derive(Debug)]
pub(super) struct Post {
    state: watch::Sender<TokenState>,
    over: AtomicBool,
}

/// Withdraws the token when dropped: at the end of a task, when it panics, and when it is aborted.
pub(super) struct Ending(pub(super) Arc<Post>);

impl Default for Post {
    fn default() -> Self {
        Self { state: watch::Sender::new(TokenState::Pending), over: AtomicBool::new(false) }
    }
}

impl Post {
    pub(super) fn state(&self) -> TokenState {
        self.state.borrow().clone()
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<TokenState> {
        self.state.subscribe()
    }

    pub(super) fn put(&self, new: TokenState) {
        // The flag is read under the channel's lock, so no state is published after the end.
        self.state.send_if_modified(|state| {
            let posts = !self.over.load(Ordering::SeqCst);
            if posts {
                *state = new;
            }
            posts
        });
    }

    /// Withdraws the token for good.
    pub(super) fn end(&self) {
        self.state.send_if_modified(|state| {
            let first = !self.over.swap(true, Ordering::SeqCst);
            if first {
                let why = "the token is withdrawn, because its refresher has ended";
                *state = TokenState::Withdrawn(Arc::new(Error::Unreachable(why.into())));
            }
            first
        });
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access_token::AccessToken;

    fn valid() -> TokenState {
        let (token, token_type) = ("hunter2".to_owned().into(), "Bearer".into());
        TokenState::Valid(Arc::new(AccessToken { token, expires_on: 1, refresh_on: None, token_type }))
    }

    #[test]
    fn no_state_is_published_after_the_end() {
        let post = Post::default();
        post.put(valid());
        assert!(matches!(post.state(), TokenState::Valid(_)));
        post.end();
        post.put(valid());
        assert!(matches!(post.state(), TokenState::Withdrawn(_)));
    }

    #[test]
    fn a_panic_withdraws_the_token() {
        let post = Arc::<Post>::default();
        post.put(valid());
        let ending = Ending(Arc::clone(&post));
        let task = std::thread::spawn(move || {
            let _ending = ending;
            panic!("on purpose");
        });
        assert!(task.join().is_err());
        assert!(matches!(post.state(), TokenState::Withdrawn(_)));
    }
}
