/* Transactions read as strictly as they are written: entries put together by hand from RFC 8949 and RFC 9052, with one
 * thing wrong at a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "contract/contract.h"

/* A transaction that revokes a member, in hexadecimal digits: the payload, then what is around it. */
#define ID "035000112233445566778899aabbccddeeff"
#define KEY "5820aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HEADER "a2012704" KEY
#define REVOKE "a501010203" ID "041903e805a102" KEY

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
	parts = good, parts.header = "a2012604" KEY; /* ES256 */
	is_refused(&parts, RS_UNSUPPORTED, "algorithm -7");
	parts = good, parts.header = "a2012705" KEY;
	is_refused(&parts, RS_MALFORMED, "5 stands where 4 must");
}

/* One thing wrong with what is within: the fields of a type of transaction, with spaces between, and K for a key. */
struct wrong {
	const char *type, *fields, *words; /* words: of an RS_MALFORMED */
};

static void each_is_refused(const struct wrong *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct parts parts = good;
		char fields[512] = "", payload[1024];
		size_t used = 0;
		for (const char *c = cases[i].fields; *c != '\0'; c++) {
			const char one[2] = {*c, '\0'}, *part = *c == 'K' ? KEY : *c == ' ' ? "" : one;
			memcpy(fields + used, part, strlen(part) + 1);
			used += strlen(part);
		}
		snprintf(payload, sizeof payload, "a5010102%s%s041903e805%s", cases[i].type, ID, fields);
		parts.payload = payload;
		is_refused(&parts, RS_MALFORMED, cases[i].words);
	}
}

static void frames_of_payloads_are_exact(void **state)
{
	static const struct {
		const char *payload;
		enum rs_code code;
		const char *words;
	} cases[] = {
		{"a401010203" ID "041903e8", RS_MALFORMED, "five fields"},
		{"a501020203" ID "041903e805a102" KEY, RS_MALFORMED, "version: 2 stands where 1"},
		{"a501010218ff" ID "041903e805a102" KEY, RS_UNSUPPORTED, "type: unknown"},
		{"a501010200" ID "041903e805a102" KEY, RS_UNSUPPORTED, "type: unknown"},
		{"a501010203034100041903e805a102" KEY, RS_MALFORMED, "id"},
	};
	(void)state;
	for (size_t i = 0; i < RS_COUNT(cases); i++) {
		struct parts parts = good;
		parts.payload = cases[i].payload;
		is_refused(&parts, cases[i].code, cases[i].words);
	}
}

static void members_and_organisations_are_exact(void **state)
{
	static const struct wrong cases[] = {
		{"03", "a0", "a field of member-revoke is missing"},
		{"03", "a2 02K 0301", "field 3 does not belong to member-revoke"},
		{"03", "a2 02K 186301", "field 99 does not belong"},
		{"01", "a2 0160 02K", "organisation: 1 to"}, /* an empty name */
		{"01", "a3 016141 02K 0b06", "kind of organisation: unknown"},
		{"02", "a4 016141 02K 0309 0401", "role: unknown"},
		{"02", "a5 016141 02K 0301 0405 0505", "until: not after from"},
	};
	(void)state;
	each_is_refused(cases, RS_COUNT(cases));
}

static void objects_and_subjects_are_exact(void **state)
{
#define ZEROS "00000000000000000000000000000000"
	static const struct wrong cases[] = {
		{"06", "a4 016141 0600 07K 0801", "kind: unknown"},
		{"06", "a4 016141 0601 07K 0800", "instances: at least 1"},
		{"06", "a5 016141 0601 07K 0801 0a40", "parents: 1 to 64"},
		{"06", "a5 016141 0601 07K 0801 0a4100", "parents: 1 to 64"},
		{"08", "a2 016141 0c5820" ZEROS ZEROS, "subject: it is all zero"}, /* which stands for none */
		{"11", "a4 016141 181c6141 181d00 181eK", "size: at least 1"},     /* an anchor of nothing */
	};
	(void)state;
	each_is_refused(cases, RS_COUNT(cases));
}

static void consents_are_exact(void **state)
{
	static const struct wrong cases[] = {
		/* without organisation it may only deny */
		{"0a", "a7 0400 0cK 0fK 1001 1102 1202 1302", "a consent that permits names an organisation"},
		/* narrowed to no role, to a role that is none, to purposes beyond what consents speak about */
		{"0b", "a6 0400 0cK 0fK 1100 1202 1302", "roles: no set"},
		{"0b", "a6 0400 0cK 0fK 1101 1202 1302", "roles: no set"},
		{"0b", "a6 0400 0cK 0fK 1102 121820 1302", "purposes: no set"},
		/* the same study twice */
		{"0b", "a7 0400 0cK 0fK 1102 1202 1302 145840" ZEROS ZEROS ZEROS ZEROS,
	         "studies: they must ascend"},
	};
	(void)state;
	each_is_refused(cases, RS_COUNT(cases));
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
		cmocka_unit_test(frames_of_payloads_are_exact),
		cmocka_unit_test(members_and_organisations_are_exact),
		cmocka_unit_test(objects_and_subjects_are_exact),
		cmocka_unit_test(consents_are_exact),
		cmocka_unit_test(what_is_signed_is_read_again),
	};
	return rs_crypto_init(NULL) == RS_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
