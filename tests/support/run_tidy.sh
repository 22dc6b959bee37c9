#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# run_tidy.sh FILE... -- FLAGS - clang-tidy on each file, as many at once as there are CPUs. Quiet but for findings.
set -u

files=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do
	files+=("$1")
	shift
done
flags=("$@")

check() {
	clang-tidy --quiet --warnings-as-errors='*' "$1" "${flags[@]}" 2> >(grep -v 'warnings\? generated\.$' >&2)
}

status=0 running=0
for file in "${files[@]}"; do
	check "$file" &
	running=$((running + 1))
	if [ $running -ge "$(nproc)" ]; then
		wait -n || status=1
		running=$((running - 1))
	fi
done
while [ $running -gt 0 ]; do
	wait -n || status=1
	running=$((running - 1))
done
exit $status
