#!/bin/sh
# Every radiomics value, every number and model of trainings, and every weight of networks has the same bits from GCC and
# Clang, at -O0 and -O2, with 1 and 2 threads: `same_bits.sh RADIOMICS_BENCH TRAIN_DUMP NEURAL_BENCH`, the programs as the build
# made them (GCC, -O2). Beside them it builds those of Clang at -O2 and of GCC at -O0, all sources side by side (and through
# ccache, where it is installed, so that only what changed is compiled again); needs no test data.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# What a program stands on, but no test and no program of its own.
sources_of() {
	(cd "$root/src" && find "$@" -name '*.c' ! -name '*_test.c' ! -name 'sim*.c' -exec grep -L '^int main' {} +) |
		sed 's|^|src/|'
	echo src/crypto/sha256.c src/crypto/secret.c
}
codec_sources="src/codec/codec.c src/codec/pool.c src/codec/rle.c" # what dicom asks the decoding process through
dump_sources="bench/radiomics_bench.c $codec_sources $(sources_of base numeric dicom image filter radiomics)"
train_sources="tests/system/train_dump.c $codec_sources $(sources_of base numeric dicom image assess survival learn neural plot table report recipe study model validate prognosis)"
networks_sources="bench/neural_bench.c $(sources_of base neural)"
clang=${CLANG:-clang-14}
built="clang-O2 gcc-O0"
variants="product $built"
threads_of() { case $1 in *-O0) echo 1 ;; *) echo 1 2 ;; esac; } # threads meet the same code at -O0, only slower
dump_product=$(realpath "$1") train_product=$(realpath "$2") networks_product=$(realpath "$3")

# Three made-up studies: a class, several of them, survival; two modalities, gaps, centres.
awk 'function next_one() { seed = (seed * 1103515245 + 12345) % 2147483648; return seed / 2147483648 - 0.5 }
BEGIN {
	seed = 1
	print "id,centre,late,stage,days,died,a1,a2,a3,a4,b1,b2"
	for (i = 0; i < 60; i++) {
		x = next_one(); y = next_one(); z = next_one()
		gap = i % 7 == 3 ? "" : sprintf("%.4f", z)
		printf("s%d,h%d,%d,%s,%.3f,%d,%.5f,%.5f,%s,%.5f,%.5f,%.5f\n", i, i % 2, (x + y + z / 2 > 0),
			substr("XYZ", 1 + (x > -0.2) + (x + y > 0.2), 1), 10 * (1.1 + x + y / 2), (i % 3 > 0), x, y, gap,
			2 * x + z / 9, y + z, next_one())
	}
}' >"$work/table.csv"
study() { # name, target, steps, models, more
	printf 'tables: table.csv\nid: id\ncentre: centre\nfeatures: {a: a*, b: b*}\nvolume: b1\nfolds: 2\ninner_folds: 2\n%s\n' \
		"target: {$2}
steps: $3
model: $4
$5" >"$work/$1.yaml"
}
study class 'class: {column: late}' '[impute: nearest, combat, scale: power, {correlation: 0.95}, {rfe: [2, 3]}]' \
	'[ridge, forest: {trees: 10}, svm, xgboost: {rounds: 5}, network: {members: 1, epochs: 3, units: 4}]' 'split: 0.8
bootstrap: 3
permutations: 3'
study classes 'classes: {column: stage}' '[near_zero, mrmr: 3]' '[ridge, elastic_net: {lambdas: 3}, forest: {trees: 10}]' 'fusion: late'
study survival 'survival: {time: days, event: died}' '{univariate: 0.9}' '[cox: {strata: centre}, parametric, forest: {trees: 10}]' \
	'validate: centre'
{
	echo "rule compile"
	echo " command = $(command -v ccache || true) \$compiler -std=c17 \$level -w -D_POSIX_C_SOURCE=200809L -D_DEFAULT_SOURCE" \
		"-fno-fast-math -ffp-contract=off -DRADSEAL_LIBEXEC=\\\"/nowhere\\\" -I$root/src -I$root/bench -c \$in -o \$out"
	echo "rule link"
	echo " command = \$compiler \$in -o \$out -lxgboost -lsvm -ljansson -lcrypto -lsodium -lyaml -lz -lm -lpthread"
	echo "rule dump"
	echo " command = \$in dump \$threads >\$out"
	echo "rule networks"
	echo " command = \$in dump \$threads >\$out"
	echo "rule train"
	echo " command = for study in class classes survival; do \$in \$\$study.yaml \$threads || exit 1; done >\$out"
	for variant in $built; do
		case $variant in gcc-*) compiler=gcc ;; *) compiler=$clang ;; esac
		for source in $(printf '%s\n' $dump_sources $train_sources $networks_sources | sort -u); do
			echo "build $variant/${source%.c}.o: compile $root/$source"
			echo " compiler = $compiler"
			echo " level = -${variant#*-}"
		done
		for program in dump train networks; do
			eval "sources=\$${program}_sources ${program}_${variant%-*}=$work/$program-$variant"
			echo "build $work/$program-$variant: link $(printf '%s\n' $sources | sort -u | sed "s|^|$variant/|; s|c\$|o|" | tr '\n' ' ')"
			echo " compiler = $compiler"
		done
	done
	for program in dump train networks; do
		for variant in $variants; do
			eval "binary=\$${program}_${variant%-*}"
			for threads in $(threads_of "$variant"); do
				echo "build $program.$variant.$threads: $program $binary"
				echo " threads = $threads"
			done
		done
	done
} >"$work/build.ninja"
ninja -C "$work" >"$work/log" 2>&1 || {
	tail -n 40 "$work/log"
	exit 1
}
for program in dump train networks; do
	first=$work/$program.product.1
	for variant in $variants; do
		for threads in $(threads_of "$variant"); do
			if ! cmp -s "$first" "$work/$program.$variant.$threads"; then
				echo "$program, $variant, $threads threads: other bits"
				diff "$first" "$work/$program.$variant.$threads" | head -n 20
				exit 1
			fi
		done
	done
done
echo "same bits: $(grep -c '^original_' "$work/dump.product.1") values of radiomics, $(wc -l <"$work/train.product.1") lines of" \
	"three trainings, $(wc -l <"$work/networks.product.1") weights, 2 compilers, -O0 and -O2, 1 and 2 threads"
