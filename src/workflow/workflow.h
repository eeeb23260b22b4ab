/* What happens to a file: admitted into a node, verified. */
#ifndef RS_WORKFLOW_H
#define RS_WORKFLOW_H

#include "node/node.h"

#define RS_ADMIT_SIZE_MAX ((size_t)64 << 30) /* bytes of one admitted file */

enum rs_admit_outcome {
	RS_ADMIT_SEALED,  /* durable, receipt written */
	RS_ADMIT_KNOWN,   /* the same bytes were sealed before; the receipt is the earlier one */
	RS_ADMIT_SKIPPED, /* not a medical image; only inside a walked directory */
	RS_ADMIT_FAILED,
};

struct rs_admit_result {
	const char *path;
	enum rs_admit_outcome outcome;
	const char *receipt_path; /* "" without one */
	const char *media;        /* "application/dicom"; "" when unknown */
	uint64_t size;            /* bytes */
	struct rs_digest sha256;  /* of its bytes, when it arrived over a network; else zeros */
	struct rs_error error;    /* when FAILED or SKIPPED: why */
};

/* Called in path order, after what it reports is durable. */
typedef void rs_admit_report(void *context, const struct rs_admit_result *result);

struct rs_actor;
struct rs_admit_options {
	const struct rs_actor *actor; /* who signs (node/node_act.h); NULL: the node's administrator */
	const char *place;   /* what was imaged, for a commitment on the ledger; NULL: says nothing */
	const char *subject; /* identifier of the subject for files that carry none; NULL: one per file */
	rs_admit_report *report;
	void (*progress)(void *context, uint64_t done, uint64_t total);
	void *context;
};

/* Admits files, and directories with all below them. One failing file does not stop the others; the
 * returned code is that of the first failure, with its sentence. A full disk or a failing ledger ends it. */
enum rs_code rs_node_admit(struct rs_node *node, char *const *paths, size_t path_count,
                           const struct rs_admit_options *options, struct rs_error *err);

struct rs_proof_details {
	char sealed_at[RS_TIME_TEXT_SIZE];
	char origin[256];
	char media[64];
	uint64_t entry, tree_size, instance, instances;
	size_t cosigned;  /* by so many of the given witnesses */
	char source[104]; /* over which network it came, and from whom; empty: it did not */
	/* Of a source that signed: the device's name and key, and when it made the file, by its clock. Else empty. */
	char device[72], device_key[RS_MEMBER_KEY_TEXT_SIZE], captured_at[RS_TIME_TEXT_SIZE];
	bool has_manifest;                 /* the record names a manifest instead, by its SHA-256 */
	struct rs_digest manifest, sha256; /* of the file */
};

/* Whether the file is what this node sealed: its bytes, its stored copy, its record and its receipt are checked.
 * errors  RS_ALTERED (the sentence says what differs), RS_NOT_FOUND (never sealed here) */
enum rs_code rs_node_verify(struct rs_node *node, const char *path, struct rs_proof_details *out,
                            struct rs_error *err);

/* code: as of rs_node_verify(); details when it is RS_OK, else err. */
typedef void rs_verify_report(void *context, const char *path, enum rs_code code,
                              const struct rs_proof_details *details, const struct rs_error *err);
/* Every file as rs_node_verify() does, several at a time on the node's pool; reports them in their order, from the calling
 * thread. RS_OK whatever was found. */
enum rs_code rs_node_verify_each(struct rs_node *node, char *const *paths, size_t count,
                                 rs_verify_report *report, void *context, struct rs_error *err);

/* With nothing but the file, its receipt and whom to believe. */
struct rs_trust;
enum rs_code rs_verify_offline(const struct rs_world *world, const char *path, const char *receipt_path,
                               const struct rs_trust *trust, struct rs_proof_details *out,
                               struct rs_error *err);

/* The proof of one entry at the present checkpoint as a COSE Receipt (ledger/ledger_cose.h), signed by the log's key;
 * appended. */
enum rs_code rs_node_cose_receipt(struct rs_node *node, uint64_t entry, struct rs_buffer *out,
                                  struct rs_error *err);

#endif
