/* Parts between delimiters. A delimiter is CR LF "--" boundary; as a boundary has no CR, a delimiter can only begin where one
 * stands. */
#include "multipart.h"

#include <stdio.h>
#include <string.h>

#define BOUNDARY_MAX ((size_t)70)

enum rs_code multipart_init(struct multipart *multipart, const char *boundary,
                            const struct multipart_parts *parts, struct rs_error *err)
{
	static const char others[] = "'()+_,-./:=? ";
	size_t size = strlen(boundary);
	bool good = size > 0 && size <= BOUNDARY_MAX && boundary[size - 1] != ' ';
	for (size_t i = 0; good && i < size; i++) {
		char c = boundary[i];
		good = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		       strchr(others, c);
	}
	if (!good)
		return rs_error_set(err, RS_MALFORMED, "the boundary of the body's parts is none (RFC 2046)");
	*multipart = (struct multipart){.parts = *parts};
	multipart->delimiter_size = (size_t)snprintf(multipart->delimiter, sizeof multipart->delimiter,
	                                             "\r\n--%s", boundary);
	multipart->held = 2; /* the body's beginning counts as that of a line */
	rs_buffer_init(&multipart->head, PART_HEAD_MAX);
	return RS_OK;
}

void multipart_finish(struct multipart *multipart) { rs_buffer_finish(&multipart->head); }

static enum rs_code give(struct multipart *multipart, struct rs_bytes bytes, struct rs_error *err)
{
	if (multipart->state != MULTIPART_DATA || bytes.size == 0)
		return RS_OK;
	return multipart->parts.data(multipart->parts.context, bytes, err);
}

static enum rs_code delimited(struct multipart *multipart, struct rs_error *err)
{
	bool was_data = multipart->state == MULTIPART_DATA;
	multipart->held = 0;
	multipart->state = MULTIPART_DELIMITED;
	rs_buffer_clear(&multipart->head);
	return was_data ? multipart->parts.end(multipart->parts.context, err) : RS_OK;
}

/* Where the delimiter begins, or may begin: there the rest of `bytes` is the beginning of one. Their size when nowhere. */
static size_t find(const struct multipart *multipart, struct rs_bytes bytes)
{
	for (size_t at = 0; at < bytes.size; at++) {
		const uint8_t *next = memchr(bytes.data + at, '\r', bytes.size - at);
		if (!next)
			return bytes.size;
		at = (size_t)(next - bytes.data);
		const size_t left = bytes.size - at;
		if (memcmp(next, multipart->delimiter,
		           left < multipart->delimiter_size ? left : multipart->delimiter_size) == 0)
			return at;
	}
	return bytes.size;
}

/* Data, or what comes before the first part; *bytes loses what was taken. */
static enum rs_code take_data(struct multipart *multipart, struct rs_bytes *bytes, struct rs_error *err)
{
	const size_t missing = multipart->delimiter_size - multipart->held;
	const size_t some = missing < bytes->size ? missing : bytes->size;
	if (multipart->held > 0 && memcmp(bytes->data, multipart->delimiter + multipart->held, some) != 0) {
		const struct rs_bytes held = rs_bytes_of(multipart->delimiter, multipart->held);
		multipart->held = 0;
		return give(multipart, held, err);
	}
	if (multipart->held == 0) {
		const size_t plain = find(multipart, *bytes);
		RS_TRY(give(multipart, rs_bytes_of(bytes->data, plain), err));
		*bytes = rs_bytes_of(bytes->data + plain, bytes->size - plain);
		const bool whole = bytes->size >= multipart->delimiter_size;
		multipart->held = whole ? multipart->delimiter_size : bytes->size;
		*bytes = rs_bytes_of(bytes->data + multipart->held, bytes->size - multipart->held);
	} else {
		multipart->held += some;
		*bytes = rs_bytes_of(bytes->data + some, bytes->size - some);
	}
	return multipart->held == multipart->delimiter_size ? delimited(multipart, err) : RS_OK;
}

static enum rs_code begin_part(struct multipart *multipart, struct rs_error *err)
{
	struct rs_str head = rs_buffer_str(&multipart->head), line, name;
	struct media type = {{"", 0}, {"", 0}};
	multipart->location = RS_STR("");
	while (rs_str_split(&head, '\n', &line)) {
		if (!memchr(line.data, ':', line.size) || !rs_str_split(&line, ':', &name))
			continue;
		line = rs_str_trim(line);
		if (rs_str_equal_ignoring_case(name, RS_STR("Content-Location")))
			multipart->location = line;
		if (!rs_str_equal_ignoring_case(name, RS_STR("Content-Type")))
			continue;
		if (!media_next(&line, &type))
			return rs_error_set(err, RS_MALFORMED, "the Content-Type of a part is none");
	}
	multipart->state = MULTIPART_DATA;
	multipart->held = 0;
	return multipart->parts.begin(multipart->parts.context, &type, err);
}

/* After a delimiter: "--" for the last one, or spaces to the end of the line, headers, an empty line. */
static enum rs_code take_head(struct multipart *multipart, struct rs_bytes *bytes, struct rs_error *err)
{
	struct rs_buffer *head = &multipart->head;
	while (bytes->size > 0) {
		if (rs_buffer_append(head, bytes->data, 1) != RS_OK)
			return rs_error_set(err, RS_TOO_LARGE, "the head of a part has more than %zu bytes",
			                    PART_HEAD_MAX);
		*bytes = rs_bytes_of(bytes->data + 1, bytes->size - 1);
		if (multipart->state == MULTIPART_DELIMITED && head->size == 2) {
			if (memcmp(head->data, "--", 2) == 0) {
				multipart->state = MULTIPART_OVER;
				return RS_OK;
			}
			multipart->state = MULTIPART_HEAD;
		}
		if (head->size >= 4 && memcmp(head->data + head->size - 4, "\r\n\r\n", 4) == 0)
			return begin_part(multipart, err);
	}
	return RS_OK;
}

enum rs_code multipart_take(struct multipart *multipart, struct rs_bytes bytes, struct rs_error *err)
{
	while (bytes.size > 0 && multipart->state != MULTIPART_OVER)
		if (multipart->state == MULTIPART_PREAMBLE || multipart->state == MULTIPART_DATA)
			RS_TRY(take_data(multipart, &bytes, err));
		else
			RS_TRY(take_head(multipart, &bytes, err));
	return RS_OK;
}

enum rs_code multipart_end(const struct multipart *multipart, struct rs_error *err)
{
	if (multipart->state == MULTIPART_OVER)
		return RS_OK;
	return rs_error_set(err, RS_MALFORMED, "the body ends before its last part does");
}
