/* What lies in backups, as if it had been decrypted, and certificates of erasures as if they were signed. */
#include "keeping/backup.h"
#include "node/certificate.h"

static void read_keys(struct rs_bytes bytes)
{
	struct key_backup backup = {.made_ms = 0};
	struct rs_error err = {0};
	(void)key_backup_parse(bytes, &backup, &err);
	if (key_backup_parse_secret(bytes, &backup, &err) != RS_OK)
		return;
	for (size_t i = 0; i < backup.member_count; i++) {
		struct rs_str name;
		struct rs_bytes content;
		if (rs_cbor_read_str(&backup.members, "name", &name, &err) != RS_OK ||
		    rs_cbor_read_bytes(&backup.members, "key file", &content, &err) != RS_OK)
			return;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rs_bytes bytes = {data, size};
	struct manifest manifest = {.time_ms = 0};
	struct certificate_proof proof RS_CLEANUP(certificate_proof_finish) = {.entry = {0}};
	struct rs_erasure_facts facts = {.entry = 0};
	struct rs_error err = {0};
	if (manifest_decode(bytes, &manifest, &err) == RS_OK)
		for (size_t i = 0; i < manifest.count; i++)
			for (size_t piece = 0; piece < saved_piece_count(&manifest.files[i]); piece++) {
				struct rs_digest tag;
				struct rs_cid cid;
				saved_piece(&manifest.files[i], piece, &tag, &cid);
			}
	manifest_finish(&manifest);
	(void)certificate_read(rs_str_of_bytes(bytes), &facts, &proof, &err);
	read_keys(bytes);
	return 0;
}
