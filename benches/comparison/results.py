"""All measurements: kept in a file from one start of the program to the next, and their medians over the rounds."""
import json
import statistics
from pathlib import Path


class Results:
    """What was measured, and what could not be."""

    def __init__(self, machine):
        self.machine = machine  # what must be the same for numbers to be compared: see machine.py
        self.runs = []          # a dictionary for each measurement
        self.failures = {}      # (scenario, server) -> why

    def add_from(self, path):
        """Take in what an earlier start wrote there, if anything. ValueError: it is of another machine or program."""
        if not Path(path).exists():
            return
        earlier = json.loads(Path(path).read_text())
        for fact, value in earlier["machine"].items():
            if fact != "versions" and self.machine[fact] != value:
                raise ValueError(f"{fact} was {value} and is {self.machine[fact]}")
        for server, version in earlier["machine"]["versions"].items():
            if self.machine["versions"].setdefault(server, version) != version:
                raise ValueError(f"{server} was {version} and is {self.machine['versions'][server]}")
        self.runs += earlier["runs"]
        self.failures |= {(one["scenario"], one["server"]): one["why"] for one in earlier["failures"]}

    def write(self, path):
        failures = [{"scenario": scenario, "server": server, "why": why}
                    for (scenario, server), why in self.failures.items()]
        everything = {"machine": self.machine, "runs": self.runs, "failures": failures}
        Path(path).write_text(json.dumps(everything, indent=1) + "\n")

    def values(self, scenario, server, key):
        """One for each round."""
        mine = (run for run in self.runs if (run["scenario"], run["server"]) == (scenario, server))
        return [run[key] for run in mine if key in run]

    def median(self, scenario, server, key):
        """None where it was not measured."""
        values = self.values(scenario, server, key)
        return statistics.median(values) if values else None

    def spread(self, scenario, server, key):
        values = self.values(scenario, server, key)
        return (max(values) - min(values)) / (statistics.median(values) or 1)

    def ratio(self, scenario, server, base, key):
        """The ratio of the medians; None where one of them was not measured, or is nothing."""
        value, divisor = self.median(scenario, server, key), self.median(scenario, base, key)
        return value / divisor if value and divisor else None

    def servers(self, scenario):
        """Those that were measured, or failed, in the order in which they are listed."""
        there = {run["server"] for run in self.runs if run["scenario"] == scenario}
        there |= {server for of, server in self.failures if of == scenario}
        return [server for server in ORDER if server in there]

    def rounds(self):
        """The fewest and the most rounds that a server had in a scenario."""
        counts = {}
        for run in self.runs:
            counts[run["scenario"], run["server"]] = counts.get((run["scenario"], run["server"]), 0) + 1
        return (min(counts.values()), max(counts.values())) if counts else (0, 0)


# How servers follow each other in a table; ratios are to those after the first.
ORDER = ("qibu", "floor", "nginx", "nginx-cache", "lighttpd", "h2o", "hyper", "actix")
