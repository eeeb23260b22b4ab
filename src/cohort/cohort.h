/* Cases measured one by one: a table of images and masks in, a table of features out. Rows come in the order of the
 * cases whatever the number of threads; what is finished survives an interruption; a failing case fails alone. */
#ifndef RS_COHORT_H
#define RS_COHORT_H

#include "base/base.h"
#include "radiomics/radiomics.h"

#define RS_COHORT_IMAGES_MAX 16
#define RS_COHORT_PREFIX_SIZE 32

/* The images of a case: one with the prefix "", or several sequences of one patient ("t1", "adc"). */
struct rs_cohort_image {
	const char *prefix;
	const char *image, *mask; /* paths; NULL: this case has no such sequence, its columns stay NaN */
};
struct rs_cohort_case {
	struct rs_cohort_image images[RS_COHORT_IMAGES_MAX];
	const char *label;        /* see rs_cohort_job; NULL: the job's */
	const char *channel;      /* of the masks, as setting label_channel; NULL: that of the settings */
	const char *const *input; /* input_count texts that are copied to the output */
	size_t line;              /* of the table; 0: named on the command line */
};
struct rs_cohort {
	size_t count;
	struct rs_cohort_case *cases;
	size_t image_count;    /* of every case */
	const char *directory; /* that relative paths of `input` count from; "." for operands */
	size_t input_count;
	const char *const *input_names;
	struct rs_csv table;   /* private */
	struct rs_arena arena; /* private */
};
void rs_cohort_finish(struct rs_cohort *cohort); /* accepts NULL and zeroed memory */

/* A table with the columns Image and Mask, or Image_<prefix> and Mask_<prefix> (or one Mask for all); Label and
 * Label_channel are optional, other columns are copied. Relative paths count from the table's directory.
 * errors  those of rs_csv_parse(); RS_MALFORMED when columns are missing */
enum rs_code rs_cohort_read(const struct rs_world *world, const char *path, struct rs_cohort *out,
                            struct rs_error *err);
/* Whether a selector (a case's label, or NULL and then the job's) names one region by its number. */
bool rs_cohort_label_is_plain(const char *case_label, const char *job_label);
/* One case: IMAGE MASK, or t1=IMAGE adc=IMAGE mask=MASK, or with mask:t1=MASK for a mask of its own.
 * The operands must outlive the cohort. errors  RS_USAGE */
enum rs_code rs_cohort_from_operands(char *const *operands, size_t count, struct rs_cohort *out,
                                     struct rs_error *err);

enum rs_column_kind {
	RS_COLUMN_TEXT,
	RS_COLUMN_NUMBER, /* "nan" where undefined */
	RS_COLUMN_JSON    /* a number or a list of numbers; empty where there is none */
};
enum rs_column_origin { RS_COLUMN_INPUT, RS_COLUMN_DIAGNOSTIC, RS_COLUMN_FEATURE, RS_COLUMN_PROVENANCE };
struct rs_cohort_column {
	const char *name;
	enum rs_column_kind kind;
	enum rs_column_origin origin;
	/* See struct rs_radiomics_value; "" where there is none. Static. */
	const char *ibsi, *aggregation, *unit;
};

/* Where the rows go. All of it is called by one thread at a time, in the order of cases; a failure ends the run. */
struct rs_cohort_sink {
	void *context;
	enum rs_code (*columns)(void *context, const struct rs_cohort_column *columns, size_t count,
	                        struct rs_error *err); /* first of all, once; they outlive the run */
	enum rs_code (*row)(void *context, size_t index, const char *const *cells, struct rs_error *err);
	/* failure: of the case's first row that failed; NULL when none did. notes: lines for the user. */
	void (*done)(void *context, size_t index, const struct rs_error *failure, const char *notes);
};

/* A measured region of one image, to be sealed; everything is borrowed. */
struct rs_cohort_vector {
	size_t index; /* of the case */
	const char *prefix, *label;
	struct rs_digest settings; /* as in the column provenance_Settings, whatever the label */
	const struct rs_digest *image_files, *mask_files; /* SHA-256 of every file that was read for them */
	size_t image_count, mask_count;
	const struct rs_radiomics_result *result;
};
/* *out_receipt: a new text (rs_free) for the column provenance_Receipt. Called by several threads at once. */
typedef enum rs_code rs_cohort_seal(void *context, const struct rs_cohort_vector *vector, char **out_receipt,
                                    struct rs_error *err);

/* Whether a case may be measured at all; asked before its files are read for that, and before an earlier result is taken
 * from the journal. What it returns other than RS_OK is the case's failure. Called by several threads at once. */
typedef enum rs_code rs_cohort_permit(void *context, const struct rs_cohort_case *item, size_t image_count,
                                      struct rs_error *err);

struct rs_cohort_job {
	const struct rs_world *world;
	const struct rs_radiomics_settings *settings;
	/* Which regions of the mask: numbers or names of labels; "1,2" makes two rows, "1+2" one row of the union, "all"
	 * a row for each label. NULL: the one label of the settings. */
	const char *label;
	const char *version;        /* of the program, for the column provenance_Version */
	unsigned jobs;              /* cases at once, each in one thread; 1 … 256 */
	struct rs_pool *pool;       /* works inside of a case when jobs is 1; may be NULL */
	const char *maps_directory; /* voxel-based maps go there, instead of values; NULL: none */
	const char *maps_suffix;    /* "nrrd" or "nii.gz": their format */
	rs_cohort_seal *seal;       /* NULL: vectors are not sealed */
	void *seal_context;
	rs_cohort_permit *permit; /* NULL: whoever has the files may measure them */
	void *permit_context;
	const char *journal_path; /* where finished cases are kept until all are; NULL: nowhere */
};

struct rs_cohort_counts {
	size_t measured, failed, resumed;
};

/* Measures every case.
 * errors  what the sink or the journal reports, RS_USAGE for settings out of range, RS_NO_MEMORY; never that of a
 *         case, which is in its row's column `error` */
enum rs_code rs_cohort_measure(const struct rs_cohort *cohort, const struct rs_cohort_job *job,
                               const struct rs_cohort_sink *sink, struct rs_cohort_counts *out,
                               struct rs_error *err);
/* Only the sink's columns(), once, as rs_cohort_measure() would call it: what the output of such a case is made of.
 * errors  RS_USAGE, RS_NO_MEMORY, what the sink reports */
enum rs_code rs_cohort_describe(const struct rs_cohort *cohort, const struct rs_cohort_job *job,
                                const struct rs_cohort_sink *sink, struct rs_error *err);
/* The run is complete and its result is safe: the journal is not needed any more. */
enum rs_code rs_cohort_forget(const struct rs_cohort_job *job, struct rs_error *err);

#endif
