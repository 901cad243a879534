//! Servers that answer badly, slowly or without end.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::sleep,
};

/// How a server misbehaves.
#[derive(Clone, Debug)]
pub enum Evil {
    /// Sends this and closes.
    Says(String),
    /// Sends a good head and then a body without end.
    Endless,
    /// Sends a good head and then a byte a second.
    Drips,
    /// Takes the question and never answers.
    Stalls,
    /// Sends these one after the other, and the last again and again.
    Turns(Vec<String>),
    /// Sends what stands beside the first text that the question holds, or closes.
    Answers(Vec<(String, String)>),
    /// Takes a while, then sends this.
    Dawdles(Duration, String),
}

/// A running server. Ends when dropped.
pub struct EvilServer {
    /// Where it listens.
    pub address: SocketAddr,
    /// All that was asked, as it came.
    pub asked: Arc<Mutex<Vec<String>>>,
    /// The most that were asked at the same time.
    pub peak: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl EvilServer {
    pub async fn start(evil: Evil) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let peak = Arc::new(AtomicUsize::new(0));
        let now = Arc::new(AtomicUsize::new(0));
        let (questions, most) = (Arc::clone(&asked), Arc::clone(&peak));
        let task = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (evil, questions, most, now) =
                    (evil.clone(), Arc::clone(&questions), Arc::clone(&most), Arc::clone(&now));
                tokio::spawn(async move {
                    let question = question(&mut stream).await;
                    let turn = {
                        let mut questions = questions.lock().unwrap();
                        questions.push(question.clone());
                        questions.len()
                    };
                    most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    evil.answer(&mut stream, &question, &now, turn).await;
                });
            }
        });
        Self { address, asked, peak, task }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for EvilServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Evil {
    /// A whole answer with this status line, headers and body.
    pub fn says(status: &str, headers: &str, body: &str) -> Self {
        Self::Says(whole(status, headers, body))
    }

    /// Answers the question number `turn`, from 1.
    async fn answer(self, stream: &mut TcpStream, question: &str, now: &AtomicUsize, turn: usize) {
        const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
        let said = match self {
            Self::Says(text) => text,
            Self::Turns(mut texts) => texts.swap_remove(turn.min(texts.len()) - 1),
            Self::Answers(rules) => {
                rules.into_iter().find(|(part, _)| question.contains(part)).map(|(_, said)| said).unwrap_or_default()
            }
            Self::Dawdles(time, text) => {
                sleep(time).await;
                text
            }
            Self::Stalls => {
                sleep(Duration::from_mins(1)).await;
                return;
            }
            Self::Drips => {
                let mut piece = HEAD.to_owned();
                while stream.write_all(piece.as_bytes()).await.is_ok() {
                    "1\r\n \r\n".clone_into(&mut piece);
                    sleep(Duration::from_secs(1)).await;
                }
                return;
            }
            Self::Endless => {
                let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
                let mut sent = stream.write_all(HEAD.as_bytes()).await;
                for _ in 0..100 * 16 {
                    if sent.is_ok() {
                        sent = stream.write_all(chunk.as_bytes()).await;
                    }
                }
                return;
            }
        };
        now.fetch_sub(1, Ordering::SeqCst);
        drop(stream.write_all(said.as_bytes()).await);
        drop(stream.shutdown().await);
    }
}

/// A whole answer.
pub fn whole(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n{headers}\r\n{body}", body.len())
}

/// Reads head and body.
async fn question(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length =
                head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                return text;
            }
        }
        match stream.read(&mut chunk).await {
            Ok(0) | Err(_) => return text,
            Ok(count) => bytes.extend_from_slice(&chunk[..count]),
        }
    }
}
