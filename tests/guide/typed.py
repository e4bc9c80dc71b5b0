"""What tests/guide/run types: a command that runs, what it prints, and whether that is what a page shows."""

import difflib
import os
import re
import signal
import subprocess
import threading
import time
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
OUTPUT_SECONDS = 10
READY_SECONDS = 30

CARGO_SAYS = re.compile(
    r"^ {1,10}(Compiling|Checking|Finished|Running|Blocking|Building|Fresh|Dirty|Downloading|Downloaded|Locking|Updating"
    r"|Adding|Doc-tests|Executable) |^error: process didn't exit successfully: |^error: test failed, to rerun pass "
)


class Bad(Exception):
    """A page is not what happens: file:line and what was seen."""


class Typed:
    """A command that runs, in a process group of its own; what it prints is collected by a thread."""

    def __init__(self, command, stdin=subprocess.PIPE):
        self.command = command
        self.shown = 0  # characters of its output that the page has shown
        self.printed = []
        # bash itself ignores Ctrl-C for what it starts by `&`: the terminal's way is a group in the foreground.
        self.process = subprocess.Popen(
            ["bash", "-c", command], cwd=TOP, env=environment(), start_new_session=True,
            stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        while piece := os.read(self.process.stdout.fileno(), 65536):
            self.printed.append(piece)

    def text(self):
        text = b"".join(self.printed).decode("utf-8", "replace").replace("\r\n", "\n")  # HTTP's lines end so
        return "".join(line for line in text.splitlines(keepends=True) if not CARGO_SAYS.search(line))

    def is_running(self):
        return self.process.poll() is None

    def has_ended(self, seconds):
        """Whether it ends in time, and with it all that writes into its output."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        self.reader.join(2)  # a child of it may live on; what the command itself printed is there
        return True

    def wait_until_printed(self, at, expected):
        deadline = time.monotonic() + (READY_SECONDS if self.shown == 0 else OUTPUT_SECONDS)
        while True:
            is_last = not self.reader.is_alive() or time.monotonic() > deadline
            length = matched(expected, self.text()[self.shown:], whole=False)
            if length is not None:
                self.shown += length
                return
            if is_last:
                compare(at, self.command, expected, self.text()[self.shown:], whole=False)
            time.sleep(0.02)

    def wait_until_ready(self, at):
        deadline = time.monotonic() + READY_SECONDS
        while self.is_running() and not self.has_socket():
            if time.monotonic() > deadline:
                raise Bad(f"{at}: `{self.command}` opens no socket, and does not end:\n{indent(self.text())}")
            time.sleep(0.02)

    def has_socket(self):
        """Linux: a process of the group has a TCP socket that listens or is connected, or a UDP socket."""
        ready = set()
        for table in ("tcp", "tcp6", "udp", "udp6"):
            states = ("0A", "01") if table.startswith("tcp") else ("07", "01")
            try:
                rows = Path(f"/proc/net/{table}").read_text().splitlines()[1:]
            except OSError:
                return True  # another system: it will have to print something
            ready |= {row.split()[9] for row in rows if row.split()[3] in states}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if os.getpgid(int(folder.name)) != self.process.pid:
                    continue
                links = [os.readlink(fd) for fd in (folder / "fd").iterdir()]
            except OSError:
                continue  # it has gone
            if any(link.startswith("socket:[") and link[8:-1] in ready for link in links):
                return True
        return False

    def typed(self, text):
        if text == "^D":
            return self.process.stdin.close()
        self.process.stdin.write(text.encode() + b"\n")
        self.process.stdin.flush()

    def interrupt(self):
        os.killpg(self.process.pid, signal.SIGINT)

    def kill(self):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()


def environment(offline=True):
    left_out = ("ADDRESS", "STAGE", "RUST_LOG", "CARGO_TERM_QUIET")
    proxies = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
    kept = {key: value for key, value in os.environ.items() if not offline or key not in left_out + proxies}
    kept |= {"PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1", "PYTHONDONTWRITEBYTECODE": "1", "LC_ALL": "C.UTF-8"}
    kept |= {"CARGO_TERM_COLOR": "never", "NO_COLOR": "1", "TERM": "dumb"}
    kept |= {"CURL_HOME": str(TOP / "tests" / "guide")}  # .curlrc: no progress meter, as at a terminal
    return kept | ({"CARGO_NET_OFFLINE": "true"} if offline else {})


# ---- what is shown and what came ----


def matched(expected, text, whole):
    """How many characters of the text the expected lines stand for; None, if they do not."""
    pattern = ""
    for line in expected:
        if CARGO_SAYS.search(line):
            continue
        if line == "...":
            pattern += r"(?:[^\n]*\n)*?"
        else:
            pattern += "[^\n]*".join(map(re.escape, line.split("..."))) + "\n"
    text = re.sub(r"[ \t]+$", "", text, flags=re.M) if whole else text
    if text and not text.endswith("\n"):
        text += "\n"  # the last line of a command need not end
    found = re.fullmatch(pattern, text) if whole else re.match(pattern, text)
    return found.end() if found else None


def compare(at, command, expected, text, whole):
    if matched(expected, text, whole) is not None:
        return
    shown = [line for line in expected if not CARGO_SAYS.search(line)]
    lines = difflib.unified_diff(shown, text.splitlines(), "the page shows", "it prints", lineterm="", n=99)
    diff = "\n".join(line for line in lines if not line.startswith("@@"))
    raise Bad(f"{at}: `{command}`\n{indent(diff or '(nothing)')}")


def indent(text):
    return "\n".join("    " + line for line in text.splitlines())
