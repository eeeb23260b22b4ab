/* Objects on real files: round trips at the borders of chunks, the format against addresses computed by another
 * program (Node's AES-256-GCM, ipfs-unixfs-importer 17.1.1), and every kind of alteration. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "vault/vault.h"

#define CHUNK RS_OBJECT_CHUNK_SIZE
#define STORED (CHUNK + RS_GCM_TAG_SIZE)
#define LARGEST (3 * CHUNK + 5)

static struct rs_secret key;                /* 00 01 … 1f */
static uint8_t nonce[RS_OBJECT_NONCE_SIZE]; /* a0 a1 … af */
static uint8_t *content;                    /* the bytes of cid_test.c */

struct fixture {
	char directory[32];
	struct rs_vault *vault;
};

static int open_vault(void **state)
{
	static struct fixture fixture;
	memset(&fixture, 0, sizeof fixture);
	snprintf(fixture.directory, sizeof fixture.directory, "/tmp/rs_vault_XXXXXX");
	if (mkdtemp(fixture.directory) == NULL ||
	    rs_vault_create(rs_world_system(), fixture.directory, NULL) != RS_OK ||
	    rs_vault_open(rs_world_system(), fixture.directory, &fixture.vault, NULL) != RS_OK)
		return -1;
	*state = &fixture;
	return 0;
}

static enum rs_code remove_below(void *context, struct rs_str name, enum rs_file_kind kind,
                                 struct rs_error *err)
{
	const struct rs_files *files = rs_world_system()->files;
	char *path RS_CLEANUP(rs_free_pointer) = rs_text_printf("%s/" RS_STR_FORMAT, (const char *)context,
	                                                        RS_STR_ARGUMENTS(name));
	if (kind != RS_FILE_DIRECTORY)
		return files->remove(files, path, err);
	RS_TRY(files->list(files, path, remove_below, path, err));
	return files->remove_directory(files, path, err);
}

static int close_vault(void **state)
{
	struct fixture *fixture = *state;
	const struct rs_files *files = rs_world_system()->files;
	rs_vault_close(fixture->vault);
	return files->list(files, fixture->directory, remove_below, fixture->directory, NULL) == RS_OK &&
	                       files->remove_directory(files, fixture->directory, NULL) == RS_OK
	               ? 0
	               : -1;
}

static struct rs_cid put(struct rs_vault *vault, size_t size)
{
	struct rs_vault_staged *staged = NULL;
	struct rs_cid cid;
	assert_int_equal(rs_vault_stage(vault, &key, nonce, rs_bytes_of(content, size), &staged, &cid, NULL),
	                 RS_OK);
	assert_int_equal(rs_vault_publish(vault, NULL, &staged, 1, NULL), RS_OK);
	return cid;
}

/* Where the store keeps an object: the layout is part of what backups and other programs see. */
static char *path_of(const struct fixture *fixture, const struct rs_cid *cid)
{
	char text[RS_CID_TEXT_SIZE];
	rs_cid_format(cid, text);
	return rs_text_printf("%s/objects/%c/%s", fixture->directory, text[strlen(text) - 2], text);
}

static struct rs_buffer load(const struct fixture *fixture, const struct rs_cid *cid)
{
	char *path RS_CLEANUP(rs_free_pointer) = path_of(fixture, cid);
	struct rs_buffer file;
	assert_int_equal(rs_file_read_all(rs_world_system(), path, 2 * LARGEST, &file, NULL), RS_OK);
	return file;
}

static void save(const struct fixture *fixture, const struct rs_cid *cid, struct rs_bytes bytes)
{
	char *path RS_CLEANUP(rs_free_pointer) = path_of(fixture, cid);
	struct rs_file *file RS_CLEANUP(rs_file_close_pointer) = NULL;
	assert_int_equal(rs_file_open(rs_world_system(), path, RS_OPEN_WRITE | RS_OPEN_TRUNCATE, &file, NULL),
	                 RS_OK);
	assert_int_equal(rs_file_write_at(file, 0, bytes.data, bytes.size, NULL), RS_OK);
}

/* Whatever is given is genuine, and in order, also of an object that is refused later. */
static enum rs_code expect_piece(void *context, struct rs_bytes piece, struct rs_error *err)
{
	size_t *seen = context;
	(void)err;
	assert_true(piece.size <= LARGEST - *seen);
	if (piece.size)
		assert_memory_equal(piece.data, content + *seen, piece.size);
	*seen += piece.size;
	return RS_OK;
}

static enum rs_code read_back(struct rs_vault *vault, const struct rs_cid *cid, const struct rs_secret *with,
                              size_t expected_size, struct rs_error *err)
{
	struct rs_buffer out RS_CLEANUP(rs_buffer_finish) = {0};
	rs_buffer_init(&out, LARGEST + 1);
	rs_buffer_append_u8(&out, 'x');
	enum rs_code code = rs_vault_read(vault, cid, with, &out, err);
	assert_int_equal(out.data[0], 'x');
	assert_int_equal(out.size, code == RS_OK ? expected_size + 1 : 1);
	if (code == RS_OK && expected_size > 0)
		assert_memory_equal(out.data + 1, content, expected_size);
	size_t seen = 0;
	assert_int_equal(rs_vault_read_to(vault, cid, with, expect_piece, &seen, NULL), code);
	if (code == RS_OK)
		assert_int_equal(seen, expected_size);
	return code;
}

/* The object is refused by reading, by checking with the key and, when the address tells, without it. */
static void assert_altered(const struct fixture *fixture, const struct rs_cid *cid, const char *sentence)
{
	struct rs_object_facts facts;
	struct rs_error err = {0};
	assert_int_equal(read_back(fixture->vault, cid, &key, 0, NULL), RS_ALTERED);
	assert_int_equal(rs_vault_check(fixture->vault, cid, NULL, &facts, NULL), RS_ALTERED);
	assert_int_equal(rs_vault_check(fixture->vault, cid, &key, &facts, &err), RS_ALTERED);
	if (sentence && strstr(err.message, sentence) == NULL)
		fail_msg("\"%s\" is not in: %s", sentence, err.message);
}

static const struct golden {
	size_t size;
	const char *cid;
} goldens[] = {
	{0, "bafkreieeft4ch4fxm7gxaw77mcoobaaf3eepyzftxcycs6ynqhlfzbtify"},
	{1, "bafkreidvk4urrco5wn7e3r5xzlitsc4rzu42k32657w5suecoxbjwmwgma"},
	{5, "bafkreidjrphicbbpu7ns5dcdyumwygat5x63a2mkqk4v64bi2ml4azoxai"},
	{1048575, "bafybeidvr5bbxkvko7w6x3kcsl3cobiq7p6u4onio2exvhqemdlaorzpka"},
	{1048576, "bafybeidaoxyaufmo2fnilea736a6tbozy6aqwjc62ufnwyqv72dutipp4i"},
	{1048577, "bafybeif55pf7b3k464klueeimuifgwm66dn5n6upig4yddozg5jzep7lwm"},
	{3145728, "bafybeigobba7klfr2ec4qg435msyaeonut7egncrq3jnazmhgkvzdy5uzu"},
	{3145733, "bafybeiegypnjo62ov6w5o5xlxxcqal5ivi24rxecmmjpbglur6txg6myja"},
};

static void stores_what_the_format_says(void **state)
{
	struct fixture *fixture = *state;
	for (size_t i = 0; i < RS_COUNT(goldens); i++) {
		struct rs_cid cid = put(fixture->vault, goldens[i].size);
		struct rs_object_facts facts;
		struct rs_digest digest;
		struct rs_error err = {0};
		char text[RS_CID_TEXT_SIZE];
		rs_cid_format(&cid, text);
		assert_string_equal(text, goldens[i].cid);
		if (read_back(fixture->vault, &cid, &key, goldens[i].size, &err) != RS_OK)
			fail_msg("%s", err.message);
		rs_sha256(rs_bytes_of(content, goldens[i].size), &digest);
		assert_int_equal(rs_vault_check(fixture->vault, &cid, &key, &facts, NULL), RS_OK);
		assert_int_equal(facts.size, goldens[i].size);
		assert_memory_equal(facts.nonce, nonce, sizeof nonce);
		assert_memory_equal(facts.sha256.bytes, digest.bytes, sizeof digest.bytes);
		assert_int_equal(rs_vault_check(fixture->vault, &cid, NULL, &facts, NULL), RS_OK);
		assert_int_equal(facts.size, goldens[i].size);
		put(fixture->vault, goldens[i].size); /* once more: the same address, no complaint */
	}
}

static void detects_every_flipped_byte(void **state)
{
	static const size_t sizes[] = {0, 1, 200};
	struct fixture *fixture = *state;
	for (size_t i = 0; i < RS_COUNT(sizes); i++) {
		struct rs_cid cid = put(fixture->vault, sizes[i]);
		struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = load(fixture, &cid);
		assert_int_equal(file.size, RS_OBJECT_HEADER_SIZE + sizes[i] + RS_GCM_TAG_SIZE);
		for (size_t offset = 0; offset < file.size; offset++)
			for (unsigned bit = 0; bit < 8; bit++) {
				file.data[offset] ^= (uint8_t)(1u << bit);
				save(fixture, &cid, rs_buffer_bytes(&file));
				assert_altered(fixture, &cid, NULL);
				file.data[offset] ^= (uint8_t)(1u << bit);
			}
		save(fixture, &cid, rs_buffer_bytes(&file));
		assert_int_equal(read_back(fixture->vault, &cid, &key, sizes[i], NULL), RS_OK);
	}
}

static void names_the_altered_chunk(void **state)
{
	struct fixture *fixture = *state;
	struct rs_cid cid = put(fixture->vault, LARGEST);
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = load(fixture, &cid);
	for (unsigned chunk = 0; chunk < 4; chunk++) {
		size_t offset = RS_OBJECT_HEADER_SIZE + chunk * STORED + 3;
		char sentence[32];
		snprintf(sentence, sizeof sentence, "chunk %u", chunk);
		file.data[offset] ^= 0x10;
		save(fixture, &cid, rs_buffer_bytes(&file));
		assert_altered(fixture, &cid, sentence);
		file.data[offset] ^= 0x10;
	}
}

static void detects_cut_and_extended_files(void **state)
{
	static const size_t sizes[] = {0, 300, 3 * CHUNK};
	struct fixture *fixture = *state;
	for (size_t i = 0; i < RS_COUNT(sizes); i++) {
		struct rs_cid cid = put(fixture->vault, sizes[i]);
		struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = load(fixture, &cid);
		size_t step = sizes[i] < CHUNK ? 1 : STORED / 2;
		for (size_t left = 0; left < file.size; left += step) {
			save(fixture, &cid, rs_bytes_of(file.data, left));
			assert_altered(fixture, &cid, NULL);
		}
		rs_buffer_append_u8(&file, 0);
		save(fixture, &cid, rs_buffer_bytes(&file));
		assert_altered(fixture, &cid, "announces");
	}
}

/* A cutter who fixes the announced size: the flag of the last chunk and the header give it away. */
static void detects_a_chunk_cut_off_with_the_size_mended(void **state)
{
	struct fixture *fixture = *state;
	struct rs_cid cid = put(fixture->vault, 3 * CHUNK);
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = load(fixture, &cid);
	rs_write_be64(file.data + 32, 2 * CHUNK);
	save(fixture, &cid, rs_bytes_of(file.data, RS_OBJECT_HEADER_SIZE + 2 * STORED));
	assert_altered(fixture, &cid, "chunk 0");
}

static void detects_exchanged_chunks(void **state)
{
	struct fixture *fixture = *state;
	struct rs_cid cid = put(fixture->vault, 3 * CHUNK);
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = load(fixture, &cid);
	uint8_t *first = file.data + RS_OBJECT_HEADER_SIZE;
	uint8_t *kept = rs_allocate(STORED);
	assert_non_null(kept);
	memcpy(kept, first, STORED);
	memmove(first, first + STORED, STORED);
	memcpy(first + STORED, kept, STORED);
	rs_free(kept);
	save(fixture, &cid, rs_buffer_bytes(&file));
	assert_altered(fixture, &cid, "chunk 0");
}

/* Sound by itself, but not what its name says: another object under this address. */
static void detects_an_exchanged_object(void **state)
{
	struct fixture *fixture = *state;
	struct rs_cid one = put(fixture->vault, 100), other = put(fixture->vault, 101);
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = load(fixture, &other);
	save(fixture, &one, rs_buffer_bytes(&file));
	assert_altered(fixture, &one, "address");
}

static void tells_a_wrong_key_from_wrong_bytes(void **state)
{
	struct fixture *fixture = *state;
	struct rs_cid cid = put(fixture->vault, CHUNK + 1);
	struct rs_secret wrong = key;
	struct rs_object_facts facts;
	struct rs_error err = {0};
	wrong.bytes[31] ^= 1;
	assert_int_equal(read_back(fixture->vault, &cid, &wrong, 0, &err), RS_ALTERED);
	assert_int_equal(rs_vault_check(fixture->vault, &cid, &wrong, &facts, &err), RS_ALTERED);
	assert_non_null(strstr(err.message, "the key is not the one"));
}

static void keeps_to_the_callers_limit(void **state)
{
	struct fixture *fixture = *state;
	struct rs_cid cid = put(fixture->vault, 1000);
	struct rs_buffer out RS_CLEANUP(rs_buffer_finish) = {0};
	rs_buffer_init(&out, 999);
	assert_int_equal(rs_vault_read(fixture->vault, &cid, &key, &out, NULL), RS_TOO_LARGE);
	assert_int_equal(out.size, 0);
}

struct seen {
	unsigned objects, strangers;
	char names[128];
};

static enum rs_code visit(void *context, const struct rs_cid *cid, struct rs_str name, struct rs_error *err)
{
	struct seen *seen = context;
	(void)err;
	if (cid) {
		seen->objects++;
		return RS_OK;
	}
	seen->strangers++;
	size_t used = strlen(seen->names);
	assert_true(used + name.size + 2 < sizeof seen->names);
	snprintf(seen->names + used, sizeof seen->names - used, RS_STR_FORMAT " ", RS_STR_ARGUMENTS(name));
	return RS_OK;
}

static void make_file(const struct fixture *fixture, const char *name)
{
	char *path RS_CLEANUP(rs_free_pointer) = rs_path_join(fixture->directory, name);
	assert_int_equal(rs_file_replace(rs_world_system(), path, rs_bytes_of("x", 1), 0600, NULL), RS_OK);
}

static void lists_objects_and_names_strangers(void **state)
{
	struct fixture *fixture = *state;
	struct rs_cid cids[3] = {put(fixture->vault, 1), put(fixture->vault, 2), put(fixture->vault, 3)};
	struct rs_vault_staged *staged = NULL;
	struct rs_cid cid;
	struct seen seen = {0};
	char *folder RS_CLEANUP(rs_free_pointer) = rs_path_join(fixture->directory, "tmp/folder");

	make_file(fixture, "objects/stray");
	make_file(fixture, "objects/a/notes.txt");
	assert_int_equal(mkdir(folder, 0700), 0);
	assert_int_equal(rs_vault_list(fixture->vault, visit, &seen, NULL), RS_OK);
	assert_int_equal(seen.objects, 3);
	assert_string_equal(seen.names, "notes.txt stray folder ");

	assert_int_equal(
		rs_vault_stage(fixture->vault, &key, nonce, rs_bytes_of(content, 9), &staged, &cid, NULL),
		RS_OK);
	assert_false(rs_vault_has(fixture->vault, &cid));
	rs_vault_abort(fixture->vault, staged);
	make_file(fixture, "tmp/left");
	assert_int_equal(rs_vault_clean(fixture->vault, NULL), RS_OK);
	assert_int_equal(rs_vault_remove(fixture->vault, &cids[1], NULL), RS_OK);
	assert_int_equal(rs_vault_remove(fixture->vault, &cids[1], NULL), RS_NOT_FOUND);
	assert_false(rs_vault_has(fixture->vault, &cids[1]));
	assert_true(rs_vault_has(fixture->vault, &cids[2]));
	seen = (struct seen){0};
	assert_int_equal(rs_vault_list(fixture->vault, visit, &seen, NULL), RS_OK);
	assert_int_equal(seen.objects, 2);
	assert_string_equal(seen.names, "notes.txt stray folder ");
}

static void says_where_no_vault_is(void **state)
{
	struct fixture *fixture = *state;
	struct rs_vault *vault = NULL;
	struct rs_error err = {0};
	char *path RS_CLEANUP(rs_free_pointer) = rs_path_join(fixture->directory, "nothing");
	assert_int_equal(rs_vault_open(rs_world_system(), path, &vault, &err), RS_NOT_FOUND);
	assert_non_null(strstr(err.message, path));
	assert_null(vault);
}

#define THREADS 8
#define ROUNDS 20

struct worker {
	struct rs_vault *vault;
	unsigned number;
	enum rs_code code;
};

/* Half of the objects are the same for all threads, so that they publish one address at once. */
static void *work(void *context)
{
	struct worker *worker = context;
	for (unsigned i = 0; i < ROUNDS && worker->code == RS_OK; i++) {
		struct rs_vault_staged *staged[2] = {NULL};
		struct rs_cid cid;
		size_t own = 1000 + worker->number * ROUNDS + i;
		worker->code = rs_vault_stage(worker->vault, &key, nonce, rs_bytes_of(content, i), &staged[0],
		                              &cid, NULL);
		if (worker->code == RS_OK)
			worker->code = rs_vault_stage(worker->vault, &key, nonce, rs_bytes_of(content, own),
			                              &staged[1], &cid, NULL);
		if (worker->code == RS_OK)
			worker->code = rs_vault_publish(worker->vault, NULL, staged, 2, NULL);
	}
	return NULL;
}

static void serves_several_threads(void **state)
{
	struct fixture *fixture = *state;
	pthread_t threads[THREADS];
	struct worker workers[THREADS];
	struct seen seen = {0};
	for (unsigned i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){.vault = fixture->vault, .number = i};
		assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(workers[i].code, RS_OK);
	}
	assert_int_equal(rs_vault_list(fixture->vault, visit, &seen, NULL), RS_OK);
	assert_int_equal(seen.objects, ROUNDS + THREADS * ROUNDS);
	assert_int_equal(seen.strangers, 0);
}

static int set_up(void **state)
{
	uint32_t x = 1;
	(void)state;
	content = rs_allocate(LARGEST);
	if (content == NULL)
		return -1;
	for (size_t i = 0; i < LARGEST; i++) {
		x = x * 1664525u + 1013904223u;
		content[i] = (uint8_t)(x >> 24);
	}
	for (size_t i = 0; i < sizeof key.bytes; i++)
		key.bytes[i] = (uint8_t)i;
	for (size_t i = 0; i < sizeof nonce; i++)
		nonce[i] = (uint8_t)(0xa0 + i);
	return rs_crypto_init(NULL) == RS_OK ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	rs_free(content);
	return 0;
}

#define IN_A_VAULT(test) cmocka_unit_test_setup_teardown(test, open_vault, close_vault)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_VAULT(stores_what_the_format_says),
		IN_A_VAULT(detects_every_flipped_byte),
		IN_A_VAULT(names_the_altered_chunk),
		IN_A_VAULT(detects_cut_and_extended_files),
		IN_A_VAULT(detects_a_chunk_cut_off_with_the_size_mended),
		IN_A_VAULT(detects_exchanged_chunks),
		IN_A_VAULT(detects_an_exchanged_object),
		IN_A_VAULT(tells_a_wrong_key_from_wrong_bytes),
		IN_A_VAULT(keeps_to_the_callers_limit),
		IN_A_VAULT(lists_objects_and_names_strangers),
		IN_A_VAULT(says_where_no_vault_is),
		IN_A_VAULT(serves_several_threads),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
