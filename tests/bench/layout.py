# SPDX-License-Identifier: Apache-2.0
"""Planning a layout of 128 partitions: slipway against systemd-repart in dry run, on one image."""
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

SEED = "00112233-4455-6677-8899-aabbccddeeff"
REPEATS = 60


def define(folder):
    """128 of one type, with weights, padding and priorities that do and do not count."""
    folder.mkdir()
    for i in range(128):
        (folder / f"{i:03}.conf").write_text(
            f"[Partition]\nType=home\nSizeMinBytes=4M\nWeight={100 + i}\nPriority={i % 3 - 1}\n"
            f"PaddingWeight={i % 2}\n")


def seconds(argv, env):
    start = time.monotonic()
    subprocess.run([str(a) for a in argv], env=env, check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    return time.monotonic() - start


def medians(commands, env):
    """Milliseconds of each; they run in turn, so that what disturbs one disturbs all."""
    times = [[] for _ in commands]
    for number in range(REPEATS + 1):
        for which, argv in enumerate(commands):
            took = seconds(argv, env)
            if number > 0:
                times[which].append(took * 1000)
    return [statistics.median(t) for t in times]


def bench(slipway, out, env):
    what = "planning 128 partitions (ms)"
    if not shutil.which("systemd-repart", path=env["PATH"]):
        return [{"what": what, "skipped": "systemd-repart is not installed"}]
    with tempfile.TemporaryDirectory(prefix="bench.", dir=out) as name:
        definitions, image = Path(name) / "d", Path(name) / "img"
        define(definitions)
        with open(image, "wb") as file:
            file.truncate(20 << 30)
        ours, theirs, our_start, their_start = medians([
            [slipway, "layout", "plan", "--seed", SEED, "--definitions", definitions,
             "--empty=allow", image],
            ["systemd-repart", "--dry-run=yes", "--pretty=no", f"--seed={SEED}",
             f"--definitions={definitions}", "--empty=allow", image],
            [slipway, "--version"], ["systemd-repart", "--version"]], env)
    return [{"what": what, "slipway": round(ours, 1), "with": "systemd-repart --dry-run=yes",
             "other": round(theirs, 1), "ratio": round(ours / theirs, 2), "aim": "<= 0.5",
             "met": ours / theirs <= 0.5},
            {"what": "of that, starting and ending the process (ms)",
             "slipway": round(our_start, 1), "with": "systemd-repart --version",
             "other": round(their_start, 1), "ratio": round(our_start / their_start, 2)}]
