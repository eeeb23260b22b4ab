/* What the readers of formats share. Each parses a whole file from memory into raw voxels with a type; the registry
 * turns these into a volume or a mask. */
#ifndef RS_IMAGE_FORMAT_H
#define RS_IMAGE_FORMAT_H

#include "image/image.h"

#define FILE_SIZE_MAX ((size_t)8 << 30)

struct raw_image {
	struct rs_geometry geometry;
	enum rs_voxel_type type;
	bool big_endian;
	double slope, intercept; /* 1 and 0 when there is no scaling */
	bool look_only;          /* asked: is the header sound, and are its voxels there? They are not read */
	uint64_t beyond;         /* with look_only: bytes of the file that follow those in memory */
	uint32_t tail;           /* the last four of these, as they end a gzip stream: its size */
	bool needs_all;          /* told: the bytes in memory do not suffice */
	struct rs_buffer voxels; /* owned: as stored, in the order of a volume */
	struct rs_label *names;  /* owned; may be NULL */
	size_t name_count;
	size_t channels; /* values for each voxel, when above 1 */
	size_t run;      /* with channels: voxels of one channel that stand in a row before the next one's */
	struct label_source
		*sources; /* owned, by name: the channels are layers, see segments.h; NULL: they are not */
};
struct label_source {
	uint64_t layer;
	uint32_t value; /* in that layer */
};
void raw_image_finish(struct raw_image *raw);
/* Tells that there are channels; *size, the bytes of one of them, becomes that of all. */
enum rs_code raw_image_channels(struct raw_image *raw, uint64_t channels, size_t run, size_t *size,
                                struct rs_error *err);
/* `count` values from the index-th on, without slope and intercept. */
void raw_image_values(const struct raw_image *raw, size_t index, size_t count, double *out);

struct format {
	const char *name, *media;
	bool (*detect)(struct rs_bytes file);
	/* path: for the other file of a detached header */
	enum rs_code (*read)(const struct rs_world *world, const char *path, struct rs_bytes file,
	                     struct raw_image *out, struct rs_error *err);
};
extern const struct format format_nifti, format_nrrd, format_metaimage;
/* NULL when it is of none. */
const struct format *format_of(struct rs_bytes file);

size_t voxel_type_size(enum rs_voxel_type type);
bool voxel_fits(double value, enum rs_voxel_type type);
/* Sizes positive and countable, spacings finite and positive, directions orthonormal within 1e-3; the sentence has
 * the numbers. Bytes the voxels need go to *out_size. */
enum rs_code check_geometry(struct rs_geometry *geometry, enum rs_voxel_type type, size_t *out_size,
                            struct rs_error *err);
/* gzip or zlib stream of which exactly `size` bytes are wanted (less is RS_MALFORMED, more too). */
enum rs_code inflate_exactly(struct rs_bytes packed, size_t size, struct rs_buffer *out,
                             struct rs_error *err);
/* Whether inflate_exactly would find them, without memory for them. packed ends with what is in memory of the file. */
enum rs_code inflate_check(struct rs_bytes packed, size_t size, struct raw_image *raw, struct rs_error *err);
/* The first bytes of a gzip stream; less than size when it is shorter. */
size_t inflate_start(struct rs_bytes packed, uint8_t *out, size_t size);
bool is_gzip(struct rs_bytes file);
/* Sorts by value and leaves out the background (0), which is no label; returns how many are left. */
size_t sort_names(struct rs_label *names, size_t count);

#endif
