/* The header of a NRRD. */
#ifndef RS_IMAGE_NRRD_H
#define RS_IMAGE_NRRD_H

#include "segments.h"

#define NRRD_AXES_MAX 4

enum nrrd_encoding { NRRD_RAW, NRRD_GZIP, NRRD_ASCII, NRRD_HEX };

struct nrrd_header {
	bool has_type, has_sizes, big_endian, has_endian, has_directions, has_spacings;
	enum rs_voxel_type type;
	enum nrrd_encoding encoding;
	bool has_encoding;
	uint64_t dimension;
	uint64_t sizes[NRRD_AXES_MAX];
	double spacings[NRRD_AXES_MAX];
	double directions[NRRD_AXES_MAX][3];
	bool is_spatial[NRRD_AXES_MAX]; /* has a direction other than "none" */
	bool is_other[NRRD_AXES_MAX];   /* of a kind that is no place: colours, vectors, lists, time */
	bool is_time[NRRD_AXES_MAX];
	double origin[3];
	double to_lps[3]; /* sign of each axis of the space */
	uint64_t line_skip;
	int64_t byte_skip;
	char data_file[1024];
	uint64_t channels; /* values for each voxel; Slicer's layers, too */
	size_t channel_axis;
	struct segments segments;
};

/* Lines to the empty one; *rest is what follows it. header is zeroed; its segments are finished by the caller. */
enum rs_code nrrd_header_parse(struct rs_bytes file, struct nrrd_header *header, struct rs_bytes *rest,
                               struct rs_error *err);
/* Up to three spatial axes, and one of channels. */
enum rs_code nrrd_header_grid(struct nrrd_header *header, struct rs_geometry *out, struct rs_error *err);

#endif
