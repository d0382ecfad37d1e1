//! A server of one folder that does what a script says: what goes wrong on the way from a real one.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What the server does with a request.
#[derive(Clone)]
pub(super) enum Act {
    /// Gives the file, or the piece that is asked for.
    Serve,
    /// Begins so, and closes the connection after this many bytes of the body.
    Cut(usize),
    /// Begins so, and falls silent after this many bytes of the body.
    Stall(usize),
    /// Gives the file slowly, 64 KiB at a time.
    Trickle,
    /// Gives the whole file, whatever piece is asked for.
    Whole,
    /// Begins so, and closes the connection after this many bytes of the body.
    WholeCut(usize),
    /// Gives another file, or a piece of it, with its length.
    Other(Vec<u8>),
    /// Gives another file and does not say how long it is: the end of the connection is the end of the file.
    Endless(Vec<u8>),
    /// A status and headers.
    Status(&'static str),
    /// The file is elsewhere.
    Redirect(String),
    /// Accepts the connection and says nothing.
    Hang,
}

/// A request, as far as it counts.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Request {
    pub(super) path: String,
    pub(super) range: Option<String>,
}

pub(super) struct Server {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
    sent: Arc<Mutex<usize>>,
}

/// So long nobody waits in a test.
const FOREVER: Duration = Duration::from_secs(60);

impl Server {
    /// A server of `files`, by name. The n-th request gets the n-th act; the last act is for all that come after.
    pub(super) fn of(files: BTreeMap<String, Vec<u8>>, acts: &[Act]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self { address: listener.local_addr().unwrap(), requests: Arc::default(), sent: Arc::default() };
        let (requests, sent, acts) = (server.requests.clone(), server.sent.clone(), acts.to_vec());
        // The thread ends with the process.
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let Ok(request) = read(&stream) else { continue };
                let mut seen = requests.lock().unwrap();
                let act = acts[seen.len().min(acts.len() - 1)].clone();
                seen.push(request.clone());
                drop(seen);
                let content = files.get(request.path.trim_start_matches('/')).cloned();
                let sent = sent.clone();
                // A client that has gone is no fault of the server.
                thread::spawn(move || answer(stream, &request, act, content, &sent).ok());
            }
        });
        server
    }

    /// A server whose every file is `content`, called `file`.
    pub(super) fn new(content: &[u8], acts: &[Act]) -> Self {
        Self::of(BTreeMap::from([("file".to_owned(), content.to_vec())]), acts)
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// What was asked for, so far.
    pub(super) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// Of each request, the piece that it asked for; empty: the whole.
    pub(super) fn ranges(&self) -> Vec<String> {
        self.requests().into_iter().map(|request| request.range.unwrap_or_default()).collect()
    }

    /// Bytes of files that were sent.
    pub(super) fn n_sent(&self) -> usize {
        *self.sent.lock().unwrap()
    }
}

fn read(stream: &TcpStream) -> io::Result<Request> {
    stream.set_read_timeout(Some(FOREVER))?;
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next().ok_or(io::ErrorKind::UnexpectedEof)??;
    let mut request = Request { path: first.split(' ').nth(1).unwrap_or_default().to_owned(), range: None };
    for line in lines {
        match line?.split_once(':') {
            Some((name, value)) if name.eq_ignore_ascii_case("range") => request.range = Some(value.trim().to_owned()),
            Some(_) => {}
            None => break,
        }
    }
    Ok(request)
}

fn answer(
    mut stream: TcpStream,
    request: &Request,
    act: Act,
    content: Option<Vec<u8>>,
    sent: &Mutex<usize>,
) -> io::Result<()> {
    let Some(content) = content else {
        return write!(stream, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    };
    let range = request.range.as_deref();
    let (status, headers, body) = match &act {
        Act::Hang => {
            thread::sleep(FOREVER);
            return Ok(());
        }
        Act::Status(status) => (*status, "Content-Length: 0\r\n".to_owned(), &[][..]),
        Act::Redirect(to) => ("302 Found", format!("Location: {to}\r\nContent-Length: 0\r\n"), &[][..]),
        Act::Endless(other) => ("200 OK", String::new(), &other[..]),
        Act::Other(other) => piece(other, range),
        Act::Whole | Act::WholeCut(_) => piece(&content, None),
        Act::Serve | Act::Cut(_) | Act::Stall(_) | Act::Trickle => piece(&content, range),
    };
    write!(stream, "HTTP/1.1 {status}\r\n{headers}Connection: close\r\n\r\n")?;
    let mut send = |bytes: &[u8]| {
        *sent.lock().unwrap() += bytes.len();
        stream.write_all(bytes)
    };
    match act {
        Act::Cut(n) | Act::WholeCut(n) => send(&body[..n.min(body.len())])?,
        Act::Stall(n) => {
            send(&body[..n.min(body.len())])?;
            thread::sleep(FOREVER);
        }
        Act::Trickle => {
            for piece in body.chunks(1 << 16) {
                send(piece)?;
                thread::sleep(Duration::from_millis(20));
            }
        }
        _ => send(body)?,
    }
    stream.shutdown(Shutdown::Write)
}

/// Status, headers and body of an answer that knows ranges, as RFC 9110 §14 has it.
fn piece<'a>(content: &'a [u8], range: Option<&str>) -> (&'static str, String, &'a [u8]) {
    let n = content.len();
    let Some(range) = range else { return ("200 OK", format!("Content-Length: {n}\r\n"), content) };
    let first: usize = range.strip_prefix("bytes=").unwrap().strip_suffix('-').unwrap().parse().unwrap();
    if first >= n {
        let headers = format!("Content-Range: bytes */{n}\r\nContent-Length: 0\r\n");
        return ("416 Range Not Satisfiable", headers, &[]);
    }
    let headers = format!("Content-Range: bytes {first}-{}/{n}\r\nContent-Length: {}\r\n", n - 1, n - first);
    ("206 Partial Content", headers, &content[first..])
}
