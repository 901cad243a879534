//! A mail server that keeps every mail and delivers none.

use std::sync::Arc;

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

use super::{
    fault::Fault,
    request::{Peer, Received},
    world::{Shared, now},
};

const MAIL_MAX: usize = 4 << 20;

pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            tokio::select! {
                // A client that goes away in the middle is nothing to tell.
                _ = converse(stream, &shared) => {}
                () = shared.ended() => {}
            }
        });
    }
}

async fn converse(stream: TcpStream, shared: &Shared) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 inbox ESMTP\r\n").await?;
    let (mut line, mut to) = (String::new(), Vec::new());
    loop {
        line.clear();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let command = line.trim_end().to_owned();
        let verb = command.split_whitespace().next().unwrap_or_default().to_ascii_uppercase();
        let fault = shared.world().faults.meet(&format!("{verb}@smtp"));
        if let Some(fault) = fault {
            let Some(reply) = misbehave(fault, shared).await else { return Ok(()) };
            stream.write_all(format!("{reply}\r\n").as_bytes()).await?;
            continue;
        }
        let reply = match verb.as_str() {
            "EHLO" => "250-inbox\r\n250-8BITMIME\r\n250 AUTH PLAIN",
            "AUTH" => "235 2.7.0 ok",
            "RCPT" if command.to_lowercase().contains("<nobody@") => "550 5.1.1 no such user",
            "RCPT" => {
                to.push(command.split(['<', '>']).nth(1).unwrap_or_default().to_owned());
                "250 ok"
            }
            "RSET" => {
                to.clear();
                "250 ok"
            }
            "HELO" | "MAIL" | "NOOP" => "250 ok",
            "DATA" if to.is_empty() => "503 5.5.1 to whom?",
            "DATA" => {
                stream.write_all(b"354 go on\r\n").await?;
                let raw = read_data(&mut stream).await?;
                let Some(reply) = receive(shared, &raw, &to).await else { return Ok(()) };
                stream.write_all(format!("{reply}\r\n").as_bytes()).await?;
                continue;
            }
            "QUIT" => {
                stream.write_all(b"221 bye\r\n").await?;
                return Ok(());
            }
            _ => "502 5.5.2 not known here",
        };
        stream.write_all(format!("{reply}\r\n").as_bytes()).await?;
    }
}

/// The mail up to the lone dot, with dots unstuffed.
async fn read_data(stream: &mut BufReader<TcpStream>) -> std::io::Result<Vec<u8>> {
    let mut raw = Vec::new();
    loop {
        let start = raw.len();
        if stream.read_until(b'\n', &mut raw).await? == 0 || raw.len() > MAIL_MAX {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if &raw[start..] == b".\r\n" {
            raw.truncate(start);
            return Ok(raw);
        }
        if raw[start] == b'.' {
            raw.remove(start);
        }
    }
}

/// What is answered to a command instead; none: the connection is closed.
async fn misbehave(fault: Fault, shared: &Shared) -> Option<String> {
    match fault {
        Fault::Says(code, text) => Some(format!("{code} {text}")),
        Fault::Status(code) | Fault::Busy(code, _) => Some(format!("{code} switched on")),
        Fault::Garbage => Some("what do you mean".to_owned()),
        Fault::Hang(time) => {
            match time {
                Some(time) => tokio::time::sleep(time).await,
                None => shared.ended().await,
            }
            None
        }
        Fault::Drop | Fault::Lost => None,
    }
}

/// What is answered to a mail; none: the connection is closed.
async fn receive(shared: &Shared, raw: &[u8], to: &[String]) -> Option<String> {
    let fault = shared.world().faults.meet("smtp");
    match fault {
        Some(Fault::Hang(Some(time))) => tokio::time::sleep(time).await,
        Some(Fault::Hang(None)) => shared.ended().await,
        _ => {}
    }
    let mut problems = Vec::new();
    let looked_at = matches!(fault, None | Some(Fault::Hang(_) | Fault::Lost));
    let (body, summary) = if looked_at {
        shared.world().mailboxes.take(raw, to, &mut problems)
    } else {
        (serde_json::json!({"to": to}), String::new())
    };
    let said = |code: u16, text: &str| Some((code, format!("{code} {text}")));
    let reply = match &fault {
        None | Some(Fault::Hang(_)) => said(250, "ok"),
        Some(Fault::Drop | Fault::Lost) => None,
        Some(Fault::Status(400)) => said(550, "5.1.1 no such user"),
        Some(Fault::Says(code, text)) => said(*code, text),
        Some(Fault::Garbage) => Some((0, "what do you mean".to_owned())),
        Some(Fault::Status(_) | Fault::Busy(..)) => said(451, "4.3.0 try again later"),
    };
    shared.record(Received {
        at: now(),
        peer: Peer::Mail,
        method: "DATA".to_owned(),
        path: "smtp".to_owned(),
        agent: String::new(),
        body,
        summary,
        status: reply.as_ref().map_or(0, |(status, _)| *status),
        fault: fault.as_ref().map(Fault::word),
        problems,
    });
    reply.map(|(_, reply)| reply)
}
