/* Folding names. Upper and lower case of these alphabets take two bytes each in UTF-8, or one: sizes stay. */
#include "fold.h"

#include <string.h>

size_t character_size(struct rs_str text, size_t at)
{
	uint8_t byte = (uint8_t)text.data[at];
	size_t size = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1;
	return size <= text.size - at ? size : 1;
}

/* Unicode's simple case folding within U+0080 … U+07FF, as far as its rows are regular. */
static unsigned fold_wide(unsigned c)
{
	static const struct {
		unsigned from, to;
		int by; /* 0: upper and lower case alternate, the upper one has the parity of `from` */
	} rows[] = {
		{0xC0, 0xD6, 32},   {0xD8, 0xDE, 32},     {0x100, 0x137, 0},  {0x139, 0x148, 0},
		{0x14A, 0x177, 0},  {0x178, 0x178, -121}, {0x179, 0x17E, 0},  {0x386, 0x386, 38},
		{0x388, 0x38A, 37}, {0x38C, 0x38C, 64},   {0x38E, 0x38F, 63}, {0x391, 0x3A1, 32},
		{0x3A3, 0x3AB, 32}, {0x400, 0x40F, 80},   {0x410, 0x42F, 32}, {0x460, 0x481, 0},
		{0x48A, 0x4BF, 0},  {0x4D0, 0x52F, 0},
	};
	for (size_t i = 0; i < RS_COUNT(rows); i++)
		if (c >= rows[i].from && c <= rows[i].to)
			return rows[i].by               ? (unsigned)((int)c + rows[i].by)
			       : (c ^ rows[i].from) & 1 ? c
			                                : c + 1;
	return c;
}

static void fold(char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		uint8_t byte = (uint8_t)text[i];
		if (byte >= 'A' && byte <= 'Z') {
			text[i] = (char)(byte | 0x20);
		} else if (byte >= 0xC2 && byte <= 0xDF && i + 1 < size) {
			unsigned c = fold_wide((byte & 0x1Fu) << 6 | ((uint8_t)text[i + 1] & 0x3Fu));
			text[i] = (char)(0xC0 | c >> 6);
			text[++i] = (char)(0x80 | (c & 0x3F));
		}
	}
}

/* Parts between separators, each in the form that `inner` makes of it. */
static size_t without_empty_ends(struct rs_str text, char separator, size_t (*inner)(struct rs_str, char *),
                                 char *out)
{
	size_t size = 0, kept = 0;
	struct rs_str part;
	bool any = false;
	while (rs_str_split(&text, separator, &part)) {
		if (any)
			out[size++] = separator;
		any = true;
		size_t got = inner(part, out + size);
		size += got;
		if (got)
			kept = size;
	}
	return kept;
}

static size_t trimmed(struct rs_str text, char *out)
{
	text = rs_str_trim(text);
	if (text.size)
		memmove(out, text.data, text.size);
	return text.size;
}

static size_t components(struct rs_str group, char *out)
{
	return without_empty_ends(group, '^', trimmed, out);
}

static size_t groups(struct rs_str name, char *out) { return without_empty_ends(name, '=', components, out); }

size_t name_normalise(struct rs_str name, char *out)
{
	size_t size = without_empty_ends(name, '\\', groups, out);
	fold(out, size);
	return size;
}
