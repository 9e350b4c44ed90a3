//! A proxy for HTTPS that leads to one place.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver};
use std::thread;

/// A proxy that leads to `target` whatever it is asked for; tells the request lines that it gets.
///
/// # Errors
/// When no port can be had.
pub fn proxy_to(target: SocketAddr) -> io::Result<(SocketAddr, Receiver<String>)> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let address = listener.local_addr()?;
    let (tell, lines) = mpsc::channel();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let tell = tell.clone();
            thread::spawn(move || tunnel(client, target, |line| drop(tell.send(line))));
        }
    });
    Ok((address, lines))
}

/// CONNECT: RFC 9110, section 9.3.6.
fn tunnel(client: TcpStream, target: SocketAddr, tell: impl Fn(String)) -> io::Result<()> {
    let mut head = BufReader::new(client.try_clone()?);
    let mut line = String::new();
    head.read_line(&mut line)?;
    tell(line.trim().to_owned());
    while head.read_line(&mut line)? > 2 {}
    let server = TcpStream::connect(target)?;
    (&client).write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
    let (mut up, mut down) = (server.try_clone()?, client);
    thread::spawn(move || io::copy(&mut head, &mut up));
    io::copy(&mut &server, &mut down).map(drop)
}
