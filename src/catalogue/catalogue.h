/* The catalogue: what sealed DICOM instances say about themselves, kept so that they can be found, and not be read.
 *
 * Patient, study, series and instance are rows of four tables in the index's file, written in its transactions; a row's values
 * lie in one AES-256-GCM box under a key of its subject, so that erasing that key makes noise of them. Rows of instances go with
 * the index's rows (`record`), and what is above them goes with the last one: the database does that by itself. Rows are found
 * through tokens, HMACs under a key of the node over attribute and value; what tokens tell a thief of the file stands in
 * SECURITY.md. A token only narrows: whether a row matches is decided by its decrypted values. */
#ifndef RS_CATALOGUE_H
#define RS_CATALOGUE_H

#include "crypto/crypto.h"
#include "dicom/dicom.h"
#include "store/store.h"

enum rs_level { RS_LEVEL_PATIENT, RS_LEVEL_STUDY, RS_LEVEL_SERIES, RS_LEVEL_IMAGE, RS_LEVEL_COUNT };
const char *rs_level_name(enum rs_level level);                  /* "PATIENT", "STUDY", "SERIES", "IMAGE" */
bool rs_level_from_name(struct rs_str name, enum rs_level *out); /* any case */

/* Attributes that are kept, or counted when they are asked for. */
struct rs_catalogue_attribute {
	uint8_t number; /* in boxes; never renumber. 0: counted */
	uint8_t level;
	uint32_t tag;
	char vr[3];
};
const struct rs_catalogue_attribute *rs_catalogue_attribute(uint32_t tag); /* NULL: none of them */
/* All of them, level by level. */
const struct rs_catalogue_attribute *rs_catalogue_attributes(size_t *out_count);

/* What one instance says: values in UTF-8, level by level. Plain memory; values longer than any should be are left out. */
#define RS_CATALOGUE_ENTRY_MAX 4096
struct rs_catalogue_entry {
	uint16_t begin[RS_LEVEL_COUNT + 1];
	uint8_t bytes[RS_CATALOGUE_ENTRY_MAX];
};
void rs_catalogue_describe(const struct rs_dicom *dicom, struct rs_catalogue_entry *out);

struct rs_catalogue; /* of one thread at a time, as its store is */
/* What the catalogue needs of its node. */
struct rs_catalogue_keys {
	struct rs_secret tokens;
	/* The key of a subject's boxes. RS_NOT_FOUND: it was erased */
	enum rs_code (*subject_key)(void *context, struct rs_bytes subject, struct rs_secret *out,
	                            struct rs_error *err);
	/* By which the index finds an instance (record.identity_locator). */
	void (*identity)(void *context, struct rs_str sop_instance_uid, struct rs_digest *out);
	void *context;
};
/* Makes its tables where there are none yet, in a transaction of its own. The store has a table `record`. */
enum rs_code rs_catalogue_make(struct rs_store *store, struct rs_error *err);
/* The store must outlive it. errors  RS_NOT_FOUND: it has no tables, and is of before there were catalogues */
enum rs_code rs_catalogue_open(const struct rs_world *world, struct rs_store *store,
                               const struct rs_catalogue_keys *keys, struct rs_catalogue **out,
                               struct rs_error *err);
void rs_catalogue_close(struct rs_catalogue *catalogue); /* accepts NULL */

/* Instances of one series of one subject: their rows in `record`, and what they say. Within a transaction of the store. What a
 * patient, study or series says is what its first instance said. */
struct rs_catalogue_instance {
	int64_t record;
	const struct rs_catalogue_entry *entry;
};
enum rs_code rs_catalogue_add(struct rs_catalogue *catalogue, struct rs_bytes subject,
                              const struct rs_secret *subject_key,
                              const struct rs_catalogue_instance *instances, size_t count,
                              struct rs_error *err);

/* A question (PS3.4 section C.2.2.2). Values in UTF-8: empty matches everything, and so does what is no attribute of the
 * catalogue; lists are parted by backslashes. Keys above and at the level count; those below it do not. */
struct rs_catalogue_key {
	uint32_t tag;
	struct rs_str value;
};
#define RS_CATALOGUE_KEYS_MAX 128
#define RS_CATALOGUE_KEY_SIZE_MAX ((size_t)1 << 20)
struct rs_catalogue_query {
	enum rs_level level;
	const struct rs_catalogue_key *keys;
	size_t key_count;
};
/* Where a walk stopped, to go on from; begin with zeros. Rows that came meanwhile may be missed, none is given twice. */
struct rs_catalogue_place {
	uint64_t part;
	int64_t below;
	uint64_t passed; /* candidates that did not match */
};

/* A row that matches. Views are good until the visitor returns. */
struct rs_catalogue_match {
	enum rs_level level;
	int64_t row[RS_LEVEL_COUNT];            /* of its level and those above; an image's is record.id */
	struct rs_bytes values[RS_LEVEL_COUNT]; /* as in boxes; empty below its level */
	struct rs_bytes subject;
	struct rs_catalogue *catalogue; /* counts */
};
/* The value of an attribute at the match's level or above, several parted by backslashes; empty when there is none. Counts are
 * written to `text`. */
#define RS_CATALOGUE_COUNT_SIZE 24
enum rs_code rs_catalogue_value(const struct rs_catalogue_match *match, uint32_t tag,
                                char text[static RS_CATALOGUE_COUNT_SIZE], struct rs_str *out,
                                struct rs_error *err);
/* *out_stop ends the walk after what belongs to the same row that it came by. */
typedef enum rs_code rs_catalogue_visit(void *context, const struct rs_catalogue_match *match, bool *out_stop,
                                        struct rs_error *err);
/* Walks what matches, the newest first as far as one token leads to it; the same order every time. *out_ended: there is no more.
 * errors  RS_USAGE: a value is none for its attribute; RS_TOO_LARGE: too many rows would have to be looked at */
enum rs_code rs_catalogue_find(struct rs_catalogue *catalogue, const struct rs_catalogue_query *query,
                               struct rs_catalogue_place *place, rs_catalogue_visit *visit, void *context,
                               bool *out_ended, struct rs_error *err);

/* The object that stands for a study towards the contract: its first instance's transaction. RS_NOT_FOUND */
enum rs_code rs_catalogue_first_transaction(struct rs_catalogue *catalogue, int64_t study,
                                            uint8_t out[static 16], struct rs_error *err);
/* A patient's studies, appended as be64 each. */
enum rs_code rs_catalogue_studies_of(struct rs_catalogue *catalogue, int64_t patient, struct rs_buffer *out,
                                     struct rs_error *err);

/* For checks: whether the row of a record is this subject's and has these UIDs (instance, series, study). RS_NOT_FOUND without a
 * sentence; RS_ALTERED */
enum rs_code rs_catalogue_check_image(struct rs_catalogue *catalogue, int64_t record, struct rs_bytes subject,
                                      const struct rs_str uids[static 3], struct rs_error *err);
/* All above images: every row opens, tokens are those of its values, counts fit. */
typedef void rs_catalogue_fault(void *context, const char *sentence);
enum rs_code rs_catalogue_check(struct rs_catalogue *catalogue, rs_catalogue_fault *fault, void *context,
                                struct rs_error *err);
/* What tells of a subject in the catalogue's rows and of nobody else: visited, to look for it after an erasure. */
typedef enum rs_code rs_catalogue_trace(void *context, struct rs_bytes value, struct rs_error *err);
enum rs_code rs_catalogue_traces(struct rs_catalogue *catalogue, struct rs_bytes subject,
                                 rs_catalogue_trace *trace, void *context, struct rs_error *err);

#endif
