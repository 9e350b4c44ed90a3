//! An HTTPS proxy with a fixed target.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver};
use std::thread;

/// A proxy that connects to `target` for every CONNECT; sends the request lines that it gets.
///
/// # Errors
/// When no port can be had.
pub fn proxy_to(target: SocketAddr) -> io::Result<(SocketAddr, Receiver<String>)> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let address = listener.local_addr()?;
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let sender = sender.clone();
            thread::spawn(move || tunnel(client, target, |line| drop(sender.send(line))));
        }
    });
    Ok((address, lines))
}

/// A proxy that refuses all credentials: it answers every request with status 407, and sends the
/// head of each.
///
/// # Errors
/// When no port can be had.
pub fn proxy_that_refuses() -> io::Result<(SocketAddr, Receiver<String>)> {
    proxy_that_answers(
        "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n",
    )
}

/// A proxy that answers every request with these bytes and closes the connection; sends the head of
/// each.
///
/// # Errors
/// When no port can be had.
pub fn proxy_that_answers(answer: &str) -> io::Result<(SocketAddr, Receiver<String>)> {
    let answer = answer.to_owned();
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let address = listener.local_addr()?;
    let (sender, heads) = mpsc::channel();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let Ok(head) = head(&client) else { continue };
            drop(sender.send(head));
            drop((&client).write_all(answer.as_bytes()));
        }
    });
    Ok((address, heads))
}

/// A forwarder to `target` that reports each connection.
///
/// # Errors
/// When no port can be had.
pub fn relay_to(target: SocketAddr) -> io::Result<(SocketAddr, Receiver<()>)> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let address = listener.local_addr()?;
    let (sender, connections) = mpsc::channel();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let _ = sender.send(());
            thread::spawn(move || {
                let server = TcpStream::connect(target)?;
                copy_both(client.try_clone()?, client, server)
            });
        }
    });
    Ok((address, connections))
}

/// Forwards the bytes of both sides.
fn copy_both(mut up_from: impl io::Read + Send + 'static, mut down: TcpStream, server: TcpStream) -> io::Result<()> {
    let mut up = server.try_clone()?;
    thread::spawn(move || io::copy(&mut up_from, &mut up));
    io::copy(&mut &server, &mut down).map(drop)
}

/// The head of a request.
fn head(client: &TcpStream) -> io::Result<String> {
    let mut reader = BufReader::new(client.try_clone()?);
    let mut head = String::new();
    while reader.read_line(&mut head)? > 2 {}
    Ok(head)
}

/// CONNECT: RFC 9110, section 9.3.6.
fn tunnel(client: TcpStream, target: SocketAddr, sender: impl Fn(String)) -> io::Result<()> {
    let mut head = BufReader::new(client.try_clone()?);
    let mut line = String::new();
    head.read_line(&mut line)?;
    sender(line.trim().to_owned());
    while head.read_line(&mut line)? > 2 {}
    let server = TcpStream::connect(target)?;
    (&client).write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
    copy_both(head, client, server)
}
