#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Files that the answers give to the node: as text, from a path and from an https server, into the
node data, out of them, and into the node's root by its own script."""

import hashlib
import http.server
import json
import os
import subprocess

from attest_server import Authority, listen_tls
from lib import SOURCE, expect, main, need, same, test

HOST = "  hostname: node-07"
TEXT = '# "quoted" and \\ back\nvm.swappiness = 10\n'
BYTES = bytes(range(256)) * 8


def given(case, files):
    """An answer file whose node has these files, which are YAML of one line each."""
    lines = "".join(f"\n    - {{{f}}}" for f in files)
    return case.answers(replace=[(HOST, f"{HOST}\n  files:{lines}")])


def config(case):
    folder = case.dir / "config"
    expect(case.on("node", "config", folder), 0)
    return folder


def on_node(case, script):
    """The functions of slipway-node.sh with a directory as the node's /."""
    env = dict(os.environ, NODE_SLIPWAY=str(case.program()), NODE_ROOT=str(case.dir / "root"))
    done = subprocess.run(["sh", "-ec", f". {SOURCE}/docs/examples/node/slipway-node.sh\n{script}"],
                          capture_output=True, text=True, env=env, timeout=120, check=False)
    same(done.returncode, 0, f"{done.stdout}\n{done.stderr}")


def serve(authority, content):
    """Gives this content over https, whatever is asked for."""
    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *args):
            pass

        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    return listen_tls(Handler, authority)


@test("text, a local file and one from https are in the node's root with their modes")
def _(case):
    need("openssl")
    case.create()
    authority, local, root = Authority(case.dir), case.dir / "site.sh", case.dir / "root"
    local.write_bytes(BYTES)
    with serve(authority, b"server a\n") as server:
        url = f"https://127.0.0.1:{server.server_address[1]}/chrony.conf"
        answers = given(case, [
            f"path: /etc/sysctl.d/90-site.conf, text: {json.dumps(TEXT)}",
            f"path: /usr/local/bin/site, source: {local}, mode: \"0750\"",
            f"path: /etc/chrony.conf, source: \"{url}\", mode: 600, "
            f"sha256: {hashlib.sha256(b'server a' + bytes([10])).hexdigest()}"])
        pem = "\n".join("    " + line for line in authority.ca.read_text().splitlines())
        answers.write_text(answers.read_text().replace("payload:\n", f"payload:\n  ca: |\n{pem}\n"))
        expect(case.on("plan", "--answers", answers), 0,
               f"/etc/sysctl.d/90-site.conf (0644): {len(TEXT)} bytes of the answers",
               f"/etc/chrony.conf (600): from {url}")
        expect(case.on("plan", "--answers", answers, "-o", case.dir / "plan.json"), 0)
        expect(case.on("--yes", "apply", "--no-finish", case.dir / "plan.json"), 0)
        server.shutdown()
    (root / "etc").mkdir(parents=True)
    (root / "etc").chmod(0o755)
    (case.dir / "elsewhere").write_text("of the image")
    (root / "etc/chrony.conf").symlink_to(case.dir / "elsewhere")
    folder = config(case)
    for _ in range(2):
        on_node(case, f"umask 077; node_files {folder}")
    for path, content, mode in (("etc/sysctl.d/90-site.conf", TEXT.encode(), 0o644),
                                ("usr/local/bin/site", BYTES, 0o750),
                                ("etc/chrony.conf", b"server a\n", 0o600)):
        file = root / path
        same((file.read_bytes(), file.is_symlink(), file.stat().st_mode & 0o7777),
             (content, False, mode), path)
    same(((case.dir / "elsewhere").read_text(), (root / "etc").stat().st_mode & 0o777),
         ("of the image", 0o755), "what a link led to, and the directory's mode")


@test("a file that is not what its hash says, too large or away stops all before the first write")
def _(case):
    case.create()
    local = case.dir / "file"
    local.write_bytes(bytes(65537))
    some = [f"path: /etc/f{i}, source: {case.dir}/some" for i in range(3)]
    (case.dir / "some").write_bytes(bytes(60000))
    for files, code, words in (
            ([f"path: /etc/a, source: {local}"], None, "too large"),
            ([f"path: /etc/a, source: {case.dir}/none"], None, "none"),
            ([f"path: /etc/a, source: {case.dir}/some, sha256: {'0' * 64}"], 8, "sha-256 is"),
            (some, 3, "128 KiB")):
        failed = case.on("--yes", "install", "--answers", given(case, files))
        assert failed.code not in (0, None) and code in (failed.code, None), failed
        assert words.lower() in failed.err.lower(), failed.err
        expect(case.on("status"), 0, "nothing is installed")


@test("files go with the install that gave them, and `node set` cannot set any")
def _(case):
    case.create()
    expect(case.on("--yes", "install", "--answers",
                   given(case, ["path: /etc/motd, text: hello"])), 0)
    expect(case.on("node", "set", "files=x"), 4)
    folder = config(case)
    same(sorted(str(p.relative_to(folder)) for p in (folder / "files").rglob("*") if p.is_file()),
         ["files/etc/motd"], "files")
    # The same node installed again without it has none, and the directory of old goes.
    answers = case.answers()
    answers.write_text(answers.read_text().replace("wipe: blank", "wipe: any"))
    expect(case.on("--yes", "install", "--answers", answers), 0)
    assert not (config(case) / "files").exists(), "files of the install before"


@test("answers with files are written and read again as they are, lines and all")
def _(case):
    answers = given(case, [f"path: /etc/a, text: {json.dumps(TEXT)}"])
    case.create()
    expect(case.on("plan", "--answers", answers, "-o", case.dir / "plan.json"), 0)
    expect(case.on("--yes", "apply", "--no-finish", case.dir / "plan.json"), 0)
    same((config(case) / "files/etc/a").read_text(), TEXT, "text")


if __name__ == "__main__":
    main()
