/* Media types, ranges, tags. */
#include "media.h"

#include <stdio.h>
#include <string.h>

/* The length of `text` up to one of `ends` that stands outside of quotes. */
static size_t until(struct rs_str text, char end)
{
	bool quoted = false;
	for (size_t i = 0; i < text.size; i++) {
		if (text.data[i] == '"')
			quoted = !quoted;
		else if (quoted && text.data[i] == '\\' && i + 1 < text.size)
			i++;
		else if (!quoted && text.data[i] == end)
			return i;
	}
	return text.size;
}

/* As rs_str_split(), for lists with quoted parts. */
static bool split(struct rs_str *rest, char separator, struct rs_str *out)
{
	if (!rest->data || rest->size == 0)
		return false;
	size_t size = until(*rest, separator);
	*out = rs_str_trim((struct rs_str){rest->data, size});
	size_t used = size < rest->size ? size + 1 : size;
	rest->data += used;
	rest->size -= used;
	return true;
}

bool media_next(struct rs_str *rest, struct media *out)
{
	struct rs_str one;
	while (split(rest, ',', &one)) {
		struct rs_str name;
		if (!split(&one, ';', &name) || name.size < 3 || !memchr(name.data, '/', name.size))
			continue;
		*out = (struct media){name, one};
		return true;
	}
	return false;
}

bool media_is(const struct media *media, const char *name)
{
	return rs_str_equal_ignoring_case(media->name, rs_str_from(name));
}

static bool unquote(struct rs_str text, char out[static PARAMETER_SIZE])
{
	size_t used = 0;
	bool quoted = text.size >= 2 && text.data[0] == '"' && text.data[text.size - 1] == '"';
	if (quoted)
		text = (struct rs_str){text.data + 1, text.size - 2};
	for (size_t i = 0; i < text.size; i++) {
		if (quoted && text.data[i] == '\\' && i + 1 < text.size)
			i++;
		if (used == PARAMETER_SIZE - 1 || !text.data[i])
			return false;
		out[used++] = text.data[i];
	}
	out[used] = '\0';
	return used > 0;
}

bool media_parameter(const struct media *media, const char *name, char out[static PARAMETER_SIZE])
{
	struct rs_str rest = media->parameters, one;
	while (split(&rest, ';', &one)) {
		size_t at = until(one, '=');
		if (at == one.size || !rs_str_equal_ignoring_case(rs_str_trim((struct rs_str){one.data, at}),
		                                                  rs_str_from(name)))
			continue;
		return unquote(rs_str_trim((struct rs_str){one.data + at + 1, one.size - at - 1}), out);
	}
	return false;
}

unsigned media_quality(const struct media *media)
{
	char text[PARAMETER_SIZE];
	double weight;
	if (!media_parameter(media, "q", text))
		return 1000;
	if (!rs_parse_f64(rs_str_from(text), &weight) || !(weight >= 0 && weight <= 1))
		return 0;
	return (unsigned)(weight * 1000);
}

bool media_covers(const struct media *range, const char *name)
{
	const char *slash = strchr(name, '/');
	size_t size = slash ? (size_t)(slash - name) + 1 : 0;
	if (media_is(range, "*/*") || media_is(range, name))
		return true;
	return range->name.size == size + 1 && range->name.data[size] == '*' &&
	       rs_str_equal_ignoring_case((struct rs_str){range->name.data, size},
	                                  (struct rs_str){name, size});
}

bool range_parse(struct rs_str header, uint64_t size, uint64_t *out_begin, uint64_t *out_end,
                 bool *out_satisfiable)
{
	struct rs_str last, first;
	uint64_t begin = 0, end = size;
	if (!rs_str_starts_with(header, "bytes="))
		return false;
	last = (struct rs_str){header.data + 6, header.size - 6};
	/* Of several ranges everything is given: that is always allowed (RFC 9110 section 14.2). */
	if (memchr(last.data, ',', last.size) || !memchr(last.data, '-', last.size) ||
	    !rs_str_split(&last, '-', &first))
		return false;
	first = rs_str_trim(first);
	last = rs_str_trim(last);
	if ((first.size > 0 && !rs_parse_u64(first, &begin)) ||
	    (last.size > 0 && !rs_parse_u64(last, &end)) || (first.size == 0 && last.size == 0))
		return false;
	if (first.size == 0) {
		begin = end < size ? size - end : 0;
		*out_satisfiable = end > 0 && size > 0;
		end = size;
	} else {
		if (last.size > 0 && end < begin)
			return false;
		end = last.size > 0 && end < size ? end + 1 : size;
		*out_satisfiable = begin < size;
	}
	*out_begin = begin;
	*out_end = end;
	return true;
}

bool tag_listed(struct rs_str header, const char *tag)
{
	struct rs_str one;
	while (split(&header, ',', &one)) {
		if (rs_str_starts_with(one, "W/"))
			one = (struct rs_str){one.data + 2, one.size - 2};
		if (rs_str_equal_text(one, tag) || rs_str_equal_text(one, "*"))
			return true;
	}
	return false;
}
