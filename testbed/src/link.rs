//! A connection that can be cut: a server that is well, and cannot be reached.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// Passes connections on to a server, until it is cut.
#[derive(Debug)]
pub struct Link {
    address: SocketAddr,
    is_up: Arc<watch::Sender<bool>>,
}

impl Link {
    /// A link to `server`, not cut.
    pub async fn to(server: SocketAddr) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let is_up = Arc::new(watch::Sender::new(true));
        let state = is_up.clone();
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let mut state = state.subscribe();
                if !*state.borrow() {
                    continue;
                }
                tokio::spawn(async move {
                    let Ok(mut far) = TcpStream::connect(server).await else { return };
                    // Either way both ends are closed.
                    tokio::select! {
                        _ = copy_bidirectional(&mut near, &mut far) => {}
                        _ = state.wait_for(|is_up| !is_up) => {}
                    }
                });
            }
        });
        Ok(Self { address, is_up })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Closes what is open, and whatever comes.
    pub fn cut(&self) {
        self.is_up.send_replace(false);
    }

    /// Passes on again.
    pub fn mend(&self) {
        self.is_up.send_replace(true);
    }
}
