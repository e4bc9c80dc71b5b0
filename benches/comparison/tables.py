"""The numbers as Markdown tables: medians over the rounds, and ratios of medians."""
import statistics

BASES = ("nginx", "lighttpd")  # what the ratios are relative to


def measured(runs, scenario, peer, key):
    """One value per round."""
    return [run[key] for run in runs if (run["scenario"], run["peer"]) == (scenario.name, peer)]


def median(runs, scenario, peer, key):
    return statistics.median(measured(runs, scenario, peer, key) or [0])


def spread(runs, scenario, peer, key):
    values = measured(runs, scenario, peer, key)
    return (max(values) - min(values)) / (statistics.median(values) or 1)


def ratios(runs, scenario, peer, *keys):
    """This server's medians divided by those of each base ("-" where that was not measured)."""
    for base in BASES:
        for key in keys:
            divisor = median(runs, scenario, base, key)
            yield f"{median(runs, scenario, peer, key) / divisor:.2f}" if divisor else "-"


def ratio_columns(*words):
    return [f"{word} / {base}" for base in BASES for word in words]


def load_row(runs, scenario, peer):
    value = lambda key: median(runs, scenario, peer, key)
    latency = lambda key: "-" if scenario.pipelined or not value(key) else f"{value(key) / 1000:,.2f}"
    return [f"{value('requests_per_s'):,.{1 if scenario.large else 0}f}", f"{value('cpu_us'):,.2f}",
            f"{spread(runs, scenario, peer, 'cpu_us'):.0%}", f"{value('busy'):.0%}",
            latency("p50_us"), latency("p99_us"), *ratios(runs, scenario, peer, "requests_per_s", "cpu_us")]


def idle_row(runs, scenario, peer):
    value = lambda key: median(runs, scenario, peer, key)
    mib = lambda key: f"{value(key) / 2**20:,.1f}"
    return [f"{value('per_connection'):,.0f}", mib("before"), mib("after"), mib("rss"),
            *ratios(runs, scenario, peer, "per_connection", "after")]


LOAD_COLUMNS = ["requests/s", "CPU µs/request", "spread", "busy", "p50 ms", "p99 ms", *ratio_columns("req/s", "CPU")]
IDLE_COLUMNS = ["bytes/connection", "before MiB", "after MiB", "RSS MiB", *ratio_columns("bytes", "after")]


def print_scenario(runs, failures, scenario, peers):
    columns, row = (IDLE_COLUMNS, idle_row) if scenario.idle else (LOAD_COLUMNS, load_row)
    rows = [["server", *columns]]
    for peer in peers:
        if (scenario.name, peer.name) in failures:
            rows.append([peer.name, "FAILED"] + [""] * (len(columns) - 1))
        elif measured(runs, scenario, peer.name, "round"):
            rows.append([peer.name, *row(runs, scenario, peer.name)])
    print(f"\n### {scenario.title}\n")
    print_table(rows)


def print_table(rows):
    widths = [max(map(len, column)) for column in zip(*rows)]
    rows.insert(1, ["-" * widths[0]] + ["-" * (width - 1) + ":" for width in widths[1:]])
    for first, *others in rows:
        print("| " + " | ".join([first.ljust(widths[0])] + [o.rjust(w) for o, w in zip(others, widths[1:])]) + " |")
