# SPDX-License-Identifier: Apache-2.0
"""An attestation server of the protocol of safeboot-attest, for tests. It shares no code with
slipway: everything about TPMs is done by tpm2-tools, everything about keys by openssl. It checks
every field of a request, and can misbehave (`fault`)."""
import email.parser
import email.policy
import email.utils
import hashlib
import http.server
import json
import os
import re
import ssl
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

STRICT_AK = ("fixedtpm|stclear|fixedparent|sensitivedataorigin|userwithauth|adminwithpolicy|"
             "restricted|sign")
AK = "fixedtpm|stclear|fixedparent|sensitivedataorigin|userwithauth|restricted|sign"


def run(*argv, **more):
    done = subprocess.run([str(a) for a in argv], capture_output=True, timeout=60, check=False,
                          **more)
    if done.returncode:
        raise Refused(500, f"{argv[0]}: {done.stderr.decode(errors='replace')}")
    return done.stdout


class Refused(Exception):
    def __init__(self, status, text):
        super().__init__(text)
        self.status, self.text = status, text


def spki_pin(cert):
    """What admission.pin and --pin take: of the key of a certificate in a file."""
    pem = run("openssl", "x509", "-in", cert, "-noout", "-pubkey")
    der = run("openssl", "pkey", "-pubin", "-outform", "DER", input=pem)
    return "sha256:" + hashlib.sha256(der).hexdigest()


class Authority:
    """A CA, and a server's key and certificate from it."""

    def __init__(self, folder, name="127.0.0.1", days=2):
        self.ca, self.key, self.cert = folder / "ca.pem", folder / "srv.key", folder / "srv.pem"
        ca_key, request, extra = folder / "ca.key", folder / "srv.csr", folder / "srv.ext"
        curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        run("openssl", "req", "-x509", *curve, "-keyout", ca_key, "-out", self.ca, "-subj",
            "/CN=test CA", "-days", "2")
        run("openssl", "req", "-new", *curve, "-keyout", self.key, "-out", request, "-subj",
            "/CN=attest")
        extra.write_text(f"subjectAltName=IP:{name}\n")
        run("openssl", "x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", ca_key,
            "-CAcreateserial", "-out", self.cert, "-days", str(days), "-extfile", extra)

    def pin(self):
        return spki_pin(self.cert)


class Listener(http.server.ThreadingHTTPServer):
    def handle_error(self, *args):
        pass                # a client that does not believe us ends the connection


def listen_tls(handler, authority):
    """An HTTPS server on loopback that serves in a thread until it is shut down."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.cert, authority.key)
    server = Listener(("127.0.0.1", 0), handler)
    server.socket = context.wrap_socket(server.socket, server_side=True,
                                        do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


class AttestServer:
    """Serves `overlay` (a tar) to the TPMs in `known` (ids). `fault`: what goes wrong, once or
    for as long as `faults` lasts."""

    def __init__(self, folder, overlay, known=(), maker=None, authority=None, enrols=False):
        self.folder, self.overlay, self.known, self.maker = folder, overlay, set(known), maker
        self.enrols = enrols                    # takes any TPM that proves itself
        self.fault, self.faults = None, 1 << 30
        self.requests, self.complaints, self.refuse_log = [], [], False
        self.questions, self.off_s = 0, 0       # GETs; how wrong its clock is
        self.strict, self.nonces, self.lifetime = False, {}, 600
        self.offer = None                       # what it says in place of its offer
        self.before_answer = None               # called when all was judged
        self.old_answer = None
        self.authority = authority or Authority(folder)
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *args):
                pass

            def do_GET(self):
                server.questions += 1
                fault = server.fault if server.faults > 0 else None
                server.faults -= 1      # before the answer: who got it may ask anew at once
                if fault and server.misbehave(self, fault):
                    return
                server.faults += 1      # it is kept for what is posted
                if server.strict:
                    server.give_offer(self)
                else:
                    self.send_error(405)

            def date_time_string(self, timestamp=None):
                return email.utils.formatdate((timestamp or time.time()) + server.off_s,
                                              usegmt=True)

            def do_POST(self):
                server.handle(self)

        self.http = listen_tls(Handler, self.authority)
        self.url = f"https://127.0.0.1:{self.http.server_address[1]}/"

    def close(self):
        self.http.shutdown()
        self.http.server_close()

    def give_offer(self, request):
        nonce = os.urandom(32).hex()
        self.nonces[nonce] = time.monotonic()
        offer = self.offer or {"protocol": "strict", "version": 1, "nonce": nonce}
        body = json.dumps(offer).encode()
        request.send_response(200)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    # ---- a request ----

    @staticmethod
    def fields(request):
        body = request.rfile.read(int(request.headers["Content-Length"]))
        head = f"Content-Type: {request.headers['Content-Type']}\r\n\r\n".encode()
        parser = email.parser.BytesParser(policy=email.policy.HTTP)
        return {p.get_param("name", header="content-disposition"): p.get_payload(decode=True)
                for p in parser.parsebytes(head + body).iter_parts()}

    def handle(self, request):
        fields = self.fields(request)
        self.requests.append(fields)
        fault = self.fault if self.faults > 0 else None
        self.faults -= 1
        if fault and self.misbehave(request, fault):
            return
        try:
            with tempfile.TemporaryDirectory(dir=self.folder) as scratch:
                answer = self.judge(Path(scratch), fields, fault)
        except Refused as why:
            self.complaints.append(why.text)
            request.send_error(why.status, why.text.splitlines()[0])
            return
        if fault == "truncated":
            answer = answer[:len(answer) // 2 + 1]
        request.send_response(200)
        request.send_header("Content-Length", str(len(answer)))
        request.end_headers()
        if fault == "cut":
            answer = answer[:100]
        request.wfile.write(answer)

    @staticmethod
    def misbehave(request, fault):
        """True when the answer has been given."""
        if fault == "slow":
            time.sleep(1)
        elif fault == "redirect":
            request.send_response(307)
            request.send_header("Location", "https://127.0.0.1:1/elsewhere")
            request.end_headers()
            return True
        elif fault == "garbage":
            request.send_response(200)
            request.end_headers()
            request.wfile.write(b"<html>Welcome to the hotel's network</html>")
            return True
        elif isinstance(fault, int):
            request.send_response(fault)
            if fault == 429:
                request.send_header("Retry-After", "1")
            request.end_headers()
            return True
        return False

    # ---- its checks ----

    def judge(self, d, fields, fault):
        for name in ("ek.pub", "ak.pub", "nonce", "quote", "sig", "pcr"):
            if name not in fields:
                raise Refused(403, f"{name} is missing")
        for name, data in fields.items():
            (d / name).write_bytes(data)
        node = hashlib.sha256(fields["ek.pub"]).hexdigest()
        strict = "protocol" in fields
        attributes = run("tpm2_print", "-t", "TPMT_PUBLIC", d / "ak.pub").decode()
        if f"value: {STRICT_AK if strict else AK}\n" not in attributes:
            raise Refused(403, "BAD_AK " + attributes)
        nonce = fields["nonce"].decode()
        if strict:
            self.judge_strict(d, fields, attributes, fault)
        elif len(nonce) != 8 or abs(int(nonce, 16) - time.time()) > 300:
            raise Refused(403, "BAD_QUOTE: its nonce is not fresh")
        try:
            run("tpm2_checkquote", "-q", nonce, "-m", d / "quote", "-s", d / "sig", "-f", d / "pcr",
                "-u", d / "ak.pub")
        except Refused as why:
            raise Refused(403, "BAD_QUOTE " + why.text) from why
        if self.refuse_log:
            raise Refused(403, "BAD_EVENTLOG")
        if self.maker:
            self.check_maker(d, fields)
        if self.enrols:
            self.known.add(node)
        if node not in self.known:
            raise Refused(403, "verify failed")
        if self.before_answer:
            self.before_answer()
        return (self.seal_strict if strict else self.seal)(d, fields, fault)

    def judge_strict(self, d, fields, attributes, fault):
        """The nonce is one of ours, for the first time; the AK is bound to what was quoted."""
        if fields["protocol"] != b"strict 1" or not self.strict:
            raise Refused(403, "no such protocol")
        given = self.nonces.pop(fields["nonce"].decode(), None)
        if given is None or time.monotonic() - given > self.lifetime or fault == "stale nonce":
            raise Refused(403, "BAD_NONCE")
        quote = run("tpm2_print", "-t", "TPMS_ATTEST", d / "quote").decode()
        digest = re.search(r"pcrDigest: ([0-9a-f]{64})", quote).group(1)
        which = bytes.fromhex("00000001000b03ffff01")
        if which not in fields["quote"]:
            raise Refused(403, "BAD_QUOTE: it is about other PCRs than 0 to 16")
        step = hashlib.sha256(bytes(32) + bytes.fromhex("0000017f") + which +
                              bytes.fromhex(digest)).digest()
        policy = hashlib.sha256(step + bytes.fromhex("0000016c00000147")).hexdigest()
        if f"authorization policy: {policy}\n" not in attributes:
            raise Refused(403, "BAD_AK: its policy is another than that of the quoted PCRs")

    def check_maker(self, d, fields):
        if "ek.crt" not in fields:
            raise Refused(403, "no certificate")
        if run("openssl", "x509", "-in", d / "ek.crt", "-noout", "-pubkey") != fields["ek.pub"]:
            raise Refused(403, "the certificate is about another key")
        run("openssl", "verify", "-ignore_critical", "-CAfile", self.maker.root, "-untrusted",
            self.maker.issuer, d / "ek.crt")

    def credential(self, d, fields, secret, fault):
        (d / "keys").write_bytes(secret if fault != "short key" else secret[:len(secret) // 2])
        name = hashlib.sha256(fields["ak.pub"]).hexdigest()
        if fault == "wrong name":
            name = hashlib.sha256(b"another AK").hexdigest()
        run("tpm2_makecredential", "-Q", "-T", "none", "-s", d / "keys", "-u", d / "ek.pub", "-G",
            "rsa", "-n", "000b" + name, "-o", d / "credential")
        return (d / "credential").read_bytes()

    def seal_strict(self, d, fields, fault):
        if fault == "plain answer":
            return self.seal(d, fields, None)
        if fault == "replay":
            return self.old_answer
        secret, iv = os.urandom(32), os.urandom(12)
        head = b"SLAT\0\0\0\1" + self.credential(d, fields, secret, fault) + iv
        info = b"slipway attest strict 1\0\x0b" + hashlib.sha256(fields["ak.pub"]).digest()
        salt = fields["nonce"].decode() if fault != "wrong nonce" else "ab" * 32
        given = ("digest:SHA256", "hexkey:" + secret.hex(), "hexsalt:" + salt,
                 "hexinfo:" + info.hex())
        key = run("openssl", "kdf", "-binary", "-keylen", "32",
                  *(word for option in given for word in ("-kdfopt", option)), "HKDF")
        sealed = bytearray(AESGCM(key).encrypt(iv, self.overlay, head))
        if fault in ("changed", "bad tag"):
            sealed[5 if fault == "changed" else -1] ^= 1
        self.old_answer = head + bytes(sealed)
        return self.old_answer

    def seal(self, d, fields, fault):
        keys = os.urandom(64)
        credential = self.credential(d, fields, keys, fault)
        key, iv, mac_key = keys[:32].hex(), keys[32:48].hex(), keys[48:].hex()
        (d / "plain").write_bytes(self.overlay)
        run("openssl", "enc", "-aes-256-cbc", "-K", key, "-iv", iv, "-in", d / "plain", "-out",
            d / "cipher")
        mac = run("openssl", "dgst", "-sha256", "-binary", "-mac", "hmac", "-macopt",
                  f"hexkey:{mac_key}", d / "cipher")
        cipher = bytearray((d / "cipher").read_bytes())
        if fault == "changed":
            cipher[5] ^= 1
        return credential + mac + bytes(cipher)
