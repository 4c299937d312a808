# SPDX-License-Identifier: Apache-2.0
"""A recovery key in escrow: the keeper's certificate in the answers, and openssl that opens it."""
import base64

from lib import tool


def certificate(case):
    """The keeper's, as PEM; the private key stays in the case's directory."""
    key, out = case.dir / "escrow.key", case.dir / "escrow.pem"
    tool("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", out,
         "-subj", "/CN=keeper of keys", "-days", "2")
    return out.read_text()


def block(text):
    """Lines of a literal block below a key of `disk:`."""
    return "".join(f"    {line}\n" for line in text.splitlines())


def decrypt(case, text):
    """The recovery key, as openssl gets it out of the base64 of an event or of the node data."""
    path = case.dir / "cms"
    path.write_bytes(base64.b64decode(text))
    return tool("openssl", "cms", "-decrypt", "-inform", "DER", "-in", path, "-inkey",
                case.dir / "escrow.key").stdout.encode()
