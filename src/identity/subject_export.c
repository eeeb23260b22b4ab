/* All subject keys at once: walking over them, and on their way into a backup and back. They travel wrapped, and come back
 * one by one: a key that shall not come back (its subject was erased since) is left out before it is written anywhere. */
#include "subject_keys.h"

#include <string.h>

#include "store/store.h"

enum rs_code rs_subject_key_wrapped(struct rs_subject_keys *keys, const struct rs_pseudonym *pseudonym,
                                    struct rs_buffer *out, struct rs_error *err)
{
	struct rs_statement *select RS_CLEANUP(rs_statement_finish_pointer) = NULL;
	bool row = false;
	RS_TRY(rs_statement_prepare(subject_keys_store(keys),
	                            "SELECT wrapped FROM subject_key WHERE pseudonym=?1", &select, err));
	rs_statement_bind_bytes(select, 1, rs_bytes_of(pseudonym->bytes, sizeof pseudonym->bytes));
	RS_TRY(rs_statement_step(select, &row, err));
	if (!row)
		return RS_NOT_FOUND;
	rs_buffer_append_bytes(out, rs_statement_bytes(select, 0));
	return rs_buffer_check(out, "a wrapped key", err);
}

enum rs_code rs_subject_keys_each(struct rs_subject_keys *keys, rs_subject_key_visit *visit, void *context,
                                  struct rs_error *err)
{
	struct rs_statement *rows RS_CLEANUP(rs_statement_finish_pointer) = NULL;
	RS_TRY(rs_statement_prepare(subject_keys_store(keys), "SELECT pseudonym, wrapped FROM subject_key",
	                            &rows, err));
	for (;;) {
		struct rs_secret secret RS_CLEANUP(rs_secret_finish) = {0};
		struct rs_pseudonym pseudonym;
		bool row = false;
		RS_TRY(rs_statement_step(rows, &row, err));
		if (!row)
			return RS_OK;
		struct rs_bytes name = rs_statement_bytes(rows, 0);
		RS_TRY(subject_key_unwrap(keys, name, rs_statement_bytes(rows, 1), &secret, err));
		if (name.size != sizeof pseudonym.bytes)
			return rs_error_set(err, RS_ALTERED, "a subject's pseudonym has %zu bytes",
			                    name.size);
		memcpy(pseudonym.bytes, name.data, name.size);
		RS_TRY(visit(context, &pseudonym, &secret, err));
	}
}

enum rs_code rs_subject_keys_export(struct rs_subject_keys *keys, struct rs_buffer *out, struct rs_error *err)
{
	struct rs_statement *rows RS_CLEANUP(rs_statement_finish_pointer) = NULL;
	struct rs_store *store = subject_keys_store(keys);
	uint64_t count = 0;
	int64_t version;
	bool row = false;
	RS_TRY(rs_store_pin(store, &version, err));
	enum rs_code code = rs_subject_keys_count(keys, &count, err);
	rs_cbor_write_array(out, (size_t)count * 2);
	if (code == RS_OK)
		code = rs_statement_prepare(store, "SELECT pseudonym, wrapped FROM subject_key ORDER BY 1",
		                            &rows, err);
	while (code == RS_OK) {
		code = rs_statement_step(rows, &row, err);
		if (code != RS_OK || !row)
			break;
		rs_cbor_write_bytes(out, rs_statement_bytes(rows, 0));
		rs_cbor_write_bytes(out, rs_statement_bytes(rows, 1));
	}
	rs_store_rollback(store);
	RS_TRY(code);
	return rs_buffer_check(out, "the subject keys", err);
}

struct import {
	struct rs_subject_keys *keys;
	rs_subject_keys_keep *keep;
	void *context;
	uint64_t left;
};

static enum rs_code import_one(struct import *import, struct rs_statement *insert, struct rs_bytes pseudonym,
                               struct rs_bytes wrapped, struct rs_error *err)
{
	struct rs_secret secret RS_CLEANUP(rs_secret_finish) = {0};
	bool kept = true;
	RS_TRY(subject_key_unwrap(import->keys, pseudonym, wrapped, &secret, err));
	RS_TRY(import->keep(import->context, pseudonym, &secret, &kept, err));
	if (!kept) {
		import->left++;
		return RS_OK;
	}
	rs_statement_bind_bytes(insert, 1, pseudonym);
	rs_statement_bind_bytes(insert, 2, wrapped);
	return rs_statement_run(insert, err);
}

static enum rs_code import_all(struct import *import, struct rs_bytes exported, struct rs_error *err)
{
	struct rs_statement *insert RS_CLEANUP(rs_statement_finish_pointer) = NULL;
	struct rs_cbor_reader reader;
	size_t count;
	RS_TRY(rs_statement_prepare(subject_keys_store(import->keys),
	                            "INSERT INTO subject_key VALUES(?1, ?2)", &insert, err));
	RS_TRY(rs_cbor_reader_init(&reader, exported, err));
	RS_TRY(rs_cbor_read_array(&reader, "subject keys", &count, err));
	if (count % 2)
		return rs_error_set(err, RS_MALFORMED, "subject keys come in pairs");
	for (size_t i = 0; i < count / 2; i++) {
		struct rs_bytes pseudonym, wrapped;
		RS_TRY(rs_cbor_read_bytes(&reader, "pseudonym", &pseudonym, err));
		RS_TRY(rs_cbor_read_bytes(&reader, "wrapped key", &wrapped, err));
		RS_TRY(import_one(import, insert, pseudonym, wrapped, err));
	}
	return RS_OK;
}

enum rs_code rs_subject_keys_import(struct rs_subject_keys *keys, struct rs_bytes exported,
                                    rs_subject_keys_keep *keep, void *context, uint64_t *out_left,
                                    struct rs_error *err)
{
	struct import import = {keys, keep, context, 0};
	RS_TRY(rs_subject_keys_begin(keys, err));
	enum rs_code code = import_all(&import, exported, err);
	if (code == RS_OK)
		code = rs_subject_keys_commit(keys, err);
	if (code != RS_OK) {
		rs_subject_keys_rollback(keys);
		return code;
	}
	*out_left = import.left;
	return RS_OK;
}
