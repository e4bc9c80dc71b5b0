"""What qibu is to reach, beside what it reaches."""
from dataclasses import dataclass

from .scenarios import SCENARIOS
from .tables import number, table


@dataclass(frozen=True)
class Target:
    """qibu's number is at most (or at least) so many times that of another server, or so much by itself."""
    scenario: str
    bound: float
    base: str = ""           # with whom it is compared; empty: the number itself
    key: str = "cpu_us"
    at: str = "≤"
    unit: float = 1          # what the number is divided by to be shown
    words: str = "CPU"

    def measured(self, results):
        """None if one of the two was not measured."""
        if self.base:
            return results.ratio(self.scenario, "qibu", self.base, self.key)
        value = results.median(self.scenario, "qibu", self.key)
        return None if value is None else value / self.unit

    def cells(self, results):
        value = self.measured(results)
        wanted = f"{self.words} {self.at} {self.bound:g}" + (f" × {self.base}" if self.base else "")
        return [wanted, number(value), verdict(value, self)]


def verdict(value, target):
    if value is None:
        return "not measured"
    return "yes" if (value <= target.bound if target.at == "≤" else value >= target.bound) else "no"


TARGETS = [
    Target("1k", 1.15, "floor"), Target("1k", 0.6, "nginx"), Target("1k", 0.9, "lighttpd"),
    Target("1k-1000", 1.25, "floor"), Target("1k-1000", 0.85, "lighttpd"),
    Target("pipelined", 0.2, "nginx"), Target("pipelined", 0.25, "lighttpd"), Target("pipelined", 2.5, "floor"),
    Target("64k", 0.85, "lighttpd"), Target("64k", 0.8, "nginx"),
    Target("64m", 1.05, "nginx"),
    Target("many", 0.75, "nginx"), Target("many", 0.8, "lighttpd"),
    Target("close", 0.9, "lighttpd"), Target("close", 1.1, "h2o"),
    Target("304", 0.75, "nginx"), Target("304", 0.9, "lighttpd"),
    Target("404", 0.85, "nginx"),
    Target("gzip", 0.7, "nginx"),
    Target("closure", 1.12, "floor"), Target("closure", 0.95, "hyper"), Target("closure", 0.9, "actix"),
    Target("closure-pipelined", 0.75, "hyper"), Target("closure-pipelined", 1.6, "floor"),
    Target("upload", 0.8, "actix"),
    Target("two", 1, "nginx", key="requests_per_s", at="≥", words="requests/s"),
    Target("idle", 500, key="per_connection", words="bytes/connection"),
    Target("start", 20, key="first_answer_ms", words="ms to the first answer"),
    Target("start", 6, key="rss", unit=2**20, words="RSS MiB"),
]


def targets_table(results):
    """Every target of what was measured: what is wanted, what it is, whether that is reached."""
    titles = {scenario.name: scenario.title for scenario in SCENARIOS}
    rows = [["scenario", "wanted", "measured", "reached"]]
    for target in (target for target in TARGETS if results.servers(target.scenario)):
        title = titles.pop(target.scenario, "")  # said once
        rows.append([title, *target.cells(results)])
    return table(rows) if len(rows) > 1 else ""


def latency_table(results):
    """p99 and p99.9 against nginx's: wanted is 1 at most."""
    rows = [["scenario", "p99 ÷ nginx", "p99.9 ÷ nginx", "reached"]]
    for scenario in SCENARIOS:
        ratios = [results.ratio(scenario.name, "qibu", "nginx", key) for key in ("p99_us", "p999_us")]
        if scenario.kind == "load" and not scenario.pipelined and None not in ratios:
            rows.append([scenario.title, *map(number, ratios), "yes" if max(ratios) <= 1 else "no"])
    return table(rows) if len(rows) > 1 else ""
