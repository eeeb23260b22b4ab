#!/usr/bin/env bash
# Cross-builds radseal-edge for 64-bit ARM (Raspberry Pi, Jetson) on Debian: the libraries are Debian's own for arm64, unpacked
# beside the build, so that the machine's packages stay as they are. Needs `tools/setup.sh arm64`. It runs here as
# qemu-aarch64 -L FOLDER/root FOLDER/radseal-edge; a script of that line is a program for tests/system/edge_dicom.py.
# Usage: tools/build_edge_arm64.sh [FOLDER]   (default: build-arm64); the program is FOLDER/radseal-edge
set -euo pipefail

source_root=$(cd "$(dirname "$0")/.." && pwd)
folder=${1:-build-arm64}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
root=$folder/root
packages=(libc6 libc6-dev linux-libc-dev libgcc-s1 libssl3 libssl-dev libsodium23 libsodium-dev libsqlite3-0 libsqlite3-dev
	libmosquitto1 libmosquitto-dev zlib1g zlib1g-dev libc-ares2)
command -v aarch64-linux-gnu-gcc >/dev/null || {
	echo "build_edge_arm64: install gcc-aarch64-linux-gnu" >&2
	exit 1
}

if [ ! -d "$root/usr" ]; then
	mkdir -p "$folder"/apt/{state/lists,cache/archives}/partial "$folder/debs" "$root.new"
	: >"$folder/apt/status"
	apt=(apt-get -q -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o Dir::State="$folder/apt/state"
		-o Dir::Cache="$folder/apt/cache" -o Dir::State::status="$folder/apt/status" -o APT::Sandbox::User=root)
	"${apt[@]}" update
	(cd "$folder/debs" && "${apt[@]}" download "${packages[@]}")
	for package in "$folder"/debs/*.deb; do
		dpkg-deb -x "$package" "$root.new"
	done
	mv "$root.new" "$root"
fi

version=$(sed -n "s/.*version: '\([0-9.]*\)'.*/\1/p" "$source_root/meson.build" | head -1)
compiler=(aarch64-linux-gnu-gcc --sysroot="$root" -isystem "$root/usr/include" -isystem "$root/usr/include/aarch64-linux-gnu")
flags=(-std=c17 -O2 -g0 -Wall -Wextra -Werror -D_POSIX_C_SOURCE=200809L -D_DEFAULT_SOURCE -D_FILE_OFFSET_BITS=64
	-fno-fast-math -ffp-contract=off -ffunction-sections -fdata-sections -fPIE -DRADSEAL_VERSION="\"$version\""
	-DRADSEAL_LIBEXEC="\"/usr/libexec\""
	-I "$source_root/src")
archives=()
for module in edge gateway workflow envelope ledger contract image codec dicomnet dicom identity store net crypto base; do
	[ -d "$source_root/src/$module" ] || continue
	mkdir -p "$folder/$module"
	rm -f "$folder/$module.a"
	for file in "$source_root/src/$module"/*.c; do
		name=$(basename "$file" .c)
		case "$name" in *_test | *_dump | *_list) continue ;; esac
		# What belongs to other programs need not compile here: the linker says when something is missing.
		[ "$module" = workflow ] && [ "$name" != walk ] && continue
		"${compiler[@]}" "${flags[@]}" -c "$file" -o "$folder/$module/$name.o" 2>"$folder/$module/$name.log" || continue
		aarch64-linux-gnu-ar qc "$folder/$module.a" "$folder/$module/$name.o"
	done
	aarch64-linux-gnu-ranlib "$folder/$module.a"
	archives+=("$folder/$module.a")
done
libraries=$root/usr/lib/aarch64-linux-gnu
"${compiler[@]}" "${flags[@]}" -pie -s -Wl,--gc-sections -Wl,--as-needed -Wl,--allow-shlib-undefined -L "$libraries" \
	-L "$root/lib/aarch64-linux-gnu" -o "$folder/radseal-edge" "$source_root"/src/cli/{command,command_edge,edge_main}.c \
	-Wl,--start-group "${archives[@]}" -Wl,--end-group -l:libmosquitto.so.1 -lssl -lcrypto -lsodium -lsqlite3 -lz -lm -lpthread
ls -l "$folder/radseal-edge"
