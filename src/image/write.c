/* Writing NIfTI-1 and NRRD. The bytes depend on nothing but the image: no time, no name, no system in them. */
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <zlib.h>

#include "format.h"

#define FILE_MAX ((size_t)16 << 30)
#define DESCRIPTION_MAX 79 /* of descrip, which ends with a zero */

static enum rs_code append_voxels(const double *voxels, size_t count, enum rs_voxel_type type,
                                  struct rs_buffer *out, struct rs_error *err)
{
	size_t size = voxel_type_size(type), total;
	if (!rs_mul_size(count, size, &total) || rs_buffer_reserve(out, total) != RS_OK)
		return rs_error_memory(err, count, "the file");
	for (size_t i = 0; i < count; i++) {
		uint8_t bytes[8];
		if (!voxel_fits(voxels[i], type))
			return rs_error_set(
				err, RS_USAGE,
				"the value %g does not fit the integer type it is to be written as",
				voxels[i]);
		rs_buffer_append(out, bytes, rs_voxel_store(voxels[i], type, bytes));
	}
	return RS_OK;
}

/* A gzip member without name and time. Noise in the digits of fractions has nothing that repeats, but runs of one value:
 * looking for no more than these takes a quarter of the time, for a twentieth more bytes. */
static enum rs_code deflate_all(struct rs_bytes plain, bool fractions, struct rs_buffer *out,
                                struct rs_error *err)
{
	z_stream stream = {0};
	union {
		const uint8_t *in;
		Bytef *next;
	} input = {.in = plain.data};
	if (plain.size > UINT32_MAX / 2)
		return rs_error_set(err, RS_TOO_LARGE,
		                    "%zu bytes are too many to compress; write an uncompressed file",
		                    plain.size);
	if (deflateInit2(&stream, fractions ? 1 : 6, Z_DEFLATED, 15 + 16, 8,
	                 fractions ? Z_RLE : Z_DEFAULT_STRATEGY) != Z_OK)
		return rs_error_memory(err, sizeof stream, "compression");
	size_t bound = deflateBound(&stream, plain.size);
	enum rs_code code = rs_buffer_reserve(out, bound);
	if (code == RS_OK) {
		stream.next_in = input.next;
		stream.avail_in = (uInt)plain.size;
		stream.next_out = out->data + out->size;
		stream.avail_out = (uInt)bound;
		code = deflate(&stream, Z_FINISH) == Z_STREAM_END ? RS_OK : RS_INTERNAL;
		out->size += bound - stream.avail_out;
	}
	deflateEnd(&stream);
	return code == RS_OK ? RS_OK : rs_error_set(err, code, "the voxels cannot be compressed");
}

static void put_f32(uint8_t *p, double value)
{
	float narrow = (float)value;
	uint32_t bits;
	memcpy(&bits, &narrow, sizeof bits);
	rs_write_le32(p, bits);
}

/* The quaternion of a rotation matrix, and qfac: the reverse of what the reader does. */
static double quaternion(const double lps[3][3], double out[3])
{
	double r[3][3];
	for (int row = 0; row < 3; row++)
		for (int axis = 0; axis < 3; axis++)
			r[row][axis] = row < 2 ? -lps[row][axis] : lps[row][axis];
	double determinant = r[0][0] * (r[1][1] * r[2][2] - r[1][2] * r[2][1]) -
	                     r[0][1] * (r[1][0] * r[2][2] - r[1][2] * r[2][0]) +
	                     r[0][2] * (r[1][0] * r[2][1] - r[1][1] * r[2][0]);
	double qfac = determinant < 0 ? -1 : 1;
	for (int row = 0; row < 3; row++)
		r[row][2] *= qfac;
	double a = r[0][0] + r[1][1] + r[2][2] + 1;
	if (a > 0.5) {
		a = sqrt(a) / 2;
		out[0] = (r[2][1] - r[1][2]) / (4 * a);
		out[1] = (r[0][2] - r[2][0]) / (4 * a);
		out[2] = (r[1][0] - r[0][1]) / (4 * a);
		return qfac;
	}
	int i = r[0][0] >= r[1][1] && r[0][0] >= r[2][2] ? 0 : r[1][1] >= r[2][2] ? 1 : 2;
	int j = (i + 1) % 3, k = (i + 2) % 3;
	double s = sqrt(fmax(0, 1 + r[i][i] - r[j][j] - r[k][k])) * 2;
	out[i] = s / 4;
	out[j] = (r[i][j] + r[j][i]) / s;
	out[k] = (r[i][k] + r[k][i]) / s;
	double sign = (r[k][j] - r[j][k]) / s < 0 ? -1 : 1;
	for (int axis = 0; axis < 3; axis++)
		out[axis] *= sign;
	return qfac;
}

static void nifti_header(const struct rs_geometry *g, enum rs_voxel_type type, const char *description,
                         uint8_t out[352])
{
	static const uint16_t codes[] = {256, 2, 4, 512, 8, 768, 1024, 1280, 16, 64};
	double q[3], qfac = quaternion(g->direction, q);
	memset(out, 0, 352);
	rs_write_le32(out, 348);
	rs_write_le16(out + 40, 3);
	for (int i = 1; i < 8; i++)
		rs_write_le16(out + 40 + 2 * i, i <= 3 ? (uint16_t)g->size[i - 1] : 1);
	rs_write_le16(out + 70, codes[type]);
	rs_write_le16(out + 72, (uint16_t)(8 * voxel_type_size(type)));
	for (size_t i = 0; i < DESCRIPTION_MAX && description[i]; i++)
		out[148 + i] = (uint8_t)description[i];
	put_f32(out + 76, qfac);
	put_f32(out + 108, 352);
	put_f32(out + 112, 1);
	out[123] = 2; /* mm */
	rs_write_le16(out + 252, 1);
	rs_write_le16(out + 254, 1);
	for (int i = 0; i < 3; i++) {
		double sign = i < 2 ? -1 : 1;
		put_f32(out + 80 + 4 * i, g->spacing_mm[i]);
		put_f32(out + 256 + 4 * i, q[i]);
		put_f32(out + 268 + 4 * i, sign * g->origin_mm[i]);
		for (int axis = 0; axis < 3; axis++)
			put_f32(out + 280 + 16 * i + 4 * axis,
			        sign * g->direction[i][axis] * g->spacing_mm[axis]);
		put_f32(out + 280 + 16 * i + 12, sign * g->origin_mm[i]);
	}
	memcpy(out + 344, "n+1", 4);
}

static enum rs_code nrrd_header(const struct rs_geometry *g, enum rs_voxel_type type, const char *description,
                                struct rs_buffer *out, struct rs_error *err)
{
	static const char *const names[] = {"int8",   "uint8", "int16",  "uint16", "int32",
	                                    "uint32", "int64", "uint64", "float",  "double"};
	rs_buffer_printf(
		out,
		"NRRD0004\n%s%s%stype: %s\ndimension: 3\nspace: left-posterior-superior\nsizes: %zu %zu %zu\n"
		"space directions:",
		description[0] ? "content: " : "", description, description[0] ? "\n" : "", names[type],
		g->size[0], g->size[1], g->size[2]);
	for (int axis = 0; axis < 3; axis++) {
		for (int row = 0; row < 3; row++) {
			rs_buffer_append_text(out, row ? "," : " (");
			rs_buffer_append_f64_text(out, g->direction[row][axis] * g->spacing_mm[axis]);
		}
		rs_buffer_append_text(out, ")");
	}
	rs_buffer_append_text(out,
	                      "\nkinds: domain domain domain\nendian: little\nencoding: gzip\nspace origin:");
	for (int row = 0; row < 3; row++) {
		rs_buffer_append_text(out, row ? "," : " (");
		rs_buffer_append_f64_text(out, g->origin_mm[row]);
	}
	rs_buffer_append_text(out, ")\n\n");
	return rs_buffer_check(out, "the header", err);
}

static enum rs_code write_image(const struct rs_world *world, const char *path,
                                const struct rs_geometry *geometry, const double *voxels,
                                enum rs_voxel_type type, const char *description, struct rs_error *err)
{
	struct rs_buffer plain RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_str name = rs_str_from(path);
	uint8_t header[352];
	bool nrrd = rs_str_ends_with(name, ".nrrd"), packed = rs_str_ends_with(name, ".nii.gz");
	if (!nrrd && !packed && !rs_str_ends_with(name, ".nii"))
		return rs_error_set(err, RS_USAGE, "%s: the name must end in .nii, .nii.gz or .nrrd", path);
	for (int axis = 0; !nrrd && axis < 3; axis++)
		if (geometry->size[axis] > INT16_MAX)
			return rs_error_set(err, RS_TOO_LARGE,
			                    "%s: NIfTI-1 holds 32,767 voxels along an axis; write .nrrd",
			                    path);
	rs_buffer_init(&plain, FILE_MAX);
	rs_buffer_init(&file, FILE_MAX);
	nifti_header(geometry, type, description, header);
	if (!nrrd)
		rs_buffer_append(&plain, header, sizeof header);
	RS_TRY(append_voxels(voxels, rs_geometry_voxels(geometry), type, &plain, err));
	if (!nrrd && !packed)
		return rs_file_replace(world, path, rs_buffer_bytes(&plain), 0644, err);
	if (nrrd)
		RS_TRY(nrrd_header(geometry, type, description, &file, err));
	RS_TRY(deflate_all(rs_buffer_bytes(&plain), type >= RS_VOXEL_F32, &file, err));
	return rs_file_replace(world, path, rs_buffer_bytes(&file), 0644, err);
}

enum rs_code rs_volume_write(const struct rs_world *world, const char *path, const struct rs_volume *volume,
                             struct rs_error *err)
{
	return rs_volume_write_described(world, path, volume, "", err);
}

enum rs_code rs_volume_write_described(const struct rs_world *world, const char *path,
                                       const struct rs_volume *volume, const char *description,
                                       struct rs_error *err)
{
	return write_image(world, path, &volume->geometry, volume->voxels, volume->stored, description, err);
}

enum rs_code rs_mask_write(const struct rs_world *world, const char *path, const struct rs_mask *mask,
                           struct rs_error *err)
{
	size_t count = rs_geometry_voxels(&mask->geometry);
	double *values RS_CLEANUP(rs_free_pointer) = rs_allocate_array(count, sizeof *values);
	if (!values)
		return rs_error_memory(err, count * sizeof *values, "labels");
	uint32_t largest = 0;
	for (size_t i = 0; i < count; i++) {
		values[i] = mask->labels[i];
		largest = mask->labels[i] > largest ? mask->labels[i] : largest;
	}
	enum rs_voxel_type type = largest <= UINT8_MAX    ? RS_VOXEL_U8
	                          : largest <= UINT16_MAX ? RS_VOXEL_U16
	                                                  : RS_VOXEL_U32;
	return write_image(world, path, &mask->geometry, values, type, "", err);
}
