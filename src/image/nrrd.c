/* NRRD (teem's "Definition of NRRD File Format", version 5): attached and detached headers; raw, gzip, ascii and hex;
 * Slicer's segmentations as masks with names. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "nrrd_header.h"

static bool detect(struct rs_bytes file) { return file.size >= 8 && memcmp(file.data, "NRRD000", 7) == 0; }

static enum rs_code skip(const struct nrrd_header *header, size_t size, struct rs_bytes *data,
                         struct rs_error *err)
{
	for (uint64_t i = 0; i < header->line_skip; i++) {
		const uint8_t *end = data->size ? memchr(data->data, '\n', data->size) : NULL;
		if (!end)
			return rs_error_set(err, RS_MALFORMED,
			                    "there are fewer lines to skip than 'line skip' says");
		size_t used = (size_t)(end - data->data) + 1;
		*data = rs_bytes_of(data->data + used, data->size - used);
	}
	if (header->encoding != NRRD_RAW)
		return RS_OK;
	uint64_t bytes = header->byte_skip >= 0 ? (uint64_t)header->byte_skip
	                                        : (data->size >= size ? data->size - size : UINT64_MAX);
	if (bytes > data->size)
		return rs_error_set(err, RS_MALFORMED, "the voxels need %zu bytes, there are %zu", size,
		                    data->size);
	*data = rs_bytes_of(data->data + bytes, data->size - (size_t)bytes);
	return RS_OK;
}

static enum rs_code read_ascii(struct rs_bytes data, enum rs_voxel_type type, size_t count,
                               struct rs_buffer *out, struct rs_error *err)
{
	size_t at = 0;
	uint8_t bytes[8];
	for (size_t i = 0; i < count; i++) {
		while (at < data.size && (data.data[at] <= ' ' || data.data[at] == ','))
			at++;
		size_t start = at;
		while (at < data.size && data.data[at] > ' ' && data.data[at] != ',')
			at++;
		double value;
		if (!rs_parse_f64((struct rs_str){(const char *)data.data + start, at - start}, &value) ||
		    !voxel_fits(value, type))
			return rs_error_set(err, RS_MALFORMED,
			                    "voxel %zu of %zu is missing or no number of its type", i, count);
		rs_buffer_append(out, bytes, rs_voxel_store(value, type, bytes));
	}
	return RS_OK;
}

static enum rs_code read_hex(struct rs_bytes data, size_t size, struct rs_buffer *out, struct rs_error *err)
{
	char pair[2];
	size_t held = 0;
	for (size_t i = 0; i < data.size && out->size < size; i++) {
		uint8_t byte;
		if (data.data[i] <= ' ')
			continue;
		pair[held++] = (char)data.data[i];
		if (held < 2)
			continue;
		held = 0;
		if (!rs_hex_decode((struct rs_str){pair, 2}, &byte, 1))
			return rs_error_set(err, RS_MALFORMED, "byte %zu of the voxels is not hexadecimal",
			                    i);
		rs_buffer_append_u8(out, byte);
	}
	return out->size == size ? RS_OK
	                         : rs_error_set(err, RS_MALFORMED, "the voxels need %zu bytes, there are %zu",
	                                        size, out->size);
}

static enum rs_code take_voxels(const struct nrrd_header *header, struct rs_bytes data, size_t size,
                                struct raw_image *out, struct rs_error *err)
{
	if (out->beyond && (header->line_skip || header->byte_skip)) {
		out->needs_all = true;
		return RS_OK;
	}
	RS_TRY(skip(header, size, &data, err));
	if (header->encoding == NRRD_GZIP && out->look_only)
		return inflate_check(data, size, out, err);
	if (header->encoding == NRRD_GZIP)
		return inflate_exactly(data, size, &out->voxels, err);
	/* A character is needed for each number at least: sizes are checked before memory is taken. */
	uint64_t there = data.size + out->beyond;
	if (there < (header->encoding == NRRD_RAW ? size : size / voxel_type_size(header->type)))
		return rs_error_set(err, RS_MALFORMED, "the voxels need %zu bytes, there are %" PRIu64, size,
		                    there);
	if (out->look_only)
		return RS_OK;
	rs_buffer_init(&out->voxels, size);
	if (rs_buffer_reserve(&out->voxels, size) != RS_OK)
		return rs_error_memory(err, size, "voxels");
	if (header->encoding == NRRD_RAW)
		return rs_buffer_append(&out->voxels, data.data, size);
	if (header->encoding == NRRD_HEX)
		return read_hex(data, size, &out->voxels, err);
	out->big_endian = false;
	return read_ascii(data, header->type, size / voxel_type_size(header->type), &out->voxels, err);
}

static enum rs_code take_channels(const struct nrrd_header *header, struct raw_image *out, size_t *size,
                                  struct rs_error *err)
{
	size_t run = 1;
	for (size_t i = 0; i < header->channel_axis; i++)
		run *= (size_t)header->sizes[i]; /* no more than the voxels there are */
	return raw_image_channels(out, header->channels, run, size, err);
}

static enum rs_code read_with(struct nrrd_header *header, const struct rs_world *world, const char *path,
                              struct rs_bytes file, struct raw_image *out, struct rs_error *err)
{
	struct rs_buffer other RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_bytes data;
	size_t size;
	RS_TRY(nrrd_header_parse(file, header, &data, err));
	RS_TRY(nrrd_header_grid(header, &out->geometry, err));
	out->type = header->type;
	out->big_endian = header->big_endian;
	RS_TRY(check_geometry(&out->geometry, out->type, &size, err));
	if (header->channels > 1)
		RS_TRY(take_channels(header, out, &size, err));
	if (!header->has_endian && header->encoding <= NRRD_GZIP && voxel_type_size(header->type) > 1)
		return rs_error_set(err, RS_MALFORMED, "the field endian is missing");
	if (header->data_file[0] && out->look_only)
		return RS_OK;
	if (header->data_file[0]) {
		char *directory RS_CLEANUP(rs_free_pointer) = rs_path_directory(path);
		char *joined RS_CLEANUP(
			rs_free_pointer) = directory ? rs_path_join(directory, header->data_file) : NULL;
		if (!joined)
			return rs_error_memory(err, sizeof header->data_file, "a path");
		RS_TRY(rs_file_read_all(world, joined, FILE_SIZE_MAX, &other, err));
		data = rs_buffer_bytes(&other);
	}
	RS_TRY(take_voxels(header, data, size, out, err));
	return segments_keep(&header->segments, out, err);
}

static enum rs_code read(const struct rs_world *world, const char *path, struct rs_bytes file,
                         struct raw_image *out, struct rs_error *err)
{
	struct nrrd_header *header = rs_allocate(sizeof *header);
	if (!header)
		return rs_error_memory(err, sizeof *header, "a header");
	enum rs_code code = read_with(header, world, path, file, out, err);
	rs_free(header->segments.rows);
	rs_free(header);
	return code;
}

const struct format format_nrrd = {"NRRD", "application/x-nrrd", detect, read};
