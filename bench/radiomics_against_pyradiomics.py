#!/usr/bin/env python3
"""radseal against PyRadiomics in one run: one thread, in-process compute without loading, median of 7.

usage: radiomics_against_pyradiomics.py PATH/TO/radiomics_bench IMAGE MASK
Needs a venv with: pip install 'numpy<2' SimpleITK PyWavelets pykwalify six versioneer setuptools wheel
cython; pip install --no-build-isolation pyradiomics==3.0.1. Images are cropped to the region beforehand for
PyRadiomics (as its own extractor does), whole for radseal. Each PyRadiomics class is timed from construction
(binning included) to all values; so is each radseal family, region cutting included."""
import logging, os, statistics, subprocess, sys, tempfile, time
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")
import numpy
import SimpleITK as sitk
from radiomics import firstorder, glcm, gldm, glrlm, glszm, imageoperations, ngtdm, shape, setVerbosity

setVerbosity(logging.ERROR)
sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
bench, image_path, mask_path = sys.argv[1:4]
image, mask = sitk.ReadImage(image_path), sitk.ReadImage(mask_path)
mask.CopyInformation(image)
box, _ = imageoperations.checkMask(image, mask)
cropped, cropped_mask = imageoperations.cropToTumorMask(image, mask, box)

theirs = {}
for name, kind in (("shape", shape.RadiomicsShape), ("firstorder", firstorder.RadiomicsFirstOrder),
                   ("glcm", glcm.RadiomicsGLCM), ("gldm", gldm.RadiomicsGLDM), ("glrlm", glrlm.RadiomicsGLRLM),
                   ("glszm", glszm.RadiomicsGLSZM), ("ngtdm", ngtdm.RadiomicsNGTDM)):
    times = []
    for _ in range(7):
        start = time.perf_counter()
        measured = kind(cropped, cropped_mask, binWidth=25)
        measured.enableAllFeatures()
        measured.execute()
        times.append(1e3 * (time.perf_counter() - start))
    theirs[name] = statistics.median(times)
theirs["total"] = sum(theirs.values())

with tempfile.NamedTemporaryFile() as raw:
    for part in (numpy.array(image.GetSize(), "<u8"), numpy.array(image.GetSpacing(), "<f8"),
                 numpy.array(image.GetOrigin(), "<f8"), numpy.array(image.GetDirection(), "<f8"),
                 numpy.array([9], "<u8"), sitk.GetArrayFromImage(image).astype("<f8"),
                 sitk.GetArrayFromImage(mask).astype("<u4")):
        raw.write(part.tobytes())
    raw.flush()
    lines = subprocess.run([bench, "raw", raw.name], check=True, capture_output=True, text=True).stdout
ours = {line.split()[0]: float(line.split()[1]) for line in lines.splitlines()}
print("compute only, one thread, medians of 7")
for name in theirs:
    print(f"{name:12s} PyRadiomics {theirs[name]:9.2f} ms   radseal {ours[name]:8.2f} ms   {theirs[name] / ours[name]:6.1f}x")
