/* Headers of NRRD: fields, Slicer's keys, and the grid that they make. */
#include "nrrd_header.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#define HEADER_SIZE_MAX ((size_t)1 << 20)

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

static enum rs_code take_type(struct nrrd_header *header, struct rs_str field, struct rs_str value,
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

static enum rs_code take_encoding(struct nrrd_header *header, struct rs_str field, struct rs_str value,
                                  struct rs_error *err)
{
	static const struct {
		const char *name;
		enum nrrd_encoding encoding;
	} names[] = {{"raw", NRRD_RAW},   {"gzip", NRRD_GZIP},  {"gz", NRRD_GZIP}, {"ascii", NRRD_ASCII},
	             {"txt", NRRD_ASCII}, {"text", NRRD_ASCII}, {"hex", NRRD_HEX}};
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

static enum rs_code take_dimension(struct nrrd_header *header, struct rs_str field, struct rs_str value,
                                   struct rs_error *err)
{
	if (!rs_parse_u64(value, &header->dimension) || header->dimension < 1)
		return bad(err, field, value);
	if (header->dimension > NRRD_AXES_MAX)
		return rs_error_set(err, RS_UNSUPPORTED, "it has %" PRIu64 " axes; at most %d are supported",
		                    header->dimension, NRRD_AXES_MAX);
	return RS_OK;
}

static enum rs_code take_sizes(struct nrrd_header *header, struct rs_str field, struct rs_str value,
                               struct rs_error *err)
{
	struct rs_str rest = value, word;
	size_t count = 0;
	while (next_word(&rest, &word))
		if (count == NRRD_AXES_MAX || !rs_parse_u64(word, &header->sizes[count++]))
			return bad(err, field, value);
	header->has_sizes = count == header->dimension;
	return header->has_sizes ? RS_OK : bad(err, field, value);
}

static enum rs_code take_spacings(struct nrrd_header *header, struct rs_str field, struct rs_str value,
                                  struct rs_error *err)
{
	struct rs_str rest = value, word;
	size_t count = 0;
	while (next_word(&rest, &word))
		if (count == NRRD_AXES_MAX || !rs_parse_f64(word, &header->spacings[count++]))
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

static enum rs_code take_directions(struct nrrd_header *header, struct rs_str field, struct rs_str value,
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

static enum rs_code take_space(struct nrrd_header *header, struct rs_str field, struct rs_str value,
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

static enum rs_code take_origin(struct nrrd_header *header, struct rs_str field, struct rs_str value,
                                struct rs_error *err)
{
	struct rs_str rest = value;
	return parse_vector(&rest, header->origin) ? RS_OK : bad(err, field, value);
}

static enum rs_code take_kinds(struct nrrd_header *header, struct rs_str field, struct rs_str value,
                               struct rs_error *err)
{
	struct rs_str rest = value, word;
	for (size_t axis = 0; next_word(&rest, &word); axis++) {
		if (axis == NRRD_AXES_MAX)
			return bad(err, field, value);
		header->is_other[axis] = !rs_str_equal_ignoring_case(word, RS_STR("domain")) &&
		                         !rs_str_equal_ignoring_case(word, RS_STR("space")) &&
		                         !rs_str_equal_text(word, "none") && !rs_str_equal_text(word, "???");
		header->is_time[axis] = rs_str_equal_ignoring_case(word, RS_STR("time"));
	}
	return RS_OK;
}

static enum rs_code take_endian(struct nrrd_header *header, struct rs_str field, struct rs_str value,
                                struct rs_error *err)
{
	header->has_endian = true;
	header->big_endian = rs_str_equal_ignoring_case(value, RS_STR("big"));
	return header->big_endian || rs_str_equal_ignoring_case(value, RS_STR("little"))
	               ? RS_OK
	               : bad(err, field, value);
}

static enum rs_code take_line_skip(struct nrrd_header *header, struct rs_str field, struct rs_str value,
                                   struct rs_error *err)
{
	return rs_parse_u64(value, &header->line_skip) ? RS_OK : bad(err, field, value);
}

static enum rs_code take_byte_skip(struct nrrd_header *header, struct rs_str field, struct rs_str value,
                                   struct rs_error *err)
{
	return rs_parse_i64(value, &header->byte_skip) && header->byte_skip >= -1 ? RS_OK
	                                                                          : bad(err, field, value);
}

/* A name beside the header: a path could lead anywhere. */
static enum rs_code take_data_file(struct nrrd_header *header, struct rs_str field, struct rs_str value,
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
	enum rs_code (*take)(struct nrrd_header *header, struct rs_str field, struct rs_str value,
	                     struct rs_error *err);
} fields[] = {
	{"type", take_type},           {"encoding", take_encoding},   {"dimension", take_dimension},
	{"sizes", take_sizes},         {"spacings", take_spacings},   {"space directions", take_directions},
	{"kinds", take_kinds},         {"space", take_space},         {"space origin", take_origin},
	{"endian", take_endian},       {"line skip", take_line_skip}, {"lineskip", take_line_skip},
	{"byte skip", take_byte_skip}, {"byteskip", take_byte_skip},  {"data file", take_data_file},
	{"datafile", take_data_file},
};

static enum rs_code take_field(struct nrrd_header *header, struct rs_str field, struct rs_str value,
                               struct rs_error *err)
{
	for (size_t i = 0; i < RS_COUNT(fields); i++)
		if (rs_str_equal_ignoring_case(field, rs_str_from(fields[i].name)))
			return fields[i].take(header, field, value, err);
	return RS_OK; /* units, content …: nothing that changes a voxel or its place */
}

/* Slicer: "Segment<n>_Name:=…", "_LabelValue:=…", "_Layer:=…". */
static enum rs_code parse_line(struct nrrd_header *header, struct rs_str line, size_t number,
                               struct rs_error *err)
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
enum rs_code nrrd_header_parse(struct rs_bytes file, struct nrrd_header *header, struct rs_bytes *rest,
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

/* An axis that is no place: of one value, or of channels. Slicer's layers come first, and need not have a kind. */
static enum rs_code take_channels(struct nrrd_header *header, size_t axis, struct rs_error *err)
{
	bool layers = axis == 0 && header->segments.count > 0 && header->sizes[axis] <= SEGMENTS_MAX;
	bool channels = header->segments.count == 0 && header->is_other[axis] && !header->is_time[axis];
	if (header->sizes[axis] == 1)
		return RS_OK;
	if (header->sizes[axis] == 0 || header->channels > 1 || (!layers && !channels))
		return rs_error_set(err, RS_UNSUPPORTED,
		                    "axis %zu holds %" PRIu64
		                    " values for each voxel, and its kind is not that "
		                    "of channels (list, vector); export one of them",
		                    axis, header->sizes[axis]);
	header->channels = header->sizes[axis];
	header->channel_axis = axis;
	return RS_OK;
}

/* Up to three spatial axes, and one of channels. */
enum rs_code nrrd_header_grid(struct nrrd_header *header, struct rs_geometry *out, struct rs_error *err)
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
			RS_TRY(take_channels(header, i, err));
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
