#!/usr/bin/env python3
"""One job of PyRadiomics, in its own environment: radiomics_peer.py KIND IMAGE MASK TURNS; prints "one MEDIAN LEAST CPU" (ms).

KIND: original, classic (original, wavelet, five LoG) or maps. One thread; reading and diagnostics are not timed."""
import os
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")
import logging
import statistics
import sys
import time

import SimpleITK as sitk
from radiomics import featureextractor, setVerbosity

kind, image_path, mask_path, turns = *sys.argv[1:4], int(sys.argv[4])
setVerbosity(logging.CRITICAL)
sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
image, mask = sitk.ReadImage(image_path), sitk.ReadImage(mask_path)
extractor = featureextractor.RadiomicsFeatureExtractor(binWidth=25, geometryTolerance=1e-3, additionalInfo=False)
extractor.enableAllFeatures()
if kind == "classic":
    extractor.enableImageTypes(Original={}, Wavelet={}, LoG={"sigma": [1.0, 2.0, 3.0, 4.0, 5.0]})
times, spent = [], []
for _ in range(turns):
    start, cpu = time.perf_counter(), time.process_time()
    result = extractor.execute(image, mask, voxelBased=kind == "maps")
    times.append(1e3 * (time.perf_counter() - start))
    spent.append(1e3 * (time.process_time() - cpu))
print(f"one {statistics.median(times):.3f} {min(times):.3f} {statistics.median(spent):.3f}")
print(f"count {sum(1 for name in result if not name.startswith('diagnostics'))}")
