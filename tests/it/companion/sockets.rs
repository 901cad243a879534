//! Listening: the socket's file, a daemon that is there already, the end.

use std::os::unix::fs::PermissionsExt as _;

use slod::http::serve::{ServeError, bind_socket, bind_tcp, serve};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpStream, UnixStream},
};

use super::{companion, fake_desk::FakeDesk};

const ASK: &[u8] = b"GET /-/healthy HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

#[tokio::test]
async fn both_doors_open_and_close() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("slod.sock");
    // One is left over from a daemon that was killed.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let socket = bind_socket(&path).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let tcp = bind_tcp("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = tcp.local_addr().unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let task = tokio::spawn(serve(companion(FakeDesk::default()), tcp, Some(socket), async {
        let _ = stopped.await;
    }));

    let mut answer = String::new();
    let mut stream = UnixStream::connect(&path).await.unwrap();
    stream.write_all(ASK).await.unwrap();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let mut answer = String::new();
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(ASK).await.unwrap();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");

    assert!(matches!(bind_socket(&path), Err(ServeError::Occupied(_))));
    stop.send(()).unwrap();
    task.await.unwrap().unwrap();
    assert!(!path.exists());
}

/// What is served while it lasts, at its address and by its socket.
struct Served {
    dir: tempfile::TempDir,
    address: std::net::SocketAddr,
    stop: tokio::sync::oneshot::Sender<()>,
    task: tokio::task::JoinHandle<Result<(), ServeError>>,
}

impl Served {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let socket = bind_socket(&dir.path().join("slod.sock")).unwrap();
        let tcp = bind_tcp("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = tcp.local_addr().unwrap();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let task = tokio::spawn(serve(companion(FakeDesk::default()), tcp, Some(socket), async {
            let _ = stopped.await;
        }));
        Self { dir, address, stop, task }
    }

    /// Sends the very bytes, over TCP or over the socket; the whole answer.
    async fn ask(&self, is_local: bool, bytes: &[u8]) -> String {
        let mut answer = Vec::new();
        if is_local {
            let mut stream = UnixStream::connect(self.dir.path().join("slod.sock")).await.unwrap();
            stream.write_all(bytes).await.unwrap();
            stream.read_to_end(&mut answer).await.unwrap();
        } else {
            let mut stream = TcpStream::connect(self.address).await.unwrap();
            stream.write_all(bytes).await.unwrap();
            stream.read_to_end(&mut answer).await.unwrap();
        }
        String::from_utf8_lossy(&answer).into_owned()
    }

    async fn end(self) {
        self.stop.send(()).unwrap();
        self.task.await.unwrap().unwrap();
    }
}

/// RFC 9112, 3.2: whoever stands before us may have believed the other one.
#[tokio::test]
async fn a_host_is_named_once() {
    let served = Served::new();
    let post = "POST /api/v1/incidents/7/acknowledge HTTP/1.1\r\nauthorization: Bearer acts\r\ncontent-length: 12\r\n";
    let asked = [
        ("GET / HTTP/1.1\r\n", ""),
        ("GET /?embed=1 HTTP/1.1\r\naccept: text/html\r\n", ""),
        ("HEAD /api/v1/slos HTTP/1.1\r\n", ""),
        ("GET /metrics HTTP/1.1\r\n", ""),
        ("GET /nowhere HTTP/1.1\r\n", ""),
        ("POST /webhooks/slack HTTP/1.1\r\ncontent-length: 0\r\n", ""),
        (post, "{\"by\":\"ann\"}"),
    ];
    for is_local in [false, true] {
        for (head, body) in asked {
            for hosts in ["host: 127.0.0.1\r\nhost: evil.example\r\n", "Host: localhost\r\nHOST: localhost\r\n"] {
                let bytes = format!("{head}{hosts}connection: close\r\n\r\n{body}");
                let answer = served.ask(is_local, bytes.as_bytes()).await;
                assert!(answer.starts_with("HTTP/1.1 400"), "{is_local} {bytes}: {answer}");
                assert!(head.starts_with("HEAD") || answer.contains("names its host twice"), "{answer}");
            }
            let once = format!("{head}host: localhost\r\nconnection: close\r\n\r\n{body}");
            assert!(!served.ask(is_local, once.as_bytes()).await.starts_with("HTTP/1.1 400"), "{once}");
        }
    }
    served.end().await;
}

/// Whoever guesses keeps nobody else out; a proxy on this host says who it was.
#[tokio::test]
async fn log_ins_are_counted_by_address() {
    let served = Served::new();
    let mut seen = std::collections::BTreeMap::<(&str, String), u32>::new();
    for (from, times) in [("198.51.100.1", 25), ("198.51.100.2", 5), ("2001:db8::1", 15), ("2001:db8::2", 10)] {
        for _ in 0..times {
            let body = "name=eve&token=guess";
            let bytes = format!(
                "POST /login HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nx-forwarded-for: 6.6.6.6, {from}\r\n\
                 content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            );
            let answer = served.ask(false, bytes.as_bytes()).await;
            *seen.entry((from, answer[9..12].to_owned())).or_default() += 1;
        }
    }
    let count = |from: &'static str, status: &str| seen.get(&(from, status.to_owned())).copied().unwrap_or_default();
    assert!(count("198.51.100.1", "401") >= 20 && count("198.51.100.1", "429") > 0, "{seen:?}");
    assert_eq!((count("198.51.100.2", "401"), count("2001:db8::1", "401")), (5, 15), "{seen:?}");
    assert!(count("2001:db8::2", "429") > 0, "one household: {seen:?}");
    served.end().await;
}

#[test]
fn a_file_that_is_not_a_socket_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("slod.sock");
    std::fs::write(&path, "precious").unwrap();
    assert!(matches!(bind_socket(&path), Err(ServeError::Socket(..))));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
}
