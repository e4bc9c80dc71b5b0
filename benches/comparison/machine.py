"""Where and with what was measured."""
import hashlib
import os
import platform
import shutil
from pathlib import Path


def machine(peers, options):
    """What must be the same for numbers to be compared."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown CPU")
    return {"cpu": model, "cores": len(os.sched_getaffinity(0)), "kernel": platform.release(),
            "congestion": Path("/proc/sys/net/ipv4/tcp_congestion_control").read_text().strip(), "seconds": options.seconds,
            "versions": {peer.name: f"{peer.version()}, build {build(peer)}" for peer in peers}}


def build(peer):
    """Tells two programs apart that call themselves the same."""
    digest = hashlib.sha256()
    for program in peer.programs():
        digest.update(Path(shutil.which(program)).read_bytes())
    return digest.hexdigest()[:8]


def described(results):
    """The same in words, as Markdown."""
    facts, (fewest, most) = results.machine, results.rounds()
    rounds = f"{most}" if fewest == most else f"{fewest} to {most}"
    servers = "\n".join(f"- {name}: {version}" for name, version in facts["versions"].items())
    return (f"{facts['cpu']}, {facts['cores']} cores, Linux {facts['kernel']}, TCP's {facts['congestion']}; "
            f"medians of {rounds} rounds of {facts['seconds']} s.\n\n{servers}\n")
