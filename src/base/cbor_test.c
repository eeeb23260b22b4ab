/* CBOR against the examples of RFC 8949: Appendix A (values and their encodings), Appendix F (what is
 * not well-formed) and §4.2.1 (order of keys). Then round trips of seeded values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "base/base.h"
#include "base/base_random.h"

static size_t from_hex(const char *hex, uint8_t *out)
{
	size_t size = strlen(hex) / 2;
	assert_true(size <= 256);
	assert_true(rs_hex_decode(rs_str_from(hex), out, size));
	return size;
}

static void assert_written(struct rs_buffer *out, const char *hex)
{
	char text[520];
	assert_int_equal(out->failed, RS_OK);
	assert_true(out->size < 256);
	rs_hex_encode(rs_buffer_bytes(out), text);
	assert_string_equal(text, hex);
	rs_buffer_clear(out);
}

static void assert_accepted(const char *hex)
{
	uint8_t bytes[256];
	struct rs_error err = {0};
	if (rs_cbor_check(rs_bytes_of(bytes, from_hex(hex, bytes)), &err) != RS_OK)
		fail_msg("%s: %s", hex, err.message);
}

static void assert_refused(const char *hex, const char *sentence)
{
	uint8_t bytes[256];
	struct rs_error err = {0};
	if (rs_cbor_check(rs_bytes_of(bytes, from_hex(hex, bytes)), &err) != RS_MALFORMED)
		fail_msg("%s was accepted", hex);
	assert_int_equal(err.code, RS_MALFORMED);
	assert_ptr_equal(strstr(err.message, "CBOR at byte "), err.message);
	if (!strstr(err.message, sentence))
		fail_msg("%s: \"%s\" does not say \"%s\"", hex, err.message, sentence);
}

static void open_hex(struct rs_cbor_reader *reader, const char *hex, uint8_t bytes[static 256])
{
	assert_int_equal(rs_cbor_reader_init(reader, rs_bytes_of(bytes, from_hex(hex, bytes)), NULL), RS_OK);
}

static void whole_numbers(void **state)
{
	static const struct {
		uint64_t value;
		const char *hex;
	} rows[] = {
		{0, "00"},
		{1, "01"},
		{10, "0a"},
		{23, "17"},
		{24, "1818"},
		{25, "1819"},
		{100, "1864"},
		{1000, "1903e8"},
		{1000000, "1a000f4240"},
		{255, "18ff"},
		{256, "190100"},
		{65535, "19ffff"},
		{65536, "1a00010000"},
		{UINT32_MAX, "1affffffff"},
		{UINT64_C(4294967296), "1b0000000100000000"},
		{UINT64_C(1000000000000), "1b000000e8d4a51000"},
		{UINT64_MAX, "1bffffffffffffffff"},
	};
	struct rs_buffer out;
	(void)state;
	rs_buffer_init(&out, 100);
	for (size_t i = 0; i < RS_COUNT(rows); i++) {
		struct rs_cbor_reader reader;
		uint8_t bytes[256];
		uint64_t value;
		int64_t narrow = -7;
		rs_cbor_write_u64(&out, rows[i].value);
		assert_written(&out, rows[i].hex);
		open_hex(&reader, rows[i].hex, bytes);
		bool fits = rows[i].value <= INT64_MAX;
		assert_int_equal(rs_cbor_read_i64(&reader, "x", &narrow, NULL), fits ? RS_OK : RS_MALFORMED);
		assert_int_equal(narrow, fits ? (int64_t)rows[i].value : -7);
		open_hex(&reader, rows[i].hex, bytes);
		assert_int_equal(rs_cbor_read_u64(&reader, "x", &value, NULL), RS_OK);
		assert_true(value == rows[i].value && rs_cbor_at_end(&reader));
	}
	rs_buffer_finish(&out);
}

static void negative_numbers(void **state)
{
	static const struct {
		int64_t value;
		const char *hex;
	} rows[] = {
		{-1, "20"},
		{-10, "29"},
		{-24, "37"},
		{-25, "3818"},
		{-100, "3863"},
		{-256, "38ff"},
		{-257, "390100"},
		{-1000, "3903e7"},
		{INT64_MIN, "3b7fffffffffffffff"},
		{INT32_MIN, "3a7fffffff"},
		{5, "05"},
	};
	struct rs_buffer out;
	(void)state;
	rs_buffer_init(&out, 100);
	for (size_t i = 0; i < RS_COUNT(rows); i++) {
		struct rs_cbor_reader reader;
		uint8_t bytes[256];
		int64_t value;
		rs_cbor_write_i64(&out, rows[i].value);
		assert_written(&out, rows[i].hex);
		open_hex(&reader, rows[i].hex, bytes);
		assert_int_equal(rs_cbor_read_i64(&reader, "x", &value, NULL), RS_OK);
		assert_true(value == rows[i].value);
	}
	/* Appendix A has two more that no int64_t holds; the reader's door could not return them. */
	assert_refused("3bffffffffffffffff", "more than 64 bits");
	assert_refused("3b8000000000000000", "more than 64 bits");
	rs_buffer_finish(&out);
}

static void floating_point(void **state)
{
	static const struct {
		double value;
		const char *hex;
	} rows[] = {
		{0.0, "f90000"},
		{-0.0, "f98000"},
		{1.0, "f93c00"},
		{1.5, "f93e00"},
		{65504.0, "f97bff"},
		{-4.0, "f9c400"},
		{5.960464477539063e-8, "f90001"},
		{0.00006103515625, "f90400"},
		{100000.0, "fa47c35000"},
		{3.4028234663852886e+38, "fa7f7fffff"},
		{1.1, "fb3ff199999999999a"},
		{1.0e+300, "fb7e37e43c8800759c"},
		{-4.1, "fbc010666666666666"},
		{(double)INFINITY, "f97c00"},
		{(double)NAN, "f97e00"},
		{-(double)INFINITY, "f9fc00"},
	};
	struct rs_buffer out;
	(void)state;
	rs_buffer_init(&out, 100);
	for (size_t i = 0; i < RS_COUNT(rows); i++) {
		struct rs_cbor_reader reader;
		uint8_t bytes[256];
		double value;
		rs_cbor_write_f64(&out, rows[i].value);
		assert_written(&out, rows[i].hex);
		open_hex(&reader, rows[i].hex, bytes);
		assert_int_equal(rs_cbor_read_f64(&reader, "x", &value, NULL), RS_OK);
		if (isnan(rows[i].value))
			assert_true(isnan(value));
		else
			assert_memory_equal(&value, &rows[i].value, sizeof value);
	}
	/* Appendix A shows the infinities and NaN in longer forms too; only one is deterministic. */
	static const char *const longer[] = {
		"fa7f800000",         "fa7fc00000", "faff800000", "fb7ff0000000000000", "fb7ff8000000000000",
		"fbfff0000000000000", "f97e01",     "f9fe00",     "fa3fc00000",         "fb3ff8000000000000",
		"fb40f86a0000000000"};
	for (size_t i = 0; i < RS_COUNT(longer); i++)
		assert_refused(longer[i], "shortest");
	rs_buffer_finish(&out);
}

/* All 65 536 half-precision numbers: each is its own shortest form, but for the other NaNs. */
static void every_half(void **state)
{
	struct rs_buffer out;
	(void)state;
	rs_buffer_init(&out, 16);
	for (unsigned bits = 0; bits <= UINT16_MAX; bits++) {
		uint8_t bytes[3] = {0xf9, (uint8_t)(bits >> 8), (uint8_t)bits};
		bool other_nan = (bits & 0x7c00) == 0x7c00 && (bits & 0x3ff) && bits != 0x7e00;
		struct rs_cbor_reader reader;
		double value;
		enum rs_code code = rs_cbor_reader_init(&reader, rs_bytes_of(bytes, 3), NULL);
		assert_int_equal(code, other_nan ? RS_MALFORMED : RS_OK);
		if (other_nan)
			continue;
		assert_int_equal(rs_cbor_read_f64(&reader, "x", &value, NULL), RS_OK);
		rs_cbor_write_f64(&out, value);
		assert_int_equal(out.size, 3);
		assert_memory_equal(out.data, bytes, 3);
		rs_buffer_clear(&out);
	}
	rs_buffer_finish(&out);
}

static void strings_and_simple(void **state)
{
	static const char *const texts[][2] = {{"", "60"},
	                                       {"a", "6161"},
	                                       {"IETF", "6449455446"},
	                                       {"\"\\", "62225c"},
	                                       {"\xc3\xbc", "62c3bc"},
	                                       {"\xe6\xb0\xb4", "63e6b0b4"},
	                                       {"\xf0\x90\x85\x91", "64f0908591"}};
	struct rs_buffer out;
	(void)state;
	rs_buffer_init(&out, 100);
	for (size_t i = 0; i < RS_COUNT(texts); i++) {
		struct rs_cbor_reader reader;
		uint8_t bytes[256];
		struct rs_str value;
		rs_cbor_write_str(&out, rs_str_from(texts[i][0]));
		assert_written(&out, texts[i][1]);
		open_hex(&reader, texts[i][1], bytes);
		assert_int_equal(rs_cbor_read_str(&reader, "x", &value, NULL), RS_OK);
		assert_true(rs_str_equal_text(value, texts[i][0]));
	}
	rs_cbor_write_bytes(&out, rs_bytes_of("", 0));
	assert_written(&out, "40");
	rs_cbor_write_bytes(&out, rs_bytes_of("\1\2\3\4", 4));
	assert_written(&out, "4401020304");
	rs_cbor_write_bool(&out, false);
	assert_written(&out, "f4");
	rs_cbor_write_bool(&out, true);
	assert_written(&out, "f5");
	rs_cbor_write_null(&out);
	assert_written(&out, "f6");
	rs_cbor_write_tag(&out, 1);
	rs_cbor_write_u64(&out, 1363896240);
	assert_written(&out, "c11a514b67b0");
	rs_buffer_finish(&out);
}

static void collections(void **state)
{
	struct rs_buffer out;
	(void)state;
	rs_buffer_init(&out, 100);
	rs_cbor_write_array(&out, 3);
	rs_cbor_write_u64(&out, 1);
	for (uint64_t i = 2; i <= 4; i += 2) {
		rs_cbor_write_array(&out, 2);
		rs_cbor_write_u64(&out, i);
		rs_cbor_write_u64(&out, i + 1);
	}
	assert_written(&out, "8301820203820405");
	rs_cbor_write_array(&out, 25);
	for (uint64_t i = 1; i <= 25; i++)
		rs_cbor_write_u64(&out, i);
	assert_written(&out, "98190102030405060708090a0b0c0d0e0f101112131415161718181819");
	rs_cbor_write_map(&out, 2);
	rs_cbor_write_str(&out, RS_STR("a"));
	rs_cbor_write_u64(&out, 1);
	rs_cbor_write_str(&out, RS_STR("b"));
	rs_cbor_write_array(&out, 2);
	rs_cbor_write_u64(&out, 2);
	rs_cbor_write_u64(&out, 3);
	assert_written(&out, "a26161016162820203");
	rs_buffer_finish(&out);
}

/* The rest of Appendix A: what is deterministic is accepted, what is not is refused. */
static void appendix_a(void **state)
{
	static const char *const accepted[] = {
		"80",
		"a0",
		"83010203",
		"a201020304",
		"826161a161626163",
		"a56161614161626142616361436164614461656145",
		"c249010000000000000000",
		"c349010000000000000000",
		"c074323031332d30332d32315432303a30343a30305a",
		"c1fb41d452d9e8200000",
		"d74401020304",
		"d818456449455446",
		"d82076687474703a2f2f7777772e6578616d706c652e636f6d",
	};
	static const char *const indefinite[] = {
		"5f42010243030405ff",
		"7f657374726561646d696e67ff",
		"9fff",
		"9f018202039f0405ffff",
		"9f01820203820405ff",
		"83018202039f0405ff",
		"83019f0203ff820405",
		"9f0102030405060708090a0b0c0d0e0f101112131415161718181819ff",
		"bf61610161629f0203ffff",
		"826161bf61626163ff",
		"bf6346756ef563416d7421ff",
	};
	static const char *const unused[] = {"f7", "f0", "f8ff", "e0", "f3", "f800", "f818", "f81f", "f820"};
	(void)state;
	for (size_t i = 0; i < RS_COUNT(accepted); i++)
		assert_accepted(accepted[i]);
	for (size_t i = 0; i < RS_COUNT(indefinite); i++)
		assert_refused(indefinite[i], "indefinite");
	for (size_t i = 0; i < RS_COUNT(unused); i++)
		assert_refused(unused[i], "only false, true, null");
}

static void not_well_formed(void **state)
{
	static const char *const cut_off[] = {
		"",
		"18",
		"19",
		"1a",
		"1b",
		"1901",
		"1a0102",
		"1b01020304050607",
		"38",
		"58",
		"78",
		"98",
		"9a01ff00",
		"b8",
		"d8",
		"f8",
		"f900",
		"fa0000",
		"fb000000",
		"41",
		"61",
		"5affffffff00",
		"5bffffffffffffffff010203",
		"7affffffff00",
		"7b7fffffffffffffff010203",
		"81",
		"818181818181818181",
		"8200",
		"a1",
		"a20102",
		"a100",
		"a2000000",
		"c0",
		"9bffffffffffffffff",
		"bbffffffffffffffff",
		"9affffffff00",
		"5bffffffffffffffff",
	};
	static const char *const reserved[] = {"1c", "1d", "1e", "3c", "3d", "3e", "5c", "5d",
	                                       "5e", "7c", "7d", "7e", "9c", "9d", "9e", "bc",
	                                       "bd", "be", "dc", "dd", "de", "fc", "fd", "fe"};
	(void)state;
	for (size_t i = 0; i < RS_COUNT(cut_off); i++)
		assert_refused(cut_off[i], "");
	for (size_t i = 0; i < RS_COUNT(reserved); i++)
		assert_refused(reserved[i], "reserved");
	assert_refused("ff", "indefinite");
	assert_refused("0000", "at byte 1: bytes follow");
	assert_refused("a0f6", "at byte 1: bytes follow");
}

static void longer_than_needed(void **state)
{
	static const char *const rows[] = {"1800",
	                                   "1817",
	                                   "190000",
	                                   "1900ff",
	                                   "1a00000000",
	                                   "1a0000ffff",
	                                   "1b0000000000000000",
	                                   "1b00000000ffffffff",
	                                   "3817",
	                                   "3900ff",
	                                   "5800",
	                                   "5900ff",
	                                   "7800",
	                                   "780161",
	                                   "9800",
	                                   "b800",
	                                   "d80000",
	                                   "d81700",
	                                   "9b0000000000000000",
	                                   "830102190003"};
	(void)state;
	for (size_t i = 0; i < RS_COUNT(rows); i++)
		assert_refused(rows[i], "shortest");
	assert_refused("830102190003", "at byte 3");
}

/* §4.2.1 lists these keys in their order: 10, 100, -1, "z", "aa", [100], [-1], false. */
static void order_of_keys(void **state)
{
	static const char *const keys[] = {"0a", "1864", "20", "617a", "626161", "811864", "8120", "f4"};
	(void)state;
	for (size_t i = 0; i < RS_COUNT(keys); i++)
		for (size_t k = 0; k < RS_COUNT(keys); k++) {
			char hex[64] = "a2";
			strncat(hex, keys[i], 16);
			strncat(hex, "00", 3);
			strncat(hex, keys[k], 16);
			strncat(hex, "00", 3);
			if (i < k)
				assert_accepted(hex);
			else
				assert_refused(hex, "out of order or stand twice");
		}
	assert_refused("a16161a2026001f6", "at byte 6: map keys");
}

static void refuses_bad_text(void **state)
{
	static const char *const rows[] = {"61ff",       "62c328", "62c080",   "63eda080",
	                                   "64f4908080", "61c3",   "63e28228", "64f8888080"};
	(void)state;
	for (size_t i = 0; i < RS_COUNT(rows); i++)
		assert_refused(rows[i], "UTF-8");
}

static void depth_ends(void **state)
{
	static const uint8_t containers[][2] = {{0x81, 1}, {0xc1, 1}, {0xa1, 2}};
	(void)state;
	for (size_t kind = 0; kind < RS_COUNT(containers); kind++)
		for (size_t depth = 1; depth <= 40; depth++) {
			uint8_t bytes[100];
			size_t size = 0;
			for (size_t i = 0; i < depth; i++) {
				bytes[size++] = containers[kind][0];
				if (containers[kind][1] == 2)
					bytes[size++] = 0;
			}
			bytes[size++] = 0;
			assert_int_equal(rs_cbor_check(rs_bytes_of(bytes, size), NULL),
			                 depth <= RS_CBOR_DEPTH_MAX ? RS_OK : RS_MALFORMED);
		}
	/* A megabyte of openings must end at the limit, not at the end of the stack. */
	uint8_t *deep = rs_allocate(1 << 20);
	assert_non_null(deep);
	memset(deep, 0x81, 1 << 20);
	assert_int_equal(rs_cbor_check(rs_bytes_of(deep, 1 << 20), NULL), RS_MALFORMED);
	rs_free(deep);
}

static void wrong_kinds_name_the_field(void **state)
{
	static const char hex[] = "a3006161014101028101"; /* {0: "a", 1: h'01', 2: [1]} */
	struct rs_cbor_reader reader;
	struct rs_error err = {0};
	uint8_t bytes[256], fixed[2] = {9, 9};
	uint64_t number = 77;
	size_t count;
	struct rs_bytes item;
	bool flag = true;
	double real = 2.5;
	(void)state;
	open_hex(&reader, hex, bytes);
	assert_int_equal(rs_cbor_read_array(&reader, "rows", &count, &err), RS_MALFORMED);
	assert_string_equal(err.message, "rows: an array is needed at byte 0");
	assert_int_equal(rs_cbor_read_map(&reader, "rows", &count, &err), RS_OK);
	assert_int_equal(count, 3);
	assert_int_equal(rs_cbor_read_bool(&reader, "flag", &flag, &err), RS_MALFORMED);
	assert_int_equal(rs_cbor_read_null(&reader, "nothing", &err), RS_MALFORMED);
	assert_int_equal(rs_cbor_read_f64(&reader, "real", &real, &err), RS_MALFORMED);
	assert_int_equal(rs_cbor_read_tag(&reader, "tag", &number, &err), RS_MALFORMED);
	assert_true(flag && number == 77 && real == 2.5 && reader.position == 1);
	assert_int_equal(rs_cbor_read_u64(&reader, "key", &number, &err), RS_OK);
	assert_int_equal(rs_cbor_read_bytes(&reader, "value", &item, &err), RS_MALFORMED);
	assert_int_equal(rs_cbor_skip(&reader, &item, &err), RS_OK);
	assert_memory_equal(item.data, "aa", 2);
	assert_int_equal(rs_cbor_skip(&reader, NULL, &err), RS_OK);
	assert_int_equal(rs_cbor_read_fixed(&reader, "digest", fixed, 2, &err), RS_MALFORMED);
	assert_string_equal(err.message, "digest: has 1 bytes, 2 are needed");
	assert_true(fixed[0] == 9 && fixed[1] == 9);
}

/* Seeded values of all kinds. Maps use ascending keys. */
static void write_random(struct rs_buffer *out, const struct rs_world *world, unsigned depth)
{
	uint8_t dice[10];
	uint64_t bits;
	double real;
	assert_int_equal(rs_world_random(world, dice, sizeof dice, NULL), RS_OK);
	bits = rs_read_be64(dice + 2) >> dice[1] % 64;
	memcpy(&real, &bits, sizeof real);
	switch (depth > 5 ? dice[0] % 7 : dice[0] % 10) {
	case 0: rs_cbor_write_u64(out, bits); break;
	case 1: rs_cbor_write_i64(out, -(int64_t)(bits >> 1)); break;
	case 2: rs_cbor_write_bytes(out, rs_bytes_of(dice, dice[1] % 11)); break;
	case 3: rs_cbor_write_str(out, rs_str_from("\xc3\xa9 text")); break;
	case 4: rs_cbor_write_bool(out, dice[1] & 1); break;
	case 5: rs_cbor_write_null(out); break;
	case 6: rs_cbor_write_f64(out, dice[1] & 1 ? real : (double)(int32_t)bits / 8); break;
	case 7:
		rs_cbor_write_tag(out, bits);
		write_random(out, world, depth + 1);
		break;
	case 8:
		rs_cbor_write_array(out, dice[1] % 5);
		for (unsigned i = 0; i < dice[1] % 5u; i++)
			write_random(out, world, depth + 1);
		break;
	default:
		rs_cbor_write_map(out, dice[1] % 5);
		for (unsigned i = 0; i < dice[1] % 5u; i++) {
			rs_cbor_write_u64(out, i * 20);
			write_random(out, world, depth + 1);
		}
	}
}

static enum rs_code copy_item(struct rs_cbor_reader *reader, struct rs_buffer *out);

static enum rs_code copy_items(struct rs_cbor_reader *reader, struct rs_buffer *out, size_t count)
{
	for (size_t i = 0; i < count; i++)
		RS_TRY(copy_item(reader, out));
	return RS_OK;
}

/* Reads an item by the read functions and writes it by the write functions. */
static enum rs_code copy_item(struct rs_cbor_reader *reader, struct rs_buffer *out)
{
	enum rs_cbor_kind kind;
	uint64_t u;
	int64_t i;
	struct rs_bytes bytes;
	struct rs_str text;
	size_t count;
	bool flag;
	double real;
	RS_TRY(rs_cbor_peek(reader, &kind, NULL));
	switch (kind) {
	case RS_CBOR_UNSIGNED:
		RS_TRY(rs_cbor_read_u64(reader, "", &u, NULL));
		rs_cbor_write_u64(out, u);
		break;
	case RS_CBOR_NEGATIVE:
		RS_TRY(rs_cbor_read_i64(reader, "", &i, NULL));
		rs_cbor_write_i64(out, i);
		break;
	case RS_CBOR_BYTES:
		RS_TRY(rs_cbor_read_bytes(reader, "", &bytes, NULL));
		rs_cbor_write_bytes(out, bytes);
		break;
	case RS_CBOR_TEXT:
		RS_TRY(rs_cbor_read_str(reader, "", &text, NULL));
		rs_cbor_write_str(out, text);
		break;
	case RS_CBOR_ARRAY:
		RS_TRY(rs_cbor_read_array(reader, "", &count, NULL));
		rs_cbor_write_array(out, count);
		return copy_items(reader, out, count);
	case RS_CBOR_MAP:
		RS_TRY(rs_cbor_read_map(reader, "", &count, NULL));
		rs_cbor_write_map(out, count);
		return copy_items(reader, out, 2 * count);
	case RS_CBOR_TAG:
		RS_TRY(rs_cbor_read_tag(reader, "", &u, NULL));
		rs_cbor_write_tag(out, u);
		return copy_item(reader, out);
	case RS_CBOR_BOOL:
		RS_TRY(rs_cbor_read_bool(reader, "", &flag, NULL));
		rs_cbor_write_bool(out, flag);
		break;
	case RS_CBOR_NULL:
		RS_TRY(rs_cbor_read_null(reader, "", NULL));
		rs_cbor_write_null(out);
		break;
	case RS_CBOR_FLOAT:
		RS_TRY(rs_cbor_read_f64(reader, "", &real, NULL));
		rs_cbor_write_f64(out, real);
		break;
	}
	return RS_OK;
}

static bool copies_to_itself(struct rs_bytes input, struct rs_buffer *scratch)
{
	struct rs_cbor_reader reader;
	rs_buffer_clear(scratch);
	if (rs_cbor_reader_init(&reader, input, NULL) != RS_OK)
		return false;
	assert_int_equal(copy_item(&reader, scratch), RS_OK);
	assert_true(rs_cbor_at_end(&reader));
	return rs_bytes_equal(rs_buffer_bytes(scratch), input);
}

/* One value, one byte string: every flipped bit is refused, or is a value that again writes itself. */
static void flips_are_refused_or_other_values(void **state)
{
	const struct rs_world *world = *state;
	struct rs_buffer out, scratch;
	unsigned refused = 0, other = 0;
	rs_buffer_init(&out, 1 << 20);
	rs_buffer_init(&scratch, 1 << 20);
	for (int round = 0; round < 3000; round++) {
		rs_buffer_clear(&out);
		write_random(&out, world, 0);
		assert_int_equal(out.failed, RS_OK);
		assert_true(copies_to_itself(rs_buffer_bytes(&out), &scratch));
		for (size_t bit = 0; bit < 8 * out.size && bit < 2000; bit++) {
			out.data[bit / 8] = (uint8_t)(out.data[bit / 8] ^ 1u << bit % 8);
			if (rs_cbor_check(rs_buffer_bytes(&out), NULL) != RS_OK) {
				refused++;
			} else {
				assert_true(copies_to_itself(rs_buffer_bytes(&out), &scratch));
				other++;
			}
			out.data[bit / 8] = (uint8_t)(out.data[bit / 8] ^ 1u << bit % 8);
		}
	}
	assert_true(refused > 1000 && other > 1000);
	print_message("# %u flips refused, %u are other values\n", refused, other);
	rs_buffer_finish(&out);
	rs_buffer_finish(&scratch);
}

static void full_buffer_is_told(void **state)
{
	struct rs_buffer out;
	(void)state;
	rs_buffer_init(&out, 4);
	rs_cbor_write_u64(&out, 1000000);
	assert_int_equal(out.size, 0);
	assert_int_equal(rs_buffer_check(&out, "a record", NULL), RS_TOO_LARGE);
	rs_buffer_finish(&out);
}

/* The same in every run. */
static enum rs_code seeded_fill(const struct rs_random *random, void *out, size_t size, struct rs_error *err)
{
	static struct rs_stream stream = {2026};
	uint8_t *p = out;
	(void)random;
	(void)err;
	for (size_t i = 0; i < size; i++)
		p[i] = (uint8_t)(rs_stream_next(&stream) >> 56);
	return RS_OK;
}

int main(void)
{
	static const struct rs_random random = {seeded_fill};
	static struct rs_world world = {.random = &random};
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_numbers),
		cmocka_unit_test(negative_numbers),
		cmocka_unit_test(floating_point),
		cmocka_unit_test(every_half),
		cmocka_unit_test(strings_and_simple),
		cmocka_unit_test(collections),
		cmocka_unit_test(appendix_a),
		cmocka_unit_test(not_well_formed),
		cmocka_unit_test(longer_than_needed),
		cmocka_unit_test(order_of_keys),
		cmocka_unit_test(refuses_bad_text),
		cmocka_unit_test(depth_ends),
		cmocka_unit_test(wrong_kinds_name_the_field),
		cmocka_unit_test_prestate(flips_are_refused_or_other_values, &world),
		cmocka_unit_test(full_buffer_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
