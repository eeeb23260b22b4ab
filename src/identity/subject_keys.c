/* The store of subject keys. Erasing has to leave no copy in the file: SQLite's secure_delete
 * zeroes the row, but rebalanced pages may keep older copies of it, so the file is rewritten
 * (VACUUM) and its log truncated. A row in `scrub` remembers this work until it is done, so
 * that a crash in between does not leave it undone. */
#include "subject_keys.h"

#include <string.h>

#include "store/store.h"

#define SCHEMA_VERSION 1
#define SCHEMA                                                          \
	"CREATE TABLE subject_key(pseudonym BLOB PRIMARY KEY NOT NULL," \
	" wrapped BLOB NOT NULL) WITHOUT ROWID;"                        \
	"CREATE TABLE scrub(pending INTEGER PRIMARY KEY)"

#define WRAPPED_SIZE (RS_KEY_SIZE + RS_BOX_OVERHEAD)
#define CACHE_SIZE 1024 /* a power of two; one place for each key, newest wins */

struct cached {
	bool used;
	struct rs_pseudonym pseudonym;
	struct rs_secret secret;
};

enum query { SELECT, INSERT, ERASE, COUNT, DATA_VERSION, SCRUB_PENDING, QUERY_COUNT };

static const char *const query_text[QUERY_COUNT] = {
	[SELECT] = "SELECT wrapped FROM subject_key WHERE pseudonym = ?1",
	[INSERT] = "INSERT INTO subject_key VALUES(?1, ?2) ON CONFLICT DO NOTHING",
	[ERASE] = "DELETE FROM subject_key WHERE pseudonym = ?1 RETURNING 1",
	[COUNT] = "SELECT count(*) FROM subject_key",
	[DATA_VERSION] = "PRAGMA data_version",
	[SCRUB_PENDING] = "SELECT count(*) FROM scrub",
};

struct rs_subject_keys {
	const struct rs_world *world;
	const struct rs_keyring *keyring;
	struct rs_store *store;
	struct rs_statement *queries[QUERY_COUNT];
	int64_t data_version;
	struct cached cache[CACHE_SIZE];
};

static struct rs_bytes pseudonym_bytes(const struct rs_pseudonym *pseudonym)
{
	return rs_bytes_of(pseudonym->bytes, sizeof(pseudonym->bytes));
}

static struct cached *place_of(struct rs_subject_keys *keys, const struct rs_pseudonym *pseudonym)
{
	return &keys->cache[rs_read_le32(pseudonym->bytes) % CACHE_SIZE];
}

static enum rs_code ask_number(struct rs_subject_keys *keys, enum query query, int64_t *out,
                               struct rs_error *err)
{
	bool row = false;
	RS_TRY(rs_statement_step(keys->queries[query], &row, err));
	*out = row ? rs_statement_i64(keys->queries[query], 0) : 0;
	rs_statement_reset(keys->queries[query]);
	return RS_OK;
}

/* Another process may have erased a key: a cache that did not look would go on serving it. */
static enum rs_code refresh(struct rs_subject_keys *keys, struct rs_error *err)
{
	int64_t version = 0;
	RS_TRY(ask_number(keys, DATA_VERSION, &version, err));
	if (version != keys->data_version)
		rs_wipe(keys->cache, sizeof(keys->cache));
	keys->data_version = version;
	return RS_OK;
}

struct rs_store *subject_keys_store(struct rs_subject_keys *keys) { return keys->store; }

enum rs_code subject_key_unwrap(const struct rs_subject_keys *keys, struct rs_bytes pseudonym,
                                struct rs_bytes wrapped, struct rs_secret *out, struct rs_error *err)
{
	struct rs_buffer plain RS_CLEANUP(rs_secret_buffer_finish) = {0};
	char text[RS_PSEUDONYM_TEXT_SIZE] = "";
	enum rs_code code = RS_ALTERED;

	rs_buffer_init(&plain, RS_KEY_SIZE);
	if (wrapped.size == WRAPPED_SIZE)
		code = rs_box_open(rs_keyring_kek(keys->keyring), pseudonym, wrapped, &plain, err);
	if (code == RS_OK) {
		memcpy(out->bytes, plain.data, sizeof(out->bytes));
		return RS_OK;
	}
	if (code != RS_ALTERED)
		return code;
	rs_hex_encode(rs_bytes_of(pseudonym.data, pseudonym.size > 32 ? 32 : pseudonym.size), text);
	return rs_error_set(err, RS_ALTERED,
	                    "the key of subject %s does not unwrap: its row was altered, or "
	                    "belongs to another keyring; restore subjects.sqlite from a "
	                    "backup",
	                    text);
}

static enum rs_code scrub(struct rs_subject_keys *keys, struct rs_error *err)
{
	enum rs_code code = rs_store_scrub(keys->store, err);
	if (code == RS_BUSY)
		return rs_error_set(err, RS_BUSY,
		                    "another process reads the subject keys: the key is deleted, "
		                    "its traces go when they are opened next");
	RS_TRY(code);
	return rs_store_run(keys->store, "DELETE FROM scrub", err);
}

static enum rs_code prepare(struct rs_subject_keys *keys, struct rs_error *err)
{
	int64_t pending = 0;

	RS_TRY(rs_store_run(keys->store, "PRAGMA secure_delete=ON", err));
	for (int i = 0; i < QUERY_COUNT; i++)
		RS_TRY(rs_statement_prepare(keys->store, query_text[i], &keys->queries[i], err));
	RS_TRY(ask_number(keys, SCRUB_PENDING, &pending, err));
	if (pending != 0) {
		enum rs_code code = scrub(keys, err);
		if (code != RS_OK && code != RS_BUSY) /* busy: the next opening tries again */
			return code;
	}
	return ask_number(keys, DATA_VERSION, &keys->data_version, err);
}

enum rs_code rs_subject_keys_open(const struct rs_world *world, const char *path,
                                  const struct rs_keyring *keyring, struct rs_subject_keys **out,
                                  struct rs_error *err)
{
	struct rs_subject_keys *keys RS_CLEANUP(rs_subject_keys_close_pointer) = rs_allocate(sizeof(*keys));
	if (keys == NULL)
		return rs_error_memory(err, sizeof(*keys), "the subject keys");
	keys->world = world;
	keys->keyring = keyring;
	RS_TRY(rs_store_open(world, path, RS_STORE_WRITE, SCHEMA, SCHEMA_VERSION, &keys->store, err));
	RS_TRY(prepare(keys, err));
	*out = keys;
	keys = NULL;
	return RS_OK;
}

void rs_subject_keys_close(struct rs_subject_keys *keys)
{
	if (keys == NULL)
		return;
	for (int i = 0; i < QUERY_COUNT; i++)
		rs_statement_finish(keys->queries[i]);
	rs_store_close(keys->store);
	rs_wipe(keys, sizeof(*keys));
	rs_free(keys);
}

void rs_subject_keys_close_pointer(struct rs_subject_keys **keys) { rs_subject_keys_close(*keys); }

static enum rs_code load(struct rs_subject_keys *keys, const struct rs_pseudonym *pseudonym,
                         struct rs_secret *out, bool *out_found, struct rs_error *err)
{
	struct rs_statement *select = keys->queries[SELECT];
	enum rs_code code;
	bool row = false;

	rs_statement_bind_bytes(select, 1, pseudonym_bytes(pseudonym));
	RS_TRY(rs_statement_step(select, &row, err));
	*out_found = row;
	if (!row)
		return RS_OK;
	code = subject_key_unwrap(keys, pseudonym_bytes(pseudonym), rs_statement_bytes(select, 0), out, err);
	rs_statement_reset(select);
	return code;
}

static enum rs_code make(struct rs_subject_keys *keys, const struct rs_pseudonym *pseudonym,
                         struct rs_error *err)
{
	struct rs_secret secret RS_CLEANUP(rs_secret_finish) = {0};
	struct rs_buffer wrapped RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_statement *insert = keys->queries[INSERT];

	rs_buffer_init(&wrapped, WRAPPED_SIZE);
	RS_TRY(rs_secret_random(keys->world, &secret, err));
	RS_TRY(rs_box_seal(keys->world, rs_keyring_kek(keys->keyring), pseudonym_bytes(pseudonym),
	                   rs_bytes_of(secret.bytes, sizeof(secret.bytes)), &wrapped, err));
	rs_statement_bind_bytes(insert, 1, pseudonym_bytes(pseudonym));
	rs_statement_bind_bytes(insert, 2, rs_buffer_bytes(&wrapped));
	return rs_statement_run(insert, err);
}

enum rs_code rs_subject_key_get(struct rs_subject_keys *keys, const struct rs_pseudonym *pseudonym,
                                bool create, struct rs_secret *out, struct rs_error *err)
{
	struct cached *place = place_of(keys, pseudonym);
	struct rs_secret secret RS_CLEANUP(rs_secret_finish) = {0};
	bool found = false;

	RS_TRY(refresh(keys, err));
	if (place->used && rs_pseudonym_equal(&place->pseudonym, pseudonym)) {
		*out = place->secret;
		return RS_OK;
	}
	RS_TRY(load(keys, pseudonym, &secret, &found, err));
	if (!found && create) {
		/* Read back: another process may have been first. */
		RS_TRY(make(keys, pseudonym, err));
		RS_TRY(load(keys, pseudonym, &secret, &found, err));
	}
	if (!found) {
		char text[RS_PSEUDONYM_TEXT_SIZE];
		rs_pseudonym_format(pseudonym, text);
		return rs_error_set(err, RS_NOT_FOUND,
		                    "there is no key for subject %s: never seen here, or erased", text);
	}
	*place = (struct cached){.used = true, .pseudonym = *pseudonym, .secret = secret};
	*out = secret;
	return RS_OK;
}

void rs_subject_keys_rest(struct rs_subject_keys *keys) { rs_wipe(keys->cache, sizeof(keys->cache)); }

enum rs_code rs_subject_keys_begin(struct rs_subject_keys *keys, struct rs_error *err)
{
	return rs_store_begin(keys->store, err);
}

enum rs_code rs_subject_keys_commit(struct rs_subject_keys *keys, struct rs_error *err)
{
	return rs_store_commit(keys->store, err);
}

void rs_subject_keys_rollback(struct rs_subject_keys *keys)
{
	rs_store_rollback(keys->store);
	rs_wipe(keys->cache, sizeof keys->cache);
}

static enum rs_code delete_row(struct rs_subject_keys *keys, const struct rs_pseudonym *pseudonym,
                               struct rs_error *err)
{
	struct rs_statement *erase = keys->queries[ERASE];
	bool row = false;
	char text[RS_PSEUDONYM_TEXT_SIZE];

	rs_statement_bind_bytes(erase, 1, pseudonym_bytes(pseudonym));
	RS_TRY(rs_statement_step(erase, &row, err));
	rs_statement_reset(erase);
	if (!row) {
		rs_pseudonym_format(pseudonym, text);
		return rs_error_set(err, RS_NOT_FOUND, "there is no key of subject %s to erase", text);
	}
	return rs_store_run(keys->store, "INSERT OR IGNORE INTO scrub VALUES(1)", err);
}

enum rs_code rs_subject_key_erase(struct rs_subject_keys *keys, const struct rs_pseudonym *pseudonym,
                                  struct rs_error *err)
{
	struct cached *place = place_of(keys, pseudonym);
	enum rs_code code;

	rs_wipe(place, sizeof(*place));
	RS_TRY(rs_store_begin(keys->store, err));
	code = delete_row(keys, pseudonym, err);
	if (code == RS_OK)
		code = rs_store_commit(keys->store, err);
	if (code != RS_OK) {
		rs_store_rollback(keys->store);
		return code;
	}
	return scrub(keys, err);
}

enum rs_code rs_subject_keys_count(struct rs_subject_keys *keys, uint64_t *out, struct rs_error *err)
{
	int64_t count = 0;
	RS_TRY(ask_number(keys, COUNT, &count, err));
	*out = (uint64_t)count;
	return RS_OK;
}

/* Remembers the first fault, shows every one. */
struct check {
	rs_subject_keys_visit *visit;
	void *context;
	uint64_t faults;
	struct rs_error first;
};

static enum rs_code fault(struct check *check, const struct rs_error *finding, struct rs_error *err)
{
	if (check->faults++ == 0)
		check->first = *finding;
	return check->visit == NULL ? RS_OK : check->visit(check->context, finding->message, err);
}

static enum rs_code check_rows(struct rs_subject_keys *keys, struct check *check, struct rs_error *err)
{
	struct rs_statement *rows RS_CLEANUP(rs_statement_finish_pointer) = NULL;
	struct rs_secret secret RS_CLEANUP(rs_secret_finish) = {0};
	bool row = false;

	RS_TRY(rs_statement_prepare(keys->store, "SELECT pseudonym, wrapped FROM subject_key", &rows, err));
	for (;;) {
		struct rs_error finding = {0};
		enum rs_code code;
		RS_TRY(rs_statement_step(rows, &row, err));
		if (!row)
			return RS_OK;
		code = subject_key_unwrap(keys, rs_statement_bytes(rows, 0), rs_statement_bytes(rows, 1),
		                          &secret, &finding);
		if (code == RS_ALTERED)
			RS_TRY(fault(check, &finding, err));
		else if (code != RS_OK)
			return rs_error_set(err, code, "%s", finding.message);
	}
}

enum rs_code rs_subject_keys_check(struct rs_subject_keys *keys, rs_subject_keys_visit *visit, void *context,
                                   struct rs_error *err)
{
	struct check check = {.visit = visit, .context = context};
	struct rs_error finding = {0};
	enum rs_code code = rs_store_check(keys->store, &finding);

	if (code == RS_ALTERED)
		RS_TRY(fault(&check, &finding, err));
	else if (code != RS_OK)
		return rs_error_set(err, code, "%s", finding.message);
	RS_TRY(check_rows(keys, &check, err));
	if (check.faults > 0)
		return rs_error_set(err, RS_ALTERED, "%llu fault(s) in the subject keys; the first: %s",
		                    (unsigned long long)check.faults, check.first.message);
	return RS_OK;
}
