#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# run.sh SEALANE FOLDER - runs etc/seed.ini with throw-away certificates, shows what it does, serves until Ctrl-C.
#
# Called by `make demo`. All files are made in FOLDER; all processes end with this script. With DEMO_ONCE=1 it ends
# after what it shows, which is how the tests run it.
set -euo pipefail

sealane=$(realpath "$1")
etc=$(realpath "$(dirname "$0")/..")
mkdir -p "$2"
cd "$2"

# ca NAME, issue NAME SUBJECT EXTENSIONS: what the guide's first two sections do with openssl.
make_certificates() {
	rm -f ./*.pem ./*.crt ./*.key ./*.csr ./*.srl
	umask 077
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 \
		-subj "/CN=Sealane demo CA" -keyout ca.key -out ca.crt
	cp ca.crt trusted_ca_cert.crt
	issue server "/CN=backend.example.com" \
		"subjectAltName=DNS:backend1.example.com,DNS:backend2.example.com,DNS:backend3.example.com"
	issue client "/O=Sealane demo/CN=gateway" "extendedKeyUsage=clientAuth"
	issue backend "/O=Sealane demo/CN=tcp gateway" "extendedKeyUsage=clientAuth"
	cp client.crt client.pem
}

issue() {
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "$2" -keyout "$1.key" -out "$1.csr"
	openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 \
		-extfile <(echo "$3") -out "$1.crt"
}

stop() {
	trap - EXIT INT TERM
	if [ -n "${pid:-}" ]; then
		kill "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	fi
}

start() {
	cp "$etc/seed.ini" seed.ini
	# Started as root, the workers have to become somebody else.
	if [ "$(id -u)" = 0 ]; then sed -i '0,/^\[main\]/s//[main]\nuser = nobody nogroup/' seed.ini; fi
	rm -f access.log admin.sock
	"$sealane" -t -q -c seed.ini
	"$sealane" -c seed.ini 2>sealane.log &
	pid=$!
	for _ in $(seq 100); do
		if counters -o /dev/null; then return; fi
		if ! kill -0 "$pid" 2>/dev/null; then break; fi
		sleep 0.1
	done
	cat sealane.log >&2
	exit 1
}

# What the gateway counts, from its [admin] section.
counters() {
	curl -s --unix-socket admin.sock "$@" http://admin/metrics
}

# How often each line comes, in the order of first appearance.
counted() {
	awk '{ if (!($0 in n)) order[++k] = $0; n[$0]++ } END { for (i = 1; i <= k; i++) printf "  %3d x  %s\n", n[order[i]], order[i] }'
}

# A line for each server of group $1: connections made to it by their kind of handshake, and what they carried.
show_servers() {
	printf '  %-18s %14s %12s %10s\n' server 'full handshake' resumed "$2"
	counters | awk -v group="upstream=\"$1\"" '
		index($0, group) && match($0, /server="[^"]*"/) {
			server = substr($0, RSTART + 8, RLENGTH - 9)
			if (!(server in seen)) { seen[server] = 1; order[++k] = server }
			if (/^sealane_server_handshakes_total.*kind="full"/) full[server] = $NF
			if (/^sealane_server_handshakes_total.*kind="resumed"/) resumed[server] = $NF
			if (/^sealane_server_requests_total/) carried[server] = $NF
		}
		END { for (i = 1; i <= k; i++) printf "  %-18s %14d %12d %10d\n", order[i], full[order[i]], resumed[order[i]], carried[order[i]] }'
}

show_http() {
	local answers
	echo
	echo "HTTP: 24 requests to http://127.0.0.1:8080/upstream/hello, which the gateway carries to"
	echo "https://backend.example.com/yourapp/hello: two servers, TLS, chain verified, client certificate shown."
	answers=$(for _ in $(seq 24); do curl -s http://127.0.0.1:8080/upstream/hello; done)
	echo
	echo "What the applications were told of the connections, the same for every request:"
	sed -E 's/^application [12]: /  /; s/, gateway worker [0-9]+//; s/, session [r.]//' <<<"$answers" | sort -u
	echo
	echo "Which of the gateway's workers (process ids) carried how many of them, over a connection of which handshake:"
	sed -E 's/^(application [12]): .*gateway worker ([0-9]+), .*, session ([r.]), .*/worker \2 to \1, \3/
		s/, r$/, session resumed/; s/, \.$/, full handshake/' <<<"$answers" | counted | sort -k4,4n -k7,7n
	echo "  A worker keeps its connections, so that one handshake serves many requests."
	echo
	echo "Connections that the gateway made to these servers:"
	show_servers backend.example.com requests
	echo "  One full handshake with each server is enough for all workers: sessions are shared in memory."
}

show_tcp() {
	echo
	echo "TCP: 9 connections to 127.0.0.1:12345, each carried by a TLS connection of its own to one of three servers:"
	for _ in $(seq 9); do
		curl -s -o /dev/null http://127.0.0.1:12345/over/tcp
	done
	sleep 0.5
	grep ' backend ' access.log | sed -E 's/.*(up=[^ ]+).*(tls=[^ ]+ cipher=[^ ]+) session=([^ ]+) end=([^ ]+)/\1 \2 session=\3/;
		s/session=r/resumed/; s/session=\./full handshake/' | sort | counted
}

for program in openssl curl; do
	command -v $program >/dev/null || { echo "the demo needs $program; 'make demo' installs it" >&2; exit 1; }
done
make_certificates >certificates.log 2>&1 || { cat certificates.log >&2; exit 1; }
trap 'stop; exit 0' INT TERM
trap stop EXIT
start
show_http
show_tcp
cat <<TEXT

Try it yourself:
  curl http://127.0.0.1:8080/upstream/hello                       through the gateway
  curl http://127.0.0.1:12345/                                    through the TCP example
  curl --cacert $PWD/ca.crt --resolve backend1.example.com:8441:127.0.0.1 \\
      https://backend1.example.com:8441/yourapp/                  an upstream server itself, without a certificate:
                                                                  "client certificate NONE"
  curl --unix-socket $PWD/admin.sock http://admin/metrics
                                                                  all that it counts
  $sealane -T -c $PWD/seed.ini
                                                                  every setting and where it comes from
Configuration: $PWD/seed.ini, logs: sealane.log and access.log beside it.
TEXT
if [ -n "${DEMO_ONCE:-}" ]; then exit 0; fi
echo "Serving until Ctrl-C."
wait "$pid"
