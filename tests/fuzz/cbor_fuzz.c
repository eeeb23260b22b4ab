/* Deterministic CBOR: what is accepted can be walked, every item checks alone, and what the read
 * functions return makes the write functions write the same bytes. */
#include <assert.h>

#include "base/base.h"

#define MUST(expression) assert((expression) == RS_OK)

static void copy_item(struct rs_cbor_reader *reader, struct rs_buffer *out);

static void copy_number(struct rs_cbor_reader *reader, struct rs_buffer *out, enum rs_cbor_kind kind)
{
	uint64_t u = 0;
	int64_t i = 0;
	double real = 0;
	if (kind == RS_CBOR_UNSIGNED) {
		MUST(rs_cbor_read_u64(reader, "number", &u, NULL));
		rs_cbor_write_u64(out, u);
	} else if (kind == RS_CBOR_NEGATIVE) {
		MUST(rs_cbor_read_i64(reader, "number", &i, NULL));
		assert(i < 0);
		rs_cbor_write_i64(out, i);
	} else {
		MUST(rs_cbor_read_f64(reader, "number", &real, NULL));
		rs_cbor_write_f64(out, real);
	}
}

static void copy_plain(struct rs_cbor_reader *reader, struct rs_buffer *out, enum rs_cbor_kind kind)
{
	struct rs_bytes bytes = {0};
	struct rs_str text = {0};
	bool flag = false;
	if (kind == RS_CBOR_BYTES) {
		MUST(rs_cbor_read_bytes(reader, "bytes", &bytes, NULL));
		rs_cbor_write_bytes(out, bytes);
	} else if (kind == RS_CBOR_TEXT) {
		MUST(rs_cbor_read_str(reader, "text", &text, NULL));
		assert(rs_utf8_valid(text));
		rs_cbor_write_str(out, text);
	} else if (kind == RS_CBOR_BOOL) {
		MUST(rs_cbor_read_bool(reader, "flag", &flag, NULL));
		rs_cbor_write_bool(out, flag);
	} else {
		MUST(rs_cbor_read_null(reader, "null", NULL));
		rs_cbor_write_null(out);
	}
}

static void copy_collection(struct rs_cbor_reader *reader, struct rs_buffer *out, enum rs_cbor_kind kind)
{
	size_t count = 0;
	uint64_t tag = 0;
	if (kind == RS_CBOR_ARRAY) {
		MUST(rs_cbor_read_array(reader, "array", &count, NULL));
		rs_cbor_write_array(out, count);
	} else if (kind == RS_CBOR_MAP) {
		MUST(rs_cbor_read_map(reader, "map", &count, NULL));
		rs_cbor_write_map(out, count);
		count *= 2;
	} else {
		MUST(rs_cbor_read_tag(reader, "tag", &tag, NULL));
		rs_cbor_write_tag(out, tag);
		count = 1;
	}
	for (size_t i = 0; i < count; i++)
		copy_item(reader, out);
}

static void copy_item(struct rs_cbor_reader *reader, struct rs_buffer *out)
{
	enum rs_cbor_kind kind = RS_CBOR_NULL;
	struct rs_cbor_reader ahead = *reader;
	struct rs_bytes item = {0};
	MUST(rs_cbor_peek(reader, &kind, NULL));
	MUST(rs_cbor_skip(&ahead, &item, NULL));
	MUST(rs_cbor_check(item, NULL));
	if (kind == RS_CBOR_UNSIGNED || kind == RS_CBOR_NEGATIVE || kind == RS_CBOR_FLOAT)
		copy_number(reader, out, kind);
	else if (kind == RS_CBOR_ARRAY || kind == RS_CBOR_MAP || kind == RS_CBOR_TAG)
		copy_collection(reader, out, kind);
	else
		copy_plain(reader, out, kind);
	assert(reader->position == ahead.position);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rs_bytes input = rs_bytes_of(data, size);
	struct rs_buffer again RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_cbor_reader reader;
	struct rs_error err = {0};
	enum rs_code code = rs_cbor_reader_init(&reader, input, &err);
	assert(rs_cbor_check(input, NULL) == code);
	if (code != RS_OK) {
		assert(code == RS_MALFORMED && err.message[0]);
		return 0;
	}
	rs_buffer_init(&again, size);
	copy_item(&reader, &again);
	assert(rs_cbor_at_end(&reader) && again.failed == RS_OK);
	assert(rs_bytes_equal(rs_buffer_bytes(&again), input));
	return 0;
}
