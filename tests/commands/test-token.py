# SPDX-License-Identifier: Apache-2.0
"""`slipway token inspect`: tokens made here by Python from the published grammars, and their
misprints; nothing of a secret comes back."""
import base64
import hashlib
import json
import os
import random
import subprocess

from lib import SLIPWAY, main, same, test


def inspect(text, *options):
    done = subprocess.run([SLIPWAY, *options, "token", "inspect"], input=text.encode(),
                          capture_output=True, timeout=60, check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def homeworld(rng):
    body = base64.b64encode(rng.randbytes(15)).decode()
    return body + base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()[:2]


@test("Homeworld tokens made by another program are accepted, their misprints are not")
def _(_case):
    seed = int(os.environ.get("SLIPWAY_TEST_SEED") or random.SystemRandom().randrange(1 << 32))
    print(f"# seed {seed}: SLIPWAY_TEST_SEED={seed} repeats this run")
    rng = random.Random(seed)
    missed = 0
    for _ in range(30):
        token = homeworld(rng)
        code, out, _err = inspect(token + "\n", "--json")
        said = json.loads(out)
        same((code, said["kind"], said["check_ok"]), (0, "homeworld", True), "good token")
        at = rng.randrange(22)
        typo = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1:]
        code, out, _err = inspect(typo, "--json")
        missed += code == 0
        same(json.loads(out)["check_ok"], code == 0, "misprint")
    assert missed <= 2, f"{missed} of 30 misprints pass a check of 12 bits"


@test("a token is named with what it trusts, and its secret part does not come back")
def _(_case):
    digest = hashlib.sha256(b"ca").hexdigest()
    code, out, err = inspect(f"K10{digest}::server:hunter-two\n")
    same(code, 0, "exit")
    assert "k3s or rke2 token" in out and digest in out and "server" in out, out
    assert "hunter" not in out + err
    code, out, err = inspect("abcdef.0123456789abcdef")
    same(code, 0, "exit")
    assert "not pinned" in out and "abcdef" in out and "0123456789" not in out + err, out
    code, out, err = inspect("abcdef.hunter")
    same(code, 3, "exit")
    assert "incomplete" in err and "hunter" not in out + err, err


@test("an empty or endless standard input is refused in words")
def _(_case):
    code, _out, err = inspect("")
    same(code, 3, "exit")
    assert err.strip()
    code, _out, err = inspect("x" * 100000)
    same(code, 3, "exit")
    assert err.strip() and "xxxx" not in err


if __name__ == "__main__":
    main()
