# SPDX-License-Identifier: Apache-2.0
"""Images whose PCR 11 an operator's key signs, by systemd-measure."""
import hashlib

from escrow import block
from lib import tool

MEASURE = "/usr/lib/systemd/systemd-measure"
STUB = "/usr/lib/systemd/boot/efi/linuxx64.efi.stub"


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


def answers(case, key, recovery=None, uki=None):
    """With that signer; recovery: the certificate that its key is encrypted to."""
    words = f"  recovery: escrow\n  escrow: |\n{block(recovery)}" if recovery \
        else "  recovery: none\n"
    path = case.answers(replace=[("  layout: node\n", "  layout: encrypted\n" + words +
                                  "  pcr-key: |\n" + block(key.read_text()))])
    if uki:
        text = path.read_text()
        a, b = text.index("payload:"), text.index("boot:")
        path.write_text(text[:a] + f"payload: {{uki: {uki}}}\n" + text[b:])
    return path


def signed_uki(case, image):
    """A UKI that brings the signature of that image along."""
    words = ["objcopy"]
    (case.dir / "line").write_text("panic=10")
    for sect, source, at in ((".osrel", f"{image.word}.osrel", 0x20000),
                             (".cmdline", "line", 0x30000), (".pcrsig", image.signatures, 0x80000),
                             (".linux", "vmlinuz", 0x2000000), (".initrd", "initrd", 0x4000000)):
        words += ["--add-section", f"{sect}={case.dir / source}",
                  "--change-section-vma", f"{sect}={at:#x}"]
    out = case.dir / f"{image.word}.efi"
    tool(*words, STUB, out)
    return out
