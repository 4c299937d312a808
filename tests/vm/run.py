#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the VM tests, as many at a time as there are processors for, and speaks TAP.

    python3 tests/vm/run.py [--filter TEXT]... [--jobs N] [--list] [--long] [--keep]

Every function test_* of every test_*.py is one test; it gets a process and an empty directory.
Tests marked @long run only with --long, those marked @drawn only without it: they take by a seed a
few of the cases of which a long one takes all. A test whose machine's kernel hung before it started
any program is repeated once, and the output says so: an emulated processor can miss the wake-up of
another (seen once in some thousand starts). The last line is "N passed, N failed, N skipped".
"""

import argparse
import glob
import importlib
import json
import os
import resource
import shutil
import signal
import subprocess
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
        verdict = "stalled" if isinstance(failure, harness.Stalled) else "failed"
        return verdict, "%s:%d: %s" % (os.path.basename(line.filename), line.lineno, failure)
    except Exception:
        return "failed", traceback.format_exc()


def exactly(name, directory, result):
    """The child's part: one test; its verdict goes into a file, what it prints to the output."""
    function = dict(collect([name]))[name]
    verdict, text = run_one(function, directory)
    spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    print("# %.1f s of processor time" % sum(one.ru_utime + one.ru_stime for one in spent),
          flush=True)
    with open(result, "w", encoding="utf-8") as file:
        json.dump({"verdict": verdict, "text": text}, file)
    return 0


class Test:
    """A test that runs in a process of its own."""

    def __init__(self, name, jobs):
        self.name, self.start = name, time.monotonic()
        self.top = tempfile.mkdtemp(prefix="slipway-vm-")
        self.directory = os.path.join(self.top, "t")
        os.mkdir(self.directory)
        self.result = os.path.join(self.top, "result")
        self.output = open(os.path.join(self.top, "output"), "w+", encoding="utf-8",
                           errors="replace")
        self.process = harness.spawn(
            [sys.executable, os.path.abspath(__file__), "--exactly", name, self.directory,
             self.result], stdout=self.output, stderr=subprocess.STDOUT,
            env=dict(os.environ, SLIPWAY_VM_PATIENCE=str(patience(jobs))))

    def end(self):
        harness.reap(self.process)
        shutil.rmtree(self.top, ignore_errors=True)

    def verdict(self):
        try:
            with open(self.result, encoding="utf-8") as file:
                result = json.load(file)
            return result["verdict"], result["text"]
        except (OSError, ValueError):
            return "failed", "the test's process ended with status %d" % self.process.returncode

    def report(self, number, keep):
        """Prints its lines and gives the verdict; who stalls twice has failed."""
        verdict, text = self.verdict()
        verdict = "failed" if verdict == "stalled" else verdict
        harness.reap(self.process)
        self.output.seek(0)
        sys.stdout.write(self.output.read())
        self.output.close()
        word = "not ok" if verdict == "failed" else "ok"
        note = " # SKIP " + text if verdict == "skipped" else ""
        print("%s %d - %s (%.1f s)%s" % (word, number, self.name,
                                         time.monotonic() - self.start, note))
        if verdict == "failed":
            print("".join("# %s\n" % line for line in text.split("\n")), end="")
        if verdict == "failed" and keep:
            print("# kept: " + self.directory)
        else:
            shutil.rmtree(self.top, ignore_errors=True)
        sys.stdout.flush()
        return verdict


def patience(jobs):
    """How many times longer than written a wait may last. The checks run beside the machines in a
    whole run, so it is more than one for each; who knows the machine as slower says so."""
    return max(2 * jobs, float(os.environ.get("SLIPWAY_VM_PATIENCE", "1")))


def wanted(function, long):
    """Whether it is one of this run's tests."""
    return not getattr(function, "drawn" if long else "long", False)


def again(test, repeated):
    """Whether the test is to run once more: its machine's kernel hung before any program ran."""
    verdict, text = test.verdict()
    if verdict != "stalled" or test.name in repeated:
        return False
    repeated.append(test.name)
    print("# %s is repeated, the kernel of its machine hung before its first program: %s" %
          (test.name, text.split("\n", 1)[0]), flush=True)
    test.end()
    return True


def run_all(names, jobs, keep):
    count = {"passed": 0, "failed": 0, "skipped": 0}
    waiting, running, repeated = list(names), [], []
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                running.append(Test(waiting.pop(0), jobs))
            for test in [test for test in running if test.process.poll() is not None]:
                running.remove(test)
                if again(test, repeated):
                    waiting.insert(0, test.name)
                else:
                    count[test.report(sum(count.values()) + 1, keep)] += 1
            time.sleep(0.1)
    finally:
        for test in running:
            test.end()
    return count


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--filter", action="append", default=[])
    parser.add_argument("--jobs", type=int, default=min(os.cpu_count() or 1, 4),
                        help="tests at a time; the limits of their waits grow with it")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--long", action="store_true", help="also the tests marked @long")
    parser.add_argument("--keep", action="store_true", help="keep the directories of failed tests")
    parser.add_argument("--exactly", nargs=3, metavar=("NAME", "DIRECTORY", "RESULT"),
                        help=argparse.SUPPRESS)
    return parser.parse_args()


def main():
    options = arguments()
    # SystemExit runs the clean-up that SIGTERM's default would not.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if options.exactly:
        return exactly(*options.exactly)
    names = [name for name, function in collect(options.filter)
             if options.list or wanted(function, options.long)]
    if options.list:
        print("\n".join(names))
        return 0
    began = time.monotonic()
    print("TAP version 13\n1..%d" % len(names), flush=True)
    count = run_all(names, options.jobs, options.keep)
    print("# %.1f s in all" % (time.monotonic() - began))
    print("%d passed, %d failed, %d skipped" % (count["passed"], count["failed"],
                                                count["skipped"]))
    return 1 if count["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
