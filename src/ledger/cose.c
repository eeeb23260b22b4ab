/* COSE Receipts of inclusion (RFC 9942 §5.2). */
#include <string.h>

#include "ledger/ledger_cose.h"

#define COSE_SIGN1_TAG 18
#define COSE_ALGORITHM 1
#define COSE_KID 4
#define COSE_EDDSA (-8)
#define COSE_VDS 395 /* which verifiable data structure */
#define COSE_VDP 396 /* its proofs */
#define VDS_RFC9162_SHA256 1
#define PROOF_OF_INCLUSION (-1)

/* The size of the tree, too, under a name of our own: the RFC leaves it unsigned, and trees of other sizes may have the
 * same path. */
static void write_protected(struct rs_buffer *out, const uint8_t key[static RS_KEY_SIZE], uint64_t size)
{
	rs_cbor_write_map(out, 4);
	rs_cbor_write_u64(out, COSE_ALGORITHM);
	rs_cbor_write_i64(out, COSE_EDDSA);
	rs_cbor_write_u64(out, COSE_KID);
	rs_cbor_write_bytes(out, rs_bytes_of(key, RS_KEY_SIZE));
	rs_cbor_write_u64(out, COSE_VDS);
	rs_cbor_write_u64(out, VDS_RFC9162_SHA256);
	rs_cbor_write_str(out, RS_STR("tree-size"));
	rs_cbor_write_u64(out, size);
}

/* RFC 9052 §4.4; no external_aad, and the root as payload although it is detached. */
static void write_to_be_signed(struct rs_buffer *out, struct rs_bytes header, const struct rs_digest *root)
{
	rs_cbor_write_array(out, 4);
	rs_cbor_write_str(out, RS_STR("Signature1"));
	rs_cbor_write_bytes(out, header);
	rs_cbor_write_bytes(out, rs_bytes_of("", 0));
	rs_cbor_write_bytes(out, rs_bytes_of(root->bytes, RS_SHA256_SIZE));
}

static void write_proof(struct rs_buffer *out, uint64_t index, uint64_t size, const struct rs_digest *path,
                        size_t count)
{
	rs_cbor_write_array(out, 3);
	rs_cbor_write_u64(out, size);
	rs_cbor_write_u64(out, index);
	rs_cbor_write_array(out, count);
	for (size_t i = 0; i < count; i++)
		rs_cbor_write_bytes(out, rs_bytes_of(path[i].bytes, RS_SHA256_SIZE));
}

static void write_receipt(struct rs_buffer *out, struct rs_bytes header, struct rs_bytes proof,
                          const uint8_t signature[static RS_SIGNATURE_SIZE])
{
	rs_cbor_write_tag(out, COSE_SIGN1_TAG);
	rs_cbor_write_array(out, 4);
	rs_cbor_write_bytes(out, header);
	rs_cbor_write_map(out, 1);
	rs_cbor_write_u64(out, COSE_VDP);
	rs_cbor_write_map(out, 1);
	rs_cbor_write_i64(out, PROOF_OF_INCLUSION);
	rs_cbor_write_array(out, 1);
	rs_cbor_write_bytes(out, proof);
	rs_cbor_write_null(out);
	rs_cbor_write_bytes(out, rs_bytes_of(signature, RS_SIGNATURE_SIZE));
}

enum rs_code rs_cose_receipt_sign(uint64_t index, uint64_t size, const struct rs_digest *root,
                                  const struct rs_digest *path, size_t count,
                                  const struct rs_signing_key *key, struct rs_buffer *out,
                                  struct rs_error *err)
{
	struct rs_buffer header RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_buffer proof RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_buffer message RS_CLEANUP(rs_buffer_finish) = {0};
	uint8_t signature[RS_SIGNATURE_SIZE];
	if (count == 0 || count > RS_PROOF_HASHES_MAX)
		return rs_error_set(
			err, RS_UNSUPPORTED,
			"a COSE receipt needs a path; a log of one entry has none, so seal more first");
	rs_buffer_init(&header, 128);
	rs_buffer_init(&proof, RS_COSE_RECEIPT_SIZE_MAX);
	rs_buffer_init(&message, 256);
	write_protected(&header, key->public_key, size);
	write_proof(&proof, index, size, path, count);
	write_to_be_signed(&message, rs_buffer_bytes(&header), root);
	RS_TRY(rs_buffer_check(&proof, "a COSE receipt", err));
	RS_TRY(rs_buffer_check(&message, "a COSE receipt", err));
	rs_sign(key, rs_buffer_bytes(&message), signature);
	write_receipt(out, rs_buffer_bytes(&header), rs_buffer_bytes(&proof), signature);
	return rs_buffer_check(out, "a COSE receipt", err);
}

struct parts {
	struct rs_bytes header, proof, signature;
	uint64_t index, size;
	struct rs_digest path[RS_PROOF_HASHES_MAX];
	size_t count;
};

static enum rs_code expect(struct rs_cbor_reader *reader, const char *field, int64_t value,
                           struct rs_error *err)
{
	int64_t found;
	RS_TRY(rs_cbor_read_i64(reader, field, &found, err));
	return found == value ? RS_OK
	                      : rs_error_set(err, RS_MALFORMED, "%s: %lld stands where %lld must", field,
	                                     (long long)found, (long long)value);
}

static enum rs_code expect_count(size_t found, size_t wanted, const char *field, struct rs_error *err)
{
	return found == wanted ? RS_OK
	                       : rs_error_set(err, RS_MALFORMED, "%s: %zu items stand where %zu must", field,
	                                      found, wanted);
}

static enum rs_code read_envelope(struct rs_bytes receipt, struct parts *parts, struct rs_error *err)
{
	struct rs_cbor_reader reader;
	uint64_t tag;
	size_t items, unprotected, kinds, proofs;
	RS_TRY(rs_cbor_reader_init(&reader, receipt, err));
	RS_TRY(rs_cbor_read_tag(&reader, "COSE_Sign1", &tag, err));
	RS_TRY(rs_cbor_read_array(&reader, "COSE_Sign1", &items, err));
	if (tag != COSE_SIGN1_TAG || items != 4)
		return rs_error_set(err, RS_MALFORMED, "it is no COSE_Sign1");
	RS_TRY(rs_cbor_read_bytes(&reader, "protected header", &parts->header, err));
	RS_TRY(rs_cbor_read_map(&reader, "unprotected header", &unprotected, err));
	RS_TRY(expect_count(unprotected, 1, "unprotected header", err));
	RS_TRY(expect(&reader, "unprotected header", COSE_VDP, err));
	RS_TRY(rs_cbor_read_map(&reader, "proofs", &kinds, err));
	RS_TRY(expect_count(kinds, 1, "proofs", err));
	RS_TRY(expect(&reader, "proofs", PROOF_OF_INCLUSION, err));
	RS_TRY(rs_cbor_read_array(&reader, "proofs of inclusion", &proofs, err));
	RS_TRY(expect_count(proofs, 1, "proofs of inclusion", err));
	RS_TRY(rs_cbor_read_bytes(&reader, "proof of inclusion", &parts->proof, err));
	RS_TRY(rs_cbor_read_null(&reader, "payload", err));
	RS_TRY(rs_cbor_read_bytes(&reader, "signature", &parts->signature, err));
	return expect_count(parts->signature.size, RS_SIGNATURE_SIZE, "signature", err);
}

static enum rs_code read_proof(struct parts *parts, struct rs_error *err)
{
	struct rs_cbor_reader reader;
	size_t items;
	RS_TRY(rs_cbor_reader_init(&reader, parts->proof, err));
	RS_TRY(rs_cbor_read_array(&reader, "proof of inclusion", &items, err));
	RS_TRY(expect_count(items, 3, "proof of inclusion", err));
	RS_TRY(rs_cbor_read_u64(&reader, "tree-size", &parts->size, err));
	RS_TRY(rs_cbor_read_u64(&reader, "leaf-index", &parts->index, err));
	RS_TRY(rs_cbor_read_array(&reader, "inclusion-path", &parts->count, err));
	if (parts->count == 0 || parts->count > RS_PROOF_HASHES_MAX)
		return rs_error_set(err, RS_MALFORMED, "inclusion-path: 1 to %d hashes", RS_PROOF_HASHES_MAX);
	for (size_t i = 0; i < parts->count; i++)
		RS_TRY(rs_cbor_read_fixed(&reader, "inclusion-path", parts->path[i].bytes, RS_SHA256_SIZE,
		                          err));
	return RS_OK;
}

enum rs_code rs_cose_receipt_verify(struct rs_bytes receipt, struct rs_bytes entry,
                                    const uint8_t log_key[static RS_KEY_SIZE], uint64_t *out_index,
                                    uint64_t *out_size, struct rs_error *err)
{
	struct parts parts = {.count = 0};
	struct rs_buffer header RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_buffer message RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_digest leaf, root;
	if (read_envelope(receipt, &parts, err) != RS_OK || read_proof(&parts, err) != RS_OK)
		return rs_error_context(err, "COSE receipt");
	rs_buffer_init(&header, 128);
	rs_buffer_init(&message, 256);
	write_protected(&header, log_key, parts.size);
	if (!rs_bytes_equal(rs_buffer_bytes(&header), parts.header))
		return rs_error_set(
			err, RS_ALTERED,
			"the COSE receipt is not one of Ed25519, RFC9162_SHA256, the given key and this size");
	rs_leaf_hash(entry, &leaf);
	if (!rs_inclusion_root(&leaf, parts.index, parts.size, parts.path, parts.count, &root))
		return rs_error_set(err, RS_ALTERED, "the COSE receipt's path does not lead to a root");
	write_to_be_signed(&message, parts.header, &root);
	RS_TRY(rs_buffer_check(&message, "a COSE receipt", err));
	if (!rs_signature_valid(log_key, rs_buffer_bytes(&message), parts.signature.data))
		return rs_error_set(err, RS_ALTERED,
		                    "the entry is not in the tree that the COSE receipt's signature is of");
	*out_index = parts.index;
	*out_size = parts.size;
	return RS_OK;
}
