/* Answers as a table for people, CSV, JSON, or a FHIR R4 Bundle of AuditEvents; line by line, however many there are. */
#ifndef RS_AUDIT_WRITE_H
#define RS_AUDIT_WRITE_H

#include "audit/audit.h"

enum rs_audit_format { RS_AUDIT_TEXT, RS_AUDIT_CSV, RS_AUDIT_JSON, RS_AUDIT_FHIR };
bool rs_audit_format_from_name(struct rs_str name, enum rs_audit_format *out);

struct rs_audit_heading {
	const char *question; /* "subject 3f2a…" */
	struct rs_checkpoint checkpoint;
	struct rs_str note; /* it, signed */
	uint64_t asked_ms;
	uint64_t
		request; /* the access request that came before the answer; RS_AUDIT_NO_ENTRY: none was needed */
	const char *patient; /* whom the subject's token stands for; NULL: not to be told */
	bool proofs;         /* rs_audit_proof_name() tells each line's file */
};
#define RS_AUDIT_PROOF_NAME_SIZE 48
void rs_audit_proof_name(uint64_t entry, char out[static RS_AUDIT_PROOF_NAME_SIZE]);

/* Takes a piece of the output. */
typedef enum rs_code rs_audit_sink(void *context, struct rs_bytes piece, struct rs_error *err);

struct rs_audit_writer;
/* The heading must outlive the writer. Writes what comes before the first line. */
enum rs_code rs_audit_writer_create(const struct rs_audit_heading *heading, enum rs_audit_format format,
                                    rs_audit_sink *sink, void *context, struct rs_audit_writer **out,
                                    struct rs_error *err);
void rs_audit_writer_destroy(struct rs_audit_writer *writer);          /* accepts NULL */
void rs_audit_writer_destroy_pointer(struct rs_audit_writer **writer); /* for RS_CLEANUP */
enum rs_code rs_audit_writer_line(struct rs_audit_writer *writer, const struct rs_audit_line *line,
                                  struct rs_error *err);
/* What comes after the last line. */
enum rs_code rs_audit_writer_end(struct rs_audit_writer *writer, struct rs_error *err);

#endif
