# SPDX-License-Identifier: Apache-2.0
"""Replays a fuzz corpus, one process for each input, and speaks TAP."""
import subprocess
import sys
from pathlib import Path


def main():
    target, files = sys.argv[1], sys.argv[2:]
    if not files:
        print(f"1..1\nnot ok 1 - {Path(target).name} has no corpus")
        return 1
    bad = []
    for path in files:
        try:
            done = subprocess.run([target, path], capture_output=True, timeout=20, check=False)
            status, text = done.returncode, done.stderr.decode(errors="replace")
        except subprocess.TimeoutExpired:
            status, text = "no end within 20 s", ""
        except OSError as why:
            status, text = str(why), "is it built?"
        if status != 0:
            bad.append(path)
            print(f"# {path}: {status}")
            print("\n".join(f"#   {line}" for line in text.splitlines()[-20:]))
    print("1..1")
    print(f"{'not ' if bad else ''}ok 1 - {Path(target).name} survives its {len(files)} inputs")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
