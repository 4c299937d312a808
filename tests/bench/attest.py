# SPDX-License-Identifier: Apache-2.0
"""The whole attestation exchange on swtpm, against tpm2-tools, curl and openssl doing the same."""
import io
import os
import shutil
import statistics
import subprocess
import tarfile
import tempfile
import time
from pathlib import Path

from attest_server import AttestServer
from swtpm import Tpm

HERE = Path(__file__).resolve().parent
TOOLS = ("swtpm", "tpm2_createek", "tpm2_quote", "tpm2_activatecredential", "curl", "openssl")


class Case:
    """What swtpm.py needs of a test."""

    def __init__(self, folder):
        self.dir, self.machine_dir, self.children = folder, folder / "m", []


class Quick(AttestServer):
    """Answers at once: the same keys get the same answer, and only the first time it is made."""

    made = {}

    def judge(self, d, fields, fault):
        known = fields["ek.pub"] + fields["ak.pub"]
        if known not in self.made:
            self.made[known] = super().judge(d, fields, fault)
        return self.made[known]


def overlay():
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for n in range(20):
            item = tarfile.TarInfo(f"etc/node/part-{n}.yaml")
            item.size = 4096
            tar.addfile(item, io.BytesIO(os.urandom(4096)))
    return out.getvalue()


def timed(argv, folder, env):
    start = time.monotonic()
    done = subprocess.run([str(a) for a in argv], cwd=folder, env=env, capture_output=True,
                          text=True, check=False)
    seconds = time.monotonic() - start
    if done.returncode or len(list(folder.glob("tree/etc/node/*"))) != 20:
        raise RuntimeError(f"{argv[0]}: {done.returncode}\n{done.stdout}\n{done.stderr}")
    return seconds


def measure(args, env):
    missing = [t for t in TOOLS if not shutil.which(t, path=env["PATH"])]
    if missing:
        return {"what": "attestation", "skipped": f"{', '.join(missing)} missing"}
    with tempfile.TemporaryDirectory() as name:
        case = Case(Path(name))
        subprocess.run([args.slipway, "machine", "create", case.machine_dir, "--disk",
                        "serial=A,size=1G"], check=True, capture_output=True)
        server = None
        try:
            tpm = Tpm(case)
            server = Quick(case.dir, overlay(), enrols=True)
            rounds = one_by_one(args, env, case, tpm, server)
        finally:
            if server:
                server.close()
            for child in case.children:
                child.kill()
                child.wait()
    a, b = (statistics.median(times) for times in zip(*rounds))
    return {"what": "attestation, keys to overlay (s)", "slipway": round(a, 3),
            "with": "tpm2-tools, curl, openssl", "other": round(b, 3), "ratio": round(a / b, 2),
            "aim": "<= 0.5", "met": a <= 0.5 * b}


def one_by_one(args, env, case, tpm, server):
    """Seconds of both, turn by turn; the first round makes the server's answers and counts not."""
    rounds = []
    env = dict(env, TPM2TOOLS_TCTI=f"swtpm:path={tpm.path}")
    for n in range(args.rounds + 1):
        times = []
        for words in ([args.slipway, "--machine", case.machine_dir, "admit", "--url", server.url,
                       "--ca", server.authority.ca, "--protocol", "plain", "--wait", "0", "tree"],
                      [HERE / "attest.sh", server.url, server.authority.ca, "tree"]):
            folder = Path(tempfile.mkdtemp(dir=case.dir))
            times.append(timed(words, folder, env))
            shutil.rmtree(folder)
        if n:
            rounds.append(times)
    return rounds
