//! The endpoint as a client sees it, over real TLS.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::json;
use token_endpoint::{Reply, TokenEndpoint};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

const FORM: &str = "grant_type=refresh_token&refresh_token=rt-1&scope=a+b%2F.default&scope=%C3%A4";

type Client = BufReader<TlsStream<TcpStream>>;

async fn connect(endpoint: &TokenEndpoint, ca_pem: &str, name: &'static str) -> io::Result<Client> {
    let mut roots = RootCertStore::empty();
    let ca = CertificateDer::from_pem_slice(ca_pem.as_bytes()).map_err(io::Error::other)?;
    roots.add(ca).map_err(io::Error::other)?;
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(endpoint.address()).await?;
    let name = ServerName::try_from(name).map_err(io::Error::other)?;
    Ok(BufReader::new(TlsConnector::from(Arc::new(config)).connect(name, stream).await?))
}

/// Sends the form; returns the head and the body of the response.
async fn post(client: &mut Client, host: &str) -> io::Result<(String, String)> {
    let request = format!(
        "POST /organizations/oauth2/v2.0/token HTTP/1.1\r\nHost: {host}\r\nX-AnchorMailbox: Oid:u@t\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{FORM}",
        FORM.len()
    );
    client.write_all(request.as_bytes()).await?;
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if client.read_line(&mut head).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    client.read_exact(&mut body).await?;
    Ok((head, String::from_utf8_lossy(&body).into_owned()))
}

#[tokio::test]
async fn a_form_arrives_decoded_and_the_connection_is_kept() {
    let mut count = 0;
    let endpoint = TokenEndpoint::start(move |request| {
        count += 1;
        let body = json!({"count": count, "scope": request.field("scope")});
        Reply::json(200, body).header("retry-after", "7")
    })
    .await
    .unwrap();

    for name in ["login.microsoftonline.com", "localhost", "127.0.0.1"] {
        let mut client = connect(&endpoint, endpoint.ca_pem(), name).await.unwrap();
        let (head, body) = post(&mut client, name).await.unwrap();
        assert!(head.starts_with("HTTP/1.1 200") && head.contains("retry-after: 7"), "{head}");
        assert!(head.contains("content-type: application/json"), "{head}");
        assert!(body.contains("a b/.default"), "{body}");
        post(&mut client, name).await.unwrap();
    }

    assert_eq!(endpoint.connections(), 3);
    let requests = endpoint.requests();
    assert_eq!(requests.len(), 6);
    let first = &requests[0];
    assert_eq!((first.method.as_str(), first.host.as_str()), ("POST", "login.microsoftonline.com"));
    assert_eq!(first.path, "/organizations/oauth2/v2.0/token");
    assert_eq!(first.header("x-anchormailbox"), first.header("X-AnchorMailbox"));
    assert_eq!(first.header("x-anchormailbox"), Some("Oid:u@t"));
    let form: Vec<_> = first.form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let expected =
        [("grant_type", "refresh_token"), ("refresh_token", "rt-1"), ("scope", "a b/.default"), ("scope", "ä")];
    assert_eq!(form, expected);
    assert!(!format!("{first:?}").contains("rt-1"));
}

#[tokio::test]
async fn a_reply_can_be_late_or_left_out() {
    let delay = Duration::from_millis(50);
    let mut replies = vec![Reply::hang_up(), Reply::bytes(503, "text/plain", "busy").after(delay)];
    let endpoint = TokenEndpoint::start(move |_| replies.pop().unwrap()).await.unwrap();
    let mut client = connect(&endpoint, endpoint.ca_pem(), "localhost").await.unwrap();
    let start = Instant::now();
    let (head, body) = post(&mut client, "localhost").await.unwrap();
    assert!(head.starts_with("HTTP/1.1 503") && start.elapsed() >= delay, "{head}");
    assert_eq!(body, "busy");
    assert!(post(&mut client, "localhost").await.is_err());
}

#[tokio::test]
async fn every_endpoint_has_a_ca_of_its_own_and_ends_when_dropped() {
    let endpoint = TokenEndpoint::start(|_| Reply::json(200, json!({}))).await.unwrap();
    let other = TokenEndpoint::start(|_| Reply::json(200, json!({}))).await.unwrap();
    assert!(connect(&endpoint, other.ca_pem(), "localhost").await.is_err());
    assert_eq!(endpoint.connections(), 0);

    let mut client = connect(&endpoint, endpoint.ca_pem(), "localhost").await.unwrap();
    drop(endpoint);
    assert!(post(&mut client, "localhost").await.is_err());
}
