/* Making, opening and closing a node; what its parts have in common; recovery after a crash. */
#include "node/node_parts.h"

#include <string.h>

#include "erase.h"
#include "node/node_room.h"

#define RECEIPT_SIZE_MAX ((size_t)128 * 1024)
#define RESUME_PAUSE_MS 60000 /* between attempts to end an erasure that readers keep from it */

enum rs_code node_path(const struct rs_node *node, const char *name, char **out, struct rs_error *err)
{
	*out = rs_path_join(node->directory, name);
	return *out ? RS_OK : rs_error_memory(err, 1, "a path");
}

void node_locator(const struct rs_node *node, enum locator_kind kind, struct rs_bytes value,
                  struct rs_digest *out)
{
	rs_keyring_locator(node->keyring, (uint8_t)kind, value, out);
}

enum rs_code node_subject_key(struct rs_node *node, struct rs_bytes pseudonym, bool create,
                              struct rs_secret *out, struct rs_error *err)
{
	struct rs_pseudonym subject;
	if (pseudonym.size != sizeof subject.bytes)
		return rs_error_set(err, RS_ALTERED, "a subject's pseudonym has %zu bytes", pseudonym.size);
	memcpy(subject.bytes, pseudonym.data, sizeof subject.bytes);
	return rs_subject_key_get(node->subjects, &subject, create, out, err);
}

static enum rs_code catalogue_key(void *context, struct rs_bytes subject, struct rs_secret *out,
                                  struct rs_error *err)
{
	struct rs_node *node = context;
	struct rs_secret key RS_CLEANUP(rs_secret_finish) = {0};
	pthread_mutex_lock(&node->mutex);
	enum rs_code code = node_subject_key(node, subject, false, &key, err);
	pthread_mutex_unlock(&node->mutex);
	if (code == RS_OK)
		rs_subject_index_key(&key, out);
	return code;
}

static void catalogue_identity(void *context, struct rs_str sop_instance_uid, struct rs_digest *out)
{
	node_locator(context, LOCATOR_INSTANCE, rs_bytes_of_str(sop_instance_uid), out);
}

enum rs_code node_catalogue(struct rs_node *node, struct rs_catalogue **out, struct rs_error *err)
{
	struct rs_catalogue_keys keys = {
		.subject_key = catalogue_key, .identity = catalogue_identity, .context = node};
	struct rs_digest tokens;
	if (!node->catalogue) {
		node_locator(node, LOCATOR_CATALOGUE, rs_bytes_of_str(RS_STR("tokens v1")), &tokens);
		memcpy(keys.tokens.bytes, tokens.bytes, RS_KEY_SIZE);
		enum rs_code code = rs_catalogue_open(node->world, index_store(node->index), &keys,
		                                      &node->catalogue, err);
		rs_wipe(&tokens, sizeof tokens);
		rs_secret_finish(&keys.tokens);
		RS_TRY(code);
	}
	*out = node->catalogue;
	return RS_OK;
}

enum rs_code node_receipt_path(const struct rs_node *node, struct rs_bytes cid, char **out,
                               struct rs_error *err)
{
	struct rs_cid parsed;
	if (!rs_cid_from_bytes(cid, &parsed))
		return rs_error_set(err, RS_ALTERED, "an address in the index is none");
	char *path = rs_shard_path(node->receipts, &parsed, ".tlog-proof");
	if (!path)
		return rs_error_memory(err, RS_CID_TEXT_SIZE, "a path");
	*out = path;
	return RS_OK;
}

enum rs_code node_open_record(struct rs_node *node, const struct index_row *row, struct rs_buffer *out,
                              struct rs_error *err)
{
	struct rs_secret subject_key RS_CLEANUP(rs_secret_finish) = {0};
	struct rs_secret index_key RS_CLEANUP(rs_secret_finish) = {0};
	RS_TRY(node_subject_key(node, row->subject, false, &subject_key, err));
	rs_subject_index_key(&subject_key, &index_key);
	return rs_box_open(&index_key, row->content_locator, row->box, out, err);
}

static enum rs_code fill_receipt(struct rs_node *node, const struct index_row *row,
                                 struct rs_receipt *receipt, struct rs_error *err)
{
	struct rs_secret subject_key RS_CLEANUP(rs_secret_finish) = {0};
	if (row->path.size % RS_SHA256_SIZE || row->path.size / RS_SHA256_SIZE > RS_PROOF_HASHES_MAX ||
	    row->record_nonce.size != NONCE_SIZE || row->instance > UINT32_MAX)
		return rs_error_set(err, RS_ALTERED, "a row of the index is malformed");
	receipt->instance = row->instance;
	receipt->instances = row->instances;
	receipt->instance_path_count = row->path.size / RS_SHA256_SIZE;
	if (row->path.size)
		memcpy(receipt->instance_path, row->path.data, row->path.size);
	RS_TRY(node_subject_key(node, row->subject, false, &subject_key, err));
	rs_subject_record_key(&subject_key, row->record_nonce.data, (uint32_t)row->instance, &receipt->key);
	return RS_OK;
}

enum rs_code node_format_receipt(struct rs_node *node, const struct index_row *row, struct rs_buffer *out,
                                 struct rs_error *err)
{
	struct rs_buffer record RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_receipt receipt = {.instance = 0};
	struct rs_digest path[RS_PROOF_HASHES_MAX];
	size_t path_count;
	if (row->entry < 0)
		return rs_error_set(err, RS_ALTERED, "the record is not in the ledger yet");
	rs_buffer_init(&record, 8192);
	RS_TRY(node_open_record(node, row, &record, err));
	RS_TRY(fill_receipt(node, row, &receipt, err));
	RS_TRY(rs_ledger_prove(node->ledger, (uint64_t)row->entry, path, &path_count, err));
	RS_TRY(rs_ledger_entry(node->ledger, (uint64_t)row->entry, &receipt.entry, err));
	receipt.record = rs_buffer_bytes(&record);
	enum rs_code code = rs_receipt_format(&receipt, (uint64_t)row->entry, path, path_count,
	                                      rs_ledger_checkpoint(node->ledger), out, err);
	rs_secret_finish(&receipt.key);
	return code;
}

/* The receipts of some transactions: made one after another (the ledger and the index belong to one thread), written
 * in parallel, all of them before the first is synced, and their directories synced once. */
struct receipting {
	struct rs_node *node;
	int64_t entry;
	struct receipt_file *files;
	size_t count, capacity;
	uint32_t shards; /* of the files */
};
struct receipt_file {
	char *path, *temporary;
	struct rs_buffer text;
	struct rs_file *file;
};

static enum rs_code make_receipt(void *context, const struct index_row *row, struct rs_error *err)
{
	struct receipting *receipting = context;
	struct index_row placed = *row;
	if (row->instances == 0) /* a profile's value: no file that somebody would hold a receipt for */
		return RS_OK;
	placed.entry = receipting->entry;
	if (receipting->count == receipting->capacity) {
		size_t capacity = receipting->capacity ? 2 * receipting->capacity : 16;
		struct receipt_file *files = rs_reallocate(receipting->files, capacity * sizeof *files);
		if (!files)
			return rs_error_memory(err, capacity * sizeof *files, "receipts");
		receipting->files = files;
		receipting->capacity = capacity;
	}
	struct receipt_file *file = &receipting->files[receipting->count++];
	*file = (struct receipt_file){.path = NULL};
	rs_buffer_init(&file->text, RECEIPT_SIZE_MAX);
	RS_TRY(node_format_receipt(receipting->node, &placed, &file->text, err));
	RS_TRY(node_receipt_path(receipting->node, row->cid, &file->path, err));
	file->temporary = rs_text_printf("%s.tmp", file->path);
	if (!file->temporary)
		return rs_error_memory(err, 1, "a path");
	struct rs_cid cid;
	if (rs_cid_from_bytes(row->cid, &cid))
		receipting->shards |= UINT32_C(1) << rs_cid_shard(&cid);
	return RS_OK;
}

static enum rs_code write_receipt(void *context, size_t index, struct rs_error *err)
{
	const struct receipting *receipting = context;
	const unsigned flags = RS_OPEN_WRITE | RS_OPEN_CREATE | RS_OPEN_TRUNCATE;
	struct receipt_file *file = &receipting->files[index];
	RS_TRY(rs_file_open(receipting->node->world, file->temporary, flags, &file->file, err));
	RS_TRY(rs_file_write_at(file->file, 0, file->text.data, file->text.size, err));
	rs_file_start_writeback(file->file);
	return RS_OK;
}

static enum rs_code name_receipt(void *context, size_t index, struct rs_error *err)
{
	const struct receipting *receipting = context;
	const struct rs_files *files = receipting->node->world->files;
	struct receipt_file *file = &receipting->files[index];
	RS_TRY(rs_file_sync(file->file, err));
	return files->rename(files, file->temporary, file->path, err);
}

static void receipting_finish(struct receipting *receipting)
{
	for (size_t i = 0; i < receipting->count; i++) {
		struct receipt_file *file = &receipting->files[i];
		rs_file_close(file->file);
		rs_free(file->path);
		rs_free(file->temporary);
		rs_buffer_finish(&file->text);
	}
	rs_free(receipting->files);
}

enum rs_code node_write_receipts(struct rs_node *node, const struct node_placed *placed, size_t count,
                                 struct rs_error *err)
{
	struct receipting receipting RS_CLEANUP(receipting_finish) = {.node = node};
	enum rs_code code = RS_OK;
	pthread_mutex_lock(&node->mutex);
	for (size_t i = 0; code == RS_OK && i < count; i++) {
		receipting.entry = (int64_t)placed[i].entry;
		code = index_each_row_of(node->index, placed[i].transaction_id, make_receipt, &receipting,
		                         err);
	}
	pthread_mutex_unlock(&node->mutex);
	RS_TRY(code);
	RS_TRY(rs_pool_for(node->pool, receipting.count, write_receipt, &receipting, err));
	RS_TRY(rs_pool_for(node->pool, receipting.count, name_receipt, &receipting, err));
	return rs_shards_sync(node->world, node->pool, node->receipts, receipting.shards, err);
}

struct recovery {
	struct rs_node *node;
	struct rs_buffer ids;
};

static enum rs_code collect_intent(void *context, struct rs_bytes id, struct rs_bytes transaction RS_UNUSED,
                                   struct rs_error *err)
{
	struct recovery *recovery = context;
	if (id.size != TRANSACTION_ID_SIZE)
		return rs_error_set(err, RS_ALTERED, "an intent's id has %zu bytes", id.size);
	rs_buffer_append_bytes(&recovery->ids, id);
	return rs_buffer_check(&recovery->ids, "intents", err);
}

static enum rs_code remove_object(void *context, const struct index_row *row, struct rs_error *err)
{
	struct rs_node *node = context;
	struct rs_cid cid;
	if (!rs_cid_from_bytes(row->cid, &cid))
		return rs_error_set(err, RS_ALTERED, "an address in the index is none");
	return rs_vault_has(node->vault, &cid) ? rs_vault_remove(node->vault, &cid, err) : RS_OK;
}

/* The ledger decides: what it has is completed, receipts included; what it has not is taken back. */
static enum rs_code recover_one(struct rs_node *node, struct rs_bytes id, struct rs_error *err)
{
	uint64_t entry;
	enum rs_code code = rs_ledger_find(node->ledger, id.data, &entry, err);
	if (code != RS_OK && code != RS_NOT_FOUND)
		return code;
	if (code == RS_NOT_FOUND) {
		RS_TRY(index_each_row_of(node->index, id, remove_object, node, err));
		return index_take_back(node->index, id, err);
	}
	struct node_placed placed = {id, entry};
	RS_TRY(node_write_receipts(node, &placed, 1, err));
	return index_complete(node->index, id, entry, err);
}

/* Who reads keeps an erasure from its end (RS_BUSY): it is tried again, but nobody waits for that. Threads that stage use the
 * keys, too. */
static enum rs_code resume_erasures(struct rs_node *node, struct rs_error *err)
{
	uint64_t now_ms = rs_world_now_ms(node->world);
	if (now_ms < node->resume_after_ms)
		return RS_OK;
	pthread_mutex_lock(&node->mutex);
	enum rs_code code = node_resume_erasures(node, err);
	pthread_mutex_unlock(&node->mutex);
	if (code != RS_BUSY)
		return code;
	node->resume_after_ms = now_ms + RESUME_PAUSE_MS;
	return RS_OK;
}

enum rs_code node_recover(struct rs_node *node, struct rs_error *err)
{
	struct recovery recovery = {.node = node};
	rs_buffer_init(&recovery.ids, (size_t)1 << 26);
	index_rollback(node->index); /* what could not be rolled back for want of memory */
	RS_TRY(rs_vault_clean(node->vault, err));
	enum rs_code code = index_each_intent(node->index, collect_intent, &recovery, err);
	for (size_t at = 0; code == RS_OK && at < recovery.ids.size; at += TRANSACTION_ID_SIZE) {
		struct rs_bytes id = {recovery.ids.data + at, TRANSACTION_ID_SIZE};
		code = recover_one(node, id, err);
	}
	rs_buffer_finish(&recovery.ids);
	room_recount(node);
	if (code == RS_OK)
		code = resume_erasures(node, err);
	if (code == RS_OK)
		node->unfinished = false;
	return code;
}

void rs_node_close(struct rs_node *node)
{
	if (!node)
		return;
	if (node->access == RS_NODE_WRITE && node->lock && node->index)
		node_promises_keep(node, true);
	rs_catalogue_close(node->catalogue);
	index_close(node->index);
	rs_ledger_close(node->ledger);
	rs_vault_close(node->vault);
	rs_subject_keys_close(node->subjects);
	rs_keyring_close(node->keyring);
	rs_file_close(node->lock);
	rs_file_close(node->part_lock);
	pthread_mutex_destroy(&node->mutex);
	rs_free(node->directory);
	rs_free(node->receipts);
	rs_free(node->vkey);
	rs_free(node);
}

enum rs_code node_new(const struct rs_world *world, const char *directory, enum rs_node_access access,
                      struct rs_pool *pool, struct rs_node **out, struct rs_error *err)
{
	struct rs_node *node = rs_allocate(sizeof *node);
	if (!node)
		return rs_error_memory(err, sizeof *node, "a node");
	node->world = world;
	node->access = access;
	node->pool = pool;
	node->memory_max = NODE_MEMORY_MAX;
	pthread_mutex_init(&node->mutex, NULL);
	node->directory = rs_str_duplicate(rs_str_from(directory));
	node->receipts = rs_path_join(directory, "receipts");
	node->vkey = rs_allocate(RS_VKEY_SIZE);
	if (!node->directory || !node->receipts || !node->vkey) {
		rs_node_close(node);
		return rs_error_memory(err, RS_VKEY_SIZE, "a node");
	}
	*out = node;
	return RS_OK;
}

static enum rs_code open_ledger(struct rs_node *node, struct rs_error *err)
{
	char *path RS_CLEANUP(rs_free_pointer) = NULL;
	const struct rs_signing_key *key = rs_keyring_log_key(node->keyring);
	struct rs_note_key note_key;
	struct node_promises promises RS_CLEANUP(node_promises_finish) = {0};
	struct rs_ledger_options options = {
		.origin = node->config.origin,
		.key = node->access == RS_NODE_WRITE ? key : NULL,
		.public_key = key->public_key,
		.pool = node->pool,
	};
	RS_TRY(node_path(node, "ledger.sqlite", &path, err));
	RS_TRY(rs_note_key_init(&note_key, node->config.origin, key->public_key, err));
	rs_note_key_format(&note_key, node->vkey);
	RS_TRY(node_promises_read(node, &promises, err));
	RS_TRY(rs_ledger_open(node->world, path, &options, &node->ledger, err));
	return node_promises_check(node, &note_key, &promises, err);
}

enum rs_code node_open_parts(struct rs_node *node, const char *config, struct rs_bytes passphrase,
                             struct rs_error *err)
{
	char *path RS_CLEANUP(rs_free_pointer) = NULL;
	char *vault RS_CLEANUP(rs_free_pointer) = NULL;
	char *index RS_CLEANUP(rs_free_pointer) = NULL;
	RS_TRY(node_path(node, config, &path, err));
	RS_TRY(node_path(node, "vault", &vault, err));
	RS_TRY(node_path(node, "index.sqlite", &index, err));
	if (!rs_path_exists(node->world, path))
		return rs_error_set(err, RS_NOT_FOUND, "%s: there is no node here (no radseal.yaml)",
		                    node->directory);
	RS_TRY(config_read(node->world, path, &node->config, err));
	RS_TRY(node_take_lock(node, err));
	RS_TRY(node_open_keys(node, passphrase, err));
	RS_TRY(open_ledger(node, err));
	RS_TRY(rs_vault_open(node->world, vault, &node->vault, err));
	enum rs_store_access access = node->access == RS_NODE_WRITE ? RS_STORE_WRITE : RS_STORE_READ;
	RS_TRY(index_open(node->world, index, access, &node->index, err));
	/* Nodes of before have no tables of it. */
	return access == RS_STORE_WRITE ? rs_catalogue_make(index_store(node->index), err) : RS_OK;
}

enum rs_code rs_node_open(const struct rs_world *world, const char *directory, enum rs_node_access access,
                          struct rs_bytes passphrase, struct rs_pool *pool, struct rs_node **out,
                          struct rs_error *err)
{
	return rs_node_open_in_turn(world, directory, access, passphrase, pool, 0, out, err);
}

enum rs_code rs_node_open_in_turn(const struct rs_world *world, const char *directory,
                                  enum rs_node_access access, struct rs_bytes passphrase,
                                  struct rs_pool *pool, unsigned wait_s, struct rs_node **out,
                                  struct rs_error *err)
{
	struct rs_node *node;
	RS_TRY(node_new(world, directory, access, pool, &node, err));
	node->wait_s = wait_s;
	enum rs_code code = node_open_parts(node, "radseal.yaml", passphrase, err);
	if (code == RS_OK && access == RS_NODE_WRITE)
		code = node_recover(node, err);
	if (code != RS_OK) {
		rs_node_close(node);
		return code;
	}
	*out = node;
	return RS_OK;
}

const char *rs_node_vkey(const struct rs_node *node) { return node->vkey; }

struct rs_ledger *rs_node_ledger(struct rs_node *node) { return node->ledger; }

static enum rs_code see_content(void *context, struct rs_str name, enum rs_file_kind kind RS_UNUSED,
                                struct rs_error *err RS_UNUSED)
{
	bool *other = context;
	*other = *other || !node_is_lock(name);
	return RS_OK;
}

/* A directory may become a node when nothing lies in it, but perhaps the lock of somebody who makes one there now. */
static enum rs_code check_place(struct rs_node *node, struct rs_error *err)
{
	char *config RS_CLEANUP(rs_free_pointer) = NULL;
	const struct rs_files *files = node->world->files;
	bool other = false;
	RS_TRY(node_path(node, "radseal.yaml", &config, err));
	if (rs_path_exists(node->world, config))
		return rs_error_set(err, RS_EXISTS, "%s: there is a node here already", node->directory);
	RS_TRY(files->list(files, node->directory, see_content, &other, err));
	if (other)
		return rs_error_set(err, RS_EXISTS,
		                    "%s: is not empty; a node is made in a new or empty directory",
		                    node->directory);
	return RS_OK;
}

/* Of several processes that make a node here at once, the one with the lock does. The others find the lock taken, or a
 * node when it is given back. In a directory of something else not even a lock is made. */
static enum rs_code claim(struct rs_node *node, struct rs_error *err)
{
	char *lock RS_CLEANUP(rs_free_pointer) = NULL;
	RS_TRY(node_path(node, "lock", &lock, err));
	if (rs_path_exists(node->world, node->directory)) {
		enum rs_code code = check_place(node, err);
		/* Looked for after the content: who makes a node makes the lock first. */
		if (code != RS_OK && !rs_path_exists(node->world, lock))
			return code;
	}
	RS_TRY(rs_directory_make(node->world, node->directory, err));
	enum rs_code code = node_take_lock(node, err);
	if (code == RS_BUSY)
		return rs_error_set(
			err, RS_BUSY,
			"%s: another process makes a node here, or works with the one that is here",
			node->directory);
	RS_TRY(code);
	return check_place(node, err);
}

/* The genesis: the organisation and its administrator, signed by the administrator. */
static enum rs_code found_ledger(struct rs_node *node, enum rs_organisation_kind kind, struct rs_error *err)
{
	struct rs_act act = {
		.type = RS_TRANSACTION_ORGANISATION_ADD,
		.time_ms = rs_world_now_ms(node->world),
		.organisation = rs_keyring_organisation(node->keyring),
		.organisation_kind = kind,
		.member = rs_keyring_member_id(node->keyring),
	};
	struct rs_transaction transaction RS_CLEANUP(rs_transaction_finish) = {.checked = false};
	struct rs_append_result result;
	RS_TRY(rs_world_random(node->world, act.id, sizeof act.id, err));
	RS_TRY(rs_transaction_sign(&act, rs_keyring_member_key(node->keyring), &transaction, err));
	RS_TRY(rs_ledger_append(node->ledger, &transaction, 1, &result, err));
	if (result.refusal != RS_REFUSAL_NONE)
		return rs_error_set(err, RS_REFUSED, "the contract refuses the first entry: %s",
		                    rs_refusal_text(result.refusal));
	return RS_OK;
}

static enum rs_code create_parts(struct rs_node *node, enum rs_organisation_kind kind,
                                 struct rs_bytes passphrase, struct rs_error *err)
{
	char *vault RS_CLEANUP(rs_free_pointer) = NULL;
	char *vkey RS_CLEANUP(rs_free_pointer) = NULL;
	char *index RS_CLEANUP(rs_free_pointer) = NULL;
	char *config RS_CLEANUP(rs_free_pointer) = NULL;
	RS_TRY(node_path(node, "vault", &vault, err));
	RS_TRY(node_path(node, "keys/log.vkey", &vkey, err));
	RS_TRY(node_path(node, "index.sqlite", &index, err));
	RS_TRY(node_path(node, "radseal.yaml", &config, err));
	RS_TRY(node_create_keys(node, passphrase, err));
	RS_TRY(node_open_keys(node, passphrase, err));
	RS_TRY(open_ledger(node, err));
	RS_TRY(found_ledger(node, kind, err));
	RS_TRY(rs_vault_create(node->world, vault, err));
	RS_TRY(rs_shards_make(node->world, node->receipts, err));
	RS_TRY(index_open(node->world, index, RS_STORE_WRITE, &node->index, err));
	RS_TRY(rs_catalogue_make(index_store(node->index), err));
	char *line RS_CLEANUP(rs_free_pointer) = rs_text_printf("%s\n", node->vkey);
	if (!line)
		return rs_error_memory(err, RS_VKEY_SIZE, "the verifier key");
	RS_TRY(rs_file_replace(node->world, vkey, rs_bytes_of_str(rs_str_from(line)), 0644, err));
	/* Last, and atomic: a directory with radseal.yaml is a whole node. */
	return config_write(node->world, config, &node->config, err);
}

enum rs_code rs_node_create(const struct rs_world *world, const char *directory, const char *organisation,
                            struct rs_bytes passphrase, struct rs_error *err)
{
	return rs_node_create_of_kind(world, directory, organisation, RS_ORGANISATION_ANY, passphrase, err);
}

enum rs_code rs_node_create_of_kind(const struct rs_world *world, const char *directory,
                                    const char *organisation, enum rs_organisation_kind kind,
                                    struct rs_bytes passphrase, struct rs_error *err)
{
	struct rs_node *node;
	RS_TRY(node_new(world, directory, RS_NODE_WRITE, NULL, &node, err));
	enum rs_code code = config_init(&node->config, organisation, err);
	if (code == RS_OK)
		code = claim(node, err);
	if (code == RS_OK)
		code = create_parts(node, kind, passphrase, err);
	rs_node_close(node);
	return code;
}
