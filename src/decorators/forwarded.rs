//! What proxies say of the client before them: `Forwarded` (RFC 7239), or the older `X-Forwarded-For`, `-Proto` and
//! `-Host`, as a list of hops from the client's end to ours.
//!
//! Anyone can write these fields. Reading them is done here; whom to believe is for
//! [`TrustedProxies`](super::TrustedProxies) to say.

use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};

use crate::message::Request;

/// One proxy's words: who asked it, how, and for which host. What is no address (`unknown`, `_hidden`) is left out.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Hop {
    pub(super) client: Option<IpAddr>,
    pub(super) scheme: Option<String>,
    pub(super) host: Option<String>,
}

/// The field is not what its grammar allows.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// The hops of `Forwarded`. It must be sound as a whole: behind an open quote nobody can say where an element begins.
pub(super) fn standard(request: &Request) -> Result<Vec<Hop>, Malformed> {
    let mut hops = Vec::new();
    for line in request.header_values("forwarded") {
        let line = std::str::from_utf8(line).map_err(|_| Malformed)?;
        for element in split(line, ',')? {
            hops.push(hop(element)?);
        }
    }
    Ok(hops)
}

/// The hops of the X- fields. They are three lists, which proxies are not agreed to lengthen together: each is read from
/// our end.
pub(super) fn customary(request: &Request) -> Vec<Hop> {
    let clients = list(request, "x-forwarded-for");
    let (schemes, hosts) = (list(request, "x-forwarded-proto"), list(request, "x-forwarded-host"));
    let length = clients.len().max(schemes.len().min(1)).max(hosts.len().min(1));
    let at = |list: &[String], from_end: usize| {
        // A list that is shorter was written by the first proxies alone.
        list.len().checked_sub(from_end.min(list.len())).and_then(|index| list.get(index)).cloned()
    };
    let hop = |from_end: usize| Hop {
        client: clients.len().checked_sub(from_end).and_then(|index| address(&clients[index])),
        scheme: at(&schemes, from_end),
        host: at(&hosts, from_end),
    };
    (1..=length).rev().map(hop).collect()
}

fn list(request: &Request, name: &str) -> Vec<String> {
    let lines = request.header_values(name).map(String::from_utf8_lossy);
    lines.flat_map(|line| line.split(',').map(|element| element.trim().to_owned()).collect::<Vec<_>>()).collect()
}

/// `for=192.0.2.1;proto=https` (RFC 7239 section 4). Parameters that we do not know are none of our business.
fn hop(element: &str) -> Result<Hop, Malformed> {
    let (mut hop, mut names) = (Hop::default(), HashSet::new());
    for pair in split(element, ';')?.into_iter().filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').ok_or(Malformed)?;
        let value = unquote(value)?;
        // RFC 7239 §4: each parameter at most once, in any case.
        if !names.insert(name.to_ascii_lowercase()) {
            return Err(Malformed);
        }
        match name {
            _ if name.eq_ignore_ascii_case("for") => hop.client = address(&value),
            _ if name.eq_ignore_ascii_case("proto") => hop.scheme = Some(value),
            _ if name.eq_ignore_ascii_case("host") => hop.host = Some(value),
            _ if name.is_empty() || !name.bytes().all(is_token_byte) => return Err(Malformed),
            _ => {}
        }
    }
    Ok(hop)
}

/// Splits at a sign that stands outside of quotes.
fn split(text: &str, sign: char) -> Result<Vec<&str>, Malformed> {
    let (mut parts, mut start) = (Vec::new(), 0);
    let (mut is_quoted, mut is_escaped) = (false, false);
    for (index, character) in text.char_indices() {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            _ if character == sign && !is_quoted => {
                parts.push(text[start..index].trim());
                start = index + 1;
            }
            _ => {}
        }
    }
    parts.push(text[start..].trim());
    if is_quoted { Err(Malformed) } else { Ok(parts) }
}

/// A token or a quoted-string (RFC 9110 sections 5.6.2 and 5.6.4), without its quotes. Many proxies write an address
/// with its colons as if it were a token, and no harm is in that.
fn unquote(value: &str) -> Result<String, Malformed> {
    let Some(quoted) = value.strip_prefix('"') else {
        let is_plain = !value.is_empty() && value.bytes().all(|byte| is_token_byte(byte) || b":[]/".contains(&byte));
        return if is_plain { Ok(value.to_owned()) } else { Err(Malformed) };
    };
    let mut text = String::with_capacity(quoted.len());
    let mut characters = quoted.chars();
    loop {
        match characters.next().ok_or(Malformed)? {
            '"' if characters.as_str().is_empty() => return Ok(text),
            '"' => return Err(Malformed),
            '\\' => text.push(characters.next().ok_or(Malformed)?),
            character => text.push(character),
        }
    }
}

fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// An address with or without a port, as in `192.0.2.1:4711` or `[2001:db8::1]:4711` (RFC 7239 section 6).
fn address(text: &str) -> Option<IpAddr> {
    let address = text.parse().ok().or_else(|| text.parse().ok().map(|with_port: SocketAddr| with_port.ip()));
    let bare = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    // One and the same client must not be two for a limit.
    address.or_else(bare).map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_element_is_read_as_rfc_7239_writes_it() {
        for (element, client, scheme, host) in [
            ("for=192.0.2.60;proto=http;by=203.0.113.43", Some("192.0.2.60"), Some("http"), None),
            ("For=\"[2001:db8:cafe::17]:4711\"", Some("2001:db8:cafe::17"), None, None),
            ("for=192.0.2.1:80; HOST=\"a\\.b:1\" ;", Some("192.0.2.1"), None, Some("a.b:1")),
            ("for=unknown;proto=https", None, Some("https"), None),
            ("for=\"_gazonk\";x=\";,\"", None, None, None),
            ("for=::ffff:192.0.2.1", Some("192.0.2.1"), None, None),
            ("", None, None, None),
        ] {
            let expected = Hop {
                client: client.map(|client| client.parse().unwrap()),
                scheme: scheme.map(str::to_owned),
                host: host.map(str::to_owned),
            };
            assert_eq!(hop(element), Ok(expected), "{element}");
        }
    }

    #[test]
    fn what_is_malformed_is_not_guessed_at() {
        for element in [
            "for",
            "for=",
            "=a",
            "for=a b",
            "for=\"a",
            "for=\"a\"b",
            "for=\"a\\",
            "f r=a",
            "for=\u{e9}",
            "for=1.1.1.1;for=2.2.2.2",
            "x=1;proto=http;X=2",
        ] {
            assert_eq!(hop(element), Err(Malformed), "{element}");
        }
    }

    #[test]
    fn a_sign_in_quotes_parts_nothing() {
        assert_eq!(split("a=\"1,2\\\",3\", b", ',').unwrap(), ["a=\"1,2\\\",3\"", "b"]);
        assert_eq!(split("a=\"1, b", ','), Err(Malformed));
    }
}
