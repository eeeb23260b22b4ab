/* Volumes with geometry, masks with labels, and their file formats. Axes are LPS (DICOM, ITK):
 * +x to the patient's left, +y posterior, +z superior; NIfTI's RAS is converted on the way in and out. */
#ifndef RS_IMAGE_H
#define RS_IMAGE_H

#include <endian.h>
#include <string.h>

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

/* The value as a file of that type has it, little-endian; it must fit. Returns the type's bytes, which are set; the others
 * are arbitrary. */
static inline size_t rs_voxel_store(double value, enum rs_voxel_type type, uint8_t out[8])
{
	static const uint8_t sizes[] = {1, 1, 2, 2, 4, 4, 8, 8, 4, 8};
	float narrow;
	uint32_t bits32;
	uint64_t bits;
	switch (type) {
	case RS_VOXEL_F32:
		narrow = (float)value;
		memcpy(&bits32, &narrow, sizeof bits32);
		bits = bits32;
		break;
	case RS_VOXEL_F64: memcpy(&bits, &value, sizeof bits); break;
	case RS_VOXEL_U64: bits = (uint64_t)value; break;
	default: bits = (uint64_t)(int64_t)value; break;
	}
	bits = htole64(bits);
	memcpy(out, &bits, sizeof bits);
	return sizes[type];
}

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
	char note[256]; /* what reading moved or left out, for the user; empty when nothing */
};
enum rs_code rs_mask_init(struct rs_mask *out, const struct rs_geometry *geometry, struct rs_error *err);
void rs_mask_finish(struct rs_mask *mask); /* accepts NULL and zeroed memory */

/* Reads NIfTI-1/2 (.nii, .nii.gz), NRRD (.nrrd, .nhdr), MetaImage (.mha, .mhd), a DICOM file or a directory
 * with one DICOM series. The format is taken from the content, not from the name.
 * errors  RS_MALFORMED, RS_UNSUPPORTED, RS_TOO_LARGE, RS_NOT_FOUND, RS_DENIED, RS_IO, RS_NO_MEMORY */
enum rs_code rs_volume_read(const struct rs_world *world, const char *path, struct rs_volume *out,
                            struct rs_error *err);
/* As above, and DICOM SEG. Values that are not whole or are negative are refused. Slicer's segments in several layers get
 * the labels 1, 2, … in their order; of other files with several values for each voxel (NRRD, NIfTI, MetaImage) the first
 * channel is read. An RTSTRUCT has no grid: it is RS_UNSUPPORTED here, see rs_mask_read_chosen. */
enum rs_code rs_mask_read(const struct rs_world *world, const char *path, struct rs_mask *out,
                          struct rs_error *err);
/* Of some labels only; all others are outside, and may overlap these. Each text is a name as the file has it, or else a
 * number. A name that is not there is RS_NOT_FOUND with those that are; one that is there twice RS_REFUSED. A channel
 * counts from 0, and stands for itself even where Slicer's layers would be put together; it says nothing of a mask with one
 * value for each voxel. One that is not there is RS_NOT_FOUND. */
struct rs_label_choice {
	const char *const *texts;
	size_t count; /* 0: all labels */
	bool has_channel;
	uint32_t channel;
};
/* As above, and DICOM RTSTRUCT, whose contours are filled on the image's grid `image`; for every other format
 * `image` is not looked at (compare with rs_mask_match), but that a SEG gets the slices it leaves out. Labels of
 * an RTSTRUCT are 1, 2, … in the order of ROINumber, with the ROIs' names. A voxel belongs to a region when its
 * centre lies within its closed contours or on them; holes are made by a keyhole or by a contour inside another
 * (even-odd). Contours go to the nearest slice, within half of the spacing.
 * choice: NULL for all labels.
 * errors  also RS_REFUSED: contours that do not fit the grid; RS_UNSUPPORTED: regions that overlap */
enum rs_code rs_mask_read_chosen(const struct rs_world *world, const char *path,
                                 const struct rs_geometry *image, const struct rs_label_choice *choice,
                                 struct rs_mask *out, struct rs_error *err);
/* The labels that the file names (SEG, RTSTRUCT, Slicer's NRRD), sorted by value; none for other formats. For regions
 * that overlap: list them, and read them one by one. *out_names is freed with rs_free. */
enum rs_code rs_mask_names(const struct rs_world *world, const char *path, struct rs_label **out_names,
                           size_t *out_count, struct rs_error *err);
/* The media type of NIfTI, NRRD and MetaImage, NULL for anything else. The header's numbers must be possible and the
 * voxels it announces must be there; of a detached header, whose voxels are in another file, only the header is looked
 * at, and of compressed voxels the size they are said to have.
 * errors  RS_MALFORMED, RS_TOO_LARGE, RS_NO_MEMORY */
enum rs_code rs_image_inspect(struct rs_bytes file, const char **out_media, struct rs_error *err);
/* The same from the start of a file of `size` bytes, at least 64 KiB of it, and its last four bytes (little-endian);
 * *out_media is NULL also when these do not tell. */
enum rs_code rs_image_inspect_start(struct rs_bytes start, uint64_t size, uint32_t tail,
                                    const char **out_media, struct rs_error *err);
/* By the name's ending: .nii, .nii.gz, .nrrd; as type `stored` (integers must fit). Atomic. */
enum rs_code rs_volume_write(const struct rs_world *world, const char *path, const struct rs_volume *volume,
                             struct rs_error *err);
/* With a line of text that says what it is: up to 79 characters of NIfTI's descrip, NRRD's content. */
enum rs_code rs_volume_write_described(const struct rs_world *world, const char *path,
                                       const struct rs_volume *volume, const char *description,
                                       struct rs_error *err);
enum rs_code rs_mask_write(const struct rs_world *world, const char *path, const struct rs_mask *mask,
                           struct rs_error *err);

/* For a sentence: "1 (liver), 2, 7", or "none". The least labels that voxels have, or that are named where there are no
 * voxels, as many as there is room for. */
void rs_mask_labels_text(const struct rs_mask *mask, char *out, size_t size);
/* Whether image and mask lie in the same physical space. Header noise (every corner of the grid within
 * tolerance_mm; PyRadiomics' default tolerance is 1e-6 relative) is repaired: the mask takes the image's
 * geometry, and `note` tells what was repaired (empty when nothing). A real mismatch is RS_REFUSED with the numbers. */
enum rs_code rs_mask_match(const struct rs_geometry *image, struct rs_mask *mask, double tolerance_mm,
                           char *note, size_t note_size, struct rs_error *err);

#endif
