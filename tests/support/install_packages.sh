#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# install_packages.sh KIND... - installs the packages of packages.txt that are not there yet.
#
# Called by make deps and make deps-test. Says nothing and asks no server when all is there. Without root it
# prints the line to run and fails. Packages like nginx start and enable a service of their own when they are
# installed: while this runs a policy-rc.d forbids starting, and what got enabled is disabled again. What was
# installed, running or enabled before stays as it was.
set -euo pipefail

list=$(dirname "$0")/packages.txt
policy=/usr/sbin/policy-rc.d
saved_policy=$policy.before-sealane

missing_packages() {
	local kinds wanted
	kinds=$(IFS='|'; echo "$*")
	mapfile -t wanted < <(sed -nE "s/^($kinds) //p" "$list" | sort)
	comm -23 <(printf '%s\n' "${wanted[@]}") \
		<(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "${wanted[@]}" 2>/dev/null |
			sed -n 's/ installed$//p' | sort)
}

# Links that make a service start at boot: /etc/systemd/system/*.wants/UNIT and /etc/rc?.d/S??NAME.
enabling_links() {
	find /etc/systemd/system /etc/rc?.d \( -path '*.wants/*' -o -path '*.requires/*' -o -path '/etc/rc?.d/S*' \) \
		2>/dev/null | sort
}

forbid_starts() {
	restore_policy # of a run that was killed
	if [ -e "$policy" ] || [ -L "$policy" ]; then mv "$policy" "$saved_policy"; fi
	printf '#!/bin/sh\n# sealane-tests: removed after the installation\nexit 101\n' >"$policy"
	chmod 755 "$policy"
}

restore_policy() {
	if grep -qs '^# sealane-tests' "$policy"; then rm -f "$policy"; fi
	if [ -e "$saved_policy" ] || [ -L "$saved_policy" ]; then mv "$saved_policy" "$policy"; fi
}

disable_new_services() {
	local link name
	comm -13 <(echo "$1") <(enabling_links) | while read -r link; do
		name=${link##*/}
		case $link in
		/etc/rc?.d/*) update-rc.d "${name#S??}" disable >/dev/null ;;
		*) if command -v systemctl >/dev/null; then
			systemctl --quiet disable "$name" 2>/dev/null || rm -f "$link"
		else
			rm -f "$link"
		fi ;;
		esac
	done
}

apt() {
	DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 "$@"
}

# The lists of packages are fetched only when they are missing or too old to be of use.
install() {
	apt install -y --no-install-recommends "$@" && return
	echo "apt-get install failed; fetching the lists of packages and trying once more" >&2
	apt update
	apt install -y --no-install-recommends "$@"
}

mapfile -t missing < <(missing_packages "$@")
[ ${#missing[@]} -gt 0 ] || exit 0

if [ "$(id -u)" != 0 ]; then
	{
		echo "packages are missing; as root run"
		echo "  apt-get install --no-install-recommends ${missing[*]}"
		echo "or 'make deps-test', which also keeps their services from being started and enabled"
	} >&2
	exit 1
fi

echo "installing ${missing[*]}"
links_before=$(enabling_links)
trap restore_policy EXIT
trap 'exit 1' HUP INT TERM
forbid_starts
install "${missing[@]}" >/dev/null
disable_new_services "$links_before"
