/* Volumes with geometry, masks with labels, and their file formats. Axes are LPS (DICOM, ITK):
 * +x to the patient's left, +y posterior, +z superior; NIfTI's RAS is converted on the way in and out. */
#ifndef RS_IMAGE_H
#define RS_IMAGE_H

#include "base/base.h"

#define RS_VOXELS_MAX ((size_t)1 << 32)

enum rs_voxel_type {
	RS_VOXEL_I8,
	RS_VOXEL_U8,
	RS_VOXEL_I16,
	RS_VOXEL_U16,
	RS_VOXEL_I32,
	RS_VOXEL_U32,
	RS_VOXEL_I64,
	RS_VOXEL_U64,
	RS_VOXEL_F32,
	RS_VOXEL_F64
};

struct rs_geometry {
	size_t size[3];         /* x, y, z; >= 1 */
	double spacing_mm[3];   /* > 0 */
	double origin_mm[3];    /* centre of voxel (0,0,0) */
	double direction[3][3]; /* columns are the unit vectors of the i, j, k axes: direction[row][axis] */
};

/* A volume owns one aligned block of doubles, [z][y][x], x fastest. `stored` remembers the type of the
 * file (after slope and intercept were applied: F64 when they were not 1 and 0): filters of PyRadiomics depend on it. */
struct rs_volume {
	struct rs_geometry geometry;
	enum rs_voxel_type stored;
	double *voxels;
};
enum rs_code rs_volume_init(struct rs_volume *out, const struct rs_geometry *geometry, struct rs_error *err);
void rs_volume_finish(struct rs_volume *volume); /* accepts NULL and zeroed memory */
static inline size_t rs_geometry_voxels(const struct rs_geometry *g)
{
	return g->size[0] * g->size[1] * g->size[2];
}

/* A mask of labels 0 (outside) … 2^32-1, [z][y][x], with the names of labels where the file has them. */
struct rs_label {
	uint32_t value;
	char name[64];
};
struct rs_mask {
	struct rs_geometry geometry;
	uint32_t *labels;
	struct rs_label *names; /* sorted by value; may be empty */
	size_t name_count;
};
enum rs_code rs_mask_init(struct rs_mask *out, const struct rs_geometry *geometry, struct rs_error *err);
void rs_mask_finish(struct rs_mask *mask); /* accepts NULL and zeroed memory */

/* Reads NIfTI-1/2 (.nii, .nii.gz), NRRD (.nrrd, .nhdr), MetaImage (.mha, .mhd), a DICOM file or a directory
 * with one DICOM series. The format is taken from the content, not from the name.
 * errors  RS_MALFORMED, RS_UNSUPPORTED, RS_TOO_LARGE, RS_NOT_FOUND, RS_DENIED, RS_IO, RS_NO_MEMORY */
enum rs_code rs_volume_read(const struct rs_world *world, const char *path, struct rs_volume *out,
                            struct rs_error *err);
/* As above, and DICOM SEG. Values that are not whole or are negative are refused. */
enum rs_code rs_mask_read(const struct rs_world *world, const char *path, struct rs_mask *out,
                          struct rs_error *err);
/* By the name's ending: .nii, .nii.gz, .nrrd; as type `stored` (integers must fit). Atomic. */
enum rs_code rs_volume_write(const struct rs_world *world, const char *path, const struct rs_volume *volume,
                             struct rs_error *err);
enum rs_code rs_mask_write(const struct rs_world *world, const char *path, const struct rs_mask *mask,
                           struct rs_error *err);

/* Whether image and mask lie in the same physical space. Header noise (every corner of the grid within
 * tolerance_mm; PyRadiomics' default tolerance is 1e-6 relative) is repaired: the mask takes the image's
 * geometry, and `note` tells what was repaired (empty when nothing). A real mismatch is RS_REFUSED with the numbers. */
enum rs_code rs_mask_match(const struct rs_geometry *image, struct rs_mask *mask, double tolerance_mm,
                           char *note, size_t note_size, struct rs_error *err);

#endif
