"""Chapter 4: lines, whatever the pieces are in which they come."""


def lines(recv, limit=64 * 1024):
    kept = b""
    while recv_data := recv(1024):
        kept += recv_data
        *complete, kept = kept.split(b"\n")
        yield from (line.decode("gbk") for line in complete)
        if len(kept) > limit:
            raise ValueError("a line without an end")


pieces = [b"hel", b"lo\nwor", b"ld\n\xc4", b"\xe3\n", b""]
for line in lines(lambda _: pieces.pop(0)):
    print(line)
