/* Roles, pseudonyms, the keyring and derived keys. Expected values were computed with Python's
 * hmac and hashlib from the formulas in identity.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "identity/identity.h"

static char directory[64], path[96];
static const uint8_t unlock_bytes[32] = {1, 2, 3};
static const struct rs_unlock unlock = {.unlock_file = {unlock_bytes, sizeof(unlock_bytes)}};
static const struct rs_unlock phrase = {.passphrase = {(const uint8_t *)"battery staple", 14}};

static int set_up(void **state)
{
	(void)state;
	(void)snprintf(directory, sizeof(directory), "/tmp/rs_identity_test_XXXXXX");
	if (rs_crypto_init(NULL) != RS_OK || mkdtemp(directory) == NULL)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/node.key", directory);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	(void)unlink(path);
	return rmdir(directory);
}

static void names_roles_both_ways(void **state)
{
	enum rs_role role = RS_ROLE_NONE;
	(void)state;
	for (uint64_t number = 1; number < RS_ROLE_COUNT; number++) {
		enum rs_role by_name = RS_ROLE_NONE;
		assert_true(rs_role_from_number(number, &role));
		assert_true(rs_role_from_name(rs_str_from(rs_role_name(role)), &by_name));
		assert_int_equal(by_name, number);
	}
	assert_int_equal(RS_ROLE_COUNT, 9);
	assert_false(rs_role_from_number(0, &role));
	assert_false(rs_role_from_number(9, &role));
	assert_false(rs_role_from_name(RS_STR("none"), &role));
	assert_false(rs_role_from_name(RS_STR("Patient"), &role));
	assert_string_equal(rs_role_name((enum rs_role)77), "none");
	assert_true(rs_role_from_name(RS_STR("data-engineer"), &role));
	assert_int_equal(role, 4);
}

static void parses_ids_strictly(void **state)
{
	struct rs_pseudonym pseudonym = {{0}}, back;
	char text[RS_PSEUDONYM_TEXT_SIZE];
	struct rs_error err = {0};
	(void)state;
	for (uint8_t i = 0; i < 32; i++)
		pseudonym.bytes[i] = (uint8_t)(i * 9);
	rs_pseudonym_format(&pseudonym, text);
	assert_int_equal(rs_pseudonym_parse(rs_str_from(text), &back, &err), RS_OK);
	assert_true(rs_pseudonym_equal(&pseudonym, &back));
	text[63] = 'F';
	assert_int_equal(rs_pseudonym_parse(rs_str_from(text), &back, &err), RS_MALFORMED);
	text[63] = '\0';
	assert_int_equal(rs_pseudonym_parse(rs_str_from(text), &back, &err), RS_MALFORMED);
	assert_true(rs_pseudonym_equal(&pseudonym, &back));
}

static void parses_member_keys_strictly(void **state)
{
	struct rs_member_key key = {{0}}, back = {{0}};
	char text[RS_MEMBER_KEY_TEXT_SIZE];
	struct rs_error err = {0};
	(void)state;
	memset(key.bytes, 0xab, sizeof key.bytes);
	rs_member_key_format(&key, text);
	assert_string_equal(text, "abababababababababababababababababababababababababababababababab");
	assert_false(rs_member_key_equal(&key, &back));
	assert_int_equal(rs_member_key_parse(rs_str_from(text), &back, &err), RS_OK);
	assert_true(rs_member_key_equal(&key, &back));
	text[0] = 'A';
	assert_int_equal(rs_member_key_parse(rs_str_from(text), &back, &err), RS_MALFORMED);
	assert_non_null(strstr(err.message, "member key"));
	assert_int_equal(rs_member_key_parse(RS_STR(""), &back, &err), RS_MALFORMED);
	assert_true(rs_member_key_equal(&key, &back));
}

static struct rs_keyring *create(const struct rs_unlock *with)
{
	struct rs_keyring *keyring = NULL;
	struct rs_error err = {0};
	if (rs_keyring_create(rs_world_system(), path, with, RS_STR("Charit\xc3\xa9"), &keyring, &err) !=
	    RS_OK)
		fail_msg("%s", err.message);
	return keyring;
}

static void opens_what_it_made(void **state)
{
	struct rs_keyring *made = create(&unlock), *opened = NULL;
	struct rs_error err = {0};
	struct rs_member_key id;
	struct rs_pseudonym a, b;
	uint8_t signature[RS_SIGNATURE_SIZE];
	(void)state;

	assert_int_equal(rs_keyring_create(rs_world_system(), path, &unlock, RS_STR("x"), NULL, &err),
	                 RS_EXISTS);
	assert_int_equal(rs_keyring_open(rs_world_system(), path, &unlock, &opened, &err), RS_OK);
	assert_true(rs_str_equal_text(rs_keyring_organisation(opened), "Charit\xc3\xa9"));
	assert_memory_equal(rs_keyring_kek(made), rs_keyring_kek(opened), 32);
	assert_memory_equal(rs_keyring_seal_secret(made), rs_keyring_seal_secret(opened), 32);
	assert_memory_not_equal(rs_keyring_kek(made), rs_keyring_seal_secret(opened), 32);
	rs_sign(rs_keyring_member_key(made), rs_bytes_of("m", 1), signature);
	id = rs_keyring_member_id(opened);
	assert_true(rs_signature_valid(id.bytes, rs_bytes_of("m", 1), signature));
	assert_false(
		rs_signature_valid(rs_keyring_log_key(opened)->public_key, rs_bytes_of("m", 1), signature));
	assert_int_equal(rs_keyring_pseudonym(made, RS_STR("I"), RS_STR("1"), &a, &err), RS_OK);
	assert_int_equal(rs_keyring_pseudonym(opened, RS_STR("I"), RS_STR("1"), &b, &err), RS_OK);
	assert_true(rs_pseudonym_equal(&a, &b));
	rs_keyring_close(made);
	rs_keyring_close(opened);
}

static void changes_its_lock(void **state)
{
	struct rs_keyring *made = create(&unlock), *opened = NULL;
	struct rs_error err = {0};
	(void)state;
	assert_int_equal(rs_keyring_change_unlock(rs_world_system(), path, &unlock, &phrase, &err), RS_OK);
	assert_int_equal(rs_keyring_open(rs_world_system(), path, &unlock, &opened, &err), RS_USAGE);
	assert_int_equal(rs_keyring_open(rs_world_system(), path, &phrase, &opened, &err), RS_OK);
	assert_memory_equal(rs_keyring_kek(made), rs_keyring_kek(opened), 32);
	rs_keyring_close(opened);
	opened = NULL;
	const struct rs_unlock wrong = {.passphrase = {(const uint8_t *)"battery stable", 14}};
	assert_int_equal(rs_keyring_open(rs_world_system(), path, &wrong, &opened, &err), RS_REFUSED);
	assert_null(opened);
	rs_keyring_close(made);
}

static void refuses_bad_names_and_identifiers(void **state)
{
	struct rs_keyring *keyring = NULL;
	struct rs_error err = {0};
	struct rs_pseudonym pseudonym = {{0}}, other;
	char long_name[RS_ORGANISATION_NAME_MAX + 1];
	(void)state;
	memset(long_name, 'x', sizeof(long_name));
	assert_int_equal(rs_keyring_create(rs_world_system(), path, &unlock, RS_STR(""), &keyring, &err),
	                 RS_USAGE);
	assert_int_equal(rs_keyring_create(rs_world_system(), path, &unlock,
	                                   (struct rs_str){long_name, sizeof(long_name)}, &keyring, &err),
	                 RS_USAGE);
	assert_int_equal(rs_keyring_create(rs_world_system(), path, &unlock, RS_STR("a\nb"), &keyring, &err),
	                 RS_USAGE);
	assert_int_equal(rs_keyring_create(rs_world_system(), path, &unlock, RS_STR("\xff"), &keyring, &err),
	                 RS_USAGE);
	assert_false(rs_path_exists(rs_world_system(), path));
	keyring = create(&unlock);
	assert_int_equal(rs_keyring_pseudonym(keyring, RS_STR("I"), RS_STR(""), &pseudonym, &err),
	                 RS_MALFORMED);
	assert_int_equal(rs_keyring_pseudonym(keyring, RS_STR("I\0J"), RS_STR("1"), &pseudonym, &err),
	                 RS_MALFORMED);
	assert_int_equal(rs_keyring_pseudonym(keyring, RS_STR("I"), RS_STR("SECRET\0"), &pseudonym, &err),
	                 RS_MALFORMED);
	assert_null(strstr(err.message, "SECRET"));
	/* The border between issuer and identifier counts. */
	assert_int_equal(rs_keyring_pseudonym(keyring, RS_STR("ab"), RS_STR("c"), &pseudonym, &err), RS_OK);
	assert_int_equal(rs_keyring_pseudonym(keyring, RS_STR("a"), RS_STR("bc"), &other, &err), RS_OK);
	assert_false(rs_pseudonym_equal(&pseudonym, &other));
	rs_keyring_close(keyring);
}

/* Makes every secret of a keyring the byte 7, so that pseudonyms can be computed elsewhere. */
static enum rs_code fill_sevens(const struct rs_random *random, void *out, size_t size, struct rs_error *err)
{
	(void)random;
	(void)err;
	memset(out, 7, size);
	return RS_OK;
}

static void agrees_with_the_formulas(void **state)
{
	const struct rs_random sevens = {fill_sevens};
	const struct rs_world world = {rs_world_system()->clock, &sevens, rs_world_system()->files};
	struct rs_keyring *keyring = NULL;
	struct rs_pseudonym pseudonym;
	struct rs_digest locator;
	struct rs_secret subject, key;
	uint8_t nonce[RS_NONCE_SIZE], expected[32];
	(void)state;
	memset(subject.bytes, 7, 32);
	memset(nonce, 9, sizeof(nonce));
	assert_int_equal(rs_keyring_create(&world, path, &unlock, RS_STR("A"), &keyring, NULL), RS_OK);
	assert_int_equal(rs_keyring_pseudonym(keyring, RS_STR("HOSP"), RS_STR("12345"), &pseudonym, NULL),
	                 RS_OK);
	assert_true(rs_hex_decode(RS_STR("e9c97b0516c07b3147ceff37352555004d9ec91a916af55d20b1881a18534774"),
	                          expected, 32));
	assert_memory_equal(pseudonym.bytes, expected, 32);
	rs_keyring_locator(keyring, 3, rs_bytes_of("1.2.3", 5), &locator);
	assert_true(rs_hex_decode(RS_STR("59de7207a1a2a34010893e0a4b64bf9f7fb2c9c544d08a0a0b906f48a6da7869"),
	                          expected, 32));
	assert_memory_equal(locator.bytes, expected, 32);
	rs_subject_record_key(&subject, nonce, 258, &key);
	assert_true(rs_hex_decode(RS_STR("fe265f0be7b02611803e96f774a8bd25f39ba7a696391eae8609d5f174911867"),
	                          expected, 32));
	assert_memory_equal(key.bytes, expected, 32);
	rs_subject_object_key(&subject, nonce, &key);
	assert_true(rs_hex_decode(RS_STR("152bc84e385176c818aeab200a8aef8348375cb1c07176162b19ab2b72207f4e"),
	                          expected, 32));
	assert_memory_equal(key.bytes, expected, 32);
	rs_subject_index_key(&subject, &key);
	assert_true(rs_hex_decode(RS_STR("5c18c854c2e56207969927a395ed7e8b17c19a9fd58cd3d68398418584196bef"),
	                          expected, 32));
	assert_memory_equal(key.bytes, expected, 32);
	rs_subject_token(&subject, &locator);
	assert_true(rs_hex_decode(RS_STR("b5bcff530f19cdbab0e5867e0d3053742997098d9a837bff7d39b0281b8a7414"),
	                          expected, 32));
	assert_memory_equal(locator.bytes, expected, 32);
	rs_subject_commitment(&subject, 4, rs_bytes_of("19970522", 8), &locator);
	assert_true(rs_hex_decode(RS_STR("8f3e4f6dc105a9ff94511b43321e25c9418ee6c9a709a52e0e65114353e8b8ff"),
	                          expected, 32));
	assert_memory_equal(locator.bytes, expected, 32);
	rs_keyring_close(keyring);
}

static void keeps_members_apart_from_nodes(void **state)
{
	struct rs_signing_key made, opened;
	struct rs_keyring *keyring = NULL;
	struct rs_error err = {0};
	(void)state;
	assert_int_equal(rs_member_key_file_create(rs_world_system(), path, &unlock, &made, &err), RS_OK);
	assert_int_equal(rs_member_key_file_create(rs_world_system(), path, &unlock, &made, &err), RS_EXISTS);
	assert_int_equal(rs_member_key_file_open(rs_world_system(), path, &unlock, &opened, &err), RS_OK);
	assert_memory_equal(&made, &opened, sizeof(made));
	assert_int_equal(rs_keyring_open(rs_world_system(), path, &unlock, &keyring, &err), RS_MALFORMED);
	(void)unlink(path);
	rs_keyring_close(create(&unlock));
	assert_int_equal(rs_member_key_file_open(rs_world_system(), path, &unlock, &opened, &err),
	                 RS_MALFORMED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_roles_both_ways),
		cmocka_unit_test(parses_ids_strictly),
		cmocka_unit_test(parses_member_keys_strictly),
		TEST(opens_what_it_made),
		TEST(changes_its_lock),
		TEST(refuses_bad_names_and_identifiers),
		TEST(agrees_with_the_formulas),
		TEST(keeps_members_apart_from_nodes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
