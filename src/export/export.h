/* Results for archives and records of others: masks as DICOM segmentations, features as structured reports (TID 1500), and
 * both with predictions as FHIR R4 resources. Patient and study are taken over from the image as they stand there. */
#ifndef RS_EXPORT_H
#define RS_EXPORT_H

#include "dicom/dicom.h"
#include "image/image.h"
#include "radiomics/radiomics.h"

/* The DICOM image that results are about: its headers, without pixels. */
struct rs_export_source;
/* A file, or a directory with one series, as rs_volume_read() takes it. errors  RS_UNSUPPORTED: no DICOM; those of reading */
enum rs_code rs_export_source_open(const struct rs_world *world, const char *path,
                                   struct rs_export_source **out, struct rs_error *err);
void rs_export_source_close(struct rs_export_source *source);          /* accepts NULL */
void rs_export_source_close_pointer(struct rs_export_source **source); /* for RS_CLEANUP */

/* A concept of a coding scheme. */
struct rs_export_code {
	const char *value, *scheme, *meaning;
};
/* Who and what made the results. */
struct rs_export_maker {
	const struct rs_world *world;         /* clock, random numbers of UIDs */
	const char *version;                  /* of this program */
	const char *algorithm;                /* that drew the mask; NULL: people did */
	struct rs_export_code category, type; /* of what a segment shows; zeroed: a neoplasm */
};

/* The labels that voxels have, ascending, with their names; freed with rs_free. errors  RS_NOT_FOUND: no voxel is set;
 * RS_TOO_LARGE: more than 1000 */
enum rs_code rs_export_labels(const struct rs_mask *mask, struct rs_label **out, size_t *out_count,
                              struct rs_error *err);

/* A binary segmentation of every label that has voxels, segments numbered 1, 2, … in the order of labels. The mask lies on the
 * source's grid. errors  RS_NOT_FOUND: no voxel is set; RS_TOO_LARGE */
enum rs_code rs_export_segmentation(const struct rs_export_source *source,
                                    const struct rs_export_maker *maker, const struct rs_mask *mask,
                                    struct rs_buffer *out, struct rs_error *err);

/* Features of one region. */
struct rs_export_region {
	struct rs_label label; /* its number is that of the segment */
	const struct rs_radiomics_result *features;
	bool by_ibsi; /* measured in mode ibsi */
};
/* A Comprehensive SR, one measurement group (TID 1411) a region, which refers to a segment of `segmentation`. Numbers that are
 * undefined are left out. */
enum rs_code rs_export_report(const struct rs_export_source *source, const struct rs_export_maker *maker,
                              const struct rs_dicom *segmentation, const struct rs_export_region *regions,
                              size_t count, struct rs_buffer *out, struct rs_error *err);

/* A column of a prediction, as radseal predict writes it. */
struct rs_export_prediction {
	struct rs_str name, value;
};
/* A bundle (collection) of ImagingStudy, Device, an Observation a region, DiagnosticReport, RiskAssessment when there is a
 * prediction, and Provenance with the SHA-256 of each file of the image. */
enum rs_code rs_export_fhir(const struct rs_export_source *source, const struct rs_export_maker *maker,
                            const struct rs_export_region *regions, size_t count,
                            const struct rs_export_prediction *prediction, size_t prediction_count,
                            struct rs_buffer *out, struct rs_error *err);

#endif
