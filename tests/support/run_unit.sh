#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# run_unit.sh [PART] - runs the unit tests below $BUILD/unit and the fuzz drivers in $BUILD/fuzz on their corpus,
# or those whose path has PART in it. Quiet but for failures; ends with a summary in cmocka's words, which stays
# in $BUILD/unit.summary. RUN may hold a program to run them under.
set -u

part=${1-}
limit=300 # seconds for each program
[ -z "${RUN-}" ] || limit=1800 # under memcheck: fifty times slower
programs=0 tests=0 failed=0 skipped=()

run() {
	local output status
	output=$(timeout $limit ${RUN-} "$@" 2>&1)
	status=$?
	programs=$((programs + 1))
	tests=$((tests + $(grep -c '\[ RUN ' <<<"$output")))
	mapfile -t -O ${#skipped[@]} skipped < <(sed -n 's/^\[  SKIPPED \] \([a-z]\)/\1/p' <<<"$output" | sort -u)
	if [ $status != 0 ]; then
		failed=$((failed + 1))
		printf '%s\n%s: failed with status %s%s\n' "$output" "$1" $status \
			"$([ $status = 124 ] && echo ": took longer than $limit s")" >&2
	fi
}

for program in $(find "$BUILD/unit" -name '*_test' -type f 2>/dev/null | sort); do
	[[ $program == *"$part"* ]] || continue
	[ -e "tests/${program#"$BUILD"/}.c" ] || continue # of a test that is gone
	run "$program"
done
for source in tests/fuzz/fuzz_*.c; do
	name=$(basename "$source" .c)
	program=$BUILD/fuzz/${name#fuzz_}
	[[ $program == *"$part"* && -x $program ]] || continue
	mapfile -t seeds < <(find "tests/fuzz/corpus/${name#fuzz_}" -type f 2>/dev/null | sort)
	run "$program" "${seeds[@]}"
	tests=$((tests + 1))
done

{
	echo "[==========] unit: $tests test(s) in $programs programs run."
	if [ ${#skipped[@]} != 0 ]; then
		echo "[  SKIPPED ] ${#skipped[@]} test(s), for want of root or of a kernel feature, listed below:"
		printf '[  SKIPPED ] %s\n' "${skipped[@]}"
	fi
	if [ $failed = 0 ]; then
		echo "[  PASSED  ] all of them."
	else
		echo "[  FAILED  ] $failed program(s)."
	fi
} | tee "$BUILD/unit.summary"
[ $failed = 0 ] && [ $programs != 0 ]
