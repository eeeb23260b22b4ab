/* Transactions read as strictly as they are written: entries put together by hand from RFC 8949 and RFC 9052, with one
 * thing wrong at a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "contract/contract.h"

/* A transaction that revokes a member, in hexadecimal digits: the payload, then what is around it. */
#define ID     \
	"0350" \
	"00112233445566778899aabbccddeeff"
#define KEY    \
	"5820" \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HEADER \
	"a2"   \
	"01"   \
	"27"   \
	"04" KEY
#define REVOKE               \
	"a5"                 \
	"0101"               \
	"0203" ID "041903e8" \
	"05"                 \
	"a1"                 \
	"02" KEY

struct parts {
	const char *header, *payload, *between; /* between header and payload */
	uint64_t tag;
	size_t items, signature_size;
};
static const struct parts good = {HEADER, REVOKE, "a0", 18, 4, RS_SIGNATURE_SIZE};

static void append_hex(struct rs_buffer *out, const char *digits)
{
	uint8_t bytes[4096];
	size_t size = strlen(digits) / 2;
	assert_true(rs_hex_decode(rs_str_from(digits), bytes, size));
	rs_buffer_append(out, bytes, size);
}

static void append_bytes_of_hex(struct rs_buffer *out, const char *digits)
{
	struct rs_buffer bytes RS_CLEANUP(rs_buffer_finish) = {0};
	rs_buffer_init(&bytes, 4096);
	append_hex(&bytes, digits);
	rs_cbor_write_bytes(out, rs_buffer_bytes(&bytes));
}

static void put_together(const struct parts *parts, struct rs_buffer *out)
{
	static const uint8_t signature[80];
	rs_buffer_init(out, 8192);
	rs_cbor_write_tag(out, parts->tag);
	rs_cbor_write_array(out, parts->items);
	append_bytes_of_hex(out, parts->header);
	append_hex(out, parts->between);
	append_bytes_of_hex(out, parts->payload);
	rs_cbor_write_bytes(out, rs_bytes_of(signature, parts->signature_size));
	for (size_t i = 4; i < parts->items; i++)
		rs_cbor_write_null(out);
}

static void is_refused(const struct parts *parts, enum rs_code code, const char *words)
{
	struct rs_buffer entry RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_act act = {.time_ms = 77};
	struct rs_error err = {0};
	put_together(parts, &entry);
	enum rs_code found = rs_transaction_parse(rs_buffer_bytes(&entry), &act, &err);
	if (found != code || !strstr(err.message, words))
		fail_msg("%s: '%s' is not in '%s'", rs_code_name(found), words, err.message);
	assert_int_equal(act.time_ms, 77);
}

static void what_is_put_together_by_hand_is_read(void **state)
{
	struct rs_buffer entry RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_act act;
	struct rs_error err = {0};
	(void)state;
	put_together(&good, &entry);
	if (rs_transaction_parse(rs_buffer_bytes(&entry), &act, &err) != RS_OK)
		fail_msg("%s", err.message);
	assert_int_equal(act.type, RS_TRANSACTION_MEMBER_REVOKE);
	assert_true(act.time_ms == 1000 && act.id[1] == 0x11 && act.member.bytes[31] == 0xaa);
	assert_int_equal(rs_transaction_verify(rs_buffer_bytes(&entry), &act, &err), RS_ALTERED);
}

static void what_is_around_the_payload_is_exact(void **state)
{
	struct parts parts = good;
	(void)state;
	parts.tag = 98;
	is_refused(&parts, RS_MALFORMED, "no COSE_Sign1");
	parts = good, parts.items = 5;
	is_refused(&parts, RS_MALFORMED, "no COSE_Sign1");
	parts = good, parts.between = "a10101";
	is_refused(&parts, RS_MALFORMED, "unprotected header: it must be empty");
	parts = good, parts.signature_size = 63;
	is_refused(&parts, RS_MALFORMED, "signature: 64 bytes");
	parts = good, parts.header = "a10127";
	is_refused(&parts, RS_MALFORMED, "an algorithm and a key");
	parts = good, parts.header = "a2"
				     "01"
				     "26"
				     "04" KEY; /* ES256 */
	is_refused(&parts, RS_UNSUPPORTED, "algorithm -7");
	parts = good, parts.header = "a2"
				     "01"
				     "27"
				     "05" KEY;
	is_refused(&parts, RS_MALFORMED, "5 stands where 4 must");
}

static void payloads_are_exact(void **state)
{
	static const struct {
		const char *payload;
		enum rs_code code;
		const char *words;
	} cases[] = {
		{"a4"
	         "0101"
	         "0203" ID "041903e8",
	         RS_MALFORMED, "five fields"},
		{"a5"
	         "0102"
	         "0203" ID "041903e8"
	         "05"
	         "a1"
	         "02" KEY,
	         RS_MALFORMED, "version: 2 stands where 1"},
		{"a5"
	         "0101"
	         "0218ff" ID "041903e8"
	         "05"
	         "a1"
	         "02" KEY,
	         RS_UNSUPPORTED, "type: unknown"},
		{"a5"
	         "0101"
	         "0200" ID "041903e8"
	         "05"
	         "a1"
	         "02" KEY,
	         RS_UNSUPPORTED, "type: unknown"},
		{"a5"
	         "0101"
	         "0203"
	         "034100"
	         "041903e8"
	         "05"
	         "a1"
	         "02" KEY,
	         RS_MALFORMED, "id"},
		{"a5"
	         "0101"
	         "0203" ID "041903e8"
	         "05"
	         "a0",
	         RS_MALFORMED, "a field of member-revoke is missing"},
		{"a5"
	         "0101"
	         "0203" ID "041903e8"
	         "05"
	         "a2"
	         "02" KEY "0301",
	         RS_MALFORMED, "field 3 does not belong to member-revoke"},
		{"a5"
	         "0101"
	         "0203" ID "041903e8"
	         "05"
	         "a2"
	         "02" KEY "1863"
	         "01",
	         RS_MALFORMED, "field 99 does not belong"},
		/* organisation-add: an empty name */
		{"a5"
	         "0101"
	         "0201" ID "041903e8"
	         "05"
	         "a2"
	         "0160"
	         "02" KEY,
	         RS_MALFORMED, "organisation: 1 to"},
		/* member-grant: a role that is none, a period that ends before it begins */
		{"a5"
	         "0101"
	         "0202" ID "041903e8"
	         "05"
	         "a4"
	         "016141"
	         "02" KEY "0309"
	         "0401",
	         RS_MALFORMED, "role: unknown"},
		{"a5"
	         "0101"
	         "0202" ID "041903e8"
	         "05"
	         "a5"
	         "016141"
	         "02" KEY "0301"
	         "0405"
	         "0505",
	         RS_MALFORMED, "until: not after from"},
		/* object-register: kind, instances, parents */
		{"a5"
	         "0101"
	         "0206" ID "041903e8"
	         "05"
	         "a4"
	         "016141"
	         "0600"
	         "07" KEY "0801",
	         RS_MALFORMED, "kind: unknown"},
		{"a5"
	         "0101"
	         "0206" ID "041903e8"
	         "05"
	         "a4"
	         "016141"
	         "0601"
	         "07" KEY "0800",
	         RS_MALFORMED, "instances: at least 1"},
		{"a5"
	         "0101"
	         "0206" ID "041903e8"
	         "05"
	         "a5"
	         "016141"
	         "0601"
	         "07" KEY "0801"
	         "0a40",
	         RS_MALFORMED, "parents: 1 to 64"},
		{"a5"
	         "0101"
	         "0206" ID "041903e8"
	         "05"
	         "a5"
	         "016141"
	         "0601"
	         "07" KEY "0801"
	         "0a4100",
	         RS_MALFORMED, "parents: 1 to 64"},
		/* subject-register: a subject of zeros stands for none */
		{"a5"
	         "0101"
	         "0208" ID "041903e8"
	         "05"
	         "a2"
	         "016141"
	         "0c5820"
	         "0000000000000000000000000000000000000000000000000000000000000000",
	         RS_MALFORMED, "subject: it is all zero"},
		/* organisation-add: a kind of organisation that is none */
		{"a5"
	         "0101"
	         "0201" ID "041903e8"
	         "05"
	         "a3"
	         "016141"
	         "02" KEY "0b06",
	         RS_MALFORMED, "kind of organisation: unknown"},
		/* consent-grant: without organisation, it may only deny */
		{"a5"
	         "0101"
	         "020a" ID "041903e8"
	         "05"
	         "a7"
	         "0400"
	         "0c" KEY "0f" KEY "1001"
	         "1102"
	         "1202"
	         "1302",
	         RS_MALFORMED, "a consent that permits names an organisation"},
		/* consent-narrow: no role; a role that is none; purposes beyond what consents speak about */
		{"a5"
	         "0101"
	         "020b" ID "041903e8"
	         "05"
	         "a6"
	         "0400"
	         "0c" KEY "0f" KEY "1100"
	         "1202"
	         "1302",
	         RS_MALFORMED, "roles: no set"},
		{"a5"
	         "0101"
	         "020b" ID "041903e8"
	         "05"
	         "a6"
	         "0400"
	         "0c" KEY "0f" KEY "1101"
	         "1202"
	         "1302",
	         RS_MALFORMED, "roles: no set"},
		{"a5"
	         "0101"
	         "020b" ID "041903e8"
	         "05"
	         "a6"
	         "0400"
	         "0c" KEY "0f" KEY "1102"
	         "121820"
	         "1302",
	         RS_MALFORMED, "purposes: no set"},
		/* consent-narrow: studies that do not ascend */
		{"a5"
	         "0101"
	         "020b" ID "041903e8"
	         "05"
	         "a7"
	         "0400"
	         "0c" KEY "0f" KEY "1102"
	         "1202"
	         "1302"
	         "145840"
	         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	         RS_MALFORMED, "studies: they must ascend"},
		/* checkpoint-anchor: of nothing */
		{"a5"
	         "0101"
	         "0211" ID "041903e8"
	         "05"
	         "a4"
	         "016141"
	         "181c6141"
	         "181d00"
	         "181e" KEY,
	         RS_MALFORMED, "size: at least 1"},
	};
	(void)state;
	for (size_t i = 0; i < RS_COUNT(cases); i++) {
		struct parts parts = good;
		parts.payload = cases[i].payload;
		is_refused(&parts, cases[i].code, cases[i].words);
	}
}

static void what_is_signed_is_read_again(void **state)
{
	static const uint8_t parents[2 * RS_SHA256_SIZE] = {1, 2, 3};
	struct rs_secret seed = {{7}};
	struct rs_signing_key key;
	struct rs_transaction transaction;
	struct rs_error err = {0};
	struct rs_act back;
	const struct rs_act act = {.type = RS_TRANSACTION_OBJECT_REGISTER,
	                           .id = {5},
	                           .time_ms = 1763712000000,
	                           .organisation = RS_STR("Radiologie S\xc3\xbc"
	                                                  "d"),
	                           .kind = RS_OBJECT_IMAGE,
	                           .commitment = {{6}},
	                           .instances = 24,
	                           .has_previous = true,
	                           .previous = {{8}},
	                           .parents = {parents, sizeof parents}};
	(void)state;
	rs_signing_key_from_seed(&seed, &key);
	assert_int_equal(rs_transaction_sign(&act, &key, &transaction, &err), RS_OK);
	assert_int_equal(rs_transaction_verify(rs_buffer_bytes(&transaction.entry), &back, &err), RS_OK);
	assert_true(back.instances == 24 && back.has_previous && back.previous.bytes[0] == 8);
	assert_true(rs_bytes_equal(back.parents, act.parents) && back.time_ms == act.time_ms);
	assert_true(rs_str_equal(back.organisation, act.organisation));
	assert_memory_equal(back.signer.bytes, key.public_key, RS_KEY_SIZE);
	for (size_t i = 0; i < transaction.entry.size; i++) {
		transaction.entry.data[i] ^= 0x10;
		assert_int_not_equal(rs_transaction_verify(rs_buffer_bytes(&transaction.entry), &back, &err),
		                     RS_OK);
		transaction.entry.data[i] ^= 0x10;
	}
	rs_transaction_finish(&transaction);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_put_together_by_hand_is_read),
		cmocka_unit_test(what_is_around_the_payload_is_exact),
		cmocka_unit_test(payloads_are_exact),
		cmocka_unit_test(what_is_signed_is_read_again),
	};
	return rs_crypto_init(NULL) == RS_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
