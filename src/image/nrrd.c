/* NRRD (teem's "Definition of NRRD File Format", version 5): attached and detached headers; raw, gzip, ascii and hex;
 * Slicer's segmentations as masks with names. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "segments.h"

#define AXES_MAX 4
#define HEADER_SIZE_MAX ((size_t)1 << 20)

enum encoding { RAW, GZIP, ASCII, HEX };

struct header {
	bool has_type, has_sizes, big_endian, has_endian, has_directions, has_spacings;
	enum rs_voxel_type type;
	enum encoding encoding;
	bool has_encoding;
	uint64_t dimension;
	uint64_t sizes[AXES_MAX];
	double spacings[AXES_MAX];
	double directions[AXES_MAX][3];
	bool is_spatial[AXES_MAX]; /* has a direction other than "none" */
	bool is_other[AXES_MAX];   /* of a kind that is no place: colours, vectors, lists, time */
	double origin[3];
	double to_lps[3]; /* sign of each axis of the space */
	uint64_t line_skip;
	int64_t byte_skip;
	char data_file[1024];
	uint64_t layers; /* of Slicer's segments, side by side for each voxel */
	struct segments segments;
};

static bool detect(struct rs_bytes file) { return file.size >= 8 && memcmp(file.data, "NRRD000", 7) == 0; }

static enum rs_code bad(struct rs_error *err, struct rs_str field, struct rs_str value)
{
	return rs_error_set(err, RS_MALFORMED,
	                    "field '" RS_STR_FORMAT "': '" RS_STR_FORMAT "' is not a value for it",
	                    RS_STR_ARGUMENTS(field), RS_STR_ARGUMENTS(value));
}

static bool next_word(struct rs_str *rest, struct rs_str *out)
{
	*rest = rs_str_trim(*rest);
	if (rest->size == 0)
		return false;
	size_t size = 0;
	while (size < rest->size && rest->data[size] != ' ' && rest->data[size] != '\t')
		size++;
	*out = (struct rs_str){rest->data, size};
	*rest = (struct rs_str){rest->data + size, rest->size - size};
	return true;
}

static enum rs_code take_type(struct header *header, struct rs_str field, struct rs_str value,
                              struct rs_error *err)
{
	static const struct {
		const char *name;
		enum rs_voxel_type type;
	} names[] = {
		{"signed char", RS_VOXEL_I8},
		{"int8", RS_VOXEL_I8},
		{"int8_t", RS_VOXEL_I8},
		{"uchar", RS_VOXEL_U8},
		{"unsigned char", RS_VOXEL_U8},
		{"uint8", RS_VOXEL_U8},
		{"uint8_t", RS_VOXEL_U8},
		{"short", RS_VOXEL_I16},
		{"short int", RS_VOXEL_I16},
		{"signed short", RS_VOXEL_I16},
		{"signed short int", RS_VOXEL_I16},
		{"int16", RS_VOXEL_I16},
		{"int16_t", RS_VOXEL_I16},
		{"ushort", RS_VOXEL_U16},
		{"unsigned short", RS_VOXEL_U16},
		{"unsigned short int", RS_VOXEL_U16},
		{"uint16", RS_VOXEL_U16},
		{"uint16_t", RS_VOXEL_U16},
		{"int", RS_VOXEL_I32},
		{"signed int", RS_VOXEL_I32},
		{"int32", RS_VOXEL_I32},
		{"int32_t", RS_VOXEL_I32},
		{"uint", RS_VOXEL_U32},
		{"unsigned int", RS_VOXEL_U32},
		{"uint32", RS_VOXEL_U32},
		{"uint32_t", RS_VOXEL_U32},
		{"longlong", RS_VOXEL_I64},
		{"long long", RS_VOXEL_I64},
		{"long long int", RS_VOXEL_I64},
		{"int64", RS_VOXEL_I64},
		{"int64_t", RS_VOXEL_I64},
		{"ulonglong", RS_VOXEL_U64},
		{"unsigned long long", RS_VOXEL_U64},
		{"unsigned long long int", RS_VOXEL_U64},
		{"uint64", RS_VOXEL_U64},
		{"uint64_t", RS_VOXEL_U64},
		{"float", RS_VOXEL_F32},
		{"double", RS_VOXEL_F64},
	};
	for (size_t i = 0; i < RS_COUNT(names); i++)
		if (rs_str_equal_text(value, names[i].name)) {
			header->type = names[i].type;
			header->has_type = true;
			return RS_OK;
		}
	return bad(err, field, value);
}

static enum rs_code take_encoding(struct header *header, struct rs_str field, struct rs_str value,
                                  struct rs_error *err)
{
	static const struct {
		const char *name;
		enum encoding encoding;
	} names[] = {{"raw", RAW},   {"gzip", GZIP},  {"gz", GZIP}, {"ascii", ASCII},
	             {"txt", ASCII}, {"text", ASCII}, {"hex", HEX}};
	for (size_t i = 0; i < RS_COUNT(names); i++)
		if (rs_str_equal_ignoring_case(value, rs_str_from(names[i].name))) {
			header->encoding = names[i].encoding;
			header->has_encoding = true;
			return RS_OK;
		}
	return rs_error_set(err, RS_UNSUPPORTED,
	                    "encoding '" RS_STR_FORMAT "'; raw, gzip, ascii and hex are supported",
	                    RS_STR_ARGUMENTS(value));
	(void)field;
}

static enum rs_code take_dimension(struct header *header, struct rs_str field, struct rs_str value,
                                   struct rs_error *err)
{
	if (!rs_parse_u64(value, &header->dimension) || header->dimension < 1)
		return bad(err, field, value);
	if (header->dimension > AXES_MAX)
		return rs_error_set(err, RS_UNSUPPORTED, "it has %" PRIu64 " axes; at most %d are supported",
		                    header->dimension, AXES_MAX);
	return RS_OK;
}

static enum rs_code take_sizes(struct header *header, struct rs_str field, struct rs_str value,
                               struct rs_error *err)
{
	struct rs_str rest = value, word;
	size_t count = 0;
	while (next_word(&rest, &word))
		if (count == AXES_MAX || !rs_parse_u64(word, &header->sizes[count++]))
			return bad(err, field, value);
	header->has_sizes = count == header->dimension;
	return header->has_sizes ? RS_OK : bad(err, field, value);
}

static enum rs_code take_spacings(struct header *header, struct rs_str field, struct rs_str value,
                                  struct rs_error *err)
{
	struct rs_str rest = value, word;
	size_t count = 0;
	while (next_word(&rest, &word))
		if (count == AXES_MAX || !rs_parse_f64(word, &header->spacings[count++]))
			return bad(err, field, value);
	header->has_spacings = count == header->dimension;
	return header->has_spacings ? RS_OK : bad(err, field, value);
}

/* "(a,b,c)", or "(a,b)" of a plane, whose third part is 0; *rest goes on behind it. */
static bool parse_vector(struct rs_str *rest, double out[3])
{
	*rest = rs_str_trim(*rest);
	if (rest->size == 0 || rest->data[0] != '(')
		return false;
	const char *end = memchr(rest->data, ')', rest->size);
	if (!end)
		return false;
	struct rs_str inside = {rest->data + 1, (size_t)(end - rest->data) - 1}, number;
	size_t count = 0;
	while (rs_str_split(&inside, ',', &number))
		if (count == 3 || !rs_parse_f64(rs_str_trim(number), &out[count++]))
			return false;
	size_t used = (size_t)(end - rest->data) + 1;
	*rest = (struct rs_str){rest->data + used, rest->size - used};
	if (count == 2)
		out[2] = 0;
	return count >= 2;
}

static enum rs_code take_directions(struct header *header, struct rs_str field, struct rs_str value,
                                    struct rs_error *err)
{
	struct rs_str rest = rs_str_trim(value);
	for (size_t axis = 0; axis < header->dimension; axis++) {
		rest = rs_str_trim(rest);
		if (rs_str_starts_with(rest, "none")) {
			rest = (struct rs_str){rest.data + 4, rest.size - 4};
			continue;
		}
		if (!parse_vector(&rest, header->directions[axis]))
			return bad(err, field, value);
		header->is_spatial[axis] = true;
	}
	header->has_directions = rs_str_trim(rest).size == 0;
	return header->has_directions ? RS_OK : bad(err, field, value);
}

static enum rs_code take_space(struct header *header, struct rs_str field, struct rs_str value,
                               struct rs_error *err)
{
	static const struct {
		const char *name, *letters;
		double signs[3];
	} spaces[] = {{"right-anterior-superior", "RAS", {-1, -1, 1}},
	              {"left-anterior-superior", "LAS", {1, -1, 1}},
	              {"left-posterior-superior", "LPS", {1, 1, 1}}};
	for (size_t i = 0; i < RS_COUNT(spaces); i++)
		if (rs_str_equal_ignoring_case(value, rs_str_from(spaces[i].name)) ||
		    rs_str_equal_ignoring_case(value, rs_str_from(spaces[i].letters))) {
			memcpy(header->to_lps, spaces[i].signs, sizeof header->to_lps);
			return RS_OK;
		}
	return rs_error_set(err, RS_UNSUPPORTED, "space '" RS_STR_FORMAT "'; RAS, LAS and LPS are supported",
	                    RS_STR_ARGUMENTS(value));
	(void)field;
}

static enum rs_code take_origin(struct header *header, struct rs_str field, struct rs_str value,
                                struct rs_error *err)
{
	struct rs_str rest = value;
	return parse_vector(&rest, header->origin) ? RS_OK : bad(err, field, value);
}

static enum rs_code take_kinds(struct header *header, struct rs_str field, struct rs_str value,
                               struct rs_error *err)
{
	struct rs_str rest = value, word;
	for (size_t axis = 0; next_word(&rest, &word); axis++) {
		if (axis == AXES_MAX)
			return bad(err, field, value);
		header->is_other[axis] = !rs_str_equal_ignoring_case(word, RS_STR("domain")) &&
		                         !rs_str_equal_ignoring_case(word, RS_STR("space")) &&
		                         !rs_str_equal_text(word, "none") && !rs_str_equal_text(word, "???");
	}
	return RS_OK;
}

static enum rs_code take_endian(struct header *header, struct rs_str field, struct rs_str value,
                                struct rs_error *err)
{
	header->has_endian = true;
	header->big_endian = rs_str_equal_ignoring_case(value, RS_STR("big"));
	return header->big_endian || rs_str_equal_ignoring_case(value, RS_STR("little"))
	               ? RS_OK
	               : bad(err, field, value);
}

static enum rs_code take_line_skip(struct header *header, struct rs_str field, struct rs_str value,
                                   struct rs_error *err)
{
	return rs_parse_u64(value, &header->line_skip) ? RS_OK : bad(err, field, value);
}

static enum rs_code take_byte_skip(struct header *header, struct rs_str field, struct rs_str value,
                                   struct rs_error *err)
{
	return rs_parse_i64(value, &header->byte_skip) && header->byte_skip >= -1 ? RS_OK
	                                                                          : bad(err, field, value);
}

/* A name beside the header: a path could lead anywhere. */
static enum rs_code take_data_file(struct header *header, struct rs_str field, struct rs_str value,
                                   struct rs_error *err)
{
	if (rs_str_starts_with(value, "LIST") || memchr(value.data, '%', value.size))
		return rs_error_set(err, RS_UNSUPPORTED,
		                    "the voxels are spread over several files; join them first");
	if (value.size == 0 || value.size >= sizeof header->data_file ||
	    memchr(value.data, '/', value.size) || value.data[0] == '.')
		return rs_error_set(err, RS_UNSUPPORTED,
		                    "data file '" RS_STR_FORMAT
		                    "' must be a plain file name beside the header",
		                    RS_STR_ARGUMENTS(value));
	memcpy(header->data_file, value.data, value.size);
	header->data_file[value.size] = '\0';
	return RS_OK;
	(void)field;
}

static const struct {
	const char *name;
	enum rs_code (*take)(struct header *header, struct rs_str field, struct rs_str value,
	                     struct rs_error *err);
} fields[] = {
	{"type", take_type},           {"encoding", take_encoding},   {"dimension", take_dimension},
	{"sizes", take_sizes},         {"spacings", take_spacings},   {"space directions", take_directions},
	{"kinds", take_kinds},         {"space", take_space},         {"space origin", take_origin},
	{"endian", take_endian},       {"line skip", take_line_skip}, {"lineskip", take_line_skip},
	{"byte skip", take_byte_skip}, {"byteskip", take_byte_skip},  {"data file", take_data_file},
	{"datafile", take_data_file},
};

static enum rs_code take_field(struct header *header, struct rs_str field, struct rs_str value,
                               struct rs_error *err)
{
	for (size_t i = 0; i < RS_COUNT(fields); i++)
		if (rs_str_equal_ignoring_case(field, rs_str_from(fields[i].name)))
			return fields[i].take(header, field, value, err);
	return RS_OK; /* units, content …: nothing that changes a voxel or its place */
}

/* Slicer: "Segment<n>_Name:=…", "_LabelValue:=…", "_Layer:=…". */
static enum rs_code parse_line(struct header *header, struct rs_str line, size_t number, struct rs_error *err)
{
	const char *colon = memchr(line.data, ':', line.size);
	if (!colon || colon + 1 >= line.data + line.size)
		return rs_error_set(err, RS_MALFORMED, "line %zu is neither a field nor a key", number);
	struct rs_str name = {line.data, (size_t)(colon - line.data)};
	struct rs_str value = {colon + 2, line.size - name.size - 2};
	if (colon[1] == '=')
		return segments_take(&header->segments, name, value, err);
	if (colon[1] != ' ')
		return rs_error_set(err, RS_MALFORMED, "line %zu is neither a field nor a key", number);
	return take_field(header, name, rs_str_trim(value), err);
}

/* Lines to the empty one; *rest is what follows it. */
static enum rs_code parse_header(struct rs_bytes file, struct header *header, struct rs_bytes *rest,
                                 struct rs_error *err)
{
	size_t at = 0, number = 1;
	header->to_lps[0] = header->to_lps[1] = header->to_lps[2] = 1;
	for (;; number++) {
		const uint8_t *line = file.data + at;
		const uint8_t *end = at < file.size ? memchr(line, '\n', file.size - at) : NULL;
		size_t size = end ? (size_t)(end - line) : file.size - at;
		at += size + (end != NULL);
		if (at > HEADER_SIZE_MAX)
			return rs_error_set(err, RS_TOO_LARGE, "the header is longer than %zu bytes",
			                    HEADER_SIZE_MAX);
		if (size && line[size - 1] == '\r')
			size--;
		if (size == 0 || !end) {
			*rest = rs_bytes_of(file.data + at, file.size - at);
			if (size == 0)
				return RS_OK;
		}
		enum rs_code code = RS_OK;
		if (number > 1 && line[0] != '#')
			code = parse_line(header, (struct rs_str){(const char *)line, size}, number, err);
		/* Only a header whose voxels lie elsewhere may end without an end of line. */
		if (!end && !header->data_file[0])
			return rs_error_set(err, RS_MALFORMED, "the file ends within its header, in line %zu",
			                    number);
		RS_TRY(code);
		if (!end)
			return RS_OK;
	}
}

/* Up to three spatial axes; the first may hold Slicer's layers instead. */
static enum rs_code take_grid(struct header *header, struct rs_geometry *out, struct rs_error *err)
{
	if (!header->has_type || !header->has_sizes || !header->has_encoding)
		return rs_error_set(err, RS_MALFORMED,
		                    "one of the fields type, dimension, sizes and encoding is missing");
	size_t axis = 0;
	*out = (struct rs_geometry){
		.size = {1, 1, 1}, .spacing_mm = {1, 1, 1}, .direction = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
	for (size_t i = 0; i < header->dimension; i++) {
		bool other = header->is_other[i] || (header->has_directions && !header->is_spatial[i]);
		if (other || axis == 3) {
			bool layers = i == 0 && header->segments.count > 0 &&
			              header->sizes[i] <= SEGMENTS_MAX;
			if (header->sizes[i] != 1 && !layers)
				return rs_error_set(err, RS_UNSUPPORTED,
				                    "axis %zu holds %" PRIu64
				                    " components for each voxel; export one of them",
				                    i, header->sizes[i]);
			header->layers = layers ? header->sizes[i] : header->layers;
			continue;
		}
		out->size[axis] = header->sizes[i] <= RS_VOXELS_MAX ? (size_t)header->sizes[i] : 0;
		if (header->has_directions) {
			const double *v = header->directions[i];
			double length = sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]);
			out->spacing_mm[axis] = length;
			for (int row = 0; row < 3; row++)
				out->direction[row][axis] = header->to_lps[row] * v[row] / length;
		} else if (header->has_spacings && !isnan(header->spacings[i])) {
			out->spacing_mm[axis] = header->spacings[i];
		}
		axis++;
	}
	if (axis == 2) /* a plane: its third axis is perpendicular to it */
		for (int row = 0; row < 3; row++) {
			int next = (row + 1) % 3, last = (row + 2) % 3;
			out->direction[row][2] = out->direction[next][0] * out->direction[last][1] -
			                         out->direction[last][0] * out->direction[next][1] + 0.0;
		}
	for (int row = 0; row < 3; row++)
		out->origin_mm[row] = header->to_lps[row] * header->origin[row] + 0.0;
	return RS_OK;
}

static enum rs_code skip(const struct header *header, size_t size, struct rs_bytes *data,
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
	if (header->encoding != RAW)
		return RS_OK;
	uint64_t bytes = header->byte_skip >= 0 ? (uint64_t)header->byte_skip
	                                        : (data->size >= size ? data->size - size : UINT64_MAX);
	if (bytes > data->size)
		return rs_error_set(err, RS_MALFORMED, "the voxels need %zu bytes, there are %zu", size,
		                    data->size);
	*data = rs_bytes_of(data->data + bytes, data->size - (size_t)bytes);
	return RS_OK;
}

static void put_number(struct rs_buffer *out, enum rs_voxel_type type, double value)
{
	uint8_t bytes[8];
	float narrow = (float)value;
	uint32_t bits32;
	uint64_t bits64;
	switch (type) {
	case RS_VOXEL_F32:
		memcpy(&bits32, &narrow, sizeof bits32);
		rs_write_le32(bytes, bits32);
		break;
	case RS_VOXEL_F64:
		memcpy(&bits64, &value, sizeof bits64);
		rs_write_le64(bytes, bits64);
		break;
	default: rs_write_le64(bytes, value < 0 ? (uint64_t)(int64_t)value : (uint64_t)value); break;
	}
	rs_buffer_append(out, bytes, voxel_type_size(type));
}

static bool number_fits(enum rs_voxel_type type, double value)
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
	if (type >= RS_VOXEL_F32)
		return true;
	return value >= ranges[type].least && value <= ranges[type].most && value == floor(value);
}

static enum rs_code read_ascii(struct rs_bytes data, enum rs_voxel_type type, size_t count,
                               struct rs_buffer *out, struct rs_error *err)
{
	size_t at = 0;
	for (size_t i = 0; i < count; i++) {
		while (at < data.size && (data.data[at] <= ' ' || data.data[at] == ','))
			at++;
		size_t start = at;
		while (at < data.size && data.data[at] > ' ' && data.data[at] != ',')
			at++;
		double value;
		if (!rs_parse_f64((struct rs_str){(const char *)data.data + start, at - start}, &value) ||
		    !number_fits(type, value))
			return rs_error_set(err, RS_MALFORMED,
			                    "voxel %zu of %zu is missing or no number of its type", i, count);
		put_number(out, type, value);
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

static enum rs_code take_voxels(const struct header *header, struct rs_bytes data, size_t size,
                                struct raw_image *out, struct rs_error *err)
{
	RS_TRY(skip(header, size, &data, err));
	if (header->encoding == GZIP && out->look_only)
		return inflate_check(data, size, err);
	if (header->encoding == GZIP)
		return inflate_exactly(data, size, &out->voxels, err);
	/* A character is needed for each number at least: sizes are checked before memory is taken. */
	if (data.size < (header->encoding == RAW ? size : size / voxel_type_size(header->type)))
		return rs_error_set(err, RS_MALFORMED, "the voxels need %zu bytes, there are %zu", size,
		                    data.size);
	if (out->look_only)
		return RS_OK;
	rs_buffer_init(&out->voxels, size);
	if (rs_buffer_reserve(&out->voxels, size) != RS_OK)
		return rs_error_memory(err, size, "voxels");
	if (header->encoding == RAW)
		return rs_buffer_append(&out->voxels, data.data, size);
	if (header->encoding == HEX)
		return read_hex(data, size, &out->voxels, err);
	out->big_endian = false;
	return read_ascii(data, header->type, size / voxel_type_size(header->type), &out->voxels, err);
}

static enum rs_code read_with(struct header *header, const struct rs_world *world, const char *path,
                              struct rs_bytes file, struct raw_image *out, struct rs_error *err)
{
	struct rs_buffer other RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_bytes data;
	size_t size;
	RS_TRY(parse_header(file, header, &data, err));
	RS_TRY(take_grid(header, &out->geometry, err));
	out->type = header->type;
	out->big_endian = header->big_endian;
	RS_TRY(check_geometry(&out->geometry, out->type, &size, err));
	if (header->layers > 1 && !rs_mul_size(size, (size_t)header->layers, &size))
		return rs_error_set(err, RS_TOO_LARGE, "%" PRIu64 " layers are too many", header->layers);
	if (!header->has_endian && header->encoding <= GZIP && voxel_type_size(header->type) > 1)
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
	return segments_keep(&header->segments, (size_t)header->layers, out, err);
}

static enum rs_code read(const struct rs_world *world, const char *path, struct rs_bytes file,
                         struct raw_image *out, struct rs_error *err)
{
	struct header *header = rs_allocate(sizeof *header);
	if (!header)
		return rs_error_memory(err, sizeof *header, "a header");
	enum rs_code code = read_with(header, world, path, file, out, err);
	rs_free(header->segments.rows);
	rs_free(header);
	return code;
}

const struct format format_nrrd = {"NRRD", "application/x-nrrd", detect, read};
