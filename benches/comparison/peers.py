"""The servers that are compared: how each is configured and started with one worker."""
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from .scenarios import Scenario

HOST = "127.0.0.1"
CONNECTIONS = 16384  # what every server is allowed: more than any scenario opens
IDLE_SECONDS = 600   # no server may close an idle client while we count


class Failed(Exception):
    """A server that cannot be measured fairly: it does not start, answers wrongly or drops clients."""


@dataclass(frozen=True)
class Place:
    """Where and for what a server is started."""
    dir: Path      # its own scratch folder: configuration, log, caches
    root: Path     # the folder it serves
    port: int
    files: int     # the descriptor limit
    scenario: Scenario

    @property
    def config(self):
        return self.dir / "config"

    @property
    def log(self):
        return self.dir / "log"


class Peer:
    """A server to compare with (Strategy): how to configure it and how to start it in the foreground."""
    name = ""
    program = ""
    version_option = "-v"
    quiet = False         # throw its output away instead of keeping it for error messages
    serves_files = True   # False: its answers only have the right length

    def programs(self):
        """What must be there for it to be measured."""
        return [self.program]

    def available(self):
        return all(map(shutil.which, self.programs()))

    def supports(self, scenario):
        """Whether it can take part."""
        return not scenario.answer and scenario.workers == 1

    def config(self, place):
        """The text of its configuration file, which is place.config."""
        return ""

    def command(self, place):
        """The program and its arguments; it must stay in the foreground."""
        raise NotImplementedError

    def version(self):
        return (self.run(self.version_option).stdout.strip() or "?").splitlines()[0]

    def run(self, *arguments):
        """Ask the program about itself."""
        return subprocess.run([self.program, *arguments], stdin=subprocess.DEVNULL, text=True, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=10)


class Nginx(Peer):
    name = "nginx"
    program = "nginx"
    file_cache = "open_file_cache off;"

    def supports(self, scenario):
        return not scenario.answer and (not scenario.gzip or "http_gzip_static_module" in self.run("-V").stdout)

    def config(self, place):
        scratch = "\n".join(f"  {kind}_temp_path {place.dir}/{kind};"
                            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        return f"""
daemon off;
worker_processes {place.scenario.workers};
worker_rlimit_nofile {place.files};
pid {place.dir}/pid;
error_log stderr error;
events {{ worker_connections {CONNECTIONS}; }}
http {{
  access_log off;
  log_not_found off;
  sendfile on;
  tcp_nopush off;
  keepalive_requests 1000000000;
  keepalive_timeout {IDLE_SECONDS}s;
  {self.file_cache}
  {"gzip_static on;" if place.scenario.gzip else ""}
  types {{ text/html html; text/plain txt; }}
{scratch}
  server {{ listen {HOST}:{place.port} backlog=4096; root {place.root}; }}
}}
"""

    def command(self, place):
        return [self.program, "-e", "stderr", "-p", str(place.dir), "-c", str(place.config)]


class NginxCache(Nginx):
    name = "nginx-cache"
    file_cache = "open_file_cache max=1000 inactive=60s; open_file_cache_valid 1s;"


class Lighttpd(Peer):
    name = "lighttpd"
    program = "lighttpd"

    def supports(self, scenario):
        """lighttpd reads no .gz sidecars; mod_deflate with a cache folder is its nearest equivalent."""
        if not scenario.gzip:
            return super().supports(scenario)
        with tempfile.NamedTemporaryFile("w", suffix=".conf") as test:
            test.write('server.document-root = "/"\nserver.modules = ("mod_deflate")\n')
            test.flush()
            return self.run("-tt", "-f", test.name).returncode == 0

    def config(self, place):
        deflate = f"""
server.modules = ("mod_deflate")
deflate.mimetypes = ("text/")
deflate.allowed-encodings = ("gzip")
deflate.cache-dir = "{place.dir}"
"""
        return f"""
server.document-root = "{place.root}"
server.bind = "{HOST}"
server.port = {place.port}
server.max-worker = 0
server.max-fds = {place.files}
server.max-connections = {CONNECTIONS}
server.listen-backlog = 4096
server.max-keep-alive-requests = 65535
server.max-keep-alive-idle = {IDLE_SECONDS}
mimetype.assign = (".html" => "text/html", ".txt" => "text/plain", "" => "application/octet-stream")
{deflate if place.scenario.gzip else ""}
"""

    def command(self, place):
        return [self.program, "-D", "-f", str(place.config)]


class H2o(Peer):
    name = "h2o"
    program = "h2o"

    def config(self, place):
        return f"""
num-threads: 1
num-name-resolution-threads: 1
max-connections: {CONNECTIONS}
http1-request-timeout: {IDLE_SECONDS}
listen: {{host: {HOST}, port: {place.port}}}
hosts:
  default:
    paths:
      /:
        file.dir: {place.root}
        file.send-compressed: {"ON" if place.scenario.gzip else "OFF"}
"""

    def command(self, place):
        return [self.program, "-c", str(place.config)]
