/* The vault of a node as a whole: how much there is, what nobody needs any more, whether it rots, and its copies in an IPFS
 * node. Everything here may run beside a process that seals; none of it needs a subject's key. */
#ifndef RS_KEEPING_VAULT_H
#define RS_KEEPING_VAULT_H

#include "vault/vault.h"
#include "node/node.h"

/* what: a word; name: of the file it is about; sentence: what is wrong and what to do, "" when nothing is. */
typedef void rs_vault_report(void *context, const char *what, const char *name, const char *sentence);

struct rs_vault_counts {
	uint64_t looked; /* objects that were looked at */
	uint64_t done;   /* removed, checked, or copied: as asked for */
	uint64_t bytes;  /* of those */
	uint64_t faults;
};

/* Removes what no record refers to: objects and receipts that were left behind, and pins in the IPFS node of objects that are
 * gone. An object on its way in has its record before its name. dry_run only tells. */
enum rs_code rs_node_vault_gc(struct rs_node *node, bool dry_run, rs_vault_report *report, void *context,
                              struct rs_vault_counts *out, struct rs_error *err);

struct rs_scrub_options {
	uint64_t rate;       /* bytes a second; 0: as fast as the disk */
	uint64_t max_age_ms; /* objects checked less long ago, and found sound, are passed over */
	/* Waits; anything but RS_OK ends the scrub, and the next one goes on there. */
	enum rs_code (*pause)(void *context, uint64_t ns, struct rs_error *err);
	rs_vault_report *report;
	void *context;
};
/* Reads objects and recomputes their addresses, and remembers when (vault.sqlite); tells of records whose object is
 * missing. RS_ALTERED when there was a fault; each is reported. RS_BUSY when another scrub is at work. */
enum rs_code rs_node_vault_scrub(struct rs_node *node, const struct rs_scrub_options *options,
                                 struct rs_vault_counts *out, struct rs_error *err);

/* Copies to the IPFS node what it does not keep yet; verify: reads back all of what it keeps. RS_ALTERED as above. */
enum rs_code rs_node_vault_replicate(struct rs_node *node, bool verify, rs_vault_report *report,
                                     void *context, struct rs_vault_counts *out, struct rs_error *err);
/* Brings an object back from the IPFS node in place of the one that is missing or rotten here. RS_NOT_FOUND when no record
 * refers to it. */
enum rs_code rs_node_vault_fetch(struct rs_node *node, const struct rs_cid *cid, struct rs_error *err);

struct rs_vault_status {
	uint64_t objects, bytes, quota, reserve,
		free_bytes;                        /* quota 0: none; free_bytes UINT64_MAX: unknown */
	uint64_t checked, faulty, oldest_check_ms; /* by scrubs; oldest: 0 without any */
	bool ipfs;                                 /* copies are kept */
	uint64_t copied;                           /* objects in the IPFS node, as far as this one knows */
	char ipfs_url[256], ipfs_version[64];      /* version: "" when it does not answer */
};
enum rs_code rs_node_vault_status(struct rs_node *node, struct rs_vault_status *out, struct rs_error *err);

#endif
