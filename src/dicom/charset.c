/* Text of any SpecificCharacterSet (PS3.3 C.12.1.1.2, PS3.5 section 6.1) as UTF-8. Code extensions (ISO 2022) are
 * followed here, character by character; what one character of one set is, the C library's iconv knows. */
#include <iconv.h>
#include <string.h>

#include "dicom/dicom_private.h"

#define ESCAPE 0x1B
#define REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD */

enum kind {
	ASCII,   /* G0 */
	SINGLE,  /* G1, one byte */
	JIS,     /* JIS X 0201: romaji in G0 and katakana in G1 */
	PAIR_G0, /* two bytes of seven bits */
	PAIR_G1, /* two bytes of eight bits */
	WHOLE    /* no code extensions: UTF-8, GB18030, GBK */
};

struct set {
	const char *term; /* without "ISO_IR", "ISO 2022 IR" */
	enum kind kind;
	const char *iconv;
	const char *to_g0, *to_g1; /* escape sequences, behind ESC */
};

/* Rows are named by the enumeration below. */
static const struct set sets[] = {
	{"6", ASCII, NULL, "(B", NULL},
	{"13", JIS, NULL, "(J", ")I"},
	{"87", PAIR_G0, "EUC-JP", "$B", NULL},
	{"159", PAIR_G0, "EUC-JP", "$(D", NULL},
	{"149", PAIR_G1, "EUC-KR", NULL, "$)C"},
	{"58", PAIR_G1, "EUC-CN", NULL, "$)A"},
	{"100", SINGLE, "ISO-8859-1", NULL, "-A"},
	{"101", SINGLE, "ISO-8859-2", NULL, "-B"},
	{"109", SINGLE, "ISO-8859-3", NULL, "-C"},
	{"110", SINGLE, "ISO-8859-4", NULL, "-D"},
	{"144", SINGLE, "ISO-8859-5", NULL, "-L"},
	{"127", SINGLE, "ISO-8859-6", NULL, "-G"},
	{"126", SINGLE, "ISO-8859-7", NULL, "-F"},
	{"138", SINGLE, "ISO-8859-8", NULL, "-H"},
	{"148", SINGLE, "ISO-8859-9", NULL, "-M"},
	{"203", SINGLE, "ISO-8859-15", NULL, "-b"},
	{"166", SINGLE, "TIS-620", NULL, "-T"},
	{"192", WHOLE, "UTF-8", NULL, NULL},
	{"GB18030", WHOLE, "GB18030", NULL, NULL},
	{"GBK", WHOLE, "GBK", NULL, NULL},
};
enum { SET_ASCII = 0, SET_JIS = 1, SET_87 = 2, SET_159 = 3, SET_UTF8 = 17, SET_GB18030 = 18, NO_SET = 255 };

struct decoder {
	struct rs_bytes in;
	size_t pos;
	uint8_t first, g0, g1; /* rows; first is in force at the start and behind every delimiter */
	bool person_name, many_values;
	struct rs_buffer *out; /* NULL while components before the wanted one go by */
	size_t replaced;
	iconv_t open[RS_COUNT(sets)]; /* NULL until needed */
};

static void reset(struct decoder *d)
{
	enum kind kind = sets[d->first].kind;
	d->g0 = kind == JIS ? SET_JIS : SET_ASCII;
	d->g1 = kind == ASCII || kind == PAIR_G0 ? NO_SET : d->first;
}

static void put(struct decoder *d, const void *bytes, size_t size)
{
	if (d->out != NULL)
		rs_buffer_append(d->out, bytes, size);
}

static void put_replacement(struct decoder *d)
{
	if (d->out != NULL)
		d->replaced++;
	put(d, REPLACEMENT, 3);
}

/* One character of `size` bytes, as the set's iconv table has it. */
static void put_character(struct decoder *d, uint8_t row, const uint8_t *bytes, size_t size)
{
	char in[4], out[16], *from = in, *to = out;
	size_t left = size, room = sizeof(out);
	if (d->out == NULL)
		return;
	if (d->open[row] == NULL)
		d->open[row] = iconv_open("UTF-8", sets[row].iconv);
	iconv_t table = d->open[row];
	memcpy(in, bytes, size);
	if (table == (iconv_t)-1 || iconv(table, &from, &left, &to, &room) == (size_t)-1 || left != 0) {
		put_replacement(d);
		if (table != (iconv_t)-1)
			iconv(table, NULL, NULL, NULL, NULL);
		return;
	}
	put(d, out, sizeof(out) - room);
}

/* ASCII but for yen and overline; halfwidth katakana from A1 to DF are U+FF61 to U+FF9F. */
static void put_jis_x0201(struct decoder *d, uint8_t c)
{
	const uint8_t katakana[3] = {0xEF, c < 0xC0 ? 0xBD : 0xBE, (uint8_t)(c < 0xC0 ? c : c - 0x40)};
	if (c == '\\')
		put(d, "\xC2\xA5", 2);
	else if (c == '~')
		put(d, "\xE2\x80\xBE", 3);
	else if (c < 0x80)
		put(d, &c, 1);
	else if (c > 0xA0 && c < 0xE0)
		put(d, katakana, 3);
	else
		put_replacement(d);
}

/* An escape sequence at d->pos designates a set to G0 or G1; false when it is none of DICOM's. */
static bool take_escape(struct decoder *d)
{
	struct rs_str rest = {(const char *)d->in.data + d->pos + 1, d->in.size - d->pos - 1};
	for (uint8_t row = 0; row < RS_COUNT(sets); row++) {
		const struct set *set = &sets[row];
		bool first = set->to_g0 != NULL && rs_str_starts_with(rest, set->to_g0);
		if (!first && !(set->to_g1 != NULL && rs_str_starts_with(rest, set->to_g1)))
			continue;
		*(first ? &d->g0 : &d->g1) = row;
		d->pos += 1 + strlen(first ? set->to_g0 : set->to_g1);
		return true;
	}
	return false;
}

/* Bytes of the character at d->pos when no code extensions are in use. */
static size_t whole_size(const struct decoder *d)
{
	const uint8_t *p = d->in.data + d->pos;
	size_t left = d->in.size - d->pos, size = 1;
	if (d->first == SET_UTF8)
		size = p[0] >= 0xF0 ? 4 : p[0] >= 0xE0 ? 3 : p[0] >= 0xC0 ? 2 : 1;
	else if (d->first == SET_GB18030 && left >= 4 && p[1] >= '0' && p[1] <= '9')
		size = 4;
	else
		size = 2;
	return size <= left ? size : 1;
}

static void take_whole(struct decoder *d)
{
	const uint8_t *p = d->in.data + d->pos;
	size_t size = whole_size(d);
	if (d->first != SET_UTF8 && size > 1) {
		put_character(d, d->first, p, size);
	} else if (d->first == SET_UTF8 && rs_utf8_valid((struct rs_str){(const char *)p, size})) {
		put(d, p, size);
	} else {
		put_replacement(d);
		size = 1; /* the next byte may begin a character */
	}
	d->pos += size;
}

/* A byte below 128 that is no control character, in the set of G0. */
static void take_g0(struct decoder *d)
{
	const uint8_t *p = d->in.data + d->pos;
	uint8_t pair[3] = {0x8F}; /* EUC-JP's code set 3 is JIS X 0212 */
	if (d->g0 == SET_ASCII || p[0] == ' ') {
		put(d, p, 1);
		d->pos++;
	} else if (d->g0 == SET_JIS) {
		put_jis_x0201(d, p[0]);
		d->pos++;
	} else if (d->in.size - d->pos >= 2 && p[1] > ' ' && p[1] < 0x7F) {
		bool supplement = d->g0 == SET_159;
		pair[supplement] = p[0] | 0x80;
		pair[supplement + 1] = p[1] | 0x80;
		put_character(d, d->g0, pair, supplement ? 3 : 2);
		d->pos += 2;
	} else {
		put_replacement(d);
		d->pos++;
	}
}

/* A byte above 127, in the set of G1. */
static void take_g1(struct decoder *d)
{
	const uint8_t *p = d->in.data + d->pos;
	size_t size = d->g1 != NO_SET && sets[d->g1].kind == PAIR_G1 ? 2 : 1;
	if (d->g1 == NO_SET || p[0] < 0xA0 || size > d->in.size - d->pos ||
	    (size == 2 && (p[0] == 0xA0 || p[1] <= 0xA0))) {
		put_replacement(d);
		d->pos++;
		return;
	}
	if (d->g1 == SET_JIS)
		put_jis_x0201(d, p[0]);
	else
		put_character(d, d->g1, p, size);
	d->pos += size;
}

/* One character or escape sequence; true at the end of a component. */
static bool step(struct decoder *d)
{
	uint8_t c = d->in.data[d->pos];
	bool single = sets[d->g0].kind != PAIR_G0;
	if (single && c == '\\' && d->many_values) {
		reset(d);
		d->pos++;
		return true;
	}
	/* PS3.5 section 6.1.2.5.3: what is in force at the start is so again behind these. */
	if (c == '\t' || c == '\n' || c == '\f' || c == '\r' ||
	    (single && d->person_name && (c == '^' || c == '='))) {
		reset(d);
		put(d, &c, 1);
		d->pos++;
	} else if (c == ESCAPE) {
		if (sets[d->first].kind == WHOLE || !take_escape(d)) {
			put_replacement(d);
			d->pos++;
		}
	} else if (c < ' ') {
		put(d, &c, 1);
		d->pos++;
	} else if (c < 0x80) {
		take_g0(d);
	} else if (sets[d->first].kind == WHOLE) {
		take_whole(d);
	} else {
		take_g1(d);
	}
	return false;
}

static bool vr_has_charset(const char *vr)
{
	static const char affected[] = "LOLTPNSHSTUCUT";
	for (size_t i = 0; i + 1 < sizeof(affected); i += 2)
		if (affected[i] == vr[0] && affected[i + 1] == vr[1])
			return true;
	return false;
}

static bool is_padding(uint8_t c) { return c == ' ' || c == '\0'; }

/* Takes padding off what stands in `out` from `start` on. */
static void trim(struct rs_buffer *out, size_t start, bool both_ends)
{
	size_t skip = 0;
	while (out->size > start && is_padding(out->data[out->size - 1]))
		out->size--;
	while (both_ends && start + skip < out->size && is_padding(out->data[start + skip]))
		skip++;
	if (skip != 0) {
		memmove(out->data + start, out->data + start + skip, out->size - start - skip);
		out->size -= skip;
	}
}

enum rs_code rs_dicom_text_utf8(const struct rs_dicom_charset *charset,
                                const struct rs_dicom_element *element, size_t index, struct rs_buffer *out,
                                size_t *out_replaced, struct rs_error *err)
{
	struct decoder d = {.first = SET_ASCII};
	if (element == NULL || element->has_children)
		return RS_OK;
	const char *vr = rs_dicom_meant_vr(element);
	if (vr_has_charset(vr) && charset->row < RS_COUNT(sets))
		d.first = charset->row;
	d.in = element->value;
	d.person_name = strcmp(vr, "PN") == 0;
	d.many_values = !rs_dicom_vr_has_one_value(vr);
	d.out = index == 0 ? out : NULL;
	reset(&d);
	size_t start = out->size;
	while (d.pos < d.in.size) {
		if (!step(&d))
			continue;
		if (index-- == 0)
			break;
		d.out = index == 0 ? out : NULL;
	}
	for (size_t row = 0; row < RS_COUNT(sets); row++)
		if (d.open[row] != NULL && d.open[row] != (iconv_t)-1)
			iconv_close(d.open[row]);
	trim(out, start, d.many_values);
	if (out_replaced != NULL)
		*out_replaced = d.replaced;
	return rs_buffer_check(out, "text as UTF-8", err);
}

/* "ISO_IR 100", "ISO 2022 IR 100", and how they are misspelt: "ISO-IR 100", "ISO_IR_100". */
static bool term_is(struct rs_str text, const char *term)
{
	char plain[16];
	size_t size = 0;
	for (size_t i = 0; i < text.size; i++) {
		if (text.data[i] == ' ' || text.data[i] == '_' || text.data[i] == '-')
			continue;
		if (size == sizeof(plain))
			return false;
		plain[size++] = text.data[i];
	}
	struct rs_str rest = {plain, size};
	if (rs_str_starts_with(rest, "ISO2022IR") || rs_str_starts_with(rest, "ISOIR")) {
		size_t prefix = rs_str_starts_with(rest, "ISOIR") ? 5 : 9;
		rest = (struct rs_str){plain + prefix, size - prefix};
	}
	return rs_str_equal_text(rest, term);
}

/* The first of the items around `element`, from the inside out, that has the attribute; else the data set. */
static const struct rs_dicom_element *charset_element(const struct rs_dicom *dicom,
                                                      const struct rs_dicom_element *element)
{
	const uint32_t tag = RS_DICOM_TAG(8, 5);
	uint32_t parent = element != NULL ? element->parent : RS_DICOM_NONE;
	while (parent != RS_DICOM_NONE) {
		const struct rs_dicom_element *container = &dicom->elements[parent];
		const struct rs_dicom_element *found = container->tag == RS_DICOM_ITEM
		                                               ? rs_dicom_find(dicom, container, tag)
		                                               : NULL;
		if (found != NULL)
			return found;
		parent = container->parent;
	}
	return rs_dicom_find(dicom, NULL, tag);
}

enum rs_code rs_dicom_charset_of(const struct rs_dicom *dicom, const struct rs_dicom_element *element,
                                 struct rs_dicom_charset *out, struct rs_error *err)
{
	struct rs_str term = rs_dicom_text(charset_element(dicom, element), 0);
	if (term.size == 0 || (element != NULL && element->tag >> 16 == 2)) { /* the meta group is ASCII */
		*out = (struct rs_dicom_charset){SET_ASCII};
		return RS_OK;
	}
	for (uint8_t row = 0; row < RS_COUNT(sets); row++)
		if (term_is(term, sets[row].term)) {
			*out = (struct rs_dicom_charset){row};
			return RS_OK;
		}
	return rs_error_set(err, RS_UNSUPPORTED,
	                    "SpecificCharacterSet (0008,0005) is '" RS_STR_FORMAT
	                    "', which is no set of DICOM (PS3.3 C.12.1.1.2); correct it to read the texts",
	                    RS_STR_ARGUMENTS(term));
}
