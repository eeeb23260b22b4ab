/* From the raw MR series of a study to volumes that can be measured: which series are what, and a pipeline of steps. */
#ifndef RS_PREPARE_H
#define RS_PREPARE_H

#include "base/base.h"
#include "base/base_json.h"
#include "image/image_series.h"

enum rs_scan_kind {
	RS_SCAN_T1,
	RS_SCAN_T1C, /* T1 after contrast agent, at one time */
	RS_SCAN_T2,
	RS_SCAN_DWI,
	RS_SCAN_ADC, /* as the scanner computed it */
	RS_SCAN_DCE,
	RS_SCAN_VFA, /* T1-weighted at several flip angles */
	RS_SCAN_OTHER,
};
#define RS_SCAN_KINDS ((size_t)RS_SCAN_OTHER)
const char *rs_scan_kind_name(enum rs_scan_kind kind); /* "T1" … "VFA", "other" */
bool rs_scan_kind_of(const char *name, enum rs_scan_kind *out);

/* Numbers that a file does not tell are NaN. */
struct rs_scan_volume {
	struct rs_series_image *images;
	size_t image_count;
	double b, flip, echo_ms;   /* s/mm2, degrees */
	double time_s;             /* since the first volume of the scan */
	double acquired_s, number; /* of the first image: since 1970, local time; InstanceNumber */
	double order;              /* what the file says of its place in time: TemporalPositionIdentifier */
	bool contrast, trace;      /* trace: of all directions already */
};

/* A series, or series that belong together: DCE with one series for each time, DWI with one for each b-value. */
struct rs_scan {
	enum rs_scan_kind kind;
	bool chosen;             /* the one of its kind that is prepared */
	bool forced;             /* the user said what it is */
	const char *uid;         /* SeriesInstanceUID; of several, the first one's */
	const char *description; /* SeriesDescription, in ASCII; for the user only: it may say anything */
	const char *frame_of_reference;
	const char *why;  /* one sentence: what it was recognised by */
	const char *note; /* what is odd about it; "" when nothing is */
	int64_t number;   /* SeriesNumber; 0: none */
	double repetition_ms, echo_ms, inversion_ms, flip;
	double relaxivity;            /* l/(mmol s) of the contrast agent that is named */
	size_t rows, columns, places; /* of the largest stack */
	double normal[3];
	bool contrast, fat_suppressed;
	struct rs_scan_volume *volumes; /* by b-value, by time, by flip angle */
	size_t volume_count, series_count;
	int rank; /* among those of its kind: the highest is chosen */
};
struct rs_scans {
	struct rs_arena arena;
	struct rs_scan *items;
	size_t count;
	size_t files, passed_over; /* read as DICOM images; neither DICOM nor an image */
};
/* "SERIES=KIND": SeriesInstanceUID or SeriesNumber, and a name of a kind, or "other" to leave it out. */
struct rs_scan_override {
	const char *series;
	enum rs_scan_kind kind;
};
/* Looks at every file below the directory. A file that is broken is told in `complaints` (a line each) and left out.
 * errors  RS_NOT_FOUND when there is no MR image, RS_UNSUPPORTED when there are several patients or studies, RS_USAGE when an
 *         override names no series or several; RS_TOO_LARGE, RS_IO, RS_NO_MEMORY */
enum rs_code rs_scans_find(const struct rs_world *world, const char *directory,
                           const struct rs_scan_override *overrides, size_t override_count,
                           struct rs_buffer *complaints, struct rs_scans *out, struct rs_error *err);
void rs_scans_finish(struct rs_scans *scans); /* accepts NULL and zeroed memory */
/* An array of objects: what each scan is, why, and what it consists of. No description: it goes into files that are sealed. */
void rs_scans_write(const struct rs_scans *scans, struct rs_json *json);
/* NULL: there is none. */
const struct rs_scan *rs_scans_chosen(const struct rs_scans *scans, enum rs_scan_kind kind);

#endif
