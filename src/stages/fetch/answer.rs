//! The head of an HTTP response: whether its body belongs to the requested file, and at which byte it begins.

use ureq::http::StatusCode;

use super::Fault;

/// The relevant part of the head of a response.
#[derive(Debug)]
pub(super) struct Head<'a> {
    pub(super) status: StatusCode,
    /// The header `Content-Range`.
    pub(super) range: Option<&'a str>,
    /// The length of the body, if it is given.
    pub(super) length: Option<u64>,
}

/// What to do with a response.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// Read the body, which begins at this byte of the file.
    From(u64),
    /// Request the entire file: the server cannot resume the download.
    AskAnew,
}

/// Interprets the response to a request for a file of `bytes` bytes from byte `asked` to its end.
///
/// # Errors
/// The server refuses, or has another file.
pub(super) fn judge(head: &Head<'_>, asked: u64, bytes: u64) -> Result<Answer, Fault> {
    let other_size = |got: u64| Fault::Useless(format!("wrong file: it has {got} bytes, expected {bytes}"));
    let range = head.range.and_then(ContentRange::parse);
    match head.status {
        StatusCode::OK => match head.length {
            Some(length) if length != bytes => Err(other_size(length)),
            _ => Ok(Answer::From(0)),
        },
        StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE if asked > 0 => match range {
            Some(ContentRange { total: Some(total), .. }) if total != bytes => Err(other_size(total)),
            Some(ContentRange { first_and_last: Some((first, last)), .. })
                if head.status == StatusCode::PARTIAL_CONTENT && first == asked && last < bytes =>
            {
                Ok(Answer::From(asked))
            }
            _ => Ok(Answer::AskAnew),
        },
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => Err(Fault::Again(head.status.to_string())),
        status if status.is_server_error() => Err(Fault::Again(status.to_string())),
        status => Err(Fault::Useless(status.to_string())),
    }
}

/// The header `Content-Range` in bytes, RFC 9110 §14.4: `bytes 5-9/10`, `bytes 5-9/*` or `bytes */10`.
#[derive(Debug, PartialEq, Eq)]
struct ContentRange {
    first_and_last: Option<(u64, u64)>,
    total: Option<u64>,
}

impl ContentRange {
    /// `None` if it cannot be parsed.
    fn parse(text: &str) -> Option<Self> {
        let (unit, rest) = text.trim().split_once(' ')?;
        let (range, total) = rest.trim().split_once('/')?;
        let number = |digits: &str| digits.parse::<u64>().ok().filter(|_| digits.bytes().all(|b| b.is_ascii_digit()));
        let first_and_last = match range.split_once('-') {
            Some((first, last)) => Some((number(first)?, number(last)?)),
            None if range == "*" => None,
            None => return None,
        };
        let total = if total == "*" { None } else { Some(number(total)?) };
        let is_ordered = first_and_last.is_none_or(|(first, last)| first <= last);
        (unit.eq_ignore_ascii_case("bytes") && is_ordered).then_some(Self { first_and_last, total })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_range_is_read_or_refused() {
        let check = |text: &str, expected: Option<ContentRange>| {
            assert_eq!(ContentRange::parse(text), expected, "{text}");
        };
        let range = |first_and_last, total| Some(ContentRange { first_and_last, total });
        check("bytes 5-9/10", range(Some((5, 9)), Some(10)));
        check("Bytes  5-9/10 ", range(Some((5, 9)), Some(10)));
        check("bytes 5-9/*", range(Some((5, 9)), None));
        check("bytes */10", range(None, Some(10)));
        check("bytes 9-5/10", None);
        check("bytes 5-/10", None);
        check("bytes +5-9/10", None);
        check("bytes 5-9", None);
        check("bytes 5/10", None);
        check("lines 5-9/10", None);
        check("bytes 5-99999999999999999999/10", None);
        check("", None);
    }

    #[test]
    fn a_response_begins_at_its_stated_byte_or_is_not_used() {
        // Asked for byte `asked` on of a file of 10.
        let check =
            |asked: u64, status: u16, range: Option<&str>, length: Option<u64>, expected: Result<Answer, &str>| {
                let status = StatusCode::from_u16(status).unwrap();
                let got = judge(&Head { status, range, length }, asked, 10).map_err(|fault| fault.to_string());
                assert_eq!(got, expected.map_err(str::to_owned), "{status} {range:?} {length:?}");
            };
        check(0, 200, None, Some(10), Ok(Answer::From(0)));
        check(0, 200, None, None, Ok(Answer::From(0)));
        check(4, 206, Some("bytes 4-9/10"), Some(6), Ok(Answer::From(4)));
        check(4, 206, Some("bytes 4-9/*"), None, Ok(Answer::From(4)));
        check(4, 206, Some("bytes 4-5/10"), Some(2), Ok(Answer::From(4)));
        // The range was ignored.
        check(4, 200, None, Some(10), Ok(Answer::From(0)));
        // Another piece than asked for, none named, or more than there is.
        check(4, 206, Some("bytes 3-9/10"), Some(7), Ok(Answer::AskAnew));
        check(4, 206, None, Some(6), Ok(Answer::AskAnew));
        check(4, 206, Some("bytes 4-10/*"), Some(7), Ok(Answer::AskAnew));
        check(4, 416, None, None, Ok(Answer::AskAnew));
        check(4, 416, Some("bytes */10"), None, Ok(Answer::AskAnew));
        // Another file: what is there need not be thrown away.
        check(0, 200, None, Some(9), Err("wrong file: it has 9 bytes, expected 10"));
        check(4, 200, None, Some(11), Err("wrong file: it has 11 bytes, expected 10"));
        check(4, 206, Some("bytes 4-10/11"), Some(7), Err("wrong file: it has 11 bytes, expected 10"));
        check(4, 416, Some("bytes */3"), None, Err("wrong file: it has 3 bytes, expected 10"));
        // A part that was not requested.
        check(0, 206, Some("bytes 0-9/10"), Some(10), Err("206 Partial Content"));
        check(0, 404, None, Some(10), Err("404 Not Found"));
        check(0, 204, None, None, Err("204 No Content"));
        check(4, 503, None, None, Err("503 Service Unavailable"));
    }

    #[test]
    fn only_temporary_faults_are_retried() {
        let check = |status: u16, expected: bool| {
            let head = Head { status: StatusCode::from_u16(status).unwrap(), range: None, length: None };
            assert_eq!(matches!(judge(&head, 0, 10), Err(Fault::Again(_))), expected, "{status}");
        };
        check(500, true);
        check(502, true);
        check(503, true);
        check(429, true);
        check(408, true);
        check(403, false);
        check(404, false);
        check(410, false);
        check(304, false);
    }
}
