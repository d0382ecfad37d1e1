//! One request: asks a mirror for the missing part of a file and keeps the received bytes. The only place that names `ureq`,
//! with `answer.rs`.

use std::io::{self, Read};
use std::net::IpAddr;

use ureq::http::Uri;
use ureq::http::header::{CONTENT_LENGTH, CONTENT_RANGE, HeaderName, RANGE};
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Error, Timeout};

use super::answer::{Answer, Head, judge};
use super::{Download, Fault, Patience, seconds};
use crate::stages::StageError;

/// A folder on a server with the files.
#[derive(Debug)]
pub(super) struct Mirror {
    /// Its address, as given by the user.
    pub(super) url: String,
    pub(super) patience: Patience,
    agent: Agent,
}

impl Mirror {
    /// # Errors
    /// `url` is not the address of a folder.
    pub(super) fn new(url: &str, patience: Patience) -> Result<Self, StageError> {
        let wrong = |problem: &str| StageError::Refused(format!("mirror `{url}`: {problem}"));
        let address = url.parse::<Uri>().ok().filter(|address| matches!(address.scheme_str(), Some("http" | "https")));
        let address = address.ok_or_else(|| wrong("must be an address that begins with `https://` or `http://`"))?;
        if url.contains(['?', '#']) {
            return Err(wrong("must be the address of a folder, without `?` and `#`"));
        }
        let Patience { connection, silence, .. } = patience;
        let config = Agent::config_builder()
            .http_status_as_error(false)
            // The files are compressed already; a server must not compress them again.
            .accept_encoding("identity")
            .user_agent(concat!("infoplane/", env!("CARGO_PKG_VERSION")))
            .timeout_resolve(Some(connection))
            .timeout_connect(Some(connection))
            .timeout_recv_response(Some(silence))
            .timeout_per_read(Some(silence))
            .timeout_per_write(Some(silence));
        let config = if address.scheme_str() == Some("https") { config.tls_config(trusted()?) } else { config };
        // A proxy cannot reach a server on this machine.
        let config = if is_this_machine(address.host().unwrap_or_default()) { config.proxy(None) } else { config };
        Ok(Self { url: url.to_owned(), agent: config.build().new_agent(), patience })
    }

    /// Sends one request for the missing part of `download` and adds the received bytes.
    ///
    /// # Errors
    /// The download is not complete. The received bytes are kept, if they can belong to the file.
    pub(super) fn transfer(&self, download: &mut Download<'_>) -> Result<(), Fault> {
        let (asked, bytes) = (download.bytes(), download.file.bytes);
        let request = self.agent.get(format!("{}/{}", self.url.trim_end_matches('/'), download.file.name));
        let request = if asked > 0 { request.header(RANGE, format!("bytes={asked}-")) } else { request };
        let mut answer = request.call().map_err(|e| self.fault(e))?;
        let status = answer.status();
        let header = |name: HeaderName| answer.headers().get(name).and_then(|value| value.to_str().ok());
        let length = header(CONTENT_LENGTH).and_then(|length| length.trim().parse().ok());
        let range = header(CONTENT_RANGE);
        match judge(&Head { status, range, length }, asked, bytes)? {
            Answer::From(0) => download.restart()?,
            Answer::From(_) => download.is_pieced = true,
            Answer::AskAnew => {
                download.restart()?;
                return Err(Fault::Again("the server cannot resume in the middle of the file".to_owned()));
            }
        }
        let mut body = answer.body_mut().as_reader();
        let mut buffer = vec![0; 1 << 16];
        loop {
            match body.read(&mut buffer) {
                Ok(0) => break,
                Ok(n) if download.bytes() + n as u64 > bytes => {
                    download.restart()?;
                    return Err(Fault::Useless(format!("wrong file: it has more than {bytes} bytes")));
                }
                Ok(n) => download.append(&buffer[..n])?,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(self.fault(e.into())),
            }
        }
        if download.bytes() < bytes {
            return Err(Fault::Again(format!("ended after {} of {bytes} bytes", download.bytes())));
        }
        Ok(())
    }

    /// The consequence of an error for the next attempt.
    fn fault(&self, error: Error) -> Fault {
        let Patience { connection, silence, .. } = self.patience;
        match error {
            Error::HostNotFound => Fault::Absent("the server does not exist, or there is no network".to_owned()),
            Error::Io(e) if e.kind() == io::ErrorKind::ConnectionRefused => Fault::Absent(e.to_string()),
            Error::Io(e) if e.kind() == io::ErrorKind::UnexpectedEof => {
                Fault::Again("the connection was cut".to_owned())
            }
            // TLS errors: a certificate that is not trusted, or a server without TLS.
            Error::Io(e) if e.kind() == io::ErrorKind::InvalidData => Fault::Useless(e.to_string()),
            Error::Io(e) => Fault::Again(e.to_string()),
            Error::Timeout(Timeout::Resolve | Timeout::Connect) => {
                Fault::Again(format!("no connection within {}", seconds(connection)))
            }
            Error::Timeout(_) => Fault::Again(format!("no data received for {}", seconds(silence))),
            e @ (Error::Protocol(_) | Error::ConnectionFailed | Error::ConnectProxyFailed(_) | Error::BodyStalled) => {
                Fault::Again(e.to_string())
            }
            e => Fault::Useless(e.to_string()),
        }
    }
}

/// The trusted certificate authorities: from the file in `SSL_CERT_FILE`, as in other programs (needed behind a proxy with its
/// own authority), otherwise Mozilla's list.
fn trusted() -> Result<TlsConfig, StageError> {
    let Some(path) = std::env::var_os("SSL_CERT_FILE") else { return Ok(TlsConfig::default()) };
    let wrong = |problem: String| {
        let path = path.display();
        StageError::Refused(format!(
            "SSL_CERT_FILE is {path}: {problem}; set it to a file of certificates, or unset it"
        ))
    };
    let text = std::fs::read(&path).map_err(|e| wrong(e.to_string()))?;
    let certificate = |item: Result<PemItem<'static>, Error>| match item {
        Ok(PemItem::Certificate(certificate)) => Some(certificate),
        _ => None,
    };
    let certificates: Vec<_> = parse_pem(&text).filter_map(certificate).collect();
    if certificates.is_empty() {
        return Err(wrong("the file contains no certificate".to_owned()));
    }
    Ok(TlsConfig::builder().root_certs(RootCerts::from(certificates)).build())
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.trim_matches(['[', ']']).parse().is_ok_and(|address: IpAddr| address.is_loopback())
}
