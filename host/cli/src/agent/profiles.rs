//! The tokens of a policy's profiles.

use std::collections::BTreeMap;
use std::sync::Arc;

use shared_token_cache::policy::Profile;
use shared_token_cache::{SharedTokenCacheCredential, TokenRefresher, TokenState};
use shared_token_cache_sds::{Board, Secret, Stats};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use zeroize::Zeroizing;

use super::http::ProfileTokens;
use super::metrics::{Numbers, ProfileNumbers};

/// One refresher for each profile, whose tokens are posted on the board.
pub(crate) struct Agent {
    board: Board,
    profiles: BTreeMap<String, Kept>,
}

struct Kept {
    profile: Profile,
    credential: SharedTokenCacheCredential,
    refresher: TokenRefresher,
    posting: JoinHandle<()>,
}

impl Agent {
    /// Starts a refresher for each profile.
    pub(crate) fn start(credentials: Vec<(&Profile, SharedTokenCacheCredential)>) -> Self {
        let board = Board::new(credentials.iter().map(|(profile, _)| profile.name().as_str()));
        let keep = |(profile, credential): (&Profile, SharedTokenCacheCredential)| {
            let name = profile.name().to_string();
            let refresher = TokenRefresher::start(credential.clone(), profile);
            let posting = tokio::spawn(post(name.clone(), refresher.subscribe(), board.clone()));
            (name, Kept { profile: profile.clone(), credential, refresher, posting })
        };
        let profiles = credentials.into_iter().map(keep).collect();
        Self { board, profiles }
    }

    /// The board with the tokens.
    pub(crate) fn board(&self) -> Board {
        self.board.clone()
    }

    /// The tokens, for a front that answers requests.
    pub(crate) fn tokens(&self) -> BTreeMap<String, ProfileTokens> {
        let tokens =
            |kept: &Kept| ProfileTokens::kept(&kept.profile, kept.credential.clone(), kept.refresher.subscribe());
        self.profiles.iter().map(|(name, kept)| (name.clone(), tokens(kept))).collect()
    }

    /// The values of the metrics.
    pub(crate) fn numbers(&self, sds: Option<Arc<Stats>>) -> Numbers {
        let numbers = |kept: &Kept| ProfileNumbers {
            state: kept.refresher.subscribe(),
            attempts: kept.refresher.refresh_counts(),
        };
        let profiles = self.profiles.iter().map(|(name, kept)| (name.clone(), numbers(kept))).collect();
        Numbers { profiles, sds }
    }

    /// Withdraws every token and stops posting. Refreshers may still be in a call.
    pub(crate) fn withdraw(self) -> Vec<TokenRefresher> {
        self.profiles.values().for_each(|kept| kept.posting.abort());
        self.board.withdraw_all();
        self.profiles.into_values().map(|kept| kept.refresher).collect()
    }
}

/// Posts a refresher's tokens until it ends, then withdraws its token: without a refresher it would
/// go stale.
async fn post(name: String, mut state: watch::Receiver<TokenState>, board: Board) {
    loop {
        let secret = match &*state.borrow_and_update() {
            TokenState::Pending => Secret::Pending,
            TokenState::Valid(token) => Secret::Token(Arc::new(Zeroizing::new(token.token.expose().to_owned()))),
            TokenState::Withdrawn(_) => Secret::Withdrawn,
        };
        board.post(&name, secret);
        if state.changed().await.is_err() {
            return board.post(&name, Secret::Withdrawn);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Board, Secret, TokenState, post, watch};

    /// A refresher's sender is dropped however it ends, also by a panic of its clock or an aborted
    /// task.
    #[tokio::test]
    async fn the_board_has_no_token_of_a_refresher_that_is_gone() {
        let board = Board::new(["arm"]);
        let (sender, state) = watch::channel(TokenState::Pending);
        let posting = tokio::spawn(post("arm".into(), state, board.clone()));
        drop(sender);
        posting.await.unwrap();
        assert!(matches!(board.subscribe().borrow()["arm"].secret, Secret::Withdrawn));
    }
}
