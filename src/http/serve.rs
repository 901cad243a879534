//! Listens: on TCP for everybody, on a Unix socket for root and our own user.

use std::{
    future::Future,
    io,
    os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use axum_server::{Handle, accept::Accept};
use futures_util::future::BoxFuture;
use tokio::net::UnixStream;

use super::{Companion, Surface, router};

/// How long answers under way may take once the daemon stops.
const DRAIN: Duration = Duration::from_secs(3);
/// How long a client may take to say what it wants.
const HEADER_LIMIT: Duration = Duration::from_secs(10);

/// Why nothing is served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address cannot be used.
    #[error("cannot listen on {0}")]
    Tcp(String, #[source] io::Error),
    /// The socket cannot be made.
    #[error("cannot make the socket {}", .0.display())]
    Socket(PathBuf, #[source] io::Error),
    /// Another daemon answers there.
    #[error("another slod answers on {}", .0.display())]
    Occupied(PathBuf),
    /// The server ended by itself.
    #[error("the server stopped")]
    Stopped(#[source] io::Error),
}

/// Serves until `stop` is done, then lets answers under way finish for at most 3 s.
///
/// `tcp` is bound by the caller, so that an occupied port is known before anything else starts. The socket file is
/// removed at the end.
pub async fn serve(
    companion: Companion,
    tcp: std::net::TcpListener,
    socket: Option<std::os::unix::net::UnixListener>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let handle = Handle::new();
    let local = Handle::new();
    let stopping = {
        let (handle, local) = (handle.clone(), local.clone());
        tokio::spawn(async move {
            stop.await;
            handle.graceful_shutdown(Some(DRAIN));
            local.graceful_shutdown(Some(DRAIN));
        })
    };
    tcp.set_nonblocking(true).map_err(ServeError::Stopped)?;
    let path = socket.as_ref().and_then(|socket| socket.local_addr().ok()?.as_pathname().map(Path::to_owned));
    let open = serve_tcp(companion.clone(), tcp, handle);
    let done = match socket {
        Some(socket) => tokio::try_join!(open, serve_socket(companion, socket, local)).map(|_| ()),
        None => open.await,
    };
    stopping.abort();
    if let Some(path) = path {
        // It may be gone already, with its folder.
        let _ = std::fs::remove_file(path);
    }
    done.map_err(ServeError::Stopped)
}

/// Binds the address pages are served on.
pub fn bind_tcp(address: std::net::SocketAddr) -> Result<std::net::TcpListener, ServeError> {
    std::net::TcpListener::bind(address).map_err(|error| ServeError::Tcp(address.to_string(), error))
}

/// Makes the socket, mode 0600. One left by a daemon that is gone is replaced; one that answers is not.
pub fn bind_socket(path: &Path) -> Result<std::os::unix::net::UnixListener, ServeError> {
    let failed = |error| ServeError::Socket(path.to_owned(), error);
    match std::fs::symlink_metadata(path) {
        Ok(found) if !found.file_type().is_socket() => {
            return Err(failed(io::Error::new(io::ErrorKind::AlreadyExists, "there is a file that is not a socket")));
        }
        Ok(_) if std::os::unix::net::UnixStream::connect(path).is_ok() => {
            return Err(ServeError::Occupied(path.to_owned()));
        }
        Ok(_) => std::fs::remove_file(path).map_err(failed)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
    }
    let listener = std::os::unix::net::UnixListener::bind(path).map_err(failed)?;
    // Between these two lines the peer check alone keeps others out.
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    Ok(listener)
}

async fn serve_tcp(
    companion: Companion,
    listener: std::net::TcpListener,
    handle: Handle<std::net::SocketAddr>,
) -> io::Result<()> {
    let mut server = axum_server::from_tcp(listener)?.handle(handle).first_request_timeout(HEADER_LIMIT);
    server.http_builder().http1().header_read_timeout(HEADER_LIMIT);
    let service = router(companion, Surface::Tcp).into_make_service_with_connect_info::<std::net::SocketAddr>();
    server.serve(service).await
}

async fn serve_socket(
    companion: Companion,
    listener: std::os::unix::net::UnixListener,
    handle: Handle<std::os::unix::net::SocketAddr>,
) -> io::Result<()> {
    let address = listener.local_addr()?;
    let path = address.as_pathname().ok_or_else(|| io::Error::other("the socket has no path"))?;
    let peers = Peers { own: std::fs::metadata(path)?.uid() };
    let mut server = axum_server::from_unix(listener)?.acceptor(peers).handle(handle);
    server.http_builder().http1().header_read_timeout(HEADER_LIMIT);
    server.serve(router(companion, Surface::Socket).into_make_service()).await
}

/// Lets in root and the user the socket belongs to: ours, for we have just made it.
#[derive(Clone, Copy, Debug)]
struct Peers {
    own: u32,
}

impl<S: Send + 'static> Accept<UnixStream, S> for Peers {
    type Stream = UnixStream;
    type Service = S;
    type Future = BoxFuture<'static, io::Result<(UnixStream, S)>>;

    fn accept(&self, stream: UnixStream, service: S) -> Self::Future {
        let own = self.own;
        Box::pin(async move {
            let peer = stream.peer_cred()?.uid();
            if peer == 0 || peer == own {
                return Ok((stream, service));
            }
            tracing::warn!(uid = peer, "a foreign user was turned away from the socket");
            Err(io::Error::from(io::ErrorKind::PermissionDenied))
        })
    }
}
