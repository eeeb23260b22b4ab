/* What a process keeps in memory of keys after it closed the node: nothing. All writable memory of this process is searched for
 * each secret; the test itself knows them only masked. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "node/node_test.h"

#include "node/node_parts.h"
#include "keeping/keeping_backup.h"
#include "node/node_erase.h"
#include "workflow/workflow.h"

#define SECRETS_MAX 16
#define MASK 0xa5
#define BLOCK ((size_t)1 << 20)
#define REGION_MAX ((uint64_t)1 << 32) /* sanitizers map terabytes of their own */
#define PIECE 16                       /* bytes of a secret that count as a trace */

static struct masked {
	const char *name;
	uint8_t bytes[RS_KEY_SIZE];
} secrets[SECRETS_MAX];
static size_t secret_count;
static bool telling;

static void remember(const char *name, const uint8_t *bytes)
{
	assert_true(secret_count < SECRETS_MAX);
	secrets[secret_count].name = name;
	for (size_t i = 0; i < RS_KEY_SIZE; i++)
		secrets[secret_count].bytes[i] = bytes[i] ^ MASK;
	secret_count++;
}

static bool is_secret(const uint8_t *at, const struct masked *secret, size_t offset)
{
	for (size_t i = 0; i < PIECE; i++)
		if ((at[i] ^ MASK) != secret->bytes[offset + i])
			return false;
	return true;
}

/* Either half of a secret counts. Returns how many places were found, and names the first of each. */
static size_t search(uint8_t *block, size_t size, uint64_t address, const char *region)
{
	bool begins[256] = {false};
	size_t found = 0;
	for (size_t s = 0; s < secret_count; s++)
		for (size_t offset = 0; offset < RS_KEY_SIZE; offset += PIECE)
			begins[secrets[s].bytes[offset] ^ MASK] = true;
	for (size_t i = 0; i + PIECE <= size; i++)
		for (size_t s = 0; begins[block[i]] && s < secret_count; s++)
			for (size_t offset = 0; offset < RS_KEY_SIZE; offset += PIECE)
				if (block[i] == (secrets[s].bytes[offset] ^ MASK) &&
				    is_secret(block + i, &secrets[s], offset)) {
					if (telling)
						print_error("%s lies at %" PRIx64 " (%s)\n", secrets[s].name,
						            address + i, region);
					found++;
				}
	return found;
}

/* The block that is searched with is left out: it holds a copy of everything. */
static size_t search_region(int memory, uint64_t start, uint64_t end, const char *name, uint8_t *block)
{
	uint64_t own = (uint64_t)(uintptr_t)block;
	size_t found = 0;
	for (uint64_t at = start; at < end; at += BLOCK - PIECE) {
		size_t size = end - at < BLOCK ? (size_t)(end - at) : BLOCK;
		if (at < own + BLOCK && own < at + size) {
			if (at < own)
				size = (size_t)(own - at);
			else
				continue;
		}
		ssize_t got = pread(memory, block, size, (off_t)at);
		if (got > 0)
			found += search(block, (size_t)got, at, name);
	}
	return found;
}

static size_t search_memory(void)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	int memory = open("/proc/self/mem", O_RDONLY);
	uint8_t *block = rs_allocate(BLOCK);
	char line[512];
	size_t found = 0;
	assert_true(maps && memory >= 0 && block);
	while (fgets(line, sizeof line, maps)) {
		uint64_t start, end;
		char rights[8], name[256] = "heap or stack";
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %7s %*s %*s %*s %255s", &start, &end, rights,
		           name) >= 3 &&
		    rights[0] == 'r' && rights[1] == 'w' && end - start < REGION_MAX)
			found += search_region(memory, start, end, name, block);
	}
	rs_free(block);
	fclose(maps);
	close(memory);
	return found;
}

static void remember_subject(struct rs_node *node, const char *name, const char *what,
                             const char *derived_what)
{
	struct rs_node_subject subject;
	struct rs_secret key RS_CLEANUP(rs_secret_finish) = {0};
	struct rs_secret derived RS_CLEANUP(rs_secret_finish) = {0};
	struct rs_error err = {0};
	assert_int_equal(rs_node_subject(node, "", name, &subject, &err), RS_OK);
	assert_int_equal(rs_subject_key_get(node->subjects, &subject.pseudonym, false, &key, &err), RS_OK);
	remember(what, key.bytes);
	rs_subject_index_key(&key, &derived);
	remember(derived_what, derived.bytes);
}

static void remember_all(struct rs_node *node)
{
	struct rs_secret derived RS_CLEANUP(rs_secret_finish) = {0};
	remember("the key that wraps", rs_keyring_kek(node->keyring)->bytes);
	remember("the log's seed", rs_keyring_log_key(node->keyring)->seed.bytes);
	remember("the log's expanded key", rs_keyring_log_key(node->keyring)->expanded);
	remember("the administrator's seed", rs_keyring_member_key(node->keyring)->seed.bytes);
	remember("the sealing secret", rs_keyring_seal_secret(node->keyring)->bytes);
	remember_subject(node, "P0", "a subject's key", "a subject's index key");
	rs_keyring_backup_key(node->keyring, "manifest", &derived);
	remember("a backup key", derived.bytes);
}

static void work(const struct rs_world *world, const char *folder, struct rs_bytes passphrase)
{
	char *home RS_CLEANUP(rs_free_pointer) = rs_path_join(folder, "node");
	char *file RS_CLEANUP(rs_free_pointer) = rs_path_join(folder, "a.nii");
	char *data RS_CLEANUP(rs_free_pointer) = rs_path_join(folder, "data");
	char *key_path RS_CLEANUP(rs_free_pointer) = NULL;
	struct rs_actor *actor = NULL;
	struct rs_node *node = NULL;
	struct rs_buffer certificate RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_admit_options options = {.subject = "P0"}, erased = {.subject = "P1"};
	struct rs_proof_details details;
	struct rs_backup_counts counts;
	struct rs_key_backup_counts key_counts;
	struct rs_erasure_facts facts;
	struct rs_error err = {0};
	uint8_t image[352 + 64];
	write_header(image, 8, 8);
	memset(image + 352, 7, 64);
	assert_int_equal(rs_file_replace(world, file, rs_bytes_of(image, sizeof image), 0600, &err), RS_OK);
	assert_int_equal(rs_node_create(world, home, "Radiology", passphrase, &err), RS_OK);
	assert_int_equal(rs_node_open(world, home, RS_NODE_WRITE, passphrase, NULL, &node, &err), RS_OK);
	assert_int_equal(rs_node_admit(node, &file, 1, &options, &err), RS_OK);
	assert_int_equal(rs_node_admit(node, &file, 1, &erased, &err), RS_OK);
	assert_int_equal(rs_node_verify(node, file, &details, &err), RS_OK);
	remember_all(node);
	remember_subject(node, "P1", "an erased subject's key", "an erased subject's index key");
	assert_true(search_memory() > 0); /* the search finds what is there */
	assert_int_equal(rs_node_backup(node, data, 0, &counts, &err), RS_OK);
	assert_int_equal(rs_node_backup_keys(node, folder, 1, &key_path, &key_counts, &err), RS_OK);
	assert_int_equal(rs_node_actor_open(node, NULL, passphrase, &actor, &err), RS_OK);
	rs_buffer_init(&certificate, (size_t)1 << 20);
	assert_int_equal(rs_node_erase(node, actor, "", "P1", NULL, &certificate, &facts, &err), RS_OK);
	rs_actor_close(actor);
	rs_node_close(node);
}

static void nothing_of_keys_stays_in_memory(void **state)
{
	(void)state;
	char folder[] = "/tmp/radseal-wiped-XXXXXX";
	assert_non_null(mkdtemp(folder));
	work(rs_world_system(), folder, rs_bytes_of("", 0));
	telling = true;
	assert_int_equal(search_memory(), 0);
	char *command RS_CLEANUP(rs_free_pointer) = rs_text_printf("rm -r %s", folder);
	assert_int_equal(system(command), 0);
}

int main(void)
{
	struct rs_error err = {0};
	if (rs_crypto_init(&err) != RS_OK)
		return 1;
	const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_of_keys_stays_in_memory)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
