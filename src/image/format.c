/* Voxels of any type to doubles and labels; checks and inflation shared by the readers; the registry of formats. */
#include "format.h"

#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "choice.h"
#include "dicom_mask.h"
#include "dicom_series.h"
#include "segments.h"

static const struct format *const formats[] = {&format_nifti, &format_nrrd, &format_metaimage};

void raw_image_finish(struct raw_image *raw)
{
	if (!raw)
		return;
	rs_buffer_finish(&raw->voxels);
	rs_free(raw->names);
	rs_free(raw->sources);
	raw->names = NULL;
	raw->sources = NULL;
}

size_t voxel_type_size(enum rs_voxel_type type)
{
	static const size_t sizes[] = {1, 1, 2, 2, 4, 4, 8, 8, 4, 8};
	return sizes[type];
}

bool voxel_fits(double value, enum rs_voxel_type type)
{
	static const struct {
		double least, most;
	} ranges[] = {
		{-128, 127},
		{0, 255},
		{-32768, 32767},
		{0, 65535},
		{-2147483648.0, 2147483647.0},
		{0, 4294967295.0},
		{-9223372036854774784.0, 9223372036854774784.0},
		{0, 18446744073709549568.0},
	};
	return type >= RS_VOXEL_F32 ||
	       (value >= ranges[type].least && value <= ranges[type].most && value == floor(value));
}

static int by_value(const void *a, const void *b)
{
	const struct rs_label *first = a, *second = b;
	return (first->value > second->value) - (first->value < second->value);
}

size_t sort_names(struct rs_label *names, size_t count)
{
	size_t kept = 0;
	for (size_t i = 0; i < count; i++)
		if (names[i].value != 0)
			names[kept++] = names[i];
	if (kept > 1)
		qsort(names, kept, sizeof *names, by_value);
	return kept;
}

static enum rs_code check_directions(const struct rs_geometry *geometry, struct rs_error *err)
{
	for (int a = 0; a < 3; a++)
		for (int b = a; b < 3; b++) {
			double dot = 0;
			for (int row = 0; row < 3; row++)
				dot += geometry->direction[row][a] * geometry->direction[row][b];
			if (!(fabs(dot - (a == b)) <= 1e-3))
				return rs_error_set(
					err, RS_UNSUPPORTED,
					"the axes %d and %d of the grid are not perpendicular unit vectors (their product "
					"is %g): sheared grids are not supported",
					a, b, dot);
		}
	return RS_OK;
}

enum rs_code check_geometry(struct rs_geometry *geometry, enum rs_voxel_type type, size_t *out_size,
                            struct rs_error *err)
{
	size_t count = 1, size;
	for (int axis = 0; axis < 3; axis++) {
		double spacing = geometry->spacing_mm[axis];
		if (geometry->size[axis] == 0 || !rs_mul_size(count, geometry->size[axis], &count) ||
		    count > RS_VOXELS_MAX)
			return rs_error_set(err, RS_TOO_LARGE,
			                    "a grid of %zu x %zu x %zu voxels is empty or too large",
			                    geometry->size[0], geometry->size[1], geometry->size[2]);
		if (!(spacing > 0) || !isfinite(spacing) || !isfinite(geometry->origin_mm[axis]))
			return rs_error_set(
				err, RS_MALFORMED,
				"axis %d has a spacing of %g mm and an origin at %g mm; the spacing must be positive",
				axis, spacing, geometry->origin_mm[axis]);
	}
	if (!rs_mul_size(count, voxel_type_size(type), &size))
		return rs_error_set(err, RS_TOO_LARGE, "%zu voxels are too many", count);
	*out_size = size;
	return check_directions(geometry, err);
}

bool is_gzip(struct rs_bytes file)
{
	return file.size >= 3 && file.data[0] == 0x1f && file.data[1] == 0x8b && file.data[2] == 8;
}

/* zlib reads through a pointer that is not const. */
static Bytef *input_of(struct rs_bytes bytes)
{
	union {
		const uint8_t *in;
		Bytef *next;
	} input = {.in = bytes.data};
	return input.next;
}

size_t inflate_start(struct rs_bytes packed, uint8_t *out, size_t size)
{
	z_stream stream = {0};
	if (inflateInit2(&stream, 15 + 32) != Z_OK)
		return 0;
	stream.next_in = input_of(packed);
	stream.avail_in = packed.size < UINT_MAX ? (uInt)packed.size : UINT_MAX;
	stream.next_out = out;
	stream.avail_out = (uInt)size;
	(void)inflate(&stream, Z_SYNC_FLUSH);
	size_t got = size - stream.avail_out;
	inflateEnd(&stream);
	return got;
}

/* Feeds zlib in parts its 32-bit counters can hold. */
static int inflate_all(z_stream *stream, struct rs_bytes packed, uint8_t *out, size_t size, size_t *got)
{
	int state = Z_OK;
	size_t in = 0, done = 0;
	uint8_t extra;
	while (state == Z_OK) {
		size_t in_part = packed.size - in < (1u << 30) ? packed.size - in : 1u << 30;
		size_t out_part = size - done < (1u << 30) ? size - done : 1u << 30;
		stream->next_in = input_of(rs_bytes_of(packed.data + in, in_part));
		stream->avail_in = (uInt)in_part;
		/* One byte beyond what is wanted tells a stream that is too long. */
		stream->next_out = out_part ? out + done : &extra;
		stream->avail_out = out_part ? (uInt)out_part : 1;
		state = inflate(stream, Z_NO_FLUSH);
		in += in_part - stream->avail_in;
		size_t made = (out_part ? out_part : 1) - stream->avail_out;
		done += made;
		if (!out_part && made)
			return Z_BUF_ERROR;
	}
	*got = done;
	return state;
}

static enum rs_code damaged(size_t size, struct rs_error *err)
{
	return rs_error_set(
		err, RS_MALFORMED,
		"the compressed data are damaged, or do not hold the %zu bytes that are announced", size);
}

/* DEFLATE shrinks at most 1032 times (zlib's technical details): more is a lie, told before memory is taken. */
static enum rs_code check_shrinkage(uint64_t packed, size_t size, struct rs_error *err)
{
	if (size / 1032 > packed)
		return rs_error_set(err, RS_MALFORMED,
		                    "%" PRIu64 " compressed bytes cannot hold the %zu that are announced",
		                    packed, size);
	return RS_OK;
}

/* Unpacks into one place again and again; ends as soon as there is more than `size`. */
static bool inflates_to(struct rs_bytes packed, size_t size)
{
	z_stream stream = {0};
	uint8_t place[16384];
	int state = Z_OK;
	size_t in = 0, done = 0;
	if (inflateInit2(&stream, 15 + 32) != Z_OK)
		return false;
	while (state == Z_OK && done <= size) {
		size_t part = packed.size - in < (1u << 30) ? packed.size - in : 1u << 30;
		stream.next_in = input_of(rs_bytes_of(packed.data + in, part));
		stream.avail_in = (uInt)part;
		stream.next_out = place;
		stream.avail_out = sizeof place;
		state = inflate(&stream, Z_NO_FLUSH);
		in += part - stream.avail_in;
		done += sizeof place - stream.avail_out;
	}
	inflateEnd(&stream);
	return state == Z_STREAM_END && done == size;
}

enum rs_code inflate_check(struct rs_bytes packed, size_t size, struct raw_image *raw, struct rs_error *err)
{
	RS_TRY(check_shrinkage(packed.size + raw->beyond, size, err));
	if (raw->beyond) {
		raw->needs_all = !is_gzip(packed) || raw->tail != (uint32_t)size;
		return RS_OK;
	}
	/* gzip ends with the number of bytes it holds (RFC 1952 §2.3.1): unpacking all of them to count would take longer
	 * than sealing them. Where that number does not fit, bytes may follow the stream, so it is counted. */
	if (is_gzip(packed) && packed.size >= 18 &&
	    rs_read_le32(packed.data + packed.size - 4) == (uint32_t)size)
		return RS_OK;
	return inflates_to(packed, size) ? RS_OK : damaged(size, err);
}

enum rs_code inflate_exactly(struct rs_bytes packed, size_t size, struct rs_buffer *out, struct rs_error *err)
{
	z_stream stream = {0};
	size_t got = 0;
	RS_TRY(check_shrinkage(packed.size, size, err));
	rs_buffer_init(out, size ? size : 1);
	if (rs_buffer_reserve(out, size ? size : 1) != RS_OK)
		return rs_error_memory(err, size, "voxels");
	if (inflateInit2(&stream, 15 + 32) != Z_OK)
		return rs_error_memory(err, sizeof stream, "inflation");
	int state = inflate_all(&stream, packed, out->data, size, &got);
	inflateEnd(&stream);
	if (state != Z_STREAM_END || got != size)
		return damaged(size, err);
	out->size = size;
	return RS_OK;
}

static uint64_t stored_bits(const uint8_t *p, size_t size, bool big_endian)
{
	switch (size) {
	case 1: return *p;
	case 2: return big_endian ? rs_read_be16(p) : rs_read_le16(p);
	case 4: return big_endian ? rs_read_be32(p) : rs_read_le32(p);
	default: return big_endian ? rs_read_be64(p) : rs_read_le64(p);
	}
}

static double f32_of_bits(uint64_t bits)
{
	uint32_t narrow = (uint32_t)bits;
	float value;
	memcpy(&value, &narrow, sizeof value);
	return (double)value;
}

static double f64_of_bits(uint64_t bits)
{
	double value;
	memcpy(&value, &bits, sizeof value);
	return value;
}

/* One loop for each type, so that the compiler can make it fast. */
#define CONVERT(expression)                                                       \
	for (size_t i = 0; i < count; i++) {                                      \
		uint64_t bits = stored_bits(p + i * size, size, raw->big_endian); \
		out[i] = (double)(expression);                                    \
	}                                                                         \
	break

void raw_image_values(const struct raw_image *raw, size_t index, size_t count, double *out)
{
	const size_t size = voxel_type_size(raw->type);
	const uint8_t *p = raw->voxels.data + index * size;
	switch (raw->type) {
	case RS_VOXEL_I8: CONVERT((int8_t)bits);
	case RS_VOXEL_I16: CONVERT((int16_t)bits);
	case RS_VOXEL_I32: CONVERT((int32_t)bits);
	case RS_VOXEL_I64: CONVERT((int64_t)bits);
	case RS_VOXEL_U8:
	case RS_VOXEL_U16:
	case RS_VOXEL_U32:
	case RS_VOXEL_U64: CONVERT(bits);
	case RS_VOXEL_F32: CONVERT(f32_of_bits(bits));
	case RS_VOXEL_F64: CONVERT(f64_of_bits(bits));
	}
}

enum rs_code raw_image_channels(struct raw_image *raw, uint64_t channels, size_t run, size_t *size,
                                struct rs_error *err)
{
	if (!rs_mul_size(*size, (size_t)channels, size))
		return rs_error_set(err, RS_TOO_LARGE, "%" PRIu64 " channels are too many", channels);
	raw->channels = (size_t)channels;
	raw->run = run;
	return RS_OK;
}

static enum rs_code to_volume(const struct raw_image *raw, struct rs_volume *out, struct rs_error *err)
{
	struct rs_volume volume;
	if (raw->channels > 1)
		return rs_error_set(
			err, RS_UNSUPPORTED,
			"it has %zu channels, as masks may have, and no image; export one of them",
			raw->channels);
	RS_TRY(rs_volume_init(&volume, &raw->geometry, err));
	size_t count = rs_geometry_voxels(&raw->geometry);
	raw_image_values(raw, 0, count, volume.voxels);
	volume.stored = raw->type;
	if (raw->slope != 1 || raw->intercept != 0) {
		for (size_t i = 0; i < count; i++)
			volume.voxels[i] = volume.voxels[i] * raw->slope + raw->intercept;
		volume.stored = RS_VOXEL_F64;
	}
	*out = volume;
	return RS_OK;
}

const struct format *format_of(struct rs_bytes file)
{
	for (size_t i = 0; i < RS_COUNT(formats); i++)
		if (formats[i]->detect(file))
			return formats[i];
	return NULL;
}

static enum rs_code read_raw(const struct rs_world *world, const char *path, struct raw_image *out,
                             struct rs_error *err)
{
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	RS_TRY(rs_file_read_all(world, path, FILE_SIZE_MAX, &file, err));
	struct rs_bytes bytes = rs_buffer_bytes(&file);
	const struct format *format = format_of(bytes);
	if (!format)
		return rs_error_set(err, RS_UNSUPPORTED, "%s: is none of NIfTI, NRRD, MetaImage and DICOM",
		                    path);
	struct raw_image raw = {.slope = 1};
	enum rs_code code = format->read(world, path, bytes, &raw, err);
	if (code != RS_OK) {
		raw_image_finish(&raw);
		return rs_error_context(err, "%s: %s", path, format->name);
	}
	*out = raw;
	return RS_OK;
}

/* DICOM: a directory, or a file that begins so; see dicom_series.h. */
static bool is_dicom(const struct rs_world *world, const char *path)
{
	struct rs_file_stat status;
	if (world->files->stat(world->files, path, &status, NULL) != RS_OK)
		return false;
	if (status.kind == RS_FILE_DIRECTORY)
		return true;
	bool is = false;
	return file_begins_dicom(world, path, &is, NULL) == RS_OK && is;
}

enum rs_code rs_volume_read(const struct rs_world *world, const char *path, struct rs_volume *out,
                            struct rs_error *err)
{
	struct raw_image raw RS_CLEANUP(raw_image_finish) = {.slope = 1};
	if (is_dicom(world, path))
		return dicom_series_read(world, path, out, err);
	RS_TRY(read_raw(world, path, &raw, err));
	return to_volume(&raw, out, err);
}

static enum rs_code to_mask(const struct rs_volume *volume, struct rs_mask *out, struct rs_error *err)
{
	struct rs_mask mask;
	RS_TRY(rs_mask_init(&mask, &volume->geometry, err));
	size_t count = rs_geometry_voxels(&volume->geometry);
	for (size_t i = 0; i < count; i++) {
		double value = volume->voxels[i];
		if (!(value >= 0 && value <= UINT32_MAX) || value != floor(value)) {
			rs_mask_finish(&mask);
			return rs_error_set(
				err, RS_MALFORMED,
				"voxel %zu has the value %g; labels of a mask are whole numbers from 0", i,
				value);
		}
		mask.labels[i] = (uint32_t)value;
	}
	*out = mask;
	return RS_OK;
}

/* Only that one is left, with the names of its own labels. */
static void keep_channel(struct raw_image *raw, size_t channel)
{
	size_t size = raw->run * voxel_type_size(raw->type), all = raw->voxels.size / raw->channels, kept = 0;
	uint8_t *data = raw->voxels.data;
	for (size_t i = 0; i < all / size; i++)
		memmove(data + i * size, data + (i * raw->channels + channel) * size, size);
	raw->voxels.size = all;
	for (size_t i = 0; i < raw->name_count; i++)
		if (raw->sources[i].layer == channel) {
			raw->names[kept] = raw->names[i];
			raw->names[kept++].value = raw->sources[i].value;
		}
	raw->name_count = sort_names(raw->names, kept);
	raw->channels = 1;
}

/* As PyRadiomics does: the first channel unless told. Slicer's layers are one mask unless told. */
static enum rs_code choose_channel(struct raw_image *raw, const struct rs_label_choice *choice,
                                   char note[256], struct rs_error *err)
{
	bool told = choice != NULL && choice->has_channel;
	size_t channel = told ? choice->channel : 0, count = raw->channels;
	if (count <= 1 || (!told && raw->sources != NULL))
		return RS_OK;
	if (channel >= count)
		return rs_error_set(err, RS_NOT_FOUND, "it has %zu channels, 0 to %zu, and no channel %zu",
		                    count, count - 1, channel);
	keep_channel(raw, channel);
	if (!told)
		snprintf(note, 256,
		         "the mask has %zu channels, of which the first is read; set label_channel to "
		         "choose another",
		         count);
	return RS_OK;
}

static enum rs_code grid_to_mask(struct raw_image *raw, const struct rs_label_choice *choice,
                                 struct rs_mask *out, struct rs_error *err)
{
	struct rs_volume volume RS_CLEANUP(rs_volume_finish) = {.voxels = NULL};
	char note[256] = "";
	RS_TRY(choose_channel(raw, choice, note, err));
	if (raw->channels > 1) {
		RS_TRY(segments_to_mask(raw, choice, out, err));
	} else {
		RS_TRY(to_volume(raw, &volume, err));
		RS_TRY(to_mask(&volume, out, err));
		memcpy(out->note, note, sizeof note);
	}
	out->names = raw->names;
	out->name_count = raw->name_count;
	raw->names = NULL;
	return RS_OK;
}

/* Of any format but those of dicom_mask.h. */
static enum rs_code read_grid(const struct rs_world *world, const char *path, bool dicom,
                              const struct rs_label_choice *choice, struct rs_mask *out, struct rs_error *err)
{
	struct raw_image raw RS_CLEANUP(raw_image_finish) = {.slope = 1};
	struct rs_volume volume RS_CLEANUP(rs_volume_finish) = {.voxels = NULL};
	enum rs_code code;
	if (dicom) {
		RS_TRY(dicom_series_read(world, path, &volume, err));
		code = to_mask(&volume, out, err);
	} else {
		RS_TRY(read_raw(world, path, &raw, err));
		code = grid_to_mask(&raw, choice, out, err);
	}
	return code == RS_OK ? RS_OK : rs_error_context(err, "%s", path);
}

enum rs_code rs_mask_read_chosen(const struct rs_world *world, const char *path,
                                 const struct rs_geometry *image, const struct rs_label_choice *choice,
                                 struct rs_mask *out, struct rs_error *err)
{
	struct chosen chosen RS_CLEANUP(chosen_finish) = {0};
	struct rs_mask mask = {.labels = NULL};
	const struct mask_request request = {image, choice};
	bool dicom = is_dicom(world, path), done = false;
	if (dicom)
		RS_TRY(dicom_mask_read(world, path, &request, out, &done, err));
	if (done)
		return RS_OK;
	RS_TRY(read_grid(world, path, dicom, choice, &mask, err));
	enum rs_code code = chosen_init(&chosen, choice, mask.names, mask.name_count, false, err);
	if (code != RS_OK) {
		rs_mask_finish(&mask);
		return rs_error_context(err, "%s", path);
	}
	chosen_apply(&chosen, &mask);
	*out = mask;
	return RS_OK;
}

enum rs_code rs_mask_read(const struct rs_world *world, const char *path, struct rs_mask *out,
                          struct rs_error *err)
{
	return rs_mask_read_chosen(world, path, NULL, NULL, out, err);
}

enum rs_code rs_mask_names(const struct rs_world *world, const char *path, struct rs_label **out_names,
                           size_t *out_count, struct rs_error *err)
{
	struct raw_image raw RS_CLEANUP(raw_image_finish) = {.slope = 1};
	bool dicom = is_dicom(world, path), done = false;
	if (dicom)
		RS_TRY(dicom_mask_names(world, path, out_names, out_count, &done, err));
	else
		RS_TRY(read_raw(world, path, &raw, err));
	if (done)
		return RS_OK;
	*out_names = raw.names;
	*out_count = raw.name_count;
	raw.names = NULL;
	return RS_OK;
}
