# SPDX-License-Identifier: BSD-2-Clause
"""The benchmark's certificates: one ECDSA authority for both ends, made anew for each run.

NAME.pem holds chain and key in one file (HAProxy, the upstream); NAME.crt and NAME.key the same in two.
"""

import pathlib
import subprocess

UPSTREAM_NAME = "upstream.test"
LISTENER_NAME = "listener.test"

ECDSA = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
RSA = ["-newkey", "rsa:2048"]


def _issue(folder, name, key, subject, extensions, ca=None):
    command = ["openssl", "req", "-x509", *key, "-nodes", "-sha256", "-days", "2",
               "-config", "req.cnf", "-subj", f"/CN={subject}",
               "-keyout", f"{name}.key", "-out", f"{name}.crt"]
    if ca:
        command += ["-CA", f"{ca}.crt", "-CAkey", f"{ca}.key"]
    for extension in extensions:
        command += ["-addext", extension]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    pair = [(folder / f"{name}.{part}").read_text() for part in ("crt", "key")]
    combined = folder / f"{name}.pem"
    combined.touch(mode=0o600)
    combined.write_text("".join(pair))


def make(folder):
    """Fills `folder` with ca, server, client, ecdsa and rsa (the last two for listeners)."""
    folder = pathlib.Path(folder)
    folder.mkdir()
    (folder / "req.cnf").write_text("[req]\ndistinguished_name = dn\n[dn]\n")
    leaf = ["basicConstraints=critical,CA:FALSE", "keyUsage=critical,digitalSignature"]
    server = leaf + ["extendedKeyUsage=serverAuth"]

    _issue(folder, "ca", ECDSA, "bench authority",
           ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign"])
    _issue(folder, "server", ECDSA, UPSTREAM_NAME,
           server + [f"subjectAltName=DNS:{UPSTREAM_NAME}"], ca="ca")
    _issue(folder, "client", ECDSA, "gateway", leaf + ["extendedKeyUsage=clientAuth"], ca="ca")
    for name, key in (("ecdsa", ECDSA), ("rsa", RSA)):
        _issue(folder, name, key, LISTENER_NAME,
               server + [f"subjectAltName=DNS:{LISTENER_NAME}"], ca="ca")
    return folder
