#!/usr/bin/env bash
# Installs what building, testing and checking radseal needs: Debian 12 packages, by name, where they are missing.
set -euo pipefail

packages=(gcc g++ meson ninja-build pkg-config python3 libssl-dev libsodium-dev libsqlite3-dev zlib1g-dev libyaml-dev
	libexpat1-dev libgnutls28-dev libjansson-dev libmicrohttpd-dev libmosquitto-dev libcmocka-dev libsvm-dev libxgboost-dev
	libcharls-dev libdcmtk-dev libjpeg62-turbo-dev libopenjp2-7-dev weasyprint)
if [ "${1:-}" = "checks" ]; then
	packages+=(clang-14 libclang-rt-14-dev llvm-14 clang-format-14 codespell dcmtk dicom3tools libgdcm-tools mandoc mosquitto odil
		orthanc)
fi
if [ "${1:-}" = "arm64" ]; then
	packages+=(gcc-aarch64-linux-gnu qemu-user)
fi
if [ "${1:-}" = "coverage" ]; then
	packages+=(gcovr)
fi

missing=()
for package in "${packages[@]}"; do
	dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q '^install ok installed$' || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
	exit 0
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
	command -v sudo >/dev/null || {
		echo "setup: these Debian packages are missing, and neither root nor sudo is at hand: ${missing[*]}" >&2
		exit 1
	}
	as_root=(sudo)
fi
echo "setup: installing Debian packages that radseal is built and tested with: ${missing[*]}"
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
