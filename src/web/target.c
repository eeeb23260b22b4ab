/* Targets taken apart. */
#include "target.h"

#include <string.h>

#include "dicom/dicom.h"

#define NAME_MAX_SIZE 128

static bool hexadecimal(char c, unsigned *out)
{
	uint8_t byte;
	const char pair[2] = {'0', c};
	if (!rs_hex_decode((struct rs_str){pair, 2}, &byte, 1))
		return false;
	*out = byte;
	return true;
}

/* One part, decoded behind what is in `text` already. plus: '+' is a space, as forms have it. */
static enum rs_code decode(struct rs_str part, bool plus, struct target *out, size_t *used,
                           struct rs_str *out_part, struct rs_error *err)
{
	size_t start = *used;
	for (size_t i = 0; i < part.size; i++) {
		unsigned high, low;
		unsigned char c = (unsigned char)part.data[i];
		if (c == '%') {
			if (part.size - i < 3 || !hexadecimal(part.data[i + 1], &high) ||
			    !hexadecimal(part.data[i + 2], &low))
				return rs_error_set(err, RS_MALFORMED,
				                    "the request's target has a '%%' that encodes nothing");
			c = (unsigned char)(high << 4 | low);
			i += 2;
		} else if (plus && c == '+') {
			c = ' ';
		}
		if (c < 0x20 || c == 0x7f)
			return rs_error_set(err, RS_MALFORMED,
			                    "the request's target has a control character");
		out->text[(*used)++] = (char)c;
	}
	*out_part = (struct rs_str){out->text + start, *used - start};
	return rs_utf8_valid(*out_part) ? RS_OK
	                                : rs_error_set(err, RS_MALFORMED, "the request's target is no UTF-8");
}

static enum rs_code parse_path(struct rs_str path, struct target *out, size_t *used, struct rs_error *err)
{
	struct rs_str part;
	if (path.size == 0 || path.data[0] != '/')
		return rs_error_set(err, RS_MALFORMED, "the request's target is no path");
	path.data++;
	path.size--;
	while (path.size > 0 && rs_str_split(&path, '/', &part)) {
		struct rs_str *segment = &out->segments[out->segment_count];
		if (out->segment_count == SEGMENTS_MAX)
			return rs_error_set(err, RS_TOO_LARGE, "the request's path has more than %d parts",
			                    SEGMENTS_MAX);
		RS_TRY(decode(part, false, out, used, segment, err));
		if (segment->size == 0 || rs_str_equal_text(*segment, ".") ||
		    rs_str_equal_text(*segment, "..") || memchr(segment->data, '/', segment->size) ||
		    memchr(segment->data, '\\', segment->size))
			return rs_error_set(err, RS_MALFORMED, "a part of the request's path is no name");
		out->segment_count++;
	}
	return path.data == NULL || out->segment_count == 0
	               ? RS_OK
	               : rs_error_set(err, RS_MALFORMED, "the request's path ends with a slash");
}

static enum rs_code parse_query(struct rs_str query, struct target *out, size_t *used, struct rs_error *err)
{
	struct rs_str part, name;
	while (rs_str_split(&query, '&', &part)) {
		struct query_pair *pair = &out->query[out->query_count];
		if (part.size == 0)
			continue;
		if (out->query_count == QUERY_MAX)
			return rs_error_set(err, RS_TOO_LARGE,
			                    "the request's query has more than %d parameters", QUERY_MAX);
		(void)rs_str_split(&part, '=', &name);
		RS_TRY(decode(name, true, out, used, &pair->name, err));
		RS_TRY(decode(part, true, out, used, &pair->value, err));
		out->query_count++;
	}
	return RS_OK;
}

enum rs_code target_parse(struct rs_str raw, struct target *out, struct rs_error *err)
{
	struct rs_str path;
	size_t used = 0;
	out->segment_count = out->query_count = 0;
	if (raw.size >= TARGET_SIZE_MAX)
		return rs_error_set(err, RS_TOO_LARGE, "the request's target has more than %zu bytes",
		                    TARGET_SIZE_MAX - 1);
	(void)rs_str_split(&raw, '?', &path);
	RS_TRY(parse_path(path, out, &used, err));
	return parse_query(raw, out, &used, err);
}

bool target_query(const struct target *target, const char *name, struct rs_str *out)
{
	for (size_t i = 0; i < target->query_count; i++)
		if (rs_str_equal_text(target->query[i].name, name)) {
			*out = target->query[i].value;
			return true;
		}
	return false;
}

static bool made_of(struct rs_str text, const char *others, bool letters)
{
	for (size_t i = 0; i < text.size; i++) {
		char c = text.data[i];
		bool digit = c >= '0' && c <= '9';
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
		if (!digit && !(letters && letter) && !(c && strchr(others, c)))
			return false;
	}
	return text.size > 0;
}

static bool fits(struct rs_str segment, struct rs_str kind)
{
	if (rs_str_equal_text(kind, "{uid}"))
		return rs_dicom_uid_valid(segment);
	if (rs_str_equal_text(kind, "{list}"))
		return made_of(segment, ",", false);
	return segment.size <= NAME_MAX_SIZE && made_of(segment, "._-", true);
}

bool target_matches(const struct target *target, const char *path, struct rs_str *out_values,
                    size_t values_max)
{
	struct rs_str rest = rs_str_from(path + 1), part;
	size_t at = 0, values = 0;
	for (; rs_str_split(&rest, '/', &part); at++) {
		if (at == target->segment_count)
			return false;
		if (part.data[0] != '{') {
			if (!rs_str_equal(part, target->segments[at]))
				return false;
		} else if (values == values_max || !fits(target->segments[at], part)) {
			return false;
		} else {
			out_values[values++] = target->segments[at];
		}
	}
	return at == target->segment_count;
}
