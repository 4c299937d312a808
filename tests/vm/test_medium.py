# SPDX-License-Identifier: Apache-2.0
"""The medium as files: what can be told of it without starting a machine."""

import os
import subprocess

import harness

LARGEST = 90 << 20


def test_two_builds_give_one_hash(directory):
    """In two directories of different names and a few seconds apart, byte for byte."""
    script = os.path.join(harness.ROOT, "installer-iso", "check-reproducible.sh")
    program = os.path.join(harness.BUILD, "release", "slipway")
    done = subprocess.run([script, program, harness.BUILD], capture_output=True, text=True)
    if done.returncode or done.stdout.count("ok ") < 4:
        raise harness.Failure(done.stdout + done.stderr)


def test_medium_is_not_larger_than_promised(_):
    size = os.path.getsize(harness.build_file("slipway.iso"))
    if size > LARGEST:
        raise harness.Failure("%d MiB, at most %d are promised" % (size >> 20, LARGEST >> 20))
