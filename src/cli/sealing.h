/* Models and predictions in a node: leave to use what is sealed, asked before, and what was made of it, sealed after. */
#ifndef RS_CLI_SEALING_H
#define RS_CLI_SEALING_H

#include "access/access_rows.h"
#include "command.h"
#include "prognosis/prognosis.h"

struct sealing {
	struct rs_node *node; /* NULL: none of this is wanted */
	struct rs_actor *actor;
	bool asks; /* for leave, as the actor */
	enum rs_purpose purpose;
	enum rs_operation operation;
	const char *issuer;
	struct rs_row_source *sources; /* by origin */
	size_t *rows;                  /* of the table, by origin */
	size_t count;
};
/* Options of a command that may seal. */
#define SEALING_OPTIONS                                                              \
	SESSION_AS_OPTIONS,                                                          \
		{"purpose", "PURPOSE",                                               \
	         "with --home: ask for leave to use what is sealed, for treatment, " \
	         "research, \xe2\x80\xa6"},                                          \
	{                                                                            \
		"issuer", "ISSUER", "with --home: of the ids, as IssuerOfPatientID"  \
	}
/* With --home, and only then. operation: what the command does with the data; must_ask: --purpose is needed. */
enum rs_code sealing_open(const struct command_line *line, struct rs_pool *pool, enum rs_operation operation,
                          bool must_ask, struct sealing *out, struct rs_error *err);
void sealing_finish(struct sealing *sealing); /* accepts zeroed memory; before the pool is */
/* Finds the rows, and asks for them. */
enum rs_code sealing_permit(struct sealing *sealing, const struct rs_row_origin *origins, size_t count,
                            struct rs_error *err);
/* The same of pictures: one row each, known by its content. */
enum rs_code sealing_permit_files(struct sealing *sealing, const char *const *paths, size_t count,
                                  struct rs_error *err);
/* Asks for a file that must be sealed here. */
enum rs_code sealing_permit_model(const struct sealing *sealing, const char *path, struct rs_bytes content,
                                  struct rs_error *err);

/* Paths of receipts; finish them. */
struct receipts {
	size_t count;
	char **paths;
};
void receipts_finish(struct receipts *receipts);
/* The model, made from the rows' vectors (RS_PARENTS_MAX of them at most), then report and study, made from it.
 * replaces: file of a model sealed here that this one is the new version of; NULL: none */
enum rs_code sealing_model(struct sealing *sealing, const char *replaces, struct rs_bytes model,
                           struct rs_bytes report, bool report_is_json, struct rs_bytes study,
                           struct receipts *out, struct rs_error *err);
/* The one subject of what was asked for; NULL: nobody's. errors  RS_REFUSED: there are several */
enum rs_code sealing_subject(const struct sealing *sealing, const struct rs_pseudonym **out,
                             struct rs_error *err);
/* One thing made of the files that were asked for: a model, or (by a sealed model) what belongs to their one subject. */
enum rs_code sealing_made(struct sealing *sealing, enum rs_object_kind kind, const char *media,
                          const struct rs_digest *model, struct rs_bytes content, struct receipts *out,
                          struct rs_error *err);
/* Each row of text, from one of `ends` to the next, as an object of its subject, below `head`. */
enum rs_code sealing_predictions(struct sealing *sealing, const struct rs_digest *model, struct rs_bytes head,
                                 const struct rs_buffer *text, const size_t *ends, size_t count,
                                 struct receipts *out, struct rs_error *err);
/* What was prepared of the files that were asked for: the volumes as made from them, the report from the volumes; all are the
 * subject's of what was asked for. */
enum rs_code sealing_prepared(struct sealing *sealing, struct rs_bytes report, char *const *files,
                              size_t count, struct receipts *out, struct rs_error *err);

#endif
