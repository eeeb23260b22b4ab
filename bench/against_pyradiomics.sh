#!/usr/bin/env bash
# All families of three dimensions against PyRadiomics 3.0.1 from PyPI, in one run: against_pyradiomics.sh BUILD [IMAGE MASK]
# Makes a virtual environment in BUILD the first time. Without arguments it takes the IBSI CT phantom of ../shared.
set -euo pipefail
build=$1
phantom=../shared/data/radiomics/ibsi1/ibsi_1_ct_radiomics_phantom/nifti
image=${2:-$phantom/image/phantom.nii.gz}
mask=${3:-$phantom/mask/mask.nii.gz}
if [ ! -e "$image" ]; then
	echo "against PyRadiomics: name an image and a mask; the IBSI phantom is not here. radseal alone, on a made-up case:"
	exec "$build/bench/radiomics_bench"
fi
venv=$build/pyradiomics-venv
if [ ! -x "$venv/bin/python" ]; then
	echo "against PyRadiomics: installing it and what it needs from PyPI into $venv"
	python3 -m venv "$venv"
	"$venv/bin/pip" install -q 'numpy<2' SimpleITK PyWavelets pykwalify six versioneer setuptools wheel cython
	"$venv/bin/pip" install -q --no-build-isolation pyradiomics==3.0.1
fi
"$venv/bin/python" bench/radiomics_against_pyradiomics.py "$build/bench/radiomics_bench" "$image" "$mask"
