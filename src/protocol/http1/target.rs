//! What a request is for: the four forms of its target (RFC 9112 section 3.2), and the host it names.

use std::net::Ipv6Addr;

use http::Method;

use crate::message::{FieldLine, ProtocolError, RawHead};

/// RFC 9112 §3.2: origin-form, absolute-form, `*` for OPTIONS. The fourth, authority-form, is for CONNECT, and so for
/// proxies.
pub(super) fn keep(method: &Method, target: &str, host: Option<usize>, raw: &mut RawHead) -> Result<(), ProtocolError> {
    if *method == Method::CONNECT {
        return Err(ProtocolError::NoTunnel);
    }
    // Other characters that a target cannot have are httparse's to refuse.
    let query = &target[target.bytes().position(|byte| matches!(byte, b'?' | b'#')).unwrap_or(target.len())..];
    if query.bytes().any(|byte| byte == b'#') {
        return Err(ProtocolError::MalformedTarget);
    }
    let target = match target {
        "*" if *method == Method::OPTIONS => target,
        _ if target.starts_with('/') => target,
        _ => {
            let (authority, rest) = absolute_form(target)?;
            // RFC 9112 §3.2.2: the authority of the target takes the place of Host.
            let value = raw.keep(authority.as_bytes());
            match host.and_then(|index| raw.fields.get_mut(index)) {
                Some(field) => field.value = value,
                None => {
                    let name = raw.keep(b"host");
                    raw.fields.push(FieldLine { name, value });
                }
            }
            rest
        }
    };
    if target.is_empty() || target.starts_with('?') {
        raw.target.push('/'); // `http://host` and `http://host?query` mean the path "/" (RFC 9110 §4.2.3)
    }
    raw.target.push_str(target);
    let path_end = raw.target.len() - query.len();
    raw.path_end = u32::try_from(path_end).expect("a head is far below 4 GiB");
    Ok(())
}

/// What `http://authority/path` is made of: the authority, which names a host (RFC 9110 section 4.2.1), and what follows it.
/// Few but proxies' clients send one, so it is kept out of line.
#[inline(never)]
fn absolute_form(target: &str) -> Result<(&str, &str), ProtocolError> {
    let has_scheme = |scheme: &&str| target.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    let scheme = ["http://", "https://"].into_iter().find(has_scheme).ok_or(ProtocolError::MalformedTarget)?;
    let rest = &target[scheme.len()..];
    let (authority, rest) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    if authority.is_empty() || !is_authority(authority.as_bytes()) {
        return Err(ProtocolError::MalformedTarget);
    }
    if scheme == "https://" {
        // RFC 9110 §7.4: what is meant for a secured connection is not answered on another.
        return Err(ProtocolError::Misdirected);
    }
    Ok((authority, rest))
}

/// RFC 3986 §3.2 without userinfo: a name, an IPv4 address or an IPv6 one in brackets, and perhaps a port. Nothing at all is allowed
/// where the target has no authority (RFC 9112 §3.2), but no port without a host (RFC 9110 §4.2.1).
pub(super) fn is_authority(value: &[u8]) -> bool {
    let port = match value.strip_prefix(b"[") {
        Some(rest) => {
            let end = rest.iter().position(|byte| *byte == b']');
            match end.map(|end| (&rest[..end], &rest[end + 1..])) {
                Some((address, port)) if is_ipv6(address) => port,
                _ => return false,
            }
        }
        None => match behind_name(value) {
            port if port.len() == value.len() && !value.is_empty() => return false,
            port => port,
        },
    };
    port.is_empty() || port.strip_prefix(b":").is_some_and(|port| port.iter().all(u8::is_ascii_digit))
}

/// Few hosts are one: it stays out of the way of the others.
#[inline(never)]
fn is_ipv6(address: &[u8]) -> bool {
    std::str::from_utf8(address).is_ok_and(|text| text.parse::<Ipv6Addr>().is_ok())
}

/// What follows a registered name (RFC 3986 §3.2.2): unreserved characters, sub-delims, and bytes as `%` with two
/// hexadecimal digits.
fn behind_name(mut text: &[u8]) -> &[u8] {
    loop {
        let plain = text.iter().position(|byte| !IS_IN_NAME[usize::from(*byte)]).unwrap_or(text.len());
        text = match &text[plain..] {
            [b'%', high, low, rest @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => rest,
            rest => return rest,
        };
    }
}

/// By byte: whether it stands for itself in a registered name.
const IS_IN_NAME: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 128 {
        table[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    let (others, mut at) = (b"-._~!$&'()*+,;=", 0);
    while at < others.len() {
        table[others[at] as usize] = true;
        at += 1;
    }
    table
};
