#!/usr/bin/env python3
"""One job of SimpleITK (nlm: of scikit-image), in its own environment: prepare_peer.py WORK DIR THREADS TURNS; prints
"SECONDS CPU_SECONDS ERROR", medians. The files and the errors are those of prepare_bench.c; reading is not timed."""
import math
import os
import statistics
import sys
import time

work, folder, threads, turns = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
os.environ.update(OMP_NUM_THREADS=str(threads))
import numpy
import SimpleITK as sitk

POINTS = 60000  # as radseal's
sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(threads)
TRUTH = [[float(word) for word in line.split()] for line in open(f"{folder}/truth.txt")]


def read(name):
    return sitk.ReadImage(f"{folder}/{name}.nrrd", sitk.sitkFloat32)


def error_of(transform):
    squares, count = 0.0, 0
    for z in range(-24, 25, 12):
        for y in range(-80, 81, 20):
            for x in range(-100, 101, 20):
                if x * x / 12100 + y * y / 8100 <= 1:
                    found = transform.TransformPoint((x, y, z))
                    squares += sum((found[r] - sum(t * p for t, p in zip(TRUTH[r], (x, y, z, 1)))) ** 2 for r in range(3))
                    count += 1
    return math.sqrt(squares / count)


def method(fixed):
    """As SimpleITK's own examples have it, with as many points and bins as radseal takes."""
    how = sitk.ImageRegistrationMethod()
    how.SetMetricAsMattesMutualInformation(32)
    how.SetMetricSamplingStrategy(how.RANDOM)
    how.SetMetricSamplingPercentage(POINTS / fixed.GetNumberOfPixels(), 1)
    how.SetInterpolator(sitk.sitkLinear)
    how.SetShrinkFactorsPerLevel([4, 2, 1])
    how.SetSmoothingSigmasPerLevel([2, 1, 0])
    how.SmoothingSigmasAreSpecifiedInPhysicalUnitsOn()
    return how


def rigid(fixed, moving):
    how = method(fixed)
    how.SetOptimizerAsRegularStepGradientDescent(learningRate=2.0, minStep=1e-3, numberOfIterations=200, relaxationFactor=0.6)
    how.SetOptimizerScalesFromPhysicalShift()
    how.SetInitialTransform(sitk.Euler3DTransform(), inPlace=False)
    return how.Execute(fixed, moving)


def bspline(fixed, moving):
    first = rigid(fixed, moving)
    how = method(fixed)
    how.SetMovingInitialTransform(first)
    how.SetOptimizerAsLBFGS2(solutionAccuracy=1e-3, numberOfIterations=60, deltaConvergenceTolerance=1e-4)
    lattice = sitk.BSplineTransformInitializer(fixed, [2, 2, 1])
    how.SetInitialTransformAsBSpline(lattice, inPlace=True, scaleFactors=[1, 2, 4])
    return sitk.CompositeTransform([first, how.Execute(fixed, moving)])


def resample(fixed, moving):
    turn = sitk.AffineTransform(3)
    turn.SetMatrix([value for row in TRUTH for value in row[:3]])
    turn.SetTranslation([row[3] for row in TRUTH])
    return sitk.Resample(moving, fixed, turn, sitk.sitkBSpline, 0.0, sitk.sitkFloat32)


def n4(image):
    mask = sitk.OtsuThreshold(image, 0, 1, 200)
    how = sitk.N4BiasFieldCorrectionImageFilter()
    how.SetMaximumNumberOfIterations([50] * 4)
    how.SetConvergenceThreshold(0.001)
    how.Execute(sitk.Shrink(image, [4] * 3), sitk.Shrink(mask, [4] * 3))
    return how.GetLogBiasFieldAsImage(image)


def nlm(image):
    from skimage.restoration import denoise_nl_means
    return denoise_nl_means(sitk.GetArrayViewFromImage(image), patch_size=3, patch_distance=4, h=0.8 * 12, sigma=12)


def of_field(image, log_field, coil):
    off = sitk.GetArrayFromImage(log_field) - numpy.log(sitk.GetArrayFromImage(coil))
    off = off[sitk.GetArrayFromImage(image) > 30]
    return float(off.std())


def noise_left(found, clean):
    clean = sitk.GetArrayFromImage(clean)
    found = found if isinstance(found, numpy.ndarray) else sitk.GetArrayFromImage(found)
    return float(numpy.sqrt(numpy.mean((found - clean)[clean > 30] ** 2)))


# files, work, its error
WORKS = {
    "rigid": ("fixed", "moving", rigid, lambda image, found, other: error_of(found)),
    "bspline": ("fixed", "moving", bspline, lambda image, found, other: error_of(found)),
    "resample": ("fixed", "moving", resample, lambda image, found, other: float(sitk.GetArrayFromImage(found).mean())),
    "n4": ("shaded", "coil", lambda image, other: n4(image), of_field),
    "median": ("noisy", "clean", lambda image, other: sitk.Median(image, [1] * 3), lambda image, found, other: noise_left(found, other)),
    "diffusion": ("noisy", "clean", lambda image, other: sitk.GradientAnisotropicDiffusion(image, 0.0625, 1.0, 1, 5),
                  lambda image, found, other: noise_left(found, other)),
    "nlm": ("noisy", "clean", lambda image, other: nlm(image), lambda image, found, other: noise_left(found, other)),
}
first, second, do, judge = WORKS[work]
image, other = read(first), read(second)
walls, cpus, error = [], [], 0
for _ in range(turns):
    wall, cpu = time.perf_counter(), time.process_time()
    found = do(image, other)
    walls.append(time.perf_counter() - wall)
    cpus.append(time.process_time() - cpu)
    error = judge(image, found, other)
print(f"{statistics.median(walls):.4f} {statistics.median(cpus):.4f} {error:.6g}")
