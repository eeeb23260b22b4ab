/* Restoring a node: keys, databases, objects, then what the ledger says was erased stays away, then receipts. The name of
 * radseal.yaml comes last, and with it the node. */
#include <stdlib.h>
#include <string.h>

#include "backup.h"
#include "node/node_forget.h"
#include "ledger/ledger_history.h"

#define CONFIG "radseal.yaml"
#define RESTORING "radseal.yaml.restoring"
#define EVIDENCE "keys/rolled-back-checkpoint"
#define CID_SIZE sizeof(struct rs_cid)
#define RECEIPTS_AT_ONCE 256

struct restoring {
	const struct rs_world *world;
	const char *home;
	const struct rs_restore_options *options;
	struct rs_node *node;
	struct rs_vault *backup;
	struct rs_keyring *keyring;
	struct backup_keys keys;
	struct manifest manifest;
	struct key_backup key_backup;
	struct rs_buffer erased;    /* tokens of subjects, sorted */
	struct rs_buffer forgotten; /* pseudonyms of those whose keys the key-store backup still had */
	struct rs_restore_counts counts;
};

static void restoring_finish(struct restoring *restoring)
{
	rs_node_close(restoring->node);
	rs_vault_close(restoring->backup);
	rs_keyring_close(restoring->keyring);
	backup_keys_finish(&restoring->keys);
	manifest_finish(&restoring->manifest);
	key_backup_finish(&restoring->key_backup);
	rs_buffer_finish(&restoring->erased);
	rs_buffer_finish(&restoring->forgotten);
}

static enum rs_code path_in(const struct restoring *restoring, const char *name, char **out,
                            struct rs_error *err)
{
	*out = rs_path_join(restoring->home, name);
	return *out ? RS_OK : rs_error_memory(err, 1, "a path");
}

static enum rs_code write_small(const struct restoring *restoring, const char *name, struct rs_bytes content,
                                unsigned mode, struct rs_error *err)
{
	char *path RS_CLEANUP(rs_free_pointer) = NULL;
	RS_TRY(path_in(restoring, name, &path, err));
	return rs_file_replace(restoring->world, path, content, mode, err);
}

static enum rs_code see_content(void *context, struct rs_str name, enum rs_file_kind kind RS_UNUSED,
                                struct rs_error *err RS_UNUSED)
{
	bool *other = context;
	*other = *other || (!node_is_lock(name) && !rs_str_starts_with(name, RESTORING));
	return RS_OK;
}

/* What an interrupted restore left of databases would mix with what comes now. */
static enum rs_code clear_databases(const struct restoring *restoring, struct rs_error *err)
{
	static const char *const names[] = {"ledger.sqlite", "index.sqlite", "subjects.sqlite",
	                                    "accounts.sqlite", "devices.sqlite"};
	static const char *const suffixes[] = {"", "-wal", "-shm"};
	for (size_t i = 0; i < RS_COUNT(names) * RS_COUNT(suffixes); i++) {
		char *path RS_CLEANUP(rs_free_pointer) = rs_text_printf("%s/%s%s", restoring->home,
		                                                        names[i / RS_COUNT(suffixes)],
		                                                        suffixes[i % RS_COUNT(suffixes)]);
		if (!path)
			return rs_error_memory(err, 1, "a path");
		if (rs_path_exists(restoring->world, path))
			RS_TRY(restoring->world->files->remove(restoring->world->files, path, err));
	}
	return RS_OK;
}

static enum rs_code claim(const struct restoring *restoring, struct rs_error *err)
{
	const struct rs_files *files = restoring->world->files;
	char *marker RS_CLEANUP(rs_free_pointer) = NULL;
	char *config RS_CLEANUP(rs_free_pointer) = NULL;
	bool other = false;
	RS_TRY(path_in(restoring, RESTORING, &marker, err));
	RS_TRY(path_in(restoring, CONFIG, &config, err));
	if (rs_path_exists(restoring->world, config))
		return rs_error_set(err, RS_EXISTS, "%s: there is a node here already", restoring->home);
	if (rs_path_exists(restoring->world, restoring->home) && !rs_path_exists(restoring->world, marker))
		RS_TRY(files->list(files, restoring->home, see_content, &other, err));
	if (other)
		return rs_error_set(err, RS_EXISTS,
		                    "%s: is not empty; a node is restored to a new or empty "
		                    "directory",
		                    restoring->home);
	RS_TRY(rs_directory_make(restoring->world, restoring->home, err));
	RS_TRY(node_take_lock(restoring->node, err));
	RS_TRY(rs_file_replace(restoring->world, marker, rs_bytes_of("", 0), 0600, err));
	return clear_databases(restoring, err);
}

static enum rs_code restore_keys(struct restoring *restoring, struct rs_error *err)
{
	const struct rs_restore_options *options = restoring->options;
	char *keys RS_CLEANUP(rs_free_pointer) = NULL;
	char *path RS_CLEANUP(rs_free_pointer) = NULL;
	RS_TRY(key_backup_read(restoring->world, options->keys, &restoring->key_backup, err));
	RS_TRY(path_in(restoring, "keys", &keys, err));
	RS_TRY(path_in(restoring, "keys/node.key", &path, err));
	RS_TRY(rs_directory_make(restoring->world, keys, err));
	RS_TRY(rs_file_replace(restoring->world, path, restoring->key_backup.node_key, 0600, err));
	RS_TRY(rs_keyring_open(restoring->world, path, &options->unlock, &restoring->keyring, err));
	if (key_backup_open(&restoring->key_backup, restoring->keyring, err) != RS_OK)
		return rs_error_context(err, "%s", options->keys);
	if (options->unlock.unlock_file.size)
		RS_TRY(write_small(restoring, "keys/unlock.key", options->unlock.unlock_file, 0600, err));
	for (size_t i = 0; i < restoring->key_backup.member_count; i++) {
		struct rs_str name;
		struct rs_bytes content;
		RS_TRY(rs_cbor_read_str(&restoring->key_backup.members, "name", &name, err));
		RS_TRY(rs_cbor_read_bytes(&restoring->key_backup.members, "key file", &content, err));
		if (!key_backup_is_members(name))
			return rs_error_set(err, RS_MALFORMED, "%s: a key file in it has no name of one",
			                    options->keys);
		char *member RS_CLEANUP(rs_free_pointer) = rs_text_printf("keys/" RS_STR_FORMAT,
		                                                          RS_STR_ARGUMENTS(name));
		if (!member)
			return rs_error_memory(err, 1, "a path");
		RS_TRY(write_small(restoring, member, content, 0600, err));
	}
	return RS_OK;
}

static enum rs_code write_piece(void *context, uint64_t offset, struct rs_bytes piece, struct rs_error *err)
{
	return rs_file_write_at(context, offset, piece.data, piece.size, err);
}

/* The manifest is authentic, and yet its names are those of a node and no others. */
static const char *place_of(const char *name)
{
	static const char *const known[] = {
		"keys/log.vkey", "keys/last-checkpoint", "keys/cosigned-checkpoint",
		"ledger.sqlite", "index.sqlite",         "accounts.sqlite",
		"devices.sqlite"};
	if (strcmp(name, CONFIG) == 0)
		return RESTORING;
	for (size_t i = 0; i < RS_COUNT(known); i++)
		if (strcmp(name, known[i]) == 0)
			return name;
	const char *slash = strchr(name, '/');
	if (slash &&
	    (strncmp(name, "witness/", 8) == 0 || strncmp(name, "reasons/", 8) == 0 ||
	     strncmp(name, "certificates/", 13) == 0) &&
	    slash[1] && slash[1] != '.' && !strchr(slash + 1, '/'))
		return name;
	return NULL;
}

static enum rs_code restore_file(struct restoring *restoring, const struct saved_file *saved,
                                 struct rs_error *err)
{
	const unsigned flags = RS_OPEN_WRITE | RS_OPEN_CREATE | RS_OPEN_TRUNCATE;
	struct rs_file *file RS_CLEANUP(rs_file_close_pointer) = NULL;
	char *path RS_CLEANUP(rs_free_pointer) = NULL;
	char *directory RS_CLEANUP(rs_free_pointer) = NULL;
	const char *place = place_of(saved->name);
	if (strcmp(saved->name, OBJECTS_NAME) == 0)
		return RS_OK;
	if (!place)
		return rs_error_set(err, RS_UNSUPPORTED,
		                    "the backup holds %s, which this radseal does not know", saved->name);
	RS_TRY(path_in(restoring, place, &path, err));
	directory = rs_path_directory(path);
	if (!directory)
		return rs_error_memory(err, 1, "a path");
	RS_TRY(rs_directory_make(restoring->world, directory, err));
	RS_TRY(rs_file_open(restoring->world, path, flags, &file, err));
	RS_TRY(saved_each_piece(restoring->backup, &restoring->keys, saved, write_piece, file, err));
	RS_TRY(rs_file_sync(file, err));
	return restoring->world->files->sync_directory(restoring->world->files, directory, err);
}

static enum rs_code restore_objects(struct restoring *restoring, struct rs_error *err)
{
	const struct saved_file *saved = manifest_find(&restoring->manifest, OBJECTS_NAME);
	struct rs_buffer addresses RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_vault *vault = NULL;
	char *path RS_CLEANUP(rs_free_pointer) = NULL;
	if (!saved || saved->size % CID_SIZE)
		return rs_error_set(err, RS_ALTERED, "the backup has no list of objects");
	RS_TRY(saved_read(restoring->backup, &restoring->keys, saved, (size_t)1 << 32, &addresses, err));
	RS_TRY(path_in(restoring, "vault", &path, err));
	RS_TRY(rs_vault_create(restoring->world, path, err));
	RS_TRY(rs_vault_open(restoring->world, path, &vault, err));
	enum rs_code code = rs_vault_clean(vault, err);
	if (code == RS_OK)
		code = backup_copy_objects(restoring->backup, vault, restoring->node->pool,
		                           rs_buffer_bytes(&addresses), err);
	rs_vault_close(vault);
	restoring->counts.objects = addresses.size / CID_SIZE;
	return code;
}

/* What lay in quarantine is in no backup: what an erasure took away would come back with it. */
static enum rs_code empty_quarantine(struct restoring *restoring, struct rs_error *err)
{
	char *path RS_CLEANUP(rs_free_pointer) = NULL;
	struct rs_store *store;
	RS_TRY(path_in(restoring, "devices.sqlite", &path, err));
	if (!rs_path_exists(restoring->world, path))
		return RS_OK;
	RS_TRY(rs_store_open(restoring->world, path, RS_STORE_WRITE, NULL, 0, &store, err));
	enum rs_code code = rs_store_run(store, "DELETE FROM quarantine WHERE state=0", err);
	if (code == RS_OK)
		code = rs_store_scrub(store, err);
	rs_store_close(store);
	return code;
}

static enum rs_code restore_data(struct restoring *restoring, struct rs_error *err)
{
	const struct rs_restore_options *options = restoring->options;
	backup_keys_init(&restoring->keys, restoring->keyring);
	RS_TRY(manifest_read(restoring->world, options->data, &restoring->keys, options->name,
	                     &restoring->manifest, restoring->counts.name, err));
	RS_TRY(rs_vault_open(restoring->world, options->data, &restoring->backup, err));
	for (size_t i = 0; i < restoring->manifest.count; i++)
		RS_TRY(restore_file(restoring, &restoring->manifest.files[i], err));
	RS_TRY(empty_quarantine(restoring, err));
	RS_TRY(restore_objects(restoring, err));
	RS_TRY(rs_shards_make(restoring->world, restoring->node->receipts, err));
	return node_open_parts(restoring->node, RESTORING, options->unlock.passphrase, err);
}

/* A ledger behind what witnesses cosigned lacks entries, erasures perhaps among them. */
static enum rs_code check_promise(struct restoring *restoring, const struct rs_trust *trust,
                                  struct rs_str note, const char *where, struct rs_error *err)
{
	struct rs_checkpoint promised;
	size_t cosigned;
	if (note.size == 0)
		return RS_OK;
	enum rs_code code = rs_ledger_check_promise(restoring->node->ledger, &trust->log, note, where, err);
	if (code != RS_ALTERED || !restoring->options->accept_rollback ||
	    rs_checkpoint_open(note, trust, &promised, &cosigned, NULL) != RS_OK ||
	    promised.size <= rs_ledger_size(restoring->node->ledger))
		return code;
	return write_small(restoring, EVIDENCE, rs_bytes_of_str(note), 0644, err);
}

static enum rs_code check_promises(struct restoring *restoring, struct rs_error *err)
{
	const struct key_backup *keys = &restoring->key_backup;
	struct rs_trust trust = {.witness_count = 0};
	struct rs_checkpoint last;
	size_t cosigned;
	RS_TRY(rs_note_key_parse(rs_str_from(restoring->node->vkey), &trust.log, err));
	/* Of entries that nobody else signed, some are missing whenever a backup is not of the last moment. */
	if (keys->last.size && rs_checkpoint_open(keys->last, &trust, &last, &cosigned, NULL) == RS_OK &&
	    last.size > rs_ledger_size(restoring->node->ledger))
		restoring->counts.missing = last.size - rs_ledger_size(restoring->node->ledger);
	else
		RS_TRY(check_promise(restoring, &trust, keys->last, "the key-store backup", err));
	RS_TRY(check_promise(restoring, &trust, keys->cosigned, "the key-store backup", err));
	return check_promise(restoring, &trust, restoring->options->checkpoint, "--checkpoint", err);
}

/* Whether a key comes back; collects whose does not. */
static enum rs_code keep_key(void *context, struct rs_bytes pseudonym, const struct rs_secret *key,
                             bool *out_keep, struct rs_error *err)
{
	struct restoring *restoring = context;
	struct rs_digest token;
	rs_subject_token(key, &token);
	*out_keep = !erased_tokens_have(&restoring->erased, &token);
	if (*out_keep)
		return RS_OK;
	rs_buffer_append_bytes(&restoring->forgotten, pseudonym);
	return rs_buffer_check(&restoring->forgotten, "erased subjects", err);
}

/* An index from before the erasure was carried out, and a key store from after it. */
static enum rs_code see_row(void *context, const struct index_row *row, struct rs_error *err)
{
	struct restoring *restoring = context;
	struct rs_bytes entry;
	struct rs_act act;
	if (row->entry < 0 || row->subject.size != sizeof(struct rs_pseudonym))
		return RS_OK;
	RS_TRY(rs_ledger_entry(restoring->node->ledger, (uint64_t)row->entry, &entry, err));
	RS_TRY(rs_transaction_parse(entry, &act, err));
	if (erased_tokens_have(&restoring->erased, &act.subject))
		rs_buffer_append_bytes(&restoring->forgotten, row->subject);
	return rs_buffer_check(&restoring->forgotten, "erased subjects", err);
}

static enum rs_code restore_subjects(struct restoring *restoring, struct rs_error *err)
{
	struct rs_node *node = restoring->node;
	struct rs_pseudonym pseudonym;
	RS_TRY(erased_tokens(node->ledger, true, &restoring->erased, err));
	rs_buffer_init(&restoring->forgotten, (size_t)1 << 30);
	RS_TRY(rs_subject_keys_import(node->subjects, restoring->key_backup.subjects, keep_key, restoring,
	                              &restoring->counts.erased, err));
	if (restoring->erased.size)
		RS_TRY(index_each_row(node->index, see_row, restoring, err));
	struct forgotten forgotten = {.rows = 0};
	for (size_t at = 0; at < restoring->forgotten.size; at += sizeof pseudonym.bytes) {
		memcpy(pseudonym.bytes, restoring->forgotten.data + at, sizeof pseudonym.bytes);
		RS_TRY(forget_subject(node, &pseudonym, &forgotten, err));
	}
	if (forgotten.rows)
		RS_TRY(index_scrub(node->index, err));
	restoring->counts.objects -= forgotten.objects;
	return rs_subject_keys_count(node->subjects, &restoring->counts.subjects, err);
}

/* Entries whose files' keys are here: of the others no receipt can be made. */
struct placing {
	struct rs_node *node;
	struct rs_buffer ids; /* id, be64 entry */
	uint64_t locked, receipts;
};

static enum rs_code place_row(void *context, const struct index_row *row, struct rs_error *err)
{
	struct placing *placing = context;
	struct rs_secret key RS_CLEANUP(rs_secret_finish) = {0};
	const size_t step = TRANSACTION_ID_SIZE + 8;
	uint8_t entry[8];
	if (row->entry < 0 || row->instances == 0 || row->transaction_id.size != TRANSACTION_ID_SIZE)
		return RS_OK;
	enum rs_code code = node_subject_key(placing->node, row->subject, false, &key, err);
	if (code == RS_NOT_FOUND) {
		placing->locked++;
		return RS_OK;
	}
	RS_TRY(code);
	placing->receipts++;
	if (placing->ids.size >= step && memcmp(placing->ids.data + placing->ids.size - step,
	                                        row->transaction_id.data, TRANSACTION_ID_SIZE) == 0)
		return RS_OK;
	rs_write_be64(entry, (uint64_t)row->entry);
	rs_buffer_append_bytes(&placing->ids, row->transaction_id);
	rs_buffer_append(&placing->ids, entry, sizeof entry);
	return rs_buffer_check(&placing->ids, "receipts", err);
}

static enum rs_code restore_receipts(struct restoring *restoring, struct rs_error *err)
{
	const size_t step = TRANSACTION_ID_SIZE + 8;
	struct placing placing = {.node = restoring->node};
	struct node_placed placed[RECEIPTS_AT_ONCE];
	size_t count = 0;
	rs_buffer_init(&placing.ids, (size_t)1 << 32);
	enum rs_code code = index_each_row(restoring->node->index, place_row, &placing, err);
	for (size_t at = 0; code == RS_OK && at < placing.ids.size; at += step) {
		const uint8_t *id = placing.ids.data + at;
		placed[count++] = (struct node_placed){rs_bytes_of(id, TRANSACTION_ID_SIZE),
		                                       rs_read_be64(id + TRANSACTION_ID_SIZE)};
		if (count == RECEIPTS_AT_ONCE || at + step == placing.ids.size) {
			code = node_write_receipts(restoring->node, placed, count, err);
			count = 0;
		}
	}
	restoring->counts.locked = placing.locked;
	restoring->counts.receipts = placing.receipts;
	rs_buffer_finish(&placing.ids);
	return code;
}

static enum rs_code finish(struct restoring *restoring, struct rs_error *err)
{
	const struct rs_files *files = restoring->world->files;
	char *from RS_CLEANUP(rs_free_pointer) = NULL;
	char *to RS_CLEANUP(rs_free_pointer) = NULL;
	RS_TRY(path_in(restoring, RESTORING, &from, err));
	RS_TRY(path_in(restoring, CONFIG, &to, err));
	restoring->counts.entries = rs_ledger_size(restoring->node->ledger);
	rs_node_close(restoring->node);
	restoring->node = NULL;
	RS_TRY(files->rename(files, from, to, err));
	return files->sync_directory(files, restoring->home, err);
}

enum rs_code rs_node_restore(const struct rs_world *world, const char *home,
                             const struct rs_restore_options *options, struct rs_pool *pool,
                             struct rs_restore_counts *out, struct rs_error *err)
{
	struct restoring restoring RS_CLEANUP(restoring_finish) = {
		.world = world, .home = home, .options = options};
	RS_TRY(node_new(world, home, RS_NODE_WRITE, pool, &restoring.node, err));
	RS_TRY(claim(&restoring, err));
	RS_TRY(restore_keys(&restoring, err));
	RS_TRY(restore_data(&restoring, err));
	RS_TRY(check_promises(&restoring, err));
	RS_TRY(restore_subjects(&restoring, err));
	RS_TRY(node_recover(restoring.node, err));
	RS_TRY(restore_receipts(&restoring, err));
	RS_TRY(finish(&restoring, err));
	*out = restoring.counts;
	return RS_OK;
}
