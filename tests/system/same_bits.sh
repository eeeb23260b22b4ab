#!/bin/sh
# Every radiomics value has the same bits from GCC and Clang, at -O0 and -O2, with 1 and 2 threads.
# Builds its own small program eight times over; needs no test data.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# What radiomics stands on, but no test and no program of its own.
sources=$(cd "$root/src" && find base numeric dicom image filter radiomics -name '*.c' ! -name '*_test.c' ! -name 'sim*.c' \
	-exec grep -L '^int main' {} + | sed "s|^|$root/src/|")
first=
for compiler in gcc "${CLANG:-clang-14}"; do
	for level in -O0 -O2; do
		program="$work/dump$level-$compiler"
		# shellcheck disable=SC2086
		"$compiler" -std=c17 $level -w -D_POSIX_C_SOURCE=200809L -D_DEFAULT_SOURCE -fno-fast-math \
			-ffp-contract=off -I"$root/src" -I"$root/bench" "$root/bench/radiomics_bench.c" $sources \
			"$root/src/crypto/sha256.c" "$root/src/crypto/secret.c" -o "$program" \
			-lcrypto -lsodium -lyaml -lz -lm -lpthread
		for threads in 1 2; do
			"$program" dump $threads >"$program.$threads"
			: "${first:=$program.$threads}"
			if ! cmp -s "$first" "$program.$threads"; then
				echo "$compiler $level, $threads threads: other bits"
				diff "$first" "$program.$threads" | head -n 20
				exit 1
			fi
		done
	done
done
echo "same bits: $(grep -c '^original_' "$first") values, 2 compilers, -O0 and -O2, 1 and 2 threads"
