# SPDX-License-Identifier: Apache-2.0
"""Images whose PCR 11 an operator's key signs, by systemd-measure."""
import hashlib

from lib import tool

MEASURE = "/usr/lib/systemd/systemd-measure"


class Image:
    """What a boot image makes the stub measure into PCR 11, and the operator's signature of it by
    systemd-measure."""

    def __init__(self, case, tpm, word, key="operator"):
        self.case, self.tpm, self.word = case, tpm, word
        self.parts = {"linux": b"kernel " + word.encode(), "osrel": b"ID=" + word.encode()}
        files = []
        for name, data in self.parts.items():
            path = case.dir / f"{word}.{name}"
            path.write_bytes(data)
            files.append(f"--{name}={path}")
        self.signatures = case.dir / f"{word}.pcrsig"
        said = tool(MEASURE, "sign", "--bank=sha256", "--phase=", "--phase=enter-initrd", *files,
                    f"--private-key={case.dir / key}", f"--public-key={case.dir / key}.pub",
                    f"--tpm2-device=swtpm:path={tpm.path}")
        tpm.tool("tpm2_flushcontext", "-l", check=False)
        self.signatures.write_text(said.stdout)

    def start(self):
        self.tpm.lose_power()
        for name, data in self.parts.items():
            for piece in (b"." + name.encode() + b"\0", data):
                self.tpm.tool("tpm2_pcrextend", "11:sha256=" + hashlib.sha256(piece).hexdigest())

    def open(self, name, signatures=None):
        return self.case.on("secret", "open", name, "--pcr-signature",
                            (signatures or self).signatures)


def signing_key(case, name="operator"):
    tool("openssl", "genrsa", "-out", case.dir / name, "2048")
    tool("openssl", "rsa", "-in", case.dir / name, "-pubout", "-out", case.dir / f"{name}.pub")
    return case.dir / f"{name}.pub"
