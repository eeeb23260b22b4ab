/* Rows of the database: boxes under the node's key, named by a keyed hash of the account's name. */
#include "accounts.h"

#include <string.h>

#define RECORD_VERSION 1
#define RECORD_FIELDS 17
#define RECORD_MAX 2048

void record_finish(struct record *record) { rs_wipe(record, sizeof *record); }

enum rs_code account_name(struct rs_str name, char out[static RS_ACCOUNT_NAME_MAX + 1], struct rs_error *err)
{
	char folded[RS_ACCOUNT_NAME_MAX + 1] = "";
	bool good = name.size > 0 && name.size <= RS_ACCOUNT_NAME_MAX;
	for (size_t i = 0; good && i < name.size; i++) {
		char c = name.data[i];
		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c && strchr("-_.@", c));
		folded[i] = c;
	}
	if (!good)
		return rs_error_set(err, RS_USAGE, "an account's name is 1 to %d letters, digits and - _ . @",
		                    RS_ACCOUNT_NAME_MAX);
	memcpy(out, folded, sizeof folded);
	return RS_OK;
}

void account_mac(const struct rs_accounts *accounts, const char *name, struct rs_digest *out)
{
	rs_hmac_sha256(rs_bytes_of(accounts->names.bytes, RS_KEY_SIZE), rs_bytes_of(name, strlen(name)), out);
}

static void write_record(const struct record *record, struct rs_buffer *out)
{
	rs_cbor_write_array(out, RECORD_FIELDS);
	rs_cbor_write_u64(out, RECORD_VERSION);
	rs_cbor_write_str(out, rs_str_from(record->name));
	rs_cbor_write_bytes(out, rs_bytes_of(record->member, RS_KEY_SIZE));
	rs_cbor_write_u64(out, record->cost.passes);
	rs_cbor_write_u64(out, record->cost.memory);
	rs_cbor_write_bytes(out, rs_bytes_of(record->salt, sizeof record->salt));
	rs_cbor_write_bytes(out, rs_bytes_of(record->wrapped, sizeof record->wrapped));
	rs_cbor_write_bool(out, record->disabled);
	rs_cbor_write_bool(out, record->must_change);
	rs_cbor_write_bytes(out, rs_bytes_of(record->totp, record->has_totp ? sizeof record->totp : 0));
	rs_cbor_write_u64(out, record->totp_step);
	rs_cbor_write_array(out, record->recovery_count);
	for (size_t i = 0; i < record->recovery_count; i++)
		rs_cbor_write_bytes(out, rs_bytes_of(record->recovery[i].bytes, RS_SHA256_SIZE));
	rs_cbor_write_u64(out, record->failures);
	rs_cbor_write_u64(out, record->not_before_ms);
	rs_cbor_write_u64(out, record->generation);
	rs_cbor_write_u64(out, record->created_ms);
	rs_cbor_write_u64(out, record->changed_ms);
}

static enum rs_code read_second_factor(struct rs_cbor_reader *reader, struct record *out,
                                       struct rs_error *err)
{
	struct rs_bytes totp;
	RS_TRY(rs_cbor_read_bytes(reader, "totp", &totp, err));
	out->has_totp = totp.size == sizeof out->totp;
	if (totp.size && !out->has_totp)
		return rs_error_set(err, RS_MALFORMED, "its secret for codes has %zu bytes", totp.size);
	if (out->has_totp)
		memcpy(out->totp, totp.data, sizeof out->totp);
	RS_TRY(rs_cbor_read_u64(reader, "step", &out->totp_step, err));
	RS_TRY(rs_cbor_read_array(reader, "recovery", &out->recovery_count, err));
	if (out->recovery_count > RS_RECOVERY_CODES)
		return rs_error_set(err, RS_MALFORMED, "it has %zu recovery codes", out->recovery_count);
	for (size_t i = 0; i < out->recovery_count; i++)
		RS_TRY(rs_cbor_read_fixed(reader, "recovery", out->recovery[i].bytes, RS_SHA256_SIZE, err));
	return RS_OK;
}

static enum rs_code read_record(struct rs_bytes plain, struct record *out, struct rs_error *err)
{
	struct rs_cbor_reader reader;
	struct rs_str name;
	size_t fields;
	uint64_t version;
	RS_TRY(rs_cbor_reader_init(&reader, plain, err));
	RS_TRY(rs_cbor_read_array(&reader, "account", &fields, err));
	RS_TRY(rs_cbor_read_u64(&reader, "version", &version, err));
	if (fields != RECORD_FIELDS || version != RECORD_VERSION)
		return rs_error_set(err, RS_UNSUPPORTED, "it is of version %llu; this radseal has %d",
		                    (unsigned long long)version, RECORD_VERSION);
	RS_TRY(rs_cbor_read_str(&reader, "name", &name, err));
	RS_TRY(account_name(name, out->name, err));
	RS_TRY(rs_cbor_read_fixed(&reader, "member", out->member, RS_KEY_SIZE, err));
	RS_TRY(rs_cbor_read_u64(&reader, "passes", &out->cost.passes, err));
	RS_TRY(rs_cbor_read_u64(&reader, "memory", &out->cost.memory, err));
	RS_TRY(rs_cbor_read_fixed(&reader, "salt", out->salt, sizeof out->salt, err));
	RS_TRY(rs_cbor_read_fixed(&reader, "wrapped", out->wrapped, sizeof out->wrapped, err));
	RS_TRY(rs_cbor_read_bool(&reader, "disabled", &out->disabled, err));
	RS_TRY(rs_cbor_read_bool(&reader, "must change", &out->must_change, err));
	RS_TRY(read_second_factor(&reader, out, err));
	RS_TRY(rs_cbor_read_u64(&reader, "failures", &out->failures, err));
	RS_TRY(rs_cbor_read_u64(&reader, "not before", &out->not_before_ms, err));
	RS_TRY(rs_cbor_read_u64(&reader, "generation", &out->generation, err));
	RS_TRY(rs_cbor_read_u64(&reader, "created", &out->created_ms, err));
	return rs_cbor_read_u64(&reader, "changed", &out->changed_ms, err);
}

enum rs_code record_parse(struct rs_accounts *accounts, struct rs_bytes mac, struct rs_bytes box,
                          struct record *out, struct rs_error *err)
{
	struct rs_buffer plain RS_CLEANUP(rs_secret_buffer_finish) = {0};
	struct record record RS_CLEANUP(record_finish) = {.has_totp = false};
	rs_buffer_init(&plain, RECORD_MAX);
	rs_buffer_reserve(&plain, RECORD_MAX);
	if (rs_box_open(&accounts->rows, mac, box, &plain, err) != RS_OK ||
	    read_record(rs_buffer_bytes(&plain), &record, err) != RS_OK)
		return rs_error_context(err, "accounts.sqlite: a row was altered, or is of another node");
	*out = record;
	return RS_OK;
}

enum rs_code record_load(struct rs_accounts *accounts, const char *name, struct record *out,
                         struct rs_error *err)
{
	struct rs_statement *get = accounts->statements[GET_ACCOUNT];
	struct rs_digest mac;
	bool row = false;
	account_mac(accounts, name, &mac);
	rs_statement_bind_bytes(get, 1, rs_bytes_of(mac.bytes, sizeof mac.bytes));
	RS_TRY(rs_statement_step(get, &row, err));
	if (!row)
		return rs_error_set(err, RS_NOT_FOUND, "there is no account %s", name);
	enum rs_code code = record_parse(accounts, rs_bytes_of(mac.bytes, sizeof mac.bytes),
	                                 rs_statement_bytes(get, 0), out, err);
	rs_statement_reset(get);
	return code;
}

enum rs_code record_save(struct rs_accounts *accounts, const struct record *record, struct rs_error *err)
{
	struct rs_buffer plain RS_CLEANUP(rs_secret_buffer_finish) = {0};
	struct rs_buffer box RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_statement *put = accounts->statements[PUT_ACCOUNT];
	struct rs_digest mac;
	rs_buffer_init(&plain, RECORD_MAX);
	rs_buffer_init(&box, RECORD_MAX + RS_BOX_OVERHEAD);
	rs_buffer_reserve(&plain, RECORD_MAX);
	write_record(record, &plain);
	RS_TRY(rs_buffer_check(&plain, "an account", err));
	account_mac(accounts, record->name, &mac);
	RS_TRY(rs_box_seal(accounts->world, &accounts->rows, rs_bytes_of(mac.bytes, sizeof mac.bytes),
	                   rs_buffer_bytes(&plain), &box, err));
	rs_statement_bind_bytes(put, 1, rs_bytes_of(mac.bytes, sizeof mac.bytes));
	rs_statement_bind_bytes(put, 2, rs_buffer_bytes(&box));
	return rs_statement_run(put, err);
}

enum rs_code record_update(struct rs_accounts *accounts, struct rs_str name, record_change *change,
                           void *context, struct rs_error *err)
{
	struct record record RS_CLEANUP(record_finish) = {.has_totp = false};
	char folded[RS_ACCOUNT_NAME_MAX + 1];
	RS_TRY(account_name(name, folded, err));
	RS_TRY(rs_store_begin(accounts->store, err));
	enum rs_code code = record_load(accounts, folded, &record, err);
	if (code == RS_OK)
		code = change(accounts, &record, context, err);
	if (code == RS_OK)
		code = record_save(accounts, &record, err);
	if (code == RS_OK)
		code = rs_store_commit(accounts->store, err);
	if (code != RS_OK)
		rs_store_rollback(accounts->store);
	return code;
}
