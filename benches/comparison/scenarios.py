"""What is asked of every server, as data, and the site that answers it."""
import gzip
import random
from dataclasses import dataclass, field

IDLE_CONNECTIONS = 10_000


def make_site(root):
    """The files that are served: the same bytes on every run."""
    letters = random.Random(7)
    text = lambda size: "".join(letters.choices("abcdefgh \n", k=size)).encode()
    (root / "1k.txt").write_bytes(text(1024))
    (root / "64k.txt").write_bytes(text(64 * 1024))
    (root / "64m.bin").write_bytes(text(1024) * (64 * 1024))
    page = text(16 * 1024)
    (root / "page.html").write_bytes(page)
    (root / "page.html.gz").write_bytes(gzip.compress(page, 6))
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
    path: str = "/1k.txt"
    connections: int = 64
    headers: dict = field(default_factory=dict)
    status: int = 200
    lua: str = ""              # the wrk script's init() and request(), when one fixed request is not enough
    pipelined: bool = False    # several requests per write: wrk's latencies mean nothing then
    conditional: bool = False  # send If-None-Match with the ETag this server gave
    gzip: bool = False         # the answer must be precompressed
    large: bool = False        # count by bytes, so that a half-sent body counts as half a request
    idle: bool = False         # not driven by wrk: clients that wait, and the memory they cost

    def file(self, root):
        return root / self.path.lstrip("/")


PIPELINED = """
init = function(args)
  local batch = {}
  for i = 1, 16 do batch[i] = wrk.format() end
  pipelined = table.concat(batch)
end
request = function() return pipelined end
"""

MANY = """
init = function(args)
  requests = {}
  for i = 0, 9999 do
    requests[i + 1] = wrk.format("GET", string.format("/many/%02d/%02d.txt", math.floor(i / 100), i % 100))
  end
end
request = function() return requests[math.random(#requests)] end
"""

# Ends every wrk script: the exact numbers behind what `wrk --latency` prints rounded.
REPORT = """
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format('RESULT {"requests": %.0f, "bytes": %.0f, "us": %.0f, "p50_us": %.0f, "p99_us": %.0f, ' ..
    '"socket_errors": %.0f, "status_errors": %.0f}\\n', summary.requests, summary.bytes, summary.duration,
    latency:percentile(50), latency:percentile(99), e.connect + e.read + e.write + e.timeout, e.status))
end
"""

SCENARIOS = [
    Scenario("1k", "1 KiB file, 64 keep-alive connections"),
    Scenario("1k-1000", "1 KiB file, 1,000 keep-alive connections", connections=1000),
    Scenario("64k", "64 KiB file, 64 connections", path="/64k.txt"),
    Scenario("64m", "64 MiB file, 8 connections", path="/64m.bin", connections=8, large=True),
    Scenario("pipelined", "1 KiB file, 16 pipelined requests, 64 connections", lua=PIPELINED, pipelined=True),
    Scenario("many", "10,000 files of 4 KiB in random order, 64 connections", path=many_path(4711), lua=MANY),
    Scenario("close", "1 KiB file, one request per connection, 64 at a time", headers={"Connection": "close"}),
    Scenario("304", "If-None-Match answered 304, 64 connections", status=304, conditional=True),
    Scenario("404", "404, 64 connections", path="/missing.txt", status=404),
    Scenario("gzip", "16 KiB page, precompressed (Accept-Encoding: gzip), 64 connections", path="/page.html",
             headers={"Accept-Encoding": "gzip"}, gzip=True),
    Scenario("idle", f"{IDLE_CONNECTIONS:,} idle keep-alive connections, each after one 1 KiB answer",
             connections=IDLE_CONNECTIONS, idle=True),
]
