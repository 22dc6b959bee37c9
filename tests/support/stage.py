# SPDX-License-Identifier: BSD-2-Clause
"""What one test plays on: its folder and everything it started, stopped in reverse order."""

from support.ports import free_port, free_ports
from support.sealane import Sealane, main_section, merged
from support.upstreams import Application

LOG_TAIL = 6000


class Stage:
    def __init__(self, folder, pki):
        self.folder = folder
        self.pki = pki
        self.failed = False
        self._started = []

    def add(self, thing):
        """Anything with kill() or stop(); gone with the test."""
        self._started.append(thing)
        return thing

    def stop(self):
        for thing in reversed(self._started):
            (thing.kill if hasattr(thing, "kill") else thing.stop)()

    def logs(self):
        """(title, end of the text) of each log in the folder."""
        found = [("folder", str(self.folder))]
        for path in sorted(self.folder.rglob("*")):
            if path.is_file() and (path.suffix in (".log", ".ini") or path.name.startswith("asan")):
                text = path.read_bytes()[-LOG_TAIL:].decode(errors="replace")
                if text.strip():
                    found.append((path.name, text))
        return found

    def sanitizer_reports(self):
        return [path.read_text() for path in self.folder.glob("asan.*")]

    # Shorthands for what most tests start

    def ports(self, count):
        return free_ports(count)

    def port(self):
        return free_port()

    def upstream(self, kind, *arguments, **options):
        """An upstream of class `kind`, listening."""
        return self.add(kind(self.folder, *arguments, **options)).wait_until_listening()

    def application(self, **options):
        return self.upstream(Application, **options)

    def gateway(self, configuration, name="sealane", ready=True, options=(), prefix=(), stderr=None,
                **main):
        """A gateway on `configuration`, whose [main] is completed; waits until it serves. `prefix`:
        a command that executes it."""
        process = {"stderr": stderr} if stderr else {}
        if isinstance(configuration, dict):
            configuration = self.complete(configuration, name, **main)
        gateway = self.add(Sealane(self.folder, configuration, name=name, options=options,
                                   prefix=prefix, **process))
        if ready:
            gateway.wait_until_ready()
        return gateway

    def complete(self, configuration, name="sealane", **main):
        """[main] of a test, then what the test says."""
        return merged({"main": main_section(self.folder, name, **main)}, configuration)

    def tunnel(self, port, target, **keys):
        """[tcp echo] from `port` to `target` (a port, or a group's name), as a dict."""
        return {"tcp echo": {"listen": f"127.0.0.1:{port}",
                             "proxy_pass": f"127.0.0.1:{target}" if isinstance(target, int) else target,
                             "access_log": f"{self.folder}/access.log upstream_tls", **keys}}

    def tls_tunnel(self, port, target, name="backend1.example.com", ca=None, client="default", **keys):
        """The same over verified TLS with our client certificate; client=None: without."""
        ca = ca or self.pki.authority()
        if client == "default":
            client = self.pki.client()
        tls = {"proxy_ssl": "on", "proxy_ssl_name": name,
               "proxy_ssl_trusted_certificate": ca.root.certificate}
        if client:
            tls["proxy_ssl_certificate"] = client.chain
            tls["proxy_ssl_certificate_key"] = client.key
        return self.tunnel(port, target, **{**tls, **keys})
