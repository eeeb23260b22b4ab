/* Pipelines: the steps that make volumes of scans, as a YAML file has them; and what they leave behind. */
#ifndef RS_PREPARE_PIPELINE_H
#define RS_PREPARE_PIPELINE_H

#include "crypto/crypto.h"
#include "prepare/prepare.h"

enum rs_step_kind {
	RS_STEP_DENOISE,
	RS_STEP_BIAS,
	RS_STEP_ADC,
	RS_STEP_DCE,
	RS_STEP_REGISTER,
	RS_STEP_RESAMPLE,
	RS_STEP_NORMALISE,
	RS_STEP_KINDS
};
#define RS_STEP_VALUES 16
#define RS_STEPS_MAX 32
#define RS_PIPELINE_SEQUENCES_MAX 64
/* values: by the row of the step's keys, see pipeline.c; of a key that takes words, the word's row. */
struct rs_step {
	enum rs_step_kind kind;
	unsigned on; /* bits of enum rs_scan_kind */
	double values[RS_STEP_VALUES];
	const char *file; /* of landmarks; NULL: none */
};
struct rs_pipeline {
	struct rs_arena arena;
	enum rs_scan_kind
		reference; /* whose grid the others are laid on; RS_SCAN_OTHER: T2, or else what is there */
	struct rs_step steps[RS_STEPS_MAX];
	size_t step_count;
	struct rs_scan_override sequences[RS_PIPELINE_SEQUENCES_MAX];
	size_t sequence_count;
};
/* YAML: reference, sequences, steps. NULL text: the usual steps. Unknown keys, numbers out of range and steps in an order that
 * cannot be are refused with the line. errors  RS_MALFORMED, RS_TOO_LARGE, RS_NO_MEMORY */
enum rs_code rs_pipeline_parse(struct rs_bytes text, struct rs_pipeline *out, struct rs_error *err);
void rs_pipeline_finish(struct rs_pipeline *pipeline); /* accepts NULL and zeroed memory */
/* One step as "denoise" or "denoise: {method: median}", as text that rs_pipeline_parse() reads; appended. */
void rs_pipeline_of_step(const char *step, struct rs_buffer *out);
/* The canonical form: JSON with every key of every step, so that two files that mean the same have one digest. */
void rs_pipeline_write(const struct rs_pipeline *pipeline, struct rs_json *json);
enum rs_code rs_pipeline_digest(const struct rs_pipeline *pipeline, struct rs_digest *out,
                                struct rs_error *err);

struct rs_prepare {
	const struct rs_world *world;
	struct rs_pool *pool;
	const struct rs_pipeline *pipeline;
	const struct rs_scans *scans;
	const char *version;       /* of the program */
	const char *directory;     /* is made; volumes and prepared.json go there */
	const char *mask;          /* a mask drawn on `mask_on`; NULL: none */
	enum rs_scan_kind mask_on; /* RS_SCAN_OTHER: the reference */
	const char *artery;        /* a mask of arterial blood on the DCE scan; NULL: none */
	const char *complaints;    /* lines about files that could not be read; may be "" */
	void (*progress)(void *context, const char *what); /* may be NULL */
	void *context;
};
struct rs_prepared {
	size_t written, left_out;
	char **files; /* volumes and mask: paths; the report is not among them */
	size_t file_count;
	struct rs_digest *sources; /* SHA-256 of every file that the volumes were made of, ascending */
	size_t source_count;
	struct rs_buffer report; /* prepared.json, as it was written; finish it */
	struct rs_buffer said;   /* a line for each thing that was left out, for the user; finish it */
};
/* Does what the pipeline says. What cannot be done is left out, with a sentence in report and `said`, and the rest is done.
 * errors  RS_REFUSED when nothing at all was left to write; RS_USAGE for masks that lie nowhere; RS_IO, RS_NO_SPACE,
 *         RS_NO_MEMORY */
enum rs_code rs_prepare_study(const struct rs_prepare *how, struct rs_prepared *out, struct rs_error *err);
void rs_prepared_finish(struct rs_prepared *prepared); /* accepts NULL and zeroed memory */

/* Nyúl's landmarks from the prepared volumes (not yet normalised) of training cases: directories that hold T1.nii.gz and the
 * like. Text that the step normalise reads; appended. errors  RS_NOT_FOUND when a directory has no volume; RS_REFUSED */
enum rs_code rs_landmarks_fit(const struct rs_world *world, char *const *directories, size_t count,
                              struct rs_buffer *out, struct rs_error *err);

#endif
