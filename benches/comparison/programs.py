"""The programs of this repository that are compared: qibu's own, and those of benches/peers."""
from pathlib import Path

from .peers import HOST, H2o, Lighttpd, Nginx, NginxCache, Peer


class Qibu(Peer):
    """Files are served by its program, handlers by `qibu_closure`."""
    name = "qibu"
    version_option = "--version"
    quiet = True  # and so without its access log, which needs a terminal

    def __init__(self, options):
        self.program = str(options.qibu)
        self.closure = str(options.built / "qibu_closure")

    def programs(self):
        """Without benches/peers, files can be compared all the same."""
        return [self.program, self.closure] if Path(self.closure).exists() else [self.program]

    def supports(self, scenario):
        return not scenario.answer or self.closure in self.programs()

    def command(self, place):
        if place.scenario.answer:
            return [self.closure, str(place.port)]
        return [self.program, str(place.root), "--no-config", "--bind", HOST, "--port", str(place.port),
                "--loops", str(place.scenario.workers)]


class Hello(Peer):
    """A program of benches/peers: `PROGRAM PORT` answers `/hello?name=x`."""
    quiet = True

    def __init__(self, name, program):
        self.name, self.program = name, str(program)

    def supports(self, scenario):
        return bool(scenario.answer)

    def command(self, place):
        return [self.program, str(place.port)]

    def version(self):
        return "of benches/peers/Cargo.lock"


class Floor(Hello):
    """The least a server can do: `floor PORT BYTES` answers every request with so many bytes, looking at nothing."""
    serves_files = False

    def supports(self, scenario):
        return scenario.floor

    def command(self, place):
        return [self.program, str(place.port), str(len(place.scenario.expected(place.root)))]

    def version(self):
        return "a fixed answer"


def all_peers(options):
    return [Qibu(options), Floor("floor", options.built / "floor"), Nginx(), NginxCache(), Lighttpd(), H2o(),
            Hello("hyper", options.built / "hyper_hello"), Hello("actix", options.built / "actix_hello")]
