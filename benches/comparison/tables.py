"""Measurements as Markdown tables."""
from .results import ORDER

LOAD_COLUMNS = ("requests/s", "CPU µs", "spread", "busy", "stolen", "p50 ms", "p99 ms", "p99.9 ms")
IDLE_COLUMNS = ("bytes/connection", "before MiB", "after MiB", "RSS MiB")
START_COLUMNS = ("first answer ms", "own MiB", "RSS MiB")


def number(value, digits=2):
    return "-" if value is None else f"{value:,.{digits}f}"


def mib(value):
    return number(value / 2**20, 1)


def load_cells(results, scenario, server):
    median = lambda key: results.median(scenario.name, server, key)
    latency = lambda key: "-" if scenario.pipelined or not median(key) else number(median(key) / 1000)
    return [number(median("requests_per_s"), 1 if scenario.large else 0), number(median("cpu_us")),
            f"{results.spread(scenario.name, server, 'cpu_us'):.0%}", f"{median('busy'):.0%}",
            f"{median('stolen'):.1%}", *map(latency, ("p50_us", "p99_us", "p999_us"))]


def idle_cells(results, scenario, server):
    median = lambda key: results.median(scenario.name, server, key)
    return [number(median("per_connection"), 0), mib(median("before")), mib(median("after")), mib(median("rss"))]


def start_cells(results, scenario, server):
    median = lambda key: results.median(scenario.name, server, key)
    return [number(median("first_answer_ms"), 1), mib(median("anonymous")), mib(median("rss"))]


# By Scenario.kind: its columns, what fills them, and which number is divided by the same of the other servers.
KINDS = {
    "load": (LOAD_COLUMNS, load_cells, "cpu_us"),
    "idle": (IDLE_COLUMNS, idle_cells, "per_connection"),
    "start": (START_COLUMNS, start_cells, "rss"),
}


def scenario_table(results, scenario):
    """A row for each server; the last columns are ratios."""
    columns, cells, compared = KINDS[scenario.kind]
    servers = results.servers(scenario.name)
    bases = [server for server in servers if server in ORDER[1:] and server != "nginx-cache"]
    rows = [["server", *columns, *(f"÷ {base}" for base in bases)]]
    for server in servers:
        if (scenario.name, server) in results.failures:
            rows.append([server, "FAILED"] + [""] * (len(rows[0]) - 2))
        else:
            ratios = [number(results.ratio(scenario.name, server, base, compared)) for base in bases]
            rows.append([server, *cells(results, scenario, server), *ratios])
    return f"### {scenario.title}\n\n{table(rows)}" if servers else ""


def all_scenarios(results, scenarios):
    tables = filter(None, (scenario_table(results, scenario) for scenario in scenarios))
    reasons = [f"FAILED: {server}, {scenario}: {why}\n" for (scenario, server), why in results.failures.items()]
    return "\n".join([*tables, *reasons])


def overview(results, scenarios):
    """One row for each scenario: what a request costs every server."""
    columns = [server for server in ORDER if any(server in results.servers(scenario.name) for scenario in scenarios)]
    rows = [["CPU µs per request", *columns]]
    for scenario in scenarios:
        if scenario.kind == "load" and results.servers(scenario.name):
            rows.append([scenario.title, *(number(results.median(scenario.name, server, "cpu_us")) for server in columns)])
    return table(rows)


def growth(results, scenarios):
    """A table for each axis: how the cost grows along it."""
    return "\n".join(axis_table(results, axis, [scenario for scenario in scenarios if scenario.axis == axis])
                     for axis in dict.fromkeys(scenario.axis for scenario in scenarios))


def axis_table(results, axis, steps):
    columns = [server for server in ORDER if any(server in results.servers(step.name) for step in steps)]
    head = [axis, *(f"{server} CPU µs" for server in columns), *(f"{server} requests/s" for server in columns),
            *(f"{server} p99 ms" for server in columns)]
    rows = [head]
    for step in steps:
        median = lambda server, key, step=step: results.median(step.name, server, key)
        p99 = [median(server, "p99_us") for server in columns]
        rows.append([step.step, *(number(median(server, "cpu_us")) for server in columns),
                     *(number(median(server, "requests_per_s"), 1 if step.large else 0) for server in columns),
                     *(number(value / 1000 if value else None) for value in p99)])
    return table(rows) if len(rows) > 1 and columns else ""


def table(rows):
    """The first column is words, the others are numbers."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    line = ["-" * widths[0]] + ["-" * (width - 1) + ":" for width in widths[1:]]
    return "".join("| " + " | ".join([first.ljust(widths[0])] + [o.rjust(w) for o, w in zip(others, widths[1:])]) + " |\n"
                   for first, *others in (rows[0], line, *rows[1:]))
