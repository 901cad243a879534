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

#[test]
fn a_file_that_is_not_a_socket_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("slod.sock");
    std::fs::write(&path, "precious").unwrap();
    assert!(matches!(bind_socket(&path), Err(ServeError::Socket(..))));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
}
