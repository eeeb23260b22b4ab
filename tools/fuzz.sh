#!/usr/bin/env bash
# Fuzzes every target for the given number of seconds, two at a time. A finding ends it with status 1 and stays as
# build-fuzz/crash-*; put it into the target's corpus when it is mended.
set -euo pipefail
seconds=${1:-60}
[ -f build-fuzz/build.ninja ] || CC=clang-14 CXX=clang++-14 meson setup build-fuzz -Dfuzz=true \
	-Db_sanitize=address,undefined -Db_lundef=false
ninja -C build-fuzz
cd build-fuzz
one() {
	name=$(basename "$1" _fuzz)
	mkdir -p "found/$name"
	if "$1" -max_total_time="$2" -timeout=20 -rss_limit_mb=4096 -max_len=65536 -print_final_stats=1 "found/$name" \
		"../tests/fuzz/corpus/$name" >"$name.log" 2>&1; then
		echo "$name: $(grep -o 'stat::number_of_executed_units: *[0-9]*' "$name.log" | grep -o '[0-9]*$') runs, no finding"
	else
		echo "$name: FOUND something, see build-fuzz/$name.log"
		return 1
	fi
}
export -f one
printf '%s\n' tests/*_fuzz | xargs -P 2 -I{} bash -c 'one {} '"$seconds"
