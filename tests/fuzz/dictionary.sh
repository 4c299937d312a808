#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A dictionary for libFuzzer from the schema of the answer file: its keys, choices and examples, and
# the words that name sources.
set -eu

"$1" answers schema | python3 -c '
import json, sys
words = {"slipway.answers=", "slipway.set=", "slipway.answers.sha256=", "#sha256=", "#pin=sha256:",
         "post:https://", "label:", "smbios", "credential:", "fw_cfg:", "base64:", "${mac}"}
def walk(node):
    if isinstance(node, list):
        for item in node:
            walk(item)
    elif isinstance(node, dict):
        for key, item in node.items():
            words.update(key + end for end in ("", ": ") if key.islower())
            walk(item)
    elif isinstance(node, str) and len(node) < 40:
        words.add(node)
walk(json.load(sys.stdin))
for word in sorted(words):
    if word.isascii() and word.isprintable() and word:
        print(json.dumps(word))
'
