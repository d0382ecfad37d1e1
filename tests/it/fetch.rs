//! Published files are fetched from a server on this machine that does, one after the other, all that servers and networks
//! do wrong.

mod server;

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::slice::from_ref;
use std::thread::{sleep, spawn};
use std::time::Duration;

use infoplane::datasets::{DATASETS, PublishedFile, Source};
use infoplane::stages::fetch::{Patience, fetch};
use infoplane::stages::{Outcome, Progress};
use infoplane::store::Lock;
use server::{Act, Server};

use crate::tool::{PROGRAM, Project, real_data};

/// 100 000 bytes, no two stretches of which are the same.
fn content() -> Vec<u8> {
    (0..100_000_u64).map(|i| (i * i / 7 % 251) as u8).collect()
}

/// What is published. SHA-256 of [`content`] by Python's hashlib.
const FILE: PublishedFile = PublishedFile {
    name: "file",
    bytes: 100_000,
    sha256: "cbc78aeb1f9acd312a840bcf5d37758a47a79749a8aa169fb41333e3fcd30840",
};

/// SHA-256 of [`other`] by Python's hashlib.
const OTHER: &str = "e413ad82e9fa0e0bbf915ec0dcae60436250aeddae8b9395a10dd458e12d0d4d";

/// Another file of the same size.
fn other() -> Vec<u8> {
    content().into_iter().map(|byte| byte ^ 1).collect()
}

/// A file that is longer.
fn longer() -> Vec<u8> {
    [content(), content()].concat()
}

/// Nobody waits in a test; two waits, so three attempts.
const QUICK: Patience = Patience {
    connection: Duration::from_secs(20),
    silence: Duration::from_secs(20),
    waits: &[Duration::from_millis(1), Duration::from_millis(2)],
};

/// For servers that say nothing.
const HASTY: Patience = Patience { silence: Duration::from_millis(300), ..QUICK };

struct Silent;

impl Progress for Silent {
    fn begin(&self, _: &str, _: u64) {}
    fn advance(&self, _: u64) {}
    fn message(&self, _: &str) {}
    fn end(&self) {}
}

/// A folder into which is fetched.
struct Place(Project);

impl Place {
    fn new() -> Self {
        let place = Self(Project::in_memory());
        fs::create_dir(place.path("")).unwrap();
        place
    }

    /// A folder that holds some of a file: what a process that was killed has left.
    fn with_part(part: &[u8]) -> Self {
        let place = Self::new();
        fs::write(place.path("file.part"), part).unwrap();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path("raw").join(name)
    }

    fn fetch_from(&self, patience: Patience, urls: &[String]) -> Result<Outcome, String> {
        let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
        fetch(&[FILE], &urls, &self.path(""), patience, &Silent).map_err(|e| e.to_string())
    }

    /// Fetches the file from `servers`.
    #[track_caller]
    fn fetches(&self, servers: &[&Server]) {
        let urls: Vec<String> = servers.iter().map(|server| server.url()).collect();
        let outcome = self.fetch_from(QUICK, &urls).unwrap();
        assert!(matches!(outcome, Outcome::Done(_)), "the file was there");
        self.check_whole();
    }

    #[track_caller]
    fn check_whole(&self) {
        assert!(fs::read(self.path("file")).unwrap() == content(), "not the published bytes");
        assert!(!self.path("file.part").exists(), "a part is left");
    }

    /// What is said where the file cannot be fetched from `servers`.
    #[track_caller]
    fn refused(&self, servers: &[&Server]) -> String {
        let urls: Vec<String> = servers.iter().map(|server| server.url()).collect();
        let sentence = self.fetch_from(QUICK, &urls).unwrap_err();
        assert!(!self.path("file").exists(), "something took the place of the file");
        sentence
    }

    /// What there is of the file.
    fn part(&self) -> Option<Vec<u8>> {
        fs::read(self.path("file.part")).ok()
    }
}

const TO_DO: &str = "try again later, or name another source with `--mirror URL`";

#[test]
fn a_file_is_fetched_once() {
    let (place, server) = (Place::new(), Server::new(&content(), &[Act::Serve]));
    place.fetches(&[&server]);
    assert_eq!(place.fetch_from(QUICK, &[server.url()]), Ok(Outcome::UpToDate));
    assert_eq!(server.requests().len(), 1);
    // With or without the last stroke, the address is that of a folder.
    let (place, url) = (Place::new(), server.url());
    place.fetch_from(QUICK, &[url.trim_end_matches('/').to_owned()]).unwrap();
    assert!(server.requests().iter().all(|request| request.path == "/file"));
}

#[test]
fn an_interrupted_transfer_continues_where_it_stopped() {
    let (place, server) = (Place::new(), Server::new(&content(), &[Act::Cut(30_000), Act::Cut(50_000), Act::Serve]));
    place.fetches(&[&server]);
    assert_eq!(server.ranges(), ["", "bytes=30000-", "bytes=80000-"]);
    assert_eq!(server.n_sent(), 100_000, "a byte was sent twice");
}

#[test]
fn the_work_of_a_killed_process_is_continued() {
    let (place, server) = (Place::with_part(&content()[..60_000]), Server::new(&content(), &[Act::Serve]));
    place.fetches(&[&server]);
    assert_eq!((server.ranges(), server.n_sent()), (vec!["bytes=60000-".to_owned()], 40_000));
    // Killed when all was there but for the name.
    let place = Place::with_part(&content());
    place.fetches(&[&server]);
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_mirror_continues_the_file_of_another_mirror() {
    let first = Server::new(&content(), &[Act::Cut(30_000), Act::Status("404 Not Found")]);
    let (place, second) = (Place::new(), Server::new(&content(), &[Act::Serve]));
    place.fetches(&[&first, &second]);
    assert_eq!(second.ranges(), ["bytes=30000-"]);
}

#[test]
fn a_server_without_ranges_sends_the_file_from_its_start() {
    let (place, server) = (Place::new(), Server::new(&content(), &[Act::WholeCut(30_000), Act::Whole]));
    place.fetches(&[&server]);
    assert_eq!(server.ranges(), ["", "bytes=30000-"]);
    let server = Server::new(&content(), &[Act::Status("416 Range Not Satisfiable"), Act::Serve]);
    let place = Place::with_part(&content()[..60_000]);
    place.fetches(&[&server]);
    assert_eq!(server.ranges(), ["bytes=60000-", ""]);
}

#[test]
fn an_incomplete_file_with_other_content_is_fetched_again() {
    let check = |part: &[u8], ranges: &[&str]| {
        let (place, server) = (Place::with_part(part), Server::new(&content(), &[Act::Serve]));
        place.fetches(&[&server]);
        assert_eq!(server.ranges(), ranges);
    };
    check(&other()[..60_000], &["bytes=60000-", ""]);
    check(&other(), &[""]);
    check(&longer(), &[""]);
}

#[test]
fn wrong_content_is_removed_and_the_next_mirror_is_used() {
    let wrong = Server::new(&other(), &[Act::Serve]);
    let (place, right) = (Place::new(), Server::new(&content(), &[Act::Serve]));
    place.fetches(&[&wrong, &right]);
    assert_eq!((wrong.ranges(), right.ranges()), (vec![String::new()], vec![String::new()]));

    let place = Place::new();
    let sentence = place.refused(&[&wrong]);
    let (url, sha256) = (wrong.url(), FILE.sha256);
    assert_eq!(
        sentence,
        format!("cannot fetch file: {url}: wrong content, removed: its sha256 is {OTHER}, expected {sha256}; {TO_DO}")
    );
    assert_eq!(place.part(), None);
}

#[test]
fn wrong_content_is_fetched_again_as_a_whole_before_it_is_refused() {
    let server = Server::new(&other(), &[Act::Cut(30_000), Act::Serve]);
    let place = Place::new();
    assert!(place.refused(&[&server]).contains("wrong content"));
    assert_eq!(server.ranges(), ["", "bytes=30000-", ""]);
}

#[test]
fn a_file_of_another_size_is_refused_before_it_is_read_if_the_server_states_the_size() {
    let check = |act: Act, problem: &str| {
        let (place, server) = (Place::new(), Server::new(&content(), from_ref(&act)));
        assert_eq!(place.refused(&[&server]), format!("cannot fetch file: {}: {problem}; {TO_DO}", server.url()));
        assert_eq!((server.requests().len(), place.part()), (1, None));
        let right = Server::new(&content(), &[Act::Serve]);
        Place::new().fetches(&[&Server::new(&content(), &[act]), &right]);
    };
    check(Act::Other(longer()), "wrong file: it has 200000 bytes, expected 100000");
    check(Act::Other(content()[..9].to_vec()), "wrong file: it has 9 bytes, expected 100000");
    check(Act::Other(Vec::new()), "wrong file: it has 0 bytes, expected 100000");
    check(Act::Endless(longer()), "wrong file: it has more than 100000 bytes");
    // What is there of the right file stays.
    let place = Place::with_part(&content()[..60_000]);
    for act in [Act::Other(longer()), Act::Other(content()[..9].to_vec())] {
        let sentence = place.refused(&[&Server::new(&content(), &[act])]);
        assert!(sentence.ends_with(&format!("; 60000 of 100000 bytes are kept; {TO_DO}")), "{sentence}");
    }
    place.fetches(&[&Server::new(&content(), &[Act::Serve])]);
}

#[test]
fn a_response_that_ends_too_early_is_continued() {
    let server = Server::new(&content(), &[Act::Endless(content()[..30_000].to_vec()), Act::Serve]);
    Place::new().fetches(&[&server]);
    assert_eq!(server.ranges(), ["", "bytes=30000-"]);
}

#[test]
fn a_busy_server_is_asked_again_a_limited_number_of_times() {
    let busy = Act::Status("503 Service Unavailable");
    let server = Server::new(&content(), &[busy.clone(), busy.clone(), Act::Serve]);
    Place::new().fetches(&[&server]);
    assert_eq!(server.requests().len(), 3);
    // Progress gives new hope.
    let acts = [busy.clone(), busy.clone(), Act::Cut(30_000), busy.clone(), Act::Serve];
    let server = Server::new(&content(), &acts);
    Place::new().fetches(&[&server]);
    assert_eq!(server.requests().len(), 5);

    let server = Server::new(&content(), &[busy]);
    let sentence = Place::new().refused(&[&server]);
    let url = server.url();
    assert_eq!(sentence, format!("cannot fetch file: {url}: 503 Service Unavailable, after 3 attempts; {TO_DO}"));
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn a_server_that_always_interrupts_is_given_up() {
    let check = |act: Act, n_requests: usize, n_kept: usize| {
        let (place, server) = (Place::new(), Server::new(&content(), &[act]));
        let sentence = place.refused(&[&server]);
        let kept = format!("the connection was cut, after 3 attempts; {n_kept} of 100000 bytes are kept; {TO_DO}");
        assert_eq!(sentence, format!("cannot fetch file: {}: {kept}", server.url()));
        assert_eq!(server.requests().len(), n_requests);
        assert!(place.part().unwrap() == content()[..n_kept], "the part is not of the file");
    };
    // The first answer is progress, the others bring nothing, or next to nothing.
    check(Act::WholeCut(30_000), 3, 30_000);
    check(Act::Cut(1), 3, 3);
}

#[test]
fn a_missing_file_is_requested_once() {
    let missing = Server::new(&content(), &[Act::Status("404 Not Found")]);
    let forbidden = Server::new(&content(), &[Act::Status("403 Forbidden")]);
    let right = Server::new(&content(), &[Act::Serve]);
    Place::new().fetches(&[&missing, &forbidden, &right]);
    assert_eq!([&missing, &forbidden, &right].map(|server| server.requests().len()), [1, 1, 1]);

    let sentence = Place::new().refused(&[&missing, &forbidden]);
    let (first, second) = (missing.url(), forbidden.url());
    assert_eq!(sentence, format!("cannot fetch file: {first}: 404 Not Found; {second}: 403 Forbidden; {TO_DO}"));
}

#[test]
fn an_unreachable_mirror_is_followed_by_the_next_one() {
    let nobody = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}/", listener.local_addr().unwrap())
    };
    let (place, right) = (Place::new(), Server::new(&content(), &[Act::Serve]));
    place.fetch_from(QUICK, &[nobody.clone(), right.url()]).unwrap();
    place.check_whole();
    let sentence = Place::new().fetch_from(QUICK, from_ref(&nobody)).unwrap_err();
    assert!(sentence.starts_with(&format!("cannot fetch file: {nobody}: Connection refused")), "{sentence}");
}

#[test]
fn a_silent_server_ends_the_request() {
    let (place, silent) = (Place::new(), Server::new(&content(), &[Act::Hang]));
    let right = Server::new(&content(), &[Act::Serve]);
    let sentence = place.fetch_from(HASTY, &[silent.url()]).unwrap_err();
    let url = silent.url();
    assert_eq!(sentence, format!("cannot fetch file: {url}: no data received for 0.3 s, after 3 attempts; {TO_DO}"));
    place.fetch_from(HASTY, &[silent.url(), right.url()]).unwrap();
    place.check_whole();

    let (place, server) = (Place::new(), Server::new(&content(), &[Act::Stall(30_000), Act::Serve]));
    place.fetch_from(HASTY, &[server.url()]).unwrap();
    place.check_whole();
    assert_eq!(server.ranges(), ["", "bytes=30000-"]);
}

#[test]
fn redirects_are_followed_with_the_range() {
    let real = Server::new(&content(), &[Act::Serve]);
    let server = Server::new(&content(), &[Act::Redirect(format!("{}file", real.url()))]);
    Place::with_part(&content()[..60_000]).fetches(&[&server]);
    assert_eq!(real.ranges(), ["bytes=60000-"]);
    // In a circle.
    let server = Server::new(&content(), &[Act::Redirect("/file".to_owned())]);
    assert!(Place::new().refused(&[&server]).contains("too many redirects"));
    assert!(server.requests().len() <= 11, "{}", server.requests().len());
}

/// The address, without `http:`, of a server that answers so, whatever is asked.
fn server_that_says(answer: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("//{}/", listener.local_addr().unwrap());
    spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            // A client that has gone is no fault of the server.
            let _ = stream.read(&mut [0; 1 << 12]).and_then(|_| stream.write_all(answer));
        }
    });
    url
}

#[test]
fn a_response_that_is_not_http_is_reported() {
    let check = |scheme: &str, answer: &'static [u8], problem: &str| {
        let (place, url) = (Place::new(), format!("{scheme}:{}", server_that_says(answer)));
        let sentence = place.fetch_from(QUICK, from_ref(&url)).unwrap_err();
        assert!(sentence.starts_with(&format!("cannot fetch file: {url}: {problem}")), "{sentence}");
        assert!(place.part().is_none() && !place.path("file").exists());
    };
    check("http", b"", "the connection was cut, after 3 attempts");
    check("http", b"220 ftp.example ready\r\n\r\n", "protocol: http parse fail: ");
    check("http", b"\xff\x00\r\n\r\n", "protocol: http parse fail: ");
    check("http", b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n", "protocol: content-length header not a number");
    check("http", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", "protocol: chunk length ");
    check("https", b"HTTP/1.1 400 Bad Request\r\n\r\n", "received corrupt message");
}

#[test]
fn a_file_with_other_content_is_kept() {
    let check = |found: &[u8], problem: &str| {
        let (place, server) = (Place::new(), Server::new(&content(), &[Act::Serve]));
        fs::write(place.path("file"), found).unwrap();
        let path = place.path("file");
        let sentence = place.fetch_from(QUICK, &[server.url()]).unwrap_err();
        let to_do = "move it away, or choose another folder with `--folder DIR`";
        let path = path.display();
        assert_eq!(sentence, format!("{path} exists and is not the published file: {problem}; {to_do}"));
        assert_eq!(fs::read(place.path("file")).unwrap(), found);
        assert_eq!(server.requests().len(), 0);
    };
    check(b"mine", "it has 4 bytes, expected 100000");
    check(&other(), &format!("its sha256 is {OTHER}, expected {}", FILE.sha256));
}

#[test]
fn two_calls_do_not_fetch_into_one_folder_at_once() {
    let (place, server) = (Place::new(), Server::new(&content(), &[Act::Serve]));
    let lock = Lock::named(&place.path(""), "fetch").unwrap();
    let sentence = place.refused(&[&server]);
    assert!(sentence.starts_with("another infoplane process is downloading into "), "{sentence}");
    assert!(sentence.ends_with("choose another folder with `--folder DIR`"), "{sentence}");
    drop(lock);
    place.fetches(&[&server]);
}

#[test]
fn an_incomplete_file_that_is_a_link_is_refused_and_no_other_mirror_is_tried() {
    let (place, server) = (Place::new(), Server::new(&content(), &[Act::Serve]));
    let next = Server::new(&content(), &[Act::Serve]);
    std::os::unix::fs::symlink("/dev/full", place.path("file.part")).unwrap();
    let sentence = place.refused(&[&server, &next]);
    assert!(sentence.contains("file.part: a link to /dev/full"), "{sentence}");
    assert_eq!(next.requests().len(), 0);
    fs::remove_file(place.path("file.part")).unwrap();
    place.fetches(&[&server]);
}

#[test]
fn an_invalid_address_of_a_mirror_is_refused_before_any_work() {
    let check = |url: &str, problem: &str| {
        let place = Place::new();
        let sentence = place.fetch_from(QUICK, &[url.to_owned()]).unwrap_err();
        assert_eq!(sentence, format!("mirror `{url}`: {problem}"));
        assert_eq!(fs::read_dir(place.path("")).unwrap().count(), 0);
    };
    for url in ["ftp://127.0.0.1/", "127.0.0.1", "data/raw", "/data/raw", "http://", "http:// /", ""] {
        check(url, "must be an address that begins with `https://` or `http://`");
    }
    check("http://127.0.0.1/?file=", "must be the address of a folder, without `?` and `#`");
    check("http://127.0.0.1/#", "must be the address of a folder, without `?` and `#`");
    let sentence = Place::new().fetch_from(QUICK, &[]).unwrap_err();
    assert_eq!(sentence, format!("cannot fetch file: there is no known mirror; {TO_DO}"));
}

/// MNIST's test files by name, with what they are known by (`sha256sum`).
const MNIST: [PublishedFile; 2] = [
    PublishedFile {
        name: "t10k-images-idx3-ubyte.gz",
        bytes: 1_648_877,
        sha256: "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    },
    PublishedFile {
        name: "t10k-labels-idx1-ubyte.gz",
        bytes: 4542,
        sha256: "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    },
];

#[test]
fn real_files_are_complete_after_many_interruptions() {
    let Some(folder) = real_data("mnist") else { return };
    let files = MNIST.map(|file| (file.name.to_owned(), fs::read(folder.join(file.name)).unwrap()));
    let server = Server::of(BTreeMap::from(files.clone()), &[Act::Cut(1_000_000), Act::Stall(300_000), Act::Serve]);
    let place = Place::new();
    let outcome = fetch(&MNIST, &[&server.url()], &place.path(""), HASTY, &Silent).unwrap();
    assert_eq!(outcome, Outcome::Done(format!("2 files, 1653419 bytes → {}", place.path("").display())));
    for (name, content) in files {
        assert!(fs::read(place.path(&name)).unwrap() == content, "{name}");
    }
    assert_eq!(server.ranges(), ["", "bytes=1000000-", "bytes=1300000-", ""]);
}

/// The name of a data set that is made of files, and the first of them.
fn set_of_files() -> Option<(&'static str, PublishedFile)> {
    let found = DATASETS.iter().find_map(|spec| match spec.source {
        Source::Files { files, .. } => Some((spec.name, files[0])),
        Source::Rule(_) => None,
    });
    if found.is_none() {
        println!("skipped: no data set is made of files");
    }
    found
}

#[test]
fn a_killed_fetch_continues_where_it_stopped() {
    let Some((name, file)) = set_of_files() else { return };
    let zeros = || BTreeMap::from([(file.name.to_owned(), vec![0; file.bytes as usize])]);
    let server = Server::of(zeros(), &[Act::Trickle, Act::Serve]);
    let project = Project::in_memory();
    let line = format!("data fetch {name} --mirror {}", server.url());
    let part = project.path(&format!("data/raw/{name}/{}.part", file.name));
    let mut child = project.start(&line);
    while fs::metadata(&part).map_or(0, |there| there.len()) < 200_000 {
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
        sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let n = fs::metadata(&part).unwrap().len();

    // Zeros are not what was published; before that is said, they are asked for in one piece.
    let sentence = project.refused(&line);
    assert_eq!(server.ranges(), [String::new(), format!("bytes={n}-"), String::new()]);
    assert!(sentence.starts_with(&format!("infoplane: cannot fetch {}: ", file.name)), "{sentence}");
    assert!(sentence.contains("wrong content") && sentence.contains(file.sha256), "{sentence}");
    assert!(project.files(&format!("data/raw/{name}")).is_empty(), "something is left");
}

#[test]
fn the_folder_of_a_fetch_can_be_chosen_and_problems_are_reported() {
    let Some((name, file)) = set_of_files() else { return };
    let (project, server) = (Project::in_memory(), Server::of(BTreeMap::new(), &[Act::Serve]));
    let url = server.url();
    let sentence = project.refused(&format!("data fetch {name} --mirror {url} --mirror {url}a --folder elsewhere"));
    let problems = format!("{url}: 404 Not Found; {url}a: 404 Not Found");
    assert_eq!(sentence, format!("infoplane: cannot fetch {}: {problems}; {TO_DO}", file.name));
    assert!(project.path("elsewhere").is_dir() && !project.path("data").exists());
    fs::write(project.path("elsewhere").join(file.name), "mine").unwrap();
    let sentence = project.refused(&format!("data fetch {name} --mirror {url} --folder elsewhere"));
    assert!(sentence.contains("elsewhere/") && sentence.contains("it has 4 bytes, expected"), "{sentence}");
}

/// A server that speaks TLS: that of OpenSSL, which knows no ranges and does not say how long a file is.
struct TlsServer {
    process: Child,
    url: String,
}

impl TlsServer {
    /// Serves what is in the project's folder, with a certificate that it puts there, `c.pem`. `None`, with a message,
    /// where there is no OpenSSL.
    fn start(project: &Project) -> Option<Self> {
        let request = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
                       -addext subjectAltName=IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE \
                       -keyout k.pem -out c.pem";
        if !project.command("openssl", request).output().is_ok_and(|output| output.status.success()) {
            println!("skipped: no certificate can be made here");
            return None;
        }
        let line = "s_server -accept 127.0.0.1:0 -cert c.pem -key k.pem -WWW";
        let mut command = project.command("openssl", line);
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map_while(Result::ok);
        let address = lines.find_map(|line| line.strip_prefix("ACCEPT ").map(str::to_owned)).unwrap();
        spawn(move || lines.count());
        Some(Self { process, url: format!("https://{address}/") })
    }
}

impl Drop for TlsServer {
    fn drop(&mut self) {
        let _ = self.process.kill().and_then(|()| self.process.wait());
    }
}

#[test]
fn files_are_fetched_over_https_from_trusted_servers_only() {
    let Some((name, file)) = set_of_files() else { return };
    let project = Project::in_memory();
    fs::write(project.path(file.name), vec![0; file.bytes as usize]).unwrap();
    let Some(server) = TlsServer::start(&project) else { return };
    let refused = |certificates: Option<&str>| {
        let mut command = project.command(PROGRAM, &format!("data fetch {name} --mirror {}", server.url));
        command.env_remove("SSL_CERT_FILE").envs(certificates.map(|file| ("SSL_CERT_FILE", file)));
        project.finish(&mut command).sentence()
    };
    let sentence = refused(Some("c.pem"));
    assert!(sentence.contains("wrong content, removed: its sha256 is") && sentence.contains(file.sha256), "{sentence}");
    let sentence = refused(None);
    assert!(sentence.contains("invalid peer certificate"), "{sentence}");
    let to_do = "set it to a file of certificates, or unset it";
    assert_eq!(
        refused(Some("k.pem")),
        format!("infoplane: SSL_CERT_FILE is k.pem: the file contains no certificate; {to_do}")
    );
    let sentence = refused(Some("none.pem"));
    assert!(sentence.starts_with("infoplane: SSL_CERT_FILE is none.pem: No such file"), "{sentence}");
}

#[test]
fn a_data_set_that_cannot_be_fetched_is_reported() {
    let project = Project::in_memory();
    assert_eq!(
        project.refused("data fetch tishby"),
        "infoplane: `tishby` is made by a rule, so there is nothing to download; use `infoplane data make tishby`"
    );
    assert!(project.refused("data fetch tishbi").contains("unknown data set `tishbi`; did you mean `tishby`?"));
    if let Some((name, _)) = set_of_files() {
        let sentence = project.refused(&format!("data fetch {name} {name} --folder d"));
        assert!(sentence.ends_with("fetch one data set at a time"), "{sentence}");
    }
    assert!(!project.path("data").exists());
}
