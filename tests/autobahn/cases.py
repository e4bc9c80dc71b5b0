"""Runs the Autobahn cases against a URL, and writes what was found as Markdown: cases.py URL FILE"""

import asyncio
import collections
import os
import sys

import kosoku

SECTIONS = {
    "1": "Framing: messages of every length", "2": "Pings and pongs", "3": "Reserved bits", "4": "Opcodes",
    "5": "Fragmentation", "6": "UTF-8", "7": "Close handshake", "9": "Limits and performance: up to 16 MiB",
    "10": "Automatic fragmentation",
}
# Compression (permessage-deflate) is not offered; a client that asks for it goes without.
NOT_RUN = ["12.*", "13.*"]


async def run(url):
    try:
        return await kosoku.run_fuzzingclient(url, None, NOT_RUN)
    except kosoku.FailureError as failure:
        return failure.results


def main(url, path):
    results = asyncio.run(run(url))
    table = collections.defaultdict(collections.Counter)
    notes, failed = [], []
    for result in results:
        case = result.case_id
        verdict, close = result.behavior.value, result.behavior_close.value
        table[case.split(".")[0]][verdict] += 1
        if verdict not in ("OK", "INFORMATIONAL", "NON-STRICT") or close not in ("OK", "INFORMATIONAL"):
            failed.append(case)
        if (verdict, close) != ("OK", "OK"):
            notes.append(f"| {case} | {verdict} | {close} |")
    columns = ["OK", "NON-STRICT", "INFORMATIONAL"]
    lines = ["| section | cases | ok | non-strict | informational | failed |", "|---|---|---|---|---|---|"]
    for section, counts in sorted(table.items(), key=lambda row: int(row[0])):
        known = [counts[column] for column in columns]
        row = [f"{section} {SECTIONS.get(section, '')}".strip(), sum(counts.values()), *known, sum(counts.values()) - sum(known)]
        lines.append("| " + " | ".join(map(str, row)) + " |")
    lines += ["", "| not simply ok | behaviour | close |", "|---|---|---|", *notes]
    text = "\n".join(lines)
    print(text)
    print(f"\n{len(results) - len(failed)} passed, {len(failed)} failed")
    with open(path, "w") as file:
        file.write(text + "\n")
    # All is said: kosoku's own threads now and then abort while Python takes itself apart, which says nothing about us.
    sys.stdout.flush()
    os._exit(1 if failed or len(results) < 250 else 0)


main(*sys.argv[1:])
