//! A running proxy.

use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener};
use std::process::Child;
use std::time::{Duration, Instant};

use token_endpoint::sign_in::MARK;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::home::Home;

/// A generous time limit, as other programs may be compiling.
const START: Duration = Duration::from_secs(20);

pub(crate) struct Proxy<'a> {
    home: &'a Home,
    address: SocketAddr,
    child: Child,
}

impl<'a> Proxy<'a> {
    /// Starts a proxy, and waits until it has a token.
    pub(crate) async fn start(home: &'a Home, upstream: &str) -> Self {
        let proxy = Self::start_signed_out(home, upstream).await;
        proxy.until(200, START).await;
        proxy
    }

    /// Starts a proxy, and waits until it listens.
    pub(crate) async fn start_signed_out(home: &'a Home, upstream: &str) -> Self {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut program = home.program();
        program.args([&*home.path("policy.toml"), "graph", upstream, &*address.to_string()]);
        let output = File::create(home.path("output")).unwrap();
        let child = program.stdout(output.try_clone().unwrap()).stderr(output).spawn().unwrap();
        let proxy = Self { home, address, child };
        let started = Instant::now();
        while TcpStream::connect(address).await.is_err() {
            assert!(started.elapsed() < START, "{}", proxy.said());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        proxy
    }

    /// The response to a request on a connection of its own.
    pub(crate) async fn get(&self, target: &str, headers: &str) -> String {
        let mut connection = TcpStream::connect(self.address).await.unwrap();
        let close = if headers.contains("onnection: ") { "" } else { "Connection: close\r\n" };
        let request = format!("GET {target} HTTP/1.1\r\nHost: proxy.example\r\n{headers}{close}\r\n");
        connection.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        // A kept-alive connection stays open, so the response ends with the upstream's body.
        while !answer.ends_with(b"hello") && connection.read_buf(&mut answer).await.unwrap() > 0 {}
        String::from_utf8(answer).unwrap()
    }

    pub(crate) async fn status(&self) -> u16 {
        let answer = self.get("/", "").await;
        answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("{answer}"))
    }

    /// Polls until the response has this status.
    pub(crate) async fn until(&self, status: u16, patience: Duration) {
        let started = Instant::now();
        loop {
            let answered = self.status().await;
            if answered == status {
                return;
            }
            assert!(started.elapsed() < patience, "{answered} in the place of {status}: {}", self.said());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    fn said(&self) -> String {
        fs::read_to_string(self.home.path("output")).unwrap()
    }

    /// Ends the proxy, and checks that its output contains no token.
    pub(crate) fn stop_and_check(mut self) {
        assert!(self.child.try_wait().unwrap().is_none(), "{}", self.said());
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let said = self.said();
        assert!(said.contains("acts as the signed-in user") && !said.contains(MARK), "{said}");
    }
}

impl Drop for Proxy<'_> {
    fn drop(&mut self) {
        // The process has ended already if all went well.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
