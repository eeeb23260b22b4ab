/* A study as its file declares it. */
#ifndef RS_PROGNOSIS_STUDY_H
#define RS_PROGNOSIS_STUDY_H

#include "crypto/crypto.h"
#include "plan.h"

#define STUDY_NAMES_MAX 4096
#define STUDY_MODALITIES_MAX 16
#define CARD_MAX 64

struct names {
	size_t count;
	const char **items;
};
struct modality {
	const char *name;
	struct names patterns;
};
/* Texts live in the arena. */
struct study {
	struct rs_arena arena;
	struct rs_digest digest; /* of the file */
	struct names tables;
	const char *id;
	enum target target; /* of several classes it may become binary: when the tables have two of them */
	const char *class_column; /* NULL: survival */
	const char *classes_column, *ordinal_column;
	struct names positive; /* of a binary class: cells that count as positive */
	struct names levels;   /* of several classes, in order; none: those that occur, by name */
	const char *time, *event;
	struct names event_value;
	const char *centre; /* NULL: none */
	const char *repeated,
		*measurement; /* a table, its column that tells measurements apart; NULL: none */
	struct modality modalities[STUDY_MODALITIES_MAX];
	size_t modality_count;
	struct names clinical, volume, categorical, mark_gaps;
	const char *validate, *assign, *weights, *fusion;
	uint64_t folds, repeats, inner_folds, seed;
	double split;                     /* share of the subjects that train a single split, too; 0: none */
	uint64_t bootstrap, permutations; /* how many; 0: none */
	struct plan plan;
	const char *title, *synthetic; /* NULL: not told; synthetic: yes or no */
	/* What its authors say of it, for the report: see report_checklists.c. */
	struct card_entry {
		const char *name, *value;
	} card[CARD_MAX];
	size_t card_count;
};
void study_finish(struct study *study);
/* errors  RS_MALFORMED naming line and key */
enum rs_code study_parse(struct rs_bytes file, struct study *out, struct rs_error *err);
bool names_hold(const struct names *names, const char *name);
/* The name of a column held against a pattern with * and ?. */
bool pattern_matches(const char *pattern, const char *name);

#endif
