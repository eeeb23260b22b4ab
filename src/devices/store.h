/* devices.sqlite and quarantine/: rows and objects. One thread at a time. */
#ifndef RS_DEVICES_STORE_H
#define RS_DEVICES_STORE_H

#include "devices/devices.h"
#include "node/node_parts.h"
#include "store/store.h"

enum sql {
	FIND_SEEN,
	ADD_SEEN,
	FIND_NAME,
	SET_NAME,
	ADD_MANIFEST,
	ADD_EXPECTED,
	IS_AWAITED,
	FIND_AWAITED,
	ADD_AWAITED,
	DROP_AWAITED,
	FIND_LISTED,
	ADD_MATCHED,
	NOTE_MATCHED,
	LOOK_AGAIN,
	LAST_UNLOOKED,
	EACH_UNLOOKED,
	SET_LOOKED,
	EACH_UNSEALED,
	SET_SEALED,
	FIND_MATCH,
	FIND_MANIFEST,
	FIND_QUARANTINED,
	ADD_QUARANTINED,
	SUM_QUARANTINED,
	GET_QUARANTINED,
	END_QUARANTINED,
	DROP_QUARANTINED,
	EACH_QUARANTINED,
	EACH_SERIES,
	SQL_COUNT
};

struct devices {
	struct rs_node *node;
	struct rs_store *store;
	struct rs_statement *statements[SQL_COUNT];
	struct rs_vault *vault; /* NULL when opened to read */
	struct rs_secret secret;
};

/* To read: RS_NOT_FOUND when no device has sent anything yet. */
enum rs_code devices_open(struct rs_node *node, enum rs_store_access access, struct devices *out,
                          struct rs_error *err);
void devices_close(struct devices *devices); /* accepts zeroed memory */
/* The statement, reset, to be bound and stepped. */
struct rs_statement *devices_sql(struct devices *devices, enum sql sql);
/* The keyed name of an instance of just this content. */
void devices_instance(const struct devices *devices, struct rs_str sop_instance,
                      const struct rs_digest *sha256, struct rs_digest *out);
void devices_sop(const struct devices *devices, struct rs_str sop_instance, struct rs_digest *out);

/* An envelope that was used. */
struct seen {
	struct rs_member_key key;
	uint8_t boot[RS_BOOT_SIZE];
	uint64_t sequence;
	struct rs_digest digest, instance;
	enum rs_acknowledged outcome;
};
void seen_of(const struct devices *devices, const struct rs_envelope *envelope,
             const struct rs_digest *digest, enum rs_acknowledged outcome, struct seen *out);
enum rs_code devices_add_seen(struct devices *devices, const struct seen *seen, struct rs_error *err);
/* What a believed manifest lists; durable with the transaction that is open, or else when it returns. */
enum rs_code devices_add_manifest(struct devices *devices, const struct rs_envelope *manifest,
                                  struct rs_bytes message, const struct rs_digest *digest,
                                  struct rs_error *err);
/* An instance came without an envelope of its own, and a manifest lists it. content: of its file. */
struct matched {
	int64_t manifest; /* its row; 0: none */
	struct rs_digest instance, content;
};
enum rs_code devices_add_matched(struct devices *devices, const struct matched *matched,
                                 struct rs_error *err);
/* The manifests that list it are looked into again. */
enum rs_code devices_look_again(struct devices *devices, const struct rs_digest *sop, struct rs_error *err);
/* What lies in quarantine: its bytes come from `content` (NULL: a manifest, which has none). Durable. */
enum rs_code devices_quarantine(struct devices *devices, enum rs_distrust distrust, struct rs_bytes envelope,
                                const struct rs_digest *digest, const struct rs_content *content,
                                struct rs_error *err);
/* RS_NO_SPACE when it has no room for so much more. */
enum rs_code devices_check_room(struct devices *devices, uint64_t size, struct rs_error *err);
/* Opens an envelope that is kept encrypted. */
enum rs_code devices_open_box(const struct devices *devices, struct rs_bytes box, struct rs_buffer *out,
                              struct rs_error *err);
enum rs_code devices_seal_box(const struct devices *devices, struct rs_bytes envelope, struct rs_buffer *out,
                              struct rs_error *err);

#endif
