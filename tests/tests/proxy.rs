//! Requests through an HTTP proxy from the environment: RFC 9110, section 9.3.6.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Output;
use std::sync::{Arc, Mutex};

use serde_json::json;
use shared_token_cache_tests::home::Home;
use token_endpoint::{Reply, TokenEndpoint};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

/// A proxy that permits everything, and records the hosts that it connected to.
struct Proxy {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(tunnel(client, Arc::clone(&log)));
            }
        });
        Ok(Self { address, asked })
    }
}

async fn tunnel(client: TcpStream, log: Arc<Mutex<Vec<String>>>) -> io::Result<()> {
    let mut client = BufReader::new(client);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        client.read_line(&mut line).await?;
        if line.trim().is_empty() {
            break;
        }
        lines.push(line);
    }
    let request = lines.first().cloned().unwrap_or_default();
    let target =
        request.strip_prefix("CONNECT ").and_then(|rest| rest.split(' ').next()).unwrap_or_default().to_owned();
    if let Ok(mut log) = log.lock() {
        log.push(target.clone());
    }
    let mut server = TcpStream::connect(target).await?;
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
    copy_bidirectional(&mut client, &mut server).await.map(drop)
}

/// Runs the command on a home whose sign-in is of the authority `localhost`.
async fn get_token(home: &Home, endpoint: &TokenEndpoint, environment: HashMap<&str, String>) -> io::Result<Output> {
    let transport = home.transport(endpoint)?;
    let program: PathBuf =
        std::env::current_exe()?.ancestors().nth(2).map(|folder| folder.join("shared-token-cache")).unwrap_or_default();
    let mut command = std::process::Command::new(program);
    command.env_clear().env("HOME", home.path()).envs(environment);
    command.args(["get-token", "--source", "shared", "--scope", "a", "--output", "token"]);
    command.args(["--authority", &format!("localhost:{}", endpoint.address().port()), "--ca-file"]);
    command.arg(transport.ca_file.unwrap_or_default());
    tokio::task::spawn_blocking(move || command.output()).await?
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_is_used_unless_the_environment_excepts_the_host() {
    let endpoint =
        TokenEndpoint::start(|_| Reply::json(200, json!({ "access_token": "at-1", "expires_in": 60 }))).await.unwrap();
    let proxy = Proxy::start().await.unwrap();
    let home = Home::signed_in(1).unwrap();
    home.write(&home.read().unwrap().to_string().replace("login.microsoftonline.com", "localhost")).unwrap();
    let url = format!("http://{}", proxy.address);

    let through = get_token(&home, &endpoint, HashMap::from([("HTTPS_PROXY", url.clone())])).await.unwrap();
    assert_eq!(String::from_utf8_lossy(&through.stdout), "at-1\n", "{}", String::from_utf8_lossy(&through.stderr));
    let expected = vec![format!("localhost:{}", endpoint.address().port())];
    assert_eq!(*proxy.asked.lock().unwrap(), expected);

    let except = HashMap::from([("HTTPS_PROXY", url), ("NO_PROXY", "localhost".to_owned())]);
    let past = get_token(&home, &endpoint, except).await.unwrap();
    assert_eq!(String::from_utf8_lossy(&past.stdout), "at-1\n", "{}", String::from_utf8_lossy(&past.stderr));
    assert_eq!(*proxy.asked.lock().unwrap(), expected, "the second request went past the proxy");
    assert_eq!(endpoint.requests().len(), 2);
}
