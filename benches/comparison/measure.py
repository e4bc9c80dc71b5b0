"""One measurement: start a server, check its answers, drive it, kill it."""
import contextlib
import gzip
import http.client
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from .peers import HOST, Failed, Place
from .process import cpu_seconds, memory_bytes, stolen_seconds
from .scripts import REPORT


# A hypervisor that takes the cores away makes latencies of its own: up to ATTEMPTS are made until it took less than CALM of
# their time, and the calmest counts.
CALM = 0.005
ATTEMPTS = 4

# More closed connections than these, of which the scenarios that keep theirs leave fewer, are forgotten before others are measured.
MOST_REMEMBERED = 10_000
TIME_WAIT_SECONDS = 60

# No variable of the caller may be a setting of a server.
ENVIRONMENT = {"PATH": os.environ["PATH"]}


def pick_cores():
    """(server's core, client's core), or (None, None) where there is only one to share."""
    cores = sorted(os.sched_getaffinity(0))
    return (cores[0], cores[1]) if len(cores) > 1 and shutil.which("taskset") else (None, None)


def pinned(core, command):
    return command if core is None else ["taskset", "-c", str(core), *command]


def free_port():
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def running(peer, place, core):
    """Start a server, wait until it accepts, give its process id; kill all of it at the end, whatever happens."""
    place.config.write_text(peer.config(place))
    with open(os.devnull if peer.quiet else place.log, "wb") as log:
        server = subprocess.Popen(pinned(core, peer.command(place)), cwd=place.dir, start_new_session=True, env=ENVIRONMENT,
                                  stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        wait_until_accepting(server, place)
        yield server.pid
    finally:
        stop(server)


def stop(server):
    """Ask first, so that a master collects its workers; then kill whatever is left of the group."""
    server.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        server.wait(2)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGKILL)
    server.wait()


def wait_until_accepting(server, place):
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and server.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection((HOST, place.port), timeout=1):
            return
        time.sleep(0.0005)
    said = place.log.read_text(errors="replace")[-500:] if place.log.exists() else "(its output is not kept)"
    raise Failed(f"does not start: {said}")


def fetch(port, scenario, headers):
    connection = http.client.HTTPConnection(HOST, port, timeout=20)
    with contextlib.closing(connection):
        connection.putrequest(scenario.method, scenario.path, skip_accept_encoding=True)  # what wrk does not send
        for name, value in (headers | ({"Content-Length": scenario.upload} if scenario.upload else {})).items():
            connection.putheader(name, value)
        connection.endheaders(b"x" * scenario.upload or None)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()


def validate(peer, scenario, place):
    """Ask once, as wrk will, and refuse a wrong answer. Returns (headers for wrk to send, the body's length)."""
    headers = dict(scenario.headers)
    try:
        if scenario.conditional:
            headers["If-None-Match"] = fetch(place.port, scenario, {})[1]["ETag"] or "no ETag given"
        status, got, body = fetch(place.port, scenario, headers)
    except (OSError, http.client.HTTPException) as error:
        raise Failed(f"no answer to {scenario.path}: {error!r}") from error
    if status != scenario.status:
        raise Failed(f"answered {status} instead of {scenario.status} to {scenario.path}")
    if status == 200:
        check_body(peer, scenario, place, got, body)
    return headers, len(body)


def check_body(peer, scenario, place, headers, body):
    encoding = headers["Content-Encoding"] or "none"
    if encoding != ("gzip" if scenario.gzip else "none"):
        raise Failed(f"answered {scenario.path} with Content-Encoding {encoding}")
    plain = gzip.decompress(body) if scenario.gzip else body
    expected = scenario.expected(place.root)
    if len(plain) != len(expected) or (peer.serves_files and plain != expected):
        raise Failed(f"wrong body for {scenario.path}: {len(plain)} bytes instead of {len(expected)}")


def run_wrk(scenario, place, headers, core, seconds):
    """Drive the server. Returns what wrk counted, as scenarios.REPORT prints it."""
    script = place.dir / "wrk.lua"
    script.write_text(scenario.lua + REPORT)
    command = ["wrk", "-t", str(scenario.workers), "-c", str(scenario.connections), "-d", f"{seconds}s", "--timeout", "10s",
               "-s", str(script), f"http://{HOST}:{place.port}{scenario.path}"]
    for name, value in headers.items():
        command[1:1] = ["-H", f"{name}: {value}"]
    output = subprocess.run(pinned(core, command), check=False, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout
    for line in output.splitlines():
        if line.startswith("RESULT "):
            return json.loads(line.removeprefix("RESULT "))
    raise Failed(f"wrk gave no result: {output}")


def check_counts(scenario, counts, body_length):
    """Refuse a run in which clients were dropped, or answered otherwise than validate() was."""
    if not counts["requests"]:
        raise Failed("wrk got no answer at all")
    if counts["socket_errors"]:
        raise Failed(f"wrk had {counts['socket_errors']} socket errors")
    if counts["status_errors"] != (counts["requests"] if scenario.status >= 400 else 0):
        raise Failed(f"wrk saw {counts['status_errors']} statuses >= 400 in {counts['requests']} answers")
    if counts["bytes"] < counts["requests"] * body_length:
        raise Failed(f"{counts['requests']} answers of {body_length} bytes came in only {counts['bytes']} bytes")


def warm_up(scenario, place):
    """Ask for each of the scenario's files once, so that what is measured is not the first reads of a fresh process."""
    connection = http.client.HTTPConnection(HOST, place.port, timeout=20)
    with contextlib.closing(connection):
        for path in scenario.warm_up:
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                raise Failed(f"answered {answer.status} to {path}")


def measure_load(peer, scenario, place, pid, client_core, options):
    headers, body_length = validate(peer, scenario, place)
    warm_up(scenario, place)
    cores = os.sched_getaffinity(pid) | ({client_core} if client_core is not None else set())
    before, stolen_before = cpu_seconds(pid), stolen_seconds(cores)
    counts = run_wrk(scenario, place, headers, client_core, options.seconds * scenario.times)
    stolen = (stolen_seconds(cores) - stolen_before) * 1e6
    time.sleep(0.1)  # closing its last clients is the server's work too
    cpu = (cpu_seconds(pid) - before) * 1e6
    check_counts(scenario, counts, body_length)
    requests = counts["bytes"] / body_length if scenario.large else counts["requests"]
    return counts | {"requests_per_s": requests / counts["us"] * 1e6, "cpu_us": cpu / requests,
                     "busy": cpu / counts["us"] / scenario.workers, "stolen": stolen / counts["us"] / len(cores)}


def measure_idle(peer, scenario, place, pid, client_core, options):
    validate(peer, scenario, place)
    before, _ = memory_bytes(pid)
    with contextlib.ExitStack() as clients:
        opened = [clients.enter_context(idle_client(number, place.port)) for number in range(scenario.connections)]
        time.sleep(0.5)
        after, rss = memory_bytes(pid)
        dropped = count_readable(opened)
    if dropped:
        raise Failed(f"closed {dropped} of {len(opened)} idle connections")
    return {"before": before, "after": after, "rss": rss, "per_connection": (after - before) / len(opened)}


def idle_client(number, port):
    """A connection that got one answer and now waits; several source addresses, so that ports suffice."""
    client = socket.socket()
    try:
        client.settimeout(10)
        client.bind((f"127.0.0.{2 + number % 4}", 0))
        client.connect((HOST, port))
        client.sendall(b"GET /1k.bin HTTP/1.1\r\nHost: localhost\r\n\r\n")
        received = b""
        while len(received.partition(b"\r\n\r\n")[2]) < 1024:
            more = client.recv(65536)
            if not more:
                raise Failed(f"closed idle connection {number} instead of answering it")
            received += more
        return client
    except OSError as error:
        client.close()
        raise Failed(f"idle connection {number}: {error!r}") from error


def count_readable(clients):
    """How many have something to read: after the answer that can only be the end."""
    poll = select.poll()
    for client in clients:
        poll.register(client, select.POLLIN)
    return len(poll.poll(0))


def measure_start(peer, place, core):
    begin = time.monotonic()
    with running(peer, place, core) as pid:
        validate(peer, place.scenario, place)
        first_answer = time.monotonic() - begin
        time.sleep(0.2)
        anonymous, rss = memory_bytes(pid)
    return {"first_answer_ms": first_answer * 1000, "anonymous": anonymous, "rss": rss}


def remembered_connections():
    """How many closed connections TCP has in TIME_WAIT."""
    try:
        return int(re.search(r"^TCP:.* tw (\d+)", Path("/proc/net/sockstat").read_text(), re.MULTILINE).group(1))
    except OSError:
        return 0


def wait_until_forgotten():
    """Connections that end by the thousand are forgotten by the thousand, a minute later, and whoever runs then waits."""
    deadline = time.monotonic() + 2 * TIME_WAIT_SECONDS
    while remembered_connections() > MOST_REMEMBERED and time.monotonic() < deadline:
        time.sleep(0.5)


def measure(peer, scenario, root, cores, options):
    """One measurement, of a server that is started for it; where the hypervisor disturbs too much, another one."""
    stolen = lambda numbers: numbers.get("stolen", 0)  # only what wrk drives is long enough for it to count
    attempts = [measure_once(peer, scenario, root, cores, options)]
    while stolen(attempts[-1]) > CALM and len(attempts) < ATTEMPTS:
        attempts.append(measure_once(peer, scenario, root, cores, options))
    return min(attempts, key=stolen)


def measure_once(peer, scenario, root, cores, options):
    """Start one server for one scenario, measure, and leave nothing behind."""
    with tempfile.TemporaryDirectory(prefix="compare-") as scratch:
        os.chmod(scratch, 0o755)  # a server started as root gives its rights away
        place = Place(Path(scratch), root, free_port(), options.files, scenario)
        if scenario.kind == "start":
            return measure_start(peer, place, cores[0])
        own, clients = cores if scenario.workers == 1 else (None, None)
        with running(peer, place, own) as pid:
            measurement = measure_idle if scenario.kind == "idle" else measure_load
            return measurement(peer, scenario, place, pid, clients, options)
