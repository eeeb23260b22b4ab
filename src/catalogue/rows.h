/* Rows of the catalogue: tables, statements, boxes. */
#ifndef RS_CATALOGUE_ROWS_H
#define RS_CATALOGUE_ROWS_H

#include "match.h"

enum statement_name {
	FIND_PATIENT,
	FIND_STUDY,
	FIND_SERIES,
	ADD_PATIENT,
	ADD_STUDY,
	ADD_SERIES,
	ADD_IMAGE,
	ADD_PATIENT_TOKEN,
	ADD_STUDY_TOKEN,
	CHANGE_STUDY,
	LAST_ROW,
	GET_PATIENT, /* parent, name, box: by row; in the order of levels */
	GET_STUDY,
	GET_SERIES,
	GET_IMAGE,
	EACH_PATIENT, /* rows below one, the newest first */
	EACH_STUDY,
	EACH_SERIES,
	EACH_IMAGE,
	STUDIES_OF, /* rows of a parent */
	SERIES_OF,
	IMAGES_OF,
	BY_PATIENT_TOKEN, /* rows of a token, below one */
	BY_STUDY_TOKEN,
	BY_STUDY_NAME,
	BY_SERIES_NAME,
	BY_IDENTITY,
	COUNT_BY_PATIENT_TOKEN, /* up to a limit */
	COUNT_BY_STUDY_TOKEN,
	COUNTS_OF_PATIENT, /* studies, series, instances */
	COUNTS_OF_STUDY,
	COUNT_OF_SERIES,
	FIRST_TRANSACTION,
	TRACES_OF,
	STATEMENT_COUNT,
};

struct rs_catalogue {
	const struct rs_world *world;
	struct rs_store *store;
	struct rs_catalogue_keys keys;
	struct rs_statement *statements[STATEMENT_COUNT];
	struct rs_buffer plain, box, other; /* at hand while rows are added */
};

/* What a box is bound to: the level and the row's name. */
enum rs_code row_open(enum rs_level level, const struct rs_secret *key, struct rs_bytes name,
                      struct rs_bytes box, struct rs_buffer *out, struct rs_error *err);
/* An image's name: its row's number. */
#define IMAGE_NAME_SIZE 8
void row_name_image(int64_t record, uint8_t out[static IMAGE_NAME_SIZE]);

#endif
