#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the VM tests one after the other and speaks TAP.

    python3 tests/vm/run.py [--filter TEXT]... [--list] [--long] [--keep]

Every function test_* of every test_*.py is one test; it gets an empty directory. Tests marked
@long run only with --long. The last line is "N passed, N failed, N skipped".
"""

import argparse
import glob
import importlib
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import harness      # noqa: E402


def collect(filters):
    found = []
    here = os.path.dirname(os.path.abspath(__file__))
    for path in sorted(glob.glob(os.path.join(here, "test_*.py"))):
        module = importlib.import_module(os.path.basename(path)[:-3])
        for name, function in vars(module).items():
            full = "%s.%s" % (module.__name__[5:], name[5:])
            if name.startswith("test_") and callable(function) and \
               (not filters or any(text in full for text in filters)):
                found.append((full, function))
    return found


def run_one(function, directory):
    """(verdict, text)"""
    try:
        function(directory)
        return "passed", ""
    except harness.Skip as skip:
        return "skipped", str(skip)
    except harness.Failure as failure:
        where = traceback.extract_tb(failure.__traceback__)
        line = [f for f in where if os.path.basename(f.filename).startswith("test_")][-1]
        return "failed", "%s:%d: %s" % (os.path.basename(line.filename), line.lineno, failure)
    except Exception:
        return "failed", traceback.format_exc()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--filter", action="append", default=[])
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--long", action="store_true", help="also the tests marked @long")
    parser.add_argument("--keep", action="store_true", help="keep the directories of failed tests")
    options = parser.parse_args()
    tests = [(name, function) for name, function in collect(options.filter)
             if options.long or options.list or not getattr(function, "long", False)]
    if options.list:
        print("\n".join(name for name, _ in tests))
        return 0
    # SystemExit runs the clean-up that SIGTERM's default would not.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    count = {"passed": 0, "failed": 0, "skipped": 0}
    began = time.monotonic()
    print("TAP version 13\n1..%d" % len(tests), flush=True)
    for number, (name, function) in enumerate(tests, 1):
        directory = tempfile.mkdtemp(prefix="slipway-vm-")
        start = time.monotonic()
        verdict, text = run_one(function, directory)
        count[verdict] += 1
        word = "not ok" if verdict == "failed" else "ok"
        note = " # SKIP " + text if verdict == "skipped" else ""
        print("%s %d - %s (%.1f s)%s" % (word, number, name, time.monotonic() - start, note))
        if verdict == "failed":
            print("".join("# %s\n" % line for line in text.split("\n")), end="")
        sys.stdout.flush()
        if verdict == "failed" and options.keep:
            print("# kept: " + directory, flush=True)
        else:
            shutil.rmtree(directory, ignore_errors=True)
    print("# %.1f s in all" % (time.monotonic() - began))
    print("%d passed, %d failed, %d skipped" % (count["passed"], count["failed"],
                                                count["skipped"]))
    return 1 if count["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
