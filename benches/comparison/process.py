"""What a process costs, with all its children, and what the machine was kept from: /proc."""
import contextlib
import os
from pathlib import Path


def stat_fields(pid):
    """/proc/PID/stat after the name (which may hold spaces): [0] is field 3, the state."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def process_tree(pid):
    """This process and all its descendants."""
    children = {}
    for entry in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):  # it may have gone meanwhile
            children.setdefault(int(stat_fields(entry)[1]), []).append(int(entry))
    tree = [pid]
    for member in tree:
        tree += children.get(member, [])
    return tree


def cpu_seconds(pid):
    """User + system time of the tree: all threads, and children already reaped."""
    ticks = sum(int(value) for member in process_tree(pid) for value in stat_fields(member)[11:15])
    return ticks / os.sysconf("SC_CLK_TCK")


def stolen_seconds(cores):
    """How long the hypervisor has let somebody else run on these cores while we had work for them, in sum."""
    ticks = {line.split()[0]: int(line.split()[8]) for line in Path("/proc/stat").read_text().splitlines()
             if line.startswith("cpu")}
    return sum(ticks[f"cpu{core}"] for core in cores) / os.sysconf("SC_CLK_TCK")


def memory_bytes(pid):
    """(Anonymous, Rss) of the tree: memory the program asked for, and all that is resident."""
    sums = {"Anonymous:": 0, "Rss:": 0}
    for member in process_tree(pid):
        for line in Path(f"/proc/{member}/smaps_rollup").read_text().splitlines():
            name, *value = line.split()
            if name in sums:
                sums[name] += int(value[0]) * 1024
    return sums["Anonymous:"], sums["Rss:"]
