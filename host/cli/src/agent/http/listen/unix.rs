use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use shared_token_cache_sds::{Socket, SocketOptions};
use tokio::net::UnixListener;

use super::Stream;

/// A socket, and the users that may connect.
pub(crate) struct Unix {
    /// Removes the socket's path when dropped.
    _name: Socket,
    listener: UnixListener,
    path: PathBuf,
    users: BTreeSet<u32>,
    is_told: AtomicBool,
}

impl Unix {
    /// Begins to listen for connections of the process's own user and of `users`.
    pub(super) fn bind(path: &Path, users: &[u32]) -> Result<Self, String> {
        let options = SocketOptions { path: path.to_owned(), allow_uids: users.to_vec() };
        let (name, listener) = Socket::bind(&options).map_err(|error| format!("cannot listen: {error}"))?;
        let own = rustix::process::geteuid().as_raw();
        let users = users.iter().copied().chain([own]).collect();
        Ok(Self { _name: name, listener, path: path.to_owned(), users, is_told: AtomicBool::new(false) })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The next connection, counted as one from loopback; `None` if its user may not connect.
    pub(super) async fn accept(&self) -> io::Result<Option<(Box<dyn Stream>, IpAddr)>> {
        let (stream, _) = self.listener.accept().await?;
        // The peer's user id comes from the kernel: the socket's mode alone would not survive a
        // `chmod`.
        let user = stream.peer_cred().ok().map(|credentials| credentials.uid());
        if user.is_some_and(|user| self.users.contains(&user)) {
            return Ok(Some((Box::new(stream), Ipv4Addr::LOCALHOST.into())));
        }
        if !self.is_told.swap(true, Ordering::SeqCst) {
            let who = user.map_or_else(|| "an unknown user".to_owned(), |user| format!("user {user}"));
            tracing::warn!(
                "{who} is refused at the HTTP socket; name the user with --allow-uid if that is your client"
            );
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::UnixStream;

    use super::*;

    #[tokio::test]
    async fn the_own_user_may_connect_and_another_user_may_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("http.sock");
        let mut unix = Unix::bind(&path, &[]).unwrap();
        let _client = UnixStream::connect(&path).await.unwrap();
        assert!(unix.accept().await.unwrap().is_some());
        // The server expects another user, so this one may not connect.
        unix.users = [rustix::process::geteuid().as_raw() + 1].into();
        let _client = UnixStream::connect(&path).await.unwrap();
        assert!(unix.accept().await.unwrap().is_none());
    }
}
