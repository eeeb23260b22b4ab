/* MetaImage (ITK's MetaIO): .mha with its voxels, .mhd with them in another file. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "format.h"

#define HEADER_SIZE_MAX ((size_t)64 * 1024)

struct header {
	uint64_t dimensions, channels; /* channels 0: not said, one */
	double sizes[3], spacing[3], offset[3], matrix[9];
	bool has_sizes, has_type, compressed, big_endian, ended;
	enum rs_voxel_type type;
	int64_t header_size; /* bytes before the voxels in their own file; -1: whatever the voxels leave */
	char data_file[1024];
};

static bool detect(struct rs_bytes file)
{
	struct rs_str text = rs_str_of_bytes(file);
	return rs_str_starts_with(text, "ObjectType") || rs_str_starts_with(text, "NDims");
}

static bool parse_reals(struct rs_str value, size_t count, double *out)
{
	struct rs_str rest = value;
	for (size_t i = 0; i < count; i++) {
		rest = rs_str_trim(rest);
		size_t size = 0;
		while (size < rest.size && rest.data[size] != ' ' && rest.data[size] != '\t')
			size++;
		if (!rs_parse_f64((struct rs_str){rest.data, size}, &out[i]))
			return false;
		rest = (struct rs_str){rest.data + size, rest.size - size};
	}
	return rs_str_trim(rest).size == 0;
}

static bool parse_type(struct rs_str value, enum rs_voxel_type *out)
{
	static const struct {
		const char *name;
		enum rs_voxel_type type;
	} names[] = {{"MET_CHAR", RS_VOXEL_I8},
	             {"MET_UCHAR", RS_VOXEL_U8},
	             {"MET_SHORT", RS_VOXEL_I16},
	             {"MET_USHORT", RS_VOXEL_U16},
	             {"MET_INT", RS_VOXEL_I32},
	             {"MET_UINT", RS_VOXEL_U32},
	             {"MET_LONG", RS_VOXEL_I32},
	             {"MET_ULONG", RS_VOXEL_U32}, /* MetaIO: four bytes everywhere */
	             {"MET_LONG_LONG", RS_VOXEL_I64},
	             {"MET_ULONG_LONG", RS_VOXEL_U64},
	             {"MET_FLOAT", RS_VOXEL_F32},
	             {"MET_DOUBLE", RS_VOXEL_F64}};
	for (size_t i = 0; i < RS_COUNT(names); i++)
		if (rs_str_equal_text(value, names[i].name)) {
			*out = names[i].type;
			return true;
		}
	return false;
}

static bool is(struct rs_str name, const char *a, const char *b)
{
	return rs_str_equal_text(name, a) || rs_str_equal_text(name, b);
}

static bool take_field(struct header *header, struct rs_str name, struct rs_str value)
{
	bool yes = rs_str_equal_ignoring_case(value, RS_STR("true"));
	size_t n = (size_t)header->dimensions;
	if (rs_str_equal_text(name, "NDims"))
		return rs_parse_u64(value, &header->dimensions) && header->dimensions >= 2 &&
		       header->dimensions <= 3;
	if (rs_str_equal_text(name, "DimSize"))
		return header->has_sizes = n && parse_reals(value, n, header->sizes);
	if (rs_str_equal_text(name, "ElementSpacing"))
		return n && parse_reals(value, n, header->spacing);
	if (is(name, "Offset", "Position") || rs_str_equal_text(name, "Origin"))
		return n && parse_reals(value, n, header->offset);
	if (is(name, "TransformMatrix", "Rotation") || rs_str_equal_text(name, "Orientation"))
		return n && parse_reals(value, n * n, header->matrix);
	if (rs_str_equal_text(name, "CompressedData"))
		return header->compressed = yes, true;
	if (is(name, "BinaryDataByteOrderMSB", "ElementByteOrderMSB"))
		return header->big_endian = yes, true;
	if (rs_str_equal_text(name, "HeaderSize"))
		return rs_parse_i64(value, &header->header_size) && header->header_size >= -1;
	if (rs_str_equal_text(name, "BinaryData"))
		return yes;
	if (rs_str_equal_text(name, "ElementNumberOfChannels"))
		return rs_parse_u64(value, &header->channels) && header->channels > 0;
	if (rs_str_equal_text(name, "ElementType"))
		return header->has_type = parse_type(value, &header->type);
	if (!rs_str_equal_text(name, "ElementDataFile"))
		return true;
	/* The last field. A path could lead anywhere, a list over many files. */
	if (value.size == 0 || value.size >= sizeof header->data_file ||
	    memchr(value.data, '/', value.size) || value.data[0] == '.' || rs_str_equal_text(value, "LIST") ||
	    memchr(value.data, '%', value.size))
		return false;
	memcpy(header->data_file, value.data, value.size);
	return header->ended = true;
}

/* Fields with values that MetaIO allows and this reader does not: such a file is not broken. */
static bool has_other_values(struct rs_str name)
{
	static const char *const names[] = {"NDims", "BinaryData", "ElementType", "ElementDataFile"};
	for (size_t i = 0; i < RS_COUNT(names); i++)
		if (rs_str_equal_text(name, names[i]))
			return true;
	return false;
}

static enum rs_code parse(struct rs_bytes file, struct header *header, struct rs_bytes *rest,
                          struct rs_error *err)
{
	struct rs_str left = {(const char *)file.data,
	                      file.size < HEADER_SIZE_MAX ? file.size : HEADER_SIZE_MAX};
	struct rs_str line, name;
	while (!header->ended && rs_str_split(&left, '\n', &line)) {
		struct rs_str value = rs_str_trim(line);
		if (value.size == 0)
			continue;
		bool pair = rs_str_split(&value, '=', &name) && value.data;
		if (!pair || !take_field(header, rs_str_trim(name), rs_str_trim(value)))
			return rs_error_set(err,
			                    pair && has_other_values(rs_str_trim(name)) ? RS_UNSUPPORTED
			                                                                : RS_MALFORMED,
			                    "the line '" RS_STR_FORMAT "' is wrong or not supported",
			                    (int)(line.size < 60 ? line.size : 60), line.data);
	}
	if (!header->ended || !header->has_sizes || !header->has_type)
		return rs_error_set(err, RS_MALFORMED,
		                    "NDims, DimSize, ElementType or ElementDataFile is missing");
	size_t used = left.data ? (size_t)((const uint8_t *)left.data - file.data) : file.size;
	*rest = rs_bytes_of(file.data + used, file.size - used);
	return RS_OK;
}

static enum rs_code take_geometry(const struct header *header, struct rs_geometry *out, struct rs_error *err)
{
	size_t n = (size_t)header->dimensions;
	*out = (struct rs_geometry){
		.size = {1, 1, 1}, .spacing_mm = {1, 1, 1}, .direction = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
	for (size_t axis = 0; axis < n; axis++) {
		if (!(header->sizes[axis] >= 1 && header->sizes[axis] <= (double)RS_VOXELS_MAX) ||
		    header->sizes[axis] != floor(header->sizes[axis]))
			return rs_error_set(err, RS_MALFORMED, "DimSize has %g for axis %zu",
			                    header->sizes[axis], axis);
		out->size[axis] = (size_t)header->sizes[axis];
		out->spacing_mm[axis] = header->spacing[axis];
		out->origin_mm[axis] = header->offset[axis];
		/* A row of the matrix is the direction of an axis. */
		for (size_t row = 0; row < n; row++)
			out->direction[row][axis] = header->matrix[axis * n + row];
	}
	return RS_OK;
}

static enum rs_code skip_header(const struct header *header, size_t size, struct rs_bytes *data,
                                struct rs_error *err)
{
	size_t skipped = header->header_size >= 0 ? (size_t)header->header_size
	                 : data->size >= size     ? data->size - size
	                                          : 0;
	if (header->header_size == -1 && header->compressed)
		return rs_error_set(err, RS_UNSUPPORTED,
		                    "HeaderSize -1 with compressed voxels does not tell where they begin");
	if (skipped > data->size)
		return rs_error_set(err, RS_MALFORMED, "HeaderSize %zu is more than the %zu bytes there are",
		                    skipped, data->size);
	*data = rs_bytes_of(data->data + skipped, data->size - skipped);
	return RS_OK;
}

static enum rs_code read(const struct rs_world *world, const char *path, struct rs_bytes file,
                         struct raw_image *out, struct rs_error *err)
{
	struct header header = {.spacing = {1, 1, 1}};
	struct rs_buffer other RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_bytes data;
	size_t size;
	RS_TRY(parse(file, &header, &data, err));
	bool identity = true;
	for (int i = 0; i < 9; i++)
		identity = identity && header.matrix[i] == 0;
	for (size_t i = 0; identity && i < header.dimensions; i++)
		header.matrix[i * (header.dimensions + 1)] = 1;
	RS_TRY(take_geometry(&header, &out->geometry, err));
	out->type = header.type;
	out->big_endian = header.big_endian;
	RS_TRY(check_geometry(&out->geometry, out->type, &size, err));
	if (header.channels > 1)
		RS_TRY(raw_image_channels(out, header.channels, 1, &size, err));
	bool detached = strcmp(header.data_file, "LOCAL") != 0 && strcmp(header.data_file, "Local") != 0;
	if (detached && out->look_only)
		return RS_OK;
	if (detached) {
		char *directory RS_CLEANUP(rs_free_pointer) = rs_path_directory(path);
		char *joined RS_CLEANUP(rs_free_pointer) = directory
		                                                   ? rs_path_join(directory, header.data_file)
		                                                   : NULL;
		if (!joined)
			return rs_error_memory(err, sizeof header.data_file, "a path");
		RS_TRY(rs_file_read_all(world, joined, FILE_SIZE_MAX, &other, err));
		data = rs_buffer_bytes(&other);
	}
	if (out->beyond && header.header_size != 0) {
		out->needs_all = true;
		return RS_OK;
	}
	RS_TRY(skip_header(&header, size, &data, err));
	if (header.compressed && out->look_only)
		return inflate_check(data, size, out, err);
	if (header.compressed)
		return inflate_exactly(data, size, &out->voxels, err);
	if (data.size + out->beyond < size)
		return rs_error_set(err, RS_MALFORMED, "the voxels need %zu bytes, there are %" PRIu64, size,
		                    data.size + out->beyond);
	if (out->look_only)
		return RS_OK;
	rs_buffer_init(&out->voxels, size);
	rs_buffer_append(&out->voxels, data.data, size);
	return rs_buffer_check(&out->voxels, "voxels", err);
}

const struct format format_metaimage = {"MetaImage", "application/x-metaimage", detect, read};
