/* Builds a data set and its Part 10 file (PS3.10 section 7.1), element by element. Sequences and items get
 * explicit lengths, patched in when they end. */
#include <string.h>
#include <zlib.h>

#include "dicom/dicom_private.h"

void rs_dicom_builder_init(struct rs_dicom_builder *b, enum rs_dicom_encoding encoding, size_t maximum)
{
	*b = (struct rs_dicom_builder){.encoding = encoding};
	rs_buffer_init(&b->body, maximum);
}

void rs_dicom_builder_finish(struct rs_dicom_builder *b)
{
	if (b != NULL)
		rs_buffer_finish(&b->body);
}

static uint8_t inner_encoding(const struct rs_dicom_builder *b)
{
	return (uint8_t)(b->encoding == RS_DICOM_DEFLATED_LE ? RS_DICOM_EXPLICIT_LE : b->encoding);
}

static bool begin_element(struct rs_dicom_builder *b, uint32_t tag, const char *vr, size_t size)
{
	struct rs_dicom_element e = {.tag = tag, .encoding = inner_encoding(b)};
	size_t stored = size + (size & 1);
	if (b->failure.code != RS_OK)
		return false;
	memcpy(e.vr, vr, strnlen(vr, 2));
	if (tag != RS_DICOM_ITEM && tag <= b->last_tag[b->depth])
		rs_error_set(&b->failure, RS_USAGE, "element (%04X,%04X) comes after a higher tag", tag >> 16,
		             tag & 0xFFFF);
	else if (stored >= UINT32_MAX || (vr[0] != '\0' && b->encoding != RS_DICOM_IMPLICIT_LE &&
	                                  rs_dicom_vr_is_short(vr) && stored > UINT16_MAX))
		rs_error_set(&b->failure, RS_TOO_LARGE, "element (%04X,%04X): %zu bytes do not fit VR %s",
		             tag >> 16, tag & 0xFFFF, size, vr);
	if (b->failure.code != RS_OK)
		return false;
	e.length = (uint32_t)stored;
	b->last_tag[b->depth] = tag == RS_DICOM_ITEM ? 0 : tag;
	rs_dicom_put_header(&b->body, &e);
	return true;
}

void rs_dicom_builder_bytes(struct rs_dicom_builder *b, uint32_t tag, const char *vr, struct rs_bytes value)
{
	bool binary = strcmp(vr, "UI") == 0 || vr[0] == 'O' || strcmp(vr, "UN") == 0;
	if (!begin_element(b, tag, vr, value.size))
		return;
	rs_buffer_append_bytes(&b->body, value);
	if ((value.size & 1) != 0)
		rs_buffer_append_u8(&b->body, binary ? 0 : ' ');
}

void rs_dicom_builder_text(struct rs_dicom_builder *b, uint32_t tag, const char *vr, const char *text)
{
	rs_dicom_builder_bytes(b, tag, vr, rs_bytes_of_str(rs_str_from(text)));
}

void rs_dicom_builder_words(struct rs_dicom_builder *b, uint32_t tag, const char *vr, const uint16_t *words,
                            size_t count)
{
	size_t size;
	if (!rs_mul_size(count, 2, &size)) {
		rs_error_set(&b->failure, RS_TOO_LARGE, "too many words");
		return;
	}
	if (!begin_element(b, tag, vr, size))
		return;
	for (size_t i = 0; i < count; i++) {
		uint8_t p[2];
		(b->encoding == RS_DICOM_EXPLICIT_BE ? rs_write_be16 : rs_write_le16)(p, words[i]);
		rs_buffer_append(&b->body, p, sizeof(p));
	}
}

void rs_dicom_builder_u16(struct rs_dicom_builder *b, uint32_t tag, uint16_t value)
{
	rs_dicom_builder_words(b, tag, "US", &value, 1);
}

void rs_dicom_builder_begin(struct rs_dicom_builder *b, uint32_t tag)
{
	if (b->depth >= RS_DICOM_DEPTH_MAX) {
		rs_error_set(&b->failure, RS_TOO_LARGE, "sequences are nested too deep");
		return;
	}
	if (!begin_element(b, tag, tag == RS_DICOM_ITEM ? "" : "SQ", 0))
		return;
	b->open[b->depth++] = b->body.size;
	b->last_tag[b->depth] = 0;
}

void rs_dicom_builder_end(struct rs_dicom_builder *b)
{
	if (b->failure.code != RS_OK || b->body.failed != RS_OK)
		return;
	if (b->depth == 0) {
		rs_error_set(&b->failure, RS_USAGE, "nothing is open to be ended");
		return;
	}
	size_t start = b->open[--b->depth];
	if (b->body.size - start >= UINT32_MAX) {
		rs_error_set(&b->failure, RS_TOO_LARGE, "a sequence exceeds 4 GiB");
		return;
	}
	(b->encoding == RS_DICOM_EXPLICIT_BE ? rs_write_be32 : rs_write_le32)(
		b->body.data + start - 4, (uint32_t)(b->body.size - start));
}

static enum rs_code deflate_body(const struct rs_dicom_builder *b, struct rs_buffer *out,
                                 struct rs_error *err)
{
	z_stream z = {.next_in = b->body.data, .avail_in = (uInt)b->body.size};
	uint8_t chunk[16384];
	int status = Z_OK;
	if (b->body.size > UINT32_MAX ||
	    deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return rs_error_set(err, RS_TOO_LARGE, "the data set cannot be deflated");
	while (status == Z_OK) {
		z.next_out = chunk;
		z.avail_out = sizeof(chunk);
		status = deflate(&z, Z_FINISH);
		rs_buffer_append(out, chunk, sizeof(chunk) - z.avail_out);
	}
	if ((z.total_out & 1) != 0) /* PS3.5 annex A.5: padded to even */
		rs_buffer_append_u8(out, 0);
	deflateEnd(&z);
	return RS_OK;
}

enum rs_code rs_dicom_put_meta(const char *sop_class_uid, const char *sop_instance_uid,
                               const char *transfer_syntax_uid, const char *implementation_uid,
                               struct rs_buffer *out, struct rs_error *err)
{
	static const uint8_t preamble[128];
	struct rs_dicom_builder meta RS_CLEANUP(rs_dicom_builder_finish) = {0};
	uint8_t length[4];
	rs_dicom_builder_init(&meta, RS_DICOM_EXPLICIT_LE, 4096);
	rs_dicom_builder_bytes(&meta, 0x00020001, "OB", rs_bytes_of("\0\1", 2));
	rs_dicom_builder_text(&meta, 0x00020002, "UI", sop_class_uid);
	rs_dicom_builder_text(&meta, 0x00020003, "UI", sop_instance_uid);
	rs_dicom_builder_text(&meta, 0x00020010, "UI", transfer_syntax_uid);
	if (implementation_uid)
		rs_dicom_builder_text(&meta, 0x00020012, "UI", implementation_uid);
	RS_TRY(rs_buffer_check(&meta.body, "the DICOM meta group", err));
	struct rs_dicom_element group = {
		.tag = 0x00020000, .vr = "UL", .length = 4, .encoding = RS_DICOM_EXPLICIT_LE};
	rs_buffer_append(out, preamble, sizeof(preamble));
	rs_buffer_append(out, "DICM", 4);
	rs_dicom_put_header(out, &group);
	rs_write_le32(length, (uint32_t)meta.body.size);
	rs_buffer_append(out, length, sizeof(length));
	rs_buffer_append_bytes(out, rs_buffer_bytes(&meta.body));
	return rs_buffer_check(out, "the DICOM meta group", err);
}

enum rs_code rs_dicom_builder_file(struct rs_dicom_builder *b, const char *sop_class_uid,
                                   const char *sop_instance_uid, struct rs_buffer *out, struct rs_error *err)
{
	static const char *const syntaxes[] = {"1.2.840.10008.1.2", "1.2.840.10008.1.2.1",
	                                       "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"};
	if (b->failure.code != RS_OK)
		return rs_error_set(err, b->failure.code, "%s", b->failure.message);
	if (b->depth != 0)
		return rs_error_set(err, RS_USAGE, "%zu sequences or items are still open", b->depth);
	RS_TRY(rs_buffer_check(&b->body, "the DICOM data set", err));
	RS_TRY(rs_dicom_put_meta(sop_class_uid, sop_instance_uid, syntaxes[b->encoding], NULL, out, err));
	if (b->encoding == RS_DICOM_DEFLATED_LE)
		RS_TRY(deflate_body(b, out, err));
	else
		rs_buffer_append_bytes(out, rs_buffer_bytes(&b->body));
	return rs_buffer_check(out, "the DICOM file", err);
}
