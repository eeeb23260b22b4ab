/* Walks a data set once, from front to back, into a flat array of elements whose values are views.
 * Every length is checked against the bytes of its container before it is believed (PS3.5 section 7). */
#include <string.h>
#include <zlib.h>

#include "dicom/dicom_private.h"

struct reader {
	struct rs_dicom *dicom;
	struct rs_bytes bytes; /* without data when they are scanned: see `window` */
	struct dicom_window *window;
	size_t walked; /* elements so far; scanning keeps few of them */
	bool header_only;
	bool stopped;      /* reached the pixel data of a header-only walk */
	size_t *out_begin; /* of the data set: nothing else is wanted; NULL: all is */
	struct rs_error *err;
};

/* Where the children of one container may lie. */
struct span {
	size_t start, end;
	uint32_t parent;
	uint8_t depth;
	enum rs_dicom_encoding encoding;
	uint32_t delimiter; /* 0 when the length is explicit */
};

static enum rs_code parse_elements(struct reader *r, const struct span *span, size_t *out_end);

#define MALFORMED(r, tag, offset, ...) \
	malformed_at(r, tag, offset, rs_error_set((r)->err, RS_MALFORMED, __VA_ARGS__))

static enum rs_code malformed_at(struct reader *r, uint32_t tag, size_t offset, enum rs_code code)
{
	if (r->err != NULL)
		rs_error_context(r->err, "element (%04X,%04X) at byte %zu", (unsigned)(tag >> 16),
		                 (unsigned)(tag & 0xFFFF), offset);
	return code;
}

static uint16_t read16(enum rs_dicom_encoding encoding, const uint8_t *p)
{
	return encoding == RS_DICOM_EXPLICIT_BE ? rs_read_be16(p) : rs_read_le16(p);
}

static uint32_t read32(enum rs_dicom_encoding encoding, const uint8_t *p)
{
	return encoding == RS_DICOM_EXPLICIT_BE ? rs_read_be32(p) : rs_read_le32(p);
}

static uint32_t read_tag(enum rs_dicom_encoding encoding, const uint8_t *p)
{
	return RS_DICOM_TAG(read16(encoding, p), read16(encoding, p + 2));
}

static bool looks_like_vr(const uint8_t *p)
{
	return p[0] >= 'A' && p[0] <= 'Z' && p[1] >= 'A' && p[1] <= 'Z';
}

/* Some writers leave the VR blank where they do not know it; a 16-bit length follows, as for US. */
static bool is_blank_vr(const uint8_t *p) { return p[0] == ' ' && p[1] == ' '; }

/* `size` bytes at `pos`, which are there; at most DICOM_WINDOW_SIZE. */
static enum rs_code look(struct reader *r, size_t pos, size_t size, const uint8_t **out)
{
	if (r->window)
		return dicom_window_look(r->window, pos, size, out, r->err);
	*out = r->bytes.data + pos;
	return RS_OK;
}

/* The bytes of a value. A scan keeps short ones of the top level. */
static enum rs_code take_value(struct reader *r, const struct rs_dicom_element *element, size_t pos,
                               size_t size, struct rs_bytes *out)
{
	if (!r->window) {
		*out = rs_bytes_of(r->bytes.data + pos, size);
		return RS_OK;
	}
	*out = (struct rs_bytes){NULL, 0};
	if (element->depth != 0 || element->has_children || size == 0)
		return RS_OK;
	if (size <= DICOM_KEPT_MAX)
		return dicom_window_keep(r->window, pos, size, &r->dicom->kept, out, r->err);
	/* What metadata reads has such a VR. No writer makes one of these longer: explicit encodings cannot. */
	const struct rs_dicom_entry *entry = rs_dicom_lookup(element->tag);
	if (entry != NULL && rs_dicom_vr_is_short(entry->vr))
		return MALFORMED(r, element->tag, element->offset, "VR %s has %zu bytes; %d are allowed",
		                 entry->vr, size, DICOM_KEPT_MAX);
	return RS_OK;
}

/* A scan forgets what lies in sequences, items and fragments once it has walked over it. */
static void leave(struct reader *r, uint32_t index, struct rs_bytes value)
{
	r->dicom->elements[index].value = value;
	if (r->window)
		r->dicom->count = r->dicom->elements[index].depth == 0 ? index + 1 : index;
	if (index < r->dicom->count)
		r->dicom->elements[index].next = (uint32_t)r->dicom->count;
}

static enum rs_code push(struct reader *r, const struct rs_dicom_element *element, uint32_t *out_index)
{
	struct rs_dicom *d = r->dicom;
	if (r->walked++ >= RS_DICOM_ELEMENTS_MAX || (r->window && d->count >= DICOM_KEPT_COUNT_MAX))
		return malformed_at(r, element->tag, element->offset,
		                    rs_error_set(r->err, RS_TOO_LARGE, "the file has more than %zu elements",
		                                 r->window ? DICOM_KEPT_COUNT_MAX : RS_DICOM_ELEMENTS_MAX));
	if (d->count == d->capacity) {
		size_t capacity = d->capacity == 0 ? 512 : d->capacity * 2;
		size_t size;
		if (!rs_mul_size(capacity, sizeof(*d->elements), &size))
			return rs_error_memory(r->err, SIZE_MAX, "DICOM elements");
		void *grown = rs_reallocate(d->elements, size);
		if (grown == NULL)
			return rs_error_memory(r->err, size, "DICOM elements");
		d->elements = grown;
		d->capacity = capacity;
	}
	*out_index = (uint32_t)d->count;
	d->elements[d->count++] = *element;
	return RS_OK;
}

static void set_vr(struct rs_dicom_element *element, const char *vr)
{
	element->vr[0] = vr[0];
	element->vr[1] = vr[1];
	element->vr[2] = '\0';
}

/* PS3.5 section 7.1.2: these VRs have a 16-bit length; every other, known or not, two reserved bytes
 * and 32 bits. */
bool rs_dicom_vr_is_short(const char *vr)
{
	static const char shorts[] = "AEASATCSDADSDTFLFDISLOLTPNSHSLSSSTTMUIULUS  ";
	for (size_t i = 0; i + 1 < sizeof(shorts); i += 2)
		if (shorts[i] == vr[0] && shorts[i + 1] == vr[1])
			return true;
	return false;
}

/* An implicit element has the VR of the dictionary. */
static void set_implicit_vr(struct rs_dicom_element *element)
{
	const struct rs_dicom_entry *entry = rs_dicom_lookup(element->tag);
	uint32_t group = element->tag >> 16;
	uint32_t number = element->tag & 0xFFFF;
	if (entry != NULL)
		set_vr(element, entry->vr);
	else if (number == 0)
		set_vr(element, "UL");
	else if ((group & 1) != 0 && number >= 0x10 && number <= 0xFF)
		set_vr(element, "LO");
	else
		set_vr(element, element->length == RS_DICOM_UNDEFINED ? "SQ" : "UN");
}

/* Reads tag, VR and length; *pos moves to the value. */
static enum rs_code read_header(struct reader *r, const struct span *span, size_t *pos,
                                struct rs_dicom_element *out)
{
	const uint8_t *p;
	size_t left = span->end - *pos;
	size_t size = 8;
	RS_TRY(look(r, *pos, left < 12 ? left : 12, &p));
	*out = (struct rs_dicom_element){.offset = *pos,
	                                 .parent = span->parent,
	                                 .depth = span->depth,
	                                 .encoding = (uint8_t)span->encoding};
	if (left < 8)
		return MALFORMED(r, left >= 4 ? read_tag(span->encoding, p) : 0, *pos,
		                 "its header is cut off: %zu bytes are left, 8 are needed", left);
	out->tag = read_tag(span->encoding, p);
	if (out->tag >> 16 == 0xFFFE) {
		out->length = read32(span->encoding, p + 4);
	} else if (span->encoding == RS_DICOM_IMPLICIT_LE) {
		out->length = rs_read_le32(p + 4);
		set_implicit_vr(out);
	} else if (!looks_like_vr(p + 4) && !is_blank_vr(p + 4)) {
		return MALFORMED(r, out->tag, *pos, "its VR is the bytes %02X %02X, not two capital letters",
		                 p[4], p[5]);
	} else {
		set_vr(out, (const char *)p + 4);
		if (is_blank_vr(p + 4))
			r->dicom->warnings |= RS_DICOM_BLANK_VR;
		out->length = read16(span->encoding, p + 6);
		if (!rs_dicom_vr_is_short(out->vr)) {
			out->reserved = read16(span->encoding, p + 6);
			size = 12;
			if (left < size)
				return MALFORMED(r, out->tag, *pos,
				                 "its header is cut off: %zu bytes are left, "
				                 "12 are needed",
				                 left);
			out->length = read32(span->encoding, p + 8);
		}
	}
	*pos += size;
	return RS_OK;
}

static enum rs_code check_length(struct reader *r, const struct span *span, size_t pos,
                                 const struct rs_dicom_element *element)
{
	if (element->length == RS_DICOM_UNDEFINED)
		return RS_OK;
	if (element->length > span->end - pos)
		return MALFORMED(r, element->tag, element->offset,
		                 "length %lu is more than the %zu bytes left; the file is cut off or damaged",
		                 (unsigned long)element->length, span->end - pos);
	if ((element->length & 1) != 0)
		r->dicom->warnings |= RS_DICOM_ODD_LENGTH;
	return RS_OK;
}

/* Items of a sequence, or fragments of encapsulated pixel data, between span->start and span->end. */
static enum rs_code parse_items(struct reader *r, const struct span *span, bool fragments, size_t *out_end)
{
	size_t pos = span->start;
	while (span->delimiter != 0 || pos < span->end) {
		struct rs_dicom_element item;
		uint32_t index;
		RS_TRY(read_header(r, span, &pos, &item));
		if (item.tag == DELIMITER_SEQUENCE && span->delimiter != 0 && item.length == 0) {
			*out_end = pos;
			return RS_OK;
		}
		if (item.tag != RS_DICOM_ITEM)
			return MALFORMED(r, item.tag, item.offset,
			                 "an item (FFFE,E000) or the end of the "
			                 "sequence should stand here");
		if (fragments && item.length == RS_DICOM_UNDEFINED)
			return MALFORMED(r, item.tag, item.offset, "a fragment of pixel data has no length");
		bool open = item.length == RS_DICOM_UNDEFINED;
		/* A sequence whose own length fits bounds its items: one that claims more ends with it. */
		bool overrun = !open && !fragments && span->delimiter == 0 && item.length > span->end - pos;
		if (overrun)
			r->dicom->warnings |= RS_DICOM_ITEM_TOO_LONG;
		else
			RS_TRY(check_length(r, span, pos, &item));
		item.has_children = !fragments;
		RS_TRY(push(r, &item, &index));
		size_t end = open || overrun ? span->end : pos + item.length;
		size_t value_end = end;
		if (!fragments) {
			struct span inner = {pos,
			                     end,
			                     index,
			                     (uint8_t)(span->depth + 1),
			                     span->encoding,
			                     open ? DELIMITER_ITEM : 0};
			RS_TRY(parse_elements(r, &inner, &end));
			value_end = open ? end - 8 : end;
		}
		struct rs_bytes value;
		RS_TRY(take_value(r, &item, pos, value_end - pos, &value));
		leave(r, index, value);
		pos = end;
	}
	*out_end = pos;
	return RS_OK;
}

static bool is_pixel_data(uint32_t tag) { return tag == RS_DICOM_PIXEL_DATA; }

/* The value of one element; *pos moves behind it and its delimiter. */
static enum rs_code parse_value(struct reader *r, const struct span *span, struct rs_dicom_element *element,
                                size_t *pos)
{
	bool open = element->length == RS_DICOM_UNDEFINED;
	bool sequence = strcmp(element->vr, "SQ") == 0;
	bool unknown = open && strcmp(element->vr, "UN") == 0;
	bool fragments = open && is_pixel_data(element->tag) && !sequence && !unknown &&
	                 span->encoding != RS_DICOM_EXPLICIT_BE;
	uint32_t index;
	if (open && !sequence && !unknown && !fragments)
		return MALFORMED(r, element->tag, element->offset, "VR %s must have a length", element->vr);
	RS_TRY(check_length(r, span, *pos, element));
	if ((sequence || unknown) && span->depth + 2 > RS_DICOM_DEPTH_MAX * 2)
		return malformed_at(r, element->tag, element->offset,
		                    rs_error_set(r->err, RS_TOO_LARGE, "sequences are nested deeper than %d",
		                                 RS_DICOM_DEPTH_MAX));
	element->has_children = sequence || unknown || fragments;
	RS_TRY(push(r, element, &index));
	size_t start = *pos;
	size_t end = open ? span->end : start + element->length;
	size_t value_end = end;
	if (element->has_children) {
		/* PS3.5 section 6.2.2 note 4: UN of undefined length is a sequence in implicit little endian. */
		struct span inner = {start,
		                     end,
		                     index,
		                     (uint8_t)(span->depth + 1),
		                     unknown ? RS_DICOM_IMPLICIT_LE : span->encoding,
		                     open ? DELIMITER_SEQUENCE : 0};
		RS_TRY(parse_items(r, &inner, fragments, &end));
		value_end = open ? end - 8 : end;
	}
	struct rs_bytes value;
	RS_TRY(take_value(r, element, start, value_end - start, &value));
	leave(r, index, value);
	*pos = end;
	return RS_OK;
}

static enum rs_code parse_elements(struct reader *r, const struct span *span, size_t *out_end)
{
	size_t pos = span->start;
	while (span->delimiter != 0 || pos < span->end) {
		struct rs_dicom_element element;
		if (span->depth == 0 && r->header_only && span->end - pos >= 4) {
			const uint8_t *p;
			RS_TRY(look(r, pos, 4, &p));
			r->stopped = read_tag(span->encoding, p) >> 16 >= 0x7FE0;
			if (r->stopped)
				break;
		}
		RS_TRY(read_header(r, span, &pos, &element));
		if (element.tag == DELIMITER_ITEM && span->delimiter == DELIMITER_ITEM && element.length == 0)
			break;
		if (element.tag >> 16 == 0xFFFE)
			return MALFORMED(r, element.tag, element.offset,
			                 "an item or delimiter stands outside of "
			                 "a sequence");
		RS_TRY(parse_value(r, span, &element, &pos));
	}
	*out_end = pos;
	return RS_OK;
}

/* Whether an element of group 0002 begins here. */
static enum rs_code is_meta(struct reader *r, size_t pos, bool *out)
{
	const uint8_t *p;
	*out = false;
	if (r->bytes.size - pos < 2)
		return RS_OK;
	RS_TRY(look(r, pos, 2, &p));
	*out = rs_read_le16(p) == 2;
	return RS_OK;
}

/* Group 0002 is explicit little endian (PS3.10 section 7.1) and ends where another group begins. */
static enum rs_code parse_meta(struct reader *r, size_t *pos)
{
	size_t claimed_end = 0;
	uint32_t last = 0;
	bool more;
	struct span span = {*pos, r->bytes.size, RS_DICOM_NONE, 0, RS_DICOM_EXPLICIT_LE, 0};
	if (span.end - *pos >= 6) {
		const uint8_t *p;
		RS_TRY(look(r, *pos, 6, &p));
		if (!looks_like_vr(p + 4)) {
			span.encoding = RS_DICOM_IMPLICIT_LE;
			r->dicom->warnings |= RS_DICOM_GUESSED_ENCODING;
		}
	}
	RS_TRY(is_meta(r, *pos, &more));
	while (more) {
		struct rs_dicom_element element;
		RS_TRY(read_header(r, &span, pos, &element));
		/* A data set that begins with such elements would say again, and otherwise, what the meta group says. */
		if (element.tag <= last)
			return MALFORMED(r, element.tag, *pos,
			                 "an element of the meta group stands there twice, or out of order");
		last = element.tag;
		RS_TRY(parse_value(r, &span, &element, pos));
		const struct rs_bytes value = r->dicom->elements[r->dicom->count - 1].value;
		if (element.tag == RS_DICOM_TAG(2, 0) && element.length == 4)
			claimed_end = *pos + rs_read_le32(value.data);
		RS_TRY(is_meta(r, *pos, &more));
	}
	if (claimed_end != *pos)
		r->dicom->warnings |= RS_DICOM_GROUP_LENGTH_LIES;
	r->dicom->meta_count = r->dicom->count;
	return RS_OK;
}

/* Raw deflate (RFC 1951) of the data set, PS3.5 annex A.5, into memory that *dicom owns. */
static enum rs_code inflate_rest(struct reader *r, size_t pos)
{
	struct rs_buffer buffer RS_CLEANUP(rs_buffer_finish) = {0};
	z_stream z = {0};
	uint8_t chunk[16384];
	int status = Z_OK;
	rs_buffer_init(&buffer, RS_DICOM_INFLATED_MAX);
	if (r->bytes.size - pos > UINT32_MAX || inflateInit2(&z, -MAX_WBITS) != Z_OK)
		return rs_error_set(r->err, RS_TOO_LARGE, "the deflated data set cannot be inflated");
	z.next_in = (Bytef *)(uintptr_t)(r->bytes.data + pos);
	z.avail_in = (uInt)(r->bytes.size - pos);
	while (status == Z_OK && buffer.failed == RS_OK) {
		z.next_out = chunk;
		z.avail_out = sizeof(chunk);
		status = inflate(&z, Z_NO_FLUSH);
		if (status == Z_OK || status == Z_STREAM_END)
			rs_buffer_append(&buffer, chunk, sizeof(chunk) - z.avail_out);
	}
	inflateEnd(&z);
	RS_TRY(rs_buffer_check(&buffer, "the inflated data set", r->err));
	if (status != Z_STREAM_END)
		return rs_error_set(r->err, RS_MALFORMED,
		                    "the deflated data set at byte %zu is damaged or "
		                    "cut off",
		                    pos);
	r->dicom->deflated = rs_bytes_of(r->bytes.data + pos, r->bytes.size - pos);
	r->dicom->inflated = buffer.data;
	r->bytes = rs_buffer_bytes(&buffer);
	buffer = (struct rs_buffer){0};
	return RS_OK;
}

/* The encoding that the first bytes of a data set show. */
static bool guess_encoding(struct rs_bytes start, enum rs_dicom_encoding *out)
{
	if (start.size < 8)
		return false;
	const uint8_t *p = start.data;
	if (!looks_like_vr(p + 4)) {
		*out = RS_DICOM_IMPLICIT_LE;
		/* Group 0000 belongs to messages, never to files: a file of zeros is no data set. */
		if (rs_read_le16(p) == 0)
			return false;
		return rs_dicom_lookup(read_tag(*out, p)) != NULL || (rs_read_le16(p + 2) == 0 && p[1] == 0);
	}
	*out = rs_read_be16(p) < rs_read_le16(p) ? RS_DICOM_EXPLICIT_BE : RS_DICOM_EXPLICIT_LE;
	uint32_t tag = read_tag(*out, p);
	return rs_dicom_lookup(tag) != NULL || (tag & 0xFFFF) == 0 || (tag >> 16 & 1) != 0;
}

bool rs_dicom_begins(struct rs_bytes start)
{
	enum rs_dicom_encoding encoding;
	if (start.size >= 132 && memcmp(start.data + 128, "DICM", 4) == 0)
		return true;
	if (!guess_encoding(start, &encoding))
		return false;
	/* A data set begins with what identifies it; its first element is short. */
	uint32_t tag = read_tag(encoding, start.data);
	return (tag >> 16 == 2 || tag >> 16 == 8 || tag >> 16 == 0x10) && rs_dicom_lookup(tag) != NULL &&
	       (encoding != RS_DICOM_IMPLICIT_LE || rs_read_le32(start.data + 4) <= UINT16_MAX);
}

static enum rs_code choose_encoding(struct reader *r, size_t pos)
{
	struct rs_dicom *d = r->dicom;
	enum rs_dicom_encoding guess = RS_DICOM_IMPLICIT_LE;
	const struct rs_dicom_element *element = rs_dicom_find(d, NULL, RS_DICOM_TAG(2, 0x10));
	struct rs_str uid = rs_dicom_text(element, 0);
	size_t left = r->bytes.size - pos, size = left < 8 ? left : 8;
	const uint8_t *p;
	RS_TRY(look(r, pos, size, &p));
	bool guessed = guess_encoding(rs_bytes_of(p, size), &guess);
	if (uid.size >= sizeof(d->transfer_syntax))
		return rs_error_set(r->err, RS_MALFORMED,
		                    "the transfer syntax (0002,0010) has %zu characters; "
		                    "64 are allowed",
		                    uid.size);
	if (uid.size != 0)
		memcpy(d->transfer_syntax, uid.data, uid.size);
	if (uid.size == 0) {
		/* Behind a meta group stands DICOM, whatever its first tag. */
		if (!guessed && d->meta_count == 0)
			return rs_error_set(r->err, RS_MALFORMED,
			                    "byte %zu begins no DICOM data set: neither \"DICM\" "
			                    "at byte 128 nor a known first element",
			                    pos);
		d->encoding = guess;
		d->warnings |= RS_DICOM_GUESSED_ENCODING;
		return RS_OK;
	}
	d->encoding = rs_str_equal_text(uid, "1.2.840.10008.1.2")        ? RS_DICOM_IMPLICIT_LE
	              : rs_str_equal_text(uid, "1.2.840.10008.1.2.2")    ? RS_DICOM_EXPLICIT_BE
	              : rs_str_equal_text(uid, "1.2.840.10008.1.2.1.99") ? RS_DICOM_DEFLATED_LE
	                                                                 : RS_DICOM_EXPLICIT_LE;
	if (guessed && d->encoding != RS_DICOM_DEFLATED_LE && guess != d->encoding) {
		d->encoding = guess;
		d->warnings |= RS_DICOM_GUESSED_ENCODING;
	}
	return RS_OK;
}

/* The preamble and the group 0002, as far as they are there; *pos moves behind them. */
static enum rs_code parse_front(struct reader *r, size_t *pos)
{
	struct rs_dicom *d = r->dicom;
	const uint8_t *p = NULL;
	bool meta;
	if (r->bytes.size >= 132)
		RS_TRY(look(r, 0, 132, &p));
	if (p && memcmp(p + 128, "DICM", 4) == 0) {
		d->preamble = r->window ? (struct rs_bytes){NULL, 0} : rs_bytes_of(p, 128);
		*pos = 132;
	} else {
		d->warnings |= RS_DICOM_NO_PREAMBLE;
	}
	RS_TRY(is_meta(r, *pos, &meta));
	if (meta)
		return parse_meta(r, pos);
	d->warnings |= RS_DICOM_NO_META;
	return RS_OK;
}

static enum rs_code parse_file(struct reader *r)
{
	struct rs_dicom *d = r->dicom;
	size_t pos = 0;
	RS_TRY(parse_front(r, &pos));
	if (r->out_begin) {
		*r->out_begin = pos;
		return RS_OK;
	}
	if (pos == r->bytes.size && d->meta_count != 0) {
		d->bytes = r->bytes; /* a file of the meta group alone is whole */
		return RS_OK;
	}
	RS_TRY(choose_encoding(r, pos));
	if (d->encoding == RS_DICOM_DEFLATED_LE) {
		RS_TRY(r->window ? dicom_window_inflate(r->window, pos, &r->bytes.size, r->err)
		                 : inflate_rest(r, pos));
		pos = 0;
	}
	d->bytes = r->bytes;
	struct span span = {pos,
	                    r->bytes.size,
	                    RS_DICOM_NONE,
	                    0,
	                    d->encoding == RS_DICOM_DEFLATED_LE ? RS_DICOM_EXPLICIT_LE : d->encoding,
	                    0};
	return parse_elements(r, &span, &pos);
}

static enum rs_code parse(struct reader *r, struct rs_dicom *out)
{
	struct rs_dicom dicom = {0};
	r->dicom = &dicom;
	rs_arena_init(&dicom.kept, DICOM_KEPT_TOTAL_MAX);
	enum rs_code code = parse_file(r);
	if (code != RS_OK) {
		rs_dicom_finish(&dicom);
		return code;
	}
	*out = dicom;
	return RS_OK;
}

enum rs_code rs_dicom_parse(struct rs_bytes file, struct rs_dicom *out, struct rs_error *err)
{
	struct reader r = {.bytes = file, .err = err};
	return parse(&r, out);
}

enum rs_code rs_dicom_parse_header(struct rs_bytes file, struct rs_dicom *out, struct rs_error *err)
{
	struct reader r = {.bytes = file, .header_only = true, .err = err};
	return parse(&r, out);
}

enum rs_code rs_dicom_parse_front(struct rs_bytes start, struct rs_dicom *out, size_t *out_begin,
                                  struct rs_error *err)
{
	struct reader r = {.bytes = start, .out_begin = out_begin, .err = err};
	return parse(&r, out);
}

enum rs_code rs_dicom_scan(const struct rs_dicom_source *source, struct rs_dicom *out, struct rs_error *err)
{
	struct dicom_window window RS_CLEANUP(dicom_window_finish) = {.source = source};
	struct reader r = {.bytes = {NULL, (size_t)source->size}, .window = &window, .err = err};
	if (source->size > DICOM_SCANNED_MAX)
		return rs_error_set(err, RS_TOO_LARGE, "the file has %llu bytes",
		                    (unsigned long long)source->size);
	RS_TRY(dicom_window_init(&window, err));
	RS_TRY(parse(&r, out));
	out->bytes = (struct rs_bytes){NULL, 0};
	return RS_OK;
}

void rs_dicom_finish(struct rs_dicom *dicom)
{
	if (dicom == NULL)
		return;
	rs_free(dicom->elements);
	rs_free(dicom->inflated);
	rs_arena_finish(&dicom->kept);
	*dicom = (struct rs_dicom){0};
}
