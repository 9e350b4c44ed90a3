//! Binds the socket again while it is served, when another program removes its name or its folder.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::net::UnixListener;

use crate::socket::{BindError, Socket, SocketOptions};

/// The name of the socket. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Seat(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    options: SocketOptions,
    /// `None` once the server ends.
    socket: Mutex<Option<Socket>>,
    /// The last logged reason why the socket cannot be bound again.
    trouble: Mutex<Option<String>>,
}

impl Seat {
    pub(crate) fn bind(options: &SocketOptions) -> Result<(Self, UnixListener), BindError> {
        let (socket, listener) = Socket::bind(options)?;
        let (socket, trouble) = (Mutex::new(Some(socket)), Mutex::default());
        Ok((Self(Arc::new(Shared { options: options.clone(), socket, trouble })), listener))
    }

    /// Removes the name and stops binding it again.
    pub(crate) fn leave(&self) {
        drop(self.0.socket.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    /// Checks whether the name still refers to the socket; returns a new listener if it had to be
    /// bound again. Runs on a blocking thread, because the file system may hang.
    pub(crate) async fn look(&self) -> Option<UnixListener> {
        let shared = Arc::clone(&self.0);
        tokio::task::spawn_blocking(move || shared.look()).await.ok().flatten()
    }
}

impl Shared {
    fn look(&self) -> Option<UnixListener> {
        let mut socket = self.socket.lock().unwrap_or_else(PoisonError::into_inner);
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        if socket.as_ref()?.is_in_place() {
            *trouble = None;
            return None;
        }
        let path = self.options.path.display();
        match Socket::bind(&self.options) {
            Ok((new, listener)) => {
                tracing::warn!("another program has removed or replaced the socket {path}; binding it again");
                (*socket, *trouble) = (Some(new), None);
                Some(listener)
            }
            Err(error) => {
                let why = error.to_string();
                if trouble.as_ref() != Some(&why) {
                    tracing::warn!("cannot bind the socket {path} again: {why}; trying again");
                }
                *trouble = Some(why);
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::net::UnixStream;

    use super::*;

    #[tokio::test]
    async fn a_socket_whose_name_or_folder_is_gone_is_bound_again_until_its_server_ends() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run/sds.sock");
        let (seat, mut listener) = Seat::bind(&SocketOptions { path: path.clone(), allow_uids: Vec::new() }).unwrap();
        assert!(seat.look().await.is_none());
        let removals: [fn(&std::path::Path); 2] =
            [|path| fs::remove_file(path).unwrap(), |path| fs::remove_dir_all(path.parent().unwrap()).unwrap()];
        for remove in removals {
            remove(&path);
            listener = seat.look().await.unwrap();
            let _client = UnixStream::connect(&path).unwrap();
            listener.accept().await.unwrap();
            assert!(seat.look().await.is_none());
        }
        fs::remove_file(&path).unwrap();
        fs::write(&path, "of another program").unwrap();
        assert!(seat.look().await.is_none());
        assert_eq!(fs::read_to_string(&path).unwrap(), "of another program");
        fs::remove_file(&path).unwrap();
        drop(listener);
        assert!(seat.look().await.is_some());
        seat.leave();
        assert!(!path.exists() && seat.look().await.is_none() && !path.exists());
    }
}
