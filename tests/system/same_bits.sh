#!/bin/sh
# Every radiomics value has the same bits from GCC and Clang, at -O0 and -O2, with 1 and 2 threads.
# Builds its own small program four times over, all sources side by side (and through ccache, where it is installed, so
# that only what changed is compiled again); needs no test data.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# What radiomics stands on, but no test and no program of its own.
sources=$(cd "$root/src" && find base numeric dicom image filter radiomics -name '*.c' ! -name '*_test.c' ! -name 'sim*.c' \
	-exec grep -L '^int main' {} +)
clang=${CLANG:-clang-14}
variants="gcc-O0 gcc-O2 clang-O0 clang-O2"
{
	echo "rule compile"
	echo " command = $(command -v ccache || true) \$compiler -std=c17 \$level -w -D_POSIX_C_SOURCE=200809L -D_DEFAULT_SOURCE" \
		"-fno-fast-math -ffp-contract=off -I$root/src -I$root/bench -c \$in -o \$out"
	echo "rule link"
	echo " command = \$compiler \$in -o \$out -lcrypto -lsodium -lyaml -lz -lm -lpthread"
	echo "rule dump"
	echo " command = ./\$in dump \$threads >\$out"
	for variant in $variants; do
		case $variant in gcc-*) compiler=gcc ;; *) compiler=$clang ;; esac
		objects=
		for source in src/crypto/sha256.c src/crypto/secret.c bench/radiomics_bench.c \
			$(echo "$sources" | sed 's|^|src/|'); do
			objects="$objects $variant/${source%.c}.o"
			echo "build $variant/${source%.c}.o: compile $root/$source"
			echo " compiler = $compiler"
			echo " level = -${variant#*-}"
		done
		echo "build dump-$variant: link$objects"
		echo " compiler = $compiler"
		for threads in 1 2; do
			echo "build $variant.$threads: dump dump-$variant"
			echo " threads = $threads"
		done
	done
} >"$work/build.ninja"
ninja -C "$work" >"$work/log" 2>&1 || {
	tail -n 40 "$work/log"
	exit 1
}
first=$work/gcc-O0.1
for variant in $variants; do
	for threads in 1 2; do
		if ! cmp -s "$first" "$work/$variant.$threads"; then
			echo "$variant, $threads threads: other bits"
			diff "$first" "$work/$variant.$threads" | head -n 20
			exit 1
		fi
	done
done
echo "same bits: $(grep -c '^original_' "$first") values, 2 compilers, -O0 and -O2, 1 and 2 threads"
