"""Reads what tests/properties/main.rs has written, and asks h11 about each message: compare.py FILE

Where h11 refuses what we take, one of the exceptions below must be the reason; each says why ours is the right reading.
"""
import collections
import re
import sys

import h11


def exception(message, target, header, refusal):
    """Why we take what h11 refuses; None where there is no reason."""
    if any(byte > 0x7E for byte in target):
        # RFC 3986 has these percent-encoded. A person who types UTF-8 into curl means the file of that name, and no byte
        # of it can be taken for the end of the target: the request has one reading, for whoever takes it at all.
        return "UTF-8 in the target"
    if refusal.startswith("illegal chunk header") and re.search(rb"\r\n[0-9A-Fa-f]+[ \t]+;", message):
        # RFC 9112 section 7.1.1: bad white space before the semicolon of an extension must be parsed.
        return "white space before a chunk extension"
    if re.search("Transfer-Encoding|Content-Length", refusal) and framing(header) == [(b"transfer-encoding", b"chunked")]:
        # RFC 9112 section 7.1.2: trailer fields may be discarded, and those that frame a message are. h11 reads them as if
        # they stood in the header section.
        return "a trailer field that frames"
    return None


def framing(header):
    return [field for field in header if field[0] in (b"transfer-encoding", b"content-length")]


def unhex(text):
    return b"" if text == "-" else bytes.fromhex(text)


def fields(text):
    """Sorted by name: a map keeps the order of the lines of one name only."""
    pairs = [] if text == "-" else [pair.split("=") for pair in text.split(",")]
    return [(unhex(name), unhex(value)) for name, value in pairs]


def read(message):
    """What h11 makes of it: a reading as ours, or its refusal as text."""
    # RFC 9112 section 2.2: empty lines before a request should be skipped. h11 leaves that to its caller.
    while message.startswith(b"\r\n"):
        message = message[2:]
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
    connection.receive_data(message)
    body = b""
    while True:
        try:
            event = connection.next_event()
        except h11.RemoteProtocolError as error:
            return str(error)
        if isinstance(event, h11.Request):
            request = event
        elif isinstance(event, h11.Data):
            body += bytes(event.data)
        elif isinstance(event, h11.EndOfMessage):
            break
        else:
            return f"no whole message: {event}"

    def sorted_by_name(headers, left_out):
        return sorted(((name, value) for name, value in headers if name not in left_out), key=lambda pair: pair[0])

    rest = connection.trailing_data[0]
    trailers = sorted_by_name(event.headers, {b"content-length", b"transfer-encoding", b"host"})
    return (rest, request.method, request.target, request.http_version, body,
            sorted_by_name(request.headers, {b"host"}), trailers)


def lowered(ours):
    """h11 shows the one coding that it knows in lower case."""
    return [(name, value.lower() if name == b"transfer-encoding" else value) for name, value in ours]


def main():
    with open(sys.argv[1], encoding="ascii") as file:
        *lines, made = file.read().splitlines()
    excused, faults = collections.Counter(), 0
    for line in lines:
        message, rest, method, target, version, body, header, trailers = line.split(" ")
        message, target = unhex(message), unhex(target)
        ours = (unhex(rest), unhex(method), target, unhex(version), unhex(body), lowered(fields(header)), fields(trailers))
        theirs = read(message)
        if theirs == ours:
            continue
        reason = exception(message, target, ours[5], theirs) if isinstance(theirs, str) else None
        if reason:
            excused[reason] += 1
            continue
        faults += 1
        if faults <= 10:
            print(f"{message!r}\n  qibu: {ours}\n  h11:  {theirs}")
    for reason, count in excused.items():
        print(f"{count} times h11 refuses what we take: {reason}")
    print(f"h11 {h11.__version__} was shown {len(lines)} messages that we take, of {made} that were made")
    print(f"{len(lines) - faults} passed, {faults} failed")
    # A generator that makes hardly anything that is taken would prove nothing.
    return 1 if faults or len(lines) < int(made) // 4 else 0


if __name__ == "__main__":
    sys.exit(main())
