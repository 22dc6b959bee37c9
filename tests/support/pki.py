# SPDX-License-Identifier: BSD-2-Clause
"""Throw-away authorities and certificates of every shape the tests need, by openssl(1).

Made on first use and once per run: `Pki.server()`, `Pki.client()` and whatever else a test asks
its authority to issue. Keys are ECDSA P-256 unless a test is about another kind.
"""

import datetime
import itertools
from dataclasses import dataclass
from pathlib import Path

from support.processes import run

_CONFIGURATION = """
[req]
distinguished_name = dn
prompt = no
[dn]
CN = {cn}
[ca]
default_ca = default
[default]
database = {folder}/index.txt
new_certs_dir = {folder}
rand_serial = yes
policy = any
default_md = {digest}
unique_subject = no
[any]
commonName = optional
[extensions]
basicConstraints = critical,CA:{is_ca}{path_length}
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
{extensions}
"""


def openssl(*words):
    status, output = run(["openssl", *words])
    assert status == 0, f"openssl {' '.join(map(str, words))}: {output}"
    return output


def _time(days):
    moment = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)
    return moment.strftime("%Y%m%d%H%M%SZ")


def _generate_key(kind, path):
    if kind == "ec":
        openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", path)
    else:
        openssl("genrsa", "-out", path, kind.removeprefix("rsa:"))
    path.chmod(0o600)


@dataclass
class Certificate:
    """Files of one certificate. `chain` is the leaf, then the intermediates below the root."""
    cn: str
    certificate: Path
    key: Path
    chain: Path
    issuer: "Certificate" = None

    @property
    def root(self):
        return self.issuer.root if self.issuer else self

    def without_intermediates(self):
        return Certificate(self.cn, self.certificate, self.key, self.certificate, self.issuer)


class Pki:
    def __init__(self, folder):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "index.txt").touch()
        self._numbers = itertools.count(1)
        self._made = {}

    def issue(self, issuer, cn, names=(), usage="serverAuth", is_ca=False, key="ec",
              digest="sha256", valid_from=-2, valid_to=365):
        """A certificate of `issuer` (None: self-signed). `names`: "DNS:a.example", "IP:127.0.0.1"."""
        base = self.folder / f"{next(self._numbers):03}"
        key_path, csr, certificate = (base.with_suffix(s) for s in (".key", ".csr", ".pem"))
        extensions = [f"subjectAltName = {','.join(names)}"] if names else []
        if is_ca:
            extensions.append("keyUsage = critical,keyCertSign,cRLSign")
        elif usage:
            extensions.append(f"extendedKeyUsage = {usage}")
        configuration = base.with_suffix(".cnf")
        configuration.write_text(_CONFIGURATION.format(
            cn=cn, folder=self.folder, digest=digest, is_ca="TRUE" if is_ca else "FALSE",
            path_length="", extensions="\n".join(extensions)))
        _generate_key(key, key_path)
        openssl("req", "-new", "-config", configuration, "-key", key_path, "-out", csr)
        signer = (["-selfsign", "-keyfile", key_path] if issuer is None else
                  ["-cert", issuer.certificate, "-keyfile", issuer.key])
        openssl("ca", "-batch", "-notext", "-config", configuration, "-extensions", "extensions",
                "-startdate", _time(valid_from), "-enddate", _time(valid_to), "-md", digest,
                *signer, "-in", csr, "-out", certificate)
        chain = base.with_suffix(".chain.pem")
        above = issuer.chain.read_text() if issuer is not None and issuer.issuer else ""
        chain.write_text(certificate.read_text() + above)
        return Certificate(cn, certificate, key_path, chain, issuer)

    def once(self, name, make):
        if name not in self._made:
            self._made[name] = make()
        return self._made[name]

    def authority(self, name="Test CA"):
        """A root that signs whatever the test asks for."""
        return self.once(("ca", name), lambda: self.issue(None, name, is_ca=True))

    def intermediate(self, depth, root="Test CA"):
        """The lowest of `depth` intermediates below the root."""
        if depth == 0:
            return self.authority(root)
        return self.once(("intermediate", root, depth), lambda: self.issue(
            self.intermediate(depth - 1, root), f"Intermediate {depth}", is_ca=True))

    def server(self, name="backend1.example.com", authority="Test CA", depth=0):
        """A good server certificate for `name` and for 127.0.0.1."""
        return self.once(("server", name, authority, depth), lambda: self.issue(
            self.intermediate(depth, authority), name, [f"DNS:{name}", "IP:127.0.0.1"]))

    def client(self, name="gateway", authority="Test CA"):
        return self.once(("client", name, authority), lambda: self.issue(
            self.authority(authority), name, usage="clientAuth"))

    def rsa_server(self, bits=2048):
        return self.once(("rsa", bits), lambda: self.issue(
            self.authority(), "rsa.example.com", ["DNS:rsa.example.com", "IP:127.0.0.1"],
            key=f"rsa:{bits}"))

    def encrypted_key(self, certificate, phrase):
        def make():
            path = certificate.key.with_suffix(f".{phrase}.key")
            openssl("pkcs8", "-topk8", "-in", certificate.key, "-out", path,
                    "-passout", f"pass:{phrase}")
            path.chmod(0o600)
            return path
        return self.once(("encrypted", certificate.key, phrase), make)

    def dh_parameters(self, bits):
        def make():
            path = self.folder / f"dh{bits}.pem"
            openssl("dhparam", "-dsaparam", "-out", path, bits)
            return path
        return self.once(("dh", bits), make)

    def bundle(self, *certificates):
        """One file of several certificates."""
        def make():
            path = self.folder / f"{next(self._numbers):03}.bundle.pem"
            path.write_text("".join(c.certificate.read_text() for c in certificates))
            return path
        return self.once(("bundle", *(c.certificate for c in certificates)), make)

    def pair(self, certificate):
        """Chain and key in one file, as HAProxy and stunnel want them."""
        path = certificate.key.with_suffix(".pair.pem")
        path.write_text(certificate.chain.read_text() + certificate.key.read_text())
        path.chmod(0o600)
        return path
