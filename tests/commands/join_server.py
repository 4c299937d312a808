# SPDX-License-Identifier: Apache-2.0
"""Servers that let nodes join by a token: the supervisor of rke2 and k3s, a Kubernetes API server
as far as kubeadm's discovery goes, and Homeworld's keyserver. For tests; they share no code with
slipway: keys and certificates are openssl's, signatures Python's. They note every request, and can
misbehave (`fault`, for as long as `faults` lasts)."""
import base64
import hashlib
import hmac
import http.server
import json
import os
import subprocess
import time

from attest_server import listen_tls


class JoinServer:
    """Answers by answer(request, body): (status, bytes)."""

    def __init__(self, authority):
        self.authority, self.fault, self.faults = authority, None, 1 << 30
        self.requests = []              # (method, path, headers, body)
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *args):
                pass

            def do_GET(self):
                server.handle(self, b"")

            def do_POST(self):
                server.handle(self, self.rfile.read(int(self.headers["Content-Length"])))

        self.http = listen_tls(Handler, authority)
        self.port = self.http.server_address[1]
        self.url = f"https://127.0.0.1:{self.port}"

    def close(self):
        self.http.shutdown()
        self.http.server_close()

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.close()

    def handle(self, request, body):
        self.requests.append((request.command, request.path, dict(request.headers), body))
        fault = self.fault if self.faults > 0 else None
        self.faults -= 1
        if fault == "slow":
            time.sleep(1)
        elif callable(fault):           # holds the answer back
            fault()
        elif fault == "close":
            request.close_connection = True
            return
        elif fault == "redirect":
            request.send_response(307)
            request.send_header("Location", "https://127.0.0.1:1/elsewhere")
            request.send_header("Content-Length", "0")
            request.end_headers()
            return
        elif isinstance(fault, int):
            request.send_error(fault)
            return
        status, answer = self.answer(request, body)
        if fault == "truncated":
            answer = answer[:len(answer) // 2]
        elif fault == "big":
            answer = answer + b"\n" * (1 << 20)
        elif fault == "garbage":
            answer = b"<html>hello</html>"
        request.send_response(status)
        request.send_header("Content-Length", str(len(answer)))
        request.end_headers()
        request.wfile.write(answer[:len(answer) // 2] if fault == "cut" else answer)


class Supervisor(JoinServer):
    """GET /cacerts, as k3s and rke2 have it."""

    def __init__(self, authority, bundle=None):
        super().__init__(authority)
        self.bundle = authority.ca.read_bytes() if bundle is None else bundle

    def answer(self, request, _body):
        return (200, self.bundle) if request.path == "/cacerts" else (404, b"not found")

    def token(self, credentials):
        return f"K10{hashlib.sha256(self.bundle).hexdigest()}::{credentials}"


def url64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class ApiServer(JoinServer):
    """The ConfigMap cluster-info, signed with each of `tokens`."""

    def __init__(self, authority, tokens, ca=None):
        super().__init__(authority)
        self.tokens = list(tokens)
        self.ca = authority.ca if ca is None else ca
        self.server = self.url
        self.header = {"alg": "HS256"}
        self.changes = False            # another kubeconfig each time

    def kubeconfig(self):
        ca = base64.b64encode(self.ca.read_bytes()).decode()
        more = f"# {len(self.requests)}\n" if self.changes else ""
        return (f"apiVersion: v1\nclusters:\n- cluster:\n    certificate-authority-data: {ca}\n"
                f"    server: {self.server}\n  name: \"\"\ncontexts: null\n"
                f"current-context: \"\"\nkind: Config\npreferences: {{}}\nusers: null\n{more}")

    def sign(self, text, token):
        ident, secret = token.split(".")
        head = url64(json.dumps(dict(self.header, kid=ident), separators=(",", ":")).encode())
        mac = hmac.new(secret.encode(), f"{head}.{url64(text.encode())}".encode(),
                       hashlib.sha256).digest()
        return f"{head}..{url64(mac)}"

    def answer(self, request, _body):
        if request.path != "/api/v1/namespaces/kube-public/configmaps/cluster-info":
            return 404, b"{}"
        text = self.kubeconfig()
        data = {"kubeconfig": text}
        for token in self.tokens:
            data["jws-kubeconfig-" + token.split(".")[0]] = self.sign(text, token)
        return 200, json.dumps({"kind": "ConfigMap", "apiVersion": "v1", "data": data}).encode()


class Keyserver(JoinServer):
    """Homeworld's: POST /apirequest with X-Bootstrap-Token. A token counts once, for one address,
    and is claimed before anything else is looked at."""

    def __init__(self, authority, folder):
        super().__init__(authority)
        self.folder, self.tokens, self.complaints = folder, {}, []
        self.issuer, self.issuer_key = folder / "grant.pem", folder / "grant.key"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-keyout", self.issuer_key, "-out",
                        self.issuer, "-subj", "/CN=keygrant", "-days", "2"], check=True,
                       capture_output=True)
        self.other_key = False

    def issue(self, address="127.0.0.1", age_s=0):
        body = base64.b64encode(os.urandom(15))
        token = (body + base64.b64encode(hashlib.sha256(body).digest())[:2]).decode()
        self.tokens[token] = (address, time.time() - age_s)
        return token

    def refuse(self, why):
        self.complaints.append(why)
        return 400, b"Request processing failed. See server logs for details.\n"

    def answer(self, request, body):
        if request.path != "/apirequest" or request.command != "POST":
            return 404, b"404 page not found\n"
        token = request.headers.get("X-Bootstrap-Token", "")
        if token not in self.tokens:
            return self.refuse("unknown token")
        address, made = self.tokens.pop(token)
        if time.time() - made > 3600:
            return self.refuse("expired token")
        if request.client_address[0] != address:
            return self.refuse(f"token for {address}")
        wanted = json.loads(body)
        if [w["api"] for w in wanted] != ["renew-keygrant", "get-local-config"] or \
                wanted[1]["body"] != "" or set(wanted[0]) != {"api", "body"}:
            return self.refuse(f"request {wanted}")
        return 200, json.dumps([self.grant(wanted[0]["body"]),
                                "HOST_NODE=node-07\nHOST_DNS=node-07.example\n"]).encode()

    def grant(self, request):
        csr, cert = self.folder / "node.csr", self.folder / "node.pem"
        csr.write_text(request)
        said = subprocess.run(["openssl", "req", "-in", csr, "-verify", "-noout", "-text"],
                              check=True, capture_output=True, text=True)
        if "verify OK" not in said.stdout + said.stderr or "(4096 bit)" not in said.stdout:
            self.complaints.append(said.stdout)
        if self.other_key:
            subprocess.run(["openssl", "req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout",
                            "/dev/null", "-out", csr, "-subj", "/CN=other"], check=True,
                           capture_output=True)
        subprocess.run(["openssl", "x509", "-req", "-in", csr, "-CA", self.issuer, "-CAkey",
                        self.issuer_key, "-CAcreateserial", "-out", cert, "-days", "40"],
                       check=True, capture_output=True)
        return cert.read_text()
