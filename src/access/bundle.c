/* Bundles: their head in CBOR, and opening them. */
#include "access/access_bundle.h"

#include <string.h>

#include "outgoing.h"
#include "workflow/workflow_trust.h"
#include "workflow/workflow.h"

#define MAGIC "radseal bundle 1"
#define MAGIC_SIZE (sizeof MAGIC - 1)
#define VERSION 1

enum field { FIELD_VERSION = 1, FIELD_CID, FIELD_RECIPIENT, FIELD_KEY, FIELD_RECEIPT, FIELD_COUNT = 5 };

enum rs_code rs_bundle_format(const struct rs_bundle *bundle, struct rs_buffer *out, struct rs_error *err)
{
	struct rs_buffer head RS_CLEANUP(rs_buffer_finish) = {0};
	uint8_t size[4];
	rs_buffer_init(&head, RS_BUNDLE_HEAD_MAX - MAGIC_SIZE - sizeof size);
	rs_cbor_write_map(&head, FIELD_COUNT);
	rs_cbor_write_u64(&head, FIELD_VERSION);
	rs_cbor_write_u64(&head, VERSION);
	rs_cbor_write_u64(&head, FIELD_CID);
	rs_cbor_write_bytes(&head, rs_bytes_of(bundle->cid.bytes, sizeof bundle->cid.bytes));
	rs_cbor_write_u64(&head, FIELD_RECIPIENT);
	rs_cbor_write_bytes(&head, rs_bytes_of(bundle->recipient.bytes, sizeof bundle->recipient.bytes));
	rs_cbor_write_u64(&head, FIELD_KEY);
	rs_cbor_write_bytes(&head, rs_bytes_of(bundle->sealed_key, sizeof bundle->sealed_key));
	rs_cbor_write_u64(&head, FIELD_RECEIPT);
	rs_cbor_write_str(&head, bundle->receipt);
	RS_TRY(rs_buffer_check(&head, "the head of a bundle", err));
	rs_write_be32(size, (uint32_t)head.size);
	rs_buffer_append(out, MAGIC, MAGIC_SIZE);
	rs_buffer_append(out, size, sizeof size);
	rs_buffer_append_bytes(out, rs_buffer_bytes(&head));
	return rs_buffer_check(out, "the head of a bundle", err);
}

static enum rs_code read_field(struct rs_cbor_reader *reader, enum field expected, const char *name,
                               struct rs_error *err)
{
	uint64_t field;
	RS_TRY(rs_cbor_read_u64(reader, name, &field, err));
	if (field != expected)
		return rs_error_set(err, RS_MALFORMED, "bundle: %s is expected as field %d", name, expected);
	return RS_OK;
}

static enum rs_code read_fixed(struct rs_cbor_reader *reader, enum field expected, const char *name,
                               void *out, size_t size, struct rs_error *err)
{
	struct rs_bytes bytes;
	RS_TRY(read_field(reader, expected, name, err));
	RS_TRY(rs_cbor_read_bytes(reader, name, &bytes, err));
	if (bytes.size != size)
		return rs_error_set(err, RS_MALFORMED, "bundle: %s has %zu bytes, not %zu", name, bytes.size,
		                    size);
	memcpy(out, bytes.data, size);
	return RS_OK;
}

static enum rs_code parse_head(struct rs_bytes head, struct rs_bundle *out, struct rs_error *err)
{
	struct rs_cbor_reader reader;
	uint8_t cid[sizeof out->cid.bytes];
	uint64_t version;
	size_t count;
	RS_TRY(rs_cbor_reader_init(&reader, head, err));
	RS_TRY(rs_cbor_read_map(&reader, "bundle", &count, err));
	RS_TRY(read_field(&reader, FIELD_VERSION, "version", err));
	RS_TRY(rs_cbor_read_u64(&reader, "version", &version, err));
	if (count != FIELD_COUNT || version != VERSION)
		return rs_error_set(err, RS_UNSUPPORTED,
		                    "bundle: this radseal reads version %d with %d fields", VERSION,
		                    FIELD_COUNT);
	RS_TRY(read_fixed(&reader, FIELD_CID, "CID", cid, sizeof cid, err));
	RS_TRY(read_fixed(&reader, FIELD_RECIPIENT, "recipient", out->recipient.bytes,
	                  sizeof out->recipient.bytes, err));
	RS_TRY(read_fixed(&reader, FIELD_KEY, "key", out->sealed_key, sizeof out->sealed_key, err));
	RS_TRY(read_field(&reader, FIELD_RECEIPT, "receipt", err));
	RS_TRY(rs_cbor_read_str(&reader, "receipt", &out->receipt, err));
	if (!rs_cid_from_bytes(rs_bytes_of(cid, sizeof cid), &out->cid))
		return rs_error_set(err, RS_MALFORMED, "bundle: its CID is none");
	if (!rs_cbor_at_end(&reader))
		return rs_error_set(err, RS_MALFORMED, "bundle: something follows its receipt");
	return RS_OK;
}

enum rs_code rs_bundle_parse(struct rs_bytes start, struct rs_bundle *out, struct rs_error *err)
{
	struct rs_bundle bundle = {.head_size = 0};
	if (start.size < MAGIC_SIZE + 4 || memcmp(start.data, MAGIC, MAGIC_SIZE) != 0)
		return rs_error_set(err, RS_MALFORMED, "it is no bundle of radseal");
	size_t size = rs_read_be32(start.data + MAGIC_SIZE), before = MAGIC_SIZE + 4;
	if (size > RS_BUNDLE_HEAD_MAX - before || size > start.size - before)
		return rs_error_set(err, RS_MALFORMED, "bundle: its head is cut, or too long");
	RS_TRY(parse_head(rs_bytes_of(start.data + before, size), &bundle, err));
	bundle.head_size = before + size;
	*out = bundle;
	return RS_OK;
}

static enum rs_code read_start(const struct rs_world *world, const char *path, struct rs_buffer *out,
                               struct rs_error *err)
{
	struct rs_file *file RS_CLEANUP(rs_file_close_pointer) = NULL;
	uint64_t size;
	size_t got;
	rs_buffer_init(out, RS_BUNDLE_HEAD_MAX);
	RS_TRY(rs_file_open_to_read(world, path, SIZE_MAX, &file, &size, err));
	if (rs_buffer_reserve(out, size < RS_BUNDLE_HEAD_MAX ? (size_t)size : RS_BUNDLE_HEAD_MAX) != RS_OK)
		return rs_buffer_check(out, "the head of a bundle", err);
	RS_TRY(rs_file_read_at(file, 0, out->data,
	                       size < RS_BUNDLE_HEAD_MAX ? (size_t)size : RS_BUNDLE_HEAD_MAX, &got, err));
	out->size = got;
	return RS_OK;
}

struct opening {
	const struct rs_world *world;
	const char *path;
	struct rs_bundle bundle;
	struct rs_secret object_key;
};

static void opening_finish(struct opening *opening) { rs_secret_finish(&opening->object_key); }

static enum rs_code open_key(struct opening *opening, const struct rs_signing_key *key, struct rs_error *err)
{
	struct rs_secret own RS_CLEANUP(rs_secret_finish) = {0};
	struct rs_buffer opened RS_CLEANUP(rs_secret_buffer_finish) = {0};
	const struct rs_bundle *bundle = &opening->bundle;
	if (memcmp(bundle->recipient.bytes, key->public_key, sizeof bundle->recipient.bytes) != 0)
		return rs_error_set(err, RS_DENIED, "it was sealed to another key than this one");
	rs_seal_secret_of_signer(key, &own);
	rs_buffer_init(&opened, RS_KEY_SIZE);
	RS_TRY(rs_seal_open(&own, rs_bytes_of(bundle->sealed_key, sizeof bundle->sealed_key), &opened, err));
	memcpy(opening->object_key.bytes, opened.data, RS_KEY_SIZE);
	return RS_OK;
}

static enum rs_code read_object(void *context, rs_vault_take *take, void *taker, struct rs_error *err)
{
	const struct opening *opening = context;
	return rs_object_read_to(opening->world, opening->path, opening->bundle.head_size,
	                         &opening->bundle.cid, &opening->object_key, take, taker, err);
}

static enum rs_code open_into(struct opening *opening, const struct rs_trust *trust, const char *directory,
                              struct rs_receipt_facts *out_facts, char **out_path, struct rs_error *err)
{
	char name[RS_CID_TEXT_SIZE];
	RS_TRY(rs_directory_make(opening->world, directory, err));
	rs_cid_format(&opening->bundle.cid, name);
	char *base RS_CLEANUP(rs_free_pointer) = rs_path_join(directory, name);
	if (!base)
		return rs_error_memory(err, strlen(directory), "a path");
	const struct outgoing out = {.world = opening->world,
	                             .base = base,
	                             .receipt = opening->bundle.receipt,
	                             .trust = trust,
	                             .read = read_object,
	                             .context = opening};
	RS_TRY(outgoing_write(&out, out_facts, out_path, err));
	return opening->world->files->sync_directory(opening->world->files, directory, err);
}

enum rs_code rs_bundle_open(const struct rs_world *world, const char *path, const struct rs_signing_key *key,
                            const struct rs_trust *trust, const char *directory, struct rs_proof_details *out,
                            char **out_path, struct rs_error *err)
{
	struct opening opening RS_CLEANUP(opening_finish) = {.world = world, .path = path};
	struct rs_buffer start RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_receipt_facts facts;
	enum rs_code code = read_start(world, path, &start, err);
	if (code == RS_OK)
		code = rs_bundle_parse(rs_buffer_bytes(&start), &opening.bundle, err);
	if (code == RS_OK)
		code = open_key(&opening, key, err);
	if (code != RS_OK)
		return err ? rs_error_context(err, "%s", path) : code;
	RS_TRY(open_into(&opening, trust, directory, &facts, out_path, err));
	trust_details(&facts, out);
	return RS_OK;
}
