/* NumPy's archives: a ZIP of NPY files (PKWARE's APPNOTE 6.3; numpy.lib.format 1.0 to 3.0). Members are found in the central
 * directory; what the two directories say of one must agree. */
#define ZLIB_CONST
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "image/image_picture.h"

#define MEMBER_SIZE_MAX ((size_t)1 << 30)
#define COMMENT_MAX 65535
#define END_SIZE 22
#define ENTRY_SIZE 46
#define LOCAL_SIZE 30

void rs_npz_array_finish(struct rs_npz_array *array)
{
	rs_buffer_finish(&array->values);
	*array = (struct rs_npz_array){0};
}

bool rs_npz_begins(struct rs_bytes file) { return file.size > 4 && rs_read_le32(file.data) == 0x04034b50; }

static enum rs_code wrong(const char *what, struct rs_error *err)
{
	return rs_error_set(err, RS_MALFORMED, "an NPZ archive whose %s cannot be", what);
}

struct member {
	uint16_t method;
	size_t packed, size, at; /* of the local header */
	uint32_t checksum;
};

/* The last record of the file, which may be followed by a comment. */
static bool end_find(struct rs_bytes file, size_t *out)
{
	for (size_t back = END_SIZE; back <= file.size && back <= END_SIZE + COMMENT_MAX; back++)
		if (rs_read_le32(file.data + file.size - back) == 0x06054b50) {
			*out = file.size - back;
			return true;
		}
	return false;
}

static enum rs_code member_find(struct rs_bytes file, const char *name, struct member *out,
                                struct rs_error *err)
{
	size_t end, at;
	if (!end_find(file, &end))
		return wrong("end", err);
	const uint16_t count = rs_read_le16(file.data + end + 10);
	at = rs_read_le32(file.data + end + 16);
	for (uint16_t i = 0; i < count; i++) {
		if (at > end || end - at < ENTRY_SIZE || rs_read_le32(file.data + at) != 0x02014b50)
			return wrong("directory", err);
		const uint8_t *entry = file.data + at;
		const size_t length = rs_read_le16(entry + 28);
		const size_t whole = ENTRY_SIZE + length + rs_read_le16(entry + 30) +
		                     rs_read_le16(entry + 32);
		if (end - at < whole)
			return wrong("directory", err);
		const struct rs_str found = rs_str_of_bytes(rs_bytes_of(entry + ENTRY_SIZE, length));
		if (found.size == strlen(name) + 4 && rs_str_starts_with(found, name) &&
		    rs_str_ends_with(found, ".npy")) {
			*out = (struct member){rs_read_le16(entry + 10), rs_read_le32(entry + 20),
			                       rs_read_le32(entry + 24), rs_read_le32(entry + 42),
			                       rs_read_le32(entry + 16)};
			return RS_OK;
		}
		at += whole;
	}
	return rs_error_set(err, RS_NOT_FOUND, "the archive has no array '%s'", name);
}

static enum rs_code inflate_raw(struct rs_bytes packed, struct rs_buffer *out, size_t size,
                                struct rs_error *err)
{
	z_stream stream = {.next_in = packed.data,
	                   .avail_in = (uInt)packed.size,
	                   .next_out = out->data,
	                   .avail_out = (uInt)size};
	if (inflateInit2(&stream, -15) != Z_OK)
		return rs_error_memory(err, size, "an array");
	const int state = inflate(&stream, Z_FINISH);
	inflateEnd(&stream);
	return state == Z_STREAM_END && stream.avail_out == 0 ? RS_OK : wrong("compressed data", err);
}

/* The member's bytes, as its checksum has them. */
static enum rs_code member_read(struct rs_bytes file, const struct member *member, struct rs_buffer *out,
                                struct rs_error *err)
{
	if (member->size > MEMBER_SIZE_MAX || member->size / 1032 > member->packed)
		return rs_error_set(err, RS_TOO_LARGE, "an array of %zu bytes in %zu; at most %zu are read",
		                    member->size, member->packed, MEMBER_SIZE_MAX);
	if (member->at > file.size || file.size - member->at < LOCAL_SIZE ||
	    rs_read_le32(file.data + member->at) != 0x04034b50)
		return wrong("member", err);
	const uint8_t *local = file.data + member->at;
	const size_t begin = member->at + LOCAL_SIZE + rs_read_le16(local + 26) + rs_read_le16(local + 28);
	if (begin > file.size || file.size - begin < member->packed ||
	    (member->method == 0 && member->packed != member->size))
		return wrong("member", err);
	const struct rs_bytes packed = {file.data + begin, member->packed};
	rs_buffer_init(out, member->size);
	if (rs_buffer_reserve(out, member->size) != RS_OK)
		return rs_buffer_check(out, "an array", err);
	if (member->method == 8)
		RS_TRY(inflate_raw(packed, out, member->size, err));
	else if (member->method == 0 && member->size)
		memcpy(out->data, packed.data, member->size);
	else
		return rs_error_set(
			err, RS_UNSUPPORTED,
			"an archive's member is packed by method %u; stored and deflated ones are read",
			member->method);
	out->size = member->size;
	return crc32(0, out->data, (uInt)out->size) == member->checksum ? RS_OK : wrong("checksum", err);
}

/* The value that follows a key of the header, which is a Python dictionary: {'descr': '|u1', …, 'shape': (2, 28, 28), }. */
static struct rs_str value_of(struct rs_str header, const char *key)
{
	const size_t length = strlen(key);
	for (size_t i = 0; i + length <= header.size; i++)
		if (memcmp(header.data + i, key, length) == 0) {
			struct rs_str rest = {header.data + i + length, header.size - i - length};
			rest = rs_str_trim(rest);
			return rest.size && *rest.data == ':'
			               ? rs_str_trim((struct rs_str){rest.data + 1, rest.size - 1})
			               : (struct rs_str){NULL, 0};
		}
	return (struct rs_str){NULL, 0};
}

static bool read_shape(struct rs_str text, struct rs_npz_array *out, size_t *count)
{
	struct rs_str rest = {text.data + 1, text.size - 1}, inside, part;
	uint64_t size;
	*count = 1;
	if (!text.size || *text.data != '(' || !rs_str_split(&rest, ')', &inside))
		return false;
	while (rs_str_split(&inside, ',', &part)) {
		part = rs_str_trim(part);
		if (part.size == 0)
			continue;
		if (out->dimensions == RS_COUNT(out->size) || !rs_parse_u64(part, &size) ||
		    !rs_mul_size(*count, size, count))
			return false;
		out->size[out->dimensions++] = (size_t)size;
	}
	return true;
}

/* The header goes, the values stay. */
static enum rs_code read_npy(struct rs_npz_array *array, struct rs_error *err)
{
	struct rs_buffer *file = &array->values;
	size_t count;
	if (file->size < 12 || memcmp(file->data, "\x93NUMPY", 6) != 0)
		return wrong("array", err);
	const size_t start = file->data[6] == 1 ? 10 : 12;
	const size_t length = start == 10 ? rs_read_le16(file->data + 8) : rs_read_le32(file->data + 8);
	if (length > file->size - start)
		return wrong("array", err);
	const struct rs_str header = rs_str_of_bytes(rs_bytes_of(file->data + start, length));
	if (!rs_str_starts_with(value_of(header, "'descr'"), "'|u1'") ||
	    !rs_str_starts_with(value_of(header, "'fortran_order'"), "False"))
		return rs_error_set(err, RS_UNSUPPORTED, "an array of another type than uint8 in C order");
	if (!read_shape(value_of(header, "'shape'"), array, &count) || count != file->size - start - length)
		return wrong("shape", err);
	memmove(file->data, file->data + start + length, count);
	file->size = count;
	return RS_OK;
}

enum rs_code rs_npz_read(struct rs_bytes file, const char *name, struct rs_npz_array *out,
                         struct rs_error *err)
{
	struct rs_npz_array array = {0};
	struct member member = {0};
	RS_TRY(member_find(file, name, &member, err));
	enum rs_code code = member_read(file, &member, &array.values, err);
	if (code == RS_OK)
		code = read_npy(&array, err);
	if (code != RS_OK) {
		rs_npz_array_finish(&array);
		return rs_error_context(err, "array '%s'", name);
	}
	*out = array;
	return RS_OK;
}
