/* A study as its file declares it. */
#ifndef RS_STUDY_H
#define RS_STUDY_H

#include "crypto/crypto.h"
#include "recipe/recipe.h"

#define RS_STUDY_NAMES_MAX 4096
#define RS_STUDY_MODALITIES_MAX 16
#define RS_CARD_MAX 64

struct rs_study_names {
	size_t count;
	const char **items;
};
struct rs_study_modality {
	const char *name;
	struct rs_study_names patterns;
};
/* Texts live in the arena. */
struct rs_study {
	struct rs_arena arena;
	struct rs_digest digest; /* of the file */
	struct rs_study_names tables;
	const char *id;
	enum rs_target target; /* of several classes it may become binary: when the tables have two of them */
	const char *class_column; /* NULL: survival */
	const char *classes_column, *ordinal_column;
	struct rs_study_names positive; /* of a binary class: cells that count as positive */
	struct rs_study_names levels;   /* of several classes, in order; none: those that occur, by name */
	const char *time, *event;
	struct rs_study_names event_value;
	const char *centre; /* NULL: none */
	const char *repeated,
		*measurement; /* a table, its column that tells measurements apart; NULL: none */
	struct rs_study_modality modalities[RS_STUDY_MODALITIES_MAX];
	size_t modality_count;
	struct rs_study_names clinical, volume, categorical, mark_gaps;
	const char *validate, *assign, *weights, *fusion;
	uint64_t folds, repeats, inner_folds, seed;
	double split;                     /* share of the subjects that train a single split, too; 0: none */
	uint64_t bootstrap, permutations; /* how many; 0: none */
	struct rs_plan plan;
	const char *title, *synthetic; /* NULL: not told; synthetic: yes or no */
	/* What its authors say of it, for the report: see report/checklists.c. */
	struct rs_card_entry {
		const char *name, *value;
	} card[RS_CARD_MAX];
	size_t card_count;
};
void rs_study_finish(struct rs_study *study);
/* errors  RS_MALFORMED naming line and key */
enum rs_code rs_study_parse(struct rs_bytes file, struct rs_study *out, struct rs_error *err);
bool rs_names_hold(const struct rs_study_names *names, const char *name);
/* The name of a column held against a pattern with * and ?. */
bool rs_pattern_matches(const char *pattern, const char *name);

#endif
