"""What is asked of every server, as data, and the site that answers it."""
import gzip
import random
from dataclasses import dataclass, field

from .scripts import MANY, PIPELINED, UPLOAD

IDLE_CONNECTIONS = 10_000
SIZES = (1, 4, 16, 64, 256, 1024, 4096, 16384, 65536)  # KiB


def make_site(root):
    """The files that are served: the same bytes on every run."""
    letters = random.Random(7)
    text = lambda size: "".join(letters.choices("abcdefgh \n", k=size)).encode()
    page, kibibyte = text(16 * 1024), text(1024)
    (root / "page.html").write_bytes(page)
    (root / "page.html.gz").write_bytes(gzip.compress(page, 6))
    for size in SIZES:
        (root / f"{size}k.bin").write_bytes(kibibyte * size)
    for number in range(10_000):
        file = root / many_path(number).lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(f"{number:04}".encode() + b"." * 4092)


def many_path(number):
    return f"/many/{number // 100:02}/{number % 100:02}.txt"


@dataclass(frozen=True)
class Scenario:
    name: str
    title: str
    path: str = "/1k.bin"
    connections: int = 64
    headers: dict = field(default_factory=dict)
    method: str = "GET"
    upload: int = 0            # the length of the request's body
    status: int = 200
    answer: str = ""           # what a handler must answer; empty where a file is served
    lua: str = ""              # the wrk script's init() and request(), when one fixed request is not enough
    workers: int = 1           # loops or processes of the server; more than one share all cores with wrk
    floor: bool = False        # a program that answers all alike can be compared with
    pipelined: bool = False    # several requests per write: wrk's latencies mean nothing then
    conditional: bool = False  # send If-None-Match with the ETag this server gave
    gzip: bool = False         # the answer must be precompressed
    times: int = 1             # how many times as long as the others it is driven
    warm_up: tuple = ()        # paths that are each asked for once before measuring, as a server that runs has been
    large: bool = False        # count by bytes, so that a half-sent body counts as half a request
    closes: bool = False       # leaves tens of thousands of closed connections, which the system remembers for a minute
    kind: str = "load"         # "load": driven by wrk; "idle": clients that wait; "start": from nothing to the first answer
    axis: str = ""             # of GROWTH: what grows, and how far in this step
    step: str = ""

    def expected(self, root):
        return self.answer.encode() or (root / self.path.lstrip("/")).read_bytes()


SCENARIOS = [
    Scenario("1k", "1 KiB file, 64 keep-alive connections", floor=True),
    Scenario("1k-1000", "1 KiB file, 1,000 keep-alive connections", connections=1000, floor=True),
    Scenario("pipelined", "1 KiB file, 16 pipelined requests, 64 connections", lua=PIPELINED, pipelined=True, floor=True),
    Scenario("64k", "64 KiB file, 64 connections", path="/64k.bin"),
    Scenario("64m", "64 MiB file, 8 connections", path="/65536k.bin", connections=8, large=True, times=2),
    Scenario("many", "10,000 files of 4 KiB in random order, 64 connections", path=many_path(4711), lua=MANY,
             warm_up=tuple(map(many_path, range(10_000)))),
    Scenario("close", "1 KiB file, one request per connection, 64 at a time", headers={"Connection": "close"}, closes=True),
    Scenario("304", "If-None-Match answered 304, 64 connections", status=304, conditional=True),
    Scenario("404", "404, 64 connections", path="/missing.txt", status=404),
    Scenario("gzip", "16 KiB page from its .gz, 64 connections", path="/page.html",
             headers={"Accept-Encoding": "gzip"}, gzip=True),
    Scenario("closure", "GET with a query, answered by a closure, 64 connections", path="/hello?name=x",
             answer="hello, x", floor=True),
    Scenario("closure-pipelined", "the closure, 16 pipelined requests, 64 connections", path="/hello?name=x",
             answer="hello, x", lua=PIPELINED, pipelined=True, floor=True),
    Scenario("upload", "POST of 2 MiB, counted by a handler while it arrives, 16 connections", path="/hello",
             method="POST", upload=2 * 1024 * 1024, answer="2097152 bytes", connections=16, lua=UPLOAD),
    Scenario("two", "1 KiB file, 64 connections, two loops or workers on two cores, which wrk shares", workers=2),
    Scenario("idle", f"{IDLE_CONNECTIONS:,} idle keep-alive connections, each after one 1 KiB answer",
             connections=IDLE_CONNECTIONS, closes=True, kind="idle"),
    Scenario("start", "Start: from nothing to the first answer, and the memory at rest after it", kind="start"),
]


def connections(count):
    return Scenario(f"connections-{count}", f"1 KiB file, {count:,} connections", connections=count, floor=True,
                    axis="connections", step=f"{count:,}")


def size(kib):
    words = f"{kib} KiB" if kib < 1024 else f"{kib // 1024} MiB"
    return Scenario(f"size-{kib}", f"{words} file, 8 connections", path=f"/{kib}k.bin", connections=8, large=kib > 1024,
                    axis="file size", step=words)


def fields(count):
    """Host is one of them; the others are of the length of a usual one."""
    extra = {f"X-Field-{number:02}": "a value of usual length" for number in range(1, count)}
    return Scenario(f"fields-{count}", f"1 KiB file, {count} header fields in the request", headers=extra,
                    axis="header fields", step=str(count))


def loops(count):
    return Scenario(f"loops-{count}", f"1 KiB file, 64 connections, {count} loops, all cores shared with wrk",
                    workers=count, axis="loops", step=str(count))


GROWTH = [*map(connections, (1, 64, 1000, 10_000)), *map(size, SIZES), *map(fields, (1, 10, 50, 100)), *map(loops, (1, 2))]
