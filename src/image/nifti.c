/* NIfTI-1 and NIfTI-2 (nifti1.h, nifti2.h of the NIfTI Data Format Working Group): header fields by offset, the sform
 * before the qform, RAS turned into LPS. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "format.h"

#define HEADER_1 348
#define HEADER_2 540
#define CHANNELS 5 /* the dimension of several values for each voxel */

struct header {
	bool big_endian;
	int64_t dimensions[8];
	int64_t datatype, bits;
	double pixdim[8], voxel_offset, slope, intercept;
	int64_t qform, sform, units;
	double quaternion[3], offset[3], rows[3][4];
};

/* Where a version of the format has its fields, and how wide they are. */
struct layout {
	size_t dim, dim_width, datatype, bitpix, pixdim, real_width, vox_offset, slope, inter, qform,
		form_width, quatern, qoffset, srow, units, units_width;
};
static const struct layout layout_1 = {40, 2, 70, 72, 76, 4, 108, 112, 116, 252, 2, 256, 268, 280, 123, 1};
static const struct layout layout_2 = {16, 8, 12, 14, 104, 8, 168, 176, 184, 344, 4, 352, 376, 400, 500, 4};

static bool has_magic(struct rs_bytes head, size_t offset, const char *magic)
{
	return head.size >= offset + 4 && memcmp(head.data + offset, magic, 4) == 0;
}

static bool detect_head(struct rs_bytes head)
{
	return has_magic(head, 344, "n+1\0") || has_magic(head, 4, "n+2\0") ||
	       has_magic(head, 344, "ni1\0") || has_magic(head, 4, "ni2\0");
}

static bool detect(struct rs_bytes file)
{
	uint8_t start[HEADER_2];
	if (!is_gzip(file))
		return detect_head(file);
	return detect_head(rs_bytes_of(start, inflate_start(file, start, sizeof start)));
}

static int64_t read_int(const uint8_t *p, size_t width, bool big)
{
	switch (width) {
	case 1: return *p;
	case 2: return (int16_t)(big ? rs_read_be16(p) : rs_read_le16(p));
	case 4: return (int32_t)(big ? rs_read_be32(p) : rs_read_le32(p));
	default: return (int64_t)(big ? rs_read_be64(p) : rs_read_le64(p));
	}
}

static double read_real(const uint8_t *p, size_t width, bool big)
{
	if (width == 4) {
		uint32_t bits = big ? rs_read_be32(p) : rs_read_le32(p);
		float value;
		memcpy(&value, &bits, sizeof value);
		return (double)value;
	}
	uint64_t bits = big ? rs_read_be64(p) : rs_read_le64(p);
	double value;
	memcpy(&value, &bits, sizeof value);
	return value;
}

static void read_reals(const uint8_t *p, size_t width, bool big, size_t count, double *out)
{
	for (size_t i = 0; i < count; i++)
		out[i] = read_real(p + i * width, width, big);
}

static enum rs_code read_header(struct rs_bytes head, struct header *out, const struct layout **out_layout,
                                struct rs_error *err)
{
	bool second = has_magic(head, 4, "n+2\0") || has_magic(head, 4, "ni2\0");
	const struct layout *at = second ? &layout_2 : &layout_1;
	size_t size = second ? HEADER_2 : HEADER_1;
	if (head.size < size)
		return rs_error_set(err, RS_MALFORMED, "the file ends within the header of %zu bytes", size);
	uint32_t stated = rs_read_le32(head.data);
	if (stated != size && rs_read_be32(head.data) != size)
		return rs_error_set(err, RS_MALFORMED, "the header says it has %u bytes, not %zu", stated,
		                    size);
	bool big = stated != size;
	const uint8_t *p = head.data;
	*out = (struct header){.big_endian = big};
	for (size_t i = 0; i < 8; i++)
		out->dimensions[i] = read_int(p + at->dim + i * at->dim_width, at->dim_width, big);
	out->datatype = read_int(p + at->datatype, 2, big);
	out->bits = read_int(p + at->bitpix, 2, big);
	read_reals(p + at->pixdim, at->real_width, big, 8, out->pixdim);
	out->voxel_offset = second ? (double)read_int(p + at->vox_offset, 8, big)
	                           : read_real(p + at->vox_offset, 4, big);
	out->slope = read_real(p + at->slope, at->real_width, big);
	out->intercept = read_real(p + at->inter, at->real_width, big);
	out->qform = read_int(p + at->qform, at->form_width, big);
	out->sform = read_int(p + at->qform + at->form_width, at->form_width, big);
	read_reals(p + at->quatern, at->real_width, big, 3, out->quaternion);
	read_reals(p + at->qoffset, at->real_width, big, 3, out->offset);
	for (size_t row = 0; row < 3; row++)
		read_reals(p + at->srow + row * 4 * at->real_width, at->real_width, big, 4, out->rows[row]);
	out->units = read_int(p + at->units, at->units_width, big);
	*out_layout = at;
	return RS_OK;
}

static enum rs_code voxel_type(const struct header *header, enum rs_voxel_type *out, struct rs_error *err)
{
	static const struct {
		int64_t code;
		enum rs_voxel_type type;
	} types[] = {{2, RS_VOXEL_U8},     {4, RS_VOXEL_I16},   {8, RS_VOXEL_I32},   {16, RS_VOXEL_F32},
	             {64, RS_VOXEL_F64},   {256, RS_VOXEL_I8},  {512, RS_VOXEL_U16}, {768, RS_VOXEL_U32},
	             {1024, RS_VOXEL_I64}, {1280, RS_VOXEL_U64}};
	for (size_t i = 0; i < RS_COUNT(types); i++)
		if (types[i].code == header->datatype) {
			*out = types[i].type;
			if (header->bits != (int64_t)(8 * voxel_type_size(*out)))
				return rs_error_set(err, RS_MALFORMED,
				                    "datatype %" PRId64 " does not have %" PRId64 " bits",
				                    header->datatype, header->bits);
			return RS_OK;
		}
	return rs_error_set(err, RS_UNSUPPORTED,
	                    "voxels of datatype %" PRId64 "; integers and real numbers are supported",
	                    header->datatype);
}

static enum rs_code grid_size(const struct header *header, struct rs_geometry *out, struct rs_error *err)
{
	int64_t count = header->dimensions[0];
	if (count < 1 || count > 7)
		return rs_error_set(err, RS_MALFORMED,
		                    "dim[0] is %" PRId64 "; 1 to 7 dimensions are possible", count);
	for (int64_t i = 1; i <= count; i++) {
		int64_t size = header->dimensions[i];
		if (size < 1)
			return rs_error_set(err, RS_MALFORMED,
			                    "dim[%" PRId64 "] is %" PRId64 "; it must be positive", i, size);
		if (i > 3 && i != CHANNELS && size != 1)
			return rs_error_set(err, RS_UNSUPPORTED,
			                    "it has %" PRId64 " volumes in dimension %" PRId64
			                    "; extract one of them first",
			                    size, i);
	}
	for (int axis = 0; axis < 3; axis++)
		out->size[axis] = axis < count ? (size_t)header->dimensions[axis + 1] : 1;
	return RS_OK;
}

/* The rows of sform: columns are spacing times direction. */
static void take_sform(const struct header *header, struct rs_geometry *out)
{
	for (int axis = 0; axis < 3; axis++) {
		double length = sqrt(header->rows[0][axis] * header->rows[0][axis] +
		                     header->rows[1][axis] * header->rows[1][axis] +
		                     header->rows[2][axis] * header->rows[2][axis]);
		out->spacing_mm[axis] = length;
		for (int row = 0; row < 3; row++)
			out->direction[row][axis] = header->rows[row][axis] / length;
	}
	for (int row = 0; row < 3; row++)
		out->origin_mm[row] = header->rows[row][3];
}

static double known_spacing(double pixdim) { return pixdim == 0 ? 0 : fabs(pixdim); }

/* The rotation of a unit quaternion (a, b, c, d), with the third axis turned by qfac. */
static void take_qform(const struct header *header, struct rs_geometry *out)
{
	double b = header->quaternion[0], c = header->quaternion[1], d = header->quaternion[2];
	double rest = 1 - (b * b + c * c + d * d), a;
	if (rest < 1e-7) {
		double length = sqrt(b * b + c * c + d * d);
		a = 0;
		b /= length;
		c /= length;
		d /= length;
	} else {
		a = sqrt(rest);
	}
	double qfac = header->pixdim[0] < 0 ? -1 : 1;
	const double rotation[3][3] = {
		{a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)},
		{2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)},
		{2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - c * c - b * b},
	};
	for (int row = 0; row < 3; row++) {
		for (int axis = 0; axis < 3; axis++)
			out->direction[row][axis] = rotation[row][axis] * (axis == 2 ? qfac : 1);
		out->origin_mm[row] = header->offset[row];
		out->spacing_mm[row] = known_spacing(header->pixdim[row + 1]);
	}
}

static void take_pixdim(const struct header *header, struct rs_geometry *out)
{
	for (int axis = 0; axis < 3; axis++) {
		out->spacing_mm[axis] = known_spacing(header->pixdim[axis + 1]);
		out->origin_mm[axis] = 0;
		for (int row = 0; row < 3; row++)
			out->direction[row][axis] = row == axis;
	}
}

static void turn_to_lps(struct rs_geometry *geometry)
{
	for (int row = 0; row < 2; row++) {
		geometry->origin_mm[row] = 0 - geometry->origin_mm[row];
		for (int axis = 0; axis < 3; axis++)
			geometry->direction[row][axis] = 0 - geometry->direction[row][axis];
	}
}

static enum rs_code take_geometry(const struct header *header, struct rs_geometry *out, struct rs_error *err)
{
	static const double mm_of_unit[] = {1, 1000, 1, 0.001};
	double mm = mm_of_unit[header->units & 3];
	RS_TRY(grid_size(header, out, err));
	if (header->sform > 0)
		take_sform(header, out);
	else if (header->qform > 0)
		take_qform(header, out);
	else
		take_pixdim(header, out);
	/* A 2-D file need not say how thick its slice is. */
	if (out->size[2] == 1 && out->spacing_mm[2] == 0)
		out->spacing_mm[2] = 1;
	turn_to_lps(out);
	for (int axis = 0; axis < 3; axis++) {
		out->spacing_mm[axis] *= mm;
		out->origin_mm[axis] *= mm;
	}
	return RS_OK;
}

static enum rs_code take_scaling(const struct header *header, struct raw_image *out, struct rs_error *err)
{
	out->slope = header->slope == 0 ? 1 : header->slope;
	out->intercept = header->slope == 0 ? 0 : header->intercept;
	if (!isfinite(out->slope) || !isfinite(out->intercept))
		return rs_error_set(err, RS_MALFORMED, "its slope %g or intercept %g is not a number",
		                    header->slope, header->intercept);
	return RS_OK;
}

static enum rs_code take_voxels(struct rs_bytes file, const struct header *header, size_t size,
                                struct raw_image *out, struct rs_error *err)
{
	double offset = header->voxel_offset;
	if (!(offset >= HEADER_1 && offset <= 1e9) || offset != floor(offset))
		return rs_error_set(err, RS_MALFORMED,
		                    "the voxels begin at byte %g, within the header or at no whole number",
		                    offset);
	size_t start = (size_t)offset, whole;
	if (!rs_add_size(start, size, &whole))
		return rs_error_set(err, RS_TOO_LARGE, "%zu bytes of voxels are too many", size);
	if (is_gzip(file) && out->look_only)
		return inflate_check(file, whole, out, err);
	if (is_gzip(file)) {
		struct rs_buffer unpacked RS_CLEANUP(rs_buffer_finish) = {0};
		RS_TRY(inflate_exactly(file, whole, &unpacked, err));
		memmove(unpacked.data, unpacked.data + start, size);
		unpacked.size = size;
		out->voxels = unpacked;
		unpacked = (struct rs_buffer){.size = 0};
		return RS_OK;
	}
	if (file.size + out->beyond < whole)
		return rs_error_set(err, RS_MALFORMED,
		                    "the file has %" PRIu64 " bytes, its header announces %zu",
		                    file.size + out->beyond, whole);
	if (out->look_only)
		return RS_OK;
	rs_buffer_init(&out->voxels, size);
	rs_buffer_append(&out->voxels, file.data + start, size);
	return rs_buffer_check(&out->voxels, "voxels", err);
}

static enum rs_code read(const struct rs_world *world RS_UNUSED, const char *path RS_UNUSED,
                         struct rs_bytes file, struct raw_image *out, struct rs_error *err)
{
	uint8_t start[HEADER_2];
	struct rs_bytes head = file;
	struct header header;
	const struct layout *layout;
	size_t size;
	if (is_gzip(file))
		head = rs_bytes_of(start, inflate_start(file, start, sizeof start));
	if (has_magic(head, 344, "ni1\0") || has_magic(head, 4, "ni2\0"))
		return rs_error_set(err, RS_UNSUPPORTED,
		                    "header and voxels are in two files; join them into one .nii");
	RS_TRY(read_header(head, &header, &layout, err));
	RS_TRY(voxel_type(&header, &out->type, err));
	RS_TRY(take_geometry(&header, &out->geometry, err));
	RS_TRY(check_geometry(&out->geometry, out->type, &size, err));
	if (header.dimensions[0] >= CHANNELS && header.dimensions[CHANNELS] > 1)
		RS_TRY(raw_image_channels(out, (uint64_t)header.dimensions[CHANNELS],
		                          rs_geometry_voxels(&out->geometry), &size, err));
	RS_TRY(take_scaling(&header, out, err));
	out->big_endian = header.big_endian;
	return take_voxels(file, &header, size, out, err);
}

const struct format format_nifti = {"NIfTI", "application/x-nifti", detect, read};
