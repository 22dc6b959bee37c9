# SPDX-License-Identifier: BSD-2-Clause
"""Lines executed by file, lowest first, from the counts that a run of VARIANT=coverage left."""

import gzip
import json
import subprocess
import sys
from pathlib import Path


def lines_of(counts):
    """{source: {line: executed}} of one .gcda file; headers appear in many."""
    text = subprocess.run(["gcov", "--json-format", "--stdout", counts], capture_output=True, check=True).stdout
    if text.startswith(b"\x1f\x8b"):
        text = gzip.decompress(text)
    found = {}
    for document in text.splitlines():
        for file in json.loads(document)["files"]:
            lines = found.setdefault(file["file"], {})
            for line in file["lines"]:
                number = line["line_number"]
                lines[number] = lines.get(number, False) or line["count"] > 0
    return found


def main(build):
    total = {}
    for counts in Path(build).rglob("*.gcda"):
        if counts.relative_to(build).parts[0] == "tests":
            continue
        for source, lines in lines_of(counts).items():
            if source.startswith("/") or source.startswith("tests/"):
                continue
            known = total.setdefault(source, {})
            for number, executed in lines.items():
                known[number] = known.get(number, False) or executed
    rows = sorted((sum(lines.values()) / len(lines), source, lines) for source, lines in total.items() if lines)
    for share, source, lines in rows:
        print(f"{share:7.1%}  {sum(lines.values()):5} of {len(lines):5}  {source}")
    executed = sum(sum(lines.values()) for _, _, lines in rows)
    every = sum(len(lines) for _, _, lines in rows)
    print(f"{executed / max(every, 1):7.1%}  {executed:5} of {every:5}  all")


main(sys.argv[1])
