/* Vectors of features as lines of text: easy to read in any language, one form for one content. */
#include "workflow/workflow_features.h"

#include <string.h>

static bool is_word(const char *text) { return *text != '\0' && strpbrk(text, " \t\r\n") == NULL; }

static bool is_line(const char *text) { return strpbrk(text, "\r\n") == NULL; }

static void put_digest(struct rs_buffer *out, const char *key, const struct rs_digest *digest)
{
	char hex[2 * sizeof *digest + 1];
	rs_hex_encode(rs_bytes_of(digest, sizeof *digest), hex);
	rs_buffer_printf(out, "%s %s\n", key, hex);
}

/* In ascending order, whatever order they come in; there are few, or the files took longer to read. */
static void put_digests(struct rs_buffer *out, const char *key, const struct rs_digest *digests, size_t count)
{
	const struct rs_digest *last = NULL;
	for (size_t k = 0; k < count; k++) {
		const struct rs_digest *least = NULL;
		for (size_t i = 0; i < count; i++)
			if ((last == NULL || memcmp(&digests[i], last, sizeof *last) > 0) &&
			    (least == NULL || memcmp(&digests[i], least, sizeof *least) < 0))
				least = &digests[i];
		if (least == NULL)
			return; /* the rest were twins */
		put_digest(out, key, least);
		last = least;
	}
}

static void put_text(struct rs_buffer *out, const char *key, const char *text)
{
	if (*text != '\0')
		rs_buffer_printf(out, "%s %s\n", key, text);
}

enum rs_code rs_features_encode(const struct rs_features *features, struct rs_buffer *out,
                                struct rs_error *err)
{
	bool good = is_word(features->version) && is_line(features->sequence) && is_line(features->label) &&
	            features->image_count > 0 && features->mask_count > 0;
	for (size_t i = 0; good && i < features->value_count; i++)
		good = is_word(features->values[i].name);
	if (!good)
		return rs_error_set(err, RS_USAGE,
		                    "a vector needs files, and names without spaces or line ends");
	rs_buffer_append_text(out, RS_FEATURES_FIRST_LINE);
	put_text(out, "version", features->version);
	put_digest(out, "settings", &features->settings);
	put_digests(out, "image", features->images, features->image_count);
	put_digests(out, "mask", features->masks, features->mask_count);
	put_text(out, "sequence", features->sequence);
	put_text(out, "label", features->label);
	rs_buffer_append_text(out, "\n");
	for (size_t i = 0; i < features->value_count; i++) {
		rs_buffer_printf(out, "%s ", features->values[i].name);
		rs_buffer_append_f64_text(out, features->values[i].value);
		rs_buffer_append_text(out, "\n");
	}
	return rs_buffer_check(out, "a vector of features", err);
}

struct reader {
	struct rs_str rest, line;
	size_t number; /* of the line */
	struct rs_error *err;
};

static enum rs_code wrong(const struct reader *r, const char *what)
{
	return rs_error_set(r->err, RS_MALFORMED, "vector of features, line %zu: %s", r->number, what);
}

/* Every line ends with a line feed; false at the end of the file. */
static bool next_line(struct reader *r)
{
	const char *end = r->rest.size > 0 ? memchr(r->rest.data, '\n', r->rest.size) : NULL;
	if (end == NULL)
		return false;
	r->line = (struct rs_str){r->rest.data, (size_t)(end - r->rest.data)};
	r->rest.data = end + 1;
	r->rest.size -= r->line.size + 1;
	r->number++;
	return true;
}

/* "key text" of the line at hand. */
static bool take(const struct reader *r, const char *key, struct rs_str *out)
{
	size_t size = strlen(key) + 1;
	if (!rs_str_starts_with(r->line, key) || r->line.size <= size || r->line.data[size - 1] != ' ')
		return false;
	*out = (struct rs_str){r->line.data + size, r->line.size - size};
	return true;
}

static enum rs_code read_sources(struct reader *r, const char *key, rs_features_source *source, void *context)
{
	struct rs_digest digest, last = {{0}};
	struct rs_str text;
	size_t count = 0;
	for (; take(r, key, &text); count++) {
		if (!rs_hex_decode(text, (uint8_t *)&digest, sizeof digest))
			return wrong(r, "a SHA-256 in hexadecimal is expected");
		if (count > 0 && memcmp(&last, &digest, sizeof last) >= 0)
			return wrong(r, "digests must ascend");
		if (source != NULL)
			RS_TRY(source(context, &digest, r->err));
		last = digest;
		if (!next_line(r))
			return wrong(r, "the file ends before its values");
	}
	return count > 0 ? RS_OK : wrong(r, "the files that were measured are expected");
}

static enum rs_code read_values(struct reader *r)
{
	char shortest[RS_F64_TEXT_SIZE];
	struct rs_str name, value;
	double number;
	while (next_line(r)) {
		value = r->line;
		if (!rs_str_split(&value, ' ', &name) || name.size == 0 || !rs_parse_f64(value, &number))
			return wrong(r, "a name and a number are expected");
		rs_format_f64(number, shortest);
		if (!rs_str_equal_text(value, shortest))
			return wrong(r, "the number is not in its shortest form");
	}
	return r->rest.size == 0 ? RS_OK : wrong(r, "the last line does not end");
}

enum rs_code rs_features_parse(struct rs_bytes file, rs_features_source *source, void *context,
                               struct rs_error *err)
{
	struct reader r = {.rest = rs_str_of_bytes(file), .err = err};
	struct rs_str text;
	struct rs_digest digest;
	if (!rs_str_starts_with(r.rest, RS_FEATURES_FIRST_LINE) || !rs_utf8_valid(r.rest))
		return rs_error_set(err, RS_MALFORMED, "is not a vector of features in UTF-8");
	if (!next_line(&r) || !next_line(&r) || !take(&r, "version", &text))
		return wrong(&r, "the version is expected");
	if (!next_line(&r) || !take(&r, "settings", &text) ||
	    !rs_hex_decode(text, (uint8_t *)&digest, sizeof digest))
		return wrong(&r, "the digest of the settings is expected");
	if (!next_line(&r))
		return wrong(&r, "the file ends before its values");
	RS_TRY(read_sources(&r, "image", source, context));
	RS_TRY(read_sources(&r, "mask", source, context));
	if (take(&r, "sequence", &text) && !next_line(&r))
		return wrong(&r, "the file ends before its values");
	if (take(&r, "label", &text) && !next_line(&r))
		return wrong(&r, "the file ends before its values");
	if (r.line.size > 0)
		return wrong(&r, "an empty line is expected before the values");
	return read_values(&r);
}
